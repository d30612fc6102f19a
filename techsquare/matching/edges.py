"""The few pairs of an item that may stand on its list: its best by merit, and those that cost little instead.

An item has at most three lines. Merit alone would fill them with q1 >= q2 >= q3 (whole won of the 10 % quantile,
one solution a supplier, none below zero). The first line is q1, always. In the second an offer may cost 2 % of q1
against the one that merit would put there, in the third 8 %, so that a list never costs more than 10 % of its best:

    high    q >= q2 - 0.02 q1    may stand in either line
    low     q >= q3 - 0.08 q1    in one of them only

Uneven, because what reaches far down brings in those whom merit never shows, and a list needs only one such line.

Where an item has fewer than three such offers, its list is shorter. Where the best is below zero there is no list:
"we advise not to buy now".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from techsquare.matching.columns import Columns
    from techsquare.matching.worth import Values

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

LINES = 3
SECOND, THIRD = 2, 8
"""What the second and third line may cost, in hundredths of the list's best."""
NONE = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Edges:
    """Pairs that may stand on a list, by item and then by merit; rows of `Columns`.

    `rank` counts from 0 for the best. `high` as above. `best` is the merit of each item's best, `NONE` without a
    candidate whose worth is known; below zero there is no list. `feasible` are the suppliers that have a candidate.
    """

    item: Ints
    supplier: Ints
    solution: Ints
    merit: Ints
    rank: Ints
    high: Bools
    best: Ints
    candidates: Ints  # suppliers with a candidate, of each item
    feasible: Bools
    pairs: int

    def of(self, item: int) -> slice:
        """Return where an item's rows stand."""
        start, stop = np.searchsorted(self.item, [item, item + 1])
        return slice(int(start), int(stop))


def floors(best: int, second: int, third: int) -> tuple[int, int]:
    """Return the least merit of a high and of a low pair of a list."""
    return max(second - best * SECOND // 100, 0), max(third - best * THIRD // 100, 0)


def edges(columns: Columns, values: Values, *, raised: Mapping[tuple[str, str], int] | None = None) -> Edges:
    """Return the pairs that may stand on lists, of all candidates.

    `raised` adds won to the merit of (item, solution): with it a night is solved again to check a stated gap.
    """
    rises = {
        (columns.item_at[item], columns.solution_at[solution]): won
        for (item, solution), won in (raised or {}).items()
    }
    parts = [_block(columns, values, *block, rises) for block in columns.candidates()]
    best = np.full(len(columns.items), NONE, np.int64)
    counts = np.zeros(len(columns.items), np.int64)
    feasible = np.zeros(len(columns.suppliers), np.bool_)
    pairs = 0
    for part in parts:
        best = np.maximum(best, part.best)
        counts += part.candidates
        feasible |= part.feasible
        pairs += part.pairs
    empty = np.zeros(0, np.int64)
    return Edges(
        np.concatenate([*(part.item for part in parts), empty]),
        np.concatenate([*(part.supplier for part in parts), empty]),
        np.concatenate([*(part.solution for part in parts), empty]),
        np.concatenate([*(part.merit for part in parts), empty]),
        np.concatenate([*(part.rank for part in parts), empty]),
        np.concatenate([*(part.high for part in parts), np.zeros(0, np.bool_)]),
        best,
        counts,
        feasible,
        pairs,
    )


def _block(
    columns: Columns, values: Values, items: Ints, solutions: Ints, rises: Mapping[tuple[int, int], int]
) -> Edges:
    known = values.known[solutions]
    suppliers = columns.supplier_of[solutions]
    feasible = np.zeros(len(columns.suppliers), np.bool_)
    feasible[suppliers] = True
    pairs = len(items)
    items, solutions, suppliers = items[known], solutions[known], suppliers[known]
    merit = values.merit(items, solutions)
    for (item, solution), won in rises.items():
        merit[(items == item) & (solutions == solution)] += won
    order = _one_a_supplier(columns, items, solutions, suppliers, merit)
    if order is not None:
        items, solutions, suppliers, merit = items[order], solutions[order], suppliers[order], merit[order]
    best = np.full(len(columns.items), NONE, np.int64)
    counts = np.bincount(items, minlength=len(columns.items)).astype(np.int64)
    order = _by_merit(columns, items, merit, items, [one.id for one in columns.suppliers], suppliers)
    items, solutions, suppliers, merit = items[order], solutions[order], suppliers[order], merit[order]
    fresh = _changes(items)
    best[items[fresh]] = merit[fresh]
    fine = merit >= 0
    items, solutions, suppliers, merit = items[fine], solutions[fine], suppliers[fine], merit[fine]
    start = np.searchsorted(items, items, "left")
    rank = np.arange(len(items), dtype=np.int64) - start
    length = np.searchsorted(items, items, "right") - start
    first = merit[start] if len(items) else merit
    second = merit[np.minimum(start + 1, start + length - 1)] if len(items) else merit
    third = merit[np.minimum(start + 2, start + length - 1)] if len(items) else merit
    high = (rank > 0) & (merit >= second - first * SECOND // 100)
    keep = (rank < LINES) | (merit >= third - first * THIRD // 100)
    return Edges(
        items[keep], suppliers[keep], solutions[keep], merit[keep], rank[keep], high[keep],
        best, counts, feasible, pairs,
    )  # fmt: skip


def _one_a_supplier(columns: Columns, items: Ints, solutions: Ints, suppliers: Ints, merit: Ints) -> Ints | None:
    """Return the rows of each supplier's best solution for each item; None where none has two."""
    group = items * len(columns.suppliers) + suppliers
    if _changes(np.sort(group)).all():
        return None
    order = _by_merit(columns, group, merit, items, [one.id for one in columns.solutions], solutions)
    return order[_changes(group[order])]


def _changes(sorted_: Ints) -> Bools:
    """Return where a sorted array takes a new value."""
    found = np.ones(len(sorted_), np.bool_)
    found[1:] = sorted_[1:] != sorted_[:-1]
    return found


def _by_merit(columns: Columns, group: Ints, merit: Ints, items: Ints, names: Sequence[str], rows: Ints) -> Ints:
    """Return the order by group and falling merit; equal ones by the hash of seed, factory and name."""
    if not len(merit):
        return np.zeros(0, np.int64)
    top, steps = int(merit.max()), int(merit.max()) - int(merit.min()) + 1
    # One key is sorted several times as fast as two, where it fits.
    fits = (int(group.max()) + 1) * steps < 2**62
    order = np.argsort(group * steps + (top - merit)) if fits else np.lexsort((-merit, group))
    same = np.zeros(len(order), np.bool_)
    equal = (group[order][1:] == group[order][:-1]) & (merit[order][1:] == merit[order][:-1])
    same[1:] |= equal
    same[:-1] |= equal
    if not same.any():
        return order
    tie = np.zeros(len(order), np.int64)
    for at in order[same]:
        tie[at] = digest(columns.seed, columns.items[items[at]].factory, names[rows[at]])
    return np.lexsort((tie, -merit, group))
