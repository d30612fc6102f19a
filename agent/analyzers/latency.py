"""Time from the source to the store (A04), counted when the gateway confirms an entry.

    latency/{machine}       commit - source time, where the device states one
    latency-edge/{machine}  commit - acquisition + round trip, where it states none
    latency-stale/{machine} the device's time is that of an older change, so it says nothing about the way:
                            a poll reads an unchanged value again, a new subscription reports its first value
    latency-dirty/{machine} the entry was sent again or came from a backlog: our own delay, not the factory's
    latency-off/{machine}   read outside of planned time, by the calendar in force

A value is new to a poll that read the signal at most 1.2 intervals before, when its source time was an earlier one:
however old it is then, up to a minute, that is how long it took. After a pause nobody knows since when it lay
there, and a value counts if it is at most 1.2 intervals old. The same source time again is the same value again.

The buckets are those of `readiness.sketch`. Only good and uncertain values count. An entry confirmed twice must be
accounted once; the caller sees to that.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent.frame import FrameBlock, Quality
from readiness.sketch import buckets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from agent.frame import Item, Signal, Source
    from readiness.schedule import Calendar
    from readiness.spans import Spans

    Ints = NDArray[np.int64]
    Ints32 = NDArray[np.int32]
    Bools = NDArray[np.bool_]
    Tally = dict[tuple[str, str], dict[int, int]]

DIRECT, EDGE, STALE, DIRTY, OFF = "latency", "latency-edge", "latency-stale", "latency-dirty", "latency-off"
STALE_NS = 60_000_000_000
LINKED = 1.2
"""Intervals."""


class _Last(NamedTuple):
    """What was read last of each signal of a source: when, its source time, and whether that counted as new."""

    signals: Sequence[Signal]
    time: Ints
    stamped: Ints
    new: Bools


class Latency:
    """Accounts entries one after the other; knows of each source what was read before.

    Args:
        calendar: Says which production day a row belongs to (by its acquisition time), and what is planned.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._last: dict[str, _Last] = {}
        self._bounds = (0, 0)
        self._date = ""
        self._planned: Spans | None = None

    def __call__(
        self,
        items: Iterable[Item],
        committed_at_ns: int,
        clean: bool,  # noqa: FBT001 - the signature agreed with the spool
    ) -> Mapping[tuple[str, str], Mapping[int, int]]:
        """Return what a confirmed entry adds to the tallies.

        Args:
            items: Of the entry.
            committed_at_ns: When the store had it, by the gateway's clock, UTC nanoseconds.
            clean: It was sent once and live, and both clocks are trusted.

        Returns:
            (ISO date of the production day, key) -> bucket -> number of values.
        """
        found: list[_Found] = []
        for item in items:
            if isinstance(item, FrameBlock) and len(item):
                found += _reading(item, committed_at_ns, clean) or self._rows(item, committed_at_ns, clean)
        tally: Tally = {}
        places = buckets(np.array([one.delay_ns for one in found], np.int64)).tolist()
        for one, bucket in zip(found, places, strict=True):
            name = one.name if self._counts(one.time_ns) else OFF
            into = tally.setdefault((self._date, f"{name}/{one.machine}"), {})
            into[bucket] = into.get(bucket, 0) + one.values
        return tally

    def _counts(self, time_ns: int) -> bool:
        """Find the day of an instant, and return whether it was planned; all is where there is no schedule."""
        start, end = self._bounds
        if not start <= time_ns < end:
            date = self._calendar.day_of(time_ns)
            self._date, self._bounds = date.isoformat(), self._calendar.bounds(date)
            self._planned = self._calendar.planned_spans(date) if self._calendar.has_schedule() else None
        if self._planned is None:
            return True
        place = int(np.searchsorted(self._planned.start, time_ns, side="right")) - 1
        return place >= 0 and time_ns < int(self._planned.end[place])

    def _rows(self, block: FrameBlock, committed_ns: int, clean: bool) -> list[_Found]:  # noqa: FBT001
        """Return what a block counts for, row by row."""
        kept = block.quality != Quality.BAD
        signal, time = block.signal[kept], block.time_ns[kept]
        if not len(time):
            return []
        stamped = np.zeros(len(time), np.int64) if block.source_ns is None else block.source_ns[kept]
        delay = np.where(stamped > 0, committed_ns - stamped, committed_ns - time + _round_trips(block, time))
        kind = np.where(stamped > 0, 0, 1)
        if (stamped > 0).any():
            kind[(stamped > 0) & ~self._new(block.source, signal, time, stamped)] = 2
        if not clean:
            kind[:] = 3
        names = (DIRECT, EDGE, STALE, DIRTY)
        signals = block.source.signals
        return [
            _Found(at, names[k], signals[s].machine, took, 1)
            for at, k, s, took in zip(time.tolist(), kind.tolist(), signal.tolist(), delay.tolist(), strict=True)
        ]

    def _new(self, source: Source, signal: Ints32, time: Ints, stamped: Ints) -> Bools:
        """Return which rows hold a value that was new when it was read, and remember the last of each signal."""
        age = time - stamped
        if source.mode != "poll":
            return np.asarray(age <= max(STALE_NS, 10 * source.interval_ns))
        last = self._last.get(source.id)
        if last is None or last.signals != source.signals:
            n = len(source.signals)
            last = _Last(source.signals, np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_))
            self._last[source.id] = last
        order = np.lexsort((time, signal))
        of, at, said = signal[order], time[order], stamped[order]
        head = np.flatnonzero(np.append(True, of[1:] != of[:-1]))
        before, earlier = np.empty_like(at), np.empty_like(said)
        before[1:], earlier[1:] = at[:-1], said[:-1]
        before[head], earlier[head] = last.time[of[head]], last.stamped[of[head]]
        limit = int(LINKED * source.interval_ns)
        linked = (before > 0) & (at > before) & (at - before <= limit)
        reach = np.where(linked, max(STALE_NS, 10 * source.interval_ns), limit)
        new = (age[order] <= reach) & ~(linked & (said <= earlier))
        again = (at == before)[head] & (said == earlier)[head]  # a confirmation that is brought once more
        new[head] = np.where(again, last.new[of[head]], new[head])
        tail = np.append(head[1:], len(of)) - 1
        later = at[tail] >= last.time[of[tail]]  # entries may be confirmed in another order than they were made
        who, rows = of[tail][later], tail[later]
        last.time[who], last.stamped[who], last.new[who] = at[rows], said[rows], new[rows]
        found = np.empty(len(new), np.bool_)
        found[order] = new
        return found


class _Found(NamedTuple):
    """Values of one machine that took the same time."""

    time_ns: int
    name: str
    machine: str
    delay_ns: int
    values: int


def _reading(block: FrameBlock, committed_ns: int, clean: bool) -> list[_Found]:  # noqa: FBT001
    """Return what a block of one moment without the device's times counts for, nothing when it is none."""
    times = block.time_ns.tolist()
    if block.source_ns is not None or block.status.any() or times.count(times[0]) < len(times):
        return []
    delay = committed_ns - times[0] + _round_trip(block, times[0])
    name = EDGE if clean else DIRTY
    signals = block.source.signals
    counts = Counter([signals[signal].machine for signal in block.signal.tolist()])
    return [_Found(times[0], name, machine, delay, n) for machine, n in counts.items()]


def _round_trip(block: FrameBlock, time: int) -> int:
    """Return the round trip of the request that rows of this moment came from, 0 where none is recorded."""
    before = [(trip.time_ns, trip.rtt_ns) for trip in block.round_trips if trip.time_ns <= time]
    at, rtt = max(before, default=(0, 0))
    return rtt if before and time - at <= block.source.interval_ns else 0


def _round_trips(block: FrameBlock, time: Ints) -> Ints:
    """Return for each row the round trip of the request it came from, 0 where none is recorded."""
    if not block.round_trips:
        return np.zeros(len(time), np.int64)
    trips = sorted((t.time_ns, t.rtt_ns) for t in block.round_trips)
    times, durations = np.array(trips, np.int64).T
    index = np.minimum(np.searchsorted(times, time, side="right") - 1, len(times) - 1)
    # A row may be stamped a microsecond after its request, when two of its signal came at once.
    near = (index >= 0) & (time - times[index] <= block.source.interval_ns)
    return np.where(near, durations[index], 0)
