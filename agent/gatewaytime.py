"""Asking the gateway for the time: a `data` message without entries, answered by a `stored` without entries.

A link between the sender and the uplink: answers to our questions are taken out of what comes in, everything else
passes. The question's spool id is a nonce that the answer repeats, so that a late answer is never taken for that of
a later question. An answer is stamped where it comes in, in the network thread: nothing that waits behind other
messages in this process makes the round trip longer.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

from agent.errors import WireError
from agent.trust import Answer
from contract import codec
from contract.payload import Data, Stored
from settings.released import RELEASED_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import SystemClock
    from contract.topics import AgentTopics

    Listener = Callable[[str, bytes, bool], None]

_SMALL = 1024  # bytes of an answer without entries, generously
_WAIT_S = 1.0  # an answer that comes late is of no use
_LATEST_NS = 2**62  # the year 2116; beyond, stamps would not fit into 64 bits


class Network(Protocol):
    """What is needed of `agent.uplink.Uplink`."""

    def subscribe(self, topic_filter: str, listener: Listener) -> None:
        """Have `listener(topic, payload, retained)` called; it returns at once."""

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Have `watcher(up)` called; it returns at once."""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False, wait_s: float = 5
    ) -> bool:
        """Publish with QoS 1, or return False when there is no room for so long."""


class GatewayTime:
    """A `Link` of the sender that also asks.

    Args:
        uplink: The site's.
        branch: The agent's topics.
        clock: Takes the answers.
    """

    def __init__(self, uplink: Network, branch: AgentTopics, clock: SystemClock) -> None:
        self._uplink = uplink
        self._topics = branch
        self._clock = clock
        self._question: tuple[str, int] | None = None  # nonce, base when it was asked
        self.answers = 0
        """Answers so far, those of workers that are not sure of the time included."""

    # A link

    def subscribe(self, topic_filter: str, listener: Listener) -> None:
        """Have `listener(topic, payload, retained)` called; it returns at once."""
        if topic_filter == self._topics.stored:
            self._uplink.subscribe(topic_filter, self._between(listener))
        else:
            self._uplink.subscribe(topic_filter, listener)

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Have `watcher(up)` called; it returns at once."""
        self._uplink.on_connection(watcher)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False) -> bool:
        """Publish with QoS 1, or return False."""
        return self._uplink.publish(topic, payload, retain=retain, compressed=compressed)

    # Asking

    def ask(self, birth: str) -> None:
        """Send a question; it may wait for the network, so not in the event loop.

        Args:
            birth: Hash of the birth in force; nobody looks at it.
        """
        nonce = secrets.token_hex(8)
        question = codec.compress(codec.encode(Data(spool=nonce, entries=[], birth=birth, blocks=[])))
        self._question = nonce, self._clock.base()
        if not self._uplink.publish(self._topics.data, question, compressed=True, wait_s=_WAIT_S):
            self._question = None

    def _between(self, listener: Listener) -> Listener:
        def hear(topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 - a Listener
            if not self._answered(payload, self._clock.base()):
                listener(topic, payload, retained)

        return hear

    def _answered(self, payload: bytes, at_ns: int) -> bool:
        question = self._question
        if question is None or len(payload) > _SMALL or question[0].encode() not in payload:
            return False
        try:
            stored = codec.decode(payload, Stored)
        except WireError:
            return False
        if stored.spool != question[0] or stored.stored or stored.rejected:
            return False
        self._question = None
        self.answers += 1
        time_ns = int(stored.committed_at)
        if stored.clock_trusted and RELEASED_NS <= time_ns < _LATEST_NS:
            self._clock.answer(Answer(question[1], at_ns, time_ns, stored.worker))
        return True
