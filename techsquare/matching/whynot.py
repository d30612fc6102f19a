"""Why a named solution is not on an item's list: constraints, or how many won of merit it lacks, or one line more.

With no constraint failed, a solution comes onto the list when its merit rises, and the smallest rise is asked for:

    the list has a line free                      merit >= 0
    first line                                    more than the best (or as much, when the hash prefers it)
    second or third line, in the place of w       q(w) - q < what it costs to let w go instead   (`exchange`)
                                                  and within the limits of `edges` (low: one such line; high: any)

A won more than the stated gap changes the night's answer when it is solved again; tests do. A won less does not,
with one exception: a solution that passes q3 on its way moves the list's own limits, which can only push others
out, so a smaller rise might do. `least` is False there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.constraints import judged
from techsquare.matching.edges import LINES, NONE, floors
from techsquare.matching.exchange import FAR, exchange
from techsquare.matching.terms import WhyNot
from techsquare.ties import digest

if TYPE_CHECKING:
    from techsquare.matching.lists import Lists
    from techsquare.matching.worth import Values


class Reasons:
    """Answers about one night. What all answers need is computed here, once.

    Args:
        lists: The night's lists.
        values: The values that they were made with.
    """

    def __init__(self, lists: Lists, values: Values) -> None:
        self._lists, self._values = lists, values
        self._exchange = exchange(lists)

    def why_not(self, item: str, solution: str) -> WhyNot:
        """Return why a solution is not on the list of an item.

        Raises:
            KeyError: One of the two is unknown.
        """
        columns = self._lists.columns
        i, s = columns.item_at[item], columns.solution_at[solution]
        p = int(columns.supplier_of[s])
        failed = judged(columns.items[i], columns.solutions[s], columns.suppliers[p]).failed
        if failed:
            return WhyNot(failed)
        if not self._values.known[s]:
            return WhyNot(failed)
        merit = int(self._values.merit(np.array([i]), np.array([s]))[0])
        here = self._lists.edges.of(i)
        mine = np.flatnonzero(self._lists.edges.supplier[here] == p) + here.start
        for row in mine:
            if self._lists.shown[row]:
                return self._beside_own(int(row), s, merit)
        need, least = self._needed(i, p)
        return WhyNot(failed, gap=need - 1 - merit, slot=self._next(i, s), least=least, worth=merit)

    def _beside_own(self, row: int, solution: int, merit: int) -> WhyNot:
        """Return what a solution lacks of another one of its supplier, which is shown."""
        edges, columns = self._lists.edges, self._lists.columns
        other = int(edges.solution[row])
        if other == solution:
            return WhyNot(frozenset(), shown=True, worth=merit)
        factory = columns.items[int(edges.item[row])].factory
        names = (columns.solutions[solution].id, columns.solutions[other].id)
        mine, its = (digest(columns.seed, factory, name) for name in names)
        need = int(edges.merit[row]) + (0 if mine < its else 1)
        return WhyNot(frozenset(), gap=need - 1 - merit, worth=merit)

    def _needed(self, item: int, supplier: int) -> tuple[int, bool]:
        """Return the smallest merit that brings a supplier onto a list, and whether none smaller does."""
        edges = self._lists.edges
        here = edges.of(item)
        rows = np.arange(here.start, here.stop)
        rows = rows[edges.supplier[rows] != supplier]
        if len(rows) < LINES or edges.best[item] == NONE:
            return 0, True
        merits = edges.merit[rows]
        best, second, third = (int(one) for one in merits[:LINES])
        need = self._above(item, supplier, int(rows[0]))
        high, low_floor = floors(best, second, third)
        beside = rows[1:][self._lists.shown[rows[1:]]]
        distance = self._exchange.distances(supplier)
        weight = int(self._lists.network.weight[item])
        lows = [int(row) for row in beside if not edges.high[row]]
        # In the place of a high line a low offer comes only where no low one stands.
        for_low = beside if not lows else np.array(lows)
        low = max(low_floor, self._instead(for_low, distance, weight))
        if low < high:
            need = min(need, low)
        need = min(need, max(high, self._instead(beside, distance, weight)))
        return need, need <= third

    def _instead(self, rows: np.ndarray, distance: np.ndarray, weight: int) -> int:
        """Return the smallest merit at which a supplier stands in for one of the lines, by the flow alone."""
        edges = self._lists.edges
        needs = [
            int(edges.merit[row]) + int(distance[edges.supplier[row]]) // weight + 1
            for row in rows
            if distance[edges.supplier[row]] < FAR
        ]
        return min(needs, default=int(FAR))

    def _above(self, item: int, supplier: int, best: int) -> int:
        """Return the smallest merit that makes a supplier the best."""
        columns, edges = self._lists.columns, self._lists.edges
        factory = columns.items[item].factory
        mine = digest(columns.seed, factory, columns.suppliers[supplier].id)
        its = digest(columns.seed, factory, columns.suppliers[int(edges.supplier[best])].id)
        return int(edges.merit[best]) + (0 if mine < its else 1)

    def _next(self, item: int, solution: int) -> bool:
        """Tell whether a solution would be the one on a further line of a list."""
        lists = self._lists
        edges, network = lists.edges, lists.network
        here = edges.of(item)
        rows = np.arange(here.start, here.stop)
        beside = rows[(edges.rank[rows] > 0) & lists.shown[rows]]
        rows = rows[(edges.rank[rows] > 0) & ~lists.shown[rows]]
        if not edges.high[beside].all():
            rows = rows[edges.high[rows]]
        if not len(rows):
            return False
        cost = network.weight[item] * (edges.best[item] - edges.merit[rows])
        cost = cost + self._exchange.potential[edges.supplier[rows]]
        first = cost == cost.min()
        return bool(first.sum() == 1 and edges.solution[rows[first]][0] == solution)
