"""R01 Usable history: how many days of good data there are in one piece, and whether they have labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.indicators.base import Census, Indicator, Missing, Outcome
from readiness.production import production
from readiness.routes import routes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contract.report import Reason
    from readiness.view import View

    Bools = NDArray[np.bool_]

HISTORY_DAYS = 400
COMPLETE = 0.95
GOOD = 0.98
HOLE = 3
"""Production days in a row that may be missing within one stretch."""
EVENTS = 10
CAP = 60.0
"""Score without as many labelled events: there is nothing that a supervised model could learn from."""
LATE = 0.01


def longest(planned: Bools, judged: Bools, usable: Bools) -> tuple[int, int]:
    """Return days and unseen days of the longest stretch of usable days.

    A stretch goes on over days without planned time, and over at most `HOLE` production days in a row that are
    not usable or that nobody saw. Days on which there was something to be seen and it was not usable are not
    counted; the others are: nothing was planned, or it was we who did not see (`unseen`).
    """
    best = (0, 0)
    first = last = -1
    for day in np.flatnonzero(usable).tolist():
        if first < 0 or int(planned[last + 1 : day].sum()) > HOLE:
            first = day
        last = day
        inside = slice(first, day + 1)
        unseen = int((planned & ~judged)[inside].sum())
        best = max(best, (day + 1 - first - int((judged & ~usable)[inside].sum()), unseen))
    return best


def _usable(view: View, machine: str) -> tuple[Bools, Bools, Bools]:
    """Return per day whether it was judged, whether it was usable, and whether data were filled in afterwards."""
    series = [view.series[name] for _, tag in view.tags[machine] if (name := key(tag)) in view.series]
    none = 0.0 * view.planned
    counts = np.sum([s.counts for s in series] or [none], axis=0)
    known = np.sum([s.known for s in series] or [none], axis=0)
    bad = np.sum([s.bad for s in series] or [none], axis=0)
    sure = known - np.sum([s.uncertain for s in series] or [none], axis=0) / 2
    judged = (view.counting(machine) > 0) & (counts > 0)
    filled = np.zeros(len(judged), np.bool_)
    for day, record in view.seen.records:
        filled[day] |= bool(record.simulated)
    simulated = filled.copy()
    for source, *_ in routes(view, machine):
        for day, _, part in view.seen.order(source):
            reads = sum(s.good_reads + s.uncertain_reads + s.bad_reads for s in part.signals.values())
            filled[day] |= part.late > LATE * max(reads, 1)
    usable = judged & (known >= COMPLETE * counts) & (known > 0) & (sure >= GOOD * (known + bad)) & ~simulated
    return judged, usable, filled


def _labelled(view: View, machine: str) -> int:
    """Return the stops with a reason and the rejected pieces."""
    facts = production(view, machine)
    rejects = facts.counted("reject")
    return sum(1 for stop in facts.stops if stop.reason) + (0 if rejects is None else int(rejects.pieces.sum()))


def evaluate(view: View, machine: str) -> Outcome:
    """Return the days of the longest stretch of usable history."""
    whole = view.over(HISTORY_DAYS)
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    if not view.tags.get(machine) or not whole.records:
        return Missing("NA_NO_EVIDENCE")
    judged, usable, filled = _usable(whole, machine)
    if not judged.any():
        reason: Reason = view.shortfall(machine) or "NA_NO_EVIDENCE"
        return Missing(reason)
    days, unseen = longest(whole.planned > 0, judged, usable)
    labelled = _labelled(view, machine)
    if labelled < EVENTS:
        labelled = _labelled(whole, machine)
    few = labelled < EVENTS
    flags = ("FEW_LABELS",) * few + ("BACKFILLED",) * bool(filled.any())
    shown = {"labelled_events": labelled, "usable_days": int(usable.sum()), "unseen_days": unseen}
    return Census(float(days), int(judged.sum()), cap=CAP if few else 100.0, flags=flags, shown=shown)


INDICATOR = Indicator(
    id="R01",
    ko="유효 이력",
    en="Usable history",
    unit="d",
    formula="days of the longest stretch of production days with A01 >= 0.95 and Q01 >= 0.98, with at most 3 "
    "missing in a row; days without planned time and days that we ourselves missed belong to it; cap 60 below 10 "
    "labelled events (stops with a reason, rejects)",
    source="readiness.md 7.3 R; decision 49",
    inputs=("known", "uncertain", "bad", "schedule", "censored", "tracks", "counts", "stop_reasons", "meanings"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="simulated days never count; rows that came behind their closed day are in no evidence, so history "
    "that is filled in afterwards adds nothing and is flagged",
    evaluate=evaluate,
)
