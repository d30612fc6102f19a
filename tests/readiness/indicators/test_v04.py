"""V04 Cycle-time tracking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from readiness.indicators.v04 import evaluate
from readiness.plant import About, Meaning
from tests.readiness.indicators.press import EXECUTING, found, lost, mean, press, reason, shift
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

STORY = Story()
CLOCK, PLANNED, STATES = STORY.clock(), STORY.planned(), shift(STORY)
WORK = np.cumsum(STATES == EXECUTING)
ALONE = {"without": ("good", "reject")}
CYCLE = 24
"""Minutes; each is read, so that the interval is 4.2 % of it."""
SLOW = WORK // CYCLE


def of(**about: Any) -> Any:
    return evaluate(press(**{**ALONE, **about}).view(), "press")


def bit(minutes: int) -> Any:
    """Return a cycle signal that is true for the first half of each cycle."""
    return {
        "tracks": {"cycle": ((WORK % minutes < minutes // 2).astype(np.int64), (False, True))},
        "meanings": {"cycle": Meaning(role="cycle")},
    }


def test_pieces_that_come_one_by_one_have_a_cycle_time_of_their_own() -> None:
    outcome = found(of(counters={"total": SLOW}))
    assert mean(outcome) == 1.0
    assert outcome.shown["pieces"] == (np.diff(SLOW) * PLANNED[1:]).sum()


def test_pieces_that_come_several_at_a_time_have_none() -> None:
    hourly = WORK // 60
    assert mean(of(counters={"total": 3 * hourly + hourly % 2})) == 0.0  # now by two, now by four
    half = hourly + np.cumsum((np.diff(hourly, prepend=0) > 0) & (CLOCK > 6))
    steps = np.diff(half, prepend=half[0])
    expected = (steps == 1).sum() / steps.sum()
    assert mean(of(counters={"total": half})) == pytest.approx(expected, abs=1e-9)


def test_a_counter_of_which_a_piece_takes_several_counts_leaps_by_one_piece() -> None:
    strokes = {"total": Meaning(role="count_total", factor=0.25)}
    assert mean(of(counters={"total": 4 * SLOW}, meanings=strokes)) == 1.0
    assert reason(of(counters={"total": 4 * SLOW})) == "NA_NO_EVIDENCE"  # four cavities, or every fourth piece
    double = np.where(SLOW % 4 == 1, SLOW - 1, SLOW)  # one of four comes late, with the next
    steps = np.diff(double)
    assert mean(of(counters={"total": 4 * double}, meanings=strokes)) == pytest.approx(
        (steps == 1).sum() / steps.sum(), abs=0.01
    )


def test_pieces_that_came_over_a_gap_have_none() -> None:
    dark = (CLOCK >= 4) & (CLOCK < 5)
    row = lost(SLOW, dark)
    there = row[row >= 0]
    at = np.flatnonzero(row >= 0)
    step = np.diff(there)
    single = (step == 1) & (np.diff(at) == 1)
    assert mean(of(counters={"total": row})) == pytest.approx(single.sum() / step.sum(), abs=0.01)


def test_pieces_that_came_while_we_were_away_ourselves_are_left_out() -> None:
    dark = (CLOCK >= 4) & (CLOCK < 5)
    row = lost(SLOW, dark)
    assert mean(of(counters={"total": row})) < 0.95
    assert mean(of(counters={"total": row}, censored=dark)) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("minutes", "value"), [(21, 1.0), (19, 0.0)])
def test_the_interval_is_at_most_a_twentieth_of_the_cycle(minutes: int, value: float) -> None:
    outcome = found(of(counters={"total": WORK // minutes}))
    assert mean(outcome) == value
    assert outcome.flags == (() if value else ("INTERVAL_TOO_COARSE",))


def test_a_cycle_signal_tells_them_where_the_counter_does_not() -> None:
    outcome = found(of(counters={"total": WORK // 60 * 2}, **bit(60)))
    begun = np.diff(bit(60)["tracks"]["cycle"][0]) > 0
    assert mean(outcome) == pytest.approx(begun.sum() / (2 * (WORK[-1] // 60)), abs=0.02)
    only = found(of(**bit(CYCLE), without=("total", "good", "reject")))
    assert mean(only) == 1.0


def test_batches_are_no_pieces() -> None:
    for kind in ("batch", "continuous"):
        about = {"about": {"press": About(kind=kind)}}
        assert reason(of(counters={"total": SLOW}, about=about)) == "NOT_APPLICABLE"


def test_what_is_withheld_is_missing_and_zero_only_if_nobody_else_collects_it() -> None:
    bare = {"without": ("total", "good", "reject")}
    assert reason(of(**bare)) == "NA_NO_EVIDENCE"
    assert mean(of(**bare, about={"about": {"press": About(elsewhere="no")}})) == 0.0
    guess = {"total": Meaning(role="count_total", origin="guess")}
    assert reason(of(meanings=guess)) == "NA_ROLE_UNCONFIRMED"
    assert reason(of(counters={"total": np.ones(STORY.n, np.int64)})) == "NA_NO_EVIDENCE"
    assert reason(of(calendar=WITHOUT_SCHEDULE)) == "NA_NO_SCHEDULE"


def test_several_pieces_of_one_cycle_are_tracked_by_the_cycle() -> None:
    """A mould with 16 cavities: the cycle is that of the machine, not a sixteenth of it."""
    slow = {"counters": {"total": SLOW}, "meanings": {"total": Meaning(role="count_total", factor=16.0)}}
    outcome = found(of(**slow))
    assert (mean(outcome), outcome.flags) == (1.0, ())
    assert outcome.shown["cycle_s"] == pytest.approx(CYCLE * 60, rel=0.02)
    # The other way round a piece takes four strokes, and its own time is known as finely.
    four = {"counters": {"total": WORK // 6}, "meanings": {"total": Meaning(role="count_total", factor=0.25)}}
    assert mean(of(**four)) == 1.0


def test_a_cycle_that_makes_four_pieces_tells_of_all_of_them() -> None:
    cycle = bit(CYCLE)
    cycle["meanings"]["cycle"] = Meaning(role="cycle", factor=4.0)
    outcome = found(of(counters={"total": 4 * SLOW}, **cycle))
    assert mean(outcome) == pytest.approx(1.0, abs=0.01)


def test_an_interval_of_exactly_a_twentieth_is_fine_enough() -> None:
    assert mean(of(counters={"total": WORK // 20})) == 1.0


def test_a_counter_that_always_leaps_alike_tells_no_cycle_times_and_no_averages() -> None:
    """Four cavities, whose pieces share a cycle that is known, or every fourth piece: only a cycle signal knows."""
    leaps = of(counters={"total": 4 * SLOW})
    assert reason(leaps) == "NA_NO_EVIDENCE"
    assert leaps.shown == {"pieces_a_leap": 4.0}
    twice = {"total": Meaning(role="count_total", factor=2.0)}
    assert of(counters={"total": 4 * SLOW}, meanings=twice).shown == {"pieces_a_leap": 8.0}
    cavities = bit(CYCLE)
    cavities["meanings"]["cycle"] = Meaning(role="cycle", factor=4.0)
    assert mean(of(counters={"total": 4 * SLOW}, **cavities)) == pytest.approx(1.0, abs=0.01)


def test_leaps_that_differ_or_come_with_each_reading_are_averages() -> None:
    by_time = WORK // CYCLE * 4 + (WORK // CYCLE) % 2  # now three, now five
    assert mean(of(counters={"total": by_time})) == 0.0
    rarely = 4 * SLOW - (SLOW % 30 == 0)  # one leap in thirty is another one
    assert mean(of(counters={"total": rarely})) < 0.05
    fast = 3 * WORK  # three pieces a minute, read once a minute
    assert (mean(of(counters={"total": fast})), found(of(counters={"total": fast})).flags) == (
        0.0, ("INTERVAL_TOO_COARSE",),
    )  # fmt: skip
