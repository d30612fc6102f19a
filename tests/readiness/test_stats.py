"""Intervals: what they cover on bursty outages, against a binomial that takes seconds for observations.

`TSQ_SIMULATIONS` scales the number of simulated plants per cell (200 by default).
"""

from __future__ import annotations

import math
import os
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.intervals import quantile_interval
from readiness.sketch import buckets
from readiness.stats import Interval, Ratios, Z, around, effective, interval, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PLANTS = int(os.environ.get("TSQ_SIMULATIONS", "200"))
SECONDS = 12 * 3600.0


def losses(rng: np.random.Generator, days: int, plants: int, outage: tuple[float, float, float, float]) -> Floats:
    """Return the lost share of each day [plants, days].

    Args:
        rng: Source of chance.
        days: Production days of a window.
        plants: Number of plants.
        outage: Mean number a day, mean seconds, sigma of the logarithm of the seconds, and how unevenly days differ
            (variance of a gamma factor on the number; 0 for even).
    """
    rate, mean, sigma, uneven = outage
    factor = rng.gamma(1 / uneven, uneven, (plants, days)) if uneven else np.ones((plants, days))
    number = rng.poisson(rate * factor)
    lost = np.zeros((plants, days))
    for k in range(int(number.max())):
        length = rng.lognormal(math.log(mean) - sigma**2 / 2, sigma, (plants, days))
        lost += np.where(number > k, length, 0)
    return np.minimum(lost / SECONDS, 1)


CELLS = {
    "rare": (0.1, 3600, 1.0, 0.0),
    "weekly": (0.3, 600, 1.0, 0.0),
    "bursty": (1.0, 1800, 1.2, 1.0),
    "frequent": (3.0, 300, 1.0, 0.5),
}


@pytest.mark.parametrize("days", [10, 20])
@pytest.mark.parametrize("cell", CELLS)
def test_the_interval_covers_the_true_share_where_a_binomial_over_seconds_does_not(cell: str, days: int) -> None:
    rng = np.random.default_rng([days, len(cell)])
    truth = 1 - float(losses(rng, 50_000, 4, CELLS[cell]).mean())
    covered, naive = 0, 0
    for lost in losses(rng, days, PLANTS, CELLS[cell]):
        found = interval((1 - lost)[None, :] * SECONDS, np.full((1, days), SECONDS), np.ones(1), 1)
        covered += found.lo <= truth <= found.hi
        half = Z * math.sqrt(found.value * (1 - found.value) / (days * SECONDS))
        naive += abs(found.value - truth) <= half
    # 90 % nominal; four standard errors below the 88 % that the worst cell reaches in the long run.
    floor = 0.88 - 4 * math.sqrt(0.88 * 0.12 / PLANTS)
    assert covered / PLANTS >= floor
    assert naive / PLANTS < 0.3


def test_outages_shared_by_all_machines_do_not_count_as_many() -> None:
    narrower = []
    for seed in range(11):
        rng = np.random.default_rng(seed)
        shared = losses(rng, 20, 1, CELLS["frequent"])
        one = interval((1 - shared), np.ones((1, 20)), np.ones(1), 1)
        ten = interval(np.repeat(1 - shared, 10, 0), np.ones((10, 20)), np.ones(10), 1)
        assert ten.hi - ten.lo == pytest.approx(one.hi - one.lo, rel=1e-6)
        own = interval(1 - losses(rng, 20, 10, CELLS["frequent"]), np.ones((10, 20)), np.ones(10), 1)
        narrower.append((own.hi - own.lo) / (one.hi - one.lo))
    assert np.median(narrower) < 0.6  # a third, and more where chance makes days seem to follow each other


@given(
    st.integers(1, 4).flatmap(
        lambda machines: st.lists(
            st.lists(st.integers(0, 100), min_size=machines, max_size=machines), min_size=1, max_size=28
        )
    ),
    st.integers(0, 2**40),
)
def test_an_interval_holds_its_value_has_a_width_and_repeats(rows: list[list[int]], seed: int) -> None:
    num = np.array(rows, np.float64).T
    den = np.full_like(num, 100.0)
    weights = np.arange(1.0, len(num) + 1)
    found = interval(num, den, weights, seed)
    assert 0 <= found.lo <= found.value <= found.hi <= 1
    assert found.hi > found.lo
    assert found == interval(num, den, weights, seed)
    expected = float((weights * num.sum(1) / den.sum(1)).sum() / weights.sum())
    assert found.value == pytest.approx(expected)


def test_days_that_do_not_count_change_nothing() -> None:
    rng = np.random.default_rng(2)
    num = rng.random((2, 15))
    den = np.ones((2, 15))
    zero = np.zeros((2, 5))
    weights = np.array([1.0, 2.0])
    assert interval(np.hstack([num, zero]), np.hstack([den, zero]), weights, 3) == interval(num, den, weights, 3)


def test_days_that_follow_each_other_are_worth_less() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(size=400)
    chain = np.zeros(400)
    for k in range(1, 400):
        chain[k] = 0.6 * chain[k - 1] + noise[k]
    assert effective(noise) > 300
    assert 60 < effective(chain - chain.mean()) < 160  # 400 (1 - .6) / (1 + .6) = 100


def test_wilson_at_the_ends_is_nearly_the_rule_of_three() -> None:
    lo, hi = wilson(1.0, 20)
    assert hi == 1.0
    assert lo == pytest.approx(20 / (20 + Z * Z))
    assert wilson(0.0, 20)[0] == 0.0


@pytest.mark.parametrize("days", [10, 20])
def test_the_interval_of_a_quantile_covers_it_from_both_sides(days: int) -> None:
    rng = np.random.default_rng(days)

    def latencies() -> Floats:
        slow = 4.0 if rng.random() < 0.3 else 1.0  # some days are slow as a whole
        return np.asarray(slow * 0.2 * rng.lognormal(0, 0.4) * rng.lognormal(0, 0.3, 300))

    truth = float(np.quantile(np.concatenate([latencies() for _ in range(20_000)]), 0.95))
    low = high = 0
    for _ in range(PLANTS):
        seen = [buckets((latencies() * 1e9).astype(np.int64)).tolist() for _ in range(days)]
        found = quantile_interval([Counter(day) for day in seen], 0.95, 1)
        assert found.lo < found.value < found.hi
        low += truth < found.lo
        high += truth > found.hi
    # 5 % nominal on each side; three standard errors of the simulation above 7 %.
    limit = PLANTS * 0.07 + 3 * math.sqrt(PLANTS * 0.07)
    assert low <= limit
    assert high <= limit


def test_days_that_follow_each_other_are_worth_a_tenth_at_least_and_two_in_any_case() -> None:
    half = np.repeat([1.0, -1.0], 50)
    assert effective(half) == pytest.approx(100 * 0.1 / 1.9), "a correlation near 1 is taken for 0.9"
    assert effective(np.repeat([1.0, -1.0], 3)) == 2.0


def test_five_days_that_lost_something_are_resampled_and_four_are_not() -> None:
    for lossy in (4, 5):
        num = np.full((1, 20), 100.0)
        num[0, 1 : 1 + 3 * lossy : 3] = [99.0, 97.0, 98.0, 90.0, 96.0][:lossy]
        den = np.full((1, 20), 100.0)
        found, plain = interval(num, den, np.ones(1), 1), Ratios.of(num, den, np.ones(1))
        formula = wilson(plain.value, plain.n_eff)
        assert ((found.lo, found.hi) == formula) == (lossy == 4)


def test_an_interval_never_lies_on_one_side_of_its_value() -> None:
    assert around(0.5, 0.6, 0.7, 3, 3.0) == Interval(0.5, 0.5, 0.7, 3, 3.0)
    assert around(0.5, 0.3, 0.4, 3, 3.0) == Interval(0.5, 0.3, 0.5, 3, 3.0)
    assert around(0.5, -0.1, 1.1, 3, 3.0) == Interval(0.5, 0.0, 1.0, 3, 3.0)
    assert around(5.0, 1.0, 9.0, 3, 3.0, most=np.inf).hi == 9.0
