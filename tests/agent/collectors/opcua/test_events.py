"""Alarms and events: subscribed, told with what people need, never by a Call."""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from agent.collectors.opcua import decode, events
from agent.errors import WireError
from agent.frame import Quality, Status
from tests.agent.collectors.opcua.support import Seen, collector, run, signals
from tests.support.sniffer import Relay, opcua_services

if TYPE_CHECKING:
    from agent.collectors.opcua.decode import Field
    from agent.frame import Event
    from tests.peers.opcua import Plant

ALARMS: dict[str, Any] = {"id": "alarms", "mode": "events"}
QUIET = {"active": False, "acked": True, "message": "closed", "severity": 700}


def told(seen: Seen, text: str) -> list[Event]:
    """Alarms whose message is this."""
    return [e for e in seen.events if e.kind == "alarm" and e.body["message"] == text]


def test_a_storm_of_events_that_the_server_had_to_drop_in_silence_is_a_gap(press: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(press.endpoint, ALARMS).connect() as read:
            press.tell("event", message="storm\x1b[2J", severity=900, count=3000)  # its queue holds 1000
            await seen.until(read, lambda: any(e.kind == "gap" for e in seen.events))
            (gap,) = (e for e in seen.events if e.kind == "gap")
            assert (gap.body["cause"], gap.body["reason"]) == ("overflow", "server_queue_full")
            assert gap.from_ns is not None
            assert gap.to_ns is not None
            assert gap.from_ns <= gap.to_ns
            press.tell("event", message="after it", severity=900)
            await seen.until(read, lambda: bool(told(seen, "after it")))
            assert sum(e.kind == "gap" for e in seen.events) == 1

    run(main())


def test_an_alarm_that_comes_is_acknowledged_and_goes_is_three_events(press: Plant) -> None:
    async def main() -> None:
        press.tell("alarm", **QUIET, quiet=True)
        seen = Seen()
        async with collector(press.endpoint, ALARMS).connect() as read:
            await seen.until(read, lambda: bool(seen.of("connection")))
            press.tell("alarm", active=True, acked=False, message="보호 커버 열림", severity=800)
            press.tell("alarm", active=True, acked=True, message="seen by somebody", severity=800)
            press.tell("alarm", active=False, acked=True, message="closed", severity=800)
            await seen.until(read, lambda: bool(told(seen, "closed")))
        come, seen_by, gone = (told(seen, t)[0] for t in ("보호 커버 열림", "seen by somebody", "closed"))
        assert (come.source, come.machine) == ("cnc.alarms", "mill")
        said = come.body
        assert (said["severity"], said["priority"], said["condition"]) == (800, "urgent", "Guard")
        assert (said["active"], said["acknowledged"], said["retain"]) == (True, False, True)
        assert (said["type"], said["source_name"]) == ("OffNormalAlarmType", "1:Door")
        assert said["condition_id"] == "ns=1;s=Press.GuardAlarm"
        assert isinstance(said["time"], str)
        assert abs(int(said["time"]) - come.time_ns) < 60e9
        assert (seen_by.body["active"], seen_by.body["acknowledged"]) == (True, True)
        assert (gone.body["active"], gone.body["acknowledged"]) == (False, True)
        assert seen.frames == []
        assert {w.source for w in seen.watermarks} == {"cnc.alarms"}

    run(main())


def test_an_alarm_that_stands_already_is_read_from_its_variables_and_told_once(press: Plant) -> None:
    async def main() -> None:
        press.tell("alarm", active=True, acked=False, message="open since yesterday", severity=650, quiet=True)
        reader = collector(press.endpoint, ALARMS)
        seen, again, after = Seen(), Seen(), Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.of("connection")))
        (standing,) = told(seen, "open since yesterday")
        assert standing.body["standing"] is True
        assert (standing.body["active"], standing.body["acknowledged"]) == (True, False)
        assert (standing.body["severity"], standing.body["condition"]) == (650, "Guard")
        granted = seen.of("connection")[0].body["revised"]
        assert granted["cnc.alarms"]["standing_alarms"] == "read from 1 of 1 conditions"  # type: ignore[index,call-overload]
        async with reader.connect() as read:
            await again.until(read, lambda: bool(again.of("connection")))
        assert again.events == [], "a second connection says nothing new"
        press.tell("alarm", **QUIET, quiet=True)
        async with reader.connect() as read:
            await after.until(read, lambda: bool(after.of("connection")))
        (ended,) = told(after, "closed")
        assert ended.body["active"] is False, "what was told to stand is told to be over"

    run(main())


def test_plain_events_are_told_and_slighter_ones_than_asked_for_are_not(press: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(press.endpoint, {**ALARMS, "severity": 400}).connect() as read:
            await seen.until(read, lambda: bool(seen.of("connection")))
            press.tell("event", message="slight", severity=399)
            press.tell("event", message="grave #", severity=400, count=3)
            await seen.until(read, lambda: bool(told(seen, "grave 2")))
        assert not told(seen, "slight")
        assert [len(told(seen, f"grave {n}")) for n in range(3)] == [1, 1, 1]
        body = told(seen, "grave 0")[0].body
        assert body["source_name"] == "Press"
        assert body["type"] == "BaseEventType"
        assert "condition" not in body

    run(main())


def test_a_notifier_tells_its_own_only(press: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {**ALARMS, "notifier": "nsu=urn:test:plant;s=Press"}
        async with collector(press.endpoint, group).connect() as read:
            await seen.until(read, lambda: bool(seen.of("connection")))
            press.tell("event", message="of the server", severity=100, source="server")
            press.tell("event", message="of the press", severity=100)
            await seen.until(read, lambda: bool(told(seen, "of the press")))
        assert not told(seen, "of the server")

    run(main())


def test_events_that_the_server_had_to_drop_are_told(press: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(press.endpoint, ALARMS).connect() as read:
            await seen.until(read, lambda: bool(seen.of("connection")))
            press.tell("event", type="EventQueueOverflowEventType", message="overflow", severity=1)
            await seen.until(read, lambda: any(e.kind == "gap" for e in seen.events))
        (event,) = (e for e in seen.events if e.kind == "gap")
        assert event.source == "cnc.alarms"
        assert event.body.items() >= {"cause": "overflow", "reason": "server_queue", "events": True}.items()
        assert event.from_ns is not None
        assert event.to_ns is not None
        assert event.from_ns <= event.to_ns

    run(main())


def test_a_node_that_reports_no_events_is_one_text_and_its_neighbours_go_on(press: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        reader = collector(
            press.endpoint, {**ALARMS, "notifier": "ns=1;s=nothing"}, {"id": "g", "signals": signals(bool="bool")}
        )
        async with reader.connect() as read:
            await seen.until(read, lambda: True in seen.values("bool"))
        (text,) = reader.refused()
        assert "events of cnc.alarms: the server reports none from ns=1;s=nothing (BadNodeIdUnknown)" in text.en
        assert "이벤트" in text.ko
        (frame,) = reader.failed(5, Status.BAD_NO_COMMUNICATION)
        assert (frame.source.id, set(frame.quality)) == ("cnc.g", {Quality.BAD})

    run(main())


def test_alarms_are_had_without_a_call(press: Plant) -> None:
    async def main(port: int) -> None:
        seen = Seen()
        press.tell("alarm", active=True, acked=False, message="stands", severity=650, quiet=True)
        async with collector(f"opc.tcp://127.0.0.1:{port}/plant", ALARMS).connect() as read:
            await seen.until(read, lambda: bool(told(seen, "stands")))
            press.tell("event", message="plain", severity=100)
            await seen.until(read, lambda: bool(told(seen, "plain")))
        press.tell("alarm", **QUIET, quiet=True)

    with Relay(press.opcua_port) as relay:
        run(main(relay.port))
    asked: Counter[str] = Counter()
    for stream in relay.sent:
        asked += opcua_services(bytes(stream))
    assert asked["Browse"] >= 2
    assert not {"Call", "Write", "SetMonitoringMode", "HistoryUpdate"} & set(asked)


def test_a_list_of_events_is_read_as_the_library_writes_it() -> None:
    fields = [
        ua.Variant(b"\x01\x02", ua.VariantType.ByteString),
        ua.Variant(ua.NodeId.from_string("i=2915"), ua.VariantType.NodeId),
        ua.Variant(ua.NodeId.from_string("ns=2;s=Door"), ua.VariantType.NodeId),
        ua.Variant("Door", ua.VariantType.String),
        ua.Variant(None, ua.VariantType.Null),
        ua.Variant(ua.LocalizedText("열림", "ko"), ua.VariantType.LocalizedText),
        ua.Variant(300, ua.VariantType.UInt16),
    ]
    told_twice = ua.EventNotificationList(
        Events=[ua.EventFieldList(ClientHandle=h, EventFields=fields) for h in (7, 8)]
    )
    message = ua.NotificationMessage(SequenceNumber=4, NotificationData=[told_twice])
    got = decode.publication(struct_to_binary(ua.PublishResult(SubscriptionId=6, NotificationMessage=message)))
    assert [handle for handle, _ in got.events] == [7, 8]
    assert got.items == []
    body = events.alarm(got.events[1][1]).body
    assert body == {
        "severity": 300, "priority": "medium", "message": "열림", "type": "AlarmConditionType",
        "source_name": "Door", "source_node": "ns=2;s=Door", "time": None, "event_id": "0102",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "priority"),
    [(0, "low"), (250, "low"), (251, "medium"), (500, "medium"), (501, "high"), (750, "high"), (751, "urgent")],
)
def test_a_severity_has_a_priority(severity: int, priority: str) -> None:
    assert events.priority(severity) == priority


def test_texts_of_an_event_are_short_and_can_be_written() -> None:
    fields: list[Field] = [
        (15, False, b"\x01" * 500), (12, False, "no node"), (17, False, (0, 0)), (12, False, "x" * 5000),
        (13, False, 5), (21, False, "ab\udcff" * 400), (11, False, 1e9),
    ]  # fmt: skip
    it = events.alarm(fields)
    assert it.severity == 0
    assert len(str(it.body["message"])) == events.TEXT
    assert len(str(it.body["source_name"])) == events.NAME
    assert len(str(it.body["event_id"])) == 128
    assert it.body["type"] is None
    str(it.body).encode()
    assert events.alarm([]).condition is None


def test_a_truncated_list_of_events_raises_our_error_only() -> None:
    inner = struct.pack("<iIi", 1, 7, 1000)
    body = (
        struct.pack("<IiBIqi", 1, -1, 0, 1, 0, 1) + b"\x01\x00" + struct.pack("<H", decode.EVENT_LIST) + b"\x01"
        + struct.pack("<i", len(inner)) + inner
    )  # fmt: skip
    with pytest.raises(WireError):
        decode.publication(body)
