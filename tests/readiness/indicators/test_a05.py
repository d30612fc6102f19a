"""A05 Clock skew and source time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.a05 import INDICATOR
from readiness.indicators.base import Buckets, Census, Missing
from readiness.records import Skew
from tests.readiness.indicators.made import DAYS, PRODUCTION_DAYS, device, near, outcome, part, record
from tests.readiness.plant import DAY, MINUTE, signal, source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.frame import Source
    from readiness.evidence import DayEvidence, Packed

OPCUA = source("press", protocol="opcua", mode="subscription")
MODBUS = source("press")
Asked = dict[int, dict[str, list[Skew]]]


def plant(
    sources: Sequence[Source],
    skews: Callable[[int, str], list[Skew]],
    stated: float = 1.0,
    censored: Mapping[str, Mapping[str, Packed]] | None = None,
) -> list[DayEvidence]:
    """Return days of 1,000 rows a source, of which a share bears source times."""
    found = []
    for day in range(DAYS):
        parts = [part(s, day, rows=1000, with_source_time=round(1000 * stated)) for s in sources]
        said = {s.device: each for s in sources if (each := skews(day, s.device))}
        found.append(record(day, parts, skews=said, censored=censored or {}))
    return found


def asked(seed: int, middle_s: float = 0.0, spread_s: float = 2.0, number: int = 40) -> Asked:
    rng = np.random.default_rng(seed)
    return {
        day: {
            "press-plc": [
                Skew(int(ms), round(1e9 * (middle_s + spread_s * x)), 4_000_000)
                for ms, x in zip(rng.integers(0, 86_400_000, number), rng.standard_normal(number), strict=True)
            ]
        }
        for day in range(DAYS)
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_value_is_the_median_distance_on_production_days(seed: int) -> None:
    skews = asked(seed)
    said = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda day, d: skews[day][d]))
    assert isinstance(said, Buckets)
    truth = np.sort([abs(s.skew_ns) / 1e9 for day in PRODUCTION_DAYS for s in skews[day]["press-plc"]])
    assert len(said.days) == len(PRODUCTION_DAYS)
    assert near(said.days, said.quantile) == pytest.approx(truth[int(np.ceil(len(truth) / 2)) - 1], rel=0.02)
    assert (said.cap, said.flags, said.shown["within_s"], said.shown["comparisons"]) == (100, (), 0.002, 800)


@pytest.mark.parametrize(("stated", "cap", "flags"), [(1, 100, ()), (0.5, 80, ()), (0, 60, ("NO_SOURCE_TIME",))])
def test_without_source_times_the_score_is_capped(stated: float, cap: float, flags: tuple[str, ...]) -> None:
    skews = asked(1)
    said = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda day, d: skews[day][d], stated))
    assert isinstance(said, Buckets)
    assert (said.cap, said.flags, said.shown["source_time_share"]) == (cap, flags, stated)


@pytest.mark.parametrize(("hours", "flag"), [(9, 9), (-9, -9), (1, 1), (0, 0), (0.5, 0)])
def test_a_clock_off_by_whole_hours_is_an_error_of_configuration(hours: float, flag: int) -> None:
    skews = asked(2, 3600 * hours)
    said = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda day, d: skews[day][d]))
    assert isinstance(said, Buckets)
    assert (said.flags, said.shown["hours_off"]) == (("ZONE",) if flag else (), flag)
    if hours:
        assert near(said.days, said.quantile) == pytest.approx(abs(3600 * hours), rel=0.03)


def test_summer_time_in_a_minority_of_comparisons_is_no_zone() -> None:
    winter, summer = asked(3), asked(3, 3600)
    said = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda day, d: (summer if day < 8 else winter)[day][d]))
    assert isinstance(said, Buckets)
    assert said.flags == ()


def test_modbus_has_no_clock_and_no_source_time() -> None:
    said = outcome(INDICATOR, [MODBUS], plant([MODBUS], lambda _, __: [], 0))
    assert isinstance(said, Census)
    assert (said.value, said.quality, said.cap, said.flags) == (0.0, "edge-only", 60, ("NO_SOURCE_TIME",))


def test_a_modbus_device_beside_a_server_lowers_the_cap_alone() -> None:
    gauge = device(MODBUS, "gauge", signals=(signal("press", 5),))
    skews = asked(4)
    days = []
    for day in range(DAYS):
        parts = [part(OPCUA, day, rows=500, with_source_time=500), part(gauge, day, rows=500)]
        days.append(record(day, parts, skews=skews[day]))
    said = outcome(INDICATOR, [OPCUA, gauge], days)
    assert isinstance(said, Buckets)
    assert (said.cap, said.flags) == (80, ())


def test_what_was_compared_while_our_own_clock_was_not_trusted_is_left_out() -> None:
    honest, wrong = Skew(3_600_000, 1_000_000_000, 1000), Skew(60_000, 500_000_000_000, 1000)
    censored = {"clock": {"*": [0, 30 * MINUTE]}}
    said = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda _, __: [wrong, honest], 1, censored))
    assert isinstance(said, Buckets)
    assert said.shown["comparisons"] == 20
    assert near(said.days, 0.99) == pytest.approx(1.0, rel=0.02)
    all_day = {"clock": {"press-plc.main": [DAY // 2, 0], "*": [0, 4 * 60 * MINUTE]}}
    only = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda _, __: [wrong], 1, all_day))
    assert only == Missing("NA_SELF_FAULT")


def test_it_is_missing_when_evidence_is_withheld() -> None:
    skews = asked(5)
    assert outcome(INDICATOR, [OPCUA], []) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda _, __: [])) == Missing("NA_NO_EVIDENCE")
    silent = [record(day, [part(OPCUA, day)], skews=skews[day]) for day in range(DAYS)]
    assert outcome(INDICATOR, [OPCUA], silent) == Missing("NA_NO_EVIDENCE")
    short = plant([OPCUA], lambda day, d: skews[day][d])[-7:]
    assert outcome(INDICATOR, [OPCUA], short) == Missing("NA_SHORT_WINDOW")


@pytest.mark.parametrize(("number", "why"), [(9, "NA_SHORT_WINDOW"), (10, None)])
def test_ten_production_days_with_a_comparison_are_needed(number: int, why: str | None) -> None:
    skews = asked(6)
    some = PRODUCTION_DAYS[:number]
    said = outcome(INDICATOR, [OPCUA], plant([OPCUA], lambda day, d: skews[day][d] if day in some else []))
    assert (said.reason if isinstance(said, Missing) else None) == why
    if isinstance(said, Buckets):
        assert len(said.days) == number  # days without one are no coverage
