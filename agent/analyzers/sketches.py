"""Sparse counters by (signal, bucket) for all signals of a source: sketches, and sums by quarter hour.

A portion is counted densely where that pays and merged into the sorted table of what was there, so a tall portion
costs one pass of counting. Adding counts in any order gives the same table.

A sketch of a signal with noise fills hundreds of buckets, most of them of the tiny values next to zero. With
`most`, only so many of the largest sizes keep a bucket of their own; smaller ones are counted as zero, or, where
zero would say something else, with the smallest that is kept. Which these are depends on what was counted and not
on its order: a bucket that so many larger ones have pushed out can never come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.packing import packed, unpacked
from agent.analyzers.runs import firsts
from readiness.sketch import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

    Ints = NDArray[np.int64]
    Counts = NDArray[np.integer[Any]]
    Indices = NDArray[np.integer[Any]]

WIDTH = 2 * MOST + 1
WORD = 2**16 - 1
EXACT = 2**53
_DENSE, _SMALL = 6, 8192  # cells a row up to which counting densely pays, and cells that cost next to nothing


class Sketches:
    """Counts by signal and bucket.

    Args:
        most: Buckets that a signal keeps; None for all.
        upward: Smaller ones than these are counted with the smallest of them, not as zero.
        kind: Type of the counts.
    """

    def __init__(self, most: int | None = None, *, upward: bool = False, kind: DTypeLike = np.int32) -> None:
        self._most = most
        self._upward = upward
        self._kind = kind
        self._key: Counts = np.empty(0, np.int32)
        self._count: Counts = np.empty(0, np.uint16)  # of `kind` when 16 bits are not enough any more
        self._settled = 0

    def add(self, signal: Indices, bucket: Indices, weight: Ints | None = None) -> None:
        """Count rows.

        Args:
            signal: Of each row; sorted ones are counted fastest.
            bucket: At most `MOST` in size.
            weight: What a row counts for; None for 1.
        """
        if not len(signal):
            return
        first, low = int(signal.min()), int(bucket.min())
        signals, width = int(signal.max()) - first + 1, int(bucket.max()) - low + 1
        if signals * width <= _DENSE * len(signal) + _SMALL:
            cell = (signal - first) * np.int64(width)
            cell += bucket
            cell -= low
            dense = np.bincount(cell) if weight is None else _sums(cell, weight)
            place = np.flatnonzero(dense)
            count = dense[place]
            of, at = np.divmod(place, width)
            key = (of + first) * WIDTH + (at + low + MOST)
        else:
            keys = signal * np.int64(WIDTH) + bucket
            keys += MOST
            if weight is None:
                key, count = np.unique(keys, return_counts=True)
            else:
                key, place = np.unique(keys, return_inverse=True)
                count = _sums(place, weight)
        self._merge(key, count)

    def __len__(self) -> int:
        return len(self._key)

    def _merge(self, key: Counts, count: Counts) -> None:
        key = key.astype(np.int32)
        if not len(self._key):
            self._key, self._count = key, self._narrow(count)
            return
        if self._count.dtype == np.uint16 and int(self._count.max()) + int(count.max()) > WORD:
            self._count = self._count.astype(self._kind)
        count = count.astype(self._count.dtype)
        at = np.searchsorted(self._key, key)
        found = self._key[np.minimum(at, len(self._key) - 1)] == key
        if found.all():
            self._count[at] += count
            return
        self._count[at[found]] += count[found]
        new = np.flatnonzero(~found)
        place = at[new] + np.arange(len(new))
        old = np.ones(len(self._key) + len(new), np.bool_)
        old[place] = False
        self._key, self._count = (
            _between(place, of[new], old, before) for of, before in ((key, self._key), (count, self._count))
        )
        if self._most is not None and len(self._key) > self._settled + self._settled // 4 + 256:
            self._settle()

    def _narrow(self, count: Counts) -> Counts:
        """Return counts in 16 bits while these are enough."""
        return count.astype(np.uint16 if not len(count) or int(count.max()) <= WORD else self._kind)

    def _settle(self) -> None:
        """Count what `most` larger buckets of the same signal have pushed out where it belongs."""
        if self._most is not None and len(self._key) > self._most:
            signal, bucket = np.divmod(self._key, WIDTH)
            bucket -= MOST
            begins = np.flatnonzero(firsts(signal.astype(np.int64)))
            ends = np.append(begins[1:], len(signal))
            many = ends - begins > self._most
            target = self._key.copy()
            for begin, end in zip(begins[many].tolist(), ends[many].tolist(), strict=True):
                size = 2 * np.abs(bucket[begin:end]) + (bucket[begin:end] > 0)  # of equal ones the positive one
                limit = np.partition(size, -self._most)[-self._most]
                into = self._key[begin + int(np.flatnonzero(size == limit)[0])]
                target[begin:end][size < limit] = into if self._upward else signal[begin] * WIDTH + MOST
            if many.any():
                self._key, place = np.unique(target, return_inverse=True)
                self._count = self._narrow(_sums(place, self._count))
        self._settled = len(self._key)

    def rows(self) -> tuple[Counts, Counts, Counts]:
        """Return (signal, bucket, count), sorted by signal and bucket."""
        self._settle()
        signal, bucket = np.divmod(self._key, WIDTH)
        return signal, bucket - MOST, self._count

    def each(self) -> Iterator[tuple[int, list[int]]]:
        """Yield (signal, [bucket, count, bucket, count, ...]) of each signal that counted anything."""
        signal, bucket, count = self.rows()
        if not len(signal):
            return
        flat = np.stack([bucket, count], axis=1)
        begins = np.flatnonzero(firsts(signal.astype(np.int64)))
        ends = [*begins[1:].tolist(), len(signal)]
        for begin, end in zip(begins.tolist(), ends, strict=True):
            yield int(signal[begin]), flat[begin:end].ravel().tolist()

    def forget(self, signal: int) -> None:
        """Count nothing of a signal any more that was counted so far."""
        keep = self._key // WIDTH != signal
        self._key, self._count = self._key[keep], self._count[keep]

    def state(self) -> list[str]:
        """Return everything as JSON."""
        self._settle()
        return [packed(self._key), packed(self._count.astype(self._kind))]

    def restore(self, state: list[str]) -> None:
        """Take the state that `state` returned."""
        self._key, self._count = unpacked(state[0], np.int32), self._narrow(unpacked(state[1], self._kind))
        self._settled = len(self._key)


def _sums(place: Ints, weight: Counts) -> Counts:
    """Return the sum of the weights at each place, exact."""
    if int(weight.max(initial=0)) * len(weight) < EXACT:
        return np.bincount(place, weight).astype(np.int64)
    total = np.zeros(int(place.max()) + 1, np.int64)
    np.add.at(total, place, weight)
    return total


def _between(place: Ints, new: Counts, rest: NDArray[np.bool_], old: Counts) -> Counts:
    """Return an array with `new` at some places and `old` at the rest."""
    array = np.empty(len(rest), old.dtype)
    array[place] = new
    array[rest] = old
    return array
