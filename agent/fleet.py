"""The collectors that run now, each under its supervisor: started, and changed while the others go on."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from typing import TYPE_CHECKING

from agent import collectors
from agent.frame import Quality, quality
from agent.standstill import Standstill
from agent.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.collectors.base import Box, Collector
    from agent.config.model import Device
    from agent.health import Health
    from agent.latest import Latest
    from agent.standstill import Moment
    from agent.supervise import Sink


class Fleet:
    """All supervisors of the agent, by device.

    Args:
        box: What collectors share.
        sink: Takes what they read.
        health: Told of every state.
        latest: Knows whether a device has power, where a signal of another one tells.
    """

    def __init__(self, box: Box, sink: Sink, health: Health, latest: Latest | None = None) -> None:
        self._latest = latest
        self._power: dict[str, str | None] = {}  # device -> machine/signal
        self._box = box
        self._sink = sink
        self._health = health
        self._group: asyncio.TaskGroup | None = None
        self._stopped = False
        self._beat: asyncio.Task[None] | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._supervisors: dict[str, Supervisor] = {}
        self._standstill = Standstill(box.clock, sink.put, self._stood_still, self._clock_set)

    def make(self, devices: Iterable[Device]) -> list[Collector]:
        """Return what reads these devices, not yet running.

        Raises:
            ConfigError: a secret cannot be read.
        """
        wanted = list(devices)
        made = [collectors.make(device, self._box) for device in wanted]
        self._power |= {device.id: device.power_signal for device in wanted}
        return made

    def add(self, made: Iterable[Collector], since: Mapping[str, Moment] | None = None) -> None:
        """Begin to read these devices, at once when the fleet runs.

        Args:
            made: What reads them; none of the devices is read now.
            since: When the configuration changed under a running agent: source id -> since when nothing is known
                of it. What is missing until its first word is then the change's, not the agent's start's.
        """
        if self._stopped:
            return
        for collector in made:
            device = collector.device
            self._health.begin(device)
            supervisor = Supervisor(
                collector,
                self._sink,
                self._health,
                self._box.clock,
                since=since,
                standstill=self._standstill,
                off=functools.partial(self._off, device),
            )
            self._supervisors[device] = supervisor
            if self._group is not None:
                self._run(self._group, device, supervisor)

    async def remove(self, devices: Iterable[str]) -> dict[str, Moment]:
        """End the reading of these devices; return since when nothing is known of each of their sources.

        They are shown until others take their places, or `drop`.
        """
        gone = list(devices)
        tasks = [self._tasks.pop(device) for device in gone if device in self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        since: dict[str, Moment] = {}
        for device in gone:
            if device in self._supervisors:
                since |= self._supervisors[device].retire()
        return since

    def resume(self, devices: Iterable[str], since: Mapping[str, Moment]) -> None:
        """Go on reading devices that were removed, as they were.

        Args:
            devices: Their ids.
            since: What `remove` has returned.
        """
        self.add([self._supervisors[device].collector for device in devices], since)

    async def renew(self, devices: Iterable[Device]) -> None:
        """Connect devices anew; what is missing meanwhile is a gap `config`.

        Raises:
            ConfigError: a secret cannot be read; the devices go on as they were.
        """
        made = self.make(devices)
        self.add(made, await self.remove([collector.device for collector in made]))

    def drop(self, devices: Iterable[str]) -> None:
        """Let go of devices that were removed and do not come back."""
        for device in devices:
            self._supervisors.pop(device, None)
            self._health.drop(device)

    def start(self, group: asyncio.TaskGroup, since: Moment | None = None) -> None:
        """Run all supervisors, and those that are added later, as tasks of this group.

        Args:
            group: Where they run.
            since: Until then the spool tells that the agent was off.
        """
        self._group = group
        if since is not None:
            for supervisor in self._supervisors.values():
                supervisor.begin(since)
        self._beat = group.create_task(self._standstill.run(), name="standstill")
        for device, supervisor in self._supervisors.items():
            self._run(group, device, supervisor)

    def stop(self) -> None:
        """Have all of them end."""
        self._stopped = True
        if self._beat is not None:
            self._beat.cancel()
        for task in self._tasks.values():
            task.cancel()

    def _run(self, group: asyncio.TaskGroup, device: str, supervisor: Supervisor) -> None:
        self._tasks[device] = group.create_task(supervisor.run(), name=f"collector:{device}")

    def _stood_still(self, begun: Moment, end: Moment) -> None:
        for device in self._tasks:
            self._supervisors[device].stood_still(begun, end)

    def _off(self, device: str) -> bool:
        """Whether another device, which is read now, says that this one has no power."""
        name = self._power.get(device)
        if name is None or self._latest is None:
            return False
        found = self._latest.value(*name.split("/"))
        if found is None:
            return False
        witness, value, status = found
        up = witness in self._health.devices and self._health.devices[witness].state == "up"
        return up and quality(status) is Quality.GOOD and not value

    def _clock_set(self) -> None:
        for device in self._tasks:
            self._supervisors[device].clock_set()

    def retry(self, device: str) -> None:
        """Try a device at once.

        Raises:
            KeyError: it is not here.
        """
        self._supervisors[device].retry()

    def overview(self) -> dict[str, dict[str, object]]:
        """Return what each device is doing, and what its collector has done, as plain JSON."""
        snapshot = self._health.snapshot()
        return {
            device: {
                **snapshot[device],
                "alive": None if supervisor.alive_ns is None else str(supervisor.alive_ns),
                "stats": dataclasses.asdict(supervisor.stats),
            }
            for device, supervisor in sorted(self._supervisors.items())
        }
