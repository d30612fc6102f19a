"""How evenly a polled source was read (A06): |time between two readings - interval|, in thousandths of it.

A reading holds each signal of its source once, so one signal times it: the first of those that are configured. Rows
without an answer (the link had failed) are no readings, and more than `GAP` intervals between two readings are a
gap, which is no matter of jitter: it belongs to A01. One or two readings that were skipped in between do count, as
deviations of one interval or two, because that is what an overloaded schedule looks like.

The unit of the sketch is a thousandth of the interval: `readiness.sketch.value(bucket, 0.001)` is a deviation as a
share of the interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agent.analyzers.rows import LOST
from readiness.sketch import index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.rows import Rows
    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Signal

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

GAP: Final = 3.2
"""Intervals that may lie between two readings that are compared: two skipped ones, and the jitter of both ends."""
THOUSAND: Final = 1000
NOBODY: Final = -1
FEW, MANY = 64, 500
"""Readings at once that are counted one by one, and steps that may wait for being counted together."""


class Jitter:
    """An `agent.analyzers.signals.Analyzer` of a source that is polled; its part of the day is `jitter`.

    Args:
        interval_ns: Between two readings, as configured.
    """

    def __init__(self, interval_ns: int) -> None:
        self._interval = interval_ns
        self._gap = int(GAP * interval_ns)
        self._signal = NOBODY
        self._last = 0
        self._counts: dict[int, dict[int, int]] = {}  # start of the day -> bucket -> number
        self._waiting: dict[int, list[int]] = {}  # start of the day -> steps that are not counted yet

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Take the signals as they are defined now."""
        first = next((n for n, signal in enumerate(signals) if signal is not None), NOBODY)
        if first != self._signal:
            self._signal, self._last = first, 0

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day; a reading counts on the day of its own instant."""
        low, high = np.searchsorted(rows.signal, (self._signal, self._signal + 1)).tolist()
        if low == high:
            return
        times = rows.time[low:high]
        if rows.kind is not None:
            times = times[rows.kind[low:high] != LOST]
        if high - low > FEW:
            self._count(day.start_ns, np.diff(times, prepend=self._last))
            self._last = int(times[-1]) if len(times) else self._last
            return
        waiting = self._waiting.setdefault(day.start_ns, [])
        for time in times.tolist():
            waiting.append(time - self._last)
            self._last = time
        if len(waiting) > MANY:
            self._settle()

    def _settle(self) -> None:
        """Count what waits: of one reading at a time, numpy would cost more than all other analyzers."""
        waiting, self._waiting = self._waiting, {}
        for start, steps in waiting.items():
            self._count(start, np.array(steps, np.int64))

    def _count(self, start_ns: int, steps: Ints) -> None:
        steps = steps[steps <= self._gap]
        off: Floats = (steps - self._interval).astype(np.float64) * (THOUSAND / self._interval)
        counts = self._counts.setdefault(start_ns, {})
        found, numbers = np.unique(np.abs(index(off)), return_counts=True)
        for bucket, number in zip(found.tolist(), numbers.tolist(), strict=True):
            counts[bucket] = counts.get(bucket, 0) + number

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return the sketch of a day."""
        self._settle()
        return {"jitter": [n for pair in sorted(self._counts.get(day.start_ns, {}).items()) for n in pair]}

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        self._settle()
        self._counts = {start: counts for start, counts in self._counts.items() if start >= end_ns}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        self._settle()
        counts = {
            str(start): {str(bucket): number for bucket, number in sorted(found.items())}
            for start, found in sorted(self._counts.items())
            if found
        }
        return {"signal": self._signal, "last": self._last, "counts": counts}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._signal, self._last = state["signal"], state["last"]
        self._counts = {int(s): {int(b): n for b, n in c.items()} for s, c in state["counts"].items()}
