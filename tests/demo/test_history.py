"""The simulated past: it keeps the promises of frames, and the evidence knows of it what is true."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.frame import Event, Facts, FrameBlock, Quality, Status, Watermark
from agent.spool import Spool
from demo.history import HOUR, history, replay
from demo.plan import history_days
from demo.timeline import SECOND, State
from readiness.evidence import DayEvidence, load
from readiness.spans import Spans, difference
from tests.demo.conftest import NOW_NS

if TYPE_CHECKING:
    from pathlib import Path

    from agent.frame import Item, Source
    from demo.machines import Machine
    from tests.demo.conftest import Plant

DAYS = 3  # of the last ones: Tuesday, Wednesday and the Thursday that has not begun


@pytest.fixture(scope="module")
def hours(plant: Plant) -> list[list[Item]]:
    calendar = plant.config.calendar()
    days = history_days(calendar, NOW_NS)[-DAYS:]
    start, stop = calendar.bounds(days[0])[0], calendar.bounds(days[-1])[1]
    return list(history(plant.config.sources(), plant.machines, start, stop, NOW_NS))


def blocks(hours: list[list[Item]], source: str) -> list[FrameBlock]:
    return [i for hour in hours for i in hour if isinstance(i, FrameBlock) and i.source.id == source]


def machine_of(plant: Plant, source: Source) -> Machine:
    return plant.machines[source.machines()[0]]


def test_every_block_keeps_the_promises_of_a_frame_and_times_increase_across_blocks(
    plant: Plant, hours: list[list[Item]]
) -> None:
    for source in plant.config.sources():
        last = np.zeros(len(source.signals), np.int64)
        for block in blocks(hours, source.id):
            assert block.problem() is None
            assert not (block.time_ns % 1000).any(), "microseconds; the last digits are the epoch's"
            for n in range(len(last)):
                times = block.time_ns[block.signal == n]
                if len(times):
                    assert times[0] > last[n]
                    last[n] = times[-1]


def test_history_fits_the_budget_of_20_million_samples(hours: list[list[Item]]) -> None:
    rows = sum(len(i) for hour in hours for i in hour if isinstance(i, FrameBlock))
    assert 300_000 < rows / DAYS < 20_000_000 / 20, "of 28 days 20 are working days"


def test_history_holds_the_models_values(plant: Plant, hours: list[list[Item]]) -> None:
    for source in plant.config.sources():
        block = blocks(hours, source.id)[2]
        machine = machine_of(plant, source)
        for n, signal in enumerate(source.signals):
            rows = np.flatnonzero((block.signal == n) & (block.quality != Quality.BAD))[:200]
            expected = machine.columns([signal.id], block.time_ns[rows])[0].tolist()
            assert [block.value[row] for row in rows] == expected
            assert all(type(block.value[row]) in {bool, int, float, str} for row in rows)


def test_a_subscription_reports_a_change_once_and_nothing_else(plant: Plant, hours: list[list[Item]]) -> None:
    source = next(s for s in plant.config.sources() if s.id == "mold.main")
    life = plant.machines["mold-1"].timeline
    joined = blocks(hours, source.id)
    for n, signal in enumerate(source.signals):
        rows = [
            (int(t), v, int(s))
            for b in joined
            for t, v, s, i in zip(b.time_ns, b.value, b.status, b.signal, strict=True)
            if i == n
        ]
        repeated = [a for b, a in itertools.pairwise(rows) if (a[1], a[2]) == (b[1], b[2])]
        switched_on = life.start_ns[1:][life.state[:-1] == State.OFF]
        assert all((np.abs(switched_on - time) < 2 * SECOND).any() for time, _, _ in repeated), signal.id


def test_source_times_come_from_protocols_that_have_them(hours: list[list[Item]]) -> None:
    assert all(b.source_ns is None for b in blocks(hours, "press-plc.fast"))
    for block in blocks(hours, "cnc.main"):
        assert block.source_ns is not None
        assert (block.time_ns - block.source_ns > 0).all()


def test_every_outage_is_opened_and_closed_under_one_name(hours: list[list[Item]]) -> None:
    events = [i for hour in hours for i in hour if isinstance(i, Event) and i.kind == "gap"]
    opened = {e.body["gap_id"] for e in events if e.to_ns is None}
    closed = {e.body["gap_id"] for e in events if e.to_ns is not None}
    assert opened
    assert closed == opened | {"before-the-demo"}


def test_a_lost_link_is_bad_rows_at_each_attempt_and_never_an_old_value(
    plant: Plant, hours: list[list[Item]]
) -> None:
    outages = plant.machines["conveyor-1"].outages
    assert outages is not None
    seen = 0
    for block in blocks(hours, "conveyor-plc.main"):
        lost = outages.at(block.time_ns) != 0
        assert (block.status[lost] == Status.BAD_NO_COMMUNICATION).all()
        assert not (block.quality[~lost] == Quality.BAD).any()
        seen += int(lost.sum())
    assert seen > 0


def test_everybody_says_at_first_how_he_is_connected(plant: Plant, hours: list[list[Item]]) -> None:
    first, *sessions = hours[0]
    assert isinstance(first, Event)
    assert first.body == {"simulated": True}
    assert {s.subject for s in sessions if isinstance(s, Facts)} == {d.id for d in plant.config.devices}


def test_keep_alives_are_at_most_a_minute_apart_while_a_session_lives(
    plant: Plant, hours: list[list[Item]]
) -> None:
    on = plant.machines["cnc-1"].timeline
    marks = np.array(
        [i.time_ns for hour in hours for i in hour if isinstance(i, Watermark) and i.source == "cnc.main"]
    )
    assert len(marks) > 1_000
    gaps = np.flatnonzero(np.diff(marks) > 60 * SECOND)
    off = on.start_ns[on.state == State.OFF]
    reboots = plant.machines["cnc-1"].outages
    assert reboots is not None
    interrupted = np.sort(np.concatenate([off, reboots.start_ns]))
    for gap in gaps:
        after = np.searchsorted(interrupted, marks[gap])
        assert interrupted[after] < marks[gap + 1]


def evidence_of(plant: Plant, hours: list[list[Item]], folder: Path) -> tuple[int, list[DayEvidence]]:
    sources, birth = plant.config.sources(), plant.config.birth()
    evidence = make(sources, plant.config.calendar())
    rows = replay(hours, evidence, Spool(folder, birth=birth, sources=sources, fingerprint=lambda: "box"))
    spool = Spool(folder, birth=birth, sources=sources, fingerprint=lambda: "box")
    try:
        state = spool.checkpoint_state()
        assert state is not None, "the agent goes on from here"
        make(sources, plant.config.calendar(), state)
        return rows, [load(raw) for _, raw in sorted(spool.days().items())]
    finally:
        spool.stop()


def test_the_evidence_of_a_day_is_what_the_model_did(plant: Plant, hours: list[list[Item]], tmp_path: Path) -> None:
    rows, days = evidence_of(plant, hours, tmp_path)
    assert rows == sum(len(i) for hour in hours for i in hour if isinstance(i, FrameBlock))
    assert len(days) == DAYS - 1, "the last day closes when live data comes"
    calendar = plant.config.calendar()
    for day in days:
        planned = calendar.planned_spans(calendar.day_of(day.start_ns))
        assert len(planned)
        assert day.spans(day.simulated).length() == day.end_ns - day.start_ns
        assert set(day.connections) == {d.id for d in plant.config.devices}
        for part in day.sources:
            outages = machine_of(plant, next(s for s in plant.config.sources() if s.id == part.source)).outages
            down = Spans.of([]) if outages is None else Spans(outages.start_ns, outages.stop_ns)
            up = difference(planned, down)
            live = int(day.spans(part.live).within(planned).sum())
            slack = (len(up) + 1) * 2 * part.interval_ns
            assert abs(live - up.length()) <= slack, part.source


def test_the_time_before_the_demo_is_our_own_gap(plant: Plant, hours: list[list[Item]]) -> None:
    (gap,) = hours[-1]
    assert isinstance(gap, Event)
    assert gap.body["cause"] == "agent_off"
    day = plant.config.calendar().bounds(plant.config.calendar().day_of(NOW_NS))
    assert (gap.from_ns, gap.to_ns) == (day[0], NOW_NS)


def test_an_hour_is_an_hour(hours: list[list[Item]]) -> None:
    assert len(hours) == DAYS * 24 + 2
    for hour in hours[1:-1]:
        times = np.concatenate([i.time_ns for i in hour if isinstance(i, FrameBlock)] or [np.zeros(0, np.int64)])
        assert not len(times) or times.max() - times.min() < HOUR
