"""Notices when the agent itself has stood still: stopped by a debugger or the machine, starved, or busy too long.

Nothing was read meanwhile, and no device is to blame for it. The event loop beats every quarter of a second; when
more than a second lies between two beats, the span between them is one gap `agent_off` of the whole agent, with
`stood_still` in its body. Whoever is about to judge a device asks first (`look`): after a standstill, the time-outs
of all devices are over before the next beat comes.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from agent.frame import gap_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.frame import Item

BEAT_S = 0.25
LIMIT_NS = 1_000_000_000


class Moment(NamedTuple):
    """A moment as a stamp of the clock epoch it was in, and on the monotonic clock, which outlives epochs."""

    ns: int
    monotonic: int


NEVER = Moment(0, 0)


class Times:
    """Moments of one clock, which may be set between them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> Moment:
        """Return this moment."""
        return Moment(self._clock.now(), self._clock.monotonic())

    def of(self, stamp_ns: int) -> Moment:
        """Return the moment of a stamp that was made a short while ago."""
        now = self.now()
        same = (now.ns - stamp_ns) % 1000 == 0
        return Moment(stamp_ns, now.monotonic - (now.ns - stamp_ns)) if same else Moment(stamp_ns, now.monotonic)

    def stamp(self, moment: Moment) -> int:
        """Return the stamp of a moment in the present epoch: two stamps of one gap must be of one clock."""
        now = self.now()
        if (now.ns - moment.ns) % 1000 == 0:
            return moment.ns
        return now.ns - (now.monotonic - moment.monotonic) // 1000 * 1000


class Standstill:
    """The beat of one agent.

    Args:
        clock: Measures.
        put: Takes the gap.
        told: Called with the beginning and the end of each standstill, after it is over.
        set_anew: Called when a clock epoch has begun.
    """

    def __init__(
        self,
        clock: Clock,
        put: Callable[[Item], None],
        told: Callable[[Moment, Moment], None],
        set_anew: Callable[[], None] = lambda: None,
    ) -> None:
        self._set_anew = set_anew
        self._clock = clock
        self._times = Times(clock)
        self._put = put
        self._told = told
        self._last: Moment | None = None

    def look(self, back_ns: int | None = None) -> bool:
        """Beat; return whether the agent has stood still since the last beat.

        Args:
            back_ns: Stamp of a reading that has come since then, if there is one: it was going again by then.
        """
        last, now = self._last, self._times.now()
        self._last = now
        if last is not None and (now.ns - last.ns) % 1000:
            self._set_anew()
        if last is None or now.monotonic - last.monotonic <= LIMIT_NS:
            return False
        end = now
        if back_ns is not None and last.monotonic < (back := self._times.of(back_ns)).monotonic < now.monotonic:
            end = back
        start_ns, end_ns = self._times.stamp(last), self._times.stamp(end)
        gap = gap_event(uuid.uuid4().hex, "agent_off", None, now.ns, start_ns, end_ns, stood_still=True)
        self._put(gap)
        self._told(last, end)
        return True

    async def run(self) -> None:
        """Beat for ever."""
        self._last = self._times.now()
        while True:
            await self._clock.sleep(BEAT_S)
            self.look()
