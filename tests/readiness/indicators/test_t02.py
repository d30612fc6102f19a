"""T02 Order, product and recipe context."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.base import Census, Missing, Outcome, Shares
from readiness.indicators.t02 import INDICATOR
from readiness.plant import About, Meaning
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import days_of, executing, told, view_of, working

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

STEP = 300
BASE = working(step_s=STEP)
HOUR = 3600 // STEP
NUMBER = np.arange(BASE.n) // (16 * HOUR)
"""An order lasts sixteen hours."""
ORDERS = [f"WO-{k}" for k in range(int(NUMBER[-1]) + 1)]
PRODUCT = NUMBER % 3
RECIPE = NUMBER % 3
NAMES = ("A", "B", "C")


def world(order: Ints = NUMBER, product: Ints = PRODUCT, recipe: Ints = RECIPE) -> Story:
    return told(
        BASE,
        order=(order, ORDERS, Meaning(role="order")),
        product=(product, NAMES, Meaning(role="product")),
        recipe=(recipe, ("R1", "R2", "R3"), Meaning(role="recipe")),
    )


def measure(story: Story) -> Outcome:
    return INDICATOR.evaluate(view_of(story), "press")


def found(story: Story) -> Shares:
    shares = measure(story)
    assert isinstance(shares, Shares)
    return shares


def test_all_three_known_of_executing_time() -> None:
    story = world()
    assert found(story).den == pytest.approx(days_of(story, executing(story)))
    assert found(story).num == pytest.approx(days_of(story, executing(story)))
    gaps = [BASE.clock() % 3 < 0.5, BASE.clock() % 4 < 1, BASE.clock() % 5 < 1]
    rows = [np.where(gap, NOTHING, row) for gap, row in zip(gaps, (NUMBER, PRODUCT, RECIPE), strict=True)]
    shares = found(world(*rows))
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~np.any(gaps, axis=0)))
    assert shares.flags == ()


def test_that_there_is_one_product_is_not_believed_of_a_machine_that_shows_three() -> None:
    story = world(recipe=NUMBER * 0)
    mixed = replace(story, about={"about": {"press": About(single_product="yes")}})
    lost = replace(mixed, tracks={**mixed.tracks, "product": (np.full(BASE.n, NOTHING), NAMES)})
    hidden = np.where(BASE.clock() < 6, NOTHING, PRODUCT)
    part = replace(mixed, tracks={**mixed.tracks, "product": (hidden, NAMES)})
    for of in (mixed, part):
        assert found(of).num.tolist() == found(replace(of, about={})).num.tolist()
    assert found(lost).num.sum() == found(lost).den.sum()  # nothing contradicts it


def test_an_order_that_stays_open_when_the_product_changes_is_stale_until_it_changes() -> None:
    order = np.where((NUMBER == 4) | (NUMBER == 5), 3, NUMBER)  # 3 is left open over two more
    story = world(order)
    shares = found(story)
    assert shares.num == pytest.approx(days_of(story, executing(story) & (NUMBER != 4) & (NUMBER != 5)))
    assert shares.flags == ("STALE_ORDER",)
    back = world(
        np.where((NUMBER == 4) | (NUMBER == 5) | (NUMBER == 6), 3, NUMBER)
    )  # 6 is of product A again, as 3
    shares = found(back)
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~np.isin(NUMBER, [4, 5, 6])))


def test_a_recipe_of_another_product_does_not_fit() -> None:
    wrong = RECIPE.copy()
    part = (NUMBER == 2) & (np.arange(BASE.n) % (16 * HOUR) >= 6 * HOUR)
    wrong[part] = (RECIPE[part] + 1) % 3
    shares = found(world(recipe=wrong))
    assert shares.num == pytest.approx(days_of(world(), executing(BASE) & ~part))


def test_signals_that_change_a_little_apart_only_lose_that_time() -> None:
    late = np.roll(PRODUCT, 2)  # ten minutes behind the order
    late[:2] = PRODUCT[0]
    shares = found(world(product=late))
    assert shares.num == pytest.approx(days_of(world(), executing(BASE) & (late == PRODUCT)))
    assert shares.num.sum() > 0.97 * shares.den.sum()


def test_an_order_that_is_never_closed_is_worth_nothing() -> None:
    constant = np.zeros(BASE.n, np.int64)
    never = world(constant, constant, constant)
    shares = found(never)
    assert shares.num.sum() == 0  # the machine was set up each day
    assert shares.flags == ("STALE_ORDER",)
    calm = np.where(BASE.tracks["state"][0] == 2, 1, BASE.tracks["state"][0])
    one = replace(never, tracks={**never.tracks, "state": (calm, BASE.tracks["state"][1])})
    assert found(one).num == pytest.approx(found(one).den)  # nothing shows that it should have been closed
    lots = told(one, lot=(NUMBER, ORDERS, Meaning(role="lot")))
    assert found(lots).num.sum() == 0


def test_a_plant_with_one_product_needs_no_product_signal() -> None:
    story = world()
    bare = replace(story, meanings={k: m for k, m in story.meanings.items() if k != "product"})
    assert measure(bare) == Missing("NA_NO_EVIDENCE")
    only = replace(bare, about={"about": {"press": About(single_product="yes")}})
    assert found(only).num == pytest.approx(days_of(story, executing(story)))


def test_our_own_outages_do_not_count() -> None:
    off = BASE.clock() < 3
    story = replace(world(np.where(off, NOTHING, NUMBER)), censored=off)
    shares = found(story)
    assert shares.den == pytest.approx(days_of(story, executing(story) & ~off))
    assert shares.num == pytest.approx(shares.den)


@pytest.mark.parametrize("name", ["order", "product", "recipe", "state"])
def test_withheld_or_guessed_roles_are_not_assessed(name: str) -> None:
    story = world()
    guess = replace(story, meanings={**story.meanings, name: replace(story.meanings[name], origin="guess")})
    assert measure(guess) == Missing("NA_ROLE_UNCONFIRMED")
    gone = replace(story, meanings={k: m for k, m in story.meanings.items() if k != name})
    assert measure(gone) == Missing("NA_NO_EVIDENCE")
    said = measure(replace(gone, about={"about": {"press": About(elsewhere="no")}}))
    if name == "state":
        assert said == Missing("NA_NO_EVIDENCE")
    else:
        assert isinstance(said, Census)
        assert said.value == 0.0


def test_not_assessed_without_schedule_or_days() -> None:
    assert measure(replace(world(), calendar=WITHOUT_SCHEDULE)) == Missing("NA_NO_SCHEDULE")
    assert INDICATOR.evaluate(replace(view_of(world()), length=7), "press") == Missing("NA_SHORT_WINDOW")
