"""Where `watch` gets its data: from the agent that runs, or from collectors of its own.

`Running` asks the control socket. `Direct` is for commissioning, when no agent runs: it reads the devices itself as
the agent would, with the same back-off and budgets, and keeps nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from agent.config.model import AgentConfig
    from agent.health import Health
    from agent.latest import Latest
    from agent.supervise import Supervisor


class Values(Protocol):
    """Answers as the control verb `values` does."""

    async def snapshot(self, *, history: bool) -> Mapping[str, Any]:
        """Return all that is known now.

        Raises:
            AgentError: nobody answers; trying again may help.
        """

    async def retry(self, device: str) -> None:
        """Try a device at once."""


class Running:
    """The agent that runs with a state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def snapshot(self, *, history: bool) -> Mapping[str, Any]:
        """Ask it."""
        from agent import control  # noqa: PLC0415

        args = {"history": history}
        return cast("Mapping[str, Any]", await asyncio.to_thread(control.ask, self._folder, "values", "", args))

    async def retry(self, device: str) -> None:
        """Tell it to try a device at once."""
        from agent import control  # noqa: PLC0415

        await asyncio.to_thread(control.ask, self._folder, "retry", device)


class Direct:
    """Collectors of our own; make one with `reading`."""

    def __init__(self, latest: Latest, health: Health, supervisors: Mapping[str, Supervisor], clock: Any) -> None:
        self._latest = latest
        self._health = health
        self._supervisors = supervisors
        self._clock = clock

    async def snapshot(self, *, history: bool) -> Mapping[str, Any]:
        """Return what they have read."""
        health = self._health.snapshot()
        blank = {
            "state": "starting",
            "since": "0",
            "text": "",
            "refused": [],
            "rows": 0,
            "bad_rows": 0,
            "outages": 0,
        }
        devices = {
            name: {**health.get(name, blank), "stats": dataclasses.asdict(supervisor.stats)}
            for name, supervisor in self._supervisors.items()
        }
        head = {"time": str(self._clock.now()), "devices": devices}
        return cast("Mapping[str, Any]", json.loads(self._latest.encoded(head, history=history)))

    async def retry(self, device: str) -> None:
        """Try a device at once."""
        self._supervisors[device].retry()


@asynccontextmanager
async def reading(config: AgentConfig) -> AsyncIterator[Direct]:
    """Read all devices of a file while the block runs."""
    from agent import collectors  # noqa: PLC0415 - the libraries of the protocols
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.collectors.base import Box  # noqa: PLC0415
    from agent.health import Health  # noqa: PLC0415
    from agent.latest import Latest  # noqa: PLC0415
    from agent.supervise import Supervisor  # noqa: PLC0415

    logging.getLogger("agent").setLevel(logging.CRITICAL)  # the screen shows what a log would
    clock = SystemClock(trusted=config.time.trust_local_clock)
    box, health, latest = Box(clock, pki=str(config.storage.directory / "pki")), Health(), Latest(config.sources())
    supervisors = {
        device.id: Supervisor(collectors.make(device, box), latest, health, clock) for device in config.devices
    }
    tasks = [asyncio.create_task(supervisor.run()) for supervisor in supervisors.values()]
    try:
        yield Direct(latest, health, supervisors, clock)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
