"""Evidence of the other agents, at the one that reports: taken, checked, on the disk, and only then confirmed.

    evidence/{agent}/{date}.{hash}.zst    what was taken
    evidence/late.json                    what came after the record of its day was signed, until a record says so

A day is taken once: the same content again is confirmed again, another content of that day is refused. Parts are
gathered in memory; what a restart or a flood takes from there is sent again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections import OrderedDict
from datetime import date as calendar_date
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import WireError
from agent.files import put
from agent.platform.refusals import words
from agent.platform.shelf import Shelf
from contract.codec import DATA_LIMIT, decode, encode
from contract.day import Late
from contract.evidence import CONTENT_LIMIT, EvidenceOk, joined, open_content, open_part
from contract.topics import AgentTopics, split
from readiness import sound
from readiness.evidence import current, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from agent.uplink import Uplink
    from contract.evidence import EvidencePart, Why

logger = logging.getLogger(__name__)

FOLDER, LATE = "evidence", "late.json"
MESSAGES, MESSAGES_BYTES = 256, 32 * 10**6
"""That wait to be looked at; more are dropped, and sent again."""
GATHERED = 8
"""Days of which some parts are there."""
OLDEST_DAYS = 400
AWAY_NS = 10 * 60 * 10**9
"""After so long without a connection, the others need time to notice that we are back."""
EARLY_NS = 10 * 60 * 10**9
"""So much may a day end in the future of our clock: both clocks are trusted, and not the same."""


class Bounds(NamedTuple):
    """Beginning and end of a production day, UTC ns."""

    start_ns: int
    end_ns: int


class Inbox:
    """Takes.

    Args:
        agents: Whose evidence is awaited.
        topics: Our own branch.
        folder: State folder.
        uplink: To the site; not yet started.
        now: UTC ns, None while nobody vouches for it.
        bounds: Returns when a production day begins and ends here.
        monotonic: Nanoseconds.

    Attributes:
        absent: Returns the agents that the signed record of a date names as absent.
        lock: Held while a day is taken, and by who signs: what is in when a day is signed is in its record.
        changed: Is called, in our thread, after a day was taken.
    """

    def __init__(
        self,
        agents: Iterable[str],
        topics: AgentTopics,
        folder: Path,
        uplink: Uplink,
        now: Callable[[], int | None],
        bounds: Callable[[calendar_date], Bounds],
        monotonic: Callable[[], int],
    ) -> None:
        self.lock = threading.RLock()
        self.shelves = {agent: Shelf(folder / FOLDER / agent) for agent in sorted(agents)}
        self.absent: Callable[[str], frozenset[str]] = lambda _date: frozenset()
        self.changed: Callable[[], None] = lambda: None
        self._topics = topics
        self._uplink = uplink
        self._now = now
        self._bounds = bounds
        self._monotonic = monotonic
        self._since: int | None = None  # listening
        self._lost: int | None = None
        self._file = folder / FOLDER / LATE
        self._late = self._kept()
        self._gathered: OrderedDict[tuple[str, str, str], dict[int, str]] = OrderedDict()
        self._refused: dict[tuple[str, str], Why] = {}
        self._messages: queue.Queue[tuple[str, bytes] | None] = queue.Queue(MESSAGES)
        self._waiting = 0  # bytes of them
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        every = AgentTopics(topics.factory, "x").evidence.replace("/x/", "/+/")
        uplink.subscribe(every, self._heard, DATA_LIMIT)
        uplink.on_connection(self._connection)

    def _kept(self) -> list[Late]:
        try:
            return decode(self._file.read_bytes(), list[Late])
        except FileNotFoundError:
            return []
        except (OSError, WireError) as exc:
            logger.warning("%s cannot be read: %s", self._file, exc)
            return []

    # Life

    def start(self) -> None:
        """Begin to take."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is not confirmed by now is sent again."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._messages.get_nowait()
        self._messages.put(None)
        self._thread.join(10)

    def _connection(self, up: bool) -> None:  # noqa: FBT001 - a watcher
        now = self._monotonic()
        if not up:
            self._lost = now if self._lost is None else self._lost
            return
        if self._since is None or (self._lost is not None and now - self._lost > AWAY_NS):
            self._since = now
        self._lost = None

    @property
    def listening_ns(self) -> int:
        """How long the others could have sent what they have: without it nobody is called absent."""
        since = self._since
        return 0 if since is None else self._monotonic() - since

    def _heard(self, topic: str, payload: bytes, _retained: bool) -> None:  # noqa: FBT001 - a Listener
        with self._counting, contextlib.suppress(queue.Full):  # what is dropped comes again
            if self._waiting + len(payload) <= MESSAGES_BYTES:
                self._messages.put_nowait((topic, payload))
                self._waiting += len(payload)

    def _run(self) -> None:
        while (message := self._messages.get()) is not None:
            with self._counting:
                self._waiting -= len(message[1])
            try:
                self.take(*message)
            except Exception:  # the next message must not suffer
                logger.exception("this is a bug in the inbox, please report it")

    # Taking

    def take(self, topic: str, payload: bytes) -> None:
        """Look at a message, and answer it when a day is whole, or cannot be taken."""
        try:
            agent = split(topic)[0].agent
            part = open_part(payload)
        except WireError as exc:
            logger.warning("%s: not a part of a day's evidence: %s", topic, exc)
            return
        shelf = self.shelves.get(agent)
        if shelf is None:
            self._answer(agent, part, "unknown_agent")
            return
        now = self._now()
        if now is None:
            return  # nobody knows the date: it comes again
        with self.lock:
            known = shelf.hash(part.date)
        if known is not None:
            self._answer(agent, part, None if known == part.hash else "other")
            return
        texts = self._gather(agent, part)
        if texts is None:
            return
        try:
            content = joined(texts, part.hash)
            why = self._wrong(agent, part, content, now)
        except WireError as exc:
            logger.warning("%s: the evidence of %s: %s", agent, part.date, exc)
            why = "content"
        if why is None and not self._keep(agent, part, content, shelf):
            return
        self._answer(agent, part, why)
        if why is None:
            self.changed()

    def _gather(self, agent: str, part: EvidencePart) -> Mapping[int, str] | None:
        """Return all parts when they are there."""
        key = (agent, part.date, part.hash)
        texts = self._gathered.setdefault(key, {})
        self._gathered.move_to_end(key)
        texts[part.part] = part.text
        if len(texts) == part.parts and max(texts) == part.parts:
            return self._gathered.pop(key)
        while len(self._gathered) > GATHERED or self._held() > CONTENT_LIMIT:
            self._gathered.popitem(last=False)
        return None

    def _held(self) -> int:
        return sum(len(text) for texts in self._gathered.values() for text in texts.values())

    def _wrong(self, agent: str, part: EvidencePart, content: bytes, now: int) -> Why | None:
        """Return why a day is not taken, None if it is.

        Raises:
            WireError: it cannot be read.
        """
        day = open_content(content)
        if (day.factory, day.agent) != (self._topics.factory, agent):
            return "branch"
        raw = bytes(day.evidence)
        if not current(raw):
            return "version"
        evidence = load(raw)
        sound.require(evidence)
        if not day.date == evidence.day == part.date:
            return "content"
        try:
            bounds = self._bounds(calendar_date.fromisoformat(day.date))
        except (ValueError, OverflowError):
            return "date"
        oldest = now - OLDEST_DAYS * 86_400 * 10**9
        if not oldest <= evidence.end_ns <= now + EARLY_NS:
            return "date"
        return None if (evidence.start_ns, evidence.end_ns) == bounds else "calendar"

    def _keep(self, agent: str, part: EvidencePart, content: bytes, shelf: Shelf) -> bool:
        with self.lock:
            try:
                if agent in self.absent(part.date):
                    self._came_late(Late(agent, part.date, part.hash))
                gone = shelf.keep(part.date, content)
            except OSError as exc:
                logger.warning("the evidence of %s for %s is not kept, it comes again: %s", agent, part.date, exc)
                return False
        for day in gone:
            logger.info("the evidence of %s for %s is 400 days old and goes", agent, day.date)
        return True

    def _came_late(self, late: Late) -> None:
        if late not in self._late:
            logger.warning(
                "%s for %s came after that day was signed: the next record names it", late.agent, late.date
            )
            put(self._file, encode([*self._late, late]))
            self._late.append(late)

    def _answer(self, agent: str, part: EvidencePart, why: Why | None) -> None:
        if why is None:
            self._refused = {key: one for key, one in self._refused.items() if key != (agent, part.date)}
        elif self._refused.get((agent, part.date)) != why:
            if len(self._refused) < OLDEST_DAYS:
                self._refused[agent, part.date] = why
            logger.error("the evidence of %s for %s is not taken: %s", agent, part.date, words(why).en)
        ok = encode(EvidenceOk(part.date, part.hash, why))
        self._uplink.publish(AgentTopics(self._topics.factory, agent).evidence_ok, ok)

    # What has come

    @property
    def late(self) -> Sequence[Late]:
        """What came after its day was signed, and no record says so yet; under `lock`."""
        return tuple(self._late)

    def named(self, late: Iterable[Late]) -> None:
        """Forget what a record names; under `lock`."""
        named = set(late)
        left = [one for one in self._late if one not in named]
        if left != self._late:
            self._late = left
            try:
                put(self._file, encode(left))
            except OSError as exc:  # a later record says it once more
                logger.warning("%s: %s", self._file, exc)

    def about(self) -> list[dict[str, object]]:
        """Return of each agent how many days there are, the latest of them, and what was not taken."""
        with self.lock:
            days = {agent: shelf.days() for agent, shelf in self.shelves.items()}
            refused = dict(self._refused)
        known = sorted({*days, *(agent for agent, _ in refused)})
        return [
            {
                "agent": agent,
                "awaited": agent in days,
                "days": len(days.get(agent, ())),
                "last": days[agent][-1].date if days.get(agent) else None,
                "refused": {date: why for (who, date), why in sorted(refused.items()) if who == agent},
            }
            for agent in known
        ]
