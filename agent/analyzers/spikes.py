"""Single readings that stand out: the filter of Hampel with five readings, as arithmetic on whole columns.

A reading is a spike when it lies further from the median of five (itself and two on each side) than six times
their scaled median deviation, its neighbours do not, and the distance is more than one and a half of the smallest
step that the signal has made on that day: a digit that flickers is none. The five follow each other without a
hole, on one day.

Medians of five are five comparisons of minima and maxima (a network), so no row is sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
FLOOR = 1.5
"""Steps of a signal that are no spike."""


class Windows(NamedTuple):
    """Windows in which the third of five readings may be a spike; one row each.

    Attributes:
        last: Row of the window's last reading.
        far: Distance of the third reading from the median.
        near: The larger one of its neighbours' distances.
        spread: Median distance.
    """

    last: Ints
    far: Floats
    near: Floats
    spread: Floats

    def spikes(self, floor: Floats) -> Bools:
        """Return which are spikes, where distances up to `floor` are none."""
        limit = np.maximum(SCALE * self.spread, floor)
        return (self.far > limit) & (self.near <= limit)


def windows(value: Floats, linked: Bools) -> Windows:
    """Return the windows that can hold a spike.

    Args:
        value: Readings of one signal after the other.
        linked: Which follow the one before without a hole.
    """
    if len(value) < WINDOW:
        nothing = np.empty(0, np.float64)
        return Windows(np.empty(0, np.int64), nothing, nothing, nothing)
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
    found = c > SCALE * spread
    return Windows(at[keep][found] + BEFORE, c[found], near[found], spread[found])
