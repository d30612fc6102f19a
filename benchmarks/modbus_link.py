"""How much of the library's own speed is left when the agent reads: 125 registers a request, one connection.

    python -m benchmarks.modbus_link [--seconds 0.5] [--rounds 20]

Both sides read the same server (libmodbus, `tests/peers/modbus`) on loopback in the same run, in turns:

    library  pymodbus' AsyncModbusTcpClient.read_holding_registers(count=125) in a bare loop
    agent    the collector as the agent runs it: schedule, bus, link, decoding into rows, frames taken and dropped;
             60,000 signals of 16 bits in eight groups that are always due, and a budget that is never reached

Prints requests a second of both for each round, and the median of the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymodbus.client import AsyncModbusTcpClient

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.config import ModbusDevice
from agent.frame import FrameBlock
from tests.peers.modbus import server
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.base import Read

COUNT = 125
GROUPS = 8
BLOCKS = 60


def device(port: int) -> ModbusDevice:
    """Return a device whose plan is blocks of 125 registers and nothing else."""
    groups: list[dict[str, Any]] = []
    for g in range(GROUPS):
        starts = range(g * BLOCKS * 130, (g + 1) * BLOCKS * 130, 130)
        signals = [
            {"id": f"r{start + n}", "address": f"holding:{start + n}", "type": "uint16"}
            for start in starts
            for n in range(COUNT)
        ]
        groups.append({"id": f"g{g}", "every": "50ms", "signals": signals})
    return ModbusDevice.model_validate(
        {
            "id": "plc", "type": "modbus", "machine": "m", "host": "127.0.0.1", "port": port, "max_gap": 0,
            "budget": {"requests_per_second": 10_000, "busy": 1}, "groups": groups,
        }
    )  # fmt: skip


async def library(client: AsyncModbusTcpClient, seconds: float) -> float:
    """Return requests a second of a bare loop."""
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        reply = await client.read_holding_registers(done % (GROUPS * BLOCKS) * 130, count=COUNT)
        assert len(reply.registers) == COUNT
        done += 1
    return done / spent


async def agent(collector: ModbusCollector, read: Read, seconds: float) -> float:
    """Return requests a second of the collector."""
    before, begun = collector.stats.requests, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        for reading in await read():
            if isinstance(reading, FrameBlock):
                assert len(reading) == COUNT * BLOCKS
                assert not reading.quality.any()
    return (collector.stats.requests - before) / spent


async def compare(port: int, seconds: float, rounds: int) -> None:
    """Measure in turns, so that what else the machine does meets both, and print."""
    collector = ModbusCollector(device(port), Box(SystemClock(trusted=True)))
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await client.connect()
    rates: list[tuple[float, float]] = []
    async with collector.connect() as read:
        for _ in range(GROUPS + 1):  # facts, and every group once
            await read()
        for _ in range(rounds):
            alone = await library(client, seconds)
            rates.append((alone, await agent(collector, read, seconds)))
    client.close()
    for number, (alone, whole) in enumerate(rates, 1):
        print(f"round {number:2}: library {alone:6.0f}/s  agent {whole:6.0f}/s  ratio {whole / alone:.2f}")
    alone, whole = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(whole / alone for alone, whole in rates)
    print(f"median of {rounds}: library {alone:.0f}/s, agent {whole:.0f}/s, ratio {ratio:.2f} (wanted: 0.60)")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison against a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one slice")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, running(server(Path(folder))) as peer:
        assert peer.port is not None
        asyncio.run(compare(peer.port, options.seconds, options.rounds))


if __name__ == "__main__":
    main()
