"""The durable part of the spool: committed entries, their confirmations, and the evidence that contains them.

One file, used by one thread at a time, and every public method that changes it is one transaction: killed at any
instruction, the file holds either all of it or nothing.

Commit. What came in a second is arranged, stamped, cut to messages, numbered and inserted. In the same
transaction the confirmations that came meanwhile free their entries, and when the file is full the oldest entries
go. Whatever these have to say (gaps that grew, shrank or name refused rows) is one more entry, the ledger, so
that a row never leaves the file without the gap that names it, and a gap travels and is confirmed like data.

Room. Only entries that the checkpoint contains are dropped; the caller makes one before it lets go. A gap that
names rows is never dropped itself: when its entry goes, it is told again in the ledger. An entry may be confirmed
after it was given up (it was sent before, or a copy of this disk sent it): then it is in the store, and the gap
shrinks. The entries given up last are remembered for that.

An entry of an earlier process counts as sent: nobody knows. A birth whose text is damaged is lost, and its
entries are set aside in a gap `birth_lost`, because nobody could read them.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import logging
import secrets
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from agent import entry as content
from agent.delivery import Entry
from agent.errors import WireError
from agent.frame import Event, Source
from agent.spool import births, opengaps
from agent.spool.base import CONFIRMED, EVERYTHING, UNCONFIRMED, Committed, State, Stats
from agent.spool.ledger import REMEMBERED, Ledger, verified
from agent.spool.lookups import Lookups
from agent.spool.schema import connect
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from agent.frame import Item
    from agent.spool.base import Account, Confirmation, Limits
    from agent.spool.schema import Salvaged
    from contract.payload import Birth

logger = logging.getLogger(__name__)

_PAGE = 64


class Journal(Lookups):
    """The file, open. Not thread-safe.

    Args:
        path: The file; made when it is missing.
        birth: Tag dictionary that entries are written under from now on.
        sources: The same sources as the agent knows them.
        fingerprint: Of this box; another one than the file's makes a new spool id.
        account: Counts what a confirmation says about latency; see `Spool`.

    Raises:
        Corrupt: the file cannot be used.
        sqlite3.OperationalError, OSError: the disk does not take it now.
    """

    def __init__(
        self,
        path: Path,
        *,
        birth: Birth,
        sources: Sequence[Source],
        fingerprint: str,
        limits: Limits,
        account: Account | None = None,
    ) -> None:
        self.path = path
        self._limits = limits
        self._account = account
        self._db = connect(path)
        self._damaged: set[int] = set()
        self._lost_births = set()
        self._unreadable: list[int] = []  # lost births whose entries are still to be set aside
        self._spools: dict[int, str] = {}
        self._births: dict[int, str] = {}
        self._sources: dict[int, dict[str, Source]] = {}
        try:
            self._state = self._open(fingerprint, birth, tuple(sources))
        except BaseException:
            self._db.close()
            raise
        self._contained = self.checkpoint_state()[1]  # last seq in the checkpoint

    def _open(self, fingerprint: str, birth: Birth, sources: tuple[Source, ...]) -> State:
        db = self._db
        raw = codec.encode(birth)
        self.birth = codec.digest(raw)
        db.execute("BEGIN IMMEDIATE")
        try:
            row = db.execute("SELECT spool, fingerprint, process, seq, event_ns, commit_ns FROM state").fetchone()
            if row is None or row[1] != fingerprint:
                name = secrets.token_hex(8)
                spool = db.execute("INSERT INTO spool (name) VALUES (?)", (name,)).lastrowid
                assert spool is not None
                if row is not None:
                    # the box that this disk was copied from may tell of them still, in another way
                    db.execute("DELETE FROM gap")
                    db.execute("DELETE FROM dropped")
                    logger.warning("this disk comes from another box: new data gets the spool id %s", name)
                row = (spool, fingerprint, *(row[2:] if row else (0, 0, 0, None)))
            spool, _, process, seq, event_ns, commit_ns = row
            self.process: int = process + 1
            db.execute(
                "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?)",
                (spool, fingerprint, self.process, seq, event_ns, commit_ns),
            )
            self._birth_id = births.enter(db, self.birth, raw, sources)
            self._spools = dict(db.execute("SELECT id, name FROM spool"))
            for key, digest, body in db.execute("SELECT id, hash, body FROM birth"):
                self._births[key] = digest
                if codec.digest(body) != digest:
                    self._lost_births.add(digest)
                    self._unreadable.append(key)
            self._sources = {self._birth_id: {source.id: source for source in sources}}
            entries, rows = db.execute(
                "SELECT count(*), coalesce(sum(rows), 0) FROM entry WHERE state = 0"
            ).fetchone()
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        return State(spool, seq, event_ns, commit_ns, entries=entries, rows=rows)

    def close(self) -> None:
        """Close the file; SQLite folds its log into it."""
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        before = copy.copy(self._state)
        before.sent = set(before.sent)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            self._state = before
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    # Reading

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

    def checkpoint_state(self) -> tuple[bytes | None, int]:
        """Return the analyzers' state at the last checkpoint, and the last seq in it."""
        row = self._db.execute("SELECT state, seq FROM evidence").fetchone()
        return (None, 0) if row is None else (row[0], row[1])

    def replay(self, after: int) -> Iterator[Committed]:
        """Yield the entries after this one, as they were fed when they were committed."""
        while True:
            rows = self._db.execute(
                "SELECT seq, crc, birth, body FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE)
            ).fetchall()
            for seq, crc, birth, body in rows:
                try:
                    yield Committed(seq, self._items(birth, crc, body))
                except (WireError, msgspec.DecodeError) as exc:
                    logger.error("entry %d is damaged on the disk: %s", seq, exc)  # noqa: TRY400 - no bug of ours
                    self._damaged.add(seq)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _items(self, birth: int, crc: bytes, body: bytes) -> list[Item]:
        return content.decode(verified(body, crc), self._known_sources(birth))

    def _known_sources(self, birth: int) -> dict[str, Source]:
        if birth not in self._sources:
            row = self._db.execute("SELECT sources FROM birth WHERE id = ?", (birth,)).fetchone()
            sources = msgspec.json.decode(row[0] if row else b"[]", type=tuple[Source, ...])
            self._sources[birth] = {source.id: source for source in sources}
        return self._sources[birth]

    def unconfirmed(self, after: int, before: int | None, limit: int) -> list[Entry]:
        """Return unconfirmed entries with after < seq < before, in order, at most `limit`."""
        rows = self._db.execute(
            "SELECT spool, seq, crc, birth, size, committed_ns FROM entry "
            "WHERE seq > ? AND seq < ? AND state = 0 ORDER BY seq",
            (after, EVERYTHING if before is None else before),
        )
        sendable = (
            Entry(self._spools[spool], seq, crc.hex(), self._births[birth], size, committed)
            for spool, seq, crc, birth, size, committed in rows
            if self._births[birth] not in self._lost_births and seq not in self._damaged
        )
        return list(itertools.islice(sendable, limit))

    def last_before(self, committed_ns: int) -> int:
        """Return the highest seq among entries committed before this moment, 0 when there is none."""
        row = self._db.execute(
            "SELECT seq FROM entry WHERE committed_ns < ? ORDER BY seq DESC LIMIT 1", (committed_ns,)
        ).fetchone()
        return row[0] if row else 0

    def sending(self, entries: Iterable[Entry]) -> list[tuple[Entry, bytes]]:
        """Return the content of each entry that is still unconfirmed, and count it as sent from now on."""
        found = []
        for entry in entries:
            row = self._db.execute(
                "SELECT crc, body FROM entry WHERE seq = ? AND state = 0", (entry.seq,)
            ).fetchone()
            if row is None or row[0].hex() != entry.crc:
                continue
            try:
                found.append((entry, verified(row[1], row[0])))
            except WireError as exc:
                logger.error("entry %d is damaged on the disk: %s", entry.seq, exc)  # noqa: TRY400 - no bug of ours
                self._damaged.add(entry.seq)
            else:
                self._state.sent.add(entry.seq)
        return found

    def stats(self) -> Stats:
        """Return the spool in numbers."""
        s = self._state
        oldest = self._db.execute("SELECT committed_ns FROM entry WHERE state = 0 ORDER BY seq LIMIT 1").fetchone()
        return Stats(
            spool=self.spool,
            entries=s.entries,
            rows=s.rows,
            bytes=(self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size"),
            oldest_ns=oldest[0] if oldest else None,
            committed_entries=s.committed_entries,
            committed_rows=s.committed_rows,
            confirmed_entries=s.confirmed_entries,
            confirmed_rows=s.confirmed_rows,
            rejected_rows=s.rejected_rows,
            dropped_rows=s.dropped_rows,
            duplicates=s.duplicates,
            seq=s.seq,
        )

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    # Writing

    def commit(
        self,
        items: Sequence[Item],
        now_ns: int,
        *,
        confirmations: Sequence[Confirmation] = (),
        droppable: int = 0,
        trusted: bool = True,
    ) -> list[Committed]:
        """Commit items, free what is confirmed, and make room, in one transaction.

        Args:
            items: In the order of `put`.
            now_ns: The moment of this commit.
            confirmations: What came since the last commit.
            droppable: Last seq that may be dropped for room: the checkpoint's, or `EVERYTHING`.
            trusted: Whether ages may be believed.

        Returns:
            The entries, for the analyzers; they are durable.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        good, broken = content.sound(content.arrange(items))
        with self._transaction():
            ledger = Ledger(self._db, self._state, self._spools, self.process, self._contained, now_ns)
            for item, problem in broken:
                ledger.refuse(item, problem)
            for confirmation in confirmations:
                ledger.confirm(confirmation, self._account, self._items)
            last = min(droppable, self._state.seq)
            out, size = self._insert(good, now_ns)
            opengaps.follow(self._db, good, self._sources[self._birth_id])
            self._count_epochs(good)
            for birth in self._unreadable:
                ledger.set_aside(birth)
            for seq in self._damaged:
                ledger.drop_damaged(seq)
            ledger.make_room(self.path, self._limits, last, size, trusted=trusted)
            told, _ = self._insert(ledger.events(), now_ns)
            for entry in told:
                ledger.held(*entry)
            if out or told:
                s = self._state
                s.commit_ns = now_ns
                self._db.execute(
                    "UPDATE state SET seq = ?, event_ns = ?, commit_ns = ?", (s.seq, s.event_ns, s.commit_ns)
                )
        self._damaged.clear()
        self._unreadable.clear()
        return out + told

    def _count_epochs(self, items: Iterable[Item]) -> None:
        """Let the next process begin behind the clock epochs that this one has used."""
        for item in items:
            if isinstance(item, Event) and item.kind == "clock_step":
                epoch = item.body.get("epoch", 0)
                self._db.execute("UPDATE state SET process = max(process, ?)", (epoch,))

    def left(self, now_ns: int) -> list[Event]:
        """Return what the last process did not come to tell: ends of open gaps, rows read and not committed."""
        return [] if self.commit_ns is None else opengaps.left(self._db, now_ns, self.commit_ns)

    def _insert(self, items: Sequence[Item], now_ns: int) -> tuple[list[Committed], int]:
        """Return the new entries, and the bytes of their bodies."""
        if not items:
            return [], 0
        state = self._state
        out, size = [], 0
        stamped, state.event_ns = content.stamp(items, state.event_ns)
        for part, raw in content.pack(stamped, state.seq + 1):
            state.seq += 1
            body, rows = codec.compress(raw), content.rows(part)
            self._db.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    state.seq,
                    state.spool,
                    bytes.fromhex(codec.checksum(raw)),
                    self._birth_id,
                    now_ns,
                    self.process,
                    rows,
                    len(raw),
                    UNCONFIRMED,
                    body,
                ),
            )
            state.entries += 1
            state.rows += rows
            state.committed_entries += 1
            state.committed_rows += rows
            size += len(body)
            out.append(Committed(state.seq, part))
        return out, size

    def checkpoint(self, state: bytes, days: Mapping[str, bytes]) -> None:
        """Keep the analyzers' state, which contains every entry so far, and let go what is free.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO evidence VALUES (1, ?, ?)", (self._state.seq, state))
            db.executemany("INSERT OR REPLACE INTO day VALUES (?, ?)", list(days.items()))
            db.execute("DELETE FROM entry WHERE state = ? AND seq <= ?", (CONFIRMED, self._state.seq))
            db.execute("DELETE FROM dropped WHERE id <= (SELECT max(id) FROM dropped) - ?", (REMEMBERED,))
            db.execute("DELETE FROM gap WHERE id NOT IN (SELECT gap FROM dropped)")
        self._contained = self._state.seq

    def begin(self, now_ns: int) -> None:
        """Note when this file and each source was first used: an agent that is off next was off since then.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        with self._transaction() as db:
            if self._state.commit_ns is None:
                self._state.commit_ns = now_ns
                db.execute("UPDATE state SET commit_ns = ?", (now_ns,))
            opengaps.expect(db, self._sources[self._birth_id], now_ns)

    def change(self, birth: Birth, sources: tuple[Source, ...], now_ns: int) -> None:
        """Write entries under another birth from now on.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        raw = codec.encode(birth)
        digest, known = codec.digest(raw), {source.id: source for source in sources}
        with self._transaction() as db:
            key = births.enter(db, digest, raw, sources)
            opengaps.forget(db, known)
            opengaps.expect(db, known, now_ns)
        self.birth, self._birth_id = digest, key
        self._births[key], self._sources[key] = digest, known
        self._lost_births.discard(digest)

    def restore(self, found: Salvaged) -> None:
        """Carry over what was saved from a damaged file into this fresh one.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        with self._transaction() as db:
            self.process = max(self.process, found.process + 1)
            self._state.event_ns, self._state.commit_ns = found.event_ns, found.commit_ns
            db.execute(
                "UPDATE state SET process = ?, event_ns = ?, commit_ns = ?",
                (self.process, found.event_ns, found.commit_ns),
            )
            db.executemany("INSERT OR REPLACE INTO day VALUES (?, ?)", found.days)
            db.executemany("INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?)", found.tallies)

    def forget_birth(self, digest: str) -> None:
        """Let go of a birth that no entry names.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        with self._transaction() as db:
            births.forget(db, digest, self._birth_id)
