"""Finds out why a request for several values was refused, in few questions, each of which serves values.

The values of the refused request lie in a row, and somewhere in it is at least one thing that the device refuses: a
value itself, an address in a gap that nobody asked for, a border that no request may cross, or the mere length.
The search goes through the row from the left. What lies left of its frontier is settled. Each question begins at
the last value that is known to be good, so that the gap behind it is tried as well, and ends some values later:

    served    all of these are good together, and the frontier moves behind them
    refused   what is to blame lies between; the next question is shorter

until one value stands to blame. It is asked alone. Refused: the value. Served: the gap before it, which
is confirmed by asking for both neighbours together. If those are served too, nothing in the row was to blame
but the length of the request: then the longest that is served is found by bisection, in the same row.

How many values a question takes follows from what was found so far: with a share p of bad ones, one of ln 2 / p is
refused every second time, and a yes or no tells most. One hole in a thousand registers is found by bisection, one
in ten costs about three questions.

Pure; asks nothing itself: the caller takes the next question, and reports its answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.modbus.plan import Span
    from agent.collectors.planning import Span as Units

WIDEST = 256


@dataclass(slots=True)
class Density:
    """How often values of a table turned out to be bad, or to have a hole before them.

    Attributes:
        bad: So many.
        settled: Of so many.
    """

    bad: int = 0
    settled: int = 0

    def values(self) -> int:
        """Return for how many values the next question should ask."""
        if not self.settled:
            return WIDEST
        return max(1, min(WIDEST, round(math.log(2) * (self.settled + 1) / (self.bad + 0.5))))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a search has found out.

    Attributes:
        value: Refused by itself, with the exception `code`.
        hole: Refused only together with its neighbours.
        limit: A request of so many addresses is served...
        too_long: ... and one of so many is refused, though it spans nothing that is.
    """

    code: int = 0
    value: Span | None = None
    hole: Units | None = None
    limit: int | None = None
    too_long: int = 0


class Search:
    """One row of values of one table that were refused together.

    Args:
        row: Each begins and ends after the one before it.
        code: The device's exception.
        density: Of the table; shared.
        refused: Whether the row as a whole was refused just now; else nothing is known of it.

    Attributes:
        table: Of the row.
        code: The latest exception.
    """

    def __init__(self, row: Sequence[Span], code: int, density: Density, *, refused: bool = True) -> None:
        self._row = row
        self._density = density
        self.table = row[0].table
        self.code = code
        self._next = 0  # the frontier: the first value that is not settled
        self._joined = False  # whether the value before it is good
        self._bad: int | None = len(row) - 1 if refused else None  # ..what is to blame lies at or before this one
        self._whole = (0, len(row) - 1)  # the last request that was refused
        self._alone = False  # whether the value at the frontier is good by itself
        self._lengths: tuple[int, int, int] | None = None  # first, served up to, refused up to
        self._asked: Literal["some", "alone", "pair", "length"] = "some"
        self._question = (0, 0)

    @property
    def unsettled(self) -> Sequence[Span]:
        """The values of which nothing is known."""
        return self._row[self._next :]

    def question(self, limit: int) -> Sequence[Span] | None:
        """Return the values to ask for in one request of at most `limit` addresses; None when it is over."""
        frontier = self._next
        if self._bad is not None and self._row[self._whole[1]].end - self._row[self._whole[0]].start > limit:
            self._bad = None  # that it was refused says nothing: it was too long
        if self._lengths is not None:
            first, served, refused = self._lengths
            self._asked, self._question = "length", (first, (served + refused) // 2)
        elif frontier == len(self._row):
            return None
        elif self._bad == frontier and self._joined and not self._alone:
            self._asked, self._question = "alone", (frontier, frontier)
        elif self._bad == frontier and self._joined:
            self._asked, self._question = "pair", (frontier - 1, frontier)
        else:
            last, wide = len(self._row) - 1, self._density.values()
            if self._bad is None:
                last = min(frontier + wide - 1, last)
            elif self._bad > frontier:
                half = (frontier + self._bad - 1) // 2
                last = min(half, frontier + wide - 1)
            else:
                last = frontier
            first = frontier - self._joined
            while last > first and self._row[last].end - self._row[first].start > limit:
                last -= 1
            if last < frontier:  # the two neighbours are longer than a request may be
                first = last = frontier
            self._asked, self._question = "some", (first, last)
        return self._row[self._question[0] : self._question[1] + 1]

    def served(self) -> Finding | None:
        """Take that the last question was served."""
        first, last = self._question
        match self._asked:
            case "length":
                assert self._lengths is not None
                return self._length(self._lengths[0], last, self._lengths[2])
            case "alone":
                self._alone = True
                return self._hole() if self._whole == (first - 1, last) else None
            case "pair":
                begin, end = self._whole
                self._settle(last + 1, joined=True)
                return self._length(begin, begin, end) if end == last and end - begin > 1 else None
            case _:
                bad = self._bad
                self._settle(last + 1, joined=True)
                self._bad = bad if bad is not None and bad > last else None
                return None

    def refused(self, code: int) -> Finding | None:
        """Take that the last question was refused, with an exception that a value can cause."""
        self.code = code
        first, last = self._question
        if self._asked == "length":
            assert self._lengths is not None
            return self._length(self._lengths[0], self._lengths[1], last)
        if self._asked == "pair":
            return self._hole()
        if first == last:
            self._density.bad += 1
            self._settle(last + 1, joined=False)
            return Finding(code, value=self._row[last])
        self._bad, self._whole = last, (first, last)
        return None

    def _settle(self, frontier: int, *, joined: bool) -> None:
        self._density.settled += frontier - self._next
        self._next, self._joined = frontier, joined
        self._bad, self._alone = None, False

    def _hole(self) -> Finding:
        """The value at the frontier is good, and so is the one before it; but not both in one request."""
        left, right = self._row[self._next - 1], self._row[self._next]
        self._density.bad += 1
        self._settle(self._next + 1, joined=True)
        # Of overlapping values there is no gap: a border at the start of the right one keeps the left one apart.
        return Finding(self.code, hole=(min(left.end, right.start), right.start))

    def _length(self, first: int, served: int, refused: int) -> Finding | None:
        """The row from `first` is good up to `served`, and too long up to `refused`."""
        if refused - served > 1:
            self._lengths = (first, served, refused)
            return None
        self._lengths = None
        start = self._row[first].start
        return Finding(self.code, limit=self._row[served].end - start, too_long=self._row[refused].end - start)
