"""Blocks of 60 s: entries of one birth as columns, and every byte of them back again.

An entry is the JSON of one second of all sources (`agent.entry`). Beside its neighbours it holds little that is
new: the same sources in the same order, the same signals, times a second on, values near those before. So the
entries of a minute are taken apart into columns over all of them, the rows sorted by source, signal and time,
each column is written as what differs from the row before, and the streams are compressed one by one:

    entry      number, order letters, events and facts as they stand, how many blocks and watermarks
    block      source, first time, rows, round trips, which optional columns it has
    watermark  source, time against the first of that source's block
    trip       time against the first of its block, duration, status
    row        signal, step, value (`columns_values`), status, source and server time

What comes out is the very bytes that went in, or nothing: `encode` decodes what it has made and compares. An entry
for which that fails (nothing that the agent writes, but the spool keeps what it was given) is carried as it is,
compressed.

Nothing in a blob is believed. It has a checksum, every stream says how long it is, and every count is held against
`CONTENTS_LIMIT` before anything of that size is made.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from agent.errors import WireError
from agent.spool.columns_arrays import (
    CONTENTS_LIMIT,
    ENTRIES_LIMIT,
    HAS_SERVER,
    HAS_SOURCE,
    HAS_STATUS,
    by_signal,
    mark_base,
    read,
    times,
)
from agent.spool.columns_streams import Reader, Writer
from agent.spool.columns_values import write_values
from contract import codec
from contract.payload import Block, Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from agent.frame import Value
    from agent.spool.columns_arrays import Arrays, Offsets

    Ints = NDArray[np.int64]


class _Content(msgspec.Struct, frozen=True):
    """`agent.entry.Content`, not looked into where nothing is to be gained."""

    blocks: list[Block]
    events: msgspec.Raw
    facts: msgspec.Raw
    watermarks: list[tuple[str, str]]
    order: str


def encode(entries: Sequence[tuple[int, bytes]]) -> bytes:
    """Return a blob from which each entry comes back byte for byte.

    Args:
        entries: (seq, canonical content), best about a minute of one birth; at most `CONTENTS_LIMIT` bytes
            and `ENTRIES_LIMIT` entries.

    Raises:
        ValueError: too many or too much.
    """
    if len(entries) > ENTRIES_LIMIT or sum(len(raw) for _, raw in entries) > CONTENTS_LIMIT:
        raise ValueError(f"more than {ENTRIES_LIMIT} entries or {CONTENTS_LIMIT} bytes in a block of columns")
    parsed = [_parsed(seq, raw) for seq, raw in entries]
    blob = _exact(entries, parsed)
    if blob is None:  # one of them does not go into columns: find out which
        parsed = [c if c and _exact([e], [c]) is not None else None for e, c in zip(entries, parsed, strict=True)]
        blob = _exact(entries, parsed)
    return _blob(entries, [None] * len(entries)) if blob is None else blob


def _exact(entries: Sequence[tuple[int, bytes]], parsed: Sequence[_Content | None]) -> bytes | None:
    """Return a blob that gives back these very entries, None when it would not."""
    try:
        blob = _blob(entries, parsed)
        return blob if decode(blob) == list(entries) else None
    except (OverflowError, ValueError, WireError):
        return None


def decode(blob: bytes) -> list[tuple[int, bytes]]:
    """Return (seq, canonical content) of each entry.

    Raises:
        WireError: damaged, or no blob at all.
    """
    try:
        return _entries(Reader(blob, 8 * CONTENTS_LIMIT))
    except (ValueError, OverflowError, IndexError, MemoryError) as exc:
        raise WireError(f"not a block of columns: {exc}") from exc


def _parsed(seq: int, raw: bytes) -> _Content | None:
    """Return what is in an entry, None when it is to be carried as it is."""
    try:
        content = msgspec.json.decode(raw, type=_Content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    sound = all(
        block.seq == seq
        and len(block.signal) == len(block.time.steps) == len(block.value)
        and len(block.status) in {0, len(block.value)}
        and len(block.source_time) in {0, len(block.value)}
        and len(block.server_time) in {0, len(block.value)}
        for block in content.blocks
    )
    return content if sound and codec.encode(content) == raw else None


@dataclass(slots=True)
class _Table:
    """Columns under construction, in the order of the entries."""

    sources: dict[str, int] = field(default_factory=dict)
    # of each block
    source: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    trips: list[int] = field(default_factory=list)
    has: list[int] = field(default_factory=list)
    # of each row
    signal: list[int] = field(default_factory=list)
    step: list[int | str] = field(default_factory=list)
    value: list[Value] = field(default_factory=list)
    # of each row of the blocks that have it
    status: list[int] = field(default_factory=list)
    source_time: list[int | str | None] = field(default_factory=list)
    server_time: list[int | str | None] = field(default_factory=list)
    # of each round trip, of each watermark
    trip: list[tuple[int | str, int | str, int]] = field(default_factory=list)
    mark: list[tuple[int, int]] = field(default_factory=list)  # source, time against the one known before

    def add(self, content: _Content) -> None:
        """Append one entry."""
        known: dict[int, int] = {}
        for block in content.blocks:
            place = self.sources.setdefault(block.source, len(self.sources))
            known[place] = first = int(block.time.first)
            self.source.append(place)
            self.first.append(first)
            self.rows.append(len(block.value))
            self.trips.append(len(block.round_trips))
            self.has.append(
                bool(block.status) * HAS_STATUS
                + bool(block.source_time) * HAS_SOURCE
                + bool(block.server_time) * HAS_SERVER
            )
            self.signal += block.signal
            self.step += block.time.steps
            self.value += block.value
            self.status += block.status
            self.source_time += block.source_time
            self.server_time += block.server_time
            self.trip += block.round_trips
        before = self.first[-1] if self.first else 0
        for source, time in content.watermarks:
            place = self.sources.setdefault(source, len(self.sources))
            self.mark.append((place, int(time) - known.get(place, before)))


def _blob(entries: Sequence[tuple[int, bytes]], parsed: Sequence[_Content | None]) -> bytes:
    """Return the blob of entries; those that are not parsed are carried as they are.

    Raises:
        OverflowError, ValueError: something in them is not what it should be.
    """
    out = Writer()
    table = _Table()
    contents = [content for content in parsed if content is not None]
    for content in contents:
        table.add(content)
    out.numbers([len(entries)])
    out.differences(np.array([seq for seq, _ in entries], np.int64))
    out.raw(bytes(content is not None for content in parsed))
    out.texts([raw for (_, raw), content in zip(entries, parsed, strict=True) if content is None])
    out.texts([content.order.encode() for content in contents])
    out.texts([bytes(content.events) for content in contents])
    out.texts([bytes(content.facts) for content in contents])
    out.numbers([len(content.blocks) for content in contents])
    out.numbers([len(content.watermarks) for content in contents])
    out.numbers([len(table.sources)])
    out.texts([name.encode() for name in table.sources])
    _write_blocks(out, table)
    _write_rows(out, table)
    out.numbers([place for place, _ in table.mark])
    out.numbers([time for _, time in table.mark])
    return out.blob()


def _write_blocks(out: Writer, table: _Table) -> None:
    source = np.array(table.source, np.int64)
    out.numbers(source)
    out.numbers(table.rows)
    out.numbers(table.trips)
    out.raw(bytes(table.has))
    order = np.argsort(source, kind="stable")
    out.differences(np.array(table.first, np.int64)[order])
    order = np.argsort(np.repeat(source, table.trips), kind="stable")
    for column in range(3):
        out.numbers(_integers(trip[column] for trip in table.trip)[order])


def _write_rows(out: Writer, table: _Table) -> None:
    signal = np.array(table.signal, np.int64)
    out.differences(signal)
    steps = _integers(table.step)
    out.numbers(steps)
    rows = np.array(table.rows, np.int64)
    key, order = by_signal(np.repeat(np.array(table.source, np.int64), rows), signal)
    write_values(out, [table.value[row] for row in order.tolist()], key)
    out.planes(np.array(table.status, np.uint32))
    at = times(np.array(table.first, np.int64), rows, steps)
    has = np.repeat(np.frombuffer(bytes(table.has), np.uint8), rows)
    offsets = _write_offsets(out, table.source_time, np.flatnonzero(has & HAS_SOURCE), at)
    _write_offsets(out, table.server_time, np.flatnonzero(has & HAS_SERVER), -offsets)


def _write_offsets(out: Writer, column: Sequence[int | str | None], rows: Ints, base: Ints) -> Ints:
    """Write times of the device, given against acquisition times, with the differences of `base` added.

    Args:
        out: Where to.
        column: Of the rows that have the column; None for no time.
        rows: Which rows these are.
        base: int64[all rows].

    Returns:
        int64[all rows]: the times against acquisition times, 0 where there is none.
    """
    there = np.array([value is not None for value in column], np.bool_)
    out.raw(there.tobytes())
    dense = np.zeros(len(base), np.int64)
    rows = rows[there]
    dense[rows] = _integers(value for value in column if value is not None)
    out.differences((dense + base)[rows])
    return dense


def _integers(values: Iterable[int | str]) -> Ints:
    return np.fromiter(map(int, values), np.int64)


def _numbers(column: Ints) -> list[Any]:
    """Return integers as they travel."""
    values: list[Any] = column.tolist()
    if len(column) and (int(column.max()) > codec.SAFE or int(column.min()) < -codec.SAFE):
        values = [codec.number(value) for value in values]
    return values


def _entries(source: Reader) -> list[tuple[int, bytes]]:
    """Read a blob."""
    found = read(source)
    columns = _Columns(found)
    whole = iter(found.whole)
    places, ahead = found.mark_source.tolist(), found.mark_ahead.tolist()
    out: list[tuple[int, bytes]] = []
    at = mark = size = 0
    parts = zip(found.orders, found.events, found.facts, found.blocks, found.marks, strict=True)
    for seq, is_parsed in zip(found.seqs, found.parsed, strict=True):
        if is_parsed:
            order, event, fact, here, marked = next(parts)
            first = columns.first[at : at + here]
            known = dict(zip(columns.source[at : at + here], first, strict=True))
            watermarks = [
                (found.names[place], str(mark_base(known, first, place) + time))
                for place, time in zip(places[mark : mark + marked], ahead[mark : mark + marked], strict=True)
            ]
            blocks = [columns.block(i, seq) for i in range(at, at + here)]
            content = _Content(blocks, msgspec.Raw(event), msgspec.Raw(fact), watermarks, order.decode())
            raw = codec.encode(content)
            at, mark = at + here, mark + marked
        else:
            raw = next(whole)
        size += len(raw)
        if size > CONTENTS_LIMIT:
            raise WireError(f"a block of columns of more than {CONTENTS_LIMIT} bytes")
        out.append((seq, raw))
    return out


class _Columns:
    """Columns that were read, as Python's lists, in the order of the entries; `Arrays` says what each is."""

    def __init__(self, found: Arrays) -> None:
        self._names = found.names
        self.source: list[int] = found.source.tolist()
        self.first: list[int] = found.first.tolist()
        self._rows: list[int] = found.rows.tolist()
        self._trips: list[int] = found.trips.tolist()
        self._has = found.has.tobytes()
        self._signal: list[int] = found.signal.tolist()
        self._step = _numbers(found.step)
        self._value: list[Value] = found.value().tolist()
        self._status: Iterator[int] = iter(found.status.tolist())
        self._source_time = iter(_offsets(found.stamped))
        self._server_time = iter(_offsets(found.served))
        self._trip = zip(*map(_numbers, found.trip), strict=True)
        self._at = 0  # rows of the blocks that were given out

    def block(self, i: int, seq: int) -> Block:
        """Return block i; to be asked for in order."""
        n, has = self._rows[i], self._has[i]
        rows = slice(self._at, self._at + n)
        self._at += n
        return Block(
            seq=seq,
            source=self._names[self.source[i]],
            signal=self._signal[rows],
            time=Times(str(self.first[i]), self._step[rows]),
            value=self._value[rows],
            status=list(islice(self._status, n)) if has & HAS_STATUS else [],
            source_time=list(islice(self._source_time, n)) if has & HAS_SOURCE else [],
            server_time=list(islice(self._server_time, n)) if has & HAS_SERVER else [],
            round_trips=list(islice(self._trip, self._trips[i])),
        )


def _offsets(found: Offsets) -> list[int | str | None]:
    """Return times of the device as they travel."""
    column: list[int | str | None] = _numbers(found.ahead[found.rows])
    for place in np.flatnonzero(~found.there).tolist():
        column[place] = None
    return column
