"""Decoding against an independent reference: the definition of each order, byte by byte."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.modbus.decode import CODES, Kind, Order, _passes, compile_decoder, swap_bytes
from agent.collectors.modbus.plan import Limits, Span, Table, plan
from agent.frame import DataType, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDERS: tuple[Order, ...] = get_args(Order)
NUMBERS = tuple(CODES)

EXTREMES: dict[DataType, list[int | float]] = {
    DataType.INT16: [0, 1, -1, -32768, 32767, 0x1234],
    DataType.UINT16: [0, 1, 65535, 0x1234],
    DataType.INT32: [0, -1, -(2**31), 2**31 - 1, 0x12345678],
    DataType.UINT32: [0, 2**32 - 1, 0x12345678],
    DataType.INT64: [0, -1, -(2**63), 2**63 - 1, 0x123456789ABCDEF0],
    DataType.UINT64: [0, 2**64 - 1, 0x123456789ABCDEF0],
    DataType.FLOAT32: [0.0, -1.5, 3.4028234663852886e38, 1.401298464324817e-45, math.inf, math.nan],
    DataType.FLOAT64: [0.0, -1.5, 1.7976931348623157e308, 5e-324, -math.inf, math.nan],
}


def on_the_wire(value: float, dtype: DataType, order: Order) -> bytes:
    """Encode by the definition: cut into words high word first, then move words and bytes as the name says."""
    big = struct.pack(">" + CODES[dtype], value)
    words = [big[i : i + 2] for i in range(0, len(big), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return b"".join(words)


def decoded(kinds: Sequence[Kind], starts: Sequence[int], data: bytes, table: Table = Table.HOLDING) -> list[Value]:
    """Decode values that lie in one request that begins at address 0."""
    spans = [Span(table, start, kind.registers) for start, kind in zip(starts, kinds, strict=True)]
    (request,) = plan(spans, Limits(gap=124))
    assert request.span.start == 0
    values: list[Value] = [None] * len(kinds)
    body = data[: request.span.count * 2] if not table.bits else data[: (request.span.count + 7) // 8]
    for (index, _), value in zip(request.items, compile_decoder(request, kinds)(body), strict=True):
        values[index] = value
    return values


def same(a: Value, b: Value) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", NUMBERS)
def test_every_number_in_every_order(dtype: DataType, order: Order) -> None:
    for value in EXTREMES[dtype]:
        (got,) = decoded([Kind(dtype, order)], [0], on_the_wire(value, dtype, order))
        assert same(got, value), (dtype, order, value, got)


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "AABBCCDD"), ("CDAB", "CCDDAABB"), ("BADC", "BBAADDCC"), ("DCBA", "DDCCBBAA")],
)
def test_the_orders_mean_what_their_names_say(order: Order, wire: str) -> None:
    assert decoded([Kind(DataType.UINT32, order)], [0], bytes.fromhex(wire)) == [0xAABBCCDD]


def test_the_orders_of_64_bits_move_words_and_bytes_likewise() -> None:
    for order, wire in {
        "ABCD": "1122334455667788",
        "CDAB": "7788556633441122",
        "BADC": "2211443366558877",
        "DCBA": "8877665544332211",
    }.items():
        assert decoded([Kind(DataType.UINT64, order)], [0], bytes.fromhex(wire)) == [0x1122334455667788]  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ORDERS)
def test_each_bit_of_a_word_in_every_order(order: Order) -> None:
    for bit in range(16):
        data = on_the_wire(1 << bit, DataType.UINT16, order)
        kinds = [Kind(DataType.BOOL, order, bit=b) for b in range(16)]
        assert decoded(kinds, [0] * 16, data) == [b == bit for b in range(16)]


@given(st.data())
def test_values_of_all_kinds_mixed_in_one_request_overlapping_or_not(data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=250, max_size=250))
    kinds, starts = [Kind(DataType.UINT16)], [0]
    for _ in range(data.draw(st.integers(1, 40))):
        order = data.draw(st.sampled_from(ORDERS))
        dtype = data.draw(st.sampled_from([*NUMBERS, DataType.BOOL]))
        kind = Kind(dtype, order, bit=data.draw(st.integers(0, 15)) if dtype is DataType.BOOL else None)
        kinds.append(kind)
        starts.append(data.draw(st.integers(0, 125 - kind.registers)))
    for kind, start, got in zip(kinds, starts, decoded(kinds, starts, raw), strict=True):
        piece = raw[start * 2 : (start + kind.registers) * 2]
        if kind.dtype is DataType.BOOL:
            assert kind.bit is not None
            (word,) = (w for w in [piece if kind.order in {"ABCD", "CDAB"} else piece[::-1]])
            assert got is bool(int.from_bytes(word) >> kind.bit & 1)
            continue
        assert isinstance(got, int | float)
        if not math.isnan(got):  # NaN has many bit patterns
            assert on_the_wire(got, kind.dtype, kind.order) == piece


def test_values_side_by_side_share_one_pass_and_overlapping_ones_take_another() -> None:
    floats = [Kind(DataType.FLOAT32).field(4 * i) for i in range(62)]
    assert _passes(floats) == [floats]
    assert len(_passes([*floats, Kind(DataType.FLOAT64).field(0)])) == 2
    assert len(_passes([*floats, Kind(DataType.FLOAT32, "CDAB").field(300)])) == 2


def test_coils_come_least_significant_bit_first() -> None:
    kinds = [Kind(DataType.BOOL)] * 10
    assert decoded(kinds, list(range(10)), b"\xcd\x01", Table.COIL) == [
        True, False, True, True, False, False, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "length", "order", "encoding", "expected"),
    [
        (b"AB-12345", 8, "ABCD", "ascii", "AB-12345"),
        (b"AB-12345", 5, "ABCD", "ascii", "AB-12"),
        (b"AB-1\0\0xx", 8, "ABCD", "ascii", "AB-1"),
        (b"AB-1    ", 8, "ABCD", "ascii", "AB-1"),
        (b"\0\0\0\0\0\0\0\0", 8, "ABCD", "ascii", ""),
        (b"BA1-3254", 8, "BADC", "ascii", "AB-12345"),
        (b"BA1-3254", 8, "DCBA", "ascii", "AB-12345"),
        (b"AB-12345", 8, "CDAB", "ascii", "AB-12345"),
        ("프레스".encode("cp949") + b"\0\0", 8, "ABCD", "cp949", "프레스"),
        ("프레스".encode("cp949") + b"\0\0", 8, "ABCD", "ascii", None),
        ("가나".encode() + b"\0\0", 8, "ABCD", "utf-8", "가나"),
        (b"\xff\xfe\0\0\0\0\0\0", 8, "ABCD", "utf-8", None),
    ],
)
def test_text(data: bytes, length: int, order: Order, encoding: str, expected: str | None) -> None:
    kind = Kind(DataType.STRING, order, length=length, encoding=encoding)  # type: ignore[arg-type]
    assert decoded([kind], [0], data) == [expected]


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (Kind(DataType.INT16, scale=0.1), -5, -0.5),
        (Kind(DataType.UINT16, scale=0.5, offset=-40.0), 100, 10.0),
        (Kind(DataType.UINT16, offset=0.0), 7, 7.0),
        (Kind(DataType.INT16, scale=2.0, offset=1.0), -3, -5.0),
        (Kind(DataType.FLOAT32, scale=10.0), 1.5, 15.0),
    ],
)
def test_scaled_values_are_floats(kind: Kind, raw: float, expected: float) -> None:
    (got,) = decoded([kind], [0], on_the_wire(raw, kind.dtype, "ABCD"))
    assert kind.result is DataType.FLOAT64
    assert isinstance(got, float)
    assert got == pytest.approx(expected)


@given(st.binary(max_size=250).filter(lambda b: len(b) % 2 == 0))
def test_swapping_bytes_twice_changes_nothing(data: bytes) -> None:
    assert swap_bytes(swap_bytes(data)) == data
    assert len(data) < 2 or swap_bytes(data)[:2] == data[1::-1]
