"""The subscriptions of one session: what is asked of the server for each group, and what its answers become.

Each promise that a server may not keep has its way out:

- it knows no filter: the item is made again without, and the deadband is applied here; remembered;
- it samples faster than asked, so that the queue no longer holds a publishing interval: the item is made again with
  a longer one; where the server keeps none that long, the facts name the signals, and the overflow bit every loss;
- it knows no conditions, or no where clause: events are asked for without, and sorted here;
- it refuses a node: a bad row, and another try after 60 s, then ever more seldom up to an hour.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

from agent.collectors.opcua import events, standing
from agent.collectors.opcua.convert import overflowed
from agent.collectors.opcua.datatypes import key, properties
from agent.collectors.opcua.faults import DEAD
from agent.collectors.opcua.services import VALUE
from agent.collectors.opcua.structures import eu_range
from agent.errors import WireError
from agent.frame import Event, Status, Watermark, gap_event

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agent.clock import Clock
    from agent.collectors.base import Reading
    from agent.collectors.opcua.connection import Connection
    from agent.collectors.opcua.decode import Sample
    from agent.collectors.opcua.group import Group
    from agent.collectors.opcua.publisher import Published, Publisher
    from agent.frame import Json

NO_FILTER: Final = frozenset(
    {
        StatusCodes.BadFilterNotAllowed,
        StatusCodes.BadMonitoredItemFilterInvalid,
        StatusCodes.BadMonitoredItemFilterUnsupported,
        StatusCodes.BadDeadbandFilterInvalid,
    }
)
NO_SUCH_EVENTS: Final = NO_FILTER | {
    StatusCodes.BadEventFilterInvalid,
    StatusCodes.BadFilterElementInvalid,
    StatusCodes.BadFilterOperatorInvalid,
    StatusCodes.BadFilterOperatorUnsupported,
    StatusCodes.BadFilterOperandInvalid,
    StatusCodes.BadContentFilterInvalid,
}


class Watching:
    """Subscriptions and their monitored items.

    Args:
        connection: The session.
        publisher: Brings what the subscriptions have to say.
        clock: Stamps.
        machine: What events belong to.
        unfiltered: Nodes for which the server is known to refuse a filter; grows.

    Attributes:
        granted: By source, what the server made of what was asked, for facts.
        overflows: Notifications with an overflow bit.
        changed: Something was learned since somebody set it back.
    """

    def __init__(
        self,
        connection: Connection,
        publisher: Publisher,
        clock: Clock,
        machine: str,
        unfiltered: set[str],
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._clock = clock
        self._machine = machine
        self._unfiltered = unfiltered
        self._known = events.Known()
        self._handles: dict[int, tuple[Group, int]] = {}
        self._next_handle = 1
        self._by_subscription: dict[int, Group] = {}
        self._publishing_ns: dict[int, int] = {}
        self._short: dict[str, set[str]] = {}
        self.granted: dict[str, dict[str, Json]] = {}
        self.overflows = 0
        self.changed = False

    def keep(self, alive: Collection[int]) -> None:
        """Forget the subscriptions that have not outlived their connection."""
        self._handles = {h: (g, i) for h, (g, i) in self._handles.items() if g.subscription in alive}
        self._by_subscription = {number: g for number, g in self._by_subscription.items() if number in alive}

    async def open(self, group: Group) -> list[Reading]:
        """Create the subscription of a group and what it monitors."""
        granted = await self._connection.subscribe(group.config.every)
        subscription = self._publisher.add(granted)
        self._publisher.request()
        group.subscription = subscription.id
        self._by_subscription[subscription.id] = group
        self._publishing_ns[subscription.id] = round(granted.RevisedPublishingInterval * 1e6)
        source = group.source.id
        self._short[source] = set()
        readings = await self.monitor(group, range(len(group.takers)))
        self.granted[source] = {
            **self.granted.get(source, {}),
            "publishing_ms": granted.RevisedPublishingInterval,
            "keep_alive_count": int(granted.RevisedMaxKeepAliveCount),
            "lifetime_count": int(granted.RevisedLifetimeCount),
            "sampling_ms": [*sorted(group.sampling_ms)],
            "queue": [*sorted(group.queue)],
        }
        if self._short[source]:
            self.granted[source]["queue_short"] = [*sorted(self._short[source])]
        ours = sorted(group.source.signals[n].id for n, band in group.deadbands.items() if band.ours)
        blind = sorted(group.source.signals[n].id for n, b in group.deadbands.items() if b.ours and b.width is None)
        if ours:
            self.granted[source]["deadband_ours"] = [*ours]
        if blind:
            self.granted[source]["deadband_without_range"] = [*blind]
        return readings

    async def close(self, group: Group) -> None:
        """Delete the subscription of a group, with all that it monitors."""
        number, group.subscription = group.subscription, 0
        self._by_subscription.pop(number, None)
        self._handles = {h: (g, i) for h, (g, i) in self._handles.items() if g is not group}
        self._publisher.drop(number)
        await self._connection.unsubscribe(number)

    async def monitor(self, group: Group, items: Sequence[int]) -> list[Reading]:
        """Create monitored items, in place of those that were; those that the server refuses become bad rows."""
        old = [group.numbers[item] for item in items if group.numbers[item]]
        if old:
            await self._connection.unmonitor(group.subscription, old)
        there = []
        for item in items:
            group.numbers[item] = 0
            if group.nodes[item] is None:
                self._refuse(group, item, Status.BAD_NODE_ID_UNKNOWN)
            else:
                there.append(item)
        if group.events:
            return await self._monitor_events(group) if there else []
        self._filter_here(group, [item for item in there if not self._server_filters(group, item)])
        refused = await self._create(group, there, {})
        if refused:
            self._filter_here(group, refused)
            self._unfiltered |= {group.config.signals[group.takers[item][0]].node for item in refused}
            self.changed = True
            await self._create(group, refused, {})
        await self._ask_ranges(group)
        return []

    def _server_filters(self, group: Group, item: int) -> bool:
        (first, *_) = group.takers[item]
        signal = group.config.signals[first]
        return signal.deadband is not None and not signal.way and signal.node not in self._unfiltered

    @staticmethod
    def _filter_here(group: Group, items: Sequence[int]) -> None:
        for item in items:
            group.filter_here(item)

    async def _create(self, group: Group, items: Sequence[int], queues: dict[int, int]) -> list[int]:
        """Create items; return those whose filter the server refuses. `queues` are longer than usual."""
        publishing_ns = self._publishing_ns[group.subscription]
        requests = []
        for item in items:
            if group.handles[item]:
                self._handles.pop(group.handles[item], None)  # what the old item may still report is not ours
            handle, self._next_handle = self._next_handle, self._next_handle + 1
            group.handles[item] = handle
            self._handles[handle] = group, item
            queue = queues.get(item) or group.config.queue_size(publishing_ns, group.config.sampling_ns)
            requests.append(self._request(group, item, queue))
        results = await self._connection.monitor(group.subscription, requests)
        unfiltered: list[int] = []
        short: dict[int, int] = {}
        for item, request, result in zip(items, requests, results, strict=True):
            status = int(result.StatusCode.value)
            if status in NO_FILTER and request.RequestedParameters.Filter is not None:
                unfiltered.append(item)
            elif status >> 31:
                del self._handles[group.handles[item]]
                self._refuse(group, item, status)
            else:
                needed = self._made(group, item, request, result)
                if needed:
                    short[item] = needed
        if short:
            await self._lengthen(group, short, again=bool(queues))
        return unfiltered

    def _made(
        self, group: Group, item: int, request: ua.MonitoredItemCreateRequest, result: ua.MonitoredItemCreateResult
    ) -> int:
        """Take what was granted; return the queue that the item needs if it is too short, else 0."""
        group.revive(item)
        group.numbers[item] = int(result.MonitoredItemId)
        group.sampling_ms.add(result.RevisedSamplingInterval)
        group.queue.add(int(result.RevisedQueueSize))
        if group.config.queue is not None or group.config.sampling_ns == 0:
            return 0
        sampling_ns = round(result.RevisedSamplingInterval * 1e6)
        needed = group.config.queue_size(self._publishing_ns[group.subscription], sampling_ns)
        if int(result.RevisedQueueSize) >= needed:
            return 0
        if int(request.RequestedParameters.QueueSize) >= needed:  # asked for, and not granted
            self._short[group.source.id].update(group.names(item))
            return 0
        return needed

    async def _lengthen(self, group: Group, short: dict[int, int], *, again: bool) -> None:
        """Make items anew with a queue that holds an interval; of a server that keeps none that long, say so."""
        if again:
            for item in short:
                self._short[group.source.id].update(group.names(item))
            return
        await self._connection.unmonitor(group.subscription, [group.numbers[item] for item in short])
        group.queue.clear()
        await self._create(group, [*short], short)

    @staticmethod
    def _request_filter(group: Group, item: int) -> ua.DataChangeFilter | None:
        for n in group.takers[item]:
            band = group.deadbands.get(n)
            if band is not None and not band.ours:
                return ua.DataChangeFilter(
                    Trigger=ua.DataChangeTrigger.StatusValue,
                    DeadbandType=ua.UInt32(2 if band.percent else 1),
                    DeadbandValue=ua.Double(band.amount),
                )
        return None

    def _request(self, group: Group, item: int, queue: int) -> ua.MonitoredItemCreateRequest:
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=group.nodes[item], AttributeId=ua.IntegerId(VALUE)),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=ua.IntegerId(group.handles[item]),
                SamplingInterval=group.config.sampling_ns / 1e6,
                Filter=self._request_filter(group, item),
                QueueSize=ua.Counter(queue),
                DiscardOldest=True,
            ),
        )

    async def _ask_ranges(self, group: Group) -> None:
        """Ask for the ranges that deadbands in per cent need here."""
        blind = [n for n, band in group.deadbands.items() if band.ours and band.percent and band.range is None]
        nodes = [(n, node) for n in blind if (node := group.node(n)) is not None]
        said = await properties(self._connection, [key(node) for _, node in nodes], frozenset({"EURange"}))
        for (n, _), found in zip(nodes, said, strict=True):
            if "EURange" in found:
                try:
                    group.deadbands[n].range = eu_range(found["EURange"].value)
                except WireError:
                    continue

    def _refuse(self, group: Group, item: int, status: int) -> None:
        group.refuse(item, self._clock.now(), status, self._clock.monotonic())

    # events

    async def _monitor_events(self, group: Group) -> list[Reading]:
        node = group.nodes[0]
        assert node is not None
        queue = group.config.queue_size(0, 0)
        status = 0
        for severity, conditions in ((group.config.severity, True), (None, True), (None, False)):
            handle, self._next_handle = self._next_handle, self._next_handle + 1
            request = events.request(node, handle, queue, severity, conditions=conditions)
            (result,) = await self._connection.monitor(group.subscription, [request])
            status = int(result.StatusCode.value)
            if not status >> 31:
                self._handles.pop(group.handles[0], None)
                group.handles[0], group.numbers[0] = handle, int(result.MonitoredItemId)
                self._handles[handle] = group, 0
                group.queue.add(int(result.RevisedQueueSize))
                group.revive(0)
                return await self.stand(group)
            if status not in NO_SUCH_EVENTS:
                break
        self._refuse(group, 0, status)
        return []

    async def stand(self, group: Group) -> list[Reading]:
        """Return the alarms that stand and that nobody has told of yet."""
        node = group.nodes[0]
        if node is None:
            return []
        count, alarms = await standing.read(self._connection, key(node))
        self.granted.setdefault(group.source.id, {})["standing_alarms"] = (
            f"read from {len(alarms)} of {count} conditions" if alarms else "unknown until the first event"
        )
        now = self._clock.now()
        return [
            events.event(it, now, group.source.id, self._machine)
            for it in alarms
            if self._known.news(it) and it.severity >= (group.config.severity or 0)
        ]

    def _events(self, group: Group, answer: Published) -> list[Reading]:
        out: list[Reading] = []
        for handle, fields in answer.events:
            if handle not in self._handles:
                continue
            it = events.alarm(fields)
            if it.overflow:
                self.overflows += 1
                out.append(self._overflow(group, answer, reason="server_queue", events=True))
                continue
            self._known.take(it)
            if it.severity >= (group.config.severity or 0):
                out.append(events.event(it, answer.time_ns, group.source.id, self._machine))
        return out

    # what comes

    def published(self, answers: Sequence[Published]) -> list[Reading]:
        """Return what answers become, beside the rows that they add to their groups."""
        out: list[Reading] = []
        for answer in answers:
            group = self._by_subscription.get(answer.subscription.id)
            if group is None:
                continue
            overflowing: set[str] = set()
            for handle, sample in answer.items:
                monitored = self._handles.get(handle)
                if monitored is not None:
                    self._take(group, monitored[1], answer.time_ns, sample, overflowing)
            told = self._events(group, answer)
            out += told
            group.gathered += len(answer.events)
            full = group.events and 1 < max(group.queue, default=0) <= group.gathered
            if full and not any(event.kind == "gap" for event in told if isinstance(event, Event)):
                # not every server says that it had to drop events: a queue that was full tells it
                self.overflows += 1
                out.append(self._overflow(group, answer, reason="server_queue_full", events=True))
            if full or not answer.more:
                group.gathered = 0
            if overflowing:
                self.overflows += 1
                names: list[Json] = [*sorted(overflowing)]
                out.append(self._overflow(group, answer, reason="server_queue", signals=names))
            if answer.lost:
                lost = self._overflow(group, answer, reason="notification_lost", notifications=answer.lost)
                out.append(lost)
                group.stale = True
            if group.confirm and not answer.more:  # all that the server held has come
                group.confirm, group.unheard = False, group.silent()
            out.append(Watermark(group.source.id, answer.time_ns))
        return out

    def _take(self, group: Group, item: int, time_ns: int, sample: Sample, overflowing: set[str]) -> None:
        if group.repeats(item, sample):
            return
        group.add(item, time_ns, sample)
        if overflowed(sample.status):
            overflowing.update(group.names(item))
        elif sample.status in DEAD:
            group.lost(item, self._clock.monotonic())

    @staticmethod
    def _overflow(group: Group, answer: Published, **body: Json) -> Event:
        """Return the gap between the last answer and this one: what was dropped was sampled in it."""
        end = answer.time_ns
        return gap_event(uuid.uuid4().hex, "overflow", group.source.id, end, answer.since_ns, end, **body)
