"""The edge node: which messages follow from readings, link changes, births and deaths. No network, no clock.

A Sparkplug device is a device of ours, not a machine: DDEATH says that the values of *this* PLC are stale, and a
machine may hang on two of them. Its metrics are called `{machine}/{signal}` by ids, so that renaming changes
nothing; the name that people know is a property. There are no aliases.

    put(frame)          what has changed since it was last said: DDATA
    put(link_up)        DBIRTH, with what was read before the link counted as up
    put(link_down)      DDEATH
    births()            NBIRTH, and DBIRTH of each device whose link is up; whatever waited follows as historical
    asleep              nobody listens: changes wait, bounded, the oldest go

That nobody listens is noticed late, by a keep-alive. So what was said in the last half minute is said again as
historical after it; a host that had it sees the same value with the same time.

By exception: a value is said when it or its quality differs from what was said last.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from agent.frame import Event, FrameBlock, Quality, quality
from agent.sparkplug.payload import (
    BAD,
    BOOLEAN,
    DOUBLE,
    GOOD,
    INT32,
    INT64,
    NAMESPACE,
    NO_SEQ,
    STALE,
    STRING,
    TYPES,
    Metric,
    Property,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agent.frame import Item, Signal, Source, Value

REBIRTH = "Node Control/Rebirth"
BDSEQ = "bdSeq"
PART = 500  # metrics of one message
BUFFER = 100_000  # changes that wait while nobody listens
AGAIN_MS = 30_000
_MS = 10**6


class Message(NamedTuple):
    """To publish with QoS 0, not retained."""

    topic: str
    payload: bytes


class Names(NamedTuple):
    """Where a node speaks."""

    group: str
    node: str

    def topic(self, kind: str, device: str = "") -> str:
        """Return the topic of a kind of message, of the node or of one of its devices."""
        return f"{NAMESPACE}/{self.group}/{kind}/{self.node}" + (f"/{device}" if device else "")


class _Tag(NamedTuple):
    name: str
    kind: int
    properties: tuple[Property, ...]


class _Change(NamedTuple):
    tag: int
    time_ms: int
    value: Value
    quality: int


@dataclass(slots=True)
class _Device:
    tags: list[_Tag]
    offsets: dict[str, int]  # source -> its first tag
    last: list[_Change]
    said: list[int]  # quality that was said last
    up: bool = False  # its link
    born: bool = False
    waiting: deque[_Change] = field(default_factory=deque)
    recent: deque[tuple[int, _Change]] = field(default_factory=deque)  # when it was said, what


class Node:
    """One edge node and its devices.

    Args:
        names: Group and node.
        sources: What is read.
        version: Of this release, for the birth.
        every: Whether each reading is said, changed or not.
        buffer: Changes that wait while nobody listens.

    Attributes:
        awake: Whether it has been born and somebody listens.
        lost: Changes that did not fit into the buffer, since the start.
    """

    def __init__(
        self, names: Names, sources: Sequence[Source], version: str, *, every: bool = False, buffer: int = BUFFER
    ) -> None:
        self.awake = False
        self.lost = 0
        self._names = names
        self._version = version
        self._every = every
        self._buffer = buffer
        self._seq = 0
        self._waiting = 0
        self._devices: dict[str, _Device] = {}
        self.begin(sources)

    def begin(self, sources: Sequence[Source]) -> None:
        """Have other sources from now on; a node that is awake must be born again after it."""
        old = self._devices
        self._devices = {}
        for source in sources:
            device = self._devices.setdefault(source.device, _Device([], {}, [], []))
            device.offsets[source.id] = len(device.tags)
            for signal in source.signals:
                tag = _Tag(f"{signal.machine}/{signal.id}", TYPES[signal.dtype], tuple(_properties(signal)))
                device.last.append(_Change(len(device.tags), 0, None, STALE))
                device.tags.append(tag)
                device.said.append(STALE)
        for name, device in self._devices.items():
            if name in old and (old[name].tags, old[name].offsets) == (device.tags, device.offsets):
                self._devices[name] = old[name]
        self._waiting = sum(len(device.waiting) for device in self._devices.values())

    # What is read

    def put(self, item: Item, now_ms: int) -> Iterator[Message]:
        """Take what was read; yield what is to be published now."""
        if isinstance(item, FrameBlock):
            device = self._devices.get(item.source.device)
            if device is not None and item.source.id in device.offsets:
                yield from self._frame(item, device, now_ms)
        elif (
            isinstance(item, Event) and item.source is not None and item.kind in {"link_up", "link_down", "refused"}
        ):
            name = item.source.rpartition(".")[0]
            device = self._devices.get(name)
            if device is None or item.source not in device.offsets:
                return
            device.up = item.kind == "link_up"
            if device.up and self.awake and not device.born:  # what is quiet may not be read again for hours
                yield from self._live(name, device, now_ms)
            elif not device.up and device.born:
                device.born = False
                yield self._message("DDEATH", name, (), now_ms)

    def _frame(self, block: FrameBlock, device: _Device, now_ms: int) -> Iterator[Message]:
        changes = list(self._changes(block, device))
        if not device.born:
            self._keep(device, changes)
            return
        self._remember(device, changes, now_ms)
        yield from self._data(block.source.device, device, changes, now_ms, historical=False)

    def _changes(self, block: FrameBlock, device: _Device) -> Iterator[_Change]:
        offset = device.offsets[block.source.id]
        rows = zip(block.signal.tolist(), block.time_ns.tolist(), block.value, block.status.tolist(), strict=True)
        for signal, time_ns, value, status in rows:
            before = device.last[offset + signal]
            change = _Change(offset + signal, time_ns // _MS, value, _quality(status))
            device.last[offset + signal] = change
            if self._every or (value, change.quality) != (before.value, before.quality) or not before.time_ms:
                yield change

    def _keep(self, device: _Device, changes: Sequence[_Change]) -> None:
        device.waiting.extend(changes)
        self._waiting += len(changes)
        while self._waiting > self._buffer:
            oldest = min(
                (d for d in self._devices.values() if d.waiting), key=lambda d: d.waiting[0].time_ms
            ).waiting
            oldest.popleft()
            self._waiting -= 1
            self.lost += 1

    # What is said

    def births(self, bdseq: int, now_ms: int) -> Iterator[Message]:
        """Yield the birth of the node, of each device whose link is up, and what has waited.

        Args:
            bdseq: The number that stands in the will of this connection.
            now_ms: UTC.
        """
        self._seq = 0
        self.awake = True
        node = [
            Metric(BDSEQ, now_ms, INT64, bdseq),
            Metric(REBIRTH, now_ms, BOOLEAN, value=False),
            Metric("Node Info/Software", now_ms, STRING, "Tech Square Edge"),
            Metric("Node Info/Version", now_ms, STRING, self._version),
        ]
        yield self._message("NBIRTH", "", node, now_ms)
        for name, device in self._devices.items():
            device.born = False
            if device.up:
                yield from self._live(name, device, now_ms)

    def death(self, bdseq: int, now_ms: int) -> Message:
        """Return the death of the node: its will, and its goodbye."""
        return Message(self._names.topic("NDEATH"), encode([Metric(BDSEQ, now_ms, INT64, bdseq)], now_ms, NO_SEQ))

    def sleep(self) -> None:
        """Nobody listens any more: changes wait from now on, behind those that were said lately."""
        self.awake = False
        for device in self._devices.values():
            device.born = False
            recent = [change for _, change in device.recent]
            device.recent.clear()
            recent += device.waiting  # of a link that is down; it is younger
            self._waiting -= len(device.waiting)
            device.waiting.clear()
            self._keep(device, recent)

    def _remember(self, device: _Device, changes: Iterable[_Change], now_ms: int) -> None:
        device.recent.extend((now_ms, change) for change in changes)
        while device.recent and (device.recent[0][0] < now_ms - AGAIN_MS or len(device.recent) > self._buffer):
            device.recent.popleft()

    def _live(self, name: str, device: _Device, now_ms: int) -> Iterator[Message]:
        device.born = True
        yield self._birth(name, device, now_ms)
        yield from self._history(name, device, now_ms)

    def _birth(self, name: str, device: _Device, now_ms: int) -> Message:
        metrics = []
        for tag, last in zip(device.tags, device.last, strict=True):
            device.said[last.tag] = last.quality
            metrics.append(
                Metric(
                    tag.name, last.time_ms or now_ms, tag.kind, last.value,
                    properties=(Property("Quality", INT32, last.quality), *tag.properties),
                )
            )  # fmt: skip
        return self._message("DBIRTH", name, metrics, now_ms)

    def _history(self, name: str, device: _Device, now_ms: int) -> Iterator[Message]:
        waiting = [change for change in device.waiting if change != device.last[change.tag]]  # the birth has those
        self._remember(device, device.waiting, now_ms)
        self._waiting -= len(device.waiting)
        device.waiting.clear()
        yield from self._data(name, device, waiting, now_ms, historical=True)

    def _data(
        self, name: str, device: _Device, changes: Sequence[_Change], now_ms: int, *, historical: bool
    ) -> Iterator[Message]:
        for at in range(0, len(changes), PART):
            metrics = []
            for tag, time_ms, value, good in changes[at : at + PART]:
                properties: tuple[Property, ...] = ()
                if historical or good != GOOD or device.said[tag] != good:
                    properties = (Property("Quality", INT32, good),)
                if not historical:
                    device.said[tag] = good
                kind = device.tags[tag].kind
                metrics.append(Metric(device.tags[tag].name, time_ms, kind, value, historical, properties))
            yield self._message("DDATA", name, metrics, now_ms)

    def _message(self, kind: str, device: str, metrics: Sequence[Metric], now_ms: int) -> Message:
        seq, self._seq = self._seq, (self._seq + 1) % 256
        return Message(self._names.topic(kind, device), encode(metrics, now_ms, seq))


def _quality(status: int) -> int:
    """Return a status as Sparkplug's quality. It has no "uncertain": whoever sees 192 would believe the value."""
    return GOOD if quality(status) is Quality.GOOD else BAD


def _properties(signal: Signal) -> Iterator[Property]:
    """Yield what people want to know of a signal, by the names that SCADA systems know."""
    yield Property("displayName", STRING, signal.name)
    if signal.unit:
        yield Property("engUnit", STRING, signal.unit)
    if signal.description:
        yield Property("documentation", STRING, signal.description)
    if signal.eu_range is not None:
        yield Property("engLow", DOUBLE, float(signal.eu_range[0]))
        yield Property("engHigh", DOUBLE, float(signal.eu_range[1]))
    for number, label in signal.labels:
        yield Property(f"label {number}", STRING, label)
