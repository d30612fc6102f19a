"""Evidence levels from gates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.report import Bounds, Levels, Machine, Value
from readiness.conditions import state
from readiness.inventory import Machine as Declared
from readiness.levels import cascade, judge
from readiness.model import Condition, Gates, Step

LEAST, MOST = Condition("A01", min=0.95), Condition("A04", max=60)
EITHER = Condition(any=[Condition("U03", min=0.5), Condition("U04", min=0.5)])
GATES = Gates(1, 0.8, 0.1, [Step(1, "x", [Condition("T01", min=0.8)]), Step(2, "x", [LEAST, MOST])])


def value(
    metric: str, number: float | None, lo: float | None = None, hi: float | None = None, **more: object
) -> Value:
    reason = "NA_CLOCK" if number is None else None
    fields: dict[str, object] = {"reason": reason, **more}
    return Value(metric=metric, unit="1", evidence="0" * 16, value=number, lo=lo, hi=hi, **fields)  # type: ignore[arg-type]


def asked(condition: Condition, *found: Value) -> tuple[str, list[tuple[str, str]]]:
    letter, why = state(condition, {v.metric: v for v in found}, 0.1)
    return letter, list(why)


def test_a_gate_needs_the_value_and_the_near_end_of_its_interval() -> None:
    assert asked(LEAST, value("A01", 0.96, 0.9, 0.99)) == ("P", [])
    assert asked(LEAST, value("A01", 0.96, 0.7, 0.99)) == ("U", [("A01", "NA_SHORT_WINDOW")])
    assert asked(LEAST, value("A01", 0.94, 0.9, 0.99)) == ("F", [])
    assert asked(MOST, value("A04", 50, 40, 65)) == ("P", [])
    assert asked(MOST, value("A04", 50, 40, 80)) == ("U", [("A04", "NA_SHORT_WINDOW")])
    assert asked(MOST, value("A04", 61, 40, 80)) == ("F", [])
    assert asked(MOST, value("A04", None)) == ("U", [("A04", "NA_CLOCK")])
    assert asked(MOST) == ("U", [("A04", "NA_NO_EVIDENCE")])
    assert asked(LEAST, value("A01", 0.96)) == ("P", [])  # a census has no interval


def test_above_needs_the_whole_interval() -> None:
    lift = Condition("L03", above=0)
    assert asked(lift, value("L03", 0.2, 0.01, 0.4)) == ("P", [])
    assert asked(lift, value("L03", 0.2, 0.0, 0.4)) == ("U", [("L03", "NA_SHORT_WINDOW")])
    assert asked(lift, value("L03", 0.0, -0.1, 0.1)) == ("F", [])


def test_a_flag_can_say_that_a_gate_is_open_and_not_failed() -> None:
    counted = Condition("V02", min=1, open=["UNRECONCILED"])
    assert asked(counted, value("V02", 0.5, flags=["UNRECONCILED"])) == ("U", [("V02", "NA_NO_EVIDENCE")])
    assert asked(counted, value("V02", 0.0)) == ("F", [])
    assert asked(counted, value("V02", 1.0, flags=["UNRECONCILED"])) == ("P", [])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (0.6, 0.1, "P"),
        (0.1, 0.6, "P"),
        (0.1, 0.1, "F"),
        (None, 0.6, "P"),
        (None, 0.1, "U"),
        (None, None, "U"),
        ("-", 0.1, "F"),
        ("-", 0.6, "P"),
        ("-", None, "U"),
        ("-", "-", "P"),
    ],
)
def test_of_alternatives_one_suffices_and_what_does_not_apply_is_none(
    first: float | str | None, second: float | str | None, expected: str
) -> None:
    found = [
        value(metric, None, reason="NOT_APPLICABLE") if isinstance(x, str) else value(metric, x)
        for metric, x in (("U03", first), ("U04", second))
    ]
    letter, why = asked(EITHER, *found)
    assert letter == expected
    assert {metric for metric, _ in why} == {v.metric for v in found if letter == "U" and v.reason == "NA_CLOCK"}


def good(**but: Value | None) -> dict[str, Value]:
    found = {"T01": value("T01", 1), "A01": value("A01", 1, 0.9, 1), "A04": value("A04", 1, 1, 2), **but}
    return {metric: v for metric, v in found.items() if v is not None}


def test_open_gates_make_the_level_an_interval_and_name_what_is_missing() -> None:
    inventory = [Declared("a", "a"), Declared("b", "b")]
    level, machines, missing = judge(GATES, inventory, {"a": good(T01=None), "b": good()})
    assert [m.gates for m in machines] == ["UPP", "PPP"]
    assert [m.level for m in machines] == [Levels(0, 2), Levels(2, 2)]
    assert level == Levels(0, 2)
    assert [(m.metric, m.reason, m.machines) for m in missing] == [("T01", "NA_NO_EVIDENCE", ["a"])]


def test_what_all_machines_miss_is_named_once() -> None:
    _, _, missing = judge(GATES, [Declared("a", "a")], {"a": good(T01=None)})
    assert missing[0].machines == []


def test_an_upper_level_counts_for_nothing_without_the_lower() -> None:
    _, machines, _ = judge(GATES, [Declared("a", "a")], {"a": good(T01=value("T01", 0.1))})
    assert machines[0].level == Levels(0, 0)


def test_the_plant_needs_the_quorum_of_weight() -> None:
    inventory = [Declared("a", "a", 4.0), Declared("b", "b", 1.0)]
    failing = good(T01=value("T01", 0.0))
    assert judge(GATES, inventory, {"a": good(), "b": failing})[0] == Levels(2, 2)
    assert judge(GATES, inventory, {"a": failing, "b": good()})[0] == Levels(0, 0)
    assert judge(GATES, [], {})[0] == Levels(0, 0)


def test_a_quorum_of_tenths_is_met_by_tenths() -> None:
    inventory = [Declared(str(k), "x", 0.1) for k in range(10)]
    values = {m.id: good() if int(m.id) < 8 else good(T01=value("T01", 0.0)) for m in inventory}
    assert judge(GATES, inventory, values)[0] == Levels(2, 2)


def machines(*rows: tuple[float, str]) -> list[Machine]:
    return [Machine(str(k), weight, Levels(0, 0), gates) for k, (weight, gates) in enumerate(rows)]


def test_the_cascade_by_hand() -> None:
    # g1 = 3/4, g2 = 2/4 with the open one failing and 3/4 with it passing
    plant = machines((2, "PPP"), (1, "PUP"), (1, "FFP"))
    assert cascade(GATES, plant) == Bounds(round(0.75 + 0.75 * 0.5, 6), round(0.75 + 0.75 * 0.75, 6))
    assert cascade(GATES, machines((1, "FPP"))) == Bounds(0, 0)  # an upper gate buys nothing without the lower
    assert cascade(GATES, machines((1, "PPP"))) == Bounds(2, 2)
    assert cascade(GATES, []) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.text("PFU", min_size=3, max_size=3)), min_size=1, max_size=6))
def test_the_cascade_rises_with_each_gate_that_is_passed(rows: list[tuple[int, str]]) -> None:
    before = cascade(GATES, machines(*rows))
    assert before is not None
    assert 0 <= before.low <= before.high <= 2
    weight, letters = rows[0]
    for position in range(3):
        better = letters[:position] + "P" + letters[position + 1 :]
        after = cascade(GATES, machines((weight, better), *rows[1:]))
        assert after is not None
        assert after.low >= before.low
        assert after.high >= before.high
