"""What a supplier learns of why it was not shown: a month, all its solutions together, ten factories a number.

Each factory counts once, under the first reason of this order that it has, so that numbers are parts of a whole:

    what the supplier can change    active, continuity, capacity, capability, process, interface, fit, region
    the owner's terms               excluded, conflict, price, prerequisite, consent: one number, never singly
    merit                           possible, and others were worth more

A number below ten is not told but added to `other`; when `other` itself is below ten, the smallest told number
joins it, because a total would give it away. Then nothing is left to subtract. What is told is rounded to fives:
two months, or two offers with different prices, differ in steps that no single factory makes visible for sure. A
month with fewer than ten factories tells nothing, not even that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from techsquare.matching.terms import Constraint

LEAST = 10
STEP = 5
Reason = Literal[
    "active", "continuity", "capacity", "capability", "process", "interface", "fit", "region", "owner", "merit",
    "other"
]  # fmt: skip
OWN: tuple[Reason, ...] = (
    "active", "continuity", "capacity", "capability", "process", "interface", "fit", "region",
)  # fmt: skip
ORDER: tuple[Reason, ...] = (*OWN, "owner", "merit")


@dataclass(frozen=True, slots=True)
class Summary:
    """Factories by reason, rounded to fives, and all of them; empty and None where they are too few to be told."""

    factories: int | None
    reasons: Mapping[Reason, int]


def reason(failed: Iterable[Constraint]) -> Reason:
    """Return the one reason under which a factory counts."""
    names = set(failed)
    if not names:
        return "merit"
    return next((one for one in OWN if one in names), "owner")


def summary(month: Iterable[tuple[str, frozenset[Constraint]]]) -> Summary:
    """Return what is told of a month.

    Args:
        month: Of each item for which the supplier was not shown: factory and failed constraints, of its solution
            that failed the fewest. A factory that is there twice counts once, with the fewest.
    """
    fewest: dict[str, tuple[int, int]] = {}
    for factory, failed in month:
        # Fewest first; of as many, the one that is named later: a set's order must not matter.
        key = (len(failed), ORDER.index(reason(failed)))
        fewest[factory] = min(fewest.get(factory, key), key)
    return protected(Counter(ORDER[place] for _, place in fewest.values()))


def protected(counts: Counter[Reason]) -> Summary:
    """Return what may be told of factories by their one reason."""
    if counts.total() < LEAST:
        return Summary(None, {})
    told = {name: counts[name] for name in ORDER if counts[name] >= LEAST}
    other = sum(counts[name] for name in ORDER if counts[name] < LEAST)
    while 0 < other < LEAST:
        smallest = min(told, key=lambda name: (told[name], ORDER.index(name)))
        other += told.pop(smallest)
    if other:
        told["other"] = other
    return Summary(_rounded(counts.total()), {name: _rounded(count) for name, count in told.items()})


def _rounded(count: int) -> int:
    """Return a count to the next five, but never less than the least that is told."""
    return max(LEAST, (count + STEP // 2) // STEP * STEP)
