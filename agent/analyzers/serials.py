"""Ids that change too often for a track: serial numbers of single pieces (`readiness.records.Ids`).

Texts are looked at whatever their role, and any signal of role `lot`. An id is shown from its first reading to the
first that says another one; a hole, or a time in which nothing was said ("", 0), does not end it. What was said is
counted by its shape and quarter hour; of the ids themselves the few with the smallest hashes are kept, which are
the same ones on each day and at each machine.

A reading covers the time to the next one, on a poll one interval where that is further than 1.2 away, on a
subscription up to its next row; that its link was dead is not cut out, because only shares of this time are used.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.knowledge import LIMIT
from agent.analyzers.rows import BAD, GOOD, UNCERTAIN
from agent.analyzers.runs import firsts
from agent.analyzers.tracks import label
from agent.frame import DataType
from readiness.records import MILLI_NS, QUARTER_NS, SAMPLE, SHAPES, SHOWS, SUMMED, Ids, Show
from readiness.seen import names_something, text
from readiness.serials import rank, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.analyzers.rows import Rows
    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Mode, Signal, Value

    Bounds = Callable[[int], tuple[int, int]]

CELL = 4


class _Day:
    """What one signal said on one open day."""

    __slots__ = ("cells", "high", "low", "sample", "shapes", "shown")

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.shapes: dict[str, str] = {}  # shape -> the first id of it, in the order in which they came
        self.cells = array("q")  # [quarter, shape, ns, ids that begin, ...], quarters not decreasing
        self.shown = 0
        self.sample: dict[int, Show] = {}  # by rank

    def count(self, said: str, from_ns: int, to_ns: int, begins: int) -> None:
        """Count time in which an id was said, within the day, and whether it began."""
        kind = shape(said)
        if kind not in self.shapes:
            if len(self.shapes) < SHAPES:
                self.shapes[kind] = said
            else:
                kind = next(reversed(self.shapes))  # too many shapes are none
        place = list(self.shapes).index(kind)
        while True:
            quarter = (from_ns - self.low) // QUARTER_NS
            stop = min(to_ns, self.low + (quarter + 1) * QUARTER_NS)
            self._add(quarter, place, stop - from_ns, begins)
            if stop >= to_ns:
                return
            from_ns, begins = stop, 0

    def _add(self, quarter: int, place: int, length: int, begins: int) -> None:
        cells = self.cells
        for at in range(len(cells) - CELL, -1, -CELL):
            if cells[at] < quarter:
                break
            if cells[at] == quarter and cells[at + 1] == place:
                cells[at + 2] += length
                cells[at + 3] += begins
                return
        cells.extend((quarter, place, length, begins))

    def show(self, said: str, from_ns: int, to_ns: int) -> None:
        """Take an id whose begin and end were seen; it ended on this day."""
        self.shown += 1
        place = rank(said)
        kept = self.sample.get(place)
        if kept is None:
            if len(self.sample) == SAMPLE:
                last = max(self.sample)
                if place > last:
                    return
                del self.sample[last]  # one that was pushed out never comes back: what is kept only gets smaller
            kept = self.sample[place] = Show(said, 0, [])
        spans = kept.spans
        if len(spans) < 2 * SHOWS:
            spans = [*spans, (from_ns - self.low) // MILLI_NS, (to_ns - from_ns) // MILLI_NS]
        self.sample[place] = Show(kept.label, kept.shows + 1, spans)

    def record(self) -> Ids | None:
        """Return what the day has come to; None where a track says it all."""
        if len(self.sample) <= SUMMED:
            return None
        rows = sorted(zip(*[iter(self.cells)] * CELL, strict=True))
        rest = [n for q, place, ns, begins in rows for n in (q, place, ns // MILLI_NS, begins)]
        sample = sorted(self.sample.values(), key=lambda one: (one.spans[0], one.label))
        return Ids(list(self.shapes.values()), rest, self.shown, sample)

    def state(self) -> list[Any]:
        """Return everything as JSON."""
        sample = [[str(place), one.label, one.shows, one.spans] for place, one in sorted(self.sample.items())]
        rows = sorted(zip(*[iter(self.cells)] * CELL, strict=True))
        return [self.low, self.high, list(self.shapes.items()), [n for r in rows for n in r], self.shown, sample]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> _Day:
        """Return what `state` was made of."""
        day = cls(state[0], state[1])
        day.shapes, day.cells, day.shown = dict(state[2]), array("q", state[3]), state[4]
        day.sample = {int(place): Show(said, shows, spans) for place, said, shows, spans in state[5]}
        return day


class _Line:
    """One signal."""

    __slots__ = ("days", "last", "named", "read", "said", "since", "started")

    def __init__(self) -> None:
        self.last: Value = None  # what was said last, as it came
        self.read = 0  # when; 0: nothing yet
        self.said = ""  # as a text
        self.since = 0  # from when on what is said has not been counted; 0: nothing is said
        self.named: str | None = None  # the id that is shown
        self.started = 0  # when it began; 0: nobody has seen that
        self.days: list[_Day] = []

    def on(self, low: int, high: int) -> _Day:
        """Return a day, which is one of the last."""
        for day in reversed(self.days):
            if day.low == low:
                return day
        self.days.append(_Day(low, high))
        return self.days[-1]

    def state(self) -> list[Any]:
        """Return everything as JSON."""
        days = [day.state() for day in self.days]
        return [self.last, self.read, self.said, self.since, self.named, self.started, days]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> _Line:
        """Return what `state` was made of."""
        line = cls()
        line.last, line.read, line.said, line.since, line.named, line.started, days = state
        line.days = [_Day.restored(day) for day in days]
        return line


class Serials:
    """An `agent.analyzers.signals.Analyzer`; `ids` of the day.

    Args:
        mode: Of the source.
        interval_ns: Of the source.
    """

    def __init__(self, mode: Mode, interval_ns: int) -> None:
        self._poll = mode != "subscription"
        self._interval, self._limit = interval_ns, int(LIMIT * interval_ns)
        self._types: list[DataType] = []
        self._watched = np.zeros(0, np.bool_)
        self._lines: dict[int, _Line] = {}

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Take the signals as they are defined now."""
        for index, signal in enumerate(signals):
            if index >= len(self._types):
                self._types.append(DataType.FLOAT64)
            if signal is not None:
                self._types[index] = signal.dtype
                if signal.dtype is DataType.STRING or signal.role == "lot":
                    self._lines.setdefault(index, _Line())
        self._watched = np.zeros(len(signals), np.bool_)
        self._watched[list(self._lines)] = True

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        if not self._lines:
            return
        rows = rows.where(self._watched[rows.signal])
        if self._poll:
            rows = rows.of(GOOD, UNCERTAIN)
        if not len(rows):
            return
        times, raw = rows.time.tolist(), self._said(rows)
        line, index = _Line(), -1
        for row in self._news(rows, raw):
            if row:
                line.read = times[row - 1]
            if int(rows.signal[row]) != index:
                index = int(rows.signal[row])
                line = self._lines[index]
            time, value = times[row], raw[row]
            if value != line.last or (self._poll and time - line.read > self._limit):
                self._read(line, time, value, self._types[index], day)
            line.read = time
        line.read = times[-1]

    def _said(self, rows: Rows) -> list[Value]:
        """Return the values, None for what says nothing."""
        raw = [None if value != value else value for value in rows.raw]  # noqa: PLR0124 - NaN
        if rows.kind is not None and not self._poll:
            for row in np.flatnonzero(rows.kind >= BAD).tolist():
                raw[row] = None
        return raw

    def _news(self, rows: Rows, raw: Sequence[Value]) -> list[int]:
        """Return the first row of each signal, and those that say something new or come late."""
        first = firsts(rows.signal)
        if self._poll:
            first[1:] |= np.diff(rows.time) > self._limit
        told = [row for row, (one, last) in enumerate(zip(raw[1:], raw, strict=False), 1) if one != last]
        first[told] = True
        return np.flatnonzero(first).tolist()

    def _read(self, line: _Line, time: int, value: Value, dtype: DataType, day: Portion) -> None:
        """Take a reading that says something else than the last, or comes after a hole."""
        gone = self._poll and time - line.read > self._limit
        self._count(line, line.read + self._interval if gone else time, day.closed_ns, day.day)
        before = line.last
        line.last, line.read, line.since = value, time, 0 if value is None else time
        if value is None or value == before:
            return
        found = label(value, dtype)
        line.said = text(found)
        if not names_something(found) or line.said == line.named:
            return
        on = line.on(day.start_ns, day.end_ns)
        if line.named is not None and line.started:
            on.show(line.named, line.started, time)
        line.started = time if line.named is not None else 0
        line.named = line.said
        on.count(line.named, time, time, 1)

    def _count(self, line: _Line, until: int, closed_ns: int, bounds: Bounds) -> None:
        """Count the time in which the last value was said, on the days that are still open."""
        low = max(line.since, closed_ns)
        while line.since and low < until:
            start, end = bounds(low)
            line.on(start, end).count(line.said, low, min(end, until), 0)
            low = end

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return the ids of a day, with what still goes on counted to its end."""
        found: dict[str, Ids] = {}
        for index, name in day.keys.items():
            line = self._lines.get(index)
            if line is None:
                continue
            until = min(day.end_ns, line.read + self._interval) if self._poll else day.end_ns
            self._count(line, until, day.start_ns, lambda _: (day.start_ns, day.end_ns))
            line.since = max(line.since, until) if line.since else 0
            record = next((one.record() for one in line.days if one.low == day.start_ns), None)
            if record is not None:
                found[name] = record
        return {"ids": found} if found else {}

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        for line in self._lines.values():
            line.days = [day for day in line.days if day.high > end_ns]

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {str(index): line.state() for index, line in sorted(self._lines.items())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._lines = {int(index): _Line.restored(line) for index, line in state.items()}
