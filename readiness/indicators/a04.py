"""A04 End-to-end latency: from the device's clock, or from our reading, to the store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from readiness.indicators.base import Buckets, Indicator, Missing, Outcome
from readiness.sketch import quantile
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from contract.report import Quality
    from readiness.view import View

QUANTILE = 0.95
DIRECT, EDGE, STALE, DIRTY, OFF = "latency", "latency-edge", "latency-stale", "latency-dirty", "latency-off"


def evaluate(view: View, machine: str) -> Outcome:
    """Return the latencies of entries that went through at once, per production day."""
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    days: list[Counter[int]] = []
    numbers: Counter[str] = Counter()
    for date, planned in zip(view.dates, view.planned.tolist(), strict=True):
        if not planned:
            continue
        names = (DIRECT, EDGE, STALE, DIRTY, OFF)
        found = {n: view.tallies.get((date.isoformat(), f"{n}/{machine}"), {}) for n in names}
        numbers.update({n: sum(counts.values()) for n, counts in found.items()})
        merged = Counter(found[DIRECT])
        merged.update(found[EDGE])
        if merged:
            days.append(merged)
    clean = numbers[DIRECT] + numbers[EDGE]
    if not clean:
        return Missing("NA_SELF_FAULT" if numbers[DIRTY] else "NA_NO_EVIDENCE")
    whole: Counter[int] = Counter()
    for counts in days:
        whole.update(counts)
    if quantile(whole, 0.05) < 0:
        return Missing("NA_CLOCK")
    if len(days) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")
    if numbers[DIRTY] > clean:
        return Missing("NA_SELF_FAULT")
    quality: Quality = "measured" if not numbers[EDGE] else "mixed" if numbers[DIRECT] else "edge-only"
    shown = {
        "edge_share": round(numbers[EDGE] / clean, 6),
        "stale_share": round(numbers[STALE] / (clean + numbers[STALE]), 6),
        "dirty_share": round(numbers[DIRTY] / (clean + numbers[DIRTY]), 6),
        **({"off_share": round(numbers[OFF] / (clean + numbers[OFF]), 6)} if numbers[OFF] else {}),
    }
    return Buckets(tuple(days), QUANTILE, quality=quality, shown=shown)


INDICATOR = Indicator(
    id="A04",
    ko="종단 지연",
    en="End-to-end latency",
    unit="s",
    formula="95th percentile of (commit in the store - source time) of new values in planned time; without a "
    "source time, commit - reading + round trip",
    source="readiness.md 7.2, 7.3 A; DESIGN 9 (logarithmic buckets); decision 71",
    inputs=("latency", "schedule"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_CLOCK"),
    guard="resent and backlogged entries and untrusted clocks are censored; a 5th percentile below zero is a "
    "clock fault; only source times count, never a server's; a value that is read again, and the first "
    "ones of a subscription, are left out; how much was left out is shown",
    evaluate=evaluate,
)
