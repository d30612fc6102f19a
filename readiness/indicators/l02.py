"""L02 Set-point follow-through: whether the process goes where somebody sends it, and is left there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness import alarms
from readiness.indicators.base import Events, Indicator, Missing, Outcome
from readiness.interventions import days
from readiness.production import production
from readiness.records import MILLI_NS
from readiness.spans import union

if TYPE_CHECKING:
    from readiness.view import View

LEAST = 5
TAUS = 3


def evaluate(view: View, machine: str) -> Outcome:
    """Return the changes of set points that were followed in three time constants and stayed, of all changes."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    loops = [loop for loop in view.plant.loops if loop.machine == machine]
    domain = union(*days(view, machine))
    cycle_ns = production(view, machine).cycle_ns or 0.0
    num, den = 0.0 * view.planned, 0.0 * view.planned
    copied = seen = 0
    for loop in loops:
        for _, record, kept in view.seen.loops(loop.key):
            if loop.band is None or kept.band > loop.band:
                continue  # recorded with a wider band than the mentor now calls good enough
            seen += 1
            table = np.array(kept.moves, np.int64).reshape(-1, 4)
            at = record.start_ns + table[:, 0] * MILLI_NS
            # A move is told on the day on which it is over; it counts on the day on which it was made.
            counts = alarms.inside(domain, at)
            table, day = table[counts], view.seen.day_of(at[counts])
            reached, first, stayed = table[:, 1], table[:, 2] == 1, table[:, 3]
            followed = (reached >= 0) & (reached <= TAUS * kept.tau_ms) & ~first
            np.add.at(num, day[followed & (stayed * MILLI_NS >= cycle_ns)], 1.0)
            np.add.at(den, day, 1.0)
            copied += int(first.sum())
    if not seen:
        return Missing("NA_NO_EVIDENCE")
    if den.sum() < LEAST:
        return Missing("NA_FEW_EVENTS")
    flags = ("SET_POINT_FOLLOWS",) * bool(copied) + ("CYCLE_UNKNOWN",) * (cycle_ns == 0)
    return Events(num, den, flags=flags, shown={"changes": int(den.sum()), "process_value_first": copied})


INDICATOR = Indicator(
    id="L02",
    ko="설정값 반영률",
    en="Set-point follow-through",
    unit="1",
    formula="set-point changes in time that counts after which the process value came within the band in 3 time "
    "constants and the set point stayed for at least one cycle / all of them",
    source="readiness.md 7.3 L",
    inputs=("loops", "about", "schedule", "censored", "counts", "tracks"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_FEW_EVENTS"),
    guard="a change that the process value had made first is a set point copied from it: it counts and is not "
    "followed",
    evaluate=evaluate,
    roles=True,
)
