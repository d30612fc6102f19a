"""The questions that name nodes, cut into parts that the server can take; what was learned about it is in `Limits`.

Each method that asks has a time limit and raises Unreachable or Refused, as `faults.translated` decides. A status
of a single node is a result, never an error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asyncua import ua
from asyncua.ua.uaerrors import UaStatusCodeError

from agent.collectors.opcua.faults import TOO_MUCH
from agent.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent.clock import Clock
    from agent.collectors.opcua.decode import Publication, Sample
    from agent.collectors.opcua.limits import Batch, Limits
    from agent.collectors.opcua.transport import ReadOnlyTransport

References = tuple[int, list[ua.ReferenceDescription]]
"""Status of a browsed node, and what it refers to."""

T = TypeVar("T")
R = TypeVar("R")

NODE_ID: Final = 1  # numbers of attributes
VALUE: Final = 13
EVENTS: Final = 12

KEEP_ALIVE_NS: Final = 2_000_000_000  # proof of life: a gap is as uncertain as this
DAY_MS: Final = 86_400_000
LIFETIMES: Final = 30  # keep-alives that a subscription outlives without us: as long as a session, a minute


def believable(revised_ms: float, asked_ms: float) -> float:
    """Return an interval as the server revised it, what was asked for where it makes no sense."""
    return revised_ms if 0 <= revised_ms <= DAY_MS else asked_ms


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one Read: its samples in the order asked, when it came, how long it took."""

    values: Sequence[Sample]
    time_ns: int
    rtt_ns: int


class Services(ABC):
    """What a session can be asked; `agent.collectors.opcua.connection.Connection` opens and closes it."""

    _transport: ReadOnlyTransport
    _limits: Limits
    _clock: Clock

    @property
    @abstractmethod
    def place(self) -> str:
        """Device and endpoint, for texts."""

    @abstractmethod
    async def ask(self, doing: str, work: Awaitable[T], *, waits: bool = False) -> T:
        """Await an answer and translate failures; `doing` stands in their texts.

        `waits` is for an answer that the server gives when it likes: how long it took means nothing.
        """

    async def _parts(
        self,
        doing: str,
        batch: Batch,
        items: Sequence[T],
        ask: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        each: Callable[[Sequence[R], int], None],
    ) -> None:
        """Ask for all items, part by part.

        Args:
            doing: For texts.
            batch: Says how large a part may be, and learns from each answer.
            items: What to ask for.
            ask: Asks for one part; returns one result per item.
            each: Takes the results of a part and its round trip in nanoseconds.
        """
        done = 0
        while done < len(items):
            part = items[done : done + batch.size]
            sent = self._clock.monotonic()
            try:
                results = await self.ask(doing, ask(part))
            except Unreachable as exc:
                cause = exc.__cause__
                if not (isinstance(cause, UaStatusCodeError) and cause.code in TOO_MUCH):
                    raise
                self._limits.changed = True
                if not batch.too_much(len(part)):
                    raise
                continue
            if len(results) != len(part):
                raise Unreachable(f"{self.place}: {doing}: {len(results)} results for {len(part)} nodes")
            rtt_ns = self._clock.monotonic() - sent
            self._limits.changed |= batch.took(len(part), rtt_ns)
            each(results, rtt_ns)
            done += len(part)

    async def _all(
        self,
        doing: str,
        batch: Batch,
        items: Sequence[T],
        ask: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
    ) -> list[R]:
        out: list[R] = []
        await self._parts(doing, batch, items, ask, lambda results, _: out.extend(results))
        return out

    async def read(self, nodes: Sequence[tuple[ua.NodeId, int]]) -> list[Answer]:
        """Read attributes, (node, attribute number) each, in as many requests as the server needs.

        Returns:
            Answers whose values together are one per node, in order.
        """

        def ask(part: Sequence[tuple[ua.NodeId, int]]) -> Awaitable[list[Sample]]:
            return self._transport.read(
                ua.ReadParameters(
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    NodesToRead=[ua.ReadValueId(NodeId=node, AttributeId=attribute) for node, attribute in part],
                )
            )

        answers: list[Answer] = []
        await self._parts(
            "read",
            self._limits.read,
            nodes,
            ask,
            lambda values, rtt_ns: answers.append(Answer(values, self._clock.now(), rtt_ns)),
        )
        return answers

    async def values(self, nodes: Sequence[tuple[ua.NodeId, int]]) -> list[Sample]:
        """Read attributes as `read` does; return one sample per node, in order."""
        return [sample for answer in await self.read(nodes) for sample in answer.values]

    async def subscribe(self, every_ns: int) -> ua.CreateSubscriptionResult:
        """Create a subscription with this publishing interval."""
        keep_alive = max(1, round(KEEP_ALIVE_NS / every_ns))
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=every_ns / 1e6,
            RequestedLifetimeCount=LIFETIMES * keep_alive,
            RequestedMaxKeepAliveCount=keep_alive,
            MaxNotificationsPerPublish=1000,
        )
        granted = await self.ask("create a subscription", self._transport.subscribe(parameters))
        asked = every_ns / 1e6  # 0 says that the server has no such clock, and nothing about its pace
        granted.RevisedPublishingInterval = believable(granted.RevisedPublishingInterval, asked) or asked
        return granted

    async def unsubscribe(self, subscription: int) -> None:
        """Delete a subscription; whether the server still knew it does not matter."""
        await self.ask("delete a subscription", self._transport.session.delete_subscriptions([subscription]))

    async def monitor(
        self, subscription: int, items: Sequence[ua.MonitoredItemCreateRequest]
    ) -> list[ua.MonitoredItemCreateResult]:
        """Create monitored items; return one result each, in order."""

        def ask(part: Sequence[ua.MonitoredItemCreateRequest]) -> Awaitable[list[ua.MonitoredItemCreateResult]]:
            return self._transport.session.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=ua.IntegerId(subscription),
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=list(part),
                )
            )

        results = await self._all("monitor nodes", self._limits.items, items, ask)
        for item, result in zip(items, results, strict=True):
            asked = item.RequestedParameters.SamplingInterval
            result.RevisedSamplingInterval = believable(result.RevisedSamplingInterval, asked)
        return results

    async def unmonitor(self, subscription: int, items: Sequence[int]) -> None:
        """Delete monitored items, by the server's numbers of them; whether it still knew them does not matter."""

        def ask(part: Sequence[int]) -> Awaitable[list[ua.StatusCode]]:
            return self._transport.session.delete_monitored_items(
                ua.DeleteMonitoredItemsParameters(
                    SubscriptionId=ua.IntegerId(subscription), MonitoredItemIds=[ua.IntegerId(n) for n in part]
                )
            )

        await self._all("stop monitoring", self._limits.items, items, ask)

    async def publish(self, acknowledgements: list[ua.SubscriptionAcknowledgement]) -> Publication:
        """Hand the server one request to answer when it has something to report; waits without a limit."""
        return await self.ask("wait for changes", self._transport.publish(acknowledgements), waits=True)

    async def republish(self, subscription: int, sequence: int) -> Publication:
        """Ask for a notification again that did not come."""
        return await self.ask("ask for a lost notification", self._transport.republish(subscription, sequence))

    async def browse(self, nodes: Sequence[ua.BrowseDescription]) -> list[References]:
        """Return (status, references) of each node; continuation points are followed to their end."""

        def ask(part: Sequence[ua.BrowseDescription]) -> Awaitable[list[ua.BrowseResult]]:
            # 0: as many references as the server likes; it keeps the rest behind a continuation point
            return self._transport.session.browse(ua.BrowseParameters(NodesToBrowse=list(part)))

        found: list[References] = []
        done = 0
        while done < len(nodes):
            # part by part: a server keeps few continuation points, so they are used up before the next part
            part = nodes[done : done + self._limits.browse.size]
            results = await self._all("browse", self._limits.browse, part, ask)
            found += [(int(result.StatusCode.value), list(result.References or ())) for result in results]
            await self._continue(results, found, done)
            done += len(part)
        return found

    async def _continue(self, results: Sequence[ua.BrowseResult], found: list[References], first: int) -> None:
        waiting = [(first + n, r.ContinuationPoint) for n, r in enumerate(results) if r.ContinuationPoint]

        def ask(part: Sequence[tuple[int, Any]]) -> Awaitable[list[ua.BrowseResult]]:
            return self._transport.session.browse_next(
                ua.BrowseNextParameters(
                    ReleaseContinuationPoints=False, ContinuationPoints=[point for _, point in part]
                )
            )

        while waiting:
            more = await self._all("browse on", self._limits.browse, waiting, ask)
            rest = []
            for (index, _), result in zip(waiting, more, strict=True):
                status, references = found[index]
                references += result.References or ()
                found[index] = (status or int(result.StatusCode.value), references)
                if result.ContinuationPoint:
                    rest.append((index, result.ContinuationPoint))
            waiting = rest

    async def translate(self, paths: Sequence[ua.BrowsePath]) -> list[ua.NodeId | None]:
        """Return the node at the end of each path, None where there is none, or several."""

        def ask(part: Sequence[ua.BrowsePath]) -> Awaitable[list[ua.BrowsePathResult]]:
            return self._transport.session.translate_browsepaths_to_nodeids(list(part))

        results = await self._all("follow browse paths", self._limits.browse, paths, ask)
        return [
            r.Targets[0].TargetId if r.StatusCode.is_good() and len(r.Targets or ()) == 1 else None for r in results
        ]
