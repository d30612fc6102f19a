"""What waits, as messages for a stick, and what comes back on one. No stick in here.

Two sides: `Courier` answers beside the spool, in the running agent (verb `carry` of the control socket) or in the
command itself when no agent runs; `agent.cli.carry` asks it and writes the stick. Each question is small and
changes nothing but this: what was handed out counts as sent, for it may be in the store from then on. Only
`confirm` frees anything, by (spool, seq, crc) alone, as a confirmation over MQTT does.
"""

from __future__ import annotations

import base64
import sqlite3
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from agent import entry
from agent.delivery import Entry
from contract import codec
from contract.errors import WireError
from contract.payload import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from agent.control import Answer

PAGE = 2000

Ref = tuple[str, int, str, str, int, int]
"""An `Entry` as it stands in a question."""


class Source(Protocol):
    """What is needed of the spool."""

    def unconfirmed(self, after: int, before: int | None, limit: int) -> list[Entry]:
        """Return unconfirmed entries with after < seq < before, in order, at most `limit`."""

    def sending(self, entries: Iterable[Entry]) -> list[tuple[Entry, bytes]]:
        """Return the content of each entry that still waits; it counts as sent from now on."""

    def birth_named(self, digest: str) -> bytes | None:
        """Return the canonical JSON of the birth with this hash, None when it is not here."""

    def confirm(self, stored: Stored) -> None:
        """Free the entries that are stored or refused for ever, with the next commit."""


class Courier:
    """Answers the questions of the command.

    Args:
        source: The spool.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def answer(self, args: Mapping[str, object]) -> Answer:
        """Answer one question: `waiting`, `message`, `birth` or `confirm`.

        Raises:
            ValueError: not such a question.
        """
        questions: dict[str, Callable[[Mapping[str, object]], Answer]] = {
            "waiting": self._waiting,
            "message": self._message,
            "birth": self._birth,
            "confirm": self._confirm,
        }
        try:
            return questions[str(args.get("do"))](args)
        except (KeyError, msgspec.ValidationError, WireError) as exc:
            raise ValueError(f"not a question about carrying: {exc}") from exc
        except (sqlite3.Error, OSError) as exc:
            raise ValueError(f"the spool cannot be read now: {exc}") from exc

    def _waiting(self, args: Mapping[str, object]) -> Answer:
        """Return the entries behind `after`, a page of them."""
        return {"entries": self._source.unconfirmed(msgspec.convert(args["after"], int), None, PAGE)}

    def _message(self, args: Mapping[str, object]) -> Answer:
        """Return the payload with these entries, without those that are free by now."""
        wanted = [Entry(*ref) for ref in msgspec.convert(args["entries"], list[Ref])]
        found = self._source.sending(wanted)
        if not found:
            return {"entries": [], "payload": ""}
        first = found[0][0]
        contents = [(known.seq, known.crc, content) for known, content in found]
        raw = entry.message(first.spool, first.birth, contents, historical=True)
        payload = base64.b64encode(codec.compress(raw)).decode()
        return {"entries": [[known.seq, known.crc] for known, _ in found], "payload": payload}

    def _birth(self, args: Mapping[str, object]) -> Answer:
        body = self._source.birth_named(str(args["birth"]))
        parts = [] if body is None else codec.birth_parts(body)
        return {"parts": [base64.b64encode(part).decode() for part in parts]}

    def _confirm(self, args: Mapping[str, object]) -> Answer:
        self._source.confirm(codec.decode(str(args["stored"]).encode(), Stored))
        return {"ok": True}


def grouped(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield entries as they fit into messages: of one spool and one birth each."""
    group: list[Entry] = []
    size = entry.ENVELOPE
    for one in entries:
        size += one.size + entry.REFERENCE
        if group and (size > codec.DATA_LIMIT or (one.spool, one.birth) != (group[0].spool, group[0].birth)):
            yield group
            group, size = [], entry.ENVELOPE + one.size + entry.REFERENCE
        group.append(one)
    if group:
        yield group


class _Named(msgspec.Struct, frozen=True):
    """What a message holds, its rows not looked into."""

    spool: str
    entries: list[tuple[int, str]]


def named(payload: bytes) -> set[tuple[str, int, str]]:
    """Return (spool, seq, crc) of the entries in a compressed message.

    Raises:
        WireError: it is none.
    """
    seen = codec.decode(codec.decompress(payload, codec.DATA_LIMIT), _Named, codec.DATA_LIMIT)
    return {(seen.spool, seq, crc) for seq, crc in seen.entries}


def confirmed(stored: Stored) -> set[tuple[str, int, str]]:
    """Return (spool, seq, crc) of the entries that a confirmation frees."""
    keys = {(stored.spool, seq, crc) for seq, crc in stored.stored}
    return keys | {(stored.spool, rejected.seq, rejected.crc) for rejected in stored.rejected}


def entries_of(answer: Mapping[str, Any]) -> Sequence[Entry]:
    """Return the entries of a `waiting` answer."""
    return [Entry(*ref) for ref in msgspec.convert(answer["entries"], list[Ref])]
