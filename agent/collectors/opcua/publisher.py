"""The flow of a session's publish requests: the server answers one when a subscription has something to say.

Back-pressure is the protocol's own. A few requests lie at the server; each answer that has been taken is replaced
by a new request. If nobody takes, no request goes out and the server's queues fill, whose overflow it reports
with each value. So there is no queue of ours that could drop anything: at most as many answers wait here as
requests were sent.

What an answer promises is checked: sequence numbers show a notification that never came, the age of the last
answer shows a subscription that has died while its session lives.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError

from agent.collectors.opcua.faults import name
from agent.errors import Unreachable, WireError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agent.clock import Clock
    from agent.collectors.opcua.connection import Connection
    from agent.collectors.opcua.decode import Field, Publication, Sample

MARGIN_NS: Final = 2_000_000_000
SILENT_NS: Final = 600_000_000_000  # however rarely a server says it will speak: a dead one must be found out
HELD_UP_NS: Final = 5_000_000_000
"""An answer that came so long before the next was not held up with it: who has a request answers it at once."""
_MOST: Final = 10
_NUMBERS: Final = 2**32 - 1  # of sequence numbers: 1 follows 2^32 - 1


@dataclass(slots=True)
class Subscription:
    """What the server granted, and how far it has come.

    Attributes:
        id: The server's number of it.
        silence_ns: Longest time without an answer before it counts as dead.
        heard_ns: Monotonic time of the last answer.
        expected: Next sequence number.
        asked_ns: When the last answer was asked for, by our clock; it was sent later.
        came_ns: When it came, which may be long after; 0 before the first.
    """

    id: int
    silence_ns: int
    heard_ns: int
    expected: int = 1
    asked_ns: int = 0
    came_ns: int = 0

    def came(self, asked_ns: int, came_ns: int) -> int:
        """Take an answer; return a moment after which was sampled what the server has dropped before it.

        It was sampled after the server had sent the answer before. Servers need not say when that was, and their
        clocks are their own: sure is that it was between the request and the arrival, which is late when a cable
        was out.
        """
        asked, came = self.asked_ns, self.came_ns or came_ns
        self.asked_ns, self.came_ns = asked_ns or self.asked_ns, came_ns
        return came if came_ns - came >= HELD_UP_NS else min(asked or came, came, came_ns)

    def lost(self, publication: Publication) -> int:
        """Return how many notifications are missing before this one, and go on after it.

        A keep-alive carries the number that the next notification will have. A number that lies behind is a late
        notification, or the keep-alive of a server that repeats its last number; neither is a loss.
        """
        number = publication.sequence
        missing = (number - self.expected) % _NUMBERS
        if missing > _NUMBERS // 2:
            return 0
        self.expected = number if publication.keep_alive else number % _NUMBERS + 1
        return missing


@dataclass(frozen=True, slots=True)
class Published:
    """One answer: a keep-alive when it holds no items.

    Attributes:
        subscription: Whose it is.
        time_ns: When it came, by our clock.
        items: (client handle, sample) in the server's order.
        lost: Notifications that are missing before it.
        more: The server holds more that it could send at once.
        events: (client handle, fields) in the server's order.
        since_ns: What the server has dropped before it was sampled after this moment of our clock.
    """

    subscription: Subscription
    time_ns: int
    items: Sequence[tuple[int, Sample]]
    lost: int
    more: bool = False
    events: Sequence[tuple[int, list[Field]]] = ()
    since_ns: int = 0


class Publisher:
    """Keeps publish requests at the server and hands out its answers.

    Args:
        connection: An open one.
        clock: Stamps each answer when it comes.
        wake: Set when an answer has come.
        place: Device and endpoint, for texts.

    Attributes:
        broken: A subscription has ended or died while its session lives: nothing of it is to be kept.
    """

    def __init__(self, connection: Connection, clock: Clock, wake: asyncio.Event, place: str) -> None:
        self._connection = connection
        self._clock = clock
        self._wake = wake
        self._place = place
        self._subscriptions: dict[int, Subscription] = {}
        self._open: dict[asyncio.Task[Publication], int] = {}  # when it was asked
        self._done: deque[tuple[int, int, int, asyncio.Task[Publication]]] = deque()  # asked, came, monotonic
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._missed: deque[Publication] = deque()
        self._wanted = 0
        self._forgiven = 0
        self.broken = False

    def expected(self) -> dict[int, int]:
        """Return by subscription the number of the notification that should come next."""
        return {subscription.id: subscription.expected for subscription in self._subscriptions.values()}

    def resume(self, alive: Collection[int], missed: Sequence[Publication]) -> None:
        """Go on with the subscriptions that live, first with what they have sent meanwhile; forget the others."""
        now = self._clock.monotonic()
        self._subscriptions = {number: s for number, s in self._subscriptions.items() if number in alive}
        for subscription in self._subscriptions.values():
            subscription.heard_ns = now
        self._acknowledge = [a for a in self._acknowledge if a.SubscriptionId in alive]
        self._missed = deque(missed)
        self._wanted = min(_MOST, len(self._subscriptions) + 1) if self._subscriptions else 0
        self.broken = False

    def add(self, granted: ua.CreateSubscriptionResult) -> Subscription:
        """Follow a subscription that the server has granted."""
        interval_ns = round(granted.RevisedPublishingInterval * 1e6)
        subscription = Subscription(
            id=granted.SubscriptionId,
            silence_ns=min((int(granted.RevisedMaxKeepAliveCount) + 1) * interval_ns, SILENT_NS) + MARGIN_NS,
            heard_ns=self._clock.monotonic(),
        )
        self._subscriptions[subscription.id] = subscription
        self._wanted = min(_MOST, len(self._subscriptions) + 1)
        return subscription

    def drop(self, number: int) -> None:
        """Follow a subscription no longer: it is about to be deleted."""
        self._subscriptions.pop(number, None)
        self._acknowledge = [a for a in self._acknowledge if a.SubscriptionId != number]
        self._wanted = min(_MOST, len(self._subscriptions) + 1) if self._subscriptions else 0
        if not self._subscriptions:
            self._forgiven = len(self._open)  # the server will have nothing to answer these with

    def request(self) -> None:
        """Bring the number of requests at the server up to what is wanted."""
        # Not in a TaskGroup: a failure has to reach the reader as itself, at `take`. `close` awaits them all.
        while len(self._open) + len(self._done) < self._wanted:
            acknowledge, self._acknowledge = self._acknowledge, []
            task = asyncio.create_task(self._connection.publish(acknowledge), name=f"publish:{self._place}")
            self._open[task] = self._clock.now()
            task.add_done_callback(self._came)

    def _came(self, task: asyncio.Task[Publication]) -> None:
        asked_ns = self._open.pop(task, 0)
        if not task.cancelled():
            self._done.append((asked_ns, self._clock.now(), self._clock.monotonic(), task))
            self._wake.set()

    def take(self) -> list[Published]:
        """Return the answers that have come, in order.

        Raises:
            Unreachable: a subscription or the session is gone, or silent for too long.
        """
        taken: list[Published] = []
        while self._missed or self._done:
            if self._missed:
                asked_ns, time_ns, heard_ns = 0, self._clock.now(), self._clock.monotonic()
                answer = self._missed.popleft()
            else:
                asked_ns, time_ns, heard_ns, task = self._done.popleft()
                if task.exception() is not None and taken:  # what came before it is counted, so it must not be lost
                    self._done.appendleft((asked_ns, time_ns, heard_ns, task))
                    return taken
                try:
                    answer = task.result()
                except Unreachable as exc:
                    self._failed(exc)
                    continue
            subscription = self._subscriptions.get(answer.subscription)
            if subscription is None:
                continue
            if answer.ended is not None:
                if taken:
                    self._missed.appendleft(answer)
                    return taken
                self.broken = True
                raise Unreachable(f"{self._place}: the server ended the subscription: {name(answer.ended)}")
            subscription.heard_ns = heard_ns
            lost = subscription.lost(answer)
            since_ns = subscription.came(asked_ns, time_ns)
            taken.append(Published(subscription, time_ns, answer.items, lost, answer.more, answer.events, since_ns))
            if not answer.keep_alive:
                self._acknowledge.append(
                    ua.SubscriptionAcknowledgement(SubscriptionId=subscription.id, SequenceNumber=answer.sequence)
                )
        self._check_silence()
        return taken

    def _failed(self, exc: Unreachable) -> None:
        """Live with the failures of a request that leave the session alone; raise the others."""
        cause = exc.__cause__
        if isinstance(cause, WireError):
            return  # the next sequence number tells what was in it
        if isinstance(cause, UaStatusCodeError):
            if cause.code == StatusCodes.BadTooManyPublishRequests and self._wanted > 1:
                self._wanted -= 1
                return
            if cause.code == StatusCodes.BadTimeout:
                return
            if cause.code == StatusCodes.BadNoSubscription and self._forgiven > 0:
                self._forgiven -= 1
                return
        raise exc

    def silent_at_ns(self) -> int | None:
        """Return the monotonic time at which the first subscription counts as dead; None without any."""
        return min((s.heard_ns + s.silence_ns for s in self._subscriptions.values()), default=None)

    def _check_silence(self) -> None:
        now = self._clock.monotonic()
        for subscription in self._subscriptions.values():
            silent = now - subscription.heard_ns
            if silent > subscription.silence_ns:
                self.broken = True
                raise Unreachable(
                    f"{self._place}: the subscription is silent for {silent / 1e9:.0f} s while its session lives: "
                    "connecting anew"
                )

    async def pause(self) -> None:
        """Withdraw all requests; an answer that nobody has taken is fetched again when the session is resumed."""
        tasks = [*self._open, *(done[-1] for done in self._done)]
        self._done.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
