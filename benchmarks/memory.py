"""Bytes a signal that the analyzers hold on a day, each object counted: `python -m benchmarks.memory [sources]`.

The demo factory's mix of signals (5 sources of 20 at 1 s, or as many as the argument says: 50 are the 1,000 signals
that the bound is given for, and take ten minutes), and 20 noisy floats, the worst kind of all that are read evenly.
Two stretches: the last one of the day, and the last one before the day closes, ten minutes later, when two days are
open. A state is asked for every ten minutes, as the spool does.

Sources take what waits at different moments, so that what many hold together at any moment is what each holds on
average: shown are the average over a whole wait, and the most of its moments.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import DayLedger, make
from agent.analyzers.gathering import WAIT_NS
from agent.frame import DataType, FrameBlock, Signal, Source, Watermark, concat
from benchmarks.analyzers import CALENDAR, SECOND, START, column
from tests.support.held import held
from tests.support.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Hour = Callable[[int, int], list[list[FrameBlock]]]

HOUR, DAY = 3600, 86_400
STATE = 600
"""Seconds between two states."""
CLOSES = 600
"""Seconds after its end at which a day closes."""
WAIT = WAIT_NS // SECOND
EVERY = 12
"""Seconds between two moments that are looked at: ten to a wait."""


def noise(seed: int = 7) -> tuple[tuple[Source, ...], Hour]:
    """Return a source of 20 noisy floats, and what it says in some seconds from one on."""
    signals = tuple(Signal(id=f"s{i}", machine="press", name=f"s{i}", dtype=DataType.FLOAT64) for i in range(20))
    source = Source(
        id="plc.noise", device="plc", protocol="modbus", mode="poll", interval_ns=SECOND, signals=signals
    )
    rng = np.random.default_rng(seed)
    index, good = np.arange(20, dtype=np.int32), np.zeros(20, np.uint32)

    def said(first: int, count: int) -> list[list[FrameBlock]]:
        table = np.stack([column(rng, "noise", count, first) for _ in signals], axis=1).tolist()
        times = START + (first + np.arange(count)) * SECOND + rng.integers(0, 900, count) * 1000 + 7
        return [
            [FrameBlock(source, index, np.full(20, at, np.int64), row, good)]
            for at, row in zip(times.tolist(), table, strict=True)
        ]

    return (source,), said


def mix(sources: int = 5) -> tuple[tuple[Source, ...], Hour]:
    """Return sources of the demo factory, likewise."""
    plant = Plant("demo", start_ns=START, hours=26, signals=20 * sources, sources=sources)

    def said(first: int, count: int) -> list[list[FrameBlock]]:
        return [[item for item in items if isinstance(item, FrameBlock)] for items in plant.seconds(count, first)]

    return plant.sources, said


def minutes(ledger: DayLedger, seconds: Sequence[list[FrameBlock]], *, each: bool) -> None:
    """Feed seconds, one by one or a minute at once, with a state every ten minutes but the last.

    Args:
        ledger: The ledger.
        seconds: What the sources said, by second.
        each: One by one.
    """
    for first in range(0, len(seconds), 60):
        part = seconds[first : first + 60]
        if first and not first % STATE:
            ledger.state()
        together = part if each else [[concat(of) for of in zip(*part, strict=True)]]
        for blocks, alive in zip(together, part if each else [[b for second in part for b in second]], strict=True):
            ledger.feed([*blocks, *(Watermark(b.source.id, int(b.time_ns[-1])) for b in alive)])


def average(ledger: DayLedger, seconds: Sequence[list[FrameBlock]]) -> tuple[Counter[str], int]:
    """Feed a wait's seconds one by one; return what was held on average, by part, and the most of its moments."""
    total, most = Counter[str](), 0
    for first in range(0, WAIT, EVERY):
        minutes(ledger, seconds[first : first + EVERY], each=True)
        found = held(*ledger._ledgers.values(), apart=(ledger,))  # noqa: SLF001 - what is measured
        total += found
        most = max(most, sum(found.values()))
    return Counter({part: size * EVERY // WAIT for part, size in total.items()}), most


def show(name: str, sources: Sequence[Source], found: Counter[str], most: int) -> None:
    """Print what was held, by part."""
    number = sum(len(source.signals) for source in sources)
    parts = ", ".join(f"{part} {size / number:.0f}" for part, size in found.most_common(8))
    print(f"{name}: {sum(found.values()) / number:.0f} bytes a signal, {most / number:.0f} at most: {parts}")


def main() -> None:
    """Print everything."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name, (sources, said) in (("mix", mix(wanted)), ("noise", noise())):
        ledger = make(sources, CALENDAR)
        for first in range(0, DAY - HOUR, HOUR):
            minutes(ledger, said(first, HOUR), each=False)
        minutes(ledger, said(DAY - HOUR, HOUR - 3 * WAIT), each=False)
        minutes(ledger, said(DAY - 3 * WAIT, 2 * WAIT), each=True)
        show(f"{name}, at the day's end", sources, *average(ledger, said(DAY - WAIT, WAIT)))
        minutes(ledger, said(DAY, CLOSES - WAIT), each=True)
        show(f"{name}, before the day closes", sources, *average(ledger, said(DAY + CLOSES - WAIT, WAIT)))


if __name__ == "__main__":
    main()
