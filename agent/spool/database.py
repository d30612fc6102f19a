"""SQLite as the state between two checkpoints: one long transaction, and what each small one in it has changed.

`COMMIT` comes at a checkpoint only. In between every second is a savepoint: its statements are noted, written to
the journal, and only when they are on the disk is the savepoint let go; else it is rolled back. After a crash, or
when SQLite itself gives the long transaction up (a full disk at COMMIT), the file is as of the last checkpoint, and
the statements since are done again from the journal.

The file is used by nobody else meanwhile, and nothing of the long transaction reaches it before its end.

How much the files of blocks take is kept beside the table, in memory: there are 86,000 after a month's outage.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from agent.spool import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_ROOM = """
CREATE TEMP TABLE room AS
    SELECT coalesce(sum(bytes), 0) AS bytes, coalesce(sum(bytes * (live > 0)), 0) AS live FROM block;
CREATE TEMP TRIGGER block_made AFTER INSERT ON block BEGIN
    UPDATE room SET bytes = bytes + new.bytes, live = live + new.bytes * (new.live > 0);
END;
CREATE TEMP TRIGGER block_gone AFTER DELETE ON block BEGIN
    UPDATE room SET bytes = bytes - old.bytes, live = live - old.bytes * (old.live > 0);
END;
CREATE TEMP TRIGGER block_freed AFTER UPDATE OF live ON block WHEN (old.live > 0) != (new.live > 0) BEGIN
    UPDATE room SET live = live + new.bytes * ((new.live > 0) - (old.live > 0));
END;
"""
Statements = list[tuple[str, list[list[Any]]]]


class Database:
    """The file, open, with its long transaction begun. Not thread-safe.

    Args:
        path: The file; made when it is missing.

    Raises:
        Corrupt: the file cannot be used.
        sqlite3.OperationalError, OSError: the disk does not take it now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = schema.connect(path)
        self._statements: Statements | None = None
        self.written_pages = 0
        """Pages that checkpoints have written since the start: into the log, and from there into the file."""
        try:
            self._db.executescript(_ROOM)
            self._db.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file as of the last checkpoint."""
        self._db.close()
        schema.keep_room(self._path)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Read, or write what need not be done again after a crash."""
        return self._db.execute(sql, params)

    def write(self, sql: str, *params: Any) -> None:
        """Write within `savepoint`; it is noted."""
        self.write_many(sql, [params])

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Write the same with each of these parameters."""
        done = [list(row) for row in rows]
        if not done:
            return
        self._db.executemany(sql, done)
        if self._statements is not None:
            if self._statements and self._statements[-1][0] == sql:
                self._statements[-1][1].extend(done)
            else:
                self._statements.append((sql, done))

    # A second

    def savepoint(self) -> None:
        """Begin to note what is written."""
        self._db.execute("SAVEPOINT second")
        self._statements = []

    def noted(self) -> Statements:
        """Return what has been written since the savepoint; what is written from now on is not noted."""
        statements, self._statements = self._statements or [], None
        return statements

    def release(self) -> None:
        """Keep it: it is in the journal."""
        self._statements = None
        self._db.execute("RELEASE second")

    def undo(self) -> bool:
        """Take back what was written since the savepoint; return whether the long transaction goes on."""
        self._statements = None
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK TO second")
            self._db.execute("RELEASE second")
        return self._db.in_transaction

    # A checkpoint

    def commit(self) -> None:
        """Put the long transaction on the disk and begin the next.

        Raises:
            sqlite3.Error: the long transaction may be lost: see `going_on`.
        """
        self._db.execute("COMMIT")
        with contextlib.suppress(sqlite3.Error):  # else it is in the log, and the log grows
            _, frames, moved = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self.written_pages += max(frames, 0) + max(moved, 0)
        self._db.execute("BEGIN IMMEDIATE")

    @property
    def going_on(self) -> bool:
        """Whether the long transaction is as it was."""
        return self._db.in_transaction

    def begin_again(self) -> None:
        """Begin a long transaction after one was lost.

        Raises:
            sqlite3.Error: there is none.
        """
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")
        self._db.execute("BEGIN IMMEDIATE")

    def used(self) -> int:
        """Return the bytes in use in the file, as it will be."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size")

    def block_bytes(self) -> tuple[int, int]:
        """Return the bytes of all files of blocks, and of those in which anything is left; every second."""
        total, live = self._db.execute("SELECT bytes, live FROM room").fetchone()
        return total, live

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value
