"""V03 OEE computability: whether everything that OEE is made of is known at the same time."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.absent import absent, shortfall
from readiness.indicators.base import Census, Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.quantities import when_known
from readiness.sketch import ERROR
from readiness.spans import intersection

if TYPE_CHECKING:
    from readiness.indicators.base import Shown
    from readiness.view import View

NO_SCHEDULE, MEDIAN = "NO_SCHEDULE_EXISTS", "IDEAL_IS_MEDIAN"


def lacking(view: View, machine: str, *, ideals: bool) -> Outcome | None:
    """Return the outcome of a machine that lacks a part of OEE altogether, or None."""
    facts = production(view, machine)
    if (reason := view.lack(machine, "state")) is not None:
        return absent(view, machine, reason)
    if facts.quantity("total") is None or facts.quantity("good") is None:
        guessed = any(view.guessed(machine, role) for role in ("count_total", "count_good", "count_reject"))
        return absent(view, machine, "NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
    if not ideals:
        return Missing("NA_NO_SCHEDULE")  # nobody has been asked yet
    if facts.product is None and not facts.priced:
        return absent(view, machine, view.lack(machine, "product") or "NA_NO_EVIDENCE")
    return None


def evaluate(view: View, machine: str) -> Outcome:
    """Return planned time in which state, pieces, good pieces and the ideal cycle were known together."""
    ideals = [p.ideal_s[machine] for p in view.plant.products.values() if machine in p.ideal_s]
    if view.plant.of(machine).has_schedule == "no" and not (ideals and view.calendar.has_schedule()):
        return Census(0.0, 0, flags=(NO_SCHEDULE,))  # that there is none is the finding
    if (found := shortfall(view, machine) or lacking(view, machine, ideals=bool(ideals))) is not None:
        return found
    facts = production(view, machine)
    if facts.short is not None:
        return Missing(facts.short)
    total, good = facts.quantity("total"), facts.quantity("good")
    assert total is not None
    assert good is not None
    counting = view.counting(machine) > 0
    together = reduce(
        intersection, (when_known(view, total), when_known(view, good), facts.priced_spans), facts.known
    )
    den = np.where(counting, view.machine_by_day(machine, facts.domain), 0.0)
    num = np.where(counting, view.machine_by_day(machine, together), 0.0)
    ratios, cycle = facts.kpis, facts.cycle_ns
    flags = list(ratios.flags) if ratios is not None else []
    if cycle is not None and any(abs(1e9 * seconds / cycle - 1) <= ERROR for seconds in ideals):
        flags.append(MEDIAN)
    effectiveness = None if ratios is None else ratios.effectiveness
    shown: dict[str, Shown] = {
        "effectiveness": None if effectiveness is None else round(effectiveness, 4),
        "cycle_s": None if cycle is None else round(cycle / 1e9, 3),
        "products": len(facts.priced),
    }
    return Shares(np.minimum(num, den), den, flags=tuple(sorted(flags)), shown=shown)


INDICATOR = Indicator(
    id="V03",
    ko="OEE 산출 가능률",
    en="OEE computability",
    unit="1",
    formula="planned time in which state (APT), pieces (PQ), good pieces (GQ) and the ideal cycle of the product "
    "(PRI) are known together / planned time (PBT)",
    source="readiness.md 7.3 V; ISO 22400-2; OPC 40501-1 annex C.2.4",
    inputs=("tracks", "counts", "known", "meanings", "products", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NOT_APPLICABLE",
    ),
    guard="an ideal cycle that makes effectiveness exceed 1.05, or that is the observed median, is flagged; how "
    "high OEE is does not count, only whether it is known",
    evaluate=evaluate,
    roles=True,
    production=True,
)
