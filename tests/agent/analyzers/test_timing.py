"""Jitter and order of rows, against counting them one by one."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.analyzers.jitter import GAP
from agent.frame import FrameBlock, Status, Watermark
from readiness.evidence import load
from readiness.sketch import index, value
from tests.agent.analyzers.streams import CALENDAR, SECOND, START, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Source, Value
    from readiness.evidence import SourceDay

HOUR = 3600 * SECOND
DAY = 24 * HOUR
PLC = source("plc", "poll", 10 * SECOND, 3)
CNC = source("cnc", "subscription", SECOND, 3)
Row = tuple[int, int, "Value", int, int]  # signal, time, value, status, source time


def cut(of: Source, rows: Sequence[Row], rng: random.Random) -> list[FrameBlock]:
    """Return the rows in blocks of random length."""
    found, at = [], 0
    while at < len(rows):
        size = rng.choice((1, 2, 5, 40, 400))
        part, at = rows[at : at + size], at + size
        found.append(
            FrameBlock(
                source=of,
                signal=np.array([r[0] for r in part], np.int32),
                time_ns=np.array([r[1] for r in part], np.int64),
                value=[r[2] for r in part],
                status=np.array([r[3] for r in part], np.uint32),
                source_ns=np.array([r[4] for r in part], np.int64) if any(r[4] for r in part) else None,
            )
        )
    return found


def days(of: Source, blocks: Sequence[FrameBlock], kill: random.Random | None = None) -> list[SourceDay]:
    """Return what two days say of a source; with `kill` over random restarts."""
    evidence = make([of], CALENDAR)
    closed: dict[str, bytes] = {}
    for block in blocks:
        evidence.feed([block])
        if kill is not None and kill.random() < 0.1:
            closed.update(evidence.take_closed())
            evidence = make([of], CALENDAR, evidence.state())
    evidence.feed([Watermark(of.id, START + 2 * DAY + HOUR)])
    closed.update(evidence.take_closed())
    return [load(raw).sources[0] for raw in closed.values()]


def polls(rng: random.Random) -> list[Row]:
    """Return readings of three signals: jitter, skipped slots, gaps, failures, over a change of day."""
    rows: list[Row] = []
    time = START + DAY - 2 * HOUR
    while time < START + DAY + HOUR:
        kind = rng.random()
        lost = kind < 0.02
        bad = 0.02 < kind < 0.06
        status = Status.BAD_NO_COMMUNICATION if lost else Status.BAD_OUT_OF_RANGE if bad else 0
        rows += [(n, time + n * 3_000_000, None if status else n, status, 0) for n in range(3)]
        time += round(10 * SECOND * rng.choice((1, 1, 1, 1.05, 0.9, 2, 3, 3.1, GAP + 0.1, 30)))
        time += rng.randrange(-(10**8), 10**8)
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_jitter_is_what_counting_each_reading_says(seed: int) -> None:
    rng = random.Random(seed)
    rows = polls(rng)
    expected: dict[int, Counter[int]] = {0: Counter(), 1: Counter()}
    last = None
    for signal, time, _, status, _ in rows:
        if signal or status == Status.BAD_NO_COMMUNICATION:
            continue
        if last is not None and time - last <= GAP * 10 * SECOND:
            off = abs(time - last - 10 * SECOND) / (10 * SECOND) * 1000
            expected[int(time >= START + DAY)][abs(int(index(np.array([off]))[0]))] += 1
        last = time
    blocks = cut(PLC, rows, rng)
    found = days(PLC, blocks)
    assert [dict(zip(d.jitter[::2], d.jitter[1::2], strict=True)) for d in found] == [
        dict(c) for c in expected.values()
    ]
    assert days(PLC, blocks, rng) == found
    assert all(d.jitter[::2] == sorted(d.jitter[::2]) for d in found)


def test_jitter_by_hand() -> None:
    times = [0, 10, 20.5, 30.5, 50.5, 100, 110]
    rows: list[Row] = [(n, START + round(t * SECOND), 1, 0, 0) for t in times for n in range(3)]
    (day, *_) = days(PLC, cut(PLC, rows, random.Random(0)))
    shares = [
        (value(bucket, 0.001), count) for bucket, count in zip(day.jitter[::2], day.jitter[1::2], strict=True)
    ]
    assert [count for _, count in shares] == [3, 1, 1]
    assert [share for share, _ in shares] == pytest.approx([0.0, 0.05, 1.0], rel=0.02)


def test_a_subscription_has_no_jitter() -> None:
    rows: list[Row] = [(0, START + k * SECOND, k, 0, 0) for k in range(100)]
    assert days(CNC, cut(CNC, rows, random.Random(0)))[0].jitter == []


def test_when_the_timing_signal_is_dropped_the_next_one_times() -> None:
    rows: list[Row] = [(n, START + k * 10 * SECOND, 1, 0, 0) for k in range(10) for n in range(3)]
    later: list[Row] = [(n, START + k * 10 * SECOND, 1, 0, 0) for k in range(10, 20) for n in range(2)]
    less = replace(PLC, signals=PLC.signals[1:])
    evidence = make([PLC], CALENDAR)
    evidence.feed(cut(PLC, rows, random.Random(0)))
    evidence.begin([less])
    evidence.feed(cut(less, later, random.Random(0)))
    evidence.feed([Watermark(less.id, START + DAY + HOUR)])
    (day,) = load(evidence.take_closed()["2026-11-23"]).sources
    assert day.jitter == [0, 18]


def changes(rng: random.Random, poll: bool) -> list[Row]:  # noqa: FBT001 - test data
    """Return what a device tells: mostly in order, sometimes twice, sometimes an older time, sometimes bad."""
    rows: list[Row] = []
    stamps, values = [0, 0, 0], [0.0, 0.0, 0.0]
    time = START + DAY - 600 * SECOND
    while time < START + DAY + 600 * SECOND:
        n = rng.randrange(3)
        kind = rng.random()
        if kind < 0.05:
            rows.append((n, time, None, rng.choice((Status.BAD_NO_COMMUNICATION, Status.BAD_OUT_OF_RANGE)), time))
        elif kind < 0.15:
            rows.append((n, time, rng.random(), 0, 0))
        else:
            if kind < 0.35:
                pass  # once more
            elif kind < 0.45:
                stamps[n] -= rng.randrange(SECOND)
            else:
                stamps[n] = time - rng.randrange(10**8)
            if kind > 0.3:
                values[n] = rng.choice((1.0, 2.0, 3.0, rng.random()))
            status = Status.UNCERTAIN if rng.random() < 0.1 else 0
            rows.append((n, time, values[n], status, max(stamps[n], 1)))
        time += rng.choice((10**8, SECOND, 3 * SECOND, 5 * SECOND if poll else 9 * SECOND))
    return rows


@pytest.mark.parametrize("mode", ["poll", "subscription"])
@pytest.mark.parametrize("seed", range(5))
def test_order_is_what_comparing_each_row_says(seed: int, mode: str) -> None:
    of = PLC if mode == "poll" else CNC
    rng = random.Random(seed)
    rows = changes(rng, mode == "poll")
    expected = [[0, 0, 0, 0], [0, 0, 0, 0]]  # rows, with a source time, repeated, disordered
    before: dict[int, tuple[int, int, Value] | None] = {}
    for signal, time, said, status, stamp in rows:
        counts = expected[int(time >= START + DAY)]
        if status >> 31:
            before[signal] = None
            continue
        counts[0] += 1
        if not stamp:
            continue
        counts[1] += 1
        last = before.get(signal)
        if last is not None:
            counts[3] += stamp < last[1]
            twice = (stamp, said) == last[1:] and time - last[0] <= 3 * SECOND
            counts[2] += stamp == last[1] if mode == "poll" else twice
        before[signal] = (time, stamp, said)
    blocks = cut(of, rows, rng)
    found = days(of, blocks)
    assert [[d.rows, d.with_source_time, d.repeated, d.disordered] for d in found] == expected
    assert days(of, blocks, rng) == found
    assert sum(row[3] for row in expected) > 10
    assert sum(row[2] for row in expected) > 10


def test_long_texts_are_compared_by_their_beginning_and_length() -> None:
    long = "x" * 1000
    rows: list[Row] = [
        (0, START + k * SECOND // 2, text, 0, START) for k, text in enumerate((long, long, long + "y", "x", "x"))
    ]
    for seed in range(4):
        day, *_ = days(CNC, cut(CNC, rows, random.Random(seed)))
        assert day.repeated == 2


def test_what_we_asked_for_again_is_not_repeated() -> None:
    """A connection was lost, or the agent started anew: the value is read again, and its source time is the old."""
    after_outage: list[Row] = [
        (0, START, 5, 0, START),
        (0, START + SECOND, None, Status.BAD_NO_COMMUNICATION, 0),
        (0, START + 2 * SECOND, 5, 0, START),
    ]
    after_start: list[Row] = [(0, START, 5, 0, START), (0, START + 4 * SECOND, 5, 0, START)]
    twice: list[Row] = [(0, START, 5, 0, START), (0, START + SECOND, 5, 0, START)]
    for rows, count in ((after_outage, 0), (after_start, 0), (twice, 1)):
        assert days(CNC, cut(CNC, rows, random.Random(1)))[0].repeated == count
