"""Whose message is next: what waits in a worker, by agent, so that nobody waits for another one's trouble.

    put --> a queue for each agent --take--> one step of work --give--> what it cost, and what is left of it

The agent that has had the least of the worker's time is served next (start-time fair queuing, Goyal 1996): one
whose messages cost much, or who sends many of them, waits for itself. Whoever had nothing waiting begins at the
present virtual time, so that nobody saves time up. A step is a message, or one request of a message that takes
many.

What is begun is in memory as points, many times its size on the line. So a message that was just begun goes on
until it is done or has had `FIRST_SECONDS`, and not more than `BEGUN` are begun at a time. A healthy agent waits
for that and the step in hand, however much others have waiting; when `BEGUN` others have a message in hand that
takes long, for one of these.

What waits is bounded in messages and bytes. When there is no room, the newest message of the agent that has most
waiting goes, which may be the one that has just come; it is not confirmed, so its agent sends it again. What is
sent again while it still waits goes too: behind a slow store that would be most of what there is to do.

Used by two threads: one puts, one takes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Generic, NamedTuple, Protocol, TypeVar

BEGUN = 32
"""Messages that may be begun at a time."""
FIRST_SECONDS = 0.25
"""Time of a message before others may have their turn between two of its steps."""
OVERHEAD = 512
"""Bytes that a message takes beside its payload, so that empty ones count too."""


class Sized(Protocol):
    """A message, as far as it matters here."""

    @property
    def topic(self) -> str:
        """Where it came from."""

    @property
    def payload(self) -> bytes:
        """As it came."""


M = TypeVar("M", bound=Sized)
Work = TypeVar("Work")


class Turn(NamedTuple, Generic[M, Work]):
    """What to do now: a message, or the rest of one that was begun in an earlier turn."""

    agent: str
    message: M | None
    begun: Work | None


class Turns(Generic[M, Work]):
    """What waits, and whose turn it is.

    Args:
        messages: How many may wait.
        size: How many bytes may wait, `OVERHEAD` a message included.
    """

    def __init__(self, messages: int, size: int) -> None:
        self._room = messages
        self._free = size
        self._waiting: OrderedDict[str, deque[M]] = OrderedDict()
        self._held: dict[str, int] = {}  # bytes
        self._begun: dict[str, Work] = {}
        self._first: str | None = None  # whose message was begun last, while it has not had its first time
        self._had = 0.0  # of that time
        self._start: dict[
            str, float
        ] = {}  # virtual time from which an agent may be served; dropped when it is past
        self._now = 0.0  # virtual
        self._woken = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        with self._changed:
            return sum(map(len, self._waiting.values()))

    def put(self, message: M) -> M | None:
        """Let a message wait; return the one that does not, if any: this one or another."""
        agent, size = agent_of(message.topic), len(message.payload) + OVERHEAD
        with self._changed:
            waiting = self._waiting.get(agent, ())
            if any(one.payload == message.payload and one.topic == message.topic for one in waiting):
                return message
            gone = None
            if self._room < 1 or self._free < size:
                hog = max(self._held, key=self._held.__getitem__, default=agent)
                if hog == agent or self._held[hog] <= self._held.get(agent, 0) + size:
                    return message
                gone = self._pop(hog, newest=True)
                if self._free < size:  # nothing is thrown away in vain, and one for one is enough
                    self._push(hog, gone)
                    return message
            self._push(agent, message)
            self._start.setdefault(agent, self._now)
            self._changed.notify()
            return gone

    def wake(self) -> None:
        """Have `take` return at once, now or the next time."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def take(self, seconds: float | None) -> Turn[M, Work] | None:
        """Return what to do next, None after `seconds` or `wake`; `give` must follow before the next `take`."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._begun or self._woken, seconds)
            self._woken = False
            if self._first is not None and self._first in self._begun:
                return Turn(self._first, None, self._begun.pop(self._first))
            waiting = {} if len(self._begun) >= BEGUN else self._waiting
            agents = {**self._begun, **waiting}  # the values do not matter, the order does
            if not agents:
                return None
            agent = min(agents, key=lambda name: self._start.get(name, self._now))
            self._now = max(self._now, self._start.get(agent, self._now))
            if agent in self._begun:
                return Turn(agent, None, self._begun.pop(agent))
            self._first, self._had = agent, 0.0
            return Turn(agent, self._pop(agent, newest=False), None)

    def give(self, agent: str, cost: float, begun: Work | None = None) -> None:
        """Charge a turn to its agent.

        Args:
            agent: Whose turn it was.
            cost: What it took, in seconds.
            begun: What is left to do of the message; its agent's other messages wait behind it.
        """
        with self._changed:
            self._start[agent] = max(self._start.get(agent, 0.0), self._now) + cost
            if begun is not None:
                self._begun[agent] = begun
            if agent == self._first:
                self._had += cost
                if begun is None or self._had >= FIRST_SECONDS:
                    self._first = None
            if len(self._start) > 2 * (len(self._waiting) + len(self._begun)) + 100:
                self._forget()

    def _push(self, agent: str, message: M) -> None:
        size = len(message.payload) + OVERHEAD
        self._waiting.setdefault(agent, deque()).append(message)
        self._held[agent] = self._held.get(agent, 0) + size
        self._room -= 1
        self._free -= size

    def _pop(self, agent: str, *, newest: bool) -> M:
        queue = self._waiting[agent]
        message = queue.pop() if newest else queue.popleft()
        size = len(message.payload) + OVERHEAD
        self._room += 1
        self._free += size
        self._held[agent] -= size
        if not queue:
            del self._waiting[agent], self._held[agent]
        return message

    def _forget(self) -> None:
        """Drop who has nothing waiting and whose time is past: it counts as new."""
        busy = self._waiting.keys() | self._begun.keys()
        self._start = {name: at for name, at in self._start.items() if name in busy or at > self._now}
        if not busy:  # time stands still while nobody waits: debts of the past must not be kept for ever
            self._start.clear()


def agent_of(topic: str) -> str:
    """Return whose turn a message takes: `{prefix}/{factory}/{agent}`, or the first levels of any other topic."""
    return "/".join(topic.split("/", 4)[:4])[:200]
