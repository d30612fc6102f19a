"""The only module that reads a clock or sleeps.

Within a clock epoch, time is an anchor plus the monotonic clock: a wall clock that is slewed or stepped
under us cannot reorder samples. An epoch begins when the process starts and whenever the wall clock has
moved more than 0.5 s away from the anchor. Stamps are cut to microseconds; their last three digits carry
the epoch number modulo 1000, so that two epochs never produce the same stamp and a later correction can
name one. The schedule of readings runs on the monotonic clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from pathlib import Path
from typing import Protocol

STEP_NS = 500_000_000


class Clock(Protocol):
    """What the agent needs of time. Tests pass a clock whose sleep advances it."""

    trusted: bool

    @property
    def epoch(self) -> int:
        """Number of the epoch; its last three digits are those of the stamps."""

    @property
    def boot_id(self) -> str:
        """The same as long as the monotonic clock runs on: until the machine starts anew."""

    @property
    def anchor_ns(self) -> int:
        """What is added to the monotonic clock in this epoch."""

    def now(self) -> int:
        """Return the acquisition stamp of this moment: UTC nanoseconds, epoch number in the last 3 digits."""

    def monotonic(self) -> int:
        """Return monotonic nanoseconds; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait; returns early only by cancellation."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, at most so long; return whether it came."""


class SystemClock:
    """The machine's clock.

    Args:
        epoch: Number of this epoch; the spool hands out one more at each start.
        trusted: Whether the wall clock may be believed (DESIGN 8).
    """

    def __init__(self, epoch: int = 0, *, trusted: bool = False) -> None:
        self.epoch = epoch
        self.trusted = trusted
        self.anchor_ns = time.time_ns() - time.monotonic_ns()
        self.boot_id = _boot_id()

    def now(self) -> int:
        """Return the acquisition stamp of this moment."""
        micro = (self.anchor_ns + time.monotonic_ns()) // 1000 * 1000
        return micro + self.epoch % 1000

    def monotonic(self) -> int:
        """Return monotonic nanoseconds."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, at most so long; return whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        return event.is_set()

    def step(self) -> int | None:
        """Begin a new epoch if the wall clock has moved away; return by how many nanoseconds, else None."""
        off = time.time_ns() - time.monotonic_ns() - self.anchor_ns
        if abs(off) <= STEP_NS:
            return None
        self.anchor_ns += off
        self.epoch += 1
        return off


def _boot_id() -> str:
    """Return the kernel's name of this boot; without one, a name that no other process shares."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return secrets.token_hex(16)
