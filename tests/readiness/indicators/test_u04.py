"""U04 Recipe download."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.base import Events, Missing
from readiness.indicators.u04 import INDICATOR, at_once
from readiness.plant import Meaning
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import told, view_of, working

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

STEP = 20
MINUTE = 60 // STEP
BASE = working(step_s=STEP)
SP = Meaning(role="sp")
HOURS = (1, 4, 8)
AT = np.array([day * BASE.per_day + hour * 3600 // STEP for day in range(14) if day % 7 < 5 for hour in HOURS])
"""Thirty changeovers in planned time."""


def stepped(
    at: Ints,
) -> tuple[Ints, range]:
    row = np.zeros(BASE.n, np.int64)
    row[np.asarray(at, np.int64)] = 1
    return np.cumsum(row) % 2, range(1, 3)


def world(delays: list[list[int]], at: Ints = AT) -> Story:
    """Return a story with a set point for each list: by how many readings it moves after each changeover."""
    story = told(BASE, product=(*stepped(at), Meaning(role="product", states={})))
    for number, of in enumerate(delays):
        later = np.sort(at[: len(of)] + np.array(of, np.int64))
        story = told(story, **{f"sp{number}": (*stepped(later), SP)})
    return story


def found(story: Story) -> Events:
    events = INDICATOR.evaluate(view_of(story), "press")
    assert isinstance(events, Events)
    return events


def test_three_of_four_within_a_minute_count() -> None:
    n = len(AT)
    together = world([[0] * n, [1] * n, [MINUTE] * n, [25 * MINUTE] * n])
    assert found(together).num.sum() == n
    apart = world([[0] * n, [1] * n, [MINUTE + 1] * n, [25 * MINUTE] * n])
    assert found(apart).num.sum() == 0
    assert found(apart).den.tolist() == [3.0 * (day % 7 < 5) for day in range(14)]
    assert found(together).flags == ("RECIPE_ATOMIC",)


def test_one_set_point_that_changes_three_times_is_not_three() -> None:
    begins = np.concatenate([AT, AT + 1, AT + 2])
    story = world([[0] * len(AT), [30 * MINUTE] * len(AT)])
    story = told(story, sp2=(*stepped(np.sort(begins)), SP))
    assert found(story).num.sum() == 0


def test_set_points_may_move_before_the_product_but_not_long_before() -> None:
    n = len(AT)
    assert found(world([[-9 * MINUTE] * n] * 3)).num.sum() == n
    assert found(world([[-11 * MINUTE] * n] * 3)).num.sum() == 0


def test_set_points_of_one_changeover_do_not_serve_the_next_when_the_product_is_unknown_between() -> None:
    last = AT[1::3]  # the second of each day; of its product one hears for three minutes only
    slow = np.isin(np.arange(len(AT)) % 3, [2])
    story = world([[0] * len(AT), np.where(slow, 4 * MINUTE, 0).tolist(), np.where(slow, 8 * MINUTE, 0).tolist()])
    row, labels = story.tracks["product"]
    dark = np.array(row)
    for begin, end in zip(last.tolist(), AT[2::3].tolist(), strict=True):
        dark[begin + 3 * MINUTE : end] = NOTHING
    story = replace(story, tracks={**story.tracks, "product": (dark, labels)})
    assert found(story).den.sum() == len(AT)
    assert found(story).num.sum() == (~slow).sum()


def test_set_points_of_the_next_changeover_do_not_serve_the_one_before_when_the_product_is_unknown_within_it() -> (
    None
):
    slow = np.isin(np.arange(len(AT)) % 3, [1])  # its product is heard of three minutes before the next one's
    story = world([[0] * len(AT), np.where(slow, 4 * MINUTE, 0).tolist(), np.where(slow, 8 * MINUTE, 0).tolist()])
    row, labels = story.tracks["product"]
    dark = np.array(row)
    for begin, end in zip(AT[1::3].tolist(), AT[2::3].tolist(), strict=True):
        dark[begin : end - 3 * MINUTE] = NOTHING
    story = replace(story, tracks={**story.tracks, "product": (dark, labels)})
    assert found(story).den.sum() == len(AT)
    assert found(story).num.sum() == (~slow).sum()


def test_mixed_changeovers_are_counted_one_by_one() -> None:
    rng = np.random.default_rng(8)
    delays = rng.choice([0, 1, MINUTE, 2 * MINUTE, 5 * MINUTE], (4, len(AT)))
    truth = sum(
        max(((column >= a) & (column <= a + MINUTE)).sum() for a in column.tolist()) >= 3 for column in delays.T
    )
    assert found(world(delays.tolist())).num.sum() == truth
    assert 0 < truth < len(AT)


def test_at_once_is_what_trying_all_minutes_says() -> None:
    rng = np.random.default_rng(9)
    second = 1_000_000_000
    for _ in range(200):
        rows = [np.sort(rng.integers(0, 300, int(rng.integers(0, 4)))) * second for _ in range(4)]
        want = any(sum(((row >= s) & (row <= s + 60 * second)).any() for row in rows) >= 3 for r in rows for s in r)
        assert at_once(rows, 0, 300 * second) == want


def test_changeovers_of_unknown_set_points_or_outside_of_what_counts_are_left_out() -> None:
    n = len(AT)
    story = world([[0] * n] * 3)
    dark = np.zeros(BASE.n, np.bool_)
    for reading in AT[:7].tolist():
        dark[reading : reading + 8 * MINUTE] = True
    row, labels = story.tracks["sp1"]
    unknown = replace(story, tracks={**story.tracks, "sp1": (np.where(dark, NOTHING, row), labels)})
    assert found(unknown).den.sum() == n - 7
    off = BASE.clock() < 2
    assert found(replace(story, censored=off)).den.sum() == n - 10


def test_fewer_than_five_changeovers_are_not_assessed() -> None:
    assert INDICATOR.evaluate(view_of(world([[0] * 4] * 3, AT[:4])), "press") == Missing("NA_FEW_EVENTS")
    assert found(world([[0] * 5] * 3, AT[:5])).num.sum() == 5


@pytest.mark.parametrize(("name", "role"), [("product", "product"), ("sp0", "sp")])
def test_withheld_or_guessed_roles_are_not_assessed(name: str, role: str) -> None:
    story = world([[0] * len(AT)] * 3)
    every = [n for n in story.meanings if n.startswith(name[:2]) and story.meanings[n].role == role]
    guess = {n: replace(story.meanings[n], origin="guess") for n in every}
    guessed = replace(story, meanings={**story.meanings, **guess})
    assert INDICATOR.evaluate(view_of(guessed), "press") == Missing("NA_ROLE_UNCONFIRMED")
    none = replace(story, meanings={n: m for n, m in story.meanings.items() if n not in every})
    assert INDICATOR.evaluate(view_of(none), "press") == Missing("NA_NO_EVIDENCE")


def test_orders_alone_are_no_changeovers() -> None:
    story = world([[0] * len(AT)] * 3)
    orders = {**story.meanings, "product": Meaning(role="order")}
    assert INDICATOR.evaluate(view_of(replace(story, meanings=orders)), "press") == Missing("NA_NO_EVIDENCE")
    recipes = {**story.meanings, "product": Meaning(role="recipe")}
    assert found(replace(story, meanings=recipes)).num.sum() == len(AT)


def test_not_assessed_without_schedule_or_enough_set_points() -> None:
    story = world([[0] * len(AT)] * 3)
    assert INDICATOR.evaluate(view_of(replace(story, calendar=WITHOUT_SCHEDULE)), "press") == Missing(
        "NA_NO_SCHEDULE"
    )
    assert INDICATOR.evaluate(view_of(world([[0] * len(AT)] * 2)), "press") == Missing("NA_NO_EVIDENCE")
