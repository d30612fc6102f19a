"""The longest stretches of a day, signal by signal, one by one; the rest is handed back to be summed up.

Stretches that begin or end with the day come first whatever their length: they are parts of something that goes on
in another day, and their lengths mean nothing there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.packing import packed, unpacked
from readiness.records import MILLI_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Table = NDArray[np.int32]
    """int32[3, n]: signal, begin and end in ms from the day's start."""

_EDGE = 1 << 30


class Longest:
    """Stretches of one day.

    Args:
        start_ns: Start of the day.
        end_ns: End of the day.
        most: Stretches kept of a signal.
    """

    def __init__(self, start_ns: int, end_ns: int, most: int) -> None:
        self._start = start_ns
        self._length = (end_ns - start_ns) // MILLI_NS
        self._most = most
        self._table: Table = np.empty((3, 0), np.int32)
        self._new: list[Table] = []
        self._waiting = 0

    def add(self, signal: Ints, start: Ints, end: Ints) -> Table | None:
        """Add stretches within the day, UTC nanoseconds; return those that are too many by now."""
        if not len(signal):
            return None
        chunk = np.empty((3, len(signal)), np.int32)
        chunk[0] = signal
        chunk[1] = (start - self._start) // MILLI_NS
        chunk[2] = (end - self._start) // MILLI_NS
        self._new.append(chunk)
        self._waiting += len(signal)
        return self.settle() if self._waiting > self._table.shape[1] + 256 else None

    def settle(self) -> Table | None:
        """Keep the longest (of equal ones the earlier) of each signal and return the others."""
        if not self._new:
            return None
        table = np.concatenate([self._table, *self._new], axis=1)
        self._new, self._waiting = [], 0
        size = table[2] - table[1]
        size[(table[1] == 0) | (table[2] == self._length)] += _EDGE
        table = table[:, np.lexsort((table[1], -size, table[0]))]
        begins = np.flatnonzero(np.append(True, table[0, 1:] != table[0, :-1]))
        rank = np.arange(table.shape[1]) - np.repeat(begins, np.diff(np.append(begins, table.shape[1])))
        kept, rest = table[:, rank < self._most], table[:, rank >= self._most]
        self._table = kept[:, np.lexsort((kept[1], kept[0]))]
        return rest if rest.shape[1] else None

    def of(self, signal: int) -> list[tuple[int, int]]:
        """Return what is kept of a signal after `settle`: (begin, end) in ms."""
        low, high = np.searchsorted(self._table[0], [signal, signal + 1])
        return [(begin, end) for begin, end in self._table[1:, low:high].T.tolist()]

    def forget(self, signal: int) -> None:
        """Keep nothing of a signal that was added so far."""
        self._new = [chunk[:, chunk[0] != signal] for chunk in self._new]
        self._table = self._table[:, self._table[0] != signal]

    def state(self) -> str:
        """Return what is kept after `settle`, as JSON."""
        return packed(self._table)

    def restore(self, state: str) -> None:
        """Take the state that `state` returned."""
        self._table = unpacked(state, np.int32, 3, -1)
