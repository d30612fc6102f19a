"""Records by quarter hour, laid over the time that counts.

What was counted in a quarter hour is spread evenly over the time of it in which the signal was known: exact where
planned time begins and ends on quarter hours, as shifts do, and otherwise right on average.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from readiness.records import QUARTER_NS
from readiness.spans import Spans, difference, intersection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.records import Sparse
    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def good(view: View, key: str) -> Spans:
    """Return when a good value of a signal was known."""
    return difference(view.spans(key), view.spans(key, "uncertain"))


def interval(view: View, key: str) -> int:
    """Return the interval at which a signal was asked for last, in nanoseconds; 0 if it never was."""
    source = view.source_of(key)
    parts = view.seen.order(source) if source is not None else []
    return parts[-1][2].interval_ns if parts else 0


def quarters(record: DayEvidence, index: Ints) -> Spans:
    """Return the quarter hours of a day with these numbers, one by one (they may touch)."""
    start = record.start_ns + index * QUARTER_NS
    return Spans(start, np.minimum(start + QUARTER_NS, record.end_ns))


def unsparse(row: Sparse) -> tuple[Ints, Floats]:
    """Return indices and numbers of a sparse row."""
    table = np.array(row, np.int64).reshape(-1, 2)
    return table[:, 0], cast("Floats", table[:, 1].astype(np.float64))


def within(record: DayEvidence, row: Sparse, there: Spans, counts: Spans) -> float:
    """Return how much of a sparse row by quarter hour lies in the time that counts.

    Args:
        record: The day.
        row: [quarter, amount, ...].
        there: When the signal was known; what was counted in a quarter lies in this part of it.
        counts: The time that counts.
    """
    if not row:
        return 0.0
    index, amount = unsparse(row)
    pieces = quarters(record, index)
    whole = there.within(pieces)
    part = intersection(there, counts).within(pieces)
    # A quarter without known time has its amount at an edge (a reading's last instant): all of it or none.
    edge = (counts.within(pieces) > 0).astype(np.float64)
    share = np.divide(part, whole, out=edge, where=whole > 0)
    return float((amount * share).sum())
