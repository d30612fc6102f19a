"""The spool beside SQLite's own limit: `python -m benchmarks.spool [--seconds 1800] [--signals demo]`.

1,000 signals at 1 s in 50 sources of 20 go through `put` and `tick`, a commit a second of data time, and are then
read as the sender reads them. Beside it stands what SQLite alone does with the same bytes: one blob a second in
WAL mode with `synchronous=FULL`, and all of them read back.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import entry
from agent.frame import FrameBlock
from agent.spool import Limits, Spool
from tests.outage.fill import birth
from tests.support.clocks import FakeClock
from tests.support.plant import KINDS, Plant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item

PAGE = 64


def sqlite(folder: Path, contents: Sequence[bytes]) -> tuple[float, float, int]:
    """Return the seconds to commit and to read the contents, and the bytes on the disk."""
    path = folder / "raw.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, body BLOB)")
    begin = time.perf_counter()
    for seq, raw in enumerate(contents, 1):
        db.execute("INSERT INTO entry VALUES (?, ?)", (seq, raw))
    wrote = time.perf_counter() - begin
    begin = time.perf_counter()
    assert sum(1 for _ in db.execute("SELECT body FROM entry ORDER BY seq")) == len(contents)
    read = time.perf_counter() - begin
    db.close()
    return wrote, read, path.stat().st_size


def ours(folder: Path, plant: Plant, seconds: Sequence[Sequence[Item]]) -> tuple[float, float, float, int, int]:
    """Return the seconds to put, to commit and to read, the bytes on the disk, and those of them that are fixed."""
    clock = FakeClock(plant.start_ns)
    spool = Spool(
        folder, birth=birth(plant), sources=plant.sources, limits=Limits(min_free_bytes=0),
        fingerprint=lambda: "box", account=lambda *_: {},
    )  # fmt: skip
    spool.begin(clock)
    put = committed = 0.0
    for items in seconds:
        begin = time.perf_counter()
        for item in items:
            spool.put(item)
        middle = time.perf_counter()
        clock.advance(1)
        spool.tick()
        put, committed = put + middle - begin, committed + time.perf_counter() - middle
    spool.stop()
    size = sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
    fixed = sum(path.stat().st_blocks * 512 for path in [folder / "ballast", *(folder / "journal").iterdir()])
    again = Spool(
        folder, birth=birth(plant), sources=plant.sources, limits=Limits(min_free_bytes=0),
        fingerprint=lambda: "box", account=lambda *_: {},
    )  # fmt: skip
    begin, after, found = time.perf_counter(), 0, 0
    while page := again.unconfirmed(after, None, PAGE):
        found += len(again.sending(page))
        after = page[-1].seq
    read = time.perf_counter() - begin
    assert found >= len(seconds)
    return put, committed, read, size, fixed


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spool")
    parser.add_argument("--seconds", type=int, default=1_800)
    parser.add_argument("--signals", choices=KINDS, default="demo")
    args = parser.parse_args()
    plant = Plant(args.signals, hours=args.seconds / 3600 + 1)
    seconds = list(plant.seconds(args.seconds))
    contents = [entry.encode(entry.arrange(items), n) for n, items in enumerate(seconds, 1)]
    samples = sum(len(item) for items in seconds for item in items if isinstance(item, FrameBlock))
    with tempfile.TemporaryDirectory(prefix="tsq-spool-") as name:
        put, committed, read, size, fixed = ours(Path(name) / "ours", plant, seconds)
        wrote, got, raw_size = sqlite(Path(name), contents)
    print(f"{samples:,} samples of {args.signals}")
    print(f"spool   put {samples / put:,.0f}, commit {samples / committed:,.0f} samples/s,", end=" ")
    print(f"read {samples / read:,.0f} samples/s, {(size - fixed) / samples:.2f} bytes a sample", end=" ")
    print(f"and {fixed / 1e6:.1f} MB that any spool takes")
    print(f"SQLite  commit {samples / wrote:,.0f} samples/s,", end=" ")
    print(f"read {samples / got:,.0f} samples/s, {raw_size / samples:.2f} bytes a sample")


if __name__ == "__main__":
    main()
