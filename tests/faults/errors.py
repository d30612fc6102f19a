"""A program in which every single call that changes the disk fails once: nothing committed is lost, nothing ends.

    python -m tests.faults.errors FOLDER EVERY SEED

It runs with `disk.c` preloaded. A life of the plant is begun on a copy of the same old folder again and again, each
time with the next call (or each EVERY-th) failing in one of the ways of `WAYS`; the first calls are those of the
opening. When the disk is well again, the spool must take data within a few seconds, and a copy is compared with the
books. Prints one JSON object.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import SpoolFailed
from tests.faults import disk
from tests.faults.books import Books
from tests.faults.children import live
from tests.faults.plant import Life, Plant, begin_ns, grow
from tests.faults.powerloss import attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.plant import Told

SECONDS = 14
WELL_AT = 8
PATIENCE = 5  # commits within which a disk that is well again must be in use


class Way(NamedTuple):
    """A way for calls to fail: with which error (0: a write stops short), which classes, how many in a row."""

    error: int
    classes: int
    calls: int


WAYS = (
    Way(errno.ENOSPC, disk.WRITE | disk.OPEN | disk.SIZE, 1),
    Way(errno.ENOSPC, disk.WRITE | disk.OPEN | disk.SIZE, 10**9),
    Way(errno.EIO, disk.CHANGES, 1),
    Way(errno.EIO, disk.SYNC, 1),
    Way(errno.EROFS, disk.CHANGES & ~disk.SYNC, 10**9),
    Way(0, disk.WRITE, 1),
)


def begin(folder: Path, life: Life, recorder: disk.Disk, tell: Callable[[Told], None]) -> Plant:
    """Open the spool; when the disk does not let it, once more when it is well, as the service manager does."""
    try:
        return Plant(folder, life, begin_ns(2), tell)
    except (SpoolFailed, OSError):
        recorder.well()
        return Plant(folder, life, begin_ns(2), tell)


def trial(folder: Path, life: Life, recorder: disk.Disk, tell: Callable[[Told], None]) -> None:
    """Live; the disk is well after some seconds."""
    plant = begin(folder, life, recorder, tell)
    waits = 0
    for number in range(SECONDS):
        if number == WELL_AT:
            recorder.well()
        taken = plant.second(number)
        waits = 0 if taken or number < WELL_AT else waits + 1
        if waits > PATIENCE:
            raise AssertionError("the disk is well, and the spool does not use it")
    plant.spool.stop()


def main(work: Path, every: int, seed: int) -> None:
    """Make each call fail in each way."""
    rng = random.Random(seed)
    recorder = disk.Disk(work / "state", Path(os.environ["TSQ_DISK_CONTROL"]))
    folder, old, copied = work / "state", work / "old", work / "copy"
    before = Life(seed=seed, seconds=14, checkpoint=6)
    _, said = live(partial(grow, folder, before, 1), recorder)
    folder.rename(old)
    problems: Counter[str] = Counter()
    trials: Counter[str] = Counter()
    for way in WAYS:
        name = f"{errno.errorcode.get(way.error, 'short')} x {way.calls} of {way.classes}"
        number = rng.randint(1, every)
        while True:
            shutil.copytree(old, folder)
            life = Life(seed=number, seconds=SECONDS, checkpoint=4, line=(0, 4))
            recorder.fail(way.error, at=number, count=way.calls, classes=way.classes)
            status, more = live(partial(trial, folder, life, recorder), recorder)
            books = Books()
            for told in (*said, *more):
                books.add(told)
            wrong = [f"ended with {status}"] if status else []
            shutil.copytree(folder, copied)
            wrong += attempt(copied, books, thorough=number % 7 == 0)
            shutil.rmtree(copied)
            shutil.rmtree(folder)
            if wrong:
                problems.update(f"{name}: {text}" for text in wrong[:2])
                problems[f"{name}: at call {number}"] += 1
            failed = recorder.get("failed")
            trials[name] += failed > 0
            if not failed or (way.calls > 10**6 and number > 60):
                break
            number += every
    sys.stdout.write(json.dumps({"trials": trials, "problems": dict(problems.most_common(40))}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3]))
