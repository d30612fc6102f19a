"""V05 Stop reasons known: how much of the time that a machine stood is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.absent import absent, shortfall
from readiness.indicators.base import Given, Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.reasons import codes, entropy, guards
from readiness.stats import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.indicators.base import Shown
    from readiness.stops import Stop
    from readiness.view import View

    Ints = NDArray[np.int64]

MANY = 20


def _days(view: View, stops: Sequence[Stop]) -> Ints:
    return view.seen.day_of(np.array([s.from_ns for s in stops], np.int64))


def evaluate(view: View, machine: str) -> Outcome:
    """Return the time of stops with a specific reason, of the time of all stops."""
    if (found := shortfall(view, machine)) is not None:
        return found
    if (reason := view.lack(machine, "state")) is not None:
        return absent(view, machine, reason)
    alarms = [key for key in view.signals(machine, "alarm") if view.plant.meaning(key).specific]
    persons = any(entry.machine == machine for entry in view.plant.reasons)
    if not alarms and not view.signals(machine, "reason") and not persons:
        guessed = view.guessed(machine, "reason") or view.guessed(machine, "alarm")
        return absent(view, machine, "NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
    counting = view.counting(machine) > 0
    stops = [s for s in production(view, machine).stops if counting[_days(view, [s])[0]]]
    if not stops:
        return Missing("NA_FEW_EVENTS" if len(production(view, machine).known) else "NA_NO_EVIDENCE")
    struck = guards(stops)
    worth = 0.5 if struck else 1.0
    total = sum(s.length_ns for s in stops)
    told = [s for s in stops if s.reason is not None]
    by_machine = sum(s.length_ns for s in told if s.automatic)
    shown: dict[str, Shown] = {
        "stops": len(stops),
        "automatic": round(by_machine / total, 6),
        "manual": round((sum(s.length_ns for s in told) - by_machine) / total, 6),
        "other": round(sum(s.length_ns for s in stops if s.reason is None and s.other) / total, 6),
        "reasons": len(codes(stops)),
        "entropy_bits": round(entropy(codes(stops)), 4),
    }
    if len(stops) < MANY:
        share = worth * sum(s.length_ns for s in told) / total
        # Stops of unequal length are worth fewer equal ones (Kish 1965): (sum w)^2 / sum w^2.
        lo, hi = wilson(share, total**2 / sum(s.length_ns**2 for s in stops))
        return Given(share, lo, hi, int(counting.sum()), flags=tuple(struck), shown=shown)
    num, den = np.zeros(len(counting)), np.zeros(len(counting))
    np.add.at(num, _days(view, told), [worth * s.length_ns for s in told])
    np.add.at(den, _days(view, stops), [float(s.length_ns) for s in stops])
    return Shares(num, den, flags=tuple(struck), shown=shown)


INDICATOR = Indicator(
    id="V05",
    ko="비가동 사유 식별률",
    en="Stop reasons known",
    unit="1",
    formula="time of stops (>= 5 min) with a specific reason from an alarm, a reason code, or a person within 24 h "
    "/ time of all stops",
    source="readiness.md 7.3 V; decision 48",
    inputs=("tracks", "alarms", "stop_reasons", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_FEW_EVENTS",
        "NA_ROLE_UNCONFIRMED",
        "NOT_APPLICABLE",
    ),
    guard="of the time with a reason, more than 30 % 'other' or more than 60 % of one reason halve the value; "
    "entropy and the automatic part are shown; below 20 stops the interval is Wilson's over stops",
    evaluate=evaluate,
    roles=True,
    production=True,
)
