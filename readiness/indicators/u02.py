"""U02 Interventions: how often somebody has to act at a machine, and whether because something went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.base import Indicator, Missing, Outcome, Rates
from readiness.interventions import actions, cycles, cycles_known, per_day
from readiness.interventions import days as counted_days
from readiness.production import production

if TYPE_CHECKING:
    from readiness.interventions import Actions
    from readiness.view import View

PER = 100.0
FAULTS = 5
UNSEEN = 0.5
CAP = 75.0
"""Score while most faults go away without an action that can be seen: more may be pressed than is read."""


def cleared_unseen(view: View, machine: str, done: Actions) -> float | None:
    """Return the share of faults that ended without any action in them, None with fewer than `FAULTS`."""
    faults = [stop for stop in production(view, machine).stops if stop.state == "fault"]
    if len(faults) < FAULTS:
        return None
    within = [
        np.searchsorted(done.at, stop.to_ns, side="right") > np.searchsorted(done.at, stop.from_ns)
        for stop in faults
    ]
    return 1 - float(np.mean(within))


def evaluate(view: View, machine: str) -> Outcome:
    """Return actions of operators per 100 cycles."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    lack = view.lack(machine, "intervention")
    if lack is not None and view.lack(machine, "mode") is not None:
        guessed = [*view.guessed(machine, "intervention"), *view.guessed(machine, "mode")]
        return Missing("NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
    domains = counted_days(view, machine)
    done = actions(view, machine, domains)
    den = cycles(view, machine, done.known)
    if den is None or not den.any() or not done.known.length():
        return Missing("NA_NO_EVIDENCE")
    unseen = cleared_unseen(view, machine, done)
    suppressed = unseen is not None and unseen > UNSEEN and done.buttons
    done = done.during(cycles_known(view, machine))
    total = float(den.sum())
    flags = ("LOWER_BOUND",) * (not done.buttons) + ("RESETS_UNSEEN",) * suppressed
    shown = {
        "without_alarm": PER * float((~done.answering).sum()) / total,
        "after_alarm": PER * float(done.answering.sum()) / total,
        "planned": PER * float(done.declared.sum()) / total,
        "faults_cleared_unseen": unseen,
    }
    num = per_day(domains, done.at)
    return Rates(num, den, PER, cap=CAP if suppressed else 100.0, flags=flags, shown=shown)


INDICATOR = Indicator(
    id="U02",
    ko="수동개입 빈도",
    en="Interventions",
    unit="{#}",
    formula="buttons pressed and modes changed per 100 cycles, while both were known; shown apart: with no alarm "
    "in the 2 minutes before, after one, and those that a person calls part of each cycle",
    source="readiness.md 7.3 U",
    inputs=("tracks", "counts", "alarms", "meanings", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_ROLE_UNCONFIRMED"),
    guard="a machine, never a person: no record says who; without buttons it is flagged as a lower bound; when "
    "most faults go away without an action that can be seen, the score is at most 75",
    evaluate=evaluate,
    roles=True,
)
