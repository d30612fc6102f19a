"""A block's values as numpy, sparse counters, and what is kept of many."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.analyzers.longest import Largest, Longest
from agent.analyzers.numbers import Column
from agent.analyzers.packing import packed, unpacked
from agent.analyzers.rows import Rows, by_signal
from agent.analyzers.sketches import Sketches
from agent.analyzers.spikes import candidates
from agent.frame import FrameBlock, Value
from readiness.sketch import MOST
from tests.agent.analyzers.streams import SECOND, START, source

OF = source("press", "poll", SECOND, 3)
MILLI = 1_000_000


def column(values: list[Value]) -> Column:
    """Return the column of a block of these values."""
    n = len(values)
    return Column(
        FrameBlock(OF, np.zeros(n, np.int32), START + np.arange(n) * SECOND, values, np.zeros(n, np.uint32))
    )


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(max_size=5)
)


@given(st.lists(VALUES, max_size=50))
def test_a_column_says_of_each_value_what_python_says(values: list[Value]) -> None:
    made = column(values)
    for value, number in zip(values, made.number.tolist(), strict=True):
        if isinstance(value, str) or value is None:
            assert np.isnan(number)
        else:
            assert number == float(value)
    for value, whole, there in zip(values, made.whole.value.tolist(), made.whole.there.tolist(), strict=True):
        assert there == (type(value) is int)
        if type(value) is int:
            assert whole % 2**64 == value % 2**64
    assert made.whole.wide == any(type(v) is int and v >= 2**63 for v in values)


def test_counters_beyond_2_to_the_53_are_exact_and_differences_beyond_2_to_the_63_as_well() -> None:
    assert np.diff(column([2**53, 2**53 + 1]).whole.value).tolist() == [1]
    assert np.diff(column([2**63 - 1, 2**63, 2**64 - 1]).whole.value).tolist() == [1, 2**63 - 1]


def test_text_that_looks_like_a_number_is_none() -> None:
    assert np.isnan(column(["1.5", 2.0]).number).tolist() == [True, False]


def test_rows_keep_their_values_while_they_are_sorted_and_cut() -> None:
    made = column([10, 20.5, "x", 30])
    rows = Rows(np.array([2, 0, 1, 0]), START + np.arange(4), None, np.arange(4), made)
    ordered = by_signal(rows)
    assert ordered.signal.tolist() == [0, 0, 1, 2]
    assert list(ordered.raw) == [20.5, 30, "x", 10]
    assert ordered.where(ordered.signal == 0).number.tolist() == [20.5, 30.0]
    assert ordered.where(slice(3, 4)).whole.value.tolist() == [10]


@pytest.mark.parametrize("seed", range(20))
def test_sketches_count_like_a_counter_however_they_are_fed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signal = np.sort(rng.integers(0, 5, 3000))
    bucket = rng.integers(-40, 40, 3000) * int(rng.choice([1, 100]))
    weight = rng.integers(1, 1000, 3000)
    one, many = Sketches(kind=np.int64), Sketches(kind=np.int64)
    one.add(signal, bucket, weight)
    for part in np.array_split(rng.permutation(3000), int(rng.integers(1, 200))):
        many.add(signal[part], bucket[part], weight[part])
    want: Counter[tuple[int, int]] = Counter()
    for s, b, w in zip(signal.tolist(), bucket.tolist(), weight.tolist(), strict=True):
        want[s, b] += w
    for made in (one, many):
        rows = zip(*(c.tolist() for c in made.rows()), strict=True)
        assert [((s, b), n) for s, b, n in rows] == sorted(want.items())
    assert one.state() == many.state()
    again = Sketches(kind=np.int64)
    again.restore(one.state())
    assert dict(again.each()) == dict(one.each())


@pytest.mark.parametrize("upward", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_what_larger_buckets_push_out_depends_on_no_order(seed: int, upward: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(seed)
    low = 0 if upward else -MOST
    bucket = np.clip(rng.normal(0, 300, 4000).astype(np.int64), low, MOST)
    signal = np.sort(rng.integers(0, 3, 4000))
    states = set()
    for cuts in (1, 7, 400):
        made = Sketches(32, upward=upward)
        for part in np.array_split(rng.permutation(4000), cuts):
            made.add(signal[part], bucket[part])
            if cuts == 400 and rng.random() < 0.1:
                kept = made.state()
                made = Sketches(32, upward=upward)
                made.restore(kept)
        states.add(tuple(made.state()))
        for one, flat in made.each():
            mine = Counter(bucket[signal == one].tolist())
            largest = sorted(mine, key=lambda b: (abs(b), b))[-32:]
            rest = sum(n for b, n in mine.items() if b not in largest)
            want = {b: mine[b] for b in largest}
            into = largest[0] if upward else 0
            want[into] = want.get(into, 0) + rest
            assert dict(zip(flat[0::2], flat[1::2], strict=True)) == {b: n for b, n in want.items() if n}
    assert len(states) == 1


@pytest.mark.parametrize("seed", range(10))
def test_the_longest_are_kept_and_the_rest_comes_back(seed: int) -> None:
    rng = random.Random(seed)
    pieces = [
        (s, a := rng.randrange(86_000_000), a + rng.randrange(1, 300_000)) for s in (0, 1) for _ in range(700)
    ]
    pieces += [(0, 0, 5), (1, 86_399_000, 86_400_000)]
    made, back = Longest(START, START + 86_400 * SECOND, 64), list[list[int]]()
    rng.shuffle(pieces)
    for first in range(0, len(pieces), 90):
        part = np.array(pieces[first : first + 90]).T
        rest = made.add(part[0], START + part[1] * MILLI, START + part[2] * MILLI)
        back += [] if rest is None else rest.T.tolist()
    rest = made.settle()
    back += [] if rest is None else rest.T.tolist()
    for signal in (0, 1):
        mine = [(a, b) for s, a, b in pieces if s == signal]
        mine.sort(key=lambda p: (p[0] != 0 and p[1] != 86_400_000, p[0] - p[1], p[0]))
        assert made.of(signal) == sorted(mine[:64])
        assert sorted((a, b) for s, a, b in back if s == signal) == sorted(mine[64:])
    again = Longest(START, START + 86_400 * SECOND, 64)
    again.restore(made.state())
    assert again.of(1) == made.of(1)
    made.forget(1)
    assert (made.of(0), made.of(1)) == (again.of(0), [])


def test_of_equal_ones_the_earlier_are_kept() -> None:
    made = Largest(START, 2)
    made.add(np.zeros(4, np.int64), START + np.array([3, 1, 2, 0]) * MILLI, np.array([7, 7, 7, 1]))
    made.settle()
    assert made.of(0) == [(1, 7), (2, 7)]


def test_arrays_come_back_from_a_state_as_they_were() -> None:
    table = np.array([[1.5, np.inf], [np.nan, -0.0]])
    assert unpacked(packed(table), np.float64, -1, 2).tobytes() == table.tobytes()
    assert unpacked(packed(np.empty((3, 0), np.int32)), np.int32, 3, -1).shape == (3, 0)


@pytest.mark.parametrize("seed", range(5))
def test_candidates_are_what_sorting_each_window_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = np.round(rng.normal(0, 1, 4000), int(rng.integers(0, 4))) + (rng.random(4000) < 0.01) * rng.normal(
        0, 30, 4000
    )
    linked = rng.random(4000) > 0.02
    want = []
    for last in range(4, len(value)):
        window = value[last - 4 : last + 1]
        distance = np.abs(window - np.sort(window)[2])
        limit = 6 * 1.4826 * np.sort(distance)[2]
        near = max(distance[1], distance[3])
        alone = distance[2] > near and near <= max(limit, distance[2] / 4)
        if linked[last - 3 : last + 1].all() and distance[2] > limit and alone:
            want.append((last, distance[2]))
    ends, far = candidates(value, linked)
    assert len(want) > 10
    assert list(zip(ends.tolist(), far.tolist(), strict=True)) == want
