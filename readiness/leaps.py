"""Counters that are set forward: by hand, by a program that is loaded anew, by a display that is exchanged.

No production explains such a step, and one of them would outweigh the work of weeks. What is beyond all measure is
taken off: more than ten times what any other quarter hour has, apart from up to three of its kind, in a window in
which the counter went up often enough for that to be known. Smaller leaps cannot be told from work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.records import QUARTER_NS
from readiness.sketch import edges

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = 1_000_000_000
TIMES = 10.0
LEAST = 100.0
"""Counts that a leap has at least."""
OFTEN = 20
"""Quarter hours in which something has to be counted before one of them can be out of measure."""
MOST = 3


def leaps(seen: Mapping[int, float]) -> tuple[list[int], float]:
    """Return the quarter hours in which a counter was set forward, and the most that another one has.

    Args:
        seen: Counts by quarter hour, without what came over a hole.
    """
    order = sorted((at for at in seen if seen[at] > 0), key=lambda at: (-seen[at], at))
    if len(order) < OFTEN:
        return [], 0.0
    for number in range(MOST, 0, -1):
        peak = seen[order[number]]
        if seen[order[number - 1]] > max(TIMES * peak, LEAST):
            return sorted(order[:number]), peak
    return [], 0.0


def unpaced(pace: dict[int, int], counts: float, peak: float) -> int:
    """Take a leap out of a day's paces and return how many counts it had, 0 where it has left none.

    Its counts are of one pace, too fast by far.

    Args:
        pace: Bucket -> counts.
        counts: That the quarter hour had.
        peak: Counts of the fullest other quarter hour.
    """
    for bucket in sorted(pace):
        if counts - peak <= pace[bucket] <= counts and edges(bucket)[1] * SECOND * TIMES * peak < QUARTER_NS:
            return pace.pop(bucket)
    return 0
