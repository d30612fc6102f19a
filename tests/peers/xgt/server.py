"""An XGT FEnet server for tests: a PLC's memory behind LS ELECTRIC's dedicated protocol.

Written from the manuals alone (XGL-EFMF 7-2 to 7-4 and error codes, XGL-EFMTB pages 142-147 and 180, XBL-EMTA 5.2);
it shares no code with the agent. Word n of every area holds n until somebody sets it; contact n of a timer or
counter is on when n is odd.

    python server.py --port 2004 --control 2005 [--log FILE] [--cpu A0] [--type 1] [--max-bytes 1400] ...

What it does wrong on demand is told over the control port, one line a command, one line as the answer:

    state 2 | fault 1            PLC info: RUN 1, STOP 2, ERROR 4, DEBUG 8; CPU error
    set D 240 aabb               memory of an area from a byte on
    get D 240 2                  the same, read
    illegal D 8 9 | legal        bytes that are refused with code 4, or all served again
    end D 1000                   bytes of an area
    delay 50                     milliseconds before each answer
    silent 1                     takes requests, answers none
    half 1                       sends the first half of an answer and no more
    split 3                      sends answers in pieces of so many bytes
    invoke 5 | command 89 | type 2 | blocks 2 | size 3 | length 9000 | source 51 | company X | extra 2
                                 added to, or put in the place of, what an answer should hold
    join 1                       holds an answer back and sends it with the next one, out of order
    garbage 1                    answers with no frame at all
    code 33 1                    refuses everything with this code in so many bytes
    right                        none of the last seven lines any more
    drop                         closes every connection
    counts                       "requests writes connections"
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import struct
from pathlib import Path
from typing import Any

HEAD = struct.Struct("<10sHBBHHBB")
COMPANIES = (b"LSIS-XGT\0\0", b"LGIS-GLOFA")
SIZES = {"X": 1, "B": 1, "W": 2, "D": 4, "L": 8}
TYPES = {0: "X", 1: "B", 2: "W", 3: "D", 4: "L"}
NAME = re.compile(rb"%(ZR|[A-Z])([XBWDL])([0-9]+)")
AREAS = ("P", "M", "K", "F", "L", "T", "C", "D", "N", "R", "ZR", "Z", "U", "I", "Q", "W", "A", "S")


class NakError(Exception):
    """The request is refused."""

    def __init__(self, code: int) -> None:
        super().__init__(hex(code))
        self.code = code


def names_of(body: bytes) -> list[str]:
    """Return the variables' names of a request, as far as it has any."""
    found, at = [], 8
    with contextlib.suppress(struct.error):
        for _ in range(struct.unpack_from("<H", body, 6)[0]):
            (length,) = struct.unpack_from("<H", body, at)
            found.append(body[at + 2 : at + 2 + length].decode("ascii", "replace").replace(" ", "_"))
            at += 2 + length
    return found


class Plc:
    """Memory, states and misbehaviour."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        words = b"".join(struct.pack("<H", n & 0xFFFF) for n in range(options.words))
        self.memory = {area: bytearray(words) for area in AREAS}
        self.contacts = {area: bytearray(n & 1 for n in range(2048)) for area in ("T", "C")}
        self.illegal: set[tuple[str, int]] = set()
        self.state = options.state
        self.fault = 0
        self.wrong: dict[str, Any] = {}
        self.requests = self.writes = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.held: bytes = b""

    # -- memory ----------------------------------------------------------------------------------------------

    def _span(self, area: str, start: int, count: int) -> bytearray:
        memory = self.memory.get(area)
        if memory is None or area in self.options.without:
            raise NakError(0x03)
        if start + count > len(memory):
            raise NakError(0x04)
        if any((area, byte) in self.illegal for byte in range(start, start + count)):
            raise NakError(0x04)
        return memory

    def read(self, area: str, unit: str, index: int) -> bytes:
        if unit == "X":
            if area in self.contacts:
                if index >= len(self.contacts[area]):
                    raise NakError(0x04)
                return bytes([self.contacts[area][index]])
            if area == "D":  # "only Byte and Word can be specified for the data register"
                raise NakError(0x02)
            memory = self._span(area, index // 8, 1)
            return bytes([memory[index // 8] >> index % 8 & 1])
        size = SIZES[unit]
        memory = self._span(area, index * size, size)
        return bytes(memory[index * size : index * size + size])

    def write(self, area: str, unit: str, index: int, data: bytes) -> None:
        if unit == "X":
            if area in self.contacts:
                self.contacts[area][index] = data[0] & 1
                return
            memory = self._span(area, index // 8, 1)
            mask = 1 << index % 8
            memory[index // 8] = memory[index // 8] & ~mask | (mask if data[0] & 1 else 0)
            return
        start = index * SIZES[unit]
        self._span(area, start, len(data))[start : start + len(data)] = data

    # -- the protocol ----------------------------------------------------------------------------------------

    def instruction(self, body: bytes, *, sound: bool) -> tuple[int, int, bytes]:
        """Serve one instruction; return answer command, type and what follows the reserved field."""
        command, kind, _, blocks = struct.unpack_from("<HHHH", body)
        if not sound:
            raise NakError(0x77)
        if self.wrong.get("code"):
            raise NakError(self.wrong["code"][0])
        if command not in {0x54, 0x58}:
            raise NakError(0x78)
        if kind not in TYPES and (kind != 0x14 or self.options.no_continuous):
            raise NakError(0x02)
        if (kind == 0x14 and blocks != 1) or not 1 <= blocks <= self.options.max_blocks:
            raise NakError(0x01)
        at, names = 8, []
        for _ in range(blocks):
            (length,) = struct.unpack_from("<H", body, at)
            text = body[at + 2 : at + 2 + length]
            at += 2 + length
            match = NAME.fullmatch(text)
            if match is None or length > 16:
                raise NakError(0x16)
            names.append((match[1].decode(), match[2].decode(), int(match[3])))
        serve = self._read if command == 0x54 else self._write
        return command + 1, kind, serve(kind, names, body, at)

    def _read(self, kind: int, names: list[tuple[str, str, int]], body: bytes, at: int) -> bytes:
        if kind == 0x14:
            (count,) = struct.unpack_from("<H", body, at)
            ((area, unit, index),) = names
            if unit != "B" or at + 2 != len(body):
                raise NakError(0x02)
            if not 1 <= count <= self.options.max_bytes:
                raise NakError(0x05)
            memory = self._span(area, index, count)
            return struct.pack("<HHH", 0, 1, count) + memory[index : index + count]
        parts = [struct.pack("<HH", 0, len(names))]
        for area, unit, index in names:
            if unit != TYPES[kind]:
                raise NakError(0x02)
            data = self.read(area, unit, index)
            parts.append(struct.pack("<H", len(data)) + data)
        return b"".join(parts)

    def _write(self, kind: int, names: list[tuple[str, str, int]], body: bytes, at: int) -> bytes:
        self.writes += 1
        for area, unit, index in names:
            if kind != 0x14 and unit != TYPES[kind]:
                raise NakError(0x02)
            (size,) = struct.unpack_from("<H", body, at)
            self.write(area, unit, index, body[at + 2 : at + 2 + size])
            at += 2 + size
        return struct.pack("<HH", 0, len(names))

    def answer(self, head: tuple[Any, ...], body: bytes, checksum: int) -> bytes:
        """Return the frame that answers a request."""
        _, _, _, _, invoke, _, position, bcc = head
        self.requests += 1
        code = 0
        try:
            command, kind, data = self.instruction(body, sound=bcc in {0, checksum})
        except NakError as refusal:
            code = refusal.code
            command, kind = struct.unpack_from("<HH", body)
            width = (self.wrong.get("code") or (0, self.options.code_bytes))[1]
            command, data = command + 1, struct.pack("<H", 0xFFFF) + refusal.code.to_bytes(width, "little")
        except struct.error:
            command, kind, code, data = 0x55, 0, 0x76, struct.pack("<HH", 0xFFFF, 0x76)
        if self.options.log:
            asked = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == 0x14 else 0
            with self.options.log.open("a", encoding="ascii") as log:
                log.write(f"{command - 1:04x} {kind:04x} {code:04x} {asked} {' '.join(names_of(body))}\n")
        return self._frame(head, command, kind, bytes(data), invoke, position)

    def _frame(
        self, head: tuple[Any, ...], command: int, kind: int, data: bytes, invoke: int, position: int
    ) -> bytes:
        wrong = {name: value[0] for name, value in self.wrong.items() if name != "code"}
        if "blocks" in wrong:
            data = data[:2] + struct.pack("<H", wrong["blocks"]) + data[4:]
        if "size" in wrong:
            data = data[:4] + struct.pack("<H", wrong["size"]) + data[6:]
        data += bytes(wrong.get("extra", 0))
        body = struct.pack("<HHH", wrong.get("command", command), wrong.get("type", kind), 0) + data
        info = self.options.type | self.fault << 7 | self.state << 8
        company = b"XXXXXXXXXX" if "company" in wrong else head[0]
        header = HEAD.pack(
            company, info, int(self.options.cpu, 16), wrong.get("source", 0x11),
            (invoke + wrong.get("invoke", 0)) & 0xFFFF, wrong.get("length", len(body)), position, 0,
        )  # fmt: skip
        return header[:-1] + bytes([sum(header) & 0xFF]) + body

    # -- connections -----------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self.open) >= self.options.connections:
            writer.close()
            return
        self.open.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    raw = await reader.readexactly(HEAD.size)
                    head = HEAD.unpack(raw)
                    if head[0] not in COMPANIES or head[3] != 0x33:
                        break
                    body = await reader.readexactly(head[5])
                    await self._respond(writer, self.answer(head, body, sum(raw[:-1]) & 0xFF))
        finally:
            self.open.discard(writer)
            writer.close()

    async def _respond(self, writer: asyncio.StreamWriter, whole: bytes) -> None:
        if delay := self.wrong.get("delay", [self.options.delay])[0]:
            await asyncio.sleep(delay / 1000)
        if "silent" in self.wrong:
            return
        if "garbage" in self.wrong:
            whole = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        if "half" in self.wrong:
            whole = whole[: len(whole) // 2]
        if "join" in self.wrong:
            whole, self.held = whole + self.held, whole
        step = self.wrong.get("split", [len(whole)])[0]
        for start in range(0, len(whole), step):
            writer.write(whole[start : start + step])
            await writer.drain()
            await asyncio.sleep(0)

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(self.order(line.decode().split()).encode() + b"\n")
            await writer.drain()
        writer.close()

    def order(self, words: list[str]) -> str:  # noqa: C901, PLR0912 - a table
        match words:
            case ["state", state]:
                self.state = int(state)
            case ["fault", fault]:
                self.fault = int(fault)
            case ["set", area, start, data]:
                memory = bytes.fromhex(data)
                self.memory[area][int(start) : int(start) + len(memory)] = memory
            case ["get", area, start, count]:
                return self.memory[area][int(start) : int(start) + int(count)].hex()
            case ["illegal", area, first, last]:
                self.illegal |= {(area, byte) for byte in range(int(first), int(last) + 1)}
            case ["legal"]:
                self.illegal.clear()
            case ["end", area, size]:
                del self.memory[area][int(size) :]
            case ["right"]:
                self.wrong.clear()
                self.held = b""
            case ["max-bytes", count]:
                self.options.max_bytes = int(count)
            case ["drop"]:
                for writer in list(self.open):
                    writer.close()
            case ["counts"]:
                return f"{self.requests} {self.writes} {len(self.open)}"
            case [name, *numbers]:
                self.wrong[name] = [int(number) for number in numbers] or [1]
        return "ok"


async def run(options: argparse.Namespace) -> None:
    """Serve until killed."""
    plc = Plc(options)
    control = await asyncio.start_server(plc.control, "127.0.0.1", options.control)
    server = await asyncio.start_server(plc.serve, "127.0.0.1", options.port)
    async with control, server:
        await asyncio.gather(control.serve_forever(), server.serve_forever())


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--cpu", default="A0", help="CPU info, hexadecimal")
    parser.add_argument("--type", type=int, default=1, help="CPU type")
    parser.add_argument("--state", type=int, default=1)
    parser.add_argument("--words", type=int, default=32768, help="of each area")
    parser.add_argument("--without", nargs="*", default=[], help="areas that are not served")
    parser.add_argument("--max-bytes", type=int, default=1400)
    parser.add_argument("--max-blocks", type=int, default=16)
    parser.add_argument("--no-continuous", action="store_true")
    parser.add_argument("--code-bytes", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--delay", type=int, default=0, help="milliseconds")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
