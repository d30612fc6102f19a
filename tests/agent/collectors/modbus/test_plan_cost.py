"""The cost model: assumed, measured, robust; and when it makes a new plan."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.modbus.cost import LinkCost, assumed, differs
from agent.collectors.modbus.group import REPLAN_NS, Group
from agent.collectors.modbus.learned import Learned
from agent.collectors.modbus.plan import USUAL, Limits, Span, Table
from agent.collectors.planning import Cost
from agent.frame import DataType, Signal, Source
from tests.agent.collectors.modbus.rig import device, words
from tests.agent.collectors.modbus.test_group import KINDS, Device, read

MS = 1_000_000
H = Table.HOLDING


def fed(link: LinkCost, true: Cost, lengths: list[int], rng: random.Random, count: int = 600) -> LinkCost:
    """Let a link of the true cost answer requests, with noise and now and then a hiccup."""
    for n in range(count):
        length = lengths[n % len(lengths)]
        trip = true.of(length) * rng.uniform(0.9, 1.1)
        link.observe(length, round(trip * 30 if rng.random() < 0.01 else trip))
    return link


@pytest.mark.parametrize(
    "true",
    [Cost(300_000, 1_000), Cost(5 * MS, 20_000), Cost(40 * MS, 300_000), Cost(3 * MS, 60_000)],
    ids=["fast server", "PLC", "slow gateway", "small PLC"],
)
def test_overhead_and_cost_of_a_register_are_found_from_round_trips(true: Cost) -> None:
    link = fed(LinkCost(USUAL), true, [1, 125, 20, 60, 100, 7], random.Random(1))
    assert link.cost.overhead_ns == pytest.approx(true.overhead_ns, rel=0.35)
    assert link.cost.of(125) == pytest.approx(true.of(125), rel=0.25)
    assert link.cost.per_unit_ns == pytest.approx(true.per_unit_ns, rel=0.5, abs=5000)


def test_requests_of_one_length_say_nothing_about_a_register() -> None:
    link = fed(LinkCost(USUAL), Cost(300_000, 1000), [100], random.Random(2))
    assert link.cost.of(100) == pytest.approx(400_000, rel=0.2)
    ratio = link.cost.overhead_ns / link.cost.per_unit_ns
    assert ratio == pytest.approx(USUAL.overhead_ns / USUAL.per_unit_ns, rel=0.3), "faster in both parts alike"


def test_a_hiccup_hardly_moves_the_model_and_a_lasting_change_does() -> None:
    link = fed(LinkCost(USUAL), Cost(5 * MS, 20_000), [1, 125], random.Random(3))
    before = link.cost
    link.observe(125, 20_000 * MS)
    assert link.cost.of(60) < 1.1 * before.of(60)
    fed(link, Cost(50 * MS, 200_000), [1, 125], random.Random(4), count=1500)
    assert link.cost.of(60) == pytest.approx(62 * MS, rel=0.2)


@given(st.lists(st.tuples(st.floats(0, 125), st.integers(0, 2**40)), max_size=80), st.integers(0, 10**9))
def test_whatever_comes_the_model_stays_within_bounds(trips: list[tuple[float, int]], pause: int) -> None:
    link = LinkCost(USUAL, pause)
    for length, trip in trips:
        link.observe(length, trip)
    assert 50_000 + pause <= link.cost.overhead_ns <= 30 * 10**9 + pause
    assert USUAL.per_unit_ns // 100 <= link.cost.per_unit_ns <= USUAL.per_unit_ns * 20


def test_the_pause_before_each_request_belongs_to_what_it_costs_but_is_not_measured() -> None:
    config = device(502, {"g/1s": words(1)}, request_gap="20ms")
    link = LinkCost(assumed(config), config.request_gap)
    assert link.cost.overhead_ns == USUAL.overhead_ns + 20 * MS
    assert link.measured == USUAL
    fed(link, Cost(2 * MS, 10_000), [1, 100], random.Random(5))
    assert link.measured.overhead_ns == pytest.approx(2 * MS, rel=0.3)
    assert link.cost.overhead_ns - link.measured.overhead_ns == 20 * MS


def test_what_matters_is_by_how_long_a_gap_it_pays_to_read() -> None:
    assert not differs(Cost(5 * MS, 50_000), Cost(10 * MS, 100_000))
    assert not differs(Cost(5 * MS, 50_000), Cost(6 * MS, 50_000))
    assert differs(Cost(5 * MS, 50_000), Cost(5 * MS, 100_000))
    assert differs(Cost(5 * MS, 50_000), Cost(1 * MS, 50_000))


def test_a_plan_follows_the_measured_cost_between_readings_at_most_once_a_minute() -> None:
    spans = [Span(H, 0, 1), Span(H, 60, 1)]
    signals = tuple(Signal(id=f"r{i}", machine="m", name="r", dtype=DataType.UINT16) for i in range(2))
    source = Source(id="plc.g", device="plc", protocol="modbus", mode="poll", interval_ns=10**9, signals=signals)
    link = LinkCost(USUAL)
    group = Group(source, spans, [KINDS[1]] * 2, Limits(), Learned("here"), link)
    peer = Device(set())
    read(group, peer, 10**9)
    assert peer.asked == [Span(H, 0, 61)]
    fed(link, Cost(2 * MS, 300_000), [1, 61], random.Random(6))  # a register is dear: 60 of them are 18 ms
    read(group, peer, 2 * 10**9)
    assert peer.asked == [Span(H, 0, 61)]
    group.begin(REPLAN_NS + 3 * 10**9)
    assert [block.span for block in group.planned] == spans
    fed(link, Cost(20 * MS, 1000), [1, 61], random.Random(7))
    first = group.next(REPLAN_NS + 3 * 10**9, 0)
    assert first is not None
    group.serve(first, b"\x00\x00", 5)
    second = group.next(REPLAN_NS + 3 * 10**9, 0)
    assert second is not None
    assert [first.span, second.span] == spans, "not in the middle of a reading"
    group.serve(second, b"\x00\x01", 6)
    group.end(6)
    read(group, peer, 2 * REPLAN_NS + 4 * 10**9)
    assert peer.asked == [Span(H, 0, 61)]
