"""Faults that strike no share of time: wraps, wrong units and labels, noise, a link that only pretends to live."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.frame import Status
from readiness.indicators import REGISTRY
from readiness.indicators.base import Missing
from readiness.outcomes import outcome
from readiness.plant import Meaning
from tests.validity.cheats import edited, say
from tests.validity.rows import number
from tests.validity.shop import works
from tests.validity.small import ROUGH, only, told

if TYPE_CHECKING:
    from readiness.view import View
    from tests.validity.shop import Part

PLANT = "press-1", "robot-1", "mill-1"


def struck(part: Part) -> View:
    """Return the view of a few machines, one of them replaced."""
    few = only(told(*ROUGH).world, *PLANT)
    return replace(few, parts=[part if p.machine == part.machine else p for p in few.parts]).view()


def of(machine: str) -> Part:
    return next(p for p in told(*ROUGH).world.parts if p.machine == machine)


def found(view: View, name: str, machine: str) -> float:
    said = number(outcome(view, REGISTRY[name], machine))
    assert said is not None, outcome(view, REGISTRY[name], machine)
    return said


def before(name: str, machine: str) -> float:
    return found(told(*ROUGH).view, name, machine)


def test_a_declared_wrap_is_no_fault_and_loses_no_piece() -> None:
    site, modulus = told(*ROUGH).world.site, 256
    part = edited(of("mill-1"), site, {"total": lambda old, _: (old["total"] + 100) % modulus})
    total = Meaning(role="count_total", modulus=modulus)
    view = struck(say(part, total=total))
    assert found(view, "Q07", "mill-1") == pytest.approx(before("Q07", "mill-1"), abs=0.002)
    assert found(view, "V04", "mill-1") == pytest.approx(before("V04", "mill-1"), abs=0.005)
    undeclared = outcome(struck(part), REGISTRY["Q07"], "mill-1")
    assert isinstance(undeclared, Missing)
    assert undeclared.reason == "NA_ROLE_UNCONFIRMED"


def test_a_device_that_answers_and_refuses_lives_and_tells_nothing() -> None:
    """Fake liveness: the link works, each answer is an error."""
    site = told(*ROUGH).world.site
    part = edited(
        of("robot-1"), site, {},
        status=lambda row, _: np.full_like(row, Status.BAD_DEVICE_FAILURE),
    )  # fmt: skip
    view = struck(part)
    assert found(view, "C03", "robot-1") >= before("C03", "robot-1")
    assert found(view, "A01", "robot-1") == 0
    assert found(view, "Q01", "robot-1") == 0


def test_a_wrong_unit_leaves_the_range() -> None:
    """From the sixth shift on a value comes in tenths."""
    site = told(*ROUGH).world.site
    part = edited(
        of("press-1"), site, {"pv-a": lambda old, s: np.where(s > 7 * 86_400, old["pv-a"] * 10, old["pv-a"])}
    )
    assert found(struck(part), "Q02", "press-1") == pytest.approx(0.5 * before("Q02", "press-1"), abs=0.08)


def test_states_under_wrong_labels_contradict_the_counters() -> None:
    site = told(*ROUGH).world.site
    part = say(of("press-1"), state=Meaning(role="state", states={
        0: "standby", 1: "executing", 2: "executing", 3: "fault", 4: "off",
    }))  # fmt: skip
    view = struck(part)
    assert found(view, "Q08", "press-1") < before("Q08", "press-1") - 0.05
    assert found(view, "V01", "press-1") == 0
    assert site.days


def test_noise_moves_no_share_of_time() -> None:
    site, rng = told(*ROUGH).world.site, np.random.default_rng(8)
    part = edited(of("press-1"), site, {"pv-c": lambda old, s: old["pv-c"] + rng.normal(0, 5, len(s))})
    view = struck(part)
    for name in ("A01", "Q01", "Q02", "R02", "T03", "V03", "U01"):
        assert found(view, name, "press-1") == before(name, "press-1"), name
    assert found(view, "Q03", "press-1") == pytest.approx(before("Q03", "press-1"), abs=0.01)


def test_a_machine_that_stands_all_day_says_nothing_of_its_work() -> None:
    site = told(*ROUGH).world.site
    part = edited(of("press-1"), site, {
        "state": lambda old, s: np.where(works(s), 2, old["state"]),
        "total": lambda old, _: np.zeros_like(old["total"]),
    })  # fmt: skip
    view = struck(part)
    for name in ("R02", "U01", "T01", "T02", "Q03"):
        assert isinstance(outcome(view, REGISTRY[name], "press-1"), Missing), name


def test_what_makes_the_truth_shares_nothing_with_what_measures() -> None:
    """The plant imports types, the calendar and what a store counts of entries: no formula, no other analyzer."""
    allowed = {"agent.frame", "agent.analyzers.latency", "readiness.plant", "tests.readiness.plant"}
    folder = Path(__file__).parent
    for name in ("shop", "press", "cnc", "mill", "oven", "line", "world"):
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {m for m in found if m.split(".")[0] in {"agent", "readiness", "answers", "contract", "tests"}}
        assert {m for m in ours if not m.startswith("tests.validity.")} <= allowed, name
