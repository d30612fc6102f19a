"""Intervals of what is counted: events, rates, and one number of each of several things.

Like time (`readiness.stats`), events are resampled by whole production days as long as at least five days have some
and at least five lack some. Below that there is nothing to resample, and a formula over events takes over:

    Events  Wilson's interval; a day's events are worth n / (1 + (n - 1) RHO) independent ones (Kish 1965), because
            they happen together, and how much so cannot be seen in so few
    Rates   Garwood's interval (1936) of as many independent bursts as the days' numbers are worth, (sum x)^2 / sum
            x^2; with none at all, a burst of UNSEEN events is what may have been missed
    Buckets a quantile, by turning the question round: `quantile_interval`
    Sample  the median between two order statistics (exact binomial, Thompson 1936); fewer than five things cannot
            enclose it, and the limits are widened as if their logarithms were normal with a standard deviation of 1

Rates that never exceed 1 on any day are shares (`readiness.stats.interval`).

Simulated in `tests/readiness/test_intervals.py` (1,000 plants a cell, 90 % nominal, 10 and 20 days): shares of
events of 0.5 to 0.999, 0.5 to 2,000 a day, with a correlation of up to 0.1 within days, are covered in 89-99 %;
Wilson over all events covers 7-17 % where there are many a day. Rates of bursts, one in 20 days to three a day, of
1 to 20 events each: 85-99 %; with a burst of 5 instead of UNSEEN = 10, 51 % where bursts of 20 are rarest. Medians
of 1 to 40 things: 90-97 %.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from readiness.sketch import edges, quantile, value
from readiness.stats import CONFIDENCE, FEW, Interval, Ratios, Z, around, interval, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from readiness.stats import Floats

RHO = 0.1
UNSEEN = 10.0
MANY = 20
"""Fewer events than this are never resampled by days."""
MISS = (1 - CONFIDENCE) / 2
NORMAL = NormalDist()


def chi_square(n: float, z: float) -> float:
    """Return a quantile of chi-square with n degrees of freedom, by Wilson and Hilferty (1931)."""
    return n * max(1 - 2 / (9 * n) + z * math.sqrt(2 / (9 * n)), 0.0) ** 3


def garwood(bursts: float) -> tuple[float, float]:
    """Return limits for the mean of a Poisson number of which `bursts` were seen."""
    return chi_square(2 * bursts, -Z) / 2 if bursts else 0.0, chi_square(2 * bursts + 2, Z) / 2


def worth(den: Floats) -> float:
    """Return how many independent events a row of daily numbers of events is worth."""
    some = den[den > 0]
    return float((some / (1 + np.maximum(some - 1, 0) * RHO)).sum())


def _averaged(rows: Sequence[tuple[float, float]], weights: Floats) -> tuple[float, float]:
    # The machines' own limits, averaged like their values: as wide as if all erred the same way at once.
    lo, hi = (weights / weights.sum()) @ np.array(rows)
    return float(lo), float(hi)


def events(num: Floats, den: Floats, weights: Floats, seed: int) -> Interval:
    """Return the weighted mean of the machines' shares of events with its interval.

    Args:
        num: [machines, days], whole numbers, at most `den`.
        den: [machines, days], events of the day.
        weights: [machines], > 0.
        seed: Of the resampling.
    """
    found = Ratios.of(num, den, weights)
    few = min(found.days_with(found.den - found.num), found.days_with(found.num)) < FEW or found.den.sum() < MANY
    if not few and found.spread():
        return around(found.value, *found.resampled(seed), found.n, found.n_eff)
    rows = [wilson(float(n.sum() / d.sum()), worth(d)) for n, d in zip(found.num, found.den, strict=True)]
    return around(found.value, *_averaged(rows, weights), found.n, found.n_eff)


def rates(num: Floats, den: Floats, weights: Floats, seed: int, per: float = 1.0) -> Interval:
    """Return the weighted mean of the machines' rates, `per` so many, with its interval.

    Args:
        num: [machines, days], at least 0.
        den: [machines, days], what it is counted against.
        weights: [machines], > 0.
        seed: Of the resampling.
        per: Factor of the value.
    """
    if per == 1.0 and bool((num <= den).all()):
        return interval(num, den, weights, seed)
    found = Ratios.of(num, den, weights)
    if found.days_with(found.num) >= FEW and found.spread():
        lo, hi = found.resampled(seed)
    else:
        lo, hi = _averaged([_few(n, d) for n, d in zip(found.num, found.den, strict=True)], weights)
    return around(per * found.value, per * lo, per * hi, found.n, found.n_eff, most=math.inf)


def _few(num: Floats, den: Floats) -> tuple[float, float]:
    total, exposed = float(num.sum()), float(den.sum())
    if total <= 0:
        return 0.0, UNSEEN * garwood(0)[1] / exposed
    bursts = total**2 / float((num**2).sum())
    lo, hi = garwood(bursts)
    return lo / bursts * total / exposed, hi / bursts * total / exposed


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def sample(values: Sequence[float]) -> Interval:
    """Return the median of values above 0 with its interval."""
    ordered = sorted(values)
    n, middle = len(ordered), median(values)
    if n < FEW:
        widen = math.exp(NORMAL.inv_cdf(1 - MISS ** (1 / n)))
        return Interval(middle, ordered[0] / widen, ordered[-1] * widen, n, float(n))
    below, reached = 0, 0.0
    while (reached := reached + math.comb(n, below) / 2**n) <= MISS:
        below += 1
    lo, hi = ordered[below - 1], ordered[n - below]
    if lo < hi:
        return Interval(middle, lo, hi, n, float(n))
    # Things that are all alike: nothing tells how far another one would lie; Wilson's share of others bounds it.
    off = 1 - wilson(1.0, n)[0]
    return Interval(middle, lo * (1 - off), hi * (1 + off), n, float(n))


def quantile_interval(days: Sequence[Mapping[int, int]], share: float, seed: int) -> Interval:
    """Return a quantile of histograms by day with its interval.

    A duration belongs to the interval when the share of values up to it, whose interval comes from day blocks, may
    be the quantile's. Both limits are found by bisection over the buckets and taken to the outer edges of theirs,
    so that the width is never zero. Simulated: 90-96 % at 90 % nominal; less where one day in ten decides the
    quantile and none such was seen.
    """
    whole: Counter[int] = Counter()
    for day in days:
        whole.update(day)
    ladder = sorted(whole)
    table = np.cumsum(np.array([[day.get(bucket, 0) for bucket in ladder] for day in days], np.float64), axis=1)
    cache: dict[int, Interval] = {}

    def up_to(index: int) -> Interval:
        if index not in cache:
            cache[index] = interval(table[:, index][None, :], table[:, -1][None, :], np.ones(1), seed)
        return cache[index]

    def first(holds: Callable[[int], bool]) -> int:
        return bisect_left(range(len(ladder) - 1), True, key=holds)

    middle = quantile(whole, share)
    at = up_to(ladder.index(middle))
    lo = ladder[first(lambda index: up_to(index).hi >= share)]
    hi = ladder[first(lambda index: up_to(index).lo > share)]
    return Interval(value(middle), edges(min(lo, middle))[0], edges(max(hi, middle))[1], at.n, at.n_eff)
