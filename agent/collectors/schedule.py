"""When the groups of a polled device are read.

Each group has a fixed grid on the monotonic clock: slots at `phase + k x interval`. The phase follows from the ids
of device and group alone, so that twenty devices with an interval of one second do not all fire in the same
instant, groups of one device stand apart, and the grid survives a lost connection. The first reading after
connecting comes at once and belongs to no slot.

All groups share the device. The one that is due first goes first, among equals the one unread for longest. After
a reading the next slot is the first one that still lies ahead; those before it are skipped and counted, so that a
slow device is read less often instead of ever later, and never twice in a row to catch up. A slot is late when its
first request leaves more than 50 ms after its time.

A group with `burst` is due only inside its windows: one of `length` in each span of `per`, counted from the first
connection.

Pure: the caller hands in monotonic times, and waits.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.config.base import Burst, GroupBase

LATE_NS = 50_000_000
GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, keep any number of groups apart."""


def phase(device: str, position: int, interval: int) -> int:
    """Return where the grid of a device's group lies, 0 to `interval` - 1 nanoseconds."""
    return int((zlib.crc32(device.encode()) / 2**32 + position * GOLDEN) % 1 * interval)


@dataclass(slots=True)
class _Poll:
    """A group on its grid."""

    interval: int
    phase: int
    burst: Burst | None
    due: int = 0
    slot: bool = False  # whether `due` is a slot of the grid; the first reading of a connection is not
    begun: int = -1  # start of its last reading
    again: bool = False  # asked to be read out of turn


class Grid:
    """The grids of one device.

    The caller's loop: `due`, and when it says so the reading with `started` when its first request leaves, and
    `finished`.

    Args:
        device: Its id.
        groups: What the configuration says, in its order; they are known here by their position.

    Attributes:
        skipped: Slots that passed while something else was read, per position.
        late: Slots whose first request left late.
    """

    def __init__(self, device: str, groups: Sequence[GroupBase]) -> None:
        self._polls = [
            _Poll(group.every, phase(device, position, group.every), group.burst)
            for position, group in enumerate(groups)
        ]
        self._first: int | None = None
        self.skipped: Counter[int] = Counter()
        self.late = 0

    def connected(self, now: int) -> None:
        """Make each group due at once; the grids stay where they are."""
        if self._first is None:
            self._first = now
        for poll in self._polls:
            poll.due = self._inside(poll, now)
            poll.slot = poll.due != now

    def due(self, now: int) -> tuple[int, int]:
        """Return the position of the group to read next and how long to wait for it, 0 when it is due.

        Ask again after any wait: `retry` may have come.
        """
        for position, poll in enumerate(self._polls):
            if poll.again:
                return position, 0
        for position, poll in enumerate(self._polls):
            if poll.burst is not None and poll.due <= now and self._inside(poll, now) != now:  # it has closed
                self._next(position, now)
        position = min(range(len(self._polls)), key=lambda p: (self._polls[p].due, self._polls[p].begun))
        return position, max(self._polls[position].due - now, 0)

    def others_due(self, position: int) -> int | None:
        """Return when the first of the other groups is due; None when there is no other."""
        return min((poll.due for p, poll in enumerate(self._polls) if p != position), default=None)

    def started(self, position: int, sent: int) -> None:
        """Take the time at which the first request of a reading left."""
        poll = self._polls[position]
        poll.begun = sent
        if poll.slot and sent - poll.due > LATE_NS:
            self.late += 1

    def finished(self, position: int, now: int) -> None:
        """End a reading: its next slot is the first that is not behind us."""
        poll = self._polls[position]
        poll.again = False
        if poll.due <= now:  # else it was read out of turn, and its slot still comes
            self._next(position, now, served=1)

    def _next(self, position: int, now: int, *, served: int = 0) -> None:
        """Move on to the first slot that is not behind us; count those that nobody served."""
        poll = self._polls[position]
        first = poll.due if poll.slot else self._slot(poll, poll.due)
        poll.due, poll.slot = self._slot(poll, max(now, poll.due + served)), True
        missed = self._between(poll, first, min(poll.due, now)) - served
        if missed > 0:
            self.skipped[position] += missed

    def retry(self, positions: Iterable[int]) -> None:
        """Read these groups out of turn, at once."""
        for position in positions:
            self._polls[position].again = True

    def _slot(self, poll: _Poll, time: int) -> int:
        """Return the first slot from `time` on."""
        return self._inside(poll, time + (poll.phase - time) % poll.interval)

    def _inside(self, poll: _Poll, time: int) -> int:
        """Return the first moment from `time` on, in steps of the grid, at which the group may be read."""
        if poll.burst is None:
            return time
        assert self._first is not None
        into = (time - self._first) % poll.burst.per
        if into < poll.burst.length:
            return time
        opens = time - into + poll.burst.per
        slot = opens + (poll.phase - opens) % poll.interval
        return slot if slot < opens + poll.burst.length else opens

    def _between(self, poll: _Poll, first: int, end: int) -> int:
        """Count the slots from `first`, which is one, up to before `end`."""
        if poll.burst is None:
            return max(-(-(end - first) // poll.interval), 0)
        count = 0
        while first < end:
            count += 1
            first = self._slot(poll, first + 1)
        return count
