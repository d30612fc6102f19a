"""The smallest single change that would bring a measure into the plan.

A measure is in when the best plan with it is worth more than the best one without. Both grow with a resource, so
being in does not: a million won more may bring it in, and two million may buy something better instead. Bisection
would miss such amounts. So for resources the search climbs. With `amount` given, take the worth of the best plan;
ask the solver for the least amount with which any plan that holds the measure is worth more; there solve anew, and
go on from there as long as the best plan does not hold it. No smaller amount can do: what it is up against only
grows on the way.

A lower price or more gain changes nothing of the plans without the measure. There bisection is right.

Every change that is told ends with a plain solve under exactly that change, in which the measure is in the plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from techsquare.credit import CREDITED
from techsquare.roadmap.model import UNIT, model
from techsquare.roadmap.search import NODES, best, least, solve
from techsquare.roadmap.terms import ORDER, PHASES, STEPS, Relaxation
from techsquare.roadmap.worth import objective

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from techsquare.roadmap.model import Key
    from techsquare.roadmap.problem import Call, Problem
    from techsquare.roadmap.terms import Resource
    from techsquare.roadmap.worth import Plan

_WON = 1.0
"""By how much a plan has to be worth more than another one."""


@dataclass(frozen=True, slots=True)
class Why:
    """Looks for what would bring measures in that the best plan of a problem does not hold."""

    problem: Problem
    plan: Plan
    nodes: int = NODES

    def smallest(self, measure: int, kinds: Sequence[Resource] = ORDER) -> Relaxation | None:
        """Return the smallest change of the first kind that does; None where no single change does."""
        floor = objective(self.problem, self.plan) + _WON
        enough: bool | None = None
        for kind in kinds:
            if kind in _MEANS:
                enough = self._affordable(measure, floor) if enough is None else enough
                if not enough:
                    continue
            found = min(
                _LOOK[kind](self, measure, kind),
                key=lambda r: (r.amount, r.phase or 0, r.subject or ""),
                default=None,
            )
            if found:
                return found
        return None

    def enters(self, problem: Problem, measure: int) -> bool:
        """Return whether the best plan of a problem holds a measure."""
        return best(problem, self.nodes).has(measure)

    def _affordable(self, measure: int, floor: float) -> bool:
        """Return whether means without end could bring it in at all; mostly it is just not worth its price."""
        endless = 10 * (sum(self.problem.cost) + sum(self.problem.vat) + 3 * sum(self.problem.yearly))
        rich = replace(
            self.problem,
            cash=(endless,) * PHASES,
            support=(endless,) * PHASES,
            days=(sum(self.problem.staff),) * PHASES,
            most=(len(self.problem.names),) * PHASES,
            calls=tuple(replace_call(call, endless) for call in self.problem.calls),
        )
        made = model(rich)
        found = solve(made, [-gain for gain in made.gains], self.nodes, fixed=measure)
        return not found.infeasible and -found.bound * UNIT >= floor

    def lifted(self, measure: int, kind: Resource) -> Iterator[Relaxation]:
        """Yield exclusions, and prerequisites, without which the measure would be in."""
        for subject, changed in _without(self.problem, measure, kind):
            if self.enters(changed, measure):
                yield Relaxation(kind, None, 1, subject)

    def one_more(self, measure: int, kind: Resource) -> Iterator[Relaxation]:
        """Yield phases in which one measure more would do."""
        for phase in range(PHASES):
            if self.enters(changed(self.problem, (kind, phase), 1), measure):
                yield Relaxation(kind, phase, 1)

    def more(self, measure: int, kind: Resource) -> Iterator[Relaxation]:
        """Yield by phase, or programme, the smallest amount more of a resource, each smaller than the one before.

        Cash of the last phase comes first. What is there earlier is there later, too, so of two equal sums the one
        that is needed later is the smaller change.
        """
        most = _endless(self.problem, kind)
        numbers = range(len(self.problem.calls) if kind == "cap" else PHASES)
        for number in reversed(numbers) if kind == "cash" else numbers:
            amount = self._climb(measure, (kind, number), most)
            if amount is not None:
                most = amount - STEPS[kind]
                cap = kind == "cap"
                subject = self.problem.calls[number].id if cap else None
                yield Relaxation(kind, None if cap else number, amount, subject)

    def _climb(self, measure: int, key: Key, most: float) -> float | None:
        """Return the smallest amount, in whole steps, with which the best plan holds the measure."""
        step, amount = STEPS[key[0]], 0.0
        rival = objective(self.problem, self.plan)
        while amount + step <= most:
            needed = least(self.problem, key, measure, rival + _WON, amount + step, most, self.nodes)
            if needed is None:
                return None
            amount = math.ceil(needed / step - 1e-6) * step
            there = changed(self.problem, key, amount)
            plan = best(there, self.nodes)
            if plan.has(measure):
                return amount
            rival = objective(there, plan)
        return None

    def other(self, measure: int, kind: Resource) -> Iterator[Relaxation]:
        """Yield the smallest step by which it would have to cost less, or save more."""
        make: Callable[[Problem, int, float], Problem] = cheaper if kind == "price" else better
        step = STEPS[kind]
        room = self.problem.cost[measure] if kind == "price" else _room(self.problem, measure)
        low, high = 0, int(room // step)
        if high < 1 or not self.enters(make(self.problem, measure, high * step), measure):
            return
        while high - low > 1:
            middle = (low + high) // 2
            if self.enters(make(self.problem, measure, middle * step), measure):
                high = middle
            else:
                low = middle
        yield Relaxation(kind, None, high * step)


_MEANS = frozenset({"measures", "staff_days", "cash", "support", "cap"})
_LOOK: dict[Resource, Callable[[Why, int, Resource], Iterator[Relaxation]]] = {
    "excluded": Why.lifted,
    "measures": Why.one_more,
    "staff_days": Why.more,
    "cash": Why.more,
    "support": Why.more,
    "cap": Why.more,
    "price": Why.other,
    "needs": Why.lifted,
    "gain": Why.other,
}


def replace_call(call: Call, cap: float) -> Call:
    """Return a programme with another cap."""
    return call._replace(cap=cap)


def _endless(problem: Problem, kind: Resource) -> float:
    """Return more of a resource than all measures together could use, in whole steps."""
    if kind == "staff_days":
        most = sum(problem.staff)
    else:
        most = sum(problem.cost) + sum(problem.vat) + 3 * sum(problem.yearly)
    return math.ceil(most / STEPS[kind]) * STEPS[kind]


def _room(problem: Problem, measure: int) -> float:
    """Return how much more a year a measure could save at all: no place gives more than it loses."""
    gains = [gain for gain in problem.gains[measure] if gain.won > 0]
    factor = min((problem.credit[gain.place] / CREDITED / gain.won for gain in gains), default=1.0)
    return sum(gain.won for gain in gains) * (factor - 1)


def changed(problem: Problem, key: Key, amount: float) -> Problem:
    """Return a problem with more of one resource, in a phase or of a programme."""
    kind, number = key

    def more(of: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(had + amount if i == number else had for i, had in enumerate(of))

    match kind:
        case "measures":
            return replace(problem, most=tuple(map(int, more(problem.most))))
        case "staff_days":
            return replace(problem, days=more(problem.days))
        case "cash":
            return replace(problem, cash=more(problem.cash))
        case "support":
            return replace(problem, support=more(problem.support))
        case _:
            calls = [replace_call(c, c.cap + amount * (i == number)) for i, c in enumerate(problem.calls)]
            return replace(problem, calls=tuple(calls))


def cheaper(problem: Problem, measure: int, won: float) -> Problem:
    """Return a problem in which a measure costs so much less, and VAT with it."""
    left = 1 - won / problem.cost[measure]

    def less(of: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(had * left if i == measure else had for i, had in enumerate(of))

    return replace(problem, cost=less(problem.cost), vat=less(problem.vat))


def better(problem: Problem, measure: int, won: float) -> Problem:
    """Return a problem in which a measure saves so much more a year, at all its places in proportion."""
    had = sum(gain.won for gain in problem.gains[measure])
    grown = tuple(gain._replace(won=gain.won * (1 + won / had)) for gain in problem.gains[measure])
    return replace(problem, gains=tuple(grown if i == measure else g for i, g in enumerate(problem.gains)))


def _without(problem: Problem, measure: int, kind: Resource) -> Iterator[tuple[str | None, Problem]]:
    """Yield what could be lifted, with its name, and the problem without it."""
    if kind == "excluded":
        if measure in problem.out:
            yield None, replace(problem, out=problem.out - {measure})
        for name in sorted(problem.beside[measure]):
            yield name, replace(problem, beside=_less(problem.beside, measure, name))
        for needed in sorted(_under(problem, measure) & problem.out):
            yield problem.names[needed], replace(problem, out=problem.out - {needed})
        for one, other in sorted(pair for pair in problem.apart if measure in pair and not set(pair) & problem.out):
            name = problem.names[other if one == measure else one]
            yield name, replace(problem, apart=problem.apart - {(one, other)})
        return
    for need in problem.needs[measure]:
        kept = tuple(n for n in problem.needs[measure] if n != need)
        needs = tuple(kept if i == measure else n for i, n in enumerate(problem.needs))
        yield problem.names[need.measure], replace(problem, needs=needs)
    for name in sorted(problem.lacking[measure]):
        yield name, replace(problem, lacking=_less(problem.lacking, measure, name))


def _under(problem: Problem, measure: int) -> frozenset[int]:
    """Return all that a measure rests on."""
    found: set[int] = set()
    ahead = {measure}
    while ahead:
        ahead = {need.measure for m in ahead for need in problem.needs[m]} - found
        found |= ahead
    return frozenset(found)


def _less(of: tuple[frozenset[str], ...], measure: int, name: str) -> tuple[frozenset[str], ...]:
    return tuple(names - {name} if i == measure else names for i, names in enumerate(of))
