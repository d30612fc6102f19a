"""Times as people and historians write them, to UTC nanoseconds. Pure.

`auto` reads the year first (2026-11-22, 2026/11/22, 2026. 11. 22.), with T, Z, an offset or 오전/오후; which of
03.04.2026 is the month is not guessed. A time without an offset is local: where the zone's clock is set back, an
hour comes twice, and the second one is told by the order of the rows; a time that is skipped in spring was never
shown by any clock of that zone, so the zone or the column is wrong. A number alone may count from many days: which
of them is asked for and never guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND = 1_000_000_000
EPOCHS = {"unix_s": SECOND, "unix_ms": 1_000_000, "unix_us": 1000, "unix_ns": 1}
"""Numbers since 1970, UTC: nanoseconds of one."""
EXCEL = "excel"
"""Days since the end of 1899, local, as a spreadsheet counts (46348.5)."""
BACK_NS = 600 * SECOND
"""Rows may lie so far behind the latest one; in an hour that comes twice, more means that it has begun again."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NAIVE = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local times are counted from here
_HALVES = {"오전": "AM", "오후": "PM"}
_KNOWN = re.compile(r"%[YymdHIMSfpzBbj%]")
_AUTO = re.compile(
    r"(\d{4})[-./]\s?(\d{1,2})[-./]\s?(\d{1,2})\.?[T ]\s*(오전|오후|AM|PM)?\s*"
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(AM|PM)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_MOST = 100_000
_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - local; a spreadsheet takes 1900 for a leap year
_SHORT = 5
"""Digits behind the point with which a cell of no format is saved: too few for parts of a second."""
_NUMBERS = (
    (re.compile(r"[2-9]\d{4}(\.\d+)?"), EXCEL), (re.compile(r"\d{10}(\.\d+)?"), "unix_s"),
    (re.compile(r"\d{13}(\.\d+)?"), "unix_ms"), (re.compile(r"20\d{12}"), "%Y%m%d%H%M%S"),
)  # fmt: skip
"""Times that are one number, and the format that may be meant."""
EARLIEST, LATEST = 631_152_000 * SECOND, 7_258_118_400 * SECOND
"""1990 and 2200, UTC: a number that stands for another unit is not taken for a time."""


def directives(pattern: str) -> bool:
    """Return whether a pattern says everything about a time and nothing that is not understood."""
    found = set(_KNOWN.findall(pattern))
    rest = _KNOWN.sub("", pattern)
    year, hour = found & {"%Y", "%y"}, "%H" in found or {"%I", "%p"} <= found
    day = ("%d" in found and found & {"%m", "%b", "%B"}) or "%j" in found
    return bool(year and hour and day) and "%" not in rest


class Times:
    """Reads the times of one stream, in the order of its rows.

    Args:
        form: "auto", "excel", one of `EPOCHS`, or a pattern of strptime.
        zone: Of times without an offset.
    """

    def __init__(self, form: str, zone: str) -> None:
        self._parse: Callable[[str], int | dt.datetime] = (
            _epoch(EPOCHS[form]) if form in EPOCHS
            else auto if form == "auto" else serial if form == EXCEL else _pattern(form)
        )  # fmt: skip
        self._zone = ZoneInfo(zone)
        self._name = zone
        self._kept: dict[str, int] = {}
        self._last = -(2**62)
        self._offset = (1, 0, 0)  # local times [from, to) have this offset, and no doubt

    def read(self, texts: Sequence[str]) -> list[int]:
        """Return the times in UTC nanoseconds.

        Raises:
            Unreadable: the one at `index` cannot be read.
        """
        kept, found = self._kept, []
        for index, text in enumerate(texts):
            time = kept.get(text)
            if time is None:
                try:
                    time = self._one(text)
                except Complaint as exc:
                    raise Unreadable(index, exc) from exc
            found.append(time)
        return found

    def _one(self, text: str) -> int:
        parsed = self._parse(text.strip())
        if isinstance(parsed, int):
            time, sure = parsed, True
        elif parsed.tzinfo is not None:
            time, sure = _nanoseconds(parsed - _EPOCH), True
        else:
            time, sure = self._local(parsed, text)
        if not EARLIEST <= time < LATEST:
            raise Complaint(
                f"{text!r} lies outside of 1990 to 2200: is the format right?",
                f"1990년~2200년을 벗어난 시각입니다({text!r}). 형식을 확인하십시오",
            )
        self._last = max(self._last, time)
        if sure:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[text] = time
        return time

    def _local(self, local: dt.datetime, text: str) -> tuple[int, bool]:
        """Return the instant of a local time, and whether it is the only one."""
        naive = _nanoseconds(local - _NAIVE)
        start, end, offset = self._offset
        if start <= naive < end:
            return naive - offset, True
        first, second = (_shift(local.replace(tzinfo=self._zone, fold=fold)) for fold in (0, 1))
        if first == second:
            self._widen(local, naive, first)
            return naive - first, True
        if first < second:  # the clock was set forward over it
            raise Complaint(
                f"{text} was on no clock of {self._name}: is the column in UTC or a fixed offset? Write its zone",
                f"{self._name}에는 없는 시각입니다({text}). UTC나 고정 시차라면 zone을 쓰십시오",
            )
        again = self._last - (naive - first) > BACK_NS
        return naive - (second if again else first), False

    def _widen(self, local: dt.datetime, naive: int, offset: int) -> None:
        """Note that the whole day has one offset, when it has."""
        begin = local.replace(hour=0, minute=0, second=0, microsecond=0)
        ends = [begin - dt.timedelta(hours=3), begin + dt.timedelta(hours=27)]
        shifts = {_shift(end.replace(tzinfo=self._zone, fold=fold)) for end in ends for fold in (0, 1)}
        low = _nanoseconds(begin - _NAIVE)
        self._offset = (low, low + 86400 * SECOND, offset) if shifts == {offset} else (naive, naive + 1, offset)


class Unreadable(Exception):  # noqa: N818 - says what the text is
    """A text of a row that is no time; `index` is its place among those that were read."""

    def __init__(self, index: int, complaint: Complaint) -> None:
        super().__init__(str(complaint))
        self.index = index
        self.complaint = complaint


def auto(text: str) -> dt.datetime:
    """Read a time with the year first.

    Raises:
        Complaint: it is none.
    """
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is not None and len(text) > 10:
        return found
    match = _AUTO.fullmatch(text)
    if match is None and (form := next((form for number, form in _NUMBERS if number.fullmatch(text)), None)):
        raise Complaint(
            f"{text!r} is a number: write what it counts under time.format; it looks like {form}",
            f"숫자로 된 시각입니다({text!r}). time.format에 형식을 쓰십시오. {form}인 것 같습니다",
        )
    if match is None:
        raise Complaint(
            f"{text!r} is no time with the year first: write how it is written under time.format, "
            "as in %d.%m.%Y %H:%M:%S",
            f"연도부터 쓴 시각이 아닙니다({text!r}). time.format에 형식을 쓰십시오. 예: %y/%m/%d %H:%M:%S",
        )
    year, month, day, before, hour, minute, second, fraction, after, offset = match.groups()
    half = _HALVES.get(before or "", before) or after
    clock = int(hour) if half is None else int(hour) % 12 + (12 if half == "PM" else 0)
    try:
        local = dt.datetime(  # noqa: DTZ001 - the offset follows
            int(year), int(month), int(day), clock, int(minute), int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]),
        )  # fmt: skip
        return dt.datetime.fromisoformat(local.isoformat() + offset) if offset else local
    except ValueError as exc:
        raise Complaint(f"{text!r} is no time: {exc}", f"시각이 아닙니다({text!r})") from exc


def serial(text: str) -> dt.datetime:
    """Read the days since the end of 1899.

    Raises:
        Complaint: it is no number of days.
    """
    days, _, part = text.partition(".")
    if not (days.isdecimal() and days.isascii() and len(days) <= 6 and part.isdecimal() == bool(part)):
        raise Complaint(f"{text!r} is no number of days", f"엑셀 날짜 숫자가 아닙니다({text!r})")
    unit_s = 1.0 if len(part) <= _SHORT else 0.001
    seconds = round(float(f"0.{part or 0}") * 86400 / unit_s) * unit_s
    return _DAY_ZERO + dt.timedelta(days=int(days), milliseconds=round(seconds * 1000))


def _pattern(pattern: str) -> Callable[[str], dt.datetime]:
    def parse(text: str) -> dt.datetime:
        for korean, half in _HALVES.items():
            text = text.replace(korean, half)
        try:
            return dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - local where the pattern has no offset
        except ValueError as exc:
            raise Complaint(
                f"{text!r} is not written as {pattern}", f"{pattern} 형식이 아닙니다({text!r})"
            ) from exc

    return parse


def _epoch(unit: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            whole, point, fraction = text.partition(".")
            digits = int(f"{fraction[:9]:0<9}") if point else 0
            return int(whole) * unit + digits * unit // SECOND
        except ValueError as exc:
            raise Complaint(f"{text!r} is no number", f"숫자가 아닙니다({text!r})") from exc

    return parse


def _shift(local: dt.datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    return _nanoseconds(offset)


def _nanoseconds(span: dt.timedelta) -> int:
    return (span.days * 86400 + span.seconds) * SECOND + span.microseconds * 1000
