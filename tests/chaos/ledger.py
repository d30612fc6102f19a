"""The gap ledger as the database has it, and the seconds of a source that nothing explains, or two things do.

    known   a reading covers the time to the next one when that is at most `STEP` intervals away, else one interval;
            a bad row covers like a good one: that the reading failed is known
    gaps    the last event of each gap id tells where the gap is now

A gap may name another one that it lies `inside`: the waiting of ours within an outage. Gaps that name lost rows
(overflow, rejected) or note something about time that was read all the same (maintenance, clock) explain what is
missing and contradict nothing.

Pure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.stores.base import Point

STEP = 1.5
ANNOTATIONS = frozenset({"maintenance", "clock", "overflow", "rejected", "birth_lost"})
FOREVER = 2**63 - 1
EPOCHS = 1000

Span = tuple[int, int]


class Gap(NamedTuple):
    """One gap as its last event tells it; `spans` are its parts when it has holes in it."""

    id: str
    cause: str
    source: str | None
    from_ns: int
    to_ns: int | None
    inside: str | None = None
    spans: tuple[Span, ...] = ()

    @property
    def parts(self) -> tuple[Span, ...]:
        """What it covers."""
        return self.spans or ((self.from_ns, FOREVER if self.to_ns is None else self.to_ns),)


class Coverage(NamedTuple):
    """What is wrong with the ledger of one source: spans without explanation, and spans with two."""

    uncovered: list[Span]
    double: list[tuple[Span, str, str]]


def gaps(points: Iterable[Point], when: Callable[[int], int] = lambda ns: ns) -> list[Gap]:
    """Return every gap that `tsq_event` holds.

    Args:
        points: Of the measurement, in any order.
        when: What a stamp of the agent means in the judge's time.
    """
    latest: dict[str, tuple[tuple[bool, int], list[Gap]]] = {}
    for point in points:
        if dict(point.tags)["kind"] != "gap":
            continue
        body = json.loads(str(point.fields.get("body_s", "{}")))
        name = str(body["gap_id"])
        rank = "replayed" in body, point.time_ns  # the gateway's word about replayed letters counts first
        if name not in latest or latest[name][0] <= rank:
            latest[name] = rank, _gaps_of(point, name, body, when)
    return [gap for _, found in latest.values() for gap in found]


def _gaps_of(point: Point, name: str, body: dict[str, Any], when: Callable[[int], int]) -> list[Gap]:
    source, to = point.fields.get("source_s"), point.fields.get("to_i")
    inside = None if body.get("inside") is None else str(body["inside"])
    start, end = when(int(point.fields["from_i"])), None if to is None else when(int(to))
    if body.get("clock") == "behind":  # the new process began then, by a clock that was set back meanwhile
        end = when(int(body["started"]))
    lost = body.get("sources")
    if isinstance(lost, dict):
        return [
            Gap(name, str(body["cause"]), None if of == "*" else of, when(int(s["first"])), when(int(s["last"])))
            for of, s in lost.items()
        ]
    raw = int(point.fields["from_i"])
    holes = tuple((when(raw + int(a)), when(raw + int(a) + int(n))) for a, n in body.get("holes", []))
    of = None if source is None else str(source)
    return [Gap(name, str(body["cause"]), of, start, end, inside, holes)]


def steps(points: Iterable[Point]) -> dict[int, int]:
    """Return by how much a trusted clock was set forward at the beginning of each epoch, as the agent has told; ns.

    What follows a time without trust is left out: the stamps of that time were shifted to those after it.
    """
    doubted: set[int] = set()
    found: dict[int, int] = {}
    for point in points:
        kind, body = dict(point.tags)["kind"], json.loads(str(point.fields.get("body_s", "{}")))
        if kind == "facts.health" and body.get("clock", {}).get("source") == "none":
            doubted.add(point.time_ns % EPOCHS)
        elif kind == "clock_step":
            found[int(body["epoch"]) % EPOCHS] = int(body["offset_ns"])
    return {epoch: step for epoch, step in found.items() if (epoch - 1) % EPOCHS not in doubted}


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the same instants as spans in order that do not touch."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], end)
        elif end > start:
            out.append((start, end))
    return out


def known(times: Sequence[int], interval_ns: int) -> list[Span]:
    """Return what rows at these times (in order) cover."""
    limit = round(STEP * interval_ns)
    return joined(
        (t, after if after - t <= limit else t + interval_ns)
        for t, after in zip(times, [*times[1:], FOREVER], strict=True)
    )


def holes(explained: Iterable[Span], start_ns: int, end_ns: int) -> list[Span]:
    """Return what is left of [start, end)."""
    left, at = [], start_ns
    for a, b in joined(explained):
        if min(a, end_ns) > at:
            left.append((at, min(a, end_ns)))
        at = max(at, b)
    if at < end_ns:
        left.append((at, end_ns))
    return left


def overlaps(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """Return the instants that are in both."""
    first, second = joined(one), joined(other)
    out, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        start, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if start < end:
            out.append((start, end))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return out


def cover(
    source: str,
    rows: Sequence[int],
    good: Sequence[int],
    told: Iterable[Gap],
    interval_ns: int,
    service: Span,
    tolerance_ns: int,
) -> Coverage:
    """Compare one source's rows and gaps with the time that it was configured.

    Args:
        source: Its id.
        rows: Times of all its stored rows, good and bad, in order.
        good: Times of those with a value.
        told: All gaps.
        interval_ns: Of its polling.
        service: From the first start of the agent to now.
        tolerance_ns: Longest span that needs no explanation: part of an interval, and how exact the times are.
    """
    ours = [gap for gap in told if gap.source in {source, None}]
    explained = known(rows, interval_ns) + [span for gap in ours for span in gap.parts]
    uncovered = [(a, b) for a, b in holes(explained, *service) if b - a > tolerance_ns]
    firm = [gap for gap in ours if gap.cause not in ANNOTATIONS]
    double = [
        (span, one.cause, other.cause)
        for n, one in enumerate(firm)
        for other in firm[n + 1 :]
        if one.inside != other.id and other.inside != one.id
        for span in overlaps(one.parts, other.parts)
        if span[1] - span[0] > tolerance_ns
    ]
    for gap in firm:
        for a, b in gap.parts:
            inside = [t for t in good if a + tolerance_ns < t < b - tolerance_ns]
            if inside:
                double.append(((inside[0], inside[-1]), gap.cause, "a reading"))
    return Coverage(uncovered, double)
