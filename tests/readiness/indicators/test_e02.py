"""E02 Baseline quality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from readiness.energy import Baseline, baseline
from readiness.indicators.base import Given, Missing
from readiness.indicators.e02 import INDICATOR
from readiness.plant import Meaning
from readiness.stats import Z
from tests.readiness.indicators.press import EXECUTING, TOTAL
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import view_of, working

OWN = Meaning(role="energy", meter="machine")
DAYS = 70  # fifty of them production days
RNG = np.random.default_rng(6)


def world(days: int = DAYS, noise: float = 0.05, spread: float = 0.5) -> tuple[Story, Story]:
    """Return a story of daily kWh = 200 + 2 pieces and noise, and the same without a state."""
    story = working(days, 900)
    work = (story.tracks["state"][0] == EXECUTING).reshape(days, -1)
    made = np.zeros((days, story.per_day), np.int64)
    kwh = np.zeros((days, story.per_day), np.int64)
    for day in range(days):
        busy = np.flatnonzero(work[day])
        pieces = round(400 * (1 + spread * RNG.uniform(-1, 1))) if len(busy) else 0
        for place in busy.tolist():
            made[day, place] = pieces // len(busy)
        used = (200 + 2 * int(made[day].sum())) * (1 + noise * RNG.standard_normal())
        kwh[day] = np.diff(np.round(np.linspace(0, used, story.per_day + 1))).astype(np.int64)
    counters = {"total": np.cumsum(made.ravel()), "kwh": np.cumsum(kwh.ravel())}
    whole = replace(story, counters=counters, meanings={**story.meanings, "total": TOTAL, "kwh": OWN})
    bare = replace(whole, meanings={"total": TOTAL, "kwh": OWN})
    return whole, bare


def daily(story: Story, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return what a counter counted on each production day."""
    row = np.diff(story.counters[name], prepend=story.counters[name][0]).reshape(story.days, -1).sum(axis=1)
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = row[
        [day for day in range(story.days) if day % 7 < 5]
    ].astype(np.float64)
    return found


def test_the_error_is_that_of_days_that_the_model_has_not_seen() -> None:
    for story in world():
        found = INDICATOR.evaluate(view_of(story), "press")
        assert isinstance(found, Given)
        kwh, pieces = daily(story, "kwh"), daily(story, "total")
        hours = np.full(len(kwh), float((story.tracks["state"][0][: story.per_day] == EXECUTING).sum()) / 4)
        n = int(len(kwh) * 2 / 3)
        table = np.stack([np.ones(len(kwh)), pieces], axis=1)
        if np.ptp(hours):
            table = np.column_stack([table, hours])
        weights = np.linalg.lstsq(table[:n], kwh[:n], rcond=None)[0]
        error = kwh[n:] - table[n:] @ weights
        assert found.value == pytest.approx(float(np.sqrt(np.mean(error**2)) / kwh[n:].mean()))
        assert found.shown["kwh_per_piece"] == pytest.approx(weights[1])
        assert found.shown["kwh_per_piece"] == pytest.approx(2.0, abs=0.3)
        assert found.lo < found.value < found.hi
        assert found.n == len(kwh) - n


def test_noise_makes_the_baseline_worse() -> None:
    values = []
    for noise in (0.0, 0.05, 0.2, 0.5):
        found = INDICATOR.evaluate(view_of(world(noise=noise)[0]), "press")
        assert isinstance(found, Given)
        values.append(found.value)
    assert values == sorted(values)
    assert values[0] < 0.01


@pytest.mark.parametrize("days", [40, 60, 250])
def test_the_limits_hold_the_true_error(days: int) -> None:
    rng = np.random.default_rng(5)
    hit = 0
    for _ in range(1000):
        pieces = rng.uniform(500, 1500, days)
        model = baseline(400 + 0.6 * pieces + rng.normal(0, 100, days), pieces)
        assert isinstance(model, Baseline)
        low, high = model.limits(Z)
        hit += low <= 0.1 <= high
    assert 0.88 <= hit / 1000 <= 0.94


def test_days_of_which_the_meter_or_the_counter_was_not_seen_are_left_out() -> None:
    story, _ = world()
    day = np.arange(story.n) // story.per_day
    clock = story.clock()
    for name in ("kwh", "total"):
        row = np.where((day == 10) & (clock > 2) & (clock < 20), NOTHING, story.counters[name])
        found = INDICATOR.evaluate(view_of(replace(story, counters={**story.counters, name: row})), "press")
        assert isinstance(found, Given)
        assert found.n + found.shown["days_fitted"] == 49  # type: ignore[operator]


def test_too_few_days_or_hardly_any_variation_are_not_assessed() -> None:
    assert INDICATOR.evaluate(view_of(world(days=53)[0]), "press") == Missing("NA_SHORT_WINDOW")  # 39 days
    assert isinstance(INDICATOR.evaluate(view_of(world(days=54)[0]), "press"), Given)
    assert INDICATOR.evaluate(view_of(world(spread=0.05)[0]), "press") == Missing("NA_NO_VARIATION")


def test_not_assessed_without_meter_counter_or_schedule() -> None:
    story, _ = world(days=56)
    for name in ("kwh", "total"):
        gone = replace(story, meanings={k: m for k, m in story.meanings.items() if k != name})
        assert INDICATOR.evaluate(view_of(gone), "press") == Missing("NA_NO_EVIDENCE")
    guess = replace(story, meanings={**story.meanings, "kwh": replace(OWN, origin="guess")})
    assert INDICATOR.evaluate(view_of(guess), "press") == Missing("NA_ROLE_UNCONFIRMED")
    main = replace(story, meanings={**story.meanings, "kwh": Meaning(role="energy", meter="main")})
    assert INDICATOR.evaluate(view_of(main), "press") == Missing("NA_NO_EVIDENCE")
    assert INDICATOR.evaluate(view_of(replace(story, calendar=WITHOUT_SCHEDULE)), "press") == Missing(
        "NA_NO_SCHEDULE"
    )
