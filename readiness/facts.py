"""Facts that conditions ask for beside indicators: of a machine for gates, of the plant for other models' scales.

    live_pv            process values for whose role somebody stands, that were read on 80 % of days and did change
    model_acts         1 when a person has seen that a model or optimiser sets the machine, 0 when there is none
    executing          machines that have executed in the window
    alarms             alarms that were active in the window
    hands              actions of people with no alarm before them, per 100 cycles; mean over machines by weight
    automatic_reasons  share of the explained time of stops whose reason came from the machine; mean by weight
                       (both missing where machines below the quorum of the levels can tell)
    order_systems      installed systems that know orders (MES, ERP, POP)
    onboardings        machines that were added with a protocol of the hours that it took

They are values without an interval, or missing for a reason, like indicators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contract.report import Value
from readiness.indicators.base import Missing
from readiness.indicators.c01 import READ_DAYS, moved
from readiness.levels import ROUNDING
from readiness.production import production

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.report import Reason
    from readiness.indicators.base import Outcome
    from readiness.view import View

    Outcomes = Callable[[str], Mapping[str, Outcome]]

ORDER_SYSTEMS = frozenset({"mes", "erp", "pop"})
SAID = {"yes": 1.0, "no": 0.0}
OF_MACHINE = ("live_pv", "model_acts")
OF_PLANT = ("executing", "alarms", "hands", "automatic_reasons", "order_systems", "onboardings")


def fact(name: str, found: float | Reason, evidence: str, machine: str | None = None) -> Value:
    """Return a fact as a value, or why it is missing."""
    if isinstance(found, str):
        return Value(metric=name, unit="1", evidence=evidence, machine=machine, reason=found)
    return Value(metric=name, unit="1", evidence=evidence, machine=machine, value=round(found, 6))


def of_machine(view: View, machine: str, evidence: str) -> dict[str, Value]:
    """Return the facts of a machine by name."""
    acts: float | Reason = SAID.get(view.plant.of(machine).model_acts, "NA_NO_EVIDENCE")
    found = {"live_pv": live_pv(view, machine), "model_acts": acts}
    return {name: fact(name, number, evidence, machine) for name, number in found.items()}


def live_pv(view: View, machine: str) -> float | Reason:
    """Return how many process values of a machine live, or why that is not known."""
    if (reason := view.shortfall(machine)) is not None:
        return reason
    names = view.signals(machine, "pv")
    days = view.counting(machine) > 0

    def lives(name: str) -> bool:
        read = int(np.sum((view.series[name].known > 0) & days)) if name in view.series else 0
        return read >= READ_DAYS * int(days.sum()) and moved(view, name) is not False

    if not names and view.guessed(machine, "pv"):
        return "NA_ROLE_UNCONFIRMED"
    return float(sum(lives(name) for name in names))


def of_plant(view: View, outcomes: Outcomes, evidence: str) -> dict[str, Value]:
    """Return the facts of the plant by name.

    Args:
        view: The window's evidence.
        outcomes: Metric -> what was found at each machine.
        evidence: Hash of the evidence.
    """
    alarms = _shown(view, outcomes("R03"), lambda shown: _number(shown.get("alarms")))
    systems = [system.kind.lower() in ORDER_SYSTEMS for system in view.plant.systems]
    found: dict[str, float | Reason] = {
        "executing": _executing(view),
        "alarms": sum(n for _, n in alarms) if alarms else "NA_NO_EVIDENCE",
        "hands": _mean(view, outcomes("U02"), lambda shown: _number(shown.get("without_alarm"))),
        "automatic_reasons": _mean(view, outcomes("V05"), _automatic),
        "order_systems": float(sum(systems)) if systems else "NA_NO_EVIDENCE",
        "onboardings": float(len(view.plant.onboardings)),
    }
    return {name: fact(name, number, evidence) for name, number in found.items()}


def _executing(view: View) -> float | Reason:
    machines = [m.id for m in view.inventory if view.signals(m.id, "state")]
    number = sum(bool(len(production(view, m).executing)) for m in machines)
    return float(number) if number or len(machines) == len(view.inventory) > 0 else "NA_NO_EVIDENCE"


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) else None


def _automatic(shown: Mapping[str, object]) -> float | None:
    machine, person = _number(shown.get("automatic")), _number(shown.get("manual"))
    return None if machine is None or person is None or machine + person <= 0 else machine / (machine + person)


def _shown(
    view: View, outcomes: Mapping[str, Outcome], pick: Callable[[Mapping[str, object]], float | None]
) -> list[tuple[float, float]]:
    """Return (weight, number) of the machines that show it."""
    return [
        (m.weight, number)
        for m in view.inventory
        if not isinstance(found := outcomes[m.id], Missing) and (number := pick(found.shown)) is not None
    ]


def _mean(
    view: View, outcomes: Mapping[str, Outcome], pick: Callable[[Mapping[str, object]], float | None]
) -> float | Reason:
    rows = _shown(view, outcomes, pick)
    told = sum(w for w, _ in rows)
    lacking = [(o.reason, m.weight) for m in view.inventory if isinstance(o := outcomes[m.id], Missing)]
    missing = sum(weight for reason, weight in lacking if reason != "NOT_APPLICABLE")
    if not rows or told < view.model.gates.quorum * (told + missing) * (1 - ROUNDING):
        return "NA_NO_EVIDENCE"
    return sum(w * x for w, x in rows) / told
