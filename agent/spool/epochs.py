"""What is known of the clock's epochs, once more in a small file beside the journal: `epochs`.

What was vouched for keeps the content that it was written with, in blocks for weeks. By how much its stamps are
shifted SQLite alone knows when the journal has been written over. So the table `epoch` is saved whenever a commit
has changed it, a few times in the life of a process; and with it the last number in use: none is used again.
Without the file, everything works as long as the database can be read.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from agent.spool.database import Database
    from agent.spool.disk import Disk

logger = logging.getLogger(__name__)

NAME = "epochs"
_SUM = 16
_ENTERED = (
    "INSERT INTO epoch VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET "
    "process = max(process, excluded.process), shift = coalesce(shift, excluded.shift), over = over | excluded.over"
)


class Epoch(msgspec.Struct, frozen=True, array_like=True):
    """A row of the table `epoch`."""

    number: int
    process: int
    boot_id: str
    anchor_ns: int
    shift: int | None
    over: int

    @property
    def let_go(self) -> bool:
        """Whether its entries were let go as they are."""
        return bool(self.over & 1) and self.shift is None


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What the file says: the last number of a process or an epoch, and the epochs that something may be of."""

    last: int = 0
    epochs: list[Epoch] = []


_decoder = msgspec.msgpack.Decoder(Known)


class Epochs:
    """The file.

    Args:
        folder: Of the spool.
        disk: Writes.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._path = folder / NAME
        self._disk = disk
        self._refused = False
        self._said: Known | None = self._read()  # as it is on the disk, or was tried
        self.found = self._said or Known()
        """What it said when it was opened."""

    def _read(self) -> Known | None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            logger.warning("%s cannot be read: %s", self._path, exc)
            return None
        try:
            if _sum(data[_SUM:]) == data[:_SUM]:
                return _decoder.decode(data[_SUM:])
        except msgspec.DecodeError:
            pass
        logger.error("%s is damaged; it is needed only if the database is, too", self._path)
        return None

    def enter(self, db: Database) -> None:
        """Have a database know what the file knows; what it knows itself stays."""
        for one in self.found.epochs:
            db.execute(_ENTERED, msgspec.structs.astuple(one))

    def keep(self, known: Known) -> None:
        """Save what is known now, if it is not what was known before.

        When the disk refuses it, it is tried again with the next change, or after `again`.
        """
        if known == self._said:
            return
        self._said, self._refused = known, False
        body = msgspec.msgpack.encode(known)
        try:
            self._disk.save(self._path, _sum(body) + body)
        except OSError as exc:
            self._refused = True
            logger.warning("%s: no second copy of what is known of the clock: %s", self._path, exc)

    def again(self) -> None:
        """Have what the disk has refused tried once more."""
        if self._refused:
            self._said = None


def epochs_of(db: Database) -> Known:
    """Return what a database knows."""
    last = db.execute("SELECT process FROM state").fetchone()[0]
    return Known(last, [Epoch(*row) for row in db.execute("SELECT * FROM epoch ORDER BY number")])


def _sum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM).digest()
