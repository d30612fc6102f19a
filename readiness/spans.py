"""Sets of time as sorted, disjoint, half-open intervals [start, end) of integer nanoseconds.

Exact: no rounding, no empty and no touching intervals, so two equal sets are equal arrays. Everything is a few
numpy calls whatever the number of intervals, because a report clips thousands of sets to planned time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """A set of instants.

    Attributes:
        start: int64[n], increasing.
        end: int64[n]; end[i] > start[i] and end[i] < start[i+1].
    """

    start: Ints
    end: Ints

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Spans:
        """Return the union of intervals in any order; those that end before they start are empty."""
        array = np.array(sorted(pairs), np.int64).reshape(-1, 2)
        return normal(array[:, 0], array[:, 1])

    @classmethod
    def between(cls, start: int, end: int) -> Spans:
        """Return one interval."""
        return cls.of([(start, end)])

    @classmethod
    def unpack(cls, flat: Iterable[int], origin: int = 0) -> Spans:
        """Return what `pack` has written."""
        array = np.fromiter(flat, np.int64).reshape(-1, 2)
        start = array[:, 0] + origin
        return cls(start, start + array[:, 1])

    def pack(self, origin: int = 0) -> list[int]:
        """Return [start - origin, length, start - origin, length, ...]."""
        flat = np.empty(2 * len(self.start), np.int64)
        flat[0::2] = self.start - origin
        flat[1::2] = self.end - self.start
        return flat.tolist()

    def __len__(self) -> int:
        return len(self.start)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self.start.tolist(), self.end.tolist(), strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spans):
            return NotImplemented
        return np.array_equal(self.start, other.start) and np.array_equal(self.end, other.end)

    def __hash__(self) -> int:
        return hash((self.start.tobytes(), self.end.tobytes()))

    def length(self) -> int:
        """Return the total length in nanoseconds."""
        return int((self.end - self.start).sum())

    def clip(self, start: int, end: int) -> Spans:
        """Return the part within [start, end)."""
        low, high = np.maximum(self.start, start), np.minimum(self.end, end)
        keep = high > low
        return Spans(low[keep], high[keep])

    def bridged(self, hole: int) -> Spans:
        """Return the set with holes of at most `hole` nanoseconds filled."""
        if len(self) < 2:
            return self
        wide = np.flatnonzero(self.start[1:] - self.end[:-1] > hole)
        return Spans(
            np.concatenate([self.start[:1], self.start[wide + 1]]), np.concatenate([self.end[wide], self.end[-1:]])
        )

    def before(self, instants: Ints) -> Ints:
        """Return for each instant how much of the set lies before it."""
        if not len(self):
            return np.zeros(len(instants), np.int64)
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.end - self.start)])
        index = np.searchsorted(self.start, instants, side="right")
        last = np.maximum(index - 1, 0)
        beyond = np.where(index > 0, np.maximum(self.end[last] - instants, 0), 0)
        return cast("Ints", total[index] - beyond)

    def within(self, domain: Spans) -> Ints:
        """Return for each interval of `domain` how much of it this set covers."""
        return self.before(domain.end) - self.before(domain.start)


EMPTY = Spans(np.empty(0, np.int64), np.empty(0, np.int64))


def normal(start: Ints, end: Ints) -> Spans:
    """Return the union of intervals given by increasing starts; overlapping and touching ones are joined."""
    keep = end > start
    start, end = start[keep], end[keep]
    if not len(start):
        return EMPTY
    reach = np.maximum.accumulate(end)
    breaks = np.flatnonzero(start[1:] > reach[:-1])
    return Spans(np.concatenate([start[:1], start[breaks + 1]]), np.concatenate([reach[breaks], reach[-1:]]))


def union(*sets: Spans) -> Spans:
    """Return what lies in any of the sets."""
    if not sets:
        return EMPTY
    start = np.concatenate([s.start for s in sets])
    end = np.concatenate([s.end for s in sets])
    order = np.argsort(start, kind="stable")
    return normal(start[order], end[order])


def difference(a: Spans, b: Spans) -> Spans:
    """Return what lies in `a` and not in `b`."""
    if not len(a) or not len(b):
        return a
    low, high = min(a.start[0], b.start[0]), max(a.end[-1], b.end[-1])
    outside = Spans(np.concatenate([[low - 1], b.end]), np.concatenate([b.start, [high + 1]]))
    return intersection(a, outside)


def intersection(a: Spans, b: Spans) -> Spans:
    """Return what lies in both sets."""
    if not len(a) or not len(b):
        return EMPTY
    # Every start of one set inside the other begins a piece; it ends where the first of the two ends.
    starts = np.unique(np.concatenate([a.start, b.start]))
    i = np.searchsorted(a.start, starts, side="right") - 1
    j = np.searchsorted(b.start, starts, side="right") - 1
    end = np.minimum(a.end[np.maximum(i, 0)], b.end[np.maximum(j, 0)])
    keep = (i >= 0) & (j >= 0) & (end > starts)
    return Spans(starts[keep], end[keep])
