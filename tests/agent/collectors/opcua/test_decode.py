"""Decoding against asyncua's encoder and against bytes written down from the specification."""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary, variant_to_binary
from asyncua.ua.uatypes import Variant, VariantType
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.opcua import decode
from agent.collectors.opcua.convert import converter, overflowed, row, type_name
from agent.collectors.opcua.decode import Sample, nanoseconds
from agent.errors import WireError
from agent.frame import DataType, Status

NS_2026 = 1_767_225_600_000_000_000
TICKS_2026 = NS_2026 // 100 + 116_444_736_000_000_000


def response(*data_values: bytes) -> bytes:
    return struct.pack("<i", len(data_values)) + b"".join(data_values) + struct.pack("<i", -1)


def with_value(variant: bytes, status: int | None = None) -> bytes:
    if status is None:
        return b"\x01" + variant
    return b"\x03" + variant + struct.pack("<I", status)


INTEGERS = {
    VariantType.SByte: (-(2**7), 2**7 - 1), VariantType.Byte: (0, 2**8 - 1),
    VariantType.Int16: (-(2**15), 2**15 - 1), VariantType.UInt16: (0, 2**16 - 1),
    VariantType.Int32: (-(2**31), 2**31 - 1), VariantType.UInt32: (0, 2**32 - 1),
    VariantType.Int64: (-(2**63), 2**63 - 1), VariantType.UInt64: (0, 2**64 - 1),
}  # fmt: skip

NUMBERS = st.sampled_from(list(INTEGERS)).flatmap(
    lambda vtype: st.tuples(st.just(vtype), st.integers(*INTEGERS[vtype]))
)
SCALARS = st.one_of(
    NUMBERS,
    st.tuples(st.just(VariantType.Boolean), st.booleans()),
    st.tuples(st.just(VariantType.Float), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just(VariantType.Double), st.floats(allow_nan=False)),
    st.tuples(st.just(VariantType.String), st.text()),
    st.tuples(st.just(VariantType.ByteString), st.binary()),
    st.tuples(st.just(VariantType.Guid), st.uuids()),
)


@given(st.lists(SCALARS, max_size=8))
def test_scalars_come_out_as_they_went_in_whatever_stands_beside_them(
    scalars: list[tuple[VariantType, Any]],
) -> None:
    body = response(*(with_value(variant_to_binary(Variant(value, vtype))) for vtype, value in scalars))
    assert [(s.vtype, s.value) for s in decode.samples(body)] == [(int(t), v) for t, v in scalars]


ODD: list[Variant] = [
    Variant([1.5, 2.5], VariantType.Double),
    Variant(["a", "나"], VariantType.String),
    Variant([], VariantType.Int32, is_array=True),
    Variant([[1, 2], [3, 4]], VariantType.Int16),
    Variant(ua.NodeId.from_string("ns=3;s=x"), VariantType.NodeId),
    Variant(ua.NodeId.from_string(f"ns=3;i={2**31}"), VariantType.NodeId),
    Variant(ua.NodeId.from_string(f"ns=3;g={uuid.UUID(int=5)}"), VariantType.NodeId),
    Variant(ua.LocalizedText("운전", "ko"), VariantType.LocalizedText),
    Variant(ua.QualifiedName("n", 4), VariantType.QualifiedName),
    Variant(ua.StatusCode(ua.UInt32(0x80340000)), VariantType.StatusCode),
    Variant(ua.Range(Low=1.0, High=2.0), VariantType.ExtensionObject),
    Variant([ua.Range(Low=1.0, High=2.0)] * 2, VariantType.ExtensionObject),
    Variant(ua.DataValue(Variant(1.0, VariantType.Double)), VariantType.DataValue),
    Variant(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), VariantType.DateTime),
    Variant(None, VariantType.Null),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda v: f"{v.VariantType.name}-{v.is_array}")
def test_a_value_that_no_signal_can_have_does_not_shift_its_neighbours(odd: Variant) -> None:
    seven = with_value(variant_to_binary(Variant(7, VariantType.Int32)), 0x40000000)
    before, found, after = decode.samples(response(seven, with_value(variant_to_binary(odd)), seven))
    assert before == after == Sample(6, False, 7, 0x40000000, 0, 0)
    assert found.vtype == int(odd.VariantType or 0)
    assert found.array == bool(odd.is_array)


def test_a_qualified_name_keeps_its_namespace_and_stays_a_text() -> None:
    names = [ua.QualifiedName("SpindleLoad", 4), ua.QualifiedName("", 300), ua.QualifiedName(None, 2)]
    body = response(*(with_value(variant_to_binary(Variant(n, VariantType.QualifiedName))) for n in names))
    found = [sample.value for sample in decode.samples(body)]
    assert [(name and str(name), getattr(name, "namespace", None)) for name in found] == [
        ("SpindleLoad", 4), ("", 300), (None, None),
    ]  # fmt: skip
    convert = converter(DataType.STRING)
    said = [convert(20, name) for name in found]
    assert said == [("SpindleLoad", Status.GOOD), ("", Status.GOOD), ("", Status.GOOD)]
    assert {type(text) for text, _ in said} == {str}, "encoders know plain texts only"


def test_the_fields_of_a_data_value_stand_in_the_order_of_the_specification() -> None:
    # Part 6, 5.2.2.17: value, status, source time, source picoseconds, server time, server picoseconds
    data_value = (
        b"\x3f" + b"\x06" + struct.pack("<i", 7) + struct.pack("<I", 0x00000480)
        + struct.pack("<qH", TICKS_2026, 1234) + struct.pack("<qH", TICKS_2026 + 10, 5678)
    )  # fmt: skip
    (sample,) = decode.samples(response(data_value))
    assert sample == Sample(6, False, 7, 0x480, NS_2026, NS_2026 + 1000)
    assert overflowed(sample.status)


def test_only_the_overflow_bit_with_data_value_info_means_overflow() -> None:
    assert overflowed(0x4090_0480)
    assert not overflowed(0x80)
    assert not overflowed(0x400)
    assert not overflowed(0)


@pytest.mark.parametrize("ticks", [0, 1, 116_444_736_000_000_000, 2**63 - 1, 2_650_467_743_990_000_000, -5])
def test_times_that_mean_none_or_do_not_fit_are_none(ticks: int) -> None:
    assert nanoseconds(ticks) == 0


def publish(*objects: bytes, sequence: int = 9) -> bytes:
    return (
        struct.pack("<IiII", 5, 2, 7, 8) + b"\x00" + struct.pack("<Iq", sequence, TICKS_2026)
        + struct.pack("<i", len(objects) if objects else -1) + b"".join(objects) + struct.pack("<ii", -1, -1)
    )  # fmt: skip


def extension(kind: int, body: bytes) -> bytes:
    return b"\x01\x00" + struct.pack("<H", kind) + b"\x01" + struct.pack("<i", len(body)) + body


def test_a_publication_holds_its_items_in_order() -> None:
    one = struct.pack("<I", 11) + with_value(b"\x06" + struct.pack("<i", 1))
    two = struct.pack("<I", 11) + with_value(b"\x06" + struct.pack("<i", 2))
    three = struct.pack("<I", 12) + with_value(b"\x01\x01")
    first = extension(decode.DATA_CHANGE, struct.pack("<i", 2) + one + two + struct.pack("<i", -1))
    unknown = extension(4711, b"whatever")
    second = extension(decode.DATA_CHANGE, struct.pack("<i", 1) + three + struct.pack("<i", 0))
    got = decode.publication(publish(first, unknown, second))
    assert (got.subscription, got.sequence, got.keep_alive, got.ended) == (5, 9, False, None)
    assert [(handle, sample.value) for handle, sample in got.items] == [(11, 1), (11, 2), (12, True)]


def test_a_keep_alive_holds_nothing_and_a_status_change_ends_the_subscription() -> None:
    assert decode.publication(publish()).keep_alive
    change = ua.StatusChangeNotification(Status=ua.StatusCode(ua.UInt32(0x800A0000)))
    body = extension(decode.STATUS_CHANGE, struct_to_binary(change))
    assert decode.publication(publish(body)).ended == 0x800A0000


def test_a_publication_encoded_by_the_library_comes_out() -> None:
    item = ua.MonitoredItemNotification(ClientHandle=3, Value=ua.DataValue(Variant(2.5, VariantType.Double)))
    change = ua.DataChangeNotification(MonitoredItems=[item])
    message = ua.NotificationMessage(SequenceNumber=4, NotificationData=[change])
    body = struct_to_binary(ua.PublishResult(SubscriptionId=6, NotificationMessage=message))
    got = decode.publication(body)
    assert (got.subscription, got.sequence, [(h, s.value) for h, s in got.items]) == (6, 4, [(3, 2.5)])


@given(st.binary(max_size=200))
def test_bytes_that_are_none_of_it_raise_one_error_only(body: bytes) -> None:
    for read in (decode.samples, decode.publication):
        try:
            read(body)
        except WireError:
            continue


def test_values_nested_without_end_are_refused() -> None:
    with pytest.raises(WireError, match="nested too deep"):
        decode.samples(response(b"\x01" + b"\x18" * 200 + b"\x00"))


def test_an_array_longer_than_its_message_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(WireError, match="longer than its message"):
        decode.samples(response(b"\x01" + b"\x8b" + struct.pack("<i", 2**31 - 1)))


@given(NUMBERS, st.sampled_from([t for t in DataType if "int" in t]))
def test_an_integer_is_exact_or_out_of_range_never_another_number(
    number: tuple[VariantType, int], dtype: DataType
) -> None:
    vtype, given_value = number
    value, status = converter(dtype)(int(vtype), given_value)
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    low, high = (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert (value, status) == (
        (given_value, Status.GOOD) if low <= given_value <= high else (None, Status.BAD_OUT_OF_RANGE)
    )


@given(NUMBERS)
def test_an_integer_becomes_a_float_only_where_that_is_exact(number: tuple[VariantType, int]) -> None:
    vtype, given_value = number
    value, status = converter(DataType.FLOAT64)(int(vtype), given_value)
    if status == Status.GOOD:
        assert isinstance(value, float)
        assert int(value) == given_value
    else:
        assert abs(given_value) > 2**53


@pytest.mark.parametrize("dtype", list(DataType))
def test_a_type_takes_what_fits_it_and_nothing_else(dtype: DataType) -> None:
    values: dict[int, Any] = {
        1: True, 6: 5, 11: 1.5, 12: "a", 13: TICKS_2026, 14: uuid.UUID(int=0), 15: b"", 17: (0, 1), 19: 0,
        20: "q", 21: "t", 22: None,
    }  # fmt: skip
    fits = {vtype for vtype, value in values.items() if converter(dtype)(vtype, value)[1] == Status.GOOD}
    match dtype:
        case DataType.BOOL:
            assert fits == {1}
        case DataType.STRING:
            assert fits == {12, 14, 15, 17, 20, 21}
        case DataType.TIMESTAMP:
            assert fits == {13}
        case DataType.FLOAT32 | DataType.FLOAT64:
            assert fits == {6, 11}
        case _:
            assert fits == {6}


def test_text_that_is_not_utf_8_is_bad_because_no_json_could_carry_it() -> None:
    korean = "가동".encode("cp949")
    body = response(with_value(b"\x0c" + struct.pack("<i", len(korean)) + korean))
    (sample,) = decode.samples(body)
    assert row(converter(DataType.STRING), sample) == (None, Status.BAD_DATA_ENCODING_INVALID)


def test_bad_and_missing_values_carry_no_value_and_uncertain_ones_keep_their_code() -> None:
    take = converter(DataType.INT32)
    assert row(take, Sample(6, False, 7, 0x808C_0000, 0, 0)) == (None, 0x808C_0000)
    assert row(take, Sample(6, False, 7, 0xC000_0000, 0, 0)) == (None, 0xC000_0000)
    assert row(take, Sample(6, False, 7, 0x4090_0000, 0, 0)) == (7, 0x4090_0000)
    assert row(take, Sample(0, False, None, 0, 0, 0)) == (None, Status.BAD)
    assert row(take, Sample(6, True, [7], 0, 0, 0)) == (None, Status.BAD_TYPE_MISMATCH)


def test_built_in_types_have_names() -> None:
    assert type_name(11) == "Double"
    assert type_name(6, array=True) == "array of Int32"
    assert type_name(63) == "type 63"
