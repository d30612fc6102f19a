"""Production days and planned time."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from readiness.schedule import Calendar
from readiness.spans import intersection, union

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


WEEK = {day: ((time(8), time(20)),) for day in range(5)}
SEOUL = Calendar("Asia/Seoul", time(8), WEEK, frozenset({date(2026, 12, 25)}))


def test_a_day_starts_at_the_production_day_start_of_its_zone() -> None:
    assert SEOUL.bounds(date(2026, 11, 23)) == (at("2026-11-22T23:00Z"), at("2026-11-23T23:00Z"))
    assert SEOUL.day_of(at("2026-11-22T22:59:59Z")) == date(2026, 11, 22)
    assert SEOUL.day_of(at("2026-11-22T23:00Z")) == date(2026, 11, 23)


def test_holidays_and_weekends_have_no_planned_time() -> None:
    assert SEOUL.planned_spans(date(2026, 11, 23)).length() == 12 * HOUR
    assert SEOUL.planned_spans(date(2026, 11, 22)).length() == 0
    assert SEOUL.planned_spans(date(2026, 12, 25)).length() == 0


def test_a_day_is_as_long_as_the_zone_makes_it() -> None:
    berlin = Calendar("Europe/Berlin", time(0), {6: ((time(0), time(0)),)})
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        start, end = berlin.bounds(day)
        assert end - start == hours * HOUR
        assert berlin.planned_spans(day).length() == hours * HOUR


def test_a_start_that_the_clock_change_skips_still_cuts_days_without_overlap() -> None:
    berlin = Calendar("Europe/Berlin", time(2, 30))
    ends = [berlin.bounds(date(2026, 3, 27) + timedelta(days=n)) for n in range(5)]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))


def test_a_night_shift_belongs_to_the_day_it_starts_on_up_to_the_next_day_start() -> None:
    night = Calendar("Asia/Seoul", time(8), {0: ((time(20), time(10)),)})
    monday, tuesday = night.planned_spans(date(2026, 11, 23)), night.planned_spans(date(2026, 11, 24))
    assert monday.length() == 12 * HOUR
    assert tuesday.length() == 2 * HOUR


def test_only_a_declared_piece_makes_a_schedule() -> None:
    assert SEOUL.has_schedule()
    assert not Calendar("Asia/Seoul", time(8), {0: ()}).has_schedule()


@given(
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.times(),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - hypothesis wants naive bounds
)
def test_every_instant_lies_in_exactly_the_day_that_it_is_said_to(zone: str, start: time, when: datetime) -> None:
    calendar = Calendar(zone, start.replace(microsecond=0))
    instant = int(when.replace(tzinfo=UTC).timestamp()) * SECOND
    low, high = calendar.bounds(calendar.day_of(instant))
    assert low <= instant < high


@given(st.lists(st.tuples(st.integers(0, 6), st.times(), st.times()), max_size=6), st.times())
def test_planned_time_of_a_week_is_never_counted_twice(pieces: list[tuple[int, time, time]], start: time) -> None:
    planned: dict[int, tuple[tuple[time, time], ...]] = {}
    for day, begin, end in pieces:
        planned[day] = (*planned.get(day, ()), (begin.replace(microsecond=0), end.replace(microsecond=0)))
    calendar = Calendar("Europe/Berlin", start.replace(microsecond=0), planned)
    days = [calendar.planned_spans(date(2026, 3, 23) + timedelta(days=n)) for n in range(9)]
    assert union(*days).length() == sum(d.length() for d in days)
    assert all(not len(intersection(a, b)) for a, b in itertools.pairwise(days))


def test_a_night_shift_that_begins_after_midnight_belongs_to_the_day_before() -> None:
    tuesday_night = {2: ((time(2), time(6)),)}  # written for the Wednesday on whose date it begins
    calendar = Calendar("Asia/Seoul", time(8), tuesday_night)
    tuesday, wednesday = date(2026, 11, 24), date(2026, 11, 25)
    begin = int(datetime(2026, 11, 24, 17, tzinfo=UTC).timestamp()) * SECOND  # 02:00 of Wednesday in Seoul
    assert list(calendar.planned_spans(tuesday)) == [(begin, begin + 4 * 3600 * SECOND)]
    assert not len(calendar.planned_spans(wednesday))
