"""Sources that seem alive and only repeat themselves: a gateway that serves the last values of a link it has lost.

No single value that rests is suspicious. But when all signals of a source that otherwise change in most quarter
hours rest at the same time for minutes, while the machine is said to be executing, then what arrives is no news, or
the machine does not execute. Where a poll's values bear times of the device, these tell: if they go on, its values
are as new as it says; if they stand still for about as long and not at other times, the same values are served
again. A server whose times stand still whenever a value does says nothing by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.production import production
from readiness.records import QUARTER_NS
from readiness.spans import EMPTY, Spans, difference, intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence, SourceDay
    from readiness.view import View

    Part = tuple[int, DayEvidence, SourceDay]

LIVELY = 0.5
"""Share of executing quarter hours in which a signal changes that may be expected to change at all times."""
ENOUGH = 3
"""So many of them are needed: two may rest together for a reason."""
LONG_NS = 300_000_000_000
LESS, MORE = 0.5, 4.0
"""Rows whose times stand still, in multiples of what the rest explains: fewer are chance, more are a habit."""


def _busy(parts: Sequence[Part], executing: Spans) -> list[NDArray[np.bool_]]:
    """Return per day its quarter hours, and of each whether the machine executed for the most part of it."""
    found = []
    for _, record, _ in parts:
        start = np.arange(record.start_ns, record.end_ns, QUARTER_NS)
        found.append(np.asarray(executing.within(Spans(start, start + QUARTER_NS)) > QUARTER_NS // 2))
    return found


def _lively(parts: Sequence[Part], busy: Sequence[NDArray[np.bool_]], name: str) -> bool:
    """Return whether a signal changes in most of the quarter hours in which the machine executes."""
    both = 0
    for (_, _, part), day in zip(parts, busy, strict=True):
        track, values, count = part.tracks.get(name), part.values.get(name), part.counts.get(name)
        changed = np.zeros(len(day), np.bool_)
        for row in (track and track.changed, values and values.changed, count and count.counted):
            if row:
                changed[row[0::2]] = True
        both += int((changed & day).sum())
    return both > LIVELY * sum(int(day.sum()) for day in busy)


def _still(view: View, name: str) -> Spans:
    """Return the long stretches in which a signal said one and the same.

    A measured value may leave a track on a quiet day and statistics on the others.
    """
    track, still = view.seen.track(name), view.seen.still(name)
    if track is None:
        return still
    days = union(EMPTY, *(Spans.between(*view.calendar.bounds(view.dates[day])) for day in track.whole))
    keep = track.end - track.start >= LONG_NS
    same = Spans(track.start[keep], track.end[keep] - 1)  # neighbours say different things
    return union(same, difference(still, days))


def _long(spans: Spans) -> Spans:
    keep = spans.end - spans.start >= LONG_NS
    return Spans(spans.start[keep], spans.end[keep])


@dataclass(frozen=True, slots=True)
class Resting:
    """How long all lively signals of a source rested together.

    Attributes:
        share: Of the time that counts in which the machine executed.
        stale: The device's own times stood still meanwhile.
    """

    share: float
    stale: bool


NEVER = Resting(0.0, stale=False)


def resting(view: View, machine: str, source: str) -> Resting:
    """Return how long a source's lively signals rested together although the machine executed.

    Args:
        view: Of the window.
        machine: Whose states tell when it executed.
        source: Id of one of its sources.
    """
    parts = view.seen.order(source)
    executing = intersection(production(view, machine).executing, view.domain(source))
    whole = executing.length()
    if not parts or not whole:
        return NEVER
    busy = _busy(parts, executing)
    names = sorted({key(tag) for link, tag in view.tags.get(machine, ()) if link.id == source})
    lively = [name for name in names if _lively(parts, busy, name)]
    if len(lively) < ENOUGH:
        return NEVER
    together = executing
    for name in lively:
        together = intersection(together, _still(view, name))
    share = _long(together).length() / whole
    rows, stated, repeated = (
        sum(getattr(p, field) for _, _, p in parts) for field in ("rows", "with_source_time", "repeated")
    )
    if parts[-1][2].mode != "poll" or 2 * stated <= rows:
        return Resting(
            share, stale=False
        )  # nothing to compare with: what does not change is not told, or has no time
    lived = sum(record.spans(part.live).length() for _, record, part in parts)
    explained = rows * share * whole / max(lived, 1)
    return NEVER if repeated < LESS * explained else Resting(share, stale=0 < repeated <= MORE * explained)
