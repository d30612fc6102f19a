"""The programme's effect against simulated truth, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from techsquare.verdict.programme import NEVER, Panel, effect
from tests.techsquare.verdict.firms import coverage, programme
from tests.techsquare.verdict.test_rule import at_least

RUNS = 40


@pytest.mark.parametrize("gain", [0.0, 4.0])
def test_intervals_hold_the_truth_where_factories_ask_in_bad_months(gain: float) -> None:
    held, above, error, _ = coverage(RUNS, 1, gain)
    assert at_least(round(held * RUNS), RUNS, 0.93)
    assert abs(error) < 0.35
    assert above == 1 if gain else above < 0.15


def test_by_hand() -> None:
    """Two cohorts, no noise: growth in common goes out, a factory that has begun is never compared with."""
    common = np.array([0.0, 3.0, 1.0, 4.0, 1.0, 5.0])
    begun = np.array([3, 5, NEVER, NEVER])
    applied = np.array([0, 0, NEVER, NEVER])
    values = np.array([10.0, 20.0, 30.0, 40.0])[:, None] + common
    values[0, 3:] += [1, 2, 3]
    values[1, 5:] += 7
    found = effect(Panel(["a", "b", "c", "d"], values, applied, begun))
    assert found.by_month == pytest.approx({0: (1 + 7) / 2, 1: 2, 2: 3})
    assert found.value == pytest.approx((1 + 2 + 3 + 7) / 4)
    assert (found.low, found.factories, found.waiting, found.left_out) == (None, 2, 3, 0)


def test_the_usual_regression_is_wrong_where_this_is_right() -> None:
    """Effects that grow: a regression compares with factories that have begun and go on growing."""
    rng = np.random.default_rng(5)
    begun = np.array([4] * 20 + [12] * 20 + [NEVER] * 4)
    since = np.arange(24)[None, :] - begun[:, None]
    running = (begun[:, None] >= 0) & (since >= 0)
    real = np.where(running, 1.0 + since, 0.0)
    values = rng.normal(0, 0.5, (44, 24)) + real
    applied = np.where(begun >= 0, begun - 3, NEVER)
    found = effect(Panel([f"f{i:02d}" for i in range(44)], values, applied, begun))
    truth = real[running].mean()
    assert found.value == pytest.approx(truth, rel=0.02)
    design = np.c_[running.ravel(), np.kron(np.eye(44), np.ones((24, 1))), np.kron(np.ones((44, 1)), np.eye(24))]
    twoway = np.linalg.lstsq(design, values.ravel(), rcond=None)[0][0]
    assert twoway < 0.8 * truth


def test_dates_dealt_out_anew_and_any_order_of_rows() -> None:
    rng = np.random.default_rng(6)
    one = programme(rng, factories=40)
    found = effect(one.panel, shuffles=39, seed=1)
    assert found.chance == pytest.approx(0.025)
    order = rng.permutation(40)
    panel = one.panel
    mixed = Panel(
        [panel.factories[i] for i in order.tolist()], panel.values[order], panel.applied[order], panel.begun[order]
    )
    assert effect(mixed, shuffles=39, seed=1) == found
    none = effect(programme(rng, factories=40, gain=0.0).panel, shuffles=39, seed=1)
    assert none.chance is not None
    assert none.chance > 0.05


def test_what_cannot_be_compared_is_said() -> None:
    values = np.zeros((3, 6))
    everybody = Panel(["a", "b", "c"], values, np.array([0, 0, 0]), np.array([3, 3, 3]))
    found = effect(everybody)
    assert (found.value, found.left_out) == (None, 3)
    soon = Panel(["a", "b", "c"], values, np.array([1, NEVER, NEVER]), np.array([3, NEVER, NEVER]))
    assert effect(soon).value is None
    with pytest.raises(ValueError, match="applied"):
        effect(Panel(["a"], values[:1], np.array([3]), np.array([3])))
    with pytest.raises(ValueError, match="one row"):
        effect(Panel(["a", "a"], values[:2], np.array([0, 0]), np.array([3, 3])))


def test_the_month_after_an_application_is_left_out_also_where_the_application_lies_before_the_panel() -> None:
    values = np.zeros((4, 6))
    values[:2, 0] = -1.0  # a bad month that outlasts the application
    applied, begun = np.array([-1, -1, NEVER, NEVER]), np.array([3, 3, NEVER, NEVER])
    assert effect(Panel(["a", "b", "c", "d"], values, applied, begun)).value == pytest.approx(0.0)
    before = np.array([-7, -7, NEVER, NEVER])
    told = effect(Panel(["a", "b", "c", "d"], values, before, begun))
    assert told == effect(Panel(["a", "b", "c", "d"], values, np.full(4, NEVER), begun))
    assert told.value == pytest.approx(1 / 3)
