"""Whether the signals of a source come at its interval: a file may hold two. Pure, constant state per signal.

    paces.add(index, times)      the times of a signal's values, in order
    paces.others()               signals that keep to another interval for a good part of their time

A gap is no interval: only steps that follow one of the same length are taken for one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent.assess.estimate import NEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LONGEST_NS = 3_600_000_000_000
"""What is stored more seldom is no series of a machine."""
LEAST = 20
"""Steps that an interval needs."""
SHARE = 0.1
"""Of the time that is told: below it, somebody has tried something."""


class Pace(NamedTuple):
    """Signal number `signal` came each `interval_ns` for this share of its regular time."""

    signal: int
    interval_ns: int
    share: float


class Paces:
    """What intervals the signals of one source keep.

    Args:
        signals: How many there are.
        interval_ns: What all of them should keep.
    """

    def __init__(self, signals: int, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._last = [0] * signals
        self._step = [0] * signals
        self._kept = [0] * signals
        self._other: list[Counter[int]] = [Counter() for _ in range(signals)]

    def add(self, index: int, times: Ints) -> None:
        """Take the next values of a signal."""
        if not len(times):
            return
        steps = np.diff(times, prepend=self._last[index] or times[0])
        self._last[index] = int(times[-1])
        steps = steps[steps > 0]
        if not len(steps):
            return
        before = np.append(self._step[index], steps[:-1])
        self._step[index] = int(steps[-1])
        kept = np.abs(steps - self._interval_ns) <= NEAR * self._interval_ns
        self._kept[index] += int(steps[kept].sum())
        rest = ~kept & (np.abs(steps - before) <= NEAR * steps) & (steps <= LONGEST_NS)
        if rest.any():
            found = steps[rest]
            digit = 10.0 ** (np.floor(np.log10(found)) - 1)
            lengths, counts = np.unique((np.round(found / digit) * digit).astype(np.int64), return_counts=True)
            self._other[index].update(dict(zip(lengths.tolist(), counts.tolist(), strict=True)))

    def others(self) -> Iterator[Pace]:
        """Yield the signals that keep to another interval, each with the one that it keeps most of that time."""
        for index, found in enumerate(self._other):
            if found.total() < LEAST:
                continue
            spent = {length: length * count for length, count in found.items()}
            share = sum(spent.values()) / (self._kept[index] + sum(spent.values()))
            if share >= SHARE:
                yield Pace(index, max(spent, key=lambda length: (spent[length], -length)), share)
