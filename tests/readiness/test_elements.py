"""The sums of a daily record, against sums over a machine's seconds."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.daily import METRICS, metric_day
from readiness.elements import ELEMENTS
from readiness.indicators import REGISTRY
from readiness.indicators.base import Missing, Rates
from tests.readiness.seconds import DAY_S, World, planned
from tests.readiness.test_production import IDEAL, MEANING, STATES, Day, products

TIMES = {"APT": 1, "AUST": 4, "ADET": 3, "ADOT": 2, "OFF": 0}


def found(world: World, name: str) -> Rates:
    outcome = ELEMENTS[name].evaluate(world.view(), "press")
    assert isinstance(outcome, Rates), outcome
    return outcome


@pytest.mark.parametrize("seed", range(3))
def test_each_day_of_each_element_equals_sums_over_seconds(seed: int) -> None:
    day = Day(seed, days=3)
    world, counts = day.world(), planned(day.days)
    rows = {name: (day.state == state) & counts for name, state in TIMES.items()}
    pri = np.where(day.product == 1, IDEAL["A"], IDEAL["B"])
    produced, good = day.pieces * counts, (day.pieces - day.rejects) * counts
    produced[0] = good[0] = 0
    sums = {name: row.reshape(-1, DAY_S).sum(axis=1) for name, row in rows.items()}
    pbt = counts.reshape(-1, DAY_S).sum(axis=1)
    for name, row in sums.items():
        one = found(world, name)
        assert one.num == pytest.approx(row)
        assert one.den == pytest.approx(pbt)
    assert found(world, "UNK").num == pytest.approx(np.zeros(day.days))
    made, earned = ((pri * x).reshape(-1, DAY_S).sum(axis=1) for x in (produced, good))
    assert found(world, "E").num == pytest.approx(made)
    assert found(world, "E").den == pytest.approx(sums["APT"])
    assert found(world, "QR").num == pytest.approx(earned)
    assert found(world, "QR").den == pytest.approx(made)
    assert found(world, "OEE").num == pytest.approx(earned)
    assert found(world, "OEE").den == pytest.approx(pbt)
    pieces = found(world, "PQ")
    assert pieces.num == pytest.approx(produced.reshape(-1, DAY_S).sum(axis=1))
    assert pieces.per * pieces.num.sum() / pieces.den.sum() == pytest.approx(3600 * produced.sum() / counts.sum())


def test_shares_of_planned_time_add_up_to_it_each_day() -> None:
    world = Day(5).world()
    rows = [found(world, name) for name in (*TIMES, "UNK")]
    assert sum(row.num for row in rows) == pytest.approx(rows[0].den)


def test_without_an_ideal_cycle_there_is_no_effectiveness_and_no_oee() -> None:
    world = Day(1).world(products=products(A=0.0, B=0.0))
    for name in ("E", "OEE"):
        assert isinstance(ELEMENTS[name].evaluate(world.view(), "press"), Missing)
    assert found(world, "APT").num.sum() > 0


def test_without_a_counter_there_is_time_and_nothing_else() -> None:
    world = World(1, {"s": (np.ones(DAY_S, np.int64), STATES)}, {}, {"s": MEANING})
    assert found(world, "APT").num[0] == planned(1).sum()
    for name in ("E", "QR", "OEE", "PQ", "EC"):
        outcome = ELEMENTS[name].evaluate(world.view(), "press")
        assert isinstance(outcome, Missing)
        assert outcome.reason == "NA_NO_EVIDENCE"


def test_a_machine_without_a_state_says_why() -> None:
    day = Day(0)
    world = World(day.days, {}, {"n": np.cumsum(day.pieces)}, {})
    outcome = ELEMENTS["APT"].evaluate(world.view(), "press")
    assert isinstance(outcome, Missing)
    record = metric_day(ELEMENTS["APT"], ["press"], {"press": outcome})
    assert record.machines == []
    assert list(record.apart.values()) == [[0]]


def test_elements_are_no_indicators() -> None:
    assert not ELEMENTS.keys() & REGISTRY.keys()
    assert set(METRICS) == ELEMENTS.keys() | REGISTRY.keys()
