"""A04 End-to-end latency: from the device's clock, or from our reading, to the store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from readiness.indicators.base import Buckets, Indicator, Missing, Outcome
from readiness.sketch import quantile
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from readiness.view import View

QUANTILE = 0.95


def evaluate(view: View, machine: str) -> Outcome:
    """Return the latencies of entries that went through at once, per production day."""
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    names = ("latency", "latency-edge", "latency-dirty")
    days: list[Counter[int]] = []
    numbers: Counter[str] = Counter()
    for date, planned in zip(view.dates, view.planned.tolist(), strict=True):
        if not planned:
            continue
        found = {n: view.tallies.get((date.isoformat(), f"{n}/{machine}"), {}) for n in names}
        numbers.update({n: sum(counts.values()) for n, counts in found.items()})
        merged = Counter(found["latency"])
        merged.update(found["latency-edge"])
        if merged:
            days.append(merged)
    clean = numbers["latency"] + numbers["latency-edge"]
    if not clean:
        return Missing("NA_SELF_FAULT" if numbers["latency-dirty"] else "NA_NO_EVIDENCE")
    whole: Counter[int] = Counter()
    for counts in days:
        whole.update(counts)
    if quantile(whole, 0.05) < 0:
        return Missing("NA_CLOCK")
    if len(days) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")
    if numbers["latency-dirty"] > clean:
        return Missing("NA_SELF_FAULT")
    edge = {numbers["latency"] == 0, numbers["latency-edge"] > 0}
    return Buckets(tuple(days), QUANTILE, "mixed" if len(edge) > 1 else "edge-only" if edge.pop() else "measured")


INDICATOR = Indicator(
    id="A04",
    ko="종단 지연",
    en="End-to-end latency",
    unit="s",
    formula="95th percentile of (commit in the store - source time); without a source time, commit - "
    "reading + round trip",
    source="readiness.md 7.3 A; DESIGN 9 (logarithmic buckets)",
    inputs=("latency", "schedule"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_CLOCK"),
    guard="resent and backlogged entries and untrusted clocks are censored; a 5th percentile below zero "
    "is a clock "
    "fault; times of older changes and first values of a subscription are left out",
    evaluate=evaluate,
)
