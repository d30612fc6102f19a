"""The durable part of the spool: committed entries, their confirmations, and the evidence that contains them.

    each second   savepoint: ledger and entries --> record of the journal, synced --> savepoint let go
    each 10 min   evidence, state of the journal --> SQLite COMMIT: the checkpoint; from here a restart goes on
    in an outage  a minute of the journal --> file of blocks; at the next checkpoint the journal may forget it

SQLite holds the state, in memory as it is now and on the disk as of the last checkpoint. The journal holds what has
been done since, statement by statement, and the contents of the entries. Opening is: take SQLite's file as it is,
do again what the journal holds beyond it. Killed at any instruction, all of a transaction is there or nothing.

Commit. What came in a second is arranged, stamped, cut to messages, numbered and inserted. In the same
transaction the confirmations that came meanwhile free their entries, and when there is no more room the oldest
entries go. Whatever these have to say (gaps that grew, shrank or name refused rows) is one more entry, the ledger,
so that a row never leaves the spool without the gap that names it, and a gap travels and is confirmed like data.

Room. Only entries that the checkpoint contains are dropped; the caller makes one before it lets go. A gap that
names rows is never dropped itself: when its entry goes, it is told again in the ledger. An entry may be confirmed
after it was given up (it was sent before, or a copy of this disk sent it): then it is in the store, and the gap
shrinks. The entries given up last are remembered for that.

An entry of an earlier process counts as sent: nobody knows. A birth whose text is damaged is lost, and its
entries are set aside in a gap `birth_lost`, because nobody could read them.

Threads. The spool's thread writes. Others read between two statements, never while a disk is waited for: the lock
is let go while the journal is written, and what is not on the disk yet is not shown (`_durable`). Only a checkpoint
keeps them waiting.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import sqlite3
import threading
from typing import TYPE_CHECKING

import zstandard

from agent import entry as content
from agent.spool import births, hold, opengaps, opening, record
from agent.spool import days as evidence_days
from agent.spool.ages import Ages
from agent.spool.ballast import Ballast
from agent.spool.base import CONFIRMED, HELD, Committed
from agent.spool.ledger import REMEMBERED, Ledger
from agent.spool.moving import Moving
from agent.spool.packing import Packer
from agent.spool.record import Record, Row
from agent.spool.salvaging import code
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from agent.frame import Event, Item, Source
    from agent.spool.base import Account, Confirmation, Limits, Stamping, Vouched
    from agent.spool.salvaging import Salvaged
    from contract.payload import Birth

logger = logging.getLogger(__name__)

HEADROOM = 64 * 1024
"""Bytes of a message that entries under a doubtful clock leave free: shifted stamps may be longer."""


class Journal(Moving):
    """The spool's files, open. One thread writes; `unconfirmed`, `last_before`, `sending` and lookups: any.

    Args:
        path: SQLite's file; the others lie in folders beside it.
        birth: Tag dictionary that entries are written under from now on.
        sources: The same sources as the agent knows them.
        fingerprint: Of this box; another one than the file's makes a new spool id.
        limits: How much of the disk it may take.
        account: Counts what a confirmation says about latency; see `Spool`.
        journal_bytes: Size of each of the journal's two files.

    Raises:
        Corrupt: SQLite's file cannot be used.
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
        journal_bytes: int,
    ) -> None:
        self._limits = limits
        self._ages = Ages()
        self._account = account
        self._lock = threading.RLock()
        self._damaged: set[int] = set()
        self._sent: set[int] = set()  # by this process, unconfirmed
        self._sources: dict[int, dict[str, Source]] = {}
        raw = codec.encode(birth)
        self.birth = codec.digest(raw)
        opened = opening.opened(path, fingerprint, self.birth, raw, tuple(sources), journal_bytes)
        self.disk, self._db, self._log, self._blocks = opened.disk, opened.db, opened.log, opened.blocks
        self._contents, self._files, self._store = opened.contents, opened.births, opened.store
        self._epochs = opened.epochs
        self._spools, self._births, self._birth_id = opened.spools, opened.names, opened.birth
        self._unreadable = sorted(opened.lost)  # lost births whose entries are still to be set aside
        self._lost_births = {self._births[key] for key in opened.lost}
        self.process, self._state, self.losses = opened.process, opened.state, opened.losses
        self.adopted = opened.adopted
        self._sources[self._birth_id] = {source.id: source for source in sources}
        self._durable = self._state.seq
        self._contained = self.checkpoint_state()[1]  # last seq in the checkpoint
        self._ballast = Ballast(path.parent, limits.max_bytes)
        self._packer = Packer(
            path.parent, self._db, self._lock, self._blocks, self._contents, limits, self._spools, self._births
        )
        try:
            self._told = self._held_before()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the files as they are: the next start goes on from the last commit."""
        with self._lock:
            self._db.close()
            self._log.close()

    @contextlib.contextmanager
    def _transaction(self, now_ns: int) -> Iterator[list[tuple[Row, bytes]]]:
        """Do something whole or not at all; the entries that are put into the list become those of its record."""
        before = copy.copy(self._state)
        entries: list[tuple[Row, bytes]] = []
        try:
            with self._lock:
                self._db.savepoint()
                yield entries
                statements = self._db.noted()
                if not (entries or statements):
                    self._db.release()
                    return
                raw = record.payload(
                    Record(
                        now_ns,
                        self.process,
                        self.spool,
                        self.birth,
                        self._state.total,
                        [row for row, _ in entries],
                        [body for _, body in entries],
                        statements,
                    )
                )
            number = self._log.append(raw, self._store)  # the lock is open: a disk that stalls keeps nobody waiting
            with self._lock:
                self._db.release()
                self._durable = self._state.seq
            self._contents.committed(number, {row.seq: body for row, body in entries})
        except BaseException:
            self._state = before
            with self._lock:
                if not self._db.undo():
                    self._again()
            raise

    def _again(self) -> None:
        """Have SQLite as it was, after it has given up what was not on its disk yet."""
        self._db.begin_again()
        opening.redo(self._db, self._log, self._store, self._files)
        opening.sweep(self._db, self._blocks)

    # A second

    def commit(
        self,
        items: Sequence[Item],
        now_ns: int,
        clock: Stamping,
        *,
        confirmations: Sequence[Confirmation] = (),
        vouched: Mapping[int, Vouched] | None = None,
        over: Collection[int] = (),
        droppable: int = 0,
    ) -> list[Committed]:
        """Commit items, free what is confirmed, let go what is held, and make room, in one transaction.

        Args:
            items: In the order of `put`.
            now_ns: The moment of this commit.
            clock: The clock as it is; ages count only while it is trusted.
            confirmations: What came since the last commit.
            vouched: Clock epochs, and what has become known of them; their entries follow by `move`.
            over: Clock epochs whose hold is over.
            droppable: Last seq that may be dropped for room: the checkpoint's, or `EVERYTHING`.

        Returns:
            The entries for the analyzers; they are durable.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        good, broken = content.sound(content.arrange(items))
        vouched = vouched or {}
        with self._settling({*over, *vouched}), self._transaction(now_ns) as new:
            ledger = Ledger(
                self._db, self._state, self._spools, self.process, self._contained, now_ns,
                sent=self._sent, read=self.content,
            )  # fmt: skip
            for item, problem in broken:
                ledger.refuse(item, problem)
            for confirmation in confirmations:
                ledger.confirm(confirmation)
            last = min(droppable, self._state.seq)
            for epoch, known in vouched.items():
                hold.vouch(self._db, self._state, epoch, known.offset_ns, self.process)
            for epoch in over:
                hold.let_go(self._db, self._state, epoch)
            parts = hold.parts(self._db, good, clock, self.process)
            parts = hold.with_trusted(hold.again(self._told, vouched, clock), parts)
            out = self._insert(parts, now_ns, new)
            arrived = [item for part in parts for item in part.items]
            opengaps.follow(self._db, arrived, self._sources[self._birth_id])
            hold.follow(self._db, arrived)
            for birth in self._unreadable:
                ledger.set_aside(birth)
            damaged = self._damaged | self._packer.damaged
            for seq in damaged:
                ledger.drop_damaged(seq)
            self._make_room(ledger, last, self._ages.now(now_ns, clock))
            again, gaps = (
                hold.parts(self._db, [*said], clock, self.process, stamped=False)
                for said in (ledger.carried(), ledger.events())
            )
            told = self._insert(again, now_ns, new, again=True) + self._insert(gaps, now_ns, new)
            for entry in told:
                ledger.held(*entry)
            if out or told or vouched:
                s = self._state
                s.commit_ns = now_ns
                self._db.write(
                    "UPDATE state SET seq = ?, event_ns = ?, commit_ns = ?, total = ?",
                    s.seq, s.event_ns, s.commit_ns, s.total,
                )  # fmt: skip
        self._damaged -= damaged
        self._packer.damaged -= damaged
        self._unreadable.clear()
        self._sent.difference_update(ledger.freed)
        for epoch in (*vouched, *over):
            self._told.pop(epoch, None)
        self._note((row for row, _ in new), out + told)
        trusted = {row.seq for row, _ in new if row.epoch is None}
        return [entry for entry in out + told if entry.seq in trusted]

    def _insert(
        self, parts: Iterable[hold.Part], now_ns: int, new: list[tuple[Row, bytes]], *, again: bool = False
    ) -> list[Committed]:
        state, out = self._state, []
        for part in parts:
            stamped, last_ns = content.stamp(part.items, 0 if again else state.event_ns)
            state.event_ns = state.event_ns if again else last_ns
            limit = content.CONTENT_LIMIT - (0 if part.epoch is None else HEADROOM)
            for packed, raw in content.pack(stamped, state.seq + 1, limit):
                state.seq += 1
                rows = content.rows(packed)
                row = Row(state.seq, bytes.fromhex(codec.checksum(raw)), rows, len(raw), part.state, part.epoch)
                opening.insert(
                    self._db,
                    (row.seq, state.spool, row.crc, self._birth_id, now_ns, self.process, rows, row.size, row.state,
                     self._log.last + 1, None, row.epoch, 0),
                )  # fmt: skip
                new.append((row, raw))
                if part.state == HELD:
                    state.held += 1
                    state.held_rows += rows
                else:
                    state.entries += 1
                    state.rows += rows
                state.total += rows
                state.committed_entries += 1
                state.committed_rows += rows
                out.append(Committed(state.seq, packed))
        return out

    def _make_room(self, ledger: Ledger, last: int, now_ns: int) -> None:
        """Give up what is too old, and as much of the oldest as is missing."""
        if now_ns:
            ledger.expire(now_ns - self._limits.max_age_ns, last)
        missing = max(self._used() - self._limits.max_bytes, self._packer.short)
        if missing <= 0:
            return
        before = self._live_bytes()
        ledger.let_go_settled(last)
        missing -= before - self._live_bytes()
        given_up = 0
        while missing > 0 and (size := ledger.give_up_block(last)):
            missing -= size
            given_up += size
        if given_up:
            self._packer.short = 0  # until it is found out again
        elif self._packer.short and self._log.nearly_full and (older := self._log.older):
            ledger.give_up_records(*older, last)

    def _used(self) -> int:
        return self._db.used() + self._log.size + self._ballast.size + self._live_bytes()

    def _live_bytes(self) -> int:
        return self._db.block_bytes()[1]

    # Ten minutes

    def checkpoint(self, state: bytes, days: Mapping[str, bytes]) -> None:
        """Keep the analyzers' state, which contains every entry so far, and let go what is free.

        Raises:
            sqlite3.Error, OSError: it is not on the disk.
        """
        packed = zstandard.ZstdCompressor(level=9).compress(state) if state else b""
        closed = [(day, evidence_days.packed(body)) for day, body in days.items()]
        with self._lock:
            seq = self._state.seq
            self._db.execute("INSERT OR REPLACE INTO evidence VALUES (1, ?, ?)", (seq, packed))
            self._db.write_many("INSERT OR REPLACE INTO day VALUES (?, ?)", closed)
            for block, n in self._db.execute(
                "SELECT block, count(*) FROM entry WHERE state = ? AND seq <= ? AND block IS NOT NULL "
                "GROUP BY block",
                (CONFIRMED, seq),
            ).fetchall():
                self._db.execute("UPDATE block SET live = live - ? WHERE id = ?", (n, block))
            self._db.execute("DELETE FROM entry WHERE state = ? AND seq <= ?", (CONFIRMED, seq))
            self._db.execute("DELETE FROM dropped WHERE id <= (SELECT max(id) FROM dropped) - ?", (REMEMBERED,))
            self._db.execute("DELETE FROM gap WHERE id NOT IN (SELECT gap FROM dropped)")
            self._forget_epochs()
            self._settle()
            self._contained = seq

    def _settle(self) -> None:
        """Put SQLite's state on the disk; what the journal holds up to here need not be done again."""
        self._ballast.renew()
        try:
            self._db.execute("UPDATE state SET applied = ?", (self._log.last,))
            self._db.commit()
        except sqlite3.Error as exc:
            if code(exc) == sqlite3.SQLITE_FULL and not self._ballast.release():  # the oldest blocks make room
                self._packer.short = max(self._packer.short, self._ballast.wanted)
            if not self._db.going_on:
                self._again()
            raise

    def tidy(self) -> None:
        """Remove files that hold nothing, pack what is whole, and have the journal's next file ready.

        Raises:
            sqlite3.Error, OSError: the disk does not take it now; nothing is lost.
        """
        with self._lock:
            total, live = self._db.block_bytes()
            dead = total > live and [block for (block,) in self._db.execute("SELECT id FROM block WHERE live <= 0")]
            if dead:
                self._db.execute("DELETE FROM block WHERE live <= 0")
        for block in dead or ():
            self._blocks.remove(block)
            self._contents.gone(block)
        self._packer.pack()
        older = self._log.older
        urgent = self._log.gone
        if older is None or not (urgent or self._log.half_full):
            return
        while self._packer.pack(older[1]) and (urgent or self._log.nearly_full):
            pass
        with self._lock:
            left = self._db.execute("SELECT 1 FROM entry WHERE record BETWEEN ? AND ? LIMIT 1", older).fetchone()
            if left is None:
                self._settle()
                self._log.free()

    @property
    def short(self) -> bool:
        """Whether a checkpoint would help to make room."""
        return self._packer.short > 0

    def renew(self) -> None:
        """Write the journal to another file from now on.

        Raises:
            OSError: there is none.
        """
        self._log.renew()

    # Rare changes: each is a checkpoint of the state, though not of the evidence

    def left(self, now_ns: int) -> list[Event]:
        """Return what the last process did not come to tell: ends of open gaps, rows read and not committed."""
        return [] if self.commit_ns is None else opengaps.left(self._db, now_ns, self.commit_ns)

    def begin(self, now_ns: int) -> None:
        """Note when this file and each source was first used: an agent that is off next was off since then.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        with self._lock:
            if self._state.commit_ns is None:
                self._state.commit_ns = now_ns
                self._db.execute("UPDATE state SET commit_ns = ?", (now_ns,))
            opengaps.expect(self._db, self._sources[self._birth_id], now_ns)
            self._settle()

    def change(self, birth: Birth, sources: tuple[Source, ...], now_ns: int) -> None:
        """Write entries under another birth from now on.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        raw = codec.encode(birth)
        digest, known = codec.digest(raw), {source.id: source for source in sources}
        with self._lock:
            key = births.enter(self._db, self._files, digest, raw, sources)
            opengaps.forget(self._db, known)
            opengaps.expect(self._db, known, now_ns)
            self._settle()
            self._births[key], self._sources[key] = digest, known
            self.birth, self._birth_id = digest, key
            self._lost_births.discard(digest)

    def restore(self, found: Salvaged) -> None:
        """Carry over what was saved from a damaged file into this fresh one.

        Raises:
            sqlite3.Error, OSError: nothing of it has happened.
        """
        with self._lock:
            s = self._state
            self.process = max(self.process, found.process + 1)
            s.event_ns, s.commit_ns = max(s.event_ns, found.event_ns), s.commit_ns or found.commit_ns
            self._db.execute(
                "UPDATE state SET process = ?, event_ns = ?, commit_ns = ?", (self.process, s.event_ns, s.commit_ns)
            )
            self._db.write_many("INSERT OR REPLACE INTO day VALUES (?, ?)", found.days)
            self._db.write_many("INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?)", found.tallies)
            self._settle()

    def forget_birth(self, digest: str) -> None:
        """Let go of a birth that no entry names; after a crash it may be there again."""
        with self._lock:
            births.forget(self._db, self._files, digest, self._birth_id)
