"""Promises: parts against brute force and closed forms, the statement in simulated cells, refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from techsquare.verdict.promise import (
    DAYS_A_MONTH,
    DRAWS,
    POWER,
    Horizon,
    from_baseline,
    from_past,
    needs,
    pretended,
    promise,
    spreads,
)
from techsquare.verdict.rule import IMPROVED, extend, reference, tell
from techsquare.verdict.terms import ALPHAS, PROMISE_DAYS
from techsquare.verdict.wander import OWN, RHOS, believe, memory
from tests.techsquare.verdict.shop import FIRST, noise, plan_of, series_of
from tests.techsquare.verdict.tables import promise_row
from tests.techsquare.verdict.test_rule import at_least, at_most
from tests.techsquare.verdict.world import Cell

if TYPE_CHECKING:
    from techsquare.verdict.terms import Floats
    from tests.techsquare.verdict.world import Kind, Layout

RUNS = 300


@pytest.mark.parametrize(
    ("rho", "days", "kind", "layout"),
    [
        (0.3, 40, "quiet", "8"),
        (0.3, 60, "drift 1", "8"),
        (0.7, 40, "shock", "8"),
        (0.7, 60, "applicants", "5"),
        (0.5, 40, "drift 1", "sites"),
    ],
)
def test_mean_power_is_within_five_points_of_what_was_promised(
    rho: float, days: int, kind: Kind, layout: Layout
) -> None:
    row = promise_row(Cell(rho, days, kind, layout), RUNS, 5)
    shown = {name: round(power * RUNS) for name, power in row.power.items()}
    assert at_least(shown["likely"], RUNS, POWER - 0.05), row
    assert at_most(shown["likely"], RUNS, POWER + 0.05), row
    for by in ("baseline", "past"):
        assert at_most(shown[f"{by} low"], RUNS, POWER + 0.05), row
        assert at_least(shown[f"{by} high"], RUNS, POWER - 0.05), row
        assert row.changes[f"{by} low"] < row.changes[f"{by} high"] < 4 * row.changes[f"{by} low"], row


def test_the_smallest_change_is_shown_in_four_of_five_cases_by_the_whole_rule() -> None:
    """With the words themselves, "worse" and "no change" of the first look included."""
    horizon = Horizon(40, 28, 40, 40)
    sites = ["home"] * 6
    need = needs(horizon, sites, "site", 0, DRAWS, 3)
    rng = np.random.default_rng(8)
    for r, o in ((3, 0), (5, 2), (7, 5)):
        root = np.linalg.cholesky(spreads(horizon, RHOS[r], OWN[o]))
        changes = rng.standard_normal((20000, 7, 2)) @ root.T
        change = need.smallest[r, o]
        looks = [
            tell(changes[:, 0, look] + change, reference(changes[:, 1:, look], sites, "site"), alpha, change / 2, 1)
            for look, alpha in enumerate(ALPHAS)
        ]
        told = extend(looks[0], looks[1], change / 2, 1)
        assert np.mean(told.word == IMPROVED) == pytest.approx(POWER, abs=0.02)


def test_spreads_are_those_of_simulated_days() -> None:
    rng = np.random.default_rng(4)
    horizon, rho, own = Horizon(30, 20, 25, 15), 0.6, 0.2
    day = np.arange(90)
    values = noise(rng, rho, (20000, 90), 1.0) + own * rng.standard_normal((20000, 1)) * day / DAYS_A_MONTH
    before = values[:, :30].mean(axis=1)
    changes = np.stack([values[:, 50:75].mean(axis=1) - before, values[:, 50:].mean(axis=1) - before])
    assert spreads(horizon, rho, own) == pytest.approx(np.cov(changes), rel=0.05)


def dense(values: Floats, months: Floats, rho: float, own: float) -> tuple[float, float]:
    """Log-likelihood and sd by contrasts and one dense matrix: no trick of the product's."""
    m, n = values.shape
    helmert = np.linalg.qr(np.c_[np.ones(m), np.eye(m)[:, 1:]])[0][:, 1:].T
    levels = np.linalg.qr(np.c_[np.ones(n), np.eye(n)[:, 1:]])[0][:, 1:].T
    t = months - months.mean()
    matrix = levels @ (memory(rho, np.arange(n, dtype=np.float64)) + own**2 * np.outer(t, t)) @ levels.T
    rows = helmert @ values @ levels.T
    quad = float(np.sum(rows @ np.linalg.inv(matrix) * rows))
    free = (m - 1) * (n - 1)
    return -0.5 * (free * np.log(quad) + (m - 1) * np.linalg.slogdet(matrix)[1]), np.sqrt(quad / free)


def test_belief_is_the_restricted_likelihood() -> None:
    rng = np.random.default_rng(6)
    months = np.arange(30) / 30
    values = 3 * noise(rng, 0.5, (5, 30), 1.0) + 10 * rng.standard_normal((5, 1)) + rng.standard_normal(30)
    belief = believe(values, np.ones((5, 30), np.bool_), np.arange(30.0), months)
    found = np.array([[dense(values, months, rho, own) for own in OWN] for rho in RHOS])
    weight = np.exp(found[..., 0] - found[..., 0].max())
    assert belief.weight == pytest.approx(weight / weight.sum(), abs=1e-9)
    assert belief.sd == pytest.approx(found[..., 1])


def test_belief_finds_memory_and_drift_in_long_days_and_lost_ones() -> None:
    rng = np.random.default_rng(7)
    months = np.arange(180) / DAYS_A_MONTH
    values = 4 * (noise(rng, 0.5, (10, 180), 1.0) + 0.2 * rng.standard_normal((10, 1)) * months)
    known = rng.random(values.shape) > 0.15
    belief = believe(values, known, np.arange(180.0), months)
    assert belief.mean(belief.sd) == pytest.approx(4, rel=0.1)
    assert belief.mean(np.array(RHOS)[:, None] * np.ones(len(OWN))) == pytest.approx(0.5, abs=0.07)
    assert belief.mean(np.ones((len(RHOS), 1)) * np.array(OWN)) > 0.1


def test_a_longer_past_narrows_what_forty_days_leave_open() -> None:
    rng = np.random.default_rng(9)
    plan = plan_of([f"c{i}" for i in range(8)], "site", 40)
    past = 340
    first = FIRST - timedelta(days=past)
    series = [series_of(60 + row, f"c{i}", first=first) for i, row in enumerate(noise(rng, 0.5, (8, past + 40)))]
    short = [
        replace(s, days=s.days[past:], num=s.num[past:], den=s.den[past:], coverage=s.coverage[past:])
        for s in series
    ]  # fmt: skip
    lone, long = promise(plan, short), promise(plan, series)
    assert (lone.by, lone.likely, long.by) == ("baseline", None, "past")
    assert lone.low is not None
    assert lone.high is not None
    assert long.low is not None
    assert long.high is not None
    assert long.likely is not None
    assert long.low < long.likely < long.high
    assert long.high < lone.high
    assert promise(plan, series[::-1]) == long
    assert long.assumed["windows"] == 3


def test_a_promise_of_days_is_that_of_arrays() -> None:
    rng = np.random.default_rng(10)
    plan = plan_of([f"c{i}" for i in range(7)], "site", 40)
    first = FIRST - timedelta(days=140)
    values = 60 + noise(rng, 0.5, (7, 180))
    series = [series_of(row, f"c{i}", first=first) for i, row in enumerate(values)]
    changes = pretended(series, plan)
    assert changes == pytest.approx(np.array([values[:, 140:].mean(axis=1) - values[:, 71:111].mean(axis=1)]))
    at = np.arange(180.0)
    belief = believe(values, np.ones(values.shape, np.bool_), at, at / DAYS_A_MONTH)
    need = needs(Horizon(40, 29, 40, 40), ["home"] * 7, "site", 1, DRAWS, 0)
    told = promise(plan, series)
    assert (told.low, told.high, told.likely) == pytest.approx(
        tuple(float(x) for x in from_past(changes, belief, need))
    )
    short = [series_of(row[140:], f"c{i}") for i, row in enumerate(values)]
    belief = believe(values[:, 140:], np.ones((7, 40), np.bool_), at[:40], at[:40] / DAYS_A_MONTH)
    need = needs(Horizon(40, 29, 40, 40), ["home"] * 7, "site", 0, DRAWS, 0)
    told = promise(plan, short)
    assert (told.low, told.high) == pytest.approx(tuple(float(x) for x in from_baseline(belief, need)))


def test_nothing_is_promised_from_few_days_few_machines_or_machines_that_do_not_move() -> None:
    rng = np.random.default_rng(11)
    for days in (PROMISE_DAYS - 1, PROMISE_DAYS):
        plan = plan_of([f"c{i}" for i in range(5)], "site", days)
        series = [series_of(row, f"c{i}") for i, row in enumerate(60 + noise(rng, 0.5, (5, 80)))]
        told = promise(plan, series)
        assert (told.reason, told.days) == (("short_baseline", days) if days < PROMISE_DAYS else (None, days))
        assert (told.low is None) == (told.high is None) == (days < PROMISE_DAYS)
        few = promise(plan, series[1:])
        assert (few.reason, few.controls, few.low) == ("few_controls", 4, None)
    still = [series_of(np.full(80, 60.0), f"c{i}") for i in range(5)]
    assert promise(plan, still).reason == "still"
