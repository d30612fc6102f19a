"""The simulated moment: what services take for now, and what ids and the audit are made at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

KOREA = timedelta(hours=9)
NS = 10**9


def instant(day: date, hour: float = 9.0) -> int:
    """Return an hour of a day in Korea, ns since 1970."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - KOREA
    return int(start.timestamp()) * NS + round(hour * 3600) * NS


class Clock:
    """A clock that stands until it is set, and gives each moment once: nothing happens twice at one."""

    def __init__(self, day: date) -> None:
        self.day = day
        self._now = instant(day)

    def set(self, day: date, hour: float = 9.0) -> None:
        """Go to an hour of a day, never back."""
        self.day = max(day, self.day)
        self._now = max(instant(day, hour), self._now)

    def now(self) -> int:
        """Return the moment, a second after the one before."""
        self._now += NS
        return self._now

    def still(self) -> int:
        """Return the moment without letting it pass."""
        return self._now
