"""U02 Interventions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from readiness.indicators.base import Missing, Rates
from readiness.indicators.u02 import INDICATOR
from readiness.plant import Meaning
from tests.readiness.indicators.press import FAULT, TOTAL, pieces
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import BITS, MODE, presses, told, view_of, working

STEP = 30
BASE = working(step_s=STEP)
BUTTON = Meaning(role="intervention")
ALARM = Meaning(role="alarm")
RNG = np.random.default_rng(11)
PRESSED = np.sort(RNG.choice(BASE.n // 5, 300, replace=False)) * 5
ALARMED = np.sort(RNG.choice(BASE.n // 40, 200, replace=False)) * 40


def world(**more: object) -> Story:
    story = replace(BASE, counters={"total": pieces(BASE.tracks["state"][0])})
    story = replace(story, meanings={**story.meanings, "total": TOTAL})
    return told(story, reset=(*presses(BASE, PRESSED, 2), BUTTON), jam=(*presses(BASE, ALARMED, 3), ALARM), **more)  # type: ignore[arg-type]


def found(story: Story) -> Rates:
    rates = INDICATOR.evaluate(view_of(story), "press")
    assert isinstance(rates, Rates)
    return rates


def test_actions_and_cycles_per_day_are_those_counted_reading_by_reading() -> None:
    story = world()
    rates = found(story)
    planned, state = story.planned(), story.tracks["state"][0]
    row = story.tracks["reset"][0]
    begins = np.concatenate([[False], (row[1:] == 1) & (row[:-1] == 0)])
    assert rates.num.tolist() == (begins & planned).reshape(14, -1).sum(axis=1).tolist()
    cycles = np.diff(pieces(state), prepend=0)
    assert rates.den == pytest.approx((cycles * planned).reshape(14, -1).sum(axis=1), abs=1)
    assert rates.per == 100
    assert rates.flags == ()


@pytest.mark.parametrize("hours", [0.25, 2])
def test_a_counter_that_cannot_be_read_makes_no_hands(hours: float) -> None:
    story = world()
    gone = np.floor(story.clock() / hours) % 2 == 1
    total = np.where(gone, NOTHING, story.counters["total"])
    rates = found(replace(story, counters={"total": total}))
    row, planned = story.tracks["reset"][0], story.planned()
    begins = np.concatenate([[False], (row[1:] == 1) & (row[:-1] == 0)])
    assert rates.num.sum() == (begins & planned & ~gone).sum()
    seen = np.diff(pieces(story.tracks["state"][0]), prepend=0) * (planned & ~gone)
    assert rates.den.sum() == pytest.approx(seen.sum(), rel=0.05)  # what came over an edge is of neither side


def test_a_cycle_signal_that_never_says_anything_leaves_cycles_to_the_counter() -> None:
    dead = told(world(), cycle=(np.zeros(BASE.n, np.int64), BITS, Meaning(role="cycle")))
    assert found(dead).den.tolist() == found(world()).den.tolist()


def test_actions_split_by_an_alarm_in_the_two_minutes_before() -> None:
    story = world()
    rates = found(story)
    jam = story.tracks["jam"][0]
    planned = story.planned()
    row = story.tracks["reset"][0]
    after = 0
    instants = np.flatnonzero((row[1:] == 1) & (row[:-1] == 0)) + 1
    for reading in instants[planned[instants]].tolist():
        # Readings cover [i, i + 1); within [t - 120 s, t] an alarm is seen in those from t - 4 on, up to t.
        after += bool(jam[max(0, reading - 120 // STEP) : reading + 1].any())
    total = float(rates.den.sum())
    assert rates.shown["after_alarm"] == pytest.approx(100 * after / total)
    both = rates.shown["after_alarm"] + rates.shown["without_alarm"]  # type: ignore[operator]
    assert both == pytest.approx(100 * float(rates.num.sum()) / total)
    assert 0 < after < rates.num.sum()


def test_an_alarm_that_merely_stands_does_not_turn_planned_actions_into_answers() -> None:
    story = world(stands=(np.where(np.arange(BASE.n) < 100, 0, 1), BITS, ALARM))
    assert found(story).shown == found(world()).shown


def test_changes_of_mode_are_actions_also_over_a_hole_and_alone_a_lower_bound() -> None:
    mode = (np.arange(BASE.n) // 777 % 2).astype(np.int64)
    hidden = mode.copy()
    hidden[770:780] = NOTHING  # the first change lies in it
    moved = np.flatnonzero(np.diff(mode)) + 1
    for row in (mode, hidden):
        story = told(world(), mode=(row, (0, 1), MODE))
        more = found(story).num.sum() - found(world()).num.sum()
        assert more == story.planned()[moved].sum()
    alone = told(replace(BASE, counters=story.counters), mode=(mode, (0, 1), MODE))
    alone = replace(alone, meanings={**alone.meanings, "total": TOTAL})
    assert found(alone).flags == ("LOWER_BOUND",)
    assert found(alone).num.sum() == alone.planned()[moved].sum()


def test_what_a_person_calls_part_of_each_cycle_is_shown() -> None:
    story = world()
    planned = replace(story, meanings={**story.meanings, "reset": replace(BUTTON, planned=True)})
    rates = found(planned)
    assert rates.shown["planned"] == pytest.approx(100 * float(rates.num.sum() / rates.den.sum()))
    assert found(story).shown["planned"] == 0.0


def test_faults_that_go_away_by_themselves_show_that_resets_are_not_read() -> None:
    story = world()
    state = story.tracks["state"][0]
    ends = np.flatnonzero((state[1:] != FAULT) & (state[:-1] == FAULT))
    seen = found(told(story, reset=(*presses(BASE, np.concatenate([PRESSED, ends - 3])), BUTTON)))
    assert (seen.flags, seen.cap) == ((), 100.0)
    away = np.array([p for p in PRESSED.tolist() if state[p] != FAULT])
    unseen = found(told(story, reset=(*presses(BASE, away), BUTTON)))
    assert unseen.shown["faults_cleared_unseen"] == 1.0
    assert (unseen.flags, unseen.cap) == (("RESETS_UNSEEN",), 75.0)


def test_our_own_outages_count_on_neither_side() -> None:
    story = world()
    off = story.clock() < 4
    rates = found(replace(story, censored=off))
    row = story.tracks["reset"][0]
    begins = np.concatenate([[False], (row[1:] == 1) & (row[:-1] == 0)])
    assert rates.num.sum() == (begins & story.planned() & ~off).sum()


def test_not_assessed_without_buttons_and_modes_or_without_cycles() -> None:
    story = world()

    def withheld(**meanings: Meaning | None) -> object:
        kept = {name: m for name, m in {**story.meanings, **meanings}.items() if m is not None}
        return INDICATOR.evaluate(view_of(replace(story, meanings=kept)), "press")

    assert withheld(reset=None) == Missing("NA_NO_EVIDENCE")
    assert withheld(reset=replace(BUTTON, origin="guess")) == Missing("NA_ROLE_UNCONFIRMED")
    assert withheld(total=None) == Missing("NA_NO_EVIDENCE")
    assert INDICATOR.evaluate(view_of(replace(story, calendar=WITHOUT_SCHEDULE)), "press") == Missing(
        "NA_NO_SCHEDULE"
    )
    assert INDICATOR.evaluate(replace(view_of(story), length=7), "press") == Missing("NA_SHORT_WINDOW")


def test_no_record_says_who() -> None:
    assert set(found(world()).shown) == {"without_alarm", "after_alarm", "planned", "faults_cleared_unseen"}
