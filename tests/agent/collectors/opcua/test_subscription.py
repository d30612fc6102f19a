"""What a subscription promises: every value once, every loss told, keep-alives that move time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.connection import Connection
from agent.collectors.opcua.decode import Publication
from agent.collectors.opcua.limits import Limits
from agent.collectors.opcua.publisher import Subscription
from agent.errors import Unreachable
from agent.frame import Status
from tests.agent.collectors.opcua.conftest import NODES
from tests.agent.collectors.opcua.support import Seen, collector, device, run, signals
from tests.support.sniffer import Relay, opcua_services

if TYPE_CHECKING:
    from agent.frame import Event
    from tests.peers.opcua import Plant


SECOND = 10**9


def bounds_are_close(gap: Event, seen: Seen) -> bool:
    """Whether a gap is longer than nothing and ends with an answer, a few answers after it began."""
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    times = {int(time) for frame in seen.frames for time in frame.time_ns} | {w.time_ns for w in seen.watermarks}
    return gap.to_ns in times and 0 < sum(gap.from_ns < time <= gap.to_ns for time in times) <= 3


def test_five_hundred_nodes_at_five_changes_a_second_arrive_each_exactly_once(plant: Plant) -> None:
    rounds = 20
    sequence = [{"id": f"s{i}", "type": "uint32", "node": f"ns=1;s=seq-{i}"} for i in range(NODES)]

    async def main() -> None:
        seen = Seen()
        group = {"every": "500ms", "sampling": "0ms", "signals": sequence}
        async with collector(plant.endpoint, group).connect() as read:
            await seen.until(read, lambda: sum(map(len, seen.frames)) >= NODES)
            first = seen.frames[0].value[0]
            assert isinstance(first, int)
            plant.tell("start", period=200)
            await seen.until(read, lambda: first + rounds in seen.frames[-1].value)
            last = plant.tell("stop")["number"]
            await seen.until(read, lambda: sum(map(len, seen.frames)) >= NODES * (last - first + 1))
        served = list(range(first, last + 1))
        log = (plant.log.parent / "sequence.log").read_text().splitlines()
        assert [int(line.split()[1]) for line in log][-rounds:] == served[-rounds:]
        for i in range(NODES):
            assert seen.values(f"s{i}") == served
        assert not seen.events

    run(main())


def test_values_that_the_server_had_to_drop_are_told(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {"id": "g", "every": "500ms", "sampling": "0ms", "queue": 2, "signals": signals(counter="uint32")}
        async with collector(plant.endpoint, group).connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            plant.tell("burst", node="counter", values=[101, 102, 103, 104, 105])
            await seen.until(read, lambda: 105 in seen.values("counter"))
        rows = seen.rows("counter")[-2:]
        assert [value for value, _ in rows] == [104, 105]
        assert rows[0][1] == 0x0480  # good, with the overflow bit kept
        (event,) = seen.events
        assert (event.kind, event.source) == ("gap", "cnc.g")
        assert event.body.items() >= {"cause": "overflow", "reason": "server_queue", "signals": ["counter"]}.items()
        assert bounds_are_close(event, seen)

    run(main())


def test_what_was_dropped_while_a_cable_was_out_lies_in_that_time(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {"id": "g", "every": "200ms", "sampling": "0ms", "queue": 4, "signals": signals(counter="uint32")}
        with Relay(plant.opcua_port) as relay:
            endpoint = f"opc.tcp://127.0.0.1:{relay.port}"
            async with collector(endpoint, group).connect() as read:
                await seen.until(read, lambda: bool(seen.frames))
                served: dict[int, int] = {}
                reading = asyncio.create_task(seen.until(read, lambda: 240 in seen.values("counter")))
                for value in range(201, 241):
                    relay.cut = 206 <= value < 230
                    await asyncio.to_thread(plant.tell, "set", node="counter", value=value)
                    served[value] = time.time_ns()
                    await asyncio.sleep(0.1)
                await reading
        lost = [ns for value, ns in served.items() if value not in seen.values("counter")]
        (event,) = seen.events
        assert len(lost) > 10
        assert event.from_ns is not None
        assert event.to_ns is not None
        assert event.body.items() >= {"cause": "overflow", "reason": "server_queue", "signals": ["counter"]}.items()
        assert event.from_ns < min(lost)
        assert max(lost) < event.to_ns
        assert served[204] < event.from_ns, "and it begins in that time"

    run(main())


def test_what_was_dropped_was_sampled_after_the_answer_before_was_asked_for() -> None:
    subscription = Subscription(1, 0, 0)
    assert subscription.came(1 * SECOND, 2 * SECOND) == 2 * SECOND, "nothing was sampled before the first"
    assert subscription.came(2 * SECOND, 3 * SECOND) == 1 * SECOND
    assert subscription.came(0, 4 * SECOND) == 2 * SECOND, "one that is sent again was not asked for"
    assert subscription.came(4 * SECOND, 5 * SECOND) == 2 * SECOND
    assert subscription.came(5 * SECOND, 10 * SECOND) == 5 * SECOND, "after a long silence nothing was held up"
    assert subscription.came(6 * SECOND, 3 * SECOND) == 3 * SECOND, "our clock was set back"
    assert subscription.came(3 * SECOND, 4 * SECOND) == 3 * SECOND


def test_a_notification_that_never_came_is_told_and_all_values_are_read_anew(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {"id": "g", "sampling": "0ms", "signals": signals(counter="uint32", float="float32")}
        async with collector(plant.endpoint, group).connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            (subscription,) = read.__self__._publisher._subscriptions.values()  # type: ignore[attr-defined]
            subscription.expected -= 2  # as if two had come before that we never saw
            plant.tell("set", node="counter", value=77)
            await seen.until(read, lambda: seen.values("counter").count(77) == 2)
        assert seen.values("float") == [1.5, 1.5]
        (event,) = seen.events
        assert (event.kind, event.source) == ("gap", "cnc.g")
        assert (
            event.body.items() >= {"cause": "overflow", "reason": "notification_lost", "notifications": 2}.items()
        )
        assert bounds_are_close(event, seen)

    run(main())


def test_keep_alives_move_the_watermark_while_nothing_changes(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(
            plant.endpoint, {"id": "g", "every": "2500ms", "signals": signals(bool="bool")}
        ).connect() as read:
            await seen.until(read, lambda: len(seen.watermarks) >= 3)
        assert sum(map(len, seen.frames)) == 1
        times = [w.time_ns for w in seen.watermarks]
        assert times == sorted(times)
        assert times[-1] - times[-2] > 1e9
        assert {w.source for w in seen.watermarks} == {"cnc.g"}

    run(main())


def test_a_subscription_that_dies_while_its_session_lives_ends_the_connection(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(plant.endpoint, {"signals": signals(bool="bool")}).connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            assert plant.tell("drop_subscriptions")["count"] == 1
            with pytest.raises(Unreachable, match=r"cnc \(opc\.tcp"):
                await seen.until(read, lambda: False)

    run(main())


def test_a_node_that_goes_is_bad_and_comes_back_by_retry(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        reader = collector(plant.endpoint, {"signals": signals(late="int32", bool="bool")})
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.values("bool")))
            assert seen.rows("late") == [(None, Status.BAD_NODE_ID_UNKNOWN)]
            assert len(reader.refused()) == 1
            plant.tell("add", node="late", type="Int32", value=7)
            reader.retry()
            await seen.until(read, lambda: 7 in seen.values("late"))
            assert reader.refused() == []
            plant.tell("remove", node="late")
            await seen.until(read, lambda: seen.values("late")[-1] is None)
            assert "late" in reader.refused()[0].en
            plant.tell("add", node="late", type="Int32", value=8)
            reader.retry()
            await seen.until(read, lambda: seen.values("late")[-1] == 8)
            assert reader.refused() == []
            plant.tell("remove", node="late")
        assert seen.values("bool") == [True]

    run(main())


def test_retry_wakes_a_read_that_waits(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        reader = collector(plant.endpoint, {"every": "5s", "signals": signals(elsewhere="bool")})
        async with reader.connect() as read:
            await seen.until(read, lambda: len(seen.of("catalog")) == 1)
            waiting = asyncio.create_task(seen.until(read, lambda: len(seen.rows("elsewhere")) == 2))
            await asyncio.sleep(0)
            reader.retry()
            await asyncio.wait_for(waiting, 2)

    run(main())


def test_only_questions_leave_the_agent(plant: Plant) -> None:
    async def main(port: int) -> None:
        seen = Seen()
        groups: list[dict[str, Any]] = [
            {"id": "a", "signals": signals(bool="bool", nowhere="bool")},
            {"id": "b", "mode": "poll", "signals": signals(float="float32")},
        ]
        async with collector(f"opc.tcp://127.0.0.1:{port}/plant", *groups).connect() as read:
            await seen.until(read, lambda: len(seen.of("catalog")) == 2 and len(seen.values("float")) >= 3)

    with Relay(plant.opcua_port) as relay:
        run(main(relay.port))
    asked: Counter[str] = Counter()
    for stream in relay.sent:
        asked += opcua_services(bytes(stream))
    assert asked["Read"] >= 5
    assert asked["CloseSession"] == 1
    assert set(asked) == {
        "GetEndpoints", "CreateSession", "ActivateSession", "Read", "Browse", "CreateSubscription",
        "CreateMonitoredItems", "Publish", "CloseSession", "CloseSecureChannel",
    }  # fmt: skip


def test_the_transport_refuses_to_send_anything_but_questions(plant: Plant) -> None:
    async def main() -> None:
        connection = Connection(
            device(plant.endpoint, {"signals": signals(bool="bool")}), Box(SystemClock()), Limits()
        )
        await connection.open()
        try:
            for request in (ua.WriteRequest(), ua.CallRequest(), ua.HistoryUpdateRequest(), ua.AddNodesRequest()):
                with pytest.raises(TypeError, match="only reads"):
                    await connection._transport._send_request(request)
        finally:
            await connection.close()

    run(main())


def publication(sequence: int, *, keep_alive: bool = False) -> Publication:
    return Publication(1, sequence, keep_alive, [], None)


def test_a_missing_sequence_number_is_counted_and_a_late_or_repeated_one_is_not() -> None:
    subscription = Subscription(1, 0, 0)
    assert subscription.lost(publication(1, keep_alive=True)) == 0
    assert subscription.lost(publication(1)) == 0
    assert subscription.lost(publication(2)) == 0
    assert subscription.lost(publication(5)) == 2
    assert subscription.lost(publication(4)) == 0  # late
    assert subscription.lost(publication(5, keep_alive=True)) == 0  # repeats its last number
    assert subscription.lost(publication(8, keep_alive=True)) == 2
    subscription.expected = 2**32 - 1
    assert subscription.lost(publication(2**32 - 1)) == 0
    assert subscription.lost(publication(1)) == 0
    assert subscription.lost(publication(3)) == 1
