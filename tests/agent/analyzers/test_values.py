"""Statistics of numbers: against a count reading by reading, cut anywhere, killed anywhere."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.analyzers.ledger import Ranges
from agent.frame import DataType, FrameBlock, Source, Status, Watermark, concat
from readiness.evidence import load
from readiness.sketch import pairs, quantile, value
from tests.agent.analyzers.numbers_brute import brute, bucket
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
    ledger.feed([*items, Watermark(of.id, end)])
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
    days = evidence(of, [concat([b for b in blocks if len(b)]), *marks], last + 3 * DAY)
    assert len(days) >= 1
    for day in days.values():
        (part,) = day.sources
        for number, signal in enumerate(of.signals):
            rows = by_signal(blocks, number)
            record = part.values.get(f"press-1/{signal.id}")
            check(part, day, record, rows, signal.id, of)


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


@pytest.mark.timeout(600)  # against hanging; beside others it takes minutes
@pytest.mark.parametrize("mode", ["poll", "subscription"])
@pytest.mark.parametrize("seed", range(2))
def test_cuts_and_kills_leave_no_trace(seed: int, mode: Mode) -> None:
    rng = random.Random(seed)
    of = numbers(mode, 60 * SECOND)
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


def one_signal(
    values: Sequence[Value],
    *,
    interval: int = SECOND,
    mode: Mode = "poll",
    dtype: DataType = DataType.FLOAT64,
    **signal: object,
) -> tuple[Source, FrameBlock]:
    """Return a source of one signal, and its readings from the start of the day on."""
    plain = source("press", mode, interval, 1)
    of = replace(plain, signals=(replace(plain.signals[0], dtype=dtype, **signal),))  # type: ignore[arg-type]
    rows = [
        (0, START + i * interval, 0 if v is not None else Status.BAD_OUT_OF_RANGE) for i, v in enumerate(values)
    ]
    return of, replace(block(of, rows), value=list(values))


def first(of: Source, items: Sequence[Item]) -> Values:
    """Return the record of the first day."""
    return next(iter(evidence(of, items, START + 4 * DAY).values())).sources[0].values["press-1/s0"]


def test_white_noise_has_no_spikes_and_one_wild_reading_is_one() -> None:
    noise = np.random.default_rng(5).normal(50, 1, 80_000)
    quiet = first(*_alone(one_signal(noise.tolist()))).spiked
    assert quiet <= 1
    noise[40_000] += 30
    record = first(*_alone(one_signal(noise.tolist())))
    assert 40_000_000 in record.spikes
    assert record.spiked == quiet + 1


def _alone(made: tuple[Source, FrameBlock]) -> tuple[Source, list[Item]]:
    return made[0], [made[1]]


def test_a_digit_that_flickers_is_no_spike_and_two_wild_readings_in_a_row_are_none() -> None:
    rng = random.Random(1)
    values = [20.0 + (0.1 if rng.random() < 0.1 else 0.0) for _ in range(5000)]
    assert first(*_alone(one_signal(values))).spiked == 0
    values[1000] = 25.0
    values[2000] = values[2001] = 25.0
    record = first(*_alone(one_signal(values)))
    assert (record.spikes, record.spiked) == ([1_000_000], 1)


def test_no_spike_is_seen_across_a_hole() -> None:
    rng = random.Random(1)
    values: list[Value] = [20.0 + rng.choice((0.0, 0.1)) for _ in range(500)]
    values[100] = values[200] = values[300] = 99.0
    assert first(*_alone(one_signal(values))).spikes == [100_000, 200_000, 300_000]
    values[101] = values[198] = None
    assert first(*_alone(one_signal(values))).spikes == [300_000]


def test_a_run_over_midnight_is_one_run_on_both_days() -> None:
    values: list[Value] = [float(i) for i in range(2880)]
    for i in range(1430, 1450):  # ten minutes on each side
        values[i] = 7.5
    of, made = one_signal(values, interval=MINUTE)
    days = list(evidence(of, [made], START + 4 * DAY).values())
    one, two = (d.sources[0].values["press-1/s0"] for d in days[:2])
    assert (START + 1430 * MINUTE, START + DAY) in still(one, START)
    assert (START + DAY, START + 1450 * MINUTE) in still(two, START + DAY)


def test_a_short_run_over_midnight_is_counted_once_on_the_day_of_its_beginning() -> None:
    values: list[Value] = [float(i % 7) for i in range(86_400 + 3600)]
    for i in range(86_380, 86_410):
        values[i] = 7.5
    of, made = one_signal(values)
    one, two = (d.sources[0].values["press-1/s0"] for d in list(evidence(of, [made], START + 4 * DAY).values())[:2])
    place = bucket(30 * SECOND)
    assert pairs(one.runs).get(place) == 1
    assert place not in pairs(two.runs)
    assert (one.still, two.still) == ([], [])


def test_a_subscription_that_does_not_change_for_a_day_stands_still_all_day() -> None:
    of, made = one_signal([4.25], mode="subscription")
    marks = [Watermark(of.id, START + i * 20 * SECOND) for i in range(3 * 4320)]
    days = list(evidence(of, [made, *marks], START + 4 * DAY).values())
    second = days[1].sources[0].values["press-1/s0"]
    assert (second.n, second.low, second.high, second.base) == (0, 4.25, 4.25, 4.25)
    assert second.still == [0, 86_400_000]


def test_time_out_of_range_counts_by_quarter_hour_and_begins_anew_with_new_ranges() -> None:
    of, made = one_signal([1.0, 9.0] * 1800, eu_range=(0.0, 5.0))
    record = first(of, [made])
    assert record.usual == [0.0, 5.0]
    assert record.limits == record.outside == []
    assert pairs(record.beyond) == dict.fromkeys(range(4), 450000)
    ledger = make([of], CALENDAR)
    ledger.feed([made])
    ledger.begin([of], ranges={"press-1/s0": Ranges(limits=(0.0, 8.0))})
    later = [(0, START + HOUR + i * SECOND, 0) for i in range(900)]
    ledger.feed([replace(block(of, later), value=[9.0] * 900), Watermark(of.id, START + 4 * DAY)])
    again = load(next(iter(ledger.take_closed().values()))).sources[0].values["press-1/s0"]
    assert (again.limits, again.usual) == ([0.0, 8.0], [0.0, 5.0])
    # The reading before the change reaches into the time after it.
    assert pairs(again.outside) == {3: 1000, 4: 900_000}
    assert pairs(again.beyond) == {3: 1000, 4: 900_000}


@pytest.mark.parametrize(
    ("values", "dtype", "role", "there"),
    [
        ([1, 2, 3] * 10, DataType.INT16, None, False),  # a track holds it
        (list(range(3000)), DataType.UINT32, None, False),  # it only grows: a count
        ([0, 900] * 40, DataType.INT16, None, True),
        ([0, 900] * 40, DataType.INT16, "state", False),
        ([1, 2, 3], DataType.INT16, "pv", True),
        ([0.5], DataType.FLOAT32, None, True),
        ([True, False], DataType.BOOL, None, False),
        (["a", "b"], DataType.STRING, None, False),
        ([10**18], DataType.TIMESTAMP, None, False),
    ],
)
def test_statistics_are_for_what_no_other_record_holds(
    values: list[Value],
    dtype: DataType,
    role: str | None,
    there: bool,  # noqa: FBT001
) -> None:
    of, made = one_signal(values, dtype=dtype, role=role, role_confirmed=True)
    (day,) = list(evidence(of, [made], START + 2 * DAY).values())[:1]
    assert ("press-1/s0" in day.sources[0].values) == there


@pytest.mark.parametrize(
    "values", [[1e308, -1e308, 1e308] * 20, [5e-324, 0.0, -5e-324] * 20, [0.0] * 5, [2**63, 1] * 40]
)
def test_the_largest_and_the_smallest_numbers_break_nothing(values: list[Value]) -> None:
    dtype = DataType.UINT64 if isinstance(values[0], int) else DataType.FLOAT64
    record = first(*_alone(one_signal(values, dtype=dtype)))
    assert record.n == len(values) == sum(pairs(record.spread).values())
    assert (record.low, record.high) == (min(values), max(values))  # type: ignore[type-var]


def test_a_step_of_a_millionth_is_told_from_none() -> None:
    for base in (1.0, 250.0, 1e6, -3.7e-4):
        values = [base, base + abs(base) * 2e-6] * 50
        record = first(*_alone(one_signal(values)))
        assert record.grain <= abs(base) * 1e-6
        (place,) = pairs(record.steps)
        assert value(place, record.grain) == pytest.approx(abs(base) * 2e-6, rel=0.021)


def test_a_late_signal_of_a_new_configuration_joins_the_others() -> None:
    of, made = one_signal([1.5] * 100)
    more = replace(of, signals=(*of.signals, replace(of.signals[0], id="s1")))
    ledger = make([of], CALENDAR)
    ledger.feed([made])
    ledger = make([more], CALENDAR, ledger.state())
    for day in (1, 2):  # it counts from the day after the one on which it came
        rows = [(i % 2, START + day * DAY + i * SECOND, 0) for i in range(100)]
        ledger.feed([replace(block(more, rows), value=[float(i) for i in range(100)])])
    ledger.feed([Watermark(of.id, START + 4 * DAY)])
    days = [load(raw) for raw in ledger.take_closed().values()]
    assert [list(day.sources[0].values) for day in days[:2]] == [["press-1/s0"]] * 2
    assert {k: v.n for k, v in days[2].sources[0].values.items()} == {"press-1/s0": 50, "press-1/s1": 50}


def test_zero_and_minus_zero_are_one_number_however_they_are_cut() -> None:
    found = set()
    for cut in (1, 2, 3, 6):
        of, made = one_signal([0.0, -0.0, 0.0, -0.0, -0.0, 0.0])
        ledger = make([of], CALENDAR)
        for part in np.array_split(np.arange(6), cut):
            low, high = int(part[0]), int(part[-1]) + 1
            rows = [(0, START + i * SECOND, 0) for i in range(low, high)]
            ledger.feed([replace(block(of, rows), value=made.value[low:high])])
            ledger.state()  # takes what waits
        ledger.feed([Watermark(of.id, START + 2 * DAY)])
        found |= {(raw, ledger.state()) for raw in ledger.take_closed().values()}
    assert len(found) == 1
    (record,) = [load(raw).sources[0].values["press-1/s0"] for raw, _ in found]
    assert str([record.low, record.high, record.base]) == "[0.0, 0.0, 0.0]"


def test_more_changes_in_a_quarter_hour_than_16_bits_hold_are_counted() -> None:
    of, made = one_signal([float(i % 3) for i in range(70_000)], interval=10_000_000)
    ledger = make([of], CALENDAR)
    ledger.feed([made])
    ledger = make([of], CALENDAR, ledger.state())
    ledger.feed([Watermark(of.id, START + 4 * DAY)])
    record = load(next(iter(ledger.take_closed().values()))).sources[0].values["press-1/s0"]
    assert record.changed == [0, 69_999]
