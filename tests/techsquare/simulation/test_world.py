"""The simulated world: skewed as it should be, the same for the same seed, its truth what it is called."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from techsquare.catalogue.load import load
from techsquare.matching.continuity import tier
from techsquare.simulation.market import TOP_HOLD, vendors
from techsquare.simulation.owners import plant
from techsquare.simulation.plants import Effect, World, badness, made
from techsquare.simulation.projects import drawn, sure, worth
from techsquare.simulation.terms import BUCKETS, MONTH_DAYS, Setting
from tests.techsquare.simulation.worlds import SMALL, run


@pytest.mark.parametrize("factories", [30, 1_000, 20_000])
def test_fifteen_percent_of_suppliers_hold_two_thirds_of_the_work(factories: int) -> None:
    market = vendors(Setting(1, factories, 12), load().entries)
    weights = sorted((one.weight for one in market), reverse=True)
    assert sum(weights) == pytest.approx(1)
    assert sum(weights[: round(0.15 * len(weights))]) == pytest.approx(TOP_HOLD, abs=0.05)


def test_a_supplier_in_distress_closes_more_often_and_good_ones_are_of_every_size() -> None:
    market = vendors(Setting(2, 40_000, 24), load().entries)
    closed = {
        zone: np.mean([one.closes is not None for one in market if tier(one.accounts) == zone])
        for zone in ("safe", "grey", "distress")
    }
    assert closed["safe"] < closed["grey"] < closed["distress"]
    chances = np.array([np.mean([p.success for p in one.products]) for one in market])
    ranks = np.arange(len(market))
    assert abs(float(np.corrcoef(ranks, chances)[0, 1])) < 0.07
    assert 0.55 < chances.mean() < 0.65
    assert chances.std() > 0.12


def test_a_factory_is_the_same_in_a_programme_of_any_size_asked_in_any_order() -> None:
    small, large = Setting(3, 30, 12), Setting(3, 5_000, 12)
    for number in (29, 0, 17):
        assert plant(small, number) == plant(large, number)
        ours, theirs = made(small, plant(small, number)), made(large, plant(large, number))
        assert np.array_equal(ours.shares, theirs.shares)
        assert np.array_equal(ours.planned, theirs.planned)


def test_days_remember_move_with_the_site_and_add_up() -> None:
    setting = Setting(4, 30, 24)
    memories, together = [], []
    for number in range(30):
        one = plant(setting, number)
        days = made(setting, one)
        assert (days.shares >= 0).all()
        assert (days.shares.sum(axis=1) <= 0.95 + 1e-9).all()
        assert days.shares.mean() == pytest.approx(np.mean([tool.base for tool in one.tools]), rel=0.35)
        logs = np.log(np.maximum(days.shares, 1e-12))[:, BUCKETS.index("setup")]
        memories += [float(np.corrcoef(row[1:], row[:-1])[0, 1]) for row in logs]
        means = logs.reshape(len(logs), -1, 10).mean(axis=2)
        together.append(float(np.corrcoef(means)[np.triu_indices(len(logs), 1)].mean()))
    assert 0.35 < np.mean(memories) < 0.85
    assert np.mean(together) > 0.1


def test_what_a_project_changes_is_its_gain_times_the_days_without_it() -> None:
    setting = Setting(8, 30, 12)
    plants = [plant(setting, number) for number in range(3)]
    world = World(setting, plants)
    machine, row = plants[1].tools[0].id, BUCKETS.index("fault")
    before = world.shares(1, machine)
    world.change(1, machine, [Effect("fault", 200, 0.4, 300), Effect("fault", 250, 0.5, None)])
    after = world.shares(1, machine)
    assert np.array_equal(after[:, :200], before[:, :200])
    assert np.allclose(after[row, 200:250], 0.6 * before[row, 200:250])
    assert np.allclose(after[row, 250:300], 0.3 * before[row, 250:300])
    assert np.allclose(after[row, 300:], 0.4 * before[row, 300:])
    others = [i for i in range(len(BUCKETS)) if i != row]
    assert np.array_equal(after[others], before[others])
    for other in plants[1].tools[1:]:
        assert np.array_equal(world.shares(1, other.id), world.days(1).shares[plants[1].tools.index(other)])


def test_machine_days_add_up_to_known_time_and_are_those_of_the_series() -> None:
    setting = Setting(8, 30, 12)
    world = World(setting, [plant(setting, number) for number in range(12)])
    seen = 0
    for one in world.plants:
        if not one.wired:
            assert len(world.series(one.number, one.tools[0].id, ["fault"]).days) == 0
            continue
        fault = {tool.id: world.series(one.number, tool.id, ["fault"]) for tool in one.tools}
        for day in world.machine_days(one.number, 100, 130):
            states = (day.production_s, day.setup_s, day.fault_s, day.standby_s, day.off_s)
            assert sum(state for state in states if state is not None) == pytest.approx(day.known_s)
            assert day.good_s is not None
            assert day.ideal_s is not None
            assert day.production_s is not None
            assert 0 < day.good_s <= day.ideal_s <= day.production_s
            series, at = fault[day.machine], setting.at(day.day)
            assert day.fault_s == pytest.approx(series.num[at] * series.coverage[at])
            seen += 1
    assert seen > 500


def test_factories_apply_after_months_that_are_worse_than_theirs_are() -> None:
    done = run(SMALL)
    applied = [
        badness(SMALL, done.world.plants[number])[case.came] - badness(SMALL, done.world.plants[number]).mean()
        for number, case in done.cases.items()
    ]
    assert len(applied) > 15
    assert np.mean(applied) > 0


def test_worth_is_the_mean_of_what_is_drawn() -> None:
    setting = Setting(9, 30, 12)
    owner = plant(setting, 2)
    product = next(p for one in vendors(setting, load().entries) for p in one.products if p.entry == "smed")
    places = [(owner.tools[0].id, "setup")]
    truths = [drawn(1, f"draw {number}", product, places, 1.0) for number in range(4_000)]
    works = [truth for truth in truths if truth.works]
    assert len(works) / len(truths) == pytest.approx(product.success, abs=0.03)
    used = [truth for truth in works if truth.used]
    assert np.mean([truth.gain["setup"] for truth in used]) == pytest.approx(product.factor * 1.02, rel=0.03)
    lasting = [worth(owner, places, t) + t.price + 3 * t.yearly for t in used if t.fades_on is None]
    assert np.mean(lasting) == pytest.approx(1.02 * worth(owner, places, sure(product, places, 1.0)), rel=0.03)
    assert all(truth.gain == {"setup": 0.0} for truth in truths if not truth.used)


def test_months_follow_each_other_and_days_are_counted_from_the_origin() -> None:
    setting = Setting(1, 30, 5)
    assert setting.at(setting.origin) == 0
    assert setting.at(setting.month(5)) == setting.days
    assert all((b - a).days == MONTH_DAYS for a, b in pairwise(setting.month(m) for m in range(6)))
