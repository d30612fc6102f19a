"""Interval arithmetic against plain sets of integers."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from readiness.spans import EMPTY, Spans, difference, intersection, union

PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def members(spans: Spans) -> set[int]:
    return {instant for start, end in spans for instant in range(start, end)}


def plain(pairs: list[tuple[int, int]]) -> set[int]:
    return {instant for start, end in pairs for instant in range(start, end)}


def is_normal(spans: Spans) -> bool:
    pairs = list(spans)
    return all(s < e for s, e in pairs) and all(a[1] < b[0] for a, b in itertools.pairwise(pairs))


@given(PAIRS, PAIRS, PAIRS)
def test_set_operations_agree_with_sets(
    one: list[tuple[int, int]], two: list[tuple[int, int]], three: list[tuple[int, int]]
) -> None:
    a, b, c = Spans.of(one), Spans.of(two), Spans.of(three)
    x, y, z = plain(one), plain(two), plain(three)
    for spans, truth in (
        (a, x),
        (union(a, b, c), x | y | z),
        (intersection(a, b), x & y),
        (difference(a, b), x - y),
        (a.clip(5, 20), {i for i in x if 5 <= i < 20}),
    ):
        assert members(spans) == truth
        assert is_normal(spans)
        assert spans.length() == len(truth)


@given(PAIRS, PAIRS)
def test_coverage_of_a_domain_is_counted_per_piece(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    a, domain = Spans.of(one), Spans.of(two)
    covered = a.within(domain)
    assert covered.tolist() == [len(members(a) & set(range(s, e))) for s, e in domain]


@given(PAIRS, st.integers(0, 10))
def test_bridging_fills_holes_up_to_the_limit_and_no_others(pairs: list[tuple[int, int]], hole: int) -> None:
    spans = Spans.of(pairs)
    bridged = spans.bridged(hole)
    assert members(bridged) >= members(spans)
    ends = list(bridged)
    assert all(b[0] - a[1] > hole for a, b in itertools.pairwise(ends))
    filled = difference(bridged, spans)
    assert all(e - s <= hole for s, e in filled)


@given(PAIRS, st.integers(-5, 5))
def test_packing_is_lossless_and_equal_sets_pack_equally(pairs: list[tuple[int, int]], origin: int) -> None:
    spans = Spans.of(pairs)
    assert Spans.unpack(spans.pack(origin), origin) == spans
    assert union(spans, spans).pack() == spans.pack()
    assert hash(union(spans, spans)) == hash(spans)


def test_nanoseconds_of_this_century_stay_exact() -> None:
    start = 1_763_769_600_000_000_001
    spans = Spans.of([(start, start + 1), (start + 1, start + 3)])
    assert list(spans) == [(start, start + 3)]
    assert EMPTY.before(np.array([start])).tolist() == [0]


def test_a_hole_of_just_the_length_is_filled_and_a_longer_one_is_not() -> None:
    spans = Spans.of([(0, 10), (20, 30), (41, 50)])
    assert list(spans.bridged(10)) == [(0, 30), (41, 50)]
    assert list(spans.bridged(9)) == [(0, 10), (20, 30), (41, 50)]
