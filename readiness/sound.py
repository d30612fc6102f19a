"""Whether a day's evidence that came from elsewhere is one that formulas can look at.

Its bytes may be of the right shape and say nonsense all the same: a span without a length, a label that is not
there, an hour beyond the day. One such day would end every report from then on, so it is not taken. What is looked
at here is only what would break a formula; whether it is true, nobody can see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.errors import WireError
from readiness.records import MILLI_NS, QUARTER_NS
from readiness.sketch import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from readiness.evidence import DayEvidence, SourceDay
    from readiness.records import Count, Ids, Loop, Track, Values

LONGEST_NS = 3 * 86_400_000_000_000
"""No production day is longer, whatever its zone does."""
LARGEST = 2**63


def require(day: DayEvidence) -> None:
    """Return if a day can be looked at.

    Raises:
        WireError: it cannot; the text says where.
    """
    try:
        length = day.end_ns - day.start_ns
        moments = [*(c.begin for c in day.certificates.values()), *(c.end for c in day.certificates.values())]
        if not 0 < length <= LONGEST_NS or max(map(abs, [day.end_ns, *map(int, moments)])) >= LARGEST:
            raise WireError("evidence of a day that cannot be")
    except ValueError as exc:
        raise WireError(f"evidence with a moment that is no number: {exc}") from exc
    for place, holds in _rules(day, length):
        if not holds:
            raise WireError(f"evidence that nobody can look at: {place}")


def _rules(day: DayEvidence, length: int) -> Iterator[tuple[str, bool]]:
    """Yield places and whether they hold."""
    yield "simulated", _spans(day.simulated, length)
    for cause, sources in day.censored.items():
        yield cause, all(_spans(packed, length) for packed in sources.values())
    for part in day.sources:
        yield from _source(part, length)
    for name, loop in day.loops.items():
        yield name, _loop(loop, length // MILLI_NS)
    for name, bursts in day.bursts.items():
        yield name, all(0 <= b.begin_ms <= length // MILLI_NS and 0 <= b.length_ms < LARGEST for b in bursts)
    for device, skews in day.skews.items():
        yield device, all(_numbers((s.at_ms, s.skew_ns, s.rtt_ns)) for s in skews)


def _source(part: SourceDay, length: int) -> Iterator[tuple[str, bool]]:
    quarters, millis = -(-length // QUARTER_NS), -(-length // MILLI_NS)
    yield part.source, all(_spans(packed, length) for packed in (part.service, part.live, *part.spans))
    yield part.source, 0 < part.interval_ns < LARGEST and _sketch(part.jitter)
    yield part.source, _numbers((part.late, part.rows, part.with_source_time, part.repeated, part.disordered))
    for name, one in part.signals.items():
        there = all(-1 <= index < len(part.spans) for index in (one.known, one.uncertain, one.bad))
        yield name, there and _numbers((one.good_reads, one.uncertain_reads, one.bad_reads, one.lost_reads))
    for name, track in part.tracks.items():
        yield name, _track(track, quarters, millis)
    for name, count in part.counts.items():
        yield name, _count(count, quarters, millis)
    for name, values in part.values.items():
        yield name, _values(values, quarters, millis)
    for name, ids in part.ids.items():
        yield name, _ids(ids, quarters, millis)


def _numbers(row: Sequence[int]) -> bool:
    return all(-LARGEST <= number < LARGEST for number in row)


def _spans(packed: Sequence[int], length: int) -> bool:
    """Return whether spans follow each other within the day: [offset, length, ...]."""
    reach = 0
    for at, long in zip(packed[0::2], packed[1::2], strict=False):
        if at < reach or long <= 0:
            return False
        reach = at + long
    return len(packed) % 2 == 0 and reach <= length


def _millis(flat: Sequence[int], most: int) -> bool:
    """Return whether spans follow each other within the day: [hole, length, ...]."""
    return len(flat) % 2 == 0 and min(flat, default=0) >= 0 and sum(flat) <= most


def _sparse(flat: Sequence[int], indices: int, least: int = 0) -> bool:
    """Return whether a row is [index, number, ...] with indices from `least` on, and numbers of something."""
    inside = all(least <= index < indices for index in flat[0::2])
    return len(flat) % 2 == 0 and inside and all(0 < number < LARGEST for number in flat[1::2])


def _sketch(flat: Sequence[int]) -> bool:
    return _sparse(flat, MOST + 1, -MOST)


def _track(track: Track, quarters: int, millis: int) -> bool:
    segments, rest, labels = track.segments, track.rest, range(len(track.labels))
    spans = [number for place, number in enumerate(segments) if place % 3 != 2]
    return (
        len(segments) % 3 == 0
        and _millis(spans, millis)
        and all(label in labels for label in segments[2::3])
        and len(rest) % 4 == 0
        and _numbers(rest)
        and all(0 <= quarter < quarters for quarter in rest[0::4])
        and all(label in labels for label in rest[1::4])
        and _sparse(track.changed, quarters)
        and _sketch(track.dwell)
        and _numbers((track.changes,))
    )


def _count(count: Count, quarters: int, millis: int) -> bool:
    return (
        count.unit > 0
        and all(_sparse(row, quarters) for row in (count.counted, count.blind, count.single))
        and _sketch(count.pace)
        and len(count.back) % 3 == 0
        and all(0 <= at <= millis for at in count.back[0::3])
        and count.backs >= len(count.back) // 3
        and _numbers((count.steps, count.backs))
        and max(map(abs, (count.first, count.last, *count.back))) < 2 * LARGEST
        and _millis(count.still, millis)
    )


def _values(values: Values, quarters: int, millis: int) -> bool:
    return (
        values.grain > 0
        and all(_sparse(row, quarters) for row in (values.changed, values.outside, values.beyond))
        and all(_sketch(row) for row in (values.spread, values.steps, values.runs))
        and _millis(values.still, millis)
        and all(0 <= at <= millis for at in values.spikes)
        and _numbers((values.n, values.spiked))
        and all(len(limits) in {0, 2} for limits in (values.limits, values.usual))
    )


def _ids(ids: Ids, quarters: int, millis: int) -> bool:
    rest = ids.rest
    return (
        len(rest) % 4 == 0
        and _numbers((*rest, ids.shown))
        and all(0 <= quarter < quarters for quarter in rest[0::4])
        and all(0 <= place < len(ids.shapes) for place in rest[1::4])
        and all(len(show.spans) % 2 == 0 and _numbers((show.shows, *show.spans)) for show in ids.sample)
        and all(begin + long <= millis for show in ids.sample for begin, long in _pairs(show.spans))
    )


def _pairs(flat: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(flat[0::2], flat[1::2], strict=True)


def _loop(loop: Loop, millis: int) -> bool:
    spans = all(_millis(flat, millis + 1) for flat in (loop.known, loop.held))
    return spans and len(loop.moves) % 4 == 0 and _numbers((loop.tau_ms, *loop.moves))
