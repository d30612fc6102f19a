"""Counting: in the store, and on the wire."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from contract import codec
from contract.payload import Block, Data, Stored, Times
from contract.report import Value
from contract.topics import AgentTopics
from demo.broker import command
from demo.processes import Children, free_ports
from demo.result import Result, count, indicators
from demo.wire import Wire
from gateway.stores.base import Point
from gateway.stores.embedded import EmbeddedStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAGS = (("factory", "hanil"), ("site", "main"), ("source", "press-plc.fast"))
SECOND = 1_000_000_000
TOPICS = AgentTopics("hanil", "edge-1")
CRC = "0123456789abcdef"


def farewell(rows: int, moment: int) -> Point:
    tags = (("agent", "edge-1"), ("factory", "hanil"), ("kind", "agent_stop"), ("site", "main"))
    return Point("tsq_event", tags, moment, {"body_s": json.dumps({"boot": "b", "rows": rows})})


def test_the_store_is_counted_signal_by_signal(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.db")
    store.write(
        [
            Point("press-1", TAGS, 1, {"state_i": 1, "motor-current_f": 2.5, "lot_s": "P1", "on_b": True}),
            Point("press-1", TAGS, 2, {"state_q": 0x8000_0000, "motor-current_q": 0x8000_0000}),  # bad: no value
            Point(
                "press-1", TAGS, 3, {"temp_f": 1.0, "temp_q": 0x4000_0000, "temp_src": 5}
            ),  # one uncertain sample
            Point("meter-1", TAGS, 1, {"q_f": 1.0}),  # a signal of that name
            farewell(8, 10),
        ]
    )
    store.close()
    assert count(tmp_path / "store.db") == (4 + 2 + 1 + 1, 8)


def test_an_agent_that_said_no_farewell_leaves_no_number(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.db")
    store.write([Point("press-1", TAGS, 1, {"state_i": 1})])
    store.close()
    assert count(tmp_path / "store.db") == (1, None)


def test_the_result_is_one_line_of_json_with_value_or_reason() -> None:
    found = indicators(
        [
            Value(metric="C03", unit="1", evidence="0" * 16, value=0.5, lo=0.4, hi=0.6, coverage=0.9),
            Value(metric="A04", unit="s", evidence="0" * 16, reason="NA_SHORT_WINDOW"),
        ]
    )
    result = Result(3, 3, 0, 0, 0, 0.5, 1.0, found, 12, 1.5, 2.5)
    assert "\n" not in result.text()
    read = json.loads(result.text())
    assert read["indicators"]["C03"] == {"value": 0.5, "lo": 0.4, "hi": 0.6, "coverage": 0.9}
    assert read["indicators"]["A04"] == {"reason": "NA_SHORT_WINDOW"}
    assert read["latency_p99_s"] == 1.0


class Peer:
    """Somebody who publishes as agent and gateway do."""

    def __init__(self, port: int) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, 1, retain).wait_for_publish(10)

    def data(self, seq: int, first: int, steps: list[int]) -> None:
        block = Block(
            seq=seq, source="press-plc.fast", signal=[0] * len(steps), time=Times(str(first), list(steps)),
            value=[1] * len(steps),
        )  # fmt: skip
        data = Data(spool="s", entries=[(seq, CRC)], birth=CRC, blocks=[block])
        self.publish(TOPICS.data, codec.compress(codec.encode(data)))

    def stored(self, seq: int, committed: int) -> None:
        stored = Stored(spool="s", stored=[(seq, CRC)], committed_at=str(committed), clock_trusted=True, worker="w")
        self.publish(TOPICS.stored, codec.encode(stored))


@pytest.fixture(params=[False, True], ids=["mosquitto", "iotcore"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    children = Children(tmp_path)
    (number,) = free_ports(1)
    name, words = command(tmp_path, number, own=request.param)
    assert name == request.node.callspec.id
    children.start("broker", words)
    try:
        children.wait_for_port("broker", number, 15)
        yield number
    finally:
        children.stop_all()


def until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_latency_is_measured_on_the_wire_once_for_each_sample(port: int) -> None:
    wire, peer = Wire(port, TOPICS), Peer(port)
    wire.start()
    try:
        peer.publish(TOPICS.readiness, b"{}", retain=True)
        until(lambda: wire.report == b"{}")  # so it listens
        peer.data(1, 100 * SECOND, [0, SECOND, SECOND])
        peer.data(1, 100 * SECOND, [0, SECOND, SECOND])  # sent again before it was confirmed
        peer.stored(1, 103 * SECOND)
        peer.stored(1, 120 * SECOND)  # confirmed again: the first counts
        peer.publish(TOPICS.data, b"no zstd at all")
        peer.stored(2, 1)  # of something sent before we listened
        until(lambda: wire.entries == 2)
    finally:
        peer.client.disconnect()
        peer.client.loop_stop()
        wire.stop()
    assert wire.rows == 3
    assert wire.resent == 1
    assert wire.all() == pytest.approx((2.0, 2.98))
    assert wire.recent() == wire.all()
