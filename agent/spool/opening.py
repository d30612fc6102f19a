"""How the spool's files are opened: SQLite's as of its last checkpoint, then what the journal holds beyond it.

Where a record is missing, what follows is done all the same: statements name what they change, they do not build on
one another. The rows of what is missing are the difference of two counts, and become a gap.

A database that is new where journal and blocks are not takes what these hold of another: see `adoption`.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, NamedTuple

from agent.entry import Span
from agent.spool import adoption, births
from agent.spool.base import HELD, UNCONFIRMED, State
from agent.spool.births import Files
from agent.spool.blocks import Blocks
from agent.spool.contents import Contents
from agent.spool.database import Database
from agent.spool.disk import Disk
from agent.spool.epochs import Epochs, epochs_of
from agent.spool.gaps import OTHER, Loss
from agent.spool.log import Log, records

if TYPE_CHECKING:
    from pathlib import Path

    from agent.frame import Source
    from agent.spool.adoption import Adopted
    from agent.spool.record import Record

logger = logging.getLogger(__name__)

LISTED = 10_000
"""Entries of lost records that are named one by one."""


class Opened(NamedTuple):
    """The files, open, and what they say."""

    disk: Disk
    db: Database
    log: Log
    blocks: Blocks
    contents: Contents
    births: Files
    epochs: Epochs
    store: int
    spools: dict[int, str]
    names: dict[int, str]
    """Hashes of births by their key."""
    lost: set[int]
    """Keys of births that cannot be read."""
    birth: int
    process: int
    state: State
    losses: list[Loss]
    adopted: Adopted


def opened(
    path: Path, fingerprint: str, digest: str, body: bytes, sources: tuple[Source, ...], journal_bytes: int
) -> Opened:
    """Open the files.

    Args:
        path: SQLite's file.
        fingerprint: Of this box.
        digest: Of the birth in force.
        body: Its canonical JSON.
        sources: Its sources.
        journal_bytes: Size of each of the journal's files.

    Raises:
        Corrupt: SQLite's file cannot be used.
        sqlite3.OperationalError, OSError: the disk does not take it now.
    """
    with contextlib.ExitStack() as stack:
        disk = Disk()
        db = stack.enter_context(contextlib.closing(Database(path)))
        log = stack.enter_context(contextlib.closing(Log(path.parent, disk, journal_bytes)))
        blocks, files = Blocks(path.parent, disk), Files(path.parent, disk)
        epochs = Epochs(path.parent, disk)
        row = db.execute("SELECT spool, fingerprint, process, seq, event_ns, commit_ns, total, store FROM state")
        known = row.fetchone()
        losses: list[Loss] = []
        adopted = adoption.NOTHING
        if known is None:
            store = secrets.randbits(63)
            adopted = adoption.adopt(db, log, blocks, files, epochs)
            for hole in adopted.holes:  # nobody knows how many rows, nor of what spool
                losses.append(Loss(secrets.token_hex(8), "overflow", "spool", "", reason=f"damaged: {hole.files}"))
                losses[-1].reach(hole.since_ns)
                losses[-1].reach(hole.until_ns)
        else:
            store = known[7]
            losses = redo(db, log, store, files)
            if losses:
                adoption.recover(db, log, store, blocks, files, epochs, losses)
        sweep(db, blocks)
        process, state = _state(db, fingerprint, store, adopted)
        birth = births.enter(db, files, digest, body, sources)
        names, lost = births.mended(db, files)
        log.number_from(db.execute("SELECT applied FROM state").fetchone()[0])
        db.execute("UPDATE state SET applied = ?", (log.last,))
        db.commit()
        epochs.keep(epochs_of(db))
        stack.pop_all()
    spools = dict(db.execute("SELECT id, name FROM spool"))
    return Opened(
        disk, db, log, blocks, Contents(log, blocks), files, epochs, store, spools, names, lost, birth, process,
        state, losses, adopted,
    )  # fmt: skip


def _state(db: Database, fingerprint: str, store: int, adopted: Adopted) -> tuple[int, State]:
    """Return the number of this process and the state, both as they are in the database from now on."""
    row = db.execute(
        "SELECT spool, fingerprint, process, seq, event_ns, commit_ns, total, applied FROM state"
    ).fetchone()
    if row is None or row[1] != fingerprint:
        name = secrets.token_hex(8)
        spool = db.execute("INSERT INTO spool (name) VALUES (?)", (name,)).lastrowid
        if row is not None:
            # the box that this disk was copied from may tell of them still, in another way
            db.execute("DELETE FROM gap")
            db.execute("DELETE FROM dropped")
            logger.warning("this disk comes from another box: new data gets the spool id %s", name)
        rest = row[2:] if row else (adopted.process, adopted.seq, 0, adopted.commit_ns, adopted.total, 0)
        row = (spool, fingerprint, *rest)
    spool, _, process, seq, event_ns, commit_ns, total, applied = row
    process += 1
    db.execute(
        "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (spool, fingerprint, process, seq, event_ns, commit_ns, total, store, applied),
    )
    counted = "SELECT count(*), coalesce(sum(rows), 0) FROM entry WHERE state = "
    entries, rows = db.execute(f"{counted}{UNCONFIRMED}").fetchone()
    held, held_rows = db.execute(f"{counted}{HELD}").fetchone()  # a parameter would pass over the index
    return process, State(
        spool, seq, event_ns, commit_ns, total, entries=entries, rows=rows, held=held, held_rows=held_rows
    )


def redo(db: Database, log: Log, store: int, files: Files) -> list[Loss]:
    """Do again what the journal holds beyond the database.

    Returns:
        The gaps of what is missing in it.
    """
    applied, seq, total, last_ns, spool = db.execute(
        "SELECT applied, state.seq, total, commit_ns, name FROM state JOIN spool ON spool.id = state.spool"
    ).fetchone()
    losses: list[Loss] = []
    whole, process = True, 0
    for number, record in records(log, log.numbers(applied, store)):
        if record is None:
            whole = False
            continue
        if not whole or number != applied + 1:
            losses.append(_missing(record, spool, seq, total, last_ns))
        apply(db, number, record, files)
        applied, total, last_ns, spool, whole = number, record.total, record.time_ns, record.spool, True
        seq = max(seq, *(row.seq for row in record.rows)) if record.rows else seq
        process = max(process, record.process)
    if not whole:
        losses.append(Loss(secrets.token_hex(8), "overflow", "spool", spool, reason="damaged: the journal's end"))
        losses[-1].reach(last_ns or 0)
    db.execute("UPDATE state SET applied = max(applied, ?), process = max(process, ?)", (applied, process))
    for loss in losses:
        logger.error("the journal is damaged: %d rows are lost", loss.rows)
    return losses


def _missing(after: Record, spool: str, seq: int, total: int, last_ns: int | None) -> Loss:
    """Return the gap of the records before this one."""
    loss = Loss(secrets.token_hex(8), "overflow", "spool", spool, reason="damaged: the journal")
    since = after.time_ns if last_ns is None else min(last_ns, after.time_ns)
    loss.reach(since)
    loss.reach(after.time_ns)
    rows = after.total - sum(row.rows for row in after.rows) - total
    if rows > 0:
        loss.add([Span(OTHER, since, after.time_ns, rows)])
    if after.rows:
        for lost in range(max(seq + 1, after.rows[0].seq - LISTED), after.rows[0].seq):
            loss.list_entry(lost, sent=True)
    return loss


def apply(db: Database, number: int, record: Record, files: Files) -> None:
    """Do a record again."""
    key = db.execute("SELECT id FROM spool WHERE name = ?", (record.spool,)).fetchone()
    spool = key[0] if key else db.execute("INSERT INTO spool (name) VALUES (?)", (record.spool,)).lastrowid
    if record.rows:
        birth = births.found(db, files, record.birth)
        for row in record.rows:
            insert(
                db,
                (row.seq, spool, row.crc, birth, record.time_ns, record.process, row.rows, row.size, row.state,
                 number, None, row.epoch, 0),
            )  # fmt: skip
    for sql, rows in record.statements:
        db.write_many(sql, rows)


def insert(db: Database, values: tuple[object, ...]) -> None:
    """Put an entry into the table."""
    db.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def sweep(db: Database, blocks: Blocks) -> None:
    """Count what is left in each file of blocks; the files that hold nothing go."""
    live = dict(db.execute("SELECT block, count(*) FROM entry WHERE block IS NOT NULL GROUP BY block"))
    for block, counted in db.execute("SELECT id, live FROM block").fetchall():
        if live.get(block, 0) != counted:
            db.execute("UPDATE block SET live = ? WHERE id = ?", (live.get(block, 0), block))
    db.execute("DELETE FROM block WHERE live = 0")
    kept = {block for (block,) in db.execute("SELECT id FROM block")}
    for block in list(blocks.listed()):
        if block not in kept:
            blocks.remove(block)
