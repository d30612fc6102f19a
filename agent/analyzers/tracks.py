"""What signals with few different values said, from when to when (`readiness.records.Track`).

Every signal is looked at, whatever its type, because a state can be a text, a code or a bool, and because it may be
told weeks later which signal is one. A numpy pass finds the rows that say something else than the row before; only
these reach the signal's timeline. A measured value has said too much within a minute or two, and costs nothing more
on that day than remembering its last row.

When something is known is exactly what `agent.analyzers.knowledge` says: of a poll, the time to the next good or
uncertain reading if that is at most 1.2 intervals away, otherwise one interval; of a subscription, up to the next
row of the signal while the link was alive. The link's life is known only when the day closes: segments that are
kept one by one are then cut to it. Those that a cut track has summed up are not; only an outage between two values
less than a minute apart can lie in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.knowledge import LIMIT
from agent.analyzers.rows import BAD, GOOD, UNCERTAIN
from agent.analyzers.runs import NEVER, NONE, firsts, grown
from agent.analyzers.timeline import Timeline
from agent.frame import DataType
from contract.codec import checksum
from readiness.records import SEGMENTS, SUMMED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.rows import Rows
    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Mode, Signal, Value
    from readiness.records import Label, Track

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

FRACTIONS = 64
"""Segments of a number with a fraction; of more than that there is no track."""
FEW = 256
"""Rows that are handed to a timeline at once."""
TEXT = 128
"""Characters of a label."""
FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
EXACT = frozenset({DataType.STRING, DataType.TIMESTAMP, DataType.INT64, DataType.UINT64})
"""Types whose values float64 cannot tell apart: they are compared one by one."""


def label(value: Value, dtype: DataType) -> Label:
    """Return what a value is called in a track: one type a signal, and no longer than `TEXT`.

    A longer text is cut and ends with "~" and 64 bits of a hash of the whole of it, as hex: texts that differ only
    behind the cut stay different labels.
    """
    assert value is not None
    if dtype is DataType.BOOL:
        return bool(value)
    if isinstance(value, str):
        return value if len(value) <= TEXT else f"{value[: TEXT - 17]}~{checksum(value.encode())}"
    if dtype in FLOATS:
        return float(value) + 0.0  # there is no -0.0
    return int(value) if value == int(value) else float(value)


class Tracks:
    """An `agent.analyzers.signals.Analyzer`; `tracks` of the day.

    Args:
        mode: Of the source.
        interval_ns: Of the source.
    """

    def __init__(self, mode: Mode, interval_ns: int) -> None:
        self._poll = mode != "subscription"
        self._limit = int(LIMIT * interval_ns)
        self._tail = interval_ns
        self._types: list[DataType] = []
        self._exact = np.zeros(0, np.bool_)
        self._lines: list[Timeline] = []
        # The last row of each signal; of a poll, the last that said anything.
        self._time = np.zeros(0, np.int64)
        self._known = np.zeros(0, np.bool_)
        self._number = np.zeros(0, np.float64)  # of the last row that said anything
        self._value: list[Value] = []  # likewise, where numbers are not exact
        self._asleep = np.zeros(0, np.int64)  # end of the day on which the signal has said too much, 0: it has not

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Take the signals as they are defined now."""
        n = len(signals)
        self._time, self._asleep = grown(self._time, n), grown(self._asleep, n)
        self._known = np.append(self._known, np.zeros(n - len(self._known), np.bool_))
        self._number = np.append(self._number, np.full(n - len(self._number), np.nan))
        self._value += [None] * (n - len(self._value))
        for index, signal in enumerate(signals):
            if index >= len(self._types):
                self._types.append(DataType.FLOAT64 if signal is None else signal.dtype)
            elif signal is not None:
                self._types[index] = signal.dtype
        self._exact = np.array([t in EXACT for t in self._types], np.bool_)
        for dtype in self._types[len(self._lines) :]:
            self._lines.append(Timeline(*_most(dtype)))

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        if self._poll:
            rows = rows.of(GOOD, UNCERTAIN)
        if not len(rows):
            return
        head = np.flatnonzero(firsts(rows.signal))
        of = rows.signal[head]
        asleep = self._asleep[of] >= day.end_ns
        if not asleep.any():
            self._look(rows, head, day)
        elif not asleep.all():
            keep = np.repeat(~asleep, np.diff(head, append=len(rows)))
            awake = rows.where(keep)
            self._look(awake, np.flatnonzero(firsts(awake.signal)), day)
        self._remember(rows, of, np.append(head[1:], len(rows)) - 1)

    def _look(self, rows: Rows, head: Ints, day: Portion) -> None:
        """Find the rows that say something else than the row before, and tell the timelines."""
        signal, time, number = rows.signal, rows.time, rows.number
        of = signal[head]
        previous, before = np.empty_like(time), np.empty_like(number)
        previous[1:], before[1:] = time[:-1], number[:-1]
        previous[head], before[head] = self._time[of], self._number[of]
        news = number != before  # also where there is no number
        exact = self._exact[signal] if self._exact[of].any() else None
        if exact is not None:
            part = np.flatnonzero(exact)
            news[part] = self._differ(rows.where(part))
        if self._poll:
            pause = time - previous > self._limit
            news |= pause
        else:
            known = np.ones(len(rows), np.bool_) if rows.kind is None else rows.kind < BAD
            held = np.empty_like(known)
            held[1:] = known[:-1]
            held[head] = self._known[of]
            news = (known & news) | (known != held)
            pause = ~known
        woken = self._asleep[of] > 0
        news[head[woken]] = True
        at = np.flatnonzero(news)
        if len(at):
            self._wake(of[woken])
            silent = np.where(previous == NONE, NONE, previous + self._tail) if self._poll else time
            self._tell(rows.where(at), np.where(pause, silent, NONE)[at], day)

    def _differ(self, rows: Rows) -> Bools:
        """Return which rows hold another value than the row before, which numbers cannot tell."""
        values, signals = rows.raw, rows.signal.tolist()
        found = np.empty(len(rows), np.bool_)
        last, value = -1, None
        for index, (signal, now) in enumerate(zip(signals, values, strict=True)):
            if signal != last:
                last, value = signal, self._value[signal]
            if now is None:
                found[index] = False
                continue
            found[index] = now != value
            value = now
        return found

    def _wake(self, signals: Ints) -> None:
        """Let signals speak again on a new day."""
        for signal in signals.tolist():
            value = self._value[signal] if self._exact[signal] else float(self._number[signal])
            there = value is not None and value == value  # noqa: PLR0124 - not NaN: a type that has changed since
            said = label(value, self._types[signal]) if there else None
            self._lines[signal].wake(int(self._time[signal]), said, known=there and bool(self._known[signal]))
        self._asleep[signals] = 0

    def _tell(self, rows: Rows, silent: Ints, day: Portion) -> None:
        """Hand rows to the timelines; from `silent` to the row (where it is not `NONE`) nothing was known."""
        head = np.flatnonzero(firsts(rows.signal)).tolist()
        for first, last in zip(head, [*head[1:], len(rows)], strict=True):
            for low in range(first, last, FEW):  # who has said too much is soon found out
                part = slice(low, min(low + FEW, last))
                if not self._speak(int(rows.signal[first]), rows.where(part), silent[part], day):
                    break

    def _speak(self, signal: int, rows: Rows, silent: Ints, day: Portion) -> bool:
        """Hand rows of one signal to its timeline; return whether it may say more on this day."""
        low, high = day.start_ns, day.end_ns
        dtype, line = self._types[signal], self._lines[signal]
        for time, value, hole in zip(rows.time.tolist(), rows.raw, silent.tolist(), strict=True):
            if hole:
                line.fall_silent(hole, low, high)
            if value is not None and not line.say(time, label(value, dtype), low, high):
                self._asleep[signal] = high
                return False
        return True

    def _remember(self, rows: Rows, of: Ints, tail: Ints) -> None:
        self._time[of] = rows.time[tail]
        self._known[of] = True if rows.kind is None else rows.kind[tail] < BAD
        if rows.kind is not None and not self._poll:
            rows = rows.of(GOOD, UNCERTAIN)
            if not len(rows):
                return
            head = np.flatnonzero(firsts(rows.signal))
            of, tail = rows.signal[head], np.append(head[1:], len(rows)) - 1
        last = rows.where(tail)
        self._number[of] = last.number
        exact = np.flatnonzero(self._exact[of])
        if len(exact):
            for signal, value in zip(of[exact].tolist(), last.where(exact).raw, strict=True):
                self._value[signal] = value

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return the tracks of a day."""
        tracks: dict[str, Track] = {}
        self._wake(np.flatnonzero((self._asleep > 0) & (self._asleep <= day.start_ns)))  # their last word may hold
        for index, name in day.keys.items():
            until = int(self._time[index]) + self._tail if self._poll else NEVER
            track = self._lines[index].record(day.start_ns, day.end_ns, until, day.known[index][0])
            if track is not None:
                tracks[name] = track
        return {"tracks": tracks} if tracks else {}

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        for line in self._lines:
            line.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "types": list(self._types),
            "lines": [line.state() for line in self._lines],
            "time": self._time.tolist(),
            "known": self._known.astype(np.int64).tolist(),
            "number": [None if n != n else n for n in self._number.tolist()],  # noqa: PLR0124
            "value": [v if exact else None for v, exact in zip(self._value, self._exact.tolist(), strict=True)],
            "asleep": self._asleep.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._types = [DataType(t) for t in state["types"]]
        self._exact = np.array([t in EXACT for t in self._types], np.bool_)
        self._lines = []
        for dtype, kept in zip(self._types, state["lines"], strict=True):
            most, summed = _most(dtype)
            self._lines.append(Timeline.restored(most, kept, summed))
        self._time = np.array(state["time"], np.int64)
        self._known = np.array(state["known"], np.bool_)
        self._number = np.array([np.nan if n is None else n for n in state["number"]], np.float64)
        self._value = list(state["value"])
        self._asleep = np.array(state["asleep"], np.int64)


def _most(dtype: DataType) -> tuple[int, int]:
    """Return how many segments of a day are kept whole, and how many labels of one that is cut."""
    return (FRACTIONS, 0) if dtype in FLOATS else (SEGMENTS, SUMMED)
