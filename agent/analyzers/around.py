"""How loud a signal is around a candidate for a spike: by its own neighbourhood, not by its day.

A press that idles most of the day and works in between is quiet and loud on one day, and what is noise while it
works stands far out of the noise of the day. So a candidate waits for the readings behind it: of the 12 steps
before its own two, and of the 12 behind them, the fourth largest says how loud it is, on the louder side. A spike
is further out than `LOUD` times that: of normal noise nine standard deviations on average.

The louder side, because at the edge of a loud stretch one side is quiet. The fourth, because a change of level and
another spike are no noise: those make three large steps. Steps over a hole, and beyond the day's ends, are none.

Steps are remembered as rough buckets of `readiness.sketch`, a byte each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.packing import packed, unpacked
from readiness.sketch import GAMMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

SIDE = 12
"""Steps on each side."""
FOURTH = SIDE - 4
LOUD = 5.0
FURTHER = round(math.log(LOUD) / math.log(GAMMA))
"""`LOUD` in buckets."""
ROUGH = 5
"""Buckets that are one of ours: a fifth of a step."""
PLACES = 32
"""Steps remembered, a power of two: the 24, the candidate's own two, and those behind them."""
_OFFSETS = np.concatenate([np.arange(-SIDE, 0), np.arange(2, SIDE + 2)])
"""Of the steps around from a candidate's own; step i leads from reading i - 1 to reading i."""
_NONE = np.empty((4, 0), np.int64)


def rough(bucket: NDArray[np.int32]) -> Bytes:
    """Return steps as they are remembered here."""
    return np.minimum((bucket + ROUGH // 2) // ROUGH, 255).astype(np.uint8)


class Around:
    """Candidates of one day that wait for what comes behind them.

    Args:
        n: Number of signals.
    """

    __slots__ = ("_ring", "_waiting")

    def __init__(self, n: int) -> None:
        self._ring = np.zeros((n, PLACES), np.uint8)  # the last steps, each at its place modulo their number
        self._waiting = _NONE  # [signal, place of the reading on the day, ns, bucket of its distance]

    def grow(self, n: int) -> None:
        """Make room for n signals."""
        self._ring = np.pad(self._ring, ((0, max(n - len(self._ring), 0)), (0, 0)))

    def take(self, of: Ints, head: Ints, before: Ints, steps: Bytes, found: Ints) -> Ints:
        """Take the readings of a portion, and the candidates found in it.

        Args:
            of: The signals.
            head: First row of each.
            before: Readings of each on this day before the portion.
            steps: Of all rows, from the reading before, see `rough`.
            found: int64[4, n]: signal, place of the reading on its day, time, bucket of its distance.

        Returns:
            The spikes among those that were decided, likewise.
        """
        spikes = _NONE
        number = np.diff(head, append=len(steps))
        if found.size or self._waiting.size:
            waiting = np.concatenate([self._waiting, found], axis=1)
            first, start, there = (np.zeros(len(self._ring), np.int64) for _ in range(3))
            first[of], start[of], there[of] = head, before, before + number
            ready = there[waiting[0]] > waiting[1] + SIDE + 1
            decided, self._waiting = waiting[:, ready], waiting[:, ~ready]
            if decided.size:
                spikes = self._spikes(decided, first, start, steps)
        # Of each signal the last rows, as many as are remembered.
        last = np.minimum(number, PLACES)
        row = np.repeat(head + number - np.cumsum(last), last) + np.arange(int(last.sum()))
        shift = np.repeat(before - head, last)
        self._ring[np.repeat(of, last), (row + shift) % PLACES] = steps[row]
        return spikes

    def _spikes(self, decided: Ints, first: Ints, start: Ints, steps: Bytes) -> Ints:
        """Return which candidates are spikes; rows of the portion at hand count from `start` on."""
        signal, place = decided[0][:, None], decided[1][:, None] + _OFFSETS
        around = self._ring[signal, place % PLACES]
        behind = place - start[signal]
        here = behind >= 0
        around[here] = steps[(first[signal] + behind)[here]]
        around[place < 0] = 0
        return _loud(decided, around)

    def finish(self, there: Ints) -> Ints:
        """Decide what still waits when a day is over; `there` is the number of readings of each signal."""
        if not self._waiting.size:
            return _NONE
        decided, self._waiting = self._waiting, _NONE
        place = decided[1][:, None] + _OFFSETS
        around = self._ring[decided[0][:, None], place % PLACES]
        around[(place < 0) | (place >= there[decided[0]][:, None])] = 0
        return _loud(decided, around)

    def state(self) -> list[Any]:
        """Return everything as JSON."""
        order = np.lexsort((self._waiting[1], self._waiting[0]))
        return [packed(self._ring), packed(self._waiting[:, order])]

    def restore(self, state: Sequence[Any]) -> None:
        """Take the state that `state` returned."""
        self._ring = unpacked(state[0], np.uint8, -1, PLACES)
        self._waiting = unpacked(state[1], np.int64, 4, -1)


def _loud(decided: Ints, around: Bytes) -> Ints:
    """Return the candidates that are further out than the steps around them allow."""
    sides = np.partition(around.reshape(-1, 2, SIDE), FOURTH, axis=2)[:, :, FOURTH]
    fourth = sides.max(axis=1).astype(np.int64)
    return decided[:, (fourth == 0) | (decided[3] > fourth * ROUGH + FURTHER)]
