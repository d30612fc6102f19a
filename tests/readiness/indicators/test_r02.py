"""R02 Joint observability."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from readiness.indicators.base import Missing, Shares
from readiness.indicators.r02 import INDICATOR, at_least
from readiness.plant import About, Meaning
from readiness.spans import Spans
from tests.readiness.indicators.press import PV, TOTAL, noisy, pieces
from tests.readiness.indicators.story import MAIN, NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import days_of, executing, told, view_of, working

BASE = working(step_s=300)
VALUES = {f"pv{k}": noisy(BASE.n, k) for k in range(3)}


def world(**more: object) -> Story:
    """Return a story in which everything is known."""
    story = told(BASE, product=(np.arange(BASE.n) // 600 % 2, ("A", "B"), Meaning(role="product")))
    meanings = {**story.meanings, "total": TOTAL, **dict.fromkeys(VALUES, PV)}
    counters = {"total": pieces(BASE.tracks["state"][0])}
    return replace(story, counters=counters, values=VALUES, meanings=meanings, **more)  # type: ignore[arg-type]


def found(story: Story) -> Shares:
    shares = INDICATOR.evaluate(view_of(story), "press")
    assert isinstance(shares, Shares)
    return shares


def test_at_least_k_of_sets_is_what_counting_instants_says() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        masks = rng.random((5, 60)) < 0.6
        sets = [Spans.of((i, i + 1) for i in np.flatnonzero(mask).tolist()) for mask in masks]
        for k in (1, 3, 5):
            want = Spans.of((i, i + 1) for i in np.flatnonzero(masks.sum(axis=0) >= k).tolist())
            assert at_least(sets, k) == want


def test_only_what_is_known_at_one_instant_counts() -> None:
    story = world()
    assert found(story).num == pytest.approx(found(story).den)
    # Each value misses a tenth, at different times: alone 0.9 each, together 0.7.
    tenth = np.arange(story.n) % 10
    values = {name: np.where(tenth == k, np.nan, row) for k, (name, row) in enumerate(VALUES.items())}
    shares = found(replace(story, values=values))
    work = executing(story)
    assert shares.den == pytest.approx(days_of(story, work))
    assert shares.num == pytest.approx(days_of(story, work & (tenth > 2)))
    # With a fourth value three at once are known for longer.
    more = replace(story, values={**values, "pv3": noisy(story.n, 9)}, meanings={**story.meanings, "pv3": PV})
    assert found(more).num == pytest.approx(days_of(story, work))


@pytest.mark.parametrize("name", ["product", "total", "pv1"])
def test_each_key_signal_is_needed(name: str) -> None:
    story = world()
    gone = story.clock() % 2 < 0.5
    tracks = {k: (np.where(gone & (k == name), NOTHING, row), labels) for k, (row, labels) in story.tracks.items()}
    counters = {k: np.where(gone & (k == name), NOTHING, row) for k, row in story.counters.items()}
    values = {k: np.where(gone & (k == name), np.nan, row) for k, row in story.values.items()}
    shares = found(replace(story, tracks=tracks, counters=counters, values=values))
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~gone))


def test_uncertain_values_are_no_observation() -> None:
    story = world()
    doubtful = story.clock() % 3 < 1
    shares = found(replace(story, uncertain={"pv2": doubtful}))
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~doubtful))


def test_a_machine_that_goes_dark_loses_what_it_probably_executed() -> None:
    story = world()
    dark = (np.arange(story.n) * 7919 // 13) % 10 == 0  # a tenth of all readings, spread over everything
    tracks = {k: (np.where(dark, NOTHING, row), labels) for k, (row, labels) in story.tracks.items()}
    counters = {k: np.where(dark, NOTHING, row) for k, row in story.counters.items()}
    values = {k: np.where(dark, np.nan, row) for k, row in story.values.items()}
    shares = found(replace(story, tracks=tracks, counters=counters, values=values))
    truth = float((executing(story) & ~dark).sum() / executing(story).sum())
    assert float(shares.num.sum() / shares.den.sum()) == pytest.approx(truth, abs=0.005)
    assert truth < 0.92


def test_our_own_outages_and_time_out_of_service_count_on_neither_side() -> None:
    story = world()
    off = story.clock() < 2
    lost = {k: (np.where(off, NOTHING, row), labels) for k, (row, labels) in story.tracks.items()}
    shares = found(replace(story, tracks=lost, censored=off))
    assert shares.den == pytest.approx(days_of(story, executing(story) & ~off))
    assert shares.num == pytest.approx(shares.den)


def test_a_plant_with_one_product_needs_no_product_signal() -> None:
    story = world()
    bare = replace(story, tracks={"state": story.tracks["state"]})
    assert INDICATOR.evaluate(view_of(bare), "press") == Missing("NA_NO_EVIDENCE")
    only = replace(bare, about={"about": {"press": About(single_product="yes")}})
    assert found(only).num == pytest.approx(days_of(story, executing(story)))


def test_values_of_two_sources_have_to_meet() -> None:
    story = world(sources={"pv0": "press-gauge.main"})
    assert MAIN not in story.sources.values()
    assert found(story).num == pytest.approx(days_of(story, executing(story)))


@pytest.mark.parametrize("name", ["state", "total", "pv0", "product"])
def test_withheld_or_guessed_roles_are_not_assessed(name: str) -> None:
    story = world()
    role = story.meanings[name].role
    guess = replace(story, meanings={**story.meanings, name: Meaning(role=role, origin="guess")})
    assert INDICATOR.evaluate(view_of(guess), "press") == Missing("NA_ROLE_UNCONFIRMED")
    none = replace(story, meanings={k: m for k, m in story.meanings.items() if k != name})
    assert INDICATOR.evaluate(view_of(none), "press") == Missing("NA_NO_EVIDENCE")


def test_not_assessed_without_schedule_or_days() -> None:
    story = world()
    assert INDICATOR.evaluate(view_of(replace(story, calendar=WITHOUT_SCHEDULE)), "press") == Missing(
        "NA_NO_SCHEDULE"
    )
    assert INDICATOR.evaluate(replace(view_of(story), length=7), "press") == Missing("NA_SHORT_WINDOW")
