"""V01 State coverage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from readiness.indicators.base import Census, Missing
from readiness.indicators.v01 import evaluate
from readiness.plant import About, Meaning
from tests.readiness.indicators.press import (
    EXECUTING,
    FAULT,
    LABELS,
    OFF,
    SETUP,
    STANDBY,
    STATE,
    found,
    lost,
    mean,
    pieces,
    press,
    reason,
    shift,
)
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story
from tests.readiness.plant import DAY

STORY = Story()
CLOCK, PLANNED, STATES = STORY.clock(), STORY.planned(), shift(STORY)


def of(**about: Any) -> Any:
    return evaluate(press(**about).view(), "press")


def test_run_idle_and_fault_told_apart_known_and_consistent_are_one() -> None:
    outcome = of()
    assert isinstance(outcome, Census)
    assert (mean(outcome), outcome.n) == (1.0, 10)
    assert outcome.shown["seen"] == "fault idle run"
    assert outcome.shown["consistency"] == 1.0


@pytest.mark.parametrize("missing", ["executing", "fault"])
def test_a_state_that_nobody_declared_makes_it_zero(missing: str) -> None:
    meanings = {label: state for label, state in STATE.states.items() if state != missing}
    assert mean(of(meanings={"state": Meaning(role="state", states=meanings)})) == 0.0


def test_any_of_standby_setup_and_off_is_idle() -> None:
    for state in (STANDBY, SETUP, OFF):
        row = np.where((STATES == EXECUTING) | (STATES == FAULT), STATES, state)
        assert mean(of(state=row)) == 1.0


def test_a_fault_that_is_declared_and_never_came_is_neither_proven_nor_refuted() -> None:
    calm = np.where(STATES == FAULT, STANDBY, STATES)
    assert reason(of(state=calm)) == "NA_NO_EVIDENCE"
    long = Story(days=42)
    day = np.arange(long.n) // long.per_day
    row = np.where((shift(long) == FAULT) & (day > 3), STANDBY, shift(long))
    assert mean(of(days=42, length=28, state=row)) == 1.0  # it came before the window


@pytest.mark.parametrize(("minutes", "value"), [(35, 1.0), (37, 0.0)])
def test_at_most_a_twentieth_of_planned_time_is_unknown(minutes: int, value: float) -> None:
    dark = (CLOCK >= 4) & (4 + minutes / 60 - 1e-9 > CLOCK)  # of 720 minutes
    outcome = found(of(tracks={"state": (lost(STATES, dark), LABELS)}))
    assert mean(outcome) == value
    assert outcome.shown["unknown_share"] == pytest.approx(minutes / 720, abs=1e-6)


def test_our_own_outages_are_not_unknown() -> None:
    dark = (CLOCK >= 4) & (CLOCK < 6)
    state = {"state": (lost(STATES, dark), LABELS)}
    assert mean(of(tracks=state)) == 0.0
    assert mean(of(tracks=state, censored=dark)) == 1.0


def test_a_lamp_that_only_says_power_on_fails_against_the_counter() -> None:
    lamp = np.where(PLANNED & (STATES != FAULT) & (CLOCK < 11.9), EXECUTING, STATES)
    outcome = found(
        of(tracks={"state": (np.where(CLOCK > 11.8, STANDBY, lamp), LABELS)}, counters={"total": pieces(STATES)})
    )
    assert mean(outcome) == 0.0
    assert outcome.shown["consistency"] == pytest.approx(1 - 1 / 12, abs=0.01)  # an hour of setup and standby


def test_states_that_could_not_be_checked_are_undetermined() -> None:
    assert reason(of(without=("total", "good", "reject"))) == "NA_NO_EVIDENCE"


def test_a_machine_without_a_state_is_zero_only_if_nobody_else_collects_it() -> None:
    assert reason(of(without=("state",))) == "NA_NO_EVIDENCE"
    alone = of(without=("state",), about={"about": {"press": About(elsewhere="no")}})
    assert (mean(alone), alone.flags) == (0.0, ("NOT_COLLECTED",))
    elsewhere = {"about": {"press": About(elsewhere="yes")}}
    assert reason(of(without=("state",), about=elsewhere)) == "NA_NO_EVIDENCE"


def test_roles_and_meanings_wait_for_a_person() -> None:
    guess = {"state": Meaning(role="state", origin="guess", states=STATE.states)}
    told = {"about": {"press": About(elsewhere="no")}}
    assert reason(of(meanings=guess, about=told)) == "NA_ROLE_UNCONFIRMED"
    assert reason(of(meanings={"state": Meaning(role="state")})) == "NA_ROLE_UNCONFIRMED"
    assert reason(of(calendar=WITHOUT_SCHEDULE)) == "NA_NO_SCHEDULE"
    assert reason(of(days=9)) == "NA_SHORT_WINDOW"


def test_a_machine_without_a_counter_of_rejects_can_prove_its_states_too() -> None:
    """State and total alone leave two rules, too few for a score of Q08 and enough to unmask a lamp."""
    plain = {"without": ("good", "reject")}
    outcome = found(of(**plain))
    assert (mean(outcome), outcome.shown["consistency"]) == (1.0, 1.0)
    lamp = np.where(PLANNED & (STATES != FAULT) & (CLOCK < 11.9), EXECUTING, STATES)
    said = {"state": (np.where(CLOCK > 11.8, STANDBY, lamp), LABELS)}
    assert mean(of(tracks=said, counters={"total": pieces(STATES)}, **plain)) == 0.0


@pytest.mark.parametrize(("days", "why"), [(4, "NA_SELF_FAULT"), (3, None)])
def test_ten_production_days_of_the_state_itself_are_needed(days: int, why: str | None) -> None:
    """The lamp has a link of its own, which we maintained for some days while the counter went on."""
    story = press(days=17, sources={"state": "press-lamp.main"})
    view = story.view()
    ours = {"maintenance": {"press-lamp.main": [0, DAY]}}
    kept = [structs.replace(r, censored=ours) if n < days else r for n, r in enumerate(view.days)]
    outcome = evaluate(replace(view, days=kept), "press")
    assert (outcome.reason if isinstance(outcome, Missing) else None) == why


def test_a_state_that_was_added_this_week_is_no_basis_yet() -> None:
    story = press(sources={"state": "press-lamp.main"})
    view = story.view()
    lamp = {"press-lamp.main"}
    kept = [
        structs.replace(r, sources=[p for p in r.sources if n >= 9 or p.source not in lamp])
        for n, r in enumerate(view.days)
    ]
    assert reason(evaluate(replace(view, days=kept), "press")) == "NA_SHORT_WINDOW"
