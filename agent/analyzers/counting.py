"""What counters counted (`readiness.records.Count`): increments by quarter hour, exact.

Looked at are whole numbers, whatever they mean, and numbers with a fraction whose role says that they count; these
are counted in units of 1e-6, of the rounded reading, so that nothing drifts. Good and uncertain readings count,
as in `known`. The last value is remembered over days and holes; what was counted over a hole is `blind`:

    poll           the reading before is more than 1.2 intervals away
    subscription   a bad or lost reading lies between, or the link was dead for a moment: that is known when the day
                   closes, so steps after a silence of the whole source wait for it

A step back is noted and not judged, and counting goes on from the new value. A whole number that steps back more
than `BACKS` times a day, or more than half as often as forward, is no counter and leaves nothing on that day,
unless its role says that it is one. A leap forward beyond 2^53, which no counter makes, is noted likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.countday import CountDay
from agent.analyzers.knowledge import LIMIT
from agent.analyzers.liveness import SILENCE_NS
from agent.analyzers.moves import Moves
from agent.analyzers.rows import BAD, GOOD, LOST, UNCERTAIN
from agent.analyzers.runs import NONE, firsts, grown
from agent.analyzers.sketches import Sketches
from agent.frame import DataType
from readiness.records import BACKS, QUARTER_NS, SHORT_NS
from readiness.sketch import buckets, pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.rows import Rows
    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Mode, Signal, Value
    from readiness.records import Count

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

ROLES = frozenset({"count_total", "count_good", "count_reject", "cycle", "energy"})
WHOLE = frozenset({DataType.INT16, DataType.UINT16, DataType.INT32, DataType.UINT32, DataType.INT64})
FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
NO, INTEGER, WIDE, FRACTION = range(4)
"""How a signal is counted; WIDE: unsigned with 64 bits, kept less 2^63, so that the order stays."""
MICRO = 1_000_000
MOST = 4e12
"""Largest number with a fraction: a million times that is within 64 bits."""
LEAP = 2**53
SAFE = 2**46
"""Increments up to this cannot overflow when those of a slice are added."""
FEW_BACKS = 3
OFFSET = 2**63
SMALLEST = np.int64(-(2**63))


class Counting:
    """An `agent.analyzers.signals.Analyzer`; `counts` of the day.

    Args:
        mode: Of the source.
        interval_ns: Of the source.
    """

    def __init__(self, mode: Mode, interval_ns: int) -> None:
        self._poll = mode != "subscription"
        self._limit = int(LIMIT * interval_ns)
        self._silence = max(SILENCE_NS, 3 * interval_ns)
        self._how = np.zeros(0, np.int64)
        self._sure = np.zeros(0, np.bool_)
        # The last reading of each signal, and whether it is still known.
        self._time = np.zeros(0, np.int64)
        self._value = np.zeros(0, np.int64)
        self._known = np.zeros(0, np.bool_)
        self._epoch = np.zeros(0, np.int64)  # silences of the source before it
        # The last step whose time was seen (0: none), whether it waits for the link's life, and the last move.
        self._base = np.zeros(0, np.int64)
        self._waits = np.zeros(0, np.bool_)
        self._moved = np.zeros(0, np.int64)
        self._asleep = np.zeros(0, np.int64)  # end of the day on which it proved to be no counter
        self._mark = NONE  # latest sign of life of the source
        self._silences = 0
        self._days: dict[int, dict[int, CountDay]] = {}  # start of the day -> signal
        self._pace: dict[int, Sketches] = {}  # start of the day -> `Count.pace` of all signals

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Take the signals as they are defined now."""
        n = len(signals)
        before = self._how
        for name in ("_how", "_time", "_value", "_epoch", "_base", "_moved", "_asleep"):
            setattr(self, name, grown(getattr(self, name), n))
        for name in ("_sure", "_known", "_waits"):
            setattr(self, name, np.append(getattr(self, name), np.zeros(n - len(getattr(self, name)), np.bool_)))
        for index, signal in enumerate(signals):
            if signal is not None:
                self._sure[index] = signal.role in ROLES
                self._how[index] = _how(signal)
        other = np.flatnonzero(before != self._how[: len(before)])
        for start in self._days:  # of another type: it begins anew
            for index in other.tolist():
                self._days[start].pop(index, None)
                self._unpaced(start, index)
        for column in (self._time, self._base, self._moved, self._asleep):
            column[other] = NONE

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        if self._poll:
            rows = rows.of(GOOD, UNCERTAIN)
        if not len(rows):
            return
        epoch = None if self._poll else self._listen(rows)
        head = np.flatnonzero(firsts(rows.signal))
        wanted = self._how[rows.signal[head]] != NO
        if not wanted.all():
            keep = np.repeat(wanted, np.diff(head, append=len(rows)))
            rows, epoch = rows.where(keep), None if epoch is None else epoch[keep]
            if not len(rows):
                return
        known, hole = self._holes(rows)
        if known is not None:
            rows, hole, epoch = rows.where(known), hole[known], None if epoch is None else epoch[known]
            if not len(rows):
                return
        self._read(rows, hole, epoch, day)

    def _listen(self, rows: Rows) -> Ints:
        """Return for each row of a subscription how many silences of the source were before it."""
        alive = np.unique(rows.time if rows.kind is None else rows.time[rows.kind != LOST])
        alive = alive[alive > self._mark]
        if not len(alive):
            return np.full(len(rows), self._silences, np.int64)
        pauses = np.diff(alive, prepend=self._mark or alive[0]) > self._silence
        epoch: Ints = self._silences + np.searchsorted(alive[pauses], rows.time, side="right")
        self._mark = int(alive[-1])
        self._silences += int(pauses.sum())
        return epoch

    def _holes(self, rows: Rows) -> tuple[Bools | None, Bools]:
        """Return which rows say something (None: all), and which of a subscription follow one that did not."""
        if self._poll:
            return None, np.zeros(len(rows), np.bool_)
        first = firsts(rows.signal)
        head = np.flatnonzero(first)
        of = rows.signal[head]
        known = np.ones(len(rows), np.bool_) if rows.kind is None else rows.kind < BAD
        hole = np.empty_like(known)
        hole[1:] = ~known[:-1]
        hole[head] = ~self._known[of]
        self._known[of] = known[np.append(head[1:], len(rows)) - 1]
        return (None if rows.kind is None else known), hole

    def _read(self, rows: Rows, hole: Bools, epoch: Ints | None, day: Portion) -> None:
        """Find the moves among readings, and remember the last of each signal."""
        head = np.flatnonzero(firsts(rows.signal))
        tail = np.append(head[1:], len(rows)) - 1
        of = rows.signal[head]
        asleep = self._asleep[of] >= day.end_ns
        if asleep.any():  # all rows of those awake, and the last one of others
            keep = np.repeat(~asleep, np.diff(head, append=len(rows)))
            keep[tail] = True
            rows, hole, epoch = rows.where(keep), hole[keep], None if epoch is None else epoch[keep]
            head = np.flatnonzero(firsts(rows.signal))
            tail = np.append(head[1:], len(rows)) - 1
        value, time = self._values(rows), rows.time
        before, previous = np.empty_like(value), np.empty_like(time)
        before[1:], previous[1:] = value[:-1], time[:-1]
        before[head], previous[head] = self._value[of], self._time[of]
        move = (value != before) & (previous != NONE)
        if asleep.any():
            move[head[asleep]] = False
        if self._poll:
            hole = time - previous > self._limit
        waits = np.zeros(len(rows), np.bool_)
        if epoch is not None:
            waits[1:] = epoch[1:] != epoch[:-1]
            waits[head] = epoch[head] != self._epoch[of]
            self._epoch[of] = epoch[tail]
        self._value[of], self._time[of] = value[tail], time[tail]
        at = np.flatnonzero(move)
        if len(at):
            self._count(
                Moves(rows.signal[at], time[at], value[at], before[at], previous[at], hole[at], waits[at]), day
            )

    def _values(self, rows: Rows) -> Ints:
        """Return the readings as whole numbers in their order."""
        number, how = rows.number, self._how[rows.signal]
        fraction = how == FRACTION
        if fraction.any():
            micro = np.rint(np.clip(np.nan_to_num(number), -MOST, MOST) * MICRO)
            number = np.where(fraction, micro, number)
        exact = (np.abs(number) < LEAP) | fraction  # others are told apart by Python alone
        if exact.all():
            value = number.astype(np.int64)
        else:
            value = np.where(exact, number, 0).astype(np.int64)
            large = np.flatnonzero(~exact)
            value[large] = [_wrapped(v) for v in rows.where(large).raw]
        wide = how == WIDE
        if wide.any():
            value[wide] ^= SMALLEST
        return value

    def _real(self, signal: int, value: int) -> int:
        return value + OFFSET if self._how[signal] == WIDE else value

    def _count(self, moves: Moves, day: Portion) -> None:
        """Add moves, sorted by signal and time, to the records of the day."""
        low, days = day.start_ns, self._open(day.start_ns)
        head = np.flatnonzero(firsts(moves.signal))
        of = moves.signal[head]
        for signal, first in zip(of.tolist(), moves.before[head].tolist(), strict=True):
            if signal not in days:
                days[signal] = CountDay(low, self._real(signal, first))
        increment = moves.value - moves.before
        forward = (moves.value > moves.before) & (increment > 0) & (increment <= LEAP)
        if not forward.all():
            self._back(moves, np.flatnonzero(~forward), days)
        seen = forward & ~moves.hole
        base, since, follows = np.empty_like(moves.time), np.empty_like(moves.time), np.empty_like(seen)
        base[1:], since[1:], follows[1:] = np.where(seen, moves.time, NONE)[:-1], moves.time[:-1], moves.waits[:-1]
        base[head], since[head], follows[head] = self._base[of], np.maximum(self._moved[of], low), self._waits[of]
        tail = np.append(head[1:], len(moves.signal)) - 1
        self._base[of] = np.where(seen, moves.time, NONE)[tail]
        self._waits[of], self._moved[of] = moves.waits[tail], moves.time[tail]
        scale = np.where(self._how[moves.signal] == FRACTION, MICRO, 1)
        pieces = np.where(seen & (increment % scale == 0), increment // scale, 0)
        later = seen & (moves.waits | (follows & (base != NONE)))
        self._sum(moves, increment, forward, (seen & ~later, pieces), days, day)
        paced = np.flatnonzero(~later & (pieces > 0) & (base != NONE))
        if len(paced):
            pace = buckets((moves.time - base)[paced] // pieces[paced])
            self._paced(low).add(moves.signal[paced], pace, pieces[paced])
        for at in np.flatnonzero(moves.time - since >= SHORT_NS).tolist():
            days[int(moves.signal[at])].rest(int(since[at]), int(moves.time[at]))
        for at in np.flatnonzero(later).tolist():
            one = days[int(moves.signal[at])]
            one.wait(*(int(c[at]) for c in (moves.previous, moves.time, increment, base)))
        for signal, value, time in zip(
            *(c.tolist() for c in (of, moves.value[tail], moves.time[tail])), strict=True
        ):
            days[signal].last, days[signal].moved = self._real(signal, value), time
        given_up = np.array([s for s in of.tolist() if days[s].given_up], np.int64)
        for signal in given_up.tolist():
            days[signal].give_up()
            self._unpaced(low, signal)
        self._base[given_up] = self._moved[given_up] = NONE
        self._waits[given_up] = False
        self._asleep[given_up] = day.end_ns

    def _open(self, start_ns: int) -> dict[int, CountDay]:
        if start_ns not in self._days:
            for days in self._days.values():  # nearly always they are over
                for one in days.values():
                    one.prune()
            self._days[start_ns] = {}
        return self._days[start_ns]

    def _back(self, moves: Moves, at: Ints, days: Mapping[int, CountDay]) -> None:
        """Note steps back and leaps; who has too many of them is no counter."""
        columns = (moves.signal[at], moves.time[at], moves.before[at], moves.value[at])
        for signal, time, before, after in zip(*(c.tolist() for c in columns), strict=True):
            one = days[signal]
            if not one.given_up:
                one.step_back(time, self._real(signal, before), self._real(signal, after))
                one.given_up = one.backs > BACKS and not self._sure[signal]

    def _sum(
        self, moves: Moves, increment: Ints, forward: Bools, steps: tuple[Bools, Ints],
        days: Mapping[int, CountDay], day: Portion,
    ) -> None:  # fmt: skip
        """Add increments by quarter hour, and numbers of steps."""
        seen, pieces = steps
        quarter = (moves.time - day.start_ns) // QUARTER_NS
        cell = firsts(moves.signal)
        cell[1:] |= quarter[1:] != quarter[:-1]
        group = np.flatnonzero(cell)
        amount = np.where(forward, increment, 0)
        if int(amount.max()) > SAFE:
            amount = amount.astype(object)
        columns = (
            moves.signal[group],
            quarter[group],
            np.add.reduceat(amount, group),
            np.add.reduceat(np.where(moves.hole, amount, 0), group),
            np.add.reduceat(seen.astype(np.int64), group),
            np.add.reduceat((seen & (pieces == 1)).astype(np.int64), group),
        )
        for signal, at, total, blind, number, single in zip(*(c.tolist() for c in columns), strict=True):
            one = days[signal]
            if one.given_up:
                continue
            one.steps += number
            try:
                if total:
                    one.add("counted", at, total)
                if blind:
                    one.add("blind", at, blind)
                if single:
                    one.add("single", at, single)
            except OverflowError:
                one.given_up = True

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return the counts of a day."""
        counts: dict[str, Count] = {}
        days = self._days.get(day.start_ns, {})
        paces = dict(self._pace[day.start_ns].each()) if day.start_ns in self._pace else {}
        for index, name in day.keys.items():
            known = day.known[index][0]
            if self._how[index] == NO or self._time[index] == NONE or not len(known):
                continue
            one = days.get(index) or CountDay(day.start_ns, self._standing(index, day.end_ns))
            fraction = self._how[index] == FRACTION
            pace = pairs(paces.get(index, ()))
            for bucket, number in one.resolve(day.live, MICRO if fraction else 1).items():
                pace[bucket] = pace.get(bucket, 0) + number
            grows = one.backs <= FEW_BACKS or one.steps >= 2 * one.backs or self._sure[index]
            if grows and not one.given_up:
                counts[name] = one.record(1e-6 if fraction else 1.0, day.end_ns, known, pace)
        return {"counts": counts} if counts else {}

    def _paced(self, start_ns: int) -> Sketches:
        if start_ns not in self._pace:
            self._pace[start_ns] = Sketches(kind=np.int64)
        return self._pace[start_ns]

    def _unpaced(self, start_ns: int, signal: int) -> None:
        if start_ns in self._pace:
            self._pace[start_ns].forget(signal)

    def _standing(self, signal: int, end_ns: int) -> int:
        """Return the value at the end of a day on which the signal did not move."""
        for start in sorted(self._days):
            if start >= end_ns and signal in self._days[start]:
                return self._days[start][signal].first
        return self._real(signal, int(self._value[signal]))

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        self._days = {start: days for start, days in self._days.items() if start >= end_ns}
        self._pace = {start: pace for start, pace in self._pace.items() if start >= end_ns}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "columns": {name: getattr(self, f"_{name}").astype(np.int64).tolist() for name in _COLUMNS},
            "source": [self._mark, self._silences],
            "days": {
                str(start): {str(signal): one.state() for signal, one in sorted(days.items())}
                for start, days in sorted(self._days.items())
                if days
            },
            "pace": {str(start): pace.state() for start, pace in sorted(self._pace.items()) if len(pace)},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        for name, values in state["columns"].items():
            kind = np.bool_ if name in {"sure", "known", "waits"} else np.int64
            setattr(self, f"_{name}", np.array(values, np.int64).astype(kind))
        self._mark, self._silences = state["source"]
        self._days = {
            int(start): {int(signal): CountDay.restored(one) for signal, one in days.items()}
            for start, days in state["days"].items()
        }
        self._pace = {}
        for start, pace in state["pace"].items():
            self._paced(int(start)).restore(pace)


_COLUMNS = ("how", "sure", "time", "value", "known", "epoch", "base", "waits", "moved", "asleep")


def _wrapped(value: Value) -> int:
    """Return a number in 64 bits with a sign; from 2^63 on it stands as itself less 2^64."""
    number = int(value) if isinstance(value, int | float) else 0
    return number - 2 * OFFSET if number >= OFFSET else number


def _how(signal: Signal) -> int:
    if signal.dtype in WHOLE:
        return INTEGER
    if signal.dtype is DataType.UINT64:
        return WIDE
    return FRACTION if signal.dtype in FLOATS and signal.role in ROLES else NO
