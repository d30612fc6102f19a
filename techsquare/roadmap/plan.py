"""The roadmap of a factory: the plan, how firm it is, what it costs month by month, and why not the others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from techsquare.roadmap.cash import bridged, flow, lacking
from techsquare.roadmap.problem import YEAR, problem
from techsquare.roadmap.relax import Why
from techsquare.roadmap.search import NODES, best
from techsquare.roadmap.terms import LEVELS, Chosen, NotNow, Roadmap
from techsquare.roadmap.worth import credited
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from techsquare.roadmap.problem import Gain, Problem
    from techsquare.roadmap.terms import Level, Means, Measure, Place, Programme, Relaxation
    from techsquare.roadmap.worth import Plan

    At = Callable[[Mapping[Place, Level]], Problem]


class Firm(NamedTuple):
    """Best plans with all losses and gains low, middle and high, and by measure the places that decide."""

    plans: Mapping[Level, Plan]
    depends: Mapping[int, Sequence[Place]]


def roadmap(
    measures: Sequence[Measure],
    losses: Mapping[Place, Span],
    means: Means,
    programmes: Sequence[Programme],
    begins: date,
    *,
    reasons: bool = True,
    nodes: int = NODES,
) -> Roadmap:
    """Return the plan of the greatest value within the means.

    Args:
        measures: All that could be done; what stands already may be among them.
        losses: Won a year that are lost, by place. A place without a price is left out of it.
        means: Of the factory.
        programmes: That it could apply to.
        begins: First day of the first phase.
        reasons: Look for what would bring in each measure that is not chosen. It takes many times as long as the
            plan; `why_not` does it for one measure.
        nodes: Where each search ends.

    Raises:
        ValueError: see `problem.problem`.
    """
    at = partial(problem, measures, losses, means, programmes, begins)
    middle = at({})
    found = best(middle, nodes)
    firm = _firm(at, middle, found, nodes)
    months = flow(middle, found)
    by_name = {m.id: m for m in measures}
    why = Why(middle, found, nodes)
    costs, paid = _round(found)
    gain, running = round(found.gain), round(found.running)
    value = gain + paid - costs - running
    return Roadmap(
        chosen=_chosen(middle, found, firm, by_name, at),
        not_now=[
            NotNow(
                name,
                why.smallest(i) if reasons else None,
                sorted(p for p in by_name[name].gain if p not in losses),
            )
            for i, name in enumerate(middle.names)
            if not found.has(i)
        ],
        value=value,
        gain=gain,
        support=paid,
        cost=costs,
        running=running,
        bound=value if found.proven else max(value, round(found.bound)),
        proven_optimal=found.proven,
        credited={
            middle.places[i]: round(won) for i, won in enumerate(credited(middle, found.starts)) if round(won)
        },
        months=months,
        bridged=bridged(months),
        worth={key: round(plan.value()) for key, plan in firm.plans.items()} | {"middle": value},
        dear=lacking(middle, found, lambda m: by_name[middle.names[m]].cost.high),
    )


def why_not(
    measure: str,
    measures: Sequence[Measure],
    losses: Mapping[Place, Span],
    means: Means,
    programmes: Sequence[Programme],
    begins: date,
    *,
    nodes: int = NODES,
) -> Relaxation | None:
    """Return the smallest single change that brings a measure in; None where none does, or it is in the plan.

    Raises:
        ValueError: there is no such measure among those that do not stand; see also `problem.problem`.
    """
    middle = problem(measures, losses, means, programmes, begins, {})
    found, index = best(middle, nodes), middle.names.index(measure)
    return None if found.has(index) else Why(middle, found, nodes).smallest(index)


def _round(plan: Plan) -> tuple[int, int]:
    return round(plan.cost), round(sum(plan.support))


def _firm(at: At, middle: Problem, found: Plan, nodes: int) -> Firm:
    """Solve again where all is low and high; for what is not in all three, also with one place moved at a time."""
    plans: dict[Level, Plan] = {"middle": found}
    for end in LEVELS:
        if end != "middle":
            plans[end] = best(at(dict.fromkeys(middle.places, end)), nodes)
    wavering = [s.measure for s in found.starts if not all(plan.has(s.measure) for plan in plans.values())]
    depends: dict[int, list[Place]] = {m: [] for m in wavering}
    ends = [end for end in LEVELS if not all(plans[end].has(m) for m in wavering)]
    used = {gain.place for start in found.starts for gain in middle.gains[start.measure]}
    for i, place in enumerate(middle.places) if wavering else ():
        for end in ends:
            if end == "low" and i not in used and found.proven:
                continue  # lower there, the plan is worth the same and no other one more: it stays the best
            moved = best(at({place: end}), nodes)
            for measure in wavering:
                if not moved.has(measure) and place not in depends[measure]:
                    depends[measure].append(place)
    for measure, places in depends.items():
        if not places:  # no single place decides: it takes several, and its own are among them
            depends[measure] = sorted(middle.places[gain.place] for gain in _rest_on(middle, measure))
    return Firm(plans, depends)


def _rest_on(middle: Problem, measure: int) -> Sequence[Gain]:
    """Return the gains of a measure; of one without any those of what needs it."""
    users = [i for i, needs in enumerate(middle.needs) if any(n.measure == measure for n in needs)]
    found = middle.gains[measure] or [gain for user in users for gain in _rest_on(middle, user)]
    return list({gain.place: gain for gain in found}.values())


def _chosen(middle: Problem, found: Plan, firm: Firm, by_name: Mapping[str, Measure], at: At) -> Sequence[Chosen]:
    worst, dearest = at(dict.fromkeys(middle.places, "low")), at(dict.fromkeys(middle.places, "high"))
    parts = []
    for start, paid in zip(found.starts, found.support, strict=True):
        m, measure = start.measure, by_name[middle.names[start.measure]]
        call = middle.calls[start.programme] if start.programme is not None and paid else None
        parts.append(
            Chosen(
                measure=measure.id,
                phase=start.phase,
                month=round(12 * start.day / YEAR, 1),
                cost=round(middle.burden(m)),
                support=round(paid),
                programme=call.id if call else None,
                payback_months=_payback(measure, m, middle, worst, dearest),
                quick=middle.quick(m),
                solid=m not in firm.depends,
                depends=tuple(firm.depends.get(m, ())),
            )
        )
    return sorted(parts, key=lambda chosen: (chosen.phase, chosen.month, chosen.measure))


def _payback(measure: Measure, m: int, middle: Problem, worst: Problem, dearest: Problem) -> Span | None:
    """Return how long a measure's cost takes to come back: cheap and at high gains, dear and at low ones."""
    vat = middle.burden(m) / middle.cost[m] if middle.cost[m] else 1.0
    ends = []
    for cost, running, side in (
        (measure.cost.low, measure.yearly.low, dearest),
        (measure.cost.high, measure.yearly.high, worst),
    ):
        year = sum(min(g.won, side.credit[g.place]) for g in side.gains[m]) - running
        if year <= 0:
            return None
        ends.append(round(12 * cost * vat / year, 1))
    return Span(ends[0], ends[1])
