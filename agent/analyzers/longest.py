"""The largest of a day, signal by signal, one by one: long stretches, high spikes. The rest is handed back.

Which ones are kept depends on what was added and not on its order; of equal ones the earlier are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.packing import packed, unpacked
from agent.analyzers.runs import firsts
from readiness.records import MILLI_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64] | NDArray[np.int32]
    Table = NDArray[np.int32]
    """int32[3, n]: signal, ms from the day's start, and another number."""

LEAST = 64
"""Rows that wait before they are sorted in; an eighth of what is there, where that is more."""
_EDGE = 1 << 30
_NUMBER = np.empty(0, np.uint16)
_ROWS = np.empty((2, 0), np.int32)
_TABLE = np.empty((3, 0), np.int32)


class Largest:
    """Rows of (signal, time, size) on one day.

    Args:
        start_ns: Start of the day.
        most: Rows kept of a signal.
    """

    __slots__ = ("_most", "_new", "_number", "_rows", "_start")

    def __init__(self, start_ns: int, most: int) -> None:
        self._start = start_ns
        self._most = most
        self._number = _NUMBER  # of each signal, the others behind have none
        self._rows = _ROWS
        self._new = _TABLE

    @property
    def _table(self) -> Table:
        table = np.empty((3, self._rows.shape[1]), np.int32)
        table[0] = np.repeat(np.arange(len(self._number), dtype=np.int32), self._number)
        table[1:] = self._rows
        return table

    @_table.setter
    def _table(self, table: Table) -> None:
        self._number = np.bincount(table[0]).astype(np.uint16) if table.shape[1] else _NUMBER
        self._rows = table[1:].copy() if table.shape[1] else _ROWS

    def add(self, signal: Ints, time: Ints, size: Ints) -> Table | None:
        """Add rows, with times in UTC nanoseconds; return those that are too many by now."""
        return self._add(signal, (time - self._start) // MILLI_NS, size)

    def _add(self, signal: Ints, milli: Ints, size: Ints) -> Table | None:
        if not len(signal):
            return None
        new = np.empty((3, len(signal)), np.int32)
        new[0], new[1], new[2] = signal, milli, size
        self._new = np.concatenate([self._new, new], axis=1)
        return self.settle() if self._new.shape[1] > max(self._rows.shape[1] // 8, LEAST) else None

    def _size(self, table: Table) -> Table:
        size: Table = table[2]
        return size

    def settle(self) -> Table | None:
        """Keep the largest of each signal and return the others."""
        if not self._new.shape[1]:
            return None
        table = np.concatenate([self._table, self._new], axis=1)
        self._new = _TABLE
        table = table[:, np.lexsort((table[1], -self._size(table), table[0]))]
        begins = np.flatnonzero(firsts(table[0].astype(np.int64)))
        rank = np.arange(table.shape[1]) - np.repeat(begins, np.diff(np.append(begins, table.shape[1])))
        kept, rest = table[:, rank < self._most], table[:, rank >= self._most]
        self._table = kept[:, np.lexsort((kept[1], kept[0]))]
        return rest if rest.shape[1] else None

    def of(self, signal: int) -> list[tuple[int, int]]:
        """Return what is kept of a signal after `settle`, by time: (ms, size)."""
        if signal >= len(self._number):
            return []
        low = int(self._number[:signal].sum())
        return [(milli, size) for milli, size in self._rows[:, low : low + int(self._number[signal])].T.tolist()]

    def forget(self, signal: int) -> None:
        """Keep nothing of a signal that was added so far."""
        new, table = self._new, self._table
        self._new = new[:, new[0] != signal]
        self._table = table[:, table[0] != signal]

    def state(self) -> str:
        """Return what is kept after `settle`, as JSON."""
        return packed(self._table)

    def restore(self, state: str) -> None:
        """Take the state that `state` returned."""
        self._table = unpacked(state, np.int32, 3, -1)


class Longest(Largest):
    """Stretches: rows of (signal, begin, end), by their length.

    Those that begin or end with the day come first whatever their length: they are parts of something that goes on
    in another day, and their lengths mean nothing there.

    Args:
        start_ns: Start of the day.
        end_ns: End of the day.
        most: Stretches kept of a signal.
    """

    __slots__ = ("_length",)

    def __init__(self, start_ns: int, end_ns: int, most: int) -> None:
        super().__init__(start_ns, most)
        self._length = (end_ns - start_ns) // MILLI_NS

    def add(self, signal: Ints, time: Ints, size: Ints) -> Table | None:
        """Add stretches within the day, begin and end in UTC nanoseconds; return those that are too many by now."""
        return self._add(signal, (time - self._start) // MILLI_NS, (size - self._start) // MILLI_NS)

    def _size(self, table: Table) -> Table:
        size: Table = table[2] - table[1]
        size[(table[1] == 0) | (table[2] == self._length)] += _EDGE
        return size
