"""The plan is the best there is, and keeps every rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.problem import problem
from techsquare.roadmap.search import best
from techsquare.roadmap.terms import PHASES
from techsquare.roadmap.worth import objective
from techsquare.span import exactly
from tests.techsquare.roadmap.brute import Brute
from tests.techsquare.roadmap.held import WON, assert_kept
from tests.techsquare.roadmap.made import Case, case


def made(seed: int, count: int = 9) -> Case:
    return case(np.random.default_rng([seed, 62]), count)


@pytest.mark.parametrize("seed", [*range(14), *range(15, 20)])
def test_no_plan_is_worth_more(seed: int) -> None:
    given = made(seed, 9 + seed % 4)
    numbers = problem(*given, {})
    found = best(numbers)
    assert found.proven
    assert objective(numbers, found) == pytest.approx(Brute(given).best().worth, abs=WON)


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_plan_keeps_every_rule(seed: int) -> None:
    given = made(seed)
    assert_kept(given, roadmap(*given, reasons=False))


@pytest.mark.parametrize("seed", range(200, 205))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    given, rng = made(seed), np.random.default_rng(seed)
    other = given._replace(
        measures=tuple(given.measures[i] for i in rng.permutation(len(given.measures))),
        losses={place: given.losses[place] for place in reversed(list(given.losses))},
        programmes=given.programmes[::-1],
    )
    assert repr(roadmap(*given, reasons=False)) == repr(roadmap(*other, reasons=False))


@pytest.mark.parametrize("resource", ["cash", "support", "staff_days"])
def test_more_of_a_resource_never_lowers_the_worth(resource: str) -> None:
    for seed in range(300, 306):
        given, rng = made(seed), np.random.default_rng(seed)
        before = -1.0
        for _ in range(4):
            numbers = problem(*given, {})
            worth = objective(numbers, best(numbers))
            assert worth >= before - WON
            before, phase = worth, int(rng.integers(PHASES))
            had = list(getattr(given.means, resource))
            had[phase] += 6 if resource == "staff_days" else int(rng.integers(1, 12)) * 10**6
            more: dict[str, Any] = {resource: had}
            given = given._replace(means=replace(given.means, **more))


def test_nothing_is_a_plan_too() -> None:
    given = made(1)
    broke = replace(given.means, cash=(0, 0, 0), support=(0, 0, 0))
    free = tuple(replace(m, cost=exactly(1e6 + m.cost.low)) for m in given.measures)
    found = roadmap(*given._replace(means=broke, measures=free), reasons=False)
    assert (found.chosen, found.value, found.bound, found.proven_optimal) == ([], 0, 0, True)
    assert roadmap((), {}, given.means, (), given.begins).not_now == []


@pytest.mark.parametrize("seed", [400, 402, 403, 404])
def test_a_search_that_is_cut_short_tells_what_it_has_not_seen(seed: int) -> None:
    given = made(seed, 12)
    found = roadmap(*given, reasons=False, nodes=1)
    assert_kept(given, found)
    best_of_all = Brute(given).best().worth
    assert found.bound >= best_of_all - 300_000 - WON
    assert not found.proven_optimal or found.value >= best_of_all - 300_000 - WON


def test_what_does_not_fit_together_is_refused() -> None:
    given = made(2)
    one, other, *rest = given.measures
    circle = (replace(one, needs=frozenset({other.id})), replace(other, needs=frozenset({one.id})), *rest)
    clear = replace(given.means, standing=frozenset())
    with pytest.raises(ValueError, match=r"need one another: m00, m01"):
        roadmap(*given._replace(measures=circle, means=clear))
    with pytest.raises(ValueError, match="same id"):
        roadmap(*given._replace(measures=(one, one), means=clear))
    with pytest.raises(ValueError, match="3 phases"):
        roadmap(*given._replace(means=replace(clear, cash=(1, 2))))
