"""One connection to one broker: publishing, listening, answering requests.

Nothing is kept here. A message is published while the connection is up or not at all: what has to arrive is sent
again by `agent.sender`, out of the spool; retained topics are published again at each connect. `transport` makes a
new client for each connection, so that nothing of an ended one is sent later behind our back.

Three threads meet here. The network thread runs the callbacks, which only hand on. Our own thread answers requests
and publishes retained topics. Whoever calls `publish` waits until fewer than `SLOTS` messages are unacknowledged.

What may be published to which broker stands in `contract.rights`; anything else is held back here, so that no
mistake elsewhere shows raw data to the platform.

Under MQTT 3.1.1 a request brings its response topic in the body (`contract.payload.Request`), and the answer goes
the same way; there is no content type, and none is needed: a topic says what lies on it.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from agent.errors import WireError
from agent.requests import Desk, answer, asked_by, refuse
from agent.sizes import PACKET_OVERHEAD, Sizes
from contract import codec, rights
from contract.payload import Status
from transport.connection import Client, Connection, spoken
from transport.expiry import Expiry
from transport.negotiation import MQTT_5
from transport.session import TAKEN_OVER, TOO_LARGE, Will, Wishes, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.requests import Asked, Handler
    from contract.topics import AgentTopics
    from settings.broker import Broker
    from settings.handshake import Moment
    from settings.language import Text
    from transport.session import Message, Refusal, Session

    Listener = Callable[[str, bytes, bool], None]

logger = logging.getLogger(__name__)

KEEPALIVE_S = 10
STATUS_S = 10.0
SLOTS = 10
PACKET_LIMIT = codec.PLAIN_LIMIT + 4096
SITE: frozenset[rights.Uplink] = frozenset({"site"})
PLATFORM: frozenset[rights.Uplink] = frozenset({"platform"})
BOTH = SITE | PLATFORM


class Uplink(Client):
    """A connection that comes back by itself, at most 3 s after the broker.

    Register everything before `start`.

    Args:
        broker: Where, and how to log in.
        topics: The agent's branch.
        status: Makes the retained status; called with whether we are online, from any thread.
        name: Tells the connections of one agent apart: "site" or "platform".
        now: What is known of the time, for the dates of certificates; the machine's clock when None.
        carries: Which uplinks of `contract.rights` this connection is; a site without a platform has one for both.
        reporter: Whether this agent reports for others, and so confirms their evidence.

    Attributes:
        trouble: Why there is no connection, None while there is one.
        expiry: Of our own certificate.
        desk: Answers requests.

    Raises:
        ConfigError: a secret cannot be read.
    """

    def __init__(
        self,
        broker: Broker,
        topics: AgentTopics,
        status: Callable[[bool], Status],
        name: str = "site",
        now: Callable[[], Moment] | None = None,
        carries: frozenset[rights.Uplink] = BOTH,
        reporter: bool = False,  # noqa: FBT001, FBT002 - always by name
    ) -> None:
        self._topics = topics
        self._status = status
        self._where = broker.address
        self._carries = carries
        self._reporter = reporter
        self._listeners: list[tuple[str, Listener | None, int]] = []
        if "platform" in carries:
            self._listeners.append((topics.request("+"), None, codec.PLAIN_LIMIT))
        if "site" in carries:
            self.subscribe(topics.status, self._seen)
        self.desk = Desk()
        self._watchers: list[Callable[[bool], None]] = []
        self._retained: dict[str, tuple[bytes, int | None]] = {}
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._slots = threading.Condition()
        self._unacked = 0
        self._up = False
        self._connections = 0
        self._ending = False
        self.trouble: Text | None = None
        self.expiry = Expiry(broker, f"uplink.{name}")
        self._now = now
        self._foreign = 0  # connections in a row on which our status was not ours
        self._sizes = Sizes()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._work, name=f"uplink-{name}", daemon=True)
        self._connection = Connection(
            broker,
            f"tsq-{topics.factory}-{topics.agent}-{name}",
            Wishes(
                keep_alive=KEEPALIVE_S,
                packet=PACKET_LIMIT,
                will=(lambda: Will(topics.status, codec.encode(status(False)))) if "site" in carries else None,
                now=now,
            ),
            self,
        )

    # Registering

    def subscribe(self, topic_filter: str, listener: Listener, limit: int = codec.PLAIN_LIMIT) -> None:
        """Have `listener(topic, payload, retained)` called in the network thread; it must return at once."""
        self._listeners.append((topic_filter, listener, limit))

    def on_request(self, verb: str, handler: Handler) -> None:
        """Answer a verb: `handler(body)` returns the JSON of the answer or raises `RequestError`.

        It runs in the uplink's own thread, one request at a time, and may take a second.
        """
        self.desk.handlers[verb] = handler

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Have `watcher(up)` called when the connection is ready (subscribed) or lost; it must return at once."""
        self._watchers.append(watcher)

    # Life

    @property
    def up(self) -> bool:
        """Whether something published now has a chance to arrive."""
        return self._up

    @property
    def largest(self) -> int | None:
        """Bytes of the largest payload that this broker takes, as far as it has told; None for no limit known."""
        return self._sizes.largest

    def start(self) -> None:
        """Connect, and connect again for ever."""
        self._thread.start()
        self._connection.start()

    def stop(self) -> None:
        """Say goodbye and close; returns within a few seconds."""
        if "site" in self._carries:
            self.publish(self._topics.status, codec.encode(self._status(False)), retain=True, wait_s=1)
        with self._slots:
            self._slots.wait_for(lambda: not self._up or self._unacked == 0, 1)
        self._jobs.put(None)
        self._ending = True
        self._connection.stop()
        self._thread.join(5)

    # Publishing

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        compressed: bool = False,
        wait_s: float = 5,
        expiry: int | None = None,
    ) -> bool:
        """Publish with QoS 1; waits for a slot, so never call it from a listener.

        Returns:
            Whether it was handed to the network; that it arrived is another matter.
        """
        if not any(rights.may_leave(topic, one, reporter=self._reporter) for one in self._carries):
            self._once(
                f"held {topic}",
                logging.ERROR,
                "%s is not for %s: this is a bug, please report it",
                topic,
                self._where,
            )
            return False
        kind = codec.CONTENT_TYPE_ZSTD if compressed else codec.CONTENT_TYPE_JSON
        session = self._slot(len(payload), wait_s)
        # not under our lock: the network thread takes paho's lock first and ours in the callback
        return session is not None and self._sent(
            session.publish(topic, payload, retain=retain, content_type=kind, expiry=expiry)
        )

    def _slot(self, size: int, wait_s: float) -> Session | None:
        """Take a slot for a payload; None when there is no connection, or no slot in time."""
        with self._slots:
            self._slots.wait_for(lambda: not self._up or self._unacked < SLOTS, wait_s)
            session = self._connection.session
            if not self._up or self._unacked >= SLOTS or session is None:
                return None
            self._unacked += 1
            self._sizes.sent(size)
            return session

    def _sent(self, mid: int | None) -> bool:
        if mid is None:
            self._release()
        return mid is not None

    def _release(self) -> None:
        with self._slots:
            self._unacked = max(0, self._unacked - 1)
            if not self._unacked:
                self._sizes.acknowledged()
            self._slots.notify_all()

    def publish_retained(self, topic: str, payload: bytes, expiry: int | None = None) -> None:
        """Publish now and at each connect; returns at once, the newest payload of a topic counts.

        Args:
            topic: Where to.
            payload: What.
            expiry: Seconds after which the broker lets it go; MQTT 5 only.
        """
        self._retained[topic] = payload, expiry
        self._jobs.put(lambda: self._publish_one(topic))

    def publish_once(self, topic: str, payload: bytes) -> None:
        """Publish now if there is a connection; returns at once."""
        self._jobs.put(lambda: self._up and self.publish(topic, payload))

    def _publish_one(self, topic: str) -> None:
        if self._up:
            payload, expiry = self._retained[topic]
            self.publish(topic, payload, retain=True, expiry=expiry)

    # What the connection tells: `troubled` and `ended` in its thread, the others in the network thread

    def opened(self, session: Session) -> None:
        """Ask for everything that we listen to."""
        with self._slots:
            self._sizes.connected(session.limits.packet)
        version = spoken(session.version)
        self._once(f"version {version}", logging.INFO, "%s speaks MQTT %s", self._where, version)
        # RabbitMQ hands a dot in a topic on as a slash: `report.get` comes in two levels
        dotted = () if session.version == MQTT_5 else (self._topics.request("+/+"),)
        session.subscribe(*(topic for topic, _, _ in self._listeners), *dotted)

    def troubled(self, text: Text, *, refused: bool) -> None:
        """Say why there is no connection, once until there is one."""
        self.trouble = text
        level = logging.ERROR if refused else logging.WARNING
        self._once(f"unreachable {text.en}", level, "data waits in the spool: %s", text.en)

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """The connection is ready."""
        del mid
        heard = {topic: refusal is None for (topic, _, _), refusal in zip(self._listeners, refusals, strict=False)}
        if not heard.get(self._topics.stored, True):
            self._connection.renew(session)  # nothing would ever be confirmed
        for (topic, _, _), refusal in zip(self._listeners, refusals, strict=False):
            if refusal is not None:
                self._once(
                    f"no {topic}",
                    logging.ERROR,
                    "%s does not let us read %s: %s: check its access rules",
                    self._where,
                    topic,
                    refusal.name,
                )
        if "taken" not in self._said:
            logger.info("connected to %s", self._where)
        self._said -= {key for key in self._said if key.startswith("unreachable")}
        self.trouble = None
        with self._slots:
            self._up = session.up
            self._unacked = 0
            self._connections += 1
            self._slots.notify_all()
        self._jobs.put(self._connected)

    def _connected(self) -> None:
        self.expiry.again()
        self._tend()
        for topic in list(self._retained):
            self._publish_one(topic)
        for watcher in self._watchers:
            watcher(True)

    def ended(self, session: Session) -> None:
        """The connection is lost, or was ended by `stop`."""
        refusal = session.refusal
        with self._slots:
            was_up, self._up = self._up, False
            self._slots.notify_all()
            suspect = self._sizes.ended(sure=session.unreadable) if was_up and not self._ending else None
        if suspect is not None:
            self._too_large(suspect)
        if refusal is not None and refusal.code == TAKEN_OVER:
            self._taken()
        elif was_up and not self._ending and "taken" not in self._said:
            why = "" if refusal is None else f": {refusal.name}"
            logger.warning("connection to %s lost, data waits in the spool%s", self._where, why)
        for watcher in self._watchers:
            watcher(False)

    def _too_large(self, size: int) -> None:
        logger.warning(
            "%s does not take %d bytes in one message: raise its limit to %d (mosquitto: message_size_limit); "
            "until then at most %d go into one",
            self._where,
            size,
            codec.DATA_LIMIT + PACKET_OVERHEAD,
            self._sizes.largest,
        )

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """A message was acknowledged, which only gives a slot back."""
        del session, mid
        if refusal is not None:
            with self._slots:
                suspect = self._sizes.refused() if refusal.code == TOO_LARGE else None
            if suspect is not None:
                self._too_large(suspect)
            text = "%s does not take what we send: %s: check its access rules and limits"
            self._once(f"publish {refusal.code}", logging.ERROR, text, self._where, refusal.name)
        self._release()

    def received(self, session: Session, message: Message) -> None:
        """Hand a message to who listens to its topic."""
        begin = self._topics.request("")
        for topic_filter, listener, limit in self._listeners:
            asks = listener is None and message.topic.startswith(begin)
            if not asks and not matches(topic_filter, message.topic):
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
                self._request(session, message)
            else:
                listener(message.topic, message.payload, message.retained)
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
            self._taken()

    def _taken(self) -> None:
        self._once(
            "taken", logging.ERROR, "another box is connected to %s as %s: give each box its own agent id",
            self._where, self._topics.root,
        )  # fmt: skip

    # Requests

    def _verb(self, topic: str) -> str:
        return topic.removeprefix(self._topics.request("")).replace("/", ".")

    def _request(self, session: Session, message: Message) -> None:
        root = self._topics.response("")
        asked = None if message.retained else asked_by(message, self._verb(message.topic), root)
        if asked is None:
            self._once(
                "no response", logging.WARNING, "a request without response topic under %s is not answered", root
            )
            return
        arrived = self.desk.take()
        if arrived is None:  # told at once and only once: we must not wait here
            answer(session, asked, refuse("busy", "too many requests wait"), qos=0)
            return
        self._jobs.put(lambda: self._answer(asked, arrived))

    def _answer(self, asked: Asked, arrived_ns: int) -> None:
        content = self.desk.content(asked, arrived_ns)
        session = None if content is None else self._slot(len(content), 5)
        if content is not None and session is not None:
            self._sent(answer(session, asked, content))

    # Our own thread

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=STATUS_S)
            except queue.Empty:
                job = self._tend
            if job is None:
                return
            try:
                job()
            except Exception:  # the next job must not suffer
                logger.exception("this is a bug in the uplink, please report it")

    def _tend(self) -> None:
        self._publish_status()
        warning = None if self._now is None else self.expiry.look(self._now())
        if warning is not None:
            logger.warning("%s", warning.en)

    def _publish_status(self) -> None:
        if self._up and "site" in self._carries:
            self.publish(self._topics.status, codec.encode(self._status(True)), retain=True)

    def _once(self, key: str, level: int, text: str, *values: object) -> None:
        if key not in self._said:
            self._said.add(key)
            logger.log(level, text, *values)
