"""Days of evidence anew from a spool's folder, on one core: `python -m benchmarks.replay --days 1 [--folder DIR]`.

1,000 signals of the demo factory in 50 sources at 1 s, as an agent without a line keeps them.
`--part` seconds are made and encoded by the spool's own code, the rest are its files under later times and numbers,
each round beginning at another place of it. Making a day takes five minutes of a core, a month of files one more.

Then, in processor time of one core and by the sample: all of `tsq-agent replay`, and of it reading, decoding,
joining, the analyzers and the closing of days; beside it the same files only read and unpacked, which is what no
replay can be faster than, and what the evidence takes as it is stored. The clock's time and the highest memory are
told beside; `--every` prints a line for so many days. The folder stays when it was named, and is used as it is
when it holds files.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import tempfile
import time
from collections import Counter
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.analyzers.evidence import DayLedger
from agent.cli.progress import Progress
from agent.replaying.days import Replay, uncollected
from agent.replaying.kept import Folder, Group
from agent.replaying.tall import Tall
from agent.spool.columns_streams import Reader
from agent.spool.days import packed
from contract import codec
from readiness.schedule import Calendar
from tests.support.kept import BIRTH, fill, parts
from tests.support.plant import START_NS, Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


DAY_S = 86_400
SAMPLES_A_SECOND = 1_000
LIMIT_NS = 20 * 60 / (28 * DAY_S * SAMPLES_A_SECOND) * 1e9
"""What a sample may take: 28 days in 20 minutes."""
CALENDAR = Calendar("Asia/Seoul", clock_time(8))
STAGES: tuple[tuple[Any, str, str], ...] = (
    (Group, "arrays", "decoding"),
    (Tall, "add", "joining"),
    (Tall, "take", "joining"),
    (DayLedger, "feed", "analyzers"),
    (DayLedger, "_close", "closing"),
)


def made(folder: Path, seconds: int, part: int) -> None:
    """Fill a folder."""
    plant = Plant("demo", start_ns=START_NS, hours=part / 3600 + 1)
    begin = time.process_time()
    files = list(parts(plant.seconds(part), codec.digest(BIRTH), start_ns=START_NS))
    print(f"{part:,} s made and encoded in {time.process_time() - begin:.0f} s of a core", flush=True)
    begin = time.process_time()
    size = fill(folder, files, plant.sources, seconds)
    print(
        f"{seconds:,} s in files of {size / 1e6:,.0f} MB, {size / seconds / SAMPLES_A_SECOND:.2f} bytes a sample, "
        f"in {time.process_time() - begin:.0f} s of a core",
        flush=True,
    )


@contextlib.contextmanager
def watched(spent: Counter[str]) -> Iterator[None]:
    """Measure each stage apart; a stage within another is taken out of it."""
    running: list[float] = []
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in STAGES]

    def timed(call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def measured(*args: Any, **more: Any) -> Any:
            running.append(0.0)
            begin = time.thread_time()
            try:
                return call(*args, **more)
            finally:
                took = time.thread_time() - begin
                spent[stage] += took - running.pop()  # type: ignore[assignment]
                if running:
                    running[-1] += took

        return measured

    for owner, name, stage in STAGES:
        setattr(owner, name, timed(getattr(owner, name), stage))
    try:
        yield
    finally:
        for owner, name, call in originals:
            setattr(owner, name, call)


def floor(folder: Path) -> float:
    """Return the processor time of reading and unpacking alone."""
    begin = time.thread_time()
    for group in Folder(folder).groups():
        if group.blob is not None:
            reader = Reader(group.blob, 2**30)
            for _ in range(reader.streams):
                reader.raw()
    return time.thread_time() - begin


def told(args: argparse.Namespace, folder: Path) -> None:
    """Replay, and print what it takes."""
    spent: Counter[str] = Counter()
    found = Folder(folder)
    progress = Progress(found.total, "en")
    replay = Replay(found, CALENDAR, progress=progress.advance)
    begin, wall = time.thread_time(), time.monotonic()
    days: list[str] = []
    stored = 0
    with watched(spent), uncollected():
        for day, raw in replay.days():
            days.append(day)
            stored += len(packed(raw))
            if args.every and len(days) % args.every == 0:
                progress.end()
                print(
                    f"  {day}: {(time.thread_time() - begin) / replay.seen.rows * 1e9:.0f} ns a sample up to here, "
                    f"{time.monotonic() - wall:.0f} s of the clock, at most {_peak():.0f} MB",
                    flush=True,
                )
    progress.end()
    took, waited, rows = time.thread_time() - begin, time.monotonic() - wall, replay.seen.rows
    alone = floor(folder)
    spent["reading and the rest"] = took - sum(spent.values())  # type: ignore[assignment]
    print(f"{rows:,} samples, {len(days)} days closed: {took:.0f} s of a core, {waited:.0f} s of the clock")
    print(f"{took / rows * 1e9:.0f} ns a sample (limit {LIMIT_NS:.0f}), at most {_peak():.0f} MB")
    print("  " + ", ".join(f"{stage} {s / rows * 1e9:.0f}" for stage, s in spent.items()), "ns")
    each = stored / max(len(days), 1) / SAMPLES_A_SECOND
    print(f"evidence as it is stored: {each:.0f} bytes a signal-day, {each * 0.4:.0f} MB for 400 days of 1,000")
    print(f"read and unpacked only: {alone / rows * 1e9:.1f} ns a sample, a {took / alone:.0f}th of it")
    minutes = took / rows * 28 * DAY_S * SAMPLES_A_SECOND / 60
    print(f"28 days of 1,000 signals at 1 s at this pace: {minutes:.1f} minutes of a core")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main(argv: Sequence[str] | None = None) -> None:
    """Make a folder unless there is one, and replay it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay")
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--part", type=int, default=DAY_S, help="seconds that are made and encoded")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--every", type=int, default=0)
    args = parser.parse_args(argv)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    seconds = round(args.days * DAY_S) + 1200  # a day closes ten minutes after it is over
    with contextlib.ExitStack() as stack:
        folder = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "blocks").is_dir():
            made(folder, seconds, min(args.part, seconds))
        told(args, folder)


if __name__ == "__main__":
    main()
