"""Small files of the state folder that must be whole or not there, whatever happens to the power."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def put(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file in one piece; it is on the disk when this returns.

    Raises:
        OSError: the disk does not take it; what was there stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Have the names of a folder on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def thin(found: Sequence[Path], kept: int, kept_bytes: int) -> None:
    """Let the first of too many files go; the last one stays, whatever it takes."""
    size = 0
    for number, path in enumerate(reversed(found)):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
            if number and (number >= kept or size > kept_bytes):
                path.unlink()
