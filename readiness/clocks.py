"""Clocks of devices against ours: comparisons that can be trusted, and clocks that are off by whole hours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from readiness.conduits import devices
from readiness.evidence import EVERYTHING
from readiness.records import MILLI_NS
from readiness.sketch import buckets
from readiness.spans import EMPTY, Spans, union

if TYPE_CHECKING:
    from collections.abc import Collection

    from readiness.view import View

HOUR_S = 3600.0
NEAR_S = 60.0
"""So near to a whole number of hours, a clock shows another zone or the other half of the year."""
OWN = "clock"


def untrusted(view: View, sources: Collection[str]) -> Spans:
    """Return when the clock of the box that reads some sources could not be trusted: comparisons are worthless."""
    found = [
        r.spans(packed)
        for r in view.records
        for source, packed in r.censored.get(OWN, {}).items()
        if source == EVERYTHING or source in sources
    ]
    return union(EMPTY, *found)


def hours_off(skews_s: list[float]) -> int:
    """Return the whole hours by which most comparisons are off, 0 if they are not."""
    hours = [round(s / HOUR_S) for s in skews_s if abs(s - HOUR_S * round(s / HOUR_S)) <= NEAR_S]
    often, number = Counter(hours).most_common(1)[0] if hours else (0, 0)
    return often if 2 * number > len(skews_s) else 0


@dataclass(slots=True)
class Clocks:
    """What was found out about the clocks behind one machine."""

    days: list[Counter[int]]
    rows: int = 0
    stated: int = 0
    dropped: int = 0
    skews: dict[str, list[float]] = field(default_factory=dict)  # by device, seconds
    trips: list[float] = field(default_factory=list)  # half round trips, seconds


def look(view: View, machine: str) -> Clocks:
    """Gather what the devices of a machine said of their clocks, on production days that count."""
    counting = view.counting(machine) > 0
    found = Clocks([Counter() for _ in view.dates])
    for device, links in devices(view, machine).items():
        doubtful = untrusted(view, {link.id for link in links})
        for link in links:
            for _, _, part in view.seen.order(link.id):
                found.rows, found.stated = found.rows + part.rows, found.stated + part.with_source_time
        for day, record, asked in view.seen.skews(device):
            if not counting[day]:
                continue
            at = record.start_ns + np.array([s.at_ms for s in asked], np.int64) * MILLI_NS
            trusted = (doubtful.before(at + 1) == doubtful.before(at)).tolist()
            kept = [s for s, ours in zip(asked, trusted, strict=True) if ours]
            found.dropped += len(asked) - len(kept)
            found.days[day].update(buckets(np.array([abs(s.skew_ns) for s in kept], np.int64)).tolist())
            found.skews.setdefault(device, []).extend(s.skew_ns / 1e9 for s in kept)
            found.trips += [s.rtt_ns / 2e9 for s in kept]
    return found
