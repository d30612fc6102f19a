"""What has to hold whatever the truth is: order, units, dead points, more gaps, every second poll."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.frame import FrameBlock
from readiness.inventory import Machine
from readiness.outcomes import outcome
from tests.readiness.plant import CALENDAR
from tests.validity import mill, oven
from tests.validity.chain import World
from tests.validity.rows import ROWS, number
from tests.validity.shop import FAILED, Part, Polled, Site, runs
from tests.validity.small import DAYS, ROUGH, only, row, told

if TYPE_CHECKING:
    from agent.frame import Item
    from readiness.plant import Installed

LEVEL, SEED = ROUGH


def alone(part: Part, site: Site) -> World:
    """Return a plant of one machine."""
    return World(site, [part])


def value(world: World, name: str) -> float:
    """Return what an indicator says of the only machine."""
    found = number(outcome(world.view(), row(name).indicator, world.parts[0].machine))
    assert found is not None
    return found


def robot(level: float = LEVEL) -> tuple[Site, Part]:
    site = Site(level, SEED, days=DAYS, history=0)
    return site, mill.robot(site)


def failing(part: Part, lost: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Part:
    """Return a machine of which more polls failed."""
    (stream,) = part.streams
    assert isinstance(stream, Polled)
    status = stream.status.copy()
    status[lost] = FAILED
    return replace(part, streams=[replace(stream, status=status)])


def test_more_gaps_never_raise_completeness() -> None:
    site, part = robot()
    rng, n = np.random.default_rng(3), len(part.streams[0].time)
    lost, last = np.zeros(n, np.bool_), 1.0
    for _ in range(5):
        begin = int(rng.integers(n - 400))
        lost[begin : begin + int(rng.integers(1, 400))] = True
        now = value(alone(failing(part, lost), site), "A01")
        assert now <= last + 1e-12
        last = now
    assert last < value(alone(part, site), "A01")


def test_every_second_poll_that_fails_costs_half() -> None:
    site, part = robot()
    n = len(part.streams[0].time)
    whole = value(alone(part, site), "A01")
    half = value(alone(failing(part, np.arange(n) % 2 == 0), site), "A01")
    assert half == pytest.approx(whole / 2, abs=0.01)


def shuffled(hour: list[Item], rng: random.Random) -> list[Item]:
    """Return the items of an hour with sources interleaved otherwise; each source keeps its own order."""
    queues: dict[str, list[Item]] = {}
    for item in hour:
        name = item.source.id if isinstance(item, FrameBlock) else str(getattr(item, "source", None) or "")
        queues.setdefault(name, []).append(item)
    found: list[Item] = []
    while queues:
        name = rng.choice(sorted(queues))
        found.append(queues[name].pop(0))
        if not queues[name]:
            del queues[name]
    return found


def test_the_order_in_which_sources_arrive_changes_no_byte() -> None:
    plant = told(LEVEL, SEED)
    rng = random.Random(1)
    assert plant.world.days(lambda hour: shuffled(hour, rng)) == plant.days


def test_neither_does_the_cut_into_blocks_nor_a_process_that_is_killed() -> None:
    plant = told(LEVEL, SEED).world
    world = only(plant, "cnc-1", "saw-1", "mill-1")
    rng = np.random.default_rng(4)
    evidence, found = make(world.sources, CALENDAR), dict[str, bytes]()
    for hour in world.hours():
        for item in hour:
            cut = int(rng.integers(1, len(item))) if isinstance(item, FrameBlock) and len(item) > 1 else 0
            evidence.feed(pieces(item, cut) if isinstance(item, FrameBlock) and cut else [item])
        found.update(evidence.take_closed())
        if rng.random() < 0.1:
            evidence = make(world.sources, CALENDAR, evidence.state())
    assert found == world.days()


def pieces(block: FrameBlock, cut: int) -> list[Item]:
    """Return a block as two; a poll's rows of one moment stay together."""
    k = len(block.source.signals)
    cut = max(k, cut // k * k) if block.source.mode == "poll" else cut

    def part(where: slice) -> FrameBlock:
        return FrameBlock(
            source=block.source, signal=block.signal[where], time_ns=block.time_ns[where], value=block.value[where],
            status=block.status[where], source_ns=None if block.source_ns is None else block.source_ns[where],
        )  # fmt: skip

    return [part(slice(None, cut)), part(slice(cut, None))] if cut < len(block) else [block]


def changed(plant: World, stream: Polled) -> World:
    """Return the press that says something else, and the machine of the step after it."""
    few = only(plant, "press-1", "robot-1")
    return replace(few, parts=[replace(p, streams=[stream]) if p.machine == "press-1" else p for p in few.parts])


def test_the_order_of_signals_in_a_source_changes_no_value() -> None:
    plant = told(LEVEL, SEED)
    part = next(p for p in plant.world.parts if p.machine == "press-1")
    (stream,) = part.streams
    assert isinstance(stream, Polled)
    order = np.random.default_rng(2).permutation(len(stream.columns)).tolist()
    source = replace(stream.source, signals=tuple(stream.source.signals[i] for i in order))
    turned = Polled(stream.source, stream.time, [stream.columns[i] for i in order], stream.status[:, order])
    view = changed(plant.world, replace(turned, source=source)).view()
    for one in (r for r in ROWS if r.machine == "press-1"):
        assert number(outcome(view, one.indicator, "press-1")) == plant.result(one).found, one.id


@pytest.mark.parametrize("factor", [1000.0, 0.125])
def test_units_change_no_score(factor: float) -> None:
    """Measured values in millibar or in eighths: ranges, steps, spikes and rests stay what they are."""
    plant = told(LEVEL, SEED)
    part = next(p for p in plant.world.parts if p.machine == "press-1")
    (stream,) = part.streams
    assert isinstance(stream, Polled)
    signals, columns = [], []
    for tag, column in zip(stream.source.signals, stream.columns, strict=True):
        scaled = tag.id.startswith("pv-")
        limits = tag.instrument_range
        columns.append(column * factor if scaled else column)
        signals.append(
            replace(tag, instrument_range=(limits[0] * factor, limits[1] * factor)) if scaled and limits else tag
        )
    source = replace(stream.source, signals=tuple(signals))
    view = changed(plant.world, Polled(source, stream.time, columns, stream.status)).view()
    for name in ("Q01", "Q02", "Q03", "A01", "R02", "T03"):
        assert number(outcome(view, row(name).indicator, "press-1")) == plant.result(row(name, "press-1")).found
    spikes = number(outcome(view, row("Q05").indicator, "press-1"))
    assert spikes == pytest.approx(plant.result(row("Q05")).found, rel=0.01)


def test_a_dead_point_never_raises_l01_nor_a_machine_that_nobody_reads_c01() -> None:
    plant = told(LEVEL, SEED)
    view, old = plant.view, plant.result(row("L01")).found
    assert old is not None
    (system,) = view.plant.systems
    for name in (None, "pump-1/gone", "nowhere/x"):
        more: Installed = replace(system, points={**system.points, "new": name})
        now = number(
            row("L01").indicator.evaluate(replace(view, plant=replace(view.plant, systems=[more])), "pump-1")
        )
        assert now is not None
        assert now < old

    def reach(machines: list[Machine]) -> float:
        said = replace(view, plant=replace(view.plant, machines=machines))
        values = [number(row("C01").indicator.evaluate(said, m.id)) for m in machines]
        return float(np.mean([v for v in values if v is not None]))

    machines = list(view.plant.machines)
    assert reach([*machines, Machine("idle-9", "idle-9")]) < reach(machines)


def test_time_that_an_outage_takes_is_longer_the_more_of_it() -> None:
    found = []
    for level in (0.02, 0.1, 0.3):
        site, part = robot(level)
        found.append(value(alone(part, site), "C03"))
    assert found == sorted(found, reverse=True)


def test_a_tag_that_is_always_bad_lowers_quality_and_touches_no_other_machine() -> None:
    plant = told(LEVEL, SEED)
    part = next(p for p in plant.world.parts if p.machine == "press-1")
    (stream,) = part.streams
    assert isinstance(stream, Polled)
    status = stream.status.copy()
    status[:, [s.id for s in stream.source.signals].index("recipe")] = 0x808B_0000
    view = changed(plant.world, replace(stream, status=status)).view()
    for one in (r for r in ROWS if r.machine in {"press-1", "robot-1"}):
        now, before = number(outcome(view, one.indicator, one.machine)), plant.result(one).found
        if one.machine != "press-1":
            assert now == before, one.id
        elif one.id in {"A01", "Q01"}:
            assert now is not None
            assert before is not None
            assert now < before - 0.03


def test_histories_do_not_change_what_windows_show() -> None:
    site = Site(LEVEL, SEED, days=DAYS)
    part = oven.oven(site)
    assert runs(site.planned)
    assert len(alone(part, site).view().days) > DAYS
