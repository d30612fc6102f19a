"""Two accumulators that turn columns of times into spans, for all signals of a source at once.

Both take rows sorted by (signal, time) with times that increase per signal from call to call, and remember per
signal only the piece that is still open. So the result does not depend on where the stream is cut, and a tall
block costs a few numpy passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from readiness.spans import EMPTY, Spans, normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import DTypeLike, NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

NONE = 0
"""No time: 1970 does not occur, and zero needs no mask."""
NEVER = 2**62
TOGETHER = 16
"""Portions with pieces that wait for being put in order."""
_ONLY = np.zeros(1, np.int64)
_NEVER_MARKED = np.empty(0, np.int64)
_DIFFERENT, _OF = np.empty((3, 0), np.int64), np.empty((2, 0), np.uint16)


def grown(column: Ints, n: int) -> Ints:
    """Return the column with zeros appended up to length n."""
    return np.concatenate([column, np.zeros(n - len(column), np.int64)])


def firsts(signal: Ints) -> Bools:
    """Return for sorted signals which rows are the first of theirs."""
    first = np.empty(len(signal), np.bool_)
    first[:1] = True
    np.not_equal(signal[1:], signal[:-1], out=first[1:])
    return first


class Pieces:
    """Closed pieces (signal, start, end, kind), in any order; kept few by `drop`.

    All signals of a source are lost and come back together: each different (start, end, kind) is kept once.
    """

    __slots__ = ("_different", "_new", "_of")

    def __init__(self) -> None:
        self._different = _DIFFERENT
        self._of = _OF
        self._new: list[NDArray[np.int64]] = []

    def add(self, signal: Ints, start: Ints, end: Ints, kind: Ints) -> None:
        """Append pieces."""
        if len(signal):
            self._new.append(np.stack([signal, start, end, kind]))
            if len(self._new) >= TOGETHER:
                self._settle()

    def _settle(self) -> None:
        if self._new:
            self._keep(np.concatenate([self._all(), *self._new], axis=1))

    def _all(self) -> NDArray[np.int64]:
        signal, which = self._of
        return np.concatenate([signal[None].astype(np.int64), self._different[:, which]])

    def _keep(self, table: NDArray[np.int64]) -> None:
        """Take all pieces, sorted or not, in place of those before."""
        self._new = []
        if not table.shape[1]:
            self._different, self._of = _DIFFERENT, _OF
            return
        order = np.lexsort(table[1:])
        apart = np.append(True, (np.diff(table[1:, order]) != 0).any(axis=0))
        self._different = table[1:, order[apart]]
        which = np.empty(len(order), np.int64)
        which[order] = np.cumsum(apart) - 1
        order = np.lexsort((table[1], table[0]))
        self._of = np.stack([table[0], which])[:, order].astype(_narrowest(table[0].max(), which.max()))

    def table(self) -> NDArray[np.int64]:
        """Return all pieces as int64[4, n], sorted by (signal, start)."""
        self._settle()
        return self._all()

    def drop(self, end_ns: int) -> None:
        """Forget pieces that end at or before `end_ns`."""
        if self._new or (self._different[1] <= end_ns).any():
            table = self.table()
            self._keep(table[:, table[2] > end_ns])

    def state(self) -> list[list[int]]:
        """Return the pieces as JSON."""
        self._settle()
        rows: list[list[int]] = self._all().tolist() if self._of.shape[1] else [[], [], [], []]
        return rows

    def restore(self, state: list[list[int]]) -> None:
        """Take the pieces of `state`."""
        self._keep(np.array(state, np.int64).reshape(4, -1))


def _narrowest(*largest: int) -> DTypeLike:
    return np.uint16 if max(largest) < 1 << 16 else np.int32


class Runs:
    """Spans covered by marks: a mark covers the time to the next one if that is at most `limit` away, else `tail`.

    Args:
        n: Number of signals.
        limit_ns: Longest distance of two marks of one span.
        tail_ns: What a last mark covers; at most `limit_ns`.
    """

    def __init__(self, n: int, limit_ns: int, tail_ns: int) -> None:
        self._limit = limit_ns
        self._tail = tail_ns
        self._n = n
        self._start = self._last = _NEVER_MARKED  # most sources never say that anything is uncertain or bad
        self._closed = Pieces()

    def grow(self, n: int) -> None:
        """Make room for n signals."""
        self._n = n
        if len(self._start):
            self._room()

    def _room(self) -> None:
        self._start, self._last = grown(self._start, self._n), grown(self._last, self._n)

    def extend(self, signal: Ints, time: Ints) -> None:
        """Take marks sorted by (signal, time), later than those before of the same signal."""
        if not len(signal):
            return
        if not len(self._start):
            self._room()
        head = np.flatnonzero(firsts(signal))
        previous = np.empty_like(time)
        previous[1:] = time[:-1]
        previous[head] = self._last[signal[head]]
        self._last[signal[head]] = time[np.append(head[1:], len(time)) - 1]
        breaks = np.flatnonzero(time - previous > self._limit)
        if not len(breaks):
            return
        of = signal[breaks]
        opening = firsts(of)
        start = np.empty(len(breaks), np.int64)
        start[1:] = time[breaks][:-1]
        start[opening] = self._start[of[opening]]
        ended = previous[breaks] != NONE
        end = previous[breaks] + self._tail
        self._closed.add(of[ended], start[ended], end[ended], np.zeros(int(ended.sum()), np.int64))
        closing = np.append(opening[1:], True)
        self._start[of[closing]] = time[breaks][closing]

    def mark(self, time_ns: int) -> None:
        """Take one mark of the only signal, later than those before: nearly always the span just goes on."""
        if len(self._last) and time_ns - int(self._last[0]) <= self._limit:
            self._last[0] = time_ns
        else:
            self.extend(_ONLY, np.array([time_ns], np.int64))

    def spans(self, low_ns: int, high_ns: int) -> list[Spans]:
        """Return per signal the covered time within [low, high)."""
        table = self._closed.table()
        cuts = np.searchsorted(table[0], np.arange(self._n + 1)).tolist()
        self._room()
        starts, ends = self._start.tolist(), (self._last + self._tail).tolist()
        seen: dict[tuple[int, int], Spans] = {}
        found = []
        for signal, (start, end) in enumerate(zip(starts, ends, strict=True)):
            low, high = cuts[signal], cuts[signal + 1]
            if low == high:  # nearly every signal on nearly every day, and most of them alike
                if (start, end) not in seen:
                    alone = Spans.of([(start, end)]) if start != NONE else EMPTY
                    seen[start, end] = alone.clip(low_ns, high_ns)
                found.append(seen[start, end])
            else:
                pieces = normal(np.append(table[1, low:high], start), np.append(table[2, low:high], end))
                found.append(pieces.clip(low_ns, high_ns))
        return found

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        self._closed.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        start, last = grown(self._start, self._n), grown(self._last, self._n)
        return {"start": start.tolist(), "last": last.tolist(), "closed": self._closed.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._start = np.array(state["start"], np.int64)
        self._last = np.array(state["last"], np.int64)
        self._n = len(self._start)
        if not self._last.any():
            self._start = self._last = _NEVER_MARKED
        self._closed.restore(state["closed"])


class Steps:
    """Spans between changes of a class: each row says what holds from its time until the next row of its signal.

    Classes are small integers; `UNKNOWN` holds before the first row.
    """

    UNKNOWN = -1

    def __init__(self, n: int) -> None:
        self._class = np.full(n, self.UNKNOWN, np.int64)
        self._since = np.zeros(n, np.int64)
        self._closed = Pieces()

    def grow(self, n: int) -> None:
        """Make room for n signals."""
        more = np.full(n - len(self._class), self.UNKNOWN, np.int64)
        self._class, self._since = np.concatenate([self._class, more]), grown(self._since, n)

    def extend(self, signal: Ints, time: Ints, kind: Ints) -> None:
        """Take rows sorted by (signal, time), later than those before of the same signal."""
        if not len(signal):
            return
        head = np.flatnonzero(firsts(signal))
        previous = np.empty_like(kind)
        previous[1:] = kind[:-1]
        previous[head] = self._class[signal[head]]
        changes = np.flatnonzero(kind != previous)
        self._class[signal[head]] = kind[np.append(head[1:], len(kind)) - 1]
        if not len(changes):
            return
        of, when = signal[changes], time[changes]
        opening = firsts(of)
        start = np.empty(len(changes), np.int64)
        start[1:] = when[:-1]
        start[opening] = self._since[of[opening]]
        known = previous[changes] != self.UNKNOWN
        self._closed.add(of[known], start[known], when[known], previous[changes][known])
        closing = np.append(opening[1:], True)
        self._since[of[closing]] = when[closing]

    def spans(self, kinds: tuple[int, ...], low_ns: int, high_ns: int) -> list[Spans]:
        """Return per signal the time within [low, high) in which one of the classes held; the last one goes on."""
        table = self._closed.table()
        table = table[:, np.isin(table[3], kinds)]
        cuts = np.searchsorted(table[0], np.arange(len(self._class) + 1)).tolist()
        holds = np.isin(self._class, kinds)
        start = np.where(holds, self._since, NEVER).tolist()
        found = []
        for signal, since in enumerate(start):
            low, high = cuts[signal], cuts[signal + 1]
            pieces = normal(np.append(table[1, low:high], since), np.append(table[2, low:high], high_ns))
            found.append(pieces.clip(low_ns, high_ns))
        return found

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        self._closed.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {"class": self._class.tolist(), "since": self._since.tolist(), "closed": self._closed.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._class = np.array(state["class"], np.int64)
        self._since = np.array(state["since"], np.int64)
        self._closed.restore(state["closed"])
