"""What a plan is worth, computed from what it says and not from how it was found.

A place gives at each moment the smaller of 0.7 of its loss and the sum of what the measures in use there take away.
So its gain is a sum over the stretches between the days on which another measure comes into use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from techsquare.roadmap.problem import HORIZON, YEAR
from techsquare.roadmap.terms import QUICK_WORTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.roadmap.problem import Problem, Start


@dataclass(frozen=True, slots=True)
class Plan:
    """Starts, in order of measure; won that each gets of its programme; what it comes to over three years, won.

    `objective` is `value` and the worth of a quick win; `bound` is what no plan can exceed.
    """

    starts: tuple[Start, ...]
    support: tuple[float, ...]
    gain: float
    cost: float
    running: float
    bound: float
    proven: bool

    def value(self) -> float:
        """Return credited gain minus what the factory pays itself."""
        return self.gain + sum(self.support) - self.cost - self.running

    def has(self, measure: int) -> bool:
        """Return whether a measure is in it."""
        return any(start.measure == measure for start in self.starts)


def objective(problem: Problem, plan: Plan) -> float:
    """Return what is maximised: the value, and a quick win's worth where the first phase holds one.

    No plan that is a loss is ever preferred for its quick win.
    """
    quick = plan.value() >= 0 and any(s.phase == 0 and problem.quick(s.measure) for s in plan.starts)
    return plan.value() + (QUICK_WORTH if quick else 0)


def in_use(problem: Problem, starts: Sequence[Start]) -> Mapping[int, int]:
    """Return the day from which each measure of a plan is in use.

    One begins its own months when it is begun, or when the last of what it needs is in use. What is needed and is
    in no plan stands in nobody's way here: whether that is allowed is not asked.
    """
    begun = {start.measure: start for start in starts}
    found: dict[int, int] = {}

    def day(measure: int) -> int:
        if measure not in found:
            late = [day(need.measure) for need in problem.needs[measure] if need.measure in begun]
            found[measure] = max([begun[measure].day, *late]) + problem.settle[measure]
        return found[measure]

    return {measure: day(measure) for measure in begun}


def credited(problem: Problem, starts: Sequence[Start]) -> Sequence[float]:
    """Return won over the three years, by place."""
    used = in_use(problem, starts)
    found = [0.0] * len(problem.places)
    by_place: dict[int, list[tuple[int, float]]] = {}
    for measure, day in used.items():
        for gain in problem.gains[measure]:
            if day < HORIZON:
                by_place.setdefault(gain.place, []).append((day, gain.won))
    for place, coming in by_place.items():
        coming.sort()
        rate, since, won = 0.0, 0, 0.0
        for day, more in [*coming, (HORIZON, 0.0)]:
            won += min(rate, problem.credit[place]) * (day - since) / YEAR
            rate, since = rate + more, day
        found[place] = won
    return found


def plan(
    problem: Problem, starts: Sequence[Start], support: Sequence[float], bound: float, *, proven: bool
) -> Plan:
    """Return a plan with its sums."""
    return Plan(
        starts=tuple(starts),
        support=tuple(support),
        gain=sum(credited(problem, starts)),
        cost=sum(problem.burden(start.measure) for start in starts),
        running=sum(problem.runs(start, HORIZON) for start in starts),
        bound=bound,
        proven=proven,
    )
