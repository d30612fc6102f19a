"""Q03 Signals not stuck."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from readiness.indicators.q03 import evaluate
from readiness.plant import ControlLoop
from tests.readiness.indicators.press import EXECUTING, LABELS, PV, STATE, found, mean, noisy, press, reason, shift
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

WEEKS = {"days": 28, "length": 14}
STORY = Story(days=28)
CLOCK, DAY = STORY.clock(), np.arange(STORY.n) // STORY.per_day
STATES = shift(STORY)
WINDOW = DAY >= 14
AT_WORK = STATES == EXECUTING


def frozen(days: range, start: float, end: float, value: Any = None) -> Any:
    """Return a value that stands still from one hour of some days to another."""
    row = noisy(STORY.n) if value is None else value.copy()
    row[np.isin(DAY, list(days)) & (start <= CLOCK) & (end > CLOCK)] = 50.0
    return row


def test_a_value_that_moves_is_not_stuck() -> None:
    outcome = found(evaluate(press(**WEEKS).view(), "press"))
    assert mean(outcome) == 1.0
    assert outcome.flags == ()
    assert outcome.shown["baseline_days"] == 10


def test_frozen_time_is_stuck_while_the_machine_executes_and_only_then() -> None:
    row = frozen(range(21, 23), 4, 8)  # with half an hour of standby from 6 on
    outcome = evaluate(press(values={"pv": row}, **WEEKS).view(), "press")
    stuck = AT_WORK & np.isin(DAY, [21, 22]) & (CLOCK >= 4) & (CLOCK < 8)
    assert mean(outcome) == pytest.approx(1 - stuck.sum() / (AT_WORK & WINDOW).sum(), abs=1e-3)
    idle = frozen(range(21, 26), 6, 6.5)  # standing still while standing by is no wonder
    assert mean(evaluate(press(values={"pv": idle}, **WEEKS).view(), "press")) == 1.0


def test_a_freeze_over_the_end_of_a_day_is_one_run() -> None:
    story = Story(days=28)
    state = np.full(story.n, EXECUTING)
    row = noisy(story.n)
    midnight = 22 * story.per_day
    row[midnight - 4 : midnight + 4] = 50.0  # 4 minutes on each side; the baseline knows 5
    for day in range(14):
        row[day * story.per_day + 100 : day * story.per_day + 105] = 50.0
    outcome = found(evaluate(press(state=state, values={"pv": row}, **WEEKS).view(), "press"))
    # Planned time begins with the day, so that half of the run counts.
    assert mean(outcome) == pytest.approx(1 - 4 / (10 * 720), abs=2e-4)


def test_what_is_slow_by_nature_is_not_stuck() -> None:
    row = np.repeat(noisy(STORY.n // 10), 10)[: STORY.n]  # another value each ten minutes
    assert mean(evaluate(press(values={"pv": row}, **WEEKS).view(), "press")) == 1.0
    held = frozen(range(21, 22), 4, 6, row)
    stuck = 2 * 60 / (AT_WORK & WINDOW).sum()
    assert mean(evaluate(press(values={"pv": held}, **WEEKS).view(), "press")) == pytest.approx(1 - stuck, abs=2e-3)


def test_a_whole_number_that_left_only_a_track_is_looked_at_as_well() -> None:
    codes = np.arange(STORY.n) // 3 % 20
    held = (DAY == 21) & (CLOCK >= 4) & (CLOCK < 6)
    codes[held] = 7
    story = press(tracks={"level": (codes, tuple(range(20)))}, meanings={"level": PV}, without=("pv",), **WEEKS)
    outcome = found(evaluate(story.view(), "press"))
    assert outcome.shown["signals"] == 1
    assert mean(outcome) == pytest.approx(1 - 120 / (AT_WORK & WINDOW).sum(), abs=1e-3)


def test_many_runs_that_are_not_kept_one_by_one_are_counted_too() -> None:
    row = noisy(STORY.n)
    for start in range(21 * STORY.per_day, 21 * STORY.per_day + 180, 2):
        row[start : start + 2] = 50 + start  # 90 runs of two minutes, where one is usual; 64 are kept
    outcome = evaluate(press(values={"pv": row}, **WEEKS).view(), "press")
    assert mean(outcome) == pytest.approx(1 - 180 / (AT_WORK & WINDOW).sum(), abs=5e-3)


def test_a_baseline_is_not_learned_on_days_on_which_the_signal_looks_stuck() -> None:
    learned = frozen(range(3), 0, 12)
    late = frozen(range(21, 22), 4, 6, learned)
    outcome = found(evaluate(press(values={"pv": late}, **WEEKS).view(), "press"))
    assert outcome.shown["baseline_days"] == 7
    assert mean(outcome) == pytest.approx(1 - 120 / (AT_WORK & WINDOW).sum(), abs=2e-3)
    short = frozen(range(3), 3.5, 5.5, late)  # a few hours are ten times what is common
    again = found(evaluate(press(values={"pv": short}, **WEEKS).view(), "press"))
    assert again.shown["baseline_days"] == 7


def test_days_with_bad_status_teach_nothing() -> None:
    bad = np.isin(DAY, range(2)) & (CLOCK < 6)
    row = noisy(STORY.n)
    row[bad] = np.nan
    outcome = found(evaluate(press(values={"pv": row}, bad={"pv": bad}, **WEEKS).view(), "press"))
    assert outcome.shown["baseline_days"] == 8


def test_a_baseline_out_of_the_window_is_flagged() -> None:
    outcome = found(evaluate(press(days=14).view(), "press"))
    assert outcome.flags == ("BASELINE_IN_WINDOW",)
    assert outcome.shown["baseline_days"] == 5


def test_without_five_good_days_nothing_is_said() -> None:
    stuck = frozen(range(28), 0, 24)
    assert reason(evaluate(press(values={"pv": stuck}, **WEEKS).view(), "press")) == "NA_SHORT_WINDOW"
    other = found(
        evaluate(press(values={"pv": stuck, "b": noisy(STORY.n)}, meanings={"b": PV}, **WEEKS).view(), "press")
    )
    assert (other.flags, other.shown["without_baseline"]) == (("NO_BASELINE",), 1)


def test_a_loop_that_holds_its_value_within_a_band_is_left_out() -> None:
    row = frozen(range(21, 26), 4, 8)
    loop = ControlLoop(machine="press", name="temp", sp="sp", pv="pv", band=1.0)
    held = press(values={"pv": row}, about={"loops": (loop,)}, **WEEKS)
    assert reason(evaluate(held.view(), "press")) == "NA_NO_EVIDENCE"
    open_ = ControlLoop(machine="press", name="temp", sp="sp", pv="pv")
    assert mean(evaluate(press(values={"pv": row}, about={"loops": (open_,)}, **WEEKS).view(), "press")) < 0.9


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"calendar": WITHOUT_SCHEDULE}, "NA_NO_SCHEDULE"),
        ({"without": ("pv",)}, "NA_NO_EVIDENCE"),
        ({"without": ("state",)}, "NA_NO_EVIDENCE"),
        ({"tracks": {"state": (np.full(STORY.n, -1), LABELS)}}, "NA_NO_EVIDENCE"),
        ({"meanings": {"pv": type(PV)(role="pv", origin="guess")}}, "NA_ROLE_UNCONFIRMED"),
        ({"meanings": {"state": type(STATE)(role="state", origin="guess")}}, "NA_ROLE_UNCONFIRMED"),
    ],
)
def test_what_is_withheld_is_missing(about: dict[str, Any], why: str) -> None:
    assert reason(evaluate(press(**{**WEEKS, **about}).view(), "press")) == why
