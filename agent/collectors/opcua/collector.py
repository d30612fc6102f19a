"""Reads one OPC UA server: subscriptions, polls, and everything that keeps both honest.

One task owns all of it: `read` does what is due (answers that have come, polls, a heartbeat, the channel's
renewal, another try of refused nodes, one part of the catalogue) and waits for the next of these. Nothing runs
beside it but the publish requests that lie at the server (`publisher`).

A subscription loses nothing unnoticed: the server marks a value before which it dropped others, sequence numbers
show a notification that went missing (all its signals are read anew then), and silence ends the connection.
A node that the server does not know or grant is a bad row and a text in `refused`; it is tried again every 60 s.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from asyncua import ua

from agent.collectors.opcua.connection import Connection
from agent.collectors.opcua.convert import overflowed
from agent.collectors.opcua.faults import DEAD
from agent.collectors.opcua.group import Group
from agent.collectors.opcua.identity import CATALOG_PART, Identity, catalog
from agent.collectors.opcua.limits import Limits
from agent.collectors.opcua.publisher import Published, Publisher
from agent.collectors.opcua.services import VALUE
from agent.errors import Unreachable
from agent.frame import Event, Facts, Status, Watermark
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.clock import Clock
    from agent.collectors.base import Box, Read, Reading, Stats
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.frame import FrameBlock, Json, Source

HEARTBEAT_NS: Final = 2_000_000_000
HEARTBEAT_LEAST_NS: Final = 1_000_000_000
RETRY_NS: Final = 60_000_000_000


@dataclass(slots=True)
class _Kept:
    """What outlives a connection.

    Attributes:
        retry_now: Somebody asked to try refused nodes at once.
        catalogued: Start time of the server whose catalogue was read.
    """

    device: OpcUaDevice
    clock: Clock
    groups: list[Group]
    limits: Limits = field(default_factory=Limits)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    retry_now: bool = False
    catalogued: str | None = None


class OpcUaCollector:
    """A `agent.collectors.base.Collector` of one OPC UA server.

    Args:
        device: Its configuration.
        box: What it shares with the other collectors.
    """

    def __init__(self, device: OpcUaDevice, box: Box) -> None:
        self._sources = device.sources()
        groups = [Group(c, s) for c, s in zip(device.groups, self._sources, strict=True)]
        self._kept = _Kept(device, box.clock, groups)
        self._connection = Connection(device, box, self._kept.limits)
        self._publisher = Publisher(self._connection, box.clock, self._kept.wake, self._connection.place)
        self._session = _Session(self._kept, self._connection, self._publisher)

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
        return self._connection.meter.stats(self._kept.clock.monotonic(), skipped=self.late)

    @property
    def late(self) -> int:
        """Polls that were skipped because the one before took too long."""
        return sum(group.late for group in self._kept.groups)

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad Frame per source."""
        frames = []
        for group in self._kept.groups:
            group.fail(time_ns, status)
            frames.append(group.rows.take())
        return frames

    def refused(self) -> Sequence[Text]:
        """Return a text for each signal that the server does not let us read, or not as configured."""
        problems = [Text(text, text) for group in self._kept.groups for text in group.problems.values()]
        return [*self._connection.warnings(), *problems]

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
        self._out: list[Reading] = []
        self._handles: dict[int, tuple[Group, int]] = {}
        self._next_handle = 1
        self._by_subscription: dict[int, Group] = {}
        self._retry_at_ns = 0
        self._catalog: list[tuple[Group, range]] = []
        self._identity = Identity()
        self._revised: dict[str, Json] = {}
        fastest = min(group.config.every for group in self._groups)
        self._heartbeat_ns = min(max(fastest, HEARTBEAT_LEAST_NS), HEARTBEAT_NS)
        self._alive_ns: dict[str, int] = {}

    async def start(self) -> None:
        """Go on with what lives; else learn who the server is, and set up subscriptions and polls."""
        resumption = await self._connection.open(self._publisher.expected())
        alive = resumption.alive
        self._publisher.resume(alive, resumption.missed)
        self._publisher.request()
        self._out = [item for item in self._out if not isinstance(item, Watermark)]  # of another life
        self._handles = {h: (g, i) for h, (g, i) in self._handles.items() if g.subscription in alive}
        self._by_subscription = {number: g for number, g in self._by_subscription.items() if number in alive}
        if resumption.kind != "session":
            self._identity = await Identity.read(self._connection, self._kept.limits)
        for group in self._groups:
            if group.subscription in alive:
                group.resume()
                continue
            group.begin(self._identity.namespaces, self._clock.monotonic())
            if group.polled:
                continue
            granted = await self._connection.subscribe(group.config.every)
            subscription = self._publisher.add(granted)
            self._publisher.request()
            group.subscription = subscription.id
            self._by_subscription[subscription.id] = group
            await self._monitor(group, range(len(group.source.signals)))
            self._revised[group.source.id] = {
                "publishing_ms": granted.RevisedPublishingInterval,
                "keep_alive_count": int(granted.RevisedMaxKeepAliveCount),
                "lifetime_count": int(granted.RevisedLifetimeCount),
                "sampling_ms": [*sorted(group.sampling_ms)],
                "queue": [*sorted(group.queue)],
            }
        now = self._clock.now()
        self._out += [Watermark(group.source.id, now) for group in self._groups]
        body: dict[str, Json] = {
            **self._identity.facts(self._kept.device, self._connection),
            "revised": {**self._revised},
            "resumed": resumption.kind,
            "per_read": self._kept.limits.read.size,
            "per_monitor": self._kept.limits.items.size,
        }
        self._out.append(Facts(kind="connection", time_ns=now, subject=self._kept.device.id, body=body))
        self._retry_at_ns = self._clock.monotonic() + RETRY_NS
        if self._kept.catalogued != self._identity.start_time and not self._catalog:
            self._catalog = [
                (group, range(first, min(first + CATALOG_PART, len(group.source.signals))))
                for group in self._groups
                for first in range(0, len(group.source.signals), CATALOG_PART)
            ]

    async def read(self) -> Sequence[Reading]:
        """Do what is due until there is something to hand on."""
        while True:
            self._kept.wake.clear()
            self._published(self._publisher.take())
            self._publisher.request()
            await self._poll()
            await self._refresh()
            if self._kept.retry_now or self._clock.monotonic() >= self._retry_at_ns:
                await self._retry()
            if not self._out and self._catalog:
                await self._catalog_part()
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

    async def _heartbeat(self) -> None:
        """Show that server and session live; all that was sampled one publishing interval ago has come by now."""
        await self._identity.heartbeat(self._connection)
        now = self._clock.now()
        for group in self._groups:
            reached = now if group.polled else now - group.config.every
            if reached > self._alive_ns.get(group.source.id, 0):
                self._watermark(group, reached)

    def _watermark(self, group: Group, time_ns: int) -> None:
        self._alive_ns[group.source.id] = time_ns
        self._out.append(Watermark(group.source.id, time_ns))

    def _due_ns(self) -> int:
        due = [
            self._connection.last_answer_ns + self._heartbeat_ns,
            self._connection.renew_at_ns,
            self._retry_at_ns,
            *(group.next_ns for group in self._groups if group.polled),
        ]
        silent = self._publisher.silent_at_ns()
        return min(due if silent is None else [*due, silent])

    def _collect(self) -> None:
        frames = [group.rows.take() for group in self._groups if len(group.rows)]
        self._out[:0] = frames

    # subscriptions

    async def _monitor(self, group: Group, indices: Sequence[int]) -> None:
        """Create monitored items; those that the server refuses become bad rows and problems."""
        items: list[tuple[int, ua.NodeId]] = []
        for index in indices:
            node = group.nodes[index]
            if node is None:
                group.refuse(index, self._clock.now(), Status.BAD_NODE_ID_UNKNOWN)
                continue
            if group.handles[index]:
                self._handles.pop(group.handles[index], None)  # what the old item may still report is not ours
            group.handles[index] = self._next_handle
            self._handles[self._next_handle] = group, index
            items.append((self._next_handle, node))
            self._next_handle += 1
        for (handle, _), result in zip(
            items,
            await self._connection.monitor(group.subscription, [_item(group, *item) for item in items]),
            strict=True,
        ):
            index = self._handles[handle][1]
            status = int(result.StatusCode.value)
            if status >> 31:
                del self._handles[handle]
                group.refuse(index, self._clock.now(), status)
            else:
                group.dead.discard(index)
                group.sampling_ms.add(result.RevisedSamplingInterval)
                group.queue.add(int(result.RevisedQueueSize))

    def _published(self, answers: Sequence[Published]) -> None:
        for answer in answers:
            group = self._by_subscription[answer.subscription.id]
            overflowing: set[str] = set()
            for handle, sample in answer.items:
                monitored = self._handles.get(handle)
                if monitored is None:
                    continue
                index = monitored[1]
                if group.repeats(index, sample):
                    continue
                group.add(index, answer.time_ns, sample)
                if overflowed(sample.status):
                    overflowing.add(group.source.signals[index].id)
                elif sample.status in DEAD:
                    group.dead.add(index)
            if overflowing:
                self._overflow(group, answer.time_ns, {"cause": "server_queue", "signals": [*sorted(overflowing)]})
            if answer.lost:
                self._overflow(group, answer.time_ns, {"cause": "notification_lost", "notifications": answer.lost})
                group.stale = True
            group.heard_ns = answer.time_ns
            if group.confirm and not answer.more:  # all that the server held has come
                group.confirm, group.unheard = False, group.silent()
            self._watermark(group, answer.time_ns)

    def _overflow(self, group: Group, time_ns: int, body: dict[str, Json]) -> None:
        self._out.append(
            Event(
                kind="overflow",
                time_ns=time_ns,
                source=group.source.id,
                from_ns=group.heard_ns or time_ns,
                to_ns=time_ns,
                body=body,
            )
        )

    async def _refresh(self) -> None:
        """Read the current values of a subscription that has lost a notification or was resumed: none stays old."""
        for group in self._groups:
            if group.stale:
                group.stale, group.unheard = False, []
                await self._read_values(group)
            elif group.unheard:
                unheard, group.unheard = group.unheard, []
                await self._read_nodes(group, unheard)

    async def _retry(self) -> None:
        """Try refused nodes again, of subscriptions; a poll asks for all of its nodes each time anyway."""
        self._kept.retry_now = False
        self._retry_at_ns = self._clock.monotonic() + RETRY_NS
        if any(node is None for group in self._groups for node in group.nodes):
            namespaces = await Identity.read_namespaces(self._connection)
            for group in self._groups:
                group.resolve(namespaces)
        for group in self._groups:
            if group.dead and not group.polled:
                await self._monitor(group, sorted(group.dead))

    # polls

    async def _poll(self) -> None:
        for group in sorted((g for g in self._groups if g.polled), key=lambda g: g.next_ns):
            if self._clock.monotonic() >= group.next_ns:
                group.tick(self._clock.monotonic())
                await self._read_values(group)
                self._watermark(group, self._clock.now())

    async def _read_values(self, group: Group) -> None:
        await self._read_nodes(group, range(len(group.nodes)))
        for index, node in enumerate(group.nodes):
            if node is None:
                group.refuse(index, self._clock.now(), Status.BAD_NODE_ID_UNKNOWN)

    async def _read_nodes(self, group: Group, indices: Sequence[int]) -> None:
        known = [(index, node) for index in indices if (node := group.nodes[index]) is not None]
        answers = await self._connection.read([(node, VALUE) for _, node in known])
        asked = iter(index for index, _ in known)
        for answer in answers:
            for value, index in zip(answer.values, asked, strict=False):  # takes a value first, then its index
                if not group.polled:
                    group.repeats(index, value)  # so that the subscription does not say it again
                group.add(index, answer.time_ns, value)
            group.rows.round_trip(answer.time_ns, answer.rtt_ns)

    # slow knowledge

    async def _catalog_part(self) -> None:
        group, indices = self._catalog.pop(0)
        signals = await catalog(self._connection, group, indices)
        self._out.append(
            Facts(
                kind="catalog",
                time_ns=self._clock.now(),
                subject=self._kept.device.id,
                body={"source": group.source.id, "signals": signals},
            )
        )
        if not self._catalog:
            self._kept.catalogued = self._identity.start_time


def _item(group: Group, handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.IntegerId(VALUE)),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=ua.IntegerId(handle),
            SamplingInterval=group.config.sampling_ns / 1e6,
            QueueSize=ua.Counter(group.config.queue_size),
            DiscardOldest=True,
        ),
    )
