"""From records to machine-days, against the seconds of a machine; other sources beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from contract.day import Day as Record
from contract.day import DayMachine, MetricDay
from readiness.daily import metric_day
from readiness.elements import ELEMENTS
from techsquare.diagnosis.counted import Reading, counted
from techsquare.diagnosis.days import HELD, chosen, machine_days, window
from techsquare.diagnosis.split import split
from tests.readiness.seconds import DAY_S, planned
from tests.readiness.test_production import IDEAL, Day
from tests.techsquare.diagnosis.made import FIRST, on

if TYPE_CHECKING:
    from datetime import date

HASH = "0" * 16


def record(metrics: list[MetricDay], day: date = FIRST, **changes: object) -> Record:
    made = Record(
        factory="f", site="s", agent="a", date=day.isoformat(), zone="Asia/Seoul", start="0", end="1", number=1,
        made_at="1", key=HASH, formulas="1", model=HASH, config=HASH, plant=HASH, evidence=HASH, simulated=0.0,
        machines=[DayMachine("press", 1.0, str(28_800 * 10**9))], metrics=metrics,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def state(name: str, seconds: float, whole: float = 28_800.0) -> MetricDay:
    return MetricDay(name, "1", "ratio", [0], [seconds], [whole])


@pytest.mark.parametrize("seed", range(2))
def test_a_real_record_gives_the_seconds_that_the_machine_spent(seed: int) -> None:
    day = Day(seed, days=2)
    view, counts = day.world().view(), planned(day.days)
    metrics = [metric_day(e, ["press"], {"press": e.evaluate(view, "press")}) for _, e in sorted(ELEMENTS.items())]
    (one,) = machine_days(record(metrics))
    last = slice(-DAY_S, None)
    told = {"production_s": 1, "setup_s": 4, "fault_s": 3, "standby_s": 2, "off_s": 0}
    for field, code in told.items():
        assert getattr(one, field) == pytest.approx(((day.state == code) & counts)[last].sum())
    assert one.planned_s == counts[last].sum()
    pri = np.where(day.product == 1, IDEAL["A"], IDEAL["B"])[last]
    made = (day.pieces * counts)[last]
    good = ((day.pieces - day.rejects) * counts)[last]
    assert one.ideal_s == pytest.approx((pri * made).sum())
    assert one.good_s == pytest.approx((pri * good).sum())
    assert one.pieces == pytest.approx(made.sum())
    assert one.energy_kwh is None
    assert one.reasons["EC"] == "NA_NO_EVIDENCE"
    parts = split(one)
    assert sum(parts.values()) == counts[last].sum() * 10**6
    assert parts["good"] == pytest.approx((pri * good).sum() * 1e6, abs=2)
    assert parts["production"] <= 2


def test_what_is_not_assessed_is_none_with_its_reason_and_time_counts_all_the_same() -> None:
    apart = MetricDay("E", "1", "ratio", apart={"NA_NO_EVIDENCE": [0]})
    (one,) = machine_days(record([apart]))
    assert (one.planned_s, one.known_s, one.production_s, one.ideal_s) == (28_800, 0, None, None)
    assert one.reasons == {"E": "NA_NO_EVIDENCE"}
    assert split(one)["unknown"] == 28_800 * 10**6


def test_held_values_are_never_added_up() -> None:
    held = MetricDay("PQ", "1/h", "ratio", [0], [0.5], [1.0], held=[0])
    (one,) = machine_days(record([state("APT", 100.0), state("UNK", 28_700.0), held]))
    assert one.pieces is None
    assert one.reasons["PQ"] == HELD
    (other,) = machine_days(record([MetricDay("EC", "kWh/d", "state", [0], [12.0], [1.0])]))
    assert other.energy_kwh is None


def test_a_record_that_names_a_machine_it_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have"):
        machine_days(record([MetricDay("APT", "1", "ratio", [1], [1.0], [1.0])]))


def test_days_of_other_formulas_are_left_out_once_the_latest_have_enough() -> None:
    def days(first: int, count: int, formulas: str) -> list[Record]:
        return [record([state("APT", 10.0)], on(first + i), formulas=formulas) for i in range(count)]

    few = window([*days(0, 20, "1"), *days(20, 9, "2")])
    assert (len(few.days), few.formulas, few.left_out) == (29, ["1", "2"], 0)
    enough = window([*days(20, 10, "2"), *days(0, 20, "1")])
    assert (len(enough.days), list(enough.formulas), enough.left_out) == (10, ["2"], 20)


def test_of_two_agents_the_one_that_knows_more_tells_of_a_machine() -> None:
    blind = record([state("APT", 0.0), state("UNK", 28_000.0)], agent="a")
    sees = record([state("APT", 20_000.0), state("UNK", 8_800.0)], agent="b")
    assert window([blind, sees]) == window([sees, blind])
    assert window([blind, sees]).days[0].production_s == 20_000


def readings(machine: str = "press", day: date = FIRST, **values: float) -> list[Reading]:
    return [Reading(machine, day, kind, value) for kind, value in values.items()]  # type: ignore[arg-type]


def test_minutes_that_nobody_wrote_down_are_unknown() -> None:
    (one,), wrong = counted(readings(planned_min=480, fault_min=30, pieces=100, rejects=4, ideal_cycle_s=30))
    assert wrong == []
    assert (one.source, one.known_s, one.production_s, one.priced_s) == ("counted", 1800, None, None)
    assert split(one)["unknown"] == (480 - 30) * 60 * 10**6
    (all_,), _ = counted(
        readings(planned_min=480, production_min=400, fault_min=80, pieces=700, rejects=7, ideal_cycle_s=30)
    )
    assert split(all_) == {
        "good": 693 * 30 * 10**6, "scrap": 7 * 30 * 10**6, "speed": 3000 * 10**6, "production": 0, "setup": 0,
        "fault": 4800 * 10**6, "standby": 0, "off": 0, "unknown": 0,
    }  # fmt: skip


def test_lines_that_cannot_be_true_are_told_and_left_out() -> None:
    found, wrong = counted(
        [
            *readings("a", planned_min=60, fault_min=61),
            *readings("b", planned_min=60, pieces=3, rejects=4),
            *readings("c", fault_min=5),
        ]
    )
    assert found == []
    assert [(w.machine, w.why) for w in wrong] == [
        ("a", "more_than_planned"),
        ("b", "rejects_above_pieces"),
        ("c", "no_planned_time"),
    ]


def test_a_meter_is_read_in_equal_parts_between_two_readings_and_may_not_fall() -> None:
    lines = [
        Reading("press", on(n), "meter_kwh", kwh) for n, kwh in ((0, 100.0), (4, 140.0), (6, 20.0), (50, 30.0))
    ]
    found, wrong = counted(lines)
    assert [(one.day, one.energy_kwh) for one in found] == [(on(n), 10.0) for n in range(4)]
    assert [w.why for w in wrong] == ["meter_fell", "meter_seldom"]
    assert counted(reversed(lines)) == (found, wrong)


def test_a_counted_day_never_stands_in_the_place_of_a_measured_one() -> None:
    measured = machine_days(record([state("APT", 20_000.0), state("UNK", 8_800.0)]))
    hand, _ = counted(readings(planned_min=480, production_min=480))
    assert chosen([*hand, *measured], lambda d: d.known_s > 0)["press"] == measured
    blind = [replace(measured[0], known_s=0.0)]
    assert chosen([*blind, *hand], lambda d: d.known_s > 0)["press"] == hand
    with pytest.raises(ValueError, match="two rows"):
        chosen([*hand, *hand], lambda d: d.known_s > 0)
