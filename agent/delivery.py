"""What to send, when to send it again, and when to stop: the delivery protocol without its network.

    entries --take--> in flight (4) --stored--> settled
       ^                 |   ^
       |               lost  +---- sent again at once when a worker comes or goes, or asks for the birth
       |                 v
       |             suspects --- one at a time, after max(10 s, 4 x the usual time to confirm), doubling to 5 min
       |                 |
       +-- put back      +-- halved, when others were confirmed meanwhile: only the guilty entry stays

A message holds whole entries of one spool and one birth. What the agent has just committed goes first. What is
older than a minute when it is first sent is backlog: marked historical, not faster than `backlog` allows, in
smaller messages, and like suspects never in the last slot: new data always finds one, and little before it in any
queue.

An acknowledgement of the broker means nothing here: only `stored` settles an entry, whichever process sent it, and
sending twice is harmless. A message that is not confirmed in time has met nobody, or cannot be confirmed at all.
Nobody can tell which, so it gives its slot back and becomes a suspect; suspects share one slot, each with a
back-off of its own. When everything new is lost (`window` messages in a row), the way is taken to be closed: one
new message at a time tries it, ever more slowly, and what is lost of these is put back, so that neither poison nor
a long absence piles anything up here.

What was passed over is kept as one number, `_head` (everything after it was never taken), and the ranges of the
backlog before it, in which nothing is taken that is under way. A restart of the process simply starts anew:
everything unconfirmed is taken again.

Pure: no clock, file, socket or logger. Times are seconds of any monotonic clock; `wall_ns` is UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agent.bucket import Bucket
from agent.entry import ENVELOPE, REFERENCE
from contract.codec import DATA_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WINDOW = 4
HISTORICAL_LIMIT = DATA_LIMIT // 2
LIVE_NS = 60 * 10**9
FIRST_RESEND_S = 10.0
LAST_RESEND_S = 300.0
LAST_PROBE_S = 30.0
AGAIN_S = 10.0  # between two repetitions of a message when workers come and go: each may cost all the line has
PRESENCE_S = 1.0  # how long a new connection waits for word of a worker before it sends all the same
PAGE = 512
BACKLOG_RATE = 4_000_000
WORKERS = 1000  # whose presence is remembered; beyond them it only costs repetitions
SMALLEST = 4096  # to which a message's limit may shrink


class Entry(NamedTuple):
    """A committed entry, as the delivery needs to know it."""

    spool: str
    seq: int
    crc: str
    birth: str
    size: int  # bytes of its canonical content
    committed_ns: int

    @property
    def key(self) -> tuple[str, int, str]:
        """What a confirmation names."""
        return self.spool, self.seq, self.crc


class Entries(Protocol):
    """What the spool holds; set-aside entries are not among it."""

    def unconfirmed(self, after: int, before: int | None, limit: int) -> Sequence[Entry]:
        """Return unconfirmed entries with after < seq < before, in order, at most `limit`."""

    def last_before(self, committed_ns: int) -> int:
        """Return the highest seq among entries committed before this moment, 0 when there is none."""


class Message(NamedTuple):
    """Entries to publish now in one message."""

    entries: tuple[Entry, ...]
    historical: bool


@dataclass(slots=True)
class _Batch:
    """Entries that travel together."""

    entries: dict[tuple[str, int, str], Entry]
    historical: bool
    sent: float = 0.0  # last time
    due: float = 0.0  # in flight: when it is lost; a suspect: when it may go again
    sends: int = 0  # ever
    tries: int = 0  # since the back-off was reset
    suspect: bool = False
    again: float | None = None  # when it is to be sent again, without being lost
    repeated: float = float("-inf")  # when that was last to be done because a worker had come or gone


@dataclass(slots=True)
class Delivery:
    """The state of one agent's delivery. Not thread-safe.

    Args:
        window: Messages that may be unconfirmed at a time.
        backlog: How fast historical messages may go, in bytes on the line.
    """

    window: int = WINDOW
    backlog: Bucket = field(default_factory=lambda: Bucket(BACKLOG_RATE))
    limit: int = DATA_LIMIT  # bytes of a message, uncompressed; less where the broker takes less
    usual_s: float = 0.0  # smoothed time from sending to confirmation, of messages sent once
    _workers: set[str] = field(default_factory=set)  # known to be there, on this connection
    _flights: list[_Batch] = field(default_factory=list)
    _suspects: list[_Batch] = field(default_factory=list)
    _head: int = 0
    _ranges: list[tuple[int, int]] = field(default_factory=list)  # (after, last) of the backlog
    _open_from: float | None = None  # when sending may begin on this connection; None while it is down
    _lost: int = 0  # new messages that were lost since something was confirmed
    _heard: float = -1.0  # when something was confirmed
    _probe: float = 0.0  # when the next new message may try a way that seems closed

    def connected(self, now: float) -> None:
        """Begin to send: at once when a worker is known, else after `PRESENCE_S`."""
        self._open_from = now if self._workers else now + PRESENCE_S
        self.limit = DATA_LIMIT
        self._again(now)
        for flight in self._flights:
            flight.again = now

    def disconnected(self) -> None:
        """Stop sending; what is in flight stays unconfirmed, and who is there has to be told anew."""
        self._open_from = None
        self._workers.clear()

    def worker_known(self, worker: str, now: float) -> None:
        """Take note of a worker that was there when the connection was made; then sending may begin."""
        if len(self._workers) < WORKERS:
            self._workers.add(worker)
        if self._open_from is not None:
            self._open_from = min(self._open_from, now)

    def workers_changed(self, now: float, worker: str = "", *, here: bool = True) -> None:
        """Send everything unconfirmed again: what was sent before may have met nobody.

        A worker that comes and goes for ever does not take the line for itself: while others are there, a message
        is repeated for its sake every `AGAIN_S` at most. What has met nobody goes as soon as somebody comes.
        """
        first = here and self._workers <= {worker}
        if here:
            self.worker_known(worker, now)
        else:
            self._workers.discard(worker)
        self._again(now)
        for flight in self._flights:
            at = now if first else max(now, flight.repeated + AGAIN_S)
            flight.again = flight.repeated = at if flight.again is None else min(at, flight.again)

    def _again(self, now: float) -> None:
        self._lost = 0
        for flight in self._flights:
            flight.tries = 0
        for suspect in self._suspects:
            suspect.due, suspect.tries = now, 0

    def birth_needed(self, digest: str, now: float) -> None:
        """Send again what a worker could not read without this birth."""
        for flight in self._flights:
            if _of(flight, digest):
                flight.again, flight.tries = now, 0
        for suspect in self._suspects:
            if _of(suspect, digest):
                suspect.due, suspect.tries = now, 0

    def stored(self, keys: Iterable[tuple[str, int, str]], now: float) -> frozenset[tuple[str, int]]:
        """Settle entries.

        Args:
            keys: (spool, seq, crc) of entries that are stored or rejected.
            now: When the confirmation came.

        Returns:
            (spool, seq) of those that were sent exactly once, live: their latency means something.
        """
        clean = set()
        confirmed = set(keys)
        for batch in (*self._flights, *self._suspects):
            found = confirmed & batch.entries.keys()
            if not found:
                continue
            self._lost, self._heard = 0, now
            for key in found:
                del batch.entries[key]
                if batch.sends == 1 and not batch.historical:
                    clean.add(key[:2])
            if not batch.entries and batch.sends == 1:
                took = max(now - batch.sent, 0.0)
                self.usual_s = took if not self.usual_s else 0.8 * self.usual_s + 0.2 * took
        self._tidy()
        return frozenset(clean)

    def gone(self, entries: Iterable[Entry]) -> None:
        """Forget entries that the spool no longer has."""
        for entry in entries:
            for batch in (*self._flights, *self._suspects):
                batch.entries.pop(entry.key, None)
        self._tidy()

    def _tidy(self) -> None:
        self._flights = [flight for flight in self._flights if flight.entries]
        self._suspects = [suspect for suspect in self._suspects if suspect.entries]

    def restart(self) -> None:
        """Begin anew: the spool's file has been replaced."""
        self._flights, self._suspects, self._head, self._ranges, self._lost = [], [], 0, [], 0

    def revisit(self) -> None:
        """Look through everything again: entries have appeared among those that were passed over."""
        if self._head:
            self._ranges = [(0, self._head)]

    @property
    def in_flight(self) -> int:
        """Messages sent and not confirmed, as far as they are not given up for lost."""
        return len(self._flights)

    @property
    def suspects(self) -> int:
        """Entries that were sent in vain and wait to be sent again."""
        return sum(len(suspect.entries) for suspect in self._suspects)

    def too_large(self, message: Message, size: int, largest: int) -> bool:
        """Take a message back that the broker would refuse, to be sent in smaller ones.

        Args:
            message: What `take` has just returned.
            size: Its bytes on the line.
            largest: Bytes that the broker takes.

        Returns:
            Whether that can help: an entry is never cut, and one that is too large alone becomes a suspect.
        """
        keys = {entry.key for entry in message.entries}
        batch = next(flight for flight in self._flights if keys & flight.entries.keys())
        self._flights.remove(batch)
        if len(batch.entries) == 1:
            self._suspect(batch, batch.sent + LAST_RESEND_S)
            return False
        total = sum(entry.size + REFERENCE for entry in batch.entries.values()) + ENVELOPE
        self.limit = max(SMALLEST, min(self.limit, total * largest // size * 9 // 10))
        self._suspects += _halves(batch, batch.sent)
        return True

    def take(self, entries: Entries, now: float, wall_ns: int) -> Message | None:
        """Return the next message to publish now, or None; call again until None."""
        if self._open_from is None or now < self._open_from:
            return None
        for flight in self._flights:
            if flight.again is not None and flight.again <= now:
                return self._send(flight, now)
        self._expire(now)
        if len(self._flights) >= self.window:
            return None
        opened = not self._closed or (not self._trying and now >= self._probe)
        return (
            (self._live(entries, now, wall_ns) if opened else None)
            or self._suspected(now)
            or (self._historical(entries, now) if opened else None)
        )

    def due(self, now: float) -> float | None:
        """Return when `take` has something to do even if nothing new happens, None for never."""
        if self._open_from is None or now < self._open_from:
            return self._open_from
        times = [flight.due if flight.again is None else min(flight.again, flight.due) for flight in self._flights]
        if self._closed and not self._trying and self._probe > now:
            times.append(self._probe)
        if self._later_fits:
            if not any(flight.suspect for flight in self._flights):
                times += [suspect.due for suspect in self._suspects]
            if self._ranges and not self._closed:
                times.append(self.backlog.ready(now))
        return min(times, default=None)

    # Lost messages

    @property
    def _closed(self) -> bool:
        return self._lost >= self.window

    @property
    def _trying(self) -> bool:
        return any(not flight.suspect for flight in self._flights)

    @property
    def _later_fits(self) -> bool:
        """Whether there is a slot for what is not new: all but one, and that only while new data has one."""
        later = sum(flight.historical or flight.suspect for flight in self._flights)
        return later < self.window - 1 and len(self._flights) < self.window

    def _patience(self, tries: int) -> float:
        return min(LAST_RESEND_S, max(FIRST_RESEND_S, 4 * self.usual_s) * 2.0 ** min(tries - 1, 16))

    def _expire(self, now: float) -> None:
        """Take the slots of lost messages back."""
        for batch in [flight for flight in self._flights if flight.due <= now]:
            self._flights.remove(batch)
            if batch.suspect:
                if self._heard > batch.sent and len(batch.entries) > 1:
                    self._suspects += _halves(batch, now)
                else:
                    self._suspect(batch, batch.sent + self._patience(batch.tries))
                continue
            if self._closed:
                self._put_back(batch)
            else:
                self._suspect(batch, now)
            self._lost += 1
            if self._closed:
                waits = self._patience(1) * (2.0 ** min(self._lost - self.window, 16) - 1)
                self._probe = now + min(waits, LAST_PROBE_S)

    def _suspect(self, batch: _Batch, due: float) -> None:
        batch.suspect, batch.due = True, due
        self._suspects.append(batch)

    def _put_back(self, batch: _Batch) -> None:
        """Let entries be taken anew, after all the others: it may be they that cannot be confirmed."""
        seqs = [entry.seq for entry in batch.entries.values()]
        self._ranges.append((min(seqs) - 1, max(seqs)))

    def _suspected(self, now: float) -> Message | None:
        if not self._later_fits or any(flight.suspect for flight in self._flights):
            return None
        batch = min(self._suspects, key=lambda suspect: suspect.due, default=None)
        if batch is None or batch.due > now:
            return None
        self._suspects.remove(batch)
        self._flights.append(batch)
        return self._send(batch, now)

    # New messages

    def _live(self, entries: Entries, now: float, wall_ns: int) -> Message | None:
        old = entries.last_before(wall_ns - LIVE_NS)
        if old > self._head:
            self._ranges.append((self._head, old))
            self._head = old
        group = self._group(entries.unconfirmed(self._head, None, PAGE), self.limit)
        if not group:
            return None
        self._head = group[-1].seq
        return self._begin(group, now, historical=False)

    def _historical(self, entries: Entries, now: float) -> Message | None:
        while self._ranges and self._later_fits and self.backlog.ready(now) <= now:
            after, last = self._ranges[0]
            found = entries.unconfirmed(after, last + 1, PAGE)
            group = self._group(found, min(self.limit, HISTORICAL_LIMIT))
            if group:
                self._ranges[0] = (group[-1].seq, last)
                return self._begin(group, now, historical=True)
            if found:
                self._ranges[0] = (found[-1].seq, last)
            else:
                del self._ranges[0]
        return None

    def _group(self, candidates: Sequence[Entry], limit: int) -> list[Entry]:
        group: list[Entry] = []
        size = ENVELOPE
        known = {key for batch in (*self._flights, *self._suspects) for key in batch.entries}
        for entry in candidates:
            if entry.key in known:
                continue
            size += entry.size + REFERENCE
            if group and (size > limit or entry[0] != group[0].spool or entry.birth != group[0].birth):
                break
            group.append(entry)
        return group

    def _begin(self, group: list[Entry], now: float, *, historical: bool) -> Message:
        batch = _Batch({entry.key: entry for entry in group}, historical)
        self._flights.append(batch)
        return self._send(batch, now)

    def _send(self, batch: _Batch, now: float) -> Message:
        batch.sends += 1
        batch.tries += 1
        batch.again = None
        batch.sent, batch.due = now, now + self._patience(1)
        return Message(tuple(batch.entries.values()), batch.historical)


def _of(batch: _Batch, digest: str) -> bool:
    return any(entry.birth == digest for entry in batch.entries.values())


def _halves(batch: _Batch, due: float) -> list[_Batch]:
    """Cut a suspect in two, each to be sent by itself."""
    items = list(batch.entries.items())
    middle = len(items) // 2
    return [
        _Batch(dict(part), batch.historical, batch.sent, due, batch.sends, suspect=True)
        for part in (items[:middle], items[middle:])
    ]
