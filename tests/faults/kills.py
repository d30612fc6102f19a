"""A program that kills its own children at a counted call, or at any moment: nothing committed may be missing.

    python -m tests.faults.kills FOLDER KILLS SEED

It runs with `disk.c` preloaded. Each child lives a life of the plant on the same folder, which goes on from what
the one before has left, and kills itself before, in or after a call that changes the disk: every call of a life is
as likely as any other, those of opening and recovering included. One in eight is killed from outside at a random
moment instead. After each death a copy of the folder is compared with the books. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from tests.faults import disk
from tests.faults.books import Books
from tests.faults.children import live
from tests.faults.plant import Life, grow
from tests.faults.powerloss import attempt

SECONDS = 25
ANEW = 60
"""Lives after which a fresh folder is begun: each that is vouched for moves its stamps by decades."""


def life_of(rng: random.Random) -> Life:
    """Return a life as it may come."""
    out = rng.randrange(SECONDS)
    return Life(
        seed=rng.getrandbits(32),
        seconds=rng.randint(5, SECONDS),
        line=(out, out + rng.choice((0, 10, SECONDS))),
        change_at=rng.choice((None, None, 3)),
        config=rng.choice(("before", "after")),
        end=rng.choice(("stop", "die")),
        max_bytes=rng.choice((150_000, 400_000, 2 * 10**9)),
        checkpoint=rng.choice((4, 8, 12)),
        trust_at=rng.choice((None, None, None, 4, 10, SECONDS)),
    )


def main(work: Path, kills: int, seed: int) -> None:
    """Kill as often as asked."""
    rng = random.Random(seed)
    folder, books = work / "state", Books()
    recorder = disk.Disk(folder, Path(os.environ["TSQ_DISK_CONTROL"]))
    problems: Counter[str] = Counter()
    killed = number = entries = 0
    whole: list[int] = []  # calls of lives that came to their end
    places: Counter[str] = Counter()
    while killed < kills:
        number += 1
        if number % ANEW == 0:
            shutil.rmtree(folder, ignore_errors=True)
            books = Books()
        life = life_of(rng)
        outside = None
        if len(whole) < 2:
            recorder.count()
        elif rng.random() < 0.125:
            outside = rng.random() * 0.3
        else:
            mode = rng.randrange(3)
            places[("before", "half", "after")[mode]] += 1
            # a life in five is killed early: while it opens, recovers, and tells what the last one left
            recorder.kill(rng.randint(1, min(rng.choice(whole), 40 if rng.random() < 0.2 else 10**9)), mode)
        status, said = live(partial(grow, folder, life, number), recorder, killed_after_s=outside)
        for told in said:
            books.add(told)
            entries += len(told.entries)
        if status == signal.SIGKILL:
            killed += 1
        elif not status:
            whole.append(recorder.get("calls"))
        else:
            problems[f"life {number} ended with status {status}"] += 1
            break
        copied = work / "copy"
        if folder.exists():
            shutil.copytree(folder, copied)
            problems.update(attempt(copied, books, thorough=rng.random() < 0.1))
            shutil.rmtree(copied)
        if problems:
            problems[f"first after life {number}"] += 1
            break
    result = {
        "kills": killed,
        "lives": number,
        "calls_of_lives": [min(whole), max(whole)],
        "entries": entries,
        "given_up": books.given_up,
        "places": places,
        "problems": dict(problems),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3]))
