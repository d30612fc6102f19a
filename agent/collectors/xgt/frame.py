"""The frames of LS ELECTRIC's dedicated protocol over Ethernet (XGT FEnet, TCP 2004): bytes out, bytes in.

    20 bytes header | command 2 | data type 2 | reserved 2 | ... (all numbers little-endian)

    header    company id 10 | PLC info 2 | CPU info 1 | source 1 | invoke id 2 | length 2 | position 1 | BCC 1
    request   0054h | type | 0 | blocks | per block: name length 2, name; a continuous read ends with 2: byte count
    answer    0055h | type | 0 | error status 0 | blocks | per block: size 2, data
    refusal   0055h | type | 0 | error status not 0 | error code, one byte or two

Sources: XGL-EFMF manual 7-2, 7-3; XGL-EFMTB manual pages 142-147 and 180; XBL-EMTA manual 5.2. They differ in two
things, so both forms are taken: the error code has one byte (XGL-EFMTB page 147) or two (page 180), and the BCC is
"reserved, 0" or the low byte of the sum of the 19 bytes before it. An answer's BCC is not a reason to refuse it:
TCP has checked the bytes, no source says which modules fill it, and what matters is compared: company id,
direction, invoke id, command, type, number of blocks and the size of each.

There is no way to write: the command is a constant, not a parameter.

Pure, no input or output: `Reader` is fed with whatever a socket gives.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Literal

from agent.errors import WireError

HEADER = struct.Struct("<10sHBBHHBB")
COMPANIES: dict[Company, bytes] = {"LSIS-XGT": b"LSIS-XGT\0\0", "LGIS-GLOFA": b"LGIS-GLOFA"}
CPUS = {0xA0: "XGK", 0xA4: "XGI", 0xA8: "XGR", 0xB0: "XGB (MK)", 0xB4: "XGB (IEC)"}
"""CPU info of the header: the series."""
CPU_TYPES = {
    ("XGK", 1): "XGK-CPUH", ("XGK", 2): "XGK-CPUS", ("XGK", 3): "XGK-CPUA", ("XGK", 4): "XGK-CPUE",
    ("XGK", 5): "XGK-CPUU", ("XGK", 0x11): "XGK-CPUHN", ("XGK", 0x12): "XGK-CPUSN", ("XGI", 1): "XGI-CPUH",
    ("XGI", 2): "XGI-CPUS", ("XGI", 4): "XGI-CPUE", ("XGI", 5): "XGI-CPUU", ("XGI", 0x15): "XGI-CPUUN",
    ("XGR", 1): "XGR-CPUH",
}  # fmt: skip
"""CPU types by series and the low six bits of the PLC info (XGL-EFMF manual 7-2)."""
STATES = {1: "RUN", 2: "STOP", 4: "ERROR", 8: "DEBUG"}

Company = Literal["LSIS-XGT", "LGIS-GLOFA"]

MOST_BLOCKS = 16
"""Variables of an individual read."""
MOST_NAME = 16
"""Characters of a variable's name."""
MOST_CONTINUOUS = 1400
"""Bytes of a continuous read, on the largest modules."""
MOST_LENGTH = 4096
"""A header that announces more is none: the longest answer to what we ask has 1412 bytes."""

_READ, _READ_ANSWER = 0x0054, 0x0055
_CLIENT, _SERVER = 0x33, 0x11
_CONTINUOUS = 0x14


class Width(enum.IntEnum):
    """Data type of an individual read; the letter in the variable's name."""

    X = 0
    B = 1
    W = 2
    D = 3
    L = 4

    @property
    def size(self) -> int:
        """Bytes of one value; a bit takes a whole one."""
        return (1, 1, 2, 4, 8)[self]


@dataclass(frozen=True, slots=True)
class Continuous:
    """Bytes `start` to `start + count - 1` of a memory area."""

    area: str
    start: int
    count: int

    @property
    def name(self) -> str:
        """The first byte's name."""
        return f"%{self.area}B{self.start}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bytes of each block of the answer."""
        return (self.count,)

    @property
    def type(self) -> int:
        """Data type on the wire."""
        return _CONTINUOUS

    def __str__(self) -> str:
        return f"{self.name}, {self.count} bytes"


@dataclass(frozen=True, slots=True)
class Individual:
    """Up to 16 variables of one width, by index in units of that width."""

    width: Width
    places: tuple[tuple[str, int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names."""
        return tuple(f"%{area}{self.width.name}{index}" for area, index in self.places)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bytes of each block of the answer."""
        return (self.width.size,) * len(self.places)

    @property
    def type(self) -> int:
        """Data type on the wire."""
        return int(self.width)

    def __str__(self) -> str:
        return ", ".join(self.names)


Ask = Continuous | Individual


@dataclass(frozen=True, slots=True)
class Station:
    """What stands in the header of every request.

    Attributes:
        company: Company id; old GM and MK modules know only the second one.
        cpu: CPU info.
        base: Base number of the Ethernet module.
        slot: Its slot.
    """

    company: Company = "LSIS-XGT"
    cpu: int = 0xA0
    base: int = 0
    slot: int = 0


def request(ask: Ask, invoke: int, station: Station) -> bytes:
    """Return the frame that asks.

    Args:
        ask: What to read; at most 16 variables or 1400 bytes.
        invoke: 0 to 65535, comes back in the answer.
        station: Of the header.
    """
    names = (ask.name,) if isinstance(ask, Continuous) else ask.names
    assert 1 <= len(names) <= MOST_BLOCKS
    assert all(1 <= size <= MOST_CONTINUOUS for size in ask.sizes)
    parts = [struct.pack("<HHHH", _READ, ask.type, 0, len(names))]
    for name in names:
        assert len(name) <= MOST_NAME
        parts.append(struct.pack("<H", len(name)) + name.encode("ascii"))
    if isinstance(ask, Continuous):
        parts.append(struct.pack("<H", ask.count))
    body = b"".join(parts)
    position = station.base << 4 | station.slot
    company = COMPANIES[station.company]
    header = HEADER.pack(company, 0, station.cpu, _CLIENT, invoke, len(body), position, 0)
    return header[:-1] + bytes([sum(header) & 0xFF]) + body


@dataclass(frozen=True, slots=True)
class PlcInfo:
    """What the header of every answer says about the PLC.

    Attributes:
        raw: PLC info.
        cpu: CPU info: the series.
        company: Company id.
        position: Base and slot of the module, as it says.
    """

    raw: int
    cpu: int
    company: str
    position: int

    @property
    def state(self) -> int | None:
        """1 RUN, 2 STOP, 4 ERROR, 8 DEBUG; None when it does not say."""
        return self.raw >> 8 & 0x1F or None

    @property
    def error(self) -> bool:
        """Whether the CPU reports an error."""
        return bool(self.raw & 0x80)

    @property
    def slave(self) -> bool:
        """Whether this CPU of a redundant pair is the standby one."""
        return bool(self.raw & 0x40)

    @property
    def series(self) -> str:
        """Series, or the number for one that the manuals do not list."""
        return CPUS.get(self.cpu, f"{self.cpu:02X}h")

    @property
    def cpu_type(self) -> str:
        """CPU type, or series and number."""
        number = self.raw & 0x3F
        return CPU_TYPES.get((self.series, number), f"{self.series} type {number:02X}h")


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame from the PLC."""

    info: PlcInfo
    invoke: int
    body: bytes
    raw: bytes


class Reader:
    """Cuts a stream of bytes into frames, wherever TCP has cut it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes that came."""
        self._buffer += data

    def next(self) -> Frame | None:
        """Return the next whole frame, or None when more bytes are needed.

        Raises:
            WireError: this is no XGT server, or the stream is out of step; it cannot be read any further.
        """
        buffer = self._buffer
        head = bytes(buffer[:10])
        if not any(company.startswith(head) for company in COMPANIES.values()):
            raise WireError(f"no XGT frame: {bytes(buffer[:20]).hex(' ')}")
        if len(buffer) < HEADER.size:
            return None
        company, plc, cpu, source, invoke, length, position, _ = HEADER.unpack_from(buffer)
        if source != _SERVER:
            raise WireError(
                "our own request came back" if source == _CLIENT else f"{source:02X}h as the source of an answer"
            )
        if not 9 <= length <= MOST_LENGTH:
            raise WireError(f"a length of {length} bytes in the header")
        end = HEADER.size + length
        if len(buffer) < end:
            return None
        raw = bytes(buffer[:end])
        del buffer[:end]
        info = PlcInfo(plc, cpu, company.rstrip(b"\0").decode("ascii"), position)
        return Frame(info, invoke, raw[HEADER.size :], raw)

    @property
    def rest(self) -> int:
        """Bytes that wait for the remainder of their frame."""
        return len(self._buffer)


@dataclass(frozen=True, slots=True)
class Reply:
    """The data of each block asked for."""

    info: PlcInfo
    blocks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The PLC's answer when it will not serve a request.

    Attributes:
        info: Of the PLC.
        code: Error code; `refusal.explain` knows what it means.
        raw: Bytes 26 to 29 of the frame (as many as there are): error status and code.
    """

    info: PlcInfo
    code: int
    raw: bytes


def answer(frame: Frame, ask: Ask, invoke: int) -> Reply | Refusal:
    """Return what a frame says to a request.

    Raises:
        WireError: it answers something else, or is cut or longer than it says.
    """
    body = frame.body
    if frame.invoke != invoke:
        raise WireError(f"invoke id {frame.invoke} where {invoke} was sent: an answer to another request")
    command, kind, _, status = struct.unpack_from("<HHHH", body)
    if command != _READ_ANSWER:
        raise WireError(f"command {command:04X}h in the answer to a read")
    if status:
        code = int.from_bytes(body[8:10], "little")
        return Refusal(frame.info, code, body[6:10])
    if kind != ask.type:
        raise WireError(f"data type {kind:04X}h where {ask.type:04X}h was asked for")
    sizes = ask.sizes
    blocks: list[bytes] = []
    if len(body) < 10 or (count := int.from_bytes(body[8:10], "little")) != len(sizes):
        raise WireError(f"{count if len(body) >= 10 else 'no'} blocks where {len(sizes)} were asked for")
    at = 10
    for size in sizes:
        told = int.from_bytes(body[at : at + 2], "little")
        if len(body) < at + 2 + size or told != size:
            raise WireError(f"a block of {told} bytes where {size} were asked for")
        blocks.append(body[at + 2 : at + 2 + size])
        at += 2 + size
    if at != len(body):
        raise WireError(f"{len(body) - at} bytes after the last block")
    return Reply(frame.info, tuple(blocks))
