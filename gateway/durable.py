"""Files that are there after a power cut, and belong to whom their folder belongs."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def hand_over(file: IO[bytes], folder: Path) -> None:
    """Give a file that an administrator's command has made to whom the folder belongs: the gateway reads it too."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)


def make_folder(path: Path) -> None:
    """Make a folder in one that exists, for its owner alone; it is on the disk when this returns."""
    path.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
    fsync_folder(path.parent)


def replace(path: Path, content: bytes, owner: Path, fresh_name: str = ".new") -> None:
    """Write a file anew for whom the folder `owner` belongs: the old content or the new one, never half of it.

    Args:
        path: The file.
        content: Its new content.
        owner: A folder.
        fresh_name: What the name ends in until it is whole; of each writer its own where several may write.

    Raises:
        OSError: it is as it was.
    """
    fresh = path.with_name(path.name + fresh_name)
    with fresh.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        hand_over(file, owner)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    fsync_folder(path.parent)


def fsync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
