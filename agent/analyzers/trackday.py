"""What one signal with few values said on one production day, beside its entries (`agent.analyzers.timeline`)."""

from __future__ import annotations

from array import array
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from readiness.records import MILLI_NS, QUARTER_NS
from readiness.sketch import buckets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.records import Sparse

    Ints = NDArray[np.int64]

WIDE = QUARTER_NS // MILLI_NS
NUMBERS = array("i")
NO_COUNTS: Mapping[int, int] = MappingProxyType({})
"""Nothing yet: these are shared by all, and never written to."""


class Day:
    """What is counted on one production day, beside the entries themselves.

    There is one for each signal: what most of them never need is made when it is first written to.
    """

    __slots__ = (
        "begun",
        "changed",
        "changes",
        "cut",
        "dwell",
        "given_up",
        "high",
        "low",
        "rest",
        "said",
    )

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.said: tuple[int, ...] = ()  # codes, in the order in which they first came
        self.begun = 0  # segments that begin on this day
        self.cut = False
        self.given_up = False
        self.changes = 0
        self.changed = NUMBERS  # [quarter, number, ...]
        self.rest = NUMBERS  # [quarter, code, ms, number, ...], quarters not decreasing
        self.dwell: Mapping[int, int] = NO_COUNTS

    def change(self, time: int) -> None:
        """Count a change."""
        self.changes += 1
        quarter = (time - self.low) // QUARTER_NS
        if self.changed and self.changed[-2] == quarter:
            self.changed[-1] += 1
        else:
            self.changed = self.changed or array("i")
            self.changed.extend((quarter, 1))

    def sum_up(self, begin: Ints, end: Ints, code: Ints) -> None:
        """Add short segments to `rest`; each begins at or after those before end."""
        at, until = (begin - self.low) // MILLI_NS, (end - self.low) // MILLI_NS
        quarter = at // WIDE
        edge = np.minimum(until, (quarter + 1) * WIDE)  # none is so long that it reaches further than the next one
        over = np.flatnonzero(until > edge)
        cell = np.concatenate([quarter, quarter[over] + 1]) << 16 | np.concatenate([code, code[over]])
        length = np.concatenate([edge - at, (until - edge)[over]])
        cells, where = np.unique(cell, return_inverse=True)
        lengths = np.bincount(where, weights=length, minlength=len(cells)).astype(np.int64).tolist()
        begins = np.bincount(where[: len(at)], minlength=len(cells)).tolist()
        for one, ms, number in zip(cells.tolist(), lengths, begins, strict=True):
            self._add(one >> 16, one & 0xFFFF, ms, number)

    def _add(self, quarter: int, code: int, length: int, begins: int) -> None:
        rest = self.rest = self.rest or array("i")
        for at in range(len(rest) - 4, -1, -4):
            if rest[at] < quarter:
                break
            if rest[at] == quarter and rest[at + 1] == code:
                rest[at + 2] += length
                rest[at + 3] += begins
                return
        rest.extend((quarter, code, length, begins))

    def dwelt(self, lengths: Ints) -> None:
        """Count the lengths of segments whose both ends were seen."""
        if len(lengths):
            self.dwell = dwell = dict(self.dwell)
            for bucket in buckets(lengths).tolist():
                dwell[bucket] = dwell.get(bucket, 0) + 1

    def give_up(self) -> None:
        """Keep nothing of this day."""
        self.__init__(self.low, self.high)  # type: ignore[misc]
        self.given_up = True

    def state(self, code: Mapping[int, int]) -> list[Any]:
        """Return everything as JSON, with other codes."""
        rows = sorted([q, code[c], *cell] for q, c, *cell in zip(*[iter(self.rest)] * 4, strict=True))
        rest = [number for row in rows for number in row]
        flags = [self.begun, int(self.cut), int(self.given_up), self.changes]
        said = [code[c] for c in self.said]
        return [self.low, self.high, said, *flags, self.changed.tolist(), rest, flat(self.dwell)]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> Day:
        """Return what `state` was made of."""
        day = cls(state[0], state[1])
        day.said = tuple(state[2])
        day.begun, day.cut, day.given_up, day.changes = state[3], bool(state[4]), bool(state[5]), state[6]
        day.changed = array("i", state[7]) if state[7] else NUMBERS
        day.rest = array("i", state[8]) if state[8] else NUMBERS
        day.dwell = dict(zip(state[9][0::2], state[9][1::2], strict=True))
        return day


@lru_cache(8)
def _silent(low: int, high: int) -> tuple[Day, ...]:
    """Return a day on which too much was said: one for all signals, because nobody writes to it any more."""
    day = Day(low, high)
    day.given_up = True
    return (day,)


def shared(days: list[Day]) -> tuple[Day, ...]:
    """Return days as a signal keeps them: those that were given up are the same for all."""
    days = [_silent(day.low, day.high)[0] if day.given_up else day for day in days]
    return _silent(days[0].low, days[0].high) if len(days) == 1 and days[0].given_up else tuple(days)


def flat(counts: Mapping[int, int]) -> Sparse:
    """Return [index, number, index, number, ...], indices increasing."""
    return [n for pair in sorted(counts.items()) for n in pair]
