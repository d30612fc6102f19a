"""Single readings that stand out: the filter of Hampel with five readings, as arithmetic on whole columns.

A reading is a candidate when it lies further from the median of five (itself and two on each side) than six times
their scaled median deviation, and its neighbours lie within that too, or within a quarter of its distance. The five
follow each other without a hole, on one day.

Five readings are too few to say what noise does: every sixtieth of white noise is a candidate. So the steps around
it decide (`agent.analyzers.around`), and the day where nearly nothing moves around it: a spike is also further out
than six times what the day's small steps stand for. Where values move in steps of a converter, that is six of them.

Medians of five are minima and maxima in a network, so no row is sorted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

WINDOW = 5
BEFORE = WINDOW - 1
"""Readings that are remembered: with the next one they make a window."""
SCALE = 6 * 1.4826
"""Six standard deviations: a normal distribution's is 1.4826 times its median deviation."""
NOISE = SCALE / 1.4826 / (0.6745 * math.sqrt(2))
"""Six standard deviations in median steps: the difference of two readings of normal noise is wider by the root of
two, and the median size of a normal variable is 0.6745 of its deviation."""
QUIET = 0.1
"""Quantile of the day's steps that is the least a signal moves by: the median may be that of louder hours."""
ALONE = 4


def candidates(value: Floats, linked: Bools) -> tuple[Ints, Floats]:
    """Return where a window ends that has a candidate in its middle, and how far that is from the median.

    Args:
        value: Readings of one signal after the other.
        linked: Which follow the one before without a hole.
    """
    if len(value) < WINDOW:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    # A spike is above or below both of its neighbours: that alone rules out most rows of most signals.
    up, down = value[2:-1] > value[1:-2], value[2:-1] < value[1:-2]
    turns = (up[:-1] & down[1:]) | (down[:-1] & up[1:])
    turns &= linked[1:-3]
    turns &= linked[2:-2]
    turns &= linked[3:-1]
    turns &= linked[4:]
    at = np.flatnonzero(turns)
    a, b, c, d, e = (value[at + i] for i in range(WINDOW))
    lower, upper = np.minimum(a, b), np.maximum(a, b)
    low, high = np.minimum(d, e), np.maximum(d, e)
    inner = np.maximum(lower, low)
    outer = np.minimum(upper, high)
    median = np.maximum(np.minimum(inner, outer), np.minimum(c, np.maximum(inner, outer)))
    for column in (a, b, c, d, e):
        np.subtract(column, median, out=column)
        np.abs(column, out=column)
    near = np.maximum(b, d)
    keep = np.flatnonzero(c > near)
    a, b, c, d, e, near = (column[keep] for column in (a, b, c, d, e, near))
    # The third reading is the furthest or nearly, and the median's own distance is 0, so this is the third of five.
    lower, upper = np.minimum(a, b), np.maximum(a, b)
    low, high = np.minimum(d, e), np.maximum(d, e)
    inner, outer = np.maximum(lower, low), np.minimum(upper, high)
    spread = np.maximum(np.minimum(inner, outer), np.minimum(c, np.maximum(inner, outer)))
    limit = SCALE * spread
    found = (c > limit) & (near <= np.maximum(limit, c / ALONE))
    return at[keep][found] + BEFORE, c[found]
