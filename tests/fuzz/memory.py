"""Values from memory: `agent.collectors.binary` against plain integer arithmetic."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from agent.collectors.binary import WIDE, Kind, compile_decoder, rated
from agent.frame import DataType
from tests.fuzz.supply import Supply
from tests.fuzz.target import Target

if TYPE_CHECKING:
    from agent.collectors.binary import AnyOrder
    from agent.frame import Value

NUMBERS = {
    DataType.INT16: 2, DataType.UINT16: 2, DataType.INT32: 4, DataType.UINT32: 4, DataType.INT64: 8,
    DataType.UINT64: 8, DataType.FLOAT32: 4, DataType.FLOAT64: 8,
}  # fmt: skip
SHORT: tuple[AnyOrder, ...] = ("ABCD", "CDAB", "BADC", "DCBA")


def big_endian(raw: bytes, order: AnyOrder) -> bytes:
    """Put bytes from the line into big-endian order, by the letters of the order's name."""
    letters = "ABCDEFGH"[: len(raw)]
    if order in WIDE:
        name = str(order)
    elif order == "ABCD":
        name = letters
    elif order == "DCBA":
        name = letters[::-1]
    elif order == "BADC":
        name = "".join(letters[i + 1] + letters[i] for i in range(0, len(letters), 2))
    else:
        pairs = [letters[i : i + 2] for i in range(0, len(letters), 2)]
        name = "".join(reversed(pairs))
    return bytes(raw[name.index(letter)] for letter in letters)


def reference(raw: bytes, kind: Kind) -> Value:
    """Decode one value without `struct` tables: one byte after the other."""
    whole = big_endian(raw, kind.order)
    if kind.dtype in {DataType.FLOAT32, DataType.FLOAT64}:
        return float(struct.unpack(">f" if len(whole) == 4 else ">d", whole)[0])
    number = 0
    for byte in whole:
        number = number * 256 + byte
    if kind.dtype is DataType.BOOL:
        assert kind.bit is not None
        return bool(number // 2**kind.bit % 2)
    if kind.bcd:
        text = f"{number:x}"
        return int(text) if text.isdecimal() else None
    size = len(whole) * 8
    signed = kind.dtype in {DataType.INT16, DataType.INT32, DataType.INT64}
    if kind.bits is not None:
        low, high = kind.bits
        size = high - low + 1
        number = number // 2**low % 2**size
    return number - 2**size if signed and number >= 2 ** (size - 1) else number


def kind_of(supply: Supply) -> Kind:
    """Return a kind of value that the configuration could ask for."""
    if supply.number(0, 7) == 0:
        return Kind(DataType.BOOL, order=supply.choice(SHORT), bit=supply.number(0, 15))
    dtype = supply.choice(tuple(NUMBERS))
    orders: tuple[AnyOrder, ...] = (*SHORT, *WIDE) if NUMBERS[dtype] == 8 else SHORT
    order = supply.choice(orders)
    if dtype in {DataType.FLOAT32, DataType.FLOAT64}:
        return Kind(dtype, order=order)
    special = supply.number(0, 3)
    if special == 1 and dtype in {DataType.UINT16, DataType.UINT32, DataType.UINT64}:
        return Kind(dtype, order=order, bcd=True)
    if special == 2:
        low = supply.number(0, NUMBERS[dtype] * 8 - 1)
        return Kind(dtype, order=order, bits=(low, supply.number(low, NUMBERS[dtype] * 8 - 1)))
    return Kind(dtype, order=order)


def run(data: bytes) -> None:
    """Decode several values that may overlap, and compare each with the reference."""
    supply = Supply(data)
    kinds = [kind_of(supply) for _ in range(supply.number(1, 12))]
    size = supply.number(8, 250)
    items = [(i, supply.number(0, size - kind.size)) for i, kind in enumerate(kinds)]
    raw = supply.take(size)
    found = compile_decoder(items, size, kinds)(raw)
    assert len(found) == len(items)
    for item, (index, position) in zip(found, items, strict=True):
        kind = kinds[index]
        value, _ = rated(item)
        wanted = reference(raw[position : position + kind.size], kind)
        same = value == wanted or (
            isinstance(value, float) and isinstance(wanted, float) and math.isnan(value) and math.isnan(wanted)
        )
        assert same, (kind, raw[position : position + kind.size].hex(), value, wanted)
        assert type(value) is type(wanted)


TARGET = Target(run, ("agent.collectors.binary", "agent.collectors.convert"))
