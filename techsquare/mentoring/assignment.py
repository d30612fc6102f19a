"""Mentors to factories: the best assignment there is, by published weights, and what stands in the way.

A pair is possible where no barrier stands (`terms.Barrier`, all of them evaluated). Of possible pairs a min-cost
flow takes as many as can be, and of those the fewest points:

    20   for each needed skill that the mentor does not have
    0-100 for the mentor's load after it, in percent of his capacity: work is spread
    -1   for each day that the factory has waited, up to a year: where not all can have one

Whoever has a mentor and wants to keep him is not in it: nobody is moved to make room. Ties go by sha256 of seed,
factory and mentor, which everybody can compute again. The same input in another order gives the same bytes.

The points of a pair that was not taken are found by solving again with that pair held: exact, and what is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from ortools.graph.python import min_cost_flow

from techsquare.mentoring.terms import Assigned, Barrier, Given, Points
from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.mentoring.terms import Mentor, Seeker

SKILL, LOAD, WAITED, MOST_WAITED = 20, 100, 1, 365
BARRIERS: tuple[Barrier, ...] = ("inactive", "refused", "conflict", "region", "full")
MOST = 20_000
"""Factories at once; beyond it costs times nodes would not fit into the solver's integers."""
_TIE = 1 << 16


def barriers(seeker: Seeker, mentor: Mentor) -> frozenset[Barrier]:
    """Return all that stands between a factory and a mentor."""
    found: dict[Barrier, bool] = {
        "inactive": not mentor.active,
        "refused": mentor.id in seeker.refused,
        "conflict": bool((mentor.related | {mentor.id}) & (seeker.related | {seeker.factory})),
        "region": seeker.region not in mentor.regions,
        "full": mentor.taken >= mentor.capacity,
    }
    return frozenset(name for name, stands in found.items() if stands)


def points(seeker: Seeker, mentor: Mentor, place: int) -> Points:
    """Return what a pair costs, the mentor's `place`-th new factory (from 1)."""
    return Points(
        skills=SKILL * len(seeker.skills - mentor.skills),
        load=_load(mentor, place),
        waited=-WAITED * min(MOST_WAITED, max(0, seeker.waited_days)),
    )


def assign(seekers: Sequence[Seeker], mentors: Sequence[Mentor], *, seed: str) -> Assigned:
    """Return the best assignment.

    Args:
        seekers: Factories without a mentor, in any order.
        mentors: All mentors, in any order.
        seed: Published before.

    Raises:
        ValueError: a factory or a mentor twice, or more factories than `MOST`.
    """
    _check(seekers, mentors)
    # By the hash, so that neither ids nor rows decide between solutions of equal cost.
    lookers = sorted(seekers, key=lambda one: (digest(seed, one.factory), one.factory))
    helpers = sorted(mentors, key=lambda one: (digest(seed, one.id), one.id))
    stands = {(one.factory, two.id): barriers(one, two) for one in lookers for two in helpers}
    open_ = [
        (at, to)
        for at, one in enumerate(lookers)
        for to, two in enumerate(helpers)
        if not stands[one.factory, two.id]
    ]
    taken = _flow(lookers, helpers, open_, seed)
    given = [
        _given(one, helpers[taken[at]] if at in taken else None, stands, helpers) for at, one in enumerate(lookers)
    ]
    return Assigned(
        given=sorted(given, key=lambda one: one.factory), points=_total(lookers, helpers, taken), seed=seed
    )


def forced(
    seekers: Sequence[Seeker], mentors: Sequence[Mentor], *, seed: str, factory: str, mentor: str
) -> int | None:
    """Return how many points more the best assignment with this pair costs; 0 where it is as good.

    None where the pair has a barrier, or where some other factory would be left without a mentor.

    Raises:
        KeyError: no such factory or mentor.
    """
    _check(seekers, mentors)
    seeker = {one.factory: one for one in seekers}[factory]
    wanted = {one.id: one for one in mentors}[mentor]
    if barriers(seeker, wanted):
        return None
    free = assign(seekers, mentors, seed=seed)
    others = [one for one in seekers if one.factory != factory]
    rest = [replace(one, taken=one.taken + (one.id == mentor)) for one in mentors]
    held = assign(others, rest, seed=seed)
    if _placed(held) + 1 < _placed(free):
        return None
    return held.points + points(seeker, wanted, 1).total - free.points


def _check(seekers: Sequence[Seeker], mentors: Sequence[Mentor]) -> None:
    if len({one.factory for one in seekers}) < len(seekers) or len({one.id for one in mentors}) < len(mentors):
        raise ValueError("a factory, or a mentor, is there twice")
    if len(seekers) > MOST:
        raise ValueError(f"{len(seekers)} factories look for a mentor, and at most {MOST} can be assigned at once")


def _load(mentor: Mentor, place: int) -> int:
    return LOAD * (mentor.taken + place) // mentor.capacity


def _placed(found: Assigned) -> int:
    return sum(one.mentor is not None for one in found.given)


def _given(
    seeker: Seeker,
    mentor: Mentor | None,
    stands: Mapping[tuple[str, str], frozenset[Barrier]],
    helpers: Sequence[Mentor],
) -> Given:
    in_the_way = {two.id: stands[seeker.factory, two.id] for two in helpers if stands[seeker.factory, two.id]}
    return Given(
        factory=seeker.factory,
        mentor=None if mentor is None else mentor.id,
        lacking=frozenset() if mentor is None else seeker.skills - mentor.skills,
        barriers=dict(sorted(in_the_way.items())),
    )


def _total(lookers: Sequence[Seeker], helpers: Sequence[Mentor], taken: Mapping[int, int]) -> int:
    placed: dict[int, int] = {}
    total = 0
    for at, to in taken.items():
        placed[to] = placed.get(to, 0) + 1
        total += points(lookers[at], helpers[to], placed[to]).total
    return total


def _flow(
    lookers: Sequence[Seeker],
    helpers: Sequence[Mentor],
    open_: Sequence[tuple[int, int]],
    seed: str,
) -> dict[int, int]:
    """Return factory -> mentor (as indices): as many as can be, then the fewest points, then the smallest ties.

    A mentor's places are one arc each, dearer from one to the next, so the flow fills them in order.
    """
    if not open_:
        return {}
    many = len(lookers)
    source, sink = many + len(helpers), many + len(helpers) + 1
    unit = _TIE * many  # one point is more than all ties together
    arcs: list[tuple[int, int, int, int]] = []
    for at, to in open_:
        one, two = lookers[at], helpers[to]
        cost = points(one, two, 1)
        tie = digest(seed, one.factory, two.id) % _TIE
        arcs.append((at, many + to, 1, (cost.skills + cost.waited) * unit + tie))
    arcs += [(source, at, 1, 0) for at in range(many)]
    for to, two in enumerate(helpers):
        room = min(max(0, two.capacity - two.taken), many)
        arcs += [(many + to, sink, 1, _load(two, place) * unit) for place in range(1, room + 1)]
    table = np.array(arcs, np.int64)
    solver = min_cost_flow.SimpleMinCostFlow()
    ids = solver.add_arcs_with_capacity_and_unit_cost(
        table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2].copy(), table[:, 3].copy()
    )
    solver.set_node_supply(source, many)
    solver.set_node_supply(sink, -many)
    status = solver.solve_max_flow_with_min_cost()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"min-cost flow of the mentors: {status.name}")
    flows = np.asarray(solver.flows(ids))[: len(open_)]
    return {open_[int(at)][0]: open_[int(at)][1] for at in np.flatnonzero(flows)}
