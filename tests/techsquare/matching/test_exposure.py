"""Fair exposure over ninety days, tiers, ledger and report."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from techsquare.matching.exposure import COSTS, Ledger, tiers
from techsquare.matching.fairness import gini, report
from tests.techsquare.matching.market import market, work
from tests.techsquare.matching.programme import ninety_days
from tests.techsquare.matching.small import supplier


@pytest.mark.parametrize(("factories", "suppliers", "every"), [(100, 300, 5), (1000, 900, 15)])
def test_whom_a_flow_can_show_is_shown_within_ninety_days(factories: int, suppliers: int, every: int) -> None:
    told = ninety_days(market(factories, suppliers, 3), every=every, signs=0.0)
    assert told.fairness.never is not None
    assert told.plain.never is not None
    assert told.fairness.price is not None
    assert told.fairness.never <= max(0.1, 1.2 * told.bound)
    assert told.fairness.never < told.plain.never
    assert told.fairness.never >= told.bound - 1e-9, "the bound is none"
    assert told.fairness.price <= 0.03
    assert told.most_cost <= 0.1


def test_places_that_are_taken_bring_others_onto_lists() -> None:
    told = ninety_days(market(600, 300, 4), every=10)
    still = ninety_days(market(600, 300, 4), every=10, signs=0.0)
    assert told.signed > 100
    assert told.fairness.never is not None
    assert still.fairness.never is not None
    assert told.fairness.never < still.fairness.never
    assert told.fairness.never <= max(0.1, 1.2 * told.bound)
    assert told.most_cost <= 0.1


def test_the_market_is_skewed_as_the_korean_one() -> None:
    for seed in range(5):
        shares = np.sort(work(np.random.default_rng(seed), 900))[::-1]
        assert shares[:135].sum() == pytest.approx(2 / 3, abs=1e-6)


def test_tiers_cost_more_with_each_showing() -> None:
    for showings, suppliers in ((0, 0), (5, 10), (100, 10), (3000, 7)):
        steps = tiers(showings, suppliers)
        used = np.arange(0, 40, dtype=np.int64)
        prices = steps.next(used)
        assert (np.diff(prices) >= 0).all()
        assert prices[0] == COSTS[0]
        assert (steps.last(used[1:]) == prices[:-1]).all()
        left = steps.left(used)
        for showing in used:  # one by one, what the capacities say is what the prices say
            one = [cost for cost, room in zip(COSTS, left[showing], strict=True) for _ in range(min(int(room), 50))]
            assert one[: len(used) - showing] == prices[showing:].tolist()


def test_the_ledger_forgets_after_ninety_days() -> None:
    first = date(2026, 1, 1)
    ledger = Ledger().added(first, ["a", "b", "a"], ["a", "b", "c"])
    assert ledger.shown(first) == {}
    assert ledger.shown(first + timedelta(days=90)) == {"a": 2, "b": 1}
    assert ledger.could(first + timedelta(days=90)) == {"a", "b", "c"}
    assert ledger.shown(first + timedelta(days=91)) == {}
    again = ledger.added(first, ["c"], ["c"]).added(first + timedelta(days=90), ["b"], ["b"])
    assert list(again.days) == [first + timedelta(days=90)]
    assert ledger.added(first, ["c"], []).shown(first + timedelta(days=1)) == {"a": 2, "b": 1, "c": 1}


def test_gini_is_the_mean_difference_over_twice_the_mean() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        counts = rng.poisson(2, 20)
        if counts.sum():
            differences = np.abs(counts[:, None] - counts[None]).mean()
            assert gini(counts.tolist()) == pytest.approx(differences / (2 * counts.mean()))
    assert gini([0, 0]) is None
    assert gini([3, 3, 3]) == 0


def test_the_report_counts_the_unseen() -> None:
    suppliers = [supplier("a", size="large"), supplier("b", size="micro"), supplier("c", size="micro")]
    told = report({"a": 6, "b": 2}, {"a", "b", "c"}, suppliers, 97, 100)
    assert (told.suppliers, told.showings, told.top_share) == (3, 8, 0.75)
    assert told.never == pytest.approx(1 / 3)
    assert told.price == pytest.approx(0.03)
    assert told.sizes["micro"].never == 0.5
    assert told.sizes["micro"].of_showings == 0.25
    gone = report({"a": 6, "b": 2}, {"a", "b", "c"}, suppliers[:2], 97, 100)
    assert (gone.suppliers, gone.never, set(gone.sizes)) == (3, told.never, {"large", "micro"}), "c has signed off"
    empty = report({}, (), suppliers, 0, 0)
    assert (empty.gini, empty.top_share, empty.never, empty.price) == (None, None, None, None)
