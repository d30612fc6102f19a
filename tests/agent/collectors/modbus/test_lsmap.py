"""Device names of LS PLCs: what they mean, and where Modbus serves them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.collectors.modbus.config import ModbusDevice
from agent.collectors.modbus.lsmap import LsMap, Name, Place, name
from agent.collectors.modbus.plan import Span, Table
from settings.language import Complaint

MAP = {"bit_read": "M00000", "bit_write": "P00000", "word_read": "D00000", "word_write": "D10000"}


def device(*signals: dict[str, Any], ls_map: dict[str, str] | None = MAP, **options: Any) -> ModbusDevice:
    return ModbusDevice.model_validate(
        {
            "id": "plc", "type": "modbus", "machine": "m", "host": "10.0.0.1", "ls_map": ls_map,
            "groups": [{"every": "1s", "signals": list(signals)}], **options,
        }
    )  # fmt: skip


def signal(address: str, kind: str = "uint16", **options: Any) -> dict[str, Any]:
    return {"id": "s", "address": address, "type": kind, **options}


@pytest.mark.parametrize(
    ("address", "kind", "where", "echo"),
    [
        ("D00120", "uint16", Span(Table.INPUT, 120, 1), "D00120 = input:120 (300121)"),
        ("D00120", "float32", Span(Table.INPUT, 120, 2), "D00120 = input:120 (300121)"),
        ("D120", "int16", Span(Table.INPUT, 120, 1), "D120 = input:120 (300121)"),
        ("M0012F", "bool", Span(Table.DISCRETE, 12 * 16 + 15, 1), "M0012F = discrete:207 (100208)"),
        ("M00120", "bool", Span(Table.DISCRETE, 12 * 16, 1), "M00120 = discrete:192 (100193)"),
        ("M0012.F", "bool", Span(Table.DISCRETE, 12 * 16 + 15, 1), "M0012.F = discrete:207 (100208)"),
        ("P0003A", "bool", Span(Table.COIL, 3 * 16 + 10, 1), "P0003A = coil:58 (000059)"),
        ("D00120.5", "bool", Span(Table.INPUT, 120, 1), "D00120.5 = input:120 (300121).5"),
        ("D00120.F", "bool", Span(Table.INPUT, 120, 1), "D00120.F = input:120 (300121).15"),
    ],
)
def test_a_name_is_found_in_the_table_that_serves_it(address: str, kind: str, where: Span, echo: str) -> None:
    made = device(signal(address, kind)).groups[0].signals[0]
    assert made.span() == where
    assert made.where() == echo


@pytest.mark.parametrize(
    ("written", "kind", "where"),
    [
        ("Ｄ００１２０", "uint16", "D00120 = input:120 (300121)"),
        (" d00120 ", "uint16", "D00120 = input:120 (300121)"),
        ("m0012f", "bool", "M0012F = discrete:207 (100208)"),
        ("Ｄ００１２０．５", "bool", "D00120.5 = input:120 (300121).5"),
    ],
)
def test_names_in_full_width_or_small_letters_mean_what_they_look_like(written: str, kind: str, where: str) -> None:
    ls_map = {name: base.lower() for name, base in MAP.items()}
    made = device(signal(written, kind), ls_map=ls_map)
    assert made.groups[0].signals[0].where() == where
    assert made.ls_map == device(signal("D1")).ls_map


def test_a_bit_of_a_word_may_be_written_under_bit() -> None:
    made = device(signal("D00120", "bool", bit=5)).groups[0].signals[0]
    assert (made.span(), made.kind("ABCD").bit) == (Span(Table.INPUT, 120, 1), 5)
    assert device(signal("D00120.C", "bool")).groups[0].signals[0].kind("ABCD").bit == 12


def test_bits_of_a_bit_area_are_read_from_a_word_area_where_only_that_holds_them() -> None:
    made = device(signal("M0012F", "bool"), ls_map={"word_write": "M0010"}).groups[0].signals[0]
    assert (made.span(), made.kind("ABCD").bit) == (Span(Table.HOLDING, 2, 1), 15)


def test_the_area_that_holds_it_is_chosen_where_two_begin_in_one_memory() -> None:
    both = {"word_read": "D05000", "word_write": "D00000"}
    assert device(signal("D04999"), ls_map=both).groups[0].signals[0].span() == Span(Table.HOLDING, 4999, 1)
    assert device(signal("D05000"), ls_map=both).groups[0].signals[0].span() == Span(Table.INPUT, 0, 1)


@pytest.mark.parametrize(
    ("written", "bit", "meant"),
    [
        ("%MW100", False, Name("M", 100, None)),
        ("%MX1603", True, Name("M", 100, 3)),
        ("%MW100.3", True, Name("M", 100, 3)),
        ("%QW5.15", True, Name("Q", 5, 15)),
        ("ZR00010", False, Name("ZR", 10, None)),
        ("P0", True, Name("P", 0, 0)),
        ("PF", True, None),
        ("M", True, None),
    ],
)
def test_names_of_other_series(written: str, bit: bool, meant: Name | None) -> None:  # noqa: FBT001
    if meant is None:
        with pytest.raises(Complaint):
            name(written, bit=bit)
    else:
        assert name(written, bit=bit) == meant


@pytest.mark.parametrize(
    ("address", "kind", "ls_map", "english"),
    [
        ("D00120", "uint16", {"bit_read": "M00000"}, "ls_map maps no area for D00120, only from M00000"),
        ("M0012", "uint16", MAP, "ls_map maps no area for M0012, only from M00000, P00000, D00000, D10000"),
        ("D00099", "uint16", {"word_read": "D00100"}, "D00099 lies outside the area that begins at D00100"),
        ("M00009", "bool", {"bit_read": "M00010"}, "M00009 lies outside the area that begins at M00010"),
        ("M65540", "bool", MAP, "M65540 lies outside the area that begins at M00000"),
        ("M0012F", "uint16", MAP, "M0012F names a bit: write type: bool, or the word as M0012"),
        ("D00120.5", "uint16", MAP, "D00120.5 names a bit: write type: bool"),
        ("D00120", "bool", MAP, "D00120 names a word: write its bit as D00120.0 to D00120.F"),
        ("D65535", "float32", MAP, "the value needs 2 registers and runs past the last one, 65535"),
        ("M00120", "bool", {**MAP, "bit_read": "D00000.0"}, "ls_map maps no area for M00120"),
    ],
)
def test_what_lies_nowhere_is_refused_at_the_address(address: str, kind: str, ls_map: Any, english: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device(signal(address, kind), ls_map=ls_map)
    (error,) = caught.value.errors()
    assert error["loc"] == ("groups", 0, "signals", 0, "address")
    assert error["ctx"]["error"].text.en.startswith(english)


def test_every_name_that_lies_nowhere_is_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        device({**signal("K0001"), "id": "a"}, {**signal("D5"), "id": "b"}, {**signal("K0002"), "id": "c"})
    assert [error["loc"][3] for error in caught.value.errors()] == [0, 2]


def test_a_name_without_a_map_says_where_the_map_stands() -> None:
    with pytest.raises(ValidationError) as caught:
        device(signal("D00120"), ls_map=None)
    assert "write the device's ls_map" in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "ls_map", [{}, {"bit_read": "D00000"}, {"word_read": "M0000F"}, {"word_read": "holding:0"}]
)
def test_a_map_that_says_nothing_or_the_wrong_kind_is_refused(ls_map: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        LsMap.model_validate(ls_map)


@given(st.sampled_from("PMKFL"), st.integers(0, 4095), st.integers(0, 15), st.integers(0, 4095), st.integers(0, 15))
def test_the_offset_counts_bits_from_the_base(area: str, base: int, base_bit: int, word: int, bit: int) -> None:
    ls_map = LsMap.model_validate({"bit_write": f"{area}{base:04d}{base_bit:X}"})
    expected = (word - base) * 16 + bit - base_bit
    written = f"{area}{word:04d}{bit:X}"
    if 0 <= expected < 65536:
        assert ls_map.place(written, bit=True) == Place(Table.COIL, expected)
    else:
        with pytest.raises(Complaint):
            ls_map.place(written, bit=True)


@given(st.text(max_size=12), st.booleans())
def test_any_text_is_a_name_or_a_complaint(written: str, bit: bool) -> None:  # noqa: FBT001
    with contextlib.suppress(Complaint):
        assert (name(written, bit=bit).bit is None) is not bit


def test_an_alarm_word_without_a_place_is_one_mistake_where_it_is_written() -> None:
    words = {"id": "alm", "address": "D00200", "bits": {0: "비상정지", 7: "오일 부족"}}
    group = {"every": "1s", "signals": [signal("D00120")], "alarms": [words]}
    with pytest.raises(ValidationError) as caught:
        device(ls_map=None, groups=[group])
    assert [error["loc"][-4:] for error in caught.value.errors()] == [
        (0, "signals", 0, "address"), ("groups", 0, "alarms"),
    ]  # fmt: skip
