"""Requests of the platform: how they are told from the message that brings them, who answers, how it goes back.

Under MQTT 5 response topic and correlation data are properties. A request without them is looked for in the body
(`contract.payload.Request`), which is how MQTT 3.1.1 brings one, and its answer goes back the same way.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from agent.errors import WireError
from contract import codec
from contract.payload import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from transport.session import Message, Session

    Handler = Callable[[bytes], bytes]

logger = logging.getLogger(__name__)

EXPIRY_S = 60
WAIT = 4
"""So many requests wait; the next is told "busy"."""
ErrorCode = Literal["no_consent", "no_data", "too_fine", "busy", "unknown_verb", "bad_request"]

_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestError(Exception):
    """What a handler raises to answer with an error."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; `correlation` is text when it came in the body, and goes back so."""

    verb: str
    body: bytes
    topic: str
    correlation: bytes | str | None


class Gate(Protocol):
    """Stands before the verbs: `agent.platform.gate`."""

    def arrived(self) -> int:
        """Return the moment in which a request comes."""

    def admit(self, asked: Asked, arrived_ns: int) -> bool:
        """Return whether a request is answered at all.

        Raises:
            RequestError: with what is answered instead.
        """


def asked_by(message: Message, verb: str, root: str) -> Asked | None:
    """Return the request that a message brings, or None: no answer is wanted, or not below `root`."""
    if message.response_topic is not None:
        asked = Asked(verb, message.payload, message.response_topic, message.correlation)
    else:
        try:
            request = codec.decode(message.payload, Request)
        except WireError:
            return None
        body = b"" if request.body is None else codec.encode(request.body)
        asked = Asked(verb, body, request.response_topic, request.correlation)
    ours = asked.topic.startswith(root) and _CLIENT.fullmatch(asked.topic.removeprefix(root))
    return asked if ours else None


def answer(session: Session, asked: Asked, content: bytes, qos: int = 1) -> int | None:
    """Publish an answer (JSON) the way the question came; return what `Session.publish` does."""
    correlation = asked.correlation
    if isinstance(correlation, str):
        content, correlation = codec.encode(Response(correlation, msgspec.Raw(content))), None
    return session.publish(
        asked.topic,
        content,
        qos=qos,
        content_type=codec.CONTENT_TYPE_JSON,
        correlation=correlation,
        expiry=EXPIRY_S,
    )


def refuse(code: ErrorCode, message: str) -> bytes:
    """Return the answer of a request that is not granted."""
    return codec.encode({"error": code, "message": message})


class Desk:
    """Who answers which verb, and how many requests wait for it.

    Attributes:
        handlers: Verb -> what makes its answer.
        gate: Decides who may ask; None lets everybody.
    """

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.gate: Gate | None = None
        self._waiting = 0
        self._lock = threading.Lock()

    def take(self) -> int | None:
        """Let one more request wait: return when it came, None when too many wait already."""
        with self._lock:
            if self._waiting >= WAIT:
                return None
            self._waiting += 1
        return 0 if self.gate is None else self.gate.arrived()

    def content(self, asked: Asked, arrived_ns: int) -> bytes | None:
        """Return the answer to a request that waited, None where nobody waits for it any more."""
        try:
            found = self._found(asked, arrived_ns)
        finally:
            with self._lock:
                self._waiting -= 1
        if found is not None and len(found) > codec.PLAIN_LIMIT:
            return refuse("too_fine", f"the answer has {len(found)} bytes, at most {codec.PLAIN_LIMIT} are sent")
        return found

    def _found(self, asked: Asked, arrived_ns: int) -> bytes | None:
        handler = self.handlers.get(asked.verb)
        try:
            if self.gate is not None and not self.gate.admit(asked, arrived_ns):
                return None
            if handler is None:
                known = ", ".join(sorted(self.handlers)) or "no verb"
                return refuse("unknown_verb", f"this agent knows {known}")
            return handler(asked.body)
        except RequestError as exc:
            return refuse(exc.code, str(exc))
        except Exception:  # a bug in an answer must not end the thread that gives them
            logger.exception("request %s is not answered: this is a bug, please report it", asked.verb)
            return refuse("no_data", "the agent could not make this answer; see its log")
