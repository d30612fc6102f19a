"""The spool's way to the gateway: births, data, and what comes back.

One thread of its own. It sleeps until the spool has committed, a message has come, the connection has changed, or
something is due to be sent again; what to do then is decided by `agent.delivery`.
"""

from __future__ import annotations

import itertools
import logging
import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from agent import entry
from agent.bucket import Bucket
from agent.delivery import BACKLOG_RATE, WORKERS, Delivery
from agent.errors import WireError
from contract import codec, topics
from contract.payload import NeedBirth, Stored, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.clock import Clock
    from agent.delivery import Message
    from agent.spool import Spool
    from contract.topics import AgentTopics

logger = logging.getLogger(__name__)

INBOX = 200  # messages that wait; a lost confirmation only means sending again
BIRTH_EVERY_S = 1.0
DISK_S = 1.0
SOURCES_SAID = 1000  # of which refused values are logged; a flood of made-up names must not fill the memory


class Link(Protocol):
    """What is needed of `agent.uplink.Uplink`."""

    def subscribe(self, topic_filter: str, listener: Callable[[str, bytes, bool], None]) -> None:
        """Have `listener(topic, payload, retained)` called; it returns at once."""

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Have `watcher(up)` called; it returns at once."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False) -> bool:
        """Publish with QoS 1, or return False."""


class Sender:
    """Delivers what the spool holds, and frees it by what the gateway confirms.

    Args:
        spool: Begun or started.
        uplink: Not yet started.
        branch: The agent's topics.
        clock: Times of sending and ages.
        largest: Bytes of the largest payload that the broker takes, as far as that is known.
        backlog_rate: Bytes a second that a backlog may take of the line.
    """

    def __init__(
        self,
        spool: Spool,
        uplink: Link,
        branch: AgentTopics,
        clock: Clock,
        largest: Callable[[], int | None] = lambda: None,
        backlog_rate: int = BACKLOG_RATE,
    ) -> None:
        self._spool = spool
        self._uplink = uplink
        self._topics = branch
        self._clock = clock
        self._largest = largest
        self._delivery = Delivery(backlog=Bucket(backlog_rate))
        self._released = 0  # entries that were held, and may be sent now
        self._generation = spool.generation
        self._inbox: deque[Callable[[], None]] = deque(maxlen=INBOX)
        self._wake = threading.Event()
        self._stopping = False
        self._up = False
        self._changed = False  # the connection, since the last step
        self._hello = False  # a new connection has not got our births yet
        self._announced: dict[str, float] = {}
        self._said: set[str] = set()
        self._others: set[str] = set()  # topics of workers that serve other factories: they come and go without us
        self._refused: set[str] = set()  # sources of which the store does not take all, said
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        uplink.subscribe(branch.stored, lambda _, raw, __: self._receive(lambda: self._stored(raw)))
        uplink.subscribe(branch.need_birth, lambda _, raw, __: self._receive(lambda: self._need_birth(raw)))
        uplink.subscribe(topics.worker("+"), lambda *said: self._receive(lambda: self._worker(*said)))
        uplink.on_connection(self._connection)
        spool.listen(self._wake.set)

    def start(self) -> None:
        """Begin; the uplink is started by its owner."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not confirmed stays in the spool."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def introduce(self) -> None:
        """Publish the birth in force, which has just changed; a connection that comes later brings it along."""
        self._receive(self._introduce)

    def _introduce(self) -> None:
        body = self._spool.birth_named(self._spool.birth)
        if body is not None and self._up:
            self._announce(self._spool.birth, body)

    @property
    def in_flight(self) -> int:
        """Messages sent and not confirmed."""
        return self._delivery.in_flight

    @property
    def suspects(self) -> int:
        """Entries that were sent in vain and wait to be sent again."""
        return self._delivery.suspects

    @property
    def usual_s(self) -> float:
        """Smoothed time from sending to confirmation; 0 before the first."""
        return self._delivery.usual_s

    def _receive(self, job: Callable[[], None]) -> None:
        self._inbox.append(job)
        self._wake.set()

    def _now(self) -> float:
        return self._clock.monotonic() / 1e9

    def _run(self) -> None:
        while not self._stopping:
            try:
                wait = self.step()
                self._said.discard("spool")
            except (sqlite3.Error, OSError) as exc:
                self._once("spool", "the spool cannot be read now, nothing is lost: %s", exc)
                wait = DISK_S
            except Exception:  # what is in the spool stays there; try again
                logger.exception("nothing is sent for a moment: this is a bug, please report it")
                wait = DISK_S
            self._wake.wait(wait)
            self._wake.clear()

    def step(self) -> float | None:
        """Do what there is to do; return how many seconds it can wait for the next thing."""
        if self._changed:
            self._changed = False
            self._hello = self._up
            self._delivery.disconnected()  # also when there was another connection before and nobody has looked
        while self._inbox:
            self._inbox.popleft()()
        if self._spool.generation != self._generation:
            self._generation = self._spool.generation
            self._delivery.restart()
        released = self._spool.stats().released_entries
        if released != self._released:  # how many are held does not tell: others may be held meanwhile
            self._delivery.revisit()
        self._released = released
        if self._hello:
            self._greet()
        while message := self._delivery.take(self._spool, self._now(), self._clock.now()):
            if not self._publish(message):
                break
        due = self._delivery.due(self._now())
        return None if due is None else max(0.0, due - self._now())

    def _publish(self, message: Message) -> bool:
        found = self._spool.sending(message.entries)
        if len(found) < len(message.entries):
            there = {known.key for known, _ in found}
            self._delivery.gone(known for known in message.entries if known.key not in there)
        if not found:
            return True
        first = found[0][0]
        raw = entry.message(
            first.spool,
            first.birth,
            [(known.seq, known.crc, content) for known, content in found],
            historical=message.historical,
        )
        payload = codec.compress(raw)
        largest = self._largest()
        if largest is not None and len(payload) > largest:
            if not self._delivery.too_large(message, len(payload), largest):
                text = "entry %d has %d bytes and the broker takes %d, it waits: raise the broker's limit to %d"
                logger.error(text, first.seq, len(payload), largest, codec.DATA_LIMIT)
            return True
        if message.historical:
            self._delivery.backlog.spend(len(payload))
        return self._uplink.publish(self._topics.data, payload, compressed=True)

    # What comes in

    def _stored(self, raw: bytes) -> None:
        try:
            stored = codec.decode(raw, Stored)
        except WireError as exc:
            self._once("stored", "a confirmation cannot be read: %s", exc)
            return
        keys = [(stored.spool, seq, crc) for seq, crc in stored.stored]
        keys += [(stored.spool, rejected.seq, rejected.crc) for rejected in stored.rejected]
        for rejected in stored.rejected:
            self._say_refused({row[0] for row in rejected.rows} - self._refused, rejected.reason)
        self._spool.confirm(stored, self._delivery.stored(keys, self._now()))

    def _need_birth(self, raw: bytes) -> None:
        try:
            digest = codec.decode(raw, NeedBirth).birth
        except WireError as exc:
            self._once("need_birth", "a request for a birth cannot be read: %s", exc)
            return
        now = self._now()
        if now - self._announced.get(digest, -BIRTH_EVERY_S) < BIRTH_EVERY_S:
            return
        body = self._spool.birth_named(digest)
        if body is None:
            self._once("birth", "the gateway asks for births that are not here, such as %s", digest)
            return
        self._announce(digest, body)
        self._delivery.birth_needed(digest, now)

    def _worker(self, topic: str, raw: bytes, retained: bool) -> None:  # noqa: FBT001 - as the uplink says it
        if raw and _serves(raw, self._topics.factory):
            self._others.discard(topic)
        elif raw and len(self._others) < WORKERS:
            self._others.add(topic)
        if topic in self._others:
            return
        if retained:
            self._delivery.worker_known(topic, self._now())
        else:
            self._delivery.workers_changed(self._now(), topic, here=bool(raw))

    def _connection(self, up: bool) -> None:  # noqa: FBT001 - as the uplink says it
        self._up = up  # not by the inbox, where a flood of messages could push it out
        self._changed = True
        self._wake.set()

    def _greet(self) -> None:
        """Publish the births that entries name, clear those that none names any more, then let data go."""
        for digest, body, named in self._spool.births():
            if named:
                self._announce(digest, body)
            elif self._clear(digest, body):
                self._spool.forget_birth(digest)
        self._hello = False
        self._delivery.connected(self._now())

    def _announce(self, digest: str, body: bytes) -> None:
        self._announced[digest] = self._now()
        largest = self._largest()
        parts = codec.birth_parts(body, largest)
        if largest is not None and (size := max(map(len, parts))) > largest:
            text = "the tag dictionary needs messages of %d bytes, the broker takes %d: data waits, raise its limit"
            self._once("parts", text, size, largest)
        for i, part in enumerate(parts, 1):
            self._uplink.publish(self._topics.birth(digest, i, len(parts)), part, retain=True, compressed=True)

    def _clear(self, digest: str, body: bytes) -> bool:
        cuts = {len(codec.birth_parts(body, largest)) for largest in (None, self._largest())}
        parts = [(i, n) for n in cuts for i in range(1, n + 1)]
        return all(self._uplink.publish(self._topics.birth(digest, i, n), b"", retain=True) for i, n in parts)

    def _say_refused(self, sources: Iterable[str], reason: str) -> None:
        for source in itertools.islice(sources, max(0, SOURCES_SAID - len(self._refused))):
            self._refused.add(source)
            logger.error("%s: the store refuses values, the gateway keeps them as dead letters: %s", source, reason)

    def _once(self, key: str, text: str, *values: object) -> None:
        if key not in self._said:
            self._said.add(key)
            logger.warning(text, *values)


def _serves(raw: bytes, factory: str) -> bool:
    """Return whether a worker takes data of this factory; who cannot be read may."""
    try:
        return codec.decode(raw, Worker).factory in {"", factory}
    except WireError:
        return True
