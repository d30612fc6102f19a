"""What others ask of the spool: the sender what there is to send, readiness what was seen."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from agent.delivery import Entry
    from agent.spool.base import HeldEpoch
    from agent.spool.holding import Holding
    from agent.spool.journal import Journal


class Queries(abc.ABC):
    """Questions to the journal; each may wait for a commit that is under way."""

    _journal: Journal
    _holding: Holding

    @abc.abstractmethod
    def _using(self) -> AbstractContextManager[Journal]:
        """Use the journal, alone."""

    # Before the start

    @property
    def epoch(self) -> int:
        """Number of this process on this file, for the clock: one more at each start."""
        return self._journal.process

    def checkpoint_state(self) -> bytes | None:
        """Return what the analyzers said at the last checkpoint, None when there is none."""
        return self._journal.checkpoint_state()[0] or None

    # What the uplink asks

    @property
    def id(self) -> str:
        """Id of the spool that new entries belong to."""
        return self._journal.spool

    @property
    def birth(self) -> str:
        """Hash of the birth in force."""
        return self._journal.birth

    def unconfirmed(self, after: int, before: int | None, limit: int) -> list[Entry]:
        """Return unconfirmed entries with after < seq < before, in order, at most `limit`."""
        with self._using() as journal:
            return journal.unconfirmed(after, before, limit)

    def last_before(self, committed_ns: int) -> int:
        """Return the highest seq among entries committed before this moment, 0 when there is none."""
        with self._using() as journal:
            return journal.last_before(committed_ns)

    def sending(self, entries: Iterable[Entry]) -> list[tuple[Entry, bytes]]:
        """Return the content of each entry that still waits; it counts as sent from now on.

        Raises:
            sqlite3.Error, OSError: it cannot be read now.
        """
        with self._using() as journal:
            return journal.sending(entries)

    def births(self) -> list[tuple[str, bytes, bool]]:
        """Return (hash, canonical JSON, whether an entry names it or it is the present one) of each birth."""
        with self._using() as journal:
            return journal.births()

    def owners(self) -> dict[tuple[str, str], int]:
        """Return how many unconfirmed entries each (factory, agent) has in this file."""
        with self._using() as journal:
            return journal.owners()

    def birth_named(self, digest: str) -> bytes | None:
        """Return the canonical JSON of the birth with this hash, None when it is not here."""
        with self._using() as journal:
            return journal.birth_named(digest)

    def forget_birth(self, digest: str) -> None:
        """Let go of a birth that no entry names.

        Raises:
            sqlite3.Error: it is still there.
        """
        with self._using() as journal:
            journal.forget_birth(digest)

    # What the timekeeper says and asks

    def doubt(self, epoch: int, anchor_ns: int) -> None:
        """Know a clock epoch that nobody vouches for, before the first stamp is made in it; any thread, at once.

        Several may begin between two commits: what is committed under one of them is not all of that one.
        """
        self._holding.doubt(epoch, anchor_ns)

    def held_epochs(self) -> Sequence[HeldEpoch]:
        """Return the epochs of which entries are held, those of earlier processes included; any thread, at once."""
        return self._holding.held

    def frozen_epochs(self) -> Sequence[HeldEpoch]:
        """Return the epochs that were let go as they are, and of which no `clock_correction` has been committed."""
        with self._using() as journal:
            return journal.frozen()

    # What readiness asks

    def days(self) -> dict[str, bytes]:
        """Return the closed days of evidence, by production day."""
        with self._using() as journal:
            return journal.days()

    def dates(self) -> list[str]:
        """Return the dates of the closed days of evidence, in order."""
        with self._using() as journal:
            return journal.dates()

    def day(self, date: str) -> bytes | None:
        """Return the evidence of one closed day, None if there is none."""
        with self._using() as journal:
            return journal.day(date)

    def tallies(self) -> dict[tuple[str, str], dict[int, int]]:
        """Return what `account` has counted, by (day, key) and bucket."""
        with self._using() as journal:
            return journal.tallies()
