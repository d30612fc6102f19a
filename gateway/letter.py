"""A dead letter: one message that could not be stored as a whole, and its line in a file. Pure."""

from __future__ import annotations

import json
import re

import msgspec

from contract.codec import digest
from contract.payload import Json, Rejected

_BRANCH = re.compile(rb'\{"at": ?-?\d+, ?"topic": ?"tsq/[^/"]*/([a-z0-9-]{1,32}/[a-z0-9-]{1,32})/')
HEAD_BYTES = 200
"""Of a line, within which `branch` finds what it looks for."""
NOBODY = ""


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message that could not be stored as a whole.

    Attributes:
        at: When it was written, ns UTC.
        topic: Where it came from.
        reason: Of the message, or of the first rejection.
        payload: Base64 of a message that cannot be read, as it came.
        spool: Of a message whose entries are rejected in part, with the rest below.
        birth: Hash of the birth it was read with.
        rejected: As confirmed to the agent.
        faults: Rows that contradict their birth: seq, source, first, last, reason, content.
        points: Lines that the database refuses: seq, source, measurement, tags, time, fields, reason.
        content_type: MQTT 5 property of a message that cannot be read.
    """

    at: int
    topic: str
    reason: str
    payload: str | None = None
    spool: str | None = None
    birth: str | None = None
    rejected: list[Rejected] = []
    faults: list[Json] = []
    points: list[Json] = []
    content_type: str | None = None

    @property
    def malformed(self) -> bool:
        """Whether the message could not be read."""
        return self.payload is not None


def written(letter: DeadLetter) -> tuple[bytes, str]:
    """Return the line of a letter, without its newline, and the digest of all of it but its time."""
    content = {
        name: value
        for name in letter.__struct_fields__
        if name != "at" and (value := getattr(letter, name)) not in (None, [])
    }
    try:
        body = _encoded(content)
    except RecursionError:
        return written(msgspec.structs.replace(letter, faults=["nested too deeply to be kept"]))
    return b'{"at":%d,' % letter.at + body[1:], digest(body)


def _encoded(content: dict[str, object]) -> bytes:
    try:
        return msgspec.json.encode(content)
    except (OverflowError, ValueError, TypeError):  # the standard encoder knows integers of any size
        return json.dumps(content, ensure_ascii=False, default=msgspec.to_builtins).encode("utf-8", "replace")


def read(line: bytes) -> DeadLetter | None:
    """Return the letter of a line, None when the line is damaged."""
    try:
        return msgspec.convert(json.loads(line), DeadLetter)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None


def branch(line: bytes) -> str:
    """Return `factory/agent` of a line without reading it, `NOBODY` when no agent's topic stands there."""
    found = _BRANCH.match(line[:HEAD_BYTES])
    return NOBODY if found is None else found[1].decode()


def name(line: bytes) -> str:
    """Return the short name of a letter, by which people speak of it."""
    return digest(line)[:12]
