"""A level changes after two windows that share no day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.report import Levels
from readiness.hysteresis import Judged, settled

FIRST = date(2026, 1, 5)
LINE = ("2026.11", "m")


def weeks(*levels: int, line: tuple[str, str] = LINE, start: int = 0) -> list[Judged]:
    """Return a window of 28 days each week; its level is one number."""
    return [
        Judged(
            FIRST + timedelta(weeks=start + k),
            FIRST + timedelta(weeks=start + k, days=27),
            Levels(level, level),
            line,
        )
        for k, level in enumerate(levels)
    ]


def level(history: list[Judged]) -> tuple[int, int] | None:
    found = settled(history)
    return None if found is None else (found.level.low, found.level.high)


def test_without_windows_there_is_no_level() -> None:
    assert settled([]) is None


def test_the_first_window_stands_as_it_is() -> None:
    found = settled(weeks(1))
    assert found is not None
    assert (found.level, found.since, found.waiting) == (Levels(1, 1), FIRST, None)


def test_a_new_level_waits_for_a_window_without_common_days() -> None:
    for seen in (1, 2, 3, 4):
        found = settled(weeks(1, *[2] * seen))
        assert found is not None
        assert (found.level, found.waiting) == (Levels(1, 1), Levels(2, 2)), seen
    found = settled(weeks(1, 2, 2, 2, 2, 2))
    assert found is not None
    # The fifth window begins when the first with the new level has ended.
    assert (found.level, found.since, found.waiting) == (Levels(2, 2), FIRST + timedelta(weeks=1), None)


def test_a_window_with_one_common_day_confirms_nothing() -> None:
    def judged(start: int, level: int) -> Judged:
        return Judged(FIRST + timedelta(start), FIRST + timedelta(start + 27), Levels(level, level), LINE)

    assert level([judged(0, 1), judged(7, 2), judged(34, 2)]) == (1, 1)
    assert level([judged(0, 1), judged(7, 2), judged(35, 2)]) == (2, 2)


def test_the_lower_end_never_stands_above_the_upper_one() -> None:
    """The lower end is the same for weeks, the upper one flickers and is never confirmed."""
    rows = weeks(1, 3, 3, 3, 3, 3)
    shown = [Judged(j.first, j.last, Levels(j.level.low, j.level.high + k % 2), j.line) for k, j in enumerate(rows)]
    assert level(shown) == (1, 1)


def test_a_window_between_that_says_otherwise_begins_anew() -> None:
    assert level(weeks(1, 2, 2, 1, 2, 2, 2, 2)) == (1, 1)
    assert level(weeks(1, 2, 2, 1, 2, 2, 2, 2, 2)) == (2, 2)


def test_each_end_changes_on_its_own() -> None:
    rows = weeks(1, 1, 1, 1, 1, 1)
    open_ = [Judged(j.first, j.last, Levels(1, 2 if k else 1), j.line) for k, j in enumerate(rows)]
    assert level(open_) == (1, 2)


def test_another_model_breaks_the_line() -> None:
    before, after = weeks(3, 3, 3, 3, 3), weeks(1, line=("2026.12", "m"), start=5)
    found = settled([*before, *after])
    assert found is not None
    assert (found.level, found.since) == (Levels(1, 1), after[0].first)
    back = weeks(2, start=6)  # the old model again: the line was broken all the same
    assert level([*before, *after, *back]) == (2, 2)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.randoms())
def test_windows_may_come_in_any_order_and_the_level_was_seen_twice(levels: list[int], rng: object) -> None:
    history = weeks(*levels)
    found = settled(history)
    assert found is not None
    mixed = list(history)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert settled(mixed) == found
    if found.level != history[0].level:
        seen = [j for j in history if j.level == found.level]
        assert any(b.first > a.last for a in seen for b in seen)
    if len(levels) <= 4:
        assert found.level == history[0].level
