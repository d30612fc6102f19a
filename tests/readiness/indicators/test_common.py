"""What all indicators over planned time have in common: domain, censoring, window, plant value."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.frame import Status
from readiness.inventory import Machine
from readiness.schedule import Calendar
from tests.readiness.indicators.support import LATHE, PRESS, failing, gap, values
from tests.readiness.plant import DAY, FIRST, HOUR, START, Plant, planned

if TYPE_CHECKING:
    from agent.frame import Source
    from tests.readiness.plant import Ints


def test_a_perfect_plant_is_complete_and_its_interval_has_a_width() -> None:
    found = values(Plant([PRESS]))
    for metric in ("C03", "A01", "Q01"):
        value = found[metric]
        assert value.value == 1.0
        assert value.n == 20
        assert value.lo is not None
        assert 0.8 < value.lo < 1.0
        assert value.score == 100.0
        assert value.coverage == 1.0
    assert found["C01"].value == 1.0


def test_outages_outside_planned_time_cost_nothing() -> None:
    def night(of: Source, number: int, times: Ints) -> Ints:
        del of, number
        return np.where((times - START) % DAY >= 12 * HOUR, Status.BAD_NO_COMMUNICATION, 0)

    found = values(Plant([PRESS], status=night))
    assert found["A01"].value == 1.0
    assert found["C03"].value == 1.0


@pytest.mark.parametrize("cause", ["agent_off", "waiting", "clock", "overflow", "rejected", "maintenance"])
def test_our_own_outages_never_lower_the_factorys_values(cause: str) -> None:
    lost = failing(Status.BAD_NO_COMMUNICATION, 3, range(28))
    gaps = [gap(cause, planned(day, 0), planned(day, 3)) for day in range(28)]
    found = values(Plant([PRESS], status=lost, items=gaps))
    assert found["A01"].value == 1.0
    assert found["C03"].value == 1.0
    assert found["A01"].coverage == pytest.approx(0.75)


def test_the_factorys_outages_stay_its_own_even_when_a_gap_names_them() -> None:
    lost = failing(Status.BAD_NO_COMMUNICATION, 3, range(28))
    gaps = [gap("link_down", planned(day, 0), planned(day, 3), PRESS.id) for day in range(28)]
    assert values(Plant([PRESS], status=lost, items=gaps))["A01"].value == pytest.approx(0.75, abs=2e-3)


def test_ten_production_days_are_needed() -> None:
    short = values(Plant([PRESS], days=12))  # 10 weekdays, the last two days are a weekend
    assert short["A01"].value == 1.0
    shorter = values(Plant([PRESS], days=9))
    for metric in ("C01", "C03", "A01", "Q01"):
        assert shorter[metric].value is None
        assert shorter[metric].reason == "NA_SHORT_WINDOW"
        assert shorter[metric].score is None


def test_days_that_we_lost_ourselves_make_it_our_fault_and_not_a_zero() -> None:
    off = [gap("agent_off", planned(0, 0), planned(26, 0))]
    found = values(Plant([PRESS], items=off))
    assert found["A01"].reason == "NA_SELF_FAULT"
    assert found["A01"].value is None


def test_without_a_schedule_nothing_over_planned_time_is_assessed() -> None:
    found = values(Plant([PRESS], calendar=Calendar("Asia/Seoul", time(8))))
    for metric in ("C01", "C03", "A01", "A04", "Q01"):
        assert found[metric].reason == "NA_NO_SCHEDULE"


def test_without_an_inventory_nothing_is_assessed() -> None:
    plant = Plant([PRESS])
    plant.inventory = ()
    assert {v.reason for v in values(plant).values()} == {"NA_NO_INVENTORY"}


def test_the_plant_is_the_weighted_mean_of_its_machines() -> None:
    lost = failing(Status.BAD_NO_COMMUNICATION, 3, range(28))
    inventory = [Machine("press", "press", 3.0), Machine("lathe", "lathe", 1.0)]
    plant = Plant([PRESS, LATHE], inventory, status=lost)
    assert values(plant)["A01"].value == pytest.approx(0.25 * 1 + 0.75 * 0.75, abs=2e-3)


def test_a_calendar_corrected_afterwards_is_applied_to_old_days() -> None:
    lost = failing(Status.BAD_NO_COMMUNICATION, 3, range(28))
    late_start = Calendar("Asia/Seoul", time(8), {d: ((time(11), time(20)),) for d in range(5)})
    assert values(Plant([PRESS], status=lost, calendar=late_start))["A01"].value == 1.0
    moved = Calendar("Asia/Seoul", time(6), {d: ((time(8), time(20)),) for d in range(5)})
    assert values(Plant([PRESS], status=lost, calendar=moved))["A01"].value == pytest.approx(0.75, abs=5e-3)


def test_the_window_is_the_28_production_days_before_today() -> None:
    plant = Plant([PRESS], days=28)
    report = plant.assess().plant()
    assert (report.window.first, report.window.last) == (FIRST.isoformat(), "2026-11-22")
    assert report.window.production_days == 20
    later = plant.assess(plant.end + 14 * DAY).plant()
    assert later.window.production_days == 10


def test_a_day_that_we_saw_less_than_half_of_is_no_sample() -> None:
    off = [gap("agent_off", planned(day, 0), planned(day, 7)) for day in range(16)]  # 12 of 20 production days
    found = values(Plant([PRESS], items=off))
    assert found["A01"].reason == "NA_SELF_FAULT"
    shorter = [gap("agent_off", planned(day, 0), planned(day, 5)) for day in range(16)]
    assert values(Plant([PRESS], items=shorter))["A01"].n == 20


def test_a_gap_of_one_source_censors_that_source_alone() -> None:
    lost = failing(Status.BAD_NO_COMMUNICATION, 3, range(28))
    gaps = [gap("waiting", planned(day, 0), planned(day, 3), LATHE.id) for day in range(28)]
    assert values(Plant([PRESS, LATHE], status=lost, items=gaps), "press")["A01"].value == pytest.approx(
        0.75, abs=2e-3
    )
    own = [gap("waiting", planned(day, 0), planned(day, 3), PRESS.id) for day in range(28)]
    assert values(Plant([PRESS, LATHE], status=lost, items=own), "press")["A01"].value == 1.0
