"""A program that kills its own children: spool and evidence under SIGKILL at any instruction.

    python -m tests.agent.spool.victim FOLDER KILLS SEED

The parent imports everything once, then forks a child for each life. A child opens the spool, restores the
evidence, replays, and goes on reading an invented plant, twenty simulated minutes a commit, a checkpoint every few
commits, until it is killed. It writes the number of each committed entry to a pipe. Between two lives the parent
copies the new entries out of the file; the next child confirms what was copied, so that entries are deleted too.
Last it prints one JSON object for the test to judge.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import Event, FrameBlock, Status, Watermark
from agent.spool import Limits, Spool
from contract.payload import Stored
from readiness.schedule import Calendar
from tests.support.clocks import FakeClock
from tests.support.items import START_NS, birth_of, source
from tests.support.memory import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.analyzers.evidence import DayLedger
    from agent.frame import Item

SOURCES = (source("press.main"), source("cnc.main"))
BY_ID = {s.id: s for s in SOURCES}
BIRTH = birth_of("hanil", "main", "edge-1", SOURCES)
HOURS = ((dt.time(8), dt.time(20)),)
CALENDAR = Calendar("Asia/Seoul", dt.time(8), dict.fromkeys(range(6), HOURS), frozenset())
STEP_S = 60
MOST = 4
"""Commits that a life is sure of, less one."""
COMMIT_S = 0.03
"""About as long as a commit takes, so that a kill comes anywhere in the next."""


def evidence(state: bytes | None = None) -> DayLedger:
    """Return the evidence of the plant."""
    return make(SOURCES, CALENDAR, state)


def plant(now_ns: int) -> Iterator[Item]:
    """What is read at a moment: frames with some bad rows, watermarks, outages of one device."""
    rng = random.Random(now_ns)
    for one in SOURCES:
        if one.device == "cnc" and now_ns // 10**9 // 3600 % 5 == 0:
            if now_ns // 10**9 % 3600 < STEP_S:
                body = {"gap_id": f"g{now_ns // 10**9 // 3600}", "cause": "link_down"}
                yield Event(kind="gap", time_ns=now_ns, source=one.id, from_ns=now_ns, to_ns=None, body=body)
            continue
        if one.device == "cnc" and now_ns // 10**9 % 18000 < 3600 + STEP_S:
            body = {"gap_id": f"g{now_ns // 10**9 // 3600 - 1}", "cause": "link_down"}
            start = now_ns - 3600 * 10**9
            yield Event(kind="gap", time_ns=now_ns, source=one.id, from_ns=start, to_ns=now_ns, body=body)
        bad = [rng.random() < 0.05 for _ in one.signals]
        yield FrameBlock(
            source=one,
            signal=np.arange(len(bad), dtype=np.int32),
            time_ns=np.full(len(bad), now_ns, np.int64),
            value=[None if b else rng.randrange(1000) for b in bad],
            status=np.where(bad, Status.BAD_TIMEOUT, 0).astype(np.uint32),
        )
        yield Watermark(one.id, now_ns)


def opened(folder: Path) -> tuple[Spool, DayLedger, int]:
    """Open as the agent does; return spool, evidence, and how many entries were replayed."""
    spool = Spool(
        folder,
        birth=BIRTH,
        sources=SOURCES,
        limits=Limits(max_bytes=6 * 10**6, min_free_bytes=0),
        fingerprint=lambda: "box",
        checkpoint_entries=4,
    )
    kept = evidence(spool.checkpoint_state())
    replayed = 0
    for _, items in spool.replay():
        kept.feed(items)
        replayed += 1
    return spool, kept, replayed


def live(folder: Path, pipe: int, copied: list[tuple[int, str]]) -> None:
    """One life: until killed."""
    spool, kept, replayed = opened(folder)
    clock = FakeClock((spool._journal.commit_ns or START_NS) + STEP_S * 10**9)
    os.write(pipe, struct.pack("<q", -replayed))
    spool.begin(clock, kept)
    for seq, crc in copied:
        spool.confirm(Stored(spool.id, [(seq, crc)], str(clock.now()), clock_trusted=True, worker="w"))
    while True:
        for _ in range(20):
            for item in plant(clock.now()):
                spool.put(item)
            clock.advance(STEP_S)
            spool._ring.done(clock.monotonic())  # simulated minutes are no stalled disk
        spool.tick()
        os.write(pipe, struct.pack("<q", spool._journal.seq))


def copy(folder: Path, after: int) -> list[tuple[int, str, list[Item]]]:
    """Return the entries that came since the last copy, from a copy of the folder as the dead have left it."""
    if not folder.exists():
        return []
    with tempfile.TemporaryDirectory(dir=SHARED) as there:
        shutil.copytree(folder, there, dirs_exist_ok=True)
        spool, _, _ = opened(Path(there))
        crcs = {e.seq: e.crc for e in spool.unconfirmed(after, None, 10**6)}
        found = [(seq, crcs[seq], items) for seq, items in spool._journal.replay(after)]
        spool._journal.close()
    return found


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill as often as asked, then compare."""
    rng = random.Random(seed)
    reference = evidence()
    copied: list[tuple[int, str]] = []
    last = promised = lost = replays = fed = 0
    for _ in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            live(folder, writing, copied[-20:])
        os.close(writing)
        told = b""
        if rng.random() < 0.9:
            told = os.read(reading, 8)  # it lives; without this it may be killed while it opens the file
            for _ in range(rng.randrange(MOST)):  # by commits, which take as long as the machine needs
                told += os.read(reading, 8)
        time.sleep(rng.random() * COMMIT_S)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as rest:
            told += rest.read()
        for (number,) in struct.iter_unpack("<q", told):
            promised = max(promised, number)
            replays += number < 0
        for seq, crc, items in copy(folder, last):
            lost += seq != last + 1
            reference.feed(items)
            copied.append((seq, crc))
            last, fed = seq, fed + 1
        lost += promised > last
    spool, kept, replayed = opened(folder)
    replays += replayed > 0
    days = spool.days() | dict(kept.take_closed())
    left = spool._journal._db.execute("SELECT count(*) FROM entry").fetchone()[0]
    result = {
        "kills": kills,
        "entries": fed,
        "lost": lost,
        "lives_that_replayed": replays,
        "left_in_file": left,
        "days": len(days),
        "days_equal": days == dict(reference.take_closed()),
        "state_equal": kept.state() == reference.state(),
    }
    print(json.dumps(result))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
