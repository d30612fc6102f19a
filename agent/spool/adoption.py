"""What journal and blocks hold when SQLite's file is gone: these are the data, and they are delivered.

They keep their spool id, numbers and checksums. What the journal knows to be confirmed or given up stays away; what
was confirmed longer ago than the journal reaches back may be sent once more, which harms nobody. The analyzers do
not see them again: their evidence began anew, or was in days that are closed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from agent.entry import Span
from agent.errors import WireError
from agent.spool import births
from agent.spool.base import HELD, UNCONFIRMED, Kept
from agent.spool.gaps import OTHER
from agent.spool.ledger import FREE, SETTLE
from agent.spool.log import records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from agent.spool.births import Files
    from agent.spool.blocks import Blocks, Packed
    from agent.spool.database import Database
    from agent.spool.epochs import Epochs
    from agent.spool.gaps import Loss
    from agent.spool.log import Log
    from agent.spool.record import Record

logger = logging.getLogger(__name__)

MOVED = "UPDATE entry SET state = 0, shift = ?, crc = ?, size = ?, committed_ns = ? WHERE seq = ?"
VOUCHED = (
    "INSERT INTO epoch VALUES (?, ?, '', 0, ?, 1) "
    "ON CONFLICT (number) DO UPDATE SET shift = excluded.shift, over = 1"
)
DOUBTED = "INSERT INTO epoch (number, process, boot_id, anchor_ns) VALUES (?, ?, ?, ?)"
TAKEN = "UPDATE epoch SET process = ? WHERE number = ?"
OVER = "UPDATE epoch SET over = over | 1 WHERE number = ?"
CORRECTED = "UPDATE epoch SET over = over | 2 WHERE number = ?"
LET_GO = "UPDATE entry SET state = 0 WHERE epoch = ? AND state = 3"
BEGUN = "UPDATE state SET process = max(process, ?)"
_EPOCHS = {
    VOUCHED: VOUCHED,
    DOUBTED: DOUBTED.replace("INSERT", "INSERT OR IGNORE"),
    TAKEN: TAKEN,
    OVER: OVER,
    CORRECTED: CORRECTED,
}
"""What the journal says of clock epochs, and how it is done again where it may be known."""


class Hole(NamedTuple):
    """A time of which something may have waited that nobody can read any more: where, from when to when."""

    files: str
    since_ns: int
    until_ns: int


class Adopted(NamedTuple):
    """What was found."""

    rows: int = 0
    seq: int = 0
    process: int = 0
    commit_ns: int | None = None
    total: int = 0
    holes: tuple[Hole, ...] = ()


NOTHING = Adopted()

_Known = tuple[str, str, Kept]
"""An entry: name of its spool, hash of its birth, and the rest."""


@dataclass(slots=True)
class _Said:
    """What the journal says of entries, its own and those in blocks."""

    entries: dict[int, _Known] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    released: set[int] = field(default_factory=set)  # of a clock that was not trusted, and not held any more
    moved: dict[int, tuple[int, bytes, int, int]] = field(default_factory=dict)  # shift, crc, size, committed_ns
    held: set[int] = field(default_factory=set)  # when they were committed
    let_go: set[int] = field(default_factory=set)  # epochs, as they are
    packed: dict[int, bool] = field(default_factory=dict)  # whether they were held then
    last_epoch: int = 0  # of any process: the next one numbers its own after it

    def kept(self, one: Packed, block: int) -> Kept:
        """Return an entry of a block, and know what its index says beside it."""
        if one.held is not None:
            self.packed[one.seq] = one.held
        return Kept(one.seq, 0, one.crc, 0, one.committed_ns, one.process, one.rows, None, block, one.epoch,
                    one.shift, one.size)  # fmt: skip

    def settled(self, kept: Kept) -> Kept:
        """Return an entry with what it became when it was vouched for."""
        if kept.seq not in self.moved:
            return kept
        shift, crc, size, committed_ns = self.moved[kept.seq]
        return kept._replace(shift=shift, crc=crc, size=size, committed_ns=committed_ns)

    def waits(self, kept: Kept) -> bool:
        """Whether it is held still, if its epoch is known.

        Of an entry whose record is written over, its block tells; in one of before this was noted its commit does:
        what was committed by a later clock than it was stamped by came late, and was mostly shifted at once.
        """
        if kept.epoch is None or kept.epoch in self.let_go:
            return False
        if kept.shift or kept.seq in self.moved or kept.seq in self.released:
            return False
        held = self.packed.get(kept.seq)
        return kept.seq in self.held or ((kept.committed_ns - kept.epoch) % 1000 == 0 if held is None else held)


def adopt(db: Database, log: Log, blocks: Blocks, files: Files, epochs: Epochs) -> Adopted:
    """Enter what journal and blocks hold into a new database; it is empty but for its tables."""
    said = _begun(db, epochs)
    entries = said.entries
    unread: set[int] = set()
    found = NOTHING
    torn: list[tuple[int, int]] = []  # number of the last entry before records that are lost, and when the next was
    lost, last_number = log.begins_late, 0
    for number, record in records(log, log.foreign(-1)):
        if record is None:
            lost = True
        else:
            if lost or number != (last_number or number - 1) + 1:
                torn.append((found.seq, record.time_ns))
            lost, last_number = False, number
            _take(db, number, record, said)
            found = found._replace(
                process=max(found.process, record.process), commit_ns=record.time_ns, total=record.total,
                seq=max([found.seq, *(row.seq for row in record.rows)]),
            )  # fmt: skip
    for block in list(blocks.listed()):
        try:
            index = blocks.index(block)
            size = blocks.path(block).stat().st_size
        except (WireError, OSError) as exc:
            logger.error("%s is set aside: %s", blocks.path(block), exc)  # noqa: TRY400 - no bug of ours
            blocks.set_aside(block)
            unread.add(block)
            continue
        for one in index.entries:
            entries[one.seq] = (index.spool, index.birth, said.kept(one, block))
        last = max(one.seq for one in index.entries)
        process = max(max(one.process, one.epoch or 0) for one in index.entries)
        db.execute("INSERT INTO block VALUES (?, ?, ?, 0)", (block, last, size))
        found = found._replace(seq=max(found.seq, last), process=max(found.process, process))
    found = found._replace(holes=tuple(_holes(entries, torn, unread, found)))
    left = [
        (spool, digest, said.settled(kept))
        for seq, (spool, digest, kept) in sorted(entries.items())
        if seq not in said.gone
    ]
    rows = _enter(db, files, left, said)
    if found.seq:
        db.execute("INSERT OR REPLACE INTO evidence VALUES (1, ?, x'')", (found.seq,))
        logger.warning("%d rows that wait are taken over from journal and blocks", rows)
    return found._replace(rows=rows, process=max(found.process, said.last_epoch))


def _begun(db: Database, epochs: Epochs) -> _Said:
    """Begin with what the file of epochs says, which reaches back further than the journal."""
    epochs.enter(db)
    found = epochs.found
    return _Said(let_go={one.number for one in found.epochs if one.let_go}, last_epoch=found.last)


def _holes(
    entries: Mapping[int, _Known], torn: Iterable[tuple[int, int]], unread: Collection[int], found: Adopted
) -> Iterator[Hole]:
    """Yield of when something may be missing: behind the last that is known to come before it."""
    known = [(seq, kept.committed_ns) for seq, (_, _, kept) in entries.items()]
    first_ns = min((time_ns for _, time_ns in known), default=0)
    for seq, until_ns in torn:
        before = [time_ns for s, time_ns in known if s <= seq or time_ns < until_ns]
        yield Hole("the journal", max(before, default=first_ns), until_ns)
    if unread:
        before = [time_ns for seq, time_ns in known if seq < min(unread)]
        since_ns = max(before, default=first_ns)
        yield Hole("files of blocks", since_ns, found.commit_ns or since_ns)


def recover(
    db: Database, log: Log, store: int, blocks: Blocks, files: Files, epochs: Epochs, losses: list[Loss]
) -> None:
    """Take over what files of blocks hold of records that are missing: the database may be an older image."""
    said = _begun(db, epochs)
    db.execute(BEGUN, (said.last_epoch,))
    db.write_many(LET_GO, [(epoch,) for epoch in said.let_go])
    for number, record in records(log, log.numbers(0, store)):
        if record is not None:
            _take(db, number, record, said)
    known = {block for (block,) in db.execute("SELECT id FROM block")}
    found: list[_Known] = []
    for block in [one for one in blocks.listed() if one not in known]:
        try:
            index, size = blocks.index(block), blocks.path(block).stat().st_size
        except (WireError, OSError):
            continue
        here = (  # what was let go after one of them was written has another checksum in the other
            "UPDATE entry SET record = NULL, block = ? "
            "WHERE seq = ? AND (crc = ? OR ((shift != 0 OR state = 3) AND record IS NOT NULL AND epoch = ?))"
        )
        fresh = [
            (index.spool, index.birth, said.kept(one, block))
            for one in index.entries
            if not db.execute(here, (block, one.seq, one.crc, one.epoch)).rowcount
            and db.execute("SELECT 1 FROM entry WHERE seq = ?", (one.seq,)).fetchone() is None
        ]
        last = max(one.seq for one in index.entries)
        db.execute("INSERT INTO block VALUES (?, ?, ?, 0)", (block, last, size))
        db.execute(BEGUN, (max(max(one.process, one.epoch or 0) for one in index.entries),))
        found += fresh
    for _, _, kept in found:
        for loss in losses:
            if OTHER in loss.sources and any(a <= kept.seq <= b for a, b, _ in loss.runs):
                loss.remove(kept.seq, [Span(OTHER, kept.committed_ns, kept.committed_ns, kept.rows)])
                if not (loss.rows or loss.runs):
                    losses.remove(loss)
                break
    left = sorted(((spool, digest, said.settled(kept)) for spool, digest, kept in found), key=_seq)
    if rows := _enter(db, files, [one for one in left if _seq(one) not in said.gone], said):
        logger.warning("%d rows of lost records are taken over from blocks", rows)


def _seq(one: _Known) -> int:
    return one[2].seq


def _take(db: Database, number: int, record: Record, said: _Said) -> None:
    for row in record.rows:
        kept = Kept(row.seq, 0, row.crc, 0, record.time_ns, record.process, row.rows, number, None, row.epoch, 0,
                    row.size)  # fmt: skip
        said.entries[row.seq] = (record.spool, record.birth, kept)
        said.gone.discard(row.seq)
        said.moved.pop(row.seq, None)
        if row.epoch is not None:
            (said.held if row.state == HELD else said.released).add(row.seq)
        said.last_epoch = max(said.last_epoch, row.epoch or 0)
    for sql, params in record.statements:
        if sql in {FREE, SETTLE}:
            said.gone.update(seq for *_, seq in params)
        elif sql == MOVED:
            said.moved.update((seq, (shift, crc, size, at)) for shift, crc, size, at, seq in params)
        elif sql == LET_GO:
            said.let_go.update(epoch for (epoch,) in params)
        elif sql == BEGUN:
            said.last_epoch = max(said.last_epoch, *(epoch for (epoch,) in params))
        elif sql in _EPOCHS:
            db.write_many(_EPOCHS[sql], params)


def _enter(db: Database, files: Files, entries: list[_Known], said: _Said) -> int:
    epochs = {number for (number,) in db.execute("SELECT number FROM epoch")}
    spools: dict[str, int | None] = {}
    keys: dict[str, int] = {}
    rows = 0
    for spool, digest, kept in entries:
        if spool not in spools:
            known = db.execute("SELECT id FROM spool WHERE name = ?", (spool,)).fetchone()
            spools[spool] = (
                known[0] if known else db.execute("INSERT INTO spool (name) VALUES (?)", (spool,)).lastrowid
            )
        if digest not in keys:
            keys[digest] = births.found(db, files, digest)
        state = HELD if kept.epoch in epochs and said.waits(kept) else UNCONFIRMED
        db.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (kept.seq, spools[spool], kept.crc, keys[digest], kept.committed_ns, kept.process, kept.rows, kept.size,
             state, kept.record, kept.block, kept.epoch, kept.shift),
        )  # fmt: skip
        rows += kept.rows
    return rows
