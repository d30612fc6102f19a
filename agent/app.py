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
import functools
import gc
import importlib.metadata
import logging
import secrets
import signal
import sys
import threading
from typing import TYPE_CHECKING

from agent import control, counters, kept
from agent.analyzers import evidence as analyzers
from agent.analyzers.latency import Latency
from agent.answering import Answering, declared
from agent.attended import Attended
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.config.load import load
from agent.errors import ConfigError
from agent.fingerprint import Fingerprints
from agent.fleet import Fleet
from agent.frame import Event
from agent.gatewaytime import GatewayTime
from agent.health import Health
from agent.intake import Intake
from agent.latest import Latest
from agent.lock import hold
from agent.maintenance import Maintenance
from agent.memory import DiskMemory
from agent.platform.office import opened
from agent.platform.team import gathered, team
from agent.recording import Recorder
from agent.reload import Reload
from agent.reporter import Reporter
from agent.running import Running
from agent.sender import Sender
from agent.spool import Limits, Spool
from agent.spool.ring import rows_for
from agent.standstill import Times
from agent.timekeeping import Timekeeper
from agent.uplink import BOTH, PLATFORM, SITE, Uplink
from agent.verbs import Verbs
from contract.payload import Status
from contract.topics import AgentTopics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agent.analyzers.evidence import DayLedger
    from agent.config.model import AgentConfig
    from agent.sparkplug.config import SparkplugSettings
    from agent.sparkplug.output import Output
    from agent.standstill import Moment
    from service.metrics import Metric

logger = logging.getLogger(__name__)

DRAIN_S = 3.0  # with all goodbyes, an agent stops within 5 s
TICK_S = 1.0
SWITCH_S = 0.0005
"""How long a thread that computes (a report over weeks, a checkpoint) may keep the event loop waiting. With the
usual 5 ms, every answer of a device waits so long: with 20 devices and a thread that computes all the time, 14 of
404 slots were late, against 1 of 401."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
VERSION = importlib.metadata.version("techsquare-edge")


def run(path: Path, lang: str | None = None) -> int:
    """Run the agent of a configuration file until SIGTERM or SIGINT; return the exit code.

    Raises:
        ConfigError: the file is wrong.
        SpoolFailed: neither disk nor memory can take data.
    """
    config = load(path, lang)
    for text in config.notes():
        logger.warning("%s", text.en)
    Agent(config, path).run()
    return 0


class Agent:
    """Everything that runs on one edge box.

    Args:
        config: Of the site.
        path: The file that it was read from, for `tsq-agent diff`.

    Raises:
        ConfigError: a secret cannot be read, or the state folder holds data of an agent with other ids.
        SpoolFailed: the state folder cannot be used, or another agent works in it.
    """

    def __init__(self, config: AgentConfig, path: Path | None = None) -> None:
        self._config = config
        self._path = path
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
            account=Latency(self._calendar),
            ring_rows=rows_for(self._sources),
        )
        self._refuse_other_ids()
        known = kept.read(self._folder)
        self._clock = SystemClock(self._spool.epoch, trusted=config.time.trust_local_clock, kept=known)
        self._timekeeper = Timekeeper(self._clock, self._spool, self._folder, lambda: secrets.token_hex(8), known)
        self._memory = DiskMemory(self._folder)
        self._box = Box(self._clock, self._memory, pki=str(self._folder / "pki"))
        self._health = Health()
        self._latest = Latest(self._sources)
        self._fingerprints = Fingerprints(self._memory, self._clock, self._sources, config.addresses())
        self._intake = Intake(self._spool, self._fingerprints, self._latest)
        self._maintenance = Maintenance(
            self._memory, self._clock, self._spool.put, self._sources, lambda: secrets.token_hex(8)
        )
        self._fleet = Fleet(self._box, self._intake, self._health, self._latest)
        self._fleet.add(self._fleet.make(config.devices))
        topics = AgentTopics(config.factory, config.agent)
        now = self._clock.moment
        platform = config.uplink.platform
        carries = BOTH if platform is None else SITE
        gathers = bool(config.readiness.agents)
        self._site = Uplink(config.uplink.site, topics, self._status, now=now, carries=carries, reporter=gathers)
        self._platform = (
            None if platform is None else Uplink(platform, topics, self._status, "platform", now, PLATFORM)
        )
        self._gateway_time = GatewayTime(self._site, topics, self._clock)
        self._sender = Sender(
            self._spool,
            self._gateway_time,
            topics,
            self._clock,
            largest=lambda: self._site.largest,
            backlog_rate=config.uplink.backlog_rate,
        )
        self._answering = Answering(config, self._folder, topics, self._clock.now)
        if self._platform is not None and self._answering.listens:
            self._platform.subscribe(topics.answers, self._answering.message)
        past, inbox = gathered(config, self._spool, self._site, topics, self._clock)
        uplink, sets = self._platform or self._site, self._answering.sets
        self._reporter = Reporter(config, past, uplink, topics, self._clock, sets)
        self._team = team(
            config, lambda: self._reporter.config, past, inbox, self._spool, sets, self._site, topics, self._clock
        )
        self._office = opened(
            config,
            self._folder,
            self._reporter,
            uplink,
            topics,
            self._clock,
            self._team,
            self._fingerprints.devices,
        )
        if self._team.outbox is not None:
            self._reporter.turns.append(self._team.outbox.turn)
        self._sparkplug = self._made_sparkplug(config.sparkplug)
        self._attended = Attended(self._clock, self._intake, self._metrics)

    def _made_sparkplug(self, settings: SparkplugSettings | None) -> Output | None:
        if settings is None:
            return None
        try:
            from agent.sparkplug.output import Output  # noqa: PLC0415 - it needs protobuf, and few want it
        except ModuleNotFoundError as exc:
            raise ConfigError(
                f"sparkplug: {exc.name} is missing: pip install 'techsquare-edge[sparkplug]'"
            ) from exc

        broker, node = settings.broker or self._config.uplink.site, settings.edge_node or self._config.agent
        output = Output(
            settings, broker, node, self._sources, self._clock, self._folder, VERSION, self._clock.moment
        )
        self._intake.copies.append(output)
        return output

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
        sys.setswitchinterval(SWITCH_S)
        evidence = self._restored()
        gc.freeze()  # what is there now stays: no collection has to look at it again
        self._running = self._made_running(evidence)
        off_until = self._spool.start(self._clock, evidence)
        begun = Times(self._clock).of(off_until)
        self._spool.put(self._event("agent_start", version=VERSION, config=self._config.config_hash()))
        self._timekeeper.begin()
        self._memory.start()
        self._sender.start()
        uplinks = [self._site] + ([self._platform] if self._platform else [])
        for uplink in uplinks:
            uplink.start()
        self._team.start()
        self._reporter.start()
        if self._sparkplug is not None:
            self._sparkplug.start()
        try:
            with self._attended.serving(self._config.metrics):
                asyncio.run(self._collect(begun))
        except BaseExceptionGroup as group:  # of the TaskGroup: only what ends the process gets out of it
            raise _first(group) from group
        finally:
            sparkplug = [] if self._sparkplug is None else [self._sparkplug.stop]
            steps = [
                self._attended.stopping,
                *sparkplug,
                self._reporter.stop,
                self._team.stop,
                self._memory.stop,
                self._last_word,
            ]
            steps += [self._sender.stop, *(uplink.stop for uplink in uplinks), self._spool.stop]
            with contextlib.ExitStack() as goodbye:  # each has its turn, whatever becomes of the others
                for step in reversed(steps):
                    goodbye.callback(step)
            logger.info("stopped")

    def _last_word(self) -> None:
        """Say what the store must come to, and give it a few seconds to come there."""
        rows, bad = self._health.totals()
        before = self._spool.stats().seq
        self._spool.put(self._event("agent_stop", rows=rows, bad_rows=bad))
        self._timekeeper.stop()
        self._drain(before)

    def _restored(self) -> DayLedger:
        """Return the evidence as of the last commit: the last checkpoint, and what was committed after it.

        Nothing in it keeps the agent from collecting, at this start and at each one after it.
        """
        anew = "the evidence of open days begins anew"
        loops, ranges = declared(self._reporter.joined)
        make = functools.partial(analyzers.make, self._sources, self._calendar, loops=loops, ranges=ranges)
        try:
            evidence = make(self._spool.checkpoint_state())
        except ValueError as exc:
            logger.error("%s: %s", anew, exc)  # noqa: TRY400 - no bug, so no traceback
            evidence = make()
        except Exception:
            logger.exception("%s: this is a bug, please report it", anew)
            evidence = make()
        try:
            for entry in self._spool.replay():
                evidence.feed(entry.items)
        except Exception:
            logger.exception("%s: this is a bug, please report it", anew)
            return make()
        return evidence

    async def _collect(self, begun: Moment) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop.set)
        self._maintenance.resume()
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(control.listening(self._folder, self._verbs().table()))
            except OSError as exc:  # a path too long for a socket: everything else works
                logger.warning("`status` and `retry` do not work: %s: shorten storage.directory", exc)
            async with asyncio.TaskGroup() as group:
                self._fleet.start(group, begun)
                tasks = [
                    group.create_task(self._each_second(), name="clock"),
                    group.create_task(self._running.tell_daily(), name="inventory"),
                ]
                self._attended.ready()
                try:
                    await stop.wait()
                finally:  # also when one of them ends the process: nobody is started any more
                    self._fleet.stop()
                for number in STOP_SIGNALS:  # a second Ctrl-C must not keep what was read from the disk
                    loop.remove_signal_handler(number)
                    signal.signal(number, signal.SIG_IGN)
                for task in tasks:
                    task.cancel()

    async def _each_second(self) -> None:
        asking: asyncio.Task[None] | None = None
        hearing: asyncio.Task[None] | None = None
        while True:
            await self._clock.sleep(TICK_S)
            self._maintenance.tick()
            self._attended.tick(self._running)
            self._timekeeper.tick()
            if (self._answering.due() or self._running.owes) and (hearing is None or hearing.done()):
                hearing = asyncio.create_task(self._running.hear(), name="answers")
            if self._site.up and self._clock.wants_answer() and (asking is None or asking.done()):
                self._clock.asked()
                asking = asyncio.create_task(asyncio.to_thread(self._gateway_time.ask, self._spool.birth))

    def _event(self, kind: str, **body: int | str) -> Event:
        assert kind in {"agent_start", "agent_stop"}
        return Event(kind=kind, time_ns=self._clock.now(), body={"boot": self._boot, **body})  # type: ignore[arg-type]

    def _drain(self, before: int) -> None:
        """Give what was read a few seconds to be committed behind entry `before`, and to be confirmed."""
        committed = threading.Event()
        self._spool.listen(committed.set)
        self._spool.hurry()
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
            devices={name: device.state for name, device in sorted(self._health.devices.items())},
            clock=self._clock.source,
            counters=self._attended.totals() if online else {},
        )

    def _metrics(self) -> Iterator[Metric]:
        around = counters.Around(
            now_ns=self._clock.now(),
            clock=self._clock.source,
            connected={name: one.up for name, one in self._connections().items()},
            in_flight=self._sender.in_flight,
            usual_s=self._sender.usual_s,
            certificates=self._certificates(),
            more={**self._timekeeper.counters(), **(self._sparkplug.counters() if self._sparkplug else {})},
        )
        return counters.metrics(self._spool.stats(), dict(self._health.devices), around)

    def _connections(self) -> Mapping[str, Uplink | Output]:
        made = {"site": self._site, "platform": self._platform, "sparkplug": self._sparkplug}
        return {name: one for name, one in made.items() if one is not None}

    def _certificates(self) -> Mapping[str, float]:
        left = {name: one.expiry.seconds for name, one in self._connections().items()}
        return {name: seconds for name, seconds in left.items() if seconds is not None}

    def _about(self) -> Mapping[str, object]:
        return {
            "boot": self._boot,
            "clock": self._timekeeper.about(),
            "uplink": {
                "site": self._site.up,
                "platform": None if self._platform is None else self._platform.up,
                "sparkplug": None if self._sparkplug is None else self._sparkplug.up,
                "in_flight": self._sender.in_flight,
                "usual_s": self._sender.usual_s,
                "certificates": self._certificates(),
                "troubles": {
                    name: {"en": trouble.en, "ko": trouble.ko}
                    for name, one in self._connections().items()
                    if (trouble := one.trouble) is not None
                },
            },
        }

    # How the parts know one another

    def _made_running(self, evidence: DayLedger) -> Running:
        return Running(
            self._config,
            b"" if self._path is None else self._path.read_bytes(),
            None if self._path is None else self._path.parent,
            self._clock,
            spool=self._spool,
            evidence=evidence,
            fleet=self._fleet,
            latest=self._latest,
            fingerprints=self._fingerprints,
            maintenance=self._maintenance,
            reporter=self._reporter,
            sender=self._sender,
            answering=self._answering,
            sparkplug=self._sparkplug,
        )

    def _verbs(self) -> Verbs:
        return Verbs(
            running=self._running,
            reload=Reload(self._running, self._box, self._latest),
            fleet=self._fleet,
            latest=self._latest,
            fingerprints=self._fingerprints,
            maintenance=self._maintenance,
            recorder=Recorder(self._box, self._clock),
            memory=self._memory,
            sink=self._spool,
            spool=self._spool,
            clock=self._clock,
            about=self._about,
            reporter=self._reporter,
            office=self._office,
            version=VERSION,
        )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
