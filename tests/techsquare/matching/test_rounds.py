"""Rounds: stable by the published rule, best for factories, in any order of rows; leftovers by another solver."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pytest

from techsquare.matching.rounds import acceptance, blocking, leftovers, rule, run
from techsquare.matching.terms import Place, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSTANCES = 200


def instance(seed: int, factories: int, suppliers: int) -> tuple[list[Wish], list[Wish], dict[str, int]]:
    """Return lists, further pairs and places; distances and loads come in few steps, so that ties are many."""
    rng = np.random.default_rng(seed)
    wishes: list[Wish] = []
    others: list[Wish] = []
    for f in range(factories):
        for order, s in enumerate(rng.permutation(suppliers)[: int(rng.integers(1, suppliers + 1))]):
            one = Wish(
                item=f"i{f}", factory=f"f{f}", supplier=f"s{s}", order=order,
                fit="pass" if rng.random() < 0.5 else "unknown", distance_km=float(rng.integers(0, 4) * 30),
                load_days=float(rng.integers(1, 3) * 5), merit=int(rng.integers(0, 10**8)),
            )  # fmt: skip
            (wishes if order < 3 else others).append(one)
    return wishes, others, {f"s{s}": int(rng.integers(0, 3)) for s in range(suppliers)}


def blocks(wishes: Sequence[Wish], places: Mapping[str, int], has: Mapping[str, str], seed: str) -> bool:
    """Tell whether a matching has a blocking pair, by the textbook's definition."""
    rank = {(w.factory, w.supplier): rule(w, seed) for w in wishes}
    order = {(w.factory, w.supplier): w.order for w in wishes}
    for w in wishes:
        mine = has.get(w.factory)
        if mine == w.supplier or (mine is not None and order[w.factory, mine] < w.order):
            continue
        beside = [f for f, s in has.items() if s == w.supplier]
        if len(beside) < places[w.supplier]:
            return True
        if any(rank[f, w.supplier] > rank[w.factory, w.supplier] for f in beside):
            return True
    return False


def test_no_pair_blocks_and_every_count_adds_up() -> None:
    for seed in range(INSTANCES):
        rng = np.random.default_rng(seed)
        wishes, others, places = instance(seed, int(rng.integers(1, 30)), int(rng.integers(1, 10)))
        told = run(wishes, others, places, seed=str(seed))
        assert told.blocking == 0
        stable = {place.factory: place.supplier for place in told.places if place.by == "acceptance"}
        assert not blocks(wishes, places, stable, str(seed))
        for name, room in places.items():
            assert sum(place.supplier == name for place in told.places) <= room
        assert len({place.factory for place in told.places}) == len(told.places)
        counts = told.counts
        assert counts["accepted"] + counts["leftover"] + counts["unplaced"] == counts["factories"]
        assert counts["accepted"] + counts["leftover"] + counts["free"] == sum(places.values())
        possible = {(w.factory, w.supplier) for w in [*wishes, *others]}
        assert all((place.factory, place.supplier) in possible for place in told.places)


def test_it_is_the_stable_matching_that_is_best_for_every_factory() -> None:
    compared = 0
    for seed in range(250):
        wishes, _, places = instance(seed, 4, 3)
        lists = {f"f{f}": [w.supplier for w in wishes if w.factory == f"f{f}"] for f in range(4)}
        ranks = {(w.factory, w.supplier): rule(w, "x") for w in wishes}
        ours = acceptance(lists, ranks, places)
        stable = []
        for choice in product(*([None, *lists[f"f{f}"]] for f in range(4))):
            has = {f"f{f}": s for f, s in enumerate(choice) if s is not None}
            fits = all(list(has.values()).count(s) <= room for s, room in places.items())
            if fits and not blocks(wishes, places, has, "x"):
                stable.append(has)
        assert ours in stable
        compared += len(stable) > 1
        for name, wanted in lists.items():
            place = [wanted.index(has[name]) if name in has else 99 for has in stable]
            mine = wanted.index(ours[name]) if name in ours else 99
            assert mine == min(place)
    assert compared > 2


def test_the_order_of_rows_changes_nothing_and_the_seed_decides_ties() -> None:
    differs = 0
    for seed in range(40):
        wishes, others, places = instance(seed, 25, 6)
        rng = np.random.default_rng(seed)
        told = run(wishes, others, places, seed="a")
        mixed = [wishes[at] for at in rng.permutation(len(wishes))]
        rest = [others[at] for at in rng.permutation(len(others))]
        assert run(mixed, rest, dict(reversed(places.items())), seed="a") == told
        differs += run(wishes, others, places, seed="b").places != told.places
    assert differs > 10


def test_leftovers_are_as_many_and_as_good_as_another_solver_finds() -> None:
    for seed in range(INSTANCES):
        rng = np.random.default_rng(seed)
        _, others, places = instance(seed, int(rng.integers(2, 20)), int(rng.integers(4, 9)))
        found = leftovers(others, places, str(seed))
        graph = nx.DiGraph()
        graph.add_nodes_from(["source", "sink"])
        for one in others:
            graph.add_edge("source", one.factory, capacity=1, weight=0)
            graph.add_edge(one.factory, one.supplier, capacity=1, weight=-one.merit)
            graph.add_edge(one.supplier, "sink", capacity=places[one.supplier], weight=0)
        flow = nx.max_flow_min_cost(graph, "source", "sink")
        merit = {(one.factory, one.supplier): one.merit for one in others}
        assert len(found) == sum(flow["source"].values())
        assert sum(merit[pair] for pair in found.items()) == -nx.cost_of_flow(graph, flow)


def test_nobody_is_given_a_place_that_is_worth_less_than_nothing() -> None:
    one = Wish("i", "f", "s", 0, "pass", 0.0, 1.0, merit=-1)
    assert leftovers([one], {"s": 1}, "x") == {}
    assert leftovers([replace(one, merit=0)], {"s": 1}, "x") == {"f": "s"}
    told = run([], [one], {"s": 1, "odd": -3}, seed="x")
    assert (told.places, told.counts["unplaced"], told.counts["free"]) == ([], 1, 1)


def test_a_pair_that_blocks_is_found() -> None:
    seen = 0
    for seed in range(60):
        wishes, others, places = instance(seed, 12, 4)
        told = run(wishes, others, places, seed="x")
        rng = np.random.default_rng(seed)
        rows = list(told.places)
        if not rows:
            continue
        rows.pop(int(rng.integers(0, len(rows))))
        has = {place.factory: place.supplier for place in rows if place.by == "acceptance"}
        rows = [Place(f, f"i{f[1:]}", s, "acceptance") for f, s in has.items()]
        assert bool(blocking(wishes, places, rows, seed="x")) == blocks(wishes, places, has, "x")
        seen += bool(blocking(wishes, places, rows, seed="x"))
    assert seen > 20


def test_a_factory_takes_part_with_one_item_and_names_a_supplier_once() -> None:
    wishes, _, places = instance(1, 3, 3)
    with pytest.raises(ValueError, match="one item of a factory"):
        run([*wishes, replace(wishes[0], item="second", supplier="s9")], [], places, seed="x")
    with pytest.raises(ValueError, match="names a supplier twice"):
        run([*wishes, replace(wishes[0], order=9)], [], places, seed="x")
