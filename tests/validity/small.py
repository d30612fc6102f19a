"""Two weeks of the simulated plant, made once for all tests that look at them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.validity.chain import World, world
from tests.validity.rows import ROWS, Result, Row, measure

if TYPE_CHECKING:
    from readiness.view import View

DAYS = 14
CALM, ROUGH = (0.02, 5), (0.2, 1)
"""Level and seed of the plants that most tests look at."""


@dataclass(frozen=True)
class Told:
    """A plant, its days of evidence, and what is measured on them."""

    world: World
    days: dict[str, bytes]
    view: View

    @property
    def truth(self) -> dict[tuple[str, str], float]:
        """Return (indicator, machine) -> what really happened."""
        return {(name, part.machine): value for part in self.world.parts for name, value in part.truth.items()}

    def result(self, row: Row) -> Result:
        """Return what one row gives."""
        return measure(self.view, row, self.truth[row.id, row.machine])


@functools.cache
def told(level: float, seed: int) -> Told:
    """Return one plant; the same object for each call."""
    plant = world(level, seed, days=DAYS)
    days = plant.days()
    return Told(plant, days, plant.view(days))


def only(plant: World, *machines: str) -> World:
    """Return a plant of some of its machines."""
    return World(plant.site, [part for part in plant.parts if part.machine in machines])


def row(name: str, machine: str | None = None) -> Row:
    """Return the first row of an indicator (at a machine)."""
    return next(r for r in ROWS if r.id == name and machine in {None, r.machine})
