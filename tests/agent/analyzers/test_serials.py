"""Ids of a signal that says too many for a track: against a count reading by reading, cut anywhere and killed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.analyzers.evidence import make
from agent.frame import DataType, Status, Watermark, concat
from readiness.evidence import load
from readiness.records import SAMPLE
from readiness.serials import rank, shape
from tests.agent.analyzers.feeding import frame
from tests.agent.analyzers.streams import CALENDAR, SECOND, START, halves, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import FrameBlock, Item, Mode, Source, Value
    from readiness.evidence import DayEvidence
    from readiness.records import Ids

HOUR = 3600 * SECOND
MILLI = 1_000_000
QUARTER = 900 * SECOND
DAY = 24 * HOUR
STEP = 10 * SECOND
Row = tuple[int, "Value"]


def press(mode: Mode) -> Source:
    """Return a source with a text, a register that is a lot, and a text with few values."""
    plain = source("press", mode, STEP, 3)
    kinds = (DataType.STRING, DataType.INT64, DataType.STRING)
    signals = [replace(s, dtype=d) for s, d in zip(plain.signals, kinds, strict=True)]
    signals[1] = replace(signals[1], role="lot")
    return replace(plain, signals=tuple(signals))


def readings(seed: int, of: Source, hours: float) -> tuple[list[FrameBlock], list[list[Row]]]:
    """Return blocks of one reading, and what they said by signal (None: nothing)."""
    rng = random.Random(seed)
    found, said = [], [list[Row]() for _ in of.signals]
    at, piece, number = START + rng.randrange(9000) * MILLI, 0, 2**60
    while at < START + hours * HOUR:
        if rng.random() < 0.2:
            piece, number = piece + 1, number + rng.choice((1, 1, 1, 5))
        text = rng.choice(("", "NOREAD")) if rng.random() < 0.05 else f"SN{piece % 900:05d}-{'AB'[piece % 2]}"
        values: tuple[Value, ...] = (text, 0 if rng.random() < 0.02 else number, "AB"[at // HOUR % 2])
        bad = rng.random() < 0.02
        spoken = [i for i in range(3) if of.mode == "poll" or rng.random() < 0.7]
        if spoken:
            status = int(Status.BAD_OUT_OF_RANGE) if bad else 0
            found.append(frame(of, [(i, at, values[i], status) for i in spoken]))
            for i in spoken:
                said[i].append((at, None if bad else values[i]))
        at += STEP if rng.random() < 0.99 else rng.randrange(1, 90) * SECOND
    return found, said


def brute(
    rows: Sequence[Row], day: tuple[int, int], mode: Mode
) -> tuple[Counter[tuple[int, str]], Counter[tuple[int, str]], dict[str, list[tuple[int, int]]]]:
    """Return ms and begins by (quarter, shape), and when each id was shown that ended on the day."""
    rows = [r for r in rows if r[1] is not None or mode == "subscription"]
    time: Counter[tuple[int, str]] = Counter()
    begins: Counter[tuple[int, str]] = Counter()
    shows: dict[str, list[tuple[int, int]]] = {}
    named: tuple[str, int] | None = None
    for place, (at, value) in enumerate(rows):
        if value is None:
            continue
        after = rows[place + 1][0] if place + 1 < len(rows) else day[1] if mode == "subscription" else at + STEP
        end = after if mode == "subscription" or after - at <= 1.2 * STEP else at + STEP
        low = max(at, day[0])
        while low < min(end, day[1]):
            quarter = (low - day[0]) // QUARTER
            stop = min(end, day[1], day[0] + (quarter + 1) * QUARTER)
            time[quarter, shape(str(value))] += stop - low
            low = stop
        if value in {"", 0} or (named is not None and named[0] == str(value)):
            continue
        inside = day[0] <= at < day[1]
        if named is not None and named[1] and inside:
            shows.setdefault(named[0], []).append((named[1], at))
        begins[(at - day[0]) // QUARTER, shape(str(value))] += inside
        named = (str(value), 0 if named is None else at)
    return time, begins, shows


def check(
    record: Ids,
    want: tuple[Counter[tuple[int, str]], Counter[tuple[int, str]], dict[str, list[tuple[int, int]]]],
    start: int,
) -> None:
    """Compare a record with the count."""
    time, begins, shows = want
    shapes = [shape(one) for one in record.shapes]
    flat = list(zip(*[iter(record.rest)] * 4, strict=True))
    assert {(q, shapes[p]): (ms, n) for q, p, ms, n in flat} == {
        cell: (time[cell] // MILLI, begins[cell]) for cell in time.keys() | {c for c in begins if begins[c]}
    }
    assert record.shown == sum(map(len, shows.values()))
    smallest = sorted(shows, key=rank)[:SAMPLE]
    assert {one.label: one.shows for one in record.sample} == {name: len(shows[name]) for name in smallest}
    for one in record.sample:
        spans = [
            (start + b * MILLI, start + (b + n) * MILLI)
            for b, n in zip(one.spans[0::2], one.spans[1::2], strict=True)
        ]
        assert spans == shows[one.label][:4]


@pytest.mark.parametrize("mode", ["poll", "subscription"])
@pytest.mark.parametrize("seed", range(3))
def test_a_day_is_what_counting_reading_by_reading_gives(seed: int, mode: Mode) -> None:
    of = press(mode)
    blocks, said = readings(seed, of, hours=40)
    ledger = make([of], CALENDAR)
    ledger.feed([concat(blocks), Watermark(of.id, START + 3 * DAY)])
    days: list[DayEvidence] = [load(raw) for raw in ledger.take_closed().values()]
    assert len(days) == 2
    for day in days:
        (part,) = day.sources
        assert sorted(part.ids) == ["press-1/s0", "press-1/s1"]  # a track says what the third said
        for number, name in enumerate(("press-1/s0", "press-1/s1")):
            if mode == "poll" or day is days[0]:
                check(part.ids[name], brute(said[number], (day.start_ns, day.end_ns), mode), day.start_ns)


@pytest.mark.timeout(600)  # against hanging; beside others it takes minutes
@pytest.mark.parametrize("mode", ["poll", "subscription"])
def test_cuts_and_kills_leave_no_trace(mode: Mode) -> None:
    of, rng = press(mode), random.Random(9)
    blocks, _ = readings(9, of, hours=25)
    end = Watermark(of.id, START + 30 * HOUR)

    def run(feeds: Sequence[Sequence[Item]], *, kill: bool) -> tuple[bytes, dict[str, bytes], bytes]:
        ledger, closed = make([of], CALENDAR), dict[str, bytes]()
        for feed in feeds:
            ledger.feed(feed)
            if kill and rng.random() < 0.1:
                closed |= ledger.take_closed()
                ledger = make([of], CALENDAR, ledger.state())
        before = ledger.state()
        ledger.feed([end])
        return before, closed | dict(ledger.take_closed()), ledger.state()

    reference = run([[concat(blocks)]], kill=False)
    assert reference[1]
    for most in (20, 2000):
        feeds, rest = [], list(blocks)
        while rest:
            size = rng.randrange(1, most)
            feeds.append(
                [part for one in rest[:size] for part in halves(rng, one)] if most < 50 else [concat(rest[:size])]
            )
            rest = rest[size:]
        assert run(feeds, kill=most > 50) == reference
