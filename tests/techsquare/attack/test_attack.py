"""What offers tell of a factory, over HTTP: the public band, and what is asked of three places in ninety days."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from techsquare.fit import versions
from techsquare.fit.versions import HOLDS_DAYS, MOST
from techsquare.privacy.bands import band
from tests.techsquare.attack.attack import SPOKEN, Attack
from tests.techsquare.attack.target import Secret
from tests.techsquare.privacy.attack import GRID

if TYPE_CHECKING:
    from tests.techsquare.attack.attack import Known
    from tests.techsquare.attack.conftest import World

SECRET = Secret()
both = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)


def inside(won: int) -> list[int]:
    """Return the budgets of a band, as far as the attackers tell them apart."""
    low, high = band(won)
    return [int(one) for one in GRID if low < one <= high]


def held(known: Known, pays: int, days: int) -> None:
    """Assert that nothing more is known than the platform says it tells."""
    assert set(inside(pays)) <= set(map(int, GRID[known.budgets])), "narrower than the public band"
    assert max(known.by_group.values()) <= MOST * (1 + days // HOLDS_DAYS), known.by_group
    assert len(set(known.words)) <= 1, "a later word of a fit test has told something"
    assert len(known.spoken) >= 2 ** (len(SPOKEN) - known.answers["spoken"])


def test_one_supplier_finds_the_band_and_nothing_in_it(world: World) -> None:
    target = world(SECRET)
    known = Attack(target, 30, 380).run()
    held(known, target.pays, 380)
    assert known.interval == (inside(target.pays)[0], inside(target.pays)[-1]), "it is a strong attacker"
    assert SECRET.tags in known.tags
    assert frozenset(SECRET.spoken) & set(SPOKEN) in known.spoken


def test_three_suppliers_of_different_owners_get_three_times_as_many_answers_and_the_same_band(
    world: World,
) -> None:
    target = world(SECRET, 3)
    known = Attack(target, 18, 100, all_read=9).run()
    held(known, target.pays, 100)
    assert len(known.by_group) == 3
    assert sum(known.by_group.values()) > MOST * (1 + 100 // HOLDS_DAYS), "more than one would get"
    assert SECRET.tags in known.tags


@both
def test_two_secrets_that_answer_alike_look_alike_in_everything_that_can_be_read(world: World) -> None:
    """Not an estimator but all of them: what is the same cannot tell them apart."""
    same = replace(SECRET, cash=68_500_000, tags=(0.8, 0.8, 0.8, None, 0.2))
    other = replace(SECRET, cash=330_000_000)
    runs = {}
    for secret in (SECRET, same, other):
        target = world(secret)
        if secret is other and target.registry.engine.dialect.name != "sqlite":
            continue
        attack = Attack(target, 6, 60, all_read=1)
        attack.run()
        runs[secret] = attack.transcript, target.chosen
    assert runs[SECRET][1] == runs[same][1]
    assert len(runs[SECRET][0]) > 80
    assert runs[SECRET][0] == runs[same][0]
    assert all(runs[SECRET][0] != run for secret, (run, _) in runs.items() if secret is other), "it is seen"


def test_without_bands_the_same_attacker_finds_the_budget(world: World) -> None:
    target = world(SECRET, exact=True)
    known = Attack(target, 18, 480, seen_as=lambda won: won, all_read=9, asks="price").run()
    low, high = known.interval
    assert low <= target.pays <= high
    assert high - low < 2_000_000, known.interval


def test_without_places_there_is_no_end_of_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST", 1_000)
    known = Attack(world(replace(SECRET, spoken=())), 12, 60, all_read=9, asks="spoken").run()
    assert known.by_group["ada"] > MOST * (1 + 60 // HOLDS_DAYS)
    assert known.spoken == [frozenset()]
