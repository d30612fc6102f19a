"""How many levels a measured value can tell apart: its working range over its smallest step that recurs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.sketch import MOST, index, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.records import Sparse, Values

    Floats = NDArray[np.float64]

CHANGES = 1000
TIMES, SHARE = 5, 0.001
"""Steps recur when they were seen this often, and make up this share of all changes."""
VOID, MULTIPLES = 8.0, 3
_VALUE = np.array([value(bucket, 1.0) for bucket in range(MOST + 1)])


def sizes(row: Sparse, grain: float) -> tuple[Floats, Floats]:
    """Return the numbers that the buckets of a sketch stand for, and how often each was seen."""
    bucket, often = np.array(row, np.int64).reshape(-1, 2).T
    return grain * _VALUE[np.abs(bucket)] * np.sign(bucket), often.astype(np.float64)


def quantiles(number: Floats, often: Floats, shares: Sequence[float]) -> list[float]:
    """Return quantiles of numbers that were seen so often."""
    order = np.argsort(number, kind="stable")
    reached = np.cumsum(often[order])
    return [float(number[order][int(np.searchsorted(reached, s * reached[-1] - 1e-9))]) for s in shares]


def smallest(number: Floats, often: Floats) -> float:
    """Return the smallest step that recurs: so many changes are no larger that it is no accident.

    On a converter's grid that is the grid. Where noise spreads steps over a fine grid none of them alone makes up a
    thousandth of all; counted together from the smallest on they still come within a factor of two of the grid.
    """
    order = np.argsort(number, kind="stable")
    reached = np.cumsum(often[order])
    step = number[order][int(np.searchsorted(reached, max(TIMES, SHARE * reached[-1]) - 1e-9))]
    near = (number >= 0.96 * step) & (number <= 1.09 * step)  # the same step on days with other grains
    return float((number * often)[near].sum() / often[near].sum())


def clusters(number: Floats, often: Floats) -> Floats:
    """Return steps that recur each for itself, increasing, each the mean of neighbouring ones.

    Days have grains of their own, so one step may fall into neighbouring buckets of different days.
    """
    each, place = np.unique(index(number / float(number.min())), return_inverse=True)
    total = np.bincount(place, weights=often)
    mass = np.bincount(place, weights=often * number)
    near = np.abs(each[:, None] - each[None, :]) <= 1
    enough = near @ total >= max(TIMES, SHARE * often.sum())
    starts = np.flatnonzero(enough & ~np.concatenate([[False], enough[:-1] & (np.diff(each) <= 1)]))
    groups = [np.flatnonzero(enough & (each >= each[i]) & (each <= each[i] + 2)) for i in starts.tolist()]
    return np.array([mass[g].sum() / total[g].sum() for g in groups])


def grid(step: Floats) -> float | None:
    """Return the step of a converter's grid that finer steps hide, or None.

    Beside it there are its multiples, and below it nothing for a factor of eight until what was added afterwards.
    """
    gaps = np.flatnonzero(step[1:] > VOID * step[:-1])
    for coarse in step[gaps + 1].tolist():
        ratio = step[step >= coarse] / coarse
        found = {round(r) for r in ratio.tolist() if abs(r / round(r) - 1) <= 0.05 and r < VOID}
        if len(found) >= MULTIPLES:
            return float(coarse)
    return None


def levels(days: Sequence[Values]) -> tuple[float, bool] | None:
    """Return (p99 - p1) / smallest recurrent step and whether a grid was hidden; None for too few changes."""
    steps = [(v.grain, *sizes(v.steps, v.grain)) for v in days if v.steps]
    if sum(float(count.sum()) for _, _, count in steps) < CHANGES:
        return None
    floor = np.concatenate([np.maximum(number, grain) for grain, number, _ in steps])
    often = np.concatenate([count for _, _, count in steps])
    hidden = grid(clusters(floor, often))
    spread = [(v.base, *sizes(v.spread, v.grain)) for v in days if v.spread]
    number = np.concatenate([base + offset for base, offset, _ in spread])
    low, high = quantiles(number, np.concatenate([count for _, _, count in spread]), (0.01, 0.99))
    return (high - low) / (hidden or smallest(floor, often)), hidden is not None
