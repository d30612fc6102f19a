"""Pull from an agent: one request over MQTT, one answer on our own response topic.

The platform never connects to a factory's PLCs or store; it asks the agent, which answers only below
`tsq/.../{factory}/{agent}/rsp/`. At a broker that speaks MQTT 3.1.1 only, request and answer travel in the body
(`contract.payload.Request`, `Response`).
"""

from __future__ import annotations

import re
import secrets
import threading
from typing import TYPE_CHECKING

import msgspec

from contract.codec import PLAIN_LIMIT, decode, encode
from contract.errors import WireError
from contract.payload import Request, Response
from contract.topics import AgentTopics
from transport.connection import nobody, refused, silent
from transport.negotiation import MQTT_5, Negotiation
from transport.session import ANSWER_SECONDS, Handler, Session, Wishes, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from settings.broker import Broker
    from transport.session import Message, Refusal

EXPIRY_S = 60
KEEP_ALIVE_S = 30
ATTEMPTS = 4  # until the broker's version is certain
ENVELOPE = 4096  # bytes around an answer
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what an agent answers to


class PullError(Exception):
    """No answer could be had; the text says why and what to look at."""


def request(
    broker: Broker, factory: str, agent: str, verb: str, body: Mapping[str, object], seconds: float = 10
) -> bytes:
    """Ask an agent and return its answer as it came, at most 256 kB of UTF-8 JSON.

    Args:
        broker: Where the agent's platform uplink is. Its user is also the last level of the answer's topic: under
            `contract.rights` that is the only one that he may read.
        factory: Whose agent.
        agent: Which one.
        verb: What it shall do.
        body: With what.
        seconds: Longest wait for the answer.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
        PullError: the broker refuses or is away, nobody answers in time, or the answer is too large.
        WireError: factory or agent cannot stand in a topic.
    """
    exchange = _Exchange(AgentTopics(factory, agent), verb, encode(body), broker.user)
    negotiation = Negotiation()
    for _ in range(ATTEMPTS):
        session = Session(
            broker, f"techsquare-{exchange.token}", negotiation.version,
            Wishes(keep_alive=KEEP_ALIVE_S, packet=PLAIN_LIMIT + ENVELOPE), exchange,
        )  # fmt: skip
        try:
            session.open()
            session.answered.wait(ANSWER_SECONDS)
            if not session.opened:
                _learn(broker, session, negotiation)
            elif negotiation.accepted():
                exchange.ask(session)
                exchange.over.wait(seconds)
                break
        except OSError as exc:
            raise PullError((session.trouble or nobody(broker, exc)).en) from exc
        finally:
            session.close()
    else:
        raise PullError(silent(broker).en)
    if exchange.failure:
        raise PullError(exchange.failure)
    if exchange.answer is None:
        raise PullError(f"no agent {factory}/{agent} answered within {seconds:g} s: is it running and connected?")
    if len(exchange.answer) > PLAIN_LIMIT:
        raise PullError(f"the answer has {len(exchange.answer)} bytes, more than {PLAIN_LIMIT}")
    return exchange.answer


def _learn(broker: Broker, session: Session, negotiation: Negotiation) -> None:
    """Take in why a connection was not accepted, or end with it."""
    if unsupported(session.refusal):
        negotiation.refused()
    elif session.trouble is not None:
        raise PullError(session.trouble.en)
    elif session.refusal is not None:
        raise PullError(refused(session.refusal).en)
    else:
        negotiation.unanswered()
    if negotiation.version == MQTT_5 and not negotiation.certain and session.version != MQTT_5:
        raise PullError(silent(broker).en)


class _Exchange(Handler):
    """Subscribe, then ask, then take the answer with our correlation data."""

    def __init__(self, topics: AgentTopics, verb: str, body: bytes, user: str | None) -> None:
        self.token = secrets.token_hex(8)
        self._topic = topics.request(verb)
        self._body = body
        self._response = topics.response(user if user and _CLIENT.fullmatch(user) else self.token)
        self.over = threading.Event()
        self.failure = ""
        self.answer: bytes | None = None

    def ask(self, session: Session) -> None:
        """Begin; the question follows the subscription."""
        if session.subscribe(self._response) is None:
            self._fail("the broker has ended the connection")

    def _fail(self, text: str) -> None:
        self.failure = text
        self.over.set()

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Ask."""
        del mid
        if refusals and refusals[0] is not None:
            self._fail(f"the broker does not let us read {self._response}: {refusals[0].name}")
        elif session.version == MQTT_5:
            session.publish(
                self._topic, self._body,
                response_topic=self._response, correlation=self.token.encode(), expiry=EXPIRY_S,
            )  # fmt: skip
        else:
            session.publish(self._topic, encode(Request(self._response, self.token, msgspec.Raw(self._body))))

    def received(self, session: Session, message: Message) -> None:
        """Take the answer that is ours."""
        if session.version == MQTT_5:
            ours, answer = message.correlation == self.token.encode(), message.payload
        else:
            try:
                response = decode(message.payload, Response, PLAIN_LIMIT + ENVELOPE)
            except WireError:
                return
            ours, answer = response.correlation == self.token, encode(response.body)
        if ours:
            self.answer = answer
            self.over.set()
