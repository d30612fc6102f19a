"""Where the values of a group lie, so that neighbours and what lies within are found at once. Pure."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING

from agent.collectors.modbus.plan import Span, Table
from agent.collectors.planning import outermost

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from agent.collectors.modbus.plan import Request
    from agent.collectors.planning import Span as Units


class Values:
    """The values of one group.

    Args:
        spans: Where each signal lies.

    Attributes:
        at: The signals that lie exactly at a span.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self.at: dict[Span, list[int]] = {}
        for index, span in enumerate(spans):
            self.at.setdefault(span, []).append(index)
        order = sorted(self.at, key=lambda s: (s.start, -s.count))
        self._by_start = {table: [s for s in order if s.table == table] for table in Table}
        self._starts = {table: [s.start for s in spans] for table, spans in self._by_start.items()}

    def within(self, whole: Span) -> list[Span]:
        """Return the spans that lie within one, itself included, ordered by start."""
        starts = self._starts[whole.table]
        first, last = bisect.bisect_left(starts, whole.start), bisect.bisect_left(starts, whole.end)
        return [s for s in self._by_start[whole.table][first:last] if s.end <= whole.end]

    def row(self, of: Request) -> list[Span]:
        """Return the outermost spans that a request was made for; starts and ends strictly increase."""
        spans = list({self._spans[index] for index, _ in of.items})
        outer, _ = outermost([(s.start, s.end) for s in spans])
        return [spans[i] for i in outer]

    def around(self, table: Table, units: Units, without: Container[Span]) -> tuple[Span, Span] | None:
        """Return the nearest value that ends before a hole, and the nearest that begins behind it."""
        spans = self._by_start[table]
        middle = bisect.bisect_left(self._starts[table], units[1])
        right = next((s for s in spans[middle:] if s not in without), None)
        left = max(
            (s for s in spans[max(0, middle - 300) : middle] if s.end <= max(units) and s not in without),
            key=lambda s: s.end,
            default=None,
        )
        return None if left is None or right is None else (left, right)
