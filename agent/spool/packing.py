"""From the journal into blocks: what nobody has confirmed for half a minute or more.

A group of entries becomes a file as soon as it is whole: half a minute of 1,000 signals, ten minutes of ten. When
all is well, everything is confirmed within seconds and no file is ever written. The rest is packed when the
journal's older file has to be written over.

The file is on the disk before SQLite is told, and SQLite is told before the journal's file is written over. What
SQLite was not told of goes: its entries lie in the journal still.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import WireError
from agent.spool import blocks as files
from agent.spool.base import KEPT, Kept
from agent.spool.blocks import Index, Packed
from agent.spool.columns_arrays import CONTENTS_LIMIT

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from agent.spool.base import Limits
    from agent.spool.blocks import Blocks
    from agent.spool.contents import Contents
    from agent.spool.database import Database

logger = logging.getLogger(__name__)

GROUP_BYTES = (
    550_000  # of canonical content: half a minute of 1,000 signals; twice as much saves 0.1 bytes a sample
)
GROUP_ENTRIES = 600


MANY = 60  # entries: from then on a group that another birth cuts off is not waited for


class _Group(NamedTuple):
    entries: list[Kept]
    whole: bool


class Packer:
    """Writes blocks; one thread.

    Args:
        folder: Of the spool.
        db: The state.
        lock: Of the state.
        blocks: The files.
        contents: Gives what is packed.
        limits: How much room is left to others.
        spools: Names of spools by their key.
        births: Hashes of births by their key.
    """

    def __init__(
        self,
        folder: Path,
        db: Database,
        lock: threading.RLock,
        blocks: Blocks,
        contents: Contents,
        limits: Limits,
        spools: Mapping[int, str],
        births: Mapping[int, str],
    ) -> None:
        self._folder = folder
        self._db = db
        self._lock = lock
        self._blocks = blocks
        self._contents = contents
        self._limits = limits
        self._spools = spools
        self._births = births
        self._said = False
        self.short = 0
        """Bytes that were missing for the last file."""
        self.damaged: set[int] = set()
        """Entries that the journal does not give back."""

    def pack(self, until: int | None = None) -> bool:
        """Pack the oldest group if it is whole, or in any case if it begins in a record up to `until`.

        Returns:
            Whether a file was written.
        """
        with self._lock:
            group = self._group(until)
        if group is None or not (group.whole or until is not None):
            return False
        contents: list[tuple[int, bytes]] = []
        for entry in group.entries:
            try:
                contents.append((entry.seq, self._contents.raw(entry.seq, entry.record, None)))
            except WireError as exc:
                logger.error("entry %d is damaged on the disk: %s", entry.seq, exc)  # noqa: TRY400 - no bug of ours
                self.damaged.add(entry.seq)
        good = [entry for entry in group.entries if entry.seq not in self.damaged]
        return bool(good) and self._save(good, contents)

    def _group(self, until: int | None) -> _Group | None:
        which = "state != 1" if until is None else "record <= ?"
        rows = self._db.execute(
            f"{KEPT} WHERE record IS NOT NULL AND {which} ORDER BY record, seq LIMIT ?",
            (*([] if until is None else [until]), GROUP_ENTRIES + 1),
        ).fetchall()
        entries: list[Kept] = []
        total = 0
        for row in rows:
            entry = Kept(*row)
            if entry.seq in self.damaged:
                continue
            first = entries[0] if entries else entry
            if total >= GROUP_BYTES or len(entries) >= GROUP_ENTRIES or total + entry.size > CONTENTS_LIMIT:
                return _Group(entries, whole=True)
            if (entry.spool, entry.birth) != (first.spool, first.birth):
                return _Group(entries, whole=len(rows) >= MANY)
            entries.append(entry)
            total += entry.size
        return _Group(entries, whole=False) if entries else None

    def _save(self, entries: list[Kept], contents: list[tuple[int, bytes]]) -> bool:
        first, seqs = entries[0], [entry.seq for entry in entries]
        with self._lock:
            held = {
                seq
                for (seq,) in self._db.execute(
                    "SELECT seq FROM entry WHERE seq BETWEEN ? AND ? AND state = 3", (min(seqs), max(seqs))
                )
            }
        index = Index(
            self._spools[first.spool],
            self._births[first.birth],
            [
                Packed(e.seq, e.crc, e.committed_ns, e.process, e.rows, e.size, e.epoch, e.shift, e.seq in held)
                for e in entries
            ],
        )
        data = files.encode(index, contents)
        if not self._fits(len(data)):
            return False
        block = min(seqs)
        try:
            self._blocks.save(block, data)
        except OSError as exc:
            if not self._said:
                logger.warning("%s cannot be written, nothing is lost: %s", self._blocks.path(block), exc)
            self._said, self.short = True, len(data)
            return False
        self._said, self.short = False, 0
        self._contents.gone(block)
        with self._lock:
            self._db.execute("DELETE FROM block WHERE id = ?", (block,))
            placed = 0
            for entry in entries:  # what was freed meanwhile is not here any more
                placed += self._db.execute(
                    "UPDATE entry SET record = NULL, block = ? WHERE seq = ?", (block, entry.seq)
                ).rowcount
            self._db.execute("INSERT INTO block VALUES (?, ?, ?, ?)", (block, max(seqs), len(data), placed))
        return True

    def _fits(self, size: int) -> bool:
        """Return whether the disk has room for a file; what is missing is noted for the next transaction."""
        disk = os.statvfs(self._folder)
        free = disk.f_bavail * disk.f_frsize
        if free - size >= self._limits.min_free_bytes:
            return True
        self.short = size
        return False
