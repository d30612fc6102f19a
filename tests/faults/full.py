"""A program whose disk becomes full under a spool that nobody empties, is started anew so, and has room later.

    python -m tests.faults.full FOLDER SEED [starts]

It runs with `disk.c` preloaded, which gives room, takes it away and gives it back; or on a small file system, which
a file of ours fills. Prints what came out as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import disk
from tests.faults.books import Books, examine
from tests.faults.children import live
from tests.faults.plant import Life, Plant, begin_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.plant import Told

MIB = 2**20
ROOMY_S, FULL_S, AFTER_S = 60, 150, 30
STARTS = (100, 130, 160)
"""Seconds at which the spool is stopped and started while the disk is full."""
STARTED = 7
"""Lives on a disk that is full from the second on."""


class Room:
    """The room of a disk: what `disk.c` allows, or a small file system that a file fills."""

    def __init__(self, folder: Path, below: disk.Disk, filler: Path | None) -> None:
        self._folder, self._below, self._filler = folder, below, filler

    def take(self) -> None:
        """Leave no byte."""
        if self._filler is None:
            self._below.limit(0)
            return
        with self._filler.open("wb", buffering=0) as file:
            for size in (MIB, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def give(self) -> None:
        """Have room again."""
        self._below.well()
        if self._filler is not None:
            self._filler.unlink()


def start_without_reserve(work: Path, seed: int) -> None:
    """Start again and again on a full disk, where nothing is left to go: no reserve, no block, no free page."""
    folder = work / "state"
    below = disk.Disk(folder, Path(os.environ["TSQ_DISK_CONTROL"]))
    room = Room(folder, below, work / "filler" if os.environ.get("TSQ_SMALL") else None)
    books, statuses = Books(), []
    for start in range(STARTED):
        if start:
            (folder / "ballast").unlink(missing_ok=True)
            room.take()
        life = Life(seed=seed + start, seconds=8 if start else 20, checkpoint=5, min_free=MIB, journal=500_000,
                    end="die" if start % 3 == 2 else "stop")  # fmt: skip
        status, said = live(partial(_live, folder, life, start), below)
        statuses.append(status)
        for told in said:
            books.add(told)
    room.give()
    sys.stdout.write(json.dumps({"statuses": statuses, "problems": examine(folder, books, thorough=True)}) + "\n")


def _live(folder: Path, life: Life, start: int, tell: Callable[[Told], None]) -> None:
    plant = Plant(folder, life, begin_ns(start), tell)
    for number in range(life.seconds):
        assert plant.second(number), "it is not taken"
    if life.end == "stop":
        plant.spool.stop()


def main(work: Path, seed: int) -> None:
    """Live through a full disk; then look whether all is there or listed."""
    folder = work / "state"
    below = disk.Disk(folder, Path(os.environ["TSQ_DISK_CONTROL"]))
    room = Room(folder, below, work / "filler" if os.environ.get("TSQ_SMALL") else None)
    books, ring, refused, later = Books(), [], 0, 0
    life = Life(seed=seed, seconds=0, line=(0, 10**9), checkpoint=15, min_free=MIB)
    plant = Plant(folder, life, begin_ns(0), books.add)
    for number in range(ROOMY_S + FULL_S + AFTER_S):
        if number == ROOMY_S:
            room.take()
        if number == ROOMY_S + FULL_S:
            room.give()
        if number in STARTS:
            plant.spool.stop()
            plant = Plant(folder, life, begin_ns(0) + number * 10**9, books.add)
        taken = plant.second(number)
        ring.append(plant.spool.stats().ring_rows)
        refused += not taken
        later += not taken and number > ROOMY_S + FULL_S + 3
    stats = plant.spool.stats()
    waiting = {key[1] for key in plant.waiting()}
    gone = {seq for gap in books.gaps.values() for a, b in gap.runs for seq in range(a, b + 1)}
    overflow = sum(gap.rows for gap in books.gaps.values() if gap.cause == "overflow")
    plant.spool.stop()
    result = {
        "problems": examine(folder, books, thorough=True),
        "seconds": ROOMY_S + FULL_S + AFTER_S,
        "seconds_not_taken": refused,
        "not_taken_after_room": later,
        "most_in_ring": max(ring),
        "lost_in_ring": stats.ring_lost_rows,
        "given_up": len(gone),
        "rows_in_gaps": overflow,
        "oldest_first": not gone or max(gone) < min(waiting),
        "left": len(waiting),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    run = start_without_reserve if sys.argv[3:] == ["starts"] else main
    run(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
