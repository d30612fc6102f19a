"""Planned time with the answers, compared with a count of every quarter of an hour."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st

from readiness.schedule import Calendar
from tests.answers.given import CALENDAR, ZONE, given, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

QUARTER = dt.timedelta(minutes=15)


def hours(calendar: Calendar, day: str) -> float:
    return calendar.planned_spans(dt.date.fromisoformat(day)).length() / 3.6e12


def calendar_with(**parts: Any) -> Calendar:
    return joined(given(calendar=parts)).calendar


def test_a_weekday_replaces_the_configured_one_and_others_stay() -> None:
    found = joined(given(calendar={"planned": [{"days": ["sat", "mon"], "from": "08:00", "to": "12:00"}]}))
    assert hours(found.calendar, "2026-11-21") == 4
    assert hours(found.calendar, "2026-11-23") == 4
    assert hours(found.calendar, "2026-11-24") == 12
    assert [(c.code, c.subject, c.said, c.seen) for c in found.plant.contradictions] == [
        ("configuration", "calendar planned mon", "08:00-12:00", "08:00-20:00")
    ]


def test_days_off_days_of_work_and_extra_shifts() -> None:
    found = calendar_with(
        country="KR",
        off=["2026-11-25"],
        work=["2026-12-25"],
        extra=[
            {"date": "2026-11-22", "from": "08:00", "to": "17:00"},
            {"date": "2026-11-22", "from": "20:00", "to": "02:00"},
            {"date": "2026-10-09", "from": "08:00", "to": "12:00"},
        ],
    )
    assert hours(found, "2026-11-25") == 0
    assert hours(found, "2026-12-25") == 12, "a public holiday of work"
    assert hours(found, "2026-11-22") == 9 + 6
    assert hours(found, "2026-10-09") == 4, "Hangul day, and a shift on it"
    assert hours(found, "2026-02-17") == 0, "Seollal"


def test_two_people_about_one_date() -> None:
    first = given("file", date="2026-11-01", calendar={"off": ["2026-11-25"]})
    second = given("message", date="2026-11-02", calendar={"work": ["2026-11-25"]})
    found = joined(first, second)
    assert hours(found.calendar, "2026-11-25") == 12
    assert [c.subject for c in found.plant.contradictions] == ["calendar date 2026-11-25"]


def test_extra_shifts_alone_are_a_schedule() -> None:
    assert not Calendar(zone=ZONE).has_schedule()
    day = dt.date(2026, 11, 22)
    assert Calendar(zone=ZONE, extra={day: ((dt.time(8), dt.time(9)),)}).has_schedule()


SPANS = st.tuples(st.integers(0, 95), st.integers(0, 95)).filter(lambda pair: pair[0] != pair[1])
DATES = st.dates(dt.date(2026, 11, 16), dt.date(2026, 11, 29))


def at(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


@settings(max_examples=60, deadline=None)
@property_of(st.dictionaries(DATES, SPANS, max_size=4), st.sets(DATES, max_size=4), st.sets(DATES, max_size=3))
@pytest.mark.parametrize("start", ["08:00"])
def test_planned_time_is_what_counting_each_quarter_of_an_hour_gives(
    start: str, extra: Mapping[dt.date, tuple[int, int]], off: set[dt.date], work: set[dt.date]
) -> None:
    off -= work
    night = {d for d, (a, b) in extra.items() if b < a and d + dt.timedelta(days=1) in extra}
    extra = {d: span for d, span in extra.items() if d not in night}  # shifts of one set may not cross
    shifts = [{"date": str(d), "from": at(a), "to": at(b)} for d, (a, b) in extra.items()]
    found = calendar_with(extra=shifts, off=[str(d) for d in off], work=[str(d) for d in work])
    begin = dt.datetime.fromisoformat(f"2026-11-16T{start}")
    planned: set[dt.datetime] = set()
    for n in range(-1, 16):
        day = begin.date() + dt.timedelta(days=n)
        pieces = list(extra.get(day, ()) and [extra[day]])
        if day.weekday() < 5 and day not in off:
            pieces.append((32, 80))
        for a, b in pieces:
            for q in range(a, b if b > a else b + 96):
                planned.add(dt.datetime.combine(day, dt.time()) + q * QUARTER)
    for n in range(14):
        low = begin + dt.timedelta(days=n)
        want = sum(low <= moment < low + dt.timedelta(days=1) for moment in planned)
        assert found.planned_spans(low.date()).length() == want * 900 * 10**9


def test_days_are_cut_as_before() -> None:
    found = calendar_with(planned=[{"days": "sat", "from": "00:00", "to": "24:00"}])
    day = dt.date(2026, 11, 21)
    assert found.bounds(day) == CALENDAR.bounds(day)
    assert found.bounds(day)[0] == int(dt.datetime(2026, 11, 21, 8, tzinfo=ZoneInfo(ZONE)).timestamp()) * 10**9
