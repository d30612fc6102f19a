"""A program whose disk becomes full under a spool that nobody empties, is started anew so, and has room later.

    python -m tests.faults.full FOLDER SEED

It runs with `disk.c` preloaded, which gives room, takes it away and gives it back; or on a small file system, which
a file of ours fills. Prints what came out as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.faults import disk
from tests.faults.books import Books, examine
from tests.faults.plant import Life, Plant, begin_ns

MIB = 2**20
ROOMY_S, FULL_S, AFTER_S = 60, 150, 30
STARTS = (100, 130, 160)
"""Seconds at which the spool is stopped and started while the disk is full."""


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
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
