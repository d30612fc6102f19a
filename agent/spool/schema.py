"""The spool's file: its tables, how it is opened, and what makes a box this box.

- `state`: one row: spool id in use, fingerprint, number of this process, last seq, last times.
- `spool`: ids of spools; an entry keeps the one that it was committed under.
- `birth`: tag dictionaries that entries were written under, and their sources for replay.
- `entry`: committed content, zstd. State 0 is unconfirmed, 1 confirmed but not yet in a checkpoint, 2 set aside
  because its birth is lost.
- `evidence`: one row: the checkpoint, and the last seq in it.
- `day`, `tally`: closed days of evidence; counts by day, key and bucket.
- `gap`, `dropped`: gaps that may still change, and the entries given up in them.
- `open_gap`, `reached`: gaps of devices that are open; the last moment of each source that is committed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 2
CHECKED = 64 * 2**20  # a larger file is not read through at start; damage shows when its page is read

_TABLES = """
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1), spool INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    process INTEGER NOT NULL, seq INTEGER NOT NULL, event_ns INTEGER NOT NULL, commit_ns INTEGER
);
CREATE TABLE spool (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE birth (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL, sources BLOB NOT NULL);
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, spool INTEGER NOT NULL, crc BLOB NOT NULL, birth INTEGER NOT NULL,
    committed_ns INTEGER NOT NULL, process INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL
);
CREATE INDEX entry_birth ON entry (birth);
CREATE INDEX entry_settled ON entry (seq) WHERE state != 0;
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


class Corrupt(Exception):  # noqa: N818 - reads as what happened
    """The file cannot be used; it is to be set aside."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, make the tables when it is new; commits are on the disk when they return.

    The connection may be handed from one thread to another, but is used by one at a time.

    Raises:
        Corrupt: not a spool of this version, or damaged.
        sqlite3.OperationalError, OSError: the disk does not take it now.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if not path.exists():
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}-wal").unlink()  # of a file that is gone: it would be played into the new one
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its -wal and -shm the same mode
    path.chmod(0o600)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        _prepare(path, db)
    except sqlite3.OperationalError:
        db.close()
        raise
    except sqlite3.DatabaseError as exc:
        db.close()
        raise Corrupt(f"{path}: {exc}") from exc
    except Corrupt:
        db.close()
        raise
    return db


def _prepare(path: Path, db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA journal_size_limit=8388608")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={VERSION}; COMMIT;")
    elif version != VERSION:
        raise Corrupt(f"{path}: version {version} where this program knows {VERSION}")
    elif path.stat().st_size < CHECKED and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise Corrupt(f"{path}: damaged")


class Salvaged(NamedTuple):
    """What could be read of a damaged file."""

    process: int = 0
    event_ns: int = 0
    commit_ns: int | None = None
    days: Sequence[tuple[str, bytes]] = ()
    tallies: Sequence[tuple[str, str, int, int]] = ()
    oldest_ns: int | None = None  # when the first unconfirmed entry was committed
    rows: int = 0  # in unconfirmed entries


def set_aside(path: Path, keep: int) -> Path:
    """Rename a damaged file, by the time it was last written; older ones beyond `keep` go.

    Returns:
        Its new name; there is no such file if there was none before.
    """
    base = f"{path.name}.damaged-"
    with contextlib.suppress(OSError):
        named = path.with_name(f"{base}{path.stat().st_mtime_ns}")
        for tail in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{tail}").replace(f"{named}{tail}")
        Path(f"{path}-shm").unlink(missing_ok=True)
        olds = sorted(p for p in path.parent.iterdir() if p.name.startswith(base) and p.name[-1].isdigit())
        for old in olds[:-keep]:
            for tail in ("", "-wal", "-shm"):
                Path(f"{old}{tail}").unlink(missing_ok=True)
        return named
    return path.with_name(f"{base}0")


def salvage(path: Path) -> Salvaged:
    """Read what a fresh file needs from a damaged one, as far as it can be read."""
    found: dict[str, list[Any]] = {}
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(path)) as db:
        for table in ("state", "day", "tally"):
            with contextlib.suppress(sqlite3.Error):
                found[table] = db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - names from above
        with contextlib.suppress(sqlite3.Error):
            found["waiting"] = db.execute(
                "SELECT min(committed_ns), coalesce(sum(rows), 0) FROM entry WHERE state = 0"
            ).fetchall()
    oldest_ns, rows = next(iter(found.get("waiting", [])), (None, 0))
    _, _, _, process, _, event_ns, commit_ns = next(iter(found.get("state", [])), (0, 0, "", 0, 0, 0, None))
    return Salvaged(process, event_ns, commit_ns, found.get("day", []), found.get("tally", []), oldest_ns, rows)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


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
