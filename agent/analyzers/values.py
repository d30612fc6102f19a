"""Statistics of numbers (records.Values): spread, steps, runs of equal readings, spikes, time out of range.

Only good readings speak. Two that follow each other are linked when nothing lies between them: on a poll, at most
1.2 intervals; on a subscription, no row of another class. A reading covers the time to the next one it is linked
with; otherwise one interval of a poll, and on a subscription up to the row that interrupts it. What a
subscription's value covers while its link was dead is known only when the day closes, and is cut then, from
pieces of a minute or more; shorter ones are left as they are.

A run lasts from its first reading to the first that differs, or to where knowledge ends. A run of a minute or
more belongs to each day that it touches, clipped to it; so its parts touch at midnight, and a reader joins them. A
shorter one is counted whole, on the day of its beginning.

Time out of range is what readings outside of a range cover. A change of the ranges begins the day's sums anew.

Spikes are looked for in windows of five readings of one day (`spikes`), so that a day is never decided by what
comes after it; steps are changes between linked readings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.around import rough
from agent.analyzers.knowledge import LIMIT
from agent.analyzers.packing import packed, unpacked
from agent.analyzers.rows import GOOD, Rows
from agent.analyzers.runs import NEVER, firsts
from agent.analyzers.spikes import BEFORE, candidates
from agent.analyzers.valuesday import OUTER, ValuesDay
from agent.analyzers.worth import NEVER_BY_ITSELF, NO_NUMBERS, worth
from readiness.records import SHORT_NS
from readiness.sketch import index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Signal

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


class Values:
    """Values of one source.

    Args:
        mode: How it is read.
        interval_ns: Of the poll.
    """

    def __init__(self, mode: str, interval_ns: int) -> None:
        self._poll = mode == "poll"
        self._interval = interval_ns
        self._limit = int(LIMIT * interval_ns)
        self._column = np.empty(0, np.int64)  # of each signal, -1 for one that is not watched
        self._all = False
        self._want = np.empty(0, np.int64)
        self._range = np.empty((0, 4))
        self._ranged = np.empty(0, np.bool_)
        self._value = np.empty((0, BEFORE))  # the last readings
        self._link = np.empty((0, BEFORE), np.bool_)  # and whether each was linked with the one before, on its day
        self._time = np.empty((0, 2), np.int64)  # of the last two
        self._run = np.empty(0, np.int64)  # start of the run that goes on
        self._broken = np.empty(0, np.int64)  # of a subscription: what followed the last good reading
        self._days: dict[int, ValuesDay] = {}

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Take the signals' definitions: which are numbers, and their ranges."""
        more = len(signals) - len(self._column)
        self._column = np.append(self._column, np.full(more, -1, np.int64))
        for number, signal in enumerate(signals):
            if signal is None or signal.dtype in NO_NUMBERS:
                continue
            limits = (*(signal.instrument_range or (np.nan,) * 2), *(signal.eu_range or (np.nan,) * 2))
            want = worth(signal)
            if self._column[number] < 0:
                if want == NEVER_BY_ITSELF and np.isnan(limits).all():
                    continue
                self._watch(number)
            column = int(self._column[number])
            self._want[column] = want
            if not np.array_equal(self._range[column], limits, equal_nan=True):
                self._range[column] = limits
                for day in self._days.values():
                    day.renew(column)
        self._all = bool((self._column == np.arange(len(self._column))).all())
        self._ranged = np.asarray(np.isfinite(self._range).any(axis=1))

    def _watch(self, signal: int) -> None:
        n = len(self._want) + 1
        self._column[signal] = n - 1
        self._want, self._range = np.append(self._want, 0), np.append(self._range, np.full((1, 4), np.nan), axis=0)
        self._value = np.append(self._value, np.zeros((1, BEFORE)), axis=0)
        self._link = np.append(self._link, np.zeros((1, BEFORE), np.bool_), axis=0)
        self._time = np.append(self._time, np.zeros((1, 2), np.int64), axis=0)
        self._run, self._broken = np.append(self._run, 0), np.append(self._broken, 0)
        for day in self._days.values():
            day.grow(n)

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        signal = rows.signal
        if not self._all:
            signal = self._column[signal]
            watched = signal >= 0
            if not watched.all():
                signal, rows = signal[watched], rows.where(watched)
        if self._poll and rows.kind is not None:
            good = rows.kind == GOOD
            signal, rows = signal[good], rows.where(good)
        if not len(rows):
            return
        value = rows.number
        good = ~np.isnan(value)
        if rows.kind is not None:
            good &= rows.kind == GOOD
        time = rows.time
        if self._poll:
            if not good.all():
                signal, time, value = signal[good], time[good], value[good]
            joined, cut = None, None
        else:
            joined, cut = self._interrupted(signal, time, good)
            signal, time, value = signal[good], time[good], value[good]
        if len(signal):
            with np.errstate(over="ignore"):
                self._good(signal, time, value, joined, cut, day)

    def _interrupted(self, signal: Ints, time: Ints, good: Bools) -> tuple[Bools, Ints]:
        """Return for the good rows of a subscription whether they follow another, and else when that one ended."""
        place = np.flatnonzero(good)
        of, first = signal[place], firsts(signal[place])
        joined, cut = np.empty(len(place), np.bool_), np.zeros(len(place), np.int64)
        joined[1:] = np.diff(place) == 1
        cut[1:] = time[place[:-1] + 1]
        head = np.flatnonzero(firsts(signal))
        tail = np.append(head[1:], len(signal)) - 1
        begins = np.zeros(len(self._want), np.int64)
        begins[signal[head]] = head
        opening = begins[of[first]]
        broken = self._broken[of[first]]
        joined[first] = (broken == 0) & (place[first] == opening)
        cut[first] = np.where(broken > 0, broken, time[opening])
        # What follows the last good reading now: its signal's next row, or still nothing.
        last = np.full(len(self._want), -1, np.int64)
        last[of] = place  # the last one of each signal stays
        late = last[signal[head]]
        after = np.where(late == tail, 0, time[np.minimum(np.where(late < 0, head, late + 1), len(time) - 1)])
        earlier = self._broken[signal[head]]
        self._broken[signal[head]] = np.where((late < 0) & (earlier > 0), earlier, after)
        return joined, cut

    def _good(
        self, signal: Ints, time: Ints, value: Floats, joined: Bools | None, cut: Ints | None, day: Portion
    ) -> None:
        """Take good rows."""
        now = self._open(day.start_ns, day.end_ns)
        first = firsts(signal)
        head = np.flatnonzero(first)
        tail = np.append(head[1:], len(signal)) - 1
        of = signal[head]
        before, last = np.empty_like(time), np.empty_like(value)
        before[1:], last[1:] = time[:-1], value[:-1]
        before[head], last[head] = self._time[of, 1], self._value[of, -1]
        follows: Bools = (time - before) <= self._limit if joined is None else joined & (before > 0)
        same: Bools = value == last
        same &= follows
        changes = np.flatnonzero(follows & ~same)
        breaks = np.flatnonzero(~same)

        self._spread(now, signal, value, head, breaks)
        if len(breaks):
            ends = time[breaks]
            hole = ~follows[breaks]
            if hole.any():
                ends[hole] = before[breaks[hole]] + self._interval if cut is None else cut[breaks[hole]]
            self._runs(signal[breaks], time[breaks], before[breaks] > 0, ends, last[breaks], now, day)
        ranged = self._ranged[of]
        if ranged.any():
            at = np.flatnonzero(self._ranged[signal] & (before > 0))
            ends = np.where(follows[at], time[at], before[at] + self._interval if cut is None else cut[at])
            self._outside(signal[at], last[at], before[at], ends, now, day)
        linked = follows & (before >= day.start_ns)
        steps = np.zeros(len(value), np.uint8)
        if len(changes):
            who = signal[changes]
            size = index(np.abs(value[changes] - last[changes]) / now.grain[who])
            now.sketches["steps"].add(who, size)
            now.fell[who[value[changes] < last[changes]]] = True
            now.change(who, time[changes])
            steps[changes] = rough(size)
        steps[head[before[head] < day.start_ns]] = 0
        self._spikes(time, value, linked, steps, head, tail, of, now)
        single = tail == head
        self._time[of, 0] = np.where(single, self._time[of, 1], time[np.maximum(tail - 1, 0)])
        self._time[of, 1] = time[tail]

    def _spread(self, now: ValuesDay, signal: Ints, value: Floats, head: Ints, breaks: Ints) -> None:
        """Count values; `breaks` are rows at which a run begins."""
        of = signal[head]
        fresh = now.n[of] == 0
        if fresh.any():
            now.begin(of[fresh], value[head[fresh]])
        now.n += np.bincount(signal, minlength=len(now.n))
        # Which of 0.0 and -0.0 is smaller depends on their order; a sum with 0.0 is never -0.0.
        now.low[of] = np.minimum(now.low[of], np.minimum.reduceat(value, head)) + 0.0
        now.high[of] = np.maximum(now.high[of], np.maximum.reduceat(value, head)) + 0.0
        if len(breaks) * 2 > len(signal):
            now.sketches["spread"].add(signal, index((value - now.base[signal]) / now.grain[signal]))
        else:  # what does not change is looked at once
            looked = np.zeros(len(signal), np.bool_)
            looked[breaks] = looked[head] = True
            at = np.flatnonzero(looked)
            many, who = np.diff(np.append(at, len(signal))), signal[at]
            now.sketches["spread"].add(who, index((value[at] - now.base[who]) / now.grain[who]), many)

    def _runs(
        self, of: Ints, begins: Ints, real: Bools, ends: Ints, last: Floats, now: ValuesDay, day: Portion
    ) -> None:
        """Take the runs that end where others begin: all breaks of a portion, sorted by signal."""
        opening = firsts(of)
        start = np.empty(len(of), np.int64)
        start[1:] = begins[:-1]
        start[opening] = self._run[of[opening]]
        closing = np.append(opening[1:], True)
        self._run[of[closing]] = begins[closing]
        inside = start >= day.start_ns
        now.run(of[inside], start[inside], ends[inside])
        for row in np.flatnonzero(real & ~inside).tolist():
            self._run_over(int(of[row]), int(start[row]), int(ends[row]), float(last[row]), day)

    def _run_over(self, signal: int, start: int, end: int, last: float, portion: Portion) -> None:
        """Take a run that began on an earlier day than it was seen to end."""
        if end - start < SHORT_NS:
            if start >= portion.closed_ns:
                self._open(*portion.day(start)).run(*_arrays(signal, start, end))
            return
        for day, low, high in self._days_of(start, end, portion):
            day.held(signal, last)
            day.still(*_arrays(signal, low, high))

    def _days_of(self, start: int, end: int, portion: Portion) -> list[tuple[ValuesDay, int, int]]:
        """Return the open days that [start, end) touches, and its part of each."""
        found, low = [], max(start, portion.closed_ns)
        while low < end:
            begins, ends = portion.day(low)
            found.append((self._open(begins, ends), low, min(end, ends)))
            low = ends
        return found

    def _outside(self, signal: Ints, value: Floats, start: Ints, end: Ints, now: ValuesDay, day: Portion) -> None:
        """Take what readings covered, of signals with ranges."""
        for which, low in zip(OUTER, (0, 2), strict=True):
            out = np.flatnonzero((value < self._range[signal, low]) | (value > self._range[signal, low + 1]))
            inside = start[out] >= day.start_ns
            at = out[inside]
            self._out(which, now, signal[at], start[at], end[at])
            for row in out[~inside].tolist():
                for that, begins, ends in self._days_of(int(start[row]), int(end[row]), day):
                    that.held(int(signal[row]), float(value[row]))
                    self._out(which, that, *_arrays(int(signal[row]), begins, ends))

    def _out(self, which: str, day: ValuesDay, signal: Ints, start: Ints, end: Ints) -> None:
        long = end - start >= SHORT_NS
        if not self._poll and long.any():
            day.out_long(which, signal[long], start[long], end[long])
            signal, start, end = signal[~long], start[~long], end[~long]
        day.out(which, signal, start, end)

    def _spikes(
        self,
        time: Ints,
        value: Floats,
        linked: Bools,
        steps: NDArray[np.uint8],
        head: Ints,
        tail: Ints,
        of: Ints,
        now: ValuesDay,
    ) -> None:
        """Look for spikes, and remember the last readings of each signal.

        Args:
            time: Of the rows.
            value: Likewise.
            linked: Whether a row follows the one before on the same day.
            steps: From the row before, see `agent.analyzers.around`.
            head: First row of each signal.
            tail: Its last row.
            of: The signals.
            now: The rows' day.
        """
        # Windows that begin with readings of an earlier portion stand in front, signal by signal.
        place = np.arange(BEFORE)
        behind = np.minimum(head[:, None] + place, tail[:, None])
        there = place <= (tail - head)[:, None]
        values = np.concatenate([self._value[of], value[behind]], axis=1)
        links = np.concatenate([self._link[of], linked[behind] & there], axis=1)
        times = np.concatenate([self._time[of], time[behind]], axis=1)  # the two last ones before
        links[:, 0] = False
        inner = linked.copy()
        inner[head] = False
        last, far = candidates(np.concatenate([values.ravel(), value]), np.concatenate([links.ravel(), inner]))
        front = int(np.searchsorted(last, values.size))
        who, at = np.divmod(last[:front], 2 * BEFORE)
        last = last[front:] - values.size - 2
        inside = np.searchsorted(head, last, side="right") - 1
        middle = np.concatenate([times[who, at - BEFORE], time[last]])
        who, at = np.concatenate([who, inside]), np.concatenate([at - BEFORE - 2, last - head[inside]])
        now.spike(of, head, steps, (who, at, middle, far))
        many = np.minimum(tail - head + 1, BEFORE)[:, None] + place
        self._value[of] = np.take_along_axis(values, many, axis=1)
        self._link[of] = np.take_along_axis(links, many, axis=1)
        long = tail - head >= BEFORE
        end = tail[long][:, None] + (place - BEFORE + 1)
        self._value[of[long]], self._link[of[long]] = value[end], linked[end]

    def _open(self, start_ns: int, end_ns: int) -> ValuesDay:
        if start_ns not in self._days:
            for day in self._days.values():  # nearly always they are over
                day.settle()
            self._days[start_ns] = ValuesDay(start_ns, end_ns, len(self._want))
        return self._days[start_ns]

    def close(self, day: Closing) -> dict[str, Any]:
        """Return the records of a day, with what still goes on counted as far as it is certain."""
        now = self._open(day.start_ns, day.end_ns)
        self._going_on(now)
        known = None
        if not self._poll:
            known = {int(self._column[i]): spans[0] for i, spans in enumerate(day.known) if self._column[i] >= 0}
        records = now.records(known)
        found = {}
        for number, key in day.keys.items():
            column = int(self._column[number])
            if column >= 0:
                record = records.record(column, int(self._want[column]), self._range[column].tolist())
                if record is not None:
                    found[key] = record
        return {"values": found}

    def _going_on(self, now: ValuesDay) -> None:
        """Take the runs and readings of which nobody has seen the end."""
        last = self._time[:, 1]
        end = last + self._interval if self._poll else np.where(self._broken > 0, self._broken, NEVER)
        signal = np.flatnonzero((last > 0) & (self._run < now.end_ns) & (end > now.start_ns))
        start, stop = self._run[signal], end[signal]
        short = stop - start < SHORT_NS
        whole = short & (start >= now.start_ns)
        now.run(signal[whole], start[whole], stop[whole])
        long, value = signal[~short], self._value[signal[~short], -1]
        for who, said in zip(long.tolist(), value.tolist(), strict=True):
            now.held(who, said)
        now.still(long, np.maximum(start[~short], now.start_ns), np.minimum(stop[~short], now.end_ns))
        signal = np.flatnonzero((last > 0) & (last < now.end_ns) & (end > now.start_ns) & self._ranged)
        value = self._value[signal, -1]
        begins, ends = np.maximum(last[signal], now.start_ns), np.minimum(end[signal], now.end_ns)
        for which, low in zip(OUTER, (0, 2), strict=True):
            out = (value < self._range[signal, low]) | (value > self._range[signal, low + 1])
            for who, said in zip(signal[out].tolist(), value[out].tolist(), strict=True):
                now.held(who, said)
            self._out(which, now, signal[out], begins[out], ends[out])

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        self._days = {start: day for start, day in self._days.items() if day.end_ns > end_ns}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "column": self._column.tolist(),
            "want": self._want.tolist(),
            "arrays": [
                packed(a) for a in (self._range, self._value, self._link, self._time, self._run, self._broken)
            ],
            "days": {str(start): self._days[start].state() for start in sorted(self._days)},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._column, self._want = np.array(state["column"], np.int64), np.array(state["want"], np.int64)
        ranges, value, link, time, run, broken = state["arrays"]
        self._range = unpacked(ranges, np.float64, -1, 4)
        self._value = unpacked(value, np.float64, -1, BEFORE)
        self._link = unpacked(link, np.bool_, -1, BEFORE)
        self._time = unpacked(time, np.int64, -1, 2)
        self._run, self._broken = unpacked(run, np.int64), unpacked(broken, np.int64)
        self._days = {}
        for start, kept in state["days"].items():
            self._open(int(start), int(kept["end"])).restore(kept)


def _arrays(signal: int, start: int, end: int) -> tuple[Ints, Ints, Ints]:
    return np.array([signal]), np.array([start]), np.array([end])
