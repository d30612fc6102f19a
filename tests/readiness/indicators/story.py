"""A machine whose every reading is written down, and the evidence that it leaves, made without the analyzers.

Times are readings: reading i of the story is made at START + i * step. Planned time is 08:00 to 20:00 on weekdays,
the first half of the first five production days of a week, see `tests.readiness.plant.CALENDAR`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from agent.frame import DataType, Signal, Source
from readiness.evidence import VERSION, DayEvidence, SignalDay, SourceDay
from readiness.inventory import Machine
from readiness.plant import Meaning, Plant
from readiness.records import LABELS, STILLS, Count, Track, Values
from readiness.schedule import Calendar
from readiness.sketch import index
from readiness.spans import Spans
from readiness.view import View
from tests.readiness.plant import CALENDAR, DAY, FIRST, SECOND, START, model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agent.frame import Mode
    from readiness.records import Burst, Label
    from readiness.schedule import Calendar as _Calendar

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

QUARTER_S = 900
NOTHING = -1
"""Of a reading that failed, in a track or a counter; in values it is NaN."""
MAIN = "press-plc.main"


def sparse(numbers: Mapping[int, float]) -> list[int]:
    """Return [index, number, ...]."""
    return [int(x) for i in sorted(numbers) if numbers[i] for x in (i, numbers[i])]


def sketched(sizes: Floats) -> list[int]:
    """Return the sketch of numbers in units."""
    return sparse(Counter(index(np.asarray(sizes, np.float64)).tolist())) if len(sizes) else []


def holes_and(row: Sequence[tuple[int, int]]) -> list[int]:
    """Return spans [(from, to)] in milliseconds as [hole, length, ...]."""
    flat, end = [], 0
    for start, stop in row:
        flat += [start - end, stop - start]
        end = stop
    return flat


def cuts(known: Bools, new: Bools) -> list[tuple[int, int]]:
    """Return maximal runs [i, j) of known readings without a new value inside: `new[i]` begins one."""
    begins = known & (new | ~np.concatenate([[False], known[:-1]]))
    starts = np.flatnonzero(begins)
    stops = np.flatnonzero(~known | begins)
    ends = np.append(stops, len(known))[np.searchsorted(stops, starts, side="right")]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def split(runs: Sequence[tuple[int, int]], step_s: int) -> tuple[list[int], list[int]]:
    """Return the longest runs of a minute or more one by one as Millis, and the lengths (s) of all others."""
    lengths = [((b - a) * step_s, a, b) for a, b in runs]
    long = sorted((n for n in lengths if n[0] >= 60), key=lambda n: (-n[0], n[1]))[:STILLS]
    kept = {(a, b) for _, a, b in long}
    row = sorted((a * step_s * 1000, b * step_s * 1000) for a, b in kept)
    return holes_and(row), [n for n, a, b in lengths if (a, b) not in kept]


@dataclass
class Story:
    """What signals of one machine said.

    Attributes:
        days: Production days from a Monday on.
        step_s: Seconds between readings.
        tracks: Signal -> (index of its label per reading, labels).
        counters: Signal -> value per reading.
        values: Signal -> value per reading.
        uncertain: Signal -> readings that are uncertain.
        bad: Signal -> readings that the device answered with a bad status; they are `NOTHING` in its row.
        meanings: By signal.
        about: Further fields of `readiness.plant.Plant`.
        sources: Signal -> id of its source, where that is not `MAIN`.
        dtypes: Signal -> data type, where the row does not tell it.
        limits: Signal -> range of the instrument; `usual` likewise.
        spikes: Signal -> readings that stand out.
        censored: Readings in which the agent was off.
        order: Fields of `SourceDay` about order, the same on each day, and the mode.
        bursts: (day, signal) -> windows of fast reading.
        protocol: Of the device.
        calendar: Of the site.
        length: Of the window in days; all by default.
    """

    days: int = 14
    step_s: int = 60
    tracks: Mapping[str, tuple[Ints, Sequence[Label]]] = field(default_factory=dict)
    counters: Mapping[str, Ints] = field(default_factory=dict)
    values: Mapping[str, Floats] = field(default_factory=dict)
    uncertain: Mapping[str, Bools] = field(default_factory=dict)
    bad: Mapping[str, Bools] = field(default_factory=dict)
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, DataType] = field(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    usual: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    changed_limits: Mapping[tuple[int, str], tuple[float, float]] = field(default_factory=dict)
    spikes: Mapping[str, Ints] = field(default_factory=dict)
    censored: Bools | None = None
    mode: Mode = "poll"
    order: Mapping[str, int] = field(default_factory=dict)
    bursts: Mapping[tuple[int, str], list[Burst]] = field(default_factory=dict)
    protocol: str = "modbus"
    calendar: _Calendar = CALENDAR
    length: int | None = None

    @property
    def per_day(self) -> int:
        """Readings of a day."""
        return 86_400 // self.step_s

    @property
    def n(self) -> int:
        """Readings of the story."""
        return self.days * self.per_day

    def clock(self) -> Floats:
        """Return for each reading the hours since its production day began."""
        return np.arange(self.n) % self.per_day * self.step_s / 3600

    def planned(self) -> Bools:
        """Return which readings are planned."""
        return np.asarray((self.clock() < 12) & (np.arange(self.n) // self.per_day % 7 < 5))

    def at(self, reading: int) -> int:
        """Return the instant of a reading."""
        return START + reading * self.step_s * SECOND

    def rows(self) -> dict[str, tuple[NDArray[np.generic], Bools]]:
        """Return signal -> row and which of it is known."""
        found: dict[str, tuple[NDArray[np.generic], Bools]] = {}
        found.update({name: (codes, codes != NOTHING) for name, (codes, _) in self.tracks.items()})
        found.update({name: (row, row != NOTHING) for name, row in self.counters.items()})
        found.update({name: (row, ~np.isnan(row)) for name, row in self.values.items()})
        return found

    def _spans(self, mask: Bools, day: int) -> list[int]:
        start = START + day * DAY
        edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
        pairs = zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
        step = self.step_s * SECOND
        return Spans.of((start + a * step, start + b * step) for a, b in pairs).pack(start)

    def _quarter(self, readings: Ints) -> list[int]:
        return [reading * self.step_s // QUARTER_S for reading in readings.tolist()]

    def track(self, name: str, day: int) -> Track | None:
        """Return one day of a signal with few values."""
        codes, labels = self.tracks[name]
        part = slice(day * self.per_day, (day + 1) * self.per_day)
        row, known = codes[part], codes[part] != NOTHING
        if not known.any() or len(labels) > LABELS:
            return None
        before = codes[: part.start][codes[: part.start] != NOTHING]
        last = np.concatenate([before[-1:], row[known]])
        differs = np.zeros(len(row), np.bool_)
        differs[np.flatnonzero(known)[len(row[known]) - len(last) + 1 :]] = np.diff(last) != 0
        runs = cuts(known, differs)
        flat, end, ms = [], 0, self.step_s * 1000
        for a, b in runs:
            flat += [(a - end) * ms, (b - a) * ms, int(row[a])]
            end = b
        inside = [(b - a) * self.step_s * 1e9 for a, b in runs if a and b < len(row) and known[a - 1] and known[b]]
        quarters = Counter(self._quarter(np.flatnonzero(differs)))
        dwell = sketched(np.array(inside) / 1e6)
        return Track(list(labels), flat, False, [], int(differs.sum()), sparse(quarters), dwell)

    def count(self, name: str, day: int) -> Count | None:
        """Return one day of a counter."""
        values = self.counters[name]
        part = slice(day * self.per_day, (day + 1) * self.per_day)
        told = np.flatnonzero(values[: part.stop] != NOTHING)
        first_today = int(np.searchsorted(told, part.start))
        if first_today == len(told):
            return None
        base = max(first_today - 1, 0)
        at, value = told[base:], values[told[base:]]
        change, gap = np.diff(value), np.diff(at) > 1
        when = at[1:] - part.start
        up, down = change > 0, change < 0
        quarter = np.array(self._quarter(when), np.int64)
        step = up & ~gap

        def by(mask: Bools, weight: Ints | None = None) -> list[int]:
            sums: Counter[int] = Counter()
            for q, w in zip(
                quarter[mask].tolist(), (change if weight is None else weight)[mask].tolist(), strict=True
            ):
                sums[q] += w
            return sparse(sums)

        broken = np.cumsum(gap | down)
        steps = np.flatnonzero(step)
        steps = steps[when[steps] >= 0]
        follow = broken[steps[1:]] == broken[steps[:-1]]
        increments = change[steps[1:]][follow]
        paces = np.repeat(
            np.diff(at[1:][steps])[follow] * self.step_s * 1e3 / np.maximum(increments, 1), increments
        )
        back = [
            x
            for i in np.flatnonzero(down).tolist()
            for x in (int(when[i]) * self.step_s * 1000, int(value[i]), int(value[i + 1]))
        ]
        row = values[part]
        known = row != NOTHING
        moved = np.zeros(len(row), np.bool_)
        moved[when[(change != 0) & (when >= 0)]] = True
        still, _ = split(cuts(known, moved), self.step_s)
        return Count(
            1.0, by(up), by(up & gap), len(steps), by(step & (change == 1), np.ones_like(change)), sketched(paces),
            back[:300], len(back) // 3, int(value[0]), int(value[-1]), still,
        )  # fmt: skip

    def value(self, name: str, day: int) -> Values | None:
        """Return one day of a number with many values."""
        part = slice(day * self.per_day, (day + 1) * self.per_day)
        row = self.values[name][part]
        known = ~np.isnan(row)
        if name in self.uncertain:
            known &= ~self.uncertain[name][part]
        if not known.any():
            return None
        there = row[known]
        grain = max(float(np.abs(there - there[0]).max()) * 1e-6, 1e-9)
        moved = np.zeros(len(row), np.bool_)
        where = np.flatnonzero(known)
        moved[where[1:]] = np.diff(there) != 0
        still, short = split(cuts(known, moved), self.step_s)
        change = np.abs(np.diff(there))
        limits = self.changed_limits.get((day, name), self.limits.get(name))

        def beyond(of: tuple[float, float] | None) -> list[int]:
            if of is None:
                return []
            out = np.flatnonzero(known & ((row < of[0]) | (row > of[1])))
            sums = Counter(self._quarter(out))
            return sparse({q: n * self.step_s * 1000 for q, n in sums.items()})

        at = self.spikes.get(name, np.empty(0, np.int64))
        today = at[(at >= part.start) & (at < part.stop)] - part.start
        return Values(
            n=len(there), low=float(there.min()), high=float(there.max()), base=float(there[0]), grain=grain,
            spread=sketched((there - there[0]) / grain), steps=sketched(change[change > 0] / grain),
            changed=sparse(Counter(self._quarter(np.flatnonzero(moved)))),
            runs=sketched(np.array(short) * 1e3), still=still,
            spikes=[int(i) * self.step_s * 1000 for i in today[:32]], spiked=len(today),
            outside=beyond(limits), beyond=beyond(self.usual.get(name)),
            limits=list(limits or ()), usual=list(self.usual.get(name, ())),
        )  # fmt: skip

    def _source(self, source: str, day: int) -> SourceDay:
        part = slice(day * self.per_day, (day + 1) * self.per_day)
        names = {n: r for n, r in self.rows().items() if self.sources.get(n, MAIN) == source}
        packed: list[list[int]] = []

        def pack(mask: Bools) -> int:
            packed.append(self._spans(mask, day))
            return len(packed) - 1 if packed[-1] else -1

        signals = {}
        for name, (_, known) in names.items():
            doubtful = self.uncertain.get(name, np.zeros(self.n, np.bool_))[part] & known[part]
            refused = self.bad.get(name, np.zeros(self.n, np.bool_))[part]
            signals[f"press/{name}"] = SignalDay(
                pack(known[part]), pack(doubtful), pack(refused), int((known[part] & ~doubtful).sum()),
                int(doubtful.sum()), int(refused.sum()), int((~known[part] & ~refused).sum()),
            )  # fmt: skip

        made = SourceDay(
            source=source, device=source.split(".", maxsplit=1)[0], protocol=self.protocol, mode=self.mode,
            interval_ns=self.step_s * SECOND, service=[0, DAY], live=[0, DAY], spans=packed, signals=signals,
            requests={}, late=0,
            tracks={f"press/{n}": t for n in self.tracks if n in names and (t := self.track(n, day))},
            counts={f"press/{n}": c for n in self.counters if n in names and (c := self.count(n, day))},
            values={f"press/{n}": v for n in self.values if n in names and (v := self.value(n, day))},
        )  # fmt: skip
        return replace(made, **self.order)

    def evidence(self) -> list[DayEvidence]:
        """Return the days' evidence."""
        sources = sorted({self.sources.get(name, MAIN) for name in self.rows()})
        found = []
        for day in range(self.days):
            start = START + day * DAY
            part = slice(day * self.per_day, (day + 1) * self.per_day)
            off = [] if self.censored is None else self._spans(self.censored[part], day)
            found.append(
                DayEvidence(
                    version=VERSION,
                    day=(FIRST + timedelta(days=day)).isoformat(),
                    zone=CALENDAR.zone,
                    start=str(start),
                    end=str(start + DAY),
                    sources=[self._source(s, day) for s in sources],
                    censored={"agent_off": {"*": off}} if off else {},
                    connections={},
                    native={},
                    simulated=[],
                    late_events=0,
                    bursts={f"press/{name}": windows for (on, name), windows in self.bursts.items() if on == day},
                )
            )
        return found

    def plant(self) -> Plant:
        """Return what people say."""
        meanings = {f"press/{name}": meaning for name, meaning in self.meanings.items()}
        return Plant(machines=[Machine("press", "press")], meanings=meanings, **self.about)  # type: ignore[arg-type]

    def view(self) -> View:
        """Return the window of its last days."""
        kinds = dict.fromkeys((*self.tracks, *self.counters), DataType.INT32)
        kinds.update(dict.fromkeys(self.values, DataType.FLOAT32))
        kinds.update(self.dtypes)

        def signals(source: str) -> tuple[Signal, ...]:
            return tuple(
                Signal(id=name, machine="press", name=name, dtype=kinds[name])
                for name in self.rows()
                if self.sources.get(name, MAIN) == source
            )

        catalog = [
            Source(
                id=source,
                device=source.split(".", maxsplit=1)[0],
                protocol=self.protocol,
                mode=self.mode,
                interval_ns=self.step_s * SECOND,
                signals=signals(source),
            )
            for source in sorted({self.sources.get(name, MAIN) for name in self.rows()})
        ]
        return View(
            days=self.evidence(), tallies={}, catalog=catalog, plant=self.plant(), calendar=self.calendar,
            now_ns=START + self.days * DAY, model=model(), length=self.length or self.days,
        )  # fmt: skip


WITHOUT_SCHEDULE = Calendar("Asia/Seoul", CALENDAR.day_start)
