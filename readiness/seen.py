"""What signals and devices said over a row of production days, as evidence keeps it, in absolute time.

Formulas and production facts ask here by name; what a name means is not known here. Nothing is clipped to planned
time, because what began before a shift explains what holds in it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from readiness.records import MILLI_NS, QUARTER_NS
from readiness.sketch import pairs
from readiness.spans import EMPTY, Spans, union

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence, SourceDay
    from readiness.records import (
        Burst,
        Count,
        Ids,
        Label,
        Loop,
        Millis,
        Skew,
        Track,
        Values,
    )
    from readiness.schedule import Calendar

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Short:
    """Segments of one label that a cut track sums up: within a quarter hour, each shorter than a minute."""

    at_ns: int  # start of the quarter hour
    label: Label
    length_ns: int
    begins: int


@dataclass(frozen=True, eq=False)
class Labelled:
    """What a signal with few values said.

    Attributes:
        start: int64[n], increasing, absolute; `end` likewise. Segments never overlap; touching ones have different
            labels; in a hole nothing is known, or only `rest` knows.
        end: See `start`.
        label: [n] values.
        rest: Of days whose track was cut, the segments shorter than a minute, by quarter hour.
        cut: Days (index) whose track was cut.
        changes: [days] how often the value changed.
        dwell: Per day sketch of the lengths of all segments that ended.
        whole: Days (index) that have a track at all; on others the signal said too much, or nothing.
    """

    start: Ints
    end: Ints
    label: Sequence[Label]
    rest: Sequence[Short]
    cut: frozenset[int]
    changes: Floats
    dwell: Sequence[Mapping[int, int]]
    whole: frozenset[int]

    @property
    def known(self) -> Spans:
        """When it said anything, without what only `rest` knows."""
        return union(Spans(self.start, self.end))

    def spans_of(self, labels: Collection[Label]) -> Spans:
        """Return when it said one of the labels."""
        return self.where(lambda label: label in labels)

    def where(self, wanted: Callable[[Label], bool]) -> Spans:
        """Return when it said a label that is wanted."""
        values, codes = self._coded
        if not values:
            return EMPTY
        keep = np.array([wanted(value) for value in values], np.bool_)[codes]
        return union(Spans(self.start[keep], self.end[keep]))

    @cached_property
    def _coded(self) -> tuple[list[Label], Ints]:
        """The different labels, and for each segment which of them it has; true and 1 differ."""
        index: dict[tuple[type, Label], int] = {}
        codes = [index.setdefault((type(label), label), len(index)) for label in self.label]
        return [label for _, label in index], np.array(codes, np.int64)

    def at(self, instant_ns: int) -> Label | None:
        """Return what it said at an instant, None when that is not known."""
        index = int(np.searchsorted(self.start, instant_ns, side="right")) - 1
        return self.label[index] if index >= 0 and self.end[index] > instant_ns else None


def text(label: Label) -> str:
    """Return a product, order or lot as people write it: a register of floating point shows 7.0 and means 7."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def names_something(label: Label) -> bool:
    """Return whether a value is an id or a code at all: neither false nor 0 nor an empty text."""
    return bool(label.strip("0 ") if isinstance(label, str) else label)


def millis(flat: Millis, origin_ns: int) -> Spans:
    """Return [hole since the last one's end, length, ...] in milliseconds as spans in absolute time."""
    ends = np.cumsum(np.array(flat, np.int64)) * MILLI_NS + origin_ns
    return Spans(ends[0::2], ends[1::2])


class Seen:
    """Access by name to the evidence of some production days.

    Args:
        days: Closed days in any order; those that do not touch `dates` are passed over.
        calendar: Says where production days begin and end.
        dates: The days, in order; "day" below is an index into them.
    """

    def __init__(self, days: Sequence[DayEvidence], calendar: Calendar, dates: Sequence[date]) -> None:
        self._calendar = calendar
        self.dates = tuple(dates)
        start, end = calendar.bounds(self.dates[0])[0], calendar.bounds(self.dates[-1])[1]
        first = self.dates[0].toordinal()
        touching = sorted((d for d in days if d.end_ns > start and d.start_ns < end), key=lambda d: d.start_ns)
        self.start_ns, self.end_ns = start, end
        self.records = tuple(
            (min(max(date.fromisoformat(d.day).toordinal() - first, 0), len(self.dates) - 1), d) for d in touching
        )
        """(day, evidence) in order of time; a day whose start was moved since counts with its nearest."""
        self._starts = np.array([record.start_ns for _, record in self.records], np.int64)
        self._tracks: dict[str, Labelled] = {}

    def quarters(self, instants: Ints) -> Ints:
        """Return the start of the quarter hour (of its day's evidence) that each instant lies in."""
        if not len(self._starts):
            return instants // QUARTER_NS * QUARTER_NS
        start = self._starts[np.maximum(np.searchsorted(self._starts, instants, side="right") - 1, 0)]
        return cast("Ints", start + (instants - start) // QUARTER_NS * QUARTER_NS)

    def day_of(self, instants: Ints) -> Ints:
        """Return the day that each instant lies in, -1 before the first and `len(dates)` behind the last."""
        bounds = [self._calendar.bounds(day)[0] for day in self.dates]
        found = np.searchsorted(np.array([*bounds, self.end_ns], np.int64), instants, side="right") - 1
        return found.astype(np.int64)

    @cached_property
    def _parts(self) -> dict[str, list[tuple[int, DayEvidence, SourceDay]]]:
        """Signal, and source as `source:{id}` -> its parts of evidence in order of time."""
        found: dict[str, list[tuple[int, DayEvidence, SourceDay]]] = defaultdict(list)
        for day, record in self.records:
            for part in record.sources:
                one = day, record, part
                found[f"source:{part.source}"].append(one)
                for name in dict.fromkeys((*part.tracks, *part.counts, *part.values, *part.ids)):
                    found[name].append(one)
        return found

    def forget(self, machine: str) -> None:
        """Let go of the tracks of a machine."""
        for name in [one for one in self._tracks if one.startswith(f"{machine}/")]:
            del self._tracks[name]

    def track(self, name: str) -> Labelled | None:
        """Return what a signal (`{machine}/{signal}`) with few values said; None if it has no track at all."""
        if name not in self._tracks:
            parts = [(d, r, p.tracks[name]) for d, r, p in self._parts.get(name, ()) if name in p.tracks]
            if not parts:
                return None
            self._tracks[name] = _joined(parts, len(self.dates))
        return self._tracks[name]

    def counts(self, name: str) -> list[tuple[int, DayEvidence, Count]]:
        """Return what a counter counted, per day."""
        return [(d, r, p.counts[name]) for d, r, p in self._parts.get(name, ()) if name in p.counts]

    def values(self, name: str) -> list[tuple[int, DayEvidence, Values]]:
        """Return the statistics of a signal with many values, per day."""
        return [(d, r, p.values[name]) for d, r, p in self._parts.get(name, ()) if name in p.values]

    def ids(self, name: str) -> list[tuple[int, DayEvidence, Ids]]:
        """Return the ids of a signal that said too many for a track, per day."""
        return [(d, r, p.ids[name]) for d, r, p in self._parts.get(name, ()) if name in p.ids]

    def still(self, name: str) -> Spans:
        """Return the longest stretches (of at least a minute) in which a counter or value did not change."""
        found = [millis(count.still, record.start_ns) for _, record, count in self.counts(name)]
        found += [millis(values.still, record.start_ns) for _, record, values in self.values(name)]
        return union(*found)

    def loops(self, name: str) -> list[tuple[int, DayEvidence, Loop]]:
        """Return a control loop (`{machine}/{loop}`), per day."""
        return [(d, r, r.loops[name]) for d, r in self.records if name in r.loops]

    def bursts(self, name: str) -> list[tuple[int, DayEvidence, list[Burst]]]:
        """Return the windows of fast reading of a signal, per day."""
        return [(d, r, r.bursts[name]) for d, r in self.records if name in r.bursts]

    def skews(self, device: str) -> list[tuple[int, DayEvidence, list[Skew]]]:
        """Return a device's clock against ours, per day."""
        return [(d, r, r.skews[device]) for d, r in self.records if device in r.skews]

    def jitter(self, source: str) -> list[tuple[int, DayEvidence, dict[int, int]]]:
        """Return the sketch of a poll's jitter (thousandths of the interval), per day that has one."""
        return [(d, r, pairs(p.jitter)) for d, r, p in self._parts.get(f"source:{source}", ()) if p.jitter]

    def order(self, source: str) -> list[tuple[int, DayEvidence, SourceDay]]:
        """Return a source's part of each day: `rows`, `repeated`, `disordered`, `with_source_time`, `late`."""
        return list(self._parts.get(f"source:{source}", ()))


def _joined(parts: Sequence[tuple[int, DayEvidence, Track]], days: int) -> Labelled:
    """Return tracks of days, and of sources that a signal moved between, as one."""
    segments: list[tuple[int, int, Label]] = []
    rest: list[Short] = []
    changes = np.zeros(days)
    dwell: list[dict[int, int]] = [{} for _ in range(days)]
    for day, record, track in parts:
        ends = np.cumsum(np.array([track.segments[0::3], track.segments[1::3]], np.int64).T.ravel())
        times = (ends * MILLI_NS + record.start_ns).tolist()
        labels = [track.labels[index] for index in track.segments[2::3]]
        segments += zip(times[0::2], times[1::2], labels, strict=True)
        flat = iter(track.rest)
        rest += [
            Short(record.start_ns + quarter * QUARTER_NS, track.labels[index], length * MILLI_NS, begins)
            for quarter, index, length, begins in zip(flat, flat, flat, flat, strict=True)
        ]
        changes[day] += track.changes
        for bucket, number in pairs(track.dwell).items():
            dwell[day][bucket] = dwell[day].get(bucket, 0) + number
    start, end, label = _in_row(segments)
    return Labelled(
        start=start,
        end=end,
        label=label,
        rest=tuple(sorted(rest, key=lambda s: (s.at_ns, str(s.label)))),
        cut=frozenset(day for day, _, track in parts if track.cut),
        changes=changes,
        dwell=dwell,
        whole=frozenset(day for day, _, _ in parts),
    )


def _in_row(segments: list[tuple[int, int, Label]]) -> tuple[Ints, Ints, list[Label]]:
    """Return segments without overlap, equal ones that touch (at the start of a day) joined."""
    segments.sort(key=lambda s: (s[0], s[1], str(s[2])))
    row: list[tuple[int, int, Label]] = []
    for start, end, label in segments:
        if row and row[-1][1] >= start and row[-1][2] == label:
            row[-1] = (row[-1][0], max(end, row[-1][1]), label)
            continue
        if row and row[-1][1] > start:  # another source has taken over
            row[-1] = (row[-1][0], start, row[-1][2])
            if row[-1][0] >= start:
                row.pop()
        if end > start:
            row.append((start, end, label))
    columns = np.array([(s, e) for s, e, _ in row], np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1], [label for _, _, label in row]
