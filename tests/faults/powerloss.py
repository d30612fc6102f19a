"""The power goes at recorded points: every write and sync of some lives, and the disk as it may be after each.

    python -m tests.faults.powerloss [--points N] [--seed N] [--long] [--no-sync] [--keep FOLDER]

Prints what came out as JSON; ends with 1 when a promise was broken. `--keep` leaves the first broken image there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.faults import disk, image
from tests.faults.books import Books, examine
from tests.faults.plant import Life, Told
from tests.support.memory import SHARED

HELD = (
    Life(seed=5, seconds=30, config="after", trust_at=40),
    Life(seed=6, seconds=30, trust_at=20),
    Life(seed=7, seconds=30, trust_at=12, line=(0, 20), end="stop"),
)
SHORT = (
    Life(seed=1, seconds=70, line=(0, 70), checkpoint=1000, journal=12_000),
    Life(seed=2, seconds=90, line=(10, 80), change_at=40, end="stop"),
    Life(seed=3, seconds=90, config="after", line=(0, 90), max_bytes=300_000),
    Life(seed=4, seconds=40, config="after", end="stop"),
    *HELD,
)
LONG = (
    Life(seed=1, seconds=400, line=(100, 300), checkpoint=1000, journal=12_000),
    Life(seed=2, seconds=700, checkpoint=100, line=(50, 600), change_at=300, end="stop"),
    Life(seed=3, seconds=500, config="after", line=(0, 450), max_bytes=1_000_000),
    Life(seed=4, seconds=200, config="after", end="stop"),
    *HELD,
)


REFUSED: tuple[Life, ...] = tuple(
    Life(seed=20 + number, seconds=25, line=(0, 25), bad_sync=bad_sync, end="refused" if bad_sync else "die")
    for number, bad_sync in enumerate([(35, 1), None, (38, 1), None, (45, 2), None])
)
"""The process ends where a sync has failed: the next one reads what was never written from memory."""
COMMIT_FAILS: tuple[Life, ...] = tuple(
    Life(seed=40 + number, seconds=12, checkpoint=5, line=(0, 6), bad_commit=bad_commit)
    for number, bad_commit in enumerate([(3, 1), None, (4, 2), None, (2, 1), (1, 1), (4, 1), (3, 2), None])
)
"""Likewise, where a commit of SQLite has failed: the next reads its log from memory, and builds on it."""
SYNC_FAILS: tuple[Life, ...] = REFUSED + tuple(
    Life(
        seed=number,
        seconds=25,
        checkpoint=8,
        line=(0, 5 * (number % 5)),
        bad_sync=(at, number % 2 + 1),
        end="stop" if stops else "die",
    )
    for number, (at, stops) in enumerate([(3, 0), (9, 0), (17, 1), (20, 0), (26, 0), (30, 1), (33, 0), (12, 0)])
)
"""Syncs fail; what they should have written may be gone although later ones succeed."""


SOON = 70
"""Lines of the trace: the opening that comes after a process which a failed sync has ended."""


class Result(NamedTuple):
    """What came out.

    Attributes:
        points: Points at which the power went.
        records: Lines of the trace.
        syncs: Syncs that had returned in it.
        failed: Syncs that had failed.
        entries: Entries promised in the end.
        given_up: Those among them that the spool had no room for.
        broken: Points at which a promise was broken.
        problems: What was wrong, and how often.
        unlike: Files that the recorder has not followed to the last byte; must be none.
        unseen: Files that were mapped for writing.
    """

    points: int
    records: int
    syncs: int
    failed: int
    entries: int
    given_up: int
    broken: int
    problems: dict[str, int]
    unlike: list[str]
    unseen: list[str]


def recorded(work: Path, lives: tuple[Life, ...]) -> tuple[Path, list[image.Record]]:
    """Run the lives on a recorded disk; return their folder and the trace."""
    folder = work / "state"
    recorder = disk.Disk(folder, work / "control", work / "trace")
    subprocess.run(
        [sys.executable, "-m", "tests.faults.recorded", folder, msgspec.json.encode(lives).decode()],
        env={**os.environ, **recorder.env},
        check=True,
        stderr=subprocess.PIPE,
    )
    return folder, list(image.read_trace(work / "trace"))


def points_of(records: list[image.Record], count: int, rng: random.Random) -> list[int]:
    """Pick points: half of them anywhere, half close to what is rare.

    Rare are changes of names and sizes, and of SQLite's file soon after a sync that has failed.
    """
    names = {record.handle: record.first.decode() for record in records if record.what == "o"}
    changes = [i for i, record in enumerate(records) if record.what in "wtards"]
    rare = [i for i, record in enumerate(records) if record.what in "rukta" or (record.what == "o" and record.made)]
    failed = [i for i, record in enumerate(records) if record.what == "f"]
    built = [
        i
        for i in changes
        if names.get(records[i].handle, "").endswith("/spool.db") and any(i - SOON < one < i for one in failed)
    ]
    near = rng.choices(rare, k=count // 2)
    if built:
        near[::2] = rng.choices(built, k=len(near[::2]))
    near = [min(max(i + rng.randint(-3, 6), 0), len(records) - 1) for i in near]
    return sorted(near + rng.choices(changes, k=count - len(near)))


def run(
    points: int,
    seed: int,
    lives: tuple[Life, ...] = SHORT,
    *,
    syncs: bool = True,
    keep: Path | None = None,
    at: list[int] | None = None,
) -> Result:
    """Record the lives, then let the power go at so many points of them.

    Args:
        points: How many.
        seed: Of the points and of what the disk makes of them.
        lives: What is recorded.
        syncs: Whether the disk believes in syncing.
        keep: Where the first broken image goes.
        at: These points instead.
    """
    rng = random.Random(seed)
    problems: Counter[str] = Counter()
    broken = 0
    with tempfile.TemporaryDirectory(dir=SHARED) as name:
        work = Path(name).resolve()
        folder, records = recorded(work, lives)
        wanted = Counter(at if at is not None else points_of(records, points, rng))
        books, state = Books(), image.Disk(str(folder), syncs=syncs)
        for number, record in enumerate(records):
            if record.what == "m":
                books.add(msgspec.msgpack.decode(record.first, type=Told))
            else:
                state.step(record)
            for time in range(wanted[number]):
                after = image_of(state, random.Random(f"{seed} {number} {time}"))
                target = work / "image"
                image.write(after, target)
                wrong = attempt(target, books, thorough=rng.random() < 0.1)
                if wrong:
                    broken += 1
                    problems.update(wrong if len(wrong) < 4 else [*wrong[:3], "more"])
                    problems[f"first at point {number}"] += broken == 1
                    if keep is not None and broken == 1:
                        image.write(after, keep)
                shutil.rmtree(target)
        seen = state.now()
        there = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        unlike = [name for name in sorted(seen.keys() | there) if seen.get(name) != there.get(name)]
    return Result(
        points=sum(wanted.values()),
        records=len(records),
        syncs=sum(record.what == "d" for record in records),
        failed=sum(record.what == "f" for record in records),
        entries=len(books.entries),
        given_up=books.given_up,
        broken=broken,
        problems=dict(problems.most_common(20)),
        unlike=[name for name in unlike if not name.endswith("-shm")],
        unseen=sorted(set(state.unseen)),
    )


def image_of(state: image.Disk, rng: random.Random) -> dict[str, bytes | None]:
    """Return an image without the file that SQLite maps: it is made anew from the log after a restart."""
    return {name: data for name, data in state.image(rng).items() if not name.endswith("-shm")}


def attempt(folder: Path, books: Books, *, thorough: bool) -> list[str]:
    """Examine an image; whatever gets out is wrong as well."""
    config = "before"
    try:
        return examine(folder, books, thorough=thorough, config=config)
    except Exception as exc:  # noqa: BLE001 - told with the point
        return [f"{type(exc).__name__}: {exc}"]


def main() -> int:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true", help="record longer lives")
    parser.add_argument("--sync-fails", action="store_true", help="record lives in which a sync fails")
    parser.add_argument(
        "--commit-fails", action="store_true", help="record lives that end where SQLite's log failed"
    )
    parser.add_argument(
        "--no-sync", action="store_true", help="the disk forgets what was synced: must break promises"
    )
    parser.add_argument("--keep", type=Path, help="where the first broken image goes")
    parser.add_argument("--at", type=int, action="append", help="this point")
    args = parser.parse_args()
    lives = LONG if args.long else SYNC_FAILS if args.sync_fails else COMMIT_FAILS if args.commit_fails else SHORT
    result = run(args.points, args.seed, lives, syncs=not args.no_sync, keep=args.keep, at=args.at)
    sys.stdout.write(json.dumps(result._asdict(), indent=1) + "\n")
    return int(result.broken > 0)


if __name__ == "__main__":
    sys.exit(main())
