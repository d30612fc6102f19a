"""From blocks of columns to tall blocks of frames, without an entry in between.

An entry has one reading of each source, and twenty rows cost the analyzers as much as a thousand. What they make of
rows does not depend on how these are cut into blocks and entries, so the rows of some minutes are one entry here,
with one block a source: no JSON is made, and of the values no objects.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
import numpy as np

from agent import entry as content
from agent.analyzers.evidence import TOLD_TIME
from agent.analyzers.numbers import LARGEST, WRAP
from agent.errors import WireError
from agent.frame import FrameBlock, RoundTrip, Watermark
from agent.replaying.values import WIDE, Values
from agent.spool.columns_arrays import HAS_STATUS
from agent.spool.columns_values import DIGITS, INTEGER, TEXT, Typed
from contract.payload import WireEvent, WireFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from agent.frame import Event, Facts, Item, Source
    from agent.spool.columns_arrays import Arrays, Offsets

    Ints = NDArray[np.int64]
    Places = NDArray[np.uint16]

_T = TypeVar("_T", bound=np.generic)

TALL_NS = 1_800_000_000_000
"""Data time that is joined: the analyzers take a quarter less a sample than with eight minutes, and an hour wins
nothing more."""
NEAR_NS = 300_000_000_000
"""Rows of a blob that lie within this time stay sorted by signal: analyzers sort them so anyway, and what is late
is late by ten minutes. The first ones are put in order of time, since a source begins with its first row."""
MOST = 2_000_000
"""Rows that are joined at most, which is half an hour of 1,000 signals and about 100 MB."""
_NOTHING = b"[]"
_trip = cast("Callable[[tuple[int, int, int]], RoundTrip]", partial(tuple.__new__, RoundTrip))
"""`RoundTrip._make` in a third of its time: there is one for every twenty values."""
_events = msgspec.json.Decoder(list[WireEvent])
_facts = msgspec.json.Decoder(list[WireFacts])


class _Joined:
    """What has come of one source since it was taken."""

    def __init__(self) -> None:
        self.signal: list[NDArray[np.int32]] = []
        self.time: list[Ints] = []
        self.value: list[Values] = []
        self.rows = 0
        self.status: list[NDArray[np.uint32] | None] = []
        self.stamped: list[Ints | None] = []
        self.served: list[Ints | None] = []
        self.trips: list[RoundTrip] = []
        self.marks: list[Ints] = []

    def block(self, source: Source) -> FrameBlock | None:
        """Return the rows as one block, None when there is neither a row nor a round trip."""
        if not (self.rows or self.trips):
            return None
        sizes = [len(time) for time in self.time]
        status = _column(self.status, sizes, np.uint32)
        return FrameBlock(
            source=source,
            signal=np.concatenate([*self.signal, np.empty(0, np.int32)]),
            time_ns=np.concatenate([*self.time, np.empty(0, np.int64)]),
            value=Values.join(self.value),
            status=np.zeros(self.rows, np.uint32) if status is None else status,
            source_ns=_column(self.stamped, sizes, np.int64),
            server_ns=_column(self.served, sizes, np.int64),
            round_trips=tuple(self.trips),
        )


class Tall:
    """Joins blobs of one birth.

    Args:
        sources: Of the birth, by id.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._places = {name: place for place, name in enumerate(sources)}
        self._sources = list(sources.values())
        self._widths = np.array([len(source.signals) for source in self._sources], np.int64)
        self._starts = np.cumsum(self._widths) - self._widths
        self._integers = np.array(
            [s.dtype in content.INTEGERS for source in self._sources for s in source.signals], np.bool_
        )
        self._fresh = True
        self._marked = [0] * len(self._sources)  # last watermark of each source that was given out
        self._joined: dict[int, _Joined] = {}
        self._told: list[Event | Facts] = []
        self._table: list[str] = []  # texts of what is joined
        self._rows = 0
        self._since = 0
        self.is_tall = False
        """Whether it is time to take what is joined."""

    def add(self, found: Arrays) -> bool:
        """Add a blob, unless its entries have to be looked at one by one.

        Returns:
            Whether it was added: not when something in it did not go into columns, and not when an event in it
            tells of the clock, because what comes before such an event and what comes after it is not the same.

        Raises:
            WireError: it names what its birth does not.
        """
        told: list[Event | Facts] = []
        try:
            for event, fact in zip(found.events, found.facts, strict=True):
                if event != _NOTHING:
                    told += map(content.event, _events.decode(event))
                if fact != _NOTHING:
                    told += map(content.facts, _facts.decode(fact))
            places = np.array([self._places[name] for name in found.names], np.uint16)
        except (msgspec.DecodeError, KeyError, ValueError) as exc:
            raise WireError(f"not the content of entries under this birth: {exc!r}") from exc
        if found.whole or any(one.kind in TOLD_TIME for one in told):
            return False
        of = places[found.source]
        self._add_rows(found, of)
        self._add_trips(found, np.repeat(of, found.trips))
        self._add_marks(_marks(found), places[found.mark_source])
        self._told += told
        return True

    def _add_rows(self, found: Arrays, of: Places) -> None:
        rows = len(found.time)
        if not rows:
            return
        place = np.repeat(of, found.rows)
        values, order = found.values, found.order
        if self._fresh or int(found.time.max()) - int(found.time.min()) >= NEAR_NS:
            self._fresh = False
            order = np.argsort(place, kind="stable")
            values = _ordered(values, found.order, order)
        place, signal, time = place[order], found.signal[order].astype(np.int32), found.time[order]
        if int(signal.min()) < 0 or np.any(signal >= self._widths[place]):
            raise WireError("a signal that its source does not have")
        typed = self._values(values, place, signal)
        status = stamped = served = None
        if len(found.status):
            status = np.zeros(rows, np.uint32)
            status[np.repeat(found.has & HAS_STATUS, found.rows) > 0] = found.status
            status = status[order]
        if len(found.stamped.rows):
            stamped = _absolute(found.stamped, found.time)[order]
        if len(found.served.rows):
            served = _absolute(found.served, found.time)[order]
        for n, low, high in _each(place):
            if n not in self._joined:
                self._joined[n] = _Joined()
            one = self._joined[n]
            one.signal.append(signal[low:high])
            one.time.append(time[low:high])
            one.value.append(typed[low:high])
            one.rows += high - low
            one.status.append(None if status is None else status[low:high])
            one.stamped.append(None if stamped is None else stamped[low:high])
            one.served.append(None if served is None else served[low:high])
        self._since = self._since if self._rows else int(found.time[0])
        self._rows += rows
        self.is_tall = not 0 <= int(found.time[-1]) - self._since < TALL_NS or self._rows >= MOST

    def _values(self, found: Typed, place: Places, signal: NDArray[np.int32]) -> Values:
        """Return values each as its signal's type has it."""
        kinds, number, whole, table = found
        at = np.flatnonzero(kinds >= TEXT)
        integer = self._integers[self._starts[place[at]] + signal[at]]
        if len(at):
            kinds = kinds.copy()  # a stream of a blob is not written to
            whole[at[kinds[at] == TEXT]] += len(self._table)
        kinds[at[integer & (kinds[at] == DIGITS)]] = INTEGER
        for row in at[integer & (kinds[at] == TEXT)].tolist():  # beyond 63 bits
            value = int(table[whole[row] - len(self._table)])
            kinds[row], number[row], whole[row] = WIDE, value, value - WRAP if value > LARGEST else value
        for row in at[~integer & (kinds[at] == DIGITS)].tolist():
            table = [*table, str(whole[row])]
            kinds[row], number[row], whole[row] = TEXT, np.nan, len(self._table) + len(table) - 1
        self._table += table
        return Values(kinds, number, whole, self._table)

    def _add_trips(self, found: Arrays, place: Places) -> None:
        order = np.argsort(place, kind="stable")
        time = np.repeat(found.first, found.trips) + found.trip[0]
        columns = (column[order].tolist() for column in (time, found.trip[1], found.trip[2]))
        trips = list(map(_trip, zip(*columns, strict=True)))
        for n, low, high in _each(place[order]):
            self._joined.setdefault(n, _Joined()).trips += trips[low:high]

    def _add_marks(self, marks: Ints, place: Places) -> None:
        order = np.argsort(place, kind="stable")
        marks = marks[order]
        for n, low, high in _each(place[order]):
            self._joined.setdefault(n, _Joined()).marks.append(marks[low:high])

    def take(self) -> list[Item]:
        """Return what is joined as the items of one entry, and begin anew."""
        joined, self._joined = self._joined, {}
        told, self._told = self._told, []
        self._rows, self.is_tall, self._table = 0, False, []
        items: list[Item] = []
        for n, one in sorted(joined.items()):
            block = one.block(self._sources[n])
            if block is not None:
                items.append(block)
            items += self._watermarks(n, one.marks, block)
        return [*items, *told]

    def _watermarks(self, n: int, parts: Sequence[Ints], block: FrameBlock | None) -> Iterator[Watermark]:
        if not parts:
            return
        marks = np.concatenate(parts)
        if _say_nothing(marks, block, self._marked[n]):
            marks = marks[[0, -1]]
        self._marked[n] = max(self._marked[n], int(marks.max()))
        for mark in marks.tolist():
            yield Watermark(self._sources[n].id, mark)


def _ordered(found: Typed, order: NDArray[np.intp], wanted: NDArray[np.intp]) -> Typed:
    """Return values in another order of rows than they have."""
    to = np.empty(len(order), np.intp)
    to[order] = np.arange(len(order))
    come = to[wanted]
    return Typed(found.kinds[come], found.number[come], found.whole[come], found.table)


def _each(place: Places) -> Iterator[tuple[int, int, int]]:
    """Yield each place of a sorted column, and its rows [low, high)."""
    if len(place):
        heads = [0, *(np.flatnonzero(place[1:] != place[:-1]) + 1).tolist()]
        yield from zip(place[heads].tolist(), heads, [*heads[1:], len(place)], strict=True)


def _say_nothing(marks: Ints, block: FrameBlock | None, before_ns: int) -> bool:
    """Return whether the watermarks between the first and the last say nothing that the rows do not.

    A watermark tells that a poll's link was alive from then to the next one if that is near enough, else for an
    interval; a good reading tells just that of its signal, and what holds of a signal holds of its link. So where
    one signal was read well at every one of them and never otherwise, later than any before, its rows have said it.
    """
    if block is None or block.source.mode != "poll" or len(marks) < 3 or not len(block):
        return False
    if int(marks[0]) <= before_ns or not np.all(marks[1:] > marks[:-1]):
        return False
    well = np.bincount(block.signal[block.status != 0], minlength=len(block.source.signals)) == 0
    rows = np.flatnonzero(well[block.signal])
    if not len(rows):
        return False
    return np.array_equal(block.time_ns[block.signal == block.signal[rows[0]]], marks)


def _absolute(found: Offsets, time: Ints) -> Ints:
    """int64[n]: times of the device, 0 for none."""
    out = np.zeros(len(time), np.int64)
    rows = found.rows[found.there]
    out[rows] = time[rows] + found.ahead[rows]
    return out


def _marks(found: Arrays) -> Ints:
    """int64: when each watermark is, from what it is told against: see `columns_arrays.mark_base`."""
    if not len(found.mark_source):
        return found.mark_ahead
    width = len(found.names)
    entries = np.arange(len(found.blocks))
    ends = np.cumsum(found.blocks)
    last = np.where(np.array(found.blocks) > 0, found.first[np.maximum(ends - 1, 0)] if len(found.first) else 0, 0)
    base = np.repeat(last, found.marks)
    keys = np.repeat(entries, found.blocks) * width + found.source
    order = np.argsort(keys, kind="stable")
    wanted = np.repeat(entries, found.marks) * width + found.mark_source
    at = np.searchsorted(keys[order], wanted, side="right") - 1
    if len(keys):
        known = order[np.maximum(at, 0)]
        same = (at >= 0) & (keys[known] == wanted)
        base[same] = found.first[known[same]]
    return base + found.mark_ahead


def _column(columns: Sequence[NDArray[_T] | None], sizes: Sequence[int], dtype: type[_T]) -> NDArray[_T] | None:
    """Join a column that some parts have; None where none has it."""
    if all(column is None for column in columns):
        return None
    return np.concatenate(
        [np.zeros(size, dtype) if column is None else column for column, size in zip(columns, sizes, strict=True)]
    )
