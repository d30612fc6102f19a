"""The planner against every possible set of requests."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.planning import Cost, gaps_above, outermost, partition, touches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.planning import Span


def set_partitions(count: int) -> list[tuple[int, ...]]:
    """Return every way to sort `count` things into sets: as bit masks of the sets."""
    found: list[tuple[int, ...]] = [()]
    for thing in range(count):
        found = [
            (*sets[:i], sets[i] | 1 << thing, *sets[i + 1 :]) if i < len(sets) else (*sets, 1 << thing)
            for sets in found
            for i in range(len(sets) + 1)
        ]
    return found


EVERY = {count: set_partitions(count) for count in range(7)}


def whole(spans: Sequence[Span], chosen: Sequence[int]) -> Span:
    """Return what a request for these values spans."""
    return min(spans[i][0] for i in chosen), max(spans[i][1] for i in chosen)


def permitted(spans: Sequence[Span], chosen: Sequence[int], limit: int, holes: Sequence[Span]) -> bool:
    """Tell whether one request may read these values: by the rules as they are written, not as they are coded."""
    span = whole(spans, chosen)
    if span in [spans[i] for i in chosen]:
        return True  # not longer than a value that cannot be split
    units = set(range(*span))
    illegal = any(units & set(range(*hole)) for hole in holes)
    crosses = any(low == high and low - 1 in units and low in units for low, high in holes)
    return span[1] - span[0] <= limit and not illegal and not crosses


def cheapest(spans: Sequence[Span], cost: Cost, limit: int, holes: Sequence[Span]) -> int:
    """Return the least cost of all sets of requests, by trying all."""
    price: list[int | None] = [None] * (1 << len(spans))
    for mask in range(1, 1 << len(spans)):
        chosen = [i for i in range(len(spans)) if mask >> i & 1]
        if permitted(spans, chosen, limit, holes):
            start, end = whole(spans, chosen)
            price[mask] = cost.overhead_ns + cost.per_unit_ns * (end - start)
    sums = []
    for sets in EVERY[len(spans)]:
        parts = [price[mask] for mask in sets]
        if None not in parts:
            sums.append(sum(part for part in parts if part is not None))
    return min(sums)


def random_case(rng: random.Random) -> tuple[list[Span], Cost, int, list[Span]]:
    """Return a small case: crowded or loose, at the start, in the middle or at the end of the table."""
    count = rng.choice((1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6))
    room = rng.choice((4, 8, 16, 40))
    base = rng.choice((0, 1000, 65536 - room))
    longest = rng.choice((1, 2, 4, min(room, 12)))

    def span(least: int) -> Span:
        length = rng.randint(least, min(longest, room))
        start = base + rng.randint(0, room - length)
        return start, start + length

    spans = [span(1) for _ in range(count)]
    if rng.random() < 0.2:
        spans[-1] = spans[0]
    holes = [span(0) for _ in range(rng.choice((0, 0, 1, 2, 4)))]
    cost = Cost(rng.choice((0, 1, 3, 10, 50)), rng.choice((0, 1, 2, 7)))
    return spans, cost, rng.choice((1, 2, 3, 5, 8, 20, 125)), holes


def test_the_planner_equals_brute_force_on_10000_random_small_cases() -> None:
    rng = random.Random(20261122)
    crossed = nested = holed = 0
    for number in range(10_000):
        spans, cost, limit, holes = random_case(rng)
        requests = partition(spans, cost, limit, holes)
        assert sorted(itertools.chain(*requests)) == list(range(len(spans))), (number, spans)
        for chosen in requests:
            assert permitted(spans, chosen, limit, holes), (number, spans, limit, holes, requests)
        paid = sum(cost.of(whole(spans, chosen)[1] - whole(spans, chosen)[0]) for chosen in requests)
        assert paid == cheapest(spans, cost, limit, holes), (number, spans, cost, limit, holes, requests)
        pairs = list(itertools.permutations(spans, 2))
        crossed += any(a[0] < b[0] < a[1] < b[1] for a, b in pairs)
        nested += any(a[0] <= b[0] and b[1] <= a[1] for a, b in pairs)
        holed += any(touches(a, hole) for a in spans for hole in holes)
    assert min(crossed, nested, holed) > 1000, "the cases that the proof is about did occur"


spans_strategy = st.lists(
    st.tuples(st.integers(0, 65_400), st.integers(1, 40)).map(lambda pair: (pair[0], sum(pair))), max_size=60
)


@given(spans_strategy, st.integers(1, 125), st.lists(st.integers(0, 65_535), max_size=20))
def test_every_value_is_read_once_by_a_request_that_is_permitted_and_holds_it(
    spans: list[Span], limit: int, illegal: list[int]
) -> None:
    holes = [(address, address + 1) for address in illegal]
    requests = partition(spans, Cost(5_000_000, 10_000), limit, holes)
    assert sorted(itertools.chain(*requests)) == list(range(len(spans)))
    for chosen in requests:
        assert permitted(spans, chosen, limit, holes)
    assert [whole(spans, r)[0] for r in requests] == sorted(whole(spans, r)[0] for r in requests)


def test_a_gap_is_read_as_long_as_that_is_cheaper_than_a_request() -> None:
    cost = Cost(overhead_ns=100, per_unit_ns=10)
    assert partition([(0, 2), (12, 14)], cost, 125) == [[0, 1]]
    assert partition([(0, 2), (13, 15)], cost, 125) == [[0], [1]]


def test_a_gap_above_the_permitted_length_is_a_hole() -> None:
    spans = [(0, 2), (5, 6), (20, 21), (5, 6)]
    assert gaps_above(spans, 3) == [(6, 20)]
    assert gaps_above(spans, 0) == [(2, 5), (6, 20)]
    assert partition(spans, Cost(100, 0), 125, gaps_above(spans, 3)) == [[0, 1, 3], [2]]


def test_the_cut_is_made_where_it_saves_most() -> None:
    # A limit of 10: greedy from the left would read 0-9 and then 11-20; the gap in the middle is not worth it.
    spans = [(0, 1), (1, 2), (9, 10), (11, 12), (12, 13)]
    assert partition(spans, Cost(10, 1), 10) == [[0, 1], [2, 3, 4]]


def test_a_border_separates_what_lies_on_its_two_sides_only() -> None:
    assert partition([(98, 100), (100, 102)], Cost(10, 1), 125, [(100, 100)]) == [[0], [1]]
    assert partition([(98, 101), (101, 102)], Cost(10, 1), 125, [(100, 100)]) == [[0], [1]]
    assert partition([(100, 101), (101, 102)], Cost(10, 1), 125, [(100, 100)]) == [[0, 1]]


def test_thousands_of_values_make_the_requests_that_they_need() -> None:
    """A deliberate million-fold choice: 5,000 bits, a limit of 2,000, nothing between them."""
    spans = [(a, a + 1) for a in range(0, 10_000, 2)]
    assert len(partition(spans, Cost(5_000_000, 10), 2000)) == 5
    scattered = [(a * 7 % 60_000, a * 7 % 60_000 + 2) for a in range(5000)]
    assert len(partition(scattered, Cost(5_000_000, 10_000), 125)) == -(-35_000 // 126)


def test_what_lies_within_another_value_goes_with_it() -> None:
    spans = [(3, 4), (0, 10), (0, 10), (8, 12)]
    assert outermost(spans) == ([1, 3], [0, 0, 0, 1])
