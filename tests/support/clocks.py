"""A clock whose sleep advances it."""

from __future__ import annotations

import asyncio

from settings.handshake import Moment


class FakeClock:
    """Starts at `start_ns`; time passes only by `sleep` and `advance`."""

    def __init__(self, start_ns: int = 1_763_769_600_000_000_000, *, trusted: bool = True) -> None:
        self.trusted = trusted
        self.epoch = 0
        self.boot_id = "boot"
        self._wall = start_ns
        self._monotonic = 0

    @property
    def anchor_ns(self) -> int:
        """Wall minus monotonic."""
        return self._wall - self._monotonic

    def now(self) -> int:
        """Return the wall time, cut to microseconds, with the number of the epoch."""
        return self._wall // 1000 * 1000 + self.epoch % 1000

    def moment(self) -> Moment:
        """Return the wall time as known, or as the earliest that it can be."""
        return Moment(self.now(), exact=self.trusted)

    def monotonic(self) -> int:
        """Return nanoseconds since the start."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += round(seconds * 1e9)
        self._monotonic += round(seconds * 1e9)

    def step(self, seconds: float) -> None:
        """Let the wall clock step; no time passes."""
        self._wall += round(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once, and other tasks run."""
        self.advance(seconds)
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Return at once when the event is set, else let the time pass."""
        if not event.is_set():
            await self.sleep(seconds)
        return event.is_set()
