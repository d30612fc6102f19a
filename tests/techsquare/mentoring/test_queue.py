"""The queue: nothing lost, each once, the published order; due on days on which the factory works."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techsquare.mentoring.calendar import FAR, UNTOLD, Calendar, learned
from techsquare.mentoring.notifications import TEXTS, TITLES, told
from techsquare.mentoring.queue import DAYS, KINDS, load, queue
from techsquare.mentoring.terms import Signal

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
days = st.dates(date(2026, 10, 1), date(2026, 12, 31))
signals = st.builds(
    Signal,
    kind=st.sampled_from(KINDS),
    factory=st.sampled_from(["f1", "f2", "f3"]),
    subject=st.sampled_from(["a", "b"]),
    on=days,
    by=st.none() | days,
)
calendars = st.builds(
    Calendar,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    off=st.frozensets(days, max_size=20),
    extra=st.frozensets(days, max_size=5),
)


@settings(max_examples=200, deadline=None)
@given(calendars, days, st.integers(0, 30))
def test_a_due_date_has_so_many_planned_days_before_it(calendar: Calendar, day: date, count: int) -> None:
    end = calendar.after(day, count)
    assert calendar.between(day, end) == count
    assert count == 0 or calendar.planned(end)
    assert calendar.planned(calendar.latest(end)) or not calendar.planned(end)


def test_a_factory_that_never_works_holds_nothing_up() -> None:
    never = Calendar(weekdays=frozenset())
    assert never.after(TODAY, 3) == TODAY + timedelta(days=FAR)
    assert never.latest(TODAY) == TODAY
    assert UNTOLD.after(date(2026, 11, 20), 1) == TODAY
    with pytest.raises(ValueError, match="forwards"):
        never.after(TODAY, -1)


@given(st.frozensets(st.integers(0, 6), min_size=1), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_a_calendar_is_learned_from_days_that_were_worked(weekdays: frozenset[int], today: date) -> None:
    past = [today - DAY * at for at in range(70)]
    worked = [day for day in past if day.weekday() in weekdays]
    found = learned(worked, today)
    assert found.weekdays == weekdays
    assert not found.assumed
    holidays = [day for day in worked if (today - day).days < 21]
    assert learned(set(worked) - set(holidays), today).weekdays == weekdays, (
        "three weeks of holidays change nothing"
    )
    assert learned([*worked, *past[:21]], today).weekdays == weekdays, "neither do three of overtime"
    assert learned(worked[: len(worked) // 2], today) is UNTOLD
    assert learned([], today) is UNTOLD


@settings(max_examples=200, deadline=None)
@given(st.lists(signals, max_size=25), calendars, st.randoms(use_true_random=False))
def test_each_subject_stands_once_in_the_published_order(
    open_: list[Signal], calendar: Calendar, random: object
) -> None:
    known = {"f1": calendar}
    lines = queue(open_, known, TODAY)
    keys = [(line.kind, line.factory, line.subject) for line in lines]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {(one.kind, one.factory, one.subject) for one in open_}
    assert sum(line.times for line in lines) == len(open_)
    for one, two in pairwise(lines):
        first = (not one.overdue, KINDS.index(one.kind), one.due)
        assert first <= (not two.overdue, KINDS.index(two.kind), two.due)
    for line in lines:
        mine = [
            one for one in open_ if (one.kind, one.factory, one.subject) == (line.kind, line.factory, line.subject)
        ]
        assert line.on == min(one.on for one in mine)
        usual = known.get(line.factory, UNTOLD).after(line.on, DAYS[line.kind])
        ends = [one.by for one in mine if one.by is not None]
        assert line.on <= line.due <= usual
        assert line.due == usual or line.due <= max(line.on, *ends)
        assert line.overdue == (line.due < TODAY)
        assert line.assumed == (line.factory != "f1")
    shuffled = list(open_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert queue(shuffled, known, TODAY) == lines
    told_load = load(lines, known, TODAY)
    assert told_load.lines == len(lines)
    assert told_load.overdue + told_load.soon <= len(lines)


def test_a_right_that_ends_is_due_on_the_last_day_that_the_factory_works_before_it() -> None:
    closed = Calendar(off=frozenset({date(2026, 11, 26), date(2026, 11, 27)}))
    ends = Signal("objection", "f1", "o", date(2026, 11, 25), date(2026, 11, 27))
    assert queue([ends], {"f1": closed}, TODAY)[0].due == date(2026, 11, 25)
    assert queue([Signal("stale", "f1", "o", TODAY)], {"f1": closed}, TODAY)[0].due == date(2026, 12, 9)


def test_every_kind_has_words_for_owner_and_mentor_in_both_languages() -> None:
    for kind in KINDS:
        line = queue([Signal(kind, "공장-1", "press-3", TODAY - DAY)], {}, TODAY)[0]
        for reader in ("owner", "mentor", "supplier"):
            here = told(line, reader, "ko"), told(line, reader, "en")
            if reader == "supplier" and kind in {"bankruptcy", "silence", "disagreement", "stale"}:
                assert here == (None, None)
                continue
            for one in here:
                assert one is not None
                assert "{" not in one.text
                assert one.title
                assert "공장-1" not in one.text or reader == "mentor"
                assert ("press-3" in one.text) or (kind, reader) == ("silence", "owner")
            assert here[0] is not None
            assert any("가" <= letter <= "힣" for letter in here[0].text.replace("공장-1", ""))
    assert set(TITLES) == set(KINDS) == {kind for kind, _ in TEXTS}
