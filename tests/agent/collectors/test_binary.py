"""The decoder against independent references: each order's definition byte by byte, and pymodbus's converter."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from agent.collectors.binary import (
    CODES,
    WIDE,
    Kind,
    Marked,
    Order,
    Wide,
    compile_decoder,
    rated,
    spread,
    swap_bytes,
)
from agent.collectors.convert import TOO_HIGH, TOO_LOW
from agent.frame import DataType, Quality, Status, Value, quality

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDERS: tuple[Order, ...] = get_args(Order)
WIDES: tuple[Wide, ...] = get_args(Wide)
NUMBERS = tuple(CODES)
WIDE_NUMBERS = (DataType.INT64, DataType.UINT64, DataType.FLOAT64)

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


def on_the_wire(value: float, dtype: DataType, order: Order | Wide) -> bytes:
    """Encode by the definition: cut into words high word first, then move bytes as the name says."""
    big = struct.pack(">" + CODES[dtype], value)
    if len(order) == 8:
        return bytes(big["ABCDEFGH".index(letter)] for letter in order)
    words = [big[i : i + 2] for i in range(0, len(big), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return b"".join(words)


def decoded(kinds: Sequence[Kind], starts: Sequence[int], data: bytes) -> list[Value | Marked]:
    """Decode values at byte positions of one reply."""
    return compile_decoder([(i, start) for i, start in enumerate(starts)], len(data), kinds)(data)


def one(kind: Kind, data: bytes) -> Value | Marked:
    """Decode one value that is the whole reply."""
    (found,) = decoded([kind], [0], data)
    return found


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", NUMBERS)
def test_every_number_in_every_order_at_even_and_odd_bytes(dtype: DataType, order: Order) -> None:
    for value in EXTREMES[dtype]:
        wire = on_the_wire(value, dtype, order)
        for before in range(4):
            (got,) = decoded([Kind(dtype, order)], [before], bytes(before) + wire + b"\xee" * 3)
            assert same(got, value), (dtype, order, value, before, got)


@pytest.mark.parametrize("order", WIDES)
@pytest.mark.parametrize("dtype", WIDE_NUMBERS)
def test_every_number_of_64_bits_in_the_further_orders(dtype: DataType, order: Wide) -> None:
    for value in EXTREMES[dtype]:
        assert same(one(Kind(dtype, order), on_the_wire(value, dtype, order)), value), (order, value)


def test_the_orders_of_64_bits_are_all_that_three_yes_or_no_questions_make() -> None:
    def made(bytes_: bool, words: bool, halves: bool) -> str:  # noqa: FBT001
        pairs = ["AB", "CD", "EF", "GH"]
        if bytes_:
            pairs = [pair[::-1] for pair in pairs]
        if words:
            pairs = [pairs[1], pairs[0], pairs[3], pairs[2]]
        return "".join(pairs[2:] + pairs[:2] if halves else pairs)

    answers = {made(b, w, h) for b in (False, True) for w in (False, True) for h in (False, True)}
    short = {"ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"}
    assert answers == short | set(WIDES)
    for order, places in WIDE.items():
        assert "".join("ABCDEFGH"[places.index(i)] for i in range(8)) == order
    for name, full in zip(
        ("ABCD", "CDAB", "BADC", "DCBA"), ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"), strict=True
    ):
        wire = bytes(0x11 * (1 + "ABCDEFGH".index(letter)) for letter in full)
        assert one(Kind(DataType.UINT64, name), wire) == 0x1122334455667788  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "AABBCCDD"), ("CDAB", "CCDDAABB"), ("BADC", "BBAADDCC"), ("DCBA", "DDCCBBAA")],
)
def test_the_orders_mean_what_their_names_say(order: Order, wire: str) -> None:
    assert one(Kind(DataType.UINT32, order), bytes.fromhex(wire)) == 0xAABBCCDD


@pytest.mark.parametrize("words", ["big", "little"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_pymodbus_agrees_on_the_orders_that_it_knows(dtype: DataType, words: Literal["big", "little"]) -> None:
    theirs = ModbusClientMixin.DATATYPE[dtype.name]
    order: Order = "ABCD" if words == "big" else "CDAB"
    for value in EXTREMES[dtype]:
        registers = ModbusClientMixin.convert_to_registers(value, theirs, word_order=words)
        wire = b"".join(register.to_bytes(2) for register in registers)
        assert same(one(Kind(dtype, order), wire), value), (value, wire.hex())


@pytest.mark.parametrize("order", ORDERS)
def test_each_bit_of_a_word_in_every_order(order: Order) -> None:
    for bit in range(16):
        data = on_the_wire(1 << bit, DataType.UINT16, order)
        kinds = [Kind(DataType.BOOL, order, bit=b) for b in range(16)]
        assert decoded(kinds, [0] * 16, data) == [b == bit for b in range(16)]


def test_what_the_device_holds_in_one_byte() -> None:
    data = b"\x80\x7f\xff\x05"
    signed = [Kind(DataType.INT16, "DCBA", byte=True)] * 4
    assert decoded(signed, range(4), data) == [-128, 127, -1, 5]
    unsigned = [Kind(DataType.UINT16, "BADC", byte=True)] * 4
    assert decoded(unsigned, range(4), data) == [128, 127, 255, 5]
    bits = [Kind(DataType.BOOL, "DCBA", byte=True, bit=bit) for bit in range(8)]
    assert decoded(bits, [3] * 8, data) == [True, False, True, False, False, False, False, False]


@given(st.data())
def test_values_of_all_kinds_mixed_in_one_reply_overlapping_or_not(data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=40, max_size=250))
    kinds: list[Kind] = []
    starts: list[int] = []
    for _ in range(data.draw(st.integers(1, 40))):
        dtype = data.draw(st.sampled_from([*NUMBERS, DataType.BOOL]))
        order = data.draw(st.sampled_from([*ORDERS, *WIDES] if dtype in WIDE_NUMBERS else ORDERS))
        kind = Kind(dtype, order, bit=data.draw(st.integers(0, 15)) if dtype is DataType.BOOL else None)
        kinds.append(kind)
        starts.append(data.draw(st.integers(0, len(raw) - kind.size)))
    for kind, start, got in zip(kinds, starts, decoded(kinds, starts, raw), strict=True):
        piece = raw[start : start + kind.size]
        if kind.dtype is DataType.BOOL:
            assert kind.bit is not None
            word = piece if kind.order in {"ABCD", "CDAB"} else piece[::-1]
            assert got is bool(int.from_bytes(word) >> kind.bit & 1)
            continue
        assert isinstance(got, int | float)
        if not math.isnan(got):  # NaN has many bit patterns
            assert on_the_wire(got, kind.dtype, kind.order) == piece


def test_values_side_by_side_share_one_pass_and_overlapping_ones_take_another() -> None:
    floats = [Kind(DataType.FLOAT32).field(4 * i) for i in range(62)]
    assert spread(floats) == [floats]
    assert len(spread([*floats, Kind(DataType.FLOAT64).field(0)])) == 2
    assert len(spread([*floats, Kind(DataType.FLOAT32, "CDAB").field(300)])) == 2


@pytest.mark.parametrize(
    ("data", "length", "order", "encoding", "expected"),
    [
        (b"AB-12345", 8, "ABCD", "ascii", "AB-12345"),
        (b"AB-12345", 5, "ABCD", "ascii", "AB-12"),
        (b"AB-1\0\0xx", 8, "ABCD", "ascii", "AB-1"),
        (b"AB-1    ", 8, "ABCD", "ascii", "AB-1"),
        (b"\0\0\0\0\0\0\0\0", 8, "ABCD", "ascii", ""),
        (b"BA1-3254", 8, "BADC", "ascii", "AB-12345"),
        (b"BA1-3254", 7, "BADC", "ascii", "AB-1234"),
        (b"BA1-3254", 8, "DCBA", "ascii", "AB-12345"),
        (b"AB-12345", 8, "CDAB", "ascii", "AB-12345"),
        ("프레스".encode("cp949") + b"\0\0", 8, "ABCD", "cp949", "프레스"),
        (swap_bytes("프레스".encode("cp949")) + b"  ", 8, "BADC", "cp949", "프레스"),
        ("프레스".encode("cp949") + b"\0\0", 8, "ABCD", "ascii", None),
        ("가나".encode() + b"\0\0", 8, "ABCD", "utf-8", "가나"),
        (swap_bytes("가나".encode()) + b"\0\0", 8, "DCBA", "utf-8", "가나"),
        (b"\xff\xfe\0\0\0\0\0\0", 8, "ABCD", "utf-8", None),
    ],
)
def test_text_in_both_byte_orders(
    data: bytes, length: int, order: Order, encoding: str, expected: str | None
) -> None:
    kind = Kind(DataType.STRING, order, length=length, encoding=encoding)  # type: ignore[arg-type]
    assert one(kind, data) == expected


def test_text_of_odd_length_takes_the_byte_beside_it_only_when_bytes_are_swapped() -> None:
    assert [Kind(DataType.STRING, order, length=5).size for order in ORDERS] == [5, 5, 6, 6]
    assert [Kind(DataType.STRING, order, length=5).registers for order in ORDERS] == [3, 3, 3, 3]


@given(st.sampled_from(["ascii", "utf-8", "cp949"]), st.sampled_from(ORDERS), st.integers(0, 3), st.data())
def test_any_text_comes_back(encoding: Any, order: Order, before: int, data: st.DataObject) -> None:
    alphabet = (
        st.characters(codec=encoding, exclude_characters="\0")
        if encoding != "cp949"
        else st.sampled_from("가힣프레스A1 -")
    )
    written = data.draw(st.text(alphabet, min_size=1, max_size=20)).rstrip(" ")
    raw = written.encode(encoding)
    kind = Kind(DataType.STRING, order, length=len(raw) + 2, encoding=encoding)
    wire = (raw + b"  ").ljust(kind.size, b"\0")
    wire = swap_bytes(wire) if order in {"BADC", "DCBA"} else wire
    (got,) = decoded([kind], [before], bytes(before) + wire)
    assert got == written


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [DataType.UINT16, DataType.UINT32, DataType.UINT64])
def test_packed_decimal_digits_in_every_order(dtype: DataType, order: Order) -> None:
    places = struct.calcsize(CODES[dtype]) * 2
    for number in (0, 7, 10, 12345678901234567890 % 10**places, 10**places - 1):
        wire = on_the_wire(int(str(number), 16), dtype, order)
        assert one(Kind(dtype, order, bcd=True), wire) == number


@given(st.sampled_from([DataType.UINT16, DataType.UINT32, DataType.UINT64]), st.data())
def test_a_digit_above_nine_is_no_value(dtype: DataType, data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=(size := struct.calcsize(CODES[dtype])), max_size=size))
    digits = [nibble for byte in raw for nibble in (byte >> 4, byte & 15)]
    got = one(Kind(dtype, bcd=True, scale=0.1), raw)
    if max(digits) > 9:
        assert got is None
        assert rated(got) == (None, Status.BAD_DATA_ENCODING_INVALID)
    else:
        assert got == float(Decimal("".join(map(str, digits))) / 10)


@given(st.sampled_from([d for d in NUMBERS if "float" not in d]), st.sampled_from(ORDERS), st.data())
def test_a_field_of_a_few_bits(dtype: DataType, order: Order, data: st.DataObject) -> None:
    size = struct.calcsize(CODES[dtype])
    raw = data.draw(st.integers(0, 2 ** (8 * size) - 1))
    last = data.draw(st.integers(0, 8 * size - 1))
    first = data.draw(st.integers(0, last))
    written = f"{raw:0{8 * size}b}"[::-1][first : last + 1][::-1]
    expected = int(written, 2)
    if dtype.startswith("int") and written[0] == "1":
        expected -= 2 ** len(written)
    unsigned = DataType(dtype if dtype.startswith("u") else f"u{dtype}")
    assert one(Kind(dtype, order, bits=(first, last)), on_the_wire(raw, unsigned, order)) == expected


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (Kind(DataType.INT16, scale=0.1), 3, 0.3),
        (Kind(DataType.INT16, scale=0.1), -5, -0.5),
        (Kind(DataType.UINT16, scale=0.5, offset=-40.0), 100, 10.0),
        (Kind(DataType.UINT16, offset=0.0), 7, 7.0),
        (Kind(DataType.UINT16, scale=0.01, offset=-273.15), 29815, 25.0),
        (Kind(DataType.INT16, scale=2.0, offset=1.0), -3, -5.0),
        (Kind(DataType.FLOAT32, scale=10.0), 1.5, 15.0),
        (Kind(DataType.FLOAT32, scale=0.001), 1.0, 0.001),
        (Kind(DataType.FLOAT64, scale=0.1), 3.0, 0.3),
        (Kind(DataType.UINT16, scale=1e300), 1, 1e300),
        (Kind(DataType.UINT16, scale=1e308), 2, math.inf),
        (Kind(DataType.INT16, scale=1e308), -2, -math.inf),
        (Kind(DataType.UINT16, scale=1e-300), 3, 3e-300),
    ],
)
def test_scaled_values_are_floats(kind: Kind, raw: float, expected: float) -> None:
    got = one(kind, on_the_wire(raw, kind.dtype, "ABCD"))
    assert kind.result is DataType.FLOAT64
    assert isinstance(got, float)
    assert got == expected


@given(
    st.sampled_from([d for d in NUMBERS if "float" not in d]),
    st.decimals(-1000, 1000, places=4).filter(bool),
    st.decimals(-1000, 1000, places=2),
    st.data(),
)
def test_whole_numbers_are_scaled_to_the_nearest_float(
    dtype: DataType, scale: Decimal, offset: Decimal, data: st.DataObject
) -> None:
    bits = 8 * struct.calcsize(CODES[dtype])
    low, high = (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    raw = data.draw(st.integers(low, high))
    got = one(Kind(dtype, scale=float(scale), offset=float(offset)), on_the_wire(raw, dtype, "ABCD"))
    assert got == float(raw * scale + offset)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (Kind(DataType.INT16, clamp=(-10, 10)), 10, 10),
        (Kind(DataType.INT16, clamp=(-10, 10)), 11, Marked(10, TOO_HIGH)),
        (Kind(DataType.INT16, clamp=(-10, 10)), -11, Marked(-10, TOO_LOW)),
        (Kind(DataType.INT16, clamp=(-10.5, 10.5)), 11, Marked(10, TOO_HIGH)),
        (Kind(DataType.UINT16, scale=0.1, clamp=(0, 100)), 1001, Marked(100.0, TOO_HIGH)),
        (Kind(DataType.UINT16, scale=0.1, clamp=(0, 100)), 1000, 100.0),
        (Kind(DataType.FLOAT32, clamp=(0.5, 100)), 0.25, Marked(0.5, TOO_LOW)),
        (Kind(DataType.FLOAT32, clamp=(0, 100)), math.inf, math.inf),
        (Kind(DataType.UINT16, bcd=True, clamp=(0, 99)), 0x100, Marked(99, TOO_HIGH)),
        (Kind(DataType.UINT16, bcd=True, clamp=(0, 99)), 0xA0, None),
        (Kind(DataType.UINT16, bits=(4, 7), clamp=(0, 9)), 0xF0, Marked(9, TOO_HIGH)),
    ],
)
def test_a_value_beyond_its_limits_is_cut_and_says_so(kind: Kind, raw: float, expected: Value | Marked) -> None:
    got = one(kind, on_the_wire(raw, kind.dtype, "ABCD"))
    assert got == expected
    assert type(got) is type(expected)
    value, status = rated(got)
    assert value is None or type(value) is (float if kind.result.startswith("float") else int)
    if isinstance(expected, Marked):
        assert quality(status) is Quality.UNCERTAIN
        assert (value, status) == expected


def test_nan_is_not_cut() -> None:
    got = one(Kind(DataType.FLOAT32, clamp=(0, 100)), struct.pack(">f", math.nan))
    assert isinstance(got, float)
    assert math.isnan(got)


def test_the_status_of_a_cut_value_is_the_one_of_opc_ua() -> None:
    """0x4094 is UncertainEngineeringUnitsExceeded; bit 10 says DataValue, 8 and 9 which limit (Part 4, 7.39)."""
    assert (TOO_LOW, TOO_HIGH) == (0x40940500, 0x40940600)


@given(st.binary(max_size=250), st.integers(0, 1))
def test_swapping_bytes_twice_changes_nothing(data: bytes, first: int) -> None:
    turned = swap_bytes(data, first)
    assert swap_bytes(turned, first) == data
    assert sorted(turned) == sorted(data)
    assert len(data) < first + 2 or turned[first : first + 2] == bytes([data[first + 1], data[first]])
