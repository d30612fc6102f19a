"""Sparse counters by (signal, bucket) for all signals of a source: sketches, and sums by quarter hour.

A portion is counted densely where that pays and added to the table of what was there, so a tall portion costs one
pass of counting. Adding counts in any order gives the same table.

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
    Indices = NDArray[np.integer[Any]]

WIDTH = 2 * MOST + 1
EXACT = 2**53
SHIFT, PAGE, BYTE = 4, 16, 255
SLACK = 16
"""Pages by which a table may grow before it is looked at what larger buckets have pushed out."""
_DENSE, _SMALL = 6, 8192  # cells a row up to which counting densely pays, and cells that cost next to nothing

_NO_PAGE, _NO_COUNT = np.empty(0, np.int32), np.empty(0, np.uint8)


class Cells:
    """Counts by key, exact and narrow: a byte each in pages of 16 neighbours, what is above it in the next level.

    The keys of a signal lie close together, so a count takes a byte and a bit, or two of them from 256 on.
    """

    __slots__ = ("_above", "_count", "_page")

    def __init__(self) -> None:
        self._page = _NO_PAGE
        self._count = _NO_COUNT
        self._above: Cells | None = None

    def __len__(self) -> int:
        """Number of pages."""
        return len(self._page)

    def add(self, key: Ints, count: Ints) -> None:
        """Add counts.

        Args:
            key: Increasing, so that each stands there once; not negative.
            count: Of each, positive.
        """
        place = self._places(key)
        count = count + self._count[place]
        self._count[place] = count  # of each the lowest eight bits
        over = np.flatnonzero(count > BYTE)
        if len(over):
            self._above = self._above or Cells()
            self._above.add(key[over], count[over] >> 8)

    def _places(self, key: Ints) -> Ints:
        """Return where the counts of some keys are, with pages for those that have none yet."""
        page = (key >> SHIFT).astype(np.int32)
        at = self._page.searchsorted(page)
        there = self._page.take(at, mode="clip") == page if len(self._page) else np.zeros(len(page), np.bool_)
        if not there.all():
            new = page[~there]
            self._grow(new[firsts(new)])
            at = self._page.searchsorted(page)
        at <<= SHIFT
        at += key & (PAGE - 1)
        return at

    def _grow(self, new: NDArray[np.int32]) -> None:
        """Make room for pages that are not there."""
        page = np.empty(len(self._page) + len(new), np.int32)
        old = np.ones(len(page), np.bool_)
        old[self._page.searchsorted(new) + np.arange(len(new))] = False
        page[old], page[~old] = self._page, new
        count = np.zeros((len(page), PAGE), np.uint8)
        count[old] = self._count.reshape(-1, PAGE)
        self._page, self._count = page, count.ravel()

    def rows(self) -> tuple[Ints, Ints]:
        """Return (key, count), sorted by key, of those that counted anything."""
        dense = self._count.astype(np.int64)
        if self._above is not None:
            key, count = self._above.rows()
            dense[self._places(key)] += count << 8
        cell = np.flatnonzero(dense)
        return (self._page[cell >> SHIFT].astype(np.int64) << SHIFT) + (cell & (PAGE - 1)), dense[cell]


class Sketches:
    """Counts by signal and bucket.

    Args:
        most: Buckets that a signal keeps; None for all.
        upward: Smaller ones than these are counted with the smallest of them, not as zero.
        kind: Type of the counts in a state.
    """

    __slots__ = ("_cells", "_floor", "_kind", "_most", "_settled", "_upward")

    def __init__(self, most: int | None = None, *, upward: bool = False, kind: DTypeLike = np.int32) -> None:
        self._most = most
        self._upward = upward
        self._kind = kind
        self._cells = Cells()
        self._floor: Ints | None = None  # by signal: the size of the smallest bucket that is kept, see `_size`
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
            of += first
            at += low
            key = of * WIDTH + at
            key += MOST
        else:
            keys = signal * np.int64(WIDTH) + bucket
            keys += MOST
            if weight is None:
                key, count = np.unique(keys, return_counts=True)
            else:
                key, place = np.unique(keys, return_inverse=True)
                count = _sums(place, weight)
        if self._floor is not None:
            key, count = self._raised(key, count, self._floor)
        self._cells.add(key, count)
        if self._most is not None and len(self._cells) > self._settled + self._settled // 8 + SLACK:
            self._settle()

    def __len__(self) -> int:
        return len(self._cells)

    def _raised(self, key: Ints, count: Ints, floor: Ints) -> tuple[Ints, Ints]:
        """Return counts with those of smaller buckets than are kept where they belong."""
        signal, bucket = np.divmod(key, WIDTH)
        bucket -= MOST
        least = floor[np.minimum(signal, len(floor) - 1)]
        least[signal >= len(floor)] = 0
        small = np.flatnonzero(_size(bucket) < least)
        if not len(small):
            return key, count
        key[small] = signal[small] * WIDTH + MOST
        if self._upward:
            key[small] += least[small] // 2 * np.where(least[small] % 2, 1, -1)
        key, place = np.unique(key, return_inverse=True)
        return key, _sums(place, count)

    def _settle(self) -> tuple[Ints, Ints]:
        """Count what `most` larger ones of a signal have pushed out where it belongs; return keys and counts."""
        key, count = self._cells.rows()
        if self._most is not None and len(key) > self._most:
            signal, bucket = np.divmod(key, WIDTH)
            bucket -= MOST
            begins = np.flatnonzero(firsts(signal))
            ends = np.append(begins[1:], len(signal))
            many = ends - begins > self._most
            if many.any():
                floor = np.zeros(int(signal[-1]) + 1, np.int64)
                if self._floor is not None:
                    floor[: len(self._floor)] = self._floor
                for begin, end in zip(begins[many].tolist(), ends[many].tolist(), strict=True):
                    floor[signal[begin]] = np.partition(_size(bucket[begin:end]), -self._most)[-self._most]
                self._floor = floor
                if (_size(bucket) < floor[signal]).any():
                    key, count = self._raised(key, count, floor)
                    self._renew(key, count)
        self._settled = len(self._cells)
        return key, count

    def _renew(self, key: Ints, count: Ints) -> None:
        self._cells = Cells()
        if len(key):
            self._cells.add(key, count)

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """Return (signal, bucket, count), sorted by signal and bucket."""
        key, count = self._settle()
        signal, bucket = np.divmod(key, WIDTH)
        return signal, bucket - MOST, count

    def each(self) -> Iterator[tuple[int, list[int]]]:
        """Yield (signal, [bucket, count, bucket, count, ...]) of each signal that counted anything."""
        signal, bucket, count = self.rows()
        if not len(signal):
            return
        flat = np.stack([bucket, count], axis=1)
        begins = np.flatnonzero(firsts(signal))
        ends = [*begins[1:].tolist(), len(signal)]
        for begin, end in zip(begins.tolist(), ends, strict=True):
            yield int(signal[begin]), flat[begin:end].ravel().tolist()

    def forget(self, signal: int) -> None:
        """Count nothing of a signal any more that was counted so far."""
        key, count = self._cells.rows()
        keep = key // WIDTH != signal
        self._renew(key[keep], count[keep])
        if self._floor is not None and signal < len(self._floor):
            self._floor[signal] = 0

    def state(self) -> list[str]:
        """Return everything as JSON."""
        key, count = self._settle()
        return [packed(key.astype(np.int32)), packed(count.astype(self._kind))]

    def restore(self, state: list[str]) -> None:
        """Take the state that `state` returned."""
        self._renew(unpacked(state[0], np.int32).astype(np.int64), unpacked(state[1], self._kind).astype(np.int64))
        self._floor, self._settled = None, len(self._cells)


def _size(bucket: Ints) -> Ints:
    """Return the order in which buckets are kept: of equally large ones the positive one first."""
    size: Ints = 2 * np.abs(bucket) + (bucket > 0)
    return size


def _sums(place: Ints, weight: Ints) -> Ints:
    """Return the sum of the weights at each place, exact."""
    if int(weight.max(initial=0)) * len(weight) < EXACT:
        return np.bincount(place, weight).astype(np.int64)
    total = np.zeros(int(place.max()) + 1, np.int64)
    np.add.at(total, place, weight)
    return total
