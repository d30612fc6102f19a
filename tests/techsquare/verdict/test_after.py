"""What follows a verdict: milestones of a price, objections."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techsquare.verdict.milestones import milestones
from techsquare.verdict.objection import OBJECT_DAYS, Objection, refuse, standing
from techsquare.verdict.terms import Verdict, Word
from techsquare.verdict.use import State

TOLD = date(2026, 9, 1)
PARTIES = ("factory-1", "supplier-1")
SAID = Verdict("worse", 1, 0.04, -3.0, -5.0, -1.0, None, 8, 1, (40, 40), (0, 0), 0.0, (), None, (), "hash")


@given(st.integers(0, 10**12))
def test_parts_of_a_price_are_whole_won_and_add_up(price: int) -> None:
    parts = milestones(price, delivered=False, accepted=False, use=None, word=None)
    assert sum(part.won for part in parts) == price
    assert [part.percent for part in parts] == [40, 50, 10]
    for part in parts:
        assert abs(part.won - price * part.percent / 100) <= 2


def test_every_case_of_the_three_parts() -> None:
    uses: tuple[State | None, ...] = (None, *get_args(State))
    words: tuple[Word | None, ...] = (None, *get_args(Word))
    for delivered, accepted, use, word, contested in product(
        (False, True), (False, True), uses, words, (False, True)
    ):  # fmt: skip
        first, second, third = milestones(
            100, delivered=delivered, accepted=accepted, use=use, word=word, contested=contested
        )
        assert (first.status == "due") == delivered
        assert (second.status == "due") == (accepted and use in {None, "used"})
        assert (third.status == "due") == (word in {"improved", "cannot_tell", "cause_not_shown"})
        if word in {"worse", "no_change"}:
            assert (third.status, third.because) == (("held", "objection") if contested else ("lapsed", word))
        for part in (first, second, third):
            assert (part.because is None) == (part.status == "due")
    with pytest.raises(ValueError, match="0 won"):
        milestones(-1, delivered=True, accepted=True, use=None, word=None)


def objection(**what: object) -> Objection:
    one = Objection("supplier-1", "supplier", TOLD, "days", "the hall was without power")
    return replace(one, **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (objection(), None),
        (objection(on=TOLD + timedelta(days=OBJECT_DAYS)), None),
        (objection(on=TOLD + timedelta(days=OBJECT_DAYS + 1)), "too_late"),
        (objection(on=TOLD - timedelta(days=1)), "too_early"),
        (objection(party="somebody"), "no_party"),
        (objection(text=" "), "no_text"),
        (objection(party="factory-1"), "already"),
    ],
)
def test_who_may_object_when(one: Objection, why: str | None) -> None:
    assert refuse(one, TOLD, PARTIES, [objection(party="factory-1", side="factory")]) == why


def test_a_verdict_stands_marked_until_it_is_decided() -> None:
    late = TOLD + timedelta(days=OBJECT_DAYS + 1)
    now = standing(SAID, TOLD, [objection()], late)
    assert (now.word, now.contested, now.open, now.final) == ("worse", True, 1, False)
    kept = standing(SAID, TOLD, [objection(decision="stands")], late)
    assert (kept.word, kept.contested, kept.final) == ("worse", False, True)
    assert not standing(SAID, TOLD, [], TOLD + timedelta(days=OBJECT_DAYS)).final
    assert standing(SAID, TOLD, [], late).final


def test_a_verdict_is_replaced_by_the_same_look_or_withdrawn() -> None:
    late = TOLD + timedelta(days=OBJECT_DAYS + 1)
    better = replace(SAID, word="no_change", low=-1.0, high=1.0)
    new = objection(decision="replaced", replacement=better, decided_on=late)
    now = standing(SAID, TOLD, [new], late)
    assert (now.word, now.verdict) == ("no_change", better)
    gone = standing(SAID, TOLD, [new, objection(party="factory-1", decision="withdrawn")], late)
    assert gone.word == "cannot_tell"
    for wrong in (None, replace(better, plan="another"), replace(better, look=2)):
        with pytest.raises(ValueError, match="same plan and the same look"):
            standing(SAID, TOLD, [objection(decision="replaced", replacement=wrong)], late)
