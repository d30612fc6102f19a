"""The grid of a device's groups, on times that the test hands in."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.collectors.schedule import LATE_NS, Grid, phase
from agent.config.base import Burst, GroupBase

if TYPE_CHECKING:
    import random

SECOND = 1_000_000_000


def group(every: float, burst: tuple[float, float] | None = None) -> GroupBase:
    window = None
    if burst is not None:
        window = Burst.model_construct(
            length=round(burst[0] * SECOND), per=round(burst[1] * SECOND), agreed_by="owner", agreed_on=dt.date.min
        )
    return GroupBase.model_construct(id="g", every=round(every * SECOND), burst=window)


def run(grid: Grid, now: int, takes: float, readings: int) -> list[tuple[int, int]]:
    """Do so many readings that each take the same; return position and begin of each."""
    begun = []
    for _ in range(readings):
        position, wait = grid.due(now)
        now += wait
        begun.append((position, now))
        grid.started(position, now)
        now += round(takes * SECOND)
        grid.finished(position, now)
    return begun


def test_the_first_reading_is_at_once_and_the_others_keep_the_grid() -> None:
    grid = Grid("plc", [group(1)])
    start = 7 * SECOND + 123
    grid.connected(start)
    begun = [at for _, at in run(grid, start, 0.01, 6)]
    assert begun[0] == start
    assert {at % SECOND for at in begun[1:]} == {phase("plc", 0, SECOND)}
    assert {b - a for a, b in pairwise(begun[1:])} == {SECOND}
    assert 0 < begun[1] - begun[0] <= SECOND
    assert (grid.late, grid.skipped.total()) == (0, 0)


def test_the_grid_survives_a_reconnect() -> None:
    grid = Grid("plc", [group(1)])
    grid.connected(0)
    before = run(grid, 0, 0.01, 3)[-1][1]
    grid.connected(before + 12_345_678_901)
    after = [at for _, at in run(grid, before + 12_345_678_901, 0.01, 3)]
    assert after[0] == before + 12_345_678_901
    assert (after[1] - before) % SECOND == 0
    assert (after[2] - before) % SECOND == 0


def test_devices_and_their_groups_are_spread_over_the_interval() -> None:
    phases = sorted(phase(f"press-{n}", 0, SECOND) for n in range(1, 21))
    assert phases == sorted(phase(f"press-{n}", 0, SECOND) for n in range(1, 21)), "the same after a restart"
    assert all(0 <= p < SECOND for p in phases)
    most = max(Counter(p // (SECOND // 10) for p in phases).values())
    assert most <= 6, "twenty devices in ten tenths of a second"
    groups = sorted(phase("plc", n, SECOND) for n in range(8))
    apart = [b - a for a, b in zip(groups, [*groups[1:], groups[0] + SECOND], strict=True)]
    assert min(apart) > SECOND // 20


def test_slots_that_pass_during_a_reading_are_skipped_and_counted() -> None:
    grid = Grid("plc", [group(1)])
    grid.connected(0)
    begun = [at for _, at in run(grid, 0, 2.5, 5)]
    assert [b - a for a, b in pairwise(begun[1:])] == [3 * SECOND] * 3
    in_the_first = 3 if phase("plc", 0, SECOND) < SECOND // 2 else 2
    assert grid.skipped[0] == 2 * 4 + in_the_first - 1, "the reading after connecting stands for one slot, too"
    assert grid.late == 0


def test_a_reading_of_exactly_one_interval_skips_nothing() -> None:
    grid = Grid("plc", [group(1)])
    grid.connected(phase("plc", 0, SECOND))
    run(grid, phase("plc", 0, SECOND), 1, 20)
    assert grid.skipped.total() == 0


def test_a_slot_is_late_when_its_first_request_leaves_more_than_50_ms_after_its_time() -> None:
    grid = Grid("plc", [group(1)])
    grid.connected(0)
    run(grid, 0, 0.01, 1)
    now = SECOND // 1000
    for delay, late in ((0, 0), (LATE_NS, 0), (LATE_NS + 1, 1), (0, 1)):
        position, wait = grid.due(now)
        now += wait + delay
        grid.started(position, now)
        grid.finished(position, now)
        assert grid.late == late


def test_a_group_that_waits_for_another_is_late_and_the_one_due_first_goes_first() -> None:
    grid = Grid("plc", [group(1), group(10)])
    grid.connected(0)
    begun = run(grid, 0, 0.8, 24)
    assert [position for position, _ in begun].count(1) == 3
    assert grid.late > 0
    assert grid.skipped[1] == 0


@given(st.integers(2, 6), st.sampled_from([0.1, 0.25]), st.floats(0.12, 0.5), st.integers(0, 10 * SECOND))
@example(2, 0.25, 0.142578125, 0)
def test_an_overloaded_device_is_shared_fairly(count: int, every: float, takes: float, start: int) -> None:
    grid = Grid("plc", [group(every) for _ in range(count)])
    grid.connected(start)
    begun = run(grid, start, takes, 120)
    for position in range(count):
        mine = [at for p, at in begun if p == position]
        longest = max(b - a for a, b in pairwise(mine))
        assert longest <= (every + count * takes) * SECOND + 1000, "once due, it waits for each other group once"


@given(st.lists(st.sampled_from([0.05, 0.1, 1, 5]), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_every_slot_is_read_or_counted_as_skipped(every: list[float], rng: random.Random) -> None:
    grid = Grid("plc", [group(e) for e in every])
    grid.connected(0)
    now, read = 0, Counter[int]()
    for _ in range(200):
        position, wait = grid.due(now)
        now += wait
        grid.started(position, now)
        read[position] += 1
        now += round(rng.choice((0.001, 0.02, 0.3)) * SECOND)
        grid.finished(position, now)
    for position, e in enumerate(every):
        passed = (now - phase("plc", position, round(e * SECOND))) / round(e * SECOND)
        waiting = len(every) * 0.3 / e  # slots that have passed since the one that waits for the others
        assert -2 <= passed - (read[position] + grid.skipped[position]) <= 1.5 + waiting


def test_retry_reads_out_of_turn_and_leaves_the_grid_alone() -> None:
    grid = Grid("plc", [group(1), group(3600)])
    grid.connected(0)
    run(grid, 0, 0.001, 4)
    slots = [grid.due(5 * SECOND)]
    grid.retry([1])
    assert grid.due(2 * SECOND) == (1, 0)
    grid.started(1, 2 * SECOND)
    grid.finished(1, 2 * SECOND)
    assert grid.due(5 * SECOND) == slots[0]
    assert grid.late == 0


def test_a_burst_group_is_read_inside_its_windows_only() -> None:
    grid = Grid("plc", [group(0.1, (2, 60)), group(5)])
    start = 17 * SECOND
    grid.connected(start)
    begun = run(grid, start, 0.001, 300)
    fast = [(at - start) / SECOND for position, at in begun if position == 0]
    assert len(fast) > 100
    assert all(at % 60 < 2 for at in fast)
    assert {int(at // 60) for at in fast} >= {0, 1, 2}
    assert grid.skipped[0] == 0
    assert all(b - a == pytest.approx(0.1) for a, b in pairwise(fast[2:18]))


def test_a_burst_window_that_has_closed_meanwhile_is_not_read_late() -> None:
    grid = Grid("plc", [group(0.1, (1, 60)), group(5)])
    grid.connected(0)
    run(grid, 0, 0.001, 2)
    position, wait = grid.due(30 * SECOND)  # something else took half a minute
    assert (position, wait) == (1, 0)
    grid.started(1, 30 * SECOND)
    grid.finished(1, 30 * SECOND)
    assert grid.skipped[0] == pytest.approx(10, abs=1)
    while (found := grid.due(30 * SECOND))[0] != 0:
        grid.finished(found[0], 30 * SECOND + found[1])
        if found[1] > 40 * SECOND:
            break
    assert 30 * SECOND + grid.due(30 * SECOND)[1] >= 35 * SECOND


def test_a_reconnect_does_not_open_a_new_burst_window() -> None:
    grid = Grid("plc", [group(0.1, (1, 60))])
    grid.connected(0)
    grid.connected(20 * SECOND)
    position, wait = grid.due(20 * SECOND)
    assert position == 0
    assert 40 * SECOND <= wait < 40.2 * SECOND
