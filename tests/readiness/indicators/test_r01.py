"""R01 Usable history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from readiness.indicators.base import Census, Missing
from readiness.indicators.r01 import INDICATOR, longest
from readiness.plant import StopReason
from tests.readiness.indicators.press import REJECT
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import view_of, working
from tests.readiness.plant import DAY, HOUR, START

if TYPE_CHECKING:
    from readiness.evidence import DayEvidence

FULL = replace(working(42, 900), counters={"bad": np.arange(42 * 96) // 96}, meanings={"bad": REJECT})
"""Weekends aside, every reading is there; a piece is rejected each day."""


def lost(story: Story, days: list[int], share: float) -> Story:
    """Return the story with the first part of planned time of some days lost."""
    clock, day = story.clock(), np.arange(story.n) // story.per_day
    hit = np.isin(day, days) & (clock < 12 * share)
    rows = {name: np.where(hit, NOTHING, row) for name, row in story.counters.items()}
    tracks = {name: (np.where(hit, NOTHING, row), labels) for name, (row, labels) in story.tracks.items()}
    return replace(story, counters=rows, tracks=tracks)


def days(story: Story) -> float:
    found = INDICATOR.evaluate(view_of(story), "press")
    assert isinstance(found, Census)
    return found.value


def test_the_longest_stretch_is_found_as_by_trying_all() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        n = int(rng.integers(1, 40))
        planned = rng.random(n) < 0.8
        judged = planned & (rng.random(n) < 0.8)
        usable = judged & (rng.random(n) < 0.6)
        best = 0
        for first in np.flatnonzero(usable).tolist():
            for last in np.flatnonzero(usable).tolist():
                hole = worst = bad = 0
                for day in range(first, last + 1):
                    hole = 0 if usable[day] else hole + int(planned[day])
                    worst, bad = max(worst, hole), bad + int(judged[day] and not usable[day])
                if first <= last and worst <= 3:
                    best = max(best, last - first + 1 - bad)
        assert longest(planned, judged, usable)[0] == best


def test_days_with_holes_do_not_count_and_four_in_a_row_end_the_stretch() -> None:
    assert days(FULL) == 40  # from the first Monday to the last Friday, weekends lose nothing
    assert days(lost(FULL, [8], 0.06)) == 39
    assert days(lost(FULL, [8], 0.04)) == 40  # 0.96 of the day was there
    assert days(lost(FULL, [8, 9, 10], 1.0)) == 37
    assert days(lost(FULL, [7, 8, 9, 10], 1.0)) == 29  # Friday of the second week to the last one
    assert days(lost(FULL, [9, 10, 11, 14], 1.0)) == 25  # the weekend between them does not help: 15 to 39


def test_bad_and_uncertain_readings_count_against_a_day() -> None:
    everything = np.ones(FULL.n, np.bool_)
    day = np.arange(FULL.n) // FULL.per_day
    assert days(replace(FULL, uncertain={"bad": everything & (day == 8)})) == 39  # half of one signal of one
    clock = FULL.clock()
    some = (day == 8) & (clock < 0.25)  # 1 of 48 readings
    assert days(replace(FULL, uncertain={"bad": some})) == 40


def test_few_labelled_events_cap_the_score() -> None:
    quiet = replace(FULL, counters={"bad": np.zeros(FULL.n, np.int64)})
    found = INDICATOR.evaluate(view_of(quiet), "press")
    assert isinstance(found, Census)
    assert (found.value, found.cap, found.flags) == (40, 60.0, ("FEW_LABELS",))
    full = INDICATOR.evaluate(view_of(FULL), "press")
    assert isinstance(full, Census)
    assert (full.cap, full.flags, full.shown["labelled_events"]) == (100.0, (), 41)


def test_stops_with_a_reason_are_labels() -> None:
    story = working(42, 900)
    setups = [START + day * DAY + 3 * HOUR for day in range(42) if day % 7 < 5]
    reasons = [
        StopReason(machine="press", from_ns=at, to_ns=at + HOUR // 2, reason="금형 교체", entered_ns=at + HOUR)
        for at in setups
    ]
    few = INDICATOR.evaluate(view_of(story, say=lambda p: replace(p, reasons=reasons[:9])), "press")
    many = INDICATOR.evaluate(view_of(story, say=lambda p: replace(p, reasons=reasons[:10])), "press")
    assert isinstance(few, Census)
    assert isinstance(many, Census)
    assert (few.cap, many.cap) == (60.0, 100.0)


def test_simulated_days_never_count_and_filled_in_ones_are_flagged() -> None:
    def simulated(day: int, record: DayEvidence) -> DayEvidence:
        return structs.replace(record, simulated=[0, DAY]) if day < 14 else record

    found = INDICATOR.evaluate(view_of(FULL, edit=simulated), "press")
    assert isinstance(found, Census)
    assert (found.value, found.flags) == (26, ("BACKFILLED",))  # two weeks and their weekend less

    def late(day: int, record: DayEvidence) -> DayEvidence:
        part = structs.replace(record.sources[0], late=500 if day == 20 else 0)
        return structs.replace(record, sources=[part])

    found = INDICATOR.evaluate(view_of(FULL, edit=late), "press")
    assert isinstance(found, Census)
    assert found.flags == ("BACKFILLED",)


@pytest.mark.parametrize("gone", [[8], [7, 8, 9]])
def test_days_that_we_missed_ourselves_cost_nothing(gone: list[int]) -> None:
    off = np.isin(np.arange(FULL.n) // FULL.per_day, gone)
    story = replace(lost(FULL, gone, 2.0), censored=off)
    found = INDICATOR.evaluate(view_of(story), "press")
    assert isinstance(found, Census)
    assert (found.value, found.shown["unseen_days"]) == (40, len(gone))


def test_not_assessed_without_schedule_or_evidence() -> None:
    assert INDICATOR.evaluate(view_of(replace(FULL, calendar=WITHOUT_SCHEDULE)), "press") == Missing(
        "NA_NO_SCHEDULE"
    )
    empty = replace(view_of(FULL), days=[])
    assert INDICATOR.evaluate(empty, "press") == Missing("NA_NO_EVIDENCE")
    ours = replace(FULL, censored=np.ones(FULL.n, np.bool_))
    assert INDICATOR.evaluate(view_of(ours), "press") == Missing("NA_SELF_FAULT")
