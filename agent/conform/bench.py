"""What all checks share: the port, how patient they are, and questions that must be answered or refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from agent.conform.daybook import Ledger
from agent.conform.findings import MANIFEST, PAYLOADS, REQUESTS, Broken, Finding, Open
from agent.conform.reading import quoted, read
from agent.errors import WireError
from contract.codec import PLAIN_LIMIT, decode
from contract.manifest import Manifest
from contract.report import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.conform.port import Port
    from contract.signing import PrivateKey
    from transport.session import Message

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for an answer, until retained messages have come, for what must not come, after `busy`."""

    answer: float = 15.0
    settled: float = 2.0
    silence: float = 3.0
    busy: float = 7.0


@dataclass(slots=True)
class Bench:
    """One test of one agent.

    Attributes:
        port: Connected.
        patience: How long it waits.
        register: Key that signs a solution as registered; None: `fit.check` is only asked wrongly.
        freeze: Whether it may have a baseline frozen, which stays with the agent.
        ledger: The agent's days, as far as they are known.
        seen: The manifest that is retained.
    """

    port: Port
    patience: Patience = field(default_factory=Patience)
    register: PrivateKey | None = None
    freeze: bool = False
    ledger: Ledger = field(init=False)
    seen: Manifest | None = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.port.topics)

    @property
    def scopes(self) -> frozenset[str]:
        """What the manifest says is agreed."""
        return frozenset(self.manifest.consent.scopes)

    @property
    def manifest(self) -> Manifest:
        """The retained manifest.

        Raises:
            Broken: it is not there, not retained, or cannot be read.
        """
        if self.seen is None:
            topic = self.port.topics.manifest
            self.seen = read(self.message(topic).payload, Manifest, topic)
        return self.seen

    def message(self, topic: str) -> Message:
        """Return the last message of a retained topic.

        Raises:
            Broken: there is none, or the first one was not retained.
        """
        found = [message for message in self.port.heard if message.topic == topic and message.payload]
        if not found:
            raise Broken(Finding(topic, "", "a retained message", "nothing", MANIFEST))
        if not found[0].retained:
            raise Broken(Finding(topic, "", "a retained message", "one that is not retained", MANIFEST))
        return found[-1]

    def answer(self, verb: str, body: object) -> bytes:
        """Return the answer to a request; one that is refused as too often is asked again, twice.

        Raises:
            Broken: no answer, or too large a one.
            Open: asked too often.
        """
        raw, topic = body if isinstance(body, bytes) else json.dumps(body).encode(), self.port.topics.request(verb)
        for _ in range(3):
            message = self.port.ask(verb, raw, self.patience.answer)
            if message is None:
                expected = "an answer on our response topic with our correlation data"
                raise Broken(Finding(topic, "", expected, f"none within {self.patience.answer:g} s", REQUESTS))
            if len(message.payload) > PLAIN_LIMIT:
                expected = f"an answer of at most {PLAIN_LIMIT} bytes"
                raise Broken(Finding(topic, "", expected, f"{len(message.payload)} bytes", PAYLOADS))
            if not busy(message.payload):
                return message.payload
            self.port.pause(self.patience.busy)
        raise Open(f"{verb} is busy: somebody has asked often, test again in ten minutes")

    def answered(self, verb: str, body: object, kind: type[T]) -> T:
        """Return what a request that must be granted is answered.

        Raises:
            Broken: refused, or not of that shape.
        """
        raw, topic = self.answer(verb, body), self.port.topics.request(verb)
        if (no := refusal(raw)) is not None:
            raise Broken(Finding(topic, "", f"a {kind.__name__}", f"{no.error}: {quoted(no.message)}", REQUESTS))
        return read(raw, kind, topic)

    def maybe(self, verb: str, body: object, kind: type[T], *codes: str) -> T | None:
        """Return what a request is answered, or None where one of these refusals is as good.

        Raises:
            Broken: neither.
        """
        raw, topic = self.answer(verb, body), self.port.topics.request(verb)
        if (no := refusal(raw)) is not None:
            if no.error in codes:
                return None
            expected = f"a {kind.__name__} or {' or '.join(codes)}"
            raise Broken(Finding(topic, "error", expected, f"{no.error}: {quoted(no.message)}", REQUESTS))
        return read(raw, kind, topic)

    def refused(self, verb: str, body: object, *codes: str) -> Iterator[Finding]:
        """Yield a finding when a request is not refused with one of these codes."""
        topic, expected = self.port.topics.request(verb), " or ".join(codes)
        said = quoted(body if isinstance(body, bytes) else json.dumps(body))
        try:
            raw = self.answer(verb, body)
        except Broken as exc:
            yield exc.finding
            return
        no = refusal(raw)
        if no is None:
            yield Finding(topic, "error", f"{expected} for {said}", quoted(raw), REQUESTS)
        elif no.error not in codes:
            yield Finding(topic, "error", f"{expected} for {said}", f"{no.error}: {quoted(no.message)}", REQUESTS)


def refusal(raw: bytes) -> Refusal | None:
    """Return the refusal that an answer is, or None."""
    try:
        return decode(raw, Refusal)
    except WireError:
        return None


def busy(raw: bytes) -> bool:
    """Return whether an answer says that it was asked too often."""
    no = refusal(raw)
    return no is not None and no.error == "busy"
