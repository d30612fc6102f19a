"""Control loops: against a computation that looks at every instant, however their two sources are interleaved."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.analyzers.following import DAY_NS, Follower, by_minute
from agent.frame import Event, FrameBlock, Status, Watermark
from readiness.evidence import load
from readiness.plant import ControlLoop
from readiness.spans import Spans, intersection
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item, Source
    from readiness.evidence import DayEvidence
    from readiness.records import Loop

HOUR = 60 * MINUTE
DAY = 24 * HOUR
LATER = 2**62
SETTER = source("scada", "subscription", SECOND, 2, "oven-1")
OVEN = source("oven", "poll", 10 * SECOND, 2, "oven-1")
# ids are unique on a machine: s0 and s1 are the set points of the one, p0 and p1 are what the other measures
OVEN = replace(OVEN, signals=tuple(replace(s, id=f"p{n}") for n, s in enumerate(OVEN.signals)))
SOURCES = [SETTER, OVEN]
ZONE = ControlLoop(machine="oven-1", name="zone", sp="s0", pv="p0", band=2.0, tau_s=40.0)


Millis = list[tuple[int, int]]
Wanted = tuple[Millis, Millis, list[tuple[int, ...]]]


class Row(NamedTuple):
    """One row of one signal."""

    time: int
    value: float | None
    status: int = 0


def told(of: Source, index: int, rows: Sequence[Row]) -> FrameBlock:
    """Return a block of one signal."""
    return FrameBlock(
        source=of,
        signal=np.full(len(rows), index, np.int32),
        time_ns=np.array([r.time for r in rows], np.int64),
        value=[r.value for r in rows],
        status=np.array([r.status for r in rows], np.uint32),
    )


def days(
    items: Sequence[Sequence[Item]], loops: Sequence[ControlLoop] = (ZONE,), count: int = 1
) -> list[DayEvidence]:
    """Feed entries, then what closes so many days; return these."""
    evidence = make(SOURCES, CALENDAR, None, loops)
    for entry in items:
        evidence.feed(entry)
    for day in range(count):
        evidence.feed([Watermark(s.id, START + (day + 1) * DAY + HOUR) for s in SOURCES])
    return [load(raw) for raw in evidence.take_closed().values()]


def spans_of(millis: Sequence[int]) -> list[tuple[int, int]]:
    """Return the spans of a record as (start, end) in milliseconds."""
    found, at = [], 0
    for hole, length in zip(millis[::2], millis[1::2], strict=True):
        found.append((at + hole, at + hole + length))
        at += hole + length
    return found


def moves_of(loop: Loop) -> list[tuple[int, ...]]:
    """Return the moves of a record, one tuple each."""
    return list(zip(*(iter(loop.moves),) * 4, strict=True))


# What a record should be, one instant after the other.


def known_of(day: DayEvidence, signal: str) -> Spans:
    """Return when a signal was known, as the evidence has it."""
    part = next(p for p in day.sources if signal in p.signals)
    index = part.signals[signal].known
    return day.spans(part.spans[index]) if index >= 0 else Spans.of([])


def holds(spans: Spans, low: int, high: int) -> bool:
    """Return whether all of [low, high) is in the set."""
    return any(start <= low and high <= end for start, end in spans) or high <= low


def brute(sp: Sequence[Row], pv: Sequence[Row], records: Sequence[DayEvidence], loop: ControlLoop) -> list[Wanted]:
    """Return (band held, moves) of each day, by looking at each instant at which something is said."""
    assert loop.band is not None
    assert loop.tau_s is not None
    patience = round(3 * loop.tau_s * 1e9)
    rows = sorted({r.time for r in (*sp, *pv)})
    said = [{r.time: r.value for r in side} for side in (sp, pv)]
    now: list[float | None] = [None, None]
    states: list[tuple[int, float | None, bool]] = []
    for time in rows:
        now = [said[side].get(time, now[side]) for side in (0, 1)]
        a, b = now
        states.append((time, a, a is not None and b is not None and abs(a - b) <= loop.band))
    inside = Spans.of(
        (t, u) for (t, _, ok), (u, _, _) in zip(states, [*states[1:], (LATER, None, False)], strict=True) if ok
    )
    changes: list[tuple[int, bool]] = []
    last: float | None = None
    for time, a, ok in states:
        if a is None:
            continue
        if last is not None and abs(a - last) > loop.band:
            changes.append((time, ok))
        elif last is not None:
            continue
        last = a
    known = [(known_of(d, "oven-1/s0"), known_of(d, "oven-1/p0")) for d in records]
    both = [intersection(a, b).clip(max(sp[0].time, pv[0].time), LATER) for a, b in known]
    found: list[Wanted] = []
    for n, day in enumerate(records):
        held = intersection(inside, both[n])
        moves: list[tuple[int, ...]] = []
        for number, (at, first) in enumerate(changes):
            following = changes[number + 1][0] if number + 1 < len(changes) else LATER
            end = min(following, at + DAY_NS)
            there = [t for t, _, ok in states if ok and at <= t < min(following, at + patience + 1)]
            reached = there[0] - at if there else -1
            until = at + (patience if reached < 0 else max(reached, 1))
            watched = all(
                holds(b, max(at, d.start_ns), min(until, d.end_ns))
                for b, d in zip(both[: n + 1], records, strict=False)
            )
            before = next(k[0] for k, d in zip(known, records, strict=True) if d.start_ns <= at < d.end_ns)
            if (
                day.start_ns <= end < day.end_ns
                and watched
                and (at in {d.start_ns for d in records} or holds(before, at - 1, at))
                and (following > at + DAY_NS or end == day.start_ns or holds(known[n][0], end - 1, end))
            ):
                moves.append(
                    (
                        (at - day.start_ns) // 10**6,
                        reached // 10**6 if reached >= 0 else -1,
                        int(first),
                        (end - at) // 10**6,
                    )
                )
        found.append(
            (
                [((s - day.start_ns) // 10**6, (e - day.start_ns) // 10**6) for s, e in held],
                [((s - day.start_ns) // 10**6, (e - day.start_ns) // 10**6) for s, e in both[n]],
                moves,
            )
        )
    return found


def plant(rng: random.Random, hours: int) -> tuple[list[Row], list[Row]]:
    """Return set points that are changed now and then, and an oven that follows them, mostly."""
    sp, pv, time = [Row(START + 5 * SECOND + 7, 100.0)], [], START
    while (time := time + rng.choice((20, 90, 200, 700, 4000, 9000)) * SECOND + rng.randrange(SECOND)) < (
        START + hours * HOUR
    ):
        kind = rng.random()
        if kind < 0.1:
            sp.append(Row(time, None, Status.BAD_NO_COMMUNICATION))
        elif kind < 0.2 and sp[-1].value is not None:
            sp.append(Row(time, sp[-1].value + 1.0))
        else:
            sp.append(Row(time, rng.choice((100.0, 101.5, 104.0, 150.0))))
    heat, time, follows = 100.0, START + rng.randrange(10 * SECOND), True
    while time < START + hours * HOUR:
        wanted = next((r.value for r in reversed(sp) if r.time <= time and r.value is not None), 100.0)
        follows = follows if rng.random() < 0.99 else not follows
        heat += (wanted - heat) * (0.3 if follows else 0.0) + rng.uniform(-0.3, 0.3)
        bad = rng.random() < 0.01
        pv.append(Row(time, None if bad else round(heat, 3), Status.BAD_OUT_OF_RANGE if bad else 0))
        time += rng.choice((10, 10, 10, 10, 10, 10, 20, 10, 10, 500 if rng.random() < 0.02 else 10)) * SECOND
    return sp, pv


def entries(rng: random.Random, sp: Sequence[Row], pv: Sequence[Row], skew: int) -> list[list[Item]]:
    """Return both streams with watermarks, cut and interleaved at random: one may be ahead by `skew`."""
    last = max(sp[-1].time, pv[-1].time)
    marks = [t for t in range(START, last, 50 * SECOND) if not START + 3 * HOUR < t < START + 4 * HOUR]
    setter: list[tuple[int, Item]] = [(r.time, told(SETTER, 0, [r])) for r in sp]
    setter += [(t, Watermark(SETTER.id, t)) for t in marks]
    setter.sort(key=lambda pair: pair[0])
    oven: list[tuple[int, Item]] = []
    at = 0
    while at < len(pv):
        size = rng.randrange(1, 40)
        oven.append((pv[at].time, told(OVEN, 0, pv[at : at + size])))
        at += size
    queues, found = [setter, oven], []
    while any(queues):
        heads = [q[0][0] if q else LATER for q in queues]
        side = rng.randrange(2)
        if not queues[side] or heads[side] > heads[1 - side] + skew:
            side = 1 - side
        until = heads[side] + rng.randrange(20 * MINUTE)
        size = sum(1 for time, _ in queues[side] if time <= until)
        part, queues[side] = queues[side][:size], queues[side][size:]
        groups: list[list[Item]] = [[], []]
        for _, item in part:  # an entry holds rows and watermarks in any order of its own
            groups[isinstance(item, Watermark)].append(item)
        rng.shuffle(groups)
        entry = [item for group in groups for item in group]
        found.append(entry)
    return found


@pytest.mark.parametrize("seed", range(int(os.environ.get("TSQ_EXAMPLES", "12"))))
def test_a_loop_is_what_looking_at_each_instant_says(seed: int) -> None:
    rng = random.Random(seed)
    sp, pv = plant(rng, hours=rng.choice((6, 23, 30)))
    count = 1 + (max(sp[-1].time, pv[-1].time) - START) // DAY
    streams = [entries(rng, sp, pv, skew) for skew in (0, 10 * MINUTE, 50 * MINUTE)]
    told_days = [days(stream, count=count) for stream in streams]
    assert told_days[0] == told_days[1] == told_days[2]
    wanted = brute(sp, pv, told_days[0], ZONE)
    for day, (held, known, moves) in zip(told_days[0], wanted, strict=True):
        if not known and not moves:
            assert not day.loops
            continue
        record = day.loops["oven-1/zone"]
        assert spans_of(record.known) == known
        assert spans_of(record.held) == held
        assert moves_of(record) == moves


def test_the_random_plants_have_moves_of_all_kinds() -> None:
    kinds: dict[str, int] = {}
    for seed in range(4):
        rng = random.Random(seed)
        sp, pv = plant(rng, 30)
        for day in days(entries(rng, sp, pv, 0), count=2):
            for _, reached, first, _ in moves_of(day.loops["oven-1/zone"]) if day.loops else ():
                kind = "first" if first else "reached" if reached >= 0 else "not"
                kinds[kind] = kinds.get(kind, 0) + 1
    assert min(kinds.get(kind, 0) for kind in ("reached", "not", "first")) >= 3, kinds


def test_how_a_stream_is_cut_leaves_no_trace_in_the_state() -> None:
    rng = random.Random(2)
    sp, pv = plant(rng, 8)
    stream = entries(rng, sp, pv, 20 * MINUTE)
    states = set()
    for size in (1, 3, 50, len(stream)):
        evidence = make(SOURCES, CALENDAR, None, [ZONE])
        for first in range(0, len(stream), size):
            evidence.feed([item for entry in stream[first : first + size] for item in entry])
        states.add(evidence.state())
    assert len(states) == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_process_that_is_killed_and_goes_on_says_the_same(seed: int) -> None:
    rng = random.Random(seed)
    sp, pv = plant(rng, 26)
    stream = entries(rng, sp, pv, 20 * MINUTE)
    stream.append([Watermark(s.id, START + 2 * DAY + HOUR) for s in SOURCES])
    whole, killed = make(SOURCES, CALENDAR, None, [ZONE]), make(SOURCES, CALENDAR, None, [ZONE])
    closed: dict[str, bytes] = {}
    for entry in stream:
        whole.feed(entry)
        killed.feed(entry)
        if rng.random() < 0.2:
            closed.update(killed.take_closed())
            killed = make(SOURCES, CALENDAR, killed.state(), [ZONE])
    closed.update(killed.take_closed())
    assert closed == whole.take_closed()
    assert killed.state() == whole.state()


def at(*times: float) -> list[int]:
    """Return instants by seconds from the day's start."""
    return [START + round(t * SECOND) for t in times]


def oven(values: Sequence[float], first: float = 0.0) -> FrameBlock:
    """Return readings of the measured value, one each ten seconds."""
    return told(
        OVEN,
        0,
        [Row(t, v) for t, v in zip(at(*(first + 10.0 * k for k in range(len(values)))), values, strict=True)],
    )


def alive(until: int, first: int = 0) -> list[Item]:
    """Return marks of life of the set point's source, each half minute."""
    return [Watermark(SETTER.id, START + second * SECOND) for second in range(first, until + 1, 30)]


def test_a_move_by_hand() -> None:
    setter = [Row(t, v) for t, v in zip(at(0, 100, 300, 500), (20.0, 50.0, 51.0, 20.0), strict=True)]
    values = [20.0] * 11 + [30.0, 40.0, 48.5] + [50.0] * 36 + [50.0, 21.0, 20.0, 20.0] + [20.0] * 10
    (day,) = days(
        [[told(SETTER, 0, setter), oven(values), *alive(630), Watermark(SETTER.id, START + 640 * SECOND)]]
    )
    loop = day.loops["oven-1/zone"]
    assert (loop.band, loop.tau_ms) == (2.0, 40_000)
    assert spans_of(loop.known) == [(0, 640_000)]
    # 20 is held until the set point goes to 50, which 48.5 meets after 30 s; a change by 1 is within the band;
    # back to 20 at 500 s in the same instant as a reading of 50, and 21 comes 10 s later
    assert spans_of(loop.held) == [(0, 100_000), (130_000, 500_000), (510_000, 640_000)]
    assert moves_of(loop) == [(100_000, 30_000, 0, 400_000)]


def test_a_set_point_that_stays_is_told_after_a_day() -> None:
    setter = [Row(t, v) for t, v in zip(at(0, 3600), (20.0, 50.0), strict=True)]
    values = [20.0] * 361 + [50.0] * (2 * 8640 - 361)
    first, second = days([[told(SETTER, 0, setter), oven(values), *alive(2 * 86_400 - 30)]], count=2)
    assert moves_of(first.loops["oven-1/zone"]) == []
    assert moves_of(second.loops["oven-1/zone"]) == [(3_600_000 - 86_400_000, 10_000, 0, 86_400_000)]


def test_what_was_copied_from_the_measured_value_came_first() -> None:
    setter = [Row(t, v) for t, v in zip(at(0, 110, 300), (20.0, 50.0, 20.0), strict=True)]
    values = [20.0] * 10 + [50.0] * 30
    (day,) = days([[told(SETTER, 0, setter), oven(values)], alive(400)])
    assert moves_of(day.loops["oven-1/zone"]) == [(110_000, 0, 1, 190_000)]


def test_both_signals_of_one_poll_are_compared_reading_by_reading() -> None:
    """What changes in one and the same reading cannot be told apart: the measured value may have been first."""
    loop = ControlLoop(machine="oven-1", name="zone", sp="p1", pv="p0", band=2.0, tau_s=40.0)
    wanted = [20.0] * 10 + [50.0] * 10 + [20.0] * 10 + [80.0] * 10
    heat = [20.0] * 10 + [20.0, 35.0, *[49.0] * 8] + [20.0] * 10 + [30.0] * 10
    block = FrameBlock(
        source=OVEN,
        signal=np.tile(np.array([0, 1], np.int32), 40),
        time_ns=np.repeat(np.array(at(*range(0, 400, 10)), np.int64), 2),
        value=[v for pair in zip(heat, wanted, strict=True) for v in pair],
        status=np.zeros(80, np.uint32),
    )
    (day,) = days([[block]], [loop])
    record = day.loops["oven-1/zone"]
    assert spans_of(record.known) == [(0, 400_000)]
    assert spans_of(record.held) == [(0, 100_000), (120_000, 300_000)]
    assert moves_of(record) == [(100_000, 20_000, 0, 100_000), (200_000, 0, 1, 100_000)]


@pytest.mark.parametrize("hole", ["before", "while awaited", "before the next"])
def test_a_move_that_nobody_could_follow_is_left_out(hole: str) -> None:
    setter = [Row(t, v) for t, v in zip(at(0, 100, 300), (20.0, 50.0, 20.0), strict=True)]
    lost = Status.BAD_NO_COMMUNICATION
    gone = {"before": 95.0, "before the next": 290.0}.get(hole)
    if gone is not None:
        setter = sorted([*setter, Row(at(gone)[0], None, lost)])
    values = [20.0] * 13 + [50.0] * 20
    blocks: list[Item] = [told(SETTER, 0, setter), oven(values)]
    if hole == "while awaited":  # no reading for half a minute
        blocks[1:] = [oven(values[:11]), oven(values[14:], 140.0)]
    (day,) = days([[*blocks], alive(330)])
    assert moves_of(day.loops["oven-1/zone"]) == []


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_source_that_is_silent_for_hours_leaves_what_holds(cut: int) -> None:
    """The set point says nothing for five hours; its server's link is down for one of them."""
    hours = 6 * 360
    values = [20.0] * hours
    rows: list[list[Item]] = [[oven(values[k : k + cut], 10.0 * k)] for k in range(0, hours, cut)]
    marks = [*alive(119 * 30), *alive(719 * 30, 240 * 30)]
    stream: list[list[Item]] = [[told(SETTER, 0, [Row(START, 20.0)])], *rows, marks]
    (day,) = days(stream)
    loop = day.loops["oven-1/zone"]
    alive_ms = [(0, 119 * 30_000), (240 * 30_000, 719 * 30_000)]
    assert spans_of(loop.known) == alive_ms
    assert spans_of(loop.held) == alive_ms


def test_what_comes_behind_what_was_compared_leaves_it_unknown() -> None:
    values = [20.0] * (4 * 360)
    stream: list[list[Item]] = [[told(SETTER, 0, [Row(START, 20.0)])], [oven(values)]]
    late = Row(at(3600)[0], 50.0)  # the oven is at four hours, so two were compared
    stream += [[told(SETTER, 0, [late])], alive(479 * 30)]
    (day,) = days(stream)
    loop = day.loops["oven-1/zone"]
    compared = 2 * 3_600_000 - 60_000  # by whole minutes
    assert spans_of(loop.known) == [(0, 3_600_000), (compared, 479 * 30_000)]
    assert spans_of(loop.held) == [(0, 3_600_000)]
    assert moves_of(loop) == []


def test_a_move_that_came_late_is_left_out() -> None:
    values = [20.0] * (4 * 360) + [50.0] * 720
    stream: list[list[Item]] = [[told(SETTER, 0, [Row(START, 20.0)])], [oven(values[:1440])]]
    stream += [
        [told(SETTER, 0, [Row(at(3600)[0], 50.0), Row(at(5 * 3600)[0], 20.0)])],
        [oven(values[1440:], 14_400.0)],
    ]
    (day,) = days([*stream, alive(6 * 3600)])
    assert moves_of(day.loops["oven-1/zone"]) == []


def test_the_latest_of_what_comes_late_holds_from_then_on() -> None:
    values = [20.0] * (4 * 360)
    stream: list[list[Item]] = [[told(SETTER, 0, [Row(START, 20.0)])], [oven(values)]]
    stream += [[told(SETTER, 0, [Row(at(3600)[0], 50.0)])], [told(SETTER, 0, [Row(at(3700)[0], 20.0)])]]
    (day,) = days([*stream, alive(479 * 30)])
    loop = day.loops["oven-1/zone"]
    compared = 2 * 3_600_000 - 60_000
    assert spans_of(loop.known) == spans_of(loop.held) == [(0, 3_600_000), (compared, 479 * 30_000)]


def test_a_new_configuration_without_a_word_on_loops_keeps_them() -> None:
    evidence = make(SOURCES, CALENDAR, None, [ZONE])
    evidence.feed([told(SETTER, 0, [Row(START, 20.0)]), oven([20.0] * 60), *alive(600)])
    evidence.begin(SOURCES)
    evidence.feed([oven([20.0] * 60, 600.0), *alive(1200, 630)])
    evidence.feed([Watermark(s.id, START + DAY + HOUR) for s in SOURCES])
    assert spans_of(load(evidence.take_closed()["2026-11-23"]).loops["oven-1/zone"].held) == [(0, 1_200_000)]


def test_a_clock_that_was_ahead_by_days_leaves_no_trace() -> None:
    evidence = make(SOURCES, CALENDAR, None, [ZONE])
    ahead = [Row(START + 9 * DAY, 99.0)]
    evidence.feed([told(SETTER, 0, ahead), told(OVEN, 0, ahead), Watermark(SETTER.id, START + 9 * DAY + HOUR)])
    evidence.feed([Event(kind="clock_step", time_ns=START)])
    evidence.feed([told(SETTER, 0, [Row(START, 20.0)]), oven([20.0] * 60), *alive(600)])
    evidence.feed([Watermark(s.id, START + DAY + HOUR) for s in SOURCES])
    loop = load(evidence.take_closed()["2026-11-23"]).loops["oven-1/zone"]
    assert spans_of(loop.known) == spans_of(loop.held) == [(0, 600_000)]


def test_a_loop_that_is_declared_later_begins_with_what_holds() -> None:
    evidence = make(SOURCES, CALENDAR)
    evidence.feed([told(SETTER, 0, [Row(START, 20.0)]), oven([20.0] * 361), *alive(3600)])
    evidence.begin(SOURCES, [ZONE])  # at one hour
    evidence.feed([oven([20.0] * 360, 3610.0), *alive(7200, 3630)])
    wider = ControlLoop(machine="oven-1", name="zone", sp="s0", pv="p0", band=3.0, tau_s=40.0)
    state = evidence.state()
    evidence = make(SOURCES, CALENDAR, state, [wider])  # at two hours, over a restart
    evidence.feed([oven([20.0] * 360, 7210.0), *alive(10_800, 7230)])
    evidence.feed([Watermark(s.id, START + DAY + HOUR) for s in SOURCES])
    loop = load(evidence.take_closed()["2026-11-23"]).loops["oven-1/zone"]
    assert loop.band == 3.0
    assert spans_of(loop.known) == [(7_210_000, 3 * 3_600_000)]
    assert spans_of(loop.held) == [(7_210_000, 3 * 3_600_000)]


@pytest.mark.parametrize(
    "loop",
    [
        ControlLoop(machine="oven-1", name="zone", sp="s0", pv="p0", tau_s=40.0),
        ControlLoop(machine="oven-1", name="zone", sp="nobody", pv="p0", band=2.0, tau_s=40.0),
    ],
)
def test_a_loop_without_a_band_or_a_signal_leaves_nothing(loop: ControlLoop) -> None:
    (day,) = days([[told(SETTER, 0, [Row(START, 20.0)]), oven([20.0] * 60)]], [loop])
    assert day.loops == {}


def test_without_a_time_constant_no_move_can_be_judged() -> None:
    loop = ControlLoop(machine="oven-1", name="zone", sp="s0", pv="p0", band=2.0)
    setter = [Row(t, v) for t, v in zip(at(0, 100, 300), (20.0, 50.0, 20.0), strict=True)]
    (day,) = days([[told(SETTER, 0, setter), oven([20.0] * 40)], alive(400)], [loop])
    assert day.loops["oven-1/zone"].tau_ms == 0
    assert day.loops["oven-1/zone"].moves == []
    assert spans_of(day.loops["oven-1/zone"].held) == [(0, 100_000), (300_000, 390_000)]


def test_a_value_that_flickers_at_the_edge_is_summed_up_by_minute() -> None:
    values = [22.0 if k % 2 else 22.5 for k in range(6000)]
    setter = told(SETTER, 0, [Row(START, 20.0)])
    (day,) = days([[setter, oven(values)], alive(60_000)])
    loop = day.loops["oven-1/zone"]
    held = spans_of(loop.held)
    assert len(held) == 1000
    assert sum(end - start for start, end in held) == 3000 * 10_000
    assert all(start % 60_000 == 0 and end - start == 30_000 for start, end in held)


@pytest.mark.parametrize("seed", range(20))
def test_summing_up_by_minute_keeps_the_total_of_each_minute(seed: int) -> None:
    rng = random.Random(seed)
    minute = 60 * SECOND
    known = Spans.of((a, a + rng.randrange(1, 3 * minute)) for a in (rng.randrange(20 * minute) for _ in range(6)))
    held = intersection(
        Spans.of((a, a + rng.randrange(1, minute)) for a in (rng.randrange(20 * minute) for _ in range(60))), known
    )
    found = by_minute(held, known, 0)
    assert intersection(found, known) == found
    for low in range(0, 24 * minute, minute):
        assert found.clip(low, low + minute).length() == held.clip(low, low + minute).length()


def test_memory_is_bounded_while_one_source_is_silent() -> None:
    follower = Follower(ZONE)
    evidence = make(SOURCES, CALENDAR, None, [ZONE])
    sizes = []
    for hour in range(12):
        evidence.feed([oven([20.0 + k % 3 for k in range(360)], hour * 3600.0)])
        sizes.append(len(evidence.state()))
    assert max(sizes[4:]) < 1.3 * sizes[3]
    assert follower.reach_ns == 0
