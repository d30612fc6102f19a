"""The spool as the agent sees it: a ring in memory, a thread that commits once a second, a journal on the disk.

    put --> ring --(each second)--> commit --> analyzers --(each ten minutes)--> checkpoint
                                       |
                                       +--> the uplink is told; confirmations come back with the next commit

`put` appends to the ring and returns; it never waits and does no I/O. The ring holds 30 s; what does not fit is
counted in a gap. The thread drains the ring, commits, feeds what was committed to the analyzers, and makes a
checkpoint of them every ten minutes. After a restart the caller restores the analyzers from `checkpoint_state`,
feeds them `replay`, and starts the thread: they have then seen every committed entry exactly once, but for those
of a clock that was not trusted, which they never see.

When the disk does not take a commit, the items stay in the ring and are tried again every second. A damaged
database is set aside and a fresh one begun under a new spool id; what the journal and the files of blocks hold is
taken over, closed days and counts as far as they can be read. `SpoolFailed` comes from `put` only when the disk
has taken nothing for ten minutes; until then what does not fit into the ring is counted, and told when it does.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import sqlite3
import threading
from typing import TYPE_CHECKING

from agent.errors import SpoolFailed
from agent.spool import ring, salvaging, schema
from agent.spool.ballast import Ballast
from agent.spool.base import EVERYTHING, HOLD_NS, Change, Confirmation, Limits, Stamping
from agent.spool.changing import Changing
from agent.spool.feeding import Feeding, careful
from agent.spool.holding import Holding
from agent.spool.journal import Journal
from agent.spool.log import size_for
from agent.spool.ring import Ring
from agent.spool.schema import Corrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from agent.analyzers.base import Evidence
    from agent.clock import Clock
    from agent.frame import Event, Item, Source
    from agent.spool.base import Account, Committed, Stats
    from contract.payload import Birth, Stored

logger = logging.getLogger(__name__)

NAME = "spool.db"
COMMIT_NS = 10**9
CHECKPOINT_NS = 600 * 10**9
CHECKPOINT_ENTRIES = 600
FAILED_NS = 600 * 10**9  # without a commit, and the ring full: a new process may have a disk that takes data
PATIENCE = 3  # commits in a row that fail for an input/output error before a fresh file is tried
SET_ASIDE = 2  # files of a kind that cannot be used and are kept


class Spool(Changing):
    """A bounded durable buffer with a ledger.

    `put`, `confirm`, `vouch` and `stats` may be called from any thread and do not wait; the others may.

    Args:
        directory: Where the file lies; made when missing, readable by its owner only.
        birth: Tag dictionary of the configuration in force.
        sources: The same sources as the agent knows them.
        limits: How much of the disk it may take.
        account: Counts what a confirmation says about latency, once for each entry.
        fingerprint: Tells this box from another; see `schema.fingerprint`.
        ring_rows: Rows that the ring holds.
        checkpoint_entries: Commits after which a checkpoint is made before its time has come.
        journal_bytes: Size of each of the journal's two files; None: what suits the sources.
        hold_ns: How long entries wait for a clock that may be trusted; monotonic.

    Raises:
        SpoolFailed: neither the file nor a fresh one can be used.
    """

    def __init__(
        self,
        directory: Path,
        *,
        birth: Birth,
        sources: Sequence[Source],
        limits: Limits | None = None,
        account: Account | None = None,
        fingerprint: Callable[[], str] = schema.fingerprint,
        ring_rows: int = ring.ROWS,
        checkpoint_entries: int = CHECKPOINT_ENTRIES,
        journal_bytes: int | None = None,
        hold_ns: int = HOLD_NS,
    ) -> None:
        self._path = directory / NAME
        self._checkpoint_entries = checkpoint_entries
        self._birth = birth
        self._sources = tuple(sources)
        self._limits = limits or Limits()
        self._account = account
        self._fingerprint = fingerprint()
        self._journal_bytes = journal_bytes or size_for(self._sources, self._limits.max_bytes)
        self._changing = threading.Lock()
        self._ring = Ring(ring_rows)
        self._confirmations: list[Confirmation] = []
        self._failures = 0
        self._took = 0  # monotonic ns of the last commit
        self._damage = ""  # what showed that the file cannot be used, until a fresh one is begun
        self._ended = False  # the thread is dead
        self._clock: Clock | None = None
        self._feeding = Feeding()
        self._checkpointed = (0, 0)  # monotonic ns, seq
        self._listeners: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._change: Change | None = None
        self._holding = Holding(hold_ns)
        self._untidy = False
        self._moving = False  # held entries are being let go, and the next of them need not wait for a second
        self._stopping = self._hurried = False
        self.generation = 0
        """Grows with a fresh file, and when held entries are let go: who remembers numbers forgets them."""
        try:
            self._journal = self._journal_at(self._path)
        except Corrupt as exc:
            self._journal = self._replace(exc, None)
        except (sqlite3.Error, OSError) as exc:
            raise SpoolFailed(f"{self._path}: {exc}: make room, or correct the owner of the directory") from exc
        self._stats = self._journal.stats()

    def _journal_at(self, path: Path) -> Journal:
        try:
            journal = Journal(
                path,
                birth=self._birth,
                sources=self._sources,
                fingerprint=self._fingerprint,
                limits=self._limits,
                account=self._account and careful(self._account),
                journal_bytes=self._journal_bytes,
            )
            journal.checkpoint_state()  # read once, so that damage shows here
        except (sqlite3.OperationalError, OSError):
            if Ballast(path.parent, self._limits.max_bytes).release():
                return self._journal_at(path)
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
            raise Corrupt(f"{path}: {exc}") from exc
        return journal

    # Before the start

    def replay(self) -> Iterator[Committed]:
        """Yield (seq, items) of each entry after the checkpoint, in order: before `start` only."""
        try:
            yield from self._journal.replay(self._journal.checkpoint_state()[1])
        except sqlite3.DatabaseError as exc:
            self._damage = str(exc)

    def start(self, clock: Clock, evidence: Evidence | None = None) -> int:
        """`begin`, and commit once a second in a thread; `evidence` has been restored and fed `replay`."""
        off_until = self.begin(clock, evidence)
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()
        return off_until

    def begin(self, clock: Clock, evidence: Evidence | None = None) -> int:
        """Get ready without a thread, and tell what the last process left untold; return until when it is off.

        Raises:
            SpoolFailed: the disk does not take the moment of the start.
        """
        self._clock = clock
        self._feeding = Feeding(evidence)
        self._took = clock.monotonic()
        self._ring.done(self._took)
        self._holding.begin(clock)
        now = clock.now()
        try:
            left = self._begun(clock, now)
        except (sqlite3.Error, OSError) as exc:
            if not self._damage:
                raise SpoolFailed(f"{self._path}: {exc}: make room, or look at the disk") from exc
            self._journal.close()
            self._journal = self._replace(Corrupt(self._damage), self._stats)
            try:
                left = self._begun(clock, now)
            except (sqlite3.Error, OSError) as again:
                raise SpoolFailed(f"{self._path}: {again}: look at the disk") from again
        for loss in self._journal.losses:
            self._ring.tell(loss)
        for event in reversed(left):
            self._ring.put_first(event)
        return now

    def _begun(self, clock: Clock, now_ns: int) -> list[Event]:
        with self._using() as journal:
            self._holding.note(journal.held(), clock.monotonic())
            self._checkpointed = (clock.monotonic(), journal.checkpoint_state()[1])
            left = journal.left(now_ns)
            journal.begin(now_ns)
            return left

    # While it runs

    def put(self, item: Item) -> None:
        """Take one item; it never waits.

        Raises:
            SpoolFailed: the disk has failed for ten minutes, or the thread has died: the process must end.
        """
        assert self._clock is not None, "begin or start first"
        fits = self._ring.put(item, self._clock.monotonic(), self._journal.spool)
        if fits and not self._ring.half_full:
            return
        if not self._failures:  # a disk that fails is tried once a second
            self._wake.set()
        if not fits and (self._ended or self._clock.monotonic() - self._took > FAILED_NS):
            raise SpoolFailed(f"{self._path} takes no data and the memory for 30 s is full: look at the disk")

    def confirm(self, stored: Stored, clean: frozenset[tuple[str, int]] = frozenset()) -> None:
        """Free the entries that are stored or refused for ever, with the next commit.

        Args:
            stored: The gateway's word.
            clean: (spool, seq) of the entries in it that were sent once and live.
        """
        self._confirmations.append(self._journal.confirmation(stored, clean))
        if self._hurried:
            self._wake.set()

    def hurry(self) -> None:
        """Commit now what has been put, and from now on each confirmation when it comes: somebody waits to end."""
        self._hurried = True
        self._wake.set()

    def vouch(self, epoch: int, offset_ns: int, by: int | None = None) -> bool:
        """Say by how much the clock of an epoch was wrong; any thread, at once.

        With the next commit its held entries are let go: every stamp in them with the epoch's digits (never a
        device's own time) is shifted, and so is what is committed of that epoch later.

        Args:
            epoch: Number of the epoch.
            offset_ns: True minus stamped time, a multiple of 1,000 (the digits stay).
            by: The trusted epoch that says so; None for that of the next trusted commit.

        Returns:
            Whether it will be done; not when nothing of the epoch is held, or its hold is over: then the stamps
            are frozen, and a `clock_correction` has to tell.

        Raises:
            ValueError: the offset is no multiple of 1,000.
        """
        done = self._holding.vouch(epoch, offset_ns, by)
        self._wake.set()
        return done

    def listen(self, committed: Callable[[], None]) -> None:
        """Have this called in the spool's thread after each commit; it must return at once."""
        self._listeners.append(committed)

    def stats(self) -> Stats:
        """Return the spool in numbers, as of the last commit."""
        return self._stats._replace(ring_rows=self._ring.rows, ring_lost_rows=self._ring.lost_rows)

    def stop(self) -> None:
        """Commit what is in the ring, make a checkpoint and close the file."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._clock is not None:
            self.tick(final=True)
        self._journal.close()

    def _run(self) -> None:
        assert self._clock is not None
        due = self._clock.monotonic() + COMMIT_NS
        try:
            while not self._stopping:
                if self._moving and not self._wake.is_set() and self._clock.monotonic() < due:
                    self._move()
                    self._tell()
                    continue
                self._wake.wait(max(0, due - self._clock.monotonic()) / 1e9)
                self._wake.clear()
                if not self._stopping:
                    self.tick()
                due = due if (now := self._clock.monotonic()) < due else max(due + COMMIT_NS, now)  # the grid
        except Exception:  # `put` ends the process when the ring is full
            self._ended = True
            logger.exception("nothing is committed any more: this is a bug, please report it")

    def tick(self, *, final: bool = False) -> None:
        """Commit once: what the thread does each second."""
        clock = self._clock
        assert clock is not None, "begin or start first"
        change = self._change  # before the ring is taken: what was put before it must be committed first
        stamping = Stamping(clock.trusted, clock.epoch, clock.boot_id, clock.anchor_ns)  # likewise
        now = clock.now()  # likewise: what is stamped after it is not in this commit
        vouched, over = self._holding.due(clock.monotonic(), stamping)
        waiting, losses = self._ring.take()
        stamping = stamping._replace(doubted=self._holding.doubted())  # whose first stamps may be in it already
        items = [*waiting, *(loss.event(now) for loss in losses)]
        confirmations = self._confirmations[:]
        try:
            with self._using() as journal:
                committed = journal.commit(
                    items,
                    now,
                    stamping,
                    confirmations=confirmations,
                    vouched=vouched,
                    over=over,
                    droppable=EVERYTHING if self._feeding.faulty else self._checkpointed[1],
                )
        except (sqlite3.Error, OSError) as exc:
            self._ring.failed(losses)
            self._failed(exc)
            return
        self._took = clock.monotonic()
        self._ring.done(self._took)
        del self._confirmations[: len(confirmations)]  # `confirm` only appends
        if self._failures:
            logger.warning("%s takes data again", self._path.parent)
            self._failures = 0
        if vouched or over or self._journal.holds:
            held = self._journal.held()
            self.generation += self._holding.done(vouched, over, held, clock.monotonic())
        self._move()
        self._feeding.feed(committed)
        if (final or change is not None or self._due(clock)) and self._checkpoint() and change is not None:
            self._apply(change)
        self._tidy()
        if items or confirmations or vouched or over or self._moving:
            self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _move(self) -> None:
        """Let go some of what is vouched for; then take the numbers."""
        assert self._clock is not None
        try:
            with self._using() as journal:
                self._moving = journal.move(self._clock.now())
        except (sqlite3.Error, OSError) as exc:  # it stays held, and is tried again with the next commit
            logger.warning("held entries cannot be let go now, nothing is lost: %s", exc)
            self._moving = False
        self._count()

    def _tidy(self) -> None:
        try:
            with self._using() as journal:
                journal.tidy()
        except (sqlite3.Error, OSError) as exc:  # tried again each second
            if not self._untidy:
                logger.warning("%s cannot be tidied now, nothing is lost: %s", self._path.parent, exc)
            self._untidy = True
        else:
            self._untidy = False

    def _count(self) -> None:
        """Take the numbers of what is committed; the old ones stay when they cannot be read, but for the rows."""
        try:
            with self._using() as journal:
                self._stats = journal.stats()
        except (sqlite3.Error, OSError) as exc:  # damage is seen to by the next commit
            self._stats = self._stats._replace(rows=self._journal.rows)
            logger.warning("%s cannot be counted now, nothing is lost: %s", self._path, exc)

    @contextlib.contextmanager
    def _using(self) -> Iterator[Journal]:
        """Use the journal; damage that shows anywhere makes the next commit begin a fresh file."""
        if self._damage:
            raise sqlite3.DatabaseError(self._damage)
        try:
            yield self._journal
        except sqlite3.DatabaseError as exc:
            if salvaging.code(exc) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                self._damage = str(exc)
            raise

    def _failed(self, exc: Exception) -> None:
        """Decide what a failed commit means: wait for the disk, or begin a fresh file."""
        if not self._failures:
            logger.error("%s does not take data, it waits in memory: %s", self._path, exc)
        self._failures += 1
        if salvaging.code(exc) == sqlite3.SQLITE_IOERR and self._failures >= PATIENCE:
            self._damage = str(exc)
        if isinstance(exc, OSError) and exc.errno == errno.EIO and self._failures % PATIENCE == 0:
            with contextlib.suppress(OSError):
                self._journal.renew()
        if self._damage:
            with contextlib.suppress(SpoolFailed):
                self._journal.close()
                self._journal = self._replace(Corrupt(self._damage), self._stats)

    # Checkpoints

    def _due(self, clock: Clock) -> bool:
        when, seq = self._checkpointed
        if clock.monotonic() - when >= CHECKPOINT_NS or self._journal.seq - seq >= self._checkpoint_entries:
            return True
        # entries may be dropped only when a checkpoint contains them: have one before the file is full
        full = self._stats.bytes > self._limits.max_bytes * 0.9 or self._journal.short
        return full and self._journal.seq - seq >= 10

    def _checkpoint(self) -> bool:
        """Make one; return whether evidence and journal are at the same point, or evidence is out of order."""
        assert self._clock is not None
        kept = self._feeding.state()
        if kept is None:
            return True
        try:
            with self._using() as journal:
                journal.checkpoint(*kept)
        except (sqlite3.Error, OSError) as exc:
            logger.warning("no checkpoint of the evidence now, nothing is lost: %s", exc)
            return False
        self._feeding.kept()
        self._checkpointed = (self._clock.monotonic(), self._journal.seq)
        return True

    # A damaged file

    def _replace(self, problem: Corrupt, known: Stats | None) -> Journal:
        """Set the file aside and begin a fresh one; the next commit tells of it."""
        name = salvaging.set_aside(self._path, problem.kind, SET_ASIDE)
        try:
            fresh = self._journal_at(self._path)
            found = salvaging.salvage(name)
            fresh.restore(found)
        except (sqlite3.Error, OSError, Corrupt) as exc:
            raise SpoolFailed(f"{self._path}: {exc}: make room, or correct the owner of the directory") from exc
        logger.error("%s: it is set aside as %s, and a fresh one is begun: %s", problem.said, name, problem)
        loss = salvaging.lost(name, problem.kind, known, found, fresh.adopted.rows)
        self._ring.tell(loss)
        self._damage = ""
        self._holding.begin_again()
        self._checkpointed = (0, 0)
        self.generation += 1
        return fresh
