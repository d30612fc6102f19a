"""One agent's trouble is not the others': how long a healthy agent waits for its confirmations beside bad ones.

A real mosquitto, a real gateway, a real InfluxDB with a retention policy. Beside the healthy agent, which sends a
message five times a second, there are at once

    lost        whose birth nobody knows, fifty messages a second
    poison      messages as large as they may be in which every other row is too old for the database
    contrary    rows that contradict the birth, each of them a dead letter
    ancient     an agent that thinks it is 1970
    garbage     bytes that are no message

`TSQ_FAIR_SECONDS` sets how long they do (12).
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract import codec, topics
from contract.payload import Block, Data, Stored, Times
from tests.e2e.rig import gateway_yaml, tool, until
from tests.gateway.builders import BIRTH, INDEX, SOURCE, crc
from tests.support.brokers import mosquitto
from tests.support.databases import create_database, influxdb1
from tests.support.processes import Child
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database

logger = logging.getLogger(__name__)

SECONDS = float(os.environ.get("TSQ_FAIR_SECONDS", "12"))
EVERY_S = 0.2
ALLOWED_S = 1.0
ROWS = 20_000
HOUR_NS = 3600 * 10**9


class Sender:
    """An agent, as far as the broker sees one."""

    def __init__(self, port: int, agent: str, *, birth: bool = True) -> None:
        self.branch = topics.AgentTopics("hanil", agent)
        self.sent: dict[int, float] = {}
        self.took: dict[int, float] = {}
        self.rejected: set[int] = set()
        self.workers = threading.Event()
        raw = codec.encode(replace(BIRTH, agent=agent))
        self.birth = codec.digest(raw)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(0)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port, clean_start=True)
        self._client.subscribe([(self.branch.stored, SubscribeOptions(1)),
                                (topics.worker("+"), SubscribeOptions(1))])  # fmt: skip
        self._client.loop_start()
        for i, part in enumerate(codec.birth_parts(raw) if birth else (), 1):
            self.publish(self.branch.birth(self.birth, i, 1), part, retain=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish, and wait for nothing."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = codec.CONTENT_TYPE_ZSTD
        self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)

    def publish_raw(self, topic: str, payload: bytes, content_type: str | None) -> bool:
        """Publish without QoS; return False where the client itself refuses the topic."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if content_type is not None:
            properties.ContentType = content_type
        try:
            self._client.publish(topic, payload, qos=0, properties=properties)
        except ValueError:
            return False
        return True

    def send(self, seq: int, blocks: list[Block]) -> None:
        """Send one entry."""
        data = Data("spool", [(seq, crc(seq))], self.birth, blocks)
        payload = codec.compress(codec.encode(data))
        self.sent[seq] = time.monotonic()
        self.publish(self.branch.data, payload)

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        if message.topic != self.branch.stored:
            self.workers.set()
            return
        stored = codec.decode(bytes(message.payload), Stored)
        for seq, _ in [*stored.stored, *((one.seq, one.crc) for one in stored.rejected)]:
            self.took.setdefault(seq, time.monotonic() - self.sent.get(seq, 0.0))
        self.rejected |= {one.seq for one in stored.rejected}

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def rows(seq: int, times: list[int], value: object = 1.0) -> Block:
    """Return a block of one signal with a row at each time."""
    steps = [0, *(after - before for before, after in itertools.pairwise(times))]
    signals = [INDEX["f64"]] * len(times)
    return Block(seq, SOURCE, signals, Times(str(times[0]), list(steps)), [value] * len(times))  # type: ignore[list-item]


def now_ns() -> int:
    return time.time_ns()


def lost(agent: Sender, seq: int) -> None:
    agent.birth = "ab" * 16
    agent.send(seq, [rows(seq, [now_ns()])])
    time.sleep(0.02)


def poison(agent: Sender, seq: int) -> None:
    """Send every other row a day older than the database keeps."""
    now = now_ns()
    times = [now + 1000 * i - (i % 2) * 24 * HOUR_NS for i in range(ROWS)]
    agent.send(seq, [rows(seq, times)])
    time.sleep(1)


def contrary(agent: Sender, seq: int) -> None:
    agent.send(seq, [rows(seq, [now_ns() + 1000 * i for i in range(ROWS)], value=f"text {seq}")])
    time.sleep(1)


def ancient(agent: Sender, seq: int) -> None:
    agent.send(seq, [rows(seq, [10**9 * (100 + seq) + 1000 * i for i in range(100)])])
    time.sleep(0.1)


def garbage(agent: Sender, seq: int) -> None:
    agent.publish(agent.branch.data, os.urandom(200) + seq.to_bytes(4))
    time.sleep(0.01)


def keep_on(agent: Sender, act: Callable[[Sender, int], None], stop: threading.Event) -> threading.Thread:
    def loop() -> None:
        seq = 1
        while not stop.is_set():
            act(agent, seq)
            seq += 1

    thread = threading.Thread(target=loop)
    thread.start()
    return thread


def healthy(agent: Sender, first: int, seconds: float) -> list[float]:
    """Send for a while; return how long each confirmation took."""
    seqs = range(first, first + round(seconds / EVERY_S))
    begin = time.monotonic()
    for number, seq in enumerate(seqs):
        time.sleep(max(0.0, begin + number * EVERY_S - time.monotonic()))
        now = now_ns()
        agent.send(seq, [rows(seq, [now + 1000 * i for i in range(100)])])
    until(lambda: agent.took.keys() >= set(seqs), 30, "a healthy agent's entry is not confirmed")
    return [agent.took[seq] for seq in seqs]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an InfluxDB that keeps an hour."""
    one = influxdb1(tmp_path / "influxdb")
    one.start()
    try:
        create_database(one, "plant")
        one.request("/query", b"", q='CREATE RETENTION POLICY "hour" ON "plant" DURATION 1h REPLICATION 1 DEFAULT')
        yield one
    finally:
        one.stop()


def test_bad_agents_delay_a_healthy_one_by_a_second_at_most(tmp_path: Path, database: Database) -> None:
    with child_running(mosquitto(tmp_path / "broker")) as broker:
        assert broker.port is not None
        config = gateway_yaml(
            tmp_path, broker.port, {"type": "influxdb1", "url": database.url, "database": "plant"}
        )
        gateway = Child([tool("tsq-gateway"), "run", "--config", config], log=tmp_path / "gateway.log")
        agents = [Sender(broker.port, "healthy")]
        stop, threads = threading.Event(), []
        with child_running(gateway):
            try:
                assert agents[0].workers.wait(30), gateway.output()
                alone = healthy(agents[0], 1, SECONDS / 3)
                for act in (lost, poison, contrary, ancient, garbage):
                    agents.append(Sender(broker.port, act.__name__, birth=act is not lost))
                    threads.append(keep_on(agents[-1], act, stop))
                beside = healthy(agents[0], 10_000, SECONDS)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
                for agent in agents:
                    agent.close()
            stats = gateway.output()
        good, _, *bad, _ = agents
        logger.info("alone %.3f s at most, beside bad ones %.3f s at most, %.3f s for nine of ten",
                    max(alone), max(beside), sorted(beside)[len(beside) * 9 // 10])  # fmt: skip
        assert not good.rejected
        assert all(agent.rejected for agent in bad), "the bad ones were not bad"
        assert "Traceback" not in stats
        late = [took for took in beside if took > max(alone) + ALLOWED_S]
        assert len(late) <= len(beside) // 10, sorted(beside)
        assert max(beside) < 10 * ALLOWED_S
        query = 'SELECT count(f64_f) FROM "press-1"'
        answer = json.loads(database.request("/query", db="plant", q=query))
        assert answer["results"][0]["series"][0]["values"][0][1] >= 100 * (len(alone) + len(beside))


pytestmark = pytest.mark.timeout(180)
