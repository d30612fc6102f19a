"""How much more often something follows an alert than it happens anyway.

Each alert is compared with windows that resemble it but had no alert: the same machine at the same time of day in
the same state, on other days. With y_i = 1 if an action followed alert i, and c_id = 1 if one happened in its
matched window on day d,

    lift = mean_i (y_i - p_i),   p_i = mean over days d of c_id

so what happens every morning at eight, alert or not, cancels out. Alerts without a matched window say nothing.

Days are the observations: the interval is that of a jackknife that leaves out one day, with its alerts and its
matched windows (Efron and Tibshirani 1993, chapter 11), and Student's t over days. Where every alert is
followed and nothing happens otherwise a jackknife has no width; the interval is therefore at least as wide as
Newcombe's hybrid score interval of a difference of two shares (1998, Statistics in Medicine 17, method 10), in
which matched windows count no more than alerts do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.stats import Z, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lift:
    """The lift with its 90 % interval, the two shares behind it, and the number of alerts and days."""

    value: float
    lo: float
    hi: float
    given: float
    anyway: float
    alerts: int
    days: int


def student(n: int) -> float:
    """Return the 95 % quantile of Student's t with n degrees of freedom, by Cornish and Fisher's expansion.

    Four terms (Abramowitz and Stegun 1964, 26.7.5): 0.3 % too small with two degrees of freedom, right to 0.1 %
    from three on.
    """
    z = Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(n) ** (power + 1) for power, term in enumerate(terms))


def lift(followed: Bools, day: Ints, control: Floats) -> Lift | None:
    """Return the lift of some alerts, None if none of them has a matched window or all lie on one day.

    Args:
        followed: [alerts], y.
        day: [alerts], the day of each.
        control: [alerts, days], c; nan where there is no matched window.
    """
    matched = np.isfinite(control)
    keep = matched.any(axis=1)
    followed, day, control, matched = followed[keep], day[keep], control[keep], matched[keep]
    dates = np.unique(day)
    if len(dates) < 2:
        return None
    happened, number = np.where(matched, control, 0.0), matched.astype(np.float64)

    def value(used: Bools) -> float:
        """Return the lift without some days."""
        windows = number[:, used].sum(axis=1)
        rows = used[day] & (windows > 0)
        if not rows.any():
            return math.nan
        anyway = happened[rows][:, used].sum(axis=1) / windows[rows]
        return float(np.mean(followed[rows] - anyway))

    every = np.ones(control.shape[1], np.bool_)
    whole = value(every)
    given = float(np.mean(followed))
    used = np.union1d(dates, np.flatnonzero(matched.any(axis=0)))
    without = np.array([value(every & (np.arange(len(every)) != d)) for d in used.tolist()])
    without = without[np.isfinite(without)]
    n = len(without)
    if n < 2:
        return None
    half = student(n - 1) * math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    below, above = _newcombe(given, given - whole, len(followed))
    return Lift(
        value=whole,
        lo=max(-1.0, whole - max(half, below)),
        hi=min(1.0, whole + max(half, above)),
        given=given,
        anyway=given - whole,
        alerts=len(followed),
        days=len(dates),
    )


def _newcombe(given: float, anyway: float, n: int) -> tuple[float, float]:
    (low, high), (least, most) = wilson(given, n), wilson(anyway, n)
    return math.hypot(given - low, most - anyway), math.hypot(high - given, anyway - least)
