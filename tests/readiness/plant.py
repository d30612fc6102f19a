"""A small plant whose truth is known: its readings go through the real analyzers, its days come out."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import DataType, Facts, FrameBlock, Signal, Source, Watermark
from readiness.inventory import Machine
from readiness.model import Model, parse
from readiness.plant import configured
from readiness.report import Assessment, Site, assess
from readiness.schedule import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agent.frame import Event, Item, Mode

    Ints = NDArray[np.int64]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEKDAYS = {d: ((time(8), time(20)),) for d in range(5)}
CALENDAR = Calendar("Asia/Seoul", time(8), WEEKDAYS)
FIRST = date(2026, 10, 26)  # a Monday
START = CALENDAR.bounds(FIRST)[0]
SITE = Site("hanil", "main", "edge-1")


@functools.cache
def model() -> Model:
    """Return the shipped model."""
    folder = Path(__file__).parents[2] / "config" / "readiness"
    return parse({p.name: p.read_bytes() for p in folder.glob("*.yaml")})


def signal(machine: str, number: int, **about: object) -> Signal:
    """Return a process value with a confirmed role unless told otherwise."""
    fields: dict[str, object] = {"role": "pv", "role_confirmed": True, "dtype": DataType.FLOAT32, **about}
    name = f"s{number}"
    return Signal(id=name, machine=machine, name=name, **fields)  # type: ignore[arg-type]


def source(machine: str, signals: Sequence[Signal] = (), mode: Mode = "poll", protocol: str = "modbus") -> Source:
    """Return a device of one machine that is read each minute."""
    return Source(
        id=f"{machine}-plc.main",
        device=f"{machine}-plc",
        protocol=protocol,
        mode=mode,
        interval_ns=MINUTE,
        signals=tuple(signals) or (signal(machine, 0), signal(machine, 1)),
    )


def good(source_: Source, number: int, times: Ints) -> Ints:
    """Return status 0 for all readings."""
    del source_, number
    return np.zeros(len(times), np.int64)


@dataclass
class Plant:
    """What happens at a plant over `days` days from a Monday on.

    Attributes:
        sources: What is read.
        inventory: Declared machines; by default those of the sources.
        days: How many production days of the calendar are replayed.
        status: (source, signal, times) -> status codes of its readings.
        items: More items, fed before the readings of the day that their time lies in.
    """

    sources: Sequence[Source]
    inventory: Sequence[Machine] = ()
    days: int = 28
    status: Callable[[Source, int, Ints], Ints] = good
    items: Sequence[Event | Facts] = ()
    calendar: Calendar = CALENDAR
    tallies: Mapping[tuple[str, str], Mapping[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.inventory:
            self.inventory = tuple(
                Machine(m, m) for m in dict.fromkeys(s.machine for o in self.sources for s in o.signals)
            )

    @property
    def end(self) -> int:
        """End of the last day."""
        return START + self.days * DAY

    def evidence(self) -> dict[str, bytes]:
        """Return the closed days."""
        analyzers = make(self.sources, CALENDAR)
        for day in range(self.days):
            start = START + day * DAY
            items: list[Item] = [i for i in self.items if start <= i.time_ns < start + DAY]
            for of in self.sources:
                times = np.arange(start, start + DAY, MINUTE)
                n = len(of.signals)
                status = np.stack([self.status(of, k, times) for k in range(n)], axis=1).ravel()
                block = FrameBlock(
                    source=of,
                    signal=np.tile(np.arange(n, dtype=np.int32), len(times)),
                    time_ns=np.repeat(times, n),
                    value=[None if s >> 31 else float(i // n % 7) for i, s in enumerate(status.tolist())],
                    status=status.astype(np.uint32),
                )
                items.append(block)
            analyzers.feed(items)
        analyzers.feed([Watermark(s.id, self.end + 20 * MINUTE) for s in self.sources])
        return dict(analyzers.take_closed())

    def assess(self, now_ns: int | None = None) -> Assessment:
        """Return what readiness makes of it."""
        plant = configured(self.sources, self.inventory)
        return assess(
            self.evidence(), self.tallies, self.sources, plant, self.calendar, now_ns or self.end, model(), SITE
        )  # fmt: skip


def planned(day: int, hour: float) -> int:
    """Return the instant `hour` hours after the start (08:00) of the day with this number."""
    return START + day * DAY + int(hour * HOUR)
