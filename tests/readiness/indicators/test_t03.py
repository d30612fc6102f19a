"""T03 As-built record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.base import Events, Missing, Outcome
from readiness.indicators.t03 import INDICATOR
from readiness.plant import About, Meaning
from tests.readiness.indicators.press import TOTAL, noisy, pieces
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import executing, told, view_of, working

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

STEP = 300
BASE = working(step_s=STEP)
HOUR = 3600 // STEP
LENGTH = 6 * HOUR
lots = np.arange(BASE.n) // LENGTH
IDS = [f"L{k:04d}" for k in range(int(lots[-1]) + 1)]
LOT = Meaning(role="lot")
CRITICAL = Meaning(role="pv", critical=True)
WORK = executing(BASE)
WHOLE = [k for k in range(1, len(IDS) - 1) if (WORK & (lots == k)).any()]
"""Lots of which something was made, but for the first and the last, which may have begun earlier or end later."""


def world(codes: Ints = lots, ids: list[str] = IDS, heat: Bools | None = None, force: Bools | None = None) -> Story:
    """Return a story; `heat` and `force` tell when the critical parameters were known."""
    story = told(BASE, lot=(codes, ids, LOT))
    values = {
        name: np.where(known, noisy(BASE.n, k), np.nan)
        for k, (name, mask) in enumerate((("heat", heat), ("force", force)))
        for known in [np.ones(BASE.n, np.bool_) if mask is None else mask]
    }
    return replace(
        story,
        values=values,
        counters={"total": pieces(BASE.tracks["state"][0])},
        meanings={**story.meanings, "heat": CRITICAL, "force": CRITICAL, "total": TOTAL},
    )


def before(codes: Ints, ids: list[str] = IDS) -> Story:
    return told(BASE, lot=(codes, ids, LOT))


EARLIER = np.minimum(np.arange(BASE.n) // LENGTH + 1, len(IDS) - 1)
"""The step before works on each lot six hours earlier."""


def measure(story: Story, other: Story | None = None, previous: str | None = "saw") -> Outcome:
    about = {"press": About(previous=previous)}
    others = {"saw": before(EARLIER) if other is None else other}
    return INDICATOR.evaluate(view_of(story, others=others, say=lambda p: replace(p, about=about)), "press")


def found(story: Story, other: Story | None = None) -> Events:
    events = measure(story, other)
    assert isinstance(events, Events)
    return events


def test_all_whole_lots_count_on_the_day_on_which_they_end() -> None:
    events = found(world())
    assert events.den.sum() == len(WHOLE)
    assert events.num.sum() == len(WHOLE)
    ends = [np.flatnonzero(WORK & (lots == k))[-1] // BASE.per_day for k in WHOLE]
    assert events.den.tolist() == np.bincount(ends, minlength=14).tolist()


def test_each_critical_parameter_has_to_be_known_for_95_percent_of_a_lot() -> None:
    rng = np.random.default_rng(3)
    heat, force = rng.random(BASE.n) > 0.04, rng.random(BASE.n) > 0.04
    events = found(world(heat=heat, force=force))
    truth = 0
    for k in WHOLE:
        lot = WORK & (lots == k)
        truth += all((lot & known).sum() >= 0.95 * lot.sum() for known in (heat, force))
    assert events.num.sum() == truth
    assert 0 < truth < len(WHOLE)


def test_what_nobody_knows_of_a_lot_is_missing_whatever_the_machine_did() -> None:
    dark = (lots == WHOLE[3]) & (BASE.clock() % 6 < 1)
    story = world(heat=~dark, force=~dark)
    tracks = {**story.tracks, "state": (np.where(dark, NOTHING, story.tracks["state"][0]), BASE.tracks["state"][1])}
    assert (dark & WORK).any()
    assert found(replace(story, tracks=tracks)).num.sum() == len(WHOLE) - 1


def test_a_lot_has_to_come_from_the_step_before_and_earlier() -> None:
    some = np.where(np.isin(EARLIER, WHOLE[4:7]), 0, EARLIER)
    assert found(world(), before(some)).num.sum() == len(WHOLE) - 3
    later = np.maximum(np.arange(BASE.n) // LENGTH - 1, 0)  # the other machine shows each lot only afterwards
    assert found(world(), before(later)).num.sum() == 0
    assert found(world(), before(later)).shown["unlinked"] == len(WHOLE)


def test_lots_that_are_taken_in_turns_are_mixed() -> None:
    mixed = lots.copy()
    inside = (lots >= WHOLE[2]) & (lots <= WHOLE[3])
    turns = np.arange(BASE.n) // HOUR % 2
    mixed[inside] = np.where(turns[inside] == 1, WHOLE[2], WHOLE[3])
    events = found(world(mixed))
    assert events.num.sum() == len(WHOLE) - 2
    assert "MIXED_LOTS" in events.flags


def test_a_lot_shorter_than_a_cycle_is_no_record() -> None:
    slow = {"total": pieces(BASE.tracks["state"][0]) // 4}  # a piece in twenty minutes
    ids = [*IDS, "L9999", "L9998"]
    at = int(np.flatnonzero(WORK & (lots == WHOLE[4]))[20])
    for length, credited in ((2, 0), (6, 1)):
        codes = lots.copy()
        codes[at : at + length] = len(IDS)
        earlier = EARLIER.copy()
        earlier[:HOUR] = len(IDS)
        events = found(replace(world(codes, ids), counters=slow), before(earlier, ids))
        assert events.den.sum() == len(WHOLE) + 1
        assert events.num.sum() == len(WHOLE) + credited
        assert ("MIXED_LOTS" in events.flags) is not bool(credited)


def test_invalid_ids_make_no_record() -> None:
    ids = [name if k != WHOLE[1] else "DEFAULT" for k, name in enumerate(IDS)]
    events = found(world(ids=ids))
    assert events.num.sum() == len(WHOLE) - 1
    assert "INVALID_ID" in events.flags


def test_our_own_outages_take_lots_out() -> None:
    off = lots == WHOLE[5]
    story = replace(world(heat=~off), censored=off)
    events = found(story)
    assert (events.num.sum(), events.den.sum()) == (len(WHOLE) - 1, len(WHOLE) - 1)


def test_the_first_step_needs_no_link_and_others_are_not_guessed() -> None:
    assert measure(world(), previous=None) == Missing("NA_NO_EVIDENCE")
    alone = INDICATOR.evaluate(view_of(world()), "press")
    assert isinstance(alone, Events)
    assert alone.num.sum() == len(WHOLE)
    assert alone.flags == ("FIRST_STEP",)
    about = {"saw": About(previous="press")}
    first = INDICATOR.evaluate(
        view_of(world(), others={"saw": before(EARLIER)}, say=lambda p: replace(p, about=about)), "press"
    )  # fmt: skip
    assert isinstance(first, Events)
    assert first.flags == ("FIRST_STEP",)


def test_fewer_than_ten_lots_are_not_assessed() -> None:
    few = np.arange(BASE.n) // (BASE.n // 11 + 1)
    assert len(set(few.tolist())) == 11
    assert measure(world(few)) == Missing("NA_FEW_EVENTS")


@pytest.mark.parametrize("name", ["lot", "state"])
def test_withheld_or_guessed_roles_are_not_assessed(name: str) -> None:
    story = world()
    guess = replace(story, meanings={**story.meanings, name: replace(story.meanings[name], origin="guess")})
    assert measure(guess) == Missing("NA_ROLE_UNCONFIRMED")
    gone = replace(story, meanings={k: m for k, m in story.meanings.items() if k != name})
    assert measure(gone) == Missing("NA_NO_EVIDENCE")


def test_not_assessed_without_critical_parameters_lots_before_or_schedule() -> None:
    story = world()
    plain = {k: replace(m, critical=False) for k, m in story.meanings.items()}
    assert measure(replace(story, meanings=plain)) == Missing("NA_ROLE_UNCONFIRMED")
    assert measure(story, replace(before(EARLIER), meanings={})) == Missing("NA_NO_EVIDENCE")
    assert measure(replace(story, calendar=WITHOUT_SCHEDULE)) == Missing("NA_NO_SCHEDULE")
