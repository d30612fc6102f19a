"""The kit's connection: everything that an agent publishes for the platform, and questions with their answers."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

import msgspec

from agent.errors import WireError
from contract.codec import PLAIN_LIMIT, decode, encode
from contract.payload import Request, Response
from contract.rights import BRANCH, RIGHTS
from transport.connection import Client, Connection
from transport.negotiation import MQTT_5
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


class Port(Client):
    """One connection of the kit.

    Args:
        broker: Where the agent's platform uplink is.
        topics: The agent's branch.
        name: Last level of the response topic: the MQTT user where the broker has access rules.

    Raises:
        ConfigError: a secret cannot be read.
    """

    def __init__(self, broker: Broker, topics: AgentTopics, name: str = "") -> None:
        self.topics = topics
        self.response = topics.response(name or f"conform-{secrets.token_hex(4)}")
        self.heard: list[Message] = []
        self.trouble: Text | None = None
        self._answers: dict[str, bytes] = {}
        self._turn = threading.Condition()
        self._ready = threading.Event()
        self._session: Session | None = None
        client_id = f"tsq-conform-{secrets.token_hex(4)}"
        self._connection = Connection(broker, client_id, Wishes(keep_alive=10, packet=PLAIN_LIMIT + ENVELOPE), self)

    def open(self, seconds: float = 10) -> bool:
        """Connect; return whether it came about."""
        self._connection.start()
        return self._ready.wait(seconds)

    def close(self) -> None:
        """End."""
        self._connection.stop()

    def settled(self, seconds: float) -> None:
        """Wait until no retained message has come for so long."""
        with self._turn:
            before = -1
            while len(self.heard) != before:
                before = len(self.heard)
                self._turn.wait(seconds)

    def ask(self, verb: str, body: bytes, seconds: float, response: str = "") -> bytes | None:
        """Return the answer to a request, or None when there was none in time.

        Args:
            verb: What.
            body: With what.
            seconds: Longest wait.
            response: Another topic than ours, where no answer may be given.
        """
        session, token = self._session, secrets.token_hex(8)
        if session is None:
            return None
        topic, where = self.topics.request(verb), response or self.response
        if session.version == MQTT_5:
            session.publish(topic, body, response_topic=where, correlation=token.encode(), expiry=EXPIRY_S)
        else:
            session.publish(topic, encode(Request(where, token, msgspec.Raw(body))))
        with self._turn:
            self._turn.wait_for(lambda: token in self._answers, seconds)
            return self._answers.pop(token, None)

    # In the connection's threads

    def opened(self, session: Session) -> None:
        """Listen to all that the platform may read."""
        session.subscribe(self.response, *(f"{self.topics.root}/{level}" for level in READ))

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """It can begin."""
        del mid, refusals
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
        if message.topic != self.response:
            self.heard.append(message)
            return
        if session.version == MQTT_5:
            token, answer = (message.correlation or b"").decode("ascii", "replace"), message.payload
        else:
            try:
                told = decode(message.payload, Response, PLAIN_LIMIT + ENVELOPE)
            except WireError:
                return
            token, answer = told.correlation, encode(told.body)
        if message.retained:  # an answer that stays at the broker is none
            return
        with self._turn:
            self._answers[token] = answer
            self._turn.notify_all()
