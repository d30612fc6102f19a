"""Lists of three for all open items of a night: merit first, then fair exposure by a min-cost flow.

    item --(2)--> high pairs --> supplier --> sink     by tiers of exposure (`exposure`), parallel arcs
         --(1)--> low pairs  -->

The first line is settled before and counts as a showing. A pair costs (q1 - q) / q1, in integers: `UNIT` // q1 for
each won, so that a won more or less is always seen, and a small factory's list is as dear as a large one's. Each
item fills its lines: what merit alone would show is always a flow. Rows are in the seed's order and the solver is
deterministic, so the same night gives the same lists. What the flow shows that merit would have shown is labelled
merit, the rest exposure, with the won that it costs against the offer which it stands in for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from ortools.graph.python import min_cost_flow

from techsquare.matching.edges import LINES
from techsquare.matching.exposure import COSTS, UNIT, tiers
from techsquare.matching.terms import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from techsquare.matching.columns import Columns
    from techsquare.matching.edges import Edges
    from techsquare.matching.exposure import Tiers

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


class FlowError(RuntimeError):
    """The solver has not found an optimum, which merit alone shows to exist: a fault of ours or of the library."""


@dataclass(frozen=True, slots=True)
class Network:
    """The flow of a night: its pairs (rows of `Edges`), weights of a won, lines to fill, and showings before.

    `used` are the showings of each supplier before the flow: the ledger's and the first lines of tonight.
    """

    pairs: Ints
    weight: Ints  # of each item: what a won costs
    lines: Ints  # of each item: lines beside the first
    low: Ints  # of each item: how many of them may be low
    used: Ints
    tiers: Tiers

    def cost(self, edges: Edges) -> Ints:
        """Return the cost of each pair."""
        item = edges.item[self.pairs]
        return self.weight[item] * (edges.best[item] - edges.merit[self.pairs])


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a night: which rows of `edges` are shown, and the network that chose them."""

    columns: Columns
    edges: Edges
    network: Network
    shown: Bools

    def rows(self) -> Iterator[Shown]:
        """Yield the lines of all lists, by item in the seed's order and by line."""
        solutions, items = self.columns.solutions, self.columns.items
        at, slot, cost, merit = self.lines()
        columns = (self.edges.item[at], self.edges.solution[at], slot, merit, cost.astype(np.float64))
        for item, solution, place, by_merit, won in zip(*(one.tolist() for one in columns), strict=True):
            by: Literal["merit", "exposure"] = "merit" if by_merit else "exposure"
            yield Shown(items[item].id, solutions[solution].id, place, by, won)

    def lines(self) -> tuple[Ints, Ints, Ints, Bools]:
        """Return of each line its row of `edges`, its slot from 1, its cost in won, and whether it has merit."""
        edges = self.edges
        at = np.flatnonzero(self.shown)
        item = edges.item[at]
        slot = np.arange(len(at)) - np.searchsorted(item, item, "left") + 1
        plain = self._plain()
        by_merit = plain[at]
        # Within an item the k-th line for exposure stands in for the k-th line of merit that is not shown.
        out = np.flatnonzero(plain & ~self.shown)
        cost = np.zeros(len(at), np.int64)
        cost[~by_merit] = edges.merit[out] - edges.merit[at[~by_merit]]
        return at, slot, cost, by_merit

    def showings(self) -> Ints:
        """Return how often each supplier is shown tonight."""
        return np.bincount(self.edges.supplier[self.shown], minlength=len(self.columns.suppliers)).astype(np.int64)

    def merit(self) -> tuple[int, int]:
        """Return the merit of all lines in won, and what merit alone would have given."""
        return int(self.edges.merit[self.shown].sum()), int(self.edges.merit[self._plain()].sum())

    def _plain(self) -> Bools:
        """Return what merit alone would show."""
        return self.edges.rank <= self.network.lines[self.edges.item]


def shortlists(
    columns: Columns,
    edges: Edges,
    before: Mapping[str, int],
    *,
    could: frozenset[str] = frozenset(),
    more: frozenset[str] = frozenset(),
) -> Lists:
    """Return the lists of a night.

    Args:
        columns: The market.
        edges: What may stand on its lists.
        before: Showings of each supplier in the ledger's window.
        could: Suppliers that could have been shown in the window; those of tonight are added.
        more: Items that get one line more than the others, for high pairs: what "one more slot" would change.

    Raises:
        FlowError: The solver failed.
    """
    network = prepared(columns, edges, before, could, more)
    shown = edges.rank == 0
    shown[network.pairs[solved(edges, network)]] = True
    return Lists(columns, edges, network, shown)


def prepared(
    columns: Columns, edges: Edges, before: Mapping[str, int], could: frozenset[str], more: frozenset[str]
) -> Network:
    """Return the network of a night before it is solved."""
    size = len(columns.items)
    extra = np.zeros(size, np.int64)
    for name in more:
        extra[columns.item_at[name]] = 1
    pairs = np.flatnonzero(edges.rank > 0)
    of_item = edges.item[pairs]
    others = np.bincount(of_item, minlength=size)
    highs = np.bincount(of_item, weights=edges.high[pairs], minlength=size).astype(np.int64)
    low = (others > highs).astype(np.int64)
    usual = np.minimum(others, LINES - 1)
    lines = np.minimum(highs + low, usual + extra)
    first = np.bincount(edges.supplier[edges.rank == 0], minlength=len(columns.suppliers)).astype(np.int64)
    ledger = np.array([before.get(row.id, 0) for row in columns.suppliers], np.int64)
    among = could | {columns.suppliers[at].id for at in np.flatnonzero(edges.feasible)}
    showings = int(ledger.sum() + first.sum() + usual.sum())
    weight = UNIT // np.maximum(edges.best, 1)
    return Network(pairs, weight, lines, low, ledger + first, tiers(showings, len(among)))


def solved(edges: Edges, network: Network) -> Bools:
    """Return which pairs of the network carry flow in an optimum."""
    if not len(network.pairs):
        return np.zeros(0, np.bool_)
    tails, heads, capacities, costs, supplies = arcs(edges, network)
    solver = min_cost_flow.SimpleMinCostFlow()
    ids = solver.add_arcs_with_capacity_and_unit_cost(
        tails.astype(np.int32), heads.astype(np.int32), capacities, costs
    )
    solver.set_nodes_supplies(np.arange(len(supplies), dtype=np.int32), supplies)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise FlowError(f"min-cost flow: {status.name}")
    flows = np.asarray(solver.flows(ids))
    return flows[: len(network.pairs)] > 0


def arcs(edges: Edges, network: Network) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Return tails, heads, capacities and costs of the arcs (the pairs first), and the supplies of the nodes.

    Nodes: items, their low nodes, suppliers, the sink.
    """
    items, suppliers = len(network.weight), len(network.used)
    item = edges.item[network.pairs]
    tail = np.where(edges.high[network.pairs], item, items + item)
    head = 2 * items + edges.supplier[network.pairs]
    lows = np.flatnonzero(network.low)
    left = network.tiers.left(network.used)
    left = np.minimum(left, int(network.lines.sum()))
    sink = 2 * items + suppliers
    owner = np.repeat(np.arange(suppliers), left.shape[1])
    cost = np.tile(np.array(COSTS, np.int64), suppliers)
    open_ = left.reshape(-1) > 0
    tails = np.concatenate([tail, lows, 2 * items + owner[open_]])
    heads = np.concatenate([head, items + lows, np.full(int(open_.sum()), sink)])
    capacities = np.concatenate([np.ones(len(item), np.int64), network.low[lows], left.reshape(-1)[open_]])
    costs = np.concatenate([network.cost(edges), np.zeros(len(lows), np.int64), cost[open_]])
    supplies = np.zeros(sink + 1, np.int64)
    supplies[:items] = network.lines
    supplies[sink] = -int(network.lines.sum())
    return tails, heads, capacities, costs, supplies
