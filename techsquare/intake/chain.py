"""Whether a record fits its neighbours, and how far a chain is whole. Pure.

Records come in any order, by several workers: each is kept by its own signature as soon as nothing that is there
contradicts it, and `walk` tells how far the chain is whole. Numbers that nobody has any more are known as lost; a
chain goes on behind them by signatures alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date


class Link(NamedTuple):
    """A record's place in a chain."""

    number: int
    head: str
    prev: str | None
    day: date


class Tip(NamedTuple):
    """How far a chain is whole or known to be lost: the last record, None for none, and the number wanted next."""

    last: Link | None
    wanted: int


def misfit(link: Link, there: Mapping[int, Link]) -> str | None:
    """Return why a record contradicts its neighbours, or None.

    Args:
        link: The record.
        there: By number, what is known of the same chain.
    """
    same, below, above = (there.get(link.number + step) for step in (0, -1, 1))
    if same is not None and same.head != link.head:
        return f"another record {link.number} is there"
    if below is not None and below.head != link.prev:
        return f"record {link.number} continues another chain than record {below.number}"
    if below is not None and below.day >= link.day:
        return f"record {link.number} is of {link.day}, the one before of {below.day}"
    if above is not None and above.prev != link.head:
        return f"record {above.number} continues another chain than this record {link.number}"
    if above is not None and above.day <= link.day:
        return f"record {link.number} is of {link.day}, the one after of {above.day}"
    return None


def walk(tip: Tip, links: Iterable[Link], lost: Sequence[tuple[int, int]] = ()) -> tuple[Tip, str | None]:
    """Return how far a chain is whole with more records, and why it breaks there, None where it only ends.

    Args:
        tip: How far it was.
        links: Records behind it, in order of their numbers.
        lost: Spans of numbers that nobody has any more, both ends included.
    """
    last, wanted = tip.last, _behind(tip.wanted, lost)
    for link in links:
        if link.number < wanted:
            continue
        if link.number > wanted:
            break
        if last is not None and (why := misfit(link, {last.number: last})) is not None:
            return Tip(last, wanted), why
        last, wanted = link, _behind(link.number + 1, lost)
    return Tip(last, wanted), None


def _behind(number: int, lost: Sequence[tuple[int, int]]) -> int:
    """Return the first number from here on that is not lost."""
    for first, last in sorted(lost):
        if first <= number <= last:
            number = last + 1
    return number
