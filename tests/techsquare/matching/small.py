"""Small, crowded markets, in which suppliers stand in each other's way: made for comparing with other solvers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.columns import Columns
from techsquare.matching.constraints import CONTINUITY
from techsquare.matching.gains import Gain
from techsquare.matching.terms import Item, Rate, Solution, Supplier
from techsquare.matching.worth import Values
from techsquare.span import Span, exactly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Night:
    columns: Columns
    values: Values
    before: Mapping[str, int]


def item(at: int, **changed: object) -> Item:
    plain: dict[str, object] = {
        "id": f"i{at}", "factory": f"f{at}", "measure": "m", "family": "fam", "capabilities": {}, "process":
        "press", "interfaces": frozenset({"modbus"}), "region": "busan", "most_won": 10**9, "loss": Span(3e8, 4e8),
    }  # fmt: skip
    return Item(**{**plain, **changed})  # type: ignore[arg-type]


def solution(at: int, supplier: str, **changed: object) -> Solution:
    plain: dict[str, object] = {
        "id": f"x{at}", "supplier": supplier, "family": "fam", "version": "1", "capabilities": {},
        "processes": frozenset({"press"}), "interfaces": frozenset({"modbus"}), "regions": frozenset({"busan"}),
        "remote": False, "price": exactly(2e7), "yearly": exactly(1e6), "exit_cost": exactly(2e6),
        "continuity": CONTINUITY,
    }  # fmt: skip
    return Solution(**{**plain, **changed})  # type: ignore[arg-type]


def supplier(name: str, **changed: object) -> Supplier:
    plain: dict[str, object] = {
        "id": name, "active": True, "parties": frozenset({name}), "slots": 5, "verified": 4, "open": 0, "size":
        "small",
    }  # fmt: skip
    return Supplier(**{**plain, **changed})  # type: ignore[arg-type]


def night(seed: int, *, items: int, suppliers: int, twins: bool = False, poor: bool = False) -> Night:
    """Return a market of which each pair is a candidate with a chance of 0.6; merits differ by some per cent.

    twins: many of them are equal. poor: many of them are below zero, so that lists are short or missing.
    """
    rng = np.random.default_rng(seed)
    step = 4_000_000 if twins else 1
    names = [f"s{at}" for at in range(suppliers)]
    solutions: list[Solution] = []
    for name in names:
        for _ in range(1 + int(rng.random() < 0.2)):
            price = round(1.8e7 + 8e6 * rng.random())
            solutions.append(solution(len(solutions), name, price=exactly(price // step * step)))
    rows = [
        item(
            at,
            loss=Span(1.4e8 + 3e7 * rng.random(), 2e8) if poor else Span(2.5e8 + 1e8 * rng.integers(0, 3), 4.5e8),
            excluded=frozenset(np.array(names)[rng.random(suppliers) < 0.4].tolist()),
        )
        for at in range(items)
    ]
    columns = Columns(rows, solutions, [supplier(name) for name in names], seed=str(seed))
    rate = Rate(mean=0.7, low=0.5, high=0.85, n=9, alpha=14.0, beta=6.0)
    values = Values(
        columns.items, columns.solutions, [rate] * len(solutions), [Gain(0.25, 0.02, 3)] * len(solutions)
    )
    before = {name: int(rng.integers(0, 6)) for name in names if rng.random() < 0.7}
    return Night(columns, values, before)


def by_id(rows: Sequence[Item]) -> Mapping[str, Item]:
    return {row.id: row for row in rows}
