"""Who gets whom where places are scarce: deferred acceptance, then a flow over what is left.

Factories propose in their own order, each with one item; a supplier keeps the best of those that have asked, by the
published rule, as many as it has places (Gale and Shapley 1962, with quotas and incomplete lists). Preferences are
strict, because ties go by the hash, so the result is the one stable matching that is best for every factory, in
whatever order they ask. Telling the true order is the best a factory can do.

The published rule, which every supplier has:

    1  fit test passed before unknown
    2  nearer, in steps of 50 km
    3  less work, in days of the supplier's people
    4  sha256 of seed, factory and supplier

A factory that nobody on its list could take may be given a free place of another supplier that is possible for it:
as many as can be, then as much merit as can be (min-cost flow), and nothing that is worth less than nothing. It may
refuse, as everybody may at any time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING

import numpy as np
from ortools.graph.python import min_cost_flow

from techsquare.matching.terms import Place, Round, Wish
from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEP_KM = 50.0

Rank = tuple[int, int, float, int]


def rule(wish: Wish, seed: str) -> Rank:
    """Return the rank that the published rule gives a wish; smaller goes first."""
    tie = digest(seed, wish.factory, wish.supplier)
    return (0 if wish.fit == "pass" else 1, int(wish.distance_km // STEP_KM), wish.load_days, tie)


def run(wishes: Sequence[Wish], others: Sequence[Wish], places: Mapping[str, int], *, seed: str) -> Round:
    """Hold a round.

    Args:
        wishes: The factories' lists, in any order.
        others: Further possible pairs of the same factories and items, for what is left over.
        places: Supplier -> places. One that is not there has none.
        seed: Published before the round.

    Raises:
        ValueError: A factory has two items, or names a supplier twice.
    """
    items = _items([*wishes, *others])
    lists = _lists(wishes, seed)
    ranks = {(wish.factory, wish.supplier): rule(wish, seed) for wish in wishes}
    accepted = acceptance(lists, ranks, places)
    left = dict(places)
    for supplier in accepted.values():
        left[supplier] -= 1
    further = leftovers([one for one in others if one.factory not in accepted], left, seed)
    found = [Place(name, items[name], supplier, "acceptance") for name, supplier in accepted.items()]
    found += [Place(name, items[name], supplier, "leftover") for name, supplier in further.items()]
    free = sum(max(0, room) for room in places.values()) - len(found)
    return Round(
        seed=seed,
        places=sorted(found, key=lambda place: place.factory),
        counts={
            "factories": len(items),
            "accepted": len(accepted),
            "leftover": len(further),
            "unplaced": len(items) - len(found),
            "free": free,
        },
        blocking=len(blocking(wishes, places, found, seed=seed)),
    )


def acceptance(
    lists: Mapping[str, Sequence[str]], ranks: Mapping[tuple[str, str], Rank], places: Mapping[str, int]
) -> dict[str, str]:
    """Return factory -> supplier by deferred acceptance.

    Args:
        lists: Factory -> suppliers, best first.
        ranks: (factory, supplier) -> the supplier's rank of the factory, smaller first, no two equal.
        places: Supplier -> places.
    """
    # A heap of a supplier's factories, the worst on top: ranks are turned round, because heapq pops the smallest.
    held: defaultdict[str, list[tuple[Rank, str]]] = defaultdict(list)
    asked = dict.fromkeys(lists, 0)
    waiting = list(lists)
    while waiting:
        factory = waiting.pop()
        wanted = lists[factory]
        while asked[factory] < len(wanted):
            supplier = wanted[asked[factory]]
            asked[factory] += 1
            room = places.get(supplier, 0)
            if room <= 0:
                continue
            fit, far, load, tie = ranks[factory, supplier]
            entry = ((-fit, -far, -load, -tie), factory)
            heap = held[supplier]
            if len(heap) < room:
                heappush(heap, entry)
                break
            refused = heappushpop(heap, entry)
            if refused is not entry:
                waiting.append(refused[1])
                break
    return {factory: supplier for supplier, heap in held.items() for _, factory in heap}


def leftovers(others: Sequence[Wish], left: Mapping[str, int], seed: str) -> dict[str, str]:
    """Return factory -> supplier for as many as can be, of the most merit, out of what is possible and free."""
    open_ = [one for one in others if left.get(one.supplier, 0) > 0 and one.merit >= 0]
    open_.sort(key=lambda one: (digest(seed, one.factory, one.supplier), one.factory, one.supplier))
    if not open_:
        return {}
    factories = {name: at for at, name in enumerate(dict.fromkeys(one.factory for one in open_))}
    suppliers = {name: at + len(factories) for at, name in enumerate(dict.fromkeys(one.supplier for one in open_))}
    source, sink = len(factories) + len(suppliers), len(factories) + len(suppliers) + 1
    arcs = [(factories[one.factory], suppliers[one.supplier], 1, -one.merit) for one in open_]
    arcs += [(source, at, 1, 0) for at in factories.values()]
    arcs += [(at, sink, left[name], 0) for name, at in suppliers.items()]
    table = np.array(arcs, np.int64)
    solver = min_cost_flow.SimpleMinCostFlow()
    ids = solver.add_arcs_with_capacity_and_unit_cost(
        table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2].copy(), table[:, 3].copy()
    )
    solver.set_node_supply(source, len(factories))
    solver.set_node_supply(sink, -len(factories))
    status = solver.solve_max_flow_with_min_cost()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"min-cost flow of the leftovers: {status.name}")
    flows = np.asarray(solver.flows(ids))[: len(open_)]
    return {open_[at].factory: open_[at].supplier for at in np.flatnonzero(flows)}


def blocking(wishes: Sequence[Wish], places: Mapping[str, int], found: Sequence[Place], *, seed: str) -> list[Wish]:
    """Return the wishes that block: the factory would rather have the supplier, and by the rule the supplier it.

    A place out of the leftovers is below everything on the factory's list, and below everybody who was accepted.
    """
    has = {place.factory: place.supplier for place in found}
    order = {(wish.factory, wish.supplier): wish.order for wish in wishes}
    taken = Counter(place.supplier for place in found)
    listed = {(wish.factory, wish.supplier): rule(wish, seed) for wish in wishes}
    lowest: dict[str, Rank] = {}
    bottom = (2, 0, 0.0, 0)
    for place in found:
        rank = listed.get((place.factory, place.supplier), bottom)
        lowest[place.supplier] = max(lowest.get(place.supplier, rank), rank)
    found_: list[Wish] = []
    for wish in wishes:
        now = has.get(wish.factory)
        content = now is not None and (wish.factory, now) in order and order[wish.factory, now] <= wish.order
        room = places.get(wish.supplier, 0)
        if content or room <= 0:
            continue
        if taken[wish.supplier] < room or lowest[wish.supplier] > listed[wish.factory, wish.supplier]:
            found_.append(wish)
    return found_


def _items(wishes: Sequence[Wish]) -> dict[str, str]:
    items: dict[str, str] = {}
    for wish in wishes:
        if items.setdefault(wish.factory, wish.item) != wish.item:
            raise ValueError(f"factory {wish.factory}: a round takes one item of a factory, and it has two")
    return items


def _lists(wishes: Sequence[Wish], seed: str) -> dict[str, list[str]]:
    """Return each factory's suppliers, best first; equal orders by the hash."""
    lists: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for wish in wishes:
        lists[wish.factory].append((wish.order, digest(seed, wish.factory, wish.supplier), wish.supplier))
    for factory, rows in lists.items():
        rows.sort()
        if len({name for _, _, name in rows}) < len(rows):
            raise ValueError(f"factory {factory}: names a supplier twice")
    return {factory: [name for _, _, name in lists[factory]] for factory in sorted(lists)}
