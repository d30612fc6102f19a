"""The analyzers, as the spool feeds them: a bug in one of them loses no data and stops no commit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.analyzers.base import Evidence
    from agent.frame import Item
    from agent.spool.base import Account, Committed

logger = logging.getLogger(__name__)

_BUG = "evidence stands still until the next start: this is a bug, please report it"


class Feeding:
    """What was committed goes to the evidence; its state goes into the checkpoints.

    Args:
        evidence: None when there is nothing to feed.
    """

    def __init__(self, evidence: Evidence | None = None) -> None:
        self._evidence = evidence
        self._days: dict[str, bytes] = {}
        self.faulty = False
        """The evidence stands still until the next start."""

    def feed(self, committed: Iterable[Committed]) -> None:
        """Feed what has been committed."""
        if self._evidence is None:
            return
        try:
            for entry in committed:
                self._evidence.feed(entry.items)
        except Exception:  # a bug in an analyzer must not lose raw data
            logger.exception(_BUG)
            self._stop()

    def state(self) -> tuple[bytes, Mapping[str, bytes]] | None:
        """Return the state for a checkpoint and the days that were closed since the last; None when faulty."""
        if self.faulty:
            return None
        state = b""
        if self._evidence is not None:
            try:
                self._days |= self._evidence.take_closed()
                state = self._evidence.state()
            except Exception:  # likewise
                logger.exception(_BUG)
                self._stop()
                return None
        return state, self._days

    def kept(self) -> None:
        """Know that a checkpoint has been made."""
        self._days = {}

    def _stop(self) -> None:
        self._evidence, self.faulty = None, True


def careful(account: Account) -> Account:
    """Return an `Account` that counts nothing where the given one fails."""

    def counted(
        items: Sequence[Item],
        committed_at_ns: int,
        clean: bool,  # noqa: FBT001 - the type says so
    ) -> Mapping[tuple[str, str], Mapping[int, int]]:
        try:
            return account(items, committed_at_ns, clean)
        except Exception:  # a bug in counting must not keep the spool from being freed
            logger.exception("latency is not counted: this is a bug, please report it")
            return {}

    return counted
