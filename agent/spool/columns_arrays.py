"""What a block of columns holds, as arrays: `columns` makes entries of them, and a replay tall blocks of frames.

Nothing in a blob is believed; see `columns`.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.errors import WireError
from agent.spool.columns_values import read_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.spool.columns_streams import Reader
    from agent.spool.columns_values import Typed

    Ints = NDArray[np.int64]

CONTENTS_LIMIT = 8 * 2**20
"""Bytes of canonical content that one blob may hold, all entries together."""
ENTRIES_LIMIT = 4_096
ROW = 6  # bytes that a row takes in the JSON at the very least: `0,` as its signal, its step and its value
BLOCK, TRIP, MARK = 64, 7, 8  # likewise
HAS_STATUS, HAS_SOURCE, HAS_SERVER = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Arrays:
    """A blob. Blocks, rows, round trips and watermarks follow one another in the order of the entries.

    Attributes:
        seqs: Number of each of e entries.
        parsed: Whether it went into columns.
        whole: Content of each that did not.
        orders: Order letters of each that did; so are the next four.
        events: JSON.
        facts: JSON.
        blocks: How many blocks it has.
        marks: How many watermarks it has.
        names: Ids of the sources.
        source: int64[b], of each block: index into `names`.
        first: int64[b], its first time.
        rows: int64[b], how many it has.
        trips: int64[b], likewise.
        has: uint8[b], which of its columns are there: `HAS_STATUS` and so on.
        signal: int64[n], of each row: index into the source's signals.
        step: int64[n], its time against the row before.
        time: int64[n], its time.
        values: As they travel, sorted by source, signal and time.
        order: Which row each of them is of.
        status: uint32 of the rows of blocks that have it.
        stamped: Of the rows of blocks that have source times; see `Offsets`.
        served: Likewise, of server times.
        trip: int64 of each round trip: time against the first of its block, duration, status.
        mark_source: int64 of each watermark: index into `names`.
        mark_ahead: int64, its time against that of `mark_base`.
    """

    seqs: list[int]
    parsed: list[bool]
    whole: list[bytes]
    orders: list[bytes]
    events: list[bytes]
    facts: list[bytes]
    blocks: list[int]
    marks: list[int]
    names: list[str]
    source: Ints
    first: Ints
    rows: Ints
    trips: Ints
    has: NDArray[np.uint8]
    signal: Ints
    step: Ints
    time: Ints
    values: Typed
    order: NDArray[np.intp]
    status: NDArray[np.uint32]
    stamped: Offsets
    served: Offsets
    trip: tuple[Ints, Ints, Ints]
    mark_source: Ints
    mark_ahead: Ints

    def value(self) -> NDArray[Any]:
        """object[n]: the value of each row."""
        found = np.empty(len(self.order), object)
        found[self.order] = self.values.objects()
        return found


@dataclass(frozen=True, slots=True)
class Offsets:
    """Times of a device against acquisition times.

    Attributes:
        rows: int64, the rows of blocks that have the column.
        there: bool of each of them: whether it has a time.
        ahead: int64[n], 0 where there is none.
    """

    rows: Ints
    there: NDArray[np.bool_]
    ahead: Ints


def read(source: Reader) -> Arrays:
    """Read a blob.

    Raises:
        WireError, ValueError, OverflowError, IndexError, MemoryError: damaged, or no blob at all.
    """
    (count,) = source.sizes(1, ENTRIES_LIMIT)
    seqs = source.sums(count).tolist()
    parsed = np.frombuffer(source.raw(count), np.bool_)
    n = int(parsed.sum())
    whole = source.texts(count - n, CONTENTS_LIMIT)
    orders, events, facts = (source.texts(n, CONTENTS_LIMIT) for _ in range(3))
    blocks = source.sizes(n, CONTENTS_LIMIT // BLOCK)
    marks = source.sizes(n, CONTENTS_LIMIT // MARK)
    (named,) = source.sizes(1, CONTENTS_LIMIT // BLOCK)
    names = [name.decode() for name in source.texts(named, CONTENTS_LIMIT)]
    of = source.numbers(sum(blocks))
    _within(of, named, "a block of no known source")
    rows = np.array(source.sizes(len(of), CONTENTS_LIMIT // ROW), np.int64)
    trips = np.array(source.sizes(len(of), CONTENTS_LIMIT // TRIP), np.int64)
    has = np.frombuffer(source.raw(len(of)), np.uint8)
    first = np.empty(len(of), np.int64)
    first[np.argsort(of, kind="stable")] = source.sums(len(of))
    order = np.argsort(np.repeat(of, trips), kind="stable")
    trip = tuple(np.empty(len(order), np.int64) for _ in range(3))
    for column in trip:
        column[order] = source.numbers(len(order))
    total = int(rows.sum())
    signal, step = source.sums(total), source.numbers(total)
    key, order = by_signal(np.repeat(of, rows), signal)
    values = read_values(source, key, CONTENTS_LIMIT)
    row_has = np.repeat(has, rows) if has.any() else has[:0]
    status = source.planes(int((row_has & HAS_STATUS > 0).sum()), 4).reshape(-1).view(np.uint32)
    time = times(first, rows, step)
    stamped = _offsets(source, np.flatnonzero(row_has & HAS_SOURCE), time)
    served = _offsets(source, np.flatnonzero(row_has & HAS_SERVER), -stamped.ahead)
    mark_source = source.numbers(sum(marks))
    _within(mark_source, named, "a watermark of no known source")
    mark_ahead = source.numbers(sum(marks))
    source.end()
    return Arrays(
        seqs, parsed.tolist(), whole, orders, events, facts, blocks, marks, names, of, first, rows, trips, has,
        signal, step, time, values, order, status, stamped, served, (trip[0], trip[1], trip[2]),
        mark_source, mark_ahead,
    )  # fmt: skip


def _within(places: Ints, count: int, problem: str) -> None:
    if len(places) and not 0 <= int(places.min()) <= int(places.max()) < count:
        raise WireError(problem)


def _offsets(source: Reader, rows: Ints, base: Ints) -> Offsets:
    """Read what `columns` has written of the times of these rows, against the differences of `base`."""
    there = np.frombuffer(source.raw(len(rows)), np.bool_)
    ahead = np.zeros(len(base), np.int64)
    ahead[rows[there]] = source.sums(int(there.sum())) - base[rows[there]]
    return Offsets(rows, there, ahead)


def by_signal(source: Ints, signal: Ints) -> tuple[NDArray[np.integer[Any]], Ints]:
    """Return what tells signals apart, and which row stands where, both sorted by source and signal."""
    width = int(signal.max(initial=0)) + 1
    if int(signal.min(initial=0)) >= 0 and (int(source.max(initial=0)) + 1) * width <= 1 << 16:
        short = (source * width + signal).astype(np.uint16)  # sorted by radix, several times as fast
        order = np.argsort(short, kind="stable")
        return short[order], order
    key = (source << 32) + signal
    order = np.argsort(key, kind="stable")
    return key[order], order


def times(first: Ints, rows: Ints, steps: Ints) -> Ints:
    """int64[rows]: acquisition time of each row."""
    sums = np.concatenate(([0], np.cumsum(steps)))
    found: Ints = sums[1:] + np.repeat(first - sums[np.cumsum(rows) - rows], rows)
    return found


def mark_base(known: dict[int, int], first: Sequence[int], source: int) -> int:
    """Return the time that a watermark's is told against: the last block's of its source in the same entry.

    Args:
        known: That time, by source.
        first: First times of all blocks of the entry.
        source: Of the watermark.
    """
    return known.get(source, first[-1] if first else 0)
