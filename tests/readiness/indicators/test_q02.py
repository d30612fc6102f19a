"""Q02 Hard validity."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.indicators.q02 import evaluate
from tests.readiness.indicators.press import found, mean, noisy, press, reason, shares
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

STORY = Story()
CLOCK, PLANNED = STORY.clock(), STORY.planned()
LIMITS = {"pv": (40.0, 60.0)}


def test_time_outside_the_limits_is_lost_and_only_planned_time_counts() -> None:
    value = noisy(STORY.n)
    value[np.arange(0, STORY.n, 40)] = 99.0
    value[(CLOCK > 15) & (CLOCK < 20)] = 99.0  # at night nobody asks
    story = press(values={"pv": value}, limits=LIMITS)
    outside = (value < 40) | (value > 60)
    outcome = shares(evaluate(story.view(), "press"))
    assert mean(outcome) == pytest.approx(1 - (outside & PLANNED).sum() / PLANNED.sum(), abs=1e-12)
    by_day = (outside & PLANNED).reshape(story.days, -1).sum(axis=1) * 60e9
    assert (outcome.den - outcome.num).tolist() == pytest.approx(by_day.tolist())


def test_uncertain_readings_are_not_judged() -> None:
    value = noisy(STORY.n)
    value[(CLOCK > 2) & (CLOCK < 4)] = 99.0
    doubt = (CLOCK > 3) & (CLOCK < 4)
    story = press(values={"pv": value}, limits=LIMITS, uncertain={"pv": doubt})
    good = PLANNED & ~doubt
    assert mean(evaluate(story.view(), "press")) == pytest.approx(
        1 - (good & (value > 60)).sum() / good.sum(), abs=1e-12
    )


def test_planned_time_that_ends_within_a_quarter_hour_gets_its_part() -> None:
    value = noisy(STORY.n)
    value[(CLOCK > 2) & (CLOCK < 4)] = 99.0
    unknown = (CLOCK >= 3.4) & (CLOCK < 6)
    value[unknown] = np.nan
    story = press(values={"pv": value}, limits=LIMITS)
    good = PLANNED & ~unknown
    assert mean(evaluate(story.view(), "press")) == pytest.approx(
        1 - (good & (value > 60)).sum() / good.sum(), abs=1e-12
    )


@pytest.mark.parametrize(("width", "assessed"), [(19.9, True), (20.1, False)])
def test_a_range_wider_than_twenty_times_what_was_seen_is_unconfirmed(width: float, *, assessed: bool) -> None:
    value = noisy(STORY.n)
    seen = value.max() - value.min()
    limits = {"pv": (float(value.min()), float(value.min() + width * seen))}
    outcome = evaluate(press(values={"pv": value}, limits=limits).view(), "press")
    if assessed:
        assert mean(outcome) == 1.0
    else:
        assert reason(outcome) == "NA_ROLE_UNCONFIRMED"


def test_a_wide_range_on_one_signal_takes_that_signal_out() -> None:
    value = noisy(STORY.n)
    value[::10] = 99.0
    story = press(values={"pv": value, "other": noisy(STORY.n, 2)}, limits={**LIMITS, "other": (-1e6, 1e6)})
    outcome = found(evaluate(story.view(), "press"))
    assert outcome.flags == ("RANGE_TOO_WIDE",)
    assert (outcome.shown["signals"], outcome.shown["range_too_wide"]) == (1, 1)
    assert mean(outcome) == pytest.approx(0.9, abs=1e-12)


def test_no_range_is_made_from_the_data() -> None:
    assert reason(evaluate(press().view(), "press")) == "NA_NO_EVIDENCE"


def test_leaving_the_usual_range_is_shown_and_not_scored() -> None:
    value = noisy(STORY.n)
    story = press(values={"pv": value}, limits=LIMITS, usual={"pv": (49.0, 51.0)})
    outcome = found(evaluate(story.view(), "press"))
    away = (PLANNED & (np.abs(value - 50) > 1)).sum() / PLANNED.sum()
    assert mean(outcome) == 1.0
    assert outcome.shown["beyond_usual"] == pytest.approx(away, abs=1e-6)


def test_days_under_other_limits_do_not_count() -> None:
    value = noisy(STORY.n)
    value[::10] = 99.0
    old = {(day, "pv"): (40.0, 120.0) for day in range(7)}
    outcome = shares(evaluate(press(values={"pv": value}, limits=LIMITS, changed_limits=old).view(), "press"))
    assert outcome.flags == ("LIMITS_CHANGED",)
    assert mean(outcome) == pytest.approx(0.9, abs=1e-12)
    assert (outcome.den > 0).sum() == 5


def test_without_schedule_or_evidence_nothing_is_assessed() -> None:
    assert reason(evaluate(press(limits=LIMITS, calendar=WITHOUT_SCHEDULE).view(), "press")) == "NA_NO_SCHEDULE"
    assert reason(evaluate(press(limits=LIMITS, without=("pv",)).view(), "press")) == "NA_NO_EVIDENCE"
    assert reason(evaluate(press(limits=LIMITS, days=9).view(), "press")) == "NA_SHORT_WINDOW"
