"""Levels of a measured value from sketches, against the steps themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.resolution import clusters, grid, quantiles, sizes, smallest
from readiness.sketch import index
from tests.readiness.indicators.story import sketched


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-4, 1e3),
    st.lists(st.integers(1, 40), min_size=1500, max_size=1500),
    st.lists(st.floats(1e-7, 1e-2), min_size=1, max_size=3),
)
def test_the_smallest_step_of_a_grid_is_found_in_days_of_different_grains(
    step: float, multiples: list[int], grains: list[float]
) -> None:
    every = step * np.array(multiples)
    parts = np.array_split(every, len(grains))
    found = [sizes(sketched(part / (g * step)), g * step) for part, g in zip(parts, grains, strict=True)]
    number = np.concatenate([n for n, _ in found])
    often = np.concatenate([o for _, o in found])
    seen = np.sort(every)[4]  # the fifth: below it lie fewer than five
    assert smallest(number, often) == pytest.approx(seen, rel=0.06)


def test_an_accident_is_no_step() -> None:
    number = np.array([0.001, 0.5, 1.0, 1.5])
    assert smallest(number, np.array([4.0, 3000.0, 2000.0, 500.0])) == 0.5
    assert smallest(number, np.array([6.0, 3000.0, 2000.0, 500.0])) == 0.001
    assert smallest(number, np.array([6.0, 30_000.0, 2000.0, 500.0])) == 0.5


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([0.01, 0.02, 2.0, 4.0, 6.0], 2.0),
        ([0.01, 0.02, 2.0, 4.0], None),  # no third multiple
        ([0.01, 0.02, 0.15, 2.0, 4.0, 6.0], 2.0),
        ([0.5, 1.0, 2.0, 4.0, 6.0], None),  # nothing is missing between
        ([2.0, 4.0, 6.0, 8.0], None),
        ([0.01, 2.0, 2.7, 3.1], None),  # no multiples
    ],
)
def test_a_grid_has_multiples_above_and_nothing_below(steps: list[float], found: float | None) -> None:
    assert grid(np.array(steps)) == found


def test_steps_that_recur_each_for_itself() -> None:
    number = np.array([0.01, 0.1, 0.101, 0.5, 9.0])
    often = np.array([2.0, 300.0, 300.0, 5000.0, 4.0])
    assert clusters(number, often) == pytest.approx([0.1005, 0.5], rel=1e-3)


def test_sizes_are_what_buckets_stand_for() -> None:
    values = np.array([0.0, 1.0, -7.0, 123.0, -4e6])
    row = [x for bucket in np.sort(index(values)).tolist() for x in (bucket, 1)]
    number, often = sizes(row, 2.5)
    assert often.tolist() == [1.0] * len(number)
    expected = np.sort(np.where(np.abs(values) <= 1, 0.0, 2.5 * values))
    assert number == pytest.approx(expected.tolist(), rel=0.02)
    assert quantiles(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 8.0]), (0.05, 0.5, 0.95)) == [1.0, 2.0, 3.0]
