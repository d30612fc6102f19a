"""Days of this agent on their way to the reporter of its factory.

    a day closes -> outbox/{date}.{hash}.zst -> `evidence`, in parts -> `evidence_ok {date, hash}` -> the file goes

A day is packed once, with the configuration and answers that are in force then, so what is sent again is the same
to the byte. It waits for as long as the reporter is away, and is sent again after each connection and at longer and
longer pauses. Of days that are refused for one reason, one is sent again each half hour, another each time: when it
is taken, all of them go. Nothing but a confirmation of exactly this content frees a day; of more than 400 days that
wait, the oldest is given up, and that is said.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from agent.errors import WireError
from agent.files import put
from agent.platform.refusals import words
from agent.platform.shelf import Shelf
from contract.codec import decode, encode
from contract.evidence import EvidenceOk, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.uplink import Uplink
    from contract.evidence import Why
    from contract.topics import AgentTopics

logger = logging.getLogger(__name__)

FOLDER, NOTES = "outbox", "freed.json"
AT_ONCE = 2
"""Days that are sent and not answered yet, at most: after weeks a reporter is not run over."""
FIRST_S, LONGEST_S, REFUSED_S = 30.0, 1800.0, 1800.0
TICK_S = 5.0
REMEMBERED = 800
"""Days of which it is known that they need not be packed again; twice as many as the evidence has."""


class Notes(msgspec.Struct):
    """What became of days: those that this reporter has, and those given up, with the reason."""

    reporter: str
    freed: dict[str, str] = {}
    given_up: dict[str, str] = {}


@dataclass(slots=True)
class _Sent:
    """How a waiting day stands, monotonic nanoseconds."""

    again_ns: int = 0
    sent_ns: int = 0
    pause_s: float = FIRST_S
    waiting: bool = False
    refused: Why | None = None


class Outbox:
    """Packs, sends and frees.

    Args:
        reporter: The agent that it sends to.
        dates: Returns the dates of closed days.
        pack: Returns the content of one, None where it cannot be read.
        uplink: To the site; not yet started.
        topics: The agent's branch.
        folder: State folder.
        monotonic: Nanoseconds.
    """

    def __init__(
        self,
        reporter: str,
        dates: Callable[[], Iterable[str]],
        pack: Callable[[str], bytes | None],
        uplink: Uplink,
        topics: AgentTopics,
        folder: Path,
        monotonic: Callable[[], int],
    ) -> None:
        self.reporter = reporter
        self._dates = dates
        self._pack = pack
        self._uplink = uplink
        self._topics = topics
        self._monotonic = monotonic
        self._shelf = Shelf(folder / FOLDER)
        self._file = folder / FOLDER / NOTES
        self._notes = self._kept()
        self._sent: dict[str, _Sent] = {}
        self._tried: dict[Why, int] = {}  # when a day that is refused for this was last tried, monotonic ns
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        uplink.subscribe(topics.evidence_ok, lambda _topic, payload, _retained: self._inbox.put(payload))
        uplink.on_connection(self._connection)

    def _kept(self) -> Notes:
        """Return what became of days; another reporter has none of them, and gets all that there are."""
        try:
            notes = decode(self._file.read_bytes(), Notes)
        except FileNotFoundError:
            return Notes(self.reporter)
        except (OSError, WireError) as exc:  # days are packed and sent again: the reporter knows them
            logger.warning("%s cannot be read: %s", self._file, exc)
            return Notes(self.reporter)
        return notes if notes.reporter == self.reporter else Notes(self.reporter)

    # Life

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End; what waits, waits on the disk."""
        self._stopping.set()
        self._inbox.put(None)
        self._thread.join(10)

    def _connection(self, up: bool) -> None:  # noqa: FBT001 - a watcher
        if up:
            self._connected.set()
            self._inbox.put(b"")

    # In the reporter's thread

    def turn(self) -> None:
        """Pack the days that have closed."""
        for date in sorted(self._dates()):
            with self._lock:
                known = date in self._notes.freed or date in self._notes.given_up or self._shelf.hash(date)
            if known:
                continue
            content = self._pack(date)
            if content is None:
                continue
            try:
                with self._lock:
                    self._given_up(self._shelf.keep(date, content))
            except OSError as exc:
                logger.warning("the evidence of %s is not packed yet: %s", date, exc)
                return
            self._inbox.put(b"")

    def _given_up(self, gone: Iterable[tuple[str, str]]) -> None:
        for date, _ in gone:
            logger.error(
                "the evidence of %s never reached %s and is given up: too many days wait", date, self.reporter
            )
            self._notes.given_up[date] = "waited"
            self._write()

    # In our own thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                payload = self._inbox.get(timeout=TICK_S)
                if payload is None:
                    return
                if payload:
                    self._answered(payload)
                    continue
            except queue.Empty:
                pass
            try:
                self.send()
            except Exception:  # the next day must not suffer
                logger.exception("this is a bug in the outbox, please report it")

    def send(self) -> None:
        """Send what is due."""
        now = self._monotonic()
        with self._lock:
            waiting = self._shelf.days()
            if self._connected.is_set():
                self._connected.clear()
                self._sent = {d: _Sent(refused=s.refused, sent_ns=s.sent_ns) for d, s in self._sent.items()}
                self._tried.clear()
        under_way = sum(1 for one in self._sent.values() if one.waiting and now < one.again_ns)
        probes = self._probes(now, {date for date, _ in waiting})
        for date, name in waiting:
            one = self._sent.setdefault(date, _Sent())
            if now < one.again_ns or (one.refused is not None and date not in probes):
                continue
            if under_way >= AT_ONCE or not self._uplink.up:
                return
            if not self._send(date, name):
                return
            under_way += 1
            one.sent_ns = self._monotonic()
            if one.refused is not None:
                self._tried[one.refused] = one.sent_ns
            one.again_ns, one.waiting = one.sent_ns + round(one.pause_s * 1e9), True
            one.pause_s = min(2 * one.pause_s, LONGEST_S)

    def _probes(self, now: int, waiting: set[str]) -> set[str]:
        """Return of each reason for which days are refused the one that was sent longest ago, when it is time."""
        found: dict[Why, tuple[int, str]] = {}
        for date, one in self._sent.items():
            if one.refused is None or date not in waiting:
                continue
            if (before := self._tried.get(one.refused)) is not None and now < before + round(REFUSED_S * 1e9):
                continue
            place = one.sent_ns, date
            found[one.refused] = min(found.get(one.refused, place), place)
        return {date for _, date in found.values()}

    def _send(self, date: str, name: str) -> bool:
        with self._lock:
            content = self._shelf.read(date)
        if content is None:
            return True
        try:
            messages = parts(date, content, self._uplink.largest)
        except WireError as exc:
            self._let_go(date, name, str(exc))
            return True
        return all(self._uplink.publish(self._topics.evidence, one, compressed=True) for one in messages)

    def _answered(self, payload: bytes) -> None:
        try:
            ok = decode(payload, EvidenceOk)
        except WireError as exc:
            logger.warning("what %s has answered cannot be read: %s", self.reporter, exc)
            return
        with self._lock:
            name = self._shelf.hash(ok.date)
        if name != ok.hash:
            if name is not None:
                logger.warning("%s confirms another evidence of %s: ours goes on waiting", self.reporter, ok.date)
            return
        if ok.refused == "other":
            self._let_go(ok.date, name, ok.refused)
        elif ok.refused is not None:
            one = self._sent.setdefault(ok.date, _Sent())
            if one.refused != ok.refused:
                words_of = words(ok.refused).en
                logger.error("%s does not take the evidence of %s: %s", self.reporter, ok.date, words_of)
            one.refused, one.waiting = ok.refused, False
            self._tried[ok.refused] = self._monotonic()
        else:
            if (before := self._sent.get(ok.date)) is not None and before.refused is not None:
                self._tried.pop(before.refused, None)
                for one in self._sent.values():
                    if one.refused == before.refused:
                        one.refused, one.again_ns = None, 0  # what stood in its way is mended
            self._let_go(ok.date, name, None)

    def _let_go(self, date: str, name: str, why: str | None) -> None:
        """Remember what became of a day, and then let its file go: a power cut between repeats only the second."""
        if why is not None:
            logger.error("the evidence of %s is given up: %s", date, words(why).en)
        with self._lock:
            if why is None:
                self._notes.freed[date] = name
            else:
                self._notes.given_up[date] = why
            if not self._write():
                return  # it is sent again later, and answered again
            try:
                self._shelf.drop(date)
            except OSError as exc:
                logger.warning("the evidence of %s is freed and still there: %s", date, exc)
            self._sent.pop(date, None)
        self._inbox.put(b"")

    def _write(self) -> bool:
        """Write down what became of days. Without it a day would be packed anew, with what is in force by then."""
        for known in (self._notes.freed, self._notes.given_up):
            for date in sorted(known)[:-REMEMBERED]:
                del known[date]
        try:
            put(self._file, encode(self._notes))
        except OSError as exc:
            logger.warning("it is not kept what became of days: %s", exc)
            return False
        return True

    # Asked by people

    def about(self) -> dict[str, object]:
        """Return how many days wait, since when, what was refused, and what was given up."""
        with self._lock:
            waiting = [date for date, _ in self._shelf.days()]
            return {
                "waiting": len(waiting),
                "oldest": waiting[0] if waiting else None,
                "refused": {d: self._sent[d].refused for d in waiting if d in self._sent and self._sent[d].refused},
                "given_up": dict(self._notes.given_up),
                "last": max(self._notes.freed, default=None),
            }
