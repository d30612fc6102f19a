"""A machine that makes nothing leaves the denominators of production and the quorum of levels; a press does not."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from agent.frame import DataType
from readiness.contradictions import listed
from readiness.indicators import REGISTRY
from readiness.inventory import Machine
from readiness.nature import producing
from readiness.plant import About, configured
from readiness.report import assess
from tests.readiness.plant import SITE, Plant, model, signal, source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.report import Report
    from readiness.report import Assessment

COUNTER = signal("meter", 9, role="count_total", dtype=DataType.UINT32)
HEAVY = Machine("meter", "수전반 전력량계", weight=9.0)
SAID = {"machine meter kind": ("박 멘토", "2026-11-20")}


def assessed(kind: str | None, *, counts: bool = False, alone: bool = False) -> Assessment:
    """A press and a meter of nine times its weight, or the press alone."""
    press, meter = source("press"), source("meter", (signal("meter", 0), COUNTER) if counts else ())
    inventory = (Machine("press", "프레스"), *(() if alone else (HEAVY,)))
    world = Plant([press, meter], inventory=inventory)
    about: Mapping[str, About] = {} if kind is None else {"meter": About(kind=kind)}  # type: ignore[arg-type]
    plant = dataclasses.replace(configured(world.sources, inventory), about=about, said=SAID)
    return assess(world.evidence(), {}, world.sources, plant, world.calendar, world.end, model(), SITE)


def gates(report: Report) -> object:
    return report.level, [m.id for m in report.machines], report.cascade, report.settle, report.missing


def test_what_asks_for_production_does_not_apply_to_a_utility_and_leaves_the_denominator() -> None:
    found, alone = assessed("utility"), assessed(None, alone=True)
    production = {metric for metric, indicator in REGISTRY.items() if indicator.production}
    assert {"V01", "V02", "V03", "T01", "E02"} <= production
    for metric in production:
        assert found.value(metric, "meter").reason == "NOT_APPLICABLE"
        assert found.whole()[metric].reason == alone.whole()[metric].reason != "NOT_APPLICABLE"
    assert found.value("A01", "meter").value is not None, "what it is read for goes on counting"
    assert found.whole()["C01"].value == 1


def test_levels_are_asked_of_machines_that_make_something() -> None:
    found, alone = assessed("utility"), assessed(None, alone=True)
    assert gates(found.plant()) == gates(alone.plant()), "nine times the weight, and no voice"
    assert found.level == alone.level
    meter = found.machine("meter")
    assert meter is not None
    assert (meter.level, meter.machines, meter.settle, meter.chances) == (None, [], [], [])
    press = found.machine("press")
    assert press is not None
    assert press.level is not None


@pytest.mark.parametrize("kind", [None, "discrete", "batch", "continuous"])
def test_other_kinds_are_asked(kind: str) -> None:
    found = assessed(kind)
    assert [m.id for m in found.plant().machines] == ["press", "meter"]
    assert found.value("V02", "meter").reason != "NOT_APPLICABLE"


def test_what_counts_pieces_is_no_utility_whatever_is_said() -> None:
    found = assessed("utility", counts=True)
    assert [m.id for m in producing(found.view)] == ["press", "meter"]
    assert [m.id for m in found.plant().machines] == ["press", "meter"]
    assert found.value("V02", "meter").reason != "NOT_APPLICABLE"
    (said,) = listed(found)
    assert (said.code, said.machine, said.said, said.seen) == ("pieces_counted", "meter", "utility", "meter/s9")
    assert (said.who, said.when) == SAID["machine meter kind"]
    assert listed(assessed("utility")) == []
