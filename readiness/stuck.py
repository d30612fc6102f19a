"""How long a measured value usually stands still, learned on days on which nothing speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from readiness.records import MILLI_NS, SHORT_NS
from readiness.sketch import UNIT_NS, edges, pairs
from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.records import Millis, Sparse
    from readiness.view import View

    Ints = NDArray[np.int64]

NEEDED, HOUR_NS = 5, 3_600_000_000_000
USUAL, GOOD, OUTLIER = 0.999, 0.98, 10


class Rest(NamedTuple):
    """Runs of equal readings of one signal on one day."""

    day: int
    record: DayEvidence
    still: Millis  # one by one
    runs: Sparse  # sketch of the lengths of the others


@dataclass(frozen=True, slots=True)
class Baseline:
    """Longest run that is normal for a signal, and whether days before the window say so."""

    limit_ns: int
    days: int
    before: bool


def rests(view: View, key: str) -> list[Rest]:
    """Return how a signal stood still, per day: by the statistics of its values, or else by its track.

    A whole number whose role was told only later may have left nothing but a track of its few values.
    """
    found = {d: Rest(d, r, v.still, v.runs) for d, r, v in view.seen.values(key)}
    for day, record, part in view.seen.order(view.source_of(key) or ""):
        track = part.tracks.get(key)
        if day not in found and track is not None:
            flat = track.segments
            each = [n for pair in zip(flat[0::3], flat[1::3], strict=True) for n in pair]
            found[day] = Rest(day, record, each, [])
    return [found[day] for day in sorted(found)]


def one_by_one(days: Sequence[Rest]) -> tuple[Spans, Ints]:
    """Return the runs of days one by one, each day's own, and the place in `days` of each."""
    flat = [np.array(r.still, np.int64).reshape(-1, 2) for r in days]
    ends = [r.record.start_ns + np.cumsum(f.sum(axis=1)) * MILLI_NS for r, f in zip(days, flat, strict=True)]
    end = np.concatenate(ends) if ends else np.empty(0, np.int64)
    length = np.concatenate([f[:, 1] for f in flat]) * MILLI_NS if flat else end
    return Spans(end - length, end), np.repeat(np.arange(len(days)), [len(f) for f in flat])


def baseline(days: Sequence[Rest], at_work: Spans, reads: Mapping[int, float], window: int) -> Baseline | None:
    """Return what runs are normal, or None with fewer than five days that can say so.

    A day can if it is before the window (or, where those are too few, among the first five that can), its readings
    were good, the machine worked for an hour, and the signal did not look stuck: its longest run is at most half of
    that work, and not ten times what is common on such days.

    Args:
        days: The signal's, in order of time.
        at_work: When the machine was executing and the signal's value good.
        reads: Day -> share of good readings.
        window: First day of the window.
    """
    bounds = np.array([(r.record.start_ns, r.record.end_ns) for r in days], np.int64).reshape(-1, 2)
    work = at_work.within(Spans(bounds[:, 0], bounds[:, 1])).tolist()
    each, place = one_by_one(days)
    length = at_work.within(each)
    top = np.full(len(days), SHORT_NS)
    np.maximum.at(top, place, length)
    longest = {
        r.day: most
        for r, most, working in zip(days, top.tolist(), work, strict=True)
        if working >= HOUR_NS and reads.get(r.day, 0.0) >= GOOD and 2 * most <= working
    }
    common = float(np.median(list(longest.values()))) if longest else 0.0
    can = [day for day, top in sorted(longest.items()) if top <= OUTLIER * common]
    earlier = [day for day in can if day < window]
    chosen = set(earlier if len(earlier) >= NEEDED else can[:NEEDED])
    if len(chosen) < NEEDED:
        return None
    known = np.array([r.day in chosen for r in days], np.bool_)
    runs = [(n, 1) for n in length[known[place] & (length > 0)].tolist()]
    runs += [
        (int(edges(bucket, UNIT_NS)[1]), number)
        for r in days
        if r.day in chosen
        for bucket, number in pairs(r.runs).items()
    ]
    table = np.array(sorted(runs), np.int64).reshape(-1, 2)
    if not len(table):
        return None
    reached = np.searchsorted(np.cumsum(table[:, 1]), np.ceil(USUAL * table[:, 1].sum() - 1e-9))
    return Baseline(max(int(table[int(reached), 0]), SHORT_NS), len(chosen), len(earlier) >= NEEDED)
