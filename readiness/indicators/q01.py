"""Q01 Good-status share: what devices say about their own values while the link works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.indicators.base import Indicator, Missing, Outcome, Shares

if TYPE_CHECKING:
    from readiness.view import View

WITHOUT_STATUS = frozenset({"modbus", "xgt"})
"""Protocols that have no status codes: a reading without an exception is taken for good."""


def evaluate(view: View, machine: str) -> Outcome:
    """Return good time and half of uncertain time, of the time in which the device answered."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0
    found = [(source, view.series[name]) for source, tag in view.tags[machine] if (name := key(tag)) in view.series]
    den = np.where(counting, np.sum([s.known + s.bad for _, s in found] or [0.0 * view.planned], axis=0), 0.0)
    num = np.where(
        counting, np.sum([s.known - s.uncertain / 2 for _, s in found] or [0.0 * view.planned], axis=0), 0.0
    )
    if not den.any():
        return Missing("NA_NO_EVIDENCE")
    derived = {source.protocol in WITHOUT_STATUS for source, _ in found}
    return Shares(num, den, "mixed" if len(derived) > 1 else "derived" if derived.pop() else "measured")


INDICATOR = Indicator(
    id="Q01",
    ko="정상 품질 비율",
    en="Good-status share",
    unit="1",
    formula="(good time + uncertain time / 2) / time in which the device answered; Modbus: readings without "
    "exception",
    source="readiness.md 7.3 Q; DESIGN 9",
    inputs=("known", "uncertain", "bad", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="lost links are not counted here but in C03; protocols without status codes are tagged derived",
    evaluate=evaluate,
)
