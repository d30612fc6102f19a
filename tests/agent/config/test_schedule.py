"""Planned time, holidays, and spans that overlap."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from settings.schedule import DAYS, WEEK_MINUTES, Holidays, Planned, Schedule, moment, overlap


def planned(days: Any, start: str, end: str) -> Planned:
    return Planned.model_validate({"days": days, "from": start, "to": end})


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon", (0,)), ("mon-fri", (0, 1, 2, 3, 4)), ("sat-mon", (0, 5, 6)), (["mon", "wed-thu"], (0, 2, 3)),
        ("mon-sun", tuple(range(7))), ("wed-wed", (2,)),
    ],
)  # fmt: skip
def test_days_are_written_as_words_ranges_or_lists(written: Any, days: tuple[int, ...]) -> None:
    assert planned(written, "08:00", "20:00").days == days


@pytest.mark.parametrize("written", ["", "monday", "mon-", "-fri", "mon,tue", [], [0], 3, None, "월"])
def test_anything_else_is_no_day(written: Any) -> None:
    with pytest.raises(ValidationError):
        planned(written, "08:00", "20:00")


@pytest.mark.parametrize("written", ["8", "24:00", "08:60", "08:00:00", "0800", 800, 8.5, None, "08:00 AM"])
def test_anything_but_hours_and_minutes_is_no_time(written: Any) -> None:
    with pytest.raises(ValidationError):
        planned("mon", written, "20:00")


def test_a_span_may_end_at_midnight_or_on_the_next_day() -> None:
    assert list(planned("sun", "20:00", "24:00").week()) == [(6 * 1440 + 1200, 7 * 1440)]
    assert list(planned("sun", "20:00", "08:00").week()) == [(6 * 1440 + 1200, 7 * 1440 + 480)]
    assert list(planned("mon", "00:00", "24:00").week()) == [(0, 1440)]


times = st.builds(lambda m: f"{m // 60:02}:{m % 60:02}", st.integers(0, 1439))
spans = st.builds(planned, st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True), times, times)


@given(st.lists(spans, max_size=5))
def test_overlap_is_found_exactly_when_two_spans_share_a_minute(items: list[Planned]) -> None:
    minutes: list[int] = []
    for item in items:
        for start, end in item.week():
            minutes += [m % WEEK_MINUTES for m in range(start, end)]
    found = overlap(items)
    assert (found is not None) == (len(set(minutes)) < len(minutes))
    if found is not None:
        first, second, at = found
        assert first <= second
        owners = [
            index
            for index, item in enumerate(items)
            for start, end in item.week()
            if start <= at < end or start <= at + WEEK_MINUTES < end
        ]
        assert sorted(owners)[:1] == [first] or first in owners
        assert second in owners
        assert len(owners) > 1


def test_a_minute_of_the_week_is_told_as_day_and_time() -> None:
    assert moment(0) == "mon 00:00"
    assert moment(WEEK_MINUTES - 1) == "sun 23:59"


def test_holidays_are_those_of_the_country_with_the_site_s_own() -> None:
    days = Holidays.model_validate({"country": "KR", "add": ["2026-12-24"], "remove": ["2026-12-25"]}).dates()
    assert {dt.date(2026, 2, 17), dt.date(2026, 9, 25), dt.date(2026, 12, 24)} <= days  # Seollal, Chuseok: lunar
    assert dt.date(2026, 12, 25) not in days
    assert Holidays().dates() == frozenset()


@pytest.mark.parametrize("country", ["KRR", "KOR", "kr", "ZZ", 82])
def test_an_unknown_country_is_refused_with_an_example(country: object) -> None:
    with pytest.raises(ValidationError, match=r"write a country code like [A-Z]{2} "):
        Holidays.model_validate({"country": country})


def test_planned_time_is_sorted_by_weekday() -> None:
    schedule = Schedule.model_validate(
        {
            "planned": [
                {"days": "mon-tue", "from": "13:00", "to": "17:00"},
                {"days": "mon", "from": "08:00", "to": "12:00"},
            ]
        }
    )
    morning, afternoon = (dt.time(8), dt.time(12)), (dt.time(13), dt.time(17))
    assert schedule.by_weekday() == {0: (morning, afternoon), 1: (afternoon,)}
