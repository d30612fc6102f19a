"""How entries that were vouched for are let go: some in each commit, so that none takes longer than a second.

    vouched for --> the offset, and what the entries tell of gaps: one commit
                --> 1 MiB of entries, shifted, summed, free to be sent: one commit --> ... --> none is held any more

Shifting reads an entry, adds the offset to its stamps, and sums it anew: three microseconds a row. Ten minutes of a
large plant are 30 million rows: a single commit would take longer than the ring lasts. What is let go is never
touched again; what is not yet, stands there as held, of an epoch with an offset, and goes on at the next start.
"""

from __future__ import annotations

import abc
import contextlib
from typing import TYPE_CHECKING

import msgspec

from agent import entry as content
from agent.errors import WireError
from agent.spool import hold
from agent.spool.base import HELD, KEPT, Kept
from agent.spool.epochs import epochs_of
from agent.spool.reading import Reading
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from agent.spool.base import Committed
    from agent.spool.blocks import Blocks
    from agent.spool.epochs import Epochs
    from agent.spool.packing import Packer
    from agent.spool.record import Row

AT_ONCE = 2**20
"""Bytes of content that one commit shifts; more only when a single entry has them."""
_PAGE = 256


class Moving(Reading):
    """The part of `agent.spool.journal.Journal` that shifts; the spool's thread."""

    process: int
    _blocks: Blocks
    _epochs: Epochs
    _packer: Packer
    _told: hold.Told

    @abc.abstractmethod
    def _transaction(self, now_ns: int) -> AbstractContextManager[list[tuple[Row, bytes]]]:
        """Do something whole or not at all."""

    @contextlib.contextmanager
    def _settling(self, settled: Collection[int]) -> Iterator[None]:
        """Save what a commit changes of clock epochs, before anything is shown of those that it settles.

        What is sent as it is must never be shifted, and what is sent shifted by nothing else.
        """
        self._letting = frozenset(settled)
        try:
            yield
            with self._lock:
                known = epochs_of(self._db)
            self._epochs.keep(known)
        finally:
            self._letting = frozenset()

    def _forget_epochs(self) -> None:
        """Let go of the epochs that nothing on the disk is of any more: blocks are taken over whole."""
        self._epochs.again()
        row = self._db.execute("SELECT process FROM entry ORDER BY seq LIMIT 1").fetchone()
        oldest = min(self.process, row[0]) if row else self.process
        block = self._db.execute("SELECT min(id) FROM block").fetchone()[0]
        if block is not None and self._db.execute("SELECT 1 FROM epoch WHERE process < ?", (oldest,)).fetchone():
            try:
                oldest = min(oldest, *(one.process for one in self._blocks.index(block).entries))
            except (WireError, OSError):
                return
        hold.forget(self._db, oldest)

    @property
    def holds(self) -> bool:
        """Whether any entry is held."""
        return self._state.held > 0

    def _held_before(self) -> hold.Told:
        """Return what the entries tell of gaps that earlier processes have left held."""
        told: hold.Told = {}
        for one in hold.held(self._db):
            for kept in self._held(one.epoch):
                try:
                    events = content.summary(self.content(kept))[1]
                except (WireError, msgspec.DecodeError) as exc:
                    self._is_damaged(kept.seq, exc)
                else:
                    hold.note(told, one.epoch, map(content.event, events))
        return told

    def _note(self, rows: Iterable[Row], entries: Iterable[Committed]) -> None:
        """Remember what entries tell of gaps that have just been committed."""
        for row, entry in zip(rows, entries, strict=True):
            if row.state == HELD and row.epoch is not None:
                hold.note(self._told, row.epoch, entry.items)

    def move(self, now_ns: int) -> bool:
        """Let go what is vouched for and held still: as much as a commit may take.

        Returns:
            Whether anything was let go: there may be more.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        if not self._state.held:
            return False
        with self._lock:
            epochs, shifts = hold.moving(self._db), hold.shifts(self._db)
        for epoch in epochs:
            moved = list(self._moved(epoch[0], epoch[2], shifts))
            if moved:
                with self._transaction(now_ns):
                    hold.move(self._db, self._state, epoch, moved)
                return True
        return False

    def _moved(self, epoch: int, shift: int, shifts: Mapping[int, int]) -> Iterator[hold.Moved]:
        """Yield what the first held entries of an epoch become; those that are damaged are given up later.

        What came late was committed in another epoch than its stamps are of, and may have been so by a wrong clock.
        """
        size = 0
        for kept in self._held(epoch):
            if kept.seq in self._damaged or kept.seq in self._packer.damaged:
                continue
            size += kept.size
            if kept.size < size > AT_ONCE:
                return
            try:
                raw = self.content(kept, shift)
            except (WireError, msgspec.DecodeError) as exc:
                self._is_damaged(kept.seq, exc)
                continue
            committed = kept.committed_ns + shifts.get(kept.committed_ns % 1000, 0)
            crc = bytes.fromhex(codec.checksum(raw))
            yield hold.Moved(kept.seq, crc, len(raw), kept.rows, committed)

    def _held(self, epoch: int) -> Iterator[Kept]:
        after = 0
        while True:
            with self._lock:
                rows = self._db.execute(
                    KEPT + "WHERE state = 3 AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?", (epoch, after, _PAGE)
                ).fetchall()
            yield from (Kept(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]
