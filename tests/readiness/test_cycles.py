"""Cycles of a machine by its cycle signal."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.plant import Meaning
from readiness.production import production
from readiness.spans import Spans
from tests.readiness.seconds import DAY_S, NOTHING, QUARTER_S, SECOND, START, World

STATE = Meaning(role="state", states={0: "standby", 1: "executing"})
CYCLE = Meaning(role="cycle")


def pulses(seed: int, days: int, low: int, high: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a bit that is true for 3 s of each cycle of `low` to `high` seconds."""
    rng, found = np.random.default_rng(seed), list[int]()
    while len(found) < days * DAY_S:
        found += [1] * 3 + [0] * (int(rng.integers(low, high)) - 3)
    return np.array(found[: days * DAY_S])


@pytest.mark.parametrize("cut", [False, True])
def test_cycles_are_counted_where_they_begin(*, cut: bool) -> None:
    codes = pulses(1, 2, 30, 50)
    codes[:2] = 0
    world = World(2, {"c": (codes, (False, True)), "s": (np.ones(2 * DAY_S, np.int64), (0, 1))})
    world.meanings = {"c": CYCLE, "s": STATE}
    world.cut = frozenset({"c"} if cut else ())
    cycles = production(world.view(), "press").cycles
    assert cycles is not None
    begins = np.flatnonzero((codes[1:] == 1) & (codes[:-1] == 0)) + 1
    quarters, numbers = np.unique(begins // QUARTER_S, return_counts=True)
    assert ((cycles.at - START) // SECOND // QUARTER_S).tolist() == quarters.tolist()
    assert cycles.begun.tolist() == numbers.tolist()
    assert cycles.p50_ns is not None
    truth = float(np.median(np.diff(begins)))
    assert cycles.p50_ns / SECOND == pytest.approx(truth, rel=0.05 if cut else 1e-12)
    assert len(cycles.begins) == (0 if cut else len(begins))
    inside = Spans.of([(START + QUARTER_S * SECOND, START + 3 * QUARTER_S * SECOND + 5)])
    assert cycles.within(inside).sum() == ((begins >= QUARTER_S) & (begins < 3 * QUARTER_S)).sum()


def test_what_was_not_seen_begin_is_no_cycle_and_gives_no_cycle_time() -> None:
    codes = np.zeros(DAY_S, np.int64)
    codes[100:110] = codes[200:210] = codes[320:330] = 1
    codes[195:200] = NOTHING
    world = World(1, {"c": (codes, (False, True))}, meanings={"c": CYCLE})
    cycles = production(world.view(), "press").cycles
    assert cycles is not None
    assert ((cycles.begins - START) // SECOND).tolist() == [100, 320]
    assert cycles.begun.sum() == 2
    assert cycles.p50_ns is None


def test_a_cycle_that_is_told_in_phases_begins_once_and_a_time_over_a_hole_is_no_cycle_time() -> None:
    codes = np.tile(np.repeat([0, 1, 2], 20), 80)  # a round of 60 s: pause, press, hold
    codes = np.concatenate([codes, np.zeros(DAY_S - len(codes), np.int64)])
    for hidden in range(20 + 60 * 20, 60 * 80, 120):  # behind twenty rounds, each second beginning is not seen
        codes[hidden - 1 : hidden + 2] = NOTHING
    world = World(1, {"c": (codes, (0, 1, 2))}, meanings={"c": CYCLE})
    cycles = production(world.view(), "press").cycles
    assert cycles is not None
    assert len(cycles.begins) == 20 + 30
    assert np.median(np.diff(cycles.begins)) == 120 * SECOND
    assert cycles.p50_ns == 60 * SECOND


def test_the_median_time_per_piece_comes_from_the_counter_within_two_percent() -> None:
    gaps = np.random.default_rng(2).integers(20, 60, 900)
    pieces = np.zeros(DAY_S, np.int64)
    pieces[np.cumsum(gaps)] = 1
    for factor in (1.0, 4.0):
        world = World(
            1, counters={"n": np.cumsum(pieces)}, meanings={"n": Meaning(role="count_total", factor=factor)}
        )
        found = production(world.view(), "press").cycle_ns
        assert found is not None
        assert found / SECOND == pytest.approx(np.median(gaps) / factor, rel=0.03)


def test_a_number_that_grows_with_each_cycle_is_a_cycle_signal_too() -> None:
    pieces = np.zeros(DAY_S, np.int64)
    pieces[30:40_000:30] = 1
    world = World(1, counters={"c": np.cumsum(pieces)}, meanings={"c": CYCLE})
    cycles = production(world.view(), "press").cycles
    assert cycles is not None
    assert cycles.begun.sum() == pieces.sum()
    assert cycles.p50_ns == pytest.approx(30 * SECOND, rel=0.02)
    assert cycles.dwell == ()
