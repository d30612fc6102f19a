"""Logarithmic buckets."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.sketch import ERROR, GAMMA, MOST, UNIT_NS, buckets, edges, index, merged, pairs, quantile, value

DURATIONS = st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=200)


@given(DURATIONS, st.sampled_from([0.05, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_two_percent_of_the_exact_one(durations: list[int], share: float) -> None:
    counts = Counter(buckets(np.array(durations)).tolist())
    rank = max(1, int(np.ceil(share * len(durations) - 1e-9)))
    exact = sorted(durations)[rank - 1] / 1e9
    found = value(quantile(counts, share))
    assert abs(found - exact) <= ERROR * abs(exact) * 1.0001 + UNIT_NS / 1e9


@given(DURATIONS)
def test_every_duration_lies_between_the_edges_of_its_bucket(durations: list[int]) -> None:
    for duration, bucket in zip(durations, buckets(np.array(durations)).tolist(), strict=True):
        low, high = edges(bucket)
        assert low * (1 - 1e-6 * np.sign(low)) <= duration / 1e9 <= high * (1 + 1e-6 * np.sign(high))


@given(DURATIONS, DURATIONS)
def test_sketches_merge_by_adding_in_any_order(one: list[int], two: list[int]) -> None:
    a, b = Counter(buckets(np.array(one)).tolist()), Counter(buckets(np.array(two)).tolist())
    both = Counter(buckets(np.array(two + one)).tolist())
    assert a + b == b + a == both


def test_a_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile({}, 0.5)


@given(st.lists(st.floats(-1e60, 1e60), min_size=1, max_size=100))
def test_values_of_any_unit_stand_for_themselves_within_two_percent(sizes: list[float]) -> None:
    for size, bucket in zip(sizes, index(np.array(sizes)).tolist(), strict=True):
        found = value(bucket, 1.0)
        if abs(size) <= 1:
            assert bucket == 0
        else:
            assert abs(found - size) <= ERROR * abs(size) * 1.0001
        low, high = edges(bucket, 1.0)
        assert low * (1 - 1e-6 * np.sign(low)) <= size <= high * (1 + 1e-6 * np.sign(high))


def test_the_largest_numbers_are_in_the_last_buckets() -> None:
    assert index(np.array([1e308, -1e308, np.inf, 0.0, -0.0])).tolist() == [MOST, -MOST, MOST, 0, 0]


def test_flat_sketches_merge() -> None:
    assert merged([-1, 2, 3, 4], [], [3, 1, 9, 9]) == {-1: 2, 3: 5, 9: 9}
    assert pairs([]) == {}


def test_rounding_moves_nothing_over_an_edge() -> None:
    assert 0.07 * 100 > 7
    assert quantile({1: 7, 2: 93}, 0.07) == 1, "seven of a hundred are at or below it"
    on_edges = np.array([GAMMA**bucket for bucket in range(1, 2000)])
    assert index(on_edges).tolist() == [*range(1, 2000)]
