"""A01 Completeness against schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.indicators.base import Indicator, Missing, Outcome, Shares

if TYPE_CHECKING:
    from readiness.view import View


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
    return Shares(np.minimum(num, den), den)


INDICATOR = Indicator(
    id="A01",
    ko="계획시간 대비 수집 완전성",
    en="Completeness against schedule",
    unit="1",
    formula="known time / planned time over all signals; a poll covers the time to the next one within 1.2 "
    "intervals, "
    "otherwise one interval; a subscribed value holds while its link lives",
    source="readiness.md 7.3 A; DESIGN 9 (1.2 intervals)",
    inputs=("known", "live", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="time is counted, not rows; a signal added by a new configuration counts from the next production day",
    evaluate=evaluate,
)
