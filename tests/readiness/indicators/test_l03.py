"""L03 Alert-to-action lift."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.base import Given, Missing, Outcome
from readiness.indicators.l03 import INDICATOR
from readiness.matching import first_out
from readiness.plant import ControlLoop, Meaning
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import MODE, presses, told, view_of, working

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

STEP = 60
BASE = working(28, STEP)
STATE = BASE.tracks["state"][0]
PLANNED = BASE.planned()
PLANNED_DAYS = [day for day in range(28) if day % 7 < 5]
ALERT = Meaning(role="alarm", action=True)
BUTTON = Meaning(role="intervention")
RNG = np.random.default_rng(12)


def spread(per_day: int, first: int = 60, last: int = 640) -> Ints:
    """Return readings at which alerts come, at least half an hour apart within a day."""
    at = []
    for day in PLANNED_DAYS:
        places = RNG.choice((last - first) // 40, per_day, replace=False) * 40 + first + RNG.integers(0, 9)
        at += (day * BASE.per_day + places).tolist()
    return np.array(sorted(at))


AT = spread(2)


def world(alerts: Ints, actions: Ints, **said: object) -> Story:
    alert = replace(ALERT, **said)  # type: ignore[arg-type]
    return told(BASE, jam=(*presses(BASE, alerts, 3), alert), reset=(*presses(BASE, actions), BUTTON))


def measure(story: Story) -> Outcome:
    return INDICATOR.evaluate(view_of(story), "press")


def found(story: Story) -> Given:
    given = measure(story)
    assert isinstance(given, Given)
    return given


BACK = -(-125 // STEP)
"""Five seconds and two readings before, in readings: how long before the alert its state is looked at."""


def acted(at: int, actions: Ints) -> bool:
    # A press at the very instant of the alert is no answer to it; one at the end of the window is.
    return bool(np.isin(np.arange(at + 1, at + 16), actions).any())


def resembles(at: int, then: int, jam: Ints) -> bool:
    """Return whether a window is whole, in the same state, and far from any alert."""
    if then - 16 < 0 or then + 16 > BASE.n or not PLANNED[then : then + 15].all():
        return False
    return bool(STATE[then - BACK] == STATE[at - BACK] and not jam[then - 15 : then + 16].any())


def brute(alerts: Ints, actions: Ints) -> tuple[float, float]:
    """Return the lift and the share given an alert, by looking at each reading."""
    differences, given = [], []
    jam = presses(BASE, alerts, 3)[0]
    for at in alerts.tolist():
        if not PLANNED[at : at + 15].all():
            continue
        shares = []
        for day in PLANNED_DAYS:
            thens = [day * BASE.per_day + at % BASE.per_day + shift for shift in (0, -10, 10, -20, 20, -30, 30)]
            hits = [acted(then, actions) for then in thens if resembles(at, then, jam)]
            if hits and day != at // BASE.per_day:
                shares.append(sum(hits) / len(hits))
        if shares:
            differences.append(acted(at, actions) - sum(shares) / len(shares))
            given.append(acted(at, actions))
    return float(np.mean(differences)), float(np.mean(given))


@pytest.mark.parametrize("habit", [False, True])
def test_the_lift_is_what_looking_at_each_reading_says(habit: bool) -> None:  # noqa: FBT001
    answered = AT[RNG.random(len(AT)) < 0.7] + 7
    others = spread(6)
    actions = np.unique(np.concatenate([answered, others]) if habit else answered)
    given = found(world(AT, actions))
    lift, share = brute(AT, actions)
    assert given.value == pytest.approx(lift, abs=1e-9)
    assert given.shown["given_alert"] == pytest.approx(share)
    assert given.lo < given.value < given.hi
    assert given.shown["alerts"] == len(AT)


def test_where_changes_with_an_alert_do_not_count_they_do_not_count_in_its_matched_windows_either() -> None:
    """Set points move as they like: whether an alert stands or not, as often. An alert is deaf to five readings."""
    moves = np.flatnonzero(np.random.default_rng(3).random(BASE.n) < 0.1)
    row = np.zeros(BASE.n, np.int64)
    row[moves] = 1
    jam = presses(BASE, AT, 3)[0]
    story = told(BASE, jam=(*presses(BASE, AT, 3), ALERT))
    story = told(story, sp=(np.cumsum(row) % 2, range(1, 3), Meaning(role="sp")))

    for at in AT.tolist():
        row[at - 2 : at + 6] = 0  # near it they are the machine's own, wherever a window lies

    def heard(at: int) -> bool:
        return bool(row[at + 6 : at + 16].any())

    differences = []
    for at in AT.tolist():
        shares = []
        for day in PLANNED_DAYS:
            thens = [day * BASE.per_day + at % BASE.per_day + shift for shift in (0, -10, 10, -20, 20, -30, 30)]
            hits = [heard(then) for then in thens if resembles(at, then, jam)]
            if hits and day != at // BASE.per_day:
                shares.append(sum(hits) / len(hits))
        differences.append(heard(at) - sum(shares) / len(shares))
    given = found(story)
    assert given.value == pytest.approx(float(np.mean(differences)), abs=1e-9)
    assert given.lo < 0 < given.hi


def test_alerts_that_are_answered_earn_credit() -> None:
    given = found(world(AT, AT + 5))
    assert given.value > 0.9
    assert given.lo > 0.8
    assert (given.cap, given.flags) == (100.0, ())


def test_what_people_do_anyway_at_that_hour_earns_none() -> None:
    habit = np.array([day * BASE.per_day + minute for day in PLANNED_DAYS for minute in range(60, 700, 12)])
    given = found(world(AT, habit))
    assert given.shown["given_alert"] == 1.0
    assert abs(given.value) < 0.1
    assert (given.cap, given.flags) == (0.0, ("NOT_PROVEN",))


def test_actions_just_before_or_long_after_are_no_answers() -> None:
    assert found(world(AT, AT - 1)).value <= 0
    assert found(world(AT, AT + 15)).value > 0.8
    assert found(world(AT, AT + 16)).value <= 0


def test_changes_that_the_machine_makes_with_the_alert_are_no_answers() -> None:
    row = np.ones(BASE.n, np.int64)
    for at in AT.tolist():
        row[at : at + 3] = 0  # thrown out of automatic by the alert, and back when it goes
    story = told(BASE, jam=(*presses(BASE, AT, 3), ALERT), mode=(row, (0, 1), MODE))
    given = found(story)
    assert given.value == 0.0
    assert given.shown["automatic_excluded"] == 2 * len(AT)
    person = np.ones(BASE.n, np.int64)
    for at in AT.tolist():
        person[at + 8 : at + 12] = 0
    given = found(told(BASE, jam=(*presses(BASE, AT, 3), ALERT), mode=(person, (0, 1), MODE)))
    assert given.value > 0.9


def test_set_points_that_a_system_writes_are_no_actions() -> None:
    row = np.zeros(BASE.n, np.int64)
    row[AT + 8] = 1
    story = told(
        BASE, jam=(*presses(BASE, AT, 3), ALERT), sp=(np.cumsum(row) % 2, (10, 20), Meaning(role="sp"))
    )  # fmt: skip
    assert found(story).value > 0.9
    loop = ControlLoop(machine="press", name="heat", sp="sp", pv="pv", by_system="yes")
    given = found(replace(story, about={"loops": [loop]}))
    assert given.value == 0.0
    assert given.cap == 0.0


def test_an_alarm_that_chatters_is_one_alert() -> None:
    every = np.sort(np.concatenate([AT, AT + 5, AT + 10]))
    assert found(world(every, AT + 7)).shown["alerts"] == len(AT)
    minute = 60_000_000_000
    assert first_out(np.array([0, 5, 14, 15, 20, 31]) * minute).tolist() == [0, 15 * minute, 31 * minute]


def test_advice_counts_like_an_alarm_and_other_alarms_do_not() -> None:
    assert found(world(AT, AT + 5, action=False, advice=True)).value > 0.9
    assert measure(world(AT, AT + 5, action=False)) == Missing("NA_ROLE_UNCONFIRMED")
    assert measure(world(AT, AT + 5, origin="guess")) == Missing("NA_ROLE_UNCONFIRMED")


def test_fewer_than_twenty_alerts_are_not_assessed() -> None:
    assert measure(world(AT[:19], AT[:19] + 5)) == Missing("NA_FEW_EVENTS")
    assert found(world(AT[:20], AT[:20] + 5)).shown["alerts"] == 20


def test_our_own_outages_take_alerts_out() -> None:
    off = np.arange(BASE.n) // BASE.per_day < 7
    given = found(replace(world(AT, AT + 5), censored=off))
    assert given.shown["alerts"] == int((~off[AT]).sum())


def test_not_assessed_without_alarms_actions_states_or_schedule() -> None:
    story = world(AT, AT + 5)

    def without(*names: str) -> Outcome:
        return measure(replace(story, meanings={k: m for k, m in story.meanings.items() if k not in names}))

    assert without("jam") == Missing("NA_NO_EVIDENCE")
    assert without("reset") == Missing("NA_NO_EVIDENCE")
    assert without("state") == Missing("NA_NO_EVIDENCE")
    guess = {**story.meanings, "reset": replace(BUTTON, origin="guess")}
    assert measure(replace(story, meanings=guess)) == Missing("NA_ROLE_UNCONFIRMED")
    assert measure(replace(story, calendar=WITHOUT_SCHEDULE)) == Missing("NA_NO_SCHEDULE")
