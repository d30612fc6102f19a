"""Another configuration under a running spool: asked for anywhere, done between two commits."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING

from agent.spool.base import Change
from agent.spool.queries import Queries

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from agent.clock import Clock
    from agent.frame import Source
    from agent.spool.ring import Ring
    from contract.payload import Birth

logger = logging.getLogger(__name__)

CHANGE_S = 20.0


class Changing(Queries):
    """The part of `agent.spool.spool.Spool` that changes its configuration."""

    _birth: Birth
    _sources: tuple[Source, ...]
    _clock: Clock | None
    _ring: Ring
    _wake: threading.Event
    _changing: threading.Lock
    _change: Change | None

    def change(
        self, birth: Birth, sources: Sequence[Source], applied: Callable[[], None], *, ring_rows: int
    ) -> bool:
        """Go on with another configuration: what was put before is committed under the old one, and checkpointed.

        Nothing of a source that differs may be put from before the call until it has returned.

        Args:
            birth: Of the new configuration.
            sources: Its sources.
            applied: Called in the spool's thread at that point, between two commits.
            ring_rows: Rows that the ring holds from now on.

        Returns:
            Whether it was done; when the disk takes nothing within a few seconds, all stays as it is.
        """
        change = Change(birth, tuple(sources), applied, ring_rows)
        self._change = change
        self._wake.set()
        if change.done.wait(CHANGE_S):
            return True
        with self._changing:
            if self._change is change:
                self._change = None
        return change.done.is_set()

    def _apply(self, change: Change) -> None:
        """Do it, in the spool's thread; it stays open when the disk does not take it."""
        assert self._clock is not None
        try:
            with self._changing, self._using() as journal:
                if self._change is not change:  # given up
                    return
                journal.change(change.birth, change.sources, self._clock.now())
                self._birth, self._sources, self._change = change.birth, change.sources, None
        except (sqlite3.Error, OSError) as exc:
            logger.warning("the new configuration has to wait for the disk: %s", exc)
            return
        self._ring.resize(change.ring_rows)
        change.applied()
        change.done.set()
