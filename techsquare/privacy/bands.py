"""Public bands of what a factory can pay for an item.

Which offers a list shows tells what a factory can pay, to whoever offers at a thousand prices. So the price
constraint is evaluated against the upper end of the budget's band, and all that a thousand prices can tell is the
band, which is public. The price of it: a list may hold an offer that the factory cannot pay, by up to the band's
width; the owner, and nobody else, is told so (`beyond`).

Bands are wide where many factories are (a programme's usual 20 to 100 million won) and grow as money does. They are
the same for everybody and are changed at most once a year, because two sets of bands together are a finer one.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

MILLION = 1_000_000
TOPS = tuple(MILLION * top for top in (5, 10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1_000))
"""Upper ends in won; the lowest band holds 0, and above the highest there is one more without an end."""
MOST = 10**12
"""What stands for no end: no offer costs more."""


class Band(NamedTuple):
    """Won, more than `low` (from 0 in the lowest) up to `high`."""

    low: int
    high: int


def band(won: int) -> Band:
    """Return the band of a budget.

    Raises:
        ValueError: below 0 won, or more than `MOST`.
    """
    if not 0 <= won <= MOST:
        raise ValueError(f"a budget of {won} won")
    at = bisect_left(TOPS, won)
    return Band(TOPS[at - 1] if at else 0, TOPS[at] if at < len(TOPS) else MOST)


def most_won(won: int) -> int:
    """Return what `matching.terms.Item.most_won` is for a budget: the upper end of its band."""
    return band(won).high


def beyond(price: int, won: int) -> int:
    """Return by how much a price exceeds the budget itself, 0 where it does not: for owner and mentor only."""
    return max(0, price - won)
