"""X01 Recovery time: how long a link stays away when it is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.gaps import counting, stretches
from readiness.indicators.base import Buckets, Event, Few, Indicator, Missing, Outcome
from readiness.routes import routes
from readiness.sketch import buckets
from readiness.spans import EMPTY, intersection, union

if TYPE_CHECKING:
    from readiness.indicators.base import Shown
    from readiness.view import View

QUANTILE = 0.9
FEW = 5
MISSED = 1.2
"""Intervals of planned time that must be lost: one reading that was missed is no outage (DESIGN 9, A01)."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One stretch in which no source of a device was alive.

    Attributes:
        device: Whose link.
        from_ns: First planned instant that was lost.
        to_ns: End of the stretch.
        planned_ns: Planned, uncensored time in it.
    """

    device: str
    from_ns: int
    to_ns: int
    planned_ns: int


def outages(view: View, machine: str) -> list[Outage]:
    """Return the outages of a machine's links, in order of time."""
    days, found = counting(view, machine), []
    ways = routes(view, machine)
    for device in sorted({way.device for way in ways}):
        sources = [way for way in ways if way.device == device]
        domain = intersection(union(EMPTY, *(view.domain(s.id) for s in sources)), days)
        live = union(EMPTY, *(r.spans(part.live) for s in sources for _, r, part in view.seen.order(s.id)))
        dead, lost = stretches(live, domain)
        # Of a subscription no reading can be missed: its link is lost when it says so, or says nothing at all.
        limit = MISSED * min((s.interval_ns for s in sources if s.mode == "poll"), default=0)
        found += [
            Outage(device, begin, end, planned)
            for (begin, end), planned in zip(dead, lost.tolist(), strict=True)
            if planned > limit
        ]
    return sorted(found, key=lambda o: (o.from_ns, o.device))


def evaluate(view: View, machine: str) -> Outcome:
    """Return the lengths of the outages, by the production day on which each begins."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    found = outages(view, machine)
    length = np.array([o.planned_ns for o in found], np.int64)
    shown: dict[str, Shown] = {
        "outages": len(found),
        "longest_s": round(float(length.max(initial=0)) / 1e9, 1),
        "total_s": round(float(length.sum()) / 1e9, 1),
    }
    starts = np.array([view.calendar.bounds(day)[0] for day in view.dates], np.int64)
    day = np.searchsorted(starts, np.array([o.from_ns for o in found], np.int64), side="right") - 1
    events = [
        Event(lost.device, lost.from_ns, lost.to_ns, index, bucket)
        for lost, index, bucket in zip(found, day.tolist(), buckets(length).tolist(), strict=True)
    ]
    counted = (view.counting(machine) > 0).tolist()
    if len(found) < FEW:
        each = ", ".join(f"{o.planned_ns / 1e9:.1f}" for o in found)
        few = Few(events, tuple(counted), FEW, QUANTILE) if found else None
        return Missing("NA_FEW_EVENTS", {**shown, "lengths_s": each}, few)
    days: list[Counter[int]] = [Counter() for _ in view.dates]
    for event in events:
        days[event.day][event.bucket] += 1
    return Buckets(
        tuple(counts for counts, there in zip(days, counted, strict=True) if there),
        QUANTILE,
        shown=shown,
    )


INDICATOR = Indicator(
    id="X01",
    ko="통신 복구시간",
    en="Recovery time",
    unit="s",
    formula="90th percentile of the planned time lost in one outage of a link; an outage lasts while no source "
    "of the device is alive, and more than 1.2 intervals of it lie in planned time",
    source="readiness.md 7.3 C; DESIGN 9; decisions 47 and 71",
    inputs=("live", "catalog", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_FEW_EVENTS"),
    guard="planned time is counted, so that restarts by night cost nothing and a night does not lengthen an "
    "outage; our own outages are censored; single missed readings are none, so that they cannot thin out "
    "the long ones; fewer than five of a machine are listed and not scored; for the plant they are taken "
    "together with those of other machines, one of a link that machines share once",
    evaluate=evaluate,
)
