"""A06 Jitter: how evenly a poll reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from readiness.evidence import EVERYTHING
from readiness.indicators.base import Buckets, Indicator, Missing, Outcome
from readiness.routes import routes
from readiness.spans import EMPTY, union
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from readiness.evidence import DayEvidence
    from readiness.view import View

QUANTILE = 0.95
OWN = frozenset({"waiting", "agent_off", "overflow", "clock"})
OURS = 0.01
"""Share of a day's planned time in which we were late or away ourselves; beyond it its jitter may be ours."""


def own_fault(view: View, source: str, record: DayEvidence, day: int) -> float:
    """Return how much of a day's time that would count for a source we were late or away ourselves, as a share."""
    found = [
        record.spans(packed)
        for cause, sources in record.censored.items()
        if cause in OWN
        for name, packed in sources.items()
        if name in {source, EVERYTHING}
    ]
    planned = view.calendar.planned_spans(view.dates[day])
    return float(union(EMPTY, *found).within(planned).sum()) / max(planned.length(), 1)


def evaluate(view: View, machine: str) -> Outcome:
    """Return |pause between two readings - interval| / interval per production day."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    polled = [route.id for route in routes(view, machine) if route.mode == "poll"]
    if not polled:
        return Missing("NOT_APPLICABLE")
    counting = view.counting(machine) > 0
    days: list[Counter[int]] = [Counter() for _ in view.dates]
    left_out = kept = 0
    for source in polled:
        for day, record, jitter in view.seen.jitter(source):
            if not counting[day]:
                continue
            if own_fault(view, source, record, day) > OURS:
                left_out += 1
                continue
            kept += 1
            days[day].update(jitter)
    merged = [counts for counts in days if counts]
    if len(merged) < NEEDED_DAYS:
        if len(merged) + left_out >= NEEDED_DAYS:
            return Missing("NA_SELF_FAULT")
        return Missing("NA_SHORT_WINDOW" if merged or left_out else "NA_NO_EVIDENCE")
    return Buckets(tuple(merged), QUANTILE, shown={"source_days": kept, "left_out": left_out})


INDICATOR = Indicator(
    id="A06",
    ko="수집 지터",
    en="Jitter",
    unit="1",
    formula="95th percentile of |pause between two readings - interval| / interval, of polls only",
    source="readiness.md 7.3 A; decision 0047",
    inputs=("jitter", "catalog", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NOT_APPLICABLE",
    ),
    guard="a day on which we were late or away ourselves for more than 1 % of planned time is left out, so "
    "that a busy box is not held against the factory; subscriptions have no interval and do not apply; "
    "bursts are left out",
    evaluate=evaluate,
)
