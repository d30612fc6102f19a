"""Which clock epochs are held now, who has vouched for them, and whose time is over: the spool's side of `hold`.

Any thread may vouch and ask; what it comes to is done by the spool's thread with its next commit.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from agent.spool.base import Vouched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.clock import Clock
    from agent.spool.base import HeldEpoch, Stamping

logger = logging.getLogger(__name__)


class Holding:
    """Epochs of which entries are held.

    Args:
        hold_ns: How long, monotonic.
    """

    def __init__(self, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self._lock = threading.Lock()
        self._first = 0  # epoch of this process
        self._since: dict[int, int] = {}  # epoch -> monotonic ns of its first held entry here
        self._over: set[int] = set()  # epochs that nothing is held of any more
        self._vouched: dict[int, Vouched] = {}  # by epoch; to be done
        self._done: dict[int, Vouched] = {}  # likewise; in the file
        self._doubted: dict[int, int] = {}  # epoch of this process that is not trusted -> its anchor
        self.held: Sequence[HeldEpoch] = ()
        """As of the last commit."""

    def begin(self, clock: Clock) -> None:
        """Know the first epoch of this process."""
        self._first = clock.epoch
        if not clock.trusted:
            self.doubt(clock.epoch, clock.anchor_ns)

    def note(self, held: Sequence[HeldEpoch], now: int) -> None:
        """Know what is held."""
        self.held = held
        for one in held:
            self._since.setdefault(one.epoch, now)

    def doubt(self, epoch: int, anchor_ns: int) -> None:
        """See `Queries.doubt`."""
        self._doubted[epoch] = anchor_ns

    def doubted(self) -> tuple[tuple[int, int], ...]:
        """Return the epochs of this process that were not trusted when they began, and their anchors."""
        return tuple(self._doubted.items())

    def vouch(self, epoch: int, offset_ns: int, by: int | None = None) -> bool:
        """See `Spool.vouch`."""
        if offset_ns % 1000:
            raise ValueError("the last three digits of a stamp are its epoch's, and stay")
        ours = epoch >= self._first or any(one.epoch == epoch for one in self.held)
        with self._lock:
            if not ours or epoch in self._over:
                return False
            self._over.add(epoch)
            self._vouched[epoch] = Vouched(offset_ns, by)
        return True

    def begin_again(self) -> None:
        """Have a fresh file know all offsets: the journal's end need not, and of each epoch something may come."""
        self._vouched = self._done | self._vouched

    def due(self, now: int, clock: Stamping) -> tuple[dict[int, Vouched], list[int]]:
        """Return what the next commit has to do: epochs that are vouched for, and epochs whose time is over.

        A commit whose stamping is still that of before the trusted epoch does nothing of the first kind: what came
        in the trusted one would be taken for the old one's. It is done later, also when trust has gone again.
        """
        with self._lock:  # one and the same epoch is either vouched for or over
            self._over.update(one.epoch for one in self.held if now - self._since[one.epoch] >= self._hold_ns)
            over = [one.epoch for one in self.held if one.epoch in self._over and one.epoch not in self._vouched]
            vouched = self._vouched.items()
            go = {e: v for e, v in vouched if clock.trusted or (v.by is not None and v.by < clock.epoch)}
        return go, over

    def done(self, vouched: Iterable[int], over: Iterable[int], held: Sequence[HeldEpoch], now: int) -> bool:
        """Know that a commit has done it; return whether entries were let go."""
        for epoch in vouched:
            self._done[epoch] = self._vouched.pop(epoch)
        self.note(held, now)
        settled = sorted({*vouched, *over})
        if settled:
            logger.warning("the times of clock epochs %s are settled", settled)
        return bool(settled)
