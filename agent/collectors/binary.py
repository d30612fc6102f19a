"""Values from the bytes that a device sent, for every protocol that sends plain memory.

Positions count bytes. What the bytes of a longer value mean is the device's own affair; an order is named by where
the bytes of 0xAABBCCDD appear on the line: ABCD, CDAB (words swapped), BADC (bytes swapped in each word), DCBA
(both). For 16, 32 and 64 bits alike these are two yes-or-no questions:

            bytes of each word swapped first?       then the value is
    ABCD                 no                          big-endian
    DCBA                 no                          little-endian
    BADC                 yes                         big-endian
    CDAB                 yes                         little-endian

So a reply is decoded by one `struct` pass per row of the table that occurs in it, compiled once per request with
padding for what nobody asked; tens of times faster than a client library's converter
(`benchmarks/modbus_decode.py`). Values that overlap, such as two bits of one word, share a field or take another
pass. A word may begin at an odd byte: then the pairs to swap are those that begin at odd bytes.

64 bits have a third question, whether the two halves are swapped by themselves. In the table they are whenever the
words are: CDAB is GHEFCDAB in full, as the documents of other collectors that offer 64-bit orders mean it too. The
four that the table lacks are made by software that treats a 64-bit value as two of 32 bits; they are named in full
(`WIDE`), occur seldom and take a conversion of their own.

A decoder returns one item per value: the value, None where the bytes are none of that kind (text that is not of its
encoding, a BCD digit above 9, a 31st of June), or `Marked` with a status where it is not simply good. So plain
values pay nothing; `rated` makes value and status of each. Pure.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agent.collectors.convert import clamped, digits, field_of, scaled, text
from agent.collectors.moments import FORMATS, reader
from agent.frame import DataType, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.collectors.convert import Encoding
    from agent.collectors.moments import Format
    from agent.frame import Value

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Wide = Literal["CDABGHEF", "EFGHABCD", "DCBAHGFE", "FEHGBADC"]
AnyOrder = Literal["ABCD", "CDAB", "BADC", "DCBA", "CDABGHEF", "EFGHABCD", "DCBAHGFE", "FEHGBADC"]

WIDE: dict[Wide, tuple[int, ...]] = {
    "CDABGHEF": (2, 3, 0, 1, 6, 7, 4, 5),
    "EFGHABCD": (4, 5, 6, 7, 0, 1, 2, 3),
    "DCBAHGFE": (3, 2, 1, 0, 7, 6, 5, 4),
    "FEHGBADC": (5, 4, 7, 6, 1, 0, 3, 2),
}
"""Further orders of 64 bits: which byte of the big-endian value each byte on the line is. Each undoes itself."""

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

SIZES = {dtype: struct.calcsize(f"={code}") for dtype, code in CODES.items()}
"""Bytes of each number."""

_UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
_PASSES: dict[str, tuple[bool, str]] = {
    "ABCD": (False, ">"),
    "DCBA": (False, "<"),
    "BADC": (True, ">"),
    "CDAB": (True, "<"),
}


class Marked(NamedTuple):
    """A value whose status is not simply good."""

    value: Value
    status: int


def rated(found: Value | Marked) -> tuple[Value, int]:
    """Return value and status of what a decoder gave."""
    if found is None:
        return None, Status.BAD_DATA_ENCODING_INVALID
    if found.__class__ is Marked:
        return found
    return found, Status.GOOD  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one value is made.

    Attributes:
        dtype: Type of the value before scaling.
        order: Order of bytes and words. Of text and of times that are made of bytes it only says whether the two
            bytes of each word are swapped (BADC, DCBA).
        byte: The device holds it in one byte; of a bool, int16 or uint16.
        bit: Of a bool: which bit of the word (or byte), 0 is the least significant.
        bits: Of an integer: first and last bit of a field in it; a signed one takes its sign from the last.
        bcd: Of an unsigned integer: four bits a decimal digit.
        length: Of text, in bytes.
        encoding: Of text.
        moment: Of a timestamp: how it is written.
        zone: Of a timestamp in local time: time zone or offset such as `+09:00`.
        scale: Value times scale plus offset; None for neither.
        offset: Likewise.
        clamp: Limits; a value outside is cut to the limit and uncertain.
    """

    dtype: DataType
    order: AnyOrder = "ABCD"
    bit: int | None = None
    length: int = 0
    encoding: Encoding = "ascii"
    scale: float | None = None
    offset: float | None = None
    byte: bool = False
    bits: tuple[int, int] | None = None
    bcd: bool = False
    moment: Format | None = None
    zone: str = "UTC"
    clamp: tuple[float, float] | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes; 2 for a bool as well, unless it is in a byte."""
        if self.dtype is DataType.STRING:
            return self.length + (self.length & 1 if self._swaps_bytes else 0)
        if self.dtype is DataType.TIMESTAMP:
            return FORMATS[self._format].size
        if self.byte:
            return 1
        return SIZES.get(self.dtype, 2)

    @property
    def registers(self) -> int:
        """How many registers of two bytes it takes."""
        return (self.size + 1) // 2

    @property
    def result(self) -> DataType:
        """The type of the decoded value."""
        return DataType.FLOAT64 if self._scaled else self.dtype

    @property
    def _scaled(self) -> bool:
        return self.scale is not None or self.offset is not None

    @property
    def _swaps_bytes(self) -> bool:
        return self.order in {"BADC", "DCBA"}

    @property
    def _format(self) -> Format:
        assert self.moment is not None, "a timestamp needs its format"
        return self.moment

    def _code(self) -> str:
        """Return the `struct` code of what stands in the device."""
        if self.dtype is DataType.STRING:
            return f"{self.size}s"
        if self.dtype is DataType.TIMESTAMP:
            return FORMATS[self._format].code
        if self.dtype is DataType.BOOL or self.bcd or self.bits is not None:
            return _UNSIGNED[self.size]
        if self.byte:
            return "b" if self.dtype is DataType.INT16 else "B"
        return CODES[self.dtype]

    def field(self, position: int) -> Field:
        """Return where and how `struct` finds it, `position` bytes into the data."""
        code = self._code()
        if self.order in WIDE:
            return Field(0, ">", position, "8s")
        swapped, endian = _PASSES[self.order]
        if code[-1] == "s":
            swapped, endian = self._swaps_bytes, ">"
        if self.byte:
            swapped, endian = False, ">"
        return Field((1 + (position & 1)) * swapped, endian, position, code)

    def conversion(self) -> Callable[[Any], Value | Marked] | None:
        """Return what is left to do after `struct`, or None."""
        steps: list[Callable[[Any], Any]] = []
        if self.order in WIDE:
            steps.append(partial(_wide, places=WIDE[self.order], code=self._code()))
        if self.dtype is DataType.STRING:
            steps.append(partial(text, length=self.length, encoding=self.encoding))
        elif self.dtype is DataType.TIMESTAMP:
            steps.append(reader(self._format, self.zone))
        elif self.dtype is DataType.BOOL:
            assert self.bit is not None, "a bool needs its bit"
            steps.append(partial(_bit, mask=1 << self.bit))
        elif self.bits is not None:
            signed = self.dtype in {DataType.INT16, DataType.INT32, DataType.INT64}
            steps.append(field_of(*self.bits, signed=signed))
        elif self.bcd:
            steps.append(digits)
        if self._scaled:
            whole = self.dtype not in {DataType.FLOAT32, DataType.FLOAT64}
            steps.append(scaled(1.0 if self.scale is None else self.scale, self.offset or 0.0, whole=whole))
        if self.clamp is not None:
            whole = self.result not in {DataType.FLOAT32, DataType.FLOAT64}
            steps.append(clamped(*self.clamp, mark=Marked, whole=whole))
        if len(steps) < 2:
            return steps[0] if steps else None
        return partial(_one_after_the_other, steps=tuple(steps))


def compile_decoder(
    items: Sequence[tuple[int, int]], size: int, kinds: Sequence[Kind]
) -> Callable[[bytes], list[Value | Marked]]:
    """Return a function from the bytes of a reply to one item per value, in the order of `items`.

    Args:
        items: For each value the index of its kind, and its position in bytes.
        size: Of a reply, in bytes; the function expects exactly so many.
        kinds: How to make each value.
    """
    wanted = [kinds[index].field(position) for index, position in items]
    passes = spread(wanted)
    unpackers = [(p[0].turn, _struct(p, size).unpack) for p in passes]
    places_of = {field: i for i, field in enumerate(field for p in passes for field in p)}
    picks = [places_of[field] for field in wanted]
    straight = picks == list(range(len(places_of)))
    conversions = [(i, c) for i, (index, _) in enumerate(items) if (c := kinds[index].conversion())]
    turns = {turn for turn, _ in unpackers}

    if len(unpackers) == 1 and straight and not conversions:  # the usual request: numbers of one order
        ((turn, unpack),) = unpackers
        if not turn:
            return lambda data: [*unpack(data)]
        return lambda data: [*unpack(swap_bytes(data, turn - 1))]

    def decode(data: bytes) -> list[Value | Marked]:
        turned = [data, swap_bytes(data) if 1 in turns else data, swap_bytes(data, 1) if 2 in turns else data]
        flat: list[Value | Marked] = []
        for turn, unpack in unpackers:
            flat += unpack(turned[turn])
        values = flat if straight else [flat[i] for i in picks]
        for i, convert in conversions:
            values[i] = convert(values[i])
        return values

    return decode


def swap_bytes(data: bytes, first: int = 0) -> bytes:
    """Swap the two bytes of each pair, of which the first begins at `first`; a byte left over stays."""
    turned = bytearray(data)
    end = first + (len(data) - first) // 2 * 2
    turned[first:end:2], turned[first + 1 : end : 2] = data[first + 1 : end : 2], data[first:end:2]
    return bytes(turned)


class Field(NamedTuple):
    """A value in the bytes of a reply, as `struct` sees it.

    Attributes:
        turn: 0 reads the bytes as they came, 1 with pairs swapped from byte 0 on, 2 from byte 1 on.
        endian: `>` or `<`.
        position: Its first byte.
        code: Of `struct`.
    """

    turn: int
    endian: str
    position: int
    code: str

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.position + struct.calcsize(f"={self.code}")


def spread(wanted: Sequence[Field]) -> list[list[Field]]:
    """Spread fields over passes: one order in each, no overlap, ascending positions."""
    passes: list[list[Field]] = []
    for field in sorted(set(wanted)):
        for chosen in passes:
            last = chosen[-1]
            if last[:2] == field[:2] and last.end <= field.position:
                chosen.append(field)
                break
        else:
            passes.append([field])
    return passes


def _struct(fields: Sequence[Field], size: int) -> struct.Struct:
    """Compile one pass over `size` bytes."""
    parts, at = [fields[0].endian], 0
    for field in fields:
        parts += [f"{field.position - at}x", field.code]
        at = field.end
    return struct.Struct("".join([*parts, f"{size - at}x"]))


def _one_after_the_other(raw: Any, steps: tuple[Callable[[Any], Any], ...]) -> Value | Marked:
    found = raw
    for step in steps:
        if found is None:
            return None
        found = step(found)
    return found  # type: ignore[no-any-return]


def _wide(raw: bytes, places: tuple[int, ...], code: str) -> Any:
    return struct.unpack(f">{code}", bytes(raw[i] for i in places))[0]


def _bit(word: int, mask: int) -> bool:
    return word & mask != 0
