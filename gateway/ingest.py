"""What one message leads to: points in the store and a confirmation, a question, a dead letter, or nothing.

    birth                        remembered
    data, all written            stored [[seq, crc]...]
    data, some lines refused     the good lines are in the store; dead letter on disk, then rejected [...] for
                                 the entries they belong to and stored [...] for the others
    data, birth unknown          need_birth, once per hash in 5 s
    data without entries         stored without entries: what the time is here
    data, store away             nothing: the agent sends again
    unreadable                   dead letter, nothing: it names no entry that could be confirmed
    dead letters full            the entries with refused lines stay unconfirmed
    half of them unreadable      what else cannot be read is only counted

The caller acknowledges every message to the broker after `handle`, whatever came out: PUBACK carries no promise.
Only a confirmation frees the agent's spool, and none is made here before the store's write has returned. A worker
keeps no mark of what it has stored: writing an entry twice is harmless, and is confirmed again.

No MQTT, no thread: one call after the other, from whoever has the messages. A message that takes many requests to
the store can be handled in steps, so that others have their turn between two of them (`gateway.turns`).
"""

from __future__ import annotations

import base64
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from contract import codec, topics
from contract.errors import WireError
from contract.payload import Data, NeedBirth, Stored
from gateway import points
from gateway.deadletter import DeadLettersFull
from gateway.letter import DeadLetter
from gateway.rejection import encoded, letter_of, rejections
from gateway.stores.base import StoreUnavailable, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Sequence

    from contract.payload import EntryRef, Rejected
    from contract.topics import AgentTopics
    from gateway.clock import Clock
    from gateway.points import Dictionary
    from gateway.stores.base import Refusal, Store

COUNTS = (
    "messages",
    "births",  # parts
    "rows",  # of messages that were written
    "points",
    "stored",  # entries confirmed, repeated ones included
    "rejected",  # entries
    "unavailable",  # messages dropped because the store was away
    "need_birth",  # messages dropped because their birth was not known
    "malformed",
    "malformed_dropped",  # those of them for which there is no dead letter
    "dead_letters_full",
)
NEED_BIRTH_SECONDS = 5.0
LOG_LINES = 100  # in this time
_TOPIC_CHARS = 500  # more than any of ours has
_REASON_CHARS = 1000
LOG_SECONDS = 60.0  # between two lines about one topic and reason; `counts` and the dead letters tell how many

log = logging.getLogger(__name__)


class Known(Protocol):
    """Tag dictionaries by their hash, as `gateway.births.Births` keeps them."""

    def get(self, digest: str) -> Dictionary | None:
        """Return the dictionary with this hash, if it is known."""

    def raw(self, digest: str) -> bytes | None:
        """Return its JSON, if it is known."""

    def adding(self, branch: AgentTopics, digest: str, label: str, payload: bytes) -> Generator[None, None, None]:
        """Take one part, in steps; raise WireError when it is none."""


class Letters(Protocol):
    """Keeps dead letters, as `gateway.deadletter.DeadLetters` does."""

    def append(self, letter: DeadLetter, birth: Callable[[], bytes | None] | None = None) -> bool:
        """Keep a letter; return False if it is there already, raise DeadLettersFull if it cannot be kept."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1


class _Pace:
    """Lets each key pass once in a while; when it has seen too many keys it forgets them, and they pass early."""

    def __init__(self, seconds: float, limit: int = 10_000) -> None:
        self._seconds = seconds
        self._limit = limit
        self._passed: dict[Hashable, float] = {}

    def due(self, key: Hashable, now: float) -> bool:
        last = self._passed.get(key)
        if last is not None and now - last < self._seconds:
            return False
        if len(self._passed) >= self._limit:
            self._passed.clear()
        self._passed[key] = now
        return True


class Ingest:
    """Handles messages one at a time.

    Args:
        worker_id: Stands in every confirmation.
        store: Where points go; used from the thread that calls `handle`.
        births: Cache of tag dictionaries.
        deadletters: Where refused lines and unreadable messages go.
        clock: For commit times and for the pace of questions.
        factory: The only one whose messages are taken; any when None.

    Attributes:
        counts: Totals since the start, by the names of `COUNTS`.
        away_since: Monotonic seconds of the first failed write since the last one that worked, or None.
    """

    def __init__(
        self,
        worker_id: str,
        store: Store,
        births: Known,
        deadletters: Letters,
        clock: Clock,
        factory: str | None = None,
    ) -> None:
        self._worker = worker_id
        self._store = store
        self._births = births
        self._deadletters = deadletters
        self._clock = clock
        self._factory = factory
        self._questions = _Pace(NEED_BIRTH_SECONDS)
        self._lines = _Pace(LOG_SECONDS)
        self._minute = (0.0, 0)  # since when lines are counted, and how many there were
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))  # all keys, so that another thread may read
        self.away_since: float | None = None

    def handle(self, topic: str, payload: bytes, content_type: str | None) -> list[Outgoing]:
        """Do what a message asks for, all at once; see `steps`."""
        return finish(self.steps(topic, payload, content_type))

    def steps(self, topic: str, payload: bytes, content_type: str | None) -> Generator[None, None, list[Outgoing]]:
        """Do what a message asks for, in steps of some 100 ms at most; no content of it raises.

        Args:
            topic: Where it came from.
            payload: As it came; empty where a retained message was cleared.
            content_type: The MQTT 5 property.

        Returns:
            What to publish, in this order, when all steps are done.
        """
        self.counts["messages"] += 1
        try:
            branch, levels = topics.split(topic)
            if self._factory not in {None, branch.factory}:
                raise WireError(  # noqa: TRY301 - one place for all of them
                    f"a message of the factory {branch.factory}, and this gateway takes {self._factory}"
                )
            match levels:
                case ["birth", digest, label]:
                    if payload:
                        _check_type(content_type)
                        yield from self._births.adding(branch, digest, label, payload)
                        self.counts["births"] += 1
                    return []
                case ["data"]:
                    _check_type(content_type)
                    raw = codec.decompress(payload, codec.DATA_LIMIT)
                    return (yield from self._data(branch, codec.decode(raw, Data, codec.DATA_LIMIT)))
                case _:
                    raise WireError("a topic that no gateway reads")  # noqa: TRY301 - one place for all of them
        except WireError as exc:
            self._malformed(topic, payload, content_type, str(exc))
            return []

    def store_failed(self, exc: StoreUnavailable) -> None:
        """Note that the store cannot take anything now."""
        if self.away_since is None:
            self.away_since = self._clock.monotonic()
            log.warning("the store is away, agents keep their data and send it again: %s", exc)

    def store_works(self) -> None:
        """Note that the store takes data."""
        if self.away_since is not None:
            log.info("the store is back after %.0f s", self._clock.monotonic() - self.away_since)
            self.away_since = None

    def _data(self, branch: AgentTopics, data: Data) -> Generator[None, None, list[Outgoing]]:
        _check_entries(data)
        if not data.entries:
            return [
                Outgoing(branch.stored, codec.encode(self._confirmation(data.spool, [], [], self._clock.now())))
            ]
        dictionary = self._births.get(data.birth)
        if dictionary is None:
            return self._need_birth(branch, data.birth)
        if (dictionary.factory, dictionary.agent) != (branch.factory, branch.agent):
            raise WireError(f"birth {data.birth} belongs to {dictionary.factory}/{dictionary.agent}")
        batch = points.build(data, dictionary)
        refusals: Sequence[Refusal] = ()
        yield
        try:
            if batch.points:
                refusals = yield from self._store.writing(batch.points)
        except StoreUnavailable as exc:
            self.counts["unavailable"] += 1
            self.store_failed(exc)
            return []
        committed_at = self._clock.now()
        if batch.points:
            self.store_works()
        rejected = rejections(data, batch, refusals)
        if rejected:
            yield
        confirmed: list[EntryRef] = data.entries
        if rejected:
            confirmed = [entry for entry in data.entries if entry[0] not in rejected]
            if not self._keep(letter_of(branch.data, committed_at, data, batch, refusals, rejected)):
                rejected = {}
        self.counts["points"] += len(batch.points)
        self.counts["rows"] += sum(len(block.value) for block in data.blocks)
        self.counts["stored"] += len(confirmed)
        self.counts["rejected"] += len(rejected)
        confirmation = self._confirmation(data.spool, confirmed, list(rejected.values()), committed_at)
        return [Outgoing(branch.stored, payload) for payload in encoded(confirmation)]

    def _confirmation(
        self, spool: str, stored: list[EntryRef], rejected: list[Rejected], committed_at: int
    ) -> Stored:
        return Stored(
            spool=spool,
            stored=stored,
            rejected=rejected,
            committed_at=str(committed_at),
            clock_trusted=self._clock.trusted(),
            worker=self._worker,
        )

    def _need_birth(self, branch: AgentTopics, digest: str) -> list[Outgoing]:
        self.counts["need_birth"] += 1
        if not self._questions.due((branch, digest), self._clock.monotonic()):
            return []
        return [Outgoing(branch.need_birth, codec.encode(NeedBirth(birth=digest)))]

    def _malformed(self, topic: str, payload: bytes, content_type: str | None, reason: str) -> None:
        self.counts["malformed"] += 1
        letter = DeadLetter(
            at=self._clock.now(),
            topic=topic[:_TOPIC_CHARS],
            reason=reason[:_REASON_CHARS],
            payload=base64.b64encode(payload[: codec.DATA_LIMIT]).decode(),
            content_type=None if content_type is None else content_type[:_TOPIC_CHARS],
        )
        try:
            self._append(letter)
        except DeadLettersFull as exc:
            self.counts["malformed_dropped"] += 1
            if self._say("unreadable", "no room"):
                log.warning("messages that cannot be read are no longer kept: %s", exc)

    def _keep(self, letter: DeadLetter) -> bool:
        """Write the dead letter of a rejection; return whether it is on disk now."""
        try:
            self._append(letter)
        except DeadLettersFull as exc:
            self.counts["dead_letters_full"] += 1
            if self._say("refused", "no room"):
                log.error("dead letters are full, refused lines stay unconfirmed: %s", exc)  # noqa: TRY400 - no bug
            return False
        return True

    def _say(self, *key: str) -> bool:
        """Whether to log a line: one of a kind a minute, and so many in all, whoever makes up new kinds."""
        now = self._clock.monotonic()
        since, lines = self._minute
        if now - since >= LOG_SECONDS:
            since, lines = now, 0
        if lines >= LOG_LINES or not self._lines.due(key, now):
            return False
        self._minute = (since, lines + 1)
        return True

    def _append(self, letter: DeadLetter) -> bool:
        new = self._deadletters.append(letter, lambda: self._births.raw(letter.birth or ""))
        if new and self._say(letter.topic, letter.reason):
            log.error("%r: a dead letter was written: %s", letter.topic, letter.reason)
        return new


def _check_type(content_type: str | None) -> None:
    if content_type != codec.CONTENT_TYPE_ZSTD:
        raise WireError(f"content type {content_type!r:.60} where {codec.CONTENT_TYPE_ZSTD} is expected")


def _check_entries(data: Data) -> None:
    """Refuse a message whose parts could not be told apart in a confirmation."""
    seqs = {seq for seq, _ in data.entries}
    if len(seqs) < len(data.entries):
        raise WireError("an entry twice")
    parts: Iterable[Iterable[int]] = (
        (block.seq for block in data.blocks),
        (event.seq for event in data.events),
        (facts.seq for facts in data.facts),
    )
    if not seqs.issuperset(seq for part in parts for seq in part):
        raise WireError("a block, an event or facts of no entry")
