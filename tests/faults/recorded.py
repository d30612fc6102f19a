"""A program that runs some lives of a plant, one after the other, on a recorded disk.

    python -m tests.faults.recorded FOLDER LIVES

LIVES is a JSON list of `plant.Life`. What the plant tells goes to the mark of the disk, so that the trace holds it
in the order of the writes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import sys
from pathlib import Path

import msgspec

from agent.spool.database import Database
from tests.faults import disk
from tests.faults.plant import Life, Told, grow


def end_with(recorder: disk.Disk, commit: int, sync: int) -> None:
    """Have a sync fail in a commit of SQLite, and the process end there: the next reads from memory."""
    real = Database.commit
    left = commit

    def failing(self: Database) -> None:
        nonlocal left
        left -= 1
        if left:
            real(self)
            return
        recorder.fail(errno.EIO, at=sync, count=1, classes=disk.SYNC)
        with contextlib.suppress(sqlite3.Error):
            real(self)
        os._exit(0)

    Database.commit = failing  # type: ignore[method-assign]


def main(folder: Path, lives: list[Life]) -> None:
    """Fork a child for each life, so that it dies as a process does."""
    recorder = disk.Disk(folder, Path(os.environ["TSQ_DISK_CONTROL"]))
    for number, life in enumerate(lives):
        if life.bad_sync is not None:
            recorder.fail(errno.EIO, at=life.bad_sync[0], count=life.bad_sync[1], classes=disk.SYNC)
        child = os.fork()
        if child == 0:
            mark = os.open(os.environ["TSQ_DISK_MARK"], os.O_WRONLY)

            def tell(told: Told, mark: int = mark) -> None:
                os.write(mark, msgspec.msgpack.encode(told))

            if life.bad_commit is not None:
                end_with(recorder, *life.bad_commit)
            grow(folder, life, number, tell)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        recorder.well()
        if status:
            sys.exit(f"life {number} ended with {status}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=list[Life]))
