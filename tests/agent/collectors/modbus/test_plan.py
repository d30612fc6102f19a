"""The read plan, as properties and as cases."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.modbus.plan import ADDRESSES, USUAL, Limits, Span, Table, plan
from agent.collectors.planning import Cost

H = Table.HOLDING


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Span], Limits]:
    gap = draw(st.none() | st.integers(0, 124))
    limits = Limits(draw(st.integers(4, 125)), draw(st.integers(1, 2000)), gap)
    near = draw(st.sampled_from([150, 3000, ADDRESSES]))
    spans = []
    for table in draw(st.lists(st.sampled_from(Table), max_size=60)):
        count = 1 if table.bits else draw(st.integers(1, limits.registers))
        spans.append(Span(table, draw(st.integers(0, near - count)), count))
    return spans, limits


@given(cases())
def test_each_value_is_read_exactly_once_and_whole(case: tuple[list[Span], Limits]) -> None:
    spans, limits = case
    seen = []
    for request in plan(spans, limits):
        for index, offset in request.items:
            value = spans[index]
            assert value.table == request.span.table
            assert request.span.start + offset == value.start
            assert value.end <= request.span.end
            seen.append(index)
    assert sorted(seen) == list(range(len(spans)))


@given(cases())
def test_no_request_exceeds_the_limit_or_a_gap(case: tuple[list[Span], Limits]) -> None:
    spans, limits = case
    for request in plan(spans, limits):
        bits = request.span.table.bits
        assert 1 <= request.span.count <= (limits.bits if bits else limits.registers)
        values = [spans[i] for i, _ in request.items]
        asked = {a for v in values for a in range(v.start, v.end)}
        assert min(asked) == request.span.start
        assert max(asked) == request.span.end - 1
        idle = [a for a in range(request.span.start, request.span.end) if a not in asked]
        runs = [len(list(g)) for _, g in itertools.groupby(enumerate(idle), lambda pair: pair[1] - pair[0])]
        if limits.gap is not None:
            assert max(runs, default=0) <= (limits.gap * 16 if bits else limits.gap)


@given(cases(), st.randoms())
def test_the_same_values_in_another_order_are_read_by_the_same_requests(
    case: tuple[list[Span], Limits], random: object
) -> None:
    spans, limits = case
    shuffled = list(spans)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan(spans, limits) == plan(spans, limits)
    assert [r.span for r in plan(shuffled, limits)] == [r.span for r in plan(spans, limits)]


@pytest.mark.parametrize(
    ("values", "limits", "expected"),
    [
        pytest.param([], Limits(), [], id="nothing"),
        pytest.param([Span(H, 0, 1), Span(H, 17, 1)], Limits(gap=16), [Span(H, 0, 18)], id="gap of 16 is filled"),
        pytest.param(
            [Span(H, 0, 1), Span(H, 18, 1)], Limits(gap=16), [Span(H, 0, 1), Span(H, 18, 1)], id="gap of 17 is not"
        ),
        pytest.param(
            [Span(H, 0, 1), Span(H, 2, 1)], Limits(gap=0), [Span(H, 0, 1), Span(H, 2, 1)], id="gap 0 fills none"
        ),
        pytest.param([Span(H, 0, 2), Span(H, 2, 2)], Limits(gap=0), [Span(H, 0, 4)], id="neighbours join"),
        pytest.param(
            [Span(H, 0, 2), Span(H, 2, 2)], Limits(registers=3), [Span(H, 0, 2), Span(H, 2, 2)], id="never split"
        ),
        pytest.param(
            [Span(H, 65535, 1), Span(H, 65530, 4)], Limits(), [Span(H, 65530, 6)], id="up to the last address"
        ),
        pytest.param(
            [Span(H, 0, 10), Span(H, 1, 1), Span(H, 12, 1)], Limits(gap=2), [Span(H, 0, 13)], id="a value inside"
        ),
        pytest.param(
            [Span(Table.COIL, 0, 1), Span(Table.COIL, 257, 1), Span(Table.DISCRETE, 0, 1)],
            Limits(gap=16),
            [Span(Table.COIL, 0, 258), Span(Table.DISCRETE, 0, 1)],
            id="bits bridge 16 times as far, tables stay apart",
        ),
    ],
)
def test_plan(values: list[Span], limits: Limits, expected: list[Span]) -> None:
    assert [request.span for request in plan(values, limits)] == expected


def test_a_gap_is_read_as_long_as_that_is_cheaper_than_a_request_on_this_link() -> None:
    near, far = [Span(H, 0, 1), Span(H, 101, 1)], [Span(H, 0, 1), Span(H, 102, 1)]
    assert USUAL.overhead_ns == 100 * USUAL.per_unit_ns
    assert [r.span for r in plan(near, Limits())] == [Span(H, 0, 102)]
    assert len(plan(far, Limits())) == 2
    slow_line = Cost(overhead_ns=30_000_000, per_unit_ns=2_000_000)
    assert len(plan(near, Limits(), slow_line)) == 2
    assert len(plan([Span(H, 0, 1), Span(H, 16, 1)], Limits(), slow_line)) == 1
    bits = [Span(Table.COIL, 0, 1), Span(Table.COIL, 200, 1)]
    assert len(plan(bits, Limits(), slow_line)) == 1, "a bit costs a sixteenth"


def test_what_is_left_out_is_not_read_and_no_request_touches_a_hole() -> None:
    values = [Span(H, a, 1) for a in range(10)]
    requests = plan(values, Limits(), holes={H: [(4, 5)]}, without=[4])
    assert [r.span for r in requests] == [Span(H, 0, 4), Span(H, 5, 5)]
    assert [index for r in requests for index, _ in r.items] == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_a_thousand_scattered_floats_take_a_small_multiple_of_the_fewest_requests() -> None:
    values = [Span(H, 4 * i, 2) for i in range(1000)]
    assert len(plan(values, Limits())) == 33
    assert len(plan(values, Limits(gap=0))) == 1000
