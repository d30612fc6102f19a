"""Which requests read a set of values.

A request reads one span of one table. Values are taken in order of their address and joined into one request
while the hole before the next one is at most the permitted gap and the span stays within the device's limit:
a hole of 16 registers costs 32 bytes, a request of its own a whole round trip (measured: 1,000 scattered
floats in 33 requests instead of 489). A value is never split over two requests, and a request never reaches
beyond the first and the last value that it was made for.

When the device refuses a request, the collector halves it with `halves` until it knows the values it cannot
have. Pure.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ADDRESSES = 65536
"""Addresses of a table."""


class Table(enum.IntEnum):
    """The four tables of a device; the number is the function code that reads one."""

    COIL = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4

    @property
    def bits(self) -> bool:
        """Whether an address of it holds one bit instead of a register of 16."""
        return self <= Table.DISCRETE

    @property
    def word(self) -> str:
        """How it is written in the configuration."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses `start` to `start + count - 1` of a table (wire offsets)."""

    table: Table
    start: int
    count: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.start + self.count

    def __str__(self) -> str:
        if self.count == 1:
            return f"{self.table.word}:{self.start}"
        return f"{self.table.word}:{self.start}-{self.end - 1}"


@dataclass(frozen=True, slots=True)
class Request:
    """One read: its span, and for each value its index among the planned ones with its offset in the span."""

    span: Span
    items: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may read.

    Attributes:
        registers: At most so many registers (the protocol allows 125).
        bits: At most so many coils or discrete inputs (2000).
        gap: Registers that may be read though nobody asked for them; for bits 16 times as many.
    """

    registers: int = 125
    bits: int = 2000
    gap: int = 16


def plan(values: Sequence[Span], limits: Limits) -> tuple[Request, ...]:
    """Return the requests that read each value once, ordered by table and address.

    Args:
        values: Where each value lies; they may overlap. None is longer than its limit.
        limits: Of the device.
    """
    order = sorted(range(len(values)), key=lambda i: (values[i].table, values[i].start, -values[i].count, i))
    requests: list[Request] = []
    chosen: list[int] = []
    end = 0
    for index in order:
        value = values[index]
        if chosen:
            first = values[chosen[0]]
            gap, most = (limits.gap * 16, limits.bits) if value.table.bits else (limits.gap, limits.registers)
            far = value.table != first.table or value.start - end > gap
            if far or max(end, value.end) - first.start > most:
                requests.append(_request(values, chosen))
                chosen = []
        end = max(end, value.end) if chosen else value.end
        chosen.append(index)
    if chosen:
        requests.append(_request(values, chosen))
    return tuple(requests)


def halves(request: Request, values: Sequence[Span]) -> tuple[Request, ...]:
    """Return two requests with half of the values each, or nothing when it reads only one value."""
    indices = [index for index, _ in request.items]
    if len(indices) < 2:
        return ()
    middle = len(indices) // 2
    return _request(values, indices[:middle]), _request(values, indices[middle:])


def _request(values: Sequence[Span], indices: Iterable[int]) -> Request:
    chosen = tuple(indices)
    start = min(values[i].start for i in chosen)
    end = max(values[i].end for i in chosen)
    span = Span(values[chosen[0]].table, start, end - start)
    return Request(span, tuple((i, values[i].start - start) for i in chosen))
