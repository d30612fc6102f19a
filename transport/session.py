"""One connection to a broker, from CONNECT to its end, on paho: the only module that imports it for the services.

paho would connect again by itself, keep what was not acknowledged and send it on the next connection behind our
back. So a client of paho lives for one connection here; `transport.connection` makes the next one, with secrets and
certificates as they are then. Callbacks run in paho's network thread, and must return at once.

Under MQTT 3.1.1 there are no properties: no content type, no response topic, no limits, no session expiry (the
session is clean), and a refused message is acknowledged like any other.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from transport.negotiation import MQTT_3, MQTT_5

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from settings.handshake import Moment, Secured
    from settings.language import Text

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
TAKEN_OVER = 0x8E
TOO_LARGE = 0x95
_PROTOCOL_ERROR = 0x82
_UNSUPPORTED = 0x84
_OUT_MAXIMUM = 1000  # messages that wait for their acknowledgement; more are refused
_INFLIGHT = 20  # of them on the wire; brokers end a connection that has more than they allow


class Will(NamedTuple):
    """What the broker publishes when this connection ends without a goodbye."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a connection is to be.

    Attributes:
        keep_alive: Seconds; the broker gives a silent client up after one and a half of it.
        packet: Bytes of the largest packet that is accepted.
        will: Made anew for each connection.
        receive: Messages that may be unacknowledged towards us; the broker's choice when None.
        manual: Whether messages are acknowledged by `Session.ack`.
        clean: False keeps what the broker has of an earlier session.
        expiry: Seconds that the broker keeps the session after its end.
        now: What is known of the time, for the dates of certificates; the machine's clock when None.
    """

    keep_alive: int
    packet: int
    receive: int | None = None
    will: Callable[[], Will] | None = None
    manual: bool = False
    clean: bool = True
    expiry: int = 0
    now: Callable[[], Moment] | None = None


class Refusal(NamedTuple):
    """A reason code of MQTT 5 that says no (codes of 3.1.1 are translated), and its name."""

    code: int
    name: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a broker says of itself when it accepts a connection; under 3.1.1 it says nothing.

    Attributes:
        packet: Bytes of the largest packet, None for no limit.
        receive: Messages of ours that may be unacknowledged.
        retain: Whether it keeps retained messages.
        shared: Whether it offers shared subscriptions.
        session_present: Whether it had a session of this client id.
    """

    packet: int | None = None
    receive: int = 65535
    retain: bool = True
    shared: bool = True
    session_present: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool = False
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    qos: int = 1
    mid: int = 0
    expiry: int | None = None


class Handler:
    """Whom a session tells; every method runs in the network thread and returns at once."""

    def opened(self, session: Session) -> None:
        """The broker has accepted the connection."""

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """A subscription was answered, with a refusal or None for each of its topics."""

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """A message was acknowledged, or refused."""

    def received(self, session: Session, message: Message) -> None:
        """A message has come."""

    def closed(self, session: Session) -> None:
        """The connection has ended, or was never accepted."""


class Where(Protocol):
    """A broker and how to log in there; `settings.broker.Broker` is one."""

    @property
    def host(self) -> str:
        """Address or name."""

    @property
    def port(self) -> int:
        """TCP port."""

    @property
    def address(self) -> str:
        """Both, as people write them."""

    def login(self) -> tuple[str | None, str | None]:
        """Return user and password, read now."""

    def context(self, now: Callable[[], Moment] | None = None) -> Secured | None:
        """Return what makes the TLS sockets of one client, or None for a plain connection."""


class Session:
    """One connection.

    Args:
        broker: Where, and how to log in.
        client_id: Unique at the broker.
        version: `MQTT_5` or `MQTT_3`.
        wishes: How it is to be.
        handler: Whom to tell.

    Raises:
        ConfigError: a secret or a certificate cannot be read.

    Attributes:
        limits: Of the broker, once it has accepted.
        refusal: Why the broker has not accepted the connection, or has ended it; None when it has not said.
        opened: Whether it has accepted.
        answered: Set when it has accepted, refused, or ended the connection.
        over: Set when the connection has ended.
        unreadable: Whether it ended over a packet that breaks the protocol. mosquitto 2.0 refuses what is too large
            for it with a reason code that a PUBACK must not have.
    """

    def __init__(self, broker: Where, client_id: str, version: int, wishes: Wishes, handler: Handler) -> None:
        self.version = version
        self.limits = Limits()
        self.refusal: Refusal | None = None
        self.opened = False
        self.unreadable = False
        self._ending = threading.Lock()
        self.answered = threading.Event()
        self.over = threading.Event()
        self._broker = broker
        self._wishes = wishes
        self._handler = handler
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion(version),
            clean_session=wishes.clean if version == MQTT_3 else None,
            reconnect_on_failure=False,
            manual_ack=wishes.manual,
        )
        client.suppress_exceptions = True  # one in a callback would end the network thread
        client.connect_timeout = CONNECT_SECONDS
        client.max_inflight_messages_set(_INFLIGHT)
        client.max_queued_messages_set(_OUT_MAXIMUM)
        user, password = broker.login()
        if user is not None:
            client.username_pw_set(user, password)
        self._secured = broker.context(wishes.now)
        if self._secured is not None:
            client.tls_set_context(self._secured)
        if wishes.will is not None:
            will = wishes.will()
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    def open(self) -> None:
        """Connect and begin to work; the answer comes later.

        Raises:
            OSError: nobody listens there, or the secure connection cannot be made.
        """
        wishes, properties = self._wishes, None
        if self.version == MQTT_5:
            properties = _properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = wishes.expiry
            properties.MaximumPacketSize = wishes.packet
            if wishes.receive is not None:
                properties.ReceiveMaximum = wishes.receive
        self._client.connect(
            self._broker.host,
            self._broker.port,
            wishes.keep_alive,
            clean_start=wishes.clean if self.version == MQTT_5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=properties,
        )
        self._client.loop_start()

    @property
    def up(self) -> bool:
        """Whether the broker has accepted this connection and it has not ended."""
        return self.opened and not self.over.is_set()

    @property
    def trouble(self) -> Text | None:
        """Why a secure connection was not made and what to do about it; None when nothing is known."""
        return None if self._secured is None else self._secured.trouble

    @property
    def alive(self) -> bool:
        """Whether the network thread runs."""
        thread = self._client._thread  # noqa: SLF001 - paho tells nobody when its thread dies
        return thread is not None and thread.is_alive()

    def subscribe(self, *filters: str, as_published: bool = False, others: bool = False) -> int | None:
        """Subscribe with QoS 1.

        Args:
            filters: Topics.
            as_published: Tell of each message whether it was published as retained, not whether it was kept; MQTT 5
                only, like what follows.
            others: Neither what we publish ourselves, nor what the broker has kept.

        Returns:
            What `Handler.subscribed` will name, None where there is no connection.
        """
        handling = SubscribeOptions.RETAIN_DO_NOT_SEND if others else SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
        options = SubscribeOptions(qos=1, noLocal=others, retainAsPublished=as_published, retainHandling=handling)
        wanted: Any = [(one, 1 if self.version == MQTT_3 else options) for one in filters]
        code, mid = self._client.subscribe(wanted)
        return mid if code == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def unsubscribe(self, topic_filter: str) -> None:
        """Give a subscription up."""
        self._client.unsubscribe(topic_filter)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        content_type: str | None = None,
        response_topic: str | None = None,
        correlation: bytes | None = None,
        expiry: int | None = None,
    ) -> int | None:
        """Hand a message to the network thread.

        Args:
            topic: Where to.
            payload: What.
            qos: 0 or 1.
            retain: Whether the broker keeps it for whoever comes later.
            content_type: MQTT 5 only, like all that follow; left out under 3.1.1.
            response_topic: Where an answer is wanted.
            correlation: What the answer repeats.
            expiry: Seconds after which nobody wants it any more.

        Returns:
            What `Handler.published` will name, or None: there is no connection, or too much waits.
        """
        if not self.up:
            return None
        properties = None
        if self.version == MQTT_5:
            properties = _properties(PacketTypes.PUBLISH)
            for name, value in (
                ("ContentType", content_type),
                ("ResponseTopic", response_topic),
                ("CorrelationData", correlation),
                ("MessageExpiryInterval", expiry),
            ):
                if value is not None:
                    setattr(properties, name, value)
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def ack(self, message: Message) -> None:
        """Tell the broker that a message of this connection was handled."""
        if self.up and message.qos:
            self._client.ack(message.mid, message.qos)

    def close(self, seconds: float = 1.0) -> None:
        """Say goodbye and end; waits a moment for the network thread."""
        self._client.disconnect()
        self._end(seconds)

    def cut(self) -> None:
        """End the connection as a broken cable does: no goodbye, and the broker publishes the will."""
        self._shut()
        self._end(1.0)

    def _shut(self) -> None:
        connection = self._client.socket()
        if connection is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                cast("socket.socket", connection).shutdown(socket.SHUT_RDWR)

    def _end(self, seconds: float) -> None:
        """Wait for the end of the network thread."""
        if not self.over.wait(seconds):
            self._shut()  # the goodbye does not get through
        self._client.drop_out_messages()  # else the thread would stay until the broker acknowledges them
        thread = self._client._thread  # noqa: SLF001 - `loop_stop` waits for ever
        self._client._thread_terminate = True  # noqa: SLF001
        if thread is not None and thread is not threading.current_thread():
            with self._ending:  # two that wait for one thread at once may meet an assertion of Python 3.11's
                thread.join(1.0)
        self.over.set()
        self.answered.set()

    # Callbacks of the network thread

    def _on_connect(self, _c: paho.Client, _u: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self.refusal = Refusal(reason.value, str(reason))
            self.answered.set()
            return
        self.limits = Limits(
            packet=getattr(properties, "MaximumPacketSize", None),
            receive=getattr(properties, "ReceiveMaximum", 65535),
            retain=bool(getattr(properties, "RetainAvailable", 1)),
            shared=self.version == MQTT_5 and bool(getattr(properties, "SharedSubscriptionAvailable", 1)),
            session_present=bool(flags.session_present),
        )
        # paho's setter wants no connection, because of what may be on its way; nothing is
        self._client._max_inflight_messages = min(_INFLIGHT, self.limits.receive)  # noqa: SLF001
        self.opened = True
        self._handler.opened(self)
        self.answered.set()

    def _on_disconnect(self, _c: paho.Client, _u: Any, flags: Any, reason: ReasonCode, _p: Any) -> None:
        if flags.is_disconnect_packet_from_server and reason.is_failure:
            self.refusal = Refusal(reason.value, str(reason))
        self.unreadable = not flags.is_disconnect_packet_from_server and reason.value == _PROTOCOL_ERROR
        self.over.set()
        self.answered.set()
        self._handler.closed(self)

    def _on_subscribe(self, _c: paho.Client, _u: Any, mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        self._handler.subscribed(self, mid, [_refusal(reason) for reason in reasons])

    def _on_publish(self, _c: paho.Client, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        self._handler.published(self, mid, _refusal(reason))

    def _on_message(self, _c: paho.Client, _u: Any, raw: paho.MQTTMessage) -> None:
        try:
            topic = raw.topic
        except UnicodeDecodeError:
            topic = ""
        properties = raw.properties
        message = Message(
            topic=topic,
            payload=bytes(raw.payload),
            retained=raw.retain,
            content_type=getattr(properties, "ContentType", None),
            response_topic=getattr(properties, "ResponseTopic", None),
            correlation=getattr(properties, "CorrelationData", None),
            qos=raw.qos,
            mid=raw.mid,
            expiry=getattr(properties, "MessageExpiryInterval", None),
        )
        self._handler.received(self, message)


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a topic is one that a filter names."""
    return paho.topic_matches_sub(topic_filter, topic)


def unsupported(refusal: Refusal | None) -> bool:
    """Return whether a broker has said that it does not speak the version."""
    return refusal is not None and refusal.code == _UNSUPPORTED


def _refusal(reason: ReasonCode) -> Refusal | None:
    return Refusal(reason.value, str(reason)) if reason.is_failure else None


def _send_at_once(_client: paho.Client, _userdata: Any, connection: Any) -> None:
    """Turn Nagle's algorithm off: what follows an acknowledgement waits 40 ms else."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves it untyped
