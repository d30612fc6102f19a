"""Bytes a signal that the analyzers hold on a day, each object counted: `python -m benchmarks.memory`.

The demo factory's mix of signals (5 sources of 20 at 1 s), and 20 noisy floats, the worst kind of all that are read
evenly. Two moments: the day's last second, with 59 s of readings that wait, and the last one before the day closes,
ten minutes later, when two days are open. A state is asked for every minute, as the spool does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import DayLedger, make
from agent.frame import DataType, FrameBlock, Signal, Source, Watermark, concat
from benchmarks.analyzers import CALENDAR, SECOND, START, column
from tests.support.held import held
from tests.support.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Hour = Callable[[int, int], list[list[FrameBlock]]]

HOUR, DAY = 3600, 86_400


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
    """Feed seconds, one by one or a minute at once, with a state each minute but the last."""
    for first in range(0, len(seconds), 60):
        part = seconds[first : first + 60]
        if first:
            ledger.state()
        together = part if each else [[concat(of) for of in zip(*part, strict=True)]]
        for blocks, alive in zip(together, part if each else [[b for second in part for b in second]], strict=True):
            ledger.feed([*blocks, *(Watermark(b.source.id, int(b.time_ns[-1])) for b in alive)])


def show(name: str, ledger: DayLedger, sources: Sequence[Source]) -> None:
    """Print what is held, by part."""
    number = sum(len(source.signals) for source in sources)
    found = held(*ledger._ledgers.values(), apart=(ledger,))  # noqa: SLF001 - what is measured
    parts = ", ".join(f"{part} {size / number:.0f}" for part, size in found.most_common(12))
    print(f"{name}: {sum(found.values()) / number:.0f} bytes a signal: {parts}")


def main() -> None:
    """Print everything."""
    for name, (sources, said) in (("mix", mix()), ("noise", noise())):
        ledger = make(sources, CALENDAR)
        for first in range(0, DAY - HOUR, HOUR):
            seconds = said(first, HOUR)
            minutes(ledger, seconds, each=False)
        minutes(ledger, said(DAY - HOUR, HOUR - 1), each=True)
        show(f"{name}, at the day's end", ledger, sources)
        minutes(ledger, said(DAY - 1, 600), each=True)
        show(f"{name}, before the day closes", ledger, sources)


if __name__ == "__main__":
    main()
