"""Runs of the whole chain over levels of faults and seeds, and what they say row by row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.validity.chain import World, world
from tests.validity.rows import ROWS, Result, Row, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def results(plant: World) -> list[Result]:
    """Return what one plant gives, row by row."""
    view, truth = plant.view(), {part.machine: part.truth for part in plant.parts}
    return [measure(view, row, truth[row.machine][row.id]) for row in ROWS]


MISSED = 0.13


@dataclass
class Matrix:
    """What runs gave: row -> level -> results."""

    levels: Sequence[float]
    cells: dict[Row, dict[float, list[Result]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    samples: int = 0

    def run(self, level: float, seed: int, **about: int) -> list[Result]:
        """Run the chain once more."""
        plant = world(level, seed, **about)
        self.samples += plant.samples
        found = results(plant)
        for each in found:
            self.cells[each.row][level].append(each)
        return found

    def errors(self, row: Row) -> list[float]:
        """Return the largest error at each level."""
        return [max((r.error for r in self.cells[row][level]), default=float("nan")) for level in self.levels]

    def failed(self) -> Iterator[tuple[Row, float, Result]]:
        """Yield what was not near enough; 90 % intervals may miss the process's truth in 13 % of the runs."""
        for row, levels in self.cells.items():
            missed, runs = self.misses(row)
            if row.process and missed <= MISSED * runs:
                continue
            for level, found in levels.items():
                yield from ((row, level, one) for one in found if not one.passes)

    def misses(self, row: Row) -> tuple[int, int]:
        """Return how many runs of a row were not near enough, of how many."""
        found = [one for level in self.cells[row].values() for one in level]
        return sum(not one.passes for one in found), len(found)


def table(matrix: Matrix) -> str:
    """Return the table of validity as text: the largest error of each level."""
    head = (
        f"{'':5}{'machine':10}" + "".join(f"{level:>8.0%}" for level in matrix.levels) + "  allowed  misses  fault"
    )
    lines = [head]
    for row in ROWS:
        allowed = "interval" if row.process else "exact" if row.exact else f"{row.relative or 0.01:.2f}"
        allowed += " rel" if row.relative else " or int" if row.few else ""
        missed, runs = matrix.misses(row)
        errors = "".join(f"{error:8.4f}" for error in matrix.errors(row))
        lines.append(f"{row.id:5}{row.machine:10}{errors}  {allowed:9}{missed:>3}/{runs:<4} {row.fault}")
    return "\n".join(lines)
