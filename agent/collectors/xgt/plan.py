"""Which requests read a set of values from a PLC's memory.

The common form is the continuous read: up to 1400 bytes of one area, in which every type and every odd address lies
somewhere. Values are joined into such blocks by `agent.collectors.planning`, which reads over a gap where that is
cheaper than another request. What then stays alone, a value far from all others, is packed with up to 15 of its
kind into one individual read of words; a value of 64 bits at an odd byte takes five of the 16. Contacts of timers
and counters lie in no byte and are read as bits.

    blocks    continuous reads of the areas, and packs of lonely values
    packs     individual reads of everything: modules that do not serve continuous reads

A value is never split over two requests. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.collectors.planning import Cost, partition, touches
from agent.collectors.xgt.frame import MOST_BLOCKS, MOST_CONTINUOUS, Ask, Continuous, Individual, Width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.collectors.planning import Span

COST = Cost(overhead_ns=8_000_000, per_unit_ns=2_000)
"""Assumed: an answer comes once in a PLC scan of some milliseconds, and 1400 bytes take little longer than one."""


@dataclass(frozen=True, slots=True)
class Value:
    """Where a value lies: bytes of an area, or a contact, which is a bit by its index."""

    area: str
    start: int
    size: int
    contact: bool = False

    @property
    def span(self) -> Span:
        """Its bytes."""
        return self.start, self.start + self.size

    @property
    def words(self) -> range:
        """Indices of the words that hold it."""
        return range(self.start // 2, (self.start + self.size - 1) // 2 + 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may read.

    Attributes:
        bytes: Of a continuous read.
        blocks: Variables of an individual read.
        continuous: Whether continuous reads are served at all.
    """

    bytes: int = MOST_CONTINUOUS
    blocks: int = MOST_BLOCKS
    continuous: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """One read, and for each value its index and where it begins in the joined data of the answer."""

    ask: Ask
    items: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Bytes of the joined data."""
        return sum(self.ask.sizes)


def plan(
    values: Sequence[Value],
    limits: Limits,
    holes: Mapping[str, Iterable[Span]] | None = None,
    only: Iterable[int] | None = None,
) -> tuple[Request, ...]:
    """Return the requests that read each value once.

    A text too long for an individual read, where that is all there is, stands in none of them.

    Args:
        values: Where each lies.
        limits: Of one request; no value is longer.
        holes: By area, spans of bytes that no block may touch.
        only: Indices of the values to read; all when absent.
    """
    chosen = range(len(values)) if only is None else sorted(only)
    apart = {i for i in chosen if _lies_in(values[i], holes)}
    contacts = [i for i in chosen if values[i].contact]
    alone = [i for i in chosen if not values[i].contact]
    requests: list[Request] = []
    if limits.continuous:
        areas: dict[str, list[int]] = {}
        for i in alone:
            areas.setdefault(values[i].area, []).append(i)
        runs = [
            run for area, members in sorted(areas.items()) for run in _runs(values, area, members, limits, holes)
        ]
        single = [run for run in runs if len(run) == 1 and run[0] not in apart]
        fit = [run for run in single if len(values[run[0]].words) <= limits.blocks // 2]
        alone = [run[0] for run in fit] if len(fit) > 1 else []
        packed = set(alone)
        requests += [_block(values, run) for run in runs if not packed.issuperset(run)]
    requests += _packs(values, [i for i in alone if i not in apart], limits.blocks)
    for i in alone:
        if i in apart:
            requests += _packs(values, [i], limits.blocks)
    for start in range(0, len(contacts), limits.blocks):
        few = contacts[start : start + limits.blocks]
        places = tuple((values[i].area, values[i].start) for i in few)
        requests.append(Request(Individual(Width.X, places), tuple((i, at) for at, i in enumerate(few))))
    return tuple(requests)


def _lies_in(value: Value, holes: Mapping[str, Iterable[Span]] | None) -> bool:
    """Tell whether a value was refused before: it gets a request of its own."""
    spans = () if holes is None or value.contact else holes.get(value.area, ())
    return any(start < end and touches(value.span, (start, end)) for start, end in spans)


def _runs(
    values: Sequence[Value],
    area: str,
    members: Sequence[int],
    limits: Limits,
    holes: Mapping[str, Iterable[Span]] | None,
) -> list[list[int]]:
    """Return the values of each block of one area."""
    spans = [values[i].span for i in members]
    found = partition(spans, COST, limits.bytes, (holes or {}).get(area, ()))
    return [[members[position] for position in run] for run in found]


def _block(values: Sequence[Value], run: Sequence[int]) -> Request:
    start = min(values[i].start for i in run)
    end = max(values[i].span[1] for i in run)
    ask = Continuous(values[run[0]].area, start, end - start)
    return Request(ask, tuple((i, values[i].start - start) for i in run))


def _packs(values: Sequence[Value], members: Sequence[int], most: int) -> list[Request]:
    """Fill individual reads of words with whole values, in order; a word that two values share is read once."""
    requests: list[Request] = []
    places: dict[tuple[str, int], int] = {}
    items: list[tuple[int, int]] = []

    def close() -> None:
        if items:
            requests.append(Request(Individual(Width.W, tuple(places)), tuple(items)))
        places.clear()
        items.clear()

    for i in sorted(members, key=lambda i: (values[i].area, values[i].start)):
        if len(values[i].words) > most:
            continue
        words = [(values[i].area, word) for word in values[i].words]
        run = [places.get(word) for word in words]
        first = run[0]
        if first is not None and run == list(range(first, first + len(words))):
            items.append((i, first * 2 + values[i].start % 2))
            continue
        if len(places) + len(words) > most or any(place is not None for place in run):
            close()
        at = len(places)
        for word in words:
            places[word] = len(places)
        items.append((i, at * 2 + values[i].start % 2))
    close()
    return requests


def halves(request: Request, values: Sequence[Value]) -> tuple[Request, ...]:
    """Return requests of the same kind with half of the values each, or nothing when it has only one."""
    indices = [index for index, _ in request.items]
    if len(indices) < 2:
        return ()
    middle = len(indices) // 2
    return (*again(request, values, indices[:middle]), *again(request, values, indices[middle:]))


def again(request: Request, values: Sequence[Value], part: Sequence[int]) -> tuple[Request, ...]:
    """Return the request of the same kind for some of its values; of words, perhaps two.

    Values that overlap may have shared the words of one that is not among them.
    """
    if isinstance(request.ask, Continuous):
        return (_block(values, part),)
    if request.ask.width is Width.X:
        places = tuple((values[i].area, values[i].start) for i in part)
        return (Request(Individual(Width.X, places), tuple((i, at) for at, i in enumerate(part))),)
    return tuple(_packs(values, part, MOST_BLOCKS))
