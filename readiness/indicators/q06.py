"""Q06 Duplicates and order: what a device delivers twice, or in another order than it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.base import Events, Indicator, Missing, Outcome
from readiness.routes import routes

if TYPE_CHECKING:
    from readiness.view import View


def evaluate(view: View, machine: str) -> Outcome:
    """Return rows that were repeated or out of order, of the rows of sources with times of their own."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0
    repeated, disordered, rows = (np.zeros(len(counting)) for _ in range(3))
    modes: set[str] = set()
    for source, *_ in routes(view, machine):
        for day, _, part in view.seen.order(source):
            modes.add(part.mode)
            if part.mode != "poll" and part.with_source_time:
                repeated[day] += part.repeated
                disordered[day] += part.disordered
                rows[day] += part.rows
    if modes and "subscription" not in modes:
        return Missing("NOT_APPLICABLE")
    num, den = np.where(counting, repeated + disordered, 0.0), np.where(counting, rows, 0.0)
    if not den.any():
        return Missing("NA_NO_EVIDENCE")
    shown = {"repeated": int(repeated[counting].sum()), "disordered": int(disordered[counting].sum())}
    return Events(np.minimum(num, den), den, shown=shown)


INDICATOR = Indicator(
    id="Q06",
    ko="중복·역순율",
    en="Duplicates and order",
    unit="1",
    formula="(rows repeated with time and value + rows with an earlier time than the row before) / rows, of "
    "sources whose device states times",
    source="readiness.md 7.3 Q; decision 48 (polls)",
    inputs=("order", "catalog", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NOT_APPLICABLE"),
    guard="counted as the device delivers, before anything is sent or stored: what we send twice is not in it, and "
    "a database that merges equal points hides nothing",
    evaluate=evaluate,
)
