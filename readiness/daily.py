"""What one production day was, for its signed record: numerators and denominators by machine, and nothing finer.

An assessment whose window ends with the day says it. Kinds with numbers per day give those of this very day; what
is one number of the whole window (quantiles, regressions, what was looked at completely) is told as a state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.day import DayMachine, MetricDay
from readiness.combine import DIGITS, point
from readiness.elements import ELEMENTS
from readiness.indicators import REGISTRY
from readiness.indicators.base import Events, Missing, Rates, Shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.report import Reason
    from readiness.elements import Element
    from readiness.indicators.base import Indicator, Outcome
    from readiness.report import Assessment


METRICS = tuple(sorted((*REGISTRY, *ELEMENTS)))
"""All that a record may hold."""


def machines(assessment: Assessment) -> list[DayMachine]:
    """Return the declared machines, and how much of the window's last day counts for each."""
    view = assessment.view
    return [DayMachine(m.id, m.weight, str(int(view.counting(m.id)[-1]))) for m in view.inventory]


def metrics(assessment: Assessment) -> list[MetricDay]:
    """Return indicators and elements of the window's last day; those of which nothing can be said are left out."""
    view = assessment.view
    order = [m.id for m in view.inventory]
    assessment.look(REGISTRY)
    found = [metric_day(REGISTRY[name], order, assessment.outcomes(name)) for name in sorted(REGISTRY)]
    found += [metric_day(e, order, {m: e.evaluate(view, m) for m in order}) for _, e in sorted(ELEMENTS.items())]
    return [one for one in found if one.machines or one.apart]


def metric_day(indicator: Indicator | Element, order: list[str], outcomes: Mapping[str, Outcome]) -> MetricDay:
    """Return an indicator of the window's last day.

    Its kind follows from the window and not from the day: on a Sunday, on which no machine has anything to add up,
    a metric is still one that is added up, and what other machines say of the window is no part of it.

    Args:
        indicator: Which one.
        order: The declared machines.
        outcomes: What was found at each.
    """
    whole = indicator.scope == "plant"
    apart: dict[Reason, list[int]] = {}
    states: list[tuple[int, float, float]] = []
    ratios: dict[float, list[tuple[int, float, float]]] = {}
    adds = False
    for index, machine in enumerate(order[:1] if whole else order):
        outcome = outcomes[machine]
        if isinstance(outcome, Missing):
            apart.setdefault(outcome.reason, []).append(index)
        elif isinstance(outcome, Shares | Events | Rates):
            adds = True
            if outcome.den[-1] > 0:
                per = outcome.per if isinstance(outcome, Rates) else 1.0
                row = index, round(float(outcome.num[-1]), DIGITS), round(float(outcome.den[-1]), DIGITS)
                ratios.setdefault(per, []).append(row)
        else:
            states.append((index, round(point(outcome), DIGITS), 1.0))
    # No formula has two different `per`. What holds over the window stands beside what is added up, as a share of
    # 1, on days on which there is anything to add up: alone it would look as if the plant had become so.
    per, rows = next(iter(ratios.items()), (1.0, [] if adds else states))
    held = [(index, round(value / per, DIGITS), 1.0) for index, value, _ in states] if adds and rows else []
    rows = sorted([*rows, *held])
    return MetricDay(
        metric=indicator.id,
        unit=indicator.unit,
        kind="ratio" if adds else "state",
        machines=[index for index, _, _ in rows],
        num=[num for _, num, _ in rows],
        den=[den for _, _, den in rows],
        per=per,
        whole=whole,
        apart=apart,
        held=[index for index, _, _ in held],
    )
