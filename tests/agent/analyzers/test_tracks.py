"""What signals said, second by second, against what their tracks say; and that nothing but the rows decides it."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.analyzers.evidence import make
from agent.analyzers.timeline import Timeline
from agent.analyzers.tracks import FRACTIONS, label
from agent.frame import DataType, Event, Signal, Source, Status, Watermark
from readiness.evidence import DayEvidence, load
from readiness.records import LABELS, SEGMENTS, SUMMED, Track
from readiness.sketch import buckets
from tests.agent.analyzers.feeding import frame, run
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item, Json, Mode, Value
    from readiness.records import Label
    from readiness.spans import Spans

HOUR = 60 * MINUTE
DAY_S = 86_400
Seconds = list["Label | None"]
"""What a signal said in each second, None where nothing was known."""
TYPES = (DataType.BOOL, DataType.INT32, DataType.FLOAT64, DataType.STRING, DataType.UINT64, DataType.TIMESTAMP)
POOLS: dict[DataType, Sequence[Value]] = {
    DataType.BOOL: (False, True),
    DataType.INT32: (0, 1, 2, 3, -7),
    DataType.FLOAT64: (0.0, -0.0, 1.5, 2.25),
    DataType.STRING: ("LOT-1", "LOT-2", "", "가" * 200, "가" * 199 + "나"),
    DataType.UINT64: (2**64 - 1, 2**64 - 2, 0, 2**53, 2**53 + 1),
    DataType.TIMESTAMP: (1_800_000_000_000_000_000, 1_800_000_000_000_000_001),
}


def of_types(name: str, mode: Mode, interval_s: int, types: Sequence[DataType]) -> Source:
    signals = tuple(Signal(id=f"s{i}", machine="press-1", name=f"s{i}", dtype=t) for i, t in enumerate(types))
    return Source(
        id=f"{name}.main",
        device=name,
        protocol="opcua",
        mode=mode,
        interval_ns=interval_s * SECOND,
        signals=signals,
    )


@dataclass
class Said:
    """Rows of one signal: (second from START, value, status)."""

    rows: list[tuple[int, Value, int]] = field(default_factory=list)


def noise(rng: random.Random, dtype: DataType) -> Value:
    """Return one of very many values."""
    if dtype is DataType.BOOL:
        return rng.random() < 0.5
    number = rng.randrange(1 << 31)
    if dtype is DataType.STRING:
        return str(number)
    return number / 8 if dtype is DataType.FLOAT64 else number


def stream(
    rng: random.Random, of: Source, hours: float, since_s: int = 0
) -> tuple[list[tuple[int, Item]], list[Said]]:
    """Return items of one source in order of time, and what they said by signal; all times are whole seconds."""
    said = [Said() for _ in of.signals]
    items: list[tuple[int, Item]] = []
    values = [rng.choice(POOLS[s.dtype]) for s in of.signals]
    status, busy, nervous = int(Status.GOOD), 0.1, -1
    second, end, step = since_s + rng.randrange(100), since_s + hours * 3600, of.interval_ns // SECOND
    while second < end:
        if rng.random() < 0.01:
            busy = rng.choice((0.0, 0.001, 0.05, 0.5, 1.0))
            nervous = rng.choice((-1, -1, rng.randrange(len(of.signals))))
        if rng.random() < 0.05:
            status = rng.choice(
                (Status.GOOD,) * 5 + (Status.UNCERTAIN, Status.BAD_OUT_OF_RANGE, Status.BAD_TIMEOUT)
            )
        for index, signal in enumerate(of.signals):
            if index == nervous or rng.random() < busy:
                values[index] = noise(rng, signal.dtype) if index == nervous else rng.choice(POOLS[signal.dtype])
        spoken = [i for i in range(len(values)) if of.mode == "poll" or rng.random() < 0.4]
        now = START + second * SECOND
        if spoken:
            items.append((now, frame(of, [(i, now, values[i], status) for i in spoken])))
        for index in spoken:
            said[index].rows.append((second, None if status >> 31 else values[index], status))
        items += outage(rng, of, second) if of.mode == "subscription" else []
        second += int(step * rng.choice((1, 1, 1, 1, 1, 1, 1.2, 1.3, 2, rng.choice((1, 1, 1, 30)))) + 0.5)
    items.sort(key=lambda pair: pair[0])
    return items, said


def outage(rng: random.Random, of: Source, second: int) -> list[tuple[int, Item]]:
    """Return a sign of life of a subscription or none, and sometimes an outage that is told of."""
    now = START + second * SECOND
    found: list[tuple[int, Item]] = [(now, Watermark(of.id, now))] if rng.random() < 0.8 else []
    if rng.random() < 0.002:
        until = now + rng.randrange(1, 400) * SECOND
        body: dict[str, Json] = {"gap_id": f"{of.id}{second}", "cause": "link_down"}
        found.append((until, Event(kind="gap", time_ns=until, source=of.id, from_ns=now, to_ns=until, body=body)))
    return found


def by_second(one: Said, of: Source, dtype: DataType, seconds: int) -> Seconds:
    """Return what was said in each second, before anything is known of the link."""
    found: Seconds = [None] * seconds
    rows = one.rows
    step = of.interval_ns // SECOND
    if of.mode == "poll":
        rows = [r for r in rows if r[1] is not None]
    for (second, value, _), after in itertools.zip_longest(rows, rows[1:]):
        if value is None:
            continue
        if of.mode == "poll":
            near = after is not None and (after[0] - second) * SECOND <= int(1.2 * of.interval_ns)
            until = after[0] if near else second + step
        else:
            until = after[0] if after is not None else seconds
        said = label(value, dtype)
        for at in range(second, min(until, seconds)):
            found[at] = said
    return found


def runs(said: Seconds, low: int = 0, high: int | None = None) -> list[tuple[int, int, Label]]:
    """Return [start, end) of equal labels, without what is not known."""
    found, at = [], low
    for value, group in itertools.groupby(said[low:high]):
        length = len(list(group))
        if value is not None:
            found.append((at, at + length, value))
        at += length
    return found


def cut_to(said: Seconds, live: Spans) -> Seconds:
    """Return what was said while the link was alive."""
    found: Seconds = [None] * len(said)
    for start, end in live:
        low, high = (start - START) // SECOND, (end - START) // SECOND
        found[low:high] = said[low:high]
    return found


class Day:
    """A day's track by going through its seconds, which are counted from START.

    Args:
        one: All rows of the signal.
        of: Its source.
        dtype: Its type.
        low: First second of the day.
        live: When the link of a subscription was alive on this day.
    """

    def __init__(self, one: Said, of: Source, dtype: DataType, low: int, live: Spans | None) -> None:
        self.low, self.high = low, low + DAY_S
        self.said = by_second(one, of, dtype, self.high + DAY_S)
        self.alive = self.said if live is None else cut_to(self.said, live)
        self.whole = [r for r in runs(self.said) if r[0] < self.high and r[1] > low]
        most = FRACTIONS if dtype is DataType.FLOAT64 else SEGMENTS
        self.cut = sum(r[0] >= low for r in self.whole) > most
        self.most = LABELS if not self.cut else 0 if dtype is DataType.FLOAT64 else SUMMED
        self.pieces: list[tuple[int, int, Label]] = []
        self.rest: dict[tuple[int, Label], list[int]] = {}
        self.dwell: list[int] = []
        for start, end, value in self.whole:
            self.segment(start, end, value)
        known = [(s, label(v, dtype)) for s, v, _ in one.rows if v is not None]
        self.changed: dict[int, int] = {}
        for (_, before), (second, now) in itertools.pairwise(known):
            if before != now and low <= second < self.high:
                self.changed[(second - low) // 900] = self.changed.get((second - low) // 900, 0) + 1

    def segment(self, start: int, end: int, value: Label) -> None:
        first, last = max(start, self.low), min(end, self.high)
        seen = start > self.low and end < self.high
        seen = seen and self.said[start - 1] is not None and self.said[end] is not None
        if self.cut and last - first < 60:
            for at in range(first, last):
                cell = self.rest.setdefault(((at - self.low) // 900, value), [0, 0])
                cell[0] += 1000
                cell[1] += at == first
            self.dwell += [end - start] if seen else []
            return
        parts = runs(self.alive, first, last)
        self.pieces += parts
        self.dwell += [end - start] if seen and parts == [(start, end, value)] else []

    def track(self) -> Track | None:
        """Return the record."""
        there = {v for *_, v in self.pieces} | {v for _, v in self.rest}
        labels = list(dict.fromkeys(v for *_, v in self.whole if v in there))
        if not labels or len({v for *_, v in self.whole}) > self.most:
            return None
        segments, at = [], self.low
        for start, end, value in self.pieces:
            segments += [(start - at) * 1000, (end - start) * 1000, labels.index(value)]
            at = end
        counts: dict[int, int] = {}
        for bucket in buckets(np.array(self.dwell, np.int64) * SECOND).tolist():
            counts[bucket] = counts.get(bucket, 0) + 1
        rest = sorted((quarter, labels.index(value), *cell) for (quarter, value), cell in self.rest.items())
        return Track(
            labels=labels,
            segments=segments,
            cut=self.cut,
            rest=[n for row in rest for n in row],
            changes=sum(self.changed.values()),
            changed=[n for pair in sorted(self.changed.items()) for n in pair],
            dwell=[n for pair in sorted(counts.items()) for n in pair],
        )


def tracks(day: DayEvidence, of: Source) -> tuple[dict[str, Track], Spans]:
    part = next(p for p in day.sources if p.source == of.id)
    return part.tracks, day.spans(part.live)


@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "10")), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["poll", "subscription"]), st.sampled_from([5, 10, 60]))
def test_tracks_say_what_was_said_second_by_second(seed: int, mode: Mode, interval_s: int) -> None:
    rng = random.Random(seed)
    of = of_types("press", mode, interval_s, rng.sample(TYPES, 3))
    hours = rng.choice((3, 8))
    items, said = stream(rng, of, hours, since_s=DAY_S - int(hours * rng.choice((600, 1800, 3600))))
    feeds = entries(rng, items, 400)
    last = items[-1][0]
    feeds.append([Watermark(of.id, last + 49 * HOUR)])
    closed = {day: load(raw) for day, raw in run([of], feeds)[1].items()}
    for day in closed.values():
        found, live = tracks(day, of)
        for index, signal in enumerate(of.signals):
            low = (day.start_ns - START) // SECOND
            wanted = Day(said[index], of, signal.dtype, low, live if mode == "subscription" else None).track()
            if f"press-1/s{index}" not in day.sources[0].signals:
                wanted = None  # its first row came long after its source's first mark: it counts from the next day
            assert found.get(f"press-1/s{index}") == wanted
    assert closed


@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "5")), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300))
def test_cuts_kills_and_interleaving_leave_no_trace(seed: int, most: int) -> None:
    rng = random.Random(seed)
    sources = [
        of_types("press", "poll", rng.choice((10, 60)), rng.sample(TYPES, 3)),
        of_types("cnc", "subscription", 5, rng.sample(TYPES, 3)),
    ]
    late = DAY_S - 7200  # nearly a day after START, so that there are two days
    items = sorted((i for s in sources for i in stream(rng, s, 3, late)[0]), key=lambda pair: pair[0])
    last = items[-1][0]
    ends: list[list[Item]] = [[Watermark(s.id, last + HOUR * n)] for n in (23, 26, 60) for s in sources]
    reference = run(sources, [*([item] for _, item in items), *ends])
    assert any(b"tracks" in day for day in reference[1].values())
    assert run(sources, [*entries(rng, items, most), *ends]) == reference
    assert run(sources, [*entries(rng, items, most), *ends], kill=rng) == reference


def line(of: Source, values: Sequence[Value], step_s: int = 10, since_s: int = 0) -> list[Item]:
    """Return readings of the first signal of a poll, one each `step_s`, cut into blocks of an hour."""
    rows = [(0, START + (since_s + n * step_s) * SECOND, value, 0) for n, value in enumerate(values)]
    return [frame(of, rows[at : at + 360]) for at in range(0, len(rows), 360)]


def first_day(of: Source, items: Sequence[Item], *, restart: bool = False) -> dict[str, Track]:
    """Return the tracks of the first day of a stream, the process killed in the middle of it or not."""
    evidence = make([of], CALENDAR)
    for number, item in enumerate(items):
        evidence.feed([item])
        if restart and number == len(items) // 2:
            evidence = make([of], CALENDAR, evidence.state())
    evidence.feed([Watermark(of.id, START + 26 * HOUR)])
    return tracks(load(evidence.take_closed()["2026-11-23"]), of)[0]


@pytest.mark.parametrize(("period", "cut"), [(5, False), (4, True), (1, True)])
@pytest.mark.parametrize("restart", [False, True])
def test_a_bit_that_changes_more_than_2000_times_a_day_is_summed_up(period: int, cut: bool, restart: bool) -> None:  # noqa: FBT001
    of = of_types("press", "poll", 10, [DataType.BOOL])
    values = [n // period % 2 == 1 for n in range(8640)]
    track = first_day(of, line(of, values), restart=restart)["press-1/s0"]
    changes = 8640 // period - 1
    assert (track.cut, track.changes) == (cut, changes)
    assert sum(track.changed[1::2]) == changes
    assert sum(track.dwell[1::2]) == changes - 1  # neither the first nor the last
    if cut:
        assert track.segments == []
        assert sum(track.rest[2::4]) == 86_400_000
        assert sum(track.rest[3::4]) == changes + 1
        assert track.rest[:8] == [0, 0, 450_000 if period == 1 else 460_000, track.rest[3], 0, 1, *track.rest[6:8]]
    else:
        assert track.segments[:9] == [0, 50_000, 0, 0, 50_000, 1, 0, 50_000, 0]
        assert len(track.segments) == 3 * (changes + 1)


def test_a_cut_track_keeps_its_long_segments_one_by_one() -> None:
    of = of_types("press", "poll", 10, [DataType.INT16])
    values = [1, 2] * 1000 + [5] * 600 + [1, 2] * 100 + [5] * 5840
    track = first_day(of, line(of, values))["press-1/s0"]
    assert track.cut
    assert [track.labels[i] for i in track.segments[2::3]] == [5, 5]
    assert track.segments == [20_000_000, 6_000_000, 2, 2_000_000, 58_400_000, 2]
    assert sum(track.rest[2::4]) == 22_000_000
    assert track.changes == 2201


@pytest.mark.parametrize(("labels", "there"), [(SUMMED, True), (SUMMED + 1, False)])
def test_a_cut_track_holds_eight_labels(labels: int, there: bool) -> None:  # noqa: FBT001
    of = of_types("press", "poll", 10, [DataType.INT16])
    assert bool(first_day(of, line(of, [n % labels for n in range(3000)]))) == there
    assert first_day(of, line(of, [n % labels for n in range(2000)]))


@pytest.mark.parametrize(("changes", "there"), [(FRACTIONS - 1, True), (FRACTIONS, False)])
def test_a_number_with_a_fraction_that_changes_often_is_a_measured_value(changes: int, there: bool) -> None:  # noqa: FBT001
    of = of_types("press", "poll", 10, [DataType.FLOAT64])
    values = [20.5 + n % 2 for n in range(changes + 1)] + [20.5 + changes % 2] * 500
    assert bool(first_day(of, line(of, values))) == there


def test_a_signal_that_says_more_than_64_labels_has_no_track_and_has_one_again_on_the_next_day() -> None:
    of = of_types("press", "poll", 10, [DataType.INT32, DataType.INT64])
    evidence = make([of], CALENDAR)
    low = 8630
    rows = [(0, START + n * 10 * SECOND, min(n // 20, LABELS), 0) for n in range(low)]
    rows += [(1, START + n * 10 * SECOND, min(n // 20, LABELS - 1), 0) for n in range(low)]
    rows += [(s, START + n * 10 * SECOND, 7, 0) for n in range(low, 9100) for s in (0, 1)]
    evidence.feed([frame(of, sorted(rows, key=lambda r: r[1]))])
    evidence.feed([Watermark(of.id, START + 50 * HOUR)])
    first, second = (tracks(load(raw), of)[0] for raw in evidence.take_closed().values())
    assert list(first) == ["press-1/s1"]
    assert len(first["press-1/s1"].labels) == LABELS
    # It said the same before midnight already: it holds from the start of the day, and nothing has changed.
    assert second["press-1/s0"].segments == [0, (9100 - 8640) * 10_000, 0]
    assert (second["press-1/s0"].labels, second["press-1/s0"].changes) == ([7], 0)


def test_two_long_texts_that_differ_at_the_end_alone_are_two_labels_of_128_characters() -> None:
    texts = ["x" * 127 + c for c in "abc"], ["x" * 128 + c for c in "abc"]
    for group in texts:
        labels = {label(text, DataType.STRING) for text in group}
        assert len(labels) == 3
        assert all(isinstance(one, str) and len(one) == 128 for one in labels)
    assert label("short", DataType.STRING) == "short"


@pytest.mark.parametrize(
    ("value", "dtype", "wanted"),
    [
        (1, DataType.BOOL, True),
        (1, DataType.FLOAT32, 1.0),
        (-0.0, DataType.FLOAT64, 0.0),
        (3.0, DataType.INT16, 3),
        (2**64 - 1, DataType.UINT64, 2**64 - 1),
    ],
)
def test_a_label_has_the_type_of_its_signal(value: Value, dtype: DataType, wanted: Label) -> None:
    found = label(value, dtype)
    assert (type(found), repr(found)) == (type(wanted), repr(wanted))


def test_what_is_kept_of_a_line_has_an_end_whatever_it_says() -> None:
    rng = random.Random(1)
    timeline = Timeline(SEGMENTS)
    now = START
    for number in range(50_000):
        now += rng.choice((1, 1, 1, 90)) * SECOND
        low = START + (now - START) // (24 * HOUR) * 24 * HOUR
        if rng.random() < 0.2:
            timeline.fall_silent(now, low, low + 24 * HOUR)
        else:
            timeline.say(now, rng.randrange(3), low, low + 24 * HOUR)
        timeline.drop(low)
        if number % 100 == 0:
            assert len(timeline.state()[0]) <= SEGMENTS + 1441
