"""Tag dictionaries beside the dead letters that need them: `births/{factory}.{agent}.{hash}.zst` in their folder.

Rows that contradict their birth can be read again with this birth only. Broker and agent forget one that nothing
names any more, and what came by a stick was never on a broker. So a birth is on the disk before the first letter
that needs it, and stays while one waits.

A worker shares the kernel's lock on `births/lock` from before it looks for a birth until its letter is written: one
that is frozen meanwhile keeps no other from writing its own.
`sweep` looks twice, with the letters in between, and takes away what none of them needs and nobody has asked for
meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from contract import codec
from contract.errors import WireError
from contract.payload import Birth
from gateway import durable
from gateway.points import Dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.topics import AgentTopics
    from gateway.letter import DeadLetter

FOLDER = "births"
_LIMIT = codec.BIRTH_PART_LIMIT * codec.BIRTH_PARTS_LIMIT
_HASH = re.compile(r"[0-9a-f]{16,64}")


def place(folder: Path, agent: str, digest: str) -> Path:
    """Return where a birth of an agent (`factory/agent`) lies in a folder of dead letters."""
    return folder / FOLDER / f"{agent.replace('/', '.')}.{digest}.zst"


def sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield whose each birth is, and its bytes on the disk."""
    for path in (folder / FOLDER).glob("*.zst"):
        with contextlib.suppress(FileNotFoundError):
            yield "/".join(path.name.split(".")[:2]), path.stat().st_size


@contextlib.contextmanager
def locked(folder: Path, *, alone: bool) -> Iterator[None]:
    """Keep others from taking births away; alone: from keeping them, too.

    Raises:
        OSError: the disk does not let us.
    """
    births = folder / FOLDER
    if not births.exists():
        durable.make_folder(births)
    with (births / "lock").open("ab") as file:
        durable.hand_over(file, folder)
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def touch(path: Path) -> bool:
    """Return whether a birth is kept, and mark it as asked for; under the lock."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns + 1))
    return True


@lru_cache(maxsize=2)
def read(folder: Path, branch: AgentTopics, digest: str) -> Dictionary | None:
    """Return a birth that is kept; None when it is not, or is damaged."""
    if not _HASH.fullmatch(digest):
        return None
    try:
        raw = codec.decompress(place(folder, f"{branch.factory}/{branch.agent}", digest).read_bytes(), _LIMIT)
        return Dictionary(codec.decode(raw, Birth, _LIMIT)) if codec.digest(raw) == digest else None
    except (OSError, WireError):
        return None


def sweep(folder: Path, letters: Callable[[], Iterator[DeadLetter | None]]) -> None:
    """Take away the births that no letter needs."""
    births = folder / FOLDER
    if not births.exists():
        return
    with locked(folder, alone=True):
        for torn in births.glob("*.new"):
            torn.unlink()
        before = {path: path.stat().st_mtime_ns for path in births.glob("*.zst")}
    for letter in letters() if before else ():
        if letter is not None and letter.faults:
            before.pop(place(folder, "/".join(letter.topic.split("/")[2:4]), letter.birth or ""), None)
    with locked(folder, alone=True):
        for path, mark in before.items():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime_ns == mark:
                    path.unlink()
        durable.fsync_folder(births)
