"""Requests of the platform: how they are told from the message that brings them, and how an answer goes back.

Under MQTT 5 response topic and correlation data are properties. A request without them is looked for in the body
(`contract.payload.Request`), which is how MQTT 3.1.1 brings one, and its answer goes back the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from agent.errors import WireError
from contract import codec
from contract.payload import Request, Response

if TYPE_CHECKING:
    from transport.session import Message, Session

EXPIRY_S = 60
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


def asked_by(message: Message, verb: str, root: str) -> Asked | None:
    """Return the request that a message brings, or None: no answer is wanted, or not below `root`."""
    if message.response_topic is not None:
        asked = Asked(verb, message.payload, message.response_topic, message.correlation)
    else:
        try:
            request = codec.decode(message.payload, Request)
        except WireError:
            return None
        asked = Asked(verb, codec.encode(request.body), request.response_topic, request.correlation)
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
