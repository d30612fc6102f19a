"""The chance of each level, against redoing the draws one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from contract.codec import checksum
from contract.report import Value
from readiness.chances import Replicates
from readiness.indicators.base import Census, Missing, Shares
from readiness.inventory import Machine
from readiness.model import Condition, Gates, Step
from readiness.stats import REPLICATES, draws
from tests.readiness.test_levels import value

if TYPE_CHECKING:
    from readiness.indicators.base import Outcome

DAYS = 20
EITHER = Condition(any=[Condition("U03", min=0.5), Condition("U04", min=0.5)])
GATES = Gates(
    1, 0.8, 0.15,
    [Step(1, "x", [Condition("A01", min=0.95)]), Step(2, "x", [Condition("C03", min=0.9), EITHER])],
)  # fmt: skip
ALL = np.ones(DAYS, np.bool_)


def lossy(seed: int, mean: float) -> Shares:
    num = 100 - np.minimum(np.random.default_rng(seed).exponential(mean, DAYS), 100.0)
    return Shares(num, np.full(DAYS, 100.0))


def plain(metric: str, found: Outcome) -> Value:
    if isinstance(found, Missing):
        return Value(metric=metric, unit="1", evidence="0" * 16, reason=found.reason)
    if isinstance(found, Census):
        return value(metric, found.value)
    assert isinstance(found, Shares)
    number = float(found.num.sum() / found.den.sum())
    return value(metric, number, max(number - 0.02, 0), min(number + 0.01, 1))


def replicates(outcomes: dict[str, dict[str, Outcome]], gates: Gates = GATES) -> Replicates:
    machines = {m for row in outcomes.values() for m in row}
    values = {m: {metric: plain(metric, row[m]) for metric, row in outcomes.items()} for m in machines}
    return Replicates(gates=gates, values=values, outcomes=outcomes, days=ALL, seed="seed")


def test_whole_days_are_drawn_for_the_whole_plant() -> None:
    rows: dict[str, dict[str, Outcome]] = {
        "A01": {m: lossy(k, 5.0) for k, m in enumerate("abc")},
        "C03": {m: lossy(10 + k, 9.0) for k, m in enumerate("abc")},
        "U03": dict.fromkeys("abc", Census(0.7, 3)),
        "U04": {"a": Missing("NA_FEW_EVENTS"), "b": Census(0.1, 3), "c": Missing("NOT_APPLICABLE")},
    }
    plant = replicates(rows)
    inventory = [Machine("a", "a", 5.0), Machine("b", "b", 4.0), Machine("c", "c", 1.0)]
    found = plant.chances(inventory)
    counts = draws(DAYS, int(checksum(b"seed"), 16))
    one = two = 0
    for drawn in counts:
        first = second = 0.0
        for m in inventory:
            a, c = (rows[metric][m.id] for metric in ("A01", "C03"))
            assert isinstance(a, Shares)
            assert isinstance(c, Shares)
            has = float((drawn * a.num).sum()) / (100 * DAYS) >= 0.95
            first += m.weight * has
            second += m.weight * (has and float((drawn * c.num).sum()) / (100 * DAYS) >= 0.9)
        one, two = one + (first >= 8), two + (second >= 8)
    assert [(c.level, c.low) for c in found] == [(1, one / REPLICATES), (2, two / REPLICATES)]
    assert 0.05 < found[0].low < 0.95
    assert found[1].low <= found[0].low
    assert found[1].high == found[1].low  # an alternative that passes needs no other


def test_what_is_missing_is_missing_in_all_replicates() -> None:
    plant = replicates({"A01": {"a": Census(1.0, 1)}, "C03": {"a": Missing("NA_NO_SCHEDULE")}})
    assert [(c.low, c.high) for c in plant.chances([Machine("a", "a")])] == [(1.0, 1.0), (0.0, 1.0)]


def test_days_that_hardly_differ_are_drawn_from_the_interval() -> None:
    """One lost day in twenty: drawing days would call 0.951 sure where its interval reaches to 0.93."""
    num = np.full(DAYS, 100.0)
    num[3] = 2.0
    row: dict[str, dict[str, Outcome]] = {"A01": {"a": Shares(num, np.full(DAYS, 100.0))}}
    found = replicates(row, Gates(1, 0.8, 0.15, GATES.levels[:1])).chances([Machine("a", "a")])
    # 0.951 is 0.001 above the limit and 0.02 above its own lower end, which is 1.645 standard deviations.
    assert found[0].low == pytest.approx(0.533, abs=0.05)


def test_no_machine_or_no_day_has_no_chance() -> None:
    assert replicates({"A01": {}}).chances([]) == []


def test_the_lower_end_moves_with_the_value() -> None:
    gates = Gates(1, 0.8, 0.15, [Step(1, "x", [Condition("L03", above=0.0)])])
    values = {"a": {"L03": value("L03", 0.2, 0.1, 0.3)}}
    plant = Replicates(gates=gates, values=values, outcomes={}, days=ALL, seed="seed")
    # The lower end is 0.1 = 1.645 standard deviations above 0.
    assert plant.chances([Machine("a", "a")])[0].low == pytest.approx(0.95, abs=0.025)


def test_a_named_gap_passes_at_the_high_end() -> None:
    gates = Gates(1, 0.8, 0.15, [Step(1, "x", [Condition("V02", min=1, open=["UNRECONCILED"])])])
    values = {"a": {"V02": value("V02", 0.5, flags=["UNRECONCILED"])}}
    plant = Replicates(gates=gates, values=values, outcomes={}, days=ALL, seed="seed")
    assert [(c.low, c.high) for c in plant.chances([Machine("a", "a")])] == [(0.0, 1.0)]
