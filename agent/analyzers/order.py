"""What a device delivered twice or in another order than it happened (Q06), by the times that it states itself.

Counted per row, against the row before of the same signal that had a source time, before anything is sent or
stored: what we send twice is not in it, and no database has merged equal points. Only good and uncertain rows
count; nothing is compared over a bad one.

    with_source_time  rows with a source time
    disordered        rows whose source time is earlier than that of the row before
    repeated          rows of a subscription whose source time and value are those of the row before, and that came
                      at most `SOON` behind it

A poll asks for the same value again and again, so that it repeats nothing by itself; and after a connection was
lost or the agent has started anew, we ask for the value that is still the last one: that comes later than `SOON`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agent.analyzers.rows import GOOD, UNCERTAIN
from agent.analyzers.runs import firsts, grown

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
        self._source = np.zeros(0, np.int64)  # source time of its last row, 0 for none and after a bad one
        self._when = np.zeros(0, np.int64)  # that row came
        self._value: list[Value] = []
        self._counts: dict[int, list[int]] = {}

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Make room for the signals."""
        n = max(len(signals), len(self._source))
        self._source, self._when = grown(self._source, n), grown(self._when, n)
        self._value += [None] * (n - len(self._value))

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        stated = rows.column.block.source_ns
        said = np.ones(len(rows), np.bool_) if rows.kind is None else np.isin(rows.kind, (GOOD, UNCERTAIN))
        source = np.zeros(len(rows), np.int64) if stated is None else np.where(said, stated[rows.row], 0)
        counts = self._counts.setdefault(day.start_ns, [0, 0, 0, 0])
        counts[ROWS] += int(said.sum())
        counts[TIMED] += int((source != 0).sum())
        # rows with a source time, and bad ones, after which nothing is compared
        rows, source = rows.where(links := (source != 0) | ~said), source[links]
        if not len(rows):
            return
        first = firsts(rows.signal)
        head = np.flatnonzero(first)
        before, when = np.empty_like(source), np.empty_like(source)
        before[1:], when[1:] = source[:-1], rows.time[:-1]
        before[head], when[head] = self._source[rows.signal[head]], self._when[rows.signal[head]]
        compared = (source != 0) & (before != 0)
        counts[DISORDERED] += int((compared & (source < before)).sum())
        if not self._poll:
            again = compared & (source == before) & (rows.time - when <= self._soon)
            counts[REPEATED] += self._same(rows, np.flatnonzero(again), first)
        tail = np.append(head[1:], len(rows)) - 1
        self._source[rows.signal[tail]], self._when[rows.signal[tail]] = source[tail], rows.time[tail]
        if not self._poll:
            last = rows.where(tail)
            for signal, value in zip(last.signal.tolist(), last.raw, strict=True):
                self._value[signal] = _short(value)

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
            "source": self._source.tolist(),
            "when": self._when.tolist(),
            "value": list(self._value),
            "counts": {str(start): counts for start, counts in sorted(self._counts.items())},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._source, self._when = np.array(state["source"], np.int64), np.array(state["when"], np.int64)
        self._value = list(state["value"])
        self._counts = {int(start): list(counts) for start, counts in state["counts"].items()}


def _short(value: Value) -> Value:
    return f"{len(value)} {value[:TEXT]}" if isinstance(value, str) and len(value) > TEXT else value
