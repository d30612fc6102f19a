"""What `tsq-agent explain` tells of a Modbus device is what its collector does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.collectors.base import Box, Forgetful
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.explained import explained
from agent.collectors.modbus.plan import USUAL
from tests.agent.collectors.modbus.rig import device, run, words
from tests.peers.modbus import read_log, server
from tests.support.clocks import FakeClock
from tests.support.processes import running

if TYPE_CHECKING:
    from pathlib import Path

    from agent.collectors.modbus.config import ModbusDevice


def told(config: ModbusDevice, memory: Forgetful) -> list[tuple[str, int]]:
    """Return where each request of the plan begins and how long it is."""
    (source,) = explained(config, memory).sources
    return [(request.first.split()[0], request.units) for request in source.requests]


def test_the_plan_that_is_told_is_the_one_that_goes_over_the_wire_before_and_after_learning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    memory = Forgetful()
    addresses = (*range(40), *range(50, 60), 300)

    async def story() -> None:
        config = device(peer.port or 0, {"g/1s": words(*addresses)})
        before = told(config, memory)
        assert before == [("holding:0", 60), ("holding:300", 1)]
        it = ModbusCollector(config, Box(FakeClock(), memory))
        async with it.connect() as read:
            await read()
            assert [(f"holding:{r.start}", r.count) for r in read_log(log)[:2]] == before
            await read()
            asked = len(read_log(log))
            await read()
        after = told(config, memory)
        assert [(f"holding:{r.start}", r.count) for r in read_log(log)[asked:]] == after
        assert after == [("holding:0", 7), ("holding:8", 32), ("holding:50", 10), ("holding:300", 1)]
        notes = [note.en for note in explained(config, memory).notes]
        assert "learned: 1 gaps are not read over: holding:40 (400041) - 49" in notes
        assert "learned: 1 values are refused (address: exception): holding:7 (400008): 2" in notes

    with running(server(tmp_path, "--illegal", "7-7", "--illegal", "44-44", log=log)) as peer:
        run(story())


def test_what_a_request_costs_is_assumed_from_the_transport_until_it_is_measured(tmp_path: Path) -> None:
    memory = Forgetful()

    async def story() -> None:
        config = device(peer.port or 0, {"g/100ms": words(*range(0, 3000, 200))})
        plan = explained(config, memory)
        assert (plan.cost, plan.measured) == (USUAL, False)
        it = ModbusCollector(config, Box(FakeClock(), memory))
        async with it.connect() as read:
            for _ in range(10):
                await read()
        assert explained(config, memory).measured

    with running(server(tmp_path)) as peer:
        run(story())


def test_on_a_serial_line_the_cost_follows_from_its_speed() -> None:
    costs = []
    for baudrate in (9600, 115_200):
        serial = {"port": "/dev/serial/by-id/usb-1", "baudrate": baudrate}
        base = device(502, {"g/1s": words(1)}).model_dump(include={"id", "type", "machine"})
        groups = [{"every": "1s", "signals": words(1, 30)}]
        config = type(device(502, {"g/1s": words(1)})).model_validate(
            base | {"transport": "rtu", "serial": serial, "groups": groups}
        )
        plan = explained(config, Forgetful())
        assert plan.cost is not None
        costs.append(plan.cost)
        assert len(plan.sources[0].requests) == (2 if baudrate == 9600 else 1)
    assert costs[0].per_unit_ns == pytest.approx(2 * 10 / 9600 * 1e9, rel=1e-5)
    assert costs[0].overhead_ns > 20_000_000
    assert costs[1].per_unit_ns * 11 < costs[0].per_unit_ns
