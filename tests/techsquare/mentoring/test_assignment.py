"""Mentors: as good as trying everything, the same on any order of rows, and what is told can be checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from techsquare.mentoring.assignment import BARRIERS, assign, barriers, forced, points
from techsquare.mentoring.terms import Mentor, Points, Seeker
from techsquare.ties import digest
from tests.techsquare.mentoring.made import best, made


def check(seed: int, factories: int = 5, mentors: int = 4) -> int:
    """Hold one instance against trying everything; return how many have a mentor."""
    seekers, helpers = made(seed, factories, mentors)
    found = assign(seekers, helpers, seed="s")
    count = sum(one.mentor is not None for one in found.given)
    assert (count, found.points) == best(seekers, helpers)
    by_id = {one.id: one for one in helpers}
    for one, seeker in zip(found.given, sorted(seekers, key=lambda one: one.factory), strict=True):
        assert one.barriers == {two.id: barriers(seeker, two) for two in helpers if barriers(seeker, two)}
        if one.mentor is not None:
            assert not barriers(seeker, by_id[one.mentor])
            assert one.lacking == seeker.skills - by_id[one.mentor].skills
    used = [one.mentor for one in found.given]
    assert all(used.count(two.id) <= max(0, two.capacity - two.taken) for two in helpers)
    return count


def test_it_is_as_good_as_trying_everything() -> None:
    assert sum(check(seed) for seed in range(150)) > 300


def test_what_a_forced_pair_costs_is_what_trying_everything_says() -> None:
    told = {"barrier": 0, "pushes": 0, "free": 0, "dear": 0}
    for seed in range(40):
        seekers, helpers = made(seed, 4, 3)
        count, least = best(seekers, helpers)
        for one in seekers:
            for two in helpers:
                more = forced(seekers, helpers, seed="s", factory=one.factory, mentor=two.id)
                if barriers(one, two):
                    assert more is None
                    told["barrier"] += 1
                    continue
                other, cost = best(seekers, helpers, (one.factory, two.id))
                assert more == (None if other < count else cost - least)
                told["pushes" if more is None else "dear" if more else "free"] += 1
    assert min(told.values()) > 5


def test_the_order_of_rows_changes_nothing_and_the_seed_decides_ties() -> None:
    seekers, helpers = made(3, 60, 20)
    found = assign(seekers, helpers, seed="2026-11")
    rng = np.random.default_rng(1)
    for _ in range(5):
        mixed = [seekers[at] for at in rng.permutation(len(seekers))]
        others = [helpers[at] for at in rng.permutation(len(helpers))]
        assert assign(mixed, others, seed="2026-11") == found
    like = [Mentor(f"m{at}", True, 1, 0, frozenset({"r"}), frozenset()) for at in range(20)]
    one = [Seeker("f", "r", frozenset(), 0)]
    for seed in map(str, range(30)):
        chosen = assign(one, like, seed=seed).given[0].mentor
        assert chosen == min(like, key=lambda two: digest(seed, "f", two.id) % (1 << 16)).id
    assert len({assign(one, like, seed=str(seed)).given[0].mentor for seed in range(30)}) > 10


def test_lifting_exactly_the_barriers_makes_a_pair_possible() -> None:
    rng = np.random.default_rng(2)
    seen: set[str] = set()
    for seed in range(60):
        seekers, helpers = made(seed, 4, 4)
        one, two = seekers[int(rng.integers(4))], helpers[int(rng.integers(4))]
        stands = barriers(one, two)
        seen |= stands
        for left in stands:
            assert barriers(*lifted(one, two, stands - {left})) == {left}
        assert not barriers(*lifted(one, two, stands))
    assert seen == set(BARRIERS)


def lifted(one: Seeker, two: Mentor, names: frozenset[str]) -> tuple[Seeker, Mentor]:
    """Return a pair without some barriers."""
    if "inactive" in names:
        two = replace(two, active=True)
    if "refused" in names:
        one = replace(one, refused=frozenset())
    if "conflict" in names:
        two = replace(two, related=frozenset())
    if "region" in names:
        two = replace(two, regions=two.regions | {one.region})
    if "full" in names:
        two = replace(two, capacity=two.taken + 1)
    return one, two


def test_who_has_waited_longest_has_one_when_there_are_too_few() -> None:
    mentor = Mentor("m", True, 2, 1, frozenset({"r"}), frozenset({"mes"}))
    seekers = [Seeker(f"f{days}", "r", frozenset({"mes"}), days) for days in (10, 200, 30)]
    found = {one.factory: one.mentor for one in assign(seekers, [mentor], seed="s").given}
    assert found == {"f10": None, "f200": "m", "f30": None}


def test_points_are_the_published_ones() -> None:
    mentor = Mentor("m", True, 4, 1, frozenset({"r"}), frozenset({"mes"}))
    seeker = Seeker("f", "r", frozenset({"mes", "press", "energy"}), 400)
    assert points(seeker, mentor, 1) == Points(skills=40, load=50, waited=-365)
    assert points(seeker, mentor, 3).total == 40 + 100 - 365


def test_twice_or_too_many_is_refused() -> None:
    seekers, helpers = made(1, 3, 2)
    with pytest.raises(ValueError, match="twice"):
        assign([*seekers, seekers[0]], helpers, seed="s")
    with pytest.raises(ValueError, match="twice"):
        assign(seekers, [*helpers, helpers[0]], seed="s")
    assert assign([], [], seed="s").given == []
    assert assign(seekers, [], seed="s").points == 0
    with pytest.raises(KeyError):
        forced(seekers, helpers, seed="s", factory="nobody", mentor="m0")
