"""What a device delivered twice or in another order than it happened (Q06), by the times that it states itself.

Counted per row, against the row before of the same signal that had a source time, before anything is sent or
stored: what we send twice is not in it, and no database has merged equal points. Only good and uncertain rows
count; nothing is compared over a bad one.

    with_source_time  rows with a source time
    disordered        rows whose source time is earlier than that of the row before
    repeated          rows of a subscription whose source time and value are those of the row before, and that came
                      at most `SOON` behind it; of a poll, rows whose source time is that of the row before

A poll asks for the same value again and again, so that the device repeats nothing by itself and Q06 leaves it out:
that its times stand still tells whether a gateway serves old values (A01). After a connection was lost or the agent
has started anew, we ask for the value that is still the last one: that comes later than `SOON`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agent.analyzers.rows import UNCERTAIN
from agent.analyzers.runs import firsts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.rows import Rows
    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Mode, Signal, Value

    Ints = NDArray[np.int64]

SOON_NS: Final = 2_000_000_000
"""Nobody can start an agent, or find a connection lost and open another, in less than this and one interval."""
TEXT: Final = 64
"""Characters of a text that are kept for comparing, with its length."""
FEW: Final = 64
"""Rows at once that are counted one by one."""
ROWS, TIMED, REPEATED, DISORDERED = range(4)


class Order:
    """An `agent.analyzers.signals.Analyzer`; `rows`, `with_source_time`, `repeated`, `disordered` of the day.

    Args:
        mode: Of the source.
        interval_ns: Of the source.
    """

    def __init__(self, mode: Mode, interval_ns: int) -> None:
        self._poll = mode == "poll"
        self._soon = SOON_NS + interval_ns
        self._source: list[int] = []  # time of its last row that had one; 0 after a bad one
        self._when: list[int] = []  # that row came
        self._value: list[Value] = []
        self._counts: dict[int, list[int]] = {}

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Make room for the signals."""
        more = max(len(signals) - len(self._source), 0)
        self._source += [0] * more
        self._when += [0] * more
        self._value += [None] * more

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        stated = rows.column.block.source_ns
        counts = self._counts.get(day.start_ns)
        if counts is None:
            counts = self._counts[day.start_ns] = [0, 0, 0, 0]
        if stated is None and rows.kind is None:
            counts[ROWS] += len(rows)
        elif len(rows) <= FEW:
            self._one_by_one(rows, stated, counts)
        else:
            self._at_once(rows, stated, counts)

    def _one_by_one(self, rows: Rows, stated: Ints | None, counts: list[int]) -> None:
        """Count few rows without numpy, which would take longer for them than all other analyzers."""
        none = [0] * len(rows)
        kinds = none if rows.kind is None else rows.kind.tolist()
        stamps = none if stated is None else stated[rows.row].tolist()
        raw = none if self._poll else rows.raw
        for signal, time, kind, stamp, value in zip(
            rows.signal.tolist(), rows.time.tolist(), kinds, stamps, raw, strict=True
        ):
            if kind > UNCERTAIN:
                self._source[signal] = 0
                continue
            counts[ROWS] += 1
            if not stamp:
                continue
            counts[TIMED] += 1
            before, said = self._source[signal], _short(value)
            if before == stamp:
                counts[REPEATED] += self._poll or (
                    time - self._when[signal] <= self._soon and self._value[signal] == said
                )
            counts[DISORDERED] += stamp < before
            self._source[signal], self._when[signal], self._value[signal] = stamp, time, said

    def _at_once(self, rows: Rows, stated: Ints | None, counts: list[int]) -> None:
        said = np.ones(len(rows), np.bool_) if rows.kind is None else rows.kind <= UNCERTAIN
        source = np.zeros(len(rows), np.int64) if stated is None else np.where(said, stated[rows.row], 0)
        counts[ROWS] += int(said.sum())
        counts[TIMED] += int((source != 0).sum())
        # rows with a source time, and bad ones, after which nothing is compared
        rows, source = rows.where(links := (source != 0) | ~said), source[links]
        if not len(rows):
            return
        first = firsts(rows.signal)
        head = np.flatnonzero(first)
        signals = rows.signal[head].tolist()
        before, when = np.empty_like(source), np.empty_like(source)
        before[1:], when[1:] = source[:-1], rows.time[:-1]
        before[head], when[head] = [self._source[n] for n in signals], [self._when[n] for n in signals]
        compared = (source != 0) & (before != 0)
        counts[DISORDERED] += int((compared & (source < before)).sum())
        again = compared & (source == before)
        if self._poll:
            counts[REPEATED] += int(again.sum())
        else:
            counts[REPEATED] += self._same(rows, np.flatnonzero(again & (rows.time - when <= self._soon)), first)
        tail = np.append(head[1:], len(rows)) - 1
        last = rows.where(tail)
        raw = [0] * len(signals) if self._poll else last.raw
        for signal, stamp, time, value in zip(signals, source[tail].tolist(), last.time.tolist(), raw, strict=True):
            self._source[signal] = stamp
            if stamp:
                self._when[signal], self._value[signal] = time, _short(value)

    def _same(self, rows: Rows, again: Ints, first: NDArray[np.bool_]) -> int:
        """Return how many of these rows have the value of the row before."""
        mine, before = rows.where(again), rows.where(np.maximum(again - 1, 0))
        olds = zip(mine.signal.tolist(), first[again].tolist(), before.raw, strict=True)
        values = [self._value[signal] if begins else _short(old) for signal, begins, old in olds]
        return sum(_short(value) == old for value, old in zip(mine.raw, values, strict=True))

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return the counts of a day."""
        rows, timed, repeated, disordered = self._counts.get(day.start_ns, (0, 0, 0, 0))
        return {"rows": rows, "with_source_time": timed, "repeated": repeated, "disordered": disordered}

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        self._counts = {start: counts for start, counts in self._counts.items() if start >= end_ns}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "source": self._source,
            "when": self._when,
            "value": self._value,
            "counts": {str(start): counts for start, counts in sorted(self._counts.items())},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._source, self._when, self._value = (list(state[name]) for name in ("source", "when", "value"))
        self._counts = {int(start): list(counts) for start, counts in state["counts"].items()}


def _short(value: Value) -> Value:
    return f"{len(value)} {value[:TEXT]}" if isinstance(value, str) and len(value) > TEXT else value
