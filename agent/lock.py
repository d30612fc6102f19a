"""One agent per state folder: two would number the same entries and free each other's.

The kernel's lock on a file, so that nothing is left to clean up after a power cut. The first agent keeps its
control socket, which a second one would take away.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from agent.errors import SpoolFailed

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "lock"


def hold(folder: Path) -> int:
    """Take a state folder for this process; it is free again when the process ends.

    Args:
        folder: Of the state; it is made, for its user alone, when it is missing.

    Returns:
        The descriptor that holds it.

    Raises:
        SpoolFailed: another agent works in it, or it cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as exc:
        raise SpoolFailed(f"{folder}: {exc}: make room, or correct the owner of the directory") from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        holder = os.read(descriptor, 20).decode("ascii", "replace") or "unknown"
        os.close(descriptor)
        raise SpoolFailed(
            f"{folder} is in use by another agent (process {holder}): stop that one, or write another "
            "storage.directory"
        ) from exc
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
