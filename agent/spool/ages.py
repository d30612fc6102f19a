"""How old what waits is, whatever the clock is set to meanwhile.

Entries keep the moment of their commit by the clock of that time. When a trusted clock is set forward by a month,
nothing has become a month older: what it was set forward by, while this process runs, is taken off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.spool.base import Stamping


class Ages:
    """The trusted clock of one process, as far as ages go."""

    def __init__(self) -> None:
        self._last: Stamping | None = None
        self._forward_ns = 0

    def now(self, now_ns: int, clock: Stamping) -> int:
        """Return the moment that ages are measured from; 0 while nobody vouches for the time."""
        if not clock.trusted:
            return 0
        last, self._last = self._last, clock
        if last is not None and last.epoch != clock.epoch:
            self._forward_ns += max(0, clock.anchor_ns - last.anchor_ns)
        return now_ns - self._forward_ns
