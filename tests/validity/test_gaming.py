"""Each trick that readiness.md 7.3 names is caught, flagged or capped, over the whole chain.

The few that no reading can carry (a time that a server refreshes, an inventory that shrinks) are tried where they
would have to be believed.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.latency import account
from agent.frame import FrameBlock
from readiness.indicators import REGISTRY
from readiness.indicators.base import Census, Missing
from readiness.outcomes import outcome
from readiness.production import production
from tests.readiness.plant import CALENDAR, SECOND
from tests.validity import cheats
from tests.validity.rows import number
from tests.validity.shop import Polled
from tests.validity.small import CALM, told

if TYPE_CHECKING:
    from readiness.indicators.base import Found, Outcome
    from readiness.view import View


@functools.cache
def played(which: str) -> View:
    """Return what formulas see of a plant on which tricks were played."""
    return {"first": cheats.first, "second": cheats.second}[which]().view()


def found(name: str, machine: str, which: str = "first") -> Outcome:
    return outcome(played(which), REGISTRY[name], machine)


def value(name: str, machine: str, which: str = "first") -> tuple[float, Found]:
    said = found(name, machine, which)
    assert not isinstance(said, Missing), said
    told_ = number(said)
    assert told_ is not None
    return told_, said


FLAGGED = [
    ("A03", "saw-1", "first", "BOUNCE", "a bit that bounces"),
    ("A05", "cnc-1", "first", "ZONE", "a clock of another zone"),
    ("C01", "lathe-1", "first", "NOTHING_MOVES", "a controller that holds nothing"),
    ("C02", "line-1", "first", "GATEWAY", "a gateway before a closed controller"),
    ("C04", "line-1", "first", "UNREADABLE_NAMES", "addresses for names"),
    ("E01", "oven-1", "first", "ESTIMATED", "energy that is only estimated"),
    ("L01", "pump-1", "first", "NOISE_ONLY", "noise of an input without a sensor"),
    ("L02", "oven-1", "first", "SET_POINT_FOLLOWS", "a set point copied from the value"),
    ("L03", "oven-1", "first", "NOT_PROVEN", "coincidence"),
    ("L04", "pump-1", "first", "NOT_PEOPLE_EXCLUDED", "a screen that refreshes itself"),
    ("Q01", "press-1", "first", "ALWAYS_GOOD_DESPITE_FAULTS", "a device that always says good"),
    ("Q02", "press-1", "first", "", "a range without a meaning"),
    ("Q04", "mill-1", "first", "STEP_GRID_HIDDEN", "a converter behind scaling and noise"),
    ("Q07", "saw-1", "second", "COUNTED_WITHOUT_RUN", "a counter moved by hand"),
    ("R01", "oven-1", "second", "BACKFILLED", "history that was made up"),
    ("R03", "pump-1", "first", "FAULTS_WITHOUT_ALARM", "alarms switched off"),
    ("S03", "line-1", "first", "SELF_SIGNED_FOR_LIFE", "a certificate for ever"),
    ("T01", "press-1", "first", "CONSTANT_ID", "one id for everything"),
    ("T02", "press-1", "first", "STALE_ORDER", "an order that nobody closes"),
    ("T03", "press-1", "second", "MIXED_LOTS", "lots taken in turns"),
    ("U01", "press-1", "first", "HAND_FED", "a selector left on automatic"),
    ("U02", "press-1", "second", "RESETS_UNSEEN", "faults that are cleared unseen"),
    ("U03", "oven-1", "first", "WIDE_BAND", "a band that always holds"),
    ("U04", "press-1", "second", "RECIPE_ATOMIC", "a recipe called at the panel"),
    ("V02", "cnc-1", "first", "STROKES_NOT_PARTS", "strokes for parts"),
    ("V03", "press-1", "first", "FASTER_THAN_IDEAL", "an ideal that is easily beaten"),
    ("V03", "press-1", "second", "IDEAL_IS_MEDIAN", "an ideal that is what is usual"),
    ("V05", "press-1", "first", "ONE_REASON_TOO_OFTEN", "one reason for everything"),
    ("V05", "press-1", "second", "OTHER_TOO_OFTEN", "other"),
]


@pytest.mark.parametrize(("name", "machine", "which", "flag", "trick"), FLAGGED, ids=lambda x: x)
def test_a_trick_is_flagged(name: str, machine: str, which: str, flag: str, trick: str) -> None:
    del trick
    said = found(name, machine, which)
    if not flag:
        assert isinstance(said, Missing)
        assert said.reason == "NA_ROLE_UNCONFIRMED"
        return
    assert not isinstance(said, Missing), said
    assert flag in said.flags


WORTH = [
    ("C01", "lathe-1", "first", 0.0),
    ("C03", "robot-1", "first", 1.0),  # restarted by night: no loss, and no credit for what was not planned
    ("C04", "line-1", "first", 0.0),
    ("E01", "oven-1", "first", 0.0),
    ("L01", "pump-1", "first", 0.0),
    ("L04", "pump-1", "first", 0.0),
    ("L02", "oven-1", "first", 0.0),
    ("R03", "pump-1", "first", 0.0),
    ("S01", "line-1", "first", 0.0),  # what is offered and not used protects nothing
    ("S02", "line-1", "first", 1.0),  # an endpoint without tokens is there for discovery
    ("T01", "press-1", "first", 0.0),
    ("T02", "press-1", "first", 0.0),
    ("T03", "press-1", "second", 0.0),
    ("U03", "oven-1", "first", 0.0),
    ("V01", "cnc-1", "first", 0.0),  # a lamp that says run while the power is on
    ("V02", "cnc-1", "first", 0.0),
    ("V04", "mill-1", "second", 0.0),  # averages are no cycle times
]


@pytest.mark.parametrize(("name", "machine", "which", "worth"), WORTH, ids=str)
def test_a_trick_is_worth_nothing(name: str, machine: str, which: str, worth: float) -> None:
    assert value(name, machine, which)[0] == pytest.approx(worth, abs=0.05)


CAPS = [("Q01", "press-1", "first", 80), ("U01", "press-1", "first", 40), ("A03", "saw-1", "first", 60),
        ("U02", "press-1", "second", 75), ("L03", "oven-1", "first", 0)]  # fmt: skip


@pytest.mark.parametrize(("name", "machine", "which", "most"), CAPS, ids=str)
def test_a_trick_is_capped(name: str, machine: str, which: str, most: float) -> None:
    assert value(name, machine, which)[1].cap <= most


MISSING = [
    ("A02", "mill-1", "first", "NA_NO_BURST"),  # bursts while nothing runs
    ("E01", "oven-1", "second", "NA_METERS_DISAGREE"),
    ("Q05", "mill-1", "second", "NA_UNDERSAMPLED"),  # whoever smooths or reads slowly has no spikes
    ("Q07", "mill-1", "first", "NA_ROLE_UNCONFIRMED"),  # resets of each shift wait for a word
    ("S04", "press-1", "first", "NA_ASSUME_EXPOSED"),
    ("X01", "robot-1", "first", "NA_FEW_EVENTS"),  # restarts by night
]


@pytest.mark.parametrize(("name", "machine", "which", "why"), MISSING, ids=lambda x: x)
def test_a_trick_leaves_nothing_to_assess(name: str, machine: str, which: str, why: str) -> None:
    said = found(name, machine, which)
    assert isinstance(said, Missing), said
    assert said.reason == why


def test_simulated_days_are_no_history() -> None:
    assert value("R01", "oven-1", "second")[0] <= played("second").length + 56 - 7


def test_halved_reasons_and_the_closed_protocol_behind_a_gateway() -> None:
    assert value("V05", "press-1", "first")[0] <= 0.5
    assert value("V05", "press-1", "second")[0] <= 0.5
    assert value("C02", "line-1", "first")[0] <= 50


def test_filler_describes_nothing() -> None:
    honest = number(outcome(told(*CALM).view, REGISTRY["Q09"], "line-1"))
    assert honest is not None
    assert value("Q09", "line-1")[0] < honest - 0.1


def test_an_inventory_cannot_shrink_unseen() -> None:
    view = told(*CALM).view
    few = replace(view, plant=replace(view.plant, machines=view.plant.machines[:3], signed=None))
    said = outcome(few, REGISTRY["C01"], few.plant.machines[0].id)
    assert isinstance(said, Census)
    assert "INVENTORY_UNSIGNED" in said.flags
    assert said.shown["declared"] == 3


def test_the_same_rows_twice_complete_nothing() -> None:
    """Counting rows would: time is counted instead."""
    plant = told(*CALM).world
    part = next(p for p in plant.parts if p.machine == "robot-1")
    (stream,) = part.streams
    assert isinstance(stream, Polled)
    when = np.sort(np.concatenate([stream.time, stream.time + 10**6]))
    doubled = Polled(stream.source, when, [np.repeat(c, 2) for c in stream.columns], np.repeat(stream.status, 2, 0))
    view = replace(plant, parts=[replace(part, streams=[doubled])], extra=[]).view()
    once = number(outcome(told(*CALM).view, REGISTRY["A01"], "robot-1"))
    assert number(outcome(view, REGISTRY["A01"], "robot-1")) == pytest.approx(once, abs=1e-3)


def test_a_time_that_a_server_refreshes_is_no_source_time() -> None:
    (stream,) = (s for p in told(*CALM).world.parts for s in p.streams if p.machine == "cnc-1")
    _, block = next(stream.blocks(np.array([0, 2**62])))
    fresh = FrameBlock(
        source=block.source, signal=block.signal, time_ns=block.time_ns, value=block.value, status=block.status,
        source_ns=None, server_ns=block.time_ns,
    )  # fmt: skip
    names = {key for _, key in account([fresh], int(block.time_ns[-1]) + SECOND, True, CALENDAR)}
    assert names == {"latency-edge/cnc-1"}


def test_no_person_stands_in_anything_that_is_found() -> None:
    view = told(*CALM).view
    facts = production(view, "press-1")
    assert {field for stop in facts.stops for field in stop.__slots__} >= {"reason"}
    for indicator in REGISTRY.values():
        said = indicator.evaluate(view, "press-1")
        assert isinstance(said, Missing) or not {"operator", "user", "person", "worker"} & set(said.shown)
