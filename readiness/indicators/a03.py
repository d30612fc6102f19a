"""A03 Event capture: whether cycles are seen one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.capture import levels, rows
from readiness.indicators.base import Events, Indicator, Missing, Outcome, Rates
from readiness.production import production

if TYPE_CHECKING:
    from readiness.view import View

MUCH, HIDDEN = 0.01, 0.05
"""More edges than pieces by this share, over the window or within quarter hours, are no cycles."""
BOUNCING = 60.0


def evaluate(view: View, machine: str) -> Outcome:
    """Return cycles seen per piece counted over the same quarter hours, or what their lengths tell."""
    if (reason := view.shortfall(machine) or view.lack(machine, "cycle")) is not None:
        return Missing(reason)
    facts = production(view, machine)
    cycles, total = facts.cycles, facts.quantity("total")
    if cycles is None:
        return Missing("NA_NO_EVIDENCE")
    long, every = levels(view, machine, cycles)
    shown = {"seen_once_share": round(1 - float(long.sum() / every.sum()), 6) if every.any() else None}
    both = None if total is None else rows(view, machine, cycles, total)
    if both is None or not both.pieces.any():
        if not every.any():
            return Missing("NA_NO_EVIDENCE")
        return Events(long, every, quality="partial", flags=("NO_COUNTER",), shown=shown)
    edges, pieces = float(both.edges.sum()), float(both.pieces.sum())
    bounces = edges > (1 + MUCH) * pieces or both.excess > HIDDEN * pieces
    seen = both.edges if edges <= pieces else np.maximum(2 * both.pieces - both.edges, 0.0)  # too many: as wrong
    return Rates(
        seen,
        both.pieces,
        cap=BOUNCING if bounces else 100.0,
        flags=("BOUNCE",) if bounces else (),
        shown={
            **shown,
            "edges": round(edges),
            "pieces": round(pieces),
            "excess_share": round(both.excess / pieces, 6),
        },
    )


INDICATOR = Indicator(
    id="A03",
    ko="이벤트 포착률",
    en="Event capture",
    unit="1",
    formula="cycles seen begin / pieces counted over the same quarter hours of planned time, and as far below 1 "
    "as it is above; levels of the cycle signal shorter than two intervals are shown, and are the value "
    "where no counter is",
    source="readiness.md 7.3 A; decision 0047",
    inputs=("tracks", "counts", "schedule", "meanings", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NOT_APPLICABLE",
    ),
    guard="more cycles than pieces are a bit that bounces and no good news, also where missed cycles make up "
    "for them (BOUNCE, capped); pieces that came while nothing was known, and days with faults of the "
    "counter, are left out",
    evaluate=evaluate,
    roles=True,
    production=True,
)
