"""The ledger: every won once, sums by anything are the same sum, a diagnosis is never the factory's."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techsquare.mentoring.ledger import OF_DIAGNOSIS, Entry, Kind, Programme, bill, sums

DAY = date(2026, 11, 23)
won = st.integers(0, 10**12)
share = st.fractions(0, 1, max_denominator=1000)
kind: st.SearchStrategy[Kind] = st.sampled_from(get_args(Kind))


@st.composite
def bills(draw: st.DrawFn) -> tuple[tuple[Entry, ...], int, Programme | None, int]:
    total = draw(won)
    eligible = draw(st.integers(0, total))
    programme = draw(st.none() | st.builds(Programme, st.sampled_from(["p1", "p2"]), share, st.integers(0, 10**9)))
    name: Kind = draw(kind)
    factory = draw(st.sampled_from(["f1", "f2", "f3"]))
    lines = bill(factory, name, total, DAY, programme=programme, eligible=eligible, sponsor=draw(share))
    return tuple(lines), total, programme, eligible


@settings(max_examples=300, deadline=None)
@given(bills())
def test_the_lines_of_a_bill_add_up_to_it(one: tuple[tuple[Entry, ...], int, Programme | None, int]) -> None:
    lines, total, programme, eligible = one
    amounts = [line.won for line in lines]
    assert sum(amount or 0 for amount in amounts) == total
    assert all(amount is not None and (amount > 0 or total == 0) for amount in amounts)
    assert len({line.payer for line in lines}) == len(lines) > 0
    paid = sum(line.won or 0 for line in lines if line.payer == "programme")
    if programme is None:
        assert paid == 0
    else:
        most = min(Fraction(programme.left), eligible * programme.share)
        assert most - 1 < paid <= most
    if lines[0].kind in OF_DIAGNOSIS:
        assert all(line.payer != "factory" for line in lines)


@settings(max_examples=60, deadline=None)
@given(st.lists(bills(), max_size=8), st.randoms(use_true_random=False))
def test_every_sum_is_the_same_sum_on_any_order(
    many: list[tuple[tuple[Entry, ...], int, Programme | None, int]], random: object
) -> None:
    lines = [line for one in many for line in one[0]]
    found = sums(lines)
    assert found.total == sum(one[1] for one in many)
    assert found.total == sum(found.by_kind.values()) == sum(found.by_payer.values())
    assert found.total == sum(found.by_factory.values())
    assert sum(found.by_programme.values()) == found.by_payer.get("programme", 0)
    assert found.diagnosis == sum(line.won or 0 for line in lines if line.kind in OF_DIAGNOSIS)
    diagnosed = {line.factory for line in lines if line.kind in OF_DIAGNOSIS}
    if diagnosed:
        assert found.a_diagnosis is not None
        assert abs(found.a_diagnosis - Fraction(found.diagnosis, len(diagnosed))) <= Fraction(1, 2)
    else:
        assert found.a_diagnosis is None
    random.shuffle(lines)  # type: ignore[attr-defined]
    assert sums(lines) == found


def test_what_nobody_has_told_is_not_nothing() -> None:
    told = sums([Entry("f1", "diagnosis", 300, "sponsor", DAY), Entry("f2", "visit", None, "sponsor", DAY)])
    assert (told.total, told.untold, told.a_diagnosis) == (300, 1, None)
    none = sums([])
    assert (none.total, none.a_diagnosis, none.untold) == (0, None, 0)


def test_a_bill_by_hand() -> None:
    half = Programme("smart", Fraction(1, 2), 20_000_000)
    lines = bill("f1", "measure", 66_000_001, DAY, programme=half, eligible=60_000_000, sponsor=Fraction(1, 4))
    assert [(line.payer, line.won) for line in lines] == [
        ("programme", 20_000_000), ("sponsor", 11_500_000), ("factory", 34_500_001),
    ]  # fmt: skip
    assert [(line.payer, line.won) for line in bill("f1", "diagnosis", 900_000, DAY)] == [("sponsor", 900_000)]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="0 won or more"):
        bill("f1", "measure", -1, DAY)
    with pytest.raises(ValueError, match="0 won or more"):
        bill("f1", "measure", 10, DAY, eligible=11)
    with pytest.raises(ValueError, match="shares"):
        bill("f1", "measure", 10, DAY, sponsor=Fraction(3, 2))
    with pytest.raises(ValueError, match="never the factory's"):
        sums([Entry("f1", "visit", 10, "factory", DAY)])
    with pytest.raises(ValueError, match="smaller bill"):
        sums([Entry("f1", "measure", -10, "factory", DAY)])
