"""A stated gap and one won change the answer, a won less does not; so does one more line where that is said."""

from __future__ import annotations

import numpy as np

from techsquare.matching.edges import edges
from techsquare.matching.lists import shortlists
from techsquare.matching.whynot import Reasons
from tests.techsquare.matching.small import Night, night

NIGHTS = 40


def on_list(found: Night, item: str, solution: str, rise: int, *, more: bool = False) -> bool:
    pairs = edges(found.columns, found.values, raised={(item, solution): rise})
    lists = shortlists(found.columns, pairs, found.before, more=frozenset({item} if more else ()))
    return any(row.item == item and row.solution == solution for row in lists.rows())


def run(nights: int, first: int = 0) -> dict[str, int]:
    """Ask for every pair of so many nights that has no failed constraint, solve each again, and count."""
    told = {"asked": 0, "least": 0, "by flow": 0, "least of all": 0, "slot": 0, "wrong": 0, "slot wrong": 0}
    for seed in range(first, first + nights):
        rng = np.random.default_rng(seed)
        items, suppliers = int(rng.integers(4, 12)), int(rng.integers(6, 14))
        found = night(seed, items=items, suppliers=suppliers, twins=seed % 4 == 0, poor=seed % 3 == 1)
        lists = shortlists(found.columns, edges(found.columns, found.values), found.before)
        reasons = Reasons(lists, found.values)
        for item in found.columns.items:
            for solution in found.columns.solutions:
                why = reasons.why_not(item.id, solution.id)
                if why.failed or why.shown:
                    assert bool(why.failed) == (solution.supplier in item.excluded)
                    continue
                assert why.gap is not None
                told["asked"] += 1
                told["by flow"] += why.least
                below = on_list(found, item.id, solution.id, why.gap - 1)
                above = on_list(found, item.id, solution.id, why.gap + 1)
                told["wrong"] += not above or (why.least and below)
                told["least of all"] += not below
                if why.slot:
                    told["slot"] += 1
                    told["slot wrong"] += not on_list(found, item.id, solution.id, 0, more=True)
    return told


def test_every_stated_gap_is_enough_and_none_smaller_is() -> None:
    told = run(NIGHTS)
    assert told["wrong"] == 0
    assert told["slot wrong"] == 0
    assert told["asked"] > 20 * NIGHTS
    assert told["slot"] > NIGHTS // 2
