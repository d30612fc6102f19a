"""V05 Stop reasons known."""

from __future__ import annotations

import math
from datetime import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from readiness.indicators.base import Given, Shares
from readiness.indicators.v05 import evaluate
from readiness.plant import About, Meaning, StopReason
from readiness.reasons import entropy
from readiness.schedule import Calendar
from readiness.stats import wilson
from tests.readiness.indicators.press import EXECUTING, LABELS, STANDBY, found, given, mean, press, reason, shares
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story

if TYPE_CHECKING:
    from readiness.records import Label

STORY = Story()
CLOCK, DAY, PLANNED = STORY.clock(), np.arange(STORY.n) // STORY.per_day, STORY.planned()
WORDS: dict[Label, str] = {0: "", 1: "자재 대기", 2: "금형 교체", 3: "설비 고장", 4: "기타"}


def stopping(minutes: tuple[int, ...], days: int = 14) -> Any:
    """Return states with stops of these lengths, at the 1st, 2nd... hour of the first days."""
    state = np.where(PLANNED, EXECUTING, 4)
    for hour, length in enumerate(minutes, 1):
        state[PLANNED & (days > DAY) & (hour <= CLOCK) & (hour + length / 60 - 1e-9 > CLOCK)] = STANDBY
    return state


def told(codes: tuple[int, ...], minutes: tuple[int, ...], days: int = 14) -> Any:
    """Return a reason signal that shows a code during each of these stops."""
    row = np.zeros(STORY.n, np.int64)
    for hour, (code, length) in enumerate(zip(codes, minutes, strict=True), 1):
        row[PLANNED & (days > DAY) & (hour <= CLOCK) & (hour + length / 60 - 1e-9 > CLOCK)] = code
    return {
        "state": stopping(minutes, days),
        "tracks": {"reason": (row, tuple(WORDS))},
        "meanings": {"reason": Meaning(role="reason", reasons=WORDS)},
    }


def of(**about: Any) -> Any:
    return evaluate(press(**about).view(), "press")


MINUTES = (10, 20, 30, 15)


def test_stop_time_with_a_specific_reason_counts() -> None:
    outcome = shares(of(**told((1, 2, 0, 3), MINUTES)))
    assert mean(outcome) == pytest.approx(45 / 75)
    assert (outcome.num > 0).sum() == 10
    assert outcome.shown["stops"] == 40
    assert outcome.shown["manual"] == pytest.approx(45 / 75)
    assert outcome.shown["automatic"] == 0.0
    parts = [10 / 45, 20 / 45, 15 / 45]
    assert outcome.shown["entropy_bits"] == pytest.approx(-sum(p * math.log2(p) for p in parts), abs=1e-4)


def test_stops_below_five_minutes_are_none() -> None:
    outcome = found(of(**told((1, 2, 3, 3), (4, 10, 10, 10))))
    assert outcome.shown["stops"] == 30
    assert mean(outcome) == 1.0 / 2  # two thirds say one reason: halved


def test_alarms_are_automatic_if_somebody_said_that_they_name_a_reason() -> None:
    story = told((0, 0, 0, 0), MINUTES)
    alarm = PLANNED & (CLOCK >= 2) & (CLOCK < 2 + 20 / 60)
    rows = {"jam": (alarm.astype(np.int64), (False, True))}
    vague = {**story, "tracks": {**story["tracks"], **rows}}
    vague["meanings"] = {**story["meanings"], "jam": Meaning(role="alarm")}
    assert mean(of(**vague)) == 0.0
    vague["meanings"] = {**story["meanings"], "jam": Meaning(role="alarm", specific=True)}
    outcome = found(of(**vague))
    assert outcome.shown["automatic"] == pytest.approx(20 / 75, abs=1e-6)
    assert outcome.flags == ("ONE_REASON_TOO_OFTEN",)


def entered(day: int, hour: int, late_h: float, text: str = "자재 대기") -> StopReason:
    start = STORY.at(day * STORY.per_day + hour * 60)
    end = start + MINUTES[hour - 1] * 60 * 10**9
    return StopReason(machine="press", from_ns=start, to_ns=end, reason=text, entered_ns=end + int(late_h * 3600e9))


def test_what_a_person_enters_within_a_day_counts() -> None:
    days = [d for d in range(14) if d % 7 < 5]
    texts = ("자재 대기", "금형 교체", "설비 고장", "청소")
    reasons = [entered(d, h, 23.9, texts[h - 1]) for d in days for h in (1, 2, 3, 4)]
    late = [entered(d, h, 24.1 if h == 3 else 1, texts[h - 1]) for d in days for h in (1, 2, 3, 4)]
    story = {"state": stopping(MINUTES, 14)}
    assert mean(of(**story, about={"reasons": reasons})) == 1.0
    outcome = found(of(**story, about={"reasons": late}))
    assert mean(outcome) == pytest.approx(45 / 75)


@pytest.mark.parametrize(("other", "worth"), [(8, 1.0), (25, 0.5)])
def test_too_much_other_halves_the_value(other: int, worth: float) -> None:
    minutes = (12, 12, 12, other)
    outcome = found(of(**told((1, 2, 3, 4), minutes)))
    assert mean(outcome) == pytest.approx(worth * 36 / (36 + other))
    assert outcome.flags == (() if worth == 1 else ("OTHER_TOO_OFTEN",))


@pytest.mark.parametrize(("one", "worth"), [(20, 1.0), (50, 0.5)])
def test_too_much_of_one_reason_halves_the_value(one: int, worth: float) -> None:
    outcome = found(of(**told((1, 2, 3), (10, 10, one))))
    assert mean(outcome) == pytest.approx(worth)
    assert outcome.flags == (() if worth == 1 else ("ONE_REASON_TOO_OFTEN",))


def test_below_twenty_stops_the_interval_is_that_of_so_many_stops() -> None:
    outcome = given(of(**told((1, 2, 0, 3), MINUTES, days=4)))
    share = 45 / 75
    worth = 4 * 75**2 / sum(m * m for m in MINUTES)
    assert mean(outcome) == pytest.approx(share)
    assert (outcome.lo, outcome.hi) == pytest.approx(wilson(share, worth))
    assert isinstance(of(**told((1, 2, 0, 3), MINUTES, days=5)), Shares)
    assert isinstance(outcome, Given)


def test_a_machine_that_never_stood_says_nothing() -> None:
    story = told((), ())
    assert reason(of(**story)) == "NA_FEW_EVENTS"


def test_what_is_withheld_is_missing_and_zero_only_if_nobody_else_collects_it() -> None:
    assert reason(of()) == "NA_NO_EVIDENCE"
    assert mean(of(about={"about": {"press": About(elsewhere="no")}})) == 0.0
    guess = told((1, 2, 0, 3), MINUTES)
    guess["meanings"] = {"reason": Meaning(role="reason", origin="guess", reasons=WORDS)}
    assert reason(of(**guess)) == "NA_ROLE_UNCONFIRMED"
    assert reason(of(**{**told((1, 2, 0, 3), MINUTES), "without": ("state",)})) == "NA_NO_EVIDENCE"
    assert reason(of(**{**told((1, 2, 0, 3), MINUTES), "calendar": WITHOUT_SCHEDULE})) == "NA_NO_SCHEDULE"


def test_a_state_that_is_never_known_shows_no_stops() -> None:
    story = told((1, 2, 0, 3), MINUTES)
    dark = {**story["tracks"], "state": (np.full(STORY.n, NOTHING), LABELS)}
    assert reason(of(**{**story, "tracks": dark})) == "NA_NO_EVIDENCE"


def test_entropy_is_shannons() -> None:
    assert entropy({}) == 0.0
    assert entropy({"a": 5}) == 0.0
    assert entropy({"a": 1, "b": 1, "c": 2}) == pytest.approx(1.5)


def test_a_fault_over_a_planned_break_is_explained_on_both_sides() -> None:
    """Lunch is no planned time: the reason that was given at 11:30 still holds at 13:00 in the same fault."""
    lunch = Calendar("Asia/Seoul", time(8), {d: ((time(8), time(12)), (time(13), time(20))) for d in range(5)})
    fault = PLANNED & (CLOCK >= 3.5) & (CLOCK < 5.5)
    code = (fault & (CLOCK >= 3.6)).astype(np.int64) * (1 + DAY % 3)
    state = np.where(fault, 3, np.where(PLANNED, EXECUTING, 4))
    about = {
        "state": state,
        "tracks": {"reason": (code, tuple(WORDS))},
        "meanings": {"reason": Meaning(role="reason", reasons=WORDS)},
        "calendar": lunch,
    }
    outcome = found(of(**about))
    assert (outcome.shown["stops"], mean(outcome)) == (20, 1.0)
    # What is shown from before another state says nothing, and a machine that ran in between has stopped anew.
    for hour, between in ((4.5, EXECUTING), (4.9, STANDBY)):
        other = np.where(PLANNED & (hour <= CLOCK) & (hour + 0.05 > CLOCK), between, state)
        assert mean(of(**{**about, "state": other})) == pytest.approx(0.5, abs=0.02)
