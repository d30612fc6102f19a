"""Cycles against pieces: what a cycle signal showed of what a counter counted, over the same quarter hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.gaps import counting
from readiness.production import production
from readiness.records import QUARTER_NS
from readiness.sketch import value
from readiness.spans import Spans, intersection, union

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.cycles import Cycles
    from readiness.view import View

    Floats = NDArray[np.float64]

SEEN_ONCE = {"poll": 1.5, "subscription": 2.0}
"""Intervals below which a level cannot have been seen twice; a poll sees whole ones, give or take its jitter."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Per day: cycles seen, pieces counted while seen; and how many more cycles than pieces quarter hours have."""

    edges: Floats
    pieces: Floats
    excess: float


def pieces_of(view: View, machine: str, cycles: Cycles) -> Floats:
    """Return [n] the pieces that cycles of each quarter hour stand for; those of a number are pieces already."""
    if not len(cycles.dwell):
        return cycles.begun
    return cycles.begun * production(view, machine).pieces_per_count(cycles.name, cycles.at)


def rows(view: View, machine: str, cycles: Cycles, total: Counted) -> Rows:
    """Return cycles and pieces over the quarter hours of planned time, on days that count."""
    planned = union(*(view.calendar.planned_spans(day) for day in view.dates))
    inside = intersection(planned, counting(view, machine))
    made = pieces_of(view, machine, cycles)
    each = float((made / np.maximum(cycles.begun, 1.0)).max(initial=1.0))
    at = np.union1d(cycles.at, total.at)
    edges, pieces = np.zeros(len(at)), np.zeros(len(at))
    edges[np.searchsorted(at, cycles.at)] = made
    # What a bit did while nobody looked is lost, and so are the pieces of that time; a number remembers its cycles.
    pieces[np.searchsorted(at, total.at)] = total.pieces - (total.blind if len(cycles.dwell) else 0.0)
    day = view.seen.day_of(at)
    doubtful = total.faults + total.suspected + total.unresolved > 0
    keep = inside.within(Spans(at, at + QUARTER_NS)) == QUARTER_NS
    keep &= ~doubtful[np.clip(day, 0, len(doubtful) - 1)]
    more = np.maximum(edges - pieces - max(each, total.each), 0.0)[keep].sum()
    by_day = [np.bincount(day[keep], weights=row[keep], minlength=len(view.dates)) for row in (edges, pieces)]
    return Rows(by_day[0].astype(np.float64), by_day[1].astype(np.float64), float(more))


def levels(view: View, machine: str, cycles: Cycles) -> tuple[Floats, Floats]:
    """Return per day how many levels lasted long enough to be seen twice, and how many there were."""
    source = view.source_of(cycles.name)
    parts = view.seen.order(source) if source is not None else []
    limit = SEEN_ONCE.get(parts[-1][2].mode, 2.0) * parts[-1][2].interval_ns / 1e9 if parts else 0.0
    there = view.counting(machine) > 0

    def row(days: list[Mapping[int, int]], least_s: float) -> Floats:
        numbers = [sum(n for bucket, n in day.items() if value(bucket) >= least_s) for day in days]
        return np.where(there, np.array(numbers, np.float64), 0.0)

    days = list(cycles.dwell) or [{} for _ in view.dates]
    return row(days, limit), row(days, 0.0)
