"""Files and bodies of requests: which message is it, and of whom? Pure.

What is handed in without a topic says itself what it is: a signed record, an answer of `day.get`, a manifest, a
report (of an agent, or of `tsq-agent assess`). It then goes the way of all messages, with the same checks.
"""

from __future__ import annotations

import msgspec

from contract.codec import PLAIN_LIMIT, decode, encode
from contract.day import Days, SignedDay
from contract.errors import WireError
from contract.topics import AgentTopics
from techsquare.intake.terms import Incoming

MOST = 64 * 1024 * 1024
"""Bytes of a file: some 2,000 records."""


class _Whose(msgspec.Struct):
    factory: str
    agent: str
    date: str | None = None


class _Shape(msgspec.Struct):
    """What tells the kinds apart."""

    record: msgspec.Raw = msgspec.Raw()
    days: msgspec.Raw = msgspec.Raw()
    public_key: msgspec.Raw = msgspec.Raw()
    window: msgspec.Raw = msgspec.Raw()


def record(signed: SignedDay) -> Incoming:
    """Return a signed record as the message that it was.

    Raises:
        WireError: it does not say whose it is.
    """
    try:
        whose = decode(signed.record.encode(), _Whose)
    except UnicodeEncodeError as exc:
        raise WireError("no UTF-8") from exc
    if whose.date is None:
        raise WireError("a record without a date")
    return Incoming(AgentTopics(whose.factory, whose.agent).day(whose.date), encode(signed))


def messages(raw: bytes) -> list[Incoming]:
    """Return the messages that a file or a body holds.

    Raises:
        WireError: it is none of what is taken in.
    """
    shape = decode(raw, _Shape, MOST)
    if bytes(shape.record):
        return [record(decode(raw, SignedDay))]
    if bytes(shape.days):
        return [record(signed) for signed in decode(raw, Days, MOST).days]
    if not bytes(shape.public_key) and not bytes(shape.window):
        raise WireError("neither a signed record, nor an answer of day.get, nor a manifest, nor a report")
    if len(raw) > PLAIN_LIMIT:
        raise WireError(f"{len(raw)} bytes where at most {PLAIN_LIMIT} are allowed")
    whose = decode(raw, _Whose)
    topics = AgentTopics(whose.factory, whose.agent)
    return [Incoming(topics.manifest if bytes(shape.public_key) else topics.readiness, raw)]
