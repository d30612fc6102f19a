"""The server's clock and our rights: told of a real server, and what a slow, silent or distrusted one leads to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from agent.collectors.opcua.convert import DATE_TIME
from agent.collectors.opcua.decode import Sample
from agent.collectors.opcua.services import Answer
from agent.collectors.opcua.upkeep import CLOCK_NS, PART, PATIENCE_NS, RIGHTS_NS, ROOM_NS, TRIES, Upkeep
from tests.agent.collectors.opcua.support import Seen, collector, run, signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.peers.opcua import Plant

SECOND = 1_000_000_000
NOW = 1_795_420_800 * SECOND
TICKS_1601 = 116_444_736_000_000_000  # 100 ns ticks from 1601 to 1970
BYTE = 3


@dataclass
class FakeClock:
    """A clock that a test sets."""

    now_ns: int = 0
    trusted: bool = True

    def monotonic(self) -> int:
        """Return it."""
        return self.now_ns

    def now(self) -> int:
        """Return the time of day."""
        return NOW + self.now_ns


@dataclass
class FakeServer:
    """Answers like a session: its clock is ahead, each round trip takes as long as the test says."""

    clock: FakeClock
    ahead_ns: int = 7 * SECOND
    trips: list[int] = field(default_factory=list)
    levels: dict[str, int | None] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    async def read(self, nodes: Sequence[tuple[ua.NodeId, int]]) -> list[Answer]:
        """Tell the time."""
        assert len(nodes) == 1
        rtt_ns = self.trips.pop(0)
        theirs = self.clock.now() + rtt_ns // 2 + self.ahead_ns
        self.clock.now_ns += rtt_ns
        sample = Sample(DATE_TIME, False, theirs // 100 + TICKS_1601, 0, 0, 0)
        return [Answer([sample], self.clock.now(), rtt_ns)]

    async def values(self, nodes: Sequence[tuple[ua.NodeId, int]]) -> list[Sample]:
        """Tell the access levels."""
        self.asked.append(len(nodes))
        assert {number for _, number in nodes} == {int(AttributeIds.UserAccessLevel)}
        levels = [self.levels[str(node.Identifier)] for node, _ in nodes]
        return [
            Sample(0, False, None, 0x8035_0000, 0, 0) if level is None else Sample(BYTE, False, level, 0, 0, 0)
            for level in levels
        ]


def made(**more: Any) -> tuple[Upkeep, FakeServer, FakeClock]:
    """Return an upkeep, its server and its clock."""
    clock = FakeClock()
    server = FakeServer(clock, **more)
    return Upkeep(server, clock), server, clock  # type: ignore[arg-type]


def group(*names: str, events: bool = False) -> Any:
    """Return a group that reads these nodes."""
    return SimpleNamespace(events=events, nodes=[None, *(ua.NodeId(ua.String(n), ua.Int16(1)) for n in names)])


def test_the_shortest_of_three_round_trips_tells_the_clock() -> None:
    async def main() -> None:
        upkeep, server, clock = made(trips=[90_000_000, 4_000_000, 30_000_000])
        upkeep.begin(anew=False)
        told = [await upkeep.ask([]) for _ in range(TRIES)]
        assert told[:2] == [None, None]
        assert told[2] is not None
        kind, body = told[2]
        assert kind == "clock"
        assert body["rtt_ns"] == 4_000_000
        skew = body["skew_ns"]
        assert isinstance(skew, int)
        assert abs(skew - server.ahead_ns) <= 100
        assert upkeep.next_ns(None) == 0  # rights were never asked for
        await upkeep.ask([])
        assert upkeep.next_ns(None) == clock.now_ns + CLOCK_NS

    asyncio.run(main())


def test_a_clock_of_ours_that_nobody_vouches_for_tells_nothing() -> None:
    async def main() -> None:
        upkeep, server, clock = made(trips=[1000] * 6)
        clock.trusted = False
        upkeep.begin(anew=False)
        assert [await upkeep.ask([]) for _ in range(TRIES)] == [None] * TRIES
        assert server.trips == [1000] * 3

    asyncio.run(main())


def test_rights_are_counted_in_parts_once_per_session_and_once_a_day() -> None:
    async def main() -> None:
        names = [f"n{k}" for k in range(PART + 50)]
        levels = {name: None if k % 10 == 0 else 3 if k % 10 == 1 else 1 for k, name in enumerate(names)}
        upkeep, server, clock = made(trips=[1000] * 9, levels=levels)
        groups = [group(*names), group(*names[:20]), group("events", events=True)]
        upkeep.begin(anew=True)
        told = [await upkeep.ask(groups) for _ in range(TRIES + 2)]
        assert server.asked == [PART, 50]
        assert told[-1] == ("access", {"asked": 225, "writable": 25})
        upkeep.begin(anew=False)  # the session lives on: so do its rights
        for _ in range(TRIES + 2):
            await upkeep.ask(groups)
        assert server.asked == [PART, 50]
        clock.now_ns += RIGHTS_NS
        for _ in range(TRIES + 2):
            told = [await upkeep.ask(groups)]
        assert server.asked == [PART, 50] * 2

    asyncio.run(main())


def test_a_server_that_tells_no_rights_leaves_them_unknown() -> None:
    async def main() -> None:
        upkeep, _, clock = made(trips=[1000] * 3, levels={"a": None})
        upkeep.begin(anew=True)
        assert [await upkeep.ask([group("a")]) for _ in range(TRIES + 1)][-1] is None
        assert upkeep.next_ns(None) > clock.now_ns

    asyncio.run(main())


def test_polls_go_first_but_not_for_ever() -> None:
    upkeep, _, clock = made()
    clock.now_ns = 100 * SECOND
    upkeep.begin(anew=True)
    soon = clock.now_ns + ROOM_NS // 2
    assert upkeep.next_ns(soon) == soon
    assert upkeep.next_ns(clock.now_ns + ROOM_NS) <= clock.now_ns
    clock.now_ns += PATIENCE_NS
    assert upkeep.next_ns(clock.now_ns + 1) <= clock.now_ns


def test_a_real_server_tells_its_clock_its_offers_its_certificate_and_our_rights(plant: Plant) -> None:
    async def main() -> None:
        polled = {"id": "g", "mode": "poll", "signals": signals(bool="bool", int32="int32")}
        watched = {"id": "h", "signals": signals(denied="float64", string="string")}
        reader = collector(plant.endpoint, polled, watched)
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.of("access")) and bool(seen.of("clock")))
        (rights,), (clock,), (connection,) = (seen.of(kind) for kind in ("access", "clock", "connection"))
        assert rights.body == {"asked": 4, "writable": 3}
        skew, rtt = clock.body["skew_ns"], clock.body["rtt_ns"]
        assert isinstance(skew, int)
        assert isinstance(rtt, int)
        assert abs(skew) <= rtt // 2 + 20_000_000  # the same machine's clock; the server rounds to milliseconds
        endpoints, certificate = connection.body["endpoints"], connection.body["certificate"]
        assert isinstance(endpoints, list)
        assert {(e["mode"], e["policy"]) for e in endpoints if isinstance(e, dict)} >= {("None", "None")}
        assert isinstance(certificate, dict)
        assert (certificate["key"], certificate["hash"]) == ("RSA", "sha256")

    run(main())
