"""Entries: what the spool commits, between the agent's items and the wire's payload.

    items --arrange--> one block a run of frames --stamp--> times of events frozen --encode--> content

The canonical content of an entry is the JSON of its blocks, events, facts and watermarks, and of the order that
they stood in; the checksum of exactly these bytes names the entry for ever. Watermarks and the order do not
travel: they are there so that the analyzers are fed after a restart what they were fed before it. So `decode`
returns the very items that were encoded, and what is fed in a running process is what `decode` would return.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from agent.errors import WireError
from agent.frame import DataType, Event, Facts, FrameBlock, Json, RoundTrip, Source, Value, Watermark, concat
from contract import codec
from contract.payload import Block, Data, Times, WireEvent, WireFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from agent.frame import EventKind, Item

ENVELOPE = 1024  # more than a message carries around its entries: keys, spool id, birth hash
REFERENCE = 40  # more than `[seq, "crc"],` takes
CONTENT_LIMIT = codec.DATA_LIMIT - ENVELOPE - REFERENCE
BAD_ENCODING_LIMITS = 0x8008_0000  # OPC UA Part 6: the value is larger than what we can carry

_PLAIN = frozenset({bool, int, float, str, type(None)})
INTEGERS = frozenset(DataType) - {DataType.BOOL, DataType.FLOAT32, DataType.FLOAT64, DataType.STRING}


class Content(msgspec.Struct, frozen=True):
    """An entry. `order` has one letter an item: b, e, f or w, each taking the next of its list."""

    blocks: list[Block]
    events: list[WireEvent]
    facts: list[WireFacts]
    watermarks: list[tuple[str, str]]
    order: str


class _Raw(msgspec.Struct, frozen=True):
    """The lists of a `Content` that travel, not looked into."""

    blocks: list[msgspec.Raw]
    events: list[msgspec.Raw]
    facts: list[msgspec.Raw]


class Span(msgspec.Struct, frozen=True):
    """Rows of one source in an entry: its name, first and last time in ns, and how many."""

    source: str
    first_ns: int
    last_ns: int
    rows: int


class _Lengths(msgspec.Struct, frozen=True):
    source: str
    time: Times


class _Summary(msgspec.Struct, frozen=True):
    blocks: list[_Lengths]
    events: list[WireEvent]
    facts: list[msgspec.Raw]


def arrange(items: Iterable[Item]) -> list[Item]:
    """Join the frames of each source into blocks and leave the order that means something as it is.

    A frame is not moved across an event or watermark of its own source, nor across an event of the whole
    agent; between sources there is no order to keep.
    """
    slots: list[list[FrameBlock] | Item] = []
    runs: dict[str, list[FrameBlock]] = {}
    for item in items:
        if isinstance(item, FrameBlock):
            if not len(item) and not item.round_trips:
                continue
            run = runs.get(item.source.id)
            if run is not None and run[0].source is item.source:
                run.append(item)
            else:
                runs[item.source.id] = run = [item]
                slots.append(run)
            continue
        if isinstance(item, Facts):
            pass
        elif item.source is not None:
            runs.pop(item.source, None)
        else:
            runs.clear()
        slots.append(item)
    return [concat(slot) if isinstance(slot, list) else slot for slot in slots]


def stamp(items: Iterable[Item], last_ns: int) -> tuple[list[Item], int]:
    """Freeze events and facts: their times are unique, their bodies are what will be read back.

    Within a clock epoch they strictly increase; stamps of two epochs differ in their last digits. An event of an
    epoch that was wrong by years must neither lend its time to those after it nor take theirs.

    Args:
        items: In the order of commit.
        last_ns: Time of the last event or fact committed before.

    Returns:
        The items, and the time of the last event or fact among them.
    """
    out: list[Item] = []
    latest = {last_ns % 1000: last_ns}
    for item in items:
        if isinstance(item, Event | Facts):
            time_ns = item.time_ns
            if time_ns <= (before := latest.get(time_ns % 1000, -1)):
                time_ns = before + 1000
            latest[time_ns % 1000] = last_ns = time_ns
            body = cast("Mapping[str, Json]", plain(item.body))
            out.append(dataclasses.replace(item, time_ns=time_ns, body=body))
        else:
            out.append(item)
    return out, last_ns


def plain(value: Any) -> Json:
    """Return a body as JSON gives it back: text keys, lists, 53-bit integers, no NaN, whole characters."""
    if isinstance(value, Mapping):
        return {_text(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if -np.inf < value < np.inf else None
    if isinstance(value, int) and not isinstance(value, bool):
        return codec.number(int(value))
    return value if value is None or isinstance(value, bool) else _text(value)


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode("utf-8")


def sound(items: Sequence[Item]) -> tuple[list[Item], list[tuple[Item, str]]]:
    """Part what can be committed from what breaks a promise of its type: a bug in who made it, never expected.

    Returns:
        The good items, and each other with what is wrong with it.
    """
    good: list[Item] = []
    broken: list[tuple[Item, str]] = []
    for item in items:
        problem = item.problem() if isinstance(item, FrameBlock) else None
        problem = problem or _unwritable(item)
        if problem is None:
            good.append(item)
        else:
            broken.append((item, problem))
    return good, broken


def _unwritable(item: Item) -> str | None:
    """Return why an item cannot be written as JSON, or None."""
    try:
        if isinstance(item, FrameBlock) and _PLAIN.issuperset(map(type, item.value)):
            "".join([value for value in item.value if value.__class__ is str]).encode()
        else:
            encode([item], 1)
    except (TypeError, ValueError, OverflowError) as exc:  # UnicodeEncodeError is a ValueError
        return f"cannot be written as JSON: {exc}"
    return None


def encode(items: Iterable[Item], seq: int) -> bytes:
    """Return the canonical content of an entry; `items` as `arrange` and `stamp` left them."""
    blocks, events, facts, marks = [], [], [], []
    order = []
    for item in items:
        if isinstance(item, FrameBlock):
            blocks.append(_block(item, seq))
            order.append("b")
        elif isinstance(item, Event):
            events.append(
                WireEvent(
                    seq=seq,
                    kind=item.kind,
                    time=str(item.time_ns),
                    body=dict(item.body),
                    source=item.source,
                    machine=item.machine,
                    from_=None if item.from_ns is None else str(item.from_ns),
                    to=None if item.to_ns is None else str(item.to_ns),
                )
            )
            order.append("e")
        elif isinstance(item, Facts):
            facts.append(
                WireFacts(
                    seq=seq,
                    kind=item.kind,
                    time=str(item.time_ns),
                    subject=item.subject,
                    body=dict(item.body),
                )
            )
            order.append("f")
        else:
            marks.append((item.source, str(item.time_ns)))
            order.append("w")
    return codec.encode(Content(blocks, events, facts, marks, "".join(order)))


def _steps(times: NDArray[np.int64]) -> list[int | str]:
    column: list[int] = times.tolist()
    return [0, *map(operator.sub, column[1:], column)] if column else []


def _block(block: FrameBlock, seq: int) -> Block:
    n = len(block)
    first = int(block.time_ns[0]) if n else block.round_trips[0].time_ns

    def against(column: NDArray[np.int64] | None) -> list[int | str | None]:
        if column is None:
            return []
        return [
            codec.number(t - at) if t else None
            for t, at in zip(column.tolist(), block.time_ns.tolist(), strict=True)
        ]

    return Block(
        seq=seq,
        source=block.source.id,
        signal=block.signal.tolist(),
        time=Times(str(first), _steps(block.time_ns)),
        value=[codec.number(v) if v.__class__ is int else v for v in cast("Sequence[Any]", block.value)],
        status=block.status.tolist() if block.status.any() else [],
        source_time=against(block.source_ns),
        server_time=against(block.server_ns),
        round_trips=[
            (codec.number(r.time_ns - first), codec.number(r.rtt_ns), r.status) for r in block.round_trips
        ],
    )


def decode(raw: bytes, sources: Mapping[str, Source]) -> list[Item]:
    """Return the items of an entry, in their order.

    Args:
        raw: Canonical content.
        sources: Of the birth that the entry was written under, by id.

    Raises:
        WireError: not the content of an entry, or a source that is not among these.
    """
    content = codec.decode(raw, Content, limit=codec.DATA_LIMIT)
    queues = {
        "b": iter(content.blocks),
        "e": iter(content.events),
        "f": iter(content.facts),
        "w": iter(content.watermarks),
    }
    try:
        return [_item(next(queues[letter]), sources) for letter in content.order]
    except (KeyError, StopIteration, ValueError, IndexError, OverflowError) as exc:
        raise WireError(f"not the content of an entry under this birth: {exc!r}") from exc


def _item(part: Any, sources: Mapping[str, Source]) -> Item:
    if isinstance(part, Block):
        return _frame(part, sources[part.source])
    if isinstance(part, WireEvent):
        return event(part)
    if isinstance(part, WireFacts):
        return facts(part)
    source, time_ns = part
    return Watermark(source, int(time_ns))


def facts(part: WireFacts) -> Facts:
    """Return facts as they were committed."""
    return Facts(kind=cast("Any", part.kind), time_ns=int(part.time), subject=part.subject, body=part.body)


def event(part: WireEvent) -> Event:
    """Return an event as it was committed."""
    return Event(
        kind=cast("EventKind", part.kind),
        time_ns=int(part.time),
        source=part.source,
        machine=part.machine,
        from_ns=None if part.from_ is None else int(part.from_),
        to_ns=None if part.to is None else int(part.to),
        body=part.body,
    )


def _frame(block: Block, source: Source) -> FrameBlock:
    n = len(block.value)
    first = int(block.time.first)
    steps = block.time.steps
    times = np.array(steps, np.int64).cumsum() + first if any(steps) else np.full(len(steps), first, np.int64)
    value: list[Value] = block.value
    for row in [row for row, v in enumerate(value) if v.__class__ is str]:
        if source.signals[block.signal[row]].dtype in INTEGERS:
            value[row] = int(cast("str", value[row]))

    def absolute(column: Sequence[int | str | None]) -> NDArray[np.int64] | None:
        if not column:
            return None
        return np.array(
            [0 if d is None else at + int(d) for d, at in zip(column, times.tolist(), strict=True)], np.int64
        )

    return FrameBlock(
        source=source,
        signal=np.array(block.signal, np.int32),
        time_ns=times,
        value=value,
        status=np.array(block.status, np.uint32) if block.status else np.zeros(n, np.uint32),
        source_ns=absolute(block.source_time),
        server_ns=absolute(block.server_time),
        round_trips=tuple(RoundTrip(first + int(t), int(d), s) for t, d, s in block.round_trips),
    )


def pack(items: Sequence[Item], seq: int, limit: int = CONTENT_LIMIT) -> list[tuple[list[Item], bytes]]:
    """Number and encode items; what would not fit into one message is cut before it gets its numbers.

    A single text or body that is larger than a message is dropped where it stands: its row stays, bad, with
    the status "encoding limits exceeded"; its event stays without body.

    Args:
        items: As `arrange` and `stamp` left them.
        seq: Number of the first entry; the others follow.
        limit: Bytes of canonical content of one entry.

    Returns:
        The items and the canonical content of each entry.
    """
    raw = encode(items, seq)
    if len(raw) <= limit:
        return [(list(items), raw)]
    if len(items) == 1:
        items = _parts(items[0], len(raw))
        if len(items) == 1:
            return [(list(items), encode(items, seq))]
    middle = len(items) // 2
    first = pack(items[:middle], seq, limit)
    return first + pack(items[middle:], seq + len(first), limit)


def _parts(item: Item, size: int) -> list[Item]:
    if isinstance(item, FrameBlock):
        if len(item) > 1 or len(item.round_trips) > 1:
            return list(_halves(item))
        return [dataclasses.replace(item, value=[None], status=np.array([BAD_ENCODING_LIMITS], np.uint32))]
    if isinstance(item, Event | Facts):
        return [dataclasses.replace(item, body={"too_large": size})]
    return [item]


def _halves(block: FrameBlock) -> list[FrameBlock]:
    middle, trips = len(block) // 2, len(block.round_trips) // 2

    def cut(rows: slice, requests: slice) -> FrameBlock:
        return FrameBlock(
            source=block.source,
            signal=block.signal[rows],
            time_ns=block.time_ns[rows],
            value=block.value[rows],
            status=block.status[rows],
            source_ns=None if block.source_ns is None else block.source_ns[rows],
            server_ns=None if block.server_ns is None else block.server_ns[rows],
            round_trips=block.round_trips[requests],
        )

    halves = [cut(slice(middle), slice(trips)), cut(slice(middle, None), slice(trips, None))]
    return [half for half in halves if len(half) or half.round_trips]


def rows(items: Iterable[Item]) -> int:
    """Count the rows of the blocks among the items."""
    return sum(len(item) for item in items if isinstance(item, FrameBlock))


def summary(raw: bytes) -> tuple[list[Span], list[WireEvent], int]:
    """Return what an entry holds without reading its values: spans by source, events, number of facts.

    Raises:
        WireError: not the content of an entry.
    """
    seen = codec.decode(raw, _Summary, limit=codec.DATA_LIMIT)
    spans = []
    for block in seen.blocks:
        if not (n := len(block.time.steps)):
            continue
        first = codec.integer(block.time.first)
        last = first + sum(codec.integer(step) for step in block.time.steps)
        spans.append(Span(block.source, first, last, n))
    return spans, seen.events, len(seen.facts)


def message(
    spool: str, digest: str, entries: Sequence[tuple[int, str, bytes]], *, historical: bool = False
) -> bytes:
    """Return the payload of one `data` message, uncompressed.

    Args:
        spool: Id of the spool that all entries are of.
        digest: Hash of the birth that all entries are of.
        entries: (seq, crc, canonical content) of each.
        historical: Whether this is a backlog.

    Raises:
        WireError: not the content of an entry.
    """
    parts = [codec.decode(raw, _Raw, limit=codec.DATA_LIMIT) for _, _, raw in entries]
    return codec.encode(
        Data(
            spool=spool,
            entries=[(seq, crc) for seq, crc, _ in entries],
            birth=digest,
            blocks=cast("list[Block]", [b for part in parts for b in part.blocks]),
            events=cast("list[WireEvent]", [e for part in parts for e in part.events]),
            facts=cast("list[WireFacts]", [f for part in parts for f in part.facts]),
            historical=historical,
        )
    )
