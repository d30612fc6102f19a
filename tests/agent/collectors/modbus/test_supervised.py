"""Under the supervisor: what the technician's log says, and what the pipeline gets, over an outage."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal as signals
from typing import TYPE_CHECKING

from agent import collectors
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.frame import Event, FrameBlock, Quality
from agent.health import Health
from agent.supervise import Supervisor
from tests.agent.collectors.modbus.rig import device, run, values, words
from tests.peers.modbus import server
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from agent.collectors.modbus.config import ModbusDevice
    from agent.frame import Item


class Sink:
    """Keeps what comes and lets a test wait for it."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._came = asyncio.Event()

    def put(self, item: Item) -> None:
        self.items.append(item)
        self._came.set()

    async def frame(self, wanted: Callable[[FrameBlock], bool]) -> FrameBlock:
        """Return the next frame from now on that is wanted."""
        seen = len(self.items)
        while True:
            for item in self.items[seen:]:
                if isinstance(item, FrameBlock) and wanted(item):
                    return item
            seen = len(self.items)
            self._came.clear()
            await self._came.wait()


def good(frame: FrameBlock) -> bool:
    return bool((frame.quality == Quality.GOOD).all())


def bad(frame: FrameBlock) -> bool:
    return bool((frame.quality == Quality.BAD).all())


@contextlib.asynccontextmanager
async def supervised(config: ModbusDevice, sink: Sink) -> AsyncIterator[Supervisor]:
    clock = SystemClock(trusted=True)
    supervisor = Supervisor(collectors.make(config, Box(clock)), sink, Health(), clock, jitter=lambda: 0.0)
    task = asyncio.ensure_future(supervisor.run())
    try:
        yield supervisor
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_a_power_cut_is_two_lines_of_log_and_one_closed_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    peer = server(tmp_path)
    assert peer.port is not None

    async def story() -> None:
        sink = Sink()
        async with supervised(device(peer.port or 0, {"g/50ms": words(1, 2)}), sink):
            await sink.frame(good)
            await asyncio.to_thread(peer.kill)
            for _ in range(2):
                await sink.frame(bad)
            await asyncio.to_thread(peer.start)
            await sink.frame(good)
        gaps = [
            i for i in sink.items if isinstance(i, Event) and i.kind == "gap" and i.body["cause"] == "link_down"
        ]
        assert [g.body["cause"] for g in gaps] == ["link_down", "link_down"]
        assert [g.to_ns is None for g in gaps] == [True, False]

    with running(peer):
        run(story())
    going, coming = [record.getMessage() for record in caplog.records]
    assert going.startswith("plc: not reachable: ")
    assert f"(127.0.0.1:{peer.port}, unit 1): connection refused: check that" in going
    assert coming.startswith("plc: back after")


def test_an_illegal_address_is_two_lines_of_log_and_its_neighbour_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    peer = server(tmp_path, "--illegal", "2-2")
    assert peer.port is not None

    async def story() -> None:
        sink = Sink()
        async with supervised(device(peer.port or 0, {"g/50ms": words(1, 2)}), sink) as supervisor:
            for _ in range(5):
                assert values(await sink.frame(lambda _: True)) == {"r1": 1, "r2": None}
            peer.send(signals.SIGUSR1)
            supervisor.retry()
            assert values(await sink.frame(good)) == {"r1": 1, "r2": 2}
        gaps = [i for i in sink.items if isinstance(i, Event) and i.kind == "gap"]
        assert [g.body["cause"] for g in gaps] == ["agent_off"], "only the time before the first reading"

    with running(peer):
        run(story())
    going, coming = [record.getMessage() for record in caplog.records]
    assert going.startswith("plc: signal r2 (holding:2): illegal address (exception 2): check the address")
    assert coming.startswith("plc: resolved: signal r2 (holding:2): illegal address")
