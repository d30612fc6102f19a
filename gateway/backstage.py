"""What a command beside the running gateway needs of the broker: the tag dictionaries there, and a way to confirm.

Connected at the first question only: a replay of plain refusals needs no broker at all. A broker may have lost what
is retained, or not deliver it to a wildcard; the agent is asked then, as a worker asks it.
"""

from __future__ import annotations

import os
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Self

from contract import codec, topics
from contract.errors import WireError
from contract.payload import NeedBirth, Worker
from gateway.births import Births
from gateway.ingest import Outgoing
from gateway.mqtt import Link

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from contract.topics import AgentTopics
    from gateway.mqtt import Incoming
    from gateway.points import Dictionary
    from settings.broker import Broker

WAIT_SECONDS = 5.0  # for a connection and for what is retained


class Backstage:
    """A connection that takes births and no data. Use it in a `with` block.

    Args:
        broker: Where.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._births = Births()
        self._came = threading.Condition()
        self._link: Link | None = None
        self._asked: set[str] = set()  # hashes that were waited for
        self._begged: set[str] = set()  # hashes that an agent was asked for

    def __enter__(self) -> Self:
        """Begin; nothing is connected yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the broker."""
        if self._link is not None:
            self._link.stop()

    def get(self, digest: str) -> Dictionary | None:
        """Return a tag dictionary, waiting for it once; None when it is not on the broker, or no broker answers."""
        self._connect()
        return self._awaited(digest)

    def raw(self, digest: str) -> bytes | None:
        """Return the JSON of a tag dictionary that has come."""
        with self._came:
            return self._births.raw(digest)

    def ask(self, branch: AgentTopics, digest: str) -> Dictionary | None:
        """Return a tag dictionary of this agent, which is asked for it when it is not on the broker."""
        found = self.get(digest)
        if found is None and digest not in self._begged:
            self._begged.add(digest)
            self._asked.discard(digest)
            if self.publish(Outgoing(branch.need_birth, codec.encode(NeedBirth(birth=digest)))):
                found = self._awaited(digest)
        return found

    def _awaited(self, digest: str) -> Dictionary | None:
        with self._came:
            if digest not in self._asked:
                self._came.wait_for(lambda: self._births.get(digest) is not None, WAIT_SECONDS)
                self._asked.add(digest)
            return self._births.get(digest)

    def adding(self, branch: AgentTopics, digest: str, label: str, payload: bytes) -> Generator[None, None, None]:
        """Take a part of a birth from elsewhere, as `Births.adding` does."""
        with self._came:
            yield from self._births.adding(branch, digest, label, payload)

    def publish(self, outgoing: Outgoing) -> bool:
        """Publish; return False where no broker answers."""
        link = self._connect()
        with self._came:
            self._came.wait_for(lambda: link.connected, WAIT_SECONDS)
        return link.publish(outgoing)

    def _connect(self) -> Link:
        if self._link is None:
            me = Worker(
                f"command-{os.getpid()}", "0", version("techsquare-edge")
            )  # nobody sees it: it never serves
            self._link = Link(self._broker, me, self._received)
            self._link.start(shares=False)
        return self._link

    def _received(self, message: Incoming) -> None:
        with self._came:
            try:
                branch, levels = topics.split(message.topic)
                if len(levels) == 3 and levels[0] == "birth" and message.payload:
                    self._births.add(branch, levels[1], levels[2], message.payload)
            except WireError:
                return  # the gateway keeps what cannot be read
            self._came.notify_all()
