"""What an offer is worth over three years, in won, as a distribution over what is not known.

    value = p g L - price - 3 yearly - (1 - p) leaving

    p        chance of a verified improvement   Beta(alpha, beta), decided outcomes only          (`record`)
    g        share of the loss that it saves    normal, cut to 0 .. 1, verified outcomes only     (`gains`);
                                                at most 0.7 of it is credited                     (`credit`)
    L        loss of three years, all of it     uniform over the item's span
    price, yearly, leaving                      uniform over their spans, all by the same draw: a project that
                                                turns out dear is dear in all of them, and adding narrows nothing

This is the value to be expected given p, g, L and the costs; its distribution says how little those are known, not
how a single project will end. The mean is exact. The 10 % and 90 % quantile are those of 385 draws of (p, g, L,
costs) that lie evenly in the unit cube, the same for all pairs (a rank-1 lattice, Korobov 1959): a weighted mean of
the outcomes around the rank. So a quantile is never below what can be lost nor above what can be gained, however
little is known; what is better in every draw is worth more; and a won more of price is a won less of worth.

All but L belongs to the solution. So its quantiles are a function of two numbers, middle and relative half-width of
L. They are drawn at the points of a fixed grid where they are asked for, and linear between: each draw is linear
there, hence the support still holds. A pair costs four products, and one pair and ten million have equal bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

from techsquare.credit import CREDITED, YEARS
from techsquare.matching.terms import Worth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from techsquare.matching.gains import Gain
    from techsquare.matching.terms import Item, Rate, Solution
    from techsquare.span import Span

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

TAIL = 0.1
DRAWS, STEP = 385, 123
"""Of the lattice: of all steps of some ten lattices the one whose quantiles were nearest to simulations."""
AROUND = 13
"""Ranks beside the quantile's own that count for it, ever less: that evens out what is uneven in the lattice."""
LEAST = 1e4
"""Won; the first point of the grid of middles after 0. Each further one is twice the last."""
WIDTHS = 8
"""Steps of the grid of relative half-widths, from 0 to 1."""
AT_ONCE = 64
"""Points of the grid that are drawn together: what is looked at stays in a processor's cache."""
_RANK = round(TAIL * DRAWS - 0.5)
_WEIGHT = np.concatenate([np.arange(1, AROUND + 2), np.arange(AROUND, 0, -1)]) / (AROUND + 1) ** 2


@dataclass(frozen=True, slots=True)
class Quantiles:
    """10 % and 90 % quantile of the value of pairs; won. NaN where the gain is not known."""

    q10: Floats
    q90: Floats


class Values:
    """Values of pairs of items and solutions.

    Args:
        items: The items; row numbers below mean their order. Their losses are not negative.
        solutions: The solutions, likewise.
        rates: Of each solution: the record of its supplier with its family.
        gains: Of each solution: the gain; None where nobody can tell, and then nothing is said of its worth.
    """

    def __init__(
        self,
        items: Sequence[Item],
        solutions: Sequence[Solution],
        rates: Sequence[Rate],
        gains: Sequence[Gain | None],
    ) -> None:
        self.known = np.array([gain is not None for gain in gains], np.bool_)
        self._grid(*_ends([item.loss for item in items]))
        price, yearly, leaving = (
            _ends([getattr(row, name) for row in solutions]) for name in ("price", "yearly", "exit_cost")
        )
        self._means: Mapping[str, Floats] = {
            "price": _middle(price), "yearly": _middle(yearly), "leaving": _middle(leaving),
        }  # fmt: skip
        # value = p (g L + leaving) - (price + 3 yearly + leaving)
        self._leaving = _middle(leaving), _half(leaving)
        self._lost = (
            _middle(price) + YEARS * _middle(yearly) + _middle(leaving),
            (_half(price) + YEARS * _half(yearly) + _half(leaving)),
        )
        self._chance = np.array([rate.alpha / (rate.alpha + rate.beta) for rate in rates], np.float64)
        chances = np.array([(rate.alpha, rate.beta) for rate in rates], np.float64).reshape(-1, 2)
        shares = np.array([(0.0, 0.0) if gain is None else gain[:2] for gain in gains], np.float64).reshape(-1, 2)
        self._beta, self._rate_of = np.unique(chances, axis=0, return_inverse=True)
        self._normal, self._gain_of = np.unique(shares, axis=0, return_inverse=True)
        self._share = _mean_share(*self._normal.T)[self._gain_of]
        self._chances = np.full((len(self._beta), DRAWS), np.nan)
        self._shares = np.full((len(self._normal), DRAWS), np.nan)

    def of(self, items: Ints, solutions: Ints) -> Quantiles:
        """Return the quantiles of pairs of rows."""
        at = solutions * self._size + self._point[items]
        return Quantiles(self._tenth(at, items, self.known[solutions]), self._between(self._high, at, items))

    def merit(self, items: Ints, solutions: Ints) -> Ints:
        """Return the merit of pairs of rows: the 10 % quantile in whole won, rounded down; gains are known."""
        at = solutions * self._size + self._point[items]
        return np.floor(self._tenth(at, items, self.known[solutions])).astype(np.int64)

    def worth(self, item: int, solution: int) -> Worth | None:
        """Return the value of a pair of rows with its terms, which add up to the mean; None where nobody knows."""
        if not self.known[solution]:
            return None
        items, solutions = np.array([item]), np.array([solution])
        found = self.of(items, solutions)
        terms = {name: float(won[0]) for name, won in self.terms(items, solutions).items()}
        return Worth(q10=float(found.q10[0]), mean=sum(terms.values()), q90=float(found.q90[0]), terms=terms)

    def terms(self, items: Ints, solutions: Ints) -> Mapping[str, Floats]:
        """Return the terms of the mean value of pairs of rows in won; they add up to it. Gains are known."""
        chance, means = self._chance[solutions], self._means
        return {
            "gain": chance * self._share[solutions] * self._middle[items],
            "price": -means["price"][solutions],
            "yearly": -means["yearly"][solutions] * YEARS,
            "leaving": -(1 - chance) * means["leaving"][solutions],
        }

    def _grid(self, low: Floats, high: Floats) -> None:
        """Place the items between the points of the grid, of which only the part that they need is kept."""
        self._middle = (low + high) / 2
        width = np.where(self._middle > 0, (high - low) / np.where(self._middle > 0, low + high, 1.0), 0.0) * WIDTHS
        row = np.maximum(np.floor(np.log2(np.maximum(self._middle / LEAST, 0.1))).astype(np.int64) + 1, 0)
        column = np.minimum(np.floor(width), WIDTHS - 1).astype(np.int64)
        self._first = int(row.min(initial=10**6)), int(column.min(initial=WIDTHS))
        rows = max(int(row.max(initial=0)) - self._first[0] + 2, 2)
        self._columns = max(int(column.max(initial=0)) - self._first[1] + 2, 2)
        below, above = _middles(row), _middles(row + 1)
        self._up = (self._middle - below) / (above - below)
        self._right = width - column
        self._point: Ints = (row - self._first[0]) * self._columns + column - self._first[1]
        self._size = rows * self._columns
        self._low = np.full(len(self.known) * self._size, np.nan)
        self._high = np.full(len(self.known) * self._size, np.nan)

    def _tenth(self, at: Ints, items: Ints, known: Bools) -> Floats:
        """Return the 10 % quantiles; what of either has not been drawn is, where a gain is known."""
        found = self._between(self._low, at, items)
        lacking = np.isnan(found) & known
        if lacking.any():
            self._draw(at[lacking])
            found[lacking] = self._between(self._low, at[lacking], items[lacking])
        return found

    def _between(self, table: Floats, at: Ints, items: Ints) -> Floats:
        """Return what lies between four points of the grid, of which `at` is the lowest and narrowest."""
        up, right = self._up[items], self._right[items]
        below = table[at] * (1 - right) + table[at + 1] * right
        above = table[at + self._columns] * (1 - right) + table[at + self._columns + 1] * right
        return np.asarray(below * (1 - up) + above * up)

    def _draw(self, at: Ints) -> None:
        """Draw the quantiles at the four points around each of `at` where that has not been done."""
        around = np.array([0, 1, self._columns, self._columns + 1])
        points = np.unique((np.unique(at)[:, None] + around).reshape(-1))
        points = points[np.isnan(self._low[points])]
        self._draw_levels(np.unique(points // self._size))
        for start in range(0, len(points), AT_ONCE):
            part = points[start : start + AT_ONCE]
            drawn = np.sort(self._drawn(part), axis=1)
            for table, rank in ((self._low, _RANK), (self._high, DRAWS - 1 - _RANK)):
                # A sum by rows, not a product of matrices: its bits do not depend on how many rows there are.
                table[part] = (drawn[:, rank - AROUND : rank + AROUND + 1] * _WEIGHT).sum(axis=1)

    def _drawn(self, points: Ints) -> Floats:
        """Return (point, draw) -> value in won."""
        solutions, rest = np.divmod(points, self._size)
        row, column = np.divmod(rest, self._columns)
        middle = _middles(row + self._first[0])
        half = middle * (column + self._first[1]) / WIDTHS
        value: Floats = half[:, None] * _LOSS
        value += middle[:, None]
        value *= self._shares[self._gain_of[solutions]]
        always, spread = self._leaving[0][solutions], self._leaving[1][solutions]
        value += spread[:, None] * _COST + always[:, None]
        value *= self._chances[self._rate_of[solutions]]
        always, spread = self._lost[0][solutions], self._lost[1][solutions]
        value -= spread[:, None] * _COST + always[:, None]
        return value

    def _draw_levels(self, solutions: Ints) -> None:
        """Draw p and g of solutions, once for all that have the same."""
        fresh = np.unique(self._rate_of[solutions])
        fresh = fresh[np.isnan(self._chances[fresh, 0])]
        self._chances[fresh] = _chances(*self._beta[fresh].T)
        fresh = np.unique(self._gain_of[solutions])
        fresh = fresh[np.isnan(self._shares[fresh, 0])]
        self._shares[fresh] = _shares(*self._normal[fresh].T)


def _lattice() -> Floats:
    """Return (coordinate, draw) -> level within 0 .. 1; each coordinate takes each level once."""
    steps = np.array([pow(STEP, power, DRAWS) for power in range(4)])
    return np.asarray((np.arange(DRAWS) * steps[:, None] % DRAWS + 0.5) / DRAWS)


_CHANCE, _SHARE, _LOSS, _COST = _lattice()
_LOSS, _COST = 2 * _LOSS - 1, 2 * _COST - 1


def _chances(alpha: Floats, beta: Floats) -> Floats:
    """Return the draws of Beta(alpha, beta)."""
    return np.asarray(betaincinv(alpha[:, None], beta[:, None], _CHANCE))


def _shares(mean: Floats, sd: Floats) -> Floats:
    """Return the draws of normals cut to 0 .. 1, as far as they are credited."""
    low, high, mass, point = _cut(mean, sd)
    safe = np.where(mass > 0, sd, 1.0)[:, None]
    # From the end at which levels are small numbers, not differences from 1.
    upper = (mean < 0.5)[:, None]
    below = ndtr(np.where(upper, -high[:, None], low[:, None]))
    above = ndtr(np.where(upper, -low[:, None], high[:, None]))
    level = below + np.where(upper, 1 - _SHARE, _SHARE) * (above - below)
    found = mean[:, None] + safe * np.where(upper, -1, 1) * ndtri(np.clip(level, 1e-300, 1.0 - 1e-16))
    return np.where((mass > 0)[:, None], np.clip(found, 0.0, CREDITED), point[:, None])


def _mean_share(mean: Floats, sd: Floats) -> Floats:
    """Return the mean of normals cut to 0 .. 1, as far as they are credited."""
    low, _, mass, point = _cut(mean, sd)
    fine = mass > 0
    safe = np.where(fine, sd, 1.0)
    most = np.maximum((CREDITED - mean) / safe, low)
    density = (np.exp(-most * most / 2) - np.exp(-low * low / 2)) / np.sqrt(2 * np.pi)
    within = _mass(low, most)
    found = (mean * within - safe * density) / np.where(fine, mass, 1.0)
    found += CREDITED * (1 - within / np.where(fine, mass, 1.0))
    return np.asarray(np.where(fine, np.clip(found, 0.0, CREDITED), point))


def _cut(mean: Floats, sd: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the standardised ends of 0 .. 1, the mass between them, and what stands for all where it has none."""
    safe = np.where(sd > 0, sd, 1.0)
    low, high = -mean / safe, (1 - mean) / safe
    mass = _mass(low, high)
    mass = np.where((sd > 0) & (mass > 1e-12), mass, 0.0)
    return low, high, mass, np.clip(mean, 0.0, CREDITED)


def _mass(low: Floats, high: Floats) -> Floats:
    """Return what a normal holds between two numbers, without taking small numbers from 1."""
    return np.asarray(np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low)))


def _middles(row: Ints) -> Floats:
    """Return the middles of the grid: 0, LEAST and its doubles."""
    return np.asarray(np.where(row > 0, LEAST * np.exp2(row - 1), 0.0))


def _ends(spans: Sequence[Span]) -> tuple[Floats, Floats]:
    low, high = np.array(spans, np.float64).reshape(-1, 2).T
    return low, high


def _middle(ends: tuple[Floats, Floats]) -> Floats:
    return (ends[0] + ends[1]) / 2


def _half(ends: tuple[Floats, Floats]) -> Floats:
    return (ends[1] - ends[0]) / 2
