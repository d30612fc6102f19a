"""A recording as a script: what was asked, and what came after each request until the next one.

Requests are told apart without the number that each carries anew (Modbus transaction, XGT invoke id); what came
back is given the number of the request that it now follows, moved by as much as it was late then, so that a stale
answer stays stale. Each occasion of a request is answered as it was then, in order; when all are used up, the last
one again. What was never asked then is answered from the registers that were seen, if all of them were (Modbus),
and else not at all: a recording proves nothing about other questions.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT = 1
LINE_LIMIT = 1_000_000
CLOSED = b""
"""Stands for the device closing the connection."""


class Piece(NamedTuple):
    """Something the device did: bytes, or `CLOSED`, so long after the request."""

    after_ns: int
    data: bytes


class Framing(Protocol):
    """What a protocol's frames look like."""

    def split(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Return the first whole request in a buffer, or None, and the rest."""

    def key(self, request: bytes) -> bytes:
        """Return a request without its number."""

    def number(self, frame: bytes) -> int:
        """Return the number of a request or an answer; 0 where the protocol has none."""

    def numbered(self, frame: bytes, number: int) -> bytes:
        """Return a frame with another number."""


class Mbap:
    """Modbus TCP."""

    def split(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Return the first whole request in a buffer, or None, and the rest."""
        whole = 6 + int.from_bytes(buffer[4:6]) if len(buffer) >= 6 else 6
        return (buffer[:whole], buffer[whole:]) if len(buffer) >= max(whole, 8) else (None, buffer)

    def key(self, request: bytes) -> bytes:
        """Return unit and PDU."""
        return request[6:]

    def number(self, frame: bytes) -> int:
        """Return the transaction number."""
        return int.from_bytes(frame[:2])

    def numbered(self, frame: bytes, number: int) -> bytes:
        """Return a frame with another transaction number."""
        return number.to_bytes(2) + frame[2:] if len(frame) >= 2 else frame


class Rtu:
    """Modbus RTU, on a line or over TCP: reads have eight bytes and no number."""

    def split(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Return the first whole request in a buffer, or None, and the rest."""
        return (buffer[:8], buffer[8:]) if len(buffer) >= 8 else (None, buffer)

    def key(self, request: bytes) -> bytes:
        """Return all of it."""
        return request

    def number(self, frame: bytes) -> int:  # noqa: ARG002 - there is none
        """Return 0."""
        return 0

    def numbered(self, frame: bytes, number: int) -> bytes:  # noqa: ARG002 - there is none
        """Return it as it is."""
        return frame


class Xgt:
    """LS ELECTRIC XGT: a header of 20 bytes with the invoke id at 14 and the length at 16, little-endian."""

    def split(self, buffer: bytes) -> tuple[bytes | None, bytes]:
        """Return the first whole request in a buffer, or None, and the rest."""
        whole = 20 + int.from_bytes(buffer[16:18], "little") if len(buffer) >= 20 else 20
        return (buffer[:whole], buffer[whole:]) if len(buffer) >= max(whole, 20) else (None, buffer)

    def key(self, request: bytes) -> bytes:
        """Return it without invoke id and BCC."""
        return request[:14] + request[16:19] + request[20:]

    def number(self, frame: bytes) -> int:
        """Return the invoke id."""
        return int.from_bytes(frame[14:16], "little")

    def numbered(self, frame: bytes, number: int) -> bytes:
        """Return a frame with another invoke id, and the BCC that belongs to it where there was one."""
        if len(frame) < 20:
            return frame
        head = frame[:14] + number.to_bytes(2, "little") + frame[16:19]
        return head + bytes([sum(head) & 0xFF if frame[19] else 0]) + frame[20:]


@dataclass(slots=True)
class Script:
    """A recording.

    Attributes:
        head: Its first line: versions, the device as configured, what was known of it.
        framing: Of its protocol.
        occasions: Request without number -> what came, once for each time it was asked and not yet served.
        total: Requests in the recording.
        served: Of these, answered by now.
        again: Answers given once more.
        unknown: Requests that are not in it.
    """

    head: Mapping[str, Any]
    framing: Framing
    occasions: dict[bytes, deque[list[Piece]]] = field(default_factory=dict)
    total: int = 0
    served: int = 0
    again: int = 0
    unknown: int = 0
    _last: dict[bytes, list[Piece]] = field(default_factory=dict)
    _registers: dict[tuple[int, int, int], int] = field(default_factory=dict)  # unit, table, address -> value

    @property
    def exhausted(self) -> bool:
        """Whether every request of the recording has been asked again."""
        return self.served >= self.total

    def answer(self, request: bytes) -> list[Piece]:
        """Return what the device does on a request, with its number."""
        key = self.framing.key(request)
        if self.occasions.get(key):
            self.served += 1
            pieces = self._last[key] = self.occasions[key].popleft()
        elif key in self._last:
            self.again += 1
            pieces = self._last[key]
        else:
            self.unknown += 1
            return self._composed(request)
        number = self.framing.number(request)
        return [
            Piece(
                p.after_ns, p.data and self.framing.numbered(p.data, (number + self.framing.number(p.data)) % 65536)
            )
            for p in pieces
        ]

    def _composed(self, request: bytes) -> list[Piece]:
        """Return an answer of registers that were seen, nothing when one was not."""
        if not isinstance(self.framing, Mbap) or len(request) < 12:
            return []
        unit, table, start, count = request[6], request[7], *_span(request[8:12])
        found = [self._registers.get((unit, table, a)) for a in range(start, start + count)]
        if None in found:
            return []
        values = [value or 0 for value in found]
        if table in {1, 2}:
            bits = bytes(
                sum(bit << i for i, bit in enumerate(values[at : at + 8])) for at in range(0, len(values), 8)
            )
            pdu = bytes([table, len(bits)]) + bits
        else:
            pdu = bytes([table, 2 * count]) + b"".join(value.to_bytes(2) for value in values)
        return [Piece(0, request[:4] + (len(pdu) + 1).to_bytes(2) + bytes([unit]) + pdu)]

    def learn(self, request: bytes, answer: bytes) -> None:
        """Remember the registers that an answer to a request told."""
        if not isinstance(self.framing, Mbap) or len(request) < 12 or len(answer) < 9:
            return
        unit, table, start, count = request[6], request[7], *_span(request[8:12])
        data = answer[9:]
        if answer[7] != table or answer[6] != unit:
            return
        for i in range(count):
            if table in {1, 2} and i // 8 < len(data):
                self._registers[unit, table, start + i] = data[i // 8] >> i % 8 & 1
            elif table in {3, 4} and 2 * i + 1 < len(data):
                self._registers[unit, table, start + i] = int.from_bytes(data[2 * i : 2 * i + 2])


def _span(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:2]), int.from_bytes(raw[2:])


def framing_of(head: Mapping[str, Any]) -> Framing:
    """Return the framing of a recording.

    Raises:
        ValueError: of a format or a protocol that cannot be played.
    """
    if head.get("recording") != FORMAT:
        raise ValueError(f"format {head.get('recording')}; this release reads {FORMAT}")
    config = head.get("config", {})
    match head.get("protocol"), config.get("transport", "tcp"):
        case "modbus", "tcp" | "tls":
            return Mbap()
        case "modbus", _:
            return Rtu()
        case "xgt", _:
            return Xgt()
        case protocol, _:
            raise ValueError(f"recordings of {protocol} cannot be played")


def read(lines: Iterable[str]) -> Script:
    """Return a recording as a script.

    Raises:
        ValueError: it is none; the text says which line and why.
    """
    script: Script | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            body = json.loads(line[:LINE_LIMIT])
            if script is None:
                script = Script(body, framing_of(body))
                steps = _Steps(script)
            elif "dir" in body:
                steps.take(int(body["ns"]), body["dir"], body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ValueError(f"line {number}: no recording: {exc}") from exc
    if script is None:
        raise ValueError("line 1: no recording: empty")
    steps.finish()
    return script


class _Steps:
    """Reads the frames of a recording in order."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._request = b""
        self._sent_ns = 0
        self._given_up = False  # a connection closed after that was closed by ourselves
        self._pieces: list[Piece] = []

    def take(self, ns: int, direction: Literal["sent", "received", "note"], body: Mapping[str, Any]) -> None:
        """Take one line."""
        if direction == "sent":
            self.end()
            self._request, self._sent_ns, self._pieces = bytes.fromhex(body["hex"]), ns, []
            self._given_up = False
        elif direction == "received" and self._request:
            self._pieces.append(Piece(ns - self._sent_ns, bytes.fromhex(body["hex"])))
        elif direction == "note" and body["text"] == "timeout":
            self._given_up = True
        elif direction == "note" and body["text"] == "closed" and self._request and not self._given_up:
            self._pieces.append(Piece(ns - self._sent_ns, CLOSED))

    def finish(self) -> None:
        """Take the last request, unless the recording ended while its answer was on the way."""
        if self._pieces or self._given_up:
            self.end()
        self._request = b""

    def end(self) -> None:
        """Put what came after the last request into the script."""
        if not self._request:
            return
        script, framing = self._script, self._script.framing
        number = framing.number(self._request)
        pieces = []
        for piece in self._pieces:
            if piece.data and framing.number(piece.data) == number:
                script.learn(self._request, piece.data)
            off = (framing.number(piece.data) - number) % 65536
            pieces.append(Piece(piece.after_ns, piece.data and framing.numbered(piece.data, off)))
        waiting = script.occasions.setdefault(framing.key(self._request), deque())
        waiting.append(pieces)
        script.total += 1
        self._request = b""
