"""Dates and times as PLCs and meters write them, to integer nanoseconds since 1970, UTC.

    unix_s        32 bits     seconds since 1970, UTC
    unix_ms       64 bits     milliseconds since 1970, UTC
    iec61131_dt   32 bits     seconds since 1970 in local time: DATE_AND_TIME of many IEC 61131-3 systems
    iec61131_ldt  64 bits     nanoseconds since 1970 in local time: LDATE_AND_TIME
    bcd6          6 bytes     YY MM DD hh mm ss, two decimal digits each; 00 to 99 is 2000 to 2099
    siemens_dt    8 bytes     bcd6 and milliseconds in three digits; 90 to 99 is 1990 to 1999
                              (STEP 7 programming manual A5E02789666, 27.3.3.2)
    words6        6 words     year, month, day, hour, minute, second as numbers; a year below 100 is 20YY
    iec870        4 words     year from 2000, month and day, hour and minute, milliseconds, as in IEC 870-5-4
                              (Schneider DOCA0005EN, "DATETIME format")

All but the first two are in local time: only the technician knows in which. Where a clock is set back for winter
an hour comes twice, and the first is taken. What is no date (the 31st of June, a clock that was never set and
says month 0) gives None. Pure.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Format = Literal["unix_s", "unix_ms", "iec61131_dt", "iec61131_ldt", "bcd6", "siemens_dt", "words6", "iec870"]

_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST = 2**63


class Layout(NamedTuple):
    """How a format stands in memory.

    Attributes:
        size: In bytes.
        code: Of `struct`; a format of bytes (`s`) takes them in their order, whatever the order of numbers.
        local: Whether it is in local time.
    """

    size: int
    code: str
    local: bool


FORMATS: Mapping[Format, Layout] = {
    "unix_s": Layout(4, "I", local=False),
    "unix_ms": Layout(8, "Q", local=False),
    "iec61131_dt": Layout(4, "I", local=True),
    "iec61131_ldt": Layout(8, "Q", local=True),
    "bcd6": Layout(6, "6s", local=True),
    "siemens_dt": Layout(8, "8s", local=True),
    "words6": Layout(12, "12s", local=True),
    "iec870": Layout(8, "8s", local=True),
}


def offset_of(zone: str) -> dt.tzinfo | None:
    """Return a fixed offset written as `+09:00`, or None for anything else."""
    if match := _OFFSET.fullmatch(zone):
        span = dt.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return dt.timezone(-span if match[1] == "-" else span)
    return None


def reader(layout: Format, zone: str) -> Callable[[Any], int | None]:
    """Return a function from what `struct` found to nanoseconds since 1970, UTC; None for what is no date.

    Args:
        layout: How the device writes it.
        zone: A time zone of the IANA database or an offset such as `+09:00`, for formats in local time.
    """
    if layout == "unix_s":
        return lambda raw: int(raw) * 10**9
    if layout == "unix_ms":
        return lambda raw: int(raw) * 10**6
    where = offset_of(zone) or zoneinfo.ZoneInfo(zone)
    if layout == "iec61131_dt":
        return lambda raw: _since(raw * 10**9, where)
    if layout == "iec61131_ldt":
        return lambda raw: _since(raw, where)
    return partial(_parsed, parts=_PARTS[layout], where=where)


def _since(local_ns: int, where: dt.tzinfo) -> int | None:
    """Return UTC of nanoseconds since 1970 on a local clock."""
    seconds, rest = divmod(local_ns, 10**9)
    found = _utc(_EPOCH.replace(tzinfo=None) + dt.timedelta(seconds=seconds), where)
    return None if found is None else found + rest


def _parsed(raw: bytes, parts: Callable[[bytes], tuple[int, ...] | None], where: dt.tzinfo) -> int | None:
    found = parts(raw)
    if found is None:
        return None
    *day_and_time, milliseconds = found
    try:
        local = dt.datetime(*day_and_time, milliseconds * 1000)  # type: ignore[arg-type,call-arg] # noqa: DTZ001
    except ValueError:
        return None
    return _utc(local, where)


def _utc(local: dt.datetime, where: dt.tzinfo) -> int | None:
    try:
        span = local.replace(tzinfo=where).astimezone(dt.UTC) - _EPOCH
    except OverflowError:  # the first and the last day of the calendar
        return None
    found = ((span.days * 86_400 + span.seconds) * 10**6 + span.microseconds) * 1000
    return found if -_MOST <= found < _MOST else None


def _bcd6(raw: bytes) -> tuple[int, ...] | None:
    text = raw.hex()
    if not text.isdecimal():
        return None
    year, *rest = (int(text[i : i + 2]) for i in range(0, 12, 2))
    return (2000 + year, *rest, 0)


def _siemens_dt(raw: bytes) -> tuple[int, ...] | None:
    text = raw.hex()[:15]  # the last digit is the day of the week
    if not text.isdecimal():
        return None
    year, *rest = (int(text[i : i + 2]) for i in range(0, 12, 2))
    return (year + (1900 if year >= 90 else 2000), *rest, int(text[12:]))


def _words6(raw: bytes) -> tuple[int, ...]:
    year, *rest = (int.from_bytes(raw[i : i + 2]) for i in range(0, 12, 2))
    return (year + (2000 if year < 100 else 0), *rest, 0)


def _iec870(raw: bytes) -> tuple[int, ...]:
    year, month, day = raw[1] & 0x7F, raw[2] & 0x0F, raw[3] & 0x1F
    hour, minute = raw[4] & 0x1F, raw[5] & 0x3F
    second, millisecond = divmod(int.from_bytes(raw[6:8]), 1000)
    return 2000 + year, month, day, hour, minute, second, millisecond


_PARTS: Mapping[Format, Callable[[bytes], tuple[int, ...] | None]] = {
    "bcd6": _bcd6,
    "siemens_dt": _siemens_dt,
    "words6": _words6,
    "iec870": _iec870,
}
"""Year, month, day, hour, minute, second and millisecond of each format that is made of bytes."""
