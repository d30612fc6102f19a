"""L02 Set-point follow-through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from readiness.indicators.base import Events, Missing
from readiness.indicators.l02 import INDICATOR
from readiness.plant import ControlLoop
from readiness.records import Loop
from tests.readiness.indicators.press import TOTAL, pieces
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import view_of, working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from readiness.evidence import DayEvidence
    from readiness.indicators.base import Outcome

HEAT = ControlLoop(machine="press", name="heat", sp="sp", pv="pv", band=2.0, tau_s=100.0)
STORY = replace(working(step_s=300), meanings={**working(step_s=300).meanings, "total": TOTAL})
STORY = replace(STORY, counters={"total": pieces(STORY.tracks["state"][0])})  # one piece in 300 s
HOUR_MS = 3_600_000
Move = tuple[int, int, int, int]


def measure(
    moves: Mapping[int, list[Move]], loop: ControlLoop = HEAT, band: float = 2.0, story: Story = STORY
) -> Outcome:
    def edit(day: int, record: DayEvidence) -> DayEvidence:
        flat = [x for move in moves.get(day, []) for x in move]
        return structs.replace(record, loops={"press/heat": Loop(band, 100_000, [0, HOUR_MS], [0, HOUR_MS], flat)})

    return INDICATOR.evaluate(view_of(story, edit=edit, say=lambda p: replace(p, loops=[loop])), "press")


def events(moves: Mapping[int, list[Move]], story: Story = STORY) -> Events:
    found = measure(moves, story=story)
    assert isinstance(found, Events)
    return found


GOOD = (HOUR_MS, 200_000, 0, HOUR_MS)


def test_a_change_is_followed_if_it_is_reached_in_time_and_stays() -> None:
    rng = np.random.default_rng(5)
    moves: dict[int, list[Move]] = {}
    hit, all_of = np.zeros(14), np.zeros(14)
    for day in (0, 1, 2, 3, 4, 7, 8):
        for _ in range(int(rng.integers(1, 6))):
            at = int(rng.integers(0, 12 * HOUR_MS))
            reached = int(rng.choice([-1, 1000, 300_000, 300_001]))
            first, stayed = int(rng.integers(0, 2)), int(rng.choice([100_000, 400_000]))
            moves.setdefault(day, []).append((at, reached, first, stayed))
            all_of[day] += 1
            hit[day] += 0 <= reached <= 300_000 and not first and stayed >= 306_000  # the cycle, within 2 %
    found = events(moves)
    assert found.num.tolist() == hit.tolist()
    assert found.den.tolist() == all_of.tolist()


def test_a_set_point_that_is_copied_from_the_value_earns_nothing() -> None:
    copied = (HOUR_MS, 0, 1, HOUR_MS)
    found = events({day: [copied] for day in range(5)})
    assert found.num.sum() == 0
    assert found.den.sum() == 5
    assert found.flags == ("SET_POINT_FOLLOWS",)


def test_changes_outside_of_time_that_counts_do_not_count() -> None:
    night = (13 * HOUR_MS, 1000, 0, HOUR_MS)
    assert measure({day: [night] for day in range(14)}) == Missing("NA_FEW_EVENTS")
    off = replace(STORY, censored=STORY.clock() < 6)
    late = (7 * HOUR_MS, 1000, 0, HOUR_MS)
    assert events({day: [GOOD, late] for day in range(5)}, off).den.sum() == 5


def test_a_change_counts_on_the_day_on_which_it_was_made() -> None:
    before = (-13 * HOUR_MS, 1000, 0, 14 * HOUR_MS)  # an hour before the end of yesterday's planned time
    found = events({day: [before] for day in (1, 2, 3, 4, 8)})
    assert np.flatnonzero(found.den).tolist() == [0, 1, 2, 3, 7]
    assert found.num.tolist() == found.den.tolist()


def test_fewer_than_five_changes_are_not_assessed() -> None:
    assert measure({day: [GOOD] for day in range(4)}) == Missing("NA_FEW_EVENTS")
    assert events({day: [GOOD] for day in range(5)}).num.sum() == 5


def test_days_of_a_wider_band_than_the_mentor_allows_say_nothing() -> None:
    assert measure({day: [GOOD] for day in range(14)}, band=5.0) == Missing("NA_NO_EVIDENCE")
    assert isinstance(measure({day: [GOOD] for day in range(5)}, band=1.0), Events)


def test_without_cycles_the_set_point_only_has_to_be_reached() -> None:
    plain = working(step_s=300)
    found = events({day: [(HOUR_MS, 1000, 0, 2000)] for day in range(5)}, plain)
    assert found.num.sum() == 5
    assert "CYCLE_UNKNOWN" in found.flags


@pytest.mark.parametrize(
    "loop", [replace(HEAT, machine="lathe"), replace(HEAT, band=None), replace(HEAT, name="other")]
)
def test_not_assessed_without_a_loop(loop: ControlLoop) -> None:
    assert measure({day: [GOOD] for day in range(14)}, loop) == Missing("NA_NO_EVIDENCE")


def test_not_assessed_without_schedule() -> None:
    moves = {day: [GOOD] for day in range(14)}
    assert measure(moves, story=replace(STORY, calendar=WITHOUT_SCHEDULE)) == Missing("NA_NO_SCHEDULE")
