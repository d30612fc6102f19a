"""Intervals for shares of time, from whole production days.

Outages come in bursts and meet several machines at once, so seconds, readings and machines are no independent
observations; days nearly are. Whole days are resampled for the whole plant, B times, and the interval is
studentised (bootstrap-t; Efron and Tibshirani 1993, chapter 12.5; Davison and Hinkley 1997, chapter 5.2): each
replicate is measured in its own standard error, which follows the skewness that a percentile interval ignores.

    R  = sum_m w_m (sum_d num_md / sum_d den_md) / sum_m w_m      machines m, production days d
    se = sqrt(n/(n-1) sum_d e_d^2),  e_d = sum_m w_m (num_md - R_m den_md) / den_m / sum_m w_m
    t* = (R* - R) / se*,             [R - t*_(0.95) se,  R - t*_(0.05) se]

With fewer than five days that lost anything the bootstrap has nothing to resample. Then Wilson's interval takes
over, with days as observations: every day's share lies in [0, 1], so that is on the safe side, and with no loss at
all it is nearly the rule of three. An interval never has zero width.

Simulated in `tests/readiness/test_stats.py` (2,000 plants a cell): at 90 % nominal this covers 89-99 % over rare,
bursty and frequent outages and 10-28 days; a binomial interval over seconds covers 1-4 %, a percentile bootstrap
over the same days 51-87 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CONFIDENCE = 0.90
Z = 1.6448536269514722
REPLICATES = 1000
FEW = 5
SMALL_SE = 0.1
"""A replicate that drew only quiet days has nearly no standard error of its own; it is held at this share of the
observed one, so that single replicates do not reach to infinity."""


SEEN = 0.2
"""Correlation of neighbouring days below which chance alone may have made it (about one standard error)."""
UPPER = 1.28
"""Standard errors to the upper limit at 90 %, one-sided."""
NO_SPREAD = 1e-9
"""A standard error below this is rounding: all days were alike."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value between its limits; `n` production days, worth `n_eff` independent ones."""

    value: float
    lo: float
    hi: float
    n: int
    n_eff: float


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's score interval (1927) of a share of n observations."""
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(max(share * (1 - share), 0.0) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def effective(residuals: Floats) -> float:
    """Return how many independent days these days are worth, by their correlation with the day before.

    In n days a correlation looks smaller than it is, by (1 + 3 rho) / n on average (Marriott and Pope 1954); that
    is put back. What is left has a standard error of sqrt((1 - rho^2) / n) (Bartlett 1946), and to take it for too
    small makes an interval too narrow while to take it for too large only makes it wide: its upper limit at 90 % is
    used, from a correlation of SEEN on, in proportion below. Simulated over 20 days correlated by 0.4: 88-92 %
    covered, with rho alone 83-86 %, while days that do not follow each other get intervals wider by 1-10 %
    (decision 63; `tests/validity/coverage.py`).
    """
    n = len(residuals)
    total = float(np.sum(residuals**2))
    if n < 3 or total <= 0:
        return float(n)
    rho = float(np.sum(residuals[1:] * residuals[:-1])) / total
    rho += (1 + 3 * max(rho, 0.0)) / n
    rho += UPPER * math.sqrt(max(1 - rho * rho, 0.0) / n) * min(max(rho, 0.0) / SEEN, 1.0)
    rho = min(max(rho, 0.0), 0.9)
    return max(2.0, n * (1 - rho) / (1 + rho))


@lru_cache(maxsize=2)
def draws(n: int, seed: int) -> Floats:
    """Return how often each of n days is drawn in each replicate, [B, n]; not to be written to.

    Machines of a plant have the same days and one seed, so that the next one asks for the same again.
    """
    # The stream of RandomState is frozen for ever, that of a Generator may change with a release of numpy; equal
    # evidence must give equal reports.
    picks = np.random.RandomState(seed % 2**32).randint(0, n, (REPLICATES, n))
    flat = (picks + n * np.arange(REPLICATES)[:, None]).ravel()
    found = np.bincount(flat, minlength=REPLICATES * n).reshape(REPLICATES, n).astype(np.float64)
    found.flags.writeable = False
    return found


def _shares(num: Floats, den: Floats, weights: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return value and standard error for each row of day counts [B, days]."""
    n = counts.shape[1]
    top, bottom = counts @ num.T, counts @ den.T  # [B, machines]
    seen = bottom > 0
    share = np.divide(top, bottom, out=np.zeros_like(top), where=seen)
    weight = np.where(seen, weights, 0.0)
    total = weight.sum(axis=1)
    value = (weight * share).sum(axis=1) / total
    scale = np.divide(weight, bottom, out=np.zeros_like(bottom), where=seen) / total[:, None]
    residual = scale @ num - (scale * share) @ den  # [B, days]
    error = np.sqrt(n / (n - 1) * (counts * residual**2).sum(axis=1))
    return value, error


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """The weighted mean of the machines' ratios over days that count, and what is needed for its interval."""

    num: Floats
    den: Floats
    weights: Floats
    value: float
    error: float
    n: int
    n_eff: float

    @classmethod
    def of(cls, num: Floats, den: Floats, weights: Floats) -> Ratios:
        """Return it from [machines, days], without the days on which no machine counts."""
        used = den.sum(axis=0) > 0
        num, den = num[:, used], den[:, used]
        n = num.shape[1]
        if n < 2:
            twice = np.repeat(num, 2, 1), np.repeat(den, 2, 1)
            value = float(_shares(*twice, weights, np.ones((1, 2)))[0][0])
            return cls(num, den, weights, value, 0.0, n, float(n))
        value, error = (float(x[0]) for x in _shares(num, den, weights, np.ones((1, n))))
        whole = np.maximum(den.sum(axis=1), 1e-300)
        ratio = num.sum(axis=1) / whole
        residual = ((weights / weights.sum() / whole)[:, None] * (num - ratio[:, None] * den)).sum(axis=0)
        return cls(num, den, weights, value, error, n, effective(residual))

    def spread(self) -> bool:
        """Return whether days differ at all."""
        return self.n >= 2 and self.error >= NO_SPREAD * max(abs(self.value), 1.0)

    def resampled(self, seed: int) -> tuple[float, float]:
        """Return the studentised interval over whole days (bootstrap-t)."""
        values, errors = _shares(self.num, self.den, self.weights, draws(self.n, seed))
        t = (values - self.value) / np.maximum(errors, SMALL_SE * self.error)
        low, high = np.quantile(t, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        widen = math.sqrt(self.n / self.n_eff)  # days that follow each other tell less than their number
        return self.value - float(high) * self.error * widen, self.value - float(low) * self.error * widen

    def days_with(self, part: Floats) -> int:
        """Return on how many days a part, [machines, days], is there for any machine."""
        return int((part > 0).any(axis=0).sum())


def interval(num: Floats, den: Floats, weights: Floats, seed: int) -> Interval:
    """Return the weighted mean of the machines' shares with its interval.

    Args:
        num: [machines, days], time in which it held; at most `den`.
        den: [machines, days], time that counts; 0 on days that a machine does not count.
        weights: [machines], > 0.
        seed: Of the resampling; derive it from the evidence.
    """
    found = Ratios.of(num, den, weights)
    if found.n < 2:
        return around(found.value, *wilson(found.value, 1), found.n, found.n_eff)
    few = min(found.days_with(found.den - found.num), found.days_with(found.num)) < FEW
    if few or not found.spread():
        lo, hi = wilson(found.value, found.n_eff)
    else:
        lo, hi = found.resampled(seed)
    return around(found.value, lo, hi, found.n, found.n_eff)


def around(value: float, lo: float, hi: float, n: int, n_eff: float, most: float = 1.0) -> Interval:
    """Return the interval within 0 and `most` (1 for a share), never on one side of its value."""
    return Interval(value, max(0.0, min(lo, value)), min(most, max(hi, value)), n, n_eff)
