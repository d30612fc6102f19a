"""Every value that the server has served arrives exactly once: counted, not sampled."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from agent.frame import FrameBlock
from tests.agent.collectors.modbus.rig import device, run, words
from tests.peers.modbus import PAIRS_FROM, Served, read_log, server
from tests.support.processes import running

if TYPE_CHECKING:
    from pathlib import Path

UINT16S = 600
UINT32S = 200
READINGS = 15


def served(log: list[Served]) -> collections.Counter[tuple[str, int]]:
    """Return what the server says it has served, by signal id and value."""
    found: collections.Counter[tuple[str, int]] = collections.Counter()
    for request in log:
        for address in range(request.start, request.start + request.count):
            if address < PAIRS_FROM:
                found[f"r{address}", request.uint16(address)] += 1
            elif address % 2 == 0:
                found[f"p{address}", request.uint32(address)] += 1
    return found


def test_a_thousand_registers_at_ten_readings_a_second(tmp_path: Path) -> None:
    path = tmp_path / "log"
    pairs: list[dict[str, Any]] = [
        {"id": f"p{a}", "address": f"holding:{a}", "type": "uint32"}
        for a in range(PAIRS_FROM, PAIRS_FROM + 2 * UINT32S, 2)
    ]
    got: collections.Counter[tuple[str, object]] = collections.Counter()
    times: dict[tuple[str, object], int] = {}
    with running(server(tmp_path, log=path, sequence=True)) as peer:
        assert peer.port is not None
        it = ModbusCollector(
            device(peer.port, {"all/100ms": [*words(*range(UINT16S)), *pairs]}), Box(SystemClock())
        )

        async def story() -> None:
            async with it.connect() as read:
                for _ in range(READINGS):
                    for block in await read():
                        if isinstance(block, FrameBlock):
                            ids = [block.source.signals[i].id for i in block.signal]
                            rows = list(zip(ids, block.value, strict=True))
                            got.update(rows)
                            times.update(zip(rows, map(int, block.time_ns), strict=True))

        run(story())
    log = list(read_log(path))
    truth = served(log)
    assert got == truth
    assert set(truth.values()) == {1}, "each value is served once: that is what lets a test count"
    assert len(truth) == READINGS * (UINT16S + UINT32S)
    for request in log:
        address = request.start
        key = f"r{address}" if address < PAIRS_FROM else f"p{address}"
        value = request.uint16(address) if address < PAIRS_FROM else request.uint32(address)
        assert times[key, value] >= request.time_ns // 1000 * 1000, "stamped when the answer came"
