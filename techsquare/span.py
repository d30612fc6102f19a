"""A number that lies between two others.

Sums of spans are spans of sums: what is added up here is not independent (one missing rate moves all of them), so
nothing may be narrowed by adding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Span(NamedTuple):
    """From `low` to `high`, both included; equal where the number is known.

    Raises nothing: whoever makes one keeps `low <= high`.
    """

    low: float
    high: float

    def plus(self, other: Span) -> Span:
        """Return the span of the sum."""
        return Span(self.low + other.low, self.high + other.high)

    def times(self, other: Span) -> Span:
        """Return the span of the product."""
        ends = [a * b for a in self for b in other]
        return Span(min(ends), max(ends))


def exactly(value: float) -> Span:
    """Return the span of a known number."""
    return Span(value, value)


def total(spans: Iterable[Span]) -> Span:
    """Return the span of a sum; of none 0."""
    low = high = 0.0
    for span in spans:
        low, high = low + span.low, high + span.high
    return Span(low, high)
