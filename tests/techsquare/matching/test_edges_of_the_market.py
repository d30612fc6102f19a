"""Nights at the edges: nobody, one, many alike, none worth it, places that are gone; lists told by hand."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from techsquare.matching.exposure import Ledger
from techsquare.matching.night import Night, matched
from techsquare.matching.terms import Counted
from techsquare.matching.whynot import Reasons
from techsquare.span import exactly
from techsquare.ties import digest
from tests.techsquare.matching.small import item, solution, supplier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.matching.terms import Item, Shown, Solution, Supplier

NAMES = "abcdefgh"


def held(
    items: Sequence[Item], solutions: Sequence[Solution], suppliers: Sequence[Supplier],
    counts: Mapping[tuple[str, str], Counted] | None = None, seed: str = "edge",
) -> Night:  # fmt: skip
    alike = {(row.id, "fam"): Counted(9, 10, gains=((0.25, 0.02),) * 9) for row in suppliers}
    return matched(
        items, solutions, suppliers, counts=alike if counts is None else counts, priors={}, ledger=Ledger(),
        on=date(2026, 11, 2), seed=seed,
    )  # fmt: skip


def lines(night: Night) -> list[Shown]:
    return list(night.lists.rows())


@pytest.mark.parametrize("rows", [(0, 0, 0), (2, 0, 0), (0, 2, 2), (2, 0, 2)])
def test_without_rows_there_is_an_empty_night(rows: tuple[int, int, int]) -> None:
    items, solutions, suppliers = rows
    night = held(
        [item(at) for at in range(items)], [solution(at, NAMES[at]) for at in range(solutions)],
        [supplier(NAMES[at]) for at in range(suppliers)],
    )  # fmt: skip
    assert (lines(night), list(night.offers())) == ([], [])
    assert [night.advice(f"i{at}") for at in range(items)] == [("nobody", None)] * items


def test_a_single_candidate_is_the_list() -> None:
    night = held([item(0)], [solution(0, "a"), solution(1, "b")], [supplier("a"), supplier("b", slots=0)])
    assert [(row.solution, row.slot, row.by, row.cost) for row in lines(night)] == [("x0", 1, "merit", 0.0)]
    why = Reasons(night.lists, night.values)
    assert why.why_not("i0", "x1").failed == {"capacity"}
    assert why.why_not("i0", "x0").shown
    assert night.match("i0", "x0").cheaper_by is None


def test_of_many_versions_of_one_supplier_the_best_stands_once() -> None:
    offers = [solution(at, "a", price=exactly(2e7 + at * 1e6)) for at in range(12)]
    night = held([item(0)], [*offers, solution(50, "b", price=exactly(4e7))], [supplier("a"), supplier("b")])
    assert [row.solution for row in lines(night)] == ["x0", "x50"]
    why = Reasons(night.lists, night.values)
    told = why.why_not("i0", "x7")
    assert told.gap is not None
    assert abs(told.gap - 7e6) <= 1, "it lacks what its supplier's best is cheaper by"
    assert night.lists.edges.candidates.tolist() == [2], "suppliers, not versions"


def test_equal_versions_of_one_supplier_are_decided_by_their_hash() -> None:
    offers = [solution(at, "a") for at in range(9)]
    for seed in ("p", "q", "r"):
        night = held([item(0)], offers, [supplier("a")], seed=seed)
        first = min(offers, key=lambda row, seed=seed: digest(seed, "f0", row.id))  # type: ignore[misc]
        assert [row.solution for row in lines(night)] == [first.id]


def test_all_equal_cost_nothing_and_all_come_up() -> None:
    night = held([item(at) for at in range(4)], [solution(at, NAMES[at]) for at in range(8)], map_(NAMES))
    told = lines(night)
    assert len(told) == 12
    assert {row.cost for row in told} == {0.0}
    assert {row.solution for row in told} == {f"x{at}" for at in range(8)}, "twelve lines, eight equals"


def test_below_zero_nothing_is_shown_and_at_zero_it_is() -> None:
    def priced(won: float) -> Night:
        return held([item(0)], [solution(0, "a", price=exactly(won))], [supplier("a")])

    word, best = priced(2e7).advice("i0")
    assert best is not None
    assert word == "offers"
    at_zero = priced(2e7 + best)
    assert at_zero.advice("i0") == ("offers", 0)
    assert [row.solution for row in lines(at_zero)] == ["x0"]
    below = priced(2e7 + best + 1)
    assert below.advice("i0") == ("not_now", -1)
    assert lines(below) == []
    told = Reasons(below.lists, below.values).why_not("i0", "x0")
    assert (told.gap, told.worth) == (0, -1), "a won more than 0 brings it to 0"
    assert below.match("i0", "x0").cheaper_by == 1


def test_a_conflict_stands_through_a_group_and_through_the_factory_itself() -> None:
    rows = [
        supplier("a", parties=frozenset({"a", "group"})), supplier("b", parties=frozenset({"b", "f0"})),
        supplier("c"), supplier("f0", parties=frozenset({"f0"})),
    ]  # fmt: skip
    offers = [solution(at, row.id) for at, row in enumerate(rows)]
    night = held([item(0, related=frozenset({"group"})), item(1)], offers, rows)
    assert [row.solution for row in lines(night) if row.item == "i0"] == ["x2"]
    assert len([row for row in lines(night) if row.item == "i1"]) == 3
    why = Reasons(night.lists, night.values)
    assert [why.why_not("i0", f"x{at}").failed for at in (0, 1, 3)] == [{"conflict"}] * 3


def test_probation_ends_with_the_third_verified_project() -> None:
    rows = [supplier("a", verified=2, open=2), supplier("b", verified=3, open=2), supplier("c", verified=0, open=1)]
    night = held([item(0)], [solution(at, row.id) for at, row in enumerate(rows)], rows)
    assert {row.solution for row in lines(night)} == {"x1", "x2"}
    assert Reasons(night.lists, night.values).why_not("i0", "x0").failed == {"capacity"}


def test_a_supplier_of_whom_nothing_is_known_loses_no_more_than_its_price_and_what_leaving_costs() -> None:
    night = matched(
        [item(0)], [solution(0, "a")], [supplier("a")], counts={}, priors={"fam": (0.25, 0.08)}, ledger=Ledger(),
        on=date(2026, 11, 2), seed="edge",
    )  # fmt: skip
    word, best = night.advice("i0")
    assert best is not None
    assert -2e7 - 3e6 - 2e6 <= best < 0
    assert word == "not_now"


def test_the_hash_is_the_published_one() -> None:
    text = b"round 7\x1ffactory\x1fsupplier"
    assert digest("round 7", "factory", "supplier") == int.from_bytes(sha256(text).digest()[:8], "big") // 2


def map_(names: str) -> list[Supplier]:
    return [supplier(name) for name in names]
