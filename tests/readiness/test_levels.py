"""Evidence levels from gates."""

from __future__ import annotations

from contract.report import Levels, Value
from readiness.inventory import Machine
from readiness.levels import judge, state
from readiness.model import Condition, Gates, Level

LEAST, MOST = Condition("A01", min=0.95), Condition("A04", max=60)
GATES = Gates(1, 0.8, 0.1, [Level(1, [Condition("T01", min=0.8)]), Level(2, [LEAST, MOST])])


def value(metric: str, number: float | None, lo: float | None = None, hi: float | None = None) -> Value:
    reason = "NA_CLOCK" if number is None else None
    return Value(metric=metric, unit="1", evidence="0" * 16, value=number, lo=lo, hi=hi, reason=reason)  # type: ignore[arg-type]


def test_a_gate_needs_the_value_and_the_near_end_of_its_interval() -> None:
    assert state(LEAST, value("A01", 0.96, 0.9, 0.99), 0.1) == ("P", None)
    assert state(LEAST, value("A01", 0.96, 0.7, 0.99), 0.1) == ("U", "NA_SHORT_WINDOW")
    assert state(LEAST, value("A01", 0.94, 0.9, 0.99), 0.1) == ("F", None)
    assert state(MOST, value("A04", 50, 40, 65), 0.1) == ("P", None)
    assert state(MOST, value("A04", 50, 40, 80), 0.1) == ("U", "NA_SHORT_WINDOW")
    assert state(MOST, value("A04", 61, 40, 80), 0.1) == ("F", None)
    assert state(MOST, value("A04", None), 0.1) == ("U", "NA_CLOCK")
    assert state(MOST, None, 0.1) == ("U", "NA_NO_EVIDENCE")
    assert state(LEAST, value("A01", 0.96), 0.1) == ("P", None)  # a census has no interval


def good(**but: Value | None) -> dict[str, Value]:
    found = {"T01": value("T01", 1), "A01": value("A01", 1, 0.9, 1), "A04": value("A04", 1, 1, 2), **but}
    return {metric: v for metric, v in found.items() if v is not None}


def test_open_gates_make_the_level_an_interval_and_name_what_is_missing() -> None:
    inventory = [Machine("a", "a"), Machine("b", "b")]
    level, machines, missing = judge(GATES, inventory, {"a": good(T01=None), "b": good()})
    assert [m.gates for m in machines] == ["UPP", "PPP"]
    assert [m.level for m in machines] == [Levels(0, 2), Levels(2, 2)]
    assert level == Levels(0, 2)
    assert [(m.metric, m.reason, m.machines) for m in missing] == [("T01", "NA_NO_EVIDENCE", ["a"])]


def test_what_all_machines_miss_is_named_once() -> None:
    _, _, missing = judge(GATES, [Machine("a", "a")], {"a": good(T01=None)})
    assert missing[0].machines == []


def test_an_upper_level_counts_for_nothing_without_the_lower() -> None:
    _, machines, _ = judge(GATES, [Machine("a", "a")], {"a": good(T01=value("T01", 0.1))})
    assert machines[0].level == Levels(0, 0)


def test_the_plant_needs_the_quorum_of_weight() -> None:
    inventory = [Machine("a", "a", 4.0), Machine("b", "b", 1.0)]
    failing = good(T01=value("T01", 0.0))
    assert judge(GATES, inventory, {"a": good(), "b": failing})[0] == Levels(2, 2)
    assert judge(GATES, inventory, {"a": failing, "b": good()})[0] == Levels(0, 0)
    assert judge(GATES, [], {})[0] == Levels(0, 0)
