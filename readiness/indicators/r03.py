"""R03 Alarm usefulness: whether alarms tell somebody something, and at a pace at which a person can act."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from readiness import alarms
from readiness.indicators.base import Census, Given, Indicator, Missing, Outcome
from readiness.interventions import days as counted_days
from readiness.interventions import touched
from readiness.paces import hourly, median_interval
from readiness.production import production
from readiness.spans import EMPTY, Spans, intersection, union
from readiness.stats import wilson
from readiness.view import CONDITION, NEEDED_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.alarms import AlarmTrack
    from readiness.view import View

RATE = 6.0
"""Alarms per hour that one operator can act on (EEMUA 191: one in ten minutes)."""
FAULTS = 5
AROUND_NS = 2 * alarms.MINUTE_NS


def announced(view: View, machine: str, found: Sequence[AlarmTrack]) -> tuple[int, int]:
    """Return how many faults of the machine an alarm announced, and how many there were."""
    faults = [stop.from_ns for stop in production(view, machine).stops if stop.state == "fault"]
    at = np.array(faults, np.int64)
    return int(touched(alarms.active(found), at - AROUND_NS, at + AROUND_NS).sum()), len(faults)


def told(view: View, names: Sequence[str]) -> Spans:
    """Return when any alarm could have been seen: what nobody reads is no peace.

    A server tells of its conditions when they change, and says nothing of those at rest.
    """
    if any(name.partition("/")[2].startswith(CONDITION) for name in names):
        return Spans.between(view.seen.start_ns, view.seen.end_ns)
    return union(EMPTY, *(view.spans(name) for name in names))


def evaluate(view: View, machine: str) -> Outcome:
    """Return the mean of four parts, at most the share of faults that an alarm announces."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    names = [name for name in alarms.names(view, machine) if not view.plant.meaning(name).advice]
    if not names:
        if view.plant.of(machine).has_alarms == "no":
            return Census(0.0, 0, flags=("NO_ALARMS",))
        return Missing("NA_ROLE_UNCONFIRMED" if view.guessed(machine, "alarm") else "NA_NO_EVIDENCE")
    days, found = counted_days(view, machine), alarms.tracks(view, machine, lambda meaning: not meaning.advice)
    domain = intersection(view.machine_domain(machine), told(view, names))
    if sum(1 for day in days if len(intersection(day, domain))) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")  # its alarms were read on a few days only
    seen = [alarm for alarm in found if len(intersection(alarm.active, domain))]
    announcing, faults = announced(view, machine, found)
    if not seen and faults < FAULTS:
        return Missing("NA_FEW_EVENTS")  # nothing has happened that an alarm could have told
    text, differ = alarms.informed(view, machine, names)
    chatter = sum(alarm.chatters(domain) for alarm in seen)
    standing = sum(alarm.stands(days) for alarm in seen)
    at = np.sort(np.concatenate([np.empty(0, np.int64), *(alarm.activations(domain) for alarm in seen)]))
    rate = median_interval([hourly(view, day, domain, at) for day in view.dates])
    pace = [min(1.0, RATE / max(r, 1e-9)) for r in rate]
    n = max(len(seen), 1)
    parts = (text, 1 - chatter / n, 1 - standing / n, pace[1])
    lows = (text, 1 - wilson(chatter / n, n)[1], 1 - wilson(standing / n, n)[1], pace[2])
    highs = (text, 1 - wilson(chatter / n, n)[0], 1 - wilson(standing / n, n)[0], pace[0])
    limit = announcing / faults if faults >= FAULTS else 1.0
    least, most = wilson(limit, faults) if faults >= FAULTS else (1.0, 1.0)
    flags = ("ONE_PRIORITY",) * (not differ) + ("FAULTS_WITHOUT_ALARM",) * (limit < 1)
    value, lo, hi = (min(fmean(p), at) for p, at in ((parts, limit), (lows, least), (highs, most)))
    shown = dict(zip(("text_and_priority", "not_chattering", "not_standing", "pace"), parts, strict=True))
    more = {"alarms_per_hour": rate[1], "alarms": len(seen), "faults": faults, "faults_announced": announcing}
    counted = sum(1 for day in days if len(intersection(day, domain)))
    return Given(value, lo, hi, counted, cap=100 * limit, flags=flags, shown={**shown, **more})


INDICATOR = Indicator(
    id="R03",
    ko="알람 유효성",
    en="Alarm usefulness",
    unit="1",
    formula="mean of: alarms with a text and a priority, 1 - alarms that chatter (3 in a minute), 1 - alarms that "
    "stood for over 24 h, min(1, 6 / median alarms per hour), the last three of alarms that were active; at most "
    "the share of faults that an alarm announces",
    source="readiness.md 7.3 R; ISA-18.2, EEMUA 191; decision 49",
    inputs=("alarms", "tracks", "catalog", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NA_FEW_EVENTS",
    ),
    guard="switching alarms off does not help: the value is at most the share of faults that some alarm announced; "
    "texts that are placeholders or the name, and priorities that are all the same, say nothing",
    evaluate=evaluate,
    roles=True,
)
