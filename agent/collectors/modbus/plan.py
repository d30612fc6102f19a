"""Which requests read a set of values.

A request reads one span of one table. `agent.collectors.planning` finds the cheapest set of them, under what a
request and a register cost on this link (`agent.collectors.modbus.cost`), the device's limits and what was learned
of its holes. Reading a gap that nobody asked for usually pays: 16 registers are 32 bytes, a request of its own is
a whole round trip. A value is never split over two requests, and a request never reaches beyond the first and the
last value that it was made for.

Pure.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.collectors.planning import Cost, gaps_above, partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.collectors.planning import Span as Units

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
        gap: Registers that may be read though nobody asked for them, for bits 16 times as many; None leaves it
            to what they cost.
    """

    registers: int = 125
    bits: int = 2000
    gap: int | None = None

    def of(self, table: Table) -> int:
        """Return how many addresses of a table one request may span."""
        return self.bits if table.bits else self.registers


USUAL = Cost(overhead_ns=5_000_000, per_unit_ns=50_000)
"""What a request and a register cost on a network, as long as nothing was measured."""


def per_address(cost: Cost, table: Table) -> Cost:
    """Return the cost of a request with its part for each address of a table; `cost` counts registers."""
    return Cost(cost.overhead_ns, cost.per_unit_ns // 16) if table.bits else cost


def plan(
    values: Sequence[Span],
    limits: Limits,
    cost: Cost = USUAL,
    holes: Mapping[Table, Sequence[Units]] | None = None,
    without: Iterable[int] = (),
) -> tuple[Request, ...]:
    """Return the requests that read each value once, ordered by table and address.

    Args:
        values: Where each value lies; they may overlap.
        limits: Of the device.
        cost: Of a request, per register.
        holes: What no request may touch.
        without: Indices of values that are not read.
    """
    left_out = frozenset(without)
    requests: list[Request] = []
    for table in Table:
        indices = [i for i, value in enumerate(values) if value.table == table and i not in left_out]
        spans = [(values[i].start, values[i].end) for i in indices]
        forbidden = list((holes or {}).get(table, ()))
        if limits.gap is not None:
            forbidden += gaps_above(spans, limits.gap * 16 if table.bits else limits.gap)
        runs = partition(spans, per_address(cost, table), limits.of(table), forbidden)
        requests += [request(values, [indices[i] for i in run]) for run in runs]
    return tuple(requests)


def request(values: Sequence[Span], indices: Sequence[int]) -> Request:
    """Return the one request that reads these values of one table."""
    start = min(values[i].start for i in indices)
    end = max(values[i].end for i in indices)
    return Request(
        Span(values[indices[0]].table, start, end - start), tuple((i, values[i].start - start) for i in indices)
    )
