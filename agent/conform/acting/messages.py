"""What passes between a played agent and its tricks, and what is kept of requests. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.requests import Asked
    from transport.session import Message


@dataclass(frozen=True, slots=True)
class Out:
    """A message that the agent would publish."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry: int | None = None
    qos: int = 1


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that the agent would give; `late` seconds after the request, and perhaps elsewhere."""

    asked: Asked
    content: bytes
    late: float = 0.0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came, and how it was answered: a refusal's code, "" for an answer, None for nothing.

    `at` is monotonic, ns.
    """

    at: int
    message: Message
    verb: str
    asked: Asked | None
    code: str | None = None
    text: str = ""
