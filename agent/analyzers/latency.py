"""Time from the source to the store (A04), counted when the gateway confirms an entry.

    latency/{machine}       commit - source time, where the device states one
    latency-edge/{machine}  commit - acquisition + round trip, where it states none
    latency-stale/{machine} the device's time is that of an older change, so it says nothing about the way:
                            a poll reads an unchanged value again, a new subscription reports its first value
    latency-dirty/{machine} the entry was sent again or came from a backlog: our own delay, not the factory's

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
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from agent.frame import Item, Source
    from readiness.schedule import Calendar

    Ints = NDArray[np.int64]
    Tally = dict[tuple[str, str], dict[int, int]]

DIRECT, EDGE, STALE, DIRTY = "latency", "latency-edge", "latency-stale", "latency-dirty"
STALE_NS = 60_000_000_000


def account(
    items: Iterable[Item],
    committed_at_ns: int,
    clean: bool,  # noqa: FBT001 - the signature agreed with the spool
    calendar: Calendar,
) -> Mapping[tuple[str, str], Mapping[int, int]]:
    """Return what a confirmed entry adds to the tallies.

    Args:
        items: Of the entry.
        committed_at_ns: When the store had it, by the gateway's clock, UTC nanoseconds.
        clean: It was sent once and live, and both clocks are trusted.
        calendar: Says which production day a row belongs to (by its acquisition time).

    Returns:
        (ISO date of the production day, key) -> bucket -> number of values.
    """
    found: list[_Found] = []
    for item in items:
        if isinstance(item, FrameBlock) and len(item):
            found += _reading(item, committed_at_ns, clean) or _rows(item, committed_at_ns, clean)
    tally: Tally = {}
    day, start, end = "", 0, 0
    places = buckets(np.array([one.delay_ns for one in found], np.int64)).tolist()
    for one, bucket in zip(found, places, strict=True):
        if not start <= one.time_ns < end:
            date = calendar.day_of(one.time_ns)
            day, (start, end) = date.isoformat(), calendar.bounds(date)
        into = tally.setdefault((day, one.key), {})
        into[bucket] = into.get(bucket, 0) + one.values
    return tally


class _Found(NamedTuple):
    """Values of one machine that took the same time."""

    time_ns: int
    key: str
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
    return [_Found(times[0], f"{name}/{machine}", delay, n) for machine, n in counts.items()]


def _round_trip(block: FrameBlock, time: int) -> int:
    """Return the round trip of the request that rows of this moment came from, 0 where none is recorded."""
    before = [(trip.time_ns, trip.rtt_ns) for trip in block.round_trips if trip.time_ns <= time]
    at, rtt = max(before, default=(0, 0))
    return rtt if before and time - at <= block.source.interval_ns else 0


def _rows(block: FrameBlock, committed_ns: int, clean: bool) -> list[_Found]:  # noqa: FBT001
    """Return what a block counts for, row by row."""
    kept = block.quality != Quality.BAD
    signal, time = block.signal[kept], block.time_ns[kept]
    if not len(time):
        return []
    stamped = np.zeros(len(time), np.int64) if block.source_ns is None else block.source_ns[kept]
    delay = np.where(stamped > 0, committed_ns - stamped, committed_ns - time + _round_trips(block, time))
    kind = np.where(stamped > 0, 0, 1)
    kind[(stamped > 0) & (time - stamped > _stale_after(block.source))] = 2
    if not clean:
        kind[:] = 3
    names = (DIRECT, EDGE, STALE, DIRTY)
    signals = block.source.signals
    return [
        _Found(at, f"{names[k]}/{signals[s].machine}", took, 1)
        for at, k, s, took in zip(time.tolist(), kind.tolist(), signal.tolist(), delay.tolist(), strict=True)
    ]


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


def _stale_after(source: Source) -> int:
    """Return the age at acquisition beyond which a source time says nothing about the way to the store."""
    if source.mode == "poll":
        return int(1.2 * source.interval_ns)
    return max(STALE_NS, 10 * source.interval_ns)
