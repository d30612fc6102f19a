"""Dates and times of devices against Python's own calendar and the manuals' examples."""

from __future__ import annotations

import datetime as dt
import struct
import zoneinfo
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.binary import Kind, Order, compile_decoder, swap_bytes
from agent.collectors.moments import FORMATS, Format, offset_of
from agent.frame import DataType

ORDERS: tuple[Order, ...] = get_args(Order)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
KST = dt.timezone(dt.timedelta(hours=9))


def read(moment: Format, wire: bytes, zone: str = "UTC", order: Order = "ABCD") -> Any:
    kind = Kind(DataType.TIMESTAMP, order, moment=moment, zone=zone)
    assert kind.size == len(wire)
    (found,) = compile_decoder([(0, 0)], len(wire), [kind])(wire)
    return found


def ns(when: dt.datetime) -> int:
    span = when - EPOCH
    return (span.days * 86_400 + span.seconds) * 10**9 + span.microseconds * 1000


def bcd(number: int) -> int:
    return int(f"{number:02d}", 16)


def written(when: dt.datetime, moment: Format) -> bytes:  # noqa: PLR0911 - one format each
    """Write a local time as a device would."""
    seconds = int((when.replace(tzinfo=dt.UTC) - EPOCH).total_seconds())
    parts = (when.year % 100, when.month, when.day, when.hour, when.minute, when.second)
    match moment:
        case "unix_s" | "iec61131_dt":
            return struct.pack(">I", seconds)
        case "unix_ms":
            return struct.pack(">Q", seconds * 1000 + when.microsecond // 1000)
        case "iec61131_ldt":
            return struct.pack(">Q", seconds * 10**9 + when.microsecond * 1000)
        case "bcd6":
            return bytes(map(bcd, parts))
        case "siemens_dt":
            digits = f"{when.microsecond // 1000:03d}{when.isoweekday() % 7 + 1}"
            return bytes(map(bcd, parts)) + bytes.fromhex(digits)
        case "words6":
            return struct.pack(">6H", when.year, *parts[1:])
        case _:
            middle = (when.month << 8 | when.day, when.hour << 8 | when.minute)
            return struct.pack(">4H", parts[0], *middle, when.second * 1000 + when.microsecond // 1000)


FINE = {"unix_ms", "iec61131_ldt", "siemens_dt", "iec870"}
"""Formats that hold milliseconds."""


@given(
    st.sampled_from(get_args(Format)),
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2089, 12, 31)),  # noqa: DTZ001 - local times
)
def test_every_format_in_utc_and_in_korean_time(moment: Format, when: dt.datetime) -> None:
    when = when.replace(microsecond=when.microsecond // 1000 * 1000 if moment in FINE else 0)
    wire = written(when, moment)
    assert read(moment, wire) == ns(when.replace(tzinfo=dt.UTC))
    korean = ns(when.replace(tzinfo=KST if FORMATS[moment].local else dt.UTC))
    assert read(moment, wire, "Asia/Seoul") == korean
    assert read(moment, wire, "+09:00") == korean


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("moment", get_args(Format))
def test_every_format_in_every_order(moment: Format, order: Order) -> None:
    when = dt.datetime(2026, 11, 22, 14, 51, 3, tzinfo=dt.UTC)
    wire = written(when.replace(tzinfo=None), moment)
    if FORMATS[moment].code[-1] == "s":
        wire = swap_bytes(wire) if order in {"BADC", "DCBA"} else wire
    else:
        words = [wire[i : i + 2] for i in range(0, len(wire), 2)]
        words = words[::-1] if order in {"CDAB", "DCBA"} else words
        wire = b"".join(w[::-1] if order in {"BADC", "DCBA"} else w for w in words)
    assert read(moment, wire, order=order) == ns(when)


def test_the_examples_of_the_manuals() -> None:
    """STEP 7 (A5E02789666, 27.3.3.2): Thursday, 25 December 1993, 8:12:34.567."""
    found = read("siemens_dt", bytes.fromhex("9312250812345675"))
    assert found == ns(dt.datetime(1993, 12, 25, 8, 12, 34, 567_000, tzinfo=dt.UTC))
    # IEC 870-5-4 in Schneider's DOCA0005EN: reserved bits, weekday and summer time do not disturb
    found = read("iec870", bytes.fromhex("ff1a0b768e330bb9"))
    assert found == ns(dt.datetime(2026, 11, 22, 14, 51, 3, 1000, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("moment", "wire"),
    [
        ("bcd6", "000000000000"), ("bcd6", "2606310000 00"), ("bcd6", "2613010000 00"), ("bcd6", "261101240000"),
        ("bcd6", "2A1101000000"), ("bcd6", "ffffffffffff"), ("siemens_dt", "26112214510300a1"),
        ("siemens_dt", "261122145160 0001"), ("words6", "0000" * 6), ("words6", "ffff" * 6),
        ("words6", "07ea 0002 001d 0000 0000 0000"), ("iec870", "0000000000000000"), ("iec870", "001a061f00000000"),
        ("iec870", "001a0b163b3b0000"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_no_value(moment: Format, wire: str) -> None:
    assert read(moment, bytes.fromhex(wire), "Asia/Seoul") is None


@given(st.sampled_from(get_args(Format)), st.sampled_from(["UTC", "Asia/Seoul", "-12:00", "+14:00"]), st.data())
def test_any_bytes_give_a_time_or_nothing(moment: Format, zone: str, data: st.DataObject) -> None:
    size = FORMATS[moment].size
    found = read(moment, data.draw(st.binary(min_size=size, max_size=size)), zone)
    assert found is None or type(found) is int


def test_years_of_two_digits() -> None:
    for year, siemens, plain in ((0, 2000, 2000), (89, 2089, 2089), (90, 1990, 2090), (99, 1999, 2099)):
        rest = bytes.fromhex("0101000000")
        day = dt.datetime(plain, 1, 1, tzinfo=dt.UTC)
        assert read("bcd6", bytes([bcd(year)]) + rest) == ns(day)
        assert read("siemens_dt", bytes([bcd(year)]) + rest + b"\0\1") == ns(day.replace(year=siemens))
        assert read("words6", struct.pack(">6H", year, 1, 1, 0, 0, 0)) == ns(day)


def test_the_hour_that_comes_twice_is_taken_for_the_first() -> None:
    zone = "Europe/Berlin"
    when = dt.datetime(2026, 10, 25, 2, 30, tzinfo=zoneinfo.ZoneInfo(zone))
    assert read("bcd6", bytes.fromhex("261025023000"), zone) == ns(when.astimezone(dt.UTC))


def test_fixed_offsets() -> None:
    assert offset_of("+09:00") == KST
    assert offset_of("-03:30") == dt.timezone(-dt.timedelta(hours=3, minutes=30))
    assert [offset_of(text) for text in ("Asia/Seoul", "+9:00", "+24:00", "09:00", "+09:60", "")] == [None] * 6
