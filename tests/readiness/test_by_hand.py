"""Indicators against fractions computed on paper, wherever shifts, days and clock changes fall."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import date, time
from fractions import Fraction as F  # noqa: N817 - as on paper
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators import REGISTRY
from readiness.indicators.base import Missing
from readiness.outcomes import outcome
from readiness.plant import Meaning
from readiness.production import production
from readiness.schedule import Calendar
from tests.readiness.paper import Paper
from tests.validity.rows import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from readiness.plant import Plant
    from readiness.view import View
    from tests.readiness.paper import Column

DAILY = range(7)
NIGHT = {d: ((time(22), time(6)),) for d in DAILY}
HALVES = {d: ((time(9), time(13)), (time(14), time(18))) for d in DAILY}
ROUND = {d: ((time(0), time(0)),) for d in DAILY if d != 2}
SIGNALS = 19
AUTUMN = date(2026, 10, 19)
"""A Monday; clocks go back on Sunday in Berlin, and a week later in New York."""
CALENDARS = {
    "by day in Seoul": Paper(Calendar("Asia/Seoul", time(8), {d: ((time(8), time(20)),) for d in DAILY}), AUTUMN),
    "a night as one day, autumn": Paper(Calendar("Europe/Berlin", time(12), NIGHT), AUTUMN),
    "a night as one day, spring": Paper(Calendar("Europe/Berlin", time(12), NIGHT), date(2026, 3, 23)),
    "a night cut by midnight": Paper(Calendar("Europe/Berlin", time(0), NIGHT), AUTUMN),
    "quarters of an hour off": Paper(Calendar("Asia/Kathmandu", time(6, 30), HALVES), AUTUMN),
    "three shifts": Paper(Calendar("America/New_York", time(7), ROUND), date(2026, 10, 26)),
}
TRUTH: dict[str, F | float | str] = {
    "C01": F(1), "C02": F(70), "C03": F(57, 60), "C04": F(0), "X01": F(180),
    "A01": F(57 * SIGNALS - 3, 60 * SIGNALS), "A02": "NA_NO_BURST", "A03": F(1, 2), "A04": F(30), "A05": F(0),
    "A06": F(0),
    "Q01": F(57 * SIGNALS - 3 - 3, 57 * SIGNALS), "Q02": F(57 - 6, 57), "Q03": F(1), "Q04": F(49), "Q05": F(0),
    "Q06": "NOT_APPLICABLE", "Q07": F(1), "Q08": F(1),
    "Q09": (13 * F(16, 40) + 6 * F(16, 60)) / SIGNALS,
    "V01": F(1), "V02": F(1), "V03": F(57, 60), "V04": F(1), "V05": F(1, 2),
    "R01": F(0), "R02": F(37, 40) * F(57, 60), "R03": F(1),
    "U01": F(30, 40), "U02": F(300), "U03": "NA_NO_EVIDENCE", "U04": "NA_NO_EVIDENCE",
    "E01": F(40, 60), "E02": "NA_SHORT_WINDOW",
    "T01": F(1, 2), "T02": F(20, 40), "T03": "NA_ROLE_UNCONFIRMED",
    "S01": F(0), "S02": F(0), "S03": "NOT_APPLICABLE", "S04": "NA_ASSUME_EXPOSED",
    "L01": F(2, 3), "L02": "NA_NO_EVIDENCE", "L03": "NA_ROLE_UNCONFIRMED", "L04": F(1, 2),
}  # fmt: skip
NEAR = {"X01": 0.02, "A04": 0.02, "Q04": 0.04, "U02": 0.006}
"""Of sketches; and of a window that begins with a change of mode nobody knows what was before it."""


@functools.cache
def view(name: str) -> View:
    return CALENDARS[name].view()


@pytest.mark.parametrize("metric", sorted(TRUTH))
@pytest.mark.parametrize("name", CALENDARS)
def test_what_is_found_is_what_paper_says(name: str, metric: str) -> None:
    found, truth = outcome(view(name), REGISTRY[metric], "press"), TRUTH[metric]
    if isinstance(truth, str):
        assert isinstance(found, Missing)
        assert found.reason == truth
    else:
        assert number(found) == pytest.approx(float(truth), rel=NEAR.get(metric, 1e-9), abs=1e-12)


@pytest.mark.parametrize("name", CALENDARS)
def test_time_elements_add_up_and_make_the_kpis_of_the_paper(name: str) -> None:
    facts = production(view(name), "press")
    times, ratios = facts.times, facts.kpis
    pbt = int(times.pbt.sum())
    assert [int(x.sum()) * 60 // pbt for x in (times.apt, times.aust, times.adet, times.adot, times.unknown)] == [
        40, 0, 14, 3, 3,
    ]  # fmt: skip
    assert (
        times.apt + times.aust + times.adet + times.adot + times.states["off"] + times.unknown == times.pbt
    ).all()
    assert ratios is not None
    assert (ratios.availability, ratios.effectiveness, ratios.quality) == pytest.approx((2 / 3, 0.75, 0.5))
    assert ratios.oee == pytest.approx(0.25)
    assert ratios.mttf == pytest.approx(times.apt.sum() / (facts.failures.sum() + 1))
    assert facts.failures.sum() * 3600e9 == pbt


def at_hour(columns: Mapping[str, Column], piece: int) -> int:
    """Return the minute five minutes after a piece."""
    return int(np.flatnonzero(np.diff(columns["total"]) > 0)[piece]) + 6


def forward(columns: dict[str, Column]) -> dict[str, Column]:
    total = columns["total"].copy()
    total[at_hour(columns, 60) :] += 1000
    return {"total": total}


def loaded_anew(columns: dict[str, Column]) -> dict[str, Column]:
    start = at_hour(columns, 60)
    return {n: np.where(np.arange(len(c)) < start, c, c - c[start]) for n, c in columns.items() if n in COUNTERS}


def of_16_bits(columns: dict[str, Column]) -> dict[str, Column]:
    return {"total": (columns["total"] + 65536 - 100) % 65536}


def with_modulus(plant: Plant) -> Plant:
    wraps = {"press/total": Meaning(role="count_total", modulus=65536)}
    return replace(plant, meanings={**plant.meanings, **wraps})


COUNTERS = ("total", "good", "reject")
STEPS = 4 * 12 * 14
"""Of an hour, over all counters; of twelve hours on fourteen days."""
HAPPENINGS: dict[str, tuple[Callable[..., dict[str, Column]], Callable[[Plant], Plant], dict[str, F | str]]] = {
    "set forward by hand": (forward, lambda plant: plant, {"Q07": F(STEPS, STEPS + 1)}),
    "the program is loaded anew": (loaded_anew, lambda plant: plant, {"Q07": F(STEPS, STEPS + 3)}),
    "goes on from 0": (of_16_bits, with_modulus, {}),
    "goes on from 0, nobody says so": (of_16_bits, lambda plant: plant, {"Q07": "NA_ROLE_UNCONFIRMED"}),
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_one_step_of_a_counter_that_nobody_made_costs_one_step(name: str) -> None:
    edit, say, other = HAPPENINGS[name]
    seen = replace(CALENDARS["by day in Seoul"], edit=edit).view(say)
    for metric, usual in TRUTH.items():
        found, truth = outcome(seen, REGISTRY[metric], "press"), other.get(metric, usual)
        if isinstance(truth, str):
            assert isinstance(found, Missing)
            assert found.reason == truth
        else:
            rel = 0.012 if metric in {"T01", "A03"} else NEAR.get(metric, 1e-9)  # a piece, a day left out
            assert number(found) == pytest.approx(float(truth), rel=rel, abs=1e-12), metric
    ratios = production(seen, "press").kpis
    assert ratios is not None
    assert ratios.oee == pytest.approx(0.25, rel=0.01)
