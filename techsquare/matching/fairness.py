"""How showings are spread over suppliers, and what fairness has cost: the monthly exposure report.

Gini and the share of the top 15 % are over the suppliers that could have been shown, the unseen ones included; that
15 % of the suppliers did two thirds of the work is what the Korean programme is known for. The price of fairness is
the merit that lists lack against what merit alone would have shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from techsquare.matching.terms import Supplier

TOP = 0.15


@dataclass(frozen=True, slots=True)
class SizeClass:
    """A size of suppliers: its shares of those that could be shown, and of the showings."""

    suppliers: int
    of_suppliers: float
    of_showings: float
    never: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """The report. Shares are None where there is nothing to divide by."""

    suppliers: int
    showings: int
    gini: float | None
    top_share: float | None
    never: float | None
    price: float | None
    sizes: Mapping[str, SizeClass]


def gini(counts: Iterable[int]) -> float | None:
    """Return the Gini coefficient of counts: 0 where all are equal; None where they are all 0 or there are none."""
    rows = sorted(counts)
    total = sum(rows)
    if not total:
        return None
    return sum((2 * rank - len(rows) - 1) * row for rank, row in enumerate(rows, 1)) / (len(rows) * total)


def report(
    shown: Mapping[str, int], could: Iterable[str], suppliers: Iterable[Supplier], merit: int, plain: int
) -> Fairness:
    """Return the report.

    Args:
        shown: Showings of each supplier in the window.
        could: Suppliers that could have been shown.
        suppliers: All of them, for their sizes. Who is not among them any more has none, and counts otherwise.
        merit: What the lists are worth, in won.
        plain: What lists by merit alone would have been worth.
    """
    size: dict[str, str] = {row.id: row.size for row in suppliers}
    counts = {name: shown.get(name, 0) for name in sorted({*could, *shown})}
    total = sum(counts.values())
    top = sorted(counts.values(), reverse=True)[: ceil(TOP * len(counts))]
    sizes = {}
    for word in ("micro", "small", "medium", "large"):
        rows = [count for name, count in counts.items() if size.get(name) == word]
        if rows:
            sizes[word] = SizeClass(
                suppliers=len(rows),
                of_suppliers=len(rows) / len(counts),
                of_showings=sum(rows) / total if total else 0.0,
                never=rows.count(0) / len(rows),
            )
    return Fairness(
        suppliers=len(counts),
        showings=total,
        gini=gini(counts.values()),
        top_share=sum(top) / total if total else None,
        never=list(counts.values()).count(0) / len(counts) if counts else None,
        price=1 - merit / plain if plain else None,
        sizes=sizes,
    )
