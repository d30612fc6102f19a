"""Closed days in the file of a spool that does not run: what is computed anew takes the place of what was there."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from agent.errors import SpoolFailed
from agent.spool import days, schema
from agent.spool.spool import NAME

if TYPE_CHECKING:
    from pathlib import Path


class DayStore:
    """The days of a spool; whoever makes one holds the lock of its folder.

    Args:
        folder: Of the spool.

    Raises:
        SpoolFailed: its file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        if not self._path.exists():
            raise SpoolFailed(f"{self._path}: there is no such file")
        try:
            self._db = schema.connect(self._path)
        except (schema.Corrupt, sqlite3.Error, OSError) as exc:
            raise SpoolFailed(f"{self._path}: {exc}") from exc

    def put(self, day: str, body: bytes) -> None:
        """Put a day in the place of the one that was there; it is on the disk when this returns.

        Raises:
            SpoolFailed: it is not; what was there stays.
        """
        try:
            self._db.execute("INSERT OR REPLACE INTO day VALUES (?, ?)", (day, days.packed(body)))
        except sqlite3.Error as exc:
            raise SpoolFailed(f"{self._path}: {exc}") from exc

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        schema.keep_room(self._path)
