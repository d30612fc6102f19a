"""The working time of a site: production day, planned spans of the week, holidays.

All spans count from Monday 00:00 in local time; a span whose end is not after its start ends on the next day.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator

from settings.base import Model, form
from settings.language import Complaint
from settings.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
HOLIDAY_YEARS = range(2020, 2041)
"""Fixed, so that the same file means the same calendar whenever it is read."""

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _time(value: Any) -> dt.time:
    if isinstance(value, str) and (match := _TIME.fullmatch(value.strip())):
        return dt.time(int(match[1]), int(match[2]))
    raise Complaint("write a time of day like 08:00", "시각은 08:00처럼 쓰십시오")


def _end(value: Any) -> dt.time:
    if isinstance(value, str) and value.strip() == "24:00":
        return dt.time(0)
    return _time(value)


def _date(value: Any) -> dt.date:
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return dt.date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise Complaint("write an existing date like 2026-12-24", "실제로 있는 날짜를 2026-12-24처럼 쓰십시오")


def _weekdays(value: Any) -> tuple[int, ...]:
    """Read `mon-fri`, `sat`, or a list of those; 0 is Monday."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple)) or not value:
        raise _days_complaint(value)
    found: set[int] = set()
    for item in value:
        first, dash, last = str(item).partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise _days_complaint(item)
        start, stop = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 for day in range(start, stop + 1 if stop >= start else stop + 8)}
    return tuple(sorted(found))


def _days_complaint(value: object) -> Complaint:
    return Complaint(
        f"{value} is no weekday: write mon-fri, sat, or a list like [mon, wed, fri]",
        f"요일이 아닙니다({value}). mon-fri, sat 또는 [mon, wed, fri]처럼 쓰십시오",
    )


def _country(value: Any) -> str:
    # imported only where a country is configured: it takes 0.2 s, and its list of all countries 0.3 s more
    import holidays  # noqa: PLC0415

    if isinstance(value, str) and re.fullmatch("[A-Z]{2}", value):
        try:
            holidays.country_holidays(value)
        except NotImplementedError:
            pass
        else:
            return value
    hint = nearest(str(value).upper(), [code for code in holidays.list_supported_countries() if len(code) == 2])
    raise Complaint(
        f"no calendar of {value} is known: write a country code like {hint or 'KR'}",
        f"공휴일 달력이 없는 국가입니다({value}). 국가 코드를 쓰십시오. 예: {hint or 'KR'}",
    )


TimeOfDay = Annotated[dt.time, BeforeValidator(_time), form("`HH:MM`", "time")]
"""A local time of day, `HH:MM`."""
EndOfSpan = Annotated[dt.time, BeforeValidator(_end), form("`HH:MM`", "time")]
"""A local time of day, `HH:MM`; `24:00` is midnight."""
Date = Annotated[dt.date, BeforeValidator(_date), form("`YYYY-MM-DD`", "date")]
"""A date, `YYYY-MM-DD`."""
Weekdays = Annotated[tuple[int, ...], BeforeValidator(_weekdays), form("days, `mon-fri`")]
"""Days of the week, `mon-fri`, `sat` or a list of those; 0 is Monday."""
Country = Annotated[str, PlainValidator(_country), form("country code, `KR`")]


class Planned(Model):
    """Planned busy time on some days of the week."""

    days: Weekdays = Field(description="`mon-fri`, `sat`, or a list of those")
    from_: TimeOfDay = Field(alias="from", description="local time of the start, `08:00`")
    to: EndOfSpan = Field(description="local time of the end; not after `from` means the next day")

    def week(self) -> Iterator[tuple[int, int]]:
        """Yield `[start, end)` per day in minutes since Monday 00:00; the end may lie in the next week."""
        start = self.from_.hour * 60 + self.from_.minute
        end = self.to.hour * 60 + self.to.minute
        end += DAY_MINUTES if end <= start else 0
        for day in self.days:
            yield day * DAY_MINUTES + start, day * DAY_MINUTES + end


class Holidays(Model):
    """Days without planned time."""

    country: Country | None = Field(None, description="public holidays of this country, `KR`; none when absent")
    add: tuple[Date, ...] = Field((), description="further days off of this site")
    remove: tuple[Date, ...] = Field((), description="public holidays on which this site works")

    def dates(self) -> frozenset[dt.date]:
        """Return all days off in `HOLIDAY_YEARS`."""
        public: set[dt.date] = set()
        if self.country is not None:
            import holidays  # noqa: PLC0415 - see _country

            public = set(holidays.country_holidays(self.country, years=HOLIDAY_YEARS))
        return frozenset((public - set(self.remove)) | set(self.add))


class Schedule(Model):
    """When the site plans to work."""

    production_day_start: TimeOfDay = Field(dt.time(0), description="local time at which a production day begins")
    planned: tuple[Planned, ...] = Field(
        (), description="planned busy time; without it nothing is measured against plan"
    )
    holidays: Holidays = Field(default_factory=Holidays, description="days without planned time")

    def by_weekday(self) -> dict[int, tuple[tuple[dt.time, dt.time], ...]]:
        """Return the planned spans of each weekday (0 is Monday), sorted by start."""
        days: dict[int, list[tuple[dt.time, dt.time]]] = {}
        for planned in self.planned:
            for day in planned.days:
                days.setdefault(day, []).append((planned.from_, planned.to))
        return {day: tuple(sorted(spans)) for day, spans in sorted(days.items())}


def overlap(planned: Sequence[Planned]) -> tuple[int, int, int] | None:
    """Return the first two spans that overlap, as indices into `planned`, and the minute of the week, or None."""
    spans = sorted((start, end, index) for index, item in enumerate(planned) for start, end in item.week())
    if not spans:
        return None
    start, end, index = spans[0]
    spans.append((start + WEEK_MINUTES, end + WEEK_MINUTES, index))
    reach, owner = 0, 0  # a longer span before the last one may still be open
    for (_, end, index), (next_start, _, following) in itertools.pairwise(spans):
        if end > reach:
            reach, owner = end, index
        if next_start < reach:
            return *sorted((owner, following)), next_start % WEEK_MINUTES  # type: ignore[return-value]
    return None


def moment(minute: int) -> str:
    """Return a minute of the week as `mon 08:00`."""
    day, rest = divmod(minute, DAY_MINUTES)
    return f"{DAYS[day]} {rest // 60:02}:{rest % 60:02}"
