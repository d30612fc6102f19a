"""The kit's connection: everything that an agent publishes for the platform, and questions with their answers."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import msgspec

from agent.errors import WireError
from contract.codec import PLAIN_LIMIT, decode, encode
from contract.payload import Request, Response
from contract.rights import BRANCH, RIGHTS
from transport.connection import Client, Connection
from transport.negotiation import MQTT_3
from transport.session import Wishes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.topics import AgentTopics
    from settings.broker import Broker
    from settings.language import Text
    from transport.session import Message, Refusal, Session

ENVELOPE = 8192
EXPIRY_S = 60
READ = tuple(
    right.topic.removeprefix(f"{BRANCH}/")
    for right in RIGHTS
    if right.uplink == "platform" and "agent" in right.writers and "rsp" not in right.topic
)
"""What the platform may read of an agent, below its branch."""
SITE = frozenset(
    right.topic.split("/")[4] for right in RIGHTS if right.uplink == "site" and right.topic.startswith(f"{BRANCH}/")
)
"""First levels of what stays in the factory."""
Way = Literal["properties", "body"]
"""How a request says where to answer: MQTT 5 has properties for it, MQTT 3.1.1 has only the body."""


class Port(Client):
    """One connection of the kit.

    Args:
        broker: Where the agent's platform uplink is.
        topics: The agent's branch.
        name: Last level of the response topic: the MQTT user where the broker has access rules.
        older: Speak MQTT 3.1.1, whatever the broker can.

    Attributes:
        heard: What the agent has published for the platform, in the order of its coming.
        site: First levels of topics that stay in a factory and were seen here.
        stray: Answers to our questions that came where nobody had asked for them.
        way: How it asks.
        trouble: Why there is no connection.

    Raises:
        ConfigError: a secret cannot be read.
    """

    def __init__(self, broker: Broker, topics: AgentTopics, name: str = "", *, older: bool = False) -> None:
        self.topics = topics
        self.response = topics.response(name or f"conform-{secrets.token_hex(4)}")
        self.heard: list[Message] = []
        self.site: set[str] = set()
        self.stray: list[Message] = []
        self.trouble: Text | None = None
        self.way: Way = "body" if older else "properties"
        self._came = 0
        self._asked: dict[bytes, str] = {}
        self._answers: dict[bytes, Message] = {}
        self._turn = threading.Condition()
        self._ready = threading.Event()
        self._session: Session | None = None
        client_id = f"tsq-conform-{secrets.token_hex(4)}"
        self._connection = Connection(broker, client_id, Wishes(keep_alive=10, packet=PLAIN_LIMIT + ENVELOPE), self)
        if older:
            self._connection.negotiation.refused()

    def open(self, seconds: float = 10) -> bool:
        """Connect; return whether it came about."""
        self._connection.start()
        return self._ready.wait(seconds)

    def close(self) -> None:
        """End."""
        self._connection.stop()

    @property
    def version(self) -> str:
        """Of MQTT, as people write it."""
        return "3.1.1" if self._connection.negotiation.version == MQTT_3 else "5"

    def settled(self, seconds: float) -> None:
        """Wait until no message has come for so long."""
        with self._turn:
            before = -1
            while before != self._came:
                before = self._came
                self._turn.wait_for(lambda: self._came != before, seconds)  # noqa: B023 - waited for here

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        with self._turn:
            self._turn.wait_for(lambda: False, seconds)

    def news(self, seconds: float) -> list[Message]:
        """Return what has come since the last call, after at most so long a wait; it is forgotten here."""
        with self._turn:
            self._turn.wait_for(lambda: bool(self.heard), seconds)
            found, self.heard = self.heard, []
        return found

    def ask(
        self,
        verb: str,
        body: bytes,
        seconds: float,
        *,
        response: str = "",
        way: Way | None = None,
        correlation: bytes | None = None,
    ) -> Message | None:
        """Return the answer to a request, or None when there was none in time; its payload is the answer itself.

        Args:
            verb: What.
            body: With what.
            seconds: Longest wait.
            response: Another topic than ours, where no answer may be given.
            way: Another one than usual.
            correlation: What the answer shall repeat; text under MQTT 3.1.1.
        """
        session, token = self._session, correlation or secrets.token_hex(8).encode()
        if session is None:
            return None
        topic, where = self.topics.request(verb), response or self.response
        with self._turn:
            self._asked[token] = where
        if (way or self.way) == "properties":
            session.publish(topic, body, response_topic=where, correlation=token, expiry=EXPIRY_S)
        else:
            inside = msgspec.Raw(body) if _json(body) else msgspec.Raw(encode(body.decode("utf-8", "replace")))
            session.publish(topic, encode(Request(where, token.decode(), inside)), expiry=EXPIRY_S)
        with self._turn:
            self._turn.wait_for(lambda: token in self._answers, seconds)
            return self._answers.pop(token, None)

    def unclaimed(self) -> list[Message]:
        """Return answers that nobody has waited for."""
        with self._turn:
            return list(self._answers.values())

    # In the connection's threads

    def opened(self, session: Session) -> None:
        """Listen to the whole branch: what else than ours is to be seen there is worth knowing.

        Brokers of MQTT 3.1.1 may not show what is retained to whoever asks with a wildcard (RabbitMQ).
        """
        if session.version == MQTT_3:
            session.subscribe(self.topics.response("#"), *(f"{self.topics.root}/{level}" for level in READ))
        else:
            session.subscribe(f"{self.topics.root}/#", as_published=True)

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Begin; where the whole branch may not be read, all that the platform may read of it must do."""
        del mid
        if len(refusals) == 1 and refusals[0] is not None:
            session.subscribe(self.response, *(f"{self.topics.root}/{level}" for level in READ), as_published=True)
            return
        self._session = session
        self._ready.set()

    def troubled(self, text: Text, *, refused: bool) -> None:
        """Keep why there is no connection."""
        del refused
        self.trouble = text

    def ended(self, session: Session) -> None:
        """Nothing can be asked until the next one."""
        del session
        self._session = None

    def received(self, session: Session, message: Message) -> None:
        """Sort what comes."""
        del session
        level = message.topic.removeprefix(f"{self.topics.root}/").split("/")[0]
        with self._turn:
            self._came += 1
            if level in SITE:
                self.site.add(level)
            elif level == "rsp":
                self._answered(message)
            elif level not in {"req", "answers"}:
                self.heard.append(message)
            self._turn.notify_all()

    def _answered(self, message: Message) -> None:
        token, told = message.correlation, message
        if token is None:
            try:
                response = decode(message.payload, Response, PLAIN_LIMIT + ENVELOPE)
            except WireError:  # under MQTT 3.1.1 nobody can tell whose answer it is
                self.stray += [message] if message.topic == self.response else []
                return
            token, told = response.correlation.encode(), replace(message, payload=encode(response.body))
        if self._asked.get(token) == message.topic and not message.retained:
            self._answers[token] = told
        elif token in self._asked or message.topic == self.response:
            self.stray.append(message)


def _json(body: bytes) -> bool:
    try:
        decode(body, object)
    except WireError:
        return False
    return True
