"""A01 Completeness against schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.frozen import resting
from readiness.gaps import longest
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from readiness.view import View

REPEATED = 0.01
"""Share of executing time in which all lively signals of a source may rest together."""
DOUBTED = 60.0


def evaluate(view: View, machine: str) -> Outcome:
    """Return time in which the machine's signals were known, of the time that counts, over all its signals."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0
    series = [view.series[name] for _, tag in view.tags[machine] if (name := key(tag)) in view.series]
    if not series:
        return Missing("NA_NO_EVIDENCE")
    if int((np.sum([s.counts for s in series], axis=0)[counting] > 0).sum()) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")  # all of its signals were added or named anew a few days ago
    den = np.where(counting, np.sum([s.counts for s in series], axis=0), 0.0)
    num = np.where(counting, np.sum([s.known for s in series], axis=0), 0.0)
    sources = sorted({link.id for link, _ in view.tags[machine] if link.mode != "burst"})
    found = [each for source in sources if (each := resting(view, machine, source)).share > REPEATED]
    stale = any(each.stale for each in found)
    return Shares(
        np.minimum(num, den),
        den,
        cap=DOUBTED if stale else 100.0,
        flags=("FORWARD_FILL",) if stale else ("RESTING_TOGETHER",) if found else (),
        shown={
            "longest_gap_s": round(longest(view, machine) / 1e9, 1),
            "resting_share": round(max((each.share for each in found), default=0.0), 6),
        },
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
    "day; when all lively signals of a source rest together while the machine executes, a gateway may "
    "repeat what it knew last or the state is wrong (RESTING_TOGETHER), and where the device's own times "
    "stand still as well it does repeat (FORWARD_FILL, capped)",
    evaluate=evaluate,
)
