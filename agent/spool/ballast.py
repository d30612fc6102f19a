"""Room that is kept for the one moment when there is none: a file that goes when the disk is full.

The journal's files are as large as they will be, and blocks make their own room. SQLite's checkpoint needs a
little: without it the journal could never be written over. So the ballast goes before a checkpoint that finds no
room, and is there again when there is more than enough.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

from agent.spool.disk import remove

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

NAME = "ballast"
SIZE = 2 * 2**20
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

    def trim(self) -> None:
        """Let it go where the disk has no room for a checkpoint, and make it where it has room for many."""
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return
        free = disk.f_bavail * disk.f_frsize
        if free < self.wanted and self.size:
            logger.warning("%s is full: the last reserve is used", self._folder)
            remove(self._path)
        elif free > 8 * self.wanted and not self.size:
            with contextlib.suppress(OSError):
                descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
                try:
                    os.posix_fallocate(descriptor, 0, self.wanted)
                finally:
                    os.close(descriptor)
