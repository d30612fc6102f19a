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

from typing import TYPE_CHECKING

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
    tally: Tally = {}
    for item in items:
        if isinstance(item, FrameBlock) and len(item):
            _block(item, committed_at_ns, clean, calendar, tally)
    return tally


def _block(block: FrameBlock, committed_ns: int, clean: bool, calendar: Calendar, tally: Tally) -> None:  # noqa: FBT001
    kept = block.quality != Quality.BAD
    signal, time = block.signal[kept], block.time_ns[kept]
    if not len(time):
        return
    stamped = np.zeros(len(time), np.int64) if block.source_ns is None else block.source_ns[kept]
    delay = np.where(stamped > 0, committed_ns - stamped, committed_ns - time + _round_trips(block, time))
    kind = np.where(stamped > 0, 0, 1)
    kind[(stamped > 0) & (time - stamped > _stale_after(block.source))] = 2
    if not clean:
        kind[:] = 3
    machines = block.source.machines()
    of = np.array([machines.index(s.machine) for s in block.source.signals], np.int64)[signal]
    bucket = buckets(delay)
    first, last = calendar.day_of(int(time.min())), calendar.day_of(int(time.max()))
    day = first
    while True:
        start, end = calendar.bounds(day)
        inside = slice(None) if first == last else (time >= start) & (time < end)
        cells, counts = np.unique(np.stack([kind[inside], of[inside], bucket[inside]]), axis=1, return_counts=True)
        for (k, m, b), n in zip(cells.T.tolist(), counts.tolist(), strict=True):
            name = (DIRECT, EDGE, STALE, DIRTY)[k]
            into = tally.setdefault((day.isoformat(), f"{name}/{machines[m]}"), {})
            into[b] = into.get(b, 0) + n
        if day == last:
            return
        day = calendar.day_of(end)


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
