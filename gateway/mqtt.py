"""A worker's connection to the broker.

The network thread calls back into this module; it only hands messages on and never waits. What is handed on is
acknowledged at once, for a PUBACK carries no promise: a message that waited for its own would make those of other
agents wait behind it in the broker's queue, which is one for all. The session ends with the connection (clean
start, expiry 0): what a lost worker held goes to nobody, and agents send it again.

    connect -> subscribe births and presences -> SUBACK -> (serving) subscribe data -> SUBACK -> announce presence

Births are retained and come to every worker by an ordinary subscription. Data comes by a shared one where the
broker has been found able to share; agents see the presence, so it is announced last. It is retained, cleared by
the will and at goodbye. Whoever else clears or overwrites it (the will of another process with our id) finds it
written again.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import codec, topics
from gateway.peers import Peers
from settings.language import Text
from transport.connection import Client, Connection, spoken
from transport.session import Will, Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.payload import Worker
    from gateway.ingest import Outgoing
    from settings.broker import Broker
    from transport.negotiation import Negotiation
    from transport.session import Message, Refusal, Session

KEEP_ALIVE_SECONDS = 5
RECEIVE_MAXIMUM = 16
PACKET_BYTES = 1024 * 1024
WORKERS = topics.worker("+")
_GOODBYE_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came."""

    topic: str
    payload: bytes
    content_type: str | None


class Link(Client):
    """The connection of one worker.

    Args:
        settings: The broker.
        me: The presence.
        received: Takes a message on the network thread, or drops it; it returns at once.

    Raises:
        ConfigError: a secret or a certificate cannot be read.

    Attributes:
        gives_way: Why this worker has to end, for the sake of another; None while it may stay.
    """

    def __init__(self, settings: Broker, me: Worker, received: Callable[[Incoming], None]) -> None:
        self._id = me.worker
        self._topic = topics.worker(me.worker)
        self._presence = codec.encode(me)
        self._me = me
        self._peers = Peers(me, shares=False)
        factory = f"{topics.PREFIX}/{me.factory or '+'}"
        self._births = f"{factory}/+/birth/+/+"
        self._data = f"{factory}/+/data"
        self._received = received
        self._lock = threading.Lock()  # guards the fields below; never held while waiting
        self._ready = False  # births and presences come
        self._serving = False
        self._announced = False
        self._mids: dict[int, str] = {}
        self._goodbye: int | None = None
        self._gone = threading.Event()
        self._problem: str | None = None
        self.gives_way: Text | None = None
        self._connection = Connection(
            settings,
            f"tsq-gateway-{me.worker}-{me.since}",  # two of one id see each other, and do not fight for a session
            Wishes(
                keep_alive=KEEP_ALIVE_SECONDS,
                packet=PACKET_BYTES,
                receive=RECEIVE_MAXIMUM,
                will=lambda: Will(self._topic, b""),
            ),
            self,
        )
        self.started = False

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted this connection."""
        return self._connection.session is not None

    @property
    def others(self) -> bool:
        """Whether other workers are there."""
        with self._lock:
            return bool(self._peers.others)

    @property
    def alive(self) -> bool:
        """Whether the connection is looked after; that ends only by `stop` or by a bug."""
        return self._connection.alive or not self.started

    def start(self, *, shares: bool, known: Negotiation | None = None) -> None:
        """Connect, and again whenever the connection is lost, at most 3 s later.

        Args:
            shares: Whether the broker shares messages out among workers.
            known: What the start-up probe has found out about the broker's version.
        """
        self._peers = Peers(self._me, shares=shares)
        if shares:
            self._data = f"$share/tsq/{self._data}"
        if known is not None:
            self._connection.negotiation = known
        self.started = True
        self._connection.start()

    def serve(self, serving: bool) -> None:  # noqa: FBT001 - on or off is all there is
        """Take data and announce this worker, or do neither; births are always taken."""
        with self._lock:
            session = self._connection.session
            if serving == self._serving:
                return
            self._serving = serving
            if not self._ready or session is None:
                return
            if serving:
                self._subscribe(session, self._data)
            else:
                self._leave(session)

    def publish(self, outgoing: Outgoing) -> bool:
        """Hand a message to the broker; return False, with nothing queued, where there is none now."""
        session = self._connection.session
        if session is None:
            return False
        mid = session.publish(outgoing.topic, outgoing.payload, qos=outgoing.qos, retain=outgoing.retain)
        return mid is not None

    def stop(self) -> None:
        """Say goodbye: clear the presence, which the will of an orderly end does not do."""
        if not self.started:
            return
        session = self._connection.session
        if session is not None:
            with self._lock:
                self._serving = False
                mid = self._goodbye = self._leave(session)
            if mid is not None and not self._gone.wait(_GOODBYE_SECONDS):
                log.warning("the broker did not take the goodbye; it clears the presence by the will")
        self._connection.stop()

    def _leave(self, session: Session) -> int | None:
        """Take no more data, and then say so: agents send again at once, and none of it may come here."""
        self._announced = False
        session.unsubscribe(self._data)
        return session.publish(self._topic, b"", retain=True)

    def _subscribe(self, session: Session, *filters: str) -> None:
        mid = session.subscribe(*filters)
        if mid is not None:
            self._mids[mid] = filters[0]

    # What the connection tells

    def opened(self, session: Session) -> None:
        """Begin with what every worker reads."""
        self._problem = None
        log.info("connected to the broker, MQTT %s", spoken(session.version))
        with self._lock:
            self._mids.clear()
            self._peers.forget()
            self._subscribe(session, self._births, WORKERS)

    def troubled(self, text: Text, *, refused: bool) -> None:
        """Say why there is no connection, once until there is another reason or none."""
        if text.en != self._problem:
            log.log(logging.ERROR if refused else logging.WARNING, "%s", text.en)
        self._problem = text.en

    def ended(self, session: Session) -> None:
        """The connection is lost, or was ended by `stop`."""
        with self._lock:
            self._ready = self._announced = False
        if not self._gone.is_set():
            why = "" if session.refusal is None else f" ({session.refusal.name})"
            self.troubled(
                Text(
                    f"the connection to the broker is lost{why}, connecting again",
                    f"브로커 연결이 끊겼습니다{why}. 다시 접속합니다",
                ),
                refused=False,
            )

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Go on with the next thing: data after births, the presence after data."""
        with self._lock:
            pattern = self._mids.pop(mid, None)
            if pattern is None:
                return
            refusal = next((refusal for refusal in refusals if refusal is not None), None)
            if refusal is not None:
                log.error(
                    "the broker refuses the subscription to %s: %s: check its access rules", pattern, refusal.name
                )
                self._connection.renew(session)
                return
            if pattern == self._births:
                self._ready = True
                if self._serving:
                    self._subscribe(session, self._data)
            elif self._serving:
                self._announce(session)

    def _announce(self, session: Session) -> None:
        self._announced = True
        session.publish(self._topic, self._presence, retain=True)

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """The goodbye has arrived, or something is not let through."""
        del session
        if mid == self._goodbye:
            self._gone.set()
        if refusal is not None:
            self.troubled(
                Text(
                    f"the broker does not take what we send: {refusal.name}: check its access rules and limits",
                    f"브로커가 송신을 거부합니다({refusal.name}). 접근 규칙과 크기 제한을 확인하십시오",
                ),
                refused=True,
            )

    def received(self, session: Session, message: Message) -> None:
        """Hand a message on; presences are looked at here."""
        if message.topic.startswith(WORKERS[:-1]):
            self._look(session, message)
        else:
            # under 3.1.1, on either side, there is no content type: what lies on these topics is compressed
            self._received(
                Incoming(message.topic, message.payload, message.content_type or codec.CONTENT_TYPE_ZSTD)
            )

    def _look(self, session: Session, message: Message) -> None:
        """Take in a worker's presence, and decide who stays; see that ours is there."""
        worker_id = message.topic.removeprefix(WORKERS[:-1])
        with self._lock:
            other = self._peers.seen(worker_id, message.payload)
            reason, conflict = self._peers.give_way(), self._peers.conflict()
            if reason is not None and message.retained:
                session.publish(message.topic, b"", retain=True)  # is anybody there?
                return
            ours = worker_id == self._id
            if reason is None and ours and self._announced and not self._peers.mine(self._id, message.payload):
                self._announce(session)
        if reason is not None and message.payload:
            self.give_way(reason)
        elif other is not None and conflict is not None:
            log.error("%s; the other one gives way", conflict[1].en)
            with self._lock:  # not every broker has shown us to it (RabbitMQ: retained, but not to a wildcard)
                if self._announced:
                    self._announce(session)
        elif other is not None:
            log.info("worker %s is here too", other.worker)

    def give_way(self, reason: Text) -> None:
        """Have this worker end."""
        if self.gives_way is None:
            log.error("%s; this one ends", reason.en)
            self.gives_way = reason
