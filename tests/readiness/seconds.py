"""A machine whose every second is written down: evidence made of it by plain loops, and truths counted from it.

Shares no code with the analyzers, so production facts are compared with what really happened.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.frame import DataType, Signal, Source
from readiness.evidence import VERSION, DayEvidence, SignalDay, SourceDay
from readiness.inventory import Machine
from readiness.model import Model, parse
from readiness.plant import Meaning, Plant
from readiness.records import SHORT_NS, Count, Track
from readiness.schedule import Calendar
from readiness.sketch import buckets
from readiness.spans import Spans
from readiness.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.records import Label

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

SECOND = 1_000_000_000
DAY_S = 86_400
DAY = DAY_S * SECOND
PLANNED_S = 12 * 3600
CALENDAR = Calendar("Asia/Seoul", time(8), {d: ((time(8), time(20)),) for d in range(5)})
"""Planned time is the first half of each weekday."""
FIRST = date(2026, 10, 26)  # a Monday
START = CALENDAR.bounds(FIRST)[0]
QUARTER_S = 900
NOTHING = -1
"""Of a second in which nothing is known."""


@functools.cache
def model() -> Model:
    """Return the shipped model."""
    folder = Path(__file__).parents[2] / "config" / "readiness"
    return parse({p.name: p.read_bytes() for p in folder.glob("*.yaml")})


def planned(days: int) -> Bools:
    """Return for each second whether it is planned."""
    second = np.arange(days * DAY_S)
    return (second % DAY_S < PLANNED_S) & (second // DAY_S % 7 < 5)


def spans(mask: Bools) -> Spans:
    """Return the seconds that are true, in absolute time."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    begin, end = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return Spans.of((START + int(a) * SECOND, START + int(b) * SECOND) for a, b in zip(begin, end, strict=True))


def per_day(mask: Bools) -> list[int]:
    """Return how many seconds of each day are true."""
    found: list[int] = mask.reshape(-1, DAY_S).sum(axis=1).tolist()
    return found


def sparse(numbers: Mapping[int, int]) -> list[int]:
    """Return [index, number, ...]."""
    return [x for index in sorted(numbers) if numbers[index] for x in (index, numbers[index])]


def sketched(durations_ns: Sequence[int]) -> list[int]:
    """Return the sketch of durations."""
    return sparse(Counter(buckets(np.array(durations_ns, np.int64)).tolist())) if durations_ns else []


def track_of(codes: Ints, labels: Sequence[Label], *, cut: bool = False) -> Track:
    """Return one day of a signal: per second the index of its label, or `NOTHING`."""
    segments: list[int] = []
    rest: dict[tuple[int, int], list[int]] = {}
    dwell: list[int] = []
    changed: Counter[int] = Counter()
    at = end = 0
    last = NOTHING
    for code, group in groupby(codes.tolist()):
        length = sum(1 for _ in group)
        if code != NOTHING:
            if last not in (NOTHING, code):
                changed[at // QUARTER_S] += 1
            last = code
            dwell.append(length * SECOND)
            if cut and length * SECOND < SHORT_NS:
                for second in range(at, at + length):
                    entry = rest.setdefault((second // QUARTER_S, code), [0, 0])
                    entry[0] += 1000
                    entry[1] += second == at
            else:
                segments += [(at - end) * 1000, length * 1000, code]
                end = at + length
        at += length
    return Track(
        labels=list(labels),
        segments=segments,
        cut=cut,
        rest=[x for key in sorted(rest) for x in (*key, *rest[key])],
        changes=sum(changed.values()),
        changed=sparse(changed),
        dwell=sketched(dwell),
    )


def counts_of(values: Ints, unit: float = 1.0) -> list[Count | None]:
    """Return a counter's days: its value in each second in units of `unit`, or `NOTHING`."""
    found: list[Count | None] = []
    last: int | None = None
    seen = 0
    stepped: int | None = None
    for start in range(0, len(values), DAY_S):
        counted, blind, single = Counter[int](), Counter[int](), Counter[int]()
        back: list[int] = []
        paces: list[int] = []
        steps, first = 0, last
        for second, value in enumerate(values[start : start + DAY_S].tolist(), start):
            if value == NOTHING:
                continue
            quarter = (second - start) // QUARTER_S
            if last is None:
                first = value
            elif value < last:
                back += [(second - start) * 1000, last, value]
                stepped = None
            elif value > last:
                counted[quarter] += value - last
                if second - seen > 1:
                    blind[quarter] += value - last
                    stepped = None  # when it stepped, nobody has seen
                else:
                    steps += 1
                    single[quarter] += value - last == 1
                    if stepped is not None:
                        paces += [(second - stepped) * SECOND // (value - last)] * (value - last)
                    stepped = second
            last, seen = value, second
        if last is None or first is None:
            found.append(None)
            continue
        found.append(
            Count(
                unit, sparse(counted), sparse(blind), steps, sparse(single), sketched(paces), back[:300],
                len(back) // 3, first, last, [],
            )
        )  # fmt: skip
    return found


@dataclass
class World:
    """What signals of the machine `press` said, second by second.

    Attributes:
        days: Production days from a Monday on.
        tracks: Signal -> (code per second, labels).
        counters: Signal -> value per second.
        meanings: By signal id.
        cut: Signals whose tracks are cut.
        censored: Seconds in which the agent was off.
        about: Further fields of `readiness.plant.Plant`.
        unit: Of counters.
    """

    days: int
    tracks: Mapping[str, tuple[Ints, Sequence[Label]]] = field(default_factory=dict)
    counters: Mapping[str, Ints] = field(default_factory=dict)
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()
    censored: Bools | None = None
    about: Mapping[str, object] = field(default_factory=dict)
    unit: float = 1.0

    def evidence(self) -> list[DayEvidence]:
        """Return the days' evidence."""
        return [self._day(day) for day in range(self.days)]

    @functools.cached_property
    def _counts(self) -> dict[str, list[Count | None]]:
        return {name: counts_of(values, self.unit) for name, values in self.counters.items()}

    def _day(self, day: int) -> DayEvidence:
        part = slice(day * DAY_S, (day + 1) * DAY_S)
        start = START + day * DAY
        tracks = {
            f"press/{name}": track_of(codes[part], labels, cut=name in self.cut)
            for name, (codes, labels) in self.tracks.items()
            if (codes[part] != NOTHING).any()
        }
        counts = {f"press/{name}": count for name, row in self._counts.items() if (count := row[day]) is not None}
        columns = {name: codes for name, (codes, _) in self.tracks.items()} | dict(self.counters)
        packed = [
            spans(column != NOTHING).clip(start, start + DAY).pack(start)
            for column in (columns[name] for name in columns)
        ]
        off = [] if self.censored is None else spans(self.censored).clip(start, start + DAY).pack(start)
        source = SourceDay(
            source="press-plc.main",
            device="press-plc",
            protocol="modbus",
            mode="poll",
            interval_ns=SECOND,
            service=[0, DAY],
            live=[0, DAY],
            spans=packed,
            signals={f"press/{name}": SignalDay(k, -1, -1, 1, 0, 0, 0) for k, name in enumerate(columns)},
            requests={},
            late=0,
            tracks=tracks,
            counts=counts,
        )
        return DayEvidence(
            version=VERSION,
            day=(FIRST + timedelta(days=day)).isoformat(),
            zone=CALENDAR.zone,
            start=str(start),
            end=str(start + DAY),
            sources=[source],
            censored={"agent_off": {"*": off}} if off else {},
            connections={},
            native={},
            simulated=[],
            late_events=0,
        )

    def plant(self) -> Plant:
        """Return what people say."""
        meanings = {f"press/{name}": meaning for name, meaning in self.meanings.items()}
        return Plant(machines=[Machine("press", "press")], meanings=meanings, **self.about)  # type: ignore[arg-type]

    def view(self, length: int | None = None) -> View:
        """Return the window of its days, or of the last `length` of them."""
        names = [*self.tracks, *self.counters]
        signals = tuple(Signal(id=n, machine="press", name=n, dtype=DataType.INT32) for n in names)
        source = Source(
            id="press-plc.main", device="press-plc", protocol="modbus", mode="poll", interval_ns=SECOND,
            signals=signals,
        )  # fmt: skip
        return View(
            days=self.evidence(), tallies={}, catalog=[source], plant=self.plant(), calendar=CALENDAR,
            now_ns=START + self.days * DAY, model=model(), length=length or self.days,
        )  # fmt: skip
