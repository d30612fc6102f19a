"""Looking for a plan, and for the least change that makes a better one: HiGHS by scipy.

The search ends with a proof, or after a number of nodes. A limit of nodes strikes at the same plan on every
machine, one of seconds would not. The bound then tells what no plan can exceed. Nothing is begun where nothing
better is found: that is a plan too, and always possible.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from techsquare.roadmap.model import UNIT, model
from techsquare.roadmap.worth import Plan, objective, plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from techsquare.roadmap.model import Key, Model, Terms
    from techsquare.roadmap.problem import Problem, Start

NODES = 20_000
"""Nodes after which a search ends without proof."""
_OPTIMAL, _INFEASIBLE = 0, 2
_SLACK = 1e-3
"""By how much a row may be broken once 0.999999 has become 1: 100 won. More is no solution, whatever the solver
says."""


class Found(NamedTuple):
    """What a solve has left: columns (None: none found), the least that is possible, whether that is proven."""

    x: NDArray[np.float64] | None
    bound: float
    proven: bool
    infeasible: bool


def best(problem: Problem, nodes: int = NODES) -> Plan:
    """Return the plan of the greatest value that is found."""
    made = model(problem)
    if not made.gains:
        return plan(problem, (), (), 0.0, proven=True)
    found = solve(made, [-gain for gain in made.gains], nodes)
    bound = max(0.0, -found.bound * UNIT)
    nothing = plan(problem, (), (), bound, proven=found.proven)
    if found.x is None:
        return nothing
    mine = settled(problem, made, found.x, bound, proven=found.proven)
    if made.quick is not None and mine.value() < 0:
        # Preferred so much that it would cost more than it gives. Then no plan with a quick win is worth anything:
        # it would have been better than this one.
        made.gains[made.quick] = 0.0
        return _again(problem, made, nodes)
    # What the solver calls 0 or 1 it knows to 1e-6 of the largest sums; "nothing" is exact.
    mine = mine if objective(problem, mine) > 0 else nothing
    return replace(mine, bound=mine.value()) if mine.proven else mine


def _again(problem: Problem, made: Model, nodes: int) -> Plan:
    """Return the best plan where quick wins are not preferred."""
    found = solve(made, [-gain for gain in made.gains], nodes)
    bound = max(0.0, -found.bound * UNIT)
    mine = plan(problem, (), (), bound, proven=found.proven)
    if found.x is not None:
        tried = settled(problem, made, found.x, bound, proven=found.proven)
        mine = tried if tried.value() > 0 else mine
    return replace(mine, bound=mine.value()) if mine.proven else mine


def solve(
    made: Model, cost: Sequence[float], nodes: int = NODES, floor: float | None = None, fixed: int | None = None
) -> Found:
    """Make a sum of columns small.

    Args:
        made: Columns and rows.
        cost: What is made small, by column.
        nodes: Where the search ends.
        floor: The model's own objective has to reach it (in its units), and be no loss without a quick win's worth.
        fixed: A measure that has to be in the plan.
    """
    rows = made.rows
    if floor is not None:
        worth = {j: -gain for j, gain in enumerate(made.gains) if gain}
        rows = [*rows, (worth, -floor), ({j: gain for j, gain in worth.items() if j != made.quick}, 0.0)]
    if fixed is not None:
        starts = made.of(fixed)
        if not starts:
            return Found(None, math.inf, proven=True, infeasible=True)
        rows = [*rows, (dict.fromkeys(starts, -1.0), -1.0)]
    matrix, most = _matrix(rows, len(made.gains))
    whole = np.asarray(made.whole)
    for presolve in (False, True):  # presolving takes longer than it saves at this size
        answer = milp(
            c=np.asarray(cost),
            integrality=whole.astype(int),
            bounds=Bounds(0, np.asarray(made.upper)),
            constraints=LinearConstraint(matrix, -np.inf, most),
            options={"mip_rel_gap": 0.0, "presolve": presolve, "node_limit": nodes},
        )
        x = answer.x
        if x is not None:
            x = np.where(whole, np.round(x), x)
            if np.any(matrix @ x > most + _SLACK):
                continue
        bound = answer.mip_dual_bound
        return Found(
            x,
            bound if bound is not None and math.isfinite(bound) else -_most(made),
            proven=answer.status in {_OPTIMAL, _INFEASIBLE},
            infeasible=answer.status == _INFEASIBLE,
        )
    return Found(None, -_most(made), proven=False, infeasible=False)


def _most(made: Model) -> float:
    """Return a bound of the objective that needs no search."""
    return sum(gain * upper for gain, upper in zip(made.gains, made.upper, strict=True) if gain > 0)


def _matrix(rows: Sequence[tuple[Terms, float]], columns: int) -> tuple[csr_array, NDArray[np.float64]]:
    ends = np.cumsum([0, *(len(terms) for terms, _ in rows)])
    indices = np.fromiter((j for terms, _ in rows for j in terms), dtype=np.int32, count=int(ends[-1]))
    data = np.fromiter((v for terms, _ in rows for v in terms.values()), dtype=float, count=int(ends[-1]))
    matrix = csr_array((data, indices, ends.astype(np.int32)), shape=(len(rows), columns))
    return matrix, np.asarray([most for _, most in rows])


def settled(problem: Problem, made: Model, x: NDArray[np.float64], bound: float, *, proven: bool) -> Plan:
    """Return the plan that columns mean, with support in whole won."""
    chosen = [start for start in made.starts if x[made.x[start]] > 0.5]
    paid = {start: float(x[made.s[start]]) * UNIT for start in chosen if start in made.s}
    return plan(problem, chosen, _whole(problem, chosen, paid), bound, proven=proven)


def _whole(problem: Problem, chosen: Sequence[Start], paid: Mapping[Start, float]) -> list[float]:
    """Return what each start gets, in whole won: the earliest first, where that comes to the same sum.

    Several splits of a cap may be worth the same; the solver's would depend on its inner ways. Where money is so
    tight that its split is the only one that works, it stays, and each part loses its fraction of a won.
    """
    left = {("cap", i): call.cap for i, call in enumerate(problem.calls)}
    left |= {("phase", i): won for i, won in enumerate(problem.support)}
    first: dict[Start, float] = {}
    for start in sorted(paid, key=lambda s: (s.phase, s.day, problem.names[s.measure])):
        keys = ("cap", start.programme or 0), ("phase", start.phase)
        first[start] = math.floor(min(problem.granted(start) + 1e-6, *(left[key] for key in keys)))
        for key in keys:
            left[key] -= first[start]
    same = problem.bridge is None and all(
        sum(first[s] for s in paid if s.phase <= p) >= sum(paid[s] for s in paid if s.phase <= p) - len(paid)
        for p in range(len(problem.support))
    )
    parts = first if same else {s: float(math.floor(won + 1e-3)) for s, won in paid.items()}
    return [parts.get(start, 0.0) for start in chosen]


def least(
    problem: Problem, key: Key, measure: int, floor: float, start: float, most: float, nodes: int = NODES
) -> float | None:
    """Return the least amount of one resource with which some plan holds a measure and reaches an objective.

    Args:
        problem: Without that amount.
        key: The resource.
        measure: That has to be in the plan.
        floor: Objective that the plan has to reach, won.
        start: Least amount that is asked for; of `most` none is larger. Both in won or days.
        most: See `start`.
        nodes: Where a search ends.

    Returns:
        None where no amount does, or none was found within the nodes.
    """
    made = model(problem)
    unit = 1.0 if key[0] == "staff_days" else UNIT
    if not made.loosens.get(key):
        return None
    more = made.column(0, most / unit)
    for row in made.loosens[key]:
        made.rows[row][0][more] = -1.0
    made.rows.append(({more: -1.0}, -start / unit))
    cost = [0.0] * len(made.gains)
    cost[more] = 1.0
    found = solve(made, cost, nodes, floor=floor / UNIT, fixed=measure)
    return None if found.x is None else float(found.x[more]) * unit
