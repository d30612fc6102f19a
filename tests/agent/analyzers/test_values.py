"""Statistics of numbers: against a count reading by reading, cut anywhere, killed anywhere."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Source, Status, Watermark, concat
from readiness.evidence import load
from readiness.sketch import pairs, quantile, value
from tests.agent.analyzers.numbers_brute import brute
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, block, halves, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item, Mode, Value
    from readiness.evidence import DayEvidence, SourceDay
    from readiness.records import Values

HOUR = 60 * MINUTE
DAY = 24 * HOUR
MILLI = 1_000_000
LIMITS, USUAL = (-5.0, 5.0), (-2.0, 3.0)


def numbers(mode: Mode, interval_ns: int) -> Source:
    """Return a source of five signals: noise, a walk in steps, a sluggish value, whole numbers, and one at rest."""
    plain = source("press", mode, interval_ns, 5)
    kinds = (DataType.FLOAT64, DataType.FLOAT32, DataType.FLOAT64, DataType.INT16, DataType.FLOAT32)
    signals = [replace(s, dtype=d) for s, d in zip(plain.signals, kinds, strict=True)]
    signals[0] = replace(signals[0], instrument_range=LIMITS, eu_range=USUAL)
    signals[2] = replace(signals[2], eu_range=USUAL)
    return replace(plain, signals=tuple(signals))


def readings(rng: random.Random, of: Source, hours: float) -> list[FrameBlock]:
    """Return single readings with faults, pauses and spikes, at whole milliseconds."""
    walk, sluggish, whole, at, status = 20.0, 0.0, 500, START + rng.randrange(60_000) * MILLI, Status.GOOD
    found = []
    while at < START + hours * HOUR:
        walk = round(walk + rng.choice((0, 0, 0.1, -0.1)), 1)
        if rng.random() < 0.02:
            sluggish = rng.uniform(-4, 4)
        whole += rng.choice((-3, -1, 0, 0, 2))
        if rng.random() < 0.02:
            status = rng.choice((Status.GOOD, Status.GOOD, Status.GOOD, Status.UNCERTAIN, Status.BAD_TIMEOUT))
        spike = rng.choice((-5.0, 0.3)) if rng.random() < 0.003 else 0.0
        values = (rng.gauss(0, 2), walk + spike, sluggish, whole, 7.5)
        rows = [
            (i, v, Status.BAD_OUT_OF_RANGE if rng.random() < 0.01 else status)
            for i, v in enumerate(values)
            if of.mode == "poll" or rng.random() < (0.001 if i == 4 else 0.6)
        ]
        found.append(filled(of, at, rows))
        pause = rng.choice((1.0, 1.0, 1.0, 1.0, 1.1, 1.2, 0.97)) if rng.random() < 0.99 else rng.uniform(1, 60)
        at += int(of.interval_ns / MILLI * pause) * MILLI
    return found


def filled(of: Source, at: int, rows: Sequence[tuple[int, Value, int]]) -> FrameBlock:
    """Return one reading with values."""
    plain = block(of, [(i, at, status) for i, _, status in rows])
    return replace(plain, value=[None if status >> 31 else v for _, v, status in rows])


def by_signal(blocks: Sequence[FrameBlock], signal: int) -> list[tuple[int, float | None]]:
    """Return the rows of a signal; values of good ones only."""
    return [
        (int(b.time_ns[row]), float(b.value[row]) if b.status[row] == 0 else None)  # type: ignore[arg-type]
        for b in blocks
        for row in np.flatnonzero(b.signal == signal).tolist()
    ]


def evidence(of: Source, items: Sequence[Item], end: int) -> dict[str, DayEvidence]:
    """Return the days of a stream in tall blocks."""
    ledger = make([of], CALENDAR)
    for _, group in groupby(items, lambda item: item.__class__):
        part = list(group)
        ledger.feed([concat(part)] if isinstance(part[0], FrameBlock) else part)  # type: ignore[arg-type]
    ledger.feed([Watermark(of.id, end)])
    return {day: load(raw) for day, raw in ledger.take_closed().items()}


def still(record: Values, start: int) -> list[tuple[int, int]]:
    """Return the long runs in absolute time."""
    found, at = [], start
    for hole, length in zip(record.still[0::2], record.still[1::2], strict=True):
        at += (hole + length) * MILLI
        found.append((at - length * MILLI, at))
    return found


@pytest.mark.parametrize("mode", ["poll", "subscription"])
@pytest.mark.parametrize("seed", range(4))
def test_a_day_is_what_counting_reading_by_reading_gives(seed: int, mode: Mode) -> None:
    rng = random.Random(seed)
    of = numbers(mode, rng.choice((10, 20, 90)) * SECOND)
    blocks = readings(rng, of, hours=28)
    last = int(blocks[-1].time_ns[0]) if len(blocks[-1]) else START
    marks: list[Watermark] = []
    if mode == "subscription":  # the link dies twice
        dead = [(START + rng.randrange(1200) * MINUTE, rng.randrange(60) * MINUTE) for _ in range(2)]
        alive = [t for t in range(START, last, 20 * SECOND) if not any(a <= t < a + n for a, n in dead)]
        blocks = [b for b in blocks if len(b) and not any(a <= b.time_ns[0] < a + n for a, n in dead)]
        marks = [Watermark(of.id, t) for t in alive]
    days = evidence(of, [*merge(marks, blocks)], last + 3 * DAY)
    assert len(days) >= 1
    for day in days.values():
        (part,) = day.sources
        for number, signal in enumerate(of.signals):
            rows = by_signal(blocks, number)
            record = part.values.get(f"press-1/{signal.id}")
            check(part, day, record, rows, signal.id, of)


def merge(marks: Sequence[Watermark], blocks: Sequence[FrameBlock]) -> list[Item]:
    """Return both in order of time."""
    items: list[tuple[int, int, Item]] = [(mark.time_ns, 0, mark) for mark in marks]
    items += [(int(one.time_ns[0]), 1, one) for one in blocks if len(one)]
    return [item for _, _, item in sorted(items, key=lambda i: i[:2])]


def check(
    part: SourceDay,
    day: DayEvidence,
    record: Values | None,
    rows: list[tuple[int, float | None]],
    name: str,
    of: Source,
) -> None:
    """Compare one record with the count."""
    known = list(day.spans(part.spans[part.signals[f"press-1/{name}"].known])) if part.spans else []
    if part.signals[f"press-1/{name}"].known < 0:
        known = []
    signal = next(s for s in of.signals if s.id == name)
    ranges = (signal.instrument_range, signal.eu_range)
    interval = of.interval_ns if of.mode == "poll" else None
    want = brute(rows, (day.start_ns, day.end_ns), interval, ranges, known)
    if record is None:
        assert not want.numbers or (signal.dtype is DataType.INT16 and max(want.numbers) - min(want.numbers) < 64)
        return
    n = len(want.numbers)
    assert record.n == n
    assert pairs(record.changed) == want.changed
    assert still(record, day.start_ns) == want.still
    assert pairs(record.runs) == want.runs
    assert record.spiked == len(want.spikes)
    largest = sorted(want.spikes, key=lambda spike: (-spike[1], spike[0]))[:32]
    assert record.spikes == sorted((t - day.start_ns) // MILLI for t, _ in largest)
    assert [pairs(record.outside), pairs(record.beyond)] == [dict(o) for o in want.out]
    assert sum(pairs(record.spread).values()) == n
    assert sum(pairs(record.steps).values()) == len(want.steps)
    if not n:
        return
    assert (record.low, record.high) == (min(want.numbers), max(want.numbers))
    assert record.base == want.numbers[0]
    width = np.quantile(want.numbers, 0.99) - np.quantile(want.numbers, 0.01)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        exact = float(np.quantile(want.numbers, share, method="inverted_cdf"))
        found = record.base + value(quantile(pairs(record.spread), share), record.grain)
        assert abs(found - exact) <= 0.0201 * abs(exact - record.base) + width / 60 + record.grain
    if want.steps:
        exact = float(np.quantile(want.steps, 0.5, method="inverted_cdf"))
        assert abs(value(quantile(pairs(record.steps), 0.5), record.grain) - exact) <= 0.0201 * exact


@pytest.mark.parametrize("mode", ["poll", "subscription"])
@pytest.mark.parametrize("seed", range(4))
def test_cuts_and_kills_leave_no_trace(seed: int, mode: Mode) -> None:
    rng = random.Random(seed)
    of = numbers(mode, rng.choice((20, 60)) * SECOND)
    blocks = [b for b in readings(rng, of, hours=26) if len(b)]
    end = Watermark(of.id, START + 30 * HOUR)

    def run(feeds: Sequence[Sequence[Item]], *, kill: bool) -> tuple[bytes, dict[str, bytes], bytes]:
        ledger, closed = make([of], CALENDAR), dict[str, bytes]()
        for feed in feeds:
            ledger.feed(feed)
            if kill and rng.random() < 0.3:
                closed |= ledger.take_closed()
                ledger = make([of], CALENDAR, ledger.state())
        before = ledger.state()
        ledger.feed([end])
        return before, closed | dict(ledger.take_closed()), ledger.state()

    def cut(most: int) -> list[list[Item]]:
        found: list[list[Item]] = []
        rest = list(blocks)
        while rest:
            size = rng.randrange(1, most)
            found.append(
                [part for one in rest[:size] for part in halves(rng, one)] if most < 50 else [concat(rest[:size])]
            )
            rest = rest[size:]
        return found

    reference = run([[concat(blocks)]], kill=False)
    assert reference[1]
    assert run(cut(4000), kill=True) == reference
    assert run(cut(300), kill=True) == reference
    assert run(cut(20), kill=False) == reference
