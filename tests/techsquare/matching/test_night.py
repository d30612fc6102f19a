"""What is said of an item and of a match: advice, evidence, the largest terms, and what would make it the first."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta

import pytest

from techsquare.matching.exposure import Ledger
from techsquare.matching.night import Night, matched
from techsquare.matching.terms import Counted, Supplier
from techsquare.span import Span
from tests.techsquare.matching.market import Market, market
from tests.techsquare.matching.small import item, solution, supplier

ON = date(2026, 11, 2)
COUNTS = {("s", "fam"): Counted(9, 10)}


def solve(told: Market, ledger: Ledger | None = None) -> Night:
    return matched(
        told.items, told.solutions, told.suppliers,
        counts=told.counts, priors=told.priors, ledger=ledger or Ledger(), on=ON, seed="night",
    )  # fmt: skip


def test_a_match_is_told_with_evidence_terms_and_record() -> None:
    told = market(80, 200, 2)
    night = solve(told)
    lines = list(night.lists.rows())
    assert lines
    for line in lines:
        match = night.match(line.item, line.solution)
        assert len(match.passed) == 13
        assert all(one.holds and one.evidence for one in match.passed)
        assert match.worth is not None
        assert len(match.terms) == 3
        sizes = [abs(won) for _, won in match.terms]
        assert sizes == sorted(sizes, reverse=True)
        assert min(sizes) >= min(abs(won) for won in match.worth.terms.values())
        offer = next(row for row in told.solutions if row.id == line.solution)
        counted = told.counts[offer.supplier, offer.family]
        assert match.record.n == counted.decided
        assert (match.cannot_tell, match.cause_not_shown) == (counted.cannot_tell, counted.cause_not_shown)
        assert match.record.low < match.record.mean < match.record.high
        assert (match.cheaper_by is None) == (line.slot == 1)


def test_offers_carry_the_numbers_of_their_matches() -> None:
    night = solve(market(80, 200, 2))
    offers = list(night.offers())
    lines = list(night.lists.rows())
    assert len(offers) == len(lines) > 50
    for offer, line in zip(offers, lines, strict=True):
        assert offer[:5] == (line.item, line.solution, line.slot, line.by, line.cost)
        match = night.match(offer.item, offer.solution)
        assert match.worth is not None
        assert (offer.q10, offer.mean, offer.q90) == (match.worth.q10, match.worth.mean, match.worth.q90)
        assert match.worth.terms == {
            "gain": offer.gain, "price": offer.price, "yearly": offer.yearly, "leaving": offer.leaving,
        }  # fmt: skip
        assert offer.rate == match.record


def test_at_the_stated_price_it_would_be_the_first_and_at_a_won_more_it_would_not() -> None:
    told = market(20, 200, 4)
    night = solve(told)
    asked = 0
    for line in [row for row in night.lists.rows() if row.slot > 1][:8]:
        less = night.match(line.item, line.solution).cheaper_by
        assert less is not None
        for change, first in ((less + 1, True), (less - 2, False)):  # floor and rounding: two won
            again = [
                replace(row, price=Span(row.price.low - change, row.price.high - change))
                if row.id == line.solution
                else row
                for row in told.solutions
            ]
            only = replace(told, items=[row for row in told.items if row.id == line.item], solutions=again)
            lines = list(solve(only).lists.rows())
            assert (lines[0].solution == line.solution) == first
        asked += 1
    assert asked == 8


def small(loss: Span, **changed: object) -> Night:
    items, offers = [item(0, loss=loss)], [solution(0, "s", **changed)]
    return solve(Market(items, offers, [supplier("s")], COUNTS, {"fam": (0.2, 0.05)}, {}))


def test_the_four_things_that_are_said_of_an_item() -> None:
    word, best = small(Span(1e9, 1.2e9)).advice("i0")
    assert word == "offers"
    assert best is not None
    assert best > 0
    night = small(Span(1e7, 2e7))
    word, best = night.advice("i0")
    assert word == "not_now"
    assert best is not None
    assert best < 0
    assert list(night.lists.rows()) == []
    less = night.match("i0", "x0").cheaper_by
    assert less == -best
    assert small(Span(1e9, 1.2e9), family="unheard of").advice("i0") == ("not_known", None)
    night = small(Span(1e9, 1.2e9), processes=frozenset({"welding"}))
    assert night.advice("i0") == ("nobody", None)
    with pytest.raises(ValueError, match="no candidate"):
        night.match("i0", "x0")
    with pytest.raises(KeyError):
        night.advice("i1")


def test_an_unknown_worth_is_told_as_unknown() -> None:
    match = small(Span(1e9, 1.2e9), family="unheard of").match("i0", "x0")
    assert (match.worth, match.terms, match.cheaper_by) == (None, [], None)


def test_nights_rotate_among_equals() -> None:
    names = [f"s{at}" for at in range(12)]
    told = Market(
        [item(at) for at in range(3)], [solution(at, name) for at, name in enumerate(names)],
        [supplier(name) for name in names], {(name, "fam"): Counted(2, 3) for name in names},
        {"fam": (0.2, 0.03)}, {},
    )  # fmt: skip
    ledger, seen = Ledger(), set[str]()
    for night in range(3):
        on = ON + timedelta(days=night)
        lists = matched(
            told.items, told.solutions, told.suppliers,
            counts=told.counts, priors=told.priors, ledger=ledger, on=on, seed=f"night {night}",
        ).lists  # fmt: skip
        shown = [
            row.id
            for row, times in zip(lists.columns.suppliers, lists.showings(), strict=True)
            for _ in range(times)
        ]
        ledger = ledger.added(on, shown, names)
        seen |= set(shown)
    assert seen == set(names), "nine lines for exposure, twelve equals: all are shown"


def test_financial_risk_can_be_seen_by_no_part_of_a_night() -> None:
    assert {one.name for one in fields(Supplier)} == {
        "id", "active", "parties", "slots", "verified", "open", "size",
    }  # fmt: skip
