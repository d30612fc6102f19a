"""A06 Jitter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.a06 import INDICATOR
from readiness.indicators.base import Buckets, Missing
from readiness.sketch import index
from tests.readiness.indicators.made import (
    DAYS,
    PRODUCTION_DAYS,
    device,
    near,
    outcome,
    part,
    record,
    sparse,
)
from tests.readiness.plant import HOUR, MINUTE, signal, source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from readiness.evidence import DayEvidence, Packed

PRESS = source("press")


def jitter(seed: int, size: float = 0.1) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return |pause - interval| / interval of 1,440 readings on each of 28 days."""
    rng = np.random.default_rng(seed)
    return [np.abs(size * rng.standard_normal(1440)) for _ in range(DAYS)]


def sketched(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    return sparse(Counter(index(shares * 1000).tolist()))


def plant(
    rows: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
    censored: Mapping[int, Mapping[str, Mapping[str, Packed]]] | None = None,
) -> list[DayEvidence]:
    return [
        record(day, [part(PRESS, day, jitter=sketched(rows[day]))], censored=(censored or {}).get(day, {}))
        for day in range(DAYS)
    ]


def p95(rows: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]], days: Sequence[int]) -> float:
    every = np.sort(np.concatenate([rows[day] for day in days]))
    return float(every[int(np.ceil(0.95 * len(every))) - 1])


@pytest.mark.parametrize("seed", range(3))
def test_the_value_is_the_95th_percentile_over_production_days(seed: int) -> None:
    rows = jitter(seed)
    for weekend in set(range(DAYS)) - set(PRODUCTION_DAYS):
        rows[weekend] = rows[weekend] + 5
    said = outcome(INDICATOR, [PRESS], plant(rows))
    assert isinstance(said, Buckets)
    assert near(said.days, said.quantile) == pytest.approx(p95(rows, PRODUCTION_DAYS), rel=0.021)
    assert said.shown == {"source_days": 20, "left_out": 0}


@pytest.mark.parametrize("cause", ["waiting", "agent_off"])
def test_days_on_which_we_were_late_ourselves_are_left_out(cause: str) -> None:
    rows = jitter(7)
    busy = PRODUCTION_DAYS[:6]
    for day in busy:
        rows[day] = rows[day] * 20
    for name in ("*", PRESS.id):
        late = {day: {cause: {name: [0, 10 * MINUTE]}} for day in busy}
        said = outcome(INDICATOR, [PRESS], plant(rows, late))
        assert isinstance(said, Buckets)
        assert near(said.days, said.quantile) == pytest.approx(p95(rows, PRODUCTION_DAYS[6:]), rel=0.021)
        assert said.shown == {"source_days": 14, "left_out": 6}


def test_a_little_waiting_and_that_of_others_leaves_no_day_out() -> None:
    rows = jitter(8)
    little = {"waiting": {PRESS.id: [0, MINUTE], "lathe-plc.main": [0, 5 * HOUR]}}
    said = outcome(INDICATOR, [PRESS], plant(rows, dict.fromkeys(PRODUCTION_DAYS, little)))
    assert isinstance(said, Buckets)
    assert said.shown["left_out"] == 0


def test_a_box_that_is_always_late_is_our_own_fault() -> None:
    late = {day: {"waiting": {PRESS.id: [0, HOUR]}} for day in range(DAYS)}
    assert outcome(INDICATOR, [PRESS], plant(jitter(9), late)) == Missing("NA_SELF_FAULT")


def test_it_is_of_polls_only() -> None:
    subscribed = source("press", mode="subscription", protocol="opcua")
    days = [record(day, [part(subscribed, day)]) for day in range(DAYS)]
    assert outcome(INDICATOR, [subscribed], days) == Missing("NOT_APPLICABLE")
    both = device(subscribed, "cnc", signals=(signal("press", 5),))
    rows = jitter(10)
    mixed = [record(day, [part(PRESS, day, jitter=sketched(rows[day])), part(both, day)]) for day in range(DAYS)]
    said = outcome(INDICATOR, [PRESS, both], mixed)
    assert isinstance(said, Buckets)
    assert near(said.days, said.quantile) == pytest.approx(p95(rows, PRODUCTION_DAYS), rel=0.021)
    burst = replace(both, mode="burst")
    assert isinstance(outcome(INDICATOR, [PRESS, burst], plant(rows)), Buckets)


def test_it_is_missing_when_evidence_is_withheld() -> None:
    assert outcome(INDICATOR, [PRESS], []) == Missing("NA_NO_EVIDENCE")
    empty = [record(day, [part(PRESS, day)]) for day in range(DAYS)]
    assert outcome(INDICATOR, [PRESS], empty) == Missing("NA_NO_EVIDENCE")
    rows = jitter(11)
    some = plant(rows)
    assert outcome(INDICATOR, [PRESS], empty[:20] + some[20:]) == Missing("NA_SHORT_WINDOW")
    assert outcome(INDICATOR, [PRESS], some[20:]) == Missing("NA_SHORT_WINDOW")
