"""Which evidence would make the plant's level one number: the mentor's next task (readiness.md 7.5 a).

A set of open gates (a condition at a machine) settles the level when it is a single number whichever way each of
them comes out. That is decided level by level. After the set is known, machines pass, fail, depend on the set only
(weight r may pass, any part of it), or depend on other open gates (weight X may still pass): the level stays open
when some r leaves the passing weight below the quorum and X lifts it above.

Looked for is one condition, then two, then three; beyond that the set that is left after leaving out what is not
needed. Of the conditions found, machines without which it settles as well are left out.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING

from contract.report import Missing
from readiness.conditions import FAIL, OPEN, conditions, state

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from contract.report import Machine, Reason, Value
    from readiness.model import Gates

Cell = tuple[int, int]
"""Machine and condition, as indices."""
MOST = 3
LARGEST = 100_000
GRID = 1_000
"""Weights whose sum is larger than `LARGEST` in their common unit (112.53 has hundredths) are rounded to whole
numbers of 1 / (GRID machines) of it: a quorum that is reached exactly stays reached, and one that is missed by less
than 1 / (2 GRID) counts as reached."""


class Open:
    """The open gates of a plant.

    Args:
        gates: The model's levels.
        machines: As judged, one letter per condition each.
    """

    def __init__(self, gates: Gates, machines: Sequence[Machine]) -> None:
        self._weights, self._quorum = _whole([m.weight for m in machines], gates.quorum)
        self._letters = [m.gates for m in machines]
        self._ends = list(itertools.accumulate(len(step.all) for step in gates.levels))
        self.cells = [
            (m, c) for m, letters in enumerate(self._letters) for c, letter in enumerate(letters) if letter == OPEN
        ]

    def settled(self, known: Collection[Cell]) -> bool:
        """Return whether the level is one number once these gates are known, whatever they say."""
        return all(self._settled(end, known) for end in self._ends)

    def _settled(self, end: int, known: Collection[Cell]) -> bool:
        fixed, later, sums = 0, 0, 1  # sums: bit r is set when weight r can pass
        for m, letters in enumerate(self._letters):
            part = letters[:end]
            if FAIL in part:
                continue
            open_ = [c for c, letter in enumerate(part) if letter == OPEN]
            if not open_:
                fixed += self._weights[m]
            elif all((m, c) in known for c in open_):
                sums |= sums << self._weights[m]
            else:
                later += self._weights[m]
        if not later:
            return True
        # Undecided when fixed + r < quorum <= fixed + r + later for some r.
        first, end_ = max(self._quorum - fixed - later, 0), self._quorum - fixed
        return end_ <= first or not (sums >> first) & ((1 << (end_ - first)) - 1)


def _whole(weights: Sequence[float], quorum: float) -> tuple[list[int], int]:
    """Return weights, and what of them is enough, as whole numbers."""
    exact = [Fraction(str(weight)) for weight in weights]
    unit = math.lcm(*(weight.denominator for weight in exact))
    total = sum(exact)
    if total * unit <= LARGEST:
        return [int(weight * unit) for weight in exact], math.ceil(Fraction(str(quorum)) * total * unit)
    parts = GRID * len(exact)
    return [round(parts * weight / total) for weight in exact], math.floor(parts * quorum - len(exact) / 2)


def settle(gates: Gates, machines: Sequence[Machine]) -> list[Cell]:
    """Return a smallest set of open gates that settles the level; empty when nothing is open."""
    plant = Open(gates, machines)
    if plant.settled(()):
        return []
    columns = sorted({c for _, c in plant.cells})

    def of(chosen: Collection[int]) -> list[Cell]:
        return [cell for cell in plant.cells if cell[1] in chosen]

    chosen = next(
        (
            set(few)
            for size in range(1, MOST + 1)
            for few in itertools.combinations(columns, size)
            if plant.settled(set(of(few)))
        ),
        None,
    )
    if chosen is None:
        chosen = set(columns)
        for column in reversed(columns):
            if plant.settled(set(of(chosen - {column}))):
                chosen.discard(column)
    cells = of(chosen)
    for cell in sorted(cells, key=lambda each: machines[each[0]].weight):
        rest = [each for each in cells if each != cell]
        if plant.settled(set(rest)):
            cells = rest
    return cells


def pieces(gates: Gates, machines: Sequence[Machine], values: Mapping[str, Mapping[str, Value]]) -> list[Missing]:
    """Return what would settle the level, as evidence that is missing at machines (none named: at all)."""
    asked = conditions(gates.levels)
    found: dict[tuple[str, Reason], list[str]] = {}
    for m, c in settle(gates, machines):
        name = machines[m].id
        for why in state(asked[c], values[name], gates.tolerance)[1]:
            found.setdefault(why, []).append(name)
    return [
        Missing(metric, reason, [] if len(names) == len(machines) else names)
        for (metric, reason), names in found.items()
    ]
