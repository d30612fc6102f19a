"""The cheapest set of requests that reads a set of values, by dynamic programming; and how a plan is told.

A value is a half-open span of units (registers, bits, bytes) of one table. A request reads one span and costs
`overhead + per_unit x length`, so reading units that nobody asked for pays as long as it costs less than another
request. A request is at most `limit` units long and touches no hole; a value that is longer, or touches a hole
itself, is asked for by itself. A value is never split.

Why it is enough to cut the values, in order of their start, into runs. Take any cheapest set of requests, each
as long as its values need.

1. If a request lies within another, its values can move to the other one, whose span stays as it is. So there is
   a cheapest set in which none lies within another: ordered by start, the requests are ordered by end as well.
2. Give each value to the last request that starts at or before it. That one holds the whole value: some request
   with such a start did, and later requests end later. No span has grown, so no limit and no hole is newly
   violated and no cost has risen; a request that reads just one too long value keeps it, because later requests
   start later.
3. Now the number of the request never falls as the start of the value grows: the requests are runs.

This holds for overlapping, nested and equal values, any holes, and any costs that are not negative.

A value that lies within another costs nothing: it goes with that one (step 1). What remains has strictly
increasing starts and ends, so the run i..j spans from start i to end j, and the least i that limit and holes
permit for j never falls as j grows: a queue of candidates gives each minimum in constant time. 5,000 values
take some milliseconds, whatever the limit.

Pure.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from settings.language import Text

Span = tuple[int, int]
"""First unit, and the first one after the last."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What requests cost on one link, in nanoseconds; neither part is negative.

    Attributes:
        overhead_ns: Of a request, however short: round trip, the device's work, pauses between requests.
        per_unit_ns: Of each unit that it reads.
    """

    overhead_ns: int
    per_unit_ns: int

    def of(self, units: int) -> int:
        """Return what a request of so many units takes."""
        return self.overhead_ns + self.per_unit_ns * units


def outermost(spans: Sequence[Span]) -> tuple[list[int], list[int]]:
    """Find the spans that lie within no other one.

    Args:
        spans: In any order; each holds at least one unit.

    Returns:
        Their indices, starts and ends both strictly increasing (of equal spans the first), and for each of `spans`
        the position in that list of one that holds it.
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i][0], -spans[i][1]))
    outer: list[int] = []
    holder = [0] * len(spans)
    end = -1
    for index in order:
        if spans[index][1] > end:
            outer.append(index)
            end = spans[index][1]
        holder[index] = len(outer) - 1
    return outer, holder


def touches(span: Span, hole: Span) -> bool:
    """Tell whether a request of this span touches a hole.

    A hole of no units is a border: each side can be read, but not both in one request.
    """
    return span[0] < hole[1] and span[1] > hole[0]


def partition(spans: Sequence[Span], cost: Cost, limit: int, holes: Iterable[Span] = ()) -> list[list[int]]:
    """Return the cheapest set of requests: for each the indices of its values, in order of their start.

    Args:
        spans: (start, end) of each value, in any order; they may overlap.
        cost: Of a request.
        limit: Units that a request may span.
        holes: Spans that no request may touch, in any order; an empty one is a border, see `touches`.
    """
    outer, holder = outermost(spans)
    barriers = sorted(holes)
    before: list[int] = []  # for each value the first one of the cheapest last run that ends with it
    best = [0]  # -> cheapest cost of the first n values
    # Candidates for the first value of the run that ends at j: the cost before it minus what its start saves.
    candidates: deque[tuple[int, int]] = deque()
    least, wall, barrier = 0, 0, 0
    for j, index in enumerate(outer):
        start, end = spans[index]
        gain = best[j] - cost.per_unit_ns * start
        while candidates and candidates[-1][0] > gain:
            candidates.pop()
        candidates.append((gain, j))
        while barrier < len(barriers) and barriers[barrier][0] < end:
            wall = max(wall, barriers[barrier][1])
            barrier += 1
        while least < j and (end - spans[outer[least]][0] > limit or spans[outer[least]][0] < wall):
            least += 1
        while candidates[0][1] < least:
            candidates.popleft()
        gain, i = candidates[0]
        before.append(i)
        best.append(gain + cost.overhead_ns + cost.per_unit_ns * end)
    run_of = [0] * len(outer)
    runs = 0
    j = len(outer) - 1
    while j >= 0:
        for position in range(before[j], j + 1):
            run_of[position] = runs
        j = before[j] - 1
        runs += 1
    requests: list[list[int]] = [[] for _ in range(runs)]
    for index in sorted(range(len(spans)), key=lambda i: (spans[i], i)):
        requests[runs - 1 - run_of[holder[index]]].append(index)
    return requests


def gaps_above(spans: Sequence[Span], most: int) -> list[Span]:
    """Return the gaps between values that are longer than `most` units: given as holes, they are not read over."""
    outer, _ = outermost(spans)
    gaps = [(spans[left][1], spans[right][0]) for left, right in itertools.pairwise(outer)]
    return [(start, end) for start, end in gaps if end - start > most]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """One request of a plan, for `tsq-agent explain`.

    Attributes:
        first: Where it begins, as people write it, in each notation there is.
        last: Where it ends, inclusive.
        units: That it reads.
        asked: Of these, the ones that belong to a configured signal.
        signals: Signals that it serves.
        cost_ns: What it takes under the cost model.
    """

    first: str
    last: str
    units: int
    asked: int
    signals: int
    cost_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """How one source is read.

    Attributes:
        source: Its id.
        every_ns: Poll interval.
        signals: Of the source.
        requests: Of one reading, in order.
        naive: Requests of a plan with one for each signal.
        naive_ns: What that would take.
    """

    source: str
    every_ns: int
    signals: int
    requests: tuple[PlannedRequest, ...]
    naive: int
    naive_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlan:
    """What `DeviceBase.explained` returns: how a device is read, without asking it.

    Attributes:
        sources: One for each poll group.
        cost: What a request is taken to cost; None where that is not known.
        measured: Whether the running agent has measured it on this link; else it is assumed.
        unit: What a unit is called: register, byte, item.
        notes: What limits apply, what was learned, one line each.
    """

    sources: tuple[SourcePlan, ...]
    cost: Cost | None
    measured: bool
    unit: Text
    notes: tuple[Text, ...] = field(default=())
