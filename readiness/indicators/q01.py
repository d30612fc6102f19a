"""Q01 Good-status share: what devices say about their own values while the link works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.indicators import q03, q08
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.outcomes import outcome
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from readiness.view import View

WITHOUT_STATUS = frozenset({"modbus", "xgt"})
"""Protocols that have no status codes: a reading without an exception is taken for good."""

HISTORY = 90
CAP, ALWAYS_GOOD = 80.0, "ALWAYS_GOOD_DESPITE_FAULTS"
SOUND = ((q03.INDICATOR, 0.98), (q08.INDICATOR, 0.97))
"""Below these values, stuck signals and contradictions are faults that a status should have told."""


def always_good(view: View, machine: str) -> bool:
    """Return whether only good status was ever said of a machine's signals, in 90 days or as far as we know."""
    names = {key(tag) for _, tag in view.tags[machine]}
    said = [
        part.signals[name]
        for record in view.over(HISTORY).records
        for part in record.sources
        for name in names & part.signals.keys()
    ]
    return all(s.uncertain < 0 and s.bad < 0 and s.uncertain_reads == s.bad_reads == 0 for s in said)


def contradicted(view: View, machine: str) -> bool:
    """Return whether other indicators found faults in what the device calls good."""
    for indicator, sound in SOUND:
        found = outcome(view, indicator, machine)
        if isinstance(found, Shares) and float(found.num.sum()) < sound * float(found.den.sum()):
            return True
    return False


def evaluate(view: View, machine: str) -> Outcome:
    """Return good time and half of uncertain time, of the time in which the device answered."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0
    found = [(source, view.series[name]) for source, tag in view.tags[machine] if (name := key(tag)) in view.series]
    asked = np.sum([s.counts for _, s in found] or [0.0 * view.planned], axis=0)
    if found and int((asked[counting] > 0).sum()) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")  # all of its signals were added or named anew a few days ago
    den = np.where(counting, np.sum([s.known + s.bad for _, s in found] or [0.0 * view.planned], axis=0), 0.0)
    num = np.where(
        counting, np.sum([s.known - s.uncertain / 2 for _, s in found] or [0.0 * view.planned], axis=0), 0.0
    )
    if not den.any():
        return Missing("NA_NO_EVIDENCE")
    derived = {source.protocol in WITHOUT_STATUS for source, _ in found}
    capped = always_good(view, machine) and contradicted(view, machine)
    return Shares(
        num,
        den,
        quality="mixed" if len(derived) > 1 else "derived" if derived.pop() else "measured",
        cap=CAP if capped else 100.0,
        flags=(ALWAYS_GOOD,) if capped else (),
    )


INDICATOR = Indicator(
    id="Q01",
    ko="정상 품질 비율",
    en="Good-status share",
    unit="1",
    formula="(good time + uncertain time / 2) / time in which the device answered; Modbus: readings without "
    "exception",
    source="readiness.md 7.3 Q; DESIGN 9",
    inputs=("known", "uncertain", "bad", "values", "tracks", "counts", "meanings", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="lost links are not counted here but in C03; protocols without status codes are tagged derived; a device "
    "that has called everything good for 90 days, while Q03 or Q08 found faults, gets at most 80 points",
    evaluate=evaluate,
)
