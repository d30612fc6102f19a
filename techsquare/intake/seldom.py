"""A line of a log once a while for each thing that it is about, whoever floods us.

A box that nobody knows sends every minute for years, and thousands of them may. Each (agent, fate) gets one line,
then silence for an hour with a count of what was left out; beyond `MOST` things only their number is told.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

HOUR_NS = 3_600 * 10**9
MOST = 200


class Seldom:
    """Says whether a line may be written now. Thread-safe.

    Args:
        now: UTC ns.
        every: ns between two lines of a thing.
        most: Different things in that time.
    """

    def __init__(self, now: Callable[[], int], every: int = HOUR_NS, most: int = MOST) -> None:
        self._now, self._every, self._most = now, every, most
        self._lock = threading.Lock()
        self._told: dict[Hashable, list[int]] = {}  # thing -> when its line was, how often it was left out since
        self._beyond = 0

    def may(self, thing: Hashable) -> int | None:
        """Return how many lines of a thing were left out before this one; None: leave this one out as well."""
        now = self._now()
        with self._lock:
            known = self._told.get(thing)
            if known is not None and now - known[0] < self._every:
                known[1] += 1
                return None
            if known is None and len(self._told) >= self._most:
                self._told = {one: said for one, said in self._told.items() if now - said[0] < self._every}
                if len(self._told) >= self._most:
                    self._beyond += 1
                    return None
            left = 0 if known is None else known[1]
            left += self._beyond if known is None else 0
            if known is None:
                self._beyond = 0
            self._told[thing] = [now, 0]
            return left
