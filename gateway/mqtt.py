"""The only module of the gateway that imports paho: one connection to the broker.

paho's network thread calls back into this module; it only hands messages on and never waits. What is handed on is
acknowledged at once, for a PUBACK carries no promise: a message that waited for its own would make those of other
agents wait behind it in the broker's queue, which is one for all. The session ends with the connection (clean
start, expiry 0): what a lost worker held goes to nobody, and agents send it again.

    connect -> subscribe births -> SUBACK -> (serving) subscribe data -> SUBACK -> announce presence

Presence is retained, cleared by the will, and published with QoS 0: paho keeps QoS 1 messages over a lost
connection and would announce later what is no longer true. A confirmation that it repeats is as true as before.
"""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import topics

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.ingest import Outgoing
    from settings.broker import Broker

KEEP_ALIVE_SECONDS = 5
RECEIVE_MAXIMUM = 16
PACKET_BYTES = 1024 * 1024
BIRTHS = f"{topics.PREFIX}/+/+/birth/+/+"
DATA = f"{topics.PREFIX}/+/+/data"
_CONNECT_SECONDS = 2.0
_GOODBYE_SECONDS = 1.0
_OUT_MAXIMUM = 1000  # confirmations that wait for the broker's PUBACK; beyond that agents send again

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came."""

    topic: str
    payload: bytes
    content_type: str | None


class Link:
    """The connection of one worker.

    Args:
        settings: The broker.
        worker_id: Also the client id, so that a second worker of that name takes this one's place.
        presence: Payload of the retained presence.
        received: Takes a message on the network thread, or drops it; it returns at once.

    Raises:
        ConfigError: the password cannot be read.
    """

    def __init__(
        self, settings: Broker, worker_id: str, presence: bytes, received: Callable[[Message], None]
    ) -> None:
        self._topic = topics.worker(worker_id)
        self._presence = presence
        self._received = received
        self._lock = threading.Lock()  # guards the fields below; never held while waiting
        self._connected = False
        self._births_ready = False
        self._serving = False
        self._mids: dict[int, str] = {}
        self._problem: str | None = None
        self._client = self._make(settings, worker_id)

    def _make(self, settings: Broker, worker_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"tsq-gateway-{worker_id}",
            protocol=paho.MQTTv5,
        )
        client.connect_timeout = _CONNECT_SECONDS
        client.max_queued_messages_set(_OUT_MAXIMUM)
        client.reconnect_delay_set(1, 3)
        client.will_set(self._topic, b"", qos=1, retain=True)
        if settings.user is not None:
            client.username_pw_set(settings.user, settings.password.resolve() if settings.password else None)
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = PACKET_BYTES
        client.connect_async(
            settings.host, settings.port, KEEP_ALIVE_SECONDS, clean_start=True, properties=properties
        )
        return client

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted this connection."""
        return self._connected

    @property
    def alive(self) -> bool:
        """Whether the network thread runs; it ends only by `stop` or by a bug."""
        thread = self._client._thread  # noqa: SLF001 - paho tells nobody when its thread dies
        return thread is not None and thread.is_alive()

    def start(self) -> None:
        """Connect, and again whenever the connection is lost, at most 3 s later."""
        self._client.loop_start()

    def serve(self, serving: bool) -> None:  # noqa: FBT001 - on or off is all there is
        """Take data and announce this worker, or do neither; births are always taken."""
        with self._lock:
            if serving == self._serving:
                return
            self._serving = serving
            if not self._births_ready:
                return
            if serving:
                self._subscribe(DATA)
            else:
                self._client.publish(self._topic, b"", qos=0, retain=True)
                self._client.unsubscribe(DATA)

    def publish(self, outgoing: Outgoing) -> bool:
        """Hand a message to the broker; return False, with nothing queued, where there is none now."""
        if not self._connected:
            return False
        info = self._client.publish(outgoing.topic, outgoing.payload, qos=outgoing.qos, retain=outgoing.retain)
        return info.rc == paho.MQTT_ERR_SUCCESS

    def stop(self) -> None:
        """Say goodbye: clear the presence, which the will of an orderly end does not do."""
        if self._connected:
            info = self._client.publish(self._topic, b"", qos=1, retain=True)
            try:
                info.wait_for_publish(_GOODBYE_SECONDS)
            except (RuntimeError, ValueError):
                log.warning("the broker did not take the goodbye; it clears the presence by the will")
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self, pattern: str) -> None:
        code, mid = self._client.subscribe(pattern, qos=1)
        if code == paho.MQTT_ERR_SUCCESS and mid is not None:
            self._mids[mid] = pattern

    def _on_connect(self, _client: paho.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._complain(f"the broker refuses this gateway: {reason}: check mqtt.user and mqtt.password")
            return
        self._problem = None
        log.info("connected to the broker")
        with self._lock:
            self._connected = True
            self._mids.clear()
            self._subscribe(BIRTHS)

    def _on_connect_fail(self, client: paho.Client, _userdata: Any) -> None:
        self._complain(f"no broker at {client.host}:{client.port}, trying again")

    def _on_disconnect(
        self, _client: paho.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        with self._lock:
            was = self._connected
            self._connected = self._births_ready = False
        if was and reason.is_failure:
            self._complain(f"the connection to the broker is lost ({reason}), connecting again")

    def _complain(self, problem: str) -> None:
        """Log a problem once until there is another or none."""
        if problem != self._problem:
            log.warning("%s", problem)
        self._problem = problem

    def _on_subscribe(self, client: paho.Client, _userdata: Any, mid: int, reasons: Any, _properties: Any) -> None:
        with self._lock:
            pattern = self._mids.pop(mid, None)
            if pattern is None:
                return
            if any(reason.is_failure for reason in reasons):
                log.error("the broker refuses the subscription to %s: %s: check its access rules", pattern, reasons)
                return
            if pattern == BIRTHS:
                self._births_ready = True
                if self._serving:
                    self._subscribe(DATA)
            elif self._serving:
                client.publish(self._topic, self._presence, qos=0, retain=True)

    def _on_message(self, _client: paho.Client, _userdata: Any, raw: paho.MQTTMessage) -> None:
        try:
            topic = raw.topic
        except UnicodeDecodeError:
            topic = ""
        self._received(Message(topic, bytes(raw.payload), getattr(raw.properties, "ContentType", None)))


def _send_at_once(_client: paho.Client, _userdata: Any, connection: Any) -> None:
    """Turn Nagle's algorithm off: a confirmation behind a PUBACK waits 40 ms for the broker's delayed ACK."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
