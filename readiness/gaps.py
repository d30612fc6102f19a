"""Stretches in which something was not there, measured in the time that counts.

A night between two halves of a stretch joins them and does not lengthen it: only planned, uncensored time counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.spans import EMPTY, Spans, difference, intersection, union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.view import View

    Ints = NDArray[np.int64]


def counting(view: View, machine: str) -> Spans:
    """Return the production days that count for a machine."""
    days = zip(view.dates, view.counting(machine).tolist(), strict=True)
    return union(EMPTY, *(Spans.between(*view.calendar.bounds(day)) for day, counts in days if counts > 0))


def stretches(there: Spans, domain: Spans) -> tuple[Spans, Ints]:
    """Return the stretches of `domain` in which something was not there.

    Args:
        there: When it was.
        domain: The time that counts.

    Returns:
        Each stretch from the first instant of `domain` lost to the return (or the end of `domain`), and how much of
        `domain` lies in it, in nanoseconds.
    """
    if not len(domain):
        return EMPTY, np.empty(0, np.int64)
    dead = difference(Spans.between(int(domain.start[0]), int(domain.end[-1])), there)
    lost = domain.within(dead)
    dead, lost = Spans(dead.start[lost > 0], dead.end[lost > 0]), lost[lost > 0]
    begin = np.maximum(dead.start, domain.start[np.searchsorted(domain.end, dead.start, side="right")])
    return Spans(begin, dead.end), lost


def longest(view: View, machine: str) -> int:
    """Return the longest stretch of planned time in which any one signal of a machine was not known, in ns."""
    found = 0
    days = counting(view, machine)
    for source in sorted({link.id for link, _ in view.tags.get(machine, ()) if link.mode != "burst"}):
        parts = [(record, part) for _, record, part in view.seen.order(source)]
        domain = intersection(view.domain(source), days)
        names = {key(tag) for link, tag in view.tags[machine] if link.id == source}
        shared = {tuple(p.signals[n].known if n in p.signals else None for _, p in parts) for n in names}
        for indices in shared:
            if all(index is None for index in indices):
                continue
            # A day that does not list the signal is before it was configured.
            known = [
                Spans.between(record.start_ns, record.end_ns) if index is None else record.spans(part.spans[index])
                for (record, part), index in zip(parts, indices, strict=True)
                if index is None or index >= 0
            ]
            found = max(found, int(stretches(union(EMPTY, *known), domain)[1].max(initial=0)))
    return found
