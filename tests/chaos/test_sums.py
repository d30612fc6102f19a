"""The judge of the sum must see every way in which it may not come out; and the plan must be the seed's."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.chaos.causes import Done, windows
from tests.chaos.ledger import Gap
from tests.chaos.plan import FAULTS, Fault, plan
from tests.chaos.sums import Served, Sum, judge, offsets, unjust

if TYPE_CHECKING:
    from collections.abc import Sequence

S = 10**9
DOWN = Gap("g", "link_down", "plc.words", 10 * S, 20 * S)
KILLED = Done(Fault(12.0, "plc", "kill", 5.0), 12 * S, 17 * S)

Stored = dict[str, dict[int, list[int]]]


def served(first: int = 0, last: int = 30) -> list[Served]:
    return [Served("plc.words", "w0", n * S, n) for n in range(first, last)]


def stored(*left_out: int, epoch: int = 0, ahead_s: int = 0) -> Stored:
    times = {n: [(n + ahead_s) * S + 2_000_000 + epoch] for n in range(30) if n not in left_out}
    return {"w0": times}


def judged(
    values: Stored, told: Sequence[Gap] = (), done: Sequence[Done] = (), clocks: Sequence[int] = (0,)
) -> Sum:
    ones = served()
    return judge(ones, values, told, windows(done, []), offset=offsets(ones, values, {}), clocks=clocks)


def test_all_that_is_stored_once_is_good() -> None:
    total = judged(stored())
    assert total.good
    assert (total.served, total.stored) == (30, 30)


def test_what_is_missing_inside_a_gap_with_a_right_cause_is_counted_by_it() -> None:
    total = judged(stored(12, 13), [DOWN], [KILLED])
    assert total.good
    assert total.in_gaps == {"link_down": 2}


def test_what_is_missing_without_a_gap_is_lost() -> None:
    total = judged(stored(12, 13))
    assert [one.value for one in total.lost] == [12, 13]
    assert not total.good


@pytest.mark.parametrize("done", [[], [Done(Fault(12.0, "broker", "kill", 5.0), 12 * S, 17 * S)]])
def test_a_gap_whose_cause_was_not_there_is_wrong(done: list[Done]) -> None:
    total = judged(stored(12), [DOWN], done)
    assert [one.value for one, _ in total.wrong] == [12]
    assert not total.good


def test_a_gap_in_which_nothing_was_served_needs_a_right_cause_as_well() -> None:
    own = Gap("h", "agent_off", "plc.words", 12 * S, 18 * S)
    right = windows([KILLED], [])
    assert not unjust([DOWN], right, (0, 30 * S), S)
    assert unjust([own], right, (0, 30 * S), S) == [(own, [(12 * S, 18 * S)])]
    assert not unjust([own], right, (0, 13 * S), S), "after the run nothing is judged"
    long = Gap("i", "link_down", "plc.words", 0, 20 * S)
    assert unjust([long], right, (0, 30 * S), S) == [(long, [(0, 8 * S)])]


def test_what_is_there_twice_or_was_never_served_is_found() -> None:
    values = stored()
    values["w0"][5].append(9 * S)
    values["w0"][99] = [9 * S]
    total = judged(values)
    assert [one.value for one in total.twice] == [5]
    assert total.invented == [("w0", 99)]
    assert not total.good


def test_a_clock_that_was_set_is_seen_through_and_one_that_nobody_has_set_is_odd() -> None:
    values = stored(12, epoch=7, ahead_s=3600)
    gap = Gap("g", "link_down", "plc.words", 10 * S, 20 * S)
    assert judged(values, [gap], [KILLED], (0, 3600 * S)).good
    assert judged(values, [gap], [KILLED], (0, 1800 * S)).odd
    values = stored()
    values["w0"][5] = [15 * S]
    assert [one.value for one, _ in judged(values).late] == [5]


def test_a_seed_gives_its_faults_and_no_target_suffers_two_at_a_time() -> None:
    faults = plan(3, 1800, 225)
    assert faults == plan(3, 1800, 225)
    assert faults != plan(4, 1800, 225)
    assert len(faults) == 225
    for target in FAULTS:
        own = [fault for fault in faults if fault.target == target]
        assert own, f"{target} is never met in half an hour"
        assert all(a.at_s + a.seconds <= b.at_s for a, b in itertools.pairwise(own))


def test_an_epoch_in_which_nothing_was_read_is_as_far_ahead_as_was_told() -> None:
    values = stored(epoch=12)
    base = 2_000_012
    assert offsets(served(), values, {13: 3 * S, 14: -S, 40: S}) == {12: base, 13: 3 * S + base, 14: 2 * S + base}
    assert offsets(served(), values, {12: 3 * S}) == {12: 2_000_012}, "what was read counts, not what was told"
