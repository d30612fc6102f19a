"""How often somebody may ask: a bucket of tokens each, refilled by the second.

In the memory of one program: several of them behind one address allow several times as much. What is full again is
forgotten, so that memory does not grow with the addresses that have ever asked.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_MANY = 10_000


class Rate(NamedTuple):
    """So many at once, and so many a second for ever."""

    burst: float
    second: float


class Limiter:
    """Buckets by name. Thread-safe.

    Args:
        rate: Of each bucket.
        clock: Returns seconds that only grow.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> int:
        """Take one; return 0, or after how many seconds there will be one."""
        with self._lock:
            left, now = self._look(name)
            if left >= 1:
                self._left[name] = (left - 1, now)
                return 0
            self._left[name] = (left, now)
            return max(1, math.ceil((1 - left) / self._rate.second))

    def empty(self, name: str) -> int:
        """Return 0 where there is one left, or after how many seconds there will be; takes none."""
        with self._lock:
            left, _ = self._look(name)
        return 0 if left >= 1 else max(1, math.ceil((1 - left) / self._rate.second))

    def _look(self, name: str) -> tuple[float, float]:
        now = self._clock()
        if len(self._left) > _MANY:
            self._left = {
                n: (left, at)
                for n, (left, at) in self._left.items()
                if self._filled(left, at, now) < self._rate.burst
            }
        left, at = self._left.get(name, (self._rate.burst, now))
        return self._filled(left, at, now), now

    def _filled(self, left: float, at: float, now: float) -> float:
        return min(self._rate.burst, left + (now - at) * self._rate.second)
