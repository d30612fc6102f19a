"""A night's matching in one piece: the market, records, values, lists, and what is said of each item and pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from techsquare.matching import gains as gain_fit
from techsquare.matching.columns import Columns
from techsquare.matching.constraints import checks
from techsquare.matching.edges import NONE, edges
from techsquare.matching.lists import shortlists
from techsquare.matching.record import Record
from techsquare.matching.worth import Values
from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from techsquare.matching.exposure import Ledger
    from techsquare.matching.lists import Lists
    from techsquare.matching.terms import Check, Counted, Item, Rate, Solution, Supplier, Worth

Word = Literal["offers", "not_now", "not_known", "nobody"]
"""offers: there is a list. not_now: the best is below zero, "we advise not to buy now". not_known: candidates, but
nobody can tell what they gain. nobody: no candidate."""
LARGEST = 3


@dataclass(frozen=True, slots=True)
class Match:
    """Why a solution is a candidate, and what would make it the first.

    `terms` are the largest of its worth. `record` is the supplier's with the family; `cannot_tell` and
    `cause_not_shown` are outcomes that say nothing. `cheaper_by`: at a price so many won lower, and nothing else
    changed, it would be the item's first; None where it is, or where its worth is not known.
    """

    item: str
    solution: str
    passed: Sequence[Check]
    worth: Worth | None
    terms: Sequence[tuple[str, float]]
    record: Rate
    cannot_tell: int
    cause_not_shown: int
    cheaper_by: int | None


class Offer(NamedTuple):
    """A line of a list with the numbers that are stored with it: what 350,000 of are made in seconds.

    Won, over three years; the terms add up to `mean`. The record is the supplier's with the family, at 0.90. Words
    are made when somebody reads it (`Night.match`).
    """

    item: str
    solution: str
    slot: int
    by: Literal["merit", "exposure"]
    cost: float
    q10: float
    mean: float
    q90: float
    gain: float
    price: float
    yearly: float
    leaving: float
    rate: Rate


@dataclass(frozen=True, slots=True)
class Night:
    """What a night has computed; `lists.rows()` are its lines, `whynot.Reasons` answers for what is not on them."""

    columns: Columns
    record: Record
    values: Values
    lists: Lists

    def offers(self) -> Iterator[Offer]:
        """Yield all lines of the night, by item in the seed's order and by slot."""
        at = self.lists.lines()[0]
        items, solutions = self.lists.edges.item[at], self.lists.edges.solution[at]
        found, terms = self.values.of(items, solutions), self.values.terms(items, solutions)
        mean = terms["gain"] + terms["price"] + terms["yearly"] + terms["leaving"]
        numbers = np.stack([found.q10, mean, found.q90, *terms.values()], axis=1).tolist()
        rates = [self.record.rate(row.supplier, row.family) for row in self.columns.solutions]
        for row, number, solution in zip(self.lists.rows(), numbers, solutions.tolist(), strict=True):
            yield Offer._make((row.item, row.solution, row.slot, row.by, row.cost, *number, rates[solution]))

    def advice(self, item: str) -> tuple[Word, int | None]:
        """Return what is said of an item, and the merit of its best in won where that is known.

        Raises:
            KeyError: The item is unknown.
        """
        at = self.columns.item_at[item]
        best = int(self.lists.edges.best[at])
        if best != NONE:
            return ("offers" if best >= 0 else "not_now"), best
        items = np.full(len(self.columns.solutions), at)
        failed = self.columns.failed(items, np.arange(len(self.columns.solutions)))
        return ("not_known" if (failed == 0).any() else "nobody"), None

    def match(self, item: str, solution: str) -> Match:
        """Return why a solution is a candidate for an item.

        Raises:
            KeyError: One of the two is unknown.
            ValueError: It is none: ask why not.
        """
        columns = self.columns
        i, s = columns.item_at[item], columns.solution_at[solution]
        offer = columns.solutions[s]
        told = checks(columns.items[i], offer, columns.suppliers[columns.supplier_of[s]])
        if not all(one.holds for one in told):
            raise ValueError(f"{solution} is no candidate for {item}")
        worth = self.values.worth(i, s)
        terms = sorted(worth.terms.items(), key=lambda term: (-abs(term[1]), term[0])) if worth else []
        cannot_tell, cause_not_shown = self.record.unsaid(offer.supplier, offer.family)
        return Match(
            item=item,
            solution=solution,
            passed=told,
            worth=worth,
            terms=terms[:LARGEST],
            record=self.record.rate(offer.supplier, offer.family),
            cannot_tell=cannot_tell,
            cause_not_shown=cause_not_shown,
            cheaper_by=None if worth is None else self._behind(i, s),
        )

    def _behind(self, item: int, solution: int) -> int | None:
        """Return the won that a solution lacks to be the first; its worth moves by as much as its price does."""
        columns, pairs = self.columns, self.lists.edges
        best = int(pairs.best[item])
        merit = int(self.values.merit(np.array([item]), np.array([solution]))[0])
        if best < 0:
            return -merit
        first = pairs.of(item).start
        if int(pairs.solution[first]) == solution:
            return None
        factory, own = columns.items[item].factory, int(columns.supplier_of[solution])
        other = int(pairs.supplier[first])
        if own == other:
            names = columns.solutions[solution].id, columns.solutions[int(pairs.solution[first])].id
        else:
            names = columns.suppliers[own].id, columns.suppliers[other].id
        mine, its = (digest(columns.seed, factory, name) for name in names)
        return best - merit + (0 if mine < its else 1)


def matched(
    items: Sequence[Item],
    solutions: Sequence[Solution],
    suppliers: Sequence[Supplier],
    *,
    counts: Mapping[tuple[str, str], Counted],
    priors: Mapping[str, tuple[float, float]],
    ledger: Ledger,
    on: date,
    seed: str,
) -> Night:
    """Make the lists of a night.

    Args:
        items: Open items that need a list tonight.
        solutions: All registered versions that are offered.
        suppliers: All suppliers of them.
        counts: (supplier, family) -> outcomes.
        priors: Family -> gain of the measure catalogue: mean and standard deviation, as shares of the loss.
        ledger: Showings of the last ninety days; the caller adds tonight's (`Lists.showings`).
        on: The day.
        seed: Published with the lists.
    """
    record, gains = Record(counts), gain_fit.fitted(counts, priors)
    columns = Columns(items, solutions, suppliers, seed=seed)
    values = Values(
        columns.items,
        columns.solutions,
        [record.rate(row.supplier, row.family) for row in columns.solutions],
        [gains.of(row.supplier, row.family) for row in columns.solutions],
    )
    lists = shortlists(columns, edges(columns, values), ledger.shown(on), could=ledger.could(on))
    return Night(columns, record, values, lists)
