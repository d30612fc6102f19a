"""Dimensions and the index over them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.report import Dimension, Value
from readiness.bands import band, carried, of_dimensions
from readiness.dimensions import dimension, dimensions, index, limits
from readiness.indicators.base import Census, Missing
from readiness.inventory import Machine
from readiness.model import Condition, Ladder, Step
from tests.readiness.plant import model

if TYPE_CHECKING:
    from readiness.indicators.base import Outcome

EVIDENCE = "0" * 16
FOUND = {d.id: d for d in model().dimensions.dimensions}


def value(metric: str, number: float | None, reason: str = "NA_NO_EVIDENCE", **more: object) -> Value:
    head = Value(metric=metric, unit="1", evidence=EVIDENCE)
    fields = {name: getattr(head, name) for name in head.__struct_fields__}
    if number is None:
        return Value(**{**fields, "reason": reason})
    return Value(**{**fields, "value": number, "score": model().score(metric, number), **more})


def of(asked: str, **scores: float | str | None) -> Dimension:
    """Return a dimension of values whose score is theirs; None is missing, a text does not apply."""
    values = {}
    for metric, number in scores.items():
        if isinstance(number, str) or number is None:
            values[metric] = value(metric, None, number or "NA_NO_EVIDENCE")
        else:
            values[metric] = Value(metric=metric, unit="1", evidence=EVIDENCE, value=1.0, score=number)
    return dimension(model(), FOUND[asked], values, EVIDENCE)


def test_a_dimension_is_the_mean_of_its_assessed_scores() -> None:
    found = of("D1", C01=100, C02=70, C03=40, C04=None, X01=50)
    assert found.score == 65.0
    assert (found.assessed, found.applicable, found.coverage, found.missing) == (4, 5, 0.8, ["C04"])
    assert found.reason is None


def test_what_does_not_apply_leaves_the_denominator() -> None:
    found = of("D9", S01=0, S02=0, S03="NOT_APPLICABLE", S04=None)
    assert (found.assessed, found.applicable, found.score) == (2, 3, 0.0)
    gone = of("D9", **dict.fromkeys(("S01", "S02", "S03", "S04"), "NOT_APPLICABLE"))
    assert (gone.score, gone.reason) == (None, "not_applicable")


def test_too_few_or_a_missing_gate_is_not_assessed() -> None:
    few = of("D1", C01=100, C02=None, C03=100, C04=None, X01=None)
    assert (few.score, few.reason, few.coverage) == (None, "coverage", 0.4)
    gate = of("D1", C01=100, C02=100, C03=None, C04=100, X01=100)
    assert (gate.score, gate.reason, gate.missing) == (None, "gate", ["C03"])
    exactly = of("D1", C01=100, C02=70, C03=40, C04=None, X01=None)
    assert exactly.score == 70.0


def test_of_two_gates_that_are_alternatives_one_is_enough() -> None:
    assert of("D6", U01=80, U02=80, U03=None, U04=80).score == 80
    assert of("D6", U01=80, U02=80, U03=80, U04=None).score == 80
    assert of("D6", U01=80, U02=80, U03=None, U04=None).reason == "coverage"
    lax = replace(model(), dimensions=type(model().dimensions)(1, 0.5, 10, model().dimensions.dimensions))
    values = {m: value(m, 0.9) for m in ("U01", "U02")} | {m: value(m, None) for m in ("U03", "U04")}
    assert dimension(lax, FOUND["D6"], values, EVIDENCE).reason == "gate"


def test_the_band_over_weights_encloses_what_90_percent_of_weightings_give() -> None:
    scores = {"S01": 0.0, "S02": 100.0, "S03": 50.0, "S04": 100.0}
    found = of("D9", **scores)
    assert found.least is not None
    assert found.most is not None
    assert found.score == 62.5
    weights = np.random.default_rng(1).dirichlet(np.ones(4), 200_000)
    expected = np.quantile(weights @ np.array(list(scores.values())), [0.05, 0.95])
    assert [found.least, found.most] == pytest.approx(expected, abs=2.5)  # 1,000 draws
    assert of("D9", **scores) == found
    alike = of("D9", S01=40, S02=40, S03=40, S04=40)
    assert (alike.least, alike.most) == (40, 40)


def test_sampling_is_carried_as_if_all_erred_at_once() -> None:
    values = {
        "C01": value("C01", 0.8),
        "C02": value("C02", 70.0),
        "C03": value("C03", 0.97, lo=0.95, hi=0.99),
        "X01": value("X01", 30.0, lo=10.0, hi=60.0),  # the better end is the lower one
    }
    found = dimension(model(), FOUND["D1"], values, EVIDENCE)
    assert found.score == pytest.approx((80 + 70 + 60 + 92) / 4)
    assert found.lo == pytest.approx((80 + 70 + 40 + 80) / 4)
    assert found.hi == pytest.approx((80 + 70 + 80 + 100) / 4)


def test_a_cap_moves_the_limits_with_the_score() -> None:
    capped = value("A01", 0.999, lo=0.99, hi=1.0, score=60.0)
    assert limits(model(), capped) == (60.0, 45.0, 60.0)


def dims(*scores: float | None) -> list[Dimension]:
    return [
        Dimension(id=f"D{k}", assessed=1, applicable=1, score=s, reason=None if s is not None else "coverage")
        for k, s in enumerate(scores)
    ]


def test_the_index_by_hand() -> None:
    found = index(dims(100, 25, None))
    assert found is not None
    assert found.value == 50.0
    assert found.dimensions == 2
    assert found.low == pytest.approx(2500 ** (1 / 3), abs=0.05)
    assert found.high == pytest.approx(250_000 ** (1 / 3), abs=0.05)
    zero = index(dims(100, 0))
    assert zero is not None
    assert (zero.value, zero.low, zero.high) == (10.0, 10.0, 10.0)  # 0 counts as 1
    none = index(dims(None, None))
    assert none is not None
    assert (none.value, none.low, none.high) == (None, 1.0, 100.0)
    assert index([Dimension(id="D1", assessed=0, applicable=0, reason="not_applicable")]) is None


@given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=10))
def test_the_index_lies_within_its_bounds(scores: list[float | None]) -> None:
    found = index(dims(*scores))
    assert found is not None
    known = [max(s, 1.0) for s in scores if s is not None]
    if known:
        assert found.value == pytest.approx(math.exp(sum(math.log(s) for s in known) / len(known)), abs=0.051)
        assert found.value is not None
        assert found.low <= found.value <= found.high
    if len(known) == len(scores):
        assert found.low == found.high == found.value


STEPS = [
    Step(1, "x", [Condition("C01", min=0.5)]),
    Step(2, "x", [Condition("C02", min=70), Condition("D1", min=60)]),
    Step(3, "x", [Condition("S01", min=0.8)]),
]
LADDER = Ladder("SI7", "x", "x", 5, STEPS)


def test_a_band_is_what_the_evidence_supports_at_most() -> None:
    scores = of_dimensions([*dims(None, 65.0)], EVIDENCE)
    values = {"C01": value("C01", 1.0), "C02": value("C02", None), "S01": value("S01", None), **scores}
    found = band(LADDER, values, 0.1)
    assert (found.low, found.high, found.measurable, found.of) == (1, 3, 3, 5)
    assert found.missing == ["C02", "S01"]
    plain = band(LADDER, {**values, "S01": value("S01", 0.0)}, 0.1)
    assert (plain.low, plain.high, plain.missing) == (1, 2, ["C02"])  # what lies above a failed one settles nothing
    closed = band(LADDER, {**values, "C01": value("C01", 0.2)}, 0.1)
    assert (closed.low, closed.high, closed.missing) == (0, 0, [])


@pytest.mark.parametrize(
    ("known", "reason"), [(10, None), (8, None), (7, "NA_CLOCK"), (1, "NA_CLOCK"), (0, "NA_CLOCK")]
)
def test_what_few_machines_show_is_no_evidence_of_a_plant(known: int, reason: str | None) -> None:
    inventory = [Machine(str(k), str(k), 0.1) for k in range(12)]
    outcomes: dict[str, Outcome] = {m.id: Census(1.0, 1) for m in inventory[:known]}
    outcomes |= {m.id: Missing("NA_CLOCK") for m in inventory[known:10]}
    outcomes |= {m.id: Missing("NOT_APPLICABLE") for m in inventory[10:]}
    mean = value("C01", 1.0) if known else Value(metric="C01", unit="1", evidence=EVIDENCE, reason="NA_CLOCK")
    found = carried(mean, outcomes, inventory, 0.8)
    assert found.reason == reason
    if reason is None:
        assert found is mean
    else:
        assert (band(LADDER, {"C01": found}, 0.1).low, band(LADDER, {"C01": found}, 0.1).high) == (0, 3)


def test_a_plant_of_plain_modbus_stays_below_the_third_band_of_connectivity() -> None:
    values = {metric: value(metric, 1.0) for metric in ("C01", "C04", "Q09", "A01", "S01", "S02", "A04")} | {
        "C02": value("C02", 70.0),
        "S01": value("S01", 0.0),
        "S02": value("S02", 0.0),
    }
    found = band(model().siri.scales[0], values, model().siri.tolerance)
    assert (found.id, found.low, found.high) == ("SI7", 2, 2)


def test_all_dimensions_are_made_of_any_values() -> None:
    found = dimensions(model(), {}, EVIDENCE)
    assert [d.id for d in found] == [f"D{k}" for k in range(1, 11)]
    assert {d.reason for d in found} == {"not_applicable"}
