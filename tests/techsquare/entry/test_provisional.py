"""Answers become spans that hold the truth they were rounded from, priced by the same ledger, and never more."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from techsquare.diagnosis.beside import shares
from techsquare.diagnosis.gaps import gaps
from techsquare.diagnosis.ledger import losses
from techsquare.entry.cheapest import cheapest, visit
from techsquare.entry.load import load
from techsquare.entry.model import Spread
from techsquare.entry.provisional import WEEKS, provisional, spread
from techsquare.entry.terms import MAIN
from techsquare.span import Span
from tests.techsquare.entry.owners import owner

if TYPE_CHECKING:
    from techsquare.entry.model import Form

ANSWERS: dict[str, float | str | None] = {
    "process": "press", "machines": 6, "connection": "none", "limits": "yes", "orders": "yes", "hours_day": 10,
    "days_week": 5, "fault_minutes": 30, "changeovers": 2, "setup_minutes": 30, "waiting_minutes": 30,
    "pace_percent": 80, "rejects_percent": 3, "pieces_day": 900, "contribution": 700, "material": 300, "people": 1,
    "wage": 20_000, "bill": 250, "cash": 3000,
}  # fmt: skip


@cache
def form() -> Form:
    return load(lang="en")


def test_a_full_form_prices_every_loss_and_says_that_it_is_an_answer() -> None:
    told = provisional(form(), ANSWERS, losses)
    assert (told.open, told.priors, told.lacking, told.conflicts) == ([], [], [], [])
    assert {loss.bucket for loss in told.losses} == {"scrap", "speed", "setup", "standby", "fault"}
    assert all(loss.source == "answered" and loss.won_year is not None for loss in told.losses)
    assert {gap.confidence for gap in gaps(told.losses, [told.account])} == {"low"}
    assert sum(told.account.time_us.values()) == pytest.approx(10 * 3600e6, rel=0.02)
    assert told.energy_won_year is not None
    assert told.energy_won_year.low < 30_000_000 < told.energy_won_year.high
    fault = next(loss for loss in told.losses if loss.bucket == "fault")
    assert fault.hours_year.low < 30 / 60 * 5 * WEEKS < fault.hours_year.high


def test_nobody_knows_anything_and_there_is_a_diagnosis_in_hours_all_the_same() -> None:
    told = provisional(form(), {}, losses)
    assert {loss.bucket for loss in told.losses} == {"scrap", "speed", "setup", "standby", "fault"}
    assert all(loss.won_year is None and loss.hours_year.high > loss.hours_year.low for loss in told.losses)
    assert set(told.lacking) == {"contribution", "pieces", "scrap_piece"}
    assert sorted({*told.priors, *told.open}) == sorted(str(q.id) for q in form().questions)
    assert not set(told.priors) & set(told.open)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_each_question_may_be_left_out_and_never_makes_a_loss_narrower(name: str) -> None:
    full = {loss.bucket: loss for loss in provisional(form(), ANSWERS, losses).losses}
    for value in ({}, {name: None}):
        less = provisional(form(), {k: v for k, v in ANSWERS.items() if k != name} | value, losses)
        assert (name in less.priors) != (name in less.open)
        for loss in less.losses:
            was = full[loss.bucket]
            assert loss.hours_year.high - loss.hours_year.low >= (was.hours_year.high - was.hours_year.low) * 0.999
            if loss.won_year is not None and was.won_year is not None:
                assert loss.won_year.high - loss.won_year.low >= (was.won_year.high - was.won_year.low) * 0.999


def test_each_question_feeds_what_it_says() -> None:
    base = ANSWERS | {"limits": None}  # so that contribution and avoidable cost both count
    full = provisional(form(), base, losses)
    for question in form().questions:
        changed: float | str = "no"
        if not question.choices:
            said = ANSWERS[question.id]
            assert isinstance(said, int | float)
            changed = said * 0.9
        elif question.id in {"process", "connection"}:
            continue  # constraints of matching, no part of the ledger
        other = provisional(form(), base | {question.id: changed}, losses)
        moved = {a.bucket for a, b in zip(full.losses, other.losses, strict=True) if a != b}
        for fed in question.feeds:
            if fed in {"fault", "setup", "standby", "speed", "scrap"}:
                assert fed in moved, question.id
            elif fed in {"won", "planned", "production"}:
                assert moved, question.id
            elif fed == "energy":
                assert other.energy_won_year != full.energy_won_year
            else:
                assert not moved, question.id


def test_answers_that_cannot_be_are_told_and_count_as_not_known() -> None:
    wrong = ANSWERS | {"process": "knitting", "hours_day": 30, "bill": "much", "colour": 3}
    told = provisional(form(), wrong, losses)
    assert told.conflicts == [
        ("unknown_question", "colour"),
        ("unknown_choice", "process"),
        ("out_of_range", "hours_day"),
        ("out_of_range", "bill"),
    ]
    assert "hours_day" in told.priors
    assert {"process", "bill"} <= set(told.open)
    full = provisional(form(), ANSWERS | {"fault_minutes": 1400}, losses)
    assert full.conflicts == [("stops_exceed_day", "hours_day")]
    assert all(0 <= span.low <= span.high <= 1 for span in full.account.shares.values())
    assert min(full.account.time_us.values()) >= 0


def test_the_spread_of_a_number_holds_it_and_widens_with_the_factor() -> None:
    assert spread(30, 2, 5) == (15, 60)
    assert spread(0, 2, 5) == (0, 5)
    assert spread(4, 2, 5) == (0, 9)


def test_spans_of_answers_hold_the_truth_of_owners_who_are_off_by_less_than_the_spread() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        answers, truth = owner(form(), rng)
        told = provisional(form(), answers, losses)
        assert not told.conflicts
        for loss in told.losses:
            assert loss.hours_year.low <= truth[loss.bucket] * 1.0001, loss
            assert truth[loss.bucket] <= loss.hours_year.high * 1.0001, loss
        for bucket, span in told.account.pieces.items():
            assert span.low * 0.9999 <= truth[f"{bucket} pieces"] <= span.high * 1.0001, bucket
        made = told.account.made_hour
        assert made is None or made.low * 0.9999 <= truth["made_hour"] <= made.high * 1.0001


def test_three_things_to_measure_each_narrowing_most_for_its_cost() -> None:
    found = cheapest(form(), ANSWERS, losses)
    assert len(found) == 3
    assert len({one.check for one in found}) == 3
    assert all(one.unit == "won" and one.narrows > 0 for one in found)
    rates = [one.narrows / one.cost_won for one in found]
    assert rates[0] == max(rates)
    alone = {one.check: one for check in form().checks
             for one in cheapest(form().model_copy(update={"checks": (check,)}), ANSWERS, losses)}  # fmt: skip
    best = max(alone.values(), key=lambda one: one.narrows / one.cost_won)
    assert found[0] == best
    assert "meter-week" not in alone, "a bill is no loss of time"


def test_what_is_known_well_is_not_measured_again_and_hours_stand_in_for_won() -> None:
    hours = cheapest(form(), {}, losses)
    assert {one.unit for one in hours} == {"hours"}
    assert len(hours) == 3
    none = Spread(factor=1.0)
    exact = tuple(q if q.spread is None else q.model_copy(update={"spread": none}) for q in form().questions)
    known = form().model_copy(update={"questions": exact})
    assert cheapest(known, ANSWERS, losses) == []


def test_a_dearer_measurement_of_the_same_is_never_preferred() -> None:
    first = cheapest(form(), ANSWERS, losses)[0]
    checks = tuple(c if c.id != first.check else c.model_copy(update={"won": c.won * 1000}) for c in form().checks)
    assert cheapest(form().model_copy(update={"checks": checks}), ANSWERS, losses)[0].check != first.check


def test_a_visit_holds_what_to_measure_to_ask_and_to_clear_up() -> None:
    answers = ANSWERS | {"contribution": None, "fault_minutes": 1400}
    told = provisional(form(), answers, losses)
    found = visit(told, cheapest(form(), answers, losses))
    assert found.minutes == 60 + 20 * len(found.checks)
    assert found.ask == ["contribution"]
    assert found.clear == ["hours_day"]
    assert told.account.machine == MAIN


def test_a_machine_that_has_an_id_by_now_is_put_beside_its_measurement() -> None:
    told = provisional(form(), ANSWERS, losses, "press-1")
    assert told.losses == [replace(loss, machine="press-1") for loss in provisional(form(), ANSWERS, losses).losses]
    real = replace(told.account, source="measured", shares={**told.account.shares, "fault": Span(0.3, 0.4)})
    (found,) = shares([told.account], [real], "2026-11-20")
    assert (found.subject, found.machine) == ("fault", "press-1")
