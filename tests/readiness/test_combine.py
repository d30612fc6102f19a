"""From outcomes of machines to values: means, mixtures, caps, coverage."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.report import Reason
from readiness.combine import CHEAPEST, Combiner, measure, point
from readiness.indicators import REGISTRY
from readiness.indicators.base import (
    Buckets,
    Census,
    Events,
    Given,
    Missing,
    Outcome,
    Rates,
    Sample,
    Shares,
)
from readiness.intervals import events, rates, sample
from readiness.inventory import Machine
from readiness.sketch import value
from readiness.stats import Interval, interval
from tests.readiness.plant import model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.indicators.base import Found
    from readiness.view import View

    Floats = NDArray[np.float64]

DAYS = 20


def row(low: float, high: float, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(low, high, DAYS)


def whole(high: float, seed: int) -> Floats:
    return np.random.default_rng(seed).integers(0, round(high), DAYS).astype(float)


FULL = np.full(DAYS, 10.0)
KINDS: dict[str, Found] = {
    "shares": Shares(row(8, 10, 1), FULL),
    "events": Events(whole(10, 2), FULL),
    "rates": Rates(whole(30, 3), FULL, per=1.0),
    "per": Rates(whole(30, 4), FULL, per=100.0),
    "buckets": Buckets(tuple(Counter({5: 90, 40 + k % 7: 10}) for k in range(DAYS)), 0.5),
    "sample": Sample((1.0, 2.0, 3.0, 5.0, 8.0, 13.0)),
    "given": Given(0.5, 0.4, 0.7, 12),
    "census": Census(0.25, 4),
}


def test_values_of_each_kind_by_hand() -> None:
    expected = {
        "shares": row(8, 10, 1).sum() / 200,
        "events": whole(10, 2).sum() / 200,
        "rates": whole(30, 3).sum() / 200,
        "per": whole(30, 4).sum() / 2,
        "buckets": value(5),
        "sample": 4.0,
        "given": 0.5,
        "census": 0.25,
    }
    for kind, found in KINDS.items():
        assert point(found) == pytest.approx(expected[kind]), kind
        assert measure([found], np.ones(1), 1).value == pytest.approx(expected[kind]), kind


def test_each_kind_alone_has_its_own_interval() -> None:
    one = np.ones(1)

    def rows(kind: str) -> tuple[Floats, Floats]:
        found = cast("Shares", KINDS[kind])
        return found.num[None, :], found.den[None, :]

    def same(kind: str, expected: Interval) -> None:
        found = measure([KINDS[kind]], one, 7)
        assert isinstance(found, Interval)
        assert (found.lo, found.hi, found.n) == pytest.approx((expected.lo, expected.hi, expected.n)), kind

    same("shares", interval(*rows("shares"), one, 7))
    same("events", events(*rows("events"), one, 7))
    same("rates", rates(*rows("rates"), one, 7))
    same("per", rates(*rows("per"), one, 7, 100.0))
    same("sample", sample(cast("Sample", KINDS["sample"]).values))
    same("given", Interval(0.5, 0.4, 0.7, 12, 12))


@given(
    st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6),
    st.lists(st.integers(1, 9), min_size=6, max_size=6),
)
def test_a_mixture_is_the_weighted_mean_and_has_a_width_unless_all_was_looked_at(
    kinds: list[str], numbers: list[int]
) -> None:
    weights = np.array(numbers[: len(kinds)], np.float64)
    found = [KINDS[kind] for kind in kinds]
    mixed = measure(found, weights, 3)
    expected = sum(w * point(o) for w, o in zip(weights.tolist(), found, strict=True)) / weights.sum()
    assert mixed.value == pytest.approx(expected)
    assert isinstance(mixed, Census) == (set(kinds) == {"census"})
    if isinstance(mixed, Interval):
        assert mixed.lo < mixed.hi
        assert mixed.lo <= mixed.value + 1e-12
        assert mixed.hi >= mixed.value - 1e-12
    # The order of machines changes nothing.
    again = measure(found[::-1], weights[::-1], 3)
    assert again.value == pytest.approx(mixed.value)


def test_what_was_looked_at_completely_narrows_the_rest_by_its_weight() -> None:
    alone = measure([KINDS["shares"]], np.ones(1), 3)
    mixed = measure([KINDS["shares"], Census(1.0, 1)], np.array([1.0, 3.0]), 3)
    assert isinstance(alone, Interval)
    assert isinstance(mixed, Interval)
    assert mixed.lo == pytest.approx(0.25 * alone.lo + 0.75)
    assert mixed.hi == pytest.approx(0.25 * alone.hi + 0.75)


def test_rates_of_machines_and_events_of_others_make_one_value() -> None:
    """A03: cycles per piece where there is a counter, levels seen elsewhere."""
    parts = [KINDS["rates"], KINDS["events"]]
    mixed = measure(parts, np.array([2.0, 1.0]), 3)
    a, b = (measure([p], np.ones(1), 3) for p in parts)
    assert isinstance(mixed, Interval)
    assert isinstance(a, Interval)
    assert isinstance(b, Interval)
    assert mixed.lo == pytest.approx((2 * a.lo + b.lo) / 3)
    assert mixed.hi == pytest.approx((2 * a.hi + b.hi) / 3)


def combiner(machines: Sequence[Machine], counting: float = 1.0) -> Combiner:
    planned = np.ones(DAYS)
    view = SimpleNamespace(
        planned=planned,
        model=model(),
        inventory=machines,
        dates=[date(2026, 10, 1) + timedelta(days=k) for k in range(DAYS)],
        counting=lambda _: counting * planned,
        roles=lambda _: Counter({"confirmed": 2}),
    )
    return Combiner(cast("View", view), "0" * 16)


THREE = [Machine("a", "a", 1.0), Machine("b", "b", 2.0), Machine("c", "c", 1.0)]


def test_a_cap_takes_from_the_score_and_never_from_the_value() -> None:
    found = Shares(FULL, FULL, cap=60.0, flags=("FORWARD_FILL",), shown={"gap_s": 1 / 3, "word": "x"})
    one = combiner(THREE).machine(REGISTRY["A01"], "a", found)
    assert (one.value, one.score, one.cap, one.flags) == (1.0, 60.0, 60.0, ["FORWARD_FILL"])
    assert one.shown == {"gap_s": 0.333333, "word": "x"}
    # Half of the plant's weight loses 40 points each: the plant loses 20.
    rest = Shares(FULL, FULL, flags=("RESTING_TOGETHER",))
    plant = combiner(THREE).plant(REGISTRY["A01"], {"a": rest, "b": found, "c": rest})
    assert (plant.value, plant.score, plant.cap) == (1.0, 80.0, 80.0)
    assert plant.flags == ["FORWARD_FILL", "RESTING_TOGETHER"]
    assert plant.shown == {"assessed": 3, "machines": 3}


def test_a_cap_above_the_score_takes_nothing() -> None:
    found = Shares(0.95 * FULL, FULL, cap=60.0)
    assert combiner(THREE).machine(REGISTRY["A01"], "a", found).score == 50.0


def test_what_is_not_assessed_leaves_the_mean_and_shows_in_the_coverage() -> None:
    half = Shares(0.5 * FULL, FULL)
    outcomes: dict[str, Outcome] = {"a": half, "b": Missing("NA_SHORT_WINDOW"), "c": Missing("NOT_APPLICABLE")}
    found = combiner(THREE).plant(REGISTRY["A01"], outcomes)
    assert found.value == 0.5
    assert found.coverage == pytest.approx(1 / 3, abs=1e-6)  # of a and b; c leaves the denominator
    assert combiner(THREE, 0.75).plant(REGISTRY["A01"], outcomes).coverage == pytest.approx(0.25)


def test_the_reason_of_the_most_weight_is_told_when_nothing_is_assessed() -> None:
    outcomes: dict[str, Outcome] = {
        "a": Missing("NA_NO_EVIDENCE"),
        "b": Missing("NA_SHORT_WINDOW"),
        "c": Missing("NOT_APPLICABLE"),
    }
    assert combiner(THREE).plant(REGISTRY["A01"], outcomes).reason == "NA_SHORT_WINDOW"
    assert combiner([]).plant(REGISTRY["A01"], {}).reason == "NA_NO_INVENTORY"
    # What does not apply to most machines is still missing at the one to which it does.
    heavy = [Machine("a", "a", 1.0), Machine("c", "c", 9.0)]
    assert combiner(heavy).plant(REGISTRY["A01"], outcomes).reason == "NA_NO_EVIDENCE"
    assert combiner(heavy[1:]).plant(REGISTRY["A01"], outcomes).reason == "NOT_APPLICABLE"


def test_of_reasons_with_the_same_weight_the_one_that_is_mended_first_is_told() -> None:
    two = [Machine("a", "a", 1.0), Machine("b", "b", 1.0)]
    outcomes: dict[str, Outcome] = {"a": Missing("NA_NO_EVIDENCE"), "b": Missing("NA_ROLE_UNCONFIRMED")}
    assert combiner(two).plant(REGISTRY["A01"], outcomes).reason == "NA_ROLE_UNCONFIRMED"
    assert set(CHEAPEST) == {*get_args(Reason)} - {"NOT_APPLICABLE"}
    assert len(CHEAPEST) == len(set(CHEAPEST))


def test_what_is_too_little_for_a_value_is_shown_all_the_same() -> None:
    few = Missing("NA_FEW_EVENTS", {"outages": 2, "lengths_s": "12.0, 8.5"})
    found = combiner(THREE).machine(REGISTRY["X01"], "a", few)
    assert (found.reason, found.value, found.shown) == (
        "NA_FEW_EVENTS",
        None,
        {"outages": 2, "lengths_s": "12.0, 8.5"},
    )
    assert combiner(THREE).plant(REGISTRY["X01"], dict.fromkeys("abc", few)).shown == {}


def test_an_indicator_of_the_plant_does_not_depend_on_weights_and_shows_its_numbers() -> None:
    found = Events(np.ones(DAYS), np.ones(DAYS), shown={"slope": 0.5})
    plant = combiner(THREE).plant(REGISTRY["L04"], dict.fromkeys("abc", found))
    assert (plant.value, plant.shown, plant.coverage) == (1.0, {"slope": 0.5}, 1.0)
    half = Events(np.ones(DAYS), np.where(np.arange(DAYS) < 5, 1.0, 0.0))
    assert combiner(THREE).plant(REGISTRY["L04"], dict.fromkeys("abc", half)).coverage == 0.25


def test_a_census_says_how_it_came_about() -> None:
    def quality(*found: Found) -> str | None:
        return combiner(THREE).plant(REGISTRY["A05"], dict(zip("abc", found, strict=True))).quality

    sure, edge = Census(1.0, 1), Census(1.0, 1, quality="edge-only")
    assert quality(sure, sure, sure) == "census"
    assert quality(edge, edge, edge) == "edge-only"
    assert quality(sure, edge, edge) == "mixed"


def test_a_yes_or_no_says_of_how_many_machines() -> None:
    def shown(**outcomes: Outcome) -> object:
        return combiner(THREE).plant(REGISTRY["V02"], outcomes).shown

    yes, half, no = Census(1.0, 20), Census(0.5, 20), Census(0.0, 20)
    assert shown(a=yes, b=no, c=Missing("NA_NOT_IN_SOURCE")) == {"met": 1, "assessed": 2, "machines": 3}
    assert shown(a=yes, b=no, c=Missing("NOT_APPLICABLE")) == {"met": 1, "assessed": 2, "machines": 2}
    assert shown(a=yes, b=half, c=no) == {"assessed": 3, "machines": 3}, "half a yes is none"
    days = dict.fromkeys("abc", Census(0.0, 20))
    assert combiner(THREE).plant(REGISTRY["R01"], days).shown == {"assessed": 3, "machines": 3}, "0 days are no no"
    assert shown(a=Missing("NA_NO_EVIDENCE"), b=Missing("NA_NO_EVIDENCE"), c=Missing("NA_NO_EVIDENCE")) == {}


def test_machines_outside_the_panel_do_not_count() -> None:
    outcomes: dict[str, Outcome] = {"a": Census(1.0, 1), "c": Census(0.0, 1)}
    found = combiner(THREE).plant(REGISTRY["C01"], outcomes)
    assert (found.value, found.coverage) == (0.5, 1.0)


def test_roles_are_told_where_the_value_depends_on_them() -> None:
    outcomes: dict[str, Outcome] = dict.fromkeys("abc", Census(1.0, 1))
    assert combiner(THREE).plant(REGISTRY["C01"], outcomes).roles == {"confirmed": 6}
    assert combiner(THREE).plant(replace(REGISTRY["C01"], roles=False), outcomes).roles == {}
