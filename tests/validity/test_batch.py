"""The streaming result against one computation over the whole window, in numpy, from the rows that were read.

Nothing of the analyzers is used on the other side: columns of a source are taken as a whole, cut by day only to
compare. Numbers agree to 1e-9 of themselves, quantiles within the 2 % of the sketch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.production import production
from readiness.records import QUARTER_NS
from readiness.sketch import pairs, quantile, value
from tests.readiness.plant import DAY
from tests.validity.press import EXECUTING, STATES
from tests.validity.shop import Polled, Subscribed
from tests.validity.small import ROUGH, told

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence, SourceDay
    from tests.validity.shop import Bools, Ints

PLANT = "press-1", "robot-1", "saw-1", "mill-1", "lathe-1", "oven-1", "pump-1"


def polled(machine: str, number: int = 0) -> Polled:
    part = next(p for p in told(*ROUGH).world.parts if p.machine == machine)
    return [s for s in part.streams if isinstance(s, Polled) and s.source.mode == "poll"][number]


def days(source: str) -> list[tuple[DayEvidence, SourceDay]]:
    """Return the evidence of a source within the window."""
    return [(d, p) for d in told(*ROUGH).view.records for p in d.sources if p.source == source]


def good(stream: Polled, index: int) -> Bools:
    return np.asarray(stream.status[:, index] == 0)


def covered(stream: Polled, index: int) -> tuple[Ints, Ints]:
    """Return begin and end of what good polls tell: to the next poll within 1.2 intervals, else one interval."""
    there, every = good(stream, index), stream.source.interval_ns
    begin, last = stream.time[there], np.append(stream.time[1:], 2**62)[there]
    following = np.append(good(stream, index)[1:], False)[there]
    end = np.where(following & (last - begin <= 1.2 * every), last, begin + every)
    return begin, np.minimum(end, np.append(begin[1:], 2**62))


def by_day(begin: Ints, end: Ints, start: int, number: int) -> Ints:
    """Return how much of some stretches lies in each day."""
    edges = start + np.arange(number + 1) * DAY
    low = np.clip(begin[:, None], edges[:-1], edges[1:])
    high = np.clip(end[:, None], edges[:-1], edges[1:])
    return np.asarray((high - low).sum(axis=0))


def sparse(row: list[int]) -> dict[int, float]:
    return {index: float(n) for index, n in pairs(row).items()}


def quarters(times: Ints, weights: NDArray[np.generic], start: int) -> dict[int, float]:
    place = ((times - start) // QUARTER_NS).astype(np.int64)
    return {int(q): float(weights[place == q].sum()) for q in np.unique(place) if weights[place == q].sum()}


@pytest.mark.parametrize("machine", PLANT)
def test_known_time_and_readings_of_each_signal_and_day(machine: str) -> None:
    stream = polled(machine)
    names = [f"{s.machine}/{s.id}" for s in stream.source.signals]
    for index in {0, len(names) // 2, len(names) - 1}:
        begin, end = covered(stream, index)
        for record, part in days(stream.source.id):
            said = part.signals[names[index]]
            known = record.spans(part.spans[said.known]).length() if said.known >= 0 else 0
            inside = by_day(begin, end, record.start_ns, 1)[0]
            assert known == pytest.approx(inside, rel=1e-9, abs=1)
            today = (stream.time >= record.start_ns) & (stream.time < record.end_ns)
            kind = stream.status[today, index]
            lost = (kind >> 16 == 0x8031).sum()
            assert (said.good_reads, said.bad_reads, said.lost_reads) == (
                (kind == 0).sum(), ((kind >> 31) == 1).sum() - lost, lost,
            )  # fmt: skip


@pytest.mark.parametrize(("machine", "signal"), [("press-1", "total"), ("press-1", "good"), ("mill-1", "total")])
def test_counters_by_quarter_hour(machine: str, signal: str) -> None:
    stream = polled(machine)
    index = [s.id for s in stream.source.signals].index(signal)
    there = good(stream, index)
    time, row = stream.time[there], np.asarray(stream.columns[index])[there].astype(np.int64)
    change = np.diff(row)
    for record, part in days(stream.source.id):
        count = part.counts[f"{machine}/{signal}"]
        today = (time[1:] >= record.start_ns) & (time[1:] < record.end_ns)
        up = today & (change > 0)
        assert sparse(count.counted) == quarters(time[1:][up], change[up], record.start_ns)
        back = today & (change < 0)
        assert count.backs == back.sum()
        assert [x for x in count.back[1::3]] == row[:-1][back].tolist()[:100]  # noqa: C416
        seen = up & (np.diff(time) <= 1.2 * stream.source.interval_ns)
        single = seen & (change == 1)
        assert sparse(count.single) == quarters(time[1:][single], np.ones(single.sum()), record.start_ns)
        assert (count.first, count.last) == (
            row[max(int(np.searchsorted(time, record.start_ns)) - 1, 0)],
            row[np.searchsorted(time, record.end_ns) - 1],
        )


@pytest.mark.parametrize(("machine", "signal"), [("press-1", "state"), ("press-1", "mode"), ("saw-1", "bit")])
def test_time_of_each_label(machine: str, signal: str) -> None:
    stream = polled(machine)
    index = [s.id for s in stream.source.signals].index(signal)
    begin, end = covered(stream, index)
    row = np.asarray(stream.columns[index])[good(stream, index)]
    for record, part in days(stream.source.id):
        track = part.tracks.get(f"{machine}/{signal}")
        if track is None:
            continue
        times = dict.fromkeys(range(len(track.labels)), 0)
        for length, label in zip(track.segments[1::3], track.segments[2::3], strict=True):
            times[label] += length
        for label, length in zip(track.rest[1::4], track.rest[2::4], strict=True):
            times[label] += length
        for code, said in enumerate(track.labels):
            same = row == said
            true = by_day(begin[same], end[same], record.start_ns, 1)[0] / 1e6
            assert times[code] == pytest.approx(true, abs=1 + len(track.segments) / 3 + len(track.rest) / 4)
        told_ = row[(begin >= record.start_ns) & (begin < record.end_ns)]
        before = row[begin < record.start_ns][-1:]
        assert track.changes == (np.diff(np.concatenate([before, told_]).astype(np.int64)) != 0).sum()


@pytest.mark.parametrize(("machine", "signal"), [("press-1", "pv-a"), ("mill-1", "force"), ("pump-1", "p-3")])
def test_statistics_of_measured_values(machine: str, signal: str) -> None:
    stream = polled(machine)
    index = [s.id for s in stream.source.signals].index(signal)
    there = good(stream, index)
    time, row = stream.time[there], np.asarray(stream.columns[index])[there].astype(np.float64)
    for record, part in days(stream.source.id):
        found = part.values.get(f"{machine}/{signal}")
        inside = (time >= record.start_ns) & (time < record.end_ns)
        if found is None or inside.sum() < 1000:
            continue
        today = row[inside]
        assert (found.n, found.low, found.high, found.base) == (len(today), today.min(), today.max(), today[0])
        for share in (0.05, 0.5, 0.95):
            told_ = found.base + found.grain * value(quantile(dict(pairs(found.spread)), share), 1.0)
            true = float(np.quantile(today, share, method="inverted_cdf"))
            assert told_ == pytest.approx(true, abs=0.021 * abs(true - today[0]) + np.ptp(today) / 64)
        linked = np.diff(time) <= 1.2 * stream.source.interval_ns  # over a hole nobody has seen a change
        changed = np.concatenate([[False], (np.diff(row) != 0) & linked]) & inside
        assert sum(sparse(found.changed).values()) == changed.sum()


def test_jitter_within_two_percent() -> None:
    stream = polled("saw-1")
    pause = np.diff(stream.time)
    for record, part in days(stream.source.id):
        today = (stream.time[1:] >= record.start_ns) & (stream.time[1:] < record.end_ns)
        off = np.abs(pause[today] / stream.source.interval_ns - 1)
        off = off[off < 5]
        if len(off) < 1000:
            continue
        for share in (0.5, 0.95):
            true = float(np.quantile(off, share, method="inverted_cdf"))
            assert value(quantile(dict(pairs(part.jitter)), share)) == pytest.approx(true, rel=0.021, abs=0.001)


def test_order_of_rows() -> None:
    part = next(p for p in told(*ROUGH).world.parts if p.machine == "cnc-1")
    (stream,) = part.streams
    assert isinstance(stream, Subscribed)
    values = np.array(stream.value, np.float64)
    repeated, disordered = (np.zeros(len(stream.time), np.bool_) for _ in range(2))
    for signal in range(len(stream.source.signals)):
        own = np.flatnonzero(stream.signal == signal)
        same = (np.diff(stream.source_ns[own]) == 0) & (np.diff(values[own]) == 0)
        repeated[own[1:]] = same & (np.diff(stream.time[own]) < 3 * 10**9)
        disordered[own[1:]] = np.diff(stream.source_ns[own]) < 0
    for record, evidence in days(stream.source.id):
        today = (stream.time >= record.start_ns) & (stream.time < record.end_ns)
        assert (evidence.rows, evidence.repeated, evidence.disordered) == (
            today.sum(), repeated[today].sum(), disordered[today].sum(),
        )  # fmt: skip


def test_time_of_states_and_pieces_as_formulas_use_them() -> None:
    plant, stream = told(*ROUGH), polled("press-1")
    facts, view = production(plant.view, "press-1"), plant.view
    planned = [view.calendar.planned_spans(day) for day in view.dates]
    begin, end = covered(stream, 0)
    row = np.asarray(stream.columns[0])[good(stream, 0)]
    for label, state in STATES.states.items():
        same = row == label
        true = sum(
            float(np.maximum(np.minimum(end[same], high) - np.maximum(begin[same], low), 0).sum())
            for day in planned
            for low, high in day
        )
        got = float(view.machine_by_day("press-1", facts.states[state]).sum())
        # Kept in milliseconds: each begin and end may be off by one.
        assert got == pytest.approx(true, rel=1e-9, abs=2e6 * (1 + len(facts.states[state])))
    assert EXECUTING in STATES.states
    column = next(c for s, c in zip(stream.source.signals, stream.columns, strict=True) if s.id == "total")
    total = facts.counted("total")
    assert total is not None
    assert total.pieces.sum() == column[-1] - column[0]
