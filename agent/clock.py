"""The only module that reads a clock or sleeps.

Within a clock epoch, time is an anchor plus the time since boot: a wall clock that is slewed or stepped under us
cannot reorder samples. Stamps are cut to microseconds; their last three digits carry the epoch number modulo 1000,
so that two epochs never produce the same stamp and a later correction can name one. Who vouches for the anchor, and
when a new epoch begins, is decided by `agent.trust`, once a second by `look`. The schedule of readings runs on the
monotonic clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from agent.trust import Answer, Change, Look, Trust, Word
from settings import kernelclock
from settings.handshake import Moment
from settings.released import RELEASED_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.trust import Disagreement, Kept, Source, Stand

_ANSWERS = 100  # that wait for the next look


class Clock(Protocol):
    """What the agent needs of time. Tests pass a clock whose sleep advances it."""

    @property
    def trusted(self) -> bool:
        """Whether anybody vouches for the time (DESIGN 8)."""

    @property
    def epoch(self) -> int:
        """Number of the epoch; its last three digits are those of the stamps."""

    @property
    def boot_id(self) -> str:
        """The same as long as the time since boot runs on: until the machine starts anew."""

    @property
    def anchor_ns(self) -> int:
        """What is added to the time since boot in this epoch: whole microseconds."""

    def now(self) -> int:
        """Return the acquisition stamp of this moment: UTC nanoseconds, epoch number in the last 3 digits."""

    def moment(self) -> Moment:
        """Return what is known of the time, for the dates of certificates."""

    def monotonic(self) -> int:
        """Return monotonic nanoseconds; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait; returns early only by cancellation."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, at most so long; return whether it came."""


class SystemClock:
    """The machine's clock, with the kernel, the gateway or the technician vouching for it.

    `look` belongs to one thread; everything else may be called from any.

    Args:
        epoch: Number of this epoch; the spool hands out one more at each start.
        trusted: The technician vouches for the wall clock.
        kept: What an earlier process knew of the time.
    """

    def __init__(self, epoch: int = 0, *, trusted: bool = False, kept: Kept | None = None) -> None:
        boot = kernelclock.boot_id()
        self.boot_id = boot or secrets.token_hex(16)  # without a name, no other process is of this boot
        same = kept is not None and kept.boot == boot != ""
        self._earliest_ns = max(RELEASED_NS, 0 if kept is None else kept.time_ns)
        self._trust = Trust(epoch, self._look(), trusted, kept if same else None, self._earliest_ns)
        self._stand = self._trust.stand
        self._answers: deque[Answer] = deque(maxlen=_ANSWERS)

    @staticmethod
    def _look() -> Look:
        """Return the three times as of one moment: the reading of base and wall must not be torn apart."""
        before, wall, after = _base(), time.time_ns(), _base()
        for _ in range(3):
            if after - before < 50_000:
                break
            before, wall, after = _base(), time.time_ns(), _base()
        return Look((before + after) // 2, wall, kernelclock.state())

    @property
    def stand(self) -> Stand:
        """How stamps are made now."""
        return self._stand

    @property
    def trusted(self) -> bool:
        """Whether anybody vouches for the time."""
        return self._stand.trusted

    @property
    def epoch(self) -> int:
        """Number of this epoch."""
        return self._stand.epoch

    @property
    def anchor_ns(self) -> int:
        """What is added to the time since boot."""
        return self._stand.anchor_ns

    @property
    def source(self) -> Source:
        """Who vouches for the time."""
        return self._stand.source

    @property
    def synchronised(self) -> bool:
        """Whether a time service disciplines the clock now; the kernel is believed for days after that."""
        return self._trust.synchronised

    @property
    def error_ns(self) -> int | None:
        """How far the time may be off; None when nobody has said."""
        return self._trust.error_ns(_base())

    @property
    def disagreement(self) -> Disagreement | None:
        """Who has contradicted what was known of the time, while that is not long ago."""
        return self._trust.disagreement(_base())

    @property
    def disagreements(self) -> int:
        """Answers that have contradicted what was known."""
        return self._trust.disagreements

    @property
    def earliest_ns(self) -> int:
        """The earliest that it can be: this release, or the last time that kernel or gateway vouched for."""
        return self._earliest_ns

    def word(self) -> Word | None:
        """Return what is known of the anchor, for the next process on this boot."""
        return self._trust.word(_base())

    def now(self) -> int:
        """Return the acquisition stamp of this moment."""
        return self._stand.stamp(_base())

    def base(self) -> int:
        """Return nanoseconds since boot, suspends included."""
        return _base()

    def moment(self) -> Moment:
        """Return the time, or the earliest that it can be while nobody vouches for it."""
        return Moment(self.now(), exact=True) if self.trusted else Moment(self._earliest_ns, exact=False)

    def monotonic(self) -> int:
        """Return nanoseconds since boot: a suspend is time that has passed, in which nobody was read."""
        return _base()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, at most so long; return whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        return event.is_set()

    # Trust

    def adopt(self, epoch: int, anchor_ns: int) -> None:
        """Learn of an epoch that an earlier process of this boot has stamped with, untrusted."""
        self._trust.adopt(epoch, anchor_ns)

    def answer(self, answer: Answer) -> None:
        """Take the word of a worker whose clock is trusted; the next look draws the conclusions."""
        self._answers.append(answer)

    def wants_answer(self) -> bool:
        """Whether a worker should be asked for the time now; whoever asks says so by `asked`."""
        return self._trust.wants_answer(_base())

    def asked(self) -> None:
        """Note that a question goes out."""
        self._trust.asked(_base())

    def look(self, announce: Callable[[Change], object] | None = None) -> Change | None:
        """Decide anew who vouches for the time; return what has changed.

        Args:
            announce: Called with a change before the first stamp shows it.
        """
        while self._answers:
            self._trust.answer(self._answers.popleft())
        change = self._trust.look(self._look())
        if change is not None and announce is not None:
            announce(change)
        self._stand = self._trust.stand
        if self._stand.source in {"kernel", "gateway"}:  # a person may have set the clock to any time
            self._earliest_ns = max(RELEASED_NS, self.now())  # not what was said before: that may have been wrong
        return change


def _base() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
