"""A program whose disk hangs or refuses while an invented plant goes on in data time: what became of each row.

    python -m tests.faults.stalled FOLDER SECONDS stall|read-only|broken

It runs with `disk.c` preloaded. The spool's own thread commits; the plant advances a second at a time.
"""

from __future__ import annotations

import errno
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from agent.frame import FrameBlock
from tests.faults import disk
from tests.faults.books import gaps_of, items_of
from tests.faults.plant import BEFORE, contents, open_spool, reading
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from agent.spool import Spool

PATIENCE_S = 30


def found(spool: Spool) -> tuple[Counter[tuple[str, int, int]], dict[str, int]]:
    """Return how often each (source, time, signal) is in the spool, and the rows of each gap `overflow`."""
    rows: Counter[tuple[str, int, int]] = Counter()
    gaps: dict[str, int] = {}
    for kept in contents(spool):
        for item in items_of(kept, {}):
            if isinstance(item, FrameBlock):
                times, signals = item.time_ns.tolist(), item.signal.tolist()
                rows.update((item.source.id, t, s) for t, s in zip(times, signals, strict=True))
        gaps |= {name: gap.rows for name, gap in gaps_of(kept) if gap.cause == "overflow"}
    return rows, gaps


def main(folder: Path, seconds: int, fault: str) -> None:
    """Let the disk hang, be read-only or fail every change for so many seconds of data time."""
    below = disk.Disk(folder, Path(os.environ["TSQ_DISK_CONTROL"]))
    spool, chain = open_spool(folder)
    clock, rng = FakeClock(), random.Random(1)
    spool.start(clock, chain)
    put = 0
    longest = 0.0

    def read_for(count: int) -> None:
        nonlocal put, longest
        for _ in range(count):
            for one in BEFORE:
                item = reading(one, clock.now(), rng)
                began = time.monotonic()
                spool.put(item)
                spool.stats()
                longest = max(longest, time.monotonic() - began)
                put += len(item)
            clock.advance(1)

    def settled() -> None:
        deadline = time.monotonic() + PATIENCE_S
        while spool.stats().ring_rows and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not spool.stats().ring_rows, "the disk is well, and the spool does not use it"

    read_for(5)
    settled()
    if fault == "stall":
        below.stall()
    elif fault == "read-only":
        below.read_only()
    else:
        below.fail(errno.EIO)
    read_for(1)
    deadline = time.monotonic() + PATIENCE_S
    while not (below.get("stalled") or below.get("failed")):
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.01)
    read_for(seconds - 1)
    below.well()
    settled()
    read_for(5)
    settled()
    rows, gaps = found(spool)
    lost = spool.stats().ring_lost_rows
    spool.stop()
    result = {
        "put": put,
        "stored": len(rows),
        "twice": sum(n - 1 for n in rows.values()),
        "in_gaps": sum(gaps.values()),
        "lost": lost,
        "longest_put_s": round(longest, 3),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3])
