"""The lift of alerts over matched windows, as a statistic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readiness.lift import lift, student


def test_students_quantiles_are_those_of_the_tables() -> None:
    table = {2: 2.920, 3: 2.353, 5: 2.015, 9: 1.833, 19: 1.729, 27: 1.703}
    for n, value in table.items():
        assert student(n) == pytest.approx(value, rel=0.004)


def test_the_value_is_the_mean_of_differences_and_the_interval_a_jackknife_over_days() -> None:
    rng = np.random.default_rng(2)
    alerts, days = 60, 12
    day = np.sort(rng.integers(0, days, alerts))
    followed = rng.random(alerts) < 0.6
    control = (rng.random((alerts, days)) < 0.2).astype(float)
    control[rng.random((alerts, days)) < 0.3] = math.nan
    control[np.arange(alerts), day] = math.nan
    found = lift(followed, day, control)
    assert found is not None

    def brute(left_out: int | None) -> float:
        parts = []
        for i in range(alerts):
            row = [control[i, d] for d in range(days) if d != left_out and not math.isnan(control[i, d])]
            if day[i] != left_out and row:
                parts.append(float(followed[i]) - sum(row) / len(row))
        return float(sum(parts) / len(parts))

    assert found.value == pytest.approx(brute(None))
    each = [brute(d) for d in range(days)]
    mean = sum(each) / days
    half = student(days - 1) * math.sqrt((days - 1) / days * sum((x - mean) ** 2 for x in each))
    assert found.lo <= found.value - half + 1e-12
    assert found.hi >= found.value + half - 1e-12
    assert (found.alerts, found.days) == (alerts, 12)


def test_an_interval_has_a_width_even_if_every_alert_is_followed() -> None:
    day = np.repeat(np.arange(5), 5)
    control = np.zeros((25, 5))
    found = lift(np.ones(25, np.bool_), day, control)
    assert found is not None
    assert found.value == 1.0
    assert 0.7 < found.lo < 0.95
    assert found.hi == 1.0


def test_an_interval_ends_at_minus_one() -> None:
    control = np.ones((25, 5))
    found = lift(np.zeros(25, np.bool_), np.repeat(np.arange(5), 5), control)
    assert found is not None
    assert found.value == found.lo == -1.0
    assert -1.0 < found.hi < -0.7
    control[:5] = 0.4  # the days differ so much that the jackknife alone would go beyond
    found = lift(np.zeros(10, np.bool_), np.repeat(np.arange(2), 5), control[:10, :2])
    assert found is not None
    assert found.value == pytest.approx(-0.7)
    assert found.lo == -1.0


def test_alerts_without_a_matched_window_and_alerts_of_one_day_say_nothing() -> None:
    control = np.full((6, 3), math.nan)
    control[:3, 1:] = 0.0
    day = np.array([0, 0, 0, 1, 1, 1])
    assert lift(np.ones(6, np.bool_), day, control) is None
    control[3:, 2] = 0.0
    found = lift(np.ones(6, np.bool_), day, control)
    assert found is not None
    assert found.alerts == 6


@pytest.mark.parametrize("effect", [0.0, 0.4])
def test_the_interval_covers_the_truth(effect: float) -> None:
    """Days have rates of their own, the same for alerts and for what happens anyway."""
    rng = np.random.RandomState(4)
    hit = runs = 0
    for _ in range(400):
        rate = np.clip(rng.normal(0.3, 0.1, 20), 0.02, 0.58)
        day = np.repeat(np.arange(20), 3)
        followed = rng.rand(60) < rate[day] + effect
        control = (rng.rand(60, 20) < rate[None, :]).astype(float)
        control[np.arange(60), day] = math.nan
        found = lift(followed, day, control)
        assert found is not None
        hit, runs = hit + (found.lo <= effect <= found.hi), runs + 1
    assert hit / runs >= 0.87
