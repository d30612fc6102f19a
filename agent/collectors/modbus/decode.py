"""Values from the bytes of a reply.

A register travels as two bytes, high byte first; how a device spreads a longer value over registers is
its own affair. The four orders in use are named by where the bytes of the value 0xAABBCCDD appear on the
wire: ABCD, CDAB (words swapped), BADC (bytes swapped in each word), DCBA (both). All of them, for 16, 32
and 64 bits alike, are two yes-or-no questions:

            bytes of each register swapped first?   then the value is
    ABCD                 no                          big-endian
    DCBA                 no                          little-endian
    BADC                 yes                         big-endian
    CDAB                 yes                         little-endian

So a reply is decoded by one `struct` pass per row of the table that occurs in it, compiled once per request
with padding for what nobody asked; tens of times faster than the client library's converter
(`benchmarks/modbus_decode.py`). Values that overlap, such as two bits of one word, share a field or take another
pass.

Text is one byte a character: the order only says whether the two characters of a register are swapped.
It ends at the first NUL; blanks that pad it are dropped. Pure.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.collectors.modbus.plan import Request
    from agent.frame import Value

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Encoding = Literal["ascii", "utf-8", "cp949"]

CODES = {
    DataType.INT16: "h",
    DataType.UINT16: "H",
    DataType.INT32: "i",
    DataType.UINT32: "I",
    DataType.INT64: "q",
    DataType.UINT64: "Q",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
}
"""The `struct` code of each number."""

_PASSES: dict[Order, tuple[bool, str]] = {
    "ABCD": (False, ">"),
    "DCBA": (False, "<"),
    "BADC": (True, ">"),
    "CDAB": (True, "<"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """How one value is made.

    Attributes:
        dtype: Type on the wire (a scaled integer becomes a float afterwards).
        order: Order of bytes and words.
        bit: For a bit of a register: 0 is the least significant.
        length: Of a string, in characters of one byte.
        encoding: Of a string.
        scale: Value times scale plus offset; None for neither.
        offset: Likewise.
    """

    dtype: DataType
    order: Order = "ABCD"
    bit: int | None = None
    length: int = 0
    encoding: Encoding = "ascii"
    scale: float | None = None
    offset: float | None = None

    @property
    def registers(self) -> int:
        """How many registers it takes; 1 for a coil as well, which is one address."""
        if self.dtype is DataType.STRING:
            return (self.length + 1) // 2
        if self.dtype is DataType.BOOL:
            return 1
        return struct.calcsize(CODES[self.dtype]) // 2

    @property
    def result(self) -> DataType:
        """The type of the decoded value."""
        scaled = self.scale is not None or self.offset is not None
        return DataType.FLOAT64 if scaled else self.dtype

    def field(self, position: int) -> _Field:
        """Return where and how `struct` finds it, `position` bytes into the data."""
        swapped, endian = _PASSES[self.order]
        if self.dtype is DataType.STRING:
            swapped, endian = self.order in {"BADC", "DCBA"}, ">"
            return _Field(swapped, endian, position, f"{self.registers * 2}s")
        code = "H" if self.dtype is DataType.BOOL else CODES[self.dtype]
        return _Field(swapped, endian, position, code)

    def conversion(self) -> Callable[[Any], Value] | None:
        """Return what is left to do after `struct`, or None."""
        if self.dtype is DataType.STRING:
            return partial(_text, length=self.length, encoding=self.encoding)
        if self.bit is not None:
            return partial(_bit, mask=1 << self.bit)
        if self.result is not self.dtype:
            scale, offset = 1.0 if self.scale is None else self.scale, self.offset or 0.0
            return lambda raw: raw * scale + offset
        return None


def compile_decoder(request: Request, kinds: Sequence[Kind]) -> Callable[[bytes], list[Value]]:
    """Return a function from the data bytes of a reply to one value per item of the request, in its order.

    It gives None for text that is not of its encoding, and expects exactly the bytes that were asked for.

    Args:
        request: What was asked.
        kinds: How to make each value; the request's items index it.
    """
    if request.span.table.bits:
        places = [(offset >> 3, 1 << (offset & 7)) for _, offset in request.items]
        return lambda data: [data[byte] & mask != 0 for byte, mask in places]

    wanted = [kinds[index].field(offset * 2) for index, offset in request.items]
    passes = _passes(wanted)
    unpackers = [(p[0].swapped, _struct(p, request.span.count * 2).unpack) for p in passes]
    places_of = {field: i for i, field in enumerate(field for p in passes for field in p)}
    picks = [places_of[field] for field in wanted]
    straight = picks == list(range(len(places_of)))
    conversions = [(i, c) for i, (index, _) in enumerate(request.items) if (c := kinds[index].conversion())]
    any_swapped = any(swapped for swapped, _ in unpackers)

    def decode(data: bytes) -> list[Value]:
        turned = swap_bytes(data) if any_swapped else data
        flat: list[Value] = []
        for swapped, unpack in unpackers:
            flat += unpack(turned if swapped else data)
        values = flat if straight else [flat[i] for i in picks]
        for i, convert in conversions:
            values[i] = convert(values[i])
        return values

    return decode


def swap_bytes(data: bytes) -> bytes:
    """Swap the two bytes of each register."""
    turned = bytearray(data)
    turned[0::2], turned[1::2] = data[1::2], data[0::2]
    return bytes(turned)


class _Field(NamedTuple):
    """A value in the bytes of a reply, as `struct` sees it."""

    swapped: bool
    endian: str
    position: int
    code: str

    @property
    def end(self) -> int:
        return self.position + struct.calcsize(f"={self.code}")


def _passes(wanted: Sequence[_Field]) -> list[list[_Field]]:
    """Spread fields over passes: one order in each, no overlap, ascending positions."""
    passes: list[list[_Field]] = []
    for field in sorted(set(wanted)):
        for chosen in passes:
            last = chosen[-1]
            if last[:2] == field[:2] and last.end <= field.position:
                chosen.append(field)
                break
        else:
            passes.append([field])
    return passes


def _struct(fields: Sequence[_Field], size: int) -> struct.Struct:
    """Compile one pass over `size` bytes."""
    parts, at = [fields[0].endian], 0
    for field in fields:
        parts += [f"{field.position - at}x", field.code]
        at = field.end
    return struct.Struct("".join([*parts, f"{size - at}x"]))


def _bit(word: int, mask: int) -> bool:
    return word & mask != 0


def _text(raw: bytes, length: int, encoding: Encoding) -> str | None:
    try:
        return raw[:length].split(b"\0", 1)[0].decode(encoding).rstrip(" ")
    except UnicodeDecodeError:
        return None
