"""Reads one OPC UA server: subscriptions, polls, and everything that keeps both honest.

One task owns all of it: `read` does what is due (answers that have come, polls, a heartbeat, the channel's
renewal, another try of refused nodes, one part of the catalogue) and waits for the next of these. Nothing runs
beside it but the publish requests that lie at the server (`publisher`).

A subscription loses nothing unnoticed: the server marks a value before which it dropped others, sequence numbers
show a notification that went missing (all its signals are read anew then), and silence ends the connection.
A node that the server does not know or grant is a bad row and a text in `refused`; it is tried again after 60 s,
then ever more seldom. What is asked of subscriptions stands in `watching`.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from agent.collectors.opcua.about import catalog
from agent.collectors.opcua.connection import Connection
from agent.collectors.opcua.convert import legible
from agent.collectors.opcua.datatypes import DataTypes
from agent.collectors.opcua.group import RETRY_NS, Group, opaque
from agent.collectors.opcua.identity import Identity
from agent.collectors.opcua.limits import Limits
from agent.collectors.opcua.problems import untimed
from agent.collectors.opcua.publisher import Publisher
from agent.collectors.opcua.services import VALUE
from agent.collectors.opcua.upkeep import Upkeep
from agent.collectors.opcua.watching import Watching
from agent.errors import Unreachable
from agent.frame import Facts, Status, Watermark

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.clock import Clock
    from agent.collectors.base import Box, Memory, Read, Reading, Stats
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.frame import FrameBlock, Json, Source
    from settings.language import Text

HEARTBEAT_NS: Final = 2_000_000_000
HEARTBEAT_LEAST_NS: Final = 1_000_000_000
CATALOG_PART: Final = 200
"""Signals in one fact: about 50 kB, far below what one message may hold."""
TOPIC: Final = "opcua"
"""Of the box's memory: sizes of requests, and nodes that take no filter."""
FLAGS_NS: Final = 60_000_000_000


@dataclass(slots=True)
class _Kept:
    """What outlives a connection.

    Attributes:
        unfiltered: Nodes for which the server refuses a deadband.
        retry_now: Somebody asked to try refused nodes at once.
        catalogued: Start time of the server whose catalogue was read, "" where it says none; None before.
    """

    device: OpcUaDevice
    clock: Clock
    memory: Memory
    groups: list[Group]
    limits: Limits = field(default_factory=Limits)
    unfiltered: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    retry_now: bool = False
    catalogued: str | None = None

    def recall(self) -> None:
        """Take what an earlier process has learned of the server."""
        known = self.memory.recall(self.device.id, TOPIC)
        if isinstance(known, dict):
            self.limits.recall(known)
            unfiltered = known.get("unfiltered")
            if isinstance(unfiltered, list):
                self.unfiltered |= {node for node in unfiltered if isinstance(node, str)}

    def remember(self) -> None:
        """Keep what was learned for a later process."""
        body: dict[str, Json] = {**self.limits.learned(), "unfiltered": [*sorted(self.unfiltered)]}
        self.memory.remember(self.device.id, TOPIC, body)


class OpcUaCollector:
    """A `agent.collectors.base.Collector` of one OPC UA server.

    Args:
        device: Its configuration.
        box: What it shares with the other collectors.
    """

    def __init__(self, device: OpcUaDevice, box: Box) -> None:
        self._sources = device.sources()
        groups = [Group(c, s) for c, s in zip(device.groups, self._sources, strict=True)]
        self._kept = _Kept(device, box.clock, box.memory, groups)
        self._kept.recall()
        self._connection = Connection(device, box, self._kept.limits)
        self._publisher = Publisher(self._connection, box.clock, self._kept.wake, self._connection.place)
        self._session = _Session(self._kept, self._connection, self._publisher)

    @property
    def connection(self) -> Connection:
        """Its connection; for a recording to be played on."""
        return self._connection

    @property
    def device(self) -> str:
        """Id of the device."""
        return self._kept.device.id

    @property
    def sources(self) -> tuple[Source, ...]:
        """One per group."""
        return self._sources

    @property
    def stats(self) -> Stats:
        """What it has done so far."""
        return self._connection.meter.stats(
            self._kept.clock.monotonic(), skipped=self.late, learned=self._session.learned()
        )

    @property
    def late(self) -> int:
        """Polls that were skipped because the one before took too long."""
        return sum(group.late for group in self._kept.groups)

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad Frame per source that has signals; one of events has none."""
        for group in self._kept.groups:
            group.fail(time_ns, status)
        return [group.rows.take() for group in self._kept.groups if len(group.rows)]

    def refused(self) -> Sequence[Text]:
        """Return a text for each signal that the server does not let us read, or not as configured."""
        groups = self._kept.groups
        problems = [text for group in groups for text in group.problems.values()]
        untimely = filter(None, (untimed(group.source.id, group.believed()) for group in groups))
        return [*self._connection.warnings(), *problems, *untimely]

    def retry(self) -> None:
        """Try refused nodes at the next read."""
        self._kept.retry_now = True
        self._connection.retry()
        self._kept.wake.set()

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        """Open a session, or go on with the last; see `agent.collectors.base.Collector`."""
        keep = False
        try:
            await self._session.start()
            yield self._session.read
        except Unreachable:
            keep = not self._publisher.broken
            raise
        finally:
            try:
                await self._publisher.pause()
            finally:
                await (self._connection.abandon() if keep else self._connection.close())


class _Session:
    """What the collector does with its connection, from one to the next."""

    def __init__(self, kept: _Kept, connection: Connection, publisher: Publisher) -> None:
        self._kept = kept
        self._clock = kept.clock
        self._groups = kept.groups
        self._connection = connection
        self._publisher = publisher
        self._watching = Watching(connection, publisher, kept.clock, kept.device.machine, kept.unfiltered)
        self._upkeep = Upkeep(connection, kept.clock)
        self._types = DataTypes(connection)
        self._out: list[Reading] = []
        self._catalog: list[tuple[Group, range]] = []
        self._identity = Identity()
        fastest = min(group.config.every for group in self._groups)
        self._heartbeat_ns = min(max(fastest, HEARTBEAT_LEAST_NS), HEARTBEAT_NS)
        self._alive_ns: dict[str, int] = {}
        self._flags: dict[str, Json] = {}
        self._flags_at_ns = 0

    async def start(self) -> None:
        """Go on with what lives; else learn who the server is, and set up subscriptions and polls."""
        resumption = await self._connection.open(self._publisher.expected())
        alive = resumption.alive
        self._publisher.resume(alive, resumption.missed)
        self._publisher.request()
        self._out = [item for item in self._out if not isinstance(item, Watermark | Facts)]  # of another life
        self._watching.keep(alive)
        if resumption.kind != "session":
            await self._meet()
        self._upkeep.begin(anew=resumption.kind != "session")
        now_ns = self._clock.monotonic()
        for group in self._groups:
            group.clock_trusted = self._clock.trusted
            if group.subscription in alive:
                group.resume()
                continue
            group.begin(self._identity.namespaces, now_ns)
            group.types = self._types.known
            if not group.polled and group.config.burst is None:
                self._out += await self._watching.open(group)
        now = self._clock.now()
        self._out += [Watermark(group.source.id, now) for group in self._groups]
        body: dict[str, Json] = {
            **self._identity.facts(self._kept.device, self._connection),
            "revised": {source: {**said} for source, said in self._watching.granted.items()},
            "resumed": resumption.kind,
            "nodes": self._shares(),
            "per_read": self._kept.limits.read.size,
            "per_monitor": self._kept.limits.items.size,
            "per_browse": self._kept.limits.browse.size,
        }
        self._tell("connection", body)
        if resumption.kind != "session":
            self._tell("fingerprint", self._identity.fingerprint(self._connection))

    def _tell(
        self,
        kind: Literal["connection", "catalog", "fingerprint", "health", "clock", "access"],
        body: dict[str, Json],
    ) -> None:
        """Put a fact about the device out."""
        said = {key: legible(each) for key, each in body.items()}
        self._out.append(Facts(kind=kind, time_ns=self._clock.now(), subject=self._kept.device.id, body=said))

    async def _meet(self) -> None:
        """Learn who the server is; ask about the signals if it has started since."""
        self._identity = await Identity.read(self._connection, self._kept.limits)
        if self._kept.catalogued == (self._identity.start_time or ""):
            return
        self._types = DataTypes(self._connection)
        self._catalog = [
            (group, range(first, min(first + CATALOG_PART, len(group.source.signals))))
            for group in self._groups
            for first in range(0, len(group.source.signals), CATALOG_PART)
        ]

    def _shares(self) -> dict[str, Json]:
        """Return by source how many of its signals are read, `117/120`."""
        return {g.source.id: f"{g.good()}/{len(g.source.signals)}" for g in self._groups if g.source.signals}

    def learned(self) -> dict[str, Json]:
        """Return what `status` and `watch` show of it."""
        said: dict[str, Json] = {"nodes": self._shares(), "batches": {**self._kept.limits.learned()}}
        said |= self._identity.learned()
        counts = {
            "overflows": self._watching.overflows,
            "overloads": sum(group.overloads for group in self._groups),
        }
        return said | {name: count for name, count in counts.items() if count} | self._flags

    async def read(self) -> Sequence[Reading]:
        """Do what is due until there is something to hand on."""
        while True:
            self._kept.wake.clear()
            self._take(self._watching.published(self._publisher.take()))
            self._publisher.request()
            await self._burst()
            await self._poll()
            await self._refresh()
            await self._describe()
            await self._retry()
            if not self._out and self._catalog:
                await self._catalog_part()
            if not self._out:
                await self._look_after()
            self._collect()
            if self._out:
                out, self._out = self._out, []
                return out
            if self._clock.monotonic() >= self._connection.last_answer_ns + self._heartbeat_ns:
                await self._heartbeat()
                continue
            if self._clock.monotonic() >= self._connection.renew_at_ns:
                await self._connection.renew()
            await self._clock.wait(self._kept.wake, max(0, self._due_ns() - self._clock.monotonic()) / 1e9)

    def _take(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            if isinstance(reading, Watermark):
                self._alive_ns[reading.source] = reading.time_ns
        self._out += readings

    async def _heartbeat(self) -> None:
        """Show that server and session live; all that was sampled one publishing interval ago has come by now."""
        await self._identity.heartbeat(self._connection)
        now = self._clock.now()
        for group in self._groups:
            reached = now if group.polled else now - group.config.every
            if reached > self._alive_ns.get(group.source.id, 0):
                self._take([Watermark(group.source.id, reached)])

    def _due_ns(self) -> int:
        due = [
            self._connection.last_answer_ns + self._heartbeat_ns,
            self._connection.renew_at_ns,
            self._upkeep.next_ns(self._next_poll_ns()),
            *(group.next_ns for group in self._groups if group.polled or group.config.burst is not None),
            *(at for group in self._groups if not group.polled and (at := group.due_ns()) is not None),
        ]
        silent = self._publisher.silent_at_ns()
        return min(due if silent is None else [*due, silent])

    def _collect(self) -> None:
        """Put the rows first, and keep what was learned."""
        self._out[:0] = [group.rows.take() for group in self._groups if len(group.rows)]
        if self._kept.limits.changed or self._watching.changed:
            self._kept.limits.changed = self._watching.changed = False
            self._kept.remember()
        self._flag()

    def _flag(self) -> None:
        """Tell, now and then, whose source times are not believable any more, or are so again."""
        now_ns = self._clock.monotonic()
        if now_ns < self._flags_at_ns:
            return
        said: dict[str, Json] = {
            group.source.id: {reason: [*names[:50]] for reason, names in believed.items()}
            for group in self._groups
            if (believed := group.believed())
        }
        flags: dict[str, Json] = {"source_times": said} if said else {}
        if flags == self._flags:
            return
        self._flags, self._flags_at_ns = flags, now_ns + FLAGS_NS
        self._tell("health", flags or {"source_times": {}})

    # subscriptions

    async def _refresh(self) -> None:
        """Read the current values of a subscription that has lost a notification or was resumed: none stays old."""
        for group in self._groups:
            if group.stale:
                group.stale, group.unheard = False, []
                group.renew()
                if group.events:
                    self._out += await self._watching.stand(group)
                else:
                    await self._read_values(group)
            elif group.unheard:
                unheard, group.unheard = group.unheard, []
                if group.events:
                    self._out += await self._watching.stand(group)
                else:
                    await self._read_items(group, unheard)

    async def _describe(self) -> None:
        """Ask for the descriptions of structures that were not met before, and decode what has waited for them."""
        for group in self._groups:
            if not group.unread:
                continue
            unread, group.unread = group.unread, []
            await self._types.load_encodings(kind for _, _, sample in unread for kind in opaque(sample))
            for item, time_ns, sample in unread:
                group.add(item, time_ns, sample)

    async def _retry(self) -> None:
        """Try refused nodes again, of subscriptions; a poll asks for all of its nodes each time anyway."""
        at_once, self._kept.retry_now = self._kept.retry_now, False
        now_ns = self._clock.monotonic()
        due = {
            n: items
            for n, group in enumerate(self._groups)
            if not group.polled
            and group.subscription
            and (items := sorted(group.dead) if at_once else group.due(now_ns))
        }
        nowhere = [g for g in self._groups if g.next_try_ns <= now_ns or at_once if None in g.nodes]
        if nowhere:
            namespaces = await Identity.read_namespaces(self._connection)
            for group in nowhere:
                group.next_try_ns = now_ns + RETRY_NS
                group.resolve(namespaces)
        for n, items in due.items():
            self._out += await self._watching.monitor(self._groups[n], items)

    async def _burst(self) -> None:
        """Open the fast subscriptions whose window begins, and delete those whose window ends."""
        for group in self._groups:
            burst = group.config.burst
            if burst is None or self._clock.monotonic() < group.next_ns:
                continue
            if group.subscription:
                await self._watching.close(group)
                group.next_ns = group.window_ns
            else:
                group.window(self._clock.monotonic(), burst)
                self._out += await self._watching.open(group)

    # polls

    async def _poll(self) -> None:
        for group in sorted((g for g in self._groups if g.polled), key=lambda g: g.next_ns):
            if self._clock.monotonic() >= group.next_ns:
                group.tick(self._clock.monotonic())
                await self._read_values(group)
                self._take([Watermark(group.source.id, self._clock.now())])

    async def _read_values(self, group: Group) -> None:
        await self._read_items(group, range(len(group.nodes)))
        for item, node in enumerate(group.nodes):
            if node is None:
                group.refuse(item, self._clock.now(), Status.BAD_NODE_ID_UNKNOWN, self._clock.monotonic())

    async def _read_items(self, group: Group, items: Sequence[int]) -> None:
        known = [(item, node) for item in items if (node := group.nodes[item]) is not None]
        answers = await self._connection.read([(node, VALUE) for _, node in known])
        asked = iter(item for item, _ in known)
        for answer in answers:
            for value in answer.values:
                item = next(asked)
                if not group.polled:
                    group.repeats(item, value)  # so that the subscription does not say it again
                group.add(item, answer.time_ns, value)
            group.rows.round_trip(answer.time_ns, answer.rtt_ns)

    # slow knowledge

    async def _catalog_part(self) -> None:
        group, indices = self._catalog.pop(0)
        signals = await catalog(self._connection, self._types, group, indices, self._identity.namespaces)
        self._tell("catalog", {"source": group.source.id, "signals": signals})
        if not self._catalog:
            self._kept.catalogued = self._identity.start_time or ""

    def _next_poll_ns(self) -> int | None:
        return min((group.next_ns for group in self._groups if group.polled), default=None)

    async def _look_after(self) -> None:
        """Ask for the server's clock, or what our user could write, when it is time for that."""
        poll_ns, now_ns = self._next_poll_ns(), self._clock.monotonic()
        if now_ns < self._upkeep.next_ns(poll_ns) or (poll_ns is not None and now_ns >= poll_ns):
            return
        match await self._upkeep.ask(self._groups):
            case ("clock", body):
                self._tell("clock", body)
            case ("access", body):
                self._tell("access", body)
