"""What it costs to give a supplier one showing more, or one less: shortest paths in the residual of a night's flow.

The residual network of `lists` has a node for each of 100,000 items. Nothing ends there but the question itself, so
items are folded into arcs between suppliers, of whom there are 5,000:

    s -> t      some item shows s and could show t instead: the cheapest such swap
    s -> sink   s is shown once more: the price of its next tier
    sink -> t   t is shown once less: the price of its last tier, given back

The flow is optimal, so no cycle is negative. With h(s), the distance to the sink, as potentials (Johnson 1977) all
arcs are >= 0, and one search by Dijkstra's rule answers a question exactly. The reduced cost of a pair alone would
only be a lower bound of what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from techsquare.matching.lists import Lists

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

FAR = np.int64(2**52)
"""More than any path costs; integers below it are exact as doubles, which the search counts in."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The folded residual network: `potential` of each supplier and, last, the sink; reduced costs >= 0."""

    potential: Ints
    graph: csr_array

    def distances(self, supplier: int) -> Ints:
        """Return the cost of a showing more of a supplier and one less of each other one (last: of none)."""
        found = np.asarray(dijkstra(self.graph, indices=np.array([supplier])), np.float64)[0]
        reached = np.isfinite(found)
        exact = np.where(reached, found, 0.0).astype(np.int64)
        return np.where(reached, exact + self.potential[supplier] - self.potential, FAR)


def exchange(lists: Lists) -> Exchange:
    """Return the folded residual network of a night's lists."""
    network = lists.network
    size = len(network.used)
    tails, heads, costs = _swaps(lists)
    now = network.used + np.bincount(
        lists.edges.supplier[network.pairs][lists.shown[network.pairs]], minlength=size
    )
    everyone = np.arange(size, dtype=np.int64)
    tonight = now > network.used
    tails = np.concatenate([tails, everyone, np.full(int(tonight.sum()), size)])
    heads = np.concatenate([heads, np.full(size, size), everyone[tonight]])
    costs = np.concatenate([costs, network.tiers.next(now), -network.tiers.last(now)[tonight]])
    tails, heads, costs = _cheapest(tails, heads, costs, size + 1)
    potential = _to_sink(tails, heads, costs, size)
    reduced = costs + potential[heads] - potential[tails]
    graph = csr_array((reduced.astype(np.float64), (tails, heads)), shape=(size + 1, size + 1))
    return Exchange(potential, graph)


def _swaps(lists: Lists) -> tuple[Ints, Ints, Ints]:
    """Return the swaps that items allow: who goes, who comes, and what it costs."""
    network, edges = lists.network, lists.edges
    pairs = network.pairs
    item, cost, high = edges.item[pairs], network.cost(edges), edges.high[pairs]
    shown = lists.shown[pairs]
    lows = np.bincount(item[shown & ~high], minlength=len(network.weight))
    room = lows < network.low  # a low pair may come for a high one
    going = np.flatnonzero(shown)
    start, stop = np.searchsorted(item, item[going], "left"), np.searchsorted(item, item[going], "right")
    length = stop - start
    gone = np.repeat(going, length)
    come = np.arange(len(gone)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(start, length)
    fine = ~shown[come] & (high[come] | ~high[gone] | room[item[gone]])
    gone, come = gone[fine], come[fine]
    supplier = edges.supplier[pairs]
    return supplier[gone], supplier[come], cost[come] - cost[gone]


def _cheapest(tails: Ints, heads: Ints, costs: Ints, size: int) -> tuple[Ints, Ints, Ints]:
    """Return the arcs, one from each node to each, the cheapest; by tail."""
    key = tails * size + heads
    order = np.lexsort((costs, key))
    key = key[order]
    fresh = np.ones(len(key), np.bool_)
    fresh[1:] = key[1:] != key[:-1]
    order = order[fresh]
    return tails[order], heads[order], costs[order]


def _to_sink(tails: Ints, heads: Ints, costs: Ints, sink: int) -> Ints:
    """Return each node's distance to the sink, by Bellman and Ford; arcs by tail, each supplier has one.

    Raises:
        ValueError: A cycle is negative, so the flow was not optimal.
    """
    found = np.full(sink + 1, FAR, np.int64)
    found[sink] = 0
    nodes, starts = np.unique(tails, return_index=True)
    for _ in range(sink + 2):
        shorter = np.minimum(found[nodes], np.minimum.reduceat(costs + found[heads], starts))
        if (shorter == found[nodes]).all():
            return found
        found[nodes] = shorter
    raise ValueError("the flow has a negative cycle: it is not optimal")
