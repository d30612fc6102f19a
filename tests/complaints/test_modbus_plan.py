"""Complaints 2, 3, 4 and 11: what other collectors make of refusals, scattered addresses and slow devices."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.base import Box, Forgetful
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.plan import Limits, Span, Table, plan
from agent.frame import FrameBlock
from tests.agent.collectors.modbus.rig import device, frame, run, values, words
from tests.peers.modbus import read_log, server
from tests.support.clocks import FakeClock
from tests.support.processes import running

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_complaint_02_one_illegal_address_costs_no_other_value_and_never_the_connection(
    tmp_path: Path, code: int
) -> None:
    """Exceptions 1 to 4 are answers: the block is searched, the address remembered, the connection stays."""
    log = tmp_path / "log"
    memory = Forgetful()
    legal = {f"r{a}": a for a in (*range(50), *range(300, 310)) if a != 7}

    async def story() -> None:
        it = ModbusCollector(
            device(peer.port or 0, {"g/1s": words(*range(50), *range(300, 310))}), Box(FakeClock(), memory)
        )
        async with it.connect() as read:
            readings = [values(frame(await read())) for _ in range(5)]
        for got in readings[1 if code == 4 else 0 :]:
            assert {name: value for name, value in got.items() if value is not None} == legal
        assert all(got["r305"] == 305 for got in readings), "another request's values"
        assert it.stats.reconnects == it.stats.idle_reconnects == 0
        assert len([r for r in read_log(log) if r.exception]) == it.stats.exceptions
        assert read_log(log)[-1].exception == 0
        assert memory.recall("plc", "modbus") is not None

    with running(server(tmp_path, "--illegal", f"7-7:{code}", log=log)) as peer:
        run(story())


def test_complaint_02_an_illegal_address_that_nobody_asked_for_is_read_around_after_a_restart_too(
    tmp_path: Path,
) -> None:
    """A hole between two values costs one search in a life: what was learned outlives the process."""
    log = tmp_path / "log"
    memory = Forgetful()
    wanted = [*range(10), *range(12, 22)]

    async def session() -> None:
        it = ModbusCollector(device(peer.port or 0, {"g/1s": words(*wanted)}), Box(FakeClock(), memory))
        async with it.connect() as read:
            for _ in range(3):
                assert values(frame(await read())) == {f"r{a}": a for a in wanted}

    with running(server(tmp_path, "--illegal", "10-11:2", log=log)) as peer:
        run(session())
        before = read_log(log)
        run(session())
        after = read_log(log)[len(before) :]
    assert 1 <= len([r for r in before if r.exception]) <= 6
    assert [r.exception for r in after] == [0] * 6, "two requests a reading, and no more searching"


@given(
    st.lists(st.tuples(st.integers(0, 65_400), st.sampled_from([1, 2, 4, 60])), min_size=1, max_size=80),
    st.integers(60, 125),
)
def test_complaint_03_values_are_read_together_and_none_is_lost_doubled_or_cut_at_a_seam(
    places: list[tuple[int, int]], most: int
) -> None:
    """No overlap of tasks, no omission, at most the limit, never through a value of several registers."""
    spans = [Span(Table.HOLDING, start, count) for start, count in places]
    seen = Counter[int]()
    requests = plan(spans, Limits(registers=most))
    for request in requests:
        assert request.span.count <= most
        for index, offset in request.items:
            seen[index] += 1
            assert request.span.start + offset == spans[index].start
            assert spans[index].end <= request.span.end
    assert seen == Counter(range(len(spans)))
    assert len(requests) <= len(set(spans))


def test_complaint_03_a_thousand_values_take_a_few_requests(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def story() -> None:
        addresses = range(0, 3000, 3)
        it = ModbusCollector(device(peer.port or 0, {"g/1s": words(*addresses)}), Box(FakeClock()))
        async with it.connect() as read:
            assert values(frame(await read())) == {f"r{a}": a for a in addresses}
        assert len(read_log(log)) == 24  # 42 values of 3 registers each fit into 125

    with running(server(tmp_path, log=log)) as peer:
        run(story())


@pytest.mark.parametrize("most", [16, 50, 64, 100, 120])
def test_complaint_04_a_device_that_serves_less_than_125_registers_is_asked_for_less(
    tmp_path: Path, most: int
) -> None:
    """The limit is learned in the first reading, shown, and known after a restart; nothing is bad meanwhile."""
    log = tmp_path / "log"
    memory = Forgetful()
    tags = words(*range(500))

    async def story() -> None:
        for start in ("cold", "warm"):
            asked = len(read_log(log)) if log.exists() else 0
            it = ModbusCollector(device(peer.port or 0, {"g/1s": tags}), Box(FakeClock(), memory))
            async with it.connect() as read:
                for _ in range(2):
                    assert values(frame(await read())) == {f"r{a}": a for a in range(500)}
            assert it.stats.learned == {"max_registers": most}
            assert it.refused() == []
            if start == "warm":
                assert not any(r.exception for r in read_log(log)[asked:])

    with running(server(tmp_path, "--max-count", most, log=log)) as peer:
        run(story())


def test_complaint_11_a_device_slower_than_its_interval_gets_no_queue(tmp_path: Path) -> None:
    """Missed slots are counted and passed over; when it is fast again nothing is caught up."""
    log = tmp_path / "log"
    clock = FakeClock()

    async def story() -> None:
        config = device(peer.port or 0, {"g/100ms": words(0, 200, 400)}, request_gap="2s")
        it = ModbusCollector(config, Box(clock))
        ends = []
        async with it.connect() as read:
            for _ in range(20):
                (block,) = [r for r in await read() if isinstance(r, FrameBlock)]
                assert len(block) == 3
                ends.append(clock.monotonic())
        assert len(read_log(log)) == 20 * 3, "one reading at a time, and none twice"
        assert min(b - a for a, b in pairwise(ends)) >= 4 * SECOND
        assert it.stats.skipped > 20 * 39
        assert not any(len(getattr(it, name)) > 10 for name in vars(it) if hasattr(getattr(it, name), "__len__"))

    with running(server(tmp_path, log=log)) as peer:
        run(story())
