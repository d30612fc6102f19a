"""Ninety days of lists in a market: who is never shown, beside the least that any flow under the rule allows.

The bound holds while nobody signs: places that are taken change who may stand on a list. With signatures it is the
bound of the market as it was on the first day.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from ortools.graph.python import max_flow

from techsquare.matching.columns import Columns
from techsquare.matching.constraints import places
from techsquare.matching.edges import edges
from techsquare.matching.exposure import Ledger
from techsquare.matching.fairness import report
from techsquare.matching.gains import fitted
from techsquare.matching.lists import shortlists
from techsquare.matching.record import Record
from techsquare.matching.worth import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.matching.edges import Edges
    from techsquare.matching.fairness import Fairness
    from techsquare.matching.gains import Gains
    from techsquare.matching.terms import Item
    from tests.techsquare.matching.market import Market

STANDS_DAYS = 30
"""So long a list stands before it is made anew: three times in the window."""
DAYS = 90
SIGNS = 0.3
"""Share of lists from which an owner signs with a supplier before the next is made."""
CHOSEN = (0.6, 0.25, 0.15)
"""By line."""


@dataclass(frozen=True)
class Told:
    fairness: Fairness
    bound: float
    plain: Fairness
    most_cost: float
    signed: int


def known(market: Market) -> tuple[Record, Gains]:
    return Record(market.counts), fitted(market.counts, market.priors)


def priced(
    market: Market, items: Sequence[Item], seed: str, record: Record, gains: Gains
) -> tuple[Columns, Values]:
    columns = Columns(items, market.solutions, market.suppliers, seed=seed)
    rates = [record.rate(row.supplier, row.family) for row in columns.solutions]
    return columns, Values(
        columns.items, columns.solutions, rates, [gains.of(row.supplier, row.family) for row in columns.solutions]
    )


def ninety_days(market: Market, *, every: int, signs: float = SIGNS) -> Told:
    """Make lists on each `every`-th day, for the items whose list is thirty days old, and let owners choose.

    Of each list so large a share signs before the next night: the item is closed, and a place of the supplier gone.
    """
    ledger, day = Ledger(), date(2026, 1, 1)
    rng = np.random.default_rng(len(market.items))
    merit = plain = 0
    alone: Counter[str] = Counter()
    most = 0.0
    fits = known(market)
    suppliers = {row.id: row for row in market.suppliers}
    closed: set[str] = set()
    for night in range(0, DAYS, every):
        turn = night % STANDS_DAYS // every
        due = [row for at, row in enumerate(market.items) if at % STANDS_DAYS // every == turn]
        items = [row for row in due if row.id not in closed]
        if not items:
            continue
        on = day + timedelta(days=night)
        columns, values = priced(
            replace(market, suppliers=list(suppliers.values())), items, f"night {night}", *fits
        )
        pairs = edges(columns, values)
        lists = shortlists(columns, pairs, ledger.shown(on), could=ledger.could(on))
        names = [row.id for row in columns.suppliers]
        ledger = ledger.added(
            on,
            (names[at] for at in pairs.supplier[lists.shown]),
            (names[at] for at in np.flatnonzero(pairs.feasible)),
        )
        got = lists.merit()
        merit, plain = merit + got[0], plain + got[1]
        alone.update(names[at] for at in pairs.supplier[pairs.rank <= lists.network.lines[pairs.item]])
        row, slot, cost, _ = lists.lines()
        of_list = np.bincount(pairs.item[row], weights=cost, minlength=len(columns.items))
        has = pairs.best > 0
        most = max(most, float((of_list[has] / pairs.best[has]).max(initial=0.0)))
        lucky = rng.random(len(row)) < signs * np.array(CHOSEN)[slot - 1]
        for at in row[lucky]:
            item, owner = columns.items[pairs.item[at]].id, suppliers[names[pairs.supplier[at]]]
            if item not in closed and places(owner):
                closed.add(item)
                suppliers[owner.id] = replace(owner, slots=owner.slots - 1, open=owner.open + 1)
    end = day + timedelta(days=DAYS)
    could = ledger.could(end)
    columns, values = priced(market, market.items, "bound", *fits)
    pairs = edges(columns, values)
    return Told(
        report(ledger.shown(end), could, market.suppliers, merit, plain),
        1 - seen_at_most(columns, pairs, DAYS // STANDS_DAYS) / len(could),
        report(alone, could, market.suppliers, plain, plain),
        most,
        len(closed),
    )


def seen_at_most(columns: Columns, pairs: Edges, rounds: int) -> int:
    """Return how many suppliers can be shown in so many lists of each item: a max flow; first lines are fixed."""
    first = np.zeros(len(columns.suppliers), np.bool_)
    first[pairs.supplier[pairs.rank == 0]] = True
    size = len(columns.items)
    rows = np.flatnonzero((pairs.rank > 0) & ~first[pairs.supplier])
    if not len(rows):
        return int(first.sum())
    others = np.bincount(pairs.item[pairs.rank > 0], minlength=size)
    lines = np.minimum(others, 2) * rounds
    node = np.where(pairs.high[rows], pairs.item[rows], size + pairs.item[rows])
    tails = [np.full(size, 2 * size + len(first)), np.arange(size), node, 2 * size + np.flatnonzero(~first)]
    heads = [
        np.arange(size),
        size + np.arange(size),
        2 * size + pairs.supplier[rows],
        np.full(int((~first).sum()), 2 * size + len(first) + 1),
    ]
    capacity = [lines, np.full(size, rounds), np.ones(len(rows)), np.ones(int((~first).sum()))]
    solver = max_flow.SimpleMaxFlow()
    solver.add_arcs_with_capacity(
        np.concatenate(tails).astype(np.int32),
        np.concatenate(heads).astype(np.int32),
        np.concatenate(capacity).astype(np.int64),
    )
    assert solver.solve(2 * size + len(first), 2 * size + len(first) + 1) == solver.OPTIMAL
    return int(first.sum()) + int(solver.optimal_flow())
