"""Whether the agent still does its work, for the service manager's watchdog.

A device that does not answer is no fault of ours: each failed attempt is a bad frame and counts as a sign of life.
What must not happen is that nothing comes any more, not even failures: an event loop that stands, collectors that
wait for ever, a thread that has died. Then the watchdog is not fed, and the service manager starts a new process.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.frame import Source

PATIENCE_NS = 150 * 10**9  # a device that refuses us is asked every 60 s
INTERVALS = 3


def patience_ns(sources: Iterable[Source]) -> int | None:
    """Return after how long without any frame, good or bad, something is wrong with us.

    Args:
        sources: Of the configuration in force.

    Returns:
        Nanoseconds, None where long silence is in order: nothing is read, or only in bursts by agreement.
    """
    intervals = [source.interval_ns for source in sources if source.mode != "burst"]
    return max(PATIENCE_NS, INTERVALS * min(intervals)) if intervals else None


class Pulse:
    """Decides each second whether the watchdog is fed.

    Args:
        every_ns: How often it is to be fed; None where nobody watches.
    """

    def __init__(self, every_ns: int | None) -> None:
        self._every = every_ns
        self._fed: int | None = None
        self._passed = -1
        self._moved = 0

    @property
    def watched(self) -> bool:
        """Whether there is a watchdog to feed."""
        return self._every is not None

    def due(self, now: int, passed: int, patience: int | None, *, threads: bool) -> bool:
        """Return whether to feed it now.

        Args:
            now: Monotonic ns.
            passed: How many items have been read so far.
            patience: See `patience_ns`.
            threads: Whether all threads live.
        """
        if passed != self._passed:
            self._passed, self._moved = passed, now
        if self._every is None or not threads or (patience is not None and now - self._moved > patience):
            return False
        if self._fed is not None and now - self._fed < self._every:
            return False
        self._fed = now
        return True
