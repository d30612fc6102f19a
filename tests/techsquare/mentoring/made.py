"""Made-up mentors and factories, and the assignment by trying everything."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from techsquare.mentoring.assignment import barriers, points
from techsquare.mentoring.terms import Mentor, Seeker

if TYPE_CHECKING:
    from collections.abc import Sequence

REGIONS = ("busan", "daegu", "gwangju")
SKILLS = ("press", "injection", "energy", "mes", "quality")


def _some(rng: np.random.Generator, names: Sequence[str], chance: float) -> frozenset[str]:
    return frozenset(name for name in names if rng.random() < chance)


def made(seed: int, factories: int, mentors: int, most: int = 3) -> tuple[list[Seeker], list[Mentor]]:
    """Return factories and mentors; few enough can be tried out."""
    rng = np.random.default_rng(seed)
    parties = [f"p{at}" for at in range(4)]
    helpers = [
        Mentor(
            id=f"m{at}",
            active=bool(rng.random() < 0.9),
            capacity=int(rng.integers(0, most + 1)),
            taken=int(rng.integers(0, 2)),
            regions=_some(rng, REGIONS, 0.7),
            skills=_some(rng, SKILLS, 0.5),
            related=_some(rng, parties, 0.15),
        )
        for at in range(mentors)
    ]
    lookers = [
        Seeker(
            factory=f"f{at}",
            region=str(rng.choice(REGIONS)),
            skills=_some(rng, SKILLS, 0.5),
            waited_days=int(rng.integers(0, 500)),
            related=_some(rng, parties, 0.15),
            refused=_some(rng, [one.id for one in helpers], 0.1),
        )
        for at in range(factories)
    ]
    return lookers, helpers


def best(
    seekers: Sequence[Seeker], mentors: Sequence[Mentor], held: tuple[str, str] | None = None
) -> tuple[int, int]:
    """Return how many factories can have a mentor, and the fewest points for that; by trying everything."""
    choices = [
        [None, *(two for two in mentors if not barriers(one, two))]
        if held is None or one.factory != held[0]
        else [two for two in mentors if two.id == held[1] and not barriers(one, two)]
        for one in seekers
    ]
    found: tuple[int, int] | None = None
    for chosen in itertools.product(*choices):
        used: dict[str, int] = {}
        count = cost = 0
        for one, two in zip(seekers, chosen, strict=True):
            if two is None:
                continue
            used[two.id] = used.get(two.id, 0) + 1
            if two.taken + used[two.id] > two.capacity:
                break
            count, cost = count + 1, cost + points(one, two, used[two.id]).total
        else:
            if found is None or (-count, cost) < (-found[0], found[1]):
                found = (count, cost)
    return found or (0, 0)
