"""Every file of the spool apart from SQLite's is written here, and what that wears the disk is counted.

Only `pwrite`, `fdatasync` and `fsync`: what tests record, break or delay in the process sees all of it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096
_ZEROS = bytes(2**18)


class Disk:
    """Writes, and counts bytes and the pages of 4 kB that they touch."""

    def __init__(self) -> None:
        self.written_bytes = 0
        self.written_pages = 0

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write all of it at this place.

        Raises:
            OSError: part of it may be there.
        """
        self.written_bytes += len(data)
        self.written_pages += (offset + len(data) - 1) // PAGE - offset // PAGE + 1
        view = memoryview(data)
        while view:
            done = os.pwrite(descriptor, view, offset)
            offset += done
            view = view[done:]

    def prepare(self, path: Path, size: int) -> int:
        """Open a file for reading and writing, and fill it with zeros to this size, on the disk.

        Returns:
            The descriptor.

        Raises:
            OSError: it is not open.
        """
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            at = os.fstat(descriptor).st_size
            if at < size:
                while at < size:
                    self.write(descriptor, _ZEROS[: size - at], at)
                    at += min(len(_ZEROS), size - at)
                os.fsync(descriptor)
            sync_folder(path.parent)  # always: the process that made it may have failed to
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def save(self, path: Path, data: bytes) -> None:
        """Put a whole file in its place; when this returns, it is on the disk under its name.

        Raises:
            OSError: what stood under the name stands there still.
        """
        fresh = path.with_name(f"{path.name}.new")
        descriptor = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        try:
            try:
                self.write(descriptor, data, 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fresh.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise


def make_folder(path: Path) -> None:
    """Have a folder that only its owner reads, on the disk.

    Raises:
        OSError: there is none.
    """
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
    sync_folder(path.parent)  # always: the process that made it may have failed to
    path.chmod(0o700)


def sync_folder(path: Path) -> None:
    """Put the names in a folder on the disk.

    Raises:
        OSError: they may not be there.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_again(path: Path) -> None:
    """Write a file over with what it holds, so that the disk has it.

    A process whose sync has failed may have ended before it could try again. What it wrote is read from memory as
    if it were on the disk, and no later sync would say that it is not.

    Raises:
        OSError: the disk may not have it.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        size, at = os.fstat(descriptor).st_size, 0
        while at < size:
            at += os.pwrite(descriptor, os.pread(descriptor, 2**20, at), at)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file if it can be; one that stays is only in the way."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
