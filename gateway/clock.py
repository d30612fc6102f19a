"""The only module of the gateway that reads a clock."""

from __future__ import annotations

import ctypes
import time
from typing import Protocol

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # struct timex has 208 on 64-bit systems; the kernel writes no more than it knows


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
        return self._trust or _synchronised()


def _synchronised() -> bool:
    """Ask the kernel, changing nothing: modes is the first field of the structure and stays 0."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):  # no Linux
        return False
    return 0 <= state < _TIME_ERROR
