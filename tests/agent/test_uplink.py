"""The uplink and the sender against a real broker that dies and comes back; the gateway's own logic answers."""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.clock import SystemClock
from agent.requests import RequestError
from agent.sender import Sender
from agent.spool import Limits, Spool
from agent.uplink import Uplink
from contract import codec, topics
from contract.payload import Request, Status
from contract.topics import AgentTopics
from gateway.births import Births
from gateway.clock import SystemClock as GatewayClock
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from settings.broker import Broker
from tests.gateway.builders import MemoryStore
from tests.support.brokers import mosquitto
from tests.support.items import birth_of, frame, source
from tests.support.processes import Child, free_port, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BRANCH = AgentTopics("hanil", "edge-1")


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds that other threads and processes bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Client:
    """A client that is not ours: plain paho, collecting what it is subscribed to."""

    def __init__(self, port: int, *filters: str) -> None:
        self.got: list[mqtt.MQTTMessage] = []
        self.filters = filters
        self.ready = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe([(f, 1) for f in self.filters])
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = lambda _, __, message: self.took(message)
        self.client.connect("127.0.0.1", port, clean_start=True)
        self.client.loop_start()
        assert self.ready.wait(10)

    def took(self, message: mqtt.MQTTMessage) -> None:
        """Keep a message."""
        self.got.append(message)

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()

    def request(
        self, verb: str, body: bytes, response: str | None, correlation: bytes = b"7", *, retain: bool = False
    ) -> None:
        """Send a request."""
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
        if response is not None:
            properties.ResponseTopic = response
        properties.CorrelationData = correlation
        self.client.publish(BRANCH.request(verb), body, qos=1, retain=retain, properties=properties)


class Worker(Client):
    """A gateway worker: the real ingest behind plain paho."""

    def __init__(self, port: int, ingest: Ingest) -> None:
        self.ingest = ingest
        super().__init__(port, f"{topics.PREFIX}/+/+/birth/#", f"{topics.PREFIX}/+/+/data")
        self.announce()

    def announce(self) -> None:
        """Say that a worker is here."""
        self.client.publish(topics.worker("w1"), b'{"worker":"w1","since":"0","version":"0"}', qos=1, retain=True)

    def took(self, message: mqtt.MQTTMessage) -> None:
        """Ingest a message and confirm it."""
        kind = getattr(message.properties, "ContentType", None)
        for out in self.ingest.handle(message.topic, bytes(message.payload), kind):
            self.client.publish(out.topic, out.payload, qos=1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Child]:
    with running(mosquitto(tmp_path / "broker")) as child:
        yield child


def status(online: bool) -> Status:  # noqa: FBT001 - as the uplink calls it
    return Status(online=online, boot="b1", time="0", version="0")


def uplink_to(broker: Child) -> Uplink:
    assert broker.port is not None
    return Uplink(Broker(host="127.0.0.1", port=broker.port), BRANCH, status)


def cut(uplink: Uplink) -> None:
    session = uplink._connection.session
    assert session is not None
    session.cut()


def test_every_row_arrives_although_the_broker_and_the_worker_die_in_the_middle(
    broker: Child, tmp_path: Path
) -> None:
    assert broker.port is not None
    store = MemoryStore()
    gateway_clock = GatewayClock(trust=True)
    letters = DeadLetters(tmp_path / "letters", 10**8, "w1", gateway_clock)

    def worker() -> Worker:
        assert broker.port is not None
        return Worker(broker.port, Ingest("w1", store, Births(), letters, gateway_clock))

    one = source(signals=5)
    birth = birth_of("hanil", "main", "edge-1", [one])
    spool = Spool(tmp_path / "spool", birth=birth, sources=[one], limits=Limits(min_free_bytes=0))
    clock = SystemClock(spool.epoch, trusted=True)
    spool.start(clock)
    uplink = uplink_to(broker)
    sender = Sender(spool, uplink, BRANCH, clock)
    sender.start()
    uplink.start()
    gateway = worker()
    put: list[int] = []

    def read(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            put.append(clock.now())
            spool.put(frame(one, put[-1], first=len(put)))
            time.sleep(0.02)

    read(1.5)
    broker.restart()
    read(2)
    gateway.close()
    gateway = worker()
    read(1.5)
    eventually(lambda: spool.stats().committed_rows == 5 * len(put))
    eventually(lambda: spool.stats().entries == 0, 30)
    sender.stop()
    uplink.stop()
    spool.stop()
    gateway.close()
    letters.close()
    rows = {time_ns: fields for (name, _, time_ns), fields in store.held.items() if name == "m-plc"}
    assert rows == {t: {f"s{i}_i": n + 1 + i for i in range(5)} for n, t in enumerate(put)}
    assert spool.stats().dropped_rows == spool.stats().ring_lost_rows == 0


def test_a_birth_that_no_entry_names_is_cleared_at_the_next_connect(broker: Child, tmp_path: Path) -> None:
    assert broker.port is not None
    clock = SystemClock(trusted=True)

    def connect_once(signals: int) -> str:
        one = source(signals=signals)
        spool = Spool(tmp_path / "spool", birth=birth_of("hanil", "main", "edge-1", [one]), sources=[one])
        spool.start(clock)
        uplink = uplink_to(broker)
        sender = Sender(spool, uplink, BRANCH, clock)
        sender.start()
        uplink.start()
        eventually(lambda: sender._delivery._open_from is not None)
        sender.stop()
        uplink.stop()
        spool.stop()
        return spool.birth

    first = connect_once(3)
    second = connect_once(4)
    assert first != second
    client = Client(broker.port, f"{BRANCH.root}/birth/#")
    eventually(lambda: len(client.got) == 1)
    client.close()
    assert client.got[0].topic == BRANCH.birth(second, 1, 1)
    assert codec.digest(codec.decompress(bytes(client.got[0].payload), codec.BIRTH_PART_LIMIT)) == second


def test_status_is_retained_and_the_will_says_offline(broker: Child) -> None:
    assert broker.port is not None
    uplink = uplink_to(broker)
    uplink.start()
    client = Client(broker.port, BRANCH.status)
    eventually(lambda: bool(client.got) and json.loads(client.got[-1].payload)["online"])
    cut(uplink)  # the cable: no goodbye
    eventually(lambda: not json.loads(client.got[-1].payload)["online"], 30)
    eventually(lambda: json.loads(client.got[-1].payload)["online"], 10)
    uplink.stop()
    eventually(lambda: not json.loads(client.got[-1].payload)["online"])
    client.close()


def test_a_goodbye_of_our_own_is_no_lost_connection(broker: Child, caplog: pytest.LogCaptureFixture) -> None:
    uplink = uplink_to(broker)
    lost = threading.Event()
    uplink.on_connection(lambda up: None if up else lost.set())
    uplink.start()
    eventually(lambda: uplink.up)
    uplink.stop()
    assert lost.wait(10)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_retained_topics_are_published_again_by_a_broker_that_lost_them(broker: Child) -> None:
    uplink = uplink_to(broker)
    uplink.start()
    uplink.publish_retained(BRANCH.readiness, b'{"report": 1}', 3600)
    uplink.publish_retained(BRANCH.manifest, b"{}")
    eventually(lambda: uplink.up)
    broker.restart()
    assert broker.port is not None
    client = Client(broker.port, BRANCH.readiness, BRANCH.manifest)
    eventually(lambda: len(client.got) == 2)
    got = {m.topic: (bytes(m.payload), getattr(m.properties, "MessageExpiryInterval", None)) for m in client.got}
    assert got[BRANCH.manifest] == (b"{}", None)
    report, expiry = got[BRANCH.readiness]
    assert report == b'{"report": 1}'
    assert expiry is not None
    assert 3500 < expiry <= 3600
    client.close()
    uplink.stop()


def test_nothing_of_an_ended_connection_is_sent_on_the_next_one(broker: Child) -> None:
    uplink = uplink_to(broker)
    uplink.start()
    eventually(lambda: uplink.up)
    broker.send(signal.SIGSTOP)  # it takes bytes, and reads none of them
    assert uplink.publish(BRANCH.readiness, b"old", retain=True)
    broker.restart()
    eventually(lambda: not uplink.up)
    eventually(lambda: uplink.up)
    assert uplink.publish(BRANCH.data, b"new", retain=True)
    assert broker.port is not None
    client = Client(broker.port, BRANCH.data, BRANCH.readiness)
    eventually(lambda: bool(client.got))
    client.close()
    uplink.stop()
    assert [m.payload for m in client.got] == [b"new"]


def test_a_request_that_the_broker_kept_is_not_answered(broker: Child) -> None:
    assert broker.port is not None
    uplink = uplink_to(broker)
    uplink.on_request("report.get", lambda body: body)
    client = Client(broker.port, BRANCH.response("pc"), BRANCH.request("report.get"))
    client.request("report.get", b"kept", BRANCH.response("pc"), retain=True)
    eventually(lambda: bool(client.got))
    uplink.start()
    eventually(lambda: uplink.up)
    client.request("report.get", b"now", BRANCH.response("pc"))
    eventually(lambda: any(m.topic == BRANCH.response("pc") for m in client.got))
    client.close()
    uplink.stop()
    assert [m.payload for m in client.got if m.topic == BRANCH.response("pc")] == [b"now"]


def test_requests_are_answered_on_the_response_topic_only(broker: Child, caplog: pytest.LogCaptureFixture) -> None:
    assert broker.port is not None
    uplink = uplink_to(broker)
    uplink.on_request("report.get", lambda body: b'{"echo":' + (body or b"null") + b"}")

    def refuse(_: bytes) -> bytes:
        raise RequestError("bad_request", "no such machine")

    def fail(_: bytes) -> bytes:
        raise ZeroDivisionError

    uplink.on_request("fit.check", refuse)
    uplink.on_request("mde.get", fail)
    uplink.start()
    eventually(lambda: uplink.up)
    client = Client(broker.port, "#")
    mine = BRANCH.response("pc-1")
    with caplog.at_level(logging.CRITICAL, "agent.uplink"):
        client.request("report.get", b"1", f"{topics.PREFIX}/hanil/edge-2/rsp/pc-1")
        client.request("report.get", b"2", BRANCH.data)
        client.request("report.get", b"3", BRANCH.response("a/b"))
        client.request("report.get", b"4", None)
        for i, verb in enumerate(("report.get", "fit.check", "no.such", "mde.get")):
            client.request(verb, b"5", mine, bytes([i]))
            eventually(lambda n=i: len([m for m in client.got if m.topic == mine]) == n + 1)  # type: ignore[misc]
    answers = [m for m in client.got if m.topic == mine]
    assert [getattr(m.properties, "CorrelationData", None) for m in answers] == [b"\0", b"\1", b"\2", b"\3"]
    bodies = [json.loads(m.payload) for m in answers]
    assert bodies[0] == {"echo": 5}
    assert [b.get("error") for b in bodies[1:]] == ["bad_request", "unknown_verb", "no_data"]
    allowed = {BRANCH.status, mine}
    assert {m.topic for m in client.got if "/req/" not in m.topic} <= allowed
    client.close()
    uplink.stop()


def test_a_request_in_the_body_is_answered_in_the_body(broker: Child) -> None:
    assert broker.port is not None
    uplink = uplink_to(broker)
    uplink.on_request("report.get", lambda body: b'{"echo":' + (body or b'"nothing"') + b"}")
    uplink.start()
    eventually(lambda: uplink.up)
    mine = BRANCH.response("pc-1")
    client = Client(broker.port, mine)
    for topic in (BRANCH.data, BRANCH.response("a/b"), f"{topics.PREFIX}/hanil/edge-2/rsp/pc-1"):
        client.request("report.get", codec.encode(Request(topic, "1", 0)), None)
    client.request("report.get", b'{"response_topic": 5, "correlation": "1"}', None)
    for correlation, body in (("a", {"machine": "press-1"}), ("b", None)):
        client.request("report.get", codec.encode(Request(mine, correlation, body)), None)
    eventually(lambda: len(client.got) == 2)
    assert [json.loads(m.payload) for m in client.got] == [
        {"correlation": "a", "body": {"echo": {"machine": "press-1"}}},
        {"correlation": "b", "body": {"echo": "nothing"}},  # as a request without a body
    ]
    client.close()
    uplink.stop()


@pytest.mark.parametrize("told", [False, True])
def test_what_the_broker_takes_is_learned_and_the_connection_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, told: bool
) -> None:
    folder = tmp_path / "small"
    small = mosquitto(folder, max_packet_size="65536") if told else mosquitto(folder, limit=65536)
    with running(small) as child:
        uplink = uplink_to(child)
        uplink.start()
        eventually(lambda: uplink.up)
        if not told:  # at the beginning, as `max_packet_size` is
            assert uplink.largest is None
            assert uplink.publish(BRANCH.data, bytes(120_000))
            eventually(lambda: "does not take 120000 bytes" in caplog.text)
        assert uplink.largest is not None
        assert uplink.largest < 65536
        eventually(lambda: uplink.up)
        client = Client(child.port or 0, BRANCH.data)
        assert uplink.publish(BRANCH.data, bytes(uplink.largest))
        eventually(lambda: bool(client.got))
        assert len(client.got[0].payload) == uplink.largest
        client.close()
        uplink.stop()


def test_more_requests_than_can_wait_are_told_that_we_are_busy(broker: Child) -> None:
    assert broker.port is not None
    go = threading.Event()

    def slow(_: bytes) -> bytes:
        assert go.wait(20)
        return b"{}"

    uplink = uplink_to(broker)
    uplink.on_request("report.get", slow)
    uplink.start()
    eventually(lambda: uplink.up)
    client = Client(broker.port, BRANCH.response("pc"))
    for i in range(12):
        client.request("report.get", b"", BRANCH.response("pc"), bytes([i]))
    eventually(lambda: len(client.got) >= 8)
    assert {json.loads(m.payload).get("error") for m in client.got} == {"busy"}
    go.set()
    eventually(lambda: len(client.got) == 12)
    assert sum(json.loads(m.payload) == {} for m in client.got) == 4
    client.close()
    uplink.stop()


def test_another_box_with_our_name_is_said_once(broker: Child, caplog: pytest.LogCaptureFixture) -> None:
    assert broker.port is not None
    where = Broker(host="127.0.0.1", port=broker.port)
    boxes = [
        Uplink(where, BRANCH, lambda online, boot=boot: Status(online=online, boot=boot, time="0", version="0"))  # type: ignore[misc]
        for boot in ("b1", "b2")
    ]
    boxes[0].start()
    eventually(lambda: boxes[0].up)
    boxes[1].start()
    eventually(lambda: caplog.text.count("another box") == 2)
    eventually(lambda: boxes[0].up)  # they take the connection from each other, and go on trying
    eventually(lambda: boxes[1].up)
    for box in boxes:
        box.stop()
    assert caplog.text.count("another box") == 2, "each says it once"


def test_without_a_broker_it_says_so_once_and_ends_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    uplink = Uplink(Broker(host="127.0.0.1", port=port), BRANCH, status)
    uplink.start()
    eventually(lambda: "no broker at" in caplog.text)
    assert not uplink.publish(BRANCH.data, b"x")
    with running(mosquitto(tmp_path / "broker", port)):
        eventually(lambda: uplink.up, 10)
    eventually(lambda: not uplink.up)
    uplink.stop()
    assert not uplink._thread.is_alive()
    assert caplog.text.count("no broker at") == 1


def test_what_cannot_be_read_is_ignored_and_logged_once(
    broker: Child, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert broker.port is not None
    one = source()
    spool = Spool(tmp_path / "spool", birth=birth_of("hanil", "main", "edge-1", [one]), sources=[one])
    clock = SystemClock(trusted=True)
    spool.start(clock)
    uplink = uplink_to(broker)
    sender = Sender(spool, uplink, BRANCH, clock)
    sender.start()
    uplink.start()
    eventually(lambda: uplink.up)
    client = Client(broker.port, BRANCH.data)
    spool.put(frame(one, clock.now()))
    with caplog.at_level(logging.WARNING):
        for payload in (b"\xff", b"{}", b"[", b'{"spool":"x","stored":[[0,"zz"]]}', b"x" * (codec.PLAIN_LIMIT + 1)):
            for _ in range(2):
                client.client.publish(BRANCH.stored, payload, qos=1)
                client.client.publish(BRANCH.need_birth, payload, qos=1)
        client.client.publish(BRANCH.need_birth, b'{"birth":"00112233445566778899aabbccddeeff"}', qos=1)
        eventually(lambda: any("that are not here" in r.message for r in caplog.records))
    warnings = [r.message for r in caplog.records if r.name in {"agent.sender", "agent.uplink"}]
    assert len(warnings) == len({w.split(":")[0] for w in warnings}), warnings
    eventually(lambda: bool(client.got))
    assert spool.stats().entries > 0
    client.close()
    sender.stop()
    uplink.stop()
    spool.stop()
