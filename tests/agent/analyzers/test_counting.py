"""What counters counted, against a plain loop over their readings; and that nothing but the rows decides it."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.analyzers.evidence import make
from agent.frame import DataType, Event, Role, Signal, Source, Status, Watermark
from readiness.evidence import load
from readiness.records import BACKS, STILLS, Count
from readiness.sketch import buckets
from readiness.spans import EMPTY, Spans, intersection
from tests.agent.analyzers.feeding import frame, run
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item, Mode, Value

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
Kind = Literal["pieces", "wraps", "large", "noise", "state", "energy", "share", "idle"]
KINDS: dict[Kind, tuple[DataType, Role | None]] = {
    "pieces": (DataType.INT32, None),
    "wraps": (DataType.UINT16, "count_total"),
    "large": (DataType.UINT64, None),
    "noise": (DataType.INT32, None),
    "state": (DataType.INT16, "state"),
    "energy": (DataType.FLOAT64, "energy"),
    "share": (DataType.FLOAT32, "count_good"),
    "idle": (DataType.INT64, None),
}
Reading = tuple[int, "int | float | None"]


def of_kinds(name: str, mode: Mode, interval_ns: int, kinds: Sequence[Kind]) -> Source:
    signals = tuple(
        Signal(id=f"s{i}", machine="press-1", name=f"s{i}", dtype=KINDS[k][0], role=KINDS[k][1])
        for i, k in enumerate(kinds)
    )
    return Source(
        id=f"{name}.main", device=name, protocol="opcua", mode=mode, interval_ns=interval_ns, signals=signals
    )


@dataclass
class Counter:
    """A signal's truth, and what is read of it."""

    kind: Kind
    rng: random.Random
    value: float = 0
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        starts = {"large": 2**64 - 40, "wraps": 65_000, "energy": 1234.5, "idle": 2**62}
        self.value = starts.get(self.kind, 100)

    def go_on(self, seconds: float) -> Value:
        """Let time pass and return what a reading gives."""
        rng = self.rng
        if self.kind == "pieces":
            self.value += sum(rng.random() < 0.03 for _ in range(int(seconds)))
            self.value = 0 if rng.random() < 0.002 else self.value
        elif self.kind == "wraps":
            self.value = (self.value + int(rng.random() < 0.2) * rng.choice((1, 1, 3))) % 65_536
        elif self.kind == "large":
            self.value = (self.value + int(rng.random() < 0.05)) % 2**64
            self.value = rng.choice((0, 2**53 - 3, 2**63 - 5, 2**64 - 9)) if rng.random() < 0.005 else self.value
        elif self.kind == "noise":
            self.value += rng.randrange(-9, 10) * (rng.random() < 0.3)
        elif self.kind == "state":
            self.value = rng.randrange(4) if rng.random() < 0.01 else self.value
        elif self.kind == "energy":
            self.value += rng.random() * seconds / 100
        elif self.kind == "share":
            self.value += rng.choice((0, 0, 0, 1.0, 0.5))
        return float(self.value) if KINDS[self.kind][0] in {DataType.FLOAT32, DataType.FLOAT64} else int(self.value)


def stream(
    rng: random.Random, of: Source, kinds: Sequence[Kind], seconds: float, since_s: float = 0
) -> tuple[list[tuple[int, Item]], list[Counter]]:
    """Return items in order of time, and the counters: readings fail, links are lost, agents are killed."""
    counters = [Counter(k, rng) for k in kinds]
    items: list[tuple[int, Item]] = []
    now, end = START + int(since_s * SECOND), START + int((since_s + seconds) * SECOND)
    status, talkative = int(Status.GOOD), 0.5
    while now < end:
        status = (
            rng.choice((Status.GOOD,) * 6 + (Status.UNCERTAIN, Status.BAD_OUT_OF_RANGE, Status.GOOD))
            if (rng.random() < 0.02)
            else status
        )
        talkative = rng.choice((0.02, 0.3, 1)) if rng.random() < 0.01 else talkative
        rows: list[tuple[int, int, Value, int]] = []
        for index, counter in enumerate(counters):
            value = counter.go_on(of.interval_ns / SECOND)
            if of.mode == "poll" or rng.random() < talkative:
                at = now + index * 1000
                rows.append((index, at, None if status >> 31 else value, status))
                counter.readings.append((at, None if status >> 31 else value))  # type: ignore[arg-type]
        if rows:
            items.append((now, frame(of, rows)))
        if of.mode == "subscription" and rng.random() < 0.9:
            items.append((now + 100_000, Watermark(of.id, now + 100_000)))
        chance = rng.random()
        pause = rng.choice((1, 1, 1, 1, 1.15, 1.25, 3)) if rng.random() < 0.1 else 1
        if chance < 0.003:  # the link is lost
            until = now + rng.randrange(2, 900) * SECOND
            lost = [
                (i, now + 200_000 + i * 1000, None, int(Status.BAD_NO_COMMUNICATION)) for i in range(len(kinds))
            ]
            items.append((now + 200_000, frame(of, lost)))
            for (_, at, _, _), counter in zip(lost, counters, strict=True):
                counter.readings.append((at, None))
            body = {"gap_id": f"{of.id} {now}", "cause": "link_down"}
            gap = Event(kind="gap", time_ns=until, source=of.id, from_ns=now + 200_000, to_ns=until, body=body)
            items.append((until, gap))
            now = until
        elif chance < 0.006:  # the agent is killed, and says nothing of it here
            now += rng.randrange(190, 2000) * SECOND
        now += int(of.interval_ns * pause) // 1_000_000 * 1_000_000
    items.sort(key=lambda pair: pair[0])
    return items, counters


def units(kind: Kind, value: float) -> int:
    """Return a reading as the record counts it."""
    return (
        round(float(np.rint(value * 1e6))) if KINDS[kind][0] in {DataType.FLOAT32, DataType.FLOAT64} else int(value)
    )


class Day:
    """A day's count by a loop over all readings, from the first to the day's end.

    Args:
        counter: What was read.
        of: Its source.
        low: Start of the day, `high` its end.
        high: See `low`.
        live: When the link was alive on this day, and when the signal was known.
        known: See `live`.
    """

    def __init__(self, counter: Counter, of: Source, low: int, high: int, live: Spans, known: Spans) -> None:
        self.of, self.low, self.high, self.live, self.known = of, low, high, live, known
        self.sure = KINDS[counter.kind][1] in {"count_total", "count_good", "energy"}
        self.scale = 10**6 if KINDS[counter.kind][0] in {DataType.FLOAT32, DataType.FLOAT64} else 1
        self.counted: dict[int, int] = {}
        self.blind: dict[int, int] = {}
        self.single: dict[int, int] = {}
        self.pace: dict[int, int] = {}
        self.back: list[int] = []
        self.steps = self.backs = self.base = self.before_ns = self.moved = 0
        self.first: int | None = None
        self.value: int | None = None
        self.quiet: list[tuple[int, int]] = []
        unheard = False  # a reading that says nothing lies between
        for at, said in counter.readings:
            if at >= high:
                break
            if said is not None:
                self.reading(at, units(counter.kind, said), unheard)
            unheard = said is None

    def reading(self, at: int, now: int, unheard: bool) -> None:  # noqa: FBT001
        if at >= self.low and self.first is None:
            self.first = now if self.value is None else self.value
        if self.value is not None and now != self.value:
            if at >= self.low:
                self.quiet.append((max(self.moved, self.low), at))
            self.moved = at
            missed = self.missed(at, unheard)
            if 0 < now - self.value <= 2**53:
                self.step(at, now - self.value, missed)
                self.base = 0 if missed else at
            else:
                self.step_back(at, self.value, now)
        self.value, self.before_ns = now, at

    def missed(self, at: int, unheard: bool) -> bool:  # noqa: FBT001
        """Return whether something was not known since the reading before."""
        if self.of.mode == "poll":
            return at - self.before_ns > 1.2 * self.of.interval_ns
        since = Spans.between(max(self.before_ns, self.low), at)
        return unheard or (at >= self.low and int(self.live.within(since).sum()) < since.length())

    def step_back(self, at: int, before: int, after: int) -> None:
        self.base = 0
        if at >= self.low:
            self.backs += 1
            self.back += [(at - self.low) // 1_000_000, before, after] if self.backs <= BACKS else []

    def step(self, at: int, amount: int, missed: bool) -> None:  # noqa: FBT001
        if at < self.low:
            return
        quarter = (at - self.low) // (15 * MINUTE)
        self.counted[quarter] = self.counted.get(quarter, 0) + amount
        if missed:
            self.blind[quarter] = self.blind.get(quarter, 0) + amount
            return
        self.steps += 1
        if amount == self.scale:
            self.single[quarter] = self.single.get(quarter, 0) + 1
        if self.base and amount % self.scale == 0:
            pieces = amount // self.scale
            bucket = int(buckets(np.array([(at - self.base) // pieces]))[0])
            self.pace[bucket] = self.pace.get(bucket, 0) + pieces

    def still(self) -> list[int]:
        """Return the longest stretches without a move."""
        kept = [pair for pair in self.quiet if pair[1] - pair[0] >= MINUTE]
        kept = sorted(sorted(kept, key=lambda pair: (pair[0] - pair[1], pair[0]))[:STILLS])
        kept.append((max(self.moved, self.low), self.high))
        known = [pair for one in kept for pair in intersection(Spans.of([one]), self.known)]
        known = [pair for pair in known if pair[1] - pair[0] >= MINUTE]
        found, reach = [], 0
        for start, end in sorted(sorted(known, key=lambda pair: (pair[0] - pair[1], pair[0]))[:STILLS]):
            begin, until = (start - self.low) // 1_000_000, (end - self.low) // 1_000_000
            found += [begin - reach, until - begin]
            reach = until
        return found

    def count(self) -> Count | None:
        """Return the record."""
        if not len(self.known) or self.value is None:
            return None
        if not self.sure and (self.backs > BACKS or (self.backs > 3 and self.steps < 2 * self.backs)):
            return None
        columns = (self.counted, self.blind, self.single, self.pace)
        counted, blind, single, pace = ([n for pair in sorted(c.items()) for n in pair] for c in columns)
        return Count(
            unit=1e-6 if self.scale > 1 else 1.0, counted=counted, blind=blind, steps=self.steps, single=single,
            pace=pace, back=self.back, backs=self.backs, first=self.value if self.first is None else self.first,
            last=self.value, still=self.still(),
        )  # fmt: skip


@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "15")), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["poll", "subscription"]), st.sampled_from([1, 10, 30]))
@example(92, "subscription", 30)
def test_counts_are_those_of_a_plain_loop(seed: int, mode: Mode, interval_s: int) -> None:
    rng = random.Random(seed)
    kinds = rng.sample(tuple(KINDS), 3)
    of = of_kinds("press", mode, interval_s * SECOND, kinds)
    steps = 3000
    items, counters = stream(rng, of, kinds, steps * interval_s, rng.choice((0, 86_400 - steps * interval_s * 0.7)))
    ends = [Watermark(of.id, items[-1][0] + n * HOUR) for n in (1, 23, 60)]
    closed = run([of], [*entries(rng, items, 300), [ends[0]], [ends[1]], [ends[2]]])[1]
    for raw in closed.values():
        day = load(raw)
        part = day.sources[0]
        for index, counter in enumerate(counters):
            signal = part.signals.get(f"press-1/s{index}")
            if signal is None:  # its first reading came long after the source's first word: it joins tomorrow
                assert counter.readings[0][0] > day.start_ns
                assert f"press-1/s{index}" not in part.counts
                continue
            known = day.spans(part.spans[signal.known]) if signal.known >= 0 else EMPTY
            wanted = Day(counter, of, day.start_ns, day.end_ns, day.spans(part.live), known).count()
            found = part.counts.get(f"press-1/s{index}")
            assert found == wanted, counter.kind
            if found is not None and found.backs <= BACKS:
                gone = sum(found.back[2::3]) - sum(found.back[1::3])
                assert found.first + sum(found.counted[1::2]) + gone == found.last
    assert closed


@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "5")), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300))
def test_cuts_kills_and_interleaving_leave_no_trace(seed: int, most: int) -> None:
    rng = random.Random(seed)
    kinds = rng.sample(tuple(KINDS), 3), rng.sample(tuple(KINDS), 3)
    sources = [
        of_kinds("press", "poll", 10 * SECOND, kinds[0]),
        of_kinds("cnc", "subscription", 5 * SECOND, kinds[1]),
    ]
    late = 86_400 - 5000  # nearly a day after START, so that there are two days
    items = [i for s, k in zip(sources, kinds, strict=True) for i in stream(rng, s, k, 7000, late)[0]]
    items.sort(key=lambda pair: pair[0])
    last = items[-1][0]
    ends: list[list[Item]] = [[Watermark(s.id, last + HOUR * n)] for n in (23, 26, 60) for s in sources]
    reference = run(sources, [*([item] for _, item in items), *ends])
    assert len(reference[1]) >= 2
    assert run(sources, [*entries(rng, items, most), *ends]) == reference
    assert run(sources, [*entries(rng, items, most), *ends], kill=rng) == reference


def counts(
    role: Role | None, dtype: DataType, values: Sequence[Value], step_s: float = 10, mode: Mode = "poll"
) -> Count | None:
    """Return the first day's count of readings at every `step_s`; None in `values` is a reading that is missing."""
    signal = Signal(id="s0", machine="press-1", name="s0", dtype=dtype, role=role)
    of = Source(
        id="press.main", device="press", protocol="opcua", mode=mode, interval_ns=10 * SECOND, signals=(signal,)
    )
    evidence = make([of], CALENDAR)
    rows = [(0, START + int(n * step_s * SECOND), v, 0) for n, v in enumerate(values) if v is not None]
    evidence.feed([frame(of, rows)])
    if mode == "subscription":
        evidence.feed([Watermark(of.id, START + n * 30 * SECOND) for n in range(2900)])
    evidence.feed([Watermark(of.id, START + 26 * HOUR)])
    (part,) = load(evidence.take_closed()["2026-11-23"]).sources
    return part.counts.get("press-1/s0")


def test_a_counter_of_64_bits_is_exact_to_the_last_piece_and_its_wrap_is_a_step_back() -> None:
    top = 2**64 - 1
    found = counts(None, DataType.UINT64, [top - 3, top - 1, top, 0, 4])
    assert found is not None
    assert (found.first, found.last, found.counted, found.steps) == (top - 3, 4, [0, 7], 3)
    assert found.back == [30_000, top, 0]
    signed = counts(None, DataType.INT64, [-(2**63), 2**63 - 1, -(2**63), -(2**63) + 5])
    assert signed is not None  # from one end to the other is a leap that nobody counts
    assert (signed.counted, signed.backs) == ([0, 5], 2)
    assert signed.back[:3] == [10_000, -(2**63), 2**63 - 1]


def test_tenths_do_not_drift_however_many_they_are() -> None:
    found = counts("energy", DataType.FLOAT64, [1000 + n / 10 for n in range(8000)])
    assert found is not None
    assert found.unit == 1e-6
    assert sum(found.counted[1::2]) == 799_900_000
    assert found.last - found.first == 799_900_000
    assert (found.steps, found.single, found.pace) == (7999, [], [])


def test_whole_pieces_of_a_counter_with_a_fraction_have_a_pace() -> None:
    found = counts("count_total", DataType.FLOAT32, [float(n // 2) for n in range(100)])
    assert found is not None
    assert sum(found.single[1::2]) == 49
    (bucket, number) = found.pace
    assert (bucket, number) == (int(buckets(np.array([20 * SECOND]))[0]), 48)


def test_a_fraction_without_a_role_that_counts_is_no_counter() -> None:
    assert counts("pv", DataType.FLOAT64, [1.0, 2.0, 3.0]) is None


def test_what_a_poll_missed_is_blind_and_has_no_pace() -> None:
    found = counts(None, DataType.INT32, [1, 2, 3, None, None, 9, 10, 11])
    assert found is not None
    assert (found.counted, found.blind, found.steps) == ([0, 10], [0, 6], 4)
    assert found.pace[1::2] == [2]  # 2 to 3 and 10 to 11: before that, nobody knows when the step was


@pytest.mark.parametrize(("role", "wanted"), [(None, False), ("count_total", True)])
def test_a_number_that_steps_back_all_day_is_a_counter_only_where_its_role_says_so(
    role: Role | None,
    wanted: bool,  # noqa: FBT001
) -> None:
    values = [n % 7 for n in range(3000)]
    found = counts(role, DataType.INT32, values)
    assert (found is not None) == wanted
    if found is not None:
        assert found.backs == 3000 // 7
        assert len(found.back) == 3 * BACKS
        assert sum(found.counted[1::2]) == sum(max(b - a, 0) for a, b in itertools.pairwise(values))


@pytest.mark.parametrize(("backs", "there"), [(BACKS, True), (BACKS + 1, False)])
def test_a_number_that_steps_back_a_hundred_times_a_day_is_a_counter_and_one_more_is_none(
    backs: int,
    there: bool,  # noqa: FBT001
) -> None:
    found = counts(None, DataType.INT32, [n % 30 for n in range(30 * backs + 1)])
    assert (found is not None) == there
    assert found is None or found.backs == backs


def test_a_state_that_goes_up_and_down_is_no_counter_and_a_lot_counter_is_one() -> None:
    assert counts(None, DataType.INT16, [0, 1, 0, 2, 0, 1, 0, 1, 0, 3, 0]) is None
    lots = counts(None, DataType.INT16, [n % 50 for n in range(600)])
    assert lots is not None
    assert lots.backs == 11


def test_a_step_that_came_while_the_agent_was_away_is_blind_though_no_reading_failed() -> None:
    values: list[Value] = [None] * 2000
    values[0], values[10], values[20] = 1, 2, 3  # alive: the marks of the link go on
    found = counts(None, DataType.INT32, values, mode="subscription")
    assert found is not None
    assert (found.blind, found.steps, found.pace[1::2]) == ([], 2, [1])
    signal = Signal(id="s0", machine="press-1", name="s0", dtype=DataType.INT32)
    of = Source(id="a.b", device="a", protocol="opcua", mode="subscription", interval_ns=SECOND, signals=(signal,))
    evidence = make([of], CALENDAR)
    times = [0, 70, 140, 1000, 1070, 1140]
    evidence.feed([frame(of, [(0, START + t * SECOND, n, 0) for n, t in enumerate(times)])])
    evidence.feed([Watermark(of.id, START + t * SECOND) for t in range(0, 1200, 20) if not 150 < t < 1000])
    evidence.feed([Watermark(of.id, START + 26 * HOUR)])
    (part,) = load(evidence.take_closed()["2026-11-23"]).sources
    found = part.counts["press-1/s0"]
    assert (found.counted, found.blind, found.steps) == ([0, 2, 1, 3], [1, 1], 4)
    assert found.pace[1::2] == [2]  # 70 to 140 and 1070 to 1140


def test_a_day_without_a_step_says_that_the_counter_stood() -> None:
    found = counts(None, DataType.INT32, [5] * 8640)
    assert found is not None
    assert (found.first, found.last, found.counted, found.still) == (5, 5, [], [0, 86_400_000])
