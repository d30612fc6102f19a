"""Records: near the true rates, intervals that hold them, and what enters nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from techsquare.matching.gains import fitted
from techsquare.matching.record import Record
from techsquare.matching.terms import Counted
from tests.techsquare.matching.market import market

RUNS = 8
FAMILIES = 6


def simulated(seed: int, decided: float = 0.75) -> tuple[float, float, int]:
    """Return RMSE over raw RMSE, and the coverage of the 90 % intervals, of suppliers with an outcome; skewed."""
    told = market(1, 900, seed, decided=decided)
    record = Record(told.counts)
    raw, shrunk, held = [], [], []
    for (name, family), counted in told.counts.items():
        rate, truth = record.rate(name, family), told.rates[name, family]
        held.append(rate.low <= truth <= rate.high)
        if counted.decided:
            raw.append(counted.improved / counted.decided - truth)
            shrunk.append(rate.mean - truth)
    return (
        float(np.sqrt(np.mean(np.square(shrunk))) / np.sqrt(np.mean(np.square(raw)))), float(np.mean(held)),
        len(held),
    )  # fmt: skip


def test_records_are_nearer_the_truth_than_counts_and_their_intervals_hold_it() -> None:
    told = np.array([simulated(seed) for seed in range(RUNS)])
    assert told[:, 0].mean() <= 0.55
    assert 0.87 <= np.average(told[:, 1], weights=told[:, 2]) <= 0.93


def test_intervals_hold_where_hardly_anything_is_decided() -> None:
    """One market says little; that few outcomes pass for suppliers who are all alike shows in the mean of eight."""
    told = np.array([simulated(seed, 0.1) for seed in range(RUNS)])
    assert told[:, 0].mean() <= 0.55
    assert np.average(told[:, 1], weights=told[:, 2]) >= 0.84


def test_what_is_not_decided_says_nothing() -> None:
    plain = Record({("a", "f"): Counted(3, 4), ("b", "f"): Counted(0, 2), ("c", "g"): Counted(1, 1)})
    silent = Record(
        {("a", "f"): Counted(3, 4, 7, 2), ("b", "f"): Counted(0, 2, 1, 1), ("c", "g"): Counted(1, 1, 3, 3)}
    )
    for name, family in (("a", "f"), ("b", "f"), ("c", "g"), ("new", "f"), ("new", "h")):
        assert plain.rate(name, family) == silent.rate(name, family)
    assert silent.unsaid("a", "f") == (7, 2)
    assert silent.unsaid("new", "f") == (0, 0)
    assert (plain.rate("a", "f").n, plain.rate("new", "f").n) == (4, 0)


def test_an_interval_is_that_of_its_beta() -> None:
    record = Record({("a", "f"): Counted(3, 4), ("b", "f"): Counted(9, 10), ("c", "f"): Counted(0, 1)})
    for name in "abcd":
        rate = record.rate(name, "f")
        assert rate.mean == pytest.approx(rate.alpha / (rate.alpha + rate.beta))
        assert [rate.low, rate.high] == pytest.approx(beta(rate.alpha, rate.beta).ppf([0.05, 0.95]), abs=1e-9)


def test_more_successes_are_never_a_worse_record_and_more_outcomes_a_narrower_one() -> None:
    rows = {(f"s{n}-{k}", "f"): Counted(k, n) for n in (1, 2, 4, 8, 16) for k in range(n + 1)}
    record = Record(rows)
    for n in (1, 2, 4, 8, 16):
        means = [record.rate(f"s{n}-{k}", "f").mean for k in range(n + 1)]
        assert means == sorted(means)
    widths = [
        record.rate(f"s{n}-{n // 2}", "f").high - record.rate(f"s{n}-{n // 2}", "f").low for n in (2, 4, 8, 16)
    ]
    assert widths == sorted(widths, reverse=True)


def test_a_family_is_shrunk_to_its_own_mean() -> None:
    good = {(f"g{at}", "good"): Counted(9, 10) for at in range(30)}
    poor = {(f"p{at}", "poor"): Counted(2, 10) for at in range(30)}
    record = Record({**good, **poor})
    assert record.family("good").mean > 0.8
    assert record.family("poor").mean < 0.3
    assert 0.3 < record.family("unheard of").mean < 0.8


def test_nothing_known_at_all_is_wide_open() -> None:
    rate = Record({}).rate("a", "f")
    assert rate.mean == pytest.approx(0.5, abs=0.02)
    assert rate.high - rate.low > 0.7


def test_gains_are_shrunk_by_how_sure_they_are() -> None:
    rng = np.random.default_rng(5)
    held, raw, shrunk = [], [], []
    for _ in range(40):
        truth = 0.25 + 0.06 * rng.standard_normal(40)
        counts = {}
        for at, gain in enumerate(truth):
            errors = rng.uniform(0.02, 0.12, 1 + int(rng.integers(0, 3)))
            counts[f"s{at}", "f"] = Counted(
                gains=[(float(gain + se * rng.standard_normal()), float(se)) for se in errors]
            )
        gains = fitted(counts, {})
        for at, gain in enumerate(truth):
            found = gains.of(f"s{at}", "f")
            assert found is not None
            weights = [1 / se**2 for _, se in counts[f"s{at}", "f"].gains]
            plain = np.average([one for one, _ in counts[f"s{at}", "f"].gains], weights=weights)
            raw.append(plain - gain)
            shrunk.append(found.mean - gain)
            held.append(abs(found.mean - gain) <= 1.645 * found.sd)
    assert np.sqrt(np.mean(np.square(shrunk))) < 0.9 * np.sqrt(np.mean(np.square(raw)))
    assert 0.87 <= np.mean(held) <= 0.93


def test_without_an_outcome_the_catalogue_speaks_and_without_it_nobody() -> None:
    gains = fitted({}, {"f": (0.2, 0.05)})
    found = gains.of("a", "f")
    assert found is not None
    assert found.mean == pytest.approx(0.2)
    assert found.sd >= 0.05
    assert gains.of("a", "other") is None
