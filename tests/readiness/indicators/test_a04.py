"""A04 End-to-end latency."""

from __future__ import annotations

import pytest

from readiness.indicators.a04 import INDICATOR
from readiness.indicators.base import Buckets
from tests.readiness.indicators.made import days, view
from tests.readiness.indicators.support import PRESS, values
from tests.readiness.plant import CALENDAR, DAY, START, Plant

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


def test_what_was_left_out_is_shown() -> None:
    looked = view([PRESS], days([PRESS]))
    more = {
        (day, f"{name}/press"): {100: number}
        for day, _ in LATENCY
        for name, number in (("latency", 60), ("latency-edge", 20), ("latency-stale", 20), ("latency-dirty", 10))
    }
    looked.tallies = more
    found = INDICATOR.evaluate(looked, "press")
    assert isinstance(found, Buckets)
    assert found.quality == "mixed"
    assert found.shown == {
        "edge_share": 0.25,
        "stale_share": 0.2,
        "dirty_share": pytest.approx(1 / 9, abs=1e-6),
    }
    assert sum(sum(day.values()) for day in found.days) == 20 * 80
