"""Intervals of events, rates and samples: what they cover where events come in bursts.

`TSQ_SIMULATIONS` scales the number of simulated plants per cell (200 by default).
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.intervals import chi_square, events, garwood, median, rates, sample, worth
from readiness.stats import Z, interval, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PLANTS = int(os.environ.get("TSQ_SIMULATIONS", "200"))
ONE = np.ones(1)


def least(worst: float) -> float:
    """Return the coverage below which a cell is wrong: four standard errors below what the worst one has."""
    return worst - 4 * math.sqrt(worst * (1 - worst) / PLANTS)


def days_of_events(
    rng: np.random.Generator, days: int, mean: float, share: float, rho: float
) -> tuple[Floats, Floats]:
    """Return (good, all) per day; `rho` is the correlation of two events of one day (beta-binomial)."""
    alike = max(rho, 1e-9)
    of_day = rng.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, days)
    number = rng.poisson(mean, days)
    return rng.binomial(number, np.clip(of_day, 0, 1)).astype(float), number.astype(float)


@pytest.mark.parametrize("days", [10, 20])
@pytest.mark.parametrize("mean", [0.5, 2.0, 20.0, 2000.0])
@pytest.mark.parametrize("rho", [0.0, 0.03, 0.1])
def test_shares_of_events_are_covered(days: int, mean: float, rho: float) -> None:
    for share in (0.5, 0.9, 0.99, 0.999):
        rng = np.random.default_rng([days, round(10 * mean), round(100 * rho), round(1000 * share)])
        covered = number = 0
        for _ in range(PLANTS):
            num, den = days_of_events(rng, days, mean, share, rho)
            if den.sum() >= 5:
                found = events(num[None, :], den[None, :], ONE, 1)
                assert found.lo < found.hi
                covered, number = covered + (found.lo <= share <= found.hi), number + 1
        assert covered / number >= least(0.83), share


@pytest.mark.parametrize("days", [10, 20])
@pytest.mark.parametrize("bursts", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("size", [1.0, 5.0, 20.0])
def test_rates_of_bursts_are_covered(days: int, bursts: float, size: float) -> None:
    """Bursts come at random; each brings a geometric number of events."""
    rng = np.random.default_rng([days, round(100 * bursts), round(size)])
    truth, covered = 100 * bursts * size / 500, 0
    for _ in range(PLANTS):
        number = rng.poisson(bursts, days)
        num = np.array([float(rng.geometric(1 / size, k).sum()) for k in number.tolist()])
        den = rng.poisson(500, days).astype(float)
        found = rates(num[None, :], den[None, :], ONE, 1, 100.0)
        assert found.lo < found.hi
        covered += found.lo <= truth <= found.hi
    assert covered / PLANTS >= least(0.83)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 15, 40])
def test_the_median_of_a_sample_is_covered(n: int) -> None:
    rng = np.random.default_rng(n)
    covered = 0
    for _ in range(5 * PLANTS):
        found = sample(rng.lognormal(1.0, 1.0, n).tolist())
        assert found.lo < found.value < found.hi
        covered += found.lo <= math.e <= found.hi
    assert covered / (5 * PLANTS) >= 0.9 - 4 * math.sqrt(0.09 / (5 * PLANTS))
    if n < 5:
        assert covered / (5 * PLANTS) <= 0.9 + 4 * math.sqrt(0.09 / (5 * PLANTS))


@given(st.lists(st.floats(0.01, 1e4), min_size=5, max_size=60))
def test_limits_of_a_median_are_the_exact_order_statistics(values: list[float]) -> None:
    found, n = sample(values), len(values)
    ordered = sorted(values)
    assert found.value == pytest.approx(float(np.median(values)))

    def missed(rank: int) -> float:  # chance that fewer than `rank` values lie below the true median
        return float(sum(math.comb(n, k) for k in range(rank)) / 2**n)

    rank = max(r for r in range(1, n + 1) if missed(r) <= 0.05)
    if ordered[rank - 1] < ordered[n - rank]:
        assert (found.lo, found.hi) == (ordered[rank - 1], ordered[n - rank])
    else:
        assert found.lo < found.value < found.hi


def test_the_middle_of_an_even_number_lies_between() -> None:
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5
    assert median([7.0]) == 7.0


@pytest.mark.parametrize(("n", "five", "most"), [(2, 0.103, 5.991), (10, 3.940, 18.307), (40, 26.509, 55.758)])
def test_chi_square_against_tables(n: int, five: float, most: float) -> None:
    assert chi_square(n, -Z) == pytest.approx(five, abs=0.03)
    assert chi_square(n, Z) == pytest.approx(most, rel=0.01)


def test_no_bursts_are_at_most_three() -> None:
    assert garwood(0)[0] == 0
    assert garwood(0)[1] == pytest.approx(-math.log(0.05), rel=0.01)


def test_a_day_full_of_events_is_worth_ten() -> None:
    assert worth(np.array([0.0, 1.0, 1.0])) == 2
    assert worth(np.array([1e6])) == pytest.approx(10, rel=1e-3)


def test_few_events_are_wilsons() -> None:
    found = events(np.array([[1.0, 2, 0, 1]]), np.array([[1.0, 2, 0, 1]]), ONE, 1)
    assert (found.value, found.hi) == (1.0, 1.0)
    assert found.lo == pytest.approx(wilson(1.0, 1 + 2 / 1.1 + 1)[0])


def test_rates_that_never_exceed_one_are_shares() -> None:
    num, den = np.full((2, 12), 9.0), np.full((2, 12), 9.0)
    assert rates(num, den, np.ones(2), 1) == interval(num, den, np.ones(2), 1)


def test_nothing_seen_is_not_nothing() -> None:
    found = rates(np.zeros((1, 20)), np.full((1, 20), 500.0), ONE, 1, 100.0)
    assert found.value == found.lo == 0
    assert found.hi == pytest.approx(100 * 10 * -math.log(0.05) / 10_000, rel=0.01)


def test_a_rate_has_no_upper_end() -> None:
    rng = np.random.default_rng(1)
    num = rng.poisson(30, (2, 20)).astype(float)
    found = rates(num, np.full((2, 20), 10.0), np.array([1.0, 3.0]), 1, 100.0)
    expected = 100 * (num[0].sum() + 3 * num[1].sum()) / 4 / 200
    assert found.value == pytest.approx(expected)
    assert found.lo < found.value < found.hi
    assert found.hi > 300


def test_machines_with_few_events_are_averaged_by_weight() -> None:
    num, den = np.array([[1.0, 1], [0.0, 1]]), np.array([[1.0, 1], [1.0, 1]])
    found = events(num, den, np.array([1.0, 3.0]), 1)
    assert found.value == pytest.approx(0.25 * 1 + 0.75 * 0.5)
    assert found.lo == pytest.approx(0.25 * wilson(1.0, 2)[0] + 0.75 * wilson(0.5, 2)[0])
