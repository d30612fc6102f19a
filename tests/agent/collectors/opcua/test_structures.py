"""Ways into values, structures of every shape, and bytes that are none of it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.opcua.about import fields
from agent.collectors.opcua.decode import Opaque
from agent.collectors.opcua.structures import (
    BuiltIn,
    Enumeration,
    Misfit,
    StructField,
    Structure,
    definition,
    enum_values,
    eu_range,
    opened,
    pick,
    unit,
    way,
)
from agent.errors import WireError
from agent.frame import DataType

if TYPE_CHECKING:
    from agent.collectors.opcua.decode import NodeKey
    from agent.collectors.opcua.structures import DataTypeKind

POINT, LINE, STATE, CHOICE, LOST, ANY = ((2, n) for n in range(1, 7))
TYPES: dict[NodeKey, DataTypeKind] = {
    (0, 1): BuiltIn("Boolean", 1), (0, 4): BuiltIn("Int16", 4), (0, 11): BuiltIn("Double", 11),
    (0, 12): BuiltIn("String", 12), (0, 22): BuiltIn("Structure", 22), ANY: BuiltIn("Variant", 24),
    STATE: Enumeration("State", ((0, "off"), (5, "on"))),
    POINT: Structure("Point", 0, (StructField("X", (0, 11)), StructField("Y", (0, 11))), POINT),
    LINE: Structure(
        "Line", 1, (
            StructField("Name", (0, 12), optional=True), StructField("Ends", POINT, rank=1),
            StructField("State", STATE), StructField("Grid", (0, 4), rank=2),
            StructField("More", ANY, optional=True), StructField("Any", ANY),
        ), LINE,
    ),
    CHOICE: Structure("Choice", 2, (StructField("Number", (0, 11)), StructField("Text", (0, 12))), CHOICE),
    LOST: Structure("Lost", 0, (StructField("First", (0, 1)), StructField("Odd", (9, 9))), LOST),
}  # fmt: skip


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<i", len(raw)) + raw


LINE_BYTES = (
    struct.pack("<I", 0b01)  # of the optional fields, the first is there
    + text("선") + struct.pack("<i4d", 2, 1, 2, 3, 4) + struct.pack("<i", 5)
    + struct.pack("<iii6h", 2, 2, 3, *range(6)) + b"\x06" + struct.pack("<i", -7)
)  # fmt: skip


def value(key: NodeKey, body: bytes) -> tuple[int, bool, Any]:
    return 22, False, Opaque(key, body)


def test_a_structure_is_decoded_field_by_field() -> None:
    line = opened(Opaque(LINE, LINE_BYTES), TYPES)
    assert line["Name"] == (12, False, "선")
    assert line["State"] == (6, False, 5)
    assert line["More"] == (0, False, None)
    assert line["Any"] == (6, False, -7)
    assert line["Grid"] == (4, True, [[0, 1, 2], [3, 4, 5]])
    assert pick(value(LINE, LINE_BYTES), way("Ends[1].Y"), TYPES) == (11, False, 4.0)
    assert pick(value(LINE, LINE_BYTES), way("Grid[1][2]"), TYPES) == (4, False, 5)


def test_a_union_has_the_field_that_it_has() -> None:
    number = struct.pack("<Id", 1, 2.5)
    assert pick(value(CHOICE, number), way("Number"), TYPES) == (11, False, 2.5)
    with pytest.raises(Misfit, match="there is no field Text, the structure has: Number"):
        pick(value(CHOICE, number), way("Text"), TYPES)
    assert opened(Opaque(CHOICE, struct.pack("<I", 0)), TYPES) == {}
    assert opened(Opaque(CHOICE, struct.pack("<I", 9)), TYPES) == {}


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("Ends[2].X", "has 2 elements, numbered from 0: there is no 2"),
        ("Ends.X", "no structure here"),
        ("Name[0]", "no array here"),
        ("State.X", "no structure here"),
        ("Nothing", "no field Nothing, the structure has: Name, Ends"),
    ],
)
def test_a_way_that_leads_nowhere_says_why_in_two_languages(at: str, says: str) -> None:
    with pytest.raises(Misfit, match=says) as caught:
        pick(value(LINE, LINE_BYTES), way(at), TYPES)
    assert caught.value.status >> 31
    assert caught.value.text.ko != caught.value.text.en


def test_a_type_that_the_server_does_not_describe_is_refused_clearly() -> None:
    with pytest.raises(Misfit, match=r"does not describe this structure \(no DataTypeDefinition\)"):
        pick(value((7, 7), b""), way("X"), TYPES)
    with pytest.raises(Misfit, match="does not describe the type of the field Odd"):
        pick(value(LOST, b"\x01\x00"), way("First"), TYPES)
    with pytest.raises(Misfit, match="does not describe this structure"):
        pick((22, False, Opaque(POINT, None)), way("X"), TYPES)  # its body is XML


@given(st.sampled_from([LINE, POINT, CHOICE, LOST]), st.binary(max_size=80))
def test_bytes_that_are_no_structure_raise_our_errors_only(key: NodeKey, body: bytes) -> None:
    try:
        opened(Opaque(key, body), TYPES)
    except (WireError, Misfit):
        return


@given(st.integers(0, len(LINE_BYTES) - 1), st.integers(0, 255))
def test_one_wrong_byte_gives_a_structure_or_our_error(at: int, wrong: int) -> None:
    try:
        opened(Opaque(LINE, LINE_BYTES[:at] + bytes([wrong]) + LINE_BYTES[at + 1 :]), TYPES)
    except (WireError, Misfit):
        return


def test_a_structure_in_itself_without_end_is_refused() -> None:
    ring: dict[NodeKey, DataTypeKind] = {ANY: Structure("Ring", 0, (StructField("Again", ANY),), ANY)}
    with pytest.raises(WireError, match="nested too deep"):
        opened(Opaque(ANY, b""), ring)
    assert fields(ring[ANY], ring) == ()


def test_what_can_be_written_under_field_is_listed() -> None:
    assert fields(TYPES[LINE], TYPES) == (
        ("Name", DataType.STRING), ("Ends[0].X", DataType.FLOAT64), ("Ends[0].Y", DataType.FLOAT64),
        ("State", DataType.INT32), ("Grid[0][0]", DataType.INT16),
    )  # fmt: skip
    for at, _ in fields(TYPES[LINE], TYPES):
        pick(value(LINE, LINE_BYTES), way(at), TYPES)


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("A", ("A",)), ("A.b", ("A", "b")), ("A[2].b", ("A", 2, "b")), ("[3]", (3,)), ("[1][2].x y", (1, 2, "x y")),
        ("축.위치", ("축", "위치")), ("", ()),
    ],
)  # fmt: skip
def test_a_way_is_read(written: str, steps: tuple[str | int, ...]) -> None:
    assert way(written) == steps


@pytest.mark.parametrize("written", [".A", "A.", "A..b", "A[", "A[x]", "A]", "A[-1]", "A.[1]", "A[1]b"])
def test_what_is_no_way_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match="write a field as"):
        way(written)


def described(kind: Any) -> Opaque:
    return Opaque((0, 122 if isinstance(kind, ua.StructureDefinition) else 123), struct_to_binary(kind))


def test_a_definition_is_read_as_the_library_writes_it() -> None:
    text_id = ua.NodeId.from_string("ns=3;s=x")
    wire = ua.StructureDefinition(
        DefaultEncodingId=ua.NodeId.from_string("ns=2;i=5004"),
        BaseDataType=ua.NodeId.from_string("i=22"),
        StructureType=ua.StructureType.StructureWithOptionalFields,
        Fields=[
            ua.StructureField(Name="A", DataType=ua.NodeId.from_string("i=11"), ValueRank=-1, IsOptional=False),
            ua.StructureField(
                Name="B", DataType=text_id, ValueRank=2, ArrayDimensions=[2, 3], IsOptional=True
            ),
        ],
    )  # fmt: skip
    assert definition("T", described(wire)) == Structure(
        "T", 1, (StructField("A", (0, 11)), StructField("B", (3, "x"), rank=2, optional=True)), (2, 5004)
    )
    labels = ua.EnumDefinition(
        Fields=[
            ua.EnumField(Value=0, DisplayName=ua.LocalizedText("정지"), Name="Stop"),
            ua.EnumField(Value=7, Name="Fault"),
        ]
    )
    assert definition("E", described(labels)) == Enumeration("E", ((0, "정지"), (7, "Fault")))
    assert definition("T", None) is None
    assert definition("T", Opaque((0, 999), b"")) is None
    with pytest.raises(WireError):
        definition("T", Opaque((0, 122), b"\x00"))


def test_units_ranges_and_labels_are_read_as_the_library_writes_them() -> None:
    def as_value(number: int, it: Any) -> Opaque:
        return Opaque((0, number), struct_to_binary(it))

    assert eu_range(as_value(886, ua.Range(Low=-1.5, High=20.0))) == (-1.5, 20.0)
    assert eu_range(as_value(886, ua.Range(Low=0.0, High=0.0))) is None, "a server's way to say nothing"
    assert eu_range(as_value(886, ua.Range(Low=float("nan"), High=1.0))) is None
    assert (
        unit(as_value(889, ua.EUInformation(NamespaceUri="x", UnitId=4, DisplayName=ua.LocalizedText("°C"))))
        == "°C"
    )
    assert unit(None) is None
    values = [as_value(8251, ua.EnumValueType(Value=3, DisplayName=ua.LocalizedText("drei")))]
    assert enum_values(values) == ((3, "drei"),)
    assert enum_values("nonsense") == ()
