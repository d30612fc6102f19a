"""Modbus servers that misbehave the way devices and gateways in the field do; they share no code with our client.

    async with Rude() as gateway:
        gateway.mute.add(7)          # unit 7 is switched off
        ... gateway.port ...

Holding register A of unit U serves (1000 * U + A) mod 65536; the three other tables serve the same, bits its
lowest bit. What it does wrong can be changed at any moment. Frames are read and made here from the
specifications (Modbus Messaging on TCP/IP 1.0b; Modbus over Serial Line 1.02).
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    at: float  # time.monotonic()
    connection: int  # 1, 2, ...
    unit: int
    function: int
    start: int
    count: int


def crc(data: bytes) -> bytes:
    """Return the checksum of a serial frame, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def served(unit: int, address: int) -> int:
    """Return what a register serves."""
    return (1000 * unit + address) % 65536


class Rude:
    """A server on loopback for the length of an `async with`.

    Args:
        plain: Frames as on a serial line (RTU over TCP) instead of numbered ones.
        port: A free one when 0.
        tls: Serve through TLS.

    Attributes:
        mute: Units that never answer.
        mute_addresses: Addresses at which requests begin that nobody answers.
        late: Seconds after which a unit answers; others are answered meanwhile when `parallel`.
        parallel: Whether late answers let others overtake, as with several serial ports behind one gateway.
        refuses: Exception codes by unit.
        ignore_first: Requests that each new connection ignores.
        close_after: Closes each connection after so many answers, without a word.
        hang_up_at: Of each connection, the request that is taken and never answered: the connection is closed.
        twice: Seconds after which each answer comes once more, when not 0.
        one_client: A second connection is closed at once, as by a device with one free connection.
        garbage: Bytes sent before each answer.
        asked: Every request.
        connections: How many there have been.
        open: How many there are.
    """

    def __init__(self, *, plain: bool = False, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._plain = plain
        self.port = port
        self._tls = tls
        self.mute: set[int] = set()
        self.mute_addresses: set[int] = set()
        self.late: dict[int, float] = {}
        self.parallel = False
        self.refuses: dict[int, int] = {}
        self.ignore_first = 0
        self.close_after = 0
        self.hang_up_at = 0
        self.twice = 0.0
        self.one_client = False
        self.garbage = b""
        self.asked: list[Asked] = []
        self.connections = 0
        self.open = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._late_ones: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._late_ones:
            task.cancel()
        self.hang_up()
        for _try in range(200):
            if not self.open:
                break
            await asyncio.sleep(0.01)

    def hang_up(self) -> None:
        """Close every connection, as a device does with idle ones."""
        for writer in self._writers:
            writer.close()

    def by(self, unit: int) -> list[Asked]:
        """Return what one unit was asked."""
        return [one for one in self.asked if one.unit == unit]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self.open += 1
        self._writers.add(writer)
        try:
            if not (self.one_client and self.open > 1):
                with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                    await self._talk(number, reader, writer)
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _talk(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = answers = 0
        while True:
            head, body = await self._request(reader)
            unit, function = body[0], body[1]
            start, count = struct.unpack_from(">HH", body, 2)
            self.asked.append(Asked(time.monotonic(), number, unit, function, start, count))
            requests += 1
            if requests == self.hang_up_at:
                return
            if unit in self.mute or start in self.mute_addresses or requests <= self.ignore_first:
                continue
            answer = self._answer(head, unit, function, start, count)
            if unit in self.late and self.parallel:
                task = asyncio.ensure_future(self._send_later(writer, answer, self.late[unit]))
                self._late_ones.add(task)
                continue
            await asyncio.sleep(self.late.get(unit, 0))
            writer.write(self.garbage + answer)
            if self.twice:
                self._late_ones.add(asyncio.ensure_future(self._send_later(writer, answer, self.twice)))
            answers += 1
            if answers == self.close_after:
                return

    async def _request(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        """Return what stands before the unit, and unit, function, start and count."""
        if self._plain:
            frame = await reader.readexactly(8)
            assert crc(frame[:6]) == frame[6:], "a wrong checksum was sent"
            return b"", frame[:6]
        head = await reader.readexactly(6)
        assert head[2:] == b"\x00\x00\x00\x06", f"no read request: {head.hex()}"
        return head, await reader.readexactly(6)

    def _answer(self, head: bytes, unit: int, function: int, start: int, count: int) -> bytes:
        assert 1 <= function <= 4, f"function {function} was sent"
        values = [served(unit, start + n) for n in range(count)]
        if unit in self.refuses:
            pdu = bytes([function | 0x80, self.refuses[unit]])
        elif function <= 2:
            bits = sum((value & 1) << n for n, value in enumerate(values))
            data = bits.to_bytes((count + 7) // 8, "little")
            pdu = bytes([function, len(data)]) + data
        else:
            pdu = bytes([function, 2 * count]) + struct.pack(f">{count}H", *values)
        if self._plain:
            frame = bytes([unit]) + pdu
            return frame + crc(frame)
        return head[:4] + struct.pack(">HB", len(pdu) + 1, unit) + pdu

    async def _send_later(self, writer: asyncio.StreamWriter, answer: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not writer.is_closing():
            writer.write(answer)
