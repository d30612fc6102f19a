"""Time of the analyzers a sample, live and in a replay, together and each: `python -m benchmarks.analyzers`.

One source of 20 signals at 1 s, of a kind that gives them work: 8 noisy analog values, 4 that move in steps of a
converter, 4 counters, 3 bits that toggle, one text; in blocks of 1 s as they are committed, of 60 s, and of an hour
as a replay reads them, in processor time. `values` is the time inside of `Values.take` alone, and so on.

Then 1,000 signals of the demo factory in 50 sources, second by second as the spool feeds them, after the first
half hour of a day: time a sample, and what the readings take that wait for each other.

Then a day of the demo factory's signals: memory as tracemalloc finds it and the size of the state, and what the
day's evidence takes by signal, as it is stored and under zstd.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from contextlib import contextmanager, nullcontext
from datetime import time as clock_time
from functools import partialmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.evidence import DayLedger, make
from agent.analyzers.gathering import Gathering
from agent.frame import DataType, FrameBlock, Signal, Source, Watermark, concat
from agent.spool.base import Committed
from agent.spool.feeding import Feeding
from contract.codec import compress, encode
from readiness.evidence import load
from readiness.schedule import Calendar
from tests.support.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SECOND = 1_000_000_000
START = 1_763_766_000_000_000_000  # 2025-11-22 08:00 in Seoul
KINDS = (
    *[(DataType.FLOAT64, "noise")] * 8,
    *[(DataType.FLOAT64, "steps")] * 4,
    *[(DataType.UINT32, "counter")] * 4,
    *[(DataType.BOOL, "bit")] * 3,
    (DataType.STRING, "text"),
)
CALENDAR = Calendar("Asia/Seoul", clock_time(8))


def column(rng: np.random.Generator, kind: str, seconds: int, first: int) -> NDArray[Any]:
    """Return what a signal says in some seconds."""
    at = first + np.arange(seconds)
    if kind == "noise":
        return np.asarray(50 + 10 * np.sin(at / 600) + rng.normal(0, 1, seconds))
    if kind == "steps":
        return np.asarray(np.round((20 + 3 * np.sin(at / 300) + rng.normal(0, 0.05, seconds)) * 10) / 10)
    if kind == "counter":
        return np.asarray(at // 12)
    return np.asarray(at // 15 % 2 == 1)


def block(rng: np.random.Generator, source: Source, seconds: int, first: int) -> FrameBlock:
    """Return a block of so many seconds."""
    width = len(source.signals)
    table = np.empty((seconds, width), object)
    for place, (_, kind) in enumerate(KINDS):
        values = column(rng, kind, seconds, first).tolist()
        table[:, place] = [f"LOT-{(first + i) // 7200}" for i in range(seconds)] if kind == "text" else values
    at = START + (first + np.arange(seconds)) * SECOND + rng.integers(0, 900, seconds) * 1000 + 7
    return FrameBlock(
        source=source,
        signal=np.tile(np.arange(width, dtype=np.int32), seconds),
        time_ns=np.repeat(at, width).astype(np.int64),
        value=table.ravel().tolist(),
        status=np.zeros(width * seconds, np.uint32),
    )


def timed(spent: Counter[str], name: str, call: Callable[..., Any], *arguments: object) -> object:
    """Call, and note how long it took."""
    begin = time.thread_time()
    try:
        return call(*arguments)
    finally:
        spent[name] += time.thread_time() - begin  # type: ignore[assignment]


@contextmanager
def watched(ledger: DayLedger, spent: Counter[str]) -> Iterator[None]:
    """Measure each kind of analyzer apart: by its class, because a source's own are made anew with each portion."""
    kinds: dict[str, type[Any]] = {}
    for one in ledger._ledgers.values():  # noqa: SLF001
        assert isinstance(one, Gathering)
        with one._open():  # noqa: SLF001
            kinds |= {name: type(analyzer) for name, analyzer in one._analyzers.items()}  # noqa: SLF001
    before = {name: kind.take for name, kind in kinds.items()}
    try:
        for name, take in before.items():
            kinds[name].take = partialmethod(_timed, spent, name, take)
        yield
    finally:
        for name, take in before.items():
            kinds[name].take = take


def _timed(
    analyzer: object, spent: Counter[str], name: str, take: Callable[..., Any], *arguments: object
) -> object:
    return timed(spent, name, take, analyzer, *arguments)


def pace(source: Source, seconds: int, total: int) -> None:
    """Print nanoseconds a sample for blocks of one size."""
    rng = np.random.default_rng(7)
    blocks = [block(rng, source, seconds, first) for first in range(0, total, seconds)]
    samples = sum(map(len, blocks))
    for each in (False, True):
        ledger = make([source], CALENDAR)
        ledger.feed(blocks[:1])
        spent: Counter[str] = Counter()
        with watched(ledger, spent) if each else nullcontext():
            begin = time.thread_time()
            for one in blocks[1:]:
                ledger.feed([one])
            took = (time.thread_time() - begin) / (samples - len(blocks[0])) * 1e9
        if each:
            parts = {name: s / (samples - len(blocks[0])) * 1e9 for name, s in spent.items()}
            print("    " + ", ".join(f"{name} {ns:.0f}" for name, ns in sorted(parts.items())), "ns")
        else:
            print(f"blocks of {seconds:4d} s: {took:.0f} ns a sample")


def live(ledger: DayLedger, plant: Plant, hours: int) -> None:
    """Feed some hours of a plant."""
    for first in range(0, hours * 3600, 3600):
        rows: dict[str, list[FrameBlock]] = {}
        for second in plant.seconds(3600, first):
            for item in second:
                if isinstance(item, FrameBlock):
                    rows.setdefault(item.source.id, []).append(item)
        ledger.feed([concat(blocks) for blocks in rows.values()])
    ledger.state()


def crowd() -> None:
    """Print nanoseconds a sample of 50 sources live, and the bytes a signal that wait in front of the analyzers."""
    plant = Plant("demo", start_ns=START, hours=2)
    ledger = make(plant.sources, CALENDAR)
    feeding = Feeding(ledger)
    for first in range(0, 1800, 600):
        rows: dict[str, list[FrameBlock]] = {}
        for second in plant.seconds(600, first):
            for item in second:
                if isinstance(item, FrameBlock):
                    rows.setdefault(item.source.id, []).append(item)
        ledger.feed([concat(blocks) for blocks in rows.values()])
    entries = [Committed(seq, items) for seq, items in enumerate(plant.seconds(180, 1800))]
    begin = time.thread_time()
    feeding.feed(entries)
    print(f"50 sources, entries of 1 s: {(time.thread_time() - begin) / 180_000 * 1e9:.0f} ns a sample")
    ledger.state()
    del entries
    gc.collect()
    tracemalloc.start()
    for items in plant.seconds(50, 1980):
        ledger.feed(items)
    full = tracemalloc.get_traced_memory()[0]
    ledger.state()
    print(f"  50 s of readings that wait: {(full - tracemalloc.get_traced_memory()[0]) / 1000:.0f} bytes a signal")
    tracemalloc.stop()


def day(sources: int) -> None:
    """Print bytes a signal while a day of the demo factory's signals is open, and of its evidence."""
    plant = Plant("demo", start_ns=START, hours=25, signals=20 * sources, sources=sources)
    live(make(plant.sources, CALENDAR), plant, 1)  # what is imported and made once is no state
    ledger = make(plant.sources, CALENDAR)
    gc.collect()
    tracemalloc.start()
    live(ledger, plant, 24)
    gc.collect()
    n = 20 * sources
    print(f"a day of {n} demo signals: {tracemalloc.get_traced_memory()[0] / n:.0f} bytes a signal held, of these")
    found = tracemalloc.take_snapshot().statistics("filename")
    tracemalloc.stop()
    for one in found[:12]:
        print(f"    {one.traceback[0].filename.rpartition('/')[2]}: {one.size / n:.0f}")
    print(f"  state {len(ledger.state()) / n:.0f} bytes a signal under zstd")
    ledger.feed([Watermark(s.id, START + 97_200 * SECOND) for s in plant.sources])
    (raw,) = ledger.take_closed().values()
    print(f"  evidence {len(raw) / n:.0f} bytes a signal-day, {len(compress(raw)) / n:.0f} under zstd, of these")
    sources_of_day = load(raw).sources
    for kind in ("signals", "tracks", "counts", "values"):
        parts = [getattr(s, kind) for s in sources_of_day]
        body, number = encode(parts), sum(map(len, parts))
        print(f"    {kind}: {number} records, {len(body) / n:.0f}, {len(compress(body)) / n:.0f} under zstd")


def main() -> None:
    """Print everything."""
    source = Source(
        id="plc.fast",
        device="plc",
        protocol="modbus",
        mode="poll",
        interval_ns=SECOND,
        signals=tuple(
            Signal(id=f"s{i}", machine="press", name=f"s{i}", dtype=dtype) for i, (dtype, _) in enumerate(KINDS)
        ),
    )
    pace(source, 1, 1800)
    pace(source, 60, 7200)
    pace(source, 3600, 28_800)
    crowd()
    day(5)


if __name__ == "__main__":
    main()
