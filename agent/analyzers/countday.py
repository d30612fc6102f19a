"""What one counter counted on one production day, as it is kept while the day is open."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from readiness.records import BACKS, MILLI_NS, QUARTER_NS, SHORT_NS, STILLS, Count
from readiness.sketch import buckets
from readiness.spans import Spans, intersection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from readiness.records import Millis, Sparse

    Sum = Literal["counted", "blind", "single"]

ARRAYS = ("counted", "blind", "single", "still", "paused")
NONE_YET: array[int] = array("q")
"""Shared by all, and never written to: most counters need few of their columns."""
LIMITS = {"H": 2**16, "i": 2**31, "q": 2**64}


class CountDay:
    """One counter from `low` on. Times are UTC nanoseconds.

    Attributes:
        low: Start of the day.
        first: What counting starts from.
        last: Latest value.
        moved: When the counter last moved, forward or back.
        counted: [quarter, increment, ...]; `blind` and `single` likewise, see `readiness.records.Count`.
        steps: See there; so are `back` and `backs`.
        still: [start, end, ...] of stretches between moves, a few more than are kept in the end.
        paused: [reading before, time of the step, increment, step before or 0, ...] of the steps of which only the
            link's life can tell whether something was missed.
        given_up: It is no counter; nothing is kept.
    """

    __slots__ = ("back", "backs", "first", "given_up", "last", "low", "moved", "steps", *ARRAYS)

    def __init__(self, low: int, first: int) -> None:
        self.low = low
        self.first = self.last = first
        self.moved = low
        self.steps = self.backs = 0
        self.back: Sequence[int] = ()
        self.given_up = False
        self.counted = self.blind = self.single = self.still = self.paused = NONE_YET

    def add(self, name: Sum, quarter: int, number: int) -> None:
        """Add to a quarter; quarters come in order.

        Raises:
            OverflowError: more than 2^63, which no counter counts.
        """
        into: array[int] = getattr(self, name)
        again = bool(into) and into[-2] == quarter
        total = into[-1] + number if again else number
        if not into or total >= LIMITS[into.typecode]:  # 16 bits are enough for most, 32 for nearly all
            into = array(_kind(total), into)
            setattr(self, name, into)
        if again:
            into[-1] = total
        else:
            into.extend((quarter, total))

    def wait(self, *step: int) -> None:
        """Take a step of which only the link's life can tell whether something was missed, see `paused`."""
        self.paused = self.paused or array("q")
        self.paused.extend(step)

    def step_back(self, time: int, before: int, after: int) -> None:
        """Note a step back, or a leap."""
        self.backs += 1
        if self.backs <= BACKS:
            self.back = _narrow([*self.back, (time - self.low) // MILLI_NS, before, after])

    def rest(self, begin: int, end: int) -> None:
        """Note a stretch without a move."""
        self.still = self.still or array("q")
        self.still.extend((begin, end))
        if len(self.still) > 3 * STILLS:
            self.prune()

    def prune(self) -> None:
        """Keep the longest stretches, of equal ones the earlier."""
        pairs = np.array(self.still, np.int64).reshape(-1, 2)
        if len(pairs) > STILLS:
            order = np.lexsort((pairs[:, 0], pairs[:, 0] - pairs[:, 1]))[:STILLS]
            pairs = pairs[np.sort(order)]
            self.still = array("q", pairs.ravel().tolist())

    def give_up(self) -> None:
        """Keep nothing but that."""
        low, first = self.low, self.first
        self.__init__(low, first)  # type: ignore[misc]
        self.given_up = True

    def stretches(self, end_ns: int, known: Spans) -> Millis:
        """Return the longest stretches without a move, as far as anything was known, see `Count.still`."""
        self.prune()
        pairs = np.array([*self.still, self.moved, end_ns], np.int64).reshape(-1, 2)
        pieces = intersection(Spans(pairs[:, 0], pairs[:, 1]), known)
        return longest(pieces, self.low)

    def resolve(self, live: Spans, scale: int) -> dict[int, int]:
        """Decide of the steps that `paused` holds whether the link was alive all the time before them.

        Args:
            live: On this day.
            scale: Units in a piece.

        Returns:
            What they add to `readiness.records.Count.pace`: bucket -> number.
        """
        unseen, pace = set(), dict[int, int]()
        for before, time, number, base in zip(*[iter(self.paused)] * 4, strict=True):
            quarter = (time - self.low) // QUARTER_NS
            since = Spans.between(max(before, self.low), time)
            if live.within(since).sum() < since.length():
                unseen.add(time)
                self.add("blind", quarter, number)
                continue
            pieces = 0 if number % scale else number // scale
            self.steps += 1
            if pieces == 1:
                self.add("single", quarter, 1)
            if base and base not in unseen and pieces:
                bucket = int(buckets(np.array([(time - base) // pieces], np.int64))[0])
                pace[bucket] = pace.get(bucket, 0) + pieces
        return pace

    def record(self, unit: float, end_ns: int, known: Spans, pace: Mapping[int, int]) -> Count:
        """Return the record of the day, `resolve` done."""
        return Count(
            unit=unit,
            counted=merged(self.counted),
            blind=merged(self.blind),
            steps=self.steps,
            single=merged(self.single),
            pace=[n for pair in sorted(pace.items()) for n in pair],
            back=list(self.back),
            backs=self.backs,
            first=self.first,
            last=self.last,
            still=self.stretches(end_ns, known),
        )

    def state(self) -> list[Any]:
        """Return everything as JSON."""
        self.prune()
        numbers = [self.low, self.first, self.last, self.moved, self.steps, self.backs, int(self.given_up)]
        arrays = [getattr(self, name).tolist() for name in ARRAYS]
        return [numbers, list(self.back), *arrays]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> CountDay:
        """Return what `state` was made of."""
        numbers, back, *arrays = state
        day = cls(numbers[0], numbers[1])
        day.last, day.moved, day.steps, day.backs = numbers[2:6]
        day.given_up = bool(numbers[6])
        day.back = _narrow(back) if back else ()
        for name, values in zip(ARRAYS, arrays, strict=True):
            if values:
                setattr(day, name, array("q" if name in {"still", "paused"} else _kind(max(values)), values))
        return day


def _kind(largest: int) -> str:
    """Return the narrowest type of array for a number."""
    return next((kind for kind, limit in LIMITS.items() if largest < limit), "q")


def _narrow(numbers: list[int]) -> Sequence[int]:
    """Return numbers in 64 bits each where they fit, a quarter of what Python takes for a list."""
    return array("q", numbers) if max(numbers) < 2**63 else numbers


def merged(pairs: Sequence[int]) -> Sparse:
    """Return [quarter, number, ...] with each quarter once, in order."""
    sums: dict[int, int] = {}
    for quarter, number in zip(pairs[0::2], pairs[1::2], strict=True):
        sums[quarter] = sums.get(quarter, 0) + number
    return [n for pair in sorted(sums.items()) for n in pair]


def longest(pieces: Spans, low: int) -> Millis:
    """Return the `STILLS` longest of at least `SHORT_NS`, of equal ones the earlier, in milliseconds from `low`."""
    length = pieces.end - pieces.start
    keep = np.flatnonzero(length >= SHORT_NS)
    keep = np.sort(keep[np.lexsort((keep, -length[keep]))][:STILLS])
    edges = np.zeros(2 * len(keep) + 1, np.int64)
    edges[1::2] = (pieces.start[keep] - low) // MILLI_NS
    edges[2::2] = (pieces.end[keep] - low) // MILLI_NS
    millis: Millis = np.diff(edges).tolist()
    return millis
