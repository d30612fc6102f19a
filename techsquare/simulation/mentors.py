"""Mentors of the simulated programme, given to factories as `mentoring.assignment` gives them.

Province by province and at most `BATCH` factories at a time, those that have waited longest first: the engine looks
at each pair, and a programme of 100,000 factories has more pairs than a memory.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from techsquare.mentoring import terms
from techsquare.mentoring.assignment import assign
from techsquare.simulation.market import PROCESSES, PROVINCES
from techsquare.simulation.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from techsquare.simulation.terms import Plant, Setting

FACTORIES_EACH = 25
CAPACITY = 10
BATCH = 400
NEAR = 0.35
"""Chance of each other province to be gone to."""


@dataclass(slots=True)
class Mentor:
    """A mentor. `parties`: firms that he has an interest in, suppliers and owner groups alike."""

    id: str
    capacity: int
    parties: frozenset[str]
    regions: frozenset[str]
    skills: frozenset[str]
    looks_after: set[int] = field(default_factory=set)
    most: int = 0

    def take(self, plant: int) -> None:
        """Look after a factory from now on."""
        self.looks_after.add(plant)
        self.most = max(self.most, len(self.looks_after))


def mentors(setting: Setting, suppliers: int) -> list[Mentor]:
    """Return the mentors of a programme: one for each 25 factories, four at least; some mentor goes everywhere."""
    found = []
    names = list(PROVINCES)
    for number in range(max(4, round(setting.factories / FACTORIES_EACH))):
        rng = generator(setting.seed, "mentor", number)
        near = {f"g{int(rng.integers(97)):02d}"} if rng.random() < 0.3 else set[str]()
        if rng.random() < 0.2:
            near.add(f"s{int(rng.integers(suppliers)):05d}")
        capacity = int(rng.integers(CAPACITY - 3, CAPACITY + 4))
        home = str(rng.choice(names, p=[share / sum(PROVINCES.values()) for share in PROVINCES.values()]))
        goes = {name for name in names if number % 10 == 0 or name == home or rng.random() < NEAR}
        skills = rng.choice(PROCESSES, size=int(rng.integers(2, 5)), replace=False)
        found.append(
            Mentor(
                f"t{number:04d}",
                capacity,
                frozenset(near),
                frozenset(goes),
                frozenset(str(skill) for skill in skills),
            )
        )
    return found


def assigned(
    all_: Sequence[Mentor], waiting: Sequence[tuple[Plant, int]], seed: str
) -> tuple[Mapping[int, Mentor], int]:
    """Give mentors to factories that wait (with how many days), as far as there are any.

    Returns:
        Factory -> mentor, and from how many factories a conflict of interest kept a mentor with room.
    """
    by_id = {one.id: one for one in all_}
    places: defaultdict[str, list[tuple[Plant, int]]] = defaultdict(list)
    for plant, days in sorted(waiting, key=lambda one: (-one[1], one[0].number)):
        places[plant.province].append((plant, days))
    found: dict[int, Mentor] = {}
    conflicts = 0
    for province in sorted(places):
        for at in range(0, len(places[province]), BATCH):
            part = places[province][at : at + BATCH]
            helpers = list(_free(all_, province))
            if not helpers:
                break
            given = assign([_seeker(*one) for one in part], helpers, seed=seed).given
            numbers = {plant.id: plant.number for plant, _ in part}
            for one in given:
                conflicts += any("conflict" in barriers for barriers in one.barriers.values())
                if one.mentor is not None:
                    found[numbers[one.factory]] = by_id[one.mentor]
                    by_id[one.mentor].take(numbers[one.factory])
    return found, conflicts


def _free(all_: Iterable[Mentor], province: str) -> Iterable[terms.Mentor]:
    for one in all_:
        if len(one.looks_after) < one.capacity and province in one.regions:
            yield terms.Mentor(
                id=one.id,
                active=True,
                capacity=one.capacity,
                taken=len(one.looks_after),
                regions=one.regions,
                skills=one.skills,
                related=one.parties,
            )


def _seeker(plant: Plant, days: int) -> terms.Seeker:
    return terms.Seeker(
        factory=plant.id,
        region=plant.province,
        skills=frozenset({plant.industry}),
        waited_days=days,
        related=frozenset({plant.group} if plant.group else ()),
    )
