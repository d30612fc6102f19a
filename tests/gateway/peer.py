"""The agent's side of the broker, as far as the gateway can see it: a plain paho client."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract import codec, topics
from contract.payload import Stored
from tests.gateway.builders import BRANCH, birth_messages, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract.payload import Birth, Data
    from tests.support.processes import Child

WORKERS = topics.worker("+")


class Peer:
    """Publishes as an agent does, and hands out what comes back.

    Attributes:
        inbox: (topic, payload) of `stored` and `need_birth`.
        workers: Ids of the workers that are present now.
    """

    def __init__(self, port: int) -> None:
        self.inbox: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.workers: set[str] = set()
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._forget_workers
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port, keepalive=5, clean_start=True)
        self._client.loop_start()

    def _forget_workers(self, *_: Any) -> None:
        with self._changed:
            self.workers.clear()  # what is retained comes again

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(
            [(topic, SubscribeOptions(qos=1)) for topic in (BRANCH.stored, BRANCH.need_birth, WORKERS)]
        )

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if not message.topic.startswith(topics.worker("")):
            self.inbox.put((message.topic, payload))
            return
        worker = message.topic.rpartition("/")[2]
        with self._changed:
            (self.workers.add if payload else self.workers.discard)(worker)
            self._changed.notify_all()

    def wait_for_workers(self, *expected: str, seconds: float = 15) -> None:
        """Wait until exactly these workers are present."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self.workers == set(expected), seconds)
        assert arrived, f"present: {self.workers}, expected: {expected}"

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, zstd: bool = True) -> None:
        """Publish and wait for the broker's PUBACK."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if zstd:
            properties.ContentType = codec.CONTENT_TYPE_ZSTD
        deadline = time.monotonic() + 10
        while not self._client.is_connected():
            assert time.monotonic() < deadline, "the peer has no broker"
            time.sleep(0.02)
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        info.wait_for_publish(10)
        assert info.is_published()

    def birth(self, birth: Birth | None = None) -> None:
        """Publish a birth, retained."""
        for topic, part in birth_messages(birth) if birth else birth_messages():
            self.publish(topic, part, retain=True)

    def send(self, data: Data) -> None:
        """Publish a message of data."""
        self.publish(BRANCH.data, wire(data))

    def next(self, seconds: float = 10) -> tuple[str, bytes]:
        """Return the next answer."""
        return self.inbox.get(timeout=seconds)

    def confirmed(self, seconds: float = 10) -> Stored:
        """Return the next answer, which must be a confirmation."""
        topic, payload = self.next(seconds)
        assert topic == BRANCH.stored, (topic, payload)
        return codec.decode(payload, Stored)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()


def _send_at_once(_client: paho.Client, _userdata: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextlib.contextmanager
def peer(port: int) -> Iterator[Peer]:
    """Connect a peer for the length of a block."""
    one = Peer(port)
    try:
        assert one._subscribed.wait(10)
        yield one
    finally:
        one.close()


def port_of(broker: Child) -> int:
    """Return the port of a running broker."""
    assert broker.port is not None
    return broker.port


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a counter of another thread or a line of another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.01)
