"""What the agent runs with now, and how it goes over to another configuration without stopping.

    remove changed devices -> the spool commits and goes on under the new birth -> everybody else is told -> add

Only devices that differ are closed and opened; the others keep their connections and lose no slot. Between a
device's last word and its next there is a gap `config` per source; that of a source which is read no more stays
open until another change brings it back, or the agent ends. When the disk does not take the change, all goes on
as it was. A change is made to its end whoever goes away meanwhile, and one at a time: half of it would leave
devices that nobody reads.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from agent.answering import declared
from agent.changes import compare
from agent.errors import AgentError
from agent.frame import Event, Facts, gap_event
from agent.spool.ring import rows_for
from agent.standstill import Moment, Times
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping
    from pathlib import Path

    from agent.analyzers.evidence import DayLedger
    from agent.answering import Answering
    from agent.changes import Changes
    from agent.clock import Clock
    from agent.config.model import AgentConfig, Device
    from agent.fingerprint import Fingerprints
    from agent.fleet import Fleet
    from agent.frame import Json, Source
    from agent.latest import Latest
    from agent.maintenance import Maintenance
    from agent.reporter import Reporter
    from agent.sender import Sender
    from agent.sparkplug.output import Output
    from agent.spool import Spool
    from answers.plant import Joined
    from contract.payload import Birth

logger = logging.getLogger(__name__)

T = TypeVar("T")
FOUND_LISTED = 2000
DAY_S = 86_400.0


class NotTaken(AgentError):  # noqa: N818 - reads as what happened
    """The disk did not take the change: everything goes on as before."""


_UNDER_WAY: set[asyncio.Task[Any]] = set()


async def to_the_end(work: Coroutine[None, None, T]) -> T:
    """Do something to its end although the one who waits for it is cancelled; it is cancelled after that."""
    task = asyncio.create_task(work, name="change")
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and (failed := task.exception()) is not None:
            logger.warning("nobody waits any more to hear it: %s", failed)
        raise


class _Gone(NamedTuple):
    """The open gap of a source that is not read any more, and since when."""

    gap: str
    begun: Moment


class _Next(NamedTuple):
    """What follows from another configuration. With 10,000 signals it takes a third of a second to find."""

    changes: Changes
    sources: tuple[Source, ...]
    birth: Birth
    addresses: Mapping[tuple[str, str], str]
    digest: str


class Running:
    """All that knows the configuration in force.

    Args:
        config: In force at the start.
        raw: The file that it was read from.
        folder: Where that stands, for device profiles.
        clock: Stamps events.
        spool: Writes under a birth.
        evidence: Knows the sources.
        fleet: Runs the collectors.
        latest: Holds a place for each signal.
        fingerprints: Watches canaries.
        maintenance: Has a gap for each source.
        reporter: Assesses the inventory.
        sender: Announces births.
        answering: Takes the mentor's answers.
        sparkplug: Tells a SCADA system of the sources, where configured.

    Attributes:
        owes: The analyzers do not know yet what people have answered: the disk took nothing.
    """

    def __init__(
        self,
        config: AgentConfig,
        raw: bytes,
        folder: Path | None,
        clock: Clock,
        *,
        spool: Spool,
        evidence: DayLedger,
        fleet: Fleet,
        latest: Latest,
        fingerprints: Fingerprints,
        maintenance: Maintenance,
        reporter: Reporter,
        sender: Sender,
        answering: Answering,
        sparkplug: Output | None = None,
    ) -> None:
        self.config = config
        self.raw = raw
        self.folder = folder
        self.digest = config.config_hash()
        self._clock = clock
        self._spool = spool
        self._evidence = evidence
        self._fleet = fleet
        self._latest = latest
        self._fingerprints = fingerprints
        self._maintenance = maintenance
        self._reporter = reporter
        self._sender = sender
        self._answering = answering
        self._declared = declared(reporter.joined)
        self.owes = False
        self._sparkplug = sparkplug

        self._turn = asyncio.Lock()
        self._gone: dict[str, _Gone] = {}  # sources that a change has ended

    async def go_over(self, config: AgentConfig, raw: bytes, author: str) -> None:
        """Run with another configuration from now on; only devices that differ notice.

        Args:
            config: The other one.
            raw: The file that it was read from.
            author: Who wants it.

        Raises:
            ConfigError: a secret of a changed device cannot be read; nothing has changed.
            NotTaken: the disk takes nothing; nothing has changed.
        """
        await to_the_end(self._go_over(config, raw, author))

    async def renew(self, device: str) -> None:
        """Connect a device anew; what is missing meanwhile is a gap `config`.

        Raises:
            ConfigError: a secret cannot be read; the device goes on as it was.
        """
        await to_the_end(self._renew(device))

    async def _renew(self, device: str) -> None:
        async with self._turn:
            await self._fleet.renew([one for one in self.config.devices if one.id == device])

    async def _go_over(self, config: AgentConfig, raw: bytes, author: str) -> None:
        async with self._turn:
            old, before = self.config, self.digest
            new = await asyncio.to_thread(_next, old, config)
            changes = new.changes
            if not changes:
                self.raw = raw
                return
            begun = [device for device in config.devices if device.id in changes.of("added", "changed")]
            collectors = self._fleet.make(begun)
            ended = changes.of("removed", "changed")
            since = await self._fleet.remove(ended)
            taken = await asyncio.to_thread(
                self._spool.change,
                new.birth,
                new.sources,
                lambda: self._evidence.begin(new.sources, *self._declared),
                ring_rows=rows_for(new.sources),
            )
            if not taken:
                self._fleet.resume(ended, since)
                raise NotTaken(
                    Text(
                        "the disk takes no data, so the change is not taken over: look at `tsq-agent status`",
                        "디스크에 기록되지 않아 변경을 적용하지 못했습니다. tsq-agent status를 확인하십시오",
                    )
                )
            self._fleet.drop(changes.of("removed"))
            self._latest.begin(new.sources, anew={device.id for device in begun})
            self._fingerprints.begin(new.sources, new.addresses)
            self._maintenance.begin(new.sources)
            await asyncio.to_thread(self._reporter.change, config, new.sources)
            self._sender.introduce()
            if self._sparkplug is not None:
                self._sparkplug.begin(new.sources)
            self.config, self.raw, self.digest = config, raw, new.digest
            body: dict[str, Json] = {
                "old": before,
                "new": new.digest,
                "author": author,
                "added": list(changes.of("added")),
                "removed": list(changes.of("removed")),
                "changed": list(changes.of("changed")),
            }
            self._spool.put(Event(kind="config_change", time_ns=self._clock.now(), body=body))
            self.tell_inventory(begun)
            self._tell_gone(since)
            self._fleet.add(collectors, since)

    async def hear(self) -> None:
        """Take over what people have answered since the last time, if anything."""
        await to_the_end(self._hear())

    async def _hear(self) -> None:
        """Have the report look at the answers, and the analyzers at their loops and ranges, between two commits."""
        async with self._turn:
            changed = await asyncio.to_thread(self._answering.look)
            if not (changed or self.owes):
                return
            config = self.config
            await asyncio.to_thread(self._reporter.change, config, config.sources())
            wanted = declared(self._reporter.joined)
            if wanted == self._declared:
                self.owes = False
                return
            sources = config.sources()
            begun = functools.partial(self._evidence.begin, sources, *wanted)
            rows = rows_for(sources)
            if await asyncio.to_thread(self._spool.change, config.birth(), sources, begun, ring_rows=rows):
                self._declared, self.owes = wanted, False
            elif not self.owes:
                self.owes = True
                logger.warning("the disk takes no data: loops and ranges of the answers have to wait for it")

    async def answered(self) -> tuple[list[dict[str, object]], Joined]:
        """Return the answers in force, and what they come to, of one moment: not while either is being changed."""
        async with self._turn:
            return self._answering.about(), self._reporter.joined

    def _tell_gone(self, since: Mapping[str, Moment]) -> None:
        """Open a gap for each source that is not read any more, and close those of sources that are back."""
        now, times = self._clock.now(), Times(self._clock)
        there = {source.id for device in self.config.devices for source in device.sources()}
        for source in sorted(since.keys() - there):
            gone = self._gone[source] = _Gone(uuid.uuid4().hex, since[source])
            self._spool.put(gap_event(gone.gap, "config", source, now, times.stamp(gone.begun), None))
        for source in sorted(self._gone.keys() & there):
            gone = self._gone.pop(source)
            start = times.stamp(gone.begun)
            self._spool.put(gap_event(gone.gap, "config", source, now, start, max(now, start)))

    def tell_inventory(self, devices: Iterable[Device]) -> None:
        """Record how the addresses of these devices were found."""
        for device in devices:
            signals = [signal for source in device.sources() for signal in source.signals]
            found = Counter(signal.found for signal in signals)
            listed = [s for s in signals if s.found != "manual"][:FOUND_LISTED]
            body: dict[str, Json] = {
                "signals": len(signals),
                "found": {how: found[how] for how in sorted(found)},
                "by": {f"{s.machine}/{s.id}": s.found for s in listed},
            }
            facts = Facts(kind="inventory", time_ns=self._clock.now(), subject=device.id, body=body)
            self._spool.put(facts)

    async def tell_daily(self) -> None:
        """Record it now and every day, for ever."""
        while True:
            self.tell_inventory(self.config.devices)
            await self._clock.sleep(DAY_S)


def _next(old: AgentConfig, config: AgentConfig) -> _Next:
    return _Next(compare(old, config), config.sources(), config.birth(), config.addresses(), config.config_hash())
