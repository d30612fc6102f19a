"""The spool's SQLite file: its tables, how it is opened, and what makes a box this box.

- `state`: one row: spool id in use, fingerprint, number of this process, last seq, last times, rows ever committed;
  `store`, which names this file in the journal, and `applied`, the last record that is in it.
- `spool`: ids of spools; an entry keeps the one that it was committed under.
- `birth`: tag dictionaries that entries were written under, and their sources for replay.
- `entry`: what was committed, without its content: that lies in the journal's record `record`, or in the file of
  blocks `block`. State 0 is unconfirmed, 1 confirmed but not yet in a checkpoint, 2 set aside because its birth is
  lost, 3 held (see `hold`). `epoch` is that of a clock that was not trusted; `shift` is added to its stamps.
- `block`: files of blocks, by the seq of their first entry: how large, and how many of their entries are here.
- `epoch`: clock epochs that were not trusted: `shift` once vouched for; `over` has 1 when the hold is over, and 2
  when a correction has been told.
- `evidence`: one row: the checkpoint, zstd, and the last seq in it.
- `day`, `tally`: closed days of evidence (see `days`); counts by day, key and bucket.
- `gap`, `dropped`: gaps that may still change, and the entries given up in them.
- `open_gap`, `reached`: gaps of devices that are open; the last moment of each source that is committed.
- `still`: spans that are told as `agent_off` of the whole agent and that some source has not passed yet.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sqlite3
from pathlib import Path

from agent.spool.disk import make_folder, write_again

VERSION = 3
LOG = 2**18
"""Bytes that SQLite's log keeps: for a checkpoint or two, and for being opened."""
CHECKED = 64 * 2**20  # a larger file is not read through at start; damage shows when its page is read

_TABLES = """
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1), spool INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    process INTEGER NOT NULL, seq INTEGER NOT NULL, event_ns INTEGER NOT NULL, commit_ns INTEGER,
    total INTEGER NOT NULL, store INTEGER NOT NULL, applied INTEGER NOT NULL
);
CREATE TABLE spool (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE birth (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL, sources BLOB NOT NULL);
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, spool INTEGER NOT NULL, crc BLOB NOT NULL, birth INTEGER NOT NULL,
    committed_ns INTEGER NOT NULL, process INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL,
    state INTEGER NOT NULL, record INTEGER, block INTEGER, epoch INTEGER, shift INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX entry_birth ON entry (birth);
CREATE INDEX entry_settled ON entry (seq) WHERE state != 0;
CREATE INDEX entry_record ON entry (record) WHERE record IS NOT NULL;
CREATE INDEX entry_held ON entry (epoch, seq) WHERE state = 3;
CREATE TABLE block (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, bytes INTEGER NOT NULL, live INTEGER NOT NULL);
CREATE TABLE epoch (
    number INTEGER PRIMARY KEY, process INTEGER NOT NULL, boot_id TEXT NOT NULL, anchor_ns INTEGER NOT NULL,
    shift INTEGER, over INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE evidence (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, state BLOB NOT NULL);
CREATE TABLE day (day TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tally (
    day TEXT NOT NULL, key TEXT NOT NULL, bucket INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (day, key, bucket)
) WITHOUT ROWID;
CREATE TABLE gap (id TEXT PRIMARY KEY, holder INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE dropped (
    id INTEGER PRIMARY KEY, spool INTEGER NOT NULL, seq INTEGER NOT NULL, crc BLOB NOT NULL, gap TEXT NOT NULL,
    spans BLOB NOT NULL
);
CREATE INDEX dropped_seq ON dropped (seq);
CREATE TABLE open_gap (
    id TEXT PRIMARY KEY, source TEXT, cause TEXT NOT NULL, from_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE reached (source TEXT PRIMARY KEY, ns INTEGER NOT NULL) WITHOUT ROWID;
"""
_LATER = "CREATE TABLE IF NOT EXISTS still (from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL)"
"""Added to files of this version: older programs pass over it."""


class Corrupt(Exception):  # noqa: N818 - reads as what happened
    """The file cannot be used; it is to be set aside."""

    kind = "damaged"
    """What it is called when it is set aside."""
    said = "the spool was damaged"


class OtherVersion(Corrupt):
    """Nothing is wrong with the file, but another version of this program has written it.

    Args:
        path: The file.
        version: Its version.
    """

    def __init__(self, path: Path, version: int) -> None:
        age = "an older" if version < VERSION else "a newer"
        self.kind = f"version-{version}"
        self.said = f"the spool is of {age} version of this program and not damaged"
        super().__init__(
            f"{path} has version {version} where this program knows {VERSION}; to have what waits in it delivered, "
            "put it back into an empty state folder and run the program that wrote it until its spool is empty"
        )


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, make the tables when it is new; commits are on the disk when they return.

    The connection may be handed from one thread to another, but is used by one at a time.

    Raises:
        Corrupt: not a spool of this version, or damaged.
        sqlite3.OperationalError, OSError: the disk does not take it now.
    """
    make_folder(path.parent)
    if not path.exists():
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}-wal").unlink()  # of a file that is gone: it would be played into the new one
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its -wal and -shm the same mode
    path.chmod(0o600)
    with contextlib.suppress(FileNotFoundError):
        write_again(Path(f"{path}-wal"))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        _prepare(path, db)
    except sqlite3.OperationalError:
        db.close()
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:  # the latter: its words quote what is no text
        db.close()
        raise Corrupt(f"{path}: {exc}") from exc
    except Corrupt:
        db.close()
        raise
    keep_room(path)
    return db


def keep_room(path: Path) -> None:
    """Have room on the disk for what opening the file writes, if there is any: zeros behind what its log holds.

    SQLite takes a log that begins with zeros for an empty one, writes it over from the front, and removes it when
    it closes the file. The room would then be anybody's, and on a full disk the file could not be opened again.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(f"{path}-wal", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if (size := os.fstat(descriptor).st_size) < LOG:
                os.pwrite(descriptor, bytes(LOG - size), size)
        finally:
            os.close(descriptor)


def _prepare(path: Path, db: sqlite3.Connection) -> None:
    db.execute("PRAGMA locking_mode=EXCLUSIVE")  # nobody else opens it, and no -shm is needed
    mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":  # SQLite goes on without a word when a sync fails, and then its commits need not last
        raise sqlite3.OperationalError("the disk does not take the change to a write-ahead log")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA cache_spill=OFF")
    db.execute("PRAGMA wal_autocheckpoint=0")  # done after each commit, which is rare, and counted
    db.execute(f"PRAGMA journal_size_limit={LOG}")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={VERSION}; COMMIT;")
    elif version != VERSION:
        raise OtherVersion(path, version)
    elif path.stat().st_size < CHECKED and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise Corrupt(f"{path}: damaged")
    db.execute(_LATER)
    if not _tables(db) >= _expected():  # SQLite finds nothing wrong in a key that is none any more
        raise Corrupt(f"{path}: damaged: its tables are not what they were")


def _tables(db: sqlite3.Connection) -> frozenset[tuple[bytes, ...]]:
    """Return what SQLite keeps of its tables, as bytes: of a damaged file it may be no text."""
    columns = ", ".join(f"CAST({name} AS BLOB)" for name in ("type", "name", "tbl_name", "sql"))
    return frozenset(db.execute(f"SELECT {columns} FROM sqlite_master WHERE sql IS NOT NULL"))  # noqa: S608


@functools.cache
def _expected() -> frozenset[tuple[bytes, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_TABLES + _LATER)
        return _tables(db)


def fingerprint(net: Path = Path("/sys/class/net"), uuid: Path = Path("/sys/class/dmi/id/product_uuid")) -> str:
    """Return a hash of what a copied disk does not carry: physical network addresses and the board's UUID.

    Virtual interfaces have no `device` link and are left out: their addresses change from boot to boot.
    """
    marks = []
    with contextlib.suppress(OSError):
        for card in sorted(net.iterdir()):
            with contextlib.suppress(OSError):
                if (card / "device").exists():
                    marks.append((card / "address").read_text("ascii", "replace").strip().lower())
    with contextlib.suppress(OSError):
        marks.append(uuid.read_text("ascii", "replace").strip().lower())
    return hashlib.blake2b("\n".join(sorted(marks)).encode(), digest_size=16).hexdigest()
