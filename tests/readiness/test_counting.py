"""Pieces from counters: what was made second by second, through wraps, resets, holes and faults."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.counting import by_day
from readiness.cycles import median_ns
from readiness.inventory import Machine
from readiness.plant import About, Meaning, Product
from readiness.production import production
from readiness.spans import EMPTY
from tests.readiness.seconds import DAY_S, NOTHING, QUARTER_S, SECOND, START, World, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.production import Production

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

DAYS = 4


def made(seed: int = 0, days: int = DAYS, every: int = 20) -> Ints:
    """Return how many pieces are made in each second."""
    return (np.random.default_rng(seed).random(days * DAY_S) < 1 / every).astype(np.int64)


def facts_of(values: Ints, **meaning: object) -> Production:
    days = len(values) // DAY_S
    about = {"role": "count_total", **meaning}
    return production(World(days, counters={"n": values}, meanings={"n": Meaning(**about)}).view(), "press")  # type: ignore[arg-type]


def total(facts: Production) -> Counted:
    counted = facts.counted("total")
    assert counted is not None
    return counted


def test_a_counter_that_only_grows_gives_each_quarter_hour_exactly() -> None:
    pieces = made()
    facts = facts_of(np.cumsum(pieces) + 1000, factor=2.0)
    counted = total(facts)
    truth = 2 * pieces.reshape(-1, QUARTER_S).sum(axis=1)
    truth[0] -= 2 * pieces[0]  # the first reading of all says where counting begins
    index = ((counted.at - START) // SECOND // QUARTER_S).tolist()
    assert dict(zip(index, counted.pieces.tolist(), strict=True)) == {
        k: float(n) for k, n in enumerate(truth.tolist()) if n
    }
    assert not counted.blind.any()
    assert not counted.backs
    view = facts.view
    assert by_day(view, counted).tolist() == truth.reshape(DAYS, -1).sum(axis=1).tolist()
    for a, b in ((0, 4), (5, 60), (95, 97)):
        from_ns, to_ns = (START + x * QUARTER_S * SECOND for x in (a, b))
        assert counted.within(from_ns, to_ns) == truth[a:b].sum()
        assert counted.limits(from_ns, to_ns) == (truth[a:b].sum(), truth[a:b].sum())
        low, high = counted.limits(from_ns + SECOND, to_ns - SECOND)
        assert low <= counted.within(from_ns + SECOND, to_ns - SECOND) <= high


@pytest.mark.parametrize(("modulus", "unit"), [(1000, 1.0), (1000, 0.5)])
def test_a_counter_with_a_declared_modulus_loses_nothing_when_it_goes_on_from_zero(
    modulus: int, unit: float
) -> None:
    pieces = made()
    raw = np.cumsum(pieces) % round(modulus / unit)
    world = World(
        DAYS, counters={"n": raw}, meanings={"n": Meaning(role="count_total", modulus=modulus)}, unit=unit
    )
    counted = total(production(world.view(), "press"))
    assert counted.pieces.sum() == pytest.approx(unit * pieces[1:].sum(), abs=1e-9)
    assert {back.kind for back in counted.backs} == {"wrap"}
    assert len(counted.backs) == int((np.diff(raw) < 0).sum())
    assert not counted.faults.any()


def test_the_same_steps_back_are_faults_while_nobody_has_declared_the_modulus() -> None:
    raw = np.cumsum(made()) % 1000
    counted = total(facts_of(raw))
    assert {back.kind for back in counted.backs} == {"fault"}
    assert counted.faults.sum() == len(counted.backs) == int((np.diff(raw) < 0).sum())


def test_a_modulus_does_not_explain_a_step_back_that_production_cannot_have_made() -> None:
    raw = np.cumsum(made()) % 65536
    raw[2 * DAY_S :] -= raw[2 * DAY_S] - 300  # from some thousand pieces to 300: not 65,000 more
    counted = total(facts_of(raw, modulus=65536))
    assert [back.kind for back in counted.backs] == ["fault"]


def reset_daily(pieces: Ints, at_s: int, days: int = DAYS) -> Ints:
    """Return a counter that is set to zero each day at a second of the day (from 08:00 local on)."""
    found = np.zeros(len(pieces), np.int64)
    value = 0
    for second, piece in enumerate(pieces.tolist()):
        if second % DAY_S == at_s:
            value = 0
        value += piece
        found[second] = value
    assert len(found) == days * DAY_S
    return found


def test_resets_at_a_declared_time_are_explained_and_cost_nothing() -> None:
    pieces = made()
    raw = reset_daily(pieces, 12 * 3600 + 130)  # 20:02:10
    counted = total(facts_of(raw, resets=(time(20),)))
    assert [back.kind for back in counted.backs] == ["reset"] * DAYS
    assert counted.pieces.sum() == pieces[1:].sum()
    wrong = total(facts_of(raw, resets=(time(19),)))
    assert {back.kind for back in wrong.backs} == {"suspected"}


@pytest.mark.parametrize(
    ("early_s", "kinds"), [(280, {"reset"}), (320, {"suspected"}), (-280, {"reset"}), (-320, {"suspected"})]
)
def test_a_reset_lies_within_five_minutes_of_its_declared_time(early_s: int, kinds: set[str]) -> None:
    raw = reset_daily(made(), 6 * 3600 - early_s)
    assert {back.kind for back in total(facts_of(raw, resets=(time(14),))).backs} == kinds


def test_a_step_back_at_the_declared_time_that_is_not_to_zero_is_a_fault() -> None:
    raw = np.cumsum(made()) + 5000
    raw[DAY_S + 6 * 3600 :] -= 700
    counted = total(facts_of(raw, resets=(time(14),)))
    assert [back.kind for back in counted.backs] == ["fault"]


@pytest.mark.parametrize(("lost", "unseen"), [((7000, 9000), 101), ((9100, 9200), 6)])
def test_what_was_counted_across_a_wrap_in_a_hole_came_unseen(lost: tuple[int, int], unseen: int) -> None:
    pieces = np.zeros(DAY_S, np.int64)
    pieces[::20] = 1
    raw = (np.cumsum(pieces) + 65536 - 400) % 65536  # it goes on from 0 after 400 pieces, in second 7,980
    raw[slice(*lost)] = NOTHING
    counted = total(facts_of(raw, modulus=65536))
    assert [back.kind for back in counted.backs] == ["wrap"]
    assert counted.pieces.sum() == pieces[1:].sum()
    assert counted.blind.sum() == unseen, "what nobody saw being made is in no effectiveness"


def test_steps_back_that_were_not_kept_one_by_one_are_unresolved() -> None:
    raw = np.tile(np.concatenate([np.arange(100, 200), np.arange(50, 150)]), DAY_S // 200)  # 200 s a round
    counted = total(facts_of(raw))
    backs = int((np.diff(raw) < 0).sum())
    assert len(counted.backs) == 100
    assert counted.faults.tolist() == [100.0]
    assert counted.unresolved.tolist() == [backs - 100.0]
    assert counted.steps.tolist() == [float((np.diff(raw) != 0).sum())]


def with_lots(late_s: int = 0, **meaning: object) -> tuple[Counted, Ints]:
    """Return what a counter counts that goes back to 0 when a lot begins, and the pieces that were made."""
    pieces = made(days=2)
    begins = [5_000, 31_234, 77_777, 120_000]  # at no hour of the day
    lot = np.zeros(len(pieces), np.int64)
    raw, value = np.zeros(len(pieces), np.int64), 0
    for second, piece in enumerate(pieces.tolist()):
        value = piece if second in begins else value + piece
        raw[second] = value
        lot[second] = sum(second >= at + late_s for at in begins)
    world = World(
        2,
        tracks={"lot": (lot, ["A1", "A2", "A3", "A4", "A5"])},
        counters={"n": raw},
        meanings={"n": Meaning(role="count_total", **meaning), "lot": Meaning(role="lot")},  # type: ignore[arg-type]
    )
    return total(production(world.view(), "press")), pieces


def test_a_counter_that_goes_back_with_its_lot_is_explained_by_the_lot() -> None:
    counted, pieces = with_lots(resets_with="lot")
    assert [back.kind for back in counted.backs] == ["reset"] * 4
    assert counted.pieces.sum() == pieces[1:].sum()
    assert {back.kind for back in with_lots()[0].backs} == {"fault"}, "nobody has said so"
    assert {back.kind for back in with_lots(resets_with="order")[0].backs} == {"fault"}, (
        "nothing of that name is read"
    )


@pytest.mark.parametrize(("late_s", "kind"), [(290, "reset"), (-290, "reset"), (320, "fault"), (-320, "fault")])
def test_a_lot_that_changes_at_another_time_explains_nothing(late_s: int, kind: str) -> None:
    assert {back.kind for back in with_lots(late_s, resets_with="lot")[0].backs} == {kind}


def test_a_habit_of_three_days_is_suspected_and_counted_apart_until_a_person_has_declared_it() -> None:
    pieces = made()
    raw = reset_daily(pieces, 12 * 3600 - 20)
    counted = total(facts_of(raw))
    assert counted.suspected.tolist() == [1.0] * DAYS
    assert not counted.faults.any()
    assert counted.pieces.sum() == pieces[1:].sum() - sum(raw[d * DAY_S + 12 * 3600 - 20] for d in range(DAYS))
    short = total(facts_of(raw[: 2 * DAY_S]))
    assert short.faults.tolist() == [1.0, 1.0]
    assert not short.suspected.any()


def test_a_reset_in_the_night_in_which_nobody_looked_is_explained_by_its_declared_time() -> None:
    raw = reset_daily(made(), 18 * 3600)
    raw[np.arange(len(raw)) % DAY_S > 15 * 3600] = NOTHING  # from 23:00 to 08:00 nothing is known
    counted = total(facts_of(raw, resets=(time(2),)))
    assert [back.kind for back in counted.backs] == ["reset"] * (DAYS - 1)
    assert counted.pieces.sum() == sum(
        int(raw[d * DAY_S + 15 * 3600] - (raw[0] if d == 0 else 0)) for d in range(DAYS)
    )
    assert {back.kind for back in total(facts_of(raw, resets=(time(12),))).backs} == {"suspected"}


def test_a_step_back_to_somewhere_is_a_fault_and_adds_nothing() -> None:
    pieces = made()
    raw = np.cumsum(pieces) + 5000
    raw[DAY_S + 777 :] -= 40
    counted = total(facts_of(raw, resets=(time(8),), modulus=10_000_000))
    assert [back.kind for back in counted.backs] == ["fault"]
    assert counted.faults.tolist() == [0, 1, 0, 0]
    assert counted.pieces.sum() == pieces[1:].sum() - pieces[DAY_S + 777]


@pytest.mark.parametrize("nonsense", [0, 65_535])
@pytest.mark.parametrize("seconds", [1, 60, 700])
@pytest.mark.parametrize("hole", [0, 300])
def test_a_counter_that_reads_nonsense_for_a_moment_has_counted_nothing_by_it(
    nonsense: int, seconds: int, hole: int
) -> None:
    pieces = made(days=2)
    raw = np.cumsum(pieces) + 1000
    begin = DAY_S + 5 * QUARTER_S + 450
    raw[begin : begin + seconds] = nonsense
    raw[begin + seconds : begin + seconds + hole] = NOTHING
    counted = total(facts_of(raw, factor=3.0))
    assert [back.kind for back in counted.backs] == ["fault"]
    assert counted.pieces.sum() == 3 * pieces[1:].sum()
    assert counted.blind.sum() <= 3 * pieces[begin : begin + seconds + hole + 1].sum()
    assert (counted.pieces >= 0).all()
    plain, hurried = priced(np.cumsum(pieces) + 1000, 3.0), priced(raw, 3.0)
    assert median_ns(hurried) == pytest.approx(median_ns(plain), rel=0.05)
    there = int(pieces[begin : begin + seconds + hole + 1].sum())  # of these the leap is the larger
    assert hurried.fast.sum() == pytest.approx(plain.fast.sum(), abs=5 + there)


def test_what_came_while_nothing_was_known_is_counted_and_marked() -> None:
    pieces = made()
    raw = np.cumsum(pieces)
    raw[4000:9000] = NOTHING
    counted = total(facts_of(raw))
    assert counted.pieces.sum() == pieces[1:].sum()
    assert counted.blind.sum() == pieces[4000:9001].sum()
    assert counted.at[counted.blind > 0].tolist() == [START + 9000 // QUARTER_S * QUARTER_S * SECOND]


def priced(raw: Ints, ideal_s: float, **meaning: object) -> Counted:
    about = {
        "products": {"A": Product(id="A", name="A", ideal_s={"press": ideal_s})},
        "about": {"press": About(single_product="yes")},
    }
    told = Meaning(**{"role": "count_total", **meaning})  # type: ignore[arg-type]
    days = len(raw) // DAY_S
    return total(production(World(days, counters={"n": raw}, meanings={"n": told}, about=about).view(), "press"))


def test_pieces_that_come_faster_than_half_the_ideal_cycle_are_counted() -> None:
    pieces = np.zeros(DAY_S, np.int64)
    pieces[100:40_000:30] = 1  # every 30 s
    pieces[50_000:51_000:10] = 1  # 100 pieces every 10 s
    raw = np.cumsum(pieces)
    counted = priced(raw, 30.0)
    assert counted.counts[0] == pieces.sum() - 1
    assert counted.fast[0] == 99
    assert priced(raw, 15.0).fast[0] == 0
    assert priced(raw, 7.5, factor=4.0).fast[0] == 99  # four pieces a stroke, 30 s a stroke
    assert not total(facts_of(raw)).counts.any()  # nobody has told an ideal cycle


def test_of_two_counters_of_a_role_the_one_without_unexplained_steps_is_believed() -> None:
    pieces = made()
    life, shift = np.cumsum(pieces), reset_daily(pieces, 43_000)
    meaning = Meaning(role="count_total")
    world = World(DAYS, counters={"a": shift, "b": life}, meanings={"a": meaning, "b": meaning})
    counted = total(production(world.view(), "press"))
    assert counted.name == "press/b"
    assert counted.others == ("press/a",)
    assert counted.pieces.sum() == pieces[1:].sum()


@pytest.mark.parametrize("until", [0, 3 * QUARTER_S])
def test_a_counter_that_is_dead_is_not_believed_however_quiet_it_is(until: int) -> None:
    pieces = made(days=2)
    lives = np.cumsum(pieces) + 1000
    lives[DAY_S:] -= 40  # one step back that nobody can explain
    dead = np.cumsum(np.where(np.arange(len(pieces)) < until, pieces, 0))
    told = {name: Meaning(role="count_total") for name in ("a", "b")}
    found = total(production(World(2, counters={"a": dead, "b": lives}, meanings=told).view(), "press"))
    assert (found.name, found.others) == ("press/b", ("press/a",))


@pytest.mark.parametrize("missing", ["total", "good", "reject"])
def test_the_third_quantity_follows_from_two_and_says_so(missing: str) -> None:
    good, reject = made(1), made(2, every=300)
    columns = {"total": np.cumsum(good + reject), "good": np.cumsum(good), "reject": np.cumsum(reject)}
    truth = {name: int(column[-1] - column[0]) for name, column in columns.items()}
    del columns[missing]
    world = World(DAYS, counters=columns, meanings={n: Meaning(role=f"count_{n}") for n in columns})
    facts = production(world.view(), "press")
    assert facts.counted(missing) is None  # type: ignore[arg-type]
    derived = facts.quantity(missing)  # type: ignore[arg-type]
    assert derived is not None
    assert derived.derived
    assert derived.pieces.sum() == truth[missing]


def test_one_counter_alone_tells_no_other_quantity() -> None:
    facts = facts_of(np.cumsum(made()))
    assert facts.quantity("good") is None
    assert facts.quantity("reject") is None
    assert not facts.made("good", EMPTY).any()


def test_pieces_of_a_quarter_hour_that_counts_in_part_are_shared_by_executing_time() -> None:
    codes = np.zeros(DAY_S, np.int64)
    codes[: 10 * 60] = 1
    pieces = np.zeros(DAY_S, np.int64)
    pieces[10 : 10 * 60 : 10] = 1
    off = np.zeros(DAY_S, np.bool_)
    off[5 * 60 : 15 * 60] = True
    meanings = {"s": Meaning(role="state", states={0: "standby", 1: "executing"}), "n": Meaning(role="count_total")}
    world = World(
        1, {"s": (codes, (0, 1))}, {"n": np.cumsum(pieces)}, meanings, censored=off,
    )  # fmt: skip
    facts = production(world.view(), "press")
    assert facts.executing == spans(codes == 1)
    assert facts.made("total", facts.domain).tolist() == [pieces.sum() / 2]


def test_a_machine_of_the_inventory_without_any_evidence_has_no_facts_and_no_zeros() -> None:
    world = World(1, meanings={})
    world.about = {"machines": [Machine("press", "press")]}
    view = World(1, counters={"n": np.cumsum(made(days=1))}).view()
    facts = production(view, "nobody")
    assert facts.counted("total") is None
    assert (facts.cycles, facts.changeovers, facts.energy, facts.kpis, facts.cycle_ns) == (None,) * 5
    assert not facts.stops
    assert not facts.lots
    assert production(view, "nobody") is facts
