"""What comes and goes month by month: own cash, bills, VAT that returns late, programmes that pay late.

A bill comes when its measure is in use by its own months, with VAT. Of a programme's part a share is there when
the measure is begun, the rest some months after the bill. Own cash of a phase is there in its first month. What a
measure saves is not in it: nobody should pay a bill from a saving that has not been shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.roadmap.problem import BEGINS, ENDS, HORIZON, month_ends
from techsquare.roadmap.terms import Month

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from techsquare.roadmap.problem import Problem
    from techsquare.roadmap.worth import Plan


def flow(problem: Problem, plan: Plan) -> Sequence[Month]:
    """Return the months of a plan: three years, and as many more as money is still on its way."""
    found: list[Month] = []
    before = _sums(problem, plan, 0)
    while month_ends(len(found) - 1) < HORIZON or any(_differs(before, _sums(problem, plan, 10**6))):
        month = len(found)
        sums = _sums(problem, plan, month_ends(month))
        now = [round(b) - round(a) for a, b in zip(before, sums, strict=True)]
        own, bills, vat, running, support, back = now
        balance = (found[-1].balance if found else 0) + own - bills - vat - running + support + back
        found.append(Month(month, own, bills, vat, running, support, back, balance))
        before = sums
    return found


def bridged(months: Sequence[Month]) -> int:
    """Return how far below zero the account goes."""
    return max([0, *(-month.balance for month in months)])


def lacking(problem: Problem, plan: Plan, dearest: Callable[[int], float]) -> int:
    """Return own cash that is lacking if every measure costs `dearest` instead.

    Programmes pay what they have promised. The worst of the three phases counts, as in the plan itself.
    """
    worst = 0.0
    for phase, end in enumerate(ENDS):
        spent = 0.0
        for start, paid in zip(plan.starts, plan.support, strict=True):
            spent += problem.runs(start, end)
            if start.phase <= phase:
                dear = dearest(start.measure) / max(problem.cost[start.measure], 1.0)
                spent += problem.burden(start.measure) * dear - paid
        worst = max(worst, spent - sum(problem.cash[: phase + 1]))
    return round(worst)


def _differs(one: Sequence[float], other: Sequence[float]) -> Sequence[bool]:
    return [round(a) != round(b) for a, b in zip(one, other, strict=True)][4:]


def _sums(problem: Problem, plan: Plan, until: int) -> Sequence[float]:
    """Return own cash, bills, VAT, running cost, support and returned VAT before a day, from the beginning."""
    own = sum(won for won, begin in zip(problem.cash, BEGINS, strict=True) if begin < until)
    bills = vat = running = support = back = 0.0
    for start, paid in zip(plan.starts, plan.support, strict=True):
        billed = problem.used(start)
        running += problem.runs(start, min(until, HORIZON))
        if billed < until:
            bills += problem.cost[start.measure]
            vat += problem.vat[start.measure]
            if problem.vat_back is not None and billed + problem.vat_back < until:
                back += problem.vat[start.measure]
        support += paid * problem.paid_by(start, until)
    return own, bills, vat, running, support, back
