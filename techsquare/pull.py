"""Pull from an agent: one request over MQTT 5, one answer on our own response topic.

The platform never connects to a factory's PLCs or store; it asks the agent, which answers only below
`tsq/.../{factory}/{agent}/rsp/`.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract.codec import PLAIN_LIMIT, encode
from contract.topics import AgentTopics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

EXPIRY_S = 60


class PullError(Exception):
    """No answer could be had; the text says why and what to look at."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the agent's platform uplink is."""

    host: str = "127.0.0.1"
    port: int = 1883
    user: str | None = None
    password: str | None = None


def request(
    broker: Broker, factory: str, agent: str, verb: str, body: Mapping[str, object], seconds: float = 10
) -> bytes:
    """Ask an agent and return its answer as it came, at most 256 kB of UTF-8 JSON.

    Raises:
        PullError: the broker refuses or is away, nobody answers in time, or the answer is too large.
        WireError: factory or agent cannot stand in a topic.
    """
    exchange = _Exchange(AgentTopics(factory, agent), verb, encode(body))
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    client.on_connect = exchange.connected
    client.on_subscribe = exchange.subscribed
    client.on_message = exchange.message
    try:
        client.connect(broker.host, broker.port, keepalive=30)
    except OSError as exc:
        raise PullError(f"no broker at {broker.host}:{broker.port}: {exc}") from exc
    client.loop_start()
    try:
        exchange.over.wait(seconds)
    finally:
        client.disconnect()
        client.loop_stop()
    if exchange.failure:
        raise PullError(exchange.failure)
    if exchange.answer is None:
        raise PullError(f"no agent {factory}/{agent} answered within {seconds:g} s: is it running and connected?")
    if len(exchange.answer) > PLAIN_LIMIT:
        raise PullError(f"the answer has {len(exchange.answer)} bytes, more than {PLAIN_LIMIT}")
    return exchange.answer


class _Exchange:
    """Subscribe, then ask, then take the answer with our correlation data: paho's callbacks in that order."""

    def __init__(self, topics: AgentTopics, verb: str, body: bytes) -> None:
        self._topic = topics.request(verb)
        self._body = body
        self._token = secrets.token_hex(8)
        self._response = topics.response(self._token)
        self.over = threading.Event()
        self.failure = ""
        self.answer: bytes | None = None

    def _fail(self, text: str) -> None:
        self.failure = text
        self.over.set()

    def connected(self, client: mqtt.Client, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._fail(f"the broker refuses us: {reason}")
        else:
            client.subscribe(self._response, qos=1)

    def subscribed(
        self, client: mqtt.Client, _u: object, _mid: int, codes: Sequence[ReasonCode], _p: object
    ) -> None:
        if any(code.is_failure for code in codes):
            self._fail(f"the broker does not let us read {self._response}: {codes[0]}")
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = self._response
        properties.CorrelationData = self._token.encode()
        properties.MessageExpiryInterval = EXPIRY_S
        client.publish(self._topic, self._body, qos=1, properties=properties)

    def message(self, _c: mqtt.Client, _u: object, answer: mqtt.MQTTMessage) -> None:
        if getattr(answer.properties, "CorrelationData", None) == self._token.encode():
            self.answer = bytes(answer.payload)
            self.over.set()
