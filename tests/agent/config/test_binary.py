"""What may be written about a value of plain bytes, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agent.collectors.binary import Kind
from agent.config.binary import BinarySignal
from agent.frame import DataType


def made(kind: str = "uint16", **options: Any) -> BinarySignal:
    return BinarySignal.model_validate({"id": "s", "type": kind, **options})


@pytest.mark.parametrize(
    ("options", "expected", "result"),
    [
        ({}, Kind(DataType.UINT16, "CDAB"), "uint16"),
        ({"word_order": "DCBA"}, Kind(DataType.UINT16, "DCBA"), "uint16"),
        ({"kind": "uint64", "word_order": "CDABGHEF"}, Kind(DataType.UINT64, "CDABGHEF"), "uint64"),
        ({"bcd": True, "kind": "uint32"}, Kind(DataType.UINT32, "CDAB", bcd=True), "uint32"),
        ({"bits": [4, 7], "labels": {"0": "stop"}}, Kind(DataType.UINT16, "CDAB", bits=(4, 7)), "uint16"),
        ({"scale": 0.1, "clamp": [0, 99.5]}, Kind(DataType.UINT16, "CDAB", scale=0.1, clamp=(0, 99.5)), "float64"),
        ({"kind": "bool", "bit": 3}, Kind(DataType.BOOL, "CDAB", bit=3), "bool"),
        (
            {"kind": "string", "length": 8, "encoding": "cp949"},
            Kind(DataType.STRING, "CDAB", length=8, encoding="cp949"),
            "string",
        ),
        (
            {"kind": "timestamp", "format": "bcd6", "zone": "Asia/Seoul"},
            Kind(DataType.TIMESTAMP, "CDAB", moment="bcd6", zone="Asia/Seoul"),
            "timestamp",
        ),
        (
            {"kind": "timestamp", "format": "iec61131_dt", "zone": "+09:00"},
            Kind(DataType.TIMESTAMP, "CDAB", moment="iec61131_dt", zone="+09:00"),
            "timestamp",
        ),
        ({"kind": "timestamp", "format": "unix_s"}, Kind(DataType.TIMESTAMP, "CDAB", moment="unix_s"), "timestamp"),
    ],
)
def test_what_is_written_is_how_it_is_decoded(options: dict[str, Any], expected: Kind, result: str) -> None:
    signal = made(**options)
    assert signal.kind("CDAB") == expected
    assert signal.signal("m").dtype == result == expected.result


@pytest.mark.parametrize(
    ("options", "english"),
    [
        ({"kind": "string"}, "a string needs a length"),
        ({"length": 4}, "length and encoding belong to type: string"),
        ({"kind": "timestamp"}, "a timestamp needs its format, one of unix_s, unix_ms, iec61131_dt"),
        ({"kind": "timestamp", "format": "bcd6"}, "bcd6 is in local time: write where the device's clock is set"),
        ({"kind": "timestamp", "format": "unix_s", "zone": "Asia/Seoul"}, "unix_s is in UTC: remove zone"),
        ({"kind": "timestamp", "format": "bcd6", "zone": "Asia/Soul"}, "Asia/Soul is no time zone: write one like"),
        ({"kind": "timestamp", "format": "bcd6", "zone": "+9:00"}, "+9:00 is no time zone"),
        ({"kind": "timestamp", "format": "unix_s", "scale": 2}, "scale and offset belong to numbers"),
        ({"format": "unix_s"}, "format and zone belong to type: timestamp"),
        ({"zone": "UTC"}, "format and zone belong to type: timestamp"),
        ({"kind": "bool", "bit": 1, "clamp": [0, 1]}, "clamp belongs to numbers, not to bool"),
        ({"kind": "int16", "bcd": True}, "bcd belongs to uint16, uint32 and uint64"),
        ({"kind": "float32", "bcd": True}, "bcd belongs to uint16, uint32 and uint64"),
        ({"bits": [0, 16]}, "bits belong to whole numbers without bcd"),
        ({"bits": [7, 4]}, "write the first and the last bit"),
        ({"bits": [0, 3], "bcd": True}, "bits belong to whole numbers without bcd"),
        ({"kind": "float32", "bits": [0, 3]}, "bits belong to whole numbers without bcd"),
        ({"clamp": [0.2, 0.8]}, "no whole number lies in clamp"),
        ({"clamp": [5, 1]}, "write the lower limit first"),
        ({"word_order": "CDABGHEF"}, "CDABGHEF is an order of 64 bits"),
        ({"scale": 0}, "a scale of 0"),
        ({"kind": "float32", "labels": {"0": "stop"}}, "labels belong to whole numbers and bools, not to float32"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], english: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(**options)
    (error,) = caught.value.errors()
    assert error["ctx"]["error"].text.en.startswith(english)
    assert error["ctx"]["error"].text.ko


def test_how_an_address_was_found_and_what_must_not_change_reach_the_runtime() -> None:
    signal = made(canary=True, found="probe").signal("m")
    assert (signal.canary, signal.found) == (True, "probe")
    assert (made().signal("m").canary, made().signal("m").found) == (False, "manual")


def test_labels_are_written_with_numbers_as_keys() -> None:
    assert made("int16", labels={"0": "정지", "-1": "고장", 7: "운전"}).signal("m").labels == (
        (-1, "고장"), (0, "정지"), (7, "운전"),
    )  # fmt: skip
    for key in ("1.5", "one", "0x1", "007", " 1", "١"):
        with pytest.raises(ValidationError):
            made(labels={key: "x"})
