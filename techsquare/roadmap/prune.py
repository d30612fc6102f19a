"""Starts that no best plan can hold.

A start is worth at most what its measure would save alone, each place at its credited most, and what its programme
grants, less what it costs. To that comes what the measures that need it could be worth, if they begin late enough.
Where that is nothing, any plan that holds it is worth no less without it and without those. This looks at no
means, so what is left out is left out however much there is of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.roadmap.problem import HORIZON, YEAR
from techsquare.roadmap.terms import QUICK_WORTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.roadmap.problem import Problem, Start


def worthwhile(problem: Problem) -> Sequence[Start]:
    """Return the starts that may be in a best plan, in the problem's order.

    Of two that differ only in that one has a programme, begun on the same day, the other is left out: a programme
    that pays nothing hurts nobody.
    """
    allowed = set(problem.open())
    users: dict[int, list[tuple[int, bool]]] = {m: [] for m in allowed}
    for m in allowed:
        for need in problem.needs[m]:
            if need.measure in users:
                users[need.measure].append((m, need.together))
    starts: dict[int, list[Start]] = {m: [] for m in allowed}
    for start in problem.starts:
        if start.measure in allowed:
            starts[start.measure].append(start)
    best: dict[tuple[int, int], float] = {}

    def most(measure: int, phase: int) -> float:
        """Return what a measure and those that need it are worth at most, begun in a phase or later; at least 0."""
        if (measure, phase) not in best:
            own = [_alone(problem, s) + enables(s) for s in starts[measure] if s.phase >= phase]
            best[measure, phase] = max([0.0, *own])
        return best[measure, phase]

    def enables(start: Start) -> float:
        return sum(most(m, start.phase + (not together)) for m, together in users[start.measure])

    funded = {(s.measure, s.day) for s in problem.starts if s.programme is not None}
    return [
        start
        for start in problem.starts
        if start.measure in allowed
        and not (start.programme is None and (start.measure, start.day) in funded)
        and _alone(problem, start) + enables(start) > 0
    ]


def _alone(problem: Problem, start: Start) -> float:
    years = (HORIZON - problem.used(start)) / YEAR
    gain = sum(min(gain.won, problem.credit[gain.place]) for gain in problem.gains[start.measure]) * years
    quick = QUICK_WORTH if start.phase == 0 and problem.quick(start.measure) else 0
    return gain + quick + problem.granted(start) - problem.burden(start.measure) - problem.runs(start, HORIZON)
