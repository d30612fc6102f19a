"""The composition root of the agent: configuration to objects, started and stopped in order.

    collectors --supervise--> spool --(commit)--> analyzers
                                |
                                +--> sender --> uplink --> broker          (threads of their own)
                                                  |
    reporter --(each minute, and report.get)------+

Collectors run in one event loop and never wait for disk or network; spool, sender and uplink have threads of
their own. Stopping goes the same way: collectors first, then what they read is committed and given a few
seconds to be confirmed; what is left stays on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import importlib.metadata
import logging
import os
import secrets
import signal
import threading
from typing import TYPE_CHECKING

from agent import collectors, control
from agent.analyzers import evidence as analyzers
from agent.analyzers.latency import account
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.config.load import load
from agent.errors import ConfigError
from agent.frame import Event
from agent.health import DeviceHealth, Health
from agent.intake import Intake
from agent.latest import Latest
from agent.lock import hold
from agent.memory import DiskMemory
from agent.reporter import Reporter
from agent.sender import Sender
from agent.spool import Limits, Spool
from agent.spool.ring import rows_for
from agent.supervise import Supervisor
from agent.uplink import Uplink
from contract.payload import Status
from contract.topics import AgentTopics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.analyzers.evidence import DayLedger
    from agent.config.model import AgentConfig
    from agent.control import Handler

logger = logging.getLogger(__name__)

DRAIN_S = 3.5  # with all goodbyes, an agent stops within 5 s
TICK_S = 1.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
VERSION = importlib.metadata.version("techsquare-edge")


def run(path: Path, lang: str | None = None) -> int:
    """Run the agent of a configuration file until SIGTERM or SIGINT; return the exit code.

    Raises:
        ConfigError: the file is wrong.
        SpoolFailed: neither disk nor memory can take data.
    """
    Agent(load(path, lang)).run()
    return 0


class Agent:
    """Everything that runs on one edge box.

    Args:
        config: Of the site.

    Raises:
        ConfigError: a secret cannot be read, or the state folder holds data of an agent with other ids.
        SpoolFailed: the state folder cannot be used, or another agent works in it.
    """

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._boot = secrets.token_hex(8)
        self._sources = config.sources()
        self._calendar = config.calendar()
        self._folder = config.storage.directory
        self._lock = hold(self._folder)
        self._spool = Spool(
            self._folder,
            birth=config.birth(),
            sources=self._sources,
            limits=Limits(
                max_bytes=config.storage.max_size,
                max_age_ns=config.storage.max_age,
                min_free_bytes=config.storage.min_free,
            ),
            account=functools.partial(account, calendar=self._calendar),
            ring_rows=rows_for(self._sources),
        )
        self._refuse_other_ids()
        self._clock = SystemClock(self._spool.epoch, trusted=config.time.trust_local_clock)
        self._memory = DiskMemory(self._folder)
        self._box = Box(self._clock, self._memory)
        self._health = Health({device.id: DeviceHealth() for device in config.devices})
        self._latest = Latest(self._sources)
        self._intake = Intake(self._spool, self._latest)
        self._supervisors = {
            device.id: Supervisor(collectors.make(device, self._box), self._intake, self._health, self._clock)
            for device in config.devices
        }
        topics = AgentTopics(config.factory, config.agent)
        self._site = Uplink(config.uplink.site, topics, self._status)
        platform = config.uplink.platform
        self._platform = None if platform is None else Uplink(platform, topics, self._status, "platform")
        self._sender = Sender(self._spool, self._site, topics, self._clock)
        self._reporter = Reporter(config, self._spool, self._platform or self._site, topics, self._clock)

    def _refuse_other_ids(self) -> None:
        """Data waits for its own branch: under another name no gateway would take it, and it would block ours."""
        ours = (self._config.factory, self._config.agent)
        for owner, entries in self._spool.owners().items():
            if owner != ours:
                raise ConfigError(
                    f"{self._folder} holds {entries} entries of {'/'.join(owner)} that are not stored yet, and "
                    f"this is {'/'.join(ours)}: start once more with the old ids until nothing waits any more "
                    "(`tsq-agent status`), or name another storage.directory"
                )

    def run(self) -> None:
        """Collect and deliver until SIGTERM or SIGINT."""
        evidence = self._restored()
        self._spool.start(self._clock, evidence)
        self._spool.put(self._event("agent_start", version=VERSION, config=self._config.config_hash()))
        self._memory.start()
        self._sender.start()
        uplinks = [self._site] + ([self._platform] if self._platform else [])
        for uplink in uplinks:
            uplink.start()
        self._reporter.start()
        try:
            asyncio.run(self._collect())
        except BaseExceptionGroup as group:  # of the TaskGroup: only what ends the process gets out of it
            raise _first(group) from group
        finally:
            self._reporter.stop()
            self._memory.stop()
            devices = self._health.devices.values()
            rows, bad = sum(d.rows for d in devices), sum(d.bad_rows for d in devices)
            before = self._spool.stats().seq
            self._spool.put(self._event("agent_stop", rows=rows, bad_rows=bad))  # what the store must come to
            self._drain(before)
            self._sender.stop()
            for uplink in uplinks:
                uplink.stop()
            self._spool.stop()
            logger.info("stopped")

    def _restored(self) -> DayLedger:
        """Return the evidence as of the last commit: the last checkpoint, and what was committed after it.

        Nothing in it keeps the agent from collecting, at this start and at each one after it.
        """
        anew = "the evidence of open days begins anew"
        try:
            evidence = analyzers.make(self._sources, self._calendar, self._spool.checkpoint_state())
        except ValueError as exc:
            logger.error("%s: %s", anew, exc)  # noqa: TRY400 - no bug, so no traceback
            evidence = analyzers.make(self._sources, self._calendar)
        except Exception:
            logger.exception("%s: this is a bug, please report it", anew)
            evidence = analyzers.make(self._sources, self._calendar)
        try:
            for entry in self._spool.replay():
                evidence.feed(entry.items)
        except Exception:
            logger.exception("%s: this is a bug, please report it", anew)
            return analyzers.make(self._sources, self._calendar)
        return evidence

    async def _collect(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop.set)
        async with contextlib.AsyncExitStack() as stack:
            try:
                verbs: Mapping[str, Handler] = {
                    "status": self._overview,
                    "values": self._values,
                    "retry": self._retry,
                }
                await stack.enter_async_context(control.listening(self._folder, verbs))
            except OSError as exc:  # a path too long for a socket: everything else works
                logger.warning("`status` and `retry` do not work: %s: shorten storage.directory", exc)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(supervisor.run(), name=f"collector:{device}")
                    for device, supervisor in self._supervisors.items()
                ]
                tasks.append(group.create_task(self._watch_clock(), name="clock"))
                await stop.wait()
                for number in STOP_SIGNALS:  # a second Ctrl-C must not keep what was read from the disk
                    loop.remove_signal_handler(number)
                    signal.signal(number, signal.SIG_IGN)
                for task in tasks:
                    task.cancel()

    async def _watch_clock(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            off = self._clock.step()
            if off is not None:
                logger.warning("the clock was set by %.3f s: a new epoch begins", off / 1e9)
                self._spool.put(self._event("clock_step", offset_ns=str(off), epoch=self._clock.epoch))

    def _event(self, kind: str, **body: int | str) -> Event:
        assert kind in {"agent_start", "agent_stop", "clock_step"}
        return Event(kind=kind, time_ns=self._clock.now(), body={"boot": self._boot, **body})  # type: ignore[arg-type]

    def _drain(self, before: int) -> None:
        """Give what was read a few seconds to be committed behind entry `before`, and to be confirmed."""
        committed = threading.Event()
        self._spool.listen(committed.set)
        deadline = self._clock.monotonic() + round(DRAIN_S * 1e9)
        while self._site.up and self._clock.monotonic() < deadline:
            stats = self._spool.stats()
            if stats.seq > before and not stats.entries and not stats.ring_rows:
                return
            committed.clear()
            committed.wait(0.2)

    # What others see

    def _status(self, online: bool) -> Status:  # noqa: FBT001 - as the uplink asks
        stats = self._spool.stats()
        return Status(
            online=online,
            boot=self._boot,
            time=str(self._clock.now()),
            version=VERSION,
            spool=stats.spool,
            depth=stats.entries,
            oldest=None if stats.oldest_ns is None else str(stats.oldest_ns),
            sources={name: device.state for name, device in sorted(self._health.devices.items())},
        )

    def _devices(self) -> dict[str, Mapping[str, object]]:
        """Return what each device is doing, and what its collector has done."""
        snapshot = self._health.snapshot()
        return {
            device: {**snapshot[device], "stats": dataclasses.asdict(supervisor.stats)}
            for device, supervisor in sorted(self._supervisors.items())
        }

    async def _values(self, target: str, args: Mapping[str, object]) -> bytes:
        """Answer with the last values of one device or all; `history: false` leaves the past out."""
        devices = self._devices()
        if target:
            devices = {target: devices[target]}
        head = {"time": str(self._clock.now()), "devices": devices}
        history = args.get("history") is not False
        return await asyncio.to_thread(self._latest.encoded, head, frozenset(devices), history=history)

    def _overview(self, _target: str, _args: Mapping[str, object]) -> Mapping[str, object]:
        return {
            "agent": f"{self._config.factory}/{self._config.agent}",
            "name": self._config.name,
            "boot": self._boot,
            "process": os.getpid(),
            "time": str(self._clock.now()),
            "clock_trusted": self._clock.trusted,
            "devices": self._devices(),
            "spool": self._spool.stats()._asdict(),
            "uplink": {
                "site": self._site.up,
                "platform": None if self._platform is None else self._platform.up,
                "in_flight": self._sender.in_flight,
                "usual_s": self._sender.usual_s,
            },
        }

    def _retry(self, target: str, _args: Mapping[str, object]) -> Mapping[str, object]:
        device = target if target in self._supervisors else target.split(".", maxsplit=1)[0]
        self._supervisors[device].retry()
        return {"ok": True, "device": device}


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
