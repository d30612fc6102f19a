"""The factory's servers, read by the agent's own collectors as the demo does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent import collectors
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.config.load import load
from agent.errors import Unreachable
from agent.frame import FrameBlock, Quality
from demo.machines import factory
from demo.plan import shifts
from demo.processes import free_ports
from demo.timeline import SECOND
from tests.demo.conftest import PORTS, write_config
from tests.support.processes import Child, running, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent.collectors.base import Collector, Reading
    from agent.config.model import AgentConfig
    from demo.machines import Machine

TOLERANCE_S = 3  # between the model's second and the moment of reading
Site = tuple["AgentConfig", dict[str, "Machine"], dict[str, int]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("factory")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    file = write_config(folder, ports)
    config = load(file, "en")
    # The conveyor shall first be away a few seconds from now, and not when it would be in the demo.
    now = time.time_ns()
    away = factory(shifts(config.calendar(), now))["conveyor-1"].outages
    assert away is not None
    live_from = 2 * now - int(away.start_ns[away.start_ns > now][0]) + 12 * SECOND
    machines = factory(shifts(config.calendar(), live_from))
    command = [sys.executable, "-m", "demo.factory", "--config", str(file), "--live-from", str(live_from)]
    with running(Child(command, log=folder / "factory.log")) as child:
        for name in ("press_port", "meter_port", "cnc_port", "mold_port"):
            wait_for_port(ports[name], 30, child.process)
        yield config, machines, ports


def read_until(collector: Collector, enough: Callable[[list[FrameBlock]], bool]) -> list[FrameBlock]:
    async def main() -> list[FrameBlock]:
        found: list[FrameBlock] = []
        async with collector.connect() as read:
            while not enough(found):
                readings: Sequence[Reading] = await read()
                found += [r for r in readings if isinstance(r, FrameBlock)]
        return found

    return asyncio.run(asyncio.wait_for(main(), 20))


def wait_for_port_again(port: int, end_ns: int) -> None:
    """Wait until a server that is away until `end_ns` listens again."""
    time.sleep(max(0.0, (end_ns - time.time_ns()) / SECOND - 0.5))
    wait_for_port(port, 10)


@pytest.mark.parametrize("device", ["press-plc", "meter", "cnc", "mold"])
def test_the_agent_reads_from_the_servers_what_the_model_says(site: Site, device: str) -> None:
    config, machines, _ = site
    configured = next(d for d in config.devices if d.id == device)
    wanted = sum(len(source.signals) for source in configured.sources())
    found = read_until(
        collectors.make(configured, Box(SystemClock(trusted=True))),
        lambda frames: len({(f.source.id, int(n)) for f in frames for n in f.signal}) == wanted,
    )
    machine = machines[configured.machine]
    for frame in found:
        assert not (frame.quality == Quality.BAD).any()
        for n, moment, got in zip(frame.signal.tolist(), frame.time_ns.tolist(), frame.value, strict=True):
            signal = frame.source.signals[n]
            around = np.arange(moment - TOLERANCE_S * SECOND, moment + SECOND, SECOND // 50)
            (expected,) = machine.columns([signal.id], around)
            if isinstance(got, str):
                assert got in set(expected)
            else:
                assert got is not None
                reach = 0.1 + 0.02 * np.abs(expected).max()  # between two of the moments looked at
                assert expected.min() - reach <= got <= expected.max() + reach, signal.id


def test_the_conveyor_goes_away_and_comes_back(site: Site) -> None:
    config, machines, ports = site
    outages = machines["conveyor-1"].outages
    assert outages is not None
    wait_for_port(ports["conveyor_port"], 30)
    ahead = int(np.flatnonzero(outages.start_ns > time.time_ns())[0])
    if outages.start_ns[ahead] < time.time_ns() + 3 * SECOND:  # too near to connect before it
        wait_for_port_again(ports["conveyor_port"], int(outages.stop_ns[ahead]))
        ahead += 1
    begin, end = int(outages.start_ns[ahead]), int(outages.stop_ns[ahead])
    conveyor = next(d for d in config.devices if d.id == "conveyor-plc")

    async def main() -> float:
        async with collectors.make(conveyor, Box(SystemClock(trusted=True))).connect() as read:
            try:
                while True:
                    await read()
            except Unreachable:
                return time.time_ns()

    lost = asyncio.run(asyncio.wait_for(main(), 90))
    assert begin - SECOND < lost < begin + 4 * SECOND, "it was in order until then"
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", ports["conveyor_port"])):
        pass
    wait_for_port_again(ports["conveyor_port"], end)
    assert time.time_ns() > end - SECOND
    assert read_until(collectors.make(conveyor, Box(SystemClock(trusted=True))), bool)


def test_a_write_to_a_plc_is_refused(site: Site) -> None:
    _, _, ports = site
    with contextlib.closing(socket.create_connection(("127.0.0.1", ports["press_port"]), timeout=5)) as link:
        link.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 6, 0, 1))
        answer = link.recv(64)
    assert answer[7:9] == bytes([0x86, 1]), "exception 1, illegal function"
