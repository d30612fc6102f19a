"""A token bucket: how much may go now, so that on average a rate is kept.

Pure; times are seconds of any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Lets something pass while it is not in debt; what passed is taken off afterwards, when its size is known.

    Args:
        rate: Units a second.
        burst_s: Seconds' worth that may pass at once after a rest.
    """

    rate: float
    burst_s: float = 1.0
    _level: float = field(default=0.0, init=False)
    _at: float | None = field(default=None, init=False)

    def ready(self, now: float) -> float:
        """Return when something may pass: `now`, or later."""
        if self._at is None:
            self._at, self._level = now, self.rate * self.burst_s
        gained = self.rate * max(0.0, now - self._at)
        self._level = min(self.rate * self.burst_s, self._level + gained)
        self._at = now
        return now if self._level >= 0 else now - self._level / self.rate

    def spend(self, amount: float) -> None:
        """Take off what has passed."""
        self._level -= amount
