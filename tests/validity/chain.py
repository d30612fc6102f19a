"""The whole simulated plant: its machines' readings through the analyzers to days, a view and outcomes."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import Watermark
from readiness.evidence import load
from readiness.inventory import Machine
from readiness.plant import Plant
from readiness.view import View
from tests.readiness.plant import CALENDAR, HOUR, START, model
from tests.validity import cnc, line, mill, oven, press
from tests.validity.shop import Part, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agent.frame import FrameBlock, Item, Source
    from readiness.evidence import DayEvidence

MAKERS: Sequence[Callable[[Site], Part]] = (
    press.press, mill.robot, mill.saw, mill.mill, mill.lathe, cnc.cnc, oven.oven, oven.pump, line.line,
)  # fmt: skip
GONE = "gone-1"
"""Declared and not connected."""


@dataclass
class World:
    """All machines of one run."""

    site: Site
    parts: Sequence[Part]
    extra: Sequence[Item] = field(default_factory=list)  # what befalls the agent itself
    signed: bool = True  # somebody stands for the list of machines, and it names what is not connected

    @property
    def sources(self) -> list[Source]:
        """Everything that is configured."""
        return [s.source for part in self.parts for s in part.streams] + [
            source for part in self.parts for source in part.sources
        ]

    @property
    def samples(self) -> int:
        """Rows of all sources."""
        return sum(len(stream) for part in self.parts for stream in part.streams)

    def plant(self) -> Plant:
        """Return what people say."""
        machines = [Machine(p.machine, p.machine, path=p.path) for p in self.parts]

        def joined(name: str) -> dict[str, object]:
            return {key: value for part in self.parts for key, value in getattr(part, name).items()}

        def listed(name: str) -> list[object]:
            return [value for part in self.parts for value in getattr(part, name)]

        return Plant(
            machines=[*machines, *([Machine(GONE, GONE)] if self.signed else [])],
            signed=("mentor", "2026-10-01") if self.signed else None,
            about={p.machine: p.about for p in self.parts if p.about is not None},
            meanings=joined("meanings"),  # type: ignore[arg-type]
            products=joined("products"),  # type: ignore[arg-type]
            loops=listed("loops"),  # type: ignore[arg-type]
            hand_counts=listed("hands"),  # type: ignore[arg-type]
            systems=listed("systems"),  # type: ignore[arg-type]
            use=listed("use"),  # type: ignore[arg-type]
        )

    def hours(self) -> Iterator[list[Item]]:
        """Yield what is committed, an hour at a time."""
        edges = np.arange(START, self.site.end_ns + HOUR, HOUR, dtype=np.int64)
        items = sorted(
            [*(i for part in self.parts for i in part.items), *self.extra], key=lambda item: item.time_ns
        )
        table = heapq.merge(
            *(_placed(k, stream.blocks(edges)) for k, stream in enumerate(s for p in self.parts for s in p.streams))
        )
        block = next(table, None)
        position = 0
        for hour, end in enumerate(edges[1:].tolist()):
            found: list[Item] = []
            while block is not None and block[0] == hour:
                found.append(block[2])
                block = next(table, None)
            while position < len(items) and items[position].time_ns < end:  # no mark of life before what it follows
                found.append(items[position])
                position += 1
            yield found
        yield [Watermark(s.id, self.site.end_ns + HOUR) for s in self.sources]

    def days(self, change: Callable[[list[Item]], list[Item]] = lambda items: items) -> dict[str, bytes]:
        """Return the closed days of evidence."""
        evidence, found = make(self.sources, CALENDAR, loops=self.plant().loops), dict[str, bytes]()
        for hour in self.hours():
            evidence.feed(change(hour))
            found.update(evidence.take_closed())
        return found

    def view(self, days: Mapping[str, bytes] | None = None) -> View:
        """Return what formulas look at."""
        records: list[DayEvidence] = [
            load(raw) for _, raw in sorted((self.days() if days is None else days).items())
        ]
        tallies = {key: value for part in self.parts for key, value in part.tallies.items()}
        return View(
            days=records, tallies=tallies, catalog=self.sources, plant=self.plant(), calendar=CALENDAR,
            now_ns=self.site.end_ns, model=model(), length=self.site.days,
        )  # fmt: skip


def _placed(number: int, blocks: Iterator[tuple[int, FrameBlock]]) -> Iterator[tuple[int, int, FrameBlock]]:
    return ((hour, number, block) for hour, block in blocks)


def world(level: float, seed: int, **about: int) -> World:
    """Return the plant of one run."""
    site = Site(level, seed, **about)
    return World(site, [maker(site) for maker in MAKERS])
