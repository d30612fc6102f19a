"""Whether what is told about measures that are not in the plan is true: solved step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.problem import problem
from techsquare.roadmap.search import best
from techsquare.roadmap.terms import ORDER, PHASES, STEPS, Relaxation
from tests.techsquare.roadmap.held import relaxed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from techsquare.roadmap.terms import NotNow, Resource
    from tests.techsquare.roadmap.made import Case


class Told(NamedTuple):
    """How many measures were not chosen, how many got a change, how many smaller changes were tried in vain."""

    not_chosen: int
    changes: dict[Resource, int]
    tried: int


def stands(case: Case, measure: str, change: Relaxation) -> bool:
    """Return whether a measure is in the plan once exactly one thing is changed."""
    numbers = problem(*relaxed(case, measure, change), {})
    return best(numbers).has(numbers.names.index(measure))


def smaller(case: Case, found: NotNow, most: int) -> Iterator[Relaxation]:
    """Yield every smaller change of the told kind, from the largest on, at most so many a phase or programme."""
    change = found.relaxation
    assert change is not None
    kind = change.resource
    if kind in {"excluded", "needs", "measures"}:
        return
    steps = round(change.amount / STEPS[kind])
    for phase in range(PHASES) if change.phase is not None else (None,):
        for subject in [p.id for p in case.programmes] if kind == "cap" else (None,):
            for step in range(steps - 1, max(0, steps - 1 - most), -1):
                yield Relaxation(kind, phase, step * STEPS[kind], subject)


def words(case: Case, found: NotNow) -> Iterator[Relaxation]:
    """Yield the changes without an amount that come before the told one."""
    told = found.relaxation.resource if found.relaxation else None
    earlier = ORDER[: ORDER.index(told)] if told else ORDER
    measure = next(m for m in case.measures if m.id == found.measure)
    if "excluded" in earlier:
        if measure.id in case.means.excluded:
            yield Relaxation("excluded", None, 1)
        for other in case.measures:
            if other.id in measure.excludes or measure.id in other.excludes or other.id in measure.needs:
                yield Relaxation("excluded", None, 1, other.id)
    if "needs" in earlier:
        for need in sorted(measure.needs - case.means.standing):
            yield Relaxation("needs", None, 1, need)


def check(case: Case, most: int = 12) -> Told:
    """Return what was counted.

    Raises:
        AssertionError: a change does not bring its measure in, or a smaller one does.
    """
    found = roadmap(*case)
    changes: dict[Resource, int] = {}
    tried = 0
    for missing in found.not_now:
        if change := missing.relaxation:
            changes[change.resource] = changes.get(change.resource, 0) + 1
            if change.resource != "measures":
                assert stands(case, missing.measure, change), (missing.measure, change)
            for less in smaller(case, missing, most):
                assert not stands(case, missing.measure, less), (missing.measure, change, less)
                tried += 1
        for other in words(case, missing):
            assert not stands(case, missing.measure, other), (missing.measure, change, other)
            tried += 1
    return Told(len(found.not_now), changes, tried)
