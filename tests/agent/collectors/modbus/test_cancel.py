"""Cancelled at any await, the collector leaves no socket behind."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from tests.agent.collectors.modbus.rig import device, run, words
from tests.peers.modbus import server
from tests.support.processes import running


def sockets() -> set[str]:
    """Return the sockets that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)  # noqa: PTH115 - a socket is no path
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest.mark.parametrize("options", [(), ("--delay-ms", 5), ("--close-after", 1)])
def test_cancelled_after_any_number_of_turns_of_the_loop(tmp_path: Path, options: tuple[str | int, ...]) -> None:
    with running(server(tmp_path, *options)) as peer:
        port = peer.port
        assert port is not None

        async def story() -> None:
            reached: set[str] = set()
            before = sockets()
            for turns in range(40):
                it = ModbusCollector(device(port, {"g/100ms": words(1, 100, 200)}), Box(SystemClock()))
                stage = ["connecting"]

                async def use(it: ModbusCollector, stage: list[str]) -> None:
                    async with it.connect() as read:
                        stage[0] = "reading"
                        await read()
                        stage[0] = "waiting"
                        while True:
                            await read()

                task = asyncio.ensure_future(use(it, stage))
                for _ in range(turns):
                    await asyncio.sleep(0 if turns % 2 else 0.0005)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                reached.add(stage[0])
                await asyncio.sleep(0)  # a closed transport frees its socket in the next turn
                await asyncio.sleep(0)
                assert sockets() == before, f"after {turns} turns, {stage[0]}"
            assert "connecting" in reached
            assert "reading" in reached

        run(story())
