"""What others read of the spool's files: what there is to send, what was fed to the analyzers, how much there is.

Each question takes the lock for a few statements; contents are read without it.
"""

from __future__ import annotations

import itertools
import logging
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from agent import entry as content
from agent.delivery import Entry
from agent.errors import WireError
from agent.frame import Source
from agent.spool.base import EVERYTHING, KEPT, Committed, Confirmation, Kept, Stats
from agent.spool.disk import PAGE
from agent.spool.lookups import Lookups
from agent.spool.stamps import shifted
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.frame import Item
    from agent.spool.ballast import Ballast
    from agent.spool.base import Account, Counts, State
    from agent.spool.contents import Contents
    from agent.spool.disk import Disk
    from agent.spool.log import Log
    from contract.payload import Stored

logger = logging.getLogger(__name__)

_PAGE = 64
RECENT = 10_000
"""Last entries among which live ones are looked for."""


class Reading(Lookups):
    """The half of `agent.spool.journal.Journal` that only reads; any thread."""

    _state: State
    _log: Log
    _contents: Contents
    _damaged: set[int]
    _sent: set[int]
    _spools: dict[int, str]
    _births: dict[int, str]
    _sources: dict[int, dict[str, Source]]
    _durable: int
    _letting: frozenset[int] = frozenset()  # epochs that are settled, but not on the disk yet
    _account: Account | None
    _ballast: Ballast
    disk: Disk

    @property
    def spool(self) -> str:
        """Id of the spool that new entries belong to."""
        return self._spools[self._state.spool]

    @property
    def seq(self) -> int:
        """Number of the last entry."""
        return self._state.seq

    @property
    def rows(self) -> int:
        """Rows in unconfirmed entries."""
        return self._state.rows

    @property
    def commit_ns(self) -> int | None:
        """When the last commit was made, None before the first."""
        return self._state.commit_ns

    def replay(self, after: int) -> Iterator[Committed]:
        """Yield the entries after this one, as they were fed when they were committed."""
        while True:
            with self._lock:
                rows = self._db.execute(
                    KEPT + "WHERE seq > ? AND epoch IS NULL ORDER BY seq LIMIT ?", (after, _PAGE)
                ).fetchall()
            for row in rows:
                kept = Kept(*row)
                try:
                    yield Committed(kept.seq, self._items(kept))
                except (WireError, msgspec.DecodeError) as exc:
                    self._is_damaged(kept.seq, exc)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def content(self, kept: Kept, shift: int = 0) -> bytes:
        """Return the canonical content of an entry.

        Args:
            kept: The entry.
            shift: What its stamps are to be shifted by, which its checksum does not know of yet.

        Raises:
            WireError: the disk does not give it back as it was committed.
            OSError: it cannot be read now.
        """
        raw = self._contents.raw(kept.seq, kept.record, kept.block)
        if kept.shift and kept.epoch is not None:
            raw = self._shifted(kept, raw, kept.epoch, kept.shift)
        if codec.checksum(raw) != kept.crc.hex():
            raise WireError("its checksum differs")
        return self._shifted(kept, raw, kept.epoch, shift) if shift and kept.epoch is not None else raw

    def _shifted(self, kept: Kept, raw: bytes, epoch: int, shift: int) -> bytes:
        items = content.decode(raw, self._known_sources(kept.birth))
        return content.encode((shifted(item, epoch, shift) for item in items), kept.seq)

    def _known_sources(self, birth: int) -> dict[str, Source]:
        if birth not in self._sources:
            with self._lock:
                row = self._db.execute("SELECT sources FROM birth WHERE id = ?", (birth,)).fetchone()
            try:
                sources = msgspec.json.decode(row[0] if row else b"[]", type=tuple[Source, ...])
            except (msgspec.DecodeError, UnicodeDecodeError) as exc:
                raise WireError(f"its sources are damaged: {exc}") from exc
            self._sources[birth] = {source.id: source for source in sources}
        return self._sources[birth]

    def _items(self, kept: Kept) -> list[Item]:
        return content.decode(self.content(kept), self._known_sources(kept.birth))

    def _is_damaged(self, seq: int, exc: Exception) -> None:
        if seq not in self._damaged:
            logger.error("entry %d is damaged on the disk: %s", seq, exc)
        self._damaged.add(seq)

    def unconfirmed(self, after: int, before: int | None, limit: int) -> list[Entry]:
        """Return unconfirmed entries with after < seq < before, in order, at most `limit`."""
        last = EVERYTHING if before is None else before - 1
        with self._lock:
            rows = self._db.execute(
                "SELECT spool, seq, crc, birth, size, committed_ns, epoch FROM entry "
                "WHERE seq > ? AND seq <= ? AND state = 0 ORDER BY seq",
                (after, min(last, self._durable)),
            )
            sendable = (
                Entry(self._spools[spool], seq, crc.hex(), self._births[birth], size, committed)
                for spool, seq, crc, birth, size, committed, epoch in rows
                if self._births[birth] not in self._lost_births
                and seq not in self._damaged
                and epoch not in self._letting
            )
            return list(itertools.islice(sendable, limit))

    def last_before(self, committed_ns: int) -> int:
        """Return the highest seq among entries committed before this moment, 0 when there is none.

        What is further back counts as committed before it, whatever the clock said then.
        """
        with self._lock:
            row = self._db.execute(
                "SELECT seq FROM entry WHERE committed_ns < ? AND seq <= ? AND seq > ? ORDER BY seq DESC LIMIT 1",
                (committed_ns, self._durable, self._durable - RECENT),
            ).fetchone()
        return row[0] if row else max(self._durable - RECENT, 0)

    def sending(self, entries: Iterable[Entry]) -> list[tuple[Entry, bytes]]:
        """Return the content of each entry that is still unconfirmed, and count it as sent from now on.

        Raises:
            OSError: it cannot be read now.
        """
        found = []
        for entry in entries:
            kept = self._waiting(entry)
            if kept is None:
                continue
            try:
                raw = self.content(kept)
            except WireError as exc:
                again = self._waiting(entry)  # it may have been packed meanwhile
                if again is None:
                    continue
                try:
                    raw = self.content(again)
                except WireError:
                    self._is_damaged(entry.seq, exc)
                    continue
            self._sent.add(entry.seq)
            found.append((entry, raw))
        return found

    def _waiting(self, entry: Entry) -> Kept | None:
        with self._lock:
            row = self._db.execute(KEPT + "WHERE seq = ? AND state = 0", (entry.seq,)).fetchone()
        kept = None if row is None else Kept(*row)
        same = kept is not None and kept.crc.hex() == entry.crc and kept.epoch not in self._letting
        return kept if same else None

    def stats(self) -> Stats:
        """Return the spool in numbers."""
        s = self._state
        with self._lock:
            oldest = self._db.execute(
                "SELECT committed_ns FROM entry WHERE state = 0 ORDER BY seq LIMIT 1"
            ).fetchone()
            (blocks, _), used = self._db.block_bytes(), self._db.used()
        return Stats(
            spool=self.spool,
            entries=s.entries,
            rows=s.rows,
            bytes=used + blocks + self._log.size + self._ballast.size,
            oldest_ns=oldest[0] if oldest else None,
            committed_entries=s.committed_entries,
            committed_rows=s.committed_rows,
            confirmed_entries=s.confirmed_entries,
            confirmed_rows=s.confirmed_rows,
            rejected_rows=s.rejected_rows,
            dropped_rows=s.dropped_rows,
            duplicates=s.duplicates,
            seq=s.seq,
            held_entries=s.held,
            held_rows=s.held_rows,
            released_entries=s.released,
            journal_bytes=self._log.size,
            block_bytes=blocks,
            written_bytes=self.disk.written_bytes + PAGE * self._db.written_pages,
            written_pages=self.disk.written_pages + self._db.written_pages,
        )

    # What a commit wants to know beforehand

    def confirmation(self, stored: Stored, clean: frozenset[tuple[str, int]]) -> Confirmation:
        """Count what the entries that are confirmed say about latency, before the commit that frees them.

        It takes as long as reading them, so whoever brings a confirmation does it, and no commit waits for it.
        """
        counts: dict[tuple[int, str], Counts] = {}
        for seq, crc in stored.stored if self._account is not None else ():
            try:
                with self._lock:
                    row = self._db.execute(
                        KEPT + "WHERE seq = ? AND crc = ? AND state = 0", (seq, bytes.fromhex(crc))
                    ).fetchone()
                if row is None or self._spools[row[1]] != stored.spool:
                    continue
                kept = Kept(*row)
                if kept.epoch is not None:  # read without the time: no evidence, and no age that means anything
                    continue
                items = self._items(kept)
            except (WireError, msgspec.DecodeError, sqlite3.Error, OSError) as exc:
                text = "entry %d is stored, but cannot be read here: it does not count for latency: %s"
                logger.warning(text, seq, exc)
                continue
            fresh = stored.clock_trusted and (stored.spool, seq) in clean
            assert self._account is not None
            counts[seq, crc] = self._account(items, int(stored.committed_at), fresh)
        return Confirmation(stored, clean, counts)
