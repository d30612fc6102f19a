"""The only module of the gateway that reads a clock."""

from __future__ import annotations

import time
from typing import Protocol

from settings import kernelclock


class Clock(Protocol):
    """What the gateway needs of time. Tests pass one that stands until it is moved."""

    def now(self) -> int:
        """Return UTC nanoseconds."""

    def monotonic(self) -> float:
        """Return monotonic seconds; only differences mean anything."""

    def trusted(self) -> bool:
        """Return whether agents may set their clocks by `now`."""


class SystemClock:
    """The machine's clock.

    Args:
        trust: Believe the wall clock whatever the kernel says (a container reports no synchronisation).
    """

    def __init__(self, *, trust: bool = False) -> None:
        self._trust = trust

    def now(self) -> int:
        """Return UTC nanoseconds."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def trusted(self) -> bool:
        """Return whether the configuration or the kernel vouches for the wall clock."""
        return self._trust or kernelclock.state().synchronised
