"""Room that is kept for the moments when there is none: a file that shrinks when the disk is full.

The journal's files are as large as they will be, and blocks make their own room. SQLite needs a little, for a
checkpoint and to be opened: without the one the journal could never be written over, and without the other an agent
that is started on a full disk could not go on. Each time it is needed half of the file goes, so that more than one
such moment is survived; it grows again with what room there is.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

NAME = "ballast"
SIZE = 2 * 2**20
SMALLEST = 2**17
PART = 32  # of what the spool may take, at most


class Ballast:
    """The file.

    Args:
        folder: Of the spool.
        most: Bytes that the spool may take in all.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.wanted = min(SIZE, most // PART)
        self._folder = folder
        self._path = folder / NAME

    @property
    def size(self) -> int:
        """Bytes that it takes now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def release(self) -> bool:
        """Let half of it go if the disk is full; return whether anything went."""
        with contextlib.suppress(OSError):
            size = self.size
            if size and self._free() < self.wanted:
                logger.warning("%s is full: %d kB of the reserve are used", self._folder, size // 2048)
                os.truncate(self._path, size // 2 if size > SMALLEST else 0)
                return True
        return False

    def renew(self) -> None:
        """Have it grow again, by what the disk hardly misses."""
        with contextlib.suppress(OSError):
            size = self.size
            more = min(self.wanted - size, self._free() // 8)
            if more >= min(SMALLEST, max(self.wanted - size, 1)):
                descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
                try:
                    os.posix_fallocate(descriptor, 0, size + more)
                finally:
                    os.close(descriptor)

    def _free(self) -> int:
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize
