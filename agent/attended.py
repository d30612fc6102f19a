"""The agent as the service manager and Prometheus see it: started, at work, stopping; its counters."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from agent.pulse import Pulse, patience_ns
from service import metrics
from service.notify import Notifier, watchdog_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from agent.clock import Clock
    from agent.intake import Intake
    from agent.running import Running
    from service.metrics import Metric, MetricsSettings

THREADS = frozenset({"spool", "sender", "uplink-site"})
"""Names of those without which nothing is kept or delivered."""


class Attended:
    """Feeds the watchdog while the work goes on.

    Args:
        clock: Monotonic time.
        intake: Counts what is read.
        read: Returns all counters; called from any thread.
    """

    def __init__(self, clock: Clock, intake: Intake, read: Callable[[], Iterable[Metric]]) -> None:
        seconds = watchdog_s()
        self._clock = clock
        self._intake = intake
        self._read = read
        self._notifier = Notifier()
        self._pulse = Pulse(None if seconds is None else round(seconds * 1e9 / 4))

    def ready(self) -> None:
        """Everything has been started."""
        self._notifier.ready()

    def stopping(self) -> None:
        """The end has begun."""
        self._notifier.stopping()

    def tick(self, running: Running) -> None:
        """Feed the watchdog, if there is one and reason to; called each second by the event loop."""
        if not self._pulse.watched:
            return
        live = {thread.name for thread in threading.enumerate()} >= THREADS
        patience = patience_ns(running.config.sources())
        if self._pulse.due(self._clock.monotonic(), self._intake.passed, patience, threads=live):
            self._notifier.feed()

    def serving(self, settings: MetricsSettings | None) -> AbstractContextManager[None]:
        """Serve the counters while the block runs.

        Raises:
            ConfigError: the address cannot be used.
        """
        return metrics.served(settings, self._read)

    def totals(self) -> dict[str, int]:
        """Return the counters for the retained status."""
        return metrics.totals(self._read())
