"""A machine's day as a whole: KPIs over products, states and pieces, against sums over its seconds."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from readiness.plant import About, Meaning, Product
from readiness.production import Production, production
from tests.readiness.seconds import DAY_S, NOTHING, QUARTER_S, SECOND, World, planned

STATES = (0, 1, 2, 3, 4)
MEANING = Meaning(role="state", states={0: "off", 1: "executing", 2: "standby", 3: "fault", 4: "setup"})
PRODUCTS = ("", "A", "B")
IDEAL = {"A": 20.0, "B": 45.0}


class Day:
    """Two days of one machine; products change on quarter hours, pieces come while it executes."""

    def __init__(self, seed: int, days: int = 2) -> None:
        rng = np.random.default_rng(seed)
        n = days * DAY_S
        self.days = days
        self.product = np.repeat(rng.integers(1, 3, n // (8 * QUARTER_S) + 1), 8 * QUARTER_S)[:n]
        self.state = self._states(rng, n)
        need = np.where(self.product == 1, 24, 50)
        self.pieces = ((rng.random(n) < 1 / need) & (self.state == 1)).astype(np.int64)
        self.rejects = self.pieces & (rng.random(n) < 0.08)

    @staticmethod
    def _states(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        found: list[int] = []
        while len(found) < n:
            found += [int(rng.choice(5, p=[0.05, 0.55, 0.2, 0.1, 0.1]))] * int(rng.geometric(1 / 700))
        return np.array(found[:n])

    def world(self, **about: object) -> World:
        total = np.cumsum(self.pieces)
        return World(
            self.days,
            {"s": (self.state, STATES), "p": (self.product, PRODUCTS)},
            {"n": total, "r": np.cumsum(self.rejects)},
            {
                "s": MEANING, "p": Meaning(role="product"),
                "n": Meaning(role="count_total"), "r": Meaning(role="count_reject"),
            },
            about={"products": products(), **about},
        )  # fmt: skip


def products(**ideal: float) -> dict[str, Product]:
    return {p: Product(id=p, name=p, ideal_s={"press": s}) for p, s in {**IDEAL, **ideal}.items() if s}


def facts(world: World) -> Production:
    return production(world.view(), "press")


@pytest.mark.parametrize("seed", range(3))
def test_the_kpis_of_two_products_equal_sums_over_seconds(seed: int) -> None:
    day = Day(seed)
    counts = planned(day.days)
    pri = np.where(day.product == 1, IDEAL["A"], IDEAL["B"])
    produced, good = day.pieces * counts, (day.pieces - day.rejects) * counts
    produced[0] = good[0] = 0  # counting begins with the first reading
    apt, pbt = int(((day.state == 1) & counts).sum()), int(counts.sum())
    found = facts(day.world()).kpis
    assert found is not None
    assert found.availability == pytest.approx(apt / pbt, abs=1e-12)
    assert found.effectiveness == pytest.approx((pri * produced).sum() / apt, rel=1e-9)
    assert found.quality == pytest.approx((pri * good).sum() / (pri * produced).sum(), rel=1e-9)
    assert found.oee == pytest.approx((pri * good).sum() / pbt, rel=1e-9)
    assert found.unknown == 0
    assert found.priced == pytest.approx(1.0)
    fault = ((day.state == 3) & counts).astype(int)
    begins = (np.diff(fault.reshape(-1, DAY_S), axis=1) == 1).sum() + fault.reshape(-1, DAY_S)[:, 0].sum()
    assert found.failures == begins
    assert found.mttr == pytest.approx(fault.sum() * SECOND / (begins + 1))


def test_a_product_without_an_ideal_cycle_counts_for_availability_only() -> None:
    day = Day(4)
    world = day.world(products=products(B=0.0))
    found = facts(world)
    counts = planned(day.days)
    executing = (day.state == 1) & counts
    part = executing & (day.product == 1)
    assert found.kpis is not None
    assert found.kpis.priced == pytest.approx(part.sum() / executing.sum(), abs=1e-9)
    pieces = (day.pieces * (counts & (day.product == 1)))[1:].sum()
    assert found.kpis.effectiveness == pytest.approx(IDEAL["A"] * pieces / part.sum(), rel=1e-9)
    assert found.kpis.availability == pytest.approx(executing.sum() / counts.sum())
    assert found.shortest_ideals("press/total")[0] is None


def test_a_product_number_in_a_register_of_floating_point_is_the_number() -> None:
    day = Day(4)
    world = day.world(products={p: Product(id=p, name=p, ideal_s={"press": 30.0}) for p in ("7", "8")})
    whole = facts(world)
    assert whole.priced == {}
    world.tracks = {**world.tracks, "p": (day.product, (0.0, 7.0, 8.0))}
    assert list(facts(world).priced) == ["7", "8"]


def test_without_a_product_signal_somebody_has_to_say_that_there_is_one_product() -> None:
    day = Day(5)
    world = day.world(products={"A": products()["A"]})
    del world.meanings["p"]  # type: ignore[attr-defined]
    found = facts(world).kpis
    assert found is not None
    assert (found.effectiveness, found.oee) == (None, None)
    world.about = {**world.about, "about": {"press": About(single_product="yes")}}
    found = facts(world).kpis
    assert found is not None
    counts = planned(day.days)
    made = (day.pieces * counts)[1:].sum()
    assert found.effectiveness == pytest.approx(20.0 * made / ((day.state == 1) & counts).sum(), rel=1e-9)
    world.about = {**world.about, "products": products()}  # two of them: which one, nobody has said
    assert facts(world).priced == {}


def test_unknown_time_lowers_availability_and_is_shown_and_pieces_that_came_unseen_raise_nothing() -> None:
    day = Day(6)
    whole = facts(day.world()).kpis
    hole = slice(4 * QUARTER_S, 8 * QUARTER_S)
    world = day.world()
    counters = {name: values.copy() for name, values in world.counters.items()}
    state = day.state.copy()
    state[hole] = NOTHING
    for values in counters.values():
        values[hole] = NOTHING
    world.tracks = {**world.tracks, "s": (state, STATES)}
    world.counters = counters
    found = facts(world)
    assert found.kpis is not None
    assert whole is not None
    assert found.kpis.unknown == pytest.approx(4 * QUARTER_S / planned(2).sum())
    lost = ((day.state == 1)[hole]).sum() / planned(2).sum()
    assert found.kpis.availability == pytest.approx((whole.availability or 0) - lost)
    made = found.made("total", found.domain).sum()
    seen = day.pieces * planned(2)
    seen[hole] = 0
    seen[hole.stop] = 0
    assert made == seen[1:].sum()


def test_a_machine_without_good_pieces_counted_has_no_quality_and_no_oee() -> None:
    world = Day(7).world()
    del world.meanings["r"]  # type: ignore[attr-defined]
    found = facts(world).kpis
    assert found is not None
    assert found.effectiveness is not None
    assert (found.quality, found.oee) == (None, None)


def test_what_we_failed_to_see_of_one_source_is_in_no_time_element_even_while_another_source_counts() -> None:
    day = Day(9)
    off = slice(3 * QUARTER_S, 7 * QUARTER_S)
    world = day.world()
    parts = []
    for record in world.evidence():
        whole = record.sources[0]
        counters = msgspec.structs.replace(
            whole, source="counters", tracks={}, signals={n: s for n, s in whole.signals.items() if n[-1] in "nr"}
        )
        states = msgspec.structs.replace(
            whole, counts={}, signals={n: s for n, s in whole.signals.items() if n[-1] in "sp"}
        )
        parts.append(msgspec.structs.replace(record, sources=[states, counters]))
    gone = [off.start * SECOND, (off.stop - off.start) * SECOND]
    counts = planned(2)
    for source in ("press-plc.main", "counters"):
        view = world.view()
        view.days = [msgspec.structs.replace(parts[0], censored={"overflow": {source: gone}}), parts[1]]
        found = production(view, "press")
        assert found.kpis is not None
        seen = counts.copy()
        seen[off] = False
        of_state = seen if source == "press-plc.main" else counts
        assert found.times.pbt.sum() == of_state.sum() * SECOND
        assert found.times.censored.sum() == (counts & ~of_state).sum() * SECOND
        assert found.times.apt.sum() == (of_state & (day.state == 1)).sum() * SECOND
        pri = np.where(day.product == 1, IDEAL["A"], IDEAL["B"])
        part = pri * day.pieces * seen
        assert found.kpis.effectiveness == pytest.approx(part[1:].sum() / (seen & (day.state == 1)).sum(), rel=1e-9)


def test_a_failure_that_is_still_there_behind_a_hole_or_a_night_is_one_failure() -> None:
    state = np.full(2 * DAY_S, 1)
    state[40_000 : DAY_S + 2000] = 3  # from the first day over the night into the second
    state[41_000:41_500] = NOTHING
    state[DAY_S + 9000 : DAY_S + 9100] = 3
    world = World(2, {"s": (state, STATES)}, meanings={"s": MEANING})
    assert facts(world).failures.tolist() == [1.0, 1.0]


def test_facts_do_not_depend_on_the_order_of_days() -> None:
    world = Day(8).world()
    view = world.view()
    days = list(view.days)
    shuffled = world.view()
    shuffled.days = days[::-1]
    one, other = production(view, "press"), production(shuffled, "press")
    assert one.basis == other.basis
    assert one.stops == other.stops
    assert one.lots == other.lots
    assert production(view, "press") is one


@pytest.mark.parametrize("name", ["n", "r"])
@pytest.mark.parametrize("hole", [(3600, 4 * 3600), (1000, 1500), (42_000, 45_000)])
def test_a_counter_that_is_unread_for_a_while_moves_no_kpi(name: str, hole: tuple[int, int]) -> None:
    """Twelve hours of work with a piece each 20 s, each tenth of them bad; one counter is dark on each day."""
    days = 4
    second = np.arange(days * DAY_S)
    made = (second % 20 == 0).astype(np.int64)
    bad = (second % 200 == 0).astype(np.int64)
    counters = {"n": np.cumsum(made), "r": np.cumsum(bad)}
    counters[name] = np.where((second % DAY_S >= hole[0]) & (second % DAY_S < hole[1]), NOTHING, counters[name])
    meanings = {"s": MEANING, "n": Meaning(role="count_total"), "r": Meaning(role="count_reject")}
    world = World(
        days, {"s": (np.ones(days * DAY_S, np.int64), STATES)}, counters, meanings,
        about={
            "about": {"press": About(single_product="yes")},
            "products": {"A": Product(id="A", name="A", ideal_s={"press": 15.0})},
        },
    )  # fmt: skip
    found = facts(world).kpis
    assert found is not None
    assert found.availability == 1.0
    assert found.effectiveness == pytest.approx(0.75, rel=0.002)
    assert found.quality == pytest.approx(0.9, rel=0.002)
