"""Who has been shown how often in ninety days, and what another showing costs in the flow.

The fair share is all showings of the window divided by the suppliers that could have been shown. Of it

    the first showing at all     carries the largest bonus        nobody stays unseen who can be seen
    up to 30 %                   carries a bonus
    up to twice                  is free
    up to five times             costs
    above                        is closed, unless a list would stay short: nobody else gains by an empty line

Costs never fall with the number, so parallel arcs of a flow are their exact picture.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WINDOW_DAYS = 90
UNIT = 10**11
"""Costs of a flow are shares of a list's best by this unit: a won of a large project is several of them."""
SHARES = (0.3, 2.0, 5.0)
COSTS = (-UNIT // 4, -UNIT // 50, 0, UNIT // 50, 10 * UNIT)
"""Of the first showing, to 30 %, to twice, to five times, above; shares of a list's best."""
_ENDLESS = 2**40


@dataclass(frozen=True, slots=True)
class Day:
    """A night: how often each supplier was shown, and which could have been (they had a candidate)."""

    shown: Mapping[str, int]
    could: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Nights by date; what is older than the window is dropped when one is added."""

    days: Mapping[date, Day] = field(default_factory=dict)

    def shown(self, on: date) -> Counter[str]:
        """Return the showings of each supplier in the ninety days before a day."""
        found: Counter[str] = Counter()
        for day in self._window(on):
            found.update(day.shown)
        return found

    def could(self, on: date) -> frozenset[str]:
        """Return the suppliers that could have been shown in the ninety days before a day."""
        return frozenset().union(*(day.could for day in self._window(on)))

    def added(self, on: date, shown: Iterable[str], could: Iterable[str]) -> Ledger:
        """Return the ledger with a night: one name a showing, and who could have been shown. A second run adds."""
        kept = {day: row for day, row in self.days.items() if day > on - timedelta(days=WINDOW_DAYS)}
        before = kept.get(on, Day({}, frozenset()))
        kept[on] = Day(dict(Counter(before.shown) + Counter(shown)), before.could | frozenset(could))
        return Ledger(kept)

    def _window(self, on: date) -> list[Day]:
        return [row for day, row in self.days.items() if on - timedelta(days=WINDOW_DAYS) <= day < on]


@dataclass(frozen=True, slots=True)
class Tiers:
    """What showings cost: up to `ends[k]` showings `COSTS[k]` each; the same for all suppliers."""

    ends: tuple[int, ...]

    def left(self, used: Ints) -> Ints:
        """Return (supplier, tier) -> showings that are left in the tier after so many."""
        ends = np.array(self.ends, np.int64)
        starts = np.concatenate([[0], ends[:-1]])
        found: Ints = np.maximum(ends - np.maximum(starts, used[:, None]), 0)
        return found

    def next(self, used: Ints) -> Ints:
        """Return what one more showing costs after so many."""
        return np.asarray(np.array(COSTS, np.int64)[np.searchsorted(np.array(self.ends), used, "right")])

    def last(self, used: Ints) -> Ints:
        """Return what the last of so many showings has cost; of none it means nothing."""
        return self.next(np.maximum(used - 1, 0))


def tiers(showings: int, suppliers: int) -> Tiers:
    """Return the tiers for so many showings in the window and so many suppliers that could be shown."""
    share = showings / max(suppliers, 1)
    ends = [1]
    for factor in SHARES:
        ends.append(max(ends[-1], int(np.ceil(factor * share))))
    return Tiers((*ends, _ENDLESS))
