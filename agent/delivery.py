"""What to send, when to send it again, and when to stop: the delivery protocol without its network.

    entries --take--> at most 4 messages in flight --stored--> settled
                          |        ^
                          +-- due -+   max(10 s, 4 x the usual time to confirm), doubling to 5 min;
                                       at once when a worker appears or asks for the birth

A message holds whole entries of one spool and one birth. What the agent has just committed goes first; what is
older than a minute when it is first sent is backlog, marked historical, and goes when nothing new waits. An
acknowledgement of the broker means nothing here: only `stored` settles an entry, whichever process sent it, and
sending twice is harmless.

What was passed over is kept as one number, `_head` (everything after it was never taken), and the ranges of the
backlog before it. A restart of the process simply starts anew: everything unconfirmed is taken again.

Pure: no clock, file, socket or logger. Times are seconds of any monotonic clock; `wall_ns` is UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agent.entry import ENVELOPE, REFERENCE
from contract.codec import DATA_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WINDOW = 4
LIVE_NS = 60 * 10**9
FIRST_RESEND_S = 10.0
LAST_RESEND_S = 300.0
PRESENCE_S = 1.0  # how long a new connection waits for word of a worker before it sends all the same
PAGE = 512


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
class _Flight:
    entries: dict[tuple[str, int, str], Entry]
    historical: bool
    sent: float
    due: float
    sends: int = 1  # ever
    tries: int = 1  # since the back-off was reset


@dataclass(slots=True)
class Delivery:
    """The state of one agent's delivery. Not thread-safe.

    Args:
        window: Messages that may be unconfirmed at a time.
        limit: Bytes of a message, uncompressed.
    """

    window: int = WINDOW
    limit: int = DATA_LIMIT
    usual_s: float = 0.0  # smoothed time from sending to confirmation, of messages sent once
    _flights: list[_Flight] = field(default_factory=list)
    _head: int = 0
    _backlog: list[tuple[int, int]] = field(default_factory=list)  # (after, last) of ranges not yet sent
    _open_from: float | None = None  # when sending may begin on this connection; None while it is down

    def connected(self, now: float) -> None:
        """Begin to send: at once when a worker is known, else after `PRESENCE_S`."""
        self._open_from = now + PRESENCE_S
        for flight in self._flights:
            flight.due = self._open_from

    def disconnected(self) -> None:
        """Stop sending; what is in flight stays unconfirmed."""
        self._open_from = None

    def worker_appeared(self, now: float) -> None:
        """Send everything in flight again: what was sent before may have met nobody."""
        if self._open_from is not None:
            self._open_from = min(self._open_from, now)
        for flight in self._flights:
            flight.due, flight.tries = now, 0

    def birth_needed(self, digest: str, now: float) -> None:
        """Send again what a worker could not read without this birth."""
        for flight in self._flights:
            if any(entry.birth == digest for entry in flight.entries.values()):
                flight.due, flight.tries = now, 0

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
        for flight in self._flights:
            for key in confirmed & flight.entries.keys():
                del flight.entries[key]
                if flight.sends == 1 and not flight.historical:
                    clean.add(key[:2])
            if not flight.entries and flight.sends == 1:
                took = max(now - flight.sent, 0.0)
                self.usual_s = took if not self.usual_s else 0.8 * self.usual_s + 0.2 * took
        self._flights = [flight for flight in self._flights if flight.entries]
        return frozenset(clean)

    def gone(self, entries: Iterable[Entry]) -> None:
        """Forget entries that the spool no longer has."""
        for entry in entries:
            for flight in self._flights:
                flight.entries.pop(entry.key, None)
        self._flights = [flight for flight in self._flights if flight.entries]

    def restart(self) -> None:
        """Begin anew: the spool's file has been replaced."""
        self._flights, self._head, self._backlog = [], 0, []

    @property
    def in_flight(self) -> int:
        """Messages sent and not confirmed."""
        return len(self._flights)

    def take(self, entries: Entries, now: float, wall_ns: int) -> Message | None:
        """Return the next message to publish now, or None; call again until None."""
        if self._open_from is None or now < self._open_from:
            return None
        for flight in self._flights:
            if flight.due <= now:
                flight.sends += 1
                flight.tries += 1
                flight.sent, flight.due = now, now + self._patience(flight.tries)
                return Message(tuple(flight.entries.values()), flight.historical)
        if len(self._flights) >= self.window:
            return None
        return self._live(entries, now, wall_ns) or self._historical(entries, now)

    def due(self, now: float) -> float | None:
        """Return when `take` has something to do even if nothing new happens, None for never."""
        if self._open_from is None or now < self._open_from:
            return self._open_from
        return min((flight.due for flight in self._flights), default=None)

    def _patience(self, tries: int) -> float:
        return min(LAST_RESEND_S, max(FIRST_RESEND_S, 4 * self.usual_s) * 2.0 ** min(tries - 1, 16))

    def _live(self, entries: Entries, now: float, wall_ns: int) -> Message | None:
        old = entries.last_before(wall_ns - LIVE_NS)
        if old > self._head:
            self._backlog.append((self._head, old))
            self._head = old
        group = self._group(entries.unconfirmed(self._head, None, PAGE))
        if not group:
            return None
        self._head = group[-1].seq
        return self._send(group, now, historical=False)

    def _historical(self, entries: Entries, now: float) -> Message | None:
        while self._backlog:
            after, last = self._backlog[0]
            group = self._group(entries.unconfirmed(after, last + 1, PAGE))
            if not group:
                del self._backlog[0]
                continue
            self._backlog[0] = (group[-1].seq, last)
            return self._send(group, now, historical=True)
        return None

    def _group(self, candidates: Sequence[Entry]) -> list[Entry]:
        group: list[Entry] = []
        size = ENVELOPE
        for entry in candidates:
            size += entry.size + REFERENCE
            if group and (size > self.limit or entry[0] != group[0].spool or entry.birth != group[0].birth):
                break
            group.append(entry)
        return group

    def _send(self, group: list[Entry], now: float, *, historical: bool) -> Message:
        flying = {entry.key: entry for entry in group}
        self._flights.append(_Flight(flying, historical, sent=now, due=now + self._patience(1)))
        return Message(tuple(group), historical)
