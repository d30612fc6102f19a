"""Each indicator against a plant whose truth is known, with its evidence and without."""

from __future__ import annotations

import itertools
from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.frame import Event, Facts, Status
from readiness.inventory import Machine
from readiness.schedule import Calendar
from tests.readiness.plant import (
    CALENDAR,
    DAY,
    FIRST,
    HOUR,
    MINUTE,
    START,
    Plant,
    planned,
    signal,
    source,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.frame import Json, Source
    from contract.report import Value
    from tests.readiness.plant import Ints

PRESS, LATHE = source("press"), source("lathe")


def values(plant: Plant, machine: str | None = None) -> dict[str, Value]:
    assessment = plant.assess()
    report = assessment.plant() if machine is None else assessment.machine(machine)
    assert report is not None
    return {v.metric: v for v in report.values}


def failing(
    status: int, hours: float, days: range, only: str = "press-plc.main", signal_: int | None = None
) -> Callable[[Source, int, Ints], Ints]:
    """Return a status function: readings fail for the first `hours` of planned time on some days."""

    def status_of(of: Source, number: int, times: Ints) -> Ints:
        day = (times - START) // DAY
        hour = (times - START) % DAY / HOUR
        hit = np.isin(day, list(days)) & (hour < hours) & (of.id == only)
        return np.where(hit & (signal_ is None or signal_ == number), status, 0)

    return status_of


def gap(cause: str, start: int, end: int, source_: str | None = None) -> Event:
    body: dict[str, Json] = {"gap_id": f"{cause} {start}", "cause": cause}
    return Event(kind="gap", time_ns=start, source=source_, from_ns=start, to_ns=end, body=body)


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


@pytest.mark.parametrize("hours", [0.36, 1.2, 3.0])
def test_the_share_of_planned_time_that_is_lost_comes_out_exactly(hours: float) -> None:
    plant = Plant([PRESS], status=failing(Status.BAD_NO_COMMUNICATION, hours, range(28)))
    found = values(plant)
    # The last good reading before the outage lies outside planned time, so nothing bridges into it.
    truth = 1 - np.ceil(hours * 60) / (12 * 60)
    assert found["A01"].value == pytest.approx(truth, abs=2e-3)
    assert found["C03"].value == pytest.approx(truth, abs=2e-3)
    assert found["Q01"].value == 1.0


def test_a_device_that_answers_with_errors_is_reachable_but_its_values_are_not_good() -> None:
    plant = Plant([PRESS], status=failing(Status.BAD_OUT_OF_RANGE, 1.2, range(28), signal_=0))
    found = values(plant)
    assert found["C03"].value == 1.0
    assert found["A01"].value == pytest.approx(0.95, abs=1e-3)
    assert found["Q01"].value == pytest.approx(0.95, abs=1e-3)


def test_uncertain_values_are_known_and_count_half_as_quality() -> None:
    found = values(Plant([PRESS], status=failing(Status.UNCERTAIN, 12, range(28), signal_=1)))
    assert found["A01"].value == 1.0
    assert found["Q01"].value == pytest.approx(0.75, abs=1e-3)


def test_modbus_quality_is_tagged_derived_and_that_of_opc_ua_measured() -> None:
    assert values(Plant([PRESS]))["Q01"].quality == "derived"
    opcua = source("press", protocol="opcua")
    assert values(Plant([opcua]))["Q01"].quality == "measured"
    both = Plant([PRESS, source("lathe", protocol="opcua")])
    assert values(both)["Q01"].quality == "mixed"


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


def test_more_gaps_never_raise_completeness() -> None:
    found = [
        values(Plant([PRESS], status=failing(Status.BAD_NO_COMMUNICATION, hours, range(28))))["A01"].value
        for hours in (0.5, 1, 2, 4, 8)
    ]
    assert all(a is not None and b is not None and a >= b for a, b in itertools.pairwise(found))


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


def test_reach_counts_declared_machines_by_weight_with_those_nobody_connected() -> None:
    inventory = [Machine("press", "press", 2.0), Machine("lathe", "lathe"), Machine("saw", "saw")]
    found = values(Plant([PRESS, LATHE], inventory))
    assert found["C01"].value == 0.75
    assert found["C01"].lo is None
    assert found["C01"].quality == "census"
    assert found["C01"].n == 3
    assert found["A01"].value == 1.0
    assert found["A01"].coverage == 0.75  # the saw is no sample of completeness, but it is missing


def test_a_machine_read_on_too_few_days_is_not_reached() -> None:
    dead = failing(Status.BAD_NO_COMMUNICATION, 24, range(8))
    assert values(Plant([PRESS, LATHE], status=dead), "press")["C01"].value == 0.0
    assert values(Plant([PRESS, LATHE], status=dead), "lathe")["C01"].value == 1.0


def test_a_guessed_role_never_enters_the_score() -> None:
    guessed = source("press", [signal("press", 0, role_confirmed=False)])
    found = values(Plant([guessed]))
    assert found["C01"].reason == "NA_ROLE_UNCONFIRMED"
    assert found["C01"].roles == {"guessed": 1}


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


LATENCY = {(CALENDAR.day_of(START + d * DAY).isoformat(), "latency/press"): {100: 900, 150: 100} for d in range(28)}


def test_latency_is_the_95th_percentile_between_limits() -> None:
    found = values(Plant([PRESS], tallies=LATENCY))["A04"]
    assert found.value is not None
    assert found.lo is not None
    assert found.hi is not None
    assert found.value == pytest.approx(0.001 * (1.02 / 0.98) ** 150, rel=0.021)
    assert found.lo < found.value < found.hi
    assert found.quality == "measured"
    assert found.n == 20


def test_latency_without_source_times_is_tagged_edge_only() -> None:
    edge = {(day, "latency-edge/press"): counts for (day, _), counts in LATENCY.items()}
    assert values(Plant([PRESS], tallies=edge))["A04"].quality == "edge-only"
    assert values(Plant([PRESS], tallies={**edge, **LATENCY}))["A04"].quality == "mixed"


def test_a_clock_that_runs_ahead_makes_latency_not_assessed() -> None:
    ahead = {key: {-80: 100, 100: 900} for key in LATENCY}
    assert values(Plant([PRESS], tallies=ahead))["A04"].reason == "NA_CLOCK"


def test_latency_of_resent_entries_is_our_own_fault() -> None:
    dirty = {(day, "latency-dirty/press"): {250: 5000} for day, _ in LATENCY}
    assert values(Plant([PRESS], tallies=dirty))["A04"].reason == "NA_SELF_FAULT"
    assert values(Plant([PRESS], tallies={**LATENCY, **dirty}))["A04"].reason == "NA_SELF_FAULT"
    assert values(Plant([PRESS]))["A04"].reason == "NA_NO_EVIDENCE"


def session(device: str, **body: Json) -> Facts:
    return Facts(kind="connection", time_ns=START + MINUTE, subject=device, body=body)


@pytest.mark.parametrize(
    ("body", "worth"),
    [
        ({"mode": "None", "policy": "None", "peer_authenticated": False}, 0.0),
        ({"mode": "Sign", "policy": "Basic256Sha256", "peer_authenticated": True}, 0.6),
        ({"mode": "SignAndEncrypt", "policy": "Basic256Sha256", "peer_authenticated": True}, 1.0),
        (
            {
                "mode": "SignAndEncrypt",
                "policy": "http://opcfoundation.org/UA/SecurityPolicy#Basic256",
                "peer_authenticated": True,
            },
            0.0,
        ),
        ({"mode": "SignAndEncrypt", "policy": "Basic256Sha256", "peer_authenticated": False}, 0.0),
        ({"mode": "TLS", "policy": "TLSv1.3", "peer_authenticated": True}, 1.0),
    ],
)
def test_a_session_is_worth_what_it_protects(body: dict[str, Json], worth: float) -> None:
    found = values(Plant([PRESS], items=[session("press-plc", **body)]))["S01"]
    assert found.value == worth
    assert found.quality == "census"


def test_machines_without_a_session_leave_protection_with_less_coverage() -> None:
    facts = [session("press-plc", mode="SignAndEncrypt", policy="Basic256Sha256", peer_authenticated=True)]
    found = values(Plant([PRESS, LATHE], items=facts))["S01"]
    assert (found.value, found.coverage) == (1.0, 0.5)
    assert values(Plant([PRESS]))["S01"].reason == "NA_NO_EVIDENCE"


FULL: dict[str, object] = {"unit": "A", "description": "주 모터 상전류", "eu_range": (0.0, 30.0), "path": None}


PRESS_HALL = (Machine("press", "press", 1.0, "hanil/main/press"),)


def richness(inventory: tuple[Machine, ...] = PRESS_HALL, about: dict[str, object] | None = None) -> float:
    plant = Plant([source("press", [signal("press", 0, **{**FULL, **(about or {})})])], inventory, days=1)
    value = values(plant)["Q09"].value
    assert value is not None
    return value


def test_everything_mapped_by_a_person_is_worth_0_8() -> None:
    assert richness() == pytest.approx(0.8)


@pytest.mark.parametrize("text", [None, "", "tag", "Tag 12", "s0", "TBD", "없음", "---", "태그"])
def test_filler_is_no_description(text: str | None) -> None:
    assert richness(about={"description": text}) == pytest.approx(0.8 * 5 / 6, abs=1e-6)


def test_the_same_description_on_two_signals_describes_neither() -> None:
    pair = [signal("press", n, **FULL) for n in (0, 1)]
    inventory = [Machine("press", "press", 1.0, "hanil/main/press")]
    found = values(Plant([source("press", pair)], inventory, days=1))["Q09"].value
    assert found == pytest.approx(0.8 * 5 / 6, abs=1e-6)


@pytest.mark.parametrize(
    ("about", "lost"),
    [({"unit": "furlong"}, 1), ({"unit": None}, 1), ({"eu_range": None}, 1), ({"role_confirmed": False}, 1)],
)
def test_what_does_not_hold_earns_nothing(about: dict[str, object], lost: int) -> None:
    assert richness(about=about) == pytest.approx(0.8 * (6 - lost) / 6, abs=1e-6)


def test_a_path_shared_by_two_machines_names_neither() -> None:
    shared = (Machine("press", "press", 1.0, "hanil/main"), Machine("lathe", "lathe", 1.0, "hanil/main"))
    assert richness(inventory=shared) == pytest.approx(0.8 * 5 / 6, abs=1e-6)


def test_units_and_ranges_are_not_asked_of_signals_that_have_none() -> None:
    assert richness(about={"role": "state", "unit": None, "eu_range": None}) == pytest.approx(0.8)


def test_what_the_device_declares_itself_is_worth_more() -> None:
    plant = Plant(
        [source("press", [signal("press", 0, **FULL)], protocol="opcua")],
        [Machine("press", "press", 1.0, "a/b")],
        days=1,
    )
    mapped = values(plant)["Q09"].value
    declared: dict[str, Json] = {
        "source": "press-plc.main",
        "signals": {"s0": {"unit": "A", "range": [0, 30], "description": "current", "display_name": "I"}},
    }
    plant.items = [Facts(kind="catalog", time_ns=START, subject="press-plc", body=declared)]
    native = values(plant)["Q09"].value
    assert mapped == pytest.approx((1.0 + 5 * 0.8) / 6, abs=1e-6)
    assert native == pytest.approx((1.0 * 4 + 2 * 0.8) / 6, abs=1e-6)


def test_the_window_is_the_28_production_days_before_today() -> None:
    plant = Plant([PRESS], days=28)
    report = plant.assess().plant()
    assert (report.window.first, report.window.last) == (FIRST.isoformat(), "2026-11-22")
    assert report.window.production_days == 20
    later = plant.assess(plant.end + 14 * DAY).plant()
    assert later.window.production_days == 10
