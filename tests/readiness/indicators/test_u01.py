"""U01 Auto-cycle ratio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from readiness.indicators.base import Census, Missing, Shares
from readiness.indicators.u01 import INDICATOR
from readiness.inventory import Machine
from readiness.plant import About, Meaning
from tests.readiness.indicators.press import EXECUTING, TOTAL, pieces
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import MODE, days_of, executing, presses, told, view_of, working

BASE = working(step_s=300)
HAND = BASE.clock() % 4 < 1
"""A quarter of the time the selector stands on manual."""
BUTTON = Meaning(role="intervention")


def world(automatic: np.ndarray[tuple[int], np.dtype[np.bool_]] = ~HAND) -> Story:
    story = told(BASE, mode=(automatic.astype(np.int64), (0, 1), MODE))
    counters = {"total": pieces(BASE.tracks["state"][0])}
    return replace(story, counters=counters, meanings={**story.meanings, "total": TOTAL})


def found(story: Story) -> Shares:
    shares = INDICATOR.evaluate(view_of(story), "press")
    assert isinstance(shares, Shares)
    return shares


def test_executing_time_in_automatic_counts_and_idle_time_does_not() -> None:
    story = world()
    shares = found(story)
    assert shares.den == pytest.approx(days_of(story, executing(story)))
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~HAND))
    assert shares.cap == 100.0


def test_time_of_an_unknown_mode_is_on_neither_side() -> None:
    story = world()
    gone = BASE.clock() % 3 < 1
    mode = np.where(gone, NOTHING, story.tracks["mode"][0])
    shares = found(replace(story, tracks={**story.tracks, "mode": (mode, (0, 1))}))
    assert shares.den == pytest.approx(days_of(story, executing(story) & ~gone))
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~gone & ~HAND))
    assert shares.shown["mode_known"] == pytest.approx(
        float((executing(story) & ~gone).sum() / executing(story).sum())
    )
    mostly = np.where(BASE.clock() % 3 < 2, NOTHING, story.tracks["mode"][0])
    dark = replace(story, tracks={**story.tracks, "mode": (mostly, (0, 1))})
    assert INDICATOR.evaluate(view_of(dark), "press") == Missing("NA_NO_EVIDENCE")


def test_of_two_selectors_none_may_say_manual() -> None:
    second = BASE.clock() % 6 < 2
    story = told(world(), mode2=((~second).astype(np.int64), (0, 1), MODE))
    assert found(story).num == pytest.approx(days_of(story, executing(story) & ~HAND & ~second))


def test_our_own_outages_do_not_count() -> None:
    off = BASE.clock() < 3
    shares = found(replace(world(), censored=off))
    assert shares.den == pytest.approx(days_of(BASE, executing(BASE) & ~off))


def test_a_selector_left_on_automatic_while_people_feed_by_hand_is_capped() -> None:
    third = pieces(BASE.tracks["state"][0]) // 3
    always = replace(world(np.ones(BASE.n, np.bool_)), counters={"total": third})
    seldom = np.flatnonzero(executing(BASE))[::8]
    shares = found(told(always, start=(*presses(BASE, seldom), BUTTON)))
    assert shares.shown["actions_per_cycle"] == pytest.approx(len(seldom) / float(third[-1]), rel=0.02)
    assert shares.cap == 100.0  # three for eight cycles
    often = np.flatnonzero(executing(BASE))[::4]
    shares = found(told(always, start=(*presses(BASE, often), BUTTON)))
    assert (shares.cap, shares.flags) == (40.0, ("HAND_FED",))
    assert shares.num == pytest.approx(shares.den)  # the value is what was seen, the score is not believed


def test_actions_that_answer_alarms_are_no_feeding_by_hand() -> None:
    third = pieces(BASE.tracks["state"][0]) // 3
    always = replace(world(np.ones(BASE.n, np.bool_)), counters={"total": third})
    often = np.flatnonzero(executing(BASE))[::4]
    story = told(
        always, start=(*presses(BASE, often), BUTTON), jam=(*presses(BASE, often), Meaning(role="alarm"))
    )  # fmt: skip
    assert found(story).cap == 100.0


@pytest.mark.parametrize("irregular", [False, True])
def test_cycle_times_of_one_product_that_scatter_are_capped(irregular: bool) -> None:  # noqa: FBT001
    quick = working(step_s=60)
    state = quick.tracks["state"][0]
    rng = np.random.default_rng(3)
    gaps = rng.choice([4, 5, 6, 7, 8, 9, 10], quick.n) if irregular else np.full(quick.n, 6)
    at = np.cumsum(gaps)
    step = np.zeros(quick.n, np.int64)
    step[at[at < quick.n]] = 1
    story = told(quick, mode=(np.ones(quick.n, np.int64), (0, 1), MODE))
    story = replace(
        story,
        counters={"total": np.cumsum(step * (state == EXECUTING))},
        meanings={**story.meanings, "total": TOTAL},
        about={"about": {"press": About(single_product="yes")}},
    )
    shares = found(story)
    assert shares.flags == ("IRREGULAR_CYCLES",) * irregular
    assert shares.cap == (40.0 if irregular else 100.0)
    several = found(replace(story, about={}))  # nobody says that there is one product only
    assert several.flags == ()
    # A product signal that shows one, and nothing between two orders, tells it as well.
    shows = (np.arange(quick.n) // 300 % 4 > 0).astype(np.int64)
    told_of = told(replace(story, about={}), product=(shows, ("", "A"), Meaning(role="product")))
    assert found(told_of).flags == shares.flags


def test_not_assessed_without_mode_state_or_their_meaning() -> None:
    story = world()

    def without(name: str, **change: object) -> object:
        meanings = {k: m for k, m in story.meanings.items() if k != name}
        if change:
            meanings[name] = replace(story.meanings[name], **change)  # type: ignore[arg-type]
        return INDICATOR.evaluate(view_of(replace(story, meanings=meanings)), "press")

    assert without("mode") == Missing("NA_NO_EVIDENCE")
    assert without("state") == Missing("NA_NO_EVIDENCE")
    assert without("mode", origin="guess") == Missing("NA_ROLE_UNCONFIRMED")
    assert without("mode", automatic=frozenset()) == Missing("NA_ROLE_UNCONFIRMED")
    assert INDICATOR.evaluate(view_of(replace(story, calendar=WITHOUT_SCHEDULE)), "press") == Missing(
        "NA_NO_SCHEDULE"
    )
    assert INDICATOR.evaluate(replace(view_of(story), length=7), "press") == Missing("NA_SHORT_WINDOW")


def test_a_machine_nobody_collects_is_zero_only_if_somebody_says_so() -> None:
    view = view_of(world(), say=lambda p: replace(p, machines=[*p.machines, Machine("saw", "saw")]))
    assert INDICATOR.evaluate(view, "saw") == Missing("NA_NO_EVIDENCE")
    said = replace(view, plant=replace(view.plant, about={"saw": About(elsewhere="no")}))
    zero = INDICATOR.evaluate(said, "saw")
    assert isinstance(zero, Census)
    assert zero.value == 0.0
