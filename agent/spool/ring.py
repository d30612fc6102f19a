"""Memory between the readings and the next commit: bounded, and honest about what did not fit."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

from agent.entry import Span
from agent.frame import FrameBlock, Watermark
from agent.spool.gaps import Loss

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.frame import Item, Source

AGE_NS = 30 * 10**9
ROWS = 200_000
MOST_ROWS = 2_000_000  # 120 MB of floats (measured), with the stamps of devices 150 MB
STILL_NS = 10 * 10**9
"""Silence of all devices after which the disk alone cannot be blamed: the process may have stood still."""
RESERVE = 10_000  # places left for events when it is full of rows


def rows_for(sources: Iterable[Source]) -> int:
    """Return the rows that these sources give in 30 s, within what is sensible.

    A subscription counts as if each signal changed once in a publishing interval: how often it does, nobody knows.
    """
    expected = sum(-(-AGE_NS * len(source.signals) // source.interval_ns) for source in sources)
    return min(max(expected, ROWS), MOST_ROWS)


class Ring:
    """Items that wait for a commit; every method may be called from any thread and returns at once.

    What a commit has taken stays here until it is `done`, so that a failed commit loses nothing.

    Args:
        limit: Rows that it holds; an item that is no frame counts as one.
    """

    def __init__(self, limit: int = ROWS) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._items: list[Item] = []
        self._taken: list[Item] = []
        self._rows = 0
        self._taken_rows = 0
        self._losses: list[Loss] = []
        self._since = 0  # when the first of what waits came, or the last commit before
        self._put_at = 0
        self.lost_rows = 0
        """Rows that did not fit, since the start."""

    @property
    def rows(self) -> int:
        """Rows that wait, those in a commit under way included."""
        return self._rows + self._taken_rows

    def resize(self, limit: int) -> None:
        """Hold so many rows from now on; what waits stays."""
        self._limit = limit

    @property
    def half_full(self) -> bool:
        """Whether a commit should not wait for its second."""
        return self._rows * 2 >= self._limit

    def put(self, item: Item, now: int, spool: str) -> bool:
        """Take an item, or count it as lost.

        Args:
            item: What to keep.
            now: Monotonic ns.
            spool: Id that a gap about it would carry.

        Returns:
            Whether it fitted: there was place, and what waits has not waited for 30 s in which others came.
        """
        weight = max(len(item), 1) if isinstance(item, FrameBlock) else 1
        with self._lock:
            room = self._limit - self._rows - self._taken_rows
            if room == self._limit:  # nothing waits: a process that was frozen loses nothing when it goes on
                self._since = now
            elif now - self._put_at > STILL_NS:  # nor does it when something waits
                self._since += now - self._put_at
            self._put_at = now
            if isinstance(item, FrameBlock | Watermark):
                fits = room >= weight and now - self._since <= AGE_NS
            else:
                fits = room + RESERVE >= weight
            if fits:
                self._items.append(item)
                self._rows += weight
            else:
                self._spill(item, spool)
            return fits

    def _spill(self, item: Item, spool: str) -> None:
        if not self._losses or self._losses[-1].stage != "ring":
            self._losses.append(Loss(secrets.token_hex(8), "overflow", "ring", spool))
        loss = self._losses[-1]
        if not isinstance(item, FrameBlock):
            loss.reach(item.time_ns)
            loss.events += not isinstance(item, Watermark)
        elif rows := len(item):
            loss.add([Span(item.source.id, int(item.time_ns.min()), int(item.time_ns.max()), rows)])
            self.lost_rows += rows

    def put_first(self, item: Item) -> None:
        """Take an item that comes before everything that waits."""
        with self._lock:
            self._items.insert(0, item)
            self._rows += 1

    def tell(self, loss: Loss) -> None:
        """Have the next commit tell of a gap."""
        with self._lock:
            self._losses.insert(0, loss)

    def take(self) -> tuple[list[Item], list[Loss]]:
        """Return what waits for a commit, in order, and the gaps to tell."""
        with self._lock:
            self._taken += self._items
            self._taken_rows += self._rows
            self._items, self._rows = [], 0
            losses, self._losses = self._losses, []
            return self._taken, losses

    def done(self, now: int) -> None:
        """What was taken is committed; `now` is monotonic ns."""
        with self._lock:
            self._taken, self._taken_rows = [], 0
            self._since = now

    def failed(self, losses: list[Loss]) -> None:
        """What was taken is not committed."""
        with self._lock:
            self._losses = losses + self._losses
