"""Files on a stick that anybody may pull out at any moment: each is whole, or is seen to be not.

A file is written under `{name}.part`, synced and renamed. Nothing is ever overwritten. FAT knows no rights and, on
some systems, no sync of a folder; then everything is synced.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tsq-carry"
PART = ".part"
FILES_LIMIT = 20_000
"""Of one stick that are looked at."""
RESERVE = 256 * 1024
"""Bytes that stay free: the end of a file, and what the file system needs itself."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StickFull(Exception):  # noqa: N818 - reads as what happened
    """There is no room for this piece."""


def folder(stick: Path) -> Path:
    """Return the folder of ours on a stick.

    Raises:
        OSError: there is no stick there; an empty mount point is not made into one.
    """
    if not stick.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(stick))
    return stick / FOLDER


def files(stick: Path, suffix: str) -> list[Path]:
    """Return the files of this kind, by name, at most `FILES_LIMIT`; not the hidden ones that some systems add.

    Raises:
        OSError: there is no stick, or it may not be read.
    """
    place = folder(stick)
    if place.is_dir():
        next(place.iterdir(), None)  # a search in a folder that may not be read finds nothing, and says nothing
    found = sorted(place.glob(f"[!.]*{suffix}"))
    return [path for path in found[:FILES_LIMIT] if path.is_file() and not path.is_symlink()]


class Fresh:
    """A file that is being written.

    Args:
        stick: Where the stick is mounted.
        name: Of the file while it is written, without `.part`.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, stick: Path, name: str) -> None:
        self._folder = folder(stick)
        self._folder.mkdir(exist_ok=True)
        self._part = self._folder / f"{name}{PART}"
        self._part.unlink(missing_ok=True)  # torn off some other time: nobody has it from there
        self._file = self._part.open("xb", buffering=0)
        self.size = 0

    def write(self, piece: bytes, reserve: int = RESERVE) -> None:
        """Add a piece, all or nothing of it.

        Raises:
            StickFull: there is no room for it; the file is as before.
            OSError: the stick is gone, or fails.
        """
        try:
            room = os.statvfs(self._folder)
            if room.f_bavail * room.f_frsize < len(piece) + reserve:
                raise StickFull
            done = 0
            while done < len(piece):
                done += self._file.write(piece[done:])
        except OSError as exc:
            with contextlib.suppress(OSError):
                self._file.truncate(self.size)
                self._file.seek(self.size)
            if exc.errno in _FULL:
                raise StickFull from exc
            raise
        self.size += len(piece)

    def finish(self, name: str) -> Path:
        """Sync it and give it its name.

        Raises:
            FileExistsError: there is one of that name.
            OSError: the stick is gone, or fails.
        """
        path = self._folder / name
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.rename(path)
        _sync(self._folder)
        return path

    def abandon(self) -> None:
        """Let it go."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
        os.sync()
    finally:
        os.close(handle)
