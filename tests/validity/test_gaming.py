"""Each trick that readiness.md 7.3 names is caught, flagged or capped: from frames over evidence to the report.

`tests.validity.tricks` is the table; here it is held against the report, and what no value can carry is tried.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from agent.analyzers.latency import Latency
from agent.frame import FrameBlock
from readiness.indicators import REGISTRY
from readiness.indicators.base import Missing
from readiness.outcomes import outcome
from readiness.production import production
from tests.readiness.plant import CALENDAR, SECOND
from tests.validity import cheats
from tests.validity.chain import World
from tests.validity.press import press
from tests.validity.rows import number
from tests.validity.shop import Polled, Site
from tests.validity.small import CALM, told
from tests.validity.tricks import PLANTS, TRICKS, Trick, played, wrong

SEEDS = (1, 2, 3) if os.environ.get("TSQ_VALIDITY") == "1" else (1,)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("trick", TRICKS, ids=str)
def test_a_trick_is_caught(trick: Trick, seed: int) -> None:
    assert not wrong(trick, seed)


def test_each_of_the_45_has_its_tricks() -> None:
    assert {trick.id for trick in TRICKS} == set(REGISTRY)
    assert {trick.plant for trick in TRICKS} == set(PLANTS)
    for trick in TRICKS:  # a line that asks for nothing would always pass
        asked = trick.flag, trick.reason, trick.true, trick.shown, *(x is not None for x in limits(trick))
        assert any(asked), trick


def limits(trick: Trick) -> tuple[float | None, ...]:
    return trick.worth, trick.most, trick.score


def test_on_the_honest_plant_no_guard_strikes() -> None:
    """Flags of tricks that are there in any case would catch nobody. Of some, the honest plant has the like."""
    view = told(*CALM).view
    like = {"GATEWAY", "NO_SOURCE_TIME", "NOT_PEOPLE_EXCLUDED", "RECIPE_ATOMIC", "UNRECONCILED", "IDEAL_IS_MEDIAN"}
    like |= {"BASELINE_IN_WINDOW", "RESETS_UNSEEN"}  # two weeks have no days before them; faults end by themselves
    for trick in TRICKS:
        honest = next((m.machine for m in told(*CALM).world.parts if m.machine == trick.machine), None)
        if honest is None or not trick.flag or trick.flag in like:
            continue
        said = outcome(view, REGISTRY[trick.id], honest)
        assert isinstance(said, Missing) or trick.flag not in said.flags, trick


def test_a_server_whose_times_stand_still_with_each_value_is_not_called_a_gateway() -> None:
    """Where times always stand still with the values, their standing still says nothing."""
    site = Site(cheats.LEVEL, 1, days=cheats.DAYS, history=0)
    world = PLANTS["filled"](1)
    (part,) = world.parts
    old = cheats.poll(part)
    first = np.maximum.accumulate(np.where(np.arange(len(old.time)) % 60 == 0, np.arange(len(old.time)), 0))
    slow = replace(old, source_ns=old.time[first])
    said = outcome(World(site, [replace(part, streams=[slow])]).view(), REGISTRY["A01"], "press-1")
    assert not isinstance(said, Missing)
    assert said.flags == ("RESTING_TOGETHER",)
    goes_on = replace(old, source_ns=old.time - 1000)
    said = outcome(World(site, [replace(part, streams=[goes_on])]).view(), REGISTRY["A01"], "press-1")
    assert not isinstance(said, Missing)
    assert said.flags == ()
    honest = press(site)
    stream = cheats.poll(honest)
    assert isinstance(stream, Polled)
    said = outcome(World(site, [honest]).view(), REGISTRY["A01"], "press-1")
    assert not isinstance(said, Missing)
    assert said.flags == ()


def test_filler_describes_nothing() -> None:
    honest = number(outcome(told(*CALM).view, REGISTRY["Q09"], "line-1"))
    filled = number(outcome(played("first")[1].view, REGISTRY["Q09"], "line-1"))
    assert honest is not None
    assert filled is not None
    assert filled < honest - 0.1


def test_a_time_that_a_server_refreshes_is_no_source_time() -> None:
    (stream,) = (s for p in told(*CALM).world.parts for s in p.streams if p.machine == "cnc-1")
    _, block = next(stream.blocks(np.array([0, 2**62])))
    fresh = FrameBlock(
        source=block.source, signal=block.signal, time_ns=block.time_ns, value=block.value, status=block.status,
        source_ns=None, server_ns=block.time_ns,
    )  # fmt: skip
    names = {key for _, key in Latency(CALENDAR)([fresh], int(block.time_ns[-1]) + SECOND, True)}
    assert names == {"latency-edge/cnc-1", "latency-off/cnc-1"}  # the second: nights


def test_no_person_stands_in_anything_that_is_found() -> None:
    view = told(*CALM).view
    facts = production(view, "press-1")
    assert {field for stop in facts.stops for field in stop.__slots__} >= {"reason"}
    for indicator in REGISTRY.values():
        said = indicator.evaluate(view, "press-1")
        assert isinstance(said, Missing) or not {"operator", "user", "person", "worker"} & set(said.shown)
