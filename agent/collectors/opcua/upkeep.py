"""Slow knowledge that is asked for again: how far the server's clock is off, and what our user could write.

The clock is asked at each connection and every ten minutes, three times, each time alone in its request; the answer
with the shortest round trip counts, and bounds the error by half of it. It is told only while our own clock is
trusted, else it would say more about us.

Rights are read, never tried: the attribute UserAccessLevel of the nodes that we read, at each new session and once
a day, in parts. A node whose level the server does not tell is in neither number.

Everything gives way to polls: one request at a time, none shortly before the next poll is due, unless that has gone
on for a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from agent.collectors.opcua.convert import DATE_TIME, INTEGERS
from agent.collectors.opcua.datatypes import key, node_id
from agent.collectors.opcua.decode import nanoseconds, told
from agent.collectors.opcua.services import VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.clock import Clock
    from agent.collectors.opcua.decode import NodeKey
    from agent.collectors.opcua.group import Group
    from agent.collectors.opcua.services import Services
    from agent.frame import Json

    Told = tuple[Literal["clock", "access"], dict[str, Json]]

CLOCK_NS: Final = 600_000_000_000
RIGHTS_NS: Final = 86_400_000_000_000
TRIES: Final = 3
PART: Final = 200
"""Nodes that are asked about at once."""
ROOM_NS: Final = 50_000_000
"""Before a poll that is due in less than this, nothing is asked."""
PATIENCE_NS: Final = 60_000_000_000
WRITE: Final = 0x02  # CurrentWrite of AccessLevelType, Part 3, 8.57
_TIME: Final = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_CurrentTime))


class Upkeep:
    """What is due of it, and how far it has come.

    Args:
        services: The session.
        clock: Ours.
    """

    def __init__(self, services: Services, clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._clock_at_ns = self._rights_at_ns = 0
        self._heard: list[tuple[int, int]] = []  # (round trip, skew)
        self._asked = 0
        self._nodes: list[NodeKey] = []
        self._levels: list[int] = []

    def begin(self, *, anew: bool) -> None:
        """Begin with a connection; `anew` when its session is a new one."""
        self._clock_at_ns = self._clock.monotonic()
        self._heard, self._asked, self._nodes, self._levels = [], 0, [], []
        if anew:
            self._rights_at_ns = self._clock_at_ns

    def next_ns(self, poll_ns: int | None) -> int:
        """Return the monotonic time at which to ask next.

        Args:
            poll_ns: Monotonic time of the next poll, None for none. After it is another chance.
        """
        due_ns = min(self._clock_at_ns, self._rights_at_ns)
        now_ns = max(self._clock.monotonic(), due_ns)
        waits = poll_ns is not None and poll_ns - now_ns < ROOM_NS and now_ns - due_ns < PATIENCE_NS
        return poll_ns if waits and poll_ns is not None else due_ns

    async def ask(self, groups: Sequence[Group]) -> Told | None:
        """Ask for one thing that is due; return what is told by it, if it was the last that this needed."""
        now_ns = self._clock.monotonic()
        if now_ns >= self._clock_at_ns:
            body = await self._time()
            return None if body is None else ("clock", body)
        if now_ns >= self._rights_at_ns:
            body = await self._rights(groups)
            return None if body is None else ("access", body)
        return None

    async def _time(self) -> dict[str, Json] | None:
        (answer,) = await self._services.read([(_TIME, VALUE)])
        theirs = nanoseconds(told(answer.values[0], (DATE_TIME,)) or 0)
        if theirs and self._clock.trusted:
            self._heard.append((answer.rtt_ns, theirs - (answer.time_ns - answer.rtt_ns // 2)))
        self._asked += 1
        if self._asked < TRIES:
            return None
        heard, self._heard, self._asked = self._heard, [], 0
        self._clock_at_ns = self._clock.monotonic() + CLOCK_NS
        if len(heard) < TRIES:  # it does not say, or our clock was not trusted all the while
            return None
        rtt_ns, skew_ns = min(heard)
        return {"skew_ns": skew_ns, "rtt_ns": rtt_ns}

    async def _rights(self, groups: Sequence[Group]) -> dict[str, Json] | None:
        if not self._nodes:
            nodes = (node for group in groups if not group.events for node in group.nodes)
            self._nodes, self._levels = [*{key(node): None for node in nodes if node is not None}], []
        part, self._nodes = self._nodes[:PART], self._nodes[PART:]
        if part:
            asked = [(node_id(node), int(AttributeIds.UserAccessLevel)) for node in part]
            levels = [told(sample, INTEGERS) for sample in await self._services.values(asked)]
            self._levels += [level for level in levels if level is not None]
        if self._nodes:
            return None
        self._rights_at_ns = self._clock.monotonic() + RIGHTS_NS
        if not self._levels:
            return None
        return {"asked": len(self._levels), "writable": sum(bool(level & WRITE) for level in self._levels)}
