"""Gaps: dearest first, as sure as what they rest on, blind spots beside them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from contract.report import Dimension, Levels, Machine
from readiness.indicators import REGISTRY
from techsquare.catalogue.load import load
from techsquare.diagnosis.accounts import accounts
from techsquare.diagnosis.energy import energies
from techsquare.diagnosis.gaps import DIMENSION, OF_INDICATOR, confidence, gaps, reasons_of
from techsquare.diagnosis.ledger import losses
from techsquare.diagnosis.terms import LOSSES, Account, Rates
from techsquare.span import Span, exactly
from tests.techsquare.diagnosis.made import YEAR, account, on, truth
from tests.techsquare.diagnosis.reports import report

RATES = Rates(contribution_piece=Span(400, 600), avoidable_hour=exactly(15_000.0), orders_wait="yes")


@pytest.mark.parametrize(
    ("changes", "sure"),
    [
        ({}, "high"),
        ({"days": 19}, "medium"),
        ({"coverage": 0.94}, "medium"),
        ({"days": 9}, "low"),
        ({"coverage": 0.79}, "low"),
        ({"source": "counted"}, "medium"),
        ({"source": "answered", "days": 400}, "low"),
        ({"flags": ("mixed_formulas",)}, "medium"),
        ({"flags": ("simulated",)}, "low"),
        ({"flags": ("faster_than_ideal", "no_split")}, "high"),
    ],
)
def test_a_gap_is_as_sure_as_what_it_rests_on(changes: dict[str, object], sure: str) -> None:
    one = account(**changes)
    assert confidence(one) == sure
    assert {gap.confidence for gap in gaps(losses([one], RATES), [one]) if gap.bucket} == {sure}


def test_gaps_come_by_won_then_hours_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(5)
    found = accounts([*truth(rng, 20), *truth(rng, 20, "oven"), *truth(rng, 20, "mill")], YEAR)
    lines = losses(found, replace(RATES, limits={"press": "yes", "oven": "no"}))
    lines = [replace(loss, won_year=None) if loss.machine == "mill" else loss for loss in lines]
    ordered = gaps(lines, found)
    for seed in range(5):
        mixed, accs = lines[:], found[:]
        Random(seed).shuffle(mixed)
        Random(seed + 9).shuffle(accs)
        assert gaps(mixed, accs) == ordered

    def middle(span: Span | None) -> float:
        return -1.0 if span is None else sum(span) / 2

    keys = [(middle(gap.won_year), middle(gap.hours_year)) for gap in ordered]
    assert keys == sorted(keys, reverse=True)
    assert len({gap.id for gap in ordered}) == len(ordered)


def test_a_bucket_without_any_loss_is_no_gap() -> None:
    found = accounts(truth(np.random.default_rng(5), 20), YEAR)
    assert found[0].time_us["off"] == 0
    assert "press:off" not in {gap.id for gap in gaps(losses(found, RATES), found)}
    assert "off" in {loss.bucket for loss in losses(found, RATES)}


def test_what_hides_losses_is_a_gap_with_hours_and_no_won() -> None:
    days = [
        replace(d, planned_s=d.planned_s * 1.2, good_s=None, checked_s=None, reasons={"QR": "NA_NO_EVIDENCE"})
        for d in truth(np.random.default_rng(5), 20)
    ]
    found = accounts(days, YEAR)
    by_id = {gap.id: gap for gap in gaps(losses(found, RATES), found, reasons=reasons_of(days))}
    for name in ("press:unknown", "press:production"):
        assert by_id[name].won_year is None
        assert by_id[name].hours_year is not None
        assert by_id[name].dimension == "D4"
    assert "not_seen:QR:NA_NO_EVIDENCE" in by_id["press:production"].why
    assert by_id["press:energy"].why == ("not_seen:EC",)
    metered = [replace(d, energy_kwh=50.0) for d in days]
    quiet = gaps(losses(found, RATES), found, energies(metered, RATES, YEAR))
    assert "press:energy" not in {gap.id for gap in quiet}


def test_dimensions_and_gates_of_a_report_are_gaps_with_their_machines_counted() -> None:
    one: list[Account] = []
    made = report(
        conditions=["V02", "C03", "U03|U04", "live_pv"],
        machines=[
            Machine("a", 1.0, Levels(0, 1), "FPUF"),
            Machine("b", 1.0, Levels(0, 1), "FPPP"),
            Machine("c", 1.0, Levels(0, 1), "UPPP"),
        ],
        dimensions=[
            Dimension("D1", 5, 5, 1.0, 80.0),
            Dimension("D4", 1, 5, 0.2, reason="gate", missing=["V03"]),
            Dimension("D6", 4, 4, 1.0, 30.0),
            Dimension("D9", 0, 0, reason="not_applicable"),
        ],
    )
    found = {gap.dimension: gap for gap in gaps([], one, report=made)}
    assert set(found) == {"D4", "D6"}
    assert found["D4"].why == ("not_assessed:gate", "missing:V03", "gate:V02:F:2", "gate:V02:U:1")
    assert found["D6"].why == ("gate:U03|U04:U:1",)
    assert found["D4"].confidence == "high"


def test_dimensions_are_those_of_readiness_and_of_the_catalogue() -> None:
    entries = load().entries
    for bucket in LOSSES:
        counts: dict[str, int] = {}
        for entry in entries:
            if any(gain.bucket == bucket for gain in entry.gains):
                counts[entry.dimension] = counts.get(entry.dimension, 0) + 1
        assert counts[DIMENSION[bucket]] == max(counts.values()), (bucket, counts)
    assert {name[0] for name in REGISTRY} == set(OF_INDICATOR)


def test_the_latest_measured_day_says_why_something_is_not_seen() -> None:
    (day, *_) = truth(np.random.default_rng(5), 1)
    late = replace(day, day=on(9), reasons={"E": "NA_NO_INVENTORY"})
    hand = replace(day, day=on(11), source="counted")
    assert reasons_of([late, hand, day]) == {"press": {"E": "NA_NO_INVENTORY"}}
