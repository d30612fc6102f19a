"""Constraints: what fails is exactly what has to change, and arrays say what the scalar form says."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from techsquare.matching.columns import BIT, Columns
from techsquare.matching.constraints import CONSTRAINTS, CONTINUITY, checks, covers, judged, most_open, places
from techsquare.matching.terms import Constraint, Property
from techsquare.span import exactly
from tests.techsquare.matching.market import market
from tests.techsquare.matching.small import item, solution, supplier

if TYPE_CHECKING:
    from collections.abc import Callable

    from techsquare.matching.terms import Item, Solution, Supplier

    Trio = tuple[Item, Solution, Supplier]


LIFTS: dict[Constraint, Callable[[Item, Solution, Supplier], Trio]] = {
    "active": lambda i, s, p: (i, s, replace(p, active=True)),
    "excluded": lambda i, s, p: (replace(i, excluded=i.excluded - {s.id, p.id}), s, p),
    "conflict": lambda i, s, p: (
        replace(i, related=i.related - p.parties),
        s,
        replace(p, parties=p.parties - {i.factory}),
    ),
    "capability": lambda i, s, p: (i, replace(s, capabilities=i.capabilities), p),
    "process": lambda i, s, p: (i, replace(s, processes=s.processes | {i.process}), p),
    "interface": lambda i, s, p: (i, replace(s, interfaces=s.interfaces | i.interfaces), p),
    "fit": lambda i, s, p: (replace(i, fit={**i.fit, s.id: "pass"}), s, p),
    "region": lambda i, s, p: (i, replace(s, regions=s.regions | {i.region}), p),
    "price": lambda i, s, p: (replace(i, most_won=max(i.most_won, int(s.price.low) + 1)), s, p),
    "prerequisite": lambda i, s, p: (replace(i, missing_prerequisites=frozenset()), s, p),
    "consent": lambda i, s, p: (replace(i, consents=i.consents | s.needs_consent), s, p),
    "continuity": lambda i, s, p: (i, replace(s, continuity=CONTINUITY), p),
    "capacity": lambda i, s, p: (i, s, replace(p, slots=3, open=0)),
}
"""Constraint -> what lifts it, and touches nothing that another one looks at."""


def pair(seed: int) -> Trio:
    """Return a pair of which each constraint fails with a chance of a third."""
    rng = np.random.default_rng(seed)
    fails = {name: bool(rng.random() < 1 / 3) for name in CONSTRAINTS}
    need = {"counting": {"rate": Property(low=1.0, high=20.0), "language": Property(words=frozenset({"ko"}))}}
    poor = [
        {},
        {"counting": {}},
        {"counting": {"rate": Property(2.0, 50.0), "language": Property(words=frozenset({"ko"}))}},
        {"counting": {"rate": Property(0.0, 50.0), "language": Property(words=frozenset({"en"}))}},
    ]
    good = {"counting": {"rate": Property(0.5, None), "language": Property(words=frozenset({"ko", "en"}))}}
    by_id = bool(rng.random() < 0.5)
    one = item(
        0, capabilities=need, most_won=10_000_000, consents=frozenset({"metrics"}),
        excluded=frozenset({"x0" if by_id else "s"} if fails["excluded"] else {"other"}),
        related=frozenset({"group"} if fails["conflict"] else {"elsewhere"}),
        missing_prerequisites=frozenset({"counters"} if fails["prerequisite"] else ()),
        fit={"x0": "fail"} if fails["fit"] else {"x0": "pass"} if rng.random() < 0.5 else {"x1": "fail"},
    )  # fmt: skip
    two = solution(
        0, "s", capabilities=poor[int(rng.integers(4))] if fails["capability"] else good,
        processes=frozenset({"welding"} if fails["process"] else {"press", "welding"}),
        interfaces=frozenset({"opcua"} if fails["interface"] else {"opcua", "modbus"} if by_id else ()),
        regions=frozenset({"jeju"} if fails["region"] else {"busan", "jeju"}),
        remote=not fails["region"] and bool(rng.random() < 0.3),
        price=exactly(10_000_001 if fails["price"] else 10_000_000),
        needs_consent=frozenset({"states"} if fails["consent"] else {"metrics"}),
        continuity=frozenset({"store", "export"}) if fails["continuity"] else CONTINUITY,
    )  # fmt: skip
    slots, verified, open_ = [(0, 5, 0), (4, 1, 2), (4, 3, 5)][int(rng.integers(3))]
    three = (
        supplier(
            "s",
            active=not fails["active"],
            parties=frozenset({"s", "group"}),
            slots=slots,
            verified=verified,
            open=open_,
        )
        if fails["capacity"]
        else supplier(
            "s", active=not fails["active"], parties=frozenset({"s", "group"}), slots=1, verified=2, open=1
        )
    )
    if fails["conflict"] and rng.random() < 0.5:  # no group between: the supplier is the factory's own
        one = replace(one, related=frozenset({"elsewhere"} if rng.random() < 0.5 else {"group"}))
        three = replace(three, parties=three.parties | {one.factory})
    assert judged(one, two, three).failed == {name for name, fail in fails.items() if fail}
    return one, two, three


def lifted(trio: Trio, names: tuple[Constraint, ...]) -> Trio:
    for name in names:
        trio = LIFTS[name](*trio)
    return trio


def test_the_names_are_the_terms_names_in_their_order() -> None:
    assert get_args(Constraint) == CONSTRAINTS
    assert set(LIFTS) == set(CONSTRAINTS)


def test_lifting_the_failed_set_makes_a_candidate_and_no_proper_subset_does() -> None:
    seen: set[Constraint] = set()
    for seed in range(300):
        trio = pair(seed)
        failed = tuple(sorted(judged(*trio).failed))
        seen |= set(failed)
        for size in range(len(failed) + 1):
            for names in combinations(failed, size):
                left = judged(*lifted(trio, names)).failed
                assert left == set(failed) - set(names)
                assert (not left) == (size == len(failed))
    assert seen == set(CONSTRAINTS)


def test_each_constraint_has_words_for_what_holds_and_what_fails() -> None:
    for seed in range(50):
        trio = pair(seed)
        told = checks(*trio)
        assert [one.constraint for one in told] == list(CONSTRAINTS)
        assert all(one.evidence for one in told)
        failed = judged(*trio)
        assert failed.evidence == {one.constraint: one.evidence for one in told if not one.holds}
        assert failed.failed == set(failed.evidence)


def test_arrays_find_the_same_failed_sets_and_candidates() -> None:
    told = market(60, 80, 5)
    odd = [pair(seed) for seed in range(20)]
    items = [*told.items, *(replace(one[0], id=f"o{at}") for at, one in enumerate(odd))]
    solutions = [*told.solutions, *(replace(one[1], id=f"x{at}", supplier=f"p{at}") for at, one in enumerate(odd))]
    suppliers = [*told.suppliers, *(replace(one[2], id=f"p{at}") for at, one in enumerate(odd))]
    columns = Columns(items, solutions, suppliers, seed="x")
    rows, others = np.meshgrid(np.arange(len(items)), np.arange(len(solutions)), indexing="ij")
    found = columns.failed(rows.reshape(-1), others.reshape(-1)).reshape(rows.shape)
    candidates = set()
    for i, one in enumerate(columns.items):
        for s, two in enumerate(columns.solutions):
            failed = judged(one, two, columns.suppliers[columns.supplier_of[s]]).failed
            assert {name for name in CONSTRAINTS if found[i, s] & BIT[name]} == failed
            if not failed:
                candidates.add((i, s))
    listed = [pair for block in columns.candidates() for pair in zip(*(one.tolist() for one in block), strict=True)]
    assert len(listed) == len(set(listed))
    assert set(listed) == candidates
    assert candidates
    assert np.bitwise_or.reduce(found, axis=None) == 2 ** len(CONSTRAINTS) - 1, "some constraint never failed"


@pytest.mark.parametrize(
    ("offered", "needed", "fine"),
    [
        (Property(0, 10), Property(1, 9), True),
        (Property(1, 9), Property(1, 9), True),
        (Property(2, 10), Property(1, 9), False),
        (Property(0, 8), Property(1, 9), False),
        (Property(None, 10), Property(1, 9), True),
        (Property(5, 10), Property(None, 9), True),
        (Property(), Property(1, 9), True),
        (Property(words=frozenset({"ko", "en"})), Property(words=frozenset({"ko"})), True),
        (Property(words=frozenset({"en"})), Property(words=frozenset({"ko"})), False),
        (Property(0, 10), Property(words=frozenset({"ko"})), False),
    ],
)
def test_an_offer_covers_a_need(offered: Property, needed: Property, fine: bool) -> None:  # noqa: FBT001
    assert covers(offered, needed) == fine


def test_probation_lets_two_run_at_once_until_three_are_verified() -> None:
    assert [most_open(verified) for verified in range(6)] == [2, 2, 2, 5, 6, 7]
    assert places(supplier("s", slots=9, verified=0, open=1)) == 1
    assert places(supplier("s", slots=9, verified=0, open=2)) == 0
    assert places(supplier("s", slots=9, verified=3, open=2)) == 3
    assert places(supplier("s", slots=1, verified=30, open=2)) == 1
    assert places(supplier("s", slots=0, verified=30, open=0)) == 0


def test_a_solution_of_an_unknown_supplier_and_an_id_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="have one id"):
        Columns([item(0), item(0)], [solution(0, "s")], [supplier("s")], seed="x")
    with pytest.raises(KeyError):
        Columns([item(0)], [solution(0, "nobody")], [supplier("s")], seed="x")
