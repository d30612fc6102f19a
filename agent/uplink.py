"""One connection to one broker: publishing, listening, answering requests. The only module that knows paho.

Nothing is kept here. A message is published while the connection is up or not at all, because paho would queue it
in memory and send it later behind our back: each connection begins clean, and what paho still holds when one ends
is dropped. What has to arrive is sent again by `agent.sender`, out of the spool; retained topics are published
again at each connect.

Three threads meet here. paho's network thread runs the callbacks, which only hand on. Our own thread answers
requests and publishes retained topics. Whoever calls `publish` waits until fewer than `SLOTS` messages are
unacknowledged: brokers close a connection that has more in flight than they have announced.
"""

from __future__ import annotations

import logging
import queue
import re
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.errors import WireError
from contract import codec
from contract.payload import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.reasoncodes import ReasonCode

    from contract.topics import AgentTopics
    from settings.broker import Broker

    Handler = Callable[[bytes], bytes]
    Listener = Callable[[str, bytes, bool], None]

logger = logging.getLogger(__name__)

KEEPALIVE_S = 10
CONNECT_TIMEOUT_S = 1.5
RECONNECT_S = (1, 3)
STATUS_S = 10.0
SLOTS = 10
REQUESTS = 4  # that wait; the next is told "busy"
RESPONSE_EXPIRY_S = 60
PACKET_LIMIT = codec.PLAIN_LIMIT + 4096

_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")

ErrorCode = Literal["no_consent", "no_data", "too_fine", "busy", "unknown_verb", "bad_request"]


class RequestError(Exception):
    """What a handler raises to answer with an error."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Request:
    verb: str
    body: bytes
    topic: str
    correlation: bytes | None


class Uplink:
    """A connection that comes back by itself, at most 3 s after the broker.

    Register everything before `start`.

    Args:
        broker: Where, and how to log in.
        topics: The agent's branch.
        status: Makes the retained status; called with whether we are online, from any thread.
        name: Tells the connections of one agent apart: "site" or "platform".

    Raises:
        ConfigError: the password cannot be read.
    """

    def __init__(
        self, broker: Broker, topics: AgentTopics, status: Callable[[bool], Status], name: str = "site"
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._status = status
        self._name = name
        self._where = f"{broker.host}:{broker.port}"
        self._listeners: list[tuple[str, Listener | None, int]] = [(topics.request("+"), None, codec.PLAIN_LIMIT)]
        self.subscribe(topics.status, self._seen)
        self._handlers: dict[str, Handler] = {}
        self._watchers: list[Callable[[bool], None]] = []
        self._retained: dict[str, bytes] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting = 0  # requests
        self._slots = threading.Condition()
        self._unacked = 0
        self._up = False
        self._connections = 0
        self._ending = False
        self._foreign = 0  # connections in a row on which our status was not ours
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._work, name=f"uplink-{name}", daemon=True)
        self._client = self._make(broker)

    def _make(self, broker: Broker) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"tsq-{self._topics.factory}-{self._topics.agent}-{self._name}",
            protocol=mqtt.MQTTv5,
        )
        client.suppress_exceptions = True  # one in a callback would end the network thread
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.reconnect_delay_set(*RECONNECT_S)
        client.max_inflight_messages_set(0)  # we count ourselves; paho's own count does not survive a drop
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password.resolve() if broker.password else None)
        client.will_set(self._topics.status, codec.encode(self._status(False)), qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = _at_once
        return client

    # Registering

    def subscribe(self, topic_filter: str, listener: Listener, limit: int = codec.PLAIN_LIMIT) -> None:
        """Have `listener(topic, payload, retained)` called in the network thread; it must return at once."""
        self._listeners.append((topic_filter, listener, limit))

    def on_request(self, verb: str, handler: Handler) -> None:
        """Answer a verb: `handler(body)` returns the JSON of the answer or raises `RequestError`.

        It runs in the uplink's own thread, one request at a time, and may take a second.
        """
        self._handlers[verb] = handler

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Have `watcher(up)` called when the connection is ready (subscribed) or lost; it must return at once."""
        self._watchers.append(watcher)

    # Life

    @property
    def up(self) -> bool:
        """Whether something published now has a chance to arrive."""
        return self._up

    def start(self) -> None:
        """Connect, and connect again for ever."""
        self._thread.start()
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0
        properties.MaximumPacketSize = PACKET_LIMIT
        self._client.connect_async(
            self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=True, properties=properties
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and close; returns within a few seconds."""
        self.publish(self._topics.status, codec.encode(self._status(False)), retain=True, wait_s=1)
        with self._slots:
            self._slots.wait_for(lambda: not self._up or self._unacked == 0, 1)
        self._jobs.put(None)
        self._ending = True
        self._client.disconnect()
        self._client.drop_out_messages()
        self._client.loop_stop()
        self._thread.join(5)

    # Publishing

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False, wait_s: float = 5
    ) -> bool:
        """Publish with QoS 1; waits for a slot, so never call it from a listener.

        Returns:
            Whether it was handed to the network; that it arrived is another matter.
        """
        properties = _properties(PacketTypes.PUBLISH)
        properties.ContentType = codec.CONTENT_TYPE_ZSTD if compressed else codec.CONTENT_TYPE_JSON
        return self._publish(topic, payload, retain, properties, wait_s)

    def _publish(self, topic: str, payload: bytes, retain: bool, properties: Properties, wait_s: float) -> bool:  # noqa: FBT001 - private, and paho's order
        with self._slots:
            self._slots.wait_for(lambda: not self._up or self._unacked < SLOTS, wait_s)
            if not self._up or self._unacked >= SLOTS:
                return False
            self._unacked += 1
        # not under our lock: the network thread takes paho's lock first and ours in the callback
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            return True
        self._release()
        return False

    def publish_retained(self, topic: str, payload: bytes) -> None:
        """Publish now and at each connect; returns at once, the newest payload of a topic counts."""
        self._retained[topic] = payload
        self._jobs.put(lambda: self._publish_one(topic))

    def _publish_one(self, topic: str) -> None:
        if self._up:
            self.publish(topic, self._retained[topic], retain=True)

    def _release(self) -> None:
        with self._slots:
            self._unacked = max(0, self._unacked - 1)
            self._slots.notify_all()

    # Callbacks of the network thread

    def _on_connect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._once(f"refused {reason}", logging.ERROR, "%s refuses the connection: %s", self._where, reason)
            return
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic, _, _ in self._listeners])

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        self._once("unreachable", logging.WARNING, "%s does not answer, data waits in the spool", self._where)

    def _on_subscribe(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        for (topic, _, _), reason in zip(self._listeners, reasons, strict=False):
            if reason.is_failure:
                self._once(
                    f"no {topic}", logging.ERROR, "%s does not let us read %s: %s", self._where, topic, reason
                )
        if "taken" not in self._said:
            logger.info("connected to %s", self._where)
        self._said -= {key for key in self._said if key.startswith(("unreachable", "refused"))}
        with self._slots:
            self._up, self._unacked = True, 0
            self._connections += 1
            self._slots.notify_all()
        self._jobs.put(self._connected)

    def _connected(self) -> None:
        self._publish_status()
        for topic in list(self._retained):
            self._publish_one(topic)
        for watcher in self._watchers:
            watcher(True)

    def _on_disconnect(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        with self._slots:
            was_up, self._up = self._up, False
            self._slots.notify_all()
        client.drop_out_messages()
        if was_up and not self._ending and "taken" not in self._said:
            logger.warning("connection to %s lost, data waits in the spool: %s", self._where, reason)
            self._said.add("unreachable")  # said just now
        for watcher in self._watchers:
            watcher(False)

    def _on_publish(
        self, _client: mqtt.Client, _data: Any, _mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._once(f"publish {reason}", logging.ERROR, "%s does not take what we send: %s", self._where, reason)
        self._release()

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        for topic_filter, listener, limit in self._listeners:
            if not mqtt.topic_matches_sub(topic_filter, message.topic):
                continue
            if len(message.payload) > limit:
                self._once(
                    f"large {topic_filter}",
                    logging.WARNING,
                    "%d bytes on %s ignored",
                    len(message.payload),
                    topic_filter,
                )
            elif listener is None:
                self._request(client, message)
            else:
                listener(message.topic, bytes(message.payload), message.retain)
            return

    def _seen(self, _topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 - a Listener
        """Look at our own status: who has written it since we did is another box, which takes our connections.

        On the first connection it is our predecessor's. A broker that has lost its memory may show that again,
        so it takes two connections in a row to be sure.
        """
        try:
            foreign = codec.decode(payload, Status).boot != self._status(True).boot
        except WireError:
            return
        if foreign and self._connections > 1:
            self._foreign += 1
        elif retained:  # what we say ourselves on this connection comes back too, and means nothing
            self._foreign = 0
            self._said.discard("taken")
        if self._foreign > 1:
            self._once(
                "taken", logging.ERROR, "another box is connected to %s as %s: give each box its own agent id",
                self._where, self._topics.root,
            )  # fmt: skip

    # Requests

    def _request(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> None:
        topic = getattr(message.properties, "ResponseTopic", "")
        root = self._topics.response("")
        if message.retain or not topic.startswith(root) or not _CLIENT.fullmatch(topic.removeprefix(root)):
            self._once(
                "no response", logging.WARNING, "a request without response topic under %s is not answered", root
            )
            return
        verb = message.topic.rsplit("/", 1)[1]
        correlation = getattr(message.properties, "CorrelationData", None)
        request = _Request(verb, bytes(message.payload), topic, correlation)
        with self._slots:
            full = self._waiting >= REQUESTS
            self._waiting += not full
        if full:  # told at once and only once: we must not wait here
            client.publish(topic, _error("busy", "too many requests wait"), 0, properties=_response(request))
            return
        self._jobs.put(lambda: self._answer(request))

    def _answer(self, request: _Request) -> None:
        handler = self._handlers.get(request.verb)
        try:
            if handler is None:
                answer = _error(
                    "unknown_verb", f"this agent knows {', '.join(sorted(self._handlers)) or 'no verb'}"
                )
            else:
                answer = handler(request.body)
        except RequestError as exc:
            answer = _error(exc.code, str(exc))
        except Exception:  # a bug in an answer must not end the thread that gives them
            logger.exception("request %s is not answered: this is a bug, please report it", request.verb)
            answer = _error("no_data", "the agent could not make this answer; see its log")
        finally:
            with self._slots:
                self._waiting -= 1
        if len(answer) > codec.PLAIN_LIMIT:
            answer = _error("too_fine", f"the answer has {len(answer)} bytes, at most {codec.PLAIN_LIMIT} are sent")
        self._publish(request.topic, answer, False, _response(request), 5)

    # Our own thread

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=STATUS_S)
            except queue.Empty:
                job = self._publish_status
            if job is None:
                return
            try:
                job()
            except Exception:  # the next job must not suffer
                logger.exception("this is a bug in the uplink, please report it")

    def _publish_status(self) -> None:
        if self._up:
            self.publish(self._topics.status, codec.encode(self._status(True)), retain=True)

    def _once(self, key: str, level: int, text: str, *values: object) -> None:
        if key not in self._said:
            self._said.add(key)
            logger.log(level, text, *values)


def _at_once(_client: mqtt.Client, _data: Any, connection: Any) -> None:
    """Turn Nagle's algorithm off: what follows an acknowledgement waits 40 ms else."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _error(code: ErrorCode, message: str) -> bytes:
    return codec.encode({"error": code, "message": message})


def _response(request: _Request) -> Properties:
    properties = _properties(PacketTypes.PUBLISH)
    properties.ContentType = codec.CONTENT_TYPE_JSON
    properties.MessageExpiryInterval = RESPONSE_EXPIRY_S
    if request.correlation is not None:
        properties.CorrelationData = request.correlation
    return properties


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves it untyped
