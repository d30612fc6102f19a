"""Where others stand: quartiles of one metric among companies of one process, frozen for a quarter.

    1  only companies of the same process whose quarter was computed with the same formulas
    2  companies of one owner group are one, with the weighted mean of their values and the sum of their weights
    3  at least eleven, so that whoever looks sees ten others at least; none above 25 % of the weight
    4  each value is rounded to the metric's public step, and only then the quartiles are taken, always a value of
       somebody (the smallest with so much weight at or below it)
    5  once frozen, a quarter is never computed again

Step 4 is the protection. A published table is a function of rounded values and of nothing else, so whoever adds or
removes a company (or ten of his own), and knows all others, learns of its value no more than the step in which it
lies: two values within a step give the same tables, with and without it. Interpolated or unrounded quartiles are
somebody's value to the last digit. Everybody sees the same table: one without the reader for each reader would be
a removal for anybody to compare.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_OTHERS = 10
MOST_WEIGHT = Fraction(1, 4)
QUARTILES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
Reason = Literal["few", "heavy"]
Quarter = Literal["lowest", "second", "third", "highest"]


@dataclass(frozen=True, slots=True)
class Company:
    """What one company's quarter was: `value` over `machines` machines, with consent to be counted.

    `group` is its owner group; a company without one is its own.
    """

    id: str
    group: str | None
    process: str
    formulas: str
    value: float
    machines: int


class Kind(NamedTuple):
    """Of what a table is, and how fine: `step` belongs to the metric and is published with it."""

    quarter: str
    metric: str
    process: str
    formulas: str
    step: float


@dataclass(frozen=True, slots=True)
class Table:
    """A frozen table; `heaviest` is the largest share of weight."""

    kind: Kind
    companies: int
    heaviest: float
    q25: float
    q50: float
    q75: float


@dataclass(frozen=True, slots=True)
class Suppressed:
    """No table, and why: too few companies (no number is told), or one that is too heavy."""

    kind: Kind
    reason: Reason


def freeze(
    kind: Kind, companies: Iterable[Company], frozen: Table | Suppressed | None = None
) -> Table | Suppressed:
    """Return the table of a quarter: what was frozen already, whatever is known now, or a new one.

    Args:
        kind: Of what.
        companies: All of whom the quarter is known, in any order; others' processes and formulas are left out.
        frozen: What was said of this kind before; None the first time. "No table" is frozen as well, or the
            quarter's next company would show by its coming.

    Raises:
        ValueError: `frozen` is of another kind, the step is not above 0, or a company stands there twice.
    """
    if frozen is not None:
        if frozen.kind != kind:
            raise ValueError("what was frozen is of another kind")
        return frozen
    if not (kind.step > 0 and math.isfinite(kind.step)):
        raise ValueError("the step has to be above 0")
    groups = _groups(one for one in companies if (one.process, one.formulas) == (kind.process, kind.formulas))
    if len(groups) < LEAST_OTHERS + 1:
        return Suppressed(kind, "few")
    weight = sum(machines for _, machines in groups)
    heaviest = Fraction(max(machines for _, machines in groups), weight)
    if heaviest > MOST_WEIGHT:
        return Suppressed(kind, "heavy")
    steps = sorted((round(value / kind.step), machines) for value, machines in groups)
    q25, q50, q75 = (_quantile(steps, share * weight) * kind.step for share in QUARTILES)
    return Table(kind, len(groups), float(heaviest), *(round(q, 9) for q in (q25, q50, q75)))


def _groups(companies: Iterable[Company]) -> list[tuple[float, int]]:
    """Return value and weight of each owner group; companies without machines do not count."""
    found: dict[tuple[str, str], list[Company]] = defaultdict(list)
    seen: set[str] = set()
    for one in companies:
        if one.id in seen:
            raise ValueError(f"{one.id} stands there twice")
        seen.add(one.id)
        if one.machines > 0:
            found[("group", one.group) if one.group else ("company", one.id)].append(one)
    result = []
    for _, members in sorted(found.items()):
        weight = sum(one.machines for one in members)
        # In exact arithmetic: a group's mean must not depend on the order of its companies.
        mean = sum(Fraction(one.value) * one.machines for one in members) / weight
        result.append((float(mean), weight))
    return result


def _quantile(steps: list[tuple[int, int]], reach: Fraction) -> int:
    """Return the smallest step at or below which so much weight lies."""
    below = 0
    for step, weight in steps:
        below += weight
        if below >= reach:
            return step
    return steps[-1][0]


def quarter(table: Table, value: float) -> Quarter:
    """Return where a company's own value stands, rounded like the others'; on a limit it stands below it."""
    own = round(round(value / table.kind.step) * table.kind.step, 9)
    if own <= table.q25:
        return "lowest"
    if own <= table.q50:
        return "second"
    return "third" if own <= table.q75 else "highest"
