"""How well one control loop holds and follows its set point (U03, L02): two signals, maybe of two sources.

Each signal says what it is until its next row. Rows are kept until both sources have come past an instant, by rows
or by watermarks, so that it does not matter how the sources are interleaved; then the two are compared up to there,
and only spans and moves are left. A source that stays silent holds the other one's rows for at most `SILENCE`; what
comes still later would have changed what was already compared, and that time is not known.

When something is known at all is decided when the day closes, by what is known of both signals then: links that
were down, polls that failed and pauses between polls are left out of `known` and of `held` as they are of A01.

A move is a set point that differs from the last move's by more than the band: less cannot be told from noise, and a
ramp is a row of moves. It was reached when the measured value first lay within the band, if that took at most three
time constants. If the value lay there already in the reading that shows the new set point, it came first: it cannot
be shown that the set point led. A move is over when the next one comes, or after a day, and is told on the day
on which it is over; so its instant may lie before that day. One that happened, was awaited or ended while the
signals were not known is left out.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from readiness.records import MILLI_NS, Loop, Millis
from readiness.spans import EMPTY, Spans, difference, intersection, normal, union

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from readiness.plant import ControlLoop

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

SECOND: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND
DAY_NS: Final = 86_400 * SECOND
SILENCE_NS: Final = 7_200 * SECOND
SLACK_NS: Final = 60 * SECOND
"""How far behind both sources the comparison stays: rows of one answer bear times that differ a little."""
CONSTANTS: Final = 3
"""Time constants after which a set point should be reached: 95 % of the way of a first-order lag."""
PIECES: Final = 1440
"""Spans that `held` has on a day at most; with more of them it is summed up by minute."""
MOVES: Final = 200
"""Moves that are told of a day, the first ones."""
OPEN, NOT = -2, -1
SP, PV = 0, 1


@dataclass(slots=True)
class Move:
    """A change of the set point.

    Attributes:
        at: When, UTC nanoseconds.
        reached: Nanoseconds until it was reached; `NOT` in time; `OPEN` while that is not decided.
        first: The measured value was there before, or at the same instant.
        end: When the next one came, or a day later; `OPEN` before.
        capped: `end` is a day later, and not a change.
    """

    at: int
    reached: int = OPEN
    first: bool = False
    end: int = OPEN
    capped: bool = False


class Side:
    """One of the two signals: rows that are not yet compared, and what it was before them."""

    def __init__(self) -> None:
        self.time: list[Ints] = []
        self.value: list[Floats] = []
        self.last = 0
        self.begun = 0
        self.now = np.nan

    def later(self, time: Ints, value: Floats) -> tuple[Ints, Floats]:
        """Return the rows that are later than all before, as the source's ledger keeps them."""
        keep = time > np.maximum.accumulate(np.append(self.last, time))[:-1]
        return time[keep], value[keep]

    def take(self, time: Ints, value: Floats) -> None:
        """Append rows."""
        self.begun = self.begun or int(time[0])
        self.time.append(time)
        self.value.append(value)

    def replace(self, time_ns: int, value: float) -> None:
        """Let it be `value` from an instant on that lies before all rows but those of the same instant."""
        time, values = self.rows()
        there = int(np.searchsorted(time, time_ns, side="right"))
        self.time = [np.append(np.int64(time_ns), time[there:])]
        self.value = [np.append(value, values[there:])]
        self.begun = self.begun or time_ns

    def rows(self) -> tuple[Ints, Floats]:
        """Return all rows that are not yet compared."""
        if not self.time:
            return np.empty(0, np.int64), np.empty(0)
        if len(self.time) > 1:
            self.time, self.value = [np.concatenate(self.time)], [np.concatenate(self.value)]
        return self.time[0], self.value[0]

    def until(self, end_ns: int) -> tuple[Ints, Floats]:
        """Take the rows before an instant away and return them."""
        time, value = self.rows()
        n = int(np.searchsorted(time, end_ns))
        self.time, self.value = ([time[n:]], [value[n:]]) if n < len(time) else ([], [])
        return time[:n], value[:n]

    def held(self, time: Ints, value: Floats, at: Ints) -> Floats:
        """Return what it was at some instants, by rows that `until` gave and what it was before them."""
        index = np.searchsorted(time, at, side="right")
        found: Floats = np.append(self.now, value)[index]
        return found

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        time, value = self.rows()
        return {
            "time": time.tolist(),
            "value": [None if math.isnan(v) else v for v in value.tolist()],
            "last": self.last,
            "begun": self.begun,
            "now": None if math.isnan(self.now) else self.now,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        if state["time"]:
            self.time = [np.array(state["time"], np.int64)]
            self.value = [np.array(state["value"], np.float64)]
        self.last, self.begun = state["last"], state["begun"]
        self.now = np.nan if state["now"] is None else float(state["now"])


class Follower:
    """One loop.

    Args:
        loop: What is said of it; its band is known.
    """

    def __init__(self, loop: ControlLoop) -> None:
        assert loop.band is not None
        self.about = describe(loop)
        self._band = loop.band
        self._patience = round((loop.tau_s or 0.0) * CONSTANTS * SECOND)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._sides = (Side(), Side())
        self._past = 0  # both are compared up to here
        self._inside = False
        self._since = 0
        self._held: list[tuple[int, int]] = []
        self._doubt: list[tuple[int, int]] = []
        self._set = np.nan  # set point of the last move
        self._moves: list[Move] = []

    @property
    def reach_ns(self) -> int:
        """The latest instant that it knows of."""
        return max(self._past, *(side.last for side in self._sides))

    def take(self, side: int, time: Ints, value: Floats) -> None:
        """Take rows of one of the signals, NaN where there is no good or uncertain number."""
        own = self._sides[side]
        time, value = own.later(time, value)
        if not len(time):
            return
        own.last = int(time[-1])
        late = int(np.searchsorted(time, self._past))
        if late:  # what it says holds from now on; before, nobody knows
            self._doubt.append((int(time[0]), self._past))
            own.replace(self._past, float(value[late - 1]))
        if late < len(time):
            own.take(time[late:], value[late:])

    def advance(self, to_ns: int) -> None:
        """Compare both up to an instant: nothing that is older comes any more."""
        if to_ns <= self._past:
            return
        rows = [side.until(to_ns) for side in self._sides]
        instants = np.union1d(rows[SP][0], rows[PV][0])
        if len(instants):
            sp, pv = (side.held(*own, instants) for side, own in zip(self._sides, rows, strict=True))
            inside = np.abs(pv - sp) <= self._band
            self._hold(instants, inside)
            self._follow(instants, sp, inside)
            for side, (_, values) in zip(self._sides, rows, strict=True):
                side.now = float(values[-1]) if len(values) else side.now
        self._past = to_ns
        self._decide(to_ns)

    def _hold(self, instants: Ints, inside: Bools) -> None:
        changes = np.flatnonzero(np.diff(inside, prepend=self._inside))
        for at in instants[changes].tolist():
            if self._inside:
                self._held.append((self._since, at))
            self._inside, self._since = not self._inside, at

    def _follow(self, instants: Ints, sp: Floats, inside: Bools) -> None:
        """Note moves, and when each was reached."""
        there = instants[inside]
        steps = np.flatnonzero(np.diff(sp, prepend=np.nan) != 0)  # NaN differs from everything
        for index in steps[~np.isnan(sp[steps])].tolist():
            value, at = float(sp[index]), int(instants[index])
            if math.isnan(self._set):
                self._set = value
            if abs(value - self._set) <= self._band:
                continue
            self._reach(there, at)
            if self._moves and self._moves[-1].end == OPEN:
                last = self._moves[-1]
                last.end, last.capped = min(at, last.at + DAY_NS), at >= last.at + DAY_NS
                last.reached = NOT if last.reached == OPEN else last.reached
            self._set = value
            self._moves.append(Move(at, 0 if inside[index] else OPEN, bool(inside[index])))
        self._reach(there, None)

    def _reach(self, there: Ints, before_ns: int | None) -> None:
        """Decide the last move by the instants at which the measured value lay within the band."""
        if not self._moves or self._moves[-1].reached != OPEN:
            return
        move = self._moves[-1]
        index = int(np.searchsorted(there, move.at))
        if index < len(there) and (before_ns is None or there[index] < before_ns):
            took = int(there[index]) - move.at
            move.reached = took if took <= self._patience else NOT

    def _decide(self, now_ns: int) -> None:
        for move in self._moves:
            if move.reached == OPEN and now_ns > move.at + self._patience:
                move.reached = NOT
            if move.end == OPEN and now_ns >= move.at + DAY_NS:
                move.end, move.capped = move.at + DAY_NS, True

    def spans(self, start_ns: int, end_ns: int) -> tuple[Spans, Spans]:
        """Return (not known by us, held if known) on a day that lies before what was compared."""
        begun = max(side.begun or end_ns for side in self._sides)
        unknown = union(Spans.of(self._doubt), Spans.between(start_ns, min(max(begun, start_ns), end_ns)))
        open_ended = [(self._since, end_ns)] if self._inside and self._since < end_ns else []
        return unknown.clip(start_ns, end_ns), Spans.of([*self._held, *open_ended]).clip(start_ns, end_ns)

    def close(self, start_ns: int, end_ns: int, sp: Spans, pv: Spans) -> Loop | None:
        """Return the record of a day, None when nothing was known.

        Args:
            start_ns: Start of the day.
            end_ns: End of the day.
            sp: When the set point was known on that day.
            pv: When the measured value was.
        """
        self.advance(end_ns)
        unknown, held = self.spans(start_ns, end_ns)
        sp = difference(sp, unknown)
        known = intersection(sp, pv)
        held = intersection(held, known)
        moves = self._over(start_ns, end_ns, sp, known)[:MOVES] if self._patience else []
        if not len(known) and not moves:
            return None
        if len(held) > PIECES:
            held = by_minute(held, known, start_ns)
        return Loop(
            band=self._band,
            tau_ms=self._patience // CONSTANTS // MILLI_NS,
            known=millis(known, start_ns),
            held=millis(held, start_ns),
            moves=[
                number
                for move in moves
                for number in (
                    (move.at - start_ns) // MILLI_NS,
                    NOT if move.reached == NOT else move.reached // MILLI_NS,
                    int(move.first),
                    (move.end - move.at) // MILLI_NS,
                )
            ],
        )

    def _over(self, start_ns: int, end_ns: int, sp: Spans, known: Spans) -> list[Move]:
        """Return the moves that were over on a day, and forget those and the ones that nobody could follow."""
        told, kept = [], []
        for move in self._moves:
            wait = self._patience if move.reached < 0 else max(move.reached, 1)
            if move.at >= end_ns:
                kept.append(move)
                continue
            if not _covers(known, max(move.at, start_ns), min(move.at + wait, end_ns)):
                continue
            if move.at > start_ns and not _covers(sp, move.at - 1, move.at):
                continue
            if move.end == OPEN or move.end >= end_ns or move.reached == OPEN:
                kept.append(move)
            elif move.capped or move.end <= start_ns or _covers(sp, move.end - 1, move.end):
                told.append(move)
        self._moves = kept
        return told

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        self._held = [span for span in self._held if span[1] > end_ns]
        self._doubt = [span for span in self._doubt if span[1] > end_ns]

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "about": self.about,
            "sides": [side.state() for side in self._sides],
            "past": self._past,
            "inside": [self._inside, self._since],
            "held": [number for span in self._held for number in span],
            "doubt": [number for span in self._doubt for number in span],
            "set": None if math.isnan(self._set) else self._set,
            "moves": [asdict(move) for move in self._moves],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned, of a loop with the same `about`."""
        for side, kept in zip(self._sides, state["sides"], strict=True):
            side.restore(kept)
        self._past = state["past"]
        self._inside, self._since = state["inside"]
        self._held, self._doubt = (
            list(zip(state[name][::2], state[name][1::2], strict=True)) for name in ("held", "doubt")
        )
        self._set = np.nan if state["set"] is None else float(state["set"])
        self._moves = [Move(**move) for move in state["moves"]]


def describe(loop: ControlLoop) -> list[str | float | None]:
    """Return what makes a loop the same one: a change of any of these begins it anew."""
    return [loop.machine, loop.name, loop.sp, loop.pv, loop.band, loop.tau_s]


def by_minute(held: Spans, known: Spans, start_ns: int) -> Spans:
    """Return spans of the same total in each minute of what was known, one each, at its beginning."""
    if not len(known):
        return EMPTY
    edges = np.arange(start_ns, int(known.end[-1]), MINUTE_NS)
    inside = known.before(edges + 1) > known.before(edges)
    starts = np.union1d(known.start, edges[inside])
    within = known.end[np.searchsorted(known.start, starts, side="right") - 1]
    ends = np.minimum(np.append(starts[1:], known.end[-1]), within)
    return normal(starts, starts + held.before(ends) - held.before(starts))


def millis(spans: Spans, start_ns: int) -> Millis:
    """Return spans of a day in milliseconds: [hole before it, length, ...]."""
    whole = normal((spans.start - start_ns) // MILLI_NS, (spans.end - start_ns) // MILLI_NS)
    flat = np.empty(2 * len(whole), np.int64)
    flat[0::2], flat[1::2] = whole.start, whole.end
    found: Millis = np.diff(flat, prepend=0).tolist()
    return found


def _covers(spans: Spans, start_ns: int, end_ns: int) -> bool:
    return end_ns <= start_ns or spans.clip(start_ns, end_ns).length() == end_ns - start_ns
