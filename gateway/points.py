"""Data of the wire -> points of the store: the only place that knows the store's schema.

    series    measurement = machine id; tags factory, site, source: nothing that may differ when sent again
    point     the rows of one machine and one source with the same acquisition time, within one entry
    fields    {signal}_f | _i | _s | _b   by the birth's data type, so that an edited type can never conflict
              {signal}_q                  status, only when not good; a bad read is this field alone
              {signal}_src                source time in ns, when it differs from the acquisition time by > 1 s
    events    measurement tsq_event; tags agent, factory, kind, site; facts have kind "facts.{kind}"

A data type's field never varies: an unsigned 64-bit signal is `_i`, or `_s` when the birth calls it `wide`.

What the birth contradicts (a wrong type, an index outside the source, two values of a signal at one time, a
time that no store can hold) is a `Fault`: it is reported as rejected and kept as a dead letter, and the other
rows of the entry go on. No content raises here, except a birth that cannot be used.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from contract import topics
from contract.codec import encode, integer
from contract.errors import WireError
from contract.payload import EVENTS, WireEvent
from gateway.stores.base import Point, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from contract.payload import Birth, BirthSignal, BirthSource, Block, Data, Json, Value, WireFacts
    from gateway.stores.base import FieldValue

TWO_ROWS = "two rows of one signal at one time"
TWO_EVENTS = "two events of one kind at one time"
NO_TIME = 0  # stands in a fault where the payload holds no readable time

_STEP = 5000
_ID = re.compile(r"[a-z0-9_-]{1,48}")
_SOURCE = re.compile(r"[a-z0-9_.-]{1,100}")
_KIND = re.compile(r"[a-z0-9_-]{1,64}")
_INT64 = 2**63 - 1
_LAST_TIME = 2**63 - 2  # InfluxDB's latest time
_NO_SUCH_TIME = "a time that no store can hold"
_UNCERTAIN = 1 << 30  # from here on a status is not good
_BAD = 1 << 31
_SOURCE_TIME_NS = 1_000_000_000
_READINGS = 256  # plans that are kept for a source; a subscription may report any set of its signals

_KINDS: dict[str, type] = {
    "bool": bool, "string": str, "float32": float, "float64": float, "int16": int, "uint16": int, "int32": int,
    "uint32": int, "int64": int, "uint64": int, "timestamp": int,
}  # fmt: skip
_SUFFIX = {bool: "_b", str: "_s", float: "_f", int: "_i"}


class _Wide(int):
    """Marks integers that are stored as text; no value is of this class."""


class _Column(NamedTuple):
    """How the rows of one signal become fields."""

    machine: str
    kind: type
    field: str
    quality: str
    source_time: str


class _Part(NamedTuple):
    """What one machine has of a reading."""

    machine: str
    fields: tuple[str, ...]
    values: Callable[[Sequence[Value]], Sequence[Any]]
    """Picks its values out of those of the reading."""


class _Reading(NamedTuple):
    """How rows of one time become points when nothing is wrong with any: what a poll gives again and again."""

    kinds: tuple[type, ...]
    whole: Callable[[Sequence[Value]], Sequence[Any]]
    """Picks the integers out of the values of the reading."""
    parts: tuple[_Part, ...]


class _Source:
    """One source of a birth."""

    def __init__(self, columns: list[_Column], tags: tuple[tuple[str, str], ...]) -> None:
        self.columns = columns
        self.tags = tags
        self._readings: dict[tuple[int, ...], _Reading | None] = {}

    def reading(self, signals: tuple[int, ...]) -> _Reading | None:
        """Return the plan of a reading, None when something is wrong with these signals."""
        if signals not in self._readings:
            if len(self._readings) >= _READINGS:
                self._readings.clear()
            self._readings[signals] = _plan(signals, self.columns)
        return self._readings[signals]


def _plan(signals: tuple[int, ...], columns: list[_Column]) -> _Reading | None:
    if len(set(signals)) < len(signals) or max(signals) >= len(columns):
        return None
    found = [columns[signal] for signal in signals]
    places: dict[str, list[int]] = {}
    for place, column in enumerate(found):
        places.setdefault(column.machine, []).append(place)
    return _Reading(
        tuple(column.kind for column in found),
        _picker([place for place, column in enumerate(found) if column.kind is int]),
        tuple(
            _Part(machine, tuple(found[place].field for place in own), _picker(own))
            for machine, own in places.items()
        ),
    )


def _picker(places: list[int]) -> Callable[[Sequence[Value]], Sequence[Any]]:
    """Return what picks these places out of a sequence."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


class Dictionary:
    """A birth, made ready for `build`.

    Args:
        birth: The tag dictionary as it came.

    Raises:
        WireError: an id that no topic, measurement or field may hold, a signal twice in one source, or a data
            type that this version does not know: taking its rows would lose them, so its entries wait.
    """

    def __init__(self, birth: Birth) -> None:
        for text in (birth.factory, birth.site, birth.agent):
            if not topics.ID.fullmatch(text):
                raise WireError(f"birth: {text!r} is not an id of a factory, site or agent")
        self.factory = birth.factory
        self.agent = birth.agent
        self.site = birth.site
        self.sources: dict[str, _Source] = {}
        for source in birth.sources:
            finish(self.adding(source))

    def adding(self, source: BirthSource) -> Generator[None, None, None]:
        """Take one more source, in steps of `_STEP` signals: the largest birth takes seconds.

        Raises:
            WireError: as for the birth.
        """
        if not _SOURCE.fullmatch(source.id) or source.id in self.sources:
            raise WireError(f"birth: source {source.id!r} is no id or stands there twice")
        columns: list[_Column] = []
        for begin in range(0, len(source.signals), _STEP):
            columns += [_column(signal) for signal in source.signals[begin : begin + _STEP]]
            yield
        if len({(c.machine, c.quality) for c in columns}) < len(columns):
            raise WireError(f"birth: source {source.id!r} holds a signal twice")
        tags = (("factory", self.factory), ("site", self.site), ("source", source.id))
        self.sources[source.id] = _Source(columns, tags)


def _column(signal: BirthSignal) -> _Column:
    kind = _KINDS.get(signal.dtype)
    if not _ID.fullmatch(signal.id) or not _ID.fullmatch(signal.machine) or signal.machine == EVENTS:
        raise WireError(f"birth: {signal.machine!r} or {signal.id!r} is not an id of a machine and a signal")
    if kind is None or (signal.wide and signal.dtype != "uint64"):
        raise WireError(f"birth: signal {signal.id!r}: data type {signal.dtype!r} is not known here")
    suffix = "_s" if signal.wide else _SUFFIX[kind]
    return _Column(
        signal.machine,
        _Wide if signal.wide else kind,
        signal.id + suffix,
        f"{signal.id}_q",
        f"{signal.id}_src",
    )


class Origin(NamedTuple):
    """Where a point came from: the entry, and the source or `EVENTS`."""

    seq: int
    source: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that can never be stored; `content` is all of them, for the dead letter."""

    origin: Origin
    reason: str
    first: int
    last: int
    rows: int
    content: Json


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message gives: `origins[i]` tells where `points[i]` came from."""

    points: list[Point]
    origins: list[Origin]
    faults: list[Fault]


def build(data: Data, dictionary: Dictionary) -> Batch:
    """Make the points of a message, and name what cannot become one."""
    batch = Batch([], [], [])
    for block in data.blocks:
        _block(block, dictionary, batch)
    seen: set[tuple[str, int]] = set()
    for event in data.events:
        _record(event, event.kind, dictionary, batch, seen)
    for facts in data.facts:
        _record(facts, f"facts.{facts.kind}", dictionary, batch, seen)
    return batch


def rows_of(point: Point) -> int:
    """Count the rows that a point of `build` was made from."""
    if point.measurement == EVENTS:
        return 1
    return len({name.rpartition("_")[0] for name in point.fields})


def _block(block: Block, dictionary: Dictionary, batch: Batch) -> None:
    if not (block.value or block.signal or block.time.steps):
        return  # round trips only: they are for the analyzers
    origin = Origin(block.seq, block.source)
    source = dictionary.sources.get(block.source)
    try:
        points = None if source is None else _readings(block, source)
        times = _times(block) if points is None else []
    except WireError as exc:
        batch.faults.append(_whole(block, origin, str(exc), [NO_TIME]))
        return
    if points is None:
        points = _each(block, times, source, origin, batch.faults)
    batch.points.extend(points)
    batch.origins.extend(repeat(origin, len(points)))


def _each(
    block: Block, times: list[int], source: _Source | None, origin: Origin, faults: list[Fault]
) -> list[Point]:
    """Return the points of a block of which each row has to be looked at."""
    lengths = {len(block.signal), len(times), len(block.value)}
    lengths |= {len(column) for column in (block.status, block.source_time, block.server_time) if column}
    if len(lengths) > 1:
        faults.append(_whole(block, origin, "columns differ in length", times))
    elif source is None:
        faults.append(_whole(block, origin, "the birth has no such source", times))
    else:
        groups = _rows(block, times, source, origin, faults)
        return [Point(machine, source.tags, time, fields) for (time, machine), fields in groups.items() if fields]
    return []


def _whole(block: Block, origin: Origin, reason: str, times: Sequence[int]) -> Fault:
    rows = max(len(block.value), len(block.signal), len(block.time.steps))
    times = times or [NO_TIME]
    return Fault(origin, reason, min(times), max(times), rows, msgspec.to_builtins(block))


def _times(block: Block) -> list[int]:
    times = accumulate(map(integer, block.time.steps), initial=integer(block.time.first))
    return list(times)[1:]


def _readings(block: Block, source: _Source) -> list[Point] | None:
    """Return the points of a block of readings that are all good, None when a look at each row is needed."""
    steps = block.time.steps
    if block.status or block.source_time or not len(steps) == len(block.signal) == len(block.value):
        return None
    starts = [0, *(place for place in range(1, len(steps)) if steps[place])] if any(steps) else [0]
    if len(starts) * 4 > len(steps) or len(block.server_time) not in {0, len(steps)}:
        return None
    points: list[Point] = []
    time = integer(block.time.first)
    for begin, end in zip(starts, (*starts[1:], len(steps)), strict=True):
        step, values = steps[begin], block.value[begin:end]
        reading = source.reading(tuple(block.signal[begin:end]))
        if reading is None or tuple(map(type, values)) != reading.kinds:
            return None
        if step.__class__ is not int or step < 0 or (begin and not step):
            return None
        time += step
        numbers = reading.whole(values)
        fits = not numbers or -_INT64 - 1 <= min(numbers) <= max(numbers) <= _INT64
        if not fits or not 0 < time <= _LAST_TIME:
            return None
        points += [
            Point(part.machine, source.tags, time, dict(zip(part.fields, part.values(values), strict=True)))
            for part in reading.parts
        ]
    return points


def _rows(
    block: Block, times: list[int], source: _Source, origin: Origin, faults: list[Fault]
) -> dict[tuple[int, str], dict[str, FieldValue]]:
    groups: dict[tuple[int, str], dict[str, FieldValue]] = {}
    columns = source.columns
    statuses: Iterable[int] = block.status or repeat(0)
    shifts: Iterable[int | str | None] = block.source_time or repeat(None)
    for index, time, value, status, shift in zip(block.signal, times, block.value, statuses, shifts, strict=False):
        try:
            if index >= len(columns):
                raise WireError("the source has no signal of this index")  # noqa: TRY301 - a call a row costs more
            column = columns[index]
            _row(groups.setdefault((time, column.machine), {}), column, time, value, status, shift)
        except WireError as exc:
            content = {"signal": index, "value": value, "status": status, "source_time": shift}
            faults.append(Fault(origin, str(exc), time, time, 1, content))
    return groups


def _row(
    fields: dict[str, FieldValue],
    column: _Column,
    time: int,
    value: Value,
    status: int,
    shift: int | str | None,
) -> None:
    """Add a row to its point, or raise WireError with the point unchanged."""
    _, kind, field, quality, source_time = column
    if not 0 < time <= _LAST_TIME:
        raise WireError(_NO_SUCH_TIME)
    if field in fields or quality in fields:
        raise WireError(TWO_ROWS)
    if status >= _BAD:
        if value is not None:
            raise WireError("a value although the status is bad")
        fields[quality] = status
        return
    stored = value if value.__class__ is kind and kind is not int else _convert(value, kind, field)
    assert stored is not None
    if shift is not None:
        shift = integer(shift)
        if abs(shift) > _SOURCE_TIME_NS:
            fields[source_time] = _time(time + shift)
    fields[field] = stored
    if status >= _UNCERTAIN:
        fields[quality] = status


def _convert(value: Value, kind: type, field: str) -> FieldValue:
    """Return the value as its field holds it; bool and text are themselves or wrong."""
    if value.__class__ is int or (value.__class__ is str and kind in {int, _Wide}):
        number = integer(value)
        if kind is int and -_INT64 - 1 <= number <= _INT64:
            return number
        if kind is _Wide and number >= 0:  # `integer` knows the upper bound
            return str(number)
        if kind is float:
            return float(number)
        if kind is int and number >= 0:
            raise WireError(
                f"a number above {_INT64} does not fit {field}: if it is right (word_order?), declare an "
                "instrument_range that reaches so far"
            )
    raise WireError(f"a value of type {type(value).__name__} that does not fit {field}")


def _record(
    item: WireEvent | WireFacts,
    kind: str,
    dictionary: Dictionary,
    batch: Batch,
    seen: set[tuple[str, int]],
) -> None:
    """Add an event or facts; its kind is `kind`."""
    origin = Origin(item.seq, EVENTS)
    time = NO_TIME
    try:
        time = _time(item.time)
        fields = _event_fields(item) if isinstance(item, WireEvent) else _facts_fields(item)
        _check_kind(item.kind, (kind, time) in seen)
    except WireError as exc:
        content = {name: getattr(item, name) for name in item.__struct_fields__}
        batch.faults.append(Fault(origin, str(exc), time, time, 1, content))
        return
    seen.add((kind, time))
    tags = (
        ("agent", dictionary.agent),
        ("factory", dictionary.factory),
        ("kind", kind),
        ("site", dictionary.site),
    )
    batch.points.append(Point(EVENTS, tags, time, fields))
    batch.origins.append(origin)


def _check_kind(kind: str, again: bool) -> None:  # noqa: FBT001 - a helper of one caller
    if not _KIND.fullmatch(kind):
        raise WireError(f"{kind[:40]!r} is not a kind")
    if again:
        raise WireError(TWO_EVENTS)


def _event_fields(event: WireEvent) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {"body_s": _json(event.body)}
    if event.source is not None:
        fields["source_s"] = event.source
    if event.machine is not None:
        fields["machine_s"] = event.machine
    if event.from_ is not None:
        fields["from_i"] = _time(event.from_)
    if event.to is not None:
        fields["to_i"] = _time(event.to)
    return fields


def _facts_fields(facts: WireFacts) -> dict[str, FieldValue]:
    return {"subject_s": facts.subject, "body_s": _json(facts.body)}


def _json(body: Json) -> str:
    try:
        return encode(body).decode()
    except (OverflowError, RecursionError) as exc:
        raise WireError(f"a body that cannot be written again: {exc}") from exc


def _time(value: int | str) -> int:
    time = integer(value)
    if not 0 < time <= _LAST_TIME:
        raise WireError(_NO_SUCH_TIME)
    return time
