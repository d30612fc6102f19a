"""Energy by state, and a baseline that is tried on days it was not fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.energy import Baseline, baseline, daily, main_meters
from readiness.plant import Meaning
from readiness.production import production
from tests.readiness.seconds import DAY_S, NOTHING, QUARTER_S, World

STATE = Meaning(role="state", states={0: "standby", 1: "executing"})
METER = Meaning(role="energy", factor=0.001)


def test_energy_belongs_to_a_state_where_a_quarter_hour_lies_in_one() -> None:
    rng = np.random.default_rng(1)
    quarters = rng.integers(0, 2, 96)
    codes = np.repeat(quarters, QUARTER_S)
    codes[5 * QUARTER_S : 6 * QUARTER_S] = np.tile([0, 1], QUARTER_S // 2)
    codes[9 * QUARTER_S : 10 * QUARTER_S - 100] = NOTHING
    watts = np.where(np.repeat(quarters, QUARTER_S) == 1, 8, 2)
    watts[0] = 0
    world = World(1, {"s": (codes, (0, 1))}, {"e": np.cumsum(watts)}, {"s": STATE, "e": METER})
    energy = production(world.view(), "press").energy
    assert energy is not None
    sums = watts.reshape(96, QUARTER_S).sum(axis=1) / 1000
    plain = np.array([k not in {5, 9} for k in range(96)])
    assert energy.total == pytest.approx(sums.sum())
    assert energy.states["executing"] == pytest.approx(sums[plain & (quarters == 1)].sum())
    assert energy.states["standby"] == pytest.approx(sums[plain & (quarters == 0)].sum())
    assert energy.mixed == pytest.approx(sums[5])
    assert energy.unknown == pytest.approx(sums[9])
    assert energy.split == pytest.approx(sums[plain].sum() / sums.sum())


def test_energy_that_came_unseen_belongs_to_no_state() -> None:
    raw = np.arange(DAY_S)
    raw[3 * QUARTER_S : 5 * QUARTER_S - 10] = NOTHING
    world = World(1, {"s": (np.ones(DAY_S, np.int64), (0, 1))}, {"e": raw}, {"s": STATE, "e": METER})
    energy = production(world.view(), "press").energy
    assert energy is not None
    assert energy.unknown == pytest.approx((2 * QUARTER_S - 9) / 1000)
    assert energy.states["executing"] == pytest.approx((DAY_S - 1 - (2 * QUARTER_S - 9)) / 1000)


def test_the_main_meter_is_no_meter_of_the_machine_that_it_is_read_with() -> None:
    counters = {"main": np.arange(DAY_S), "own": np.arange(DAY_S) // 3}
    meanings = {"main": Meaning(role="energy", meter="main"), "own": Meaning(role="energy", meter="machine")}
    view = World(1, counters=counters, meanings=meanings).view()
    energy = production(view, "press").energy
    assert energy is not None
    assert [meter.name for meter in energy.meters] == ["press/own"]
    assert [meter.name for meter in main_meters(view)] == ["press/main"]
    assert production(World(1, counters=counters).view(), "press").energy is None


def test_a_day_of_which_much_came_unseen_says_nothing_of_that_day() -> None:
    raw = np.arange(3 * DAY_S)
    raw[DAY_S + 100 : DAY_S + 5000] = NOTHING
    view = World(3, counters={"e": raw}, meanings={"e": METER}).view()
    energy = production(view, "press").energy
    assert energy is not None
    kwh, good = daily(view, energy.meters)
    assert good.tolist() == [True, False, True]
    assert kwh.tolist() == pytest.approx([86.399, 86.4, 86.4])
    assert not daily(view, ())[1].any()


def plant_days(seed: int, n: int, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pieces, cold = rng.uniform(200, 1000, n), rng.uniform(0, 20, n)
    return 120 + 0.4 * pieces + 3 * cold + rng.normal(0, noise, n), pieces, cold


def test_a_baseline_finds_what_made_the_use_and_is_tried_on_later_days() -> None:
    kwh, pieces, cold = plant_days(1, 90, 0.0)
    model = baseline(kwh, pieces, cold)
    assert isinstance(model, Baseline)
    assert (model.base, model.per_piece, model.per_other) == pytest.approx((120, 0.4, 3), rel=1e-9)
    assert model.cv < 1e-12
    assert (model.trained, model.tried) == (60, 30)


def test_the_error_is_that_of_later_days_only() -> None:
    kwh, pieces, _ = plant_days(2, 60, 20.0)
    model = baseline(kwh, pieces)
    assert isinstance(model, Baseline)
    design = np.vander(pieces[:40], 2)
    b, a = np.linalg.solve(design.T @ design, design.T @ kwh[:40])
    error = kwh[40:] - a - b * pieces[40:]
    assert model.cv == pytest.approx(np.sqrt((error**2).mean()) / kwh[40:].mean(), rel=1e-9)
    drifting = kwh + np.where(np.arange(60) >= 40, 300.0, 0.0)
    worse = baseline(drifting, pieces)
    assert isinstance(worse, Baseline)
    assert worse.cv > 5 * model.cv / 2


def test_what_cannot_tell_a_baseline_is_said() -> None:
    kwh, pieces, cold = plant_days(3, 50, 5.0)
    assert baseline(kwh[:39], pieces[:39]) == "days"
    assert baseline(kwh, np.full(50, 500.0)) == "variation"
    assert baseline(kwh, np.zeros(50)) == "variation"
    assert baseline(np.zeros(50), pieces) == "consumption"
    few = baseline(kwh[:42], pieces[:42], cold[:42])
    assert isinstance(few, Baseline)
    assert few.per_other is None  # 28 days of fitting carry two parameters
