"""A01 Completeness against schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.frozen import repeating
from readiness.gaps import longest
from readiness.indicators.base import Indicator, Missing, Outcome, Shares

if TYPE_CHECKING:
    from readiness.view import View

REPEATED = 0.01
"""Share of executing time in which a source may seem to repeat itself."""
DOUBTED = 60.0


def evaluate(view: View, machine: str) -> Outcome:
    """Return time in which the machine's signals were known, of the time that counts, over all its signals."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0
    series = [view.series[name] for _, tag in view.tags[machine] if (name := key(tag)) in view.series]
    if not series:
        return Missing("NA_NO_EVIDENCE")
    den = np.where(counting, np.sum([s.counts for s in series], axis=0), 0.0)
    num = np.where(counting, np.sum([s.known for s in series], axis=0), 0.0)
    sources = sorted({link.id for link, _ in view.tags[machine] if link.mode != "burst"})
    filled = max((repeating(view, machine, source) for source in sources), default=0.0)
    doubted = filled > REPEATED
    return Shares(
        np.minimum(num, den),
        den,
        cap=DOUBTED if doubted else 100.0,
        flags=("FORWARD_FILL",) if doubted else (),
        shown={"longest_gap_s": round(longest(view, machine) / 1e9, 1), "repeated_share": round(filled, 6)},
    )


INDICATOR = Indicator(
    id="A01",
    ko="계획시간 대비 수집 완전성",
    en="Completeness against schedule",
    unit="1",
    formula="known time / planned time over all signals; a poll covers the time to the next one within 1.2 "
    "intervals, otherwise one interval; a subscribed value holds while its link lives; the longest gap "
    "is shown",
    source="readiness.md 7.3 A; DESIGN 9 (1.2 intervals); decision 0047",
    inputs=("known", "live", "schedule", "censored", "tracks", "counts", "values", "order", "meanings"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="time is counted, not rows; a signal added by a new configuration counts from the next production "
    "day; a source all of whose lively signals rest at once while the machine executes, and whose own "
    "times do not go on, only repeats what a gateway knew last (FORWARD_FILL, capped)",
    evaluate=evaluate,
)
