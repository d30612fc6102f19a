"""What one signal with few values said, as a step function of time: the core of `agent.analyzers.tracks`.

An entry (time, code) holds until the next one. A code is an index into the labels, or

    NOTHING   nothing is known
    FOLDED    segments shorter than a minute, summed up by quarter hour already

Entries come one by one and in order of time, so that what is kept depends on nothing else. A day on which more
segments begin than are kept whole is cut: from then on each short segment is summed up as soon as the next entry
tells its end, and what is left are at most 1,440 long ones and what lies between them. Segments that touch the
day's start or end are summed up when the day closes. Once a signal has said too much on a day, it is not looked at
any more on that day: more than `LABELS` labels, or more than `SUMMED` on a day that is cut, because a sum for each
quarter hour and label would be larger than what it sums up. A number with a fraction is never cut: one that changes
so often is a measured value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.entries import Entries
from agent.analyzers.trackday import Day, flat, shared
from readiness.records import LABELS, MILLI_NS, SHORT_NS, SUMMED, Track
from readiness.sketch import buckets
from readiness.spans import Spans, intersection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.records import Label, Sparse

    Ints = NDArray[np.int64]

NOTHING = -1
FOLDED = -2
WAITING = 256
"""Entries of a day that is cut after which they are summed up: many at once cost little each."""
_NO_ENTRIES = np.empty(0, np.int64)


class Timeline:
    """One signal.

    Args:
        most: Segments of a day that are kept whole.
        summed: Labels of a day that is cut; 0 for one that is never cut.
    """

    __slots__ = ("_days", "_entries", "_labels", "_last", "_loose", "_most", "_summed")

    def __init__(self, most: int, summed: int = SUMMED) -> None:
        self._most, self._summed = most, summed
        self._entries: Entries | None = None
        self._labels: tuple[Label, ...] = ()
        self._last = NOTHING  # code of the last label, also over a hole
        self._days: tuple[Day, ...] = ()  # in order of time, two at most or three
        self._loose = 0  # entries of the last day that wait for being summed up

    def say(self, time: int, label: Label, low: int, high: int) -> bool:
        """Take a label that holds from `time` on, within the day [low, high).

        Returns:
            False when the signal has said too much on this day: nothing more of this day may come.
        """
        code = self._code(label)
        if self._entries is not None and self._entries.code == code:
            return True
        day = self._open(time, low, high)
        if code not in day.said:
            day.said += (code,)
        day.begun += 1
        if len(day.said) > (LABELS if day.begun <= self._most else self._summed):
            self._give_up(day)
            return False
        if self._last not in {NOTHING, code}:
            day.change(time)
        self._last = code
        self._append(time, code, day)
        return True

    def fall_silent(self, time: int, low: int, high: int) -> None:
        """Take that nothing is known from `time` on; [low, high) is the day of the next word, or of this one."""
        if self._entries is None or self._entries.code == NOTHING:
            return
        day = self._open(time, low, high) if time > low else self._days[-1] if self._days else None
        self._append(time, NOTHING, day if day is not None and time < day.high else None)

    def wake(self, time: int, label: Label | None, *, known: bool) -> None:
        """Take what a signal that was not looked at any more said last, and whether that still holds."""
        self._last = NOTHING if label is None else self._code(label)
        self._enter(time, self._last if known else NOTHING)

    def _code(self, label: Label) -> int:
        try:
            return self._labels.index(label)
        except ValueError:
            self._labels += (label,)
            return len(self._labels) - 1

    def _open(self, time: int, low: int, high: int) -> Day:
        day = self._on(low)
        if day is None:
            self.settle()
            day = Day(low, high)
            self._days += (day,)
            if time > low and self._entries is not None and self._entries.code != NOTHING:
                day.said = (self._entries.code,)
        return day

    def _on(self, low: int) -> Day | None:
        """Return the day that begins at an instant; nearly always it is the last one."""
        for day in reversed(self._days):
            if day.low == low:
                return day
        return None

    def _append(self, time: int, code: int, day: Day | None) -> None:
        self._enter(time, code)
        if day is not None and day.begun > self._most:
            day.cut = True
            self._loose += 1
            if self._loose >= WAITING:
                self.settle()

    def _enter(self, time: int, code: int) -> None:
        if self._entries is None:
            self._entries = Entries.begun(time, code)
        else:
            self._entries.append(time, code)

    def _columns(self) -> tuple[Ints, Ints]:
        return (_NO_ENTRIES, _NO_ENTRIES) if self._entries is None else self._entries.columns()

    def _keep(self, time: Ints, code: Ints) -> None:
        self._entries = Entries(time, code) if len(time) else None

    def settle(self) -> None:
        """Sum up what waits for it."""
        if self._loose:
            self._loose = 0
            self._fold(self._days[-1])

    def _fold(self, day: Day) -> None:
        """Sum up the short segments that have begun and ended within a day, which is the last one."""
        times, codes = self._columns()
        first = int(times.searchsorted(day.low))
        time, code = times[first:], codes[first:].copy()
        length = np.diff(time)
        at = np.flatnonzero((code[:-1] >= 0) & (length < SHORT_NS))
        if not len(at):
            return
        before = np.append(codes[first - 1] if first else NOTHING, code[:-1])
        day.dwelt(length[at[(before[at] != NOTHING) & (code[at + 1] != NOTHING) & (time[at] > day.low)]])
        day.sum_up(time[at], time[at + 1], code[at])
        code[at] = FOLDED
        # What lies straight behind others, or with a hole between them, is one with them.
        folded, hole = code == FOLDED, code == NOTHING
        behind, beyond, then = (np.zeros(len(code), np.bool_) for _ in range(3))
        behind[1:], then[:-1] = folded[:-1], folded[1:]
        beyond[2:] = hole[1:-1] & folded[:-2]
        keep = ~((folded & (behind | beyond)) | (hole & behind & then))
        self._keep(np.append(times[:first], time[keep]), np.append(codes[:first], code[keep]))

    def _give_up(self, day: Day) -> None:
        day.give_up()
        self._loose = 0
        time, code = self._columns()
        first = int(time.searchsorted(day.low))
        self._keep(time[:first], code[:first])
        self._last = NOTHING
        self._restore(self.state())  # without the labels of this day

    def record(self, low: int, high: int, until: int, known: Spans) -> Track | None:
        """Return the track of the day [low, high), or None if there is none.

        Args:
            low: Start.
            high: End.
            until: How long the last entry holds if nothing more comes.
            known: When anything was known.
        """
        self.settle()
        day = self._on(low)
        times, codes = self._columns()
        first, last = max(int(times.searchsorted(low, "right")) - 1, 0), int(times.searchsorted(high))
        if first >= last or (day is not None and day.given_up):
            return None
        begin, code = times[first:last], codes[first:last]
        end = np.append(begin[1:], times[last] if last < len(times) else until)
        start, stop = np.maximum(begin, low), np.minimum(end, high)
        keep = (code >= 0) & (stop > start)
        day = day or Day(low, high)
        rest: dict[tuple[int, int], list[int]] = {}
        if day.cut:
            short = keep & (stop - start < SHORT_NS)
            rest = _rest(day, start[short], stop[short], code[short])
            keep &= ~short
        whole = Spans(start[keep], stop[keep])
        pieces = intersection(whole, known)
        said = code[keep][np.searchsorted(whole.start, pieces.start, side="right") - 1].tolist()
        if not said and not rest:
            return None
        seen = (code >= 0) & (begin > low) & (end < high)
        seen &= (np.append(NOTHING, code[:-1]) != NOTHING) & (np.append(code[1:], NOTHING) != NOTHING)
        there = {*said, *(c for _, c in rest)}
        order = [c for c in dict.fromkeys([*day.said, *said]) if c in there]
        return Track(
            labels=[self._labels[c] for c in order],
            segments=_segments(pieces, low, [order.index(c) for c in said]),
            cut=day.cut,
            rest=[
                n
                for q, c in sorted(rest, key=lambda k: (k[0], order.index(k[1])))
                for n in (q, order.index(c), *rest[q, c])
            ],
            changes=day.changes,
            changed=day.changed.tolist(),
            dwell=_dwell(day, Spans(begin[seen], end[seen]), known),
        )

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`; the entry that holds then stays."""
        self.settle()
        entries = self._entries
        if entries is not None and len(entries) > 1 and entries.second() <= end_ns:
            time, code = entries.columns()
            first = int(time.searchsorted(end_ns, "right")) - 1
            self._keep(time[first:], code[first:])
        if self._days and self._days[0].high <= end_ns:
            self._days = shared([day for day in self._days if day.high > end_ns])
        if len(self._labels) > LABELS:
            self._restore(self.state())

    def state(self) -> list[Any]:
        """Return everything as JSON; labels are those that are still in use, in the order of their use."""
        self.settle()
        time, entered = self._columns()
        codes = entered.tolist()
        used = [*codes, *(c for day in self._days for c in day.said), self._last]
        code = {c: n for n, c in enumerate(dict.fromkeys(c for c in used if c >= 0))}
        labels = [self._labels[c] for c in code]
        code |= {NOTHING: NOTHING, FOLDED: FOLDED}
        if len(time):
            time[1:] -= time[:-1].copy()
        times = time.tolist()
        days = [day.state(code) for day in self._days]
        return [times, [code[c] for c in codes], labels, code[self._last], days]

    def _restore(self, state: Sequence[Any]) -> None:
        self._keep(np.cumsum(np.array(state[0], np.int64)), np.array(state[1], np.int64))
        self._labels, self._last = tuple(state[2]), state[3]
        self._days = shared([Day.restored(one) for one in state[4]])

    @classmethod
    def restored(cls, most: int, state: Sequence[Any], summed: int = SUMMED) -> Timeline:
        """Return what `state` was made of."""
        line = cls(most, summed)
        line._restore(state)
        return line


def _rest(day: Day, begin: Ints, end: Ints, code: Ints) -> dict[tuple[int, int], list[int]]:
    """Return (quarter, code) -> [ms, number] of short segments, with those that touch the day's edges."""
    edges = Day(day.low, day.high)
    edges.sum_up(begin, end, code)
    found: dict[tuple[int, int], list[int]] = {}
    for rest in (day.rest, edges.rest):
        for quarter, said, length, begins in zip(*[iter(rest)] * 4, strict=True):
            cell = found.setdefault((quarter, said), [0, 0])
            cell[0] += length
            cell[1] += begins
    return found


def _segments(pieces: Spans, low: int, labels: list[int]) -> list[int]:
    """Return [hole, length, label, ...] in milliseconds from `low`."""
    edges = np.empty(2 * len(pieces) + 1, np.int64)
    edges[0] = 0
    edges[1::2] = (pieces.start - low) // MILLI_NS
    edges[2::2] = (pieces.end - low) // MILLI_NS
    found = np.empty((len(pieces), 3), np.int64)
    found[:, :2] = np.diff(edges).reshape(-1, 2)
    found[:, 2] = labels
    segments: list[int] = found.ravel().tolist()
    return segments


def _dwell(day: Day, seen: Spans, known: Spans) -> Sparse:
    """Return the sketch of a day: what was summed up, and segments with both ends, where known without a hole."""
    counts = dict(day.dwell)
    length = seen.end - seen.start
    for bucket in buckets(length[known.within(seen) == length]).tolist():
        counts[bucket] = counts.get(bucket, 0) + 1
    return flat(counts)
