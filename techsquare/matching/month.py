"""Why each supplier was not shown in a month, counted over all open items at once and told as `summary` does.

Pairs are an item and a solution for its family. Of a factory the pair that failed the fewest constraints counts,
and of as many the one whose reason is named later: a number below 140 holds both, so that the least of an array
is it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.constraints import CONSTRAINTS
from techsquare.matching.summary import ORDER, protected, reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from techsquare.matching.columns import Columns
    from techsquare.matching.summary import Reason, Summary

_NOTHING = 255


def _keys() -> np.ndarray:
    """Return failed constraints as bits -> how many, and the place of their reason in `ORDER`."""
    found = np.zeros(1 << len(CONSTRAINTS), np.uint8)
    for bits in range(len(found)):
        failed = [name for at, name in enumerate(CONSTRAINTS) if bits >> at & 1]
        found[bits] = len(failed) * len(ORDER) + ORDER.index(reason(failed))
    return found


def month(columns: Columns, shown: Mapping[str, Collection[str]]) -> dict[str, Summary]:
    """Return supplier -> what it is told of a month.

    Args:
        columns: The market at the end of the month, with all items that are open.
        shown: Supplier -> factories that it was shown to in the month; they do not count.
    """
    keys = _keys()
    names = sorted({item.factory for item in columns.items})
    place = {name: at for at, name in enumerate(names)}
    factory = np.array([place[item.factory] for item in columns.items], np.int64)
    of_family: dict[str, list[int]] = defaultdict(list)
    for at, item in enumerate(columns.items):
        of_family[item.family].append(at)
    rows = {family: np.array(items, np.int64) for family, items in of_family.items()}
    of_supplier: dict[int, list[int]] = defaultdict(list)
    for at, supplier in enumerate(columns.supplier_of.tolist()):
        of_supplier[supplier].append(at)
    found = {}
    for at, solutions in sorted(of_supplier.items()):
        fewest = np.full(len(names), _NOTHING, np.uint8)
        for solution in solutions:
            items = rows.get(columns.solutions[solution].family)
            if items is not None:
                failed = columns.failed(items, np.full(len(items), solution))
                np.minimum.at(fewest, factory[items], keys[failed])
        name = columns.suppliers[at].id
        fewest[[place[one] for one in shown.get(name, ()) if one in place]] = _NOTHING
        told = np.bincount(fewest[fewest != _NOTHING] % len(ORDER), minlength=len(ORDER)).tolist()
        counts: Counter[Reason] = Counter({one: count for one, count in zip(ORDER, told, strict=True) if count})
        found[name] = protected(counts)
    return found
