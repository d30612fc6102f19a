"""What a supplier learns: never of fewer than ten factories, nor by subtracting, nor an owner's reason singly."""

from __future__ import annotations

import numpy as np

from techsquare.matching.constraints import CONSTRAINTS
from techsquare.matching.summary import LEAST, OWN, Reason, reason, summary
from techsquare.matching.terms import Constraint

OWNER: tuple[Constraint, ...] = ("excluded", "conflict", "price", "prerequisite", "consent")


def month(counts: dict[Constraint | None, int]) -> list[tuple[str, frozenset[Constraint]]]:
    rows: list[tuple[str, frozenset[Constraint]]] = []
    for name, count in counts.items():
        rows += [(f"f{len(rows) + at}", frozenset({name} if name else ())) for at in range(count)]
    return rows


def test_every_constraint_has_a_reason_and_the_owners_have_one_together() -> None:
    for name in CONSTRAINTS:
        assert reason({name}) == ("owner" if name in OWNER else name)
    assert {*OWN, *OWNER} == set(CONSTRAINTS)
    assert reason({"price", "region"}) == "region"
    assert reason(()) == "merit"


def test_no_number_and_no_difference_of_numbers_is_below_ten() -> None:
    rng = np.random.default_rng(1)
    hidden = 0
    for _ in range(2000):
        counts: dict[Constraint | None, int] = {
            name: int(rng.integers(0, 4) ** int(rng.integers(1, 4))) for name in (*CONSTRAINTS, None)
        }
        told = summary(month(counts))
        total = sum(counts.values())
        if total < LEAST:
            assert told == summary([])
            assert told.factories is None
            continue
        truth: dict[Reason, int] = {}
        for failed, count in counts.items():
            key = reason({failed} if failed else ())
            truth[key] = truth.get(key, 0) + count
        named = {name: truth[name] for name in told.reasons if name != "other"}
        rest = total - sum(named.values())
        assert all(count >= LEAST for count in named.values())
        assert rest == 0 or rest >= LEAST, "what is not named could be found by subtracting"
        assert ("other" in told.reasons) == (rest > 0)
        assert all(count % 5 == 0 and count >= LEAST for count in told.reasons.values())
        assert not set(told.reasons) & set(OWNER)
        hidden += rest > 0
        for name, count in told.reasons.items():
            assert abs(count - (rest if name == "other" else truth[name])) <= 2
    assert hidden > 200


def test_a_factory_counts_once_however_often_it_is_asked() -> None:
    rows = [("f1", frozenset[Constraint]({"price"}))] * 30
    assert summary(rows).factories is None
    many = [(f"f{at}", frozenset[Constraint]({"price"})) for at in range(12)]
    assert summary([*many, *many]) == summary(many)
    assert summary(many).reasons == {"owner": 10}
    assert summary(reversed([*many, *rows])) == summary([*rows, *many])


def test_offers_at_many_prices_say_no_more_of_a_budget_than_one() -> None:
    """A thousand offers at rising prices, one supplier, one month: a table, and each factory in it once."""
    rng = np.random.default_rng(2)
    budgets = {f"f{at}": int(rng.integers(10, 90)) for at in range(40)}
    rows = [
        (factory, frozenset[Constraint]({"price"}) if price > budget else frozenset[Constraint]())
        for price in range(1000)
        for factory, budget in budgets.items()
    ]
    assert summary(rows).reasons == {"merit": 40}
    dear = [row for row in rows if row[1]]
    assert summary(dear).reasons == {"owner": 40}
