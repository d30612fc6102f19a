"""How many events come in an hour, and the median of it with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

HOUR_NS = 3_600_000_000_000


def hourly(view: View, day: date, domain: Spans, at: Ints) -> Floats:
    """Return the rates (per hour) of the hours of a production day of which at least half lies in the domain.

    Args:
        view: Its calendar says where the day begins and ends.
        day: Production day.
        domain: The time that counts.
        at: Events in the domain, increasing.
    """
    start, end = view.calendar.bounds(day)
    edges = np.arange(start, end + 1, HOUR_NS, dtype=np.int64)
    hours = Spans(edges[:-1], edges[1:])
    covered = domain.within(hours) / HOUR_NS
    number = np.searchsorted(at, hours.end) - np.searchsorted(at, hours.start)
    keep = covered >= 0.5
    rates: Floats = number[keep] / covered[keep]
    return rates


def median_interval(days: Sequence[Floats]) -> tuple[float, float, float]:
    """Return (lo, median, hi) of all hours' rates; the interval takes the days' medians as observations.

    Hours of a day resemble each other, days less: the limits are those order statistics of the days' medians that
    enclose a median with 90 % (a sign test turned round), and the smallest and largest of them where there are too
    few days for that.
    """
    days = [day for day in days if len(day)]
    if not days:
        return 0.0, 0.0, 0.0
    middle = float(np.median(np.concatenate(days)))
    medians = sorted(float(np.median(day)) for day in days)
    n = len(medians)
    tail, rank = 0.0, 0
    while rank < n // 2 and tail + math.comb(n, rank) * 0.5**n <= 0.05:
        tail += math.comb(n, rank) * 0.5**n
        rank += 1
    low = max(rank - 1, 0)
    return min(medians[low], middle), middle, max(medians[n - 1 - low], middle)
