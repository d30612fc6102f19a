"""Which requests read a set of values: every value once, whole, within the limits, and few requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.collectors.xgt.frame import Continuous, Individual, Width
from agent.collectors.xgt.learned import Learned
from agent.collectors.xgt.plan import Limits, Request, Value, halves, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUES = st.lists(
    st.one_of(
        st.builds(Value, st.sampled_from(["D", "M", "R"]), st.integers(0, 3000), st.sampled_from([1, 2, 4, 8, 30])),
        st.builds(Value, st.sampled_from(["T", "C"]), st.integers(0, 2000), st.just(1), st.just(True)),
    ),
    max_size=60,
)
LIMITS = st.builds(Limits, st.sampled_from([32, 512, 1400]), st.sampled_from([15, 16]), st.booleans())
HOLES = st.dictionaries(
    st.sampled_from(["D", "M"]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 20)).map(lambda h: (h[0], h[0] + h[1])), max_size=5),
)


def memory(value: Value) -> list[tuple[str, int]]:
    """Return what a value is made of: its bytes, or its contact."""
    if value.contact:
        return [(f"{value.area}X", value.start)]
    return [(value.area, byte) for byte in range(*value.span)]


def data(request: Request) -> list[tuple[str, int]]:
    """Return what stands at each byte of the joined answer."""
    ask = request.ask
    if isinstance(ask, Continuous):
        return [(ask.area, byte) for byte in range(ask.start, ask.start + ask.count)]
    if ask.width is Width.X:
        return [(f"{area}X", index) for area, index in ask.places]
    return [(area, index * 2 + half) for area, index in ask.places for half in (0, 1)]


def reads_its_values(request: Request, values: Sequence[Value]) -> None:
    got = data(request)
    for index, at in request.items:
        want = memory(values[index])
        assert got[at : at + len(want)] == want


@settings(max_examples=300)
@given(VALUES, LIMITS, HOLES)
@example([Value("D", 0, 4), Value("D", 0, 1), Value("D", 0, 4)], Limits(continuous=False), {})
@example([Value("D", 0, 9), Value("D", 2, 2), Value("D", 3, 2)], Limits(continuous=False), {})
def test_each_value_is_read_once_whole_and_within_the_limits(
    values: list[Value], limits: Limits, holes: dict[str, list[tuple[int, int]]]
) -> None:
    requests = plan(values, limits, holes)
    indices = sorted(index for request in requests for index, _ in request.items)
    short = [i for i, v in enumerate(values) if v.contact or limits.continuous or len(v.words) <= limits.blocks]
    assert indices == short
    for request in requests:
        reads_its_values(request, values)
        if isinstance(request.ask, Continuous):
            assert limits.continuous
            assert request.ask.count <= limits.bytes
            span = request.ask.start, request.ask.start + request.ask.count
            if all(
                values[index].span != span for index, _ in request.items
            ):  # more than one value and what it holds
                assert not any(
                    span[0] < end and span[1] > start
                    for start, end in holes.get(request.ask.area, ())
                    if end > start
                )
        else:
            assert len(request.ask.places) <= limits.blocks
        parts = halves(request, values)
        assert sorted(i for part in parts for i, _ in part.items) == (
            sorted(i for i, _ in request.items) if len(request.items) > 1 else []
        )
        for part in parts:
            reads_its_values(part, values)


def test_a_thousand_scattered_words_take_few_requests() -> None:
    values = [Value("D", 2 * n, 2) for n in range(0, 2000, 2)]
    assert len(plan(values, Limits())) == 3
    assert len(plan(values, Limits(512))) == 8
    assert len(plan(values, Limits(continuous=False))) == 63


def test_two_lonely_values_are_one_request_and_one_is_a_block() -> None:
    two = plan([Value("D", 0, 4), Value("D", 5001, 4)], Limits())
    assert [request.ask for request in two] == [
        Individual(Width.W, (("D", 0), ("D", 1), ("D", 2500), ("D", 2501), ("D", 2502)))
    ]
    assert two[0].items == ((0, 0), (1, 5))
    assert [request.ask for request in plan([Value("D", 5001, 4)], Limits())] == [Continuous("D", 5001, 4)]


def test_a_value_that_was_refused_is_asked_for_by_itself() -> None:
    values = [Value("D", 2 * n, 2) for n in range(10)]
    for limits in (Limits(), Limits(continuous=False)):
        requests = plan(values, limits, {"D": [(8, 10)]})
        assert [index for request in requests for index, _ in request.items if len(request.items) == 1] == [4]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["holes", "borders", "max_bytes", "D"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_whatever_was_remembered_is_taken_or_left(body: object) -> None:
    learned = Learned(body | {"place": "here"} if isinstance(body, dict) else body, "here")  # type: ignore[arg-type]
    again = Learned(learned.body(), "here")
    assert again.body() == learned.body()
    limits = learned.of(Limits())
    assert 2 <= limits.bytes <= 1400
    assert 1 <= limits.blocks <= 16


def test_holes_are_forgotten_after_an_hour_then_two() -> None:
    hour, learned = 3600 * 10**9, Learned()
    learned.hole("D", 4, 6, 0)
    learned.retest(hour - 1)
    assert learned.holes == {"D": [(4, 6)]}
    learned.retest(hour)
    assert (learned.holes, learned.barriers) == ({}, {"D": [(4, 6)]})
    assert learned.try_some(8) == [("D", (4, 6))]
    assert learned.barriers == {}
    learned.hole("D", 4, 6, hour)
    learned.retest(3 * hour - 1)
    assert learned.holes
    learned.retest(3 * hour)
    assert not learned.holes
