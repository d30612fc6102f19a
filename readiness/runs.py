"""Stretches in which a signal did not change, and how much of them a machine was executing.

Evidence keeps the longest ones one by one, each day's own; one that crosses the end of a day stands in both and is
joined here. Stretches that touch within a day are different ones: the value changed between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.records import MILLI_NS
from readiness.spans import EMPTY, Spans, intersection, normal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.records import Millis

    Ints = NDArray[np.int64]


def stretches(days: Iterable[tuple[DayEvidence, Millis]]) -> Spans:
    """Return the stretches of several days one by one, in order of time; neighbours may touch.

    Args:
        days: In order of time, with the day's `still`.
    """
    starts: list[int] = []
    ends: list[int] = []
    midnight = -1
    for record, still in days:
        flat = np.array(still, np.int64).reshape(-1, 2)
        end = record.start_ns + np.cumsum(flat.sum(axis=1)) * MILLI_NS
        start = end - flat[:, 1] * MILLI_NS
        if len(start) and ends and ends[-1] == midnight == int(start[0]) == record.start_ns:
            ends[-1] = int(end[0])
            start, end = start[1:], end[1:]
        starts += start.tolist()
        ends += end.tolist()
        midnight = record.end_ns
    return Spans(np.array(starts, np.int64), np.array(ends, np.int64))


def lengths(each: Spans, during: Spans) -> Ints:
    """Return how much of `during` lies in each stretch, nanoseconds."""
    return during.within(each)


def longer(each: Spans, during: Spans, limit_ns: int) -> Spans:
    """Return the time of `during` that lies in stretches holding more than `limit_ns` of it.

    A stretch is judged as a whole, so that short stops within it do not hide it, and the time between its parts
    does not lengthen it.
    """
    hit = lengths(each, during) > limit_ns
    if not hit.any():
        return EMPTY
    return intersection(normal(each.start[hit], each.end[hit]), during)
