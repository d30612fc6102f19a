"""Closed production days as the report looks at them: those of this box, and of the agents that report through it.

Days are read one by one and kept, because closed days never change: of each what the latest window looks at. What
an earlier window looks at beyond that is read for it and not kept.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from datetime import date as calendar_date
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import WireError
from agent.platform.inbox import Bounds
from agent.platform.packing import told
from contract.codec import checksum, encode
from contract.evidence import open_content
from readiness import together
from readiness.compact import FAR, WHOLE, Compact, level
from readiness.evidence import Recorded, current, load, without_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from contextlib import AbstractContextManager

    from agent.platform.inbox import Inbox
    from agent.platform.packing import Told
    from agent.spool import Spool
    from readiness.evidence import DayEvidence
    from readiness.schedule import Calendar

logger = logging.getLogger(__name__)

OWN = ""
"""Name of this box among the agents, in `readiness.together`."""
Tally = dict[str, dict[int, int]]
"""By key, `latency/{machine}`, and bucket."""


class _Read(NamedTuple):
    """A day, how much of it, what it was read from, and what the other agents have counted on it."""

    version: tuple[str, ...]
    much: int
    recorded: Recorded
    tally: Tally


class Past:
    """Reads.

    Args:
        spool: Keeps our own days and counts.
        agent: Our own id.
        inbox: Has taken those of the others; None where this agent is alone, or another one reports.
    """

    def __init__(self, spool: Spool, agent: str, inbox: Inbox | None = None) -> None:
        self._spool = spool
        self._agent = agent
        self._inbox = inbox
        self._read: dict[str, _Read] = {}
        self._compact = Compact()
        self._told: dict[str, tuple[str, Told | None]] = {}
        self._lock = threading.RLock()
        self._left_out: frozenset[str] = frozenset()
        self._unreadable: set[str] = set()
        self._damaged: set[str] = set()
        self._foreign: dict[str, set[str]] = {}  # agent -> days of its that another release has packed
        self._said = False
        self._latest: calendar_date | None = None

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Is held while nothing new may come in."""
        return contextlib.nullcontext() if self._inbox is None else self._inbox.lock

    # What there is

    def own(self) -> list[str]:
        """Return the dates of our own closed days that this release can read; an update begins evidence anew."""
        return [date for date in self._spool.dates() if date not in self._unreadable | self._damaged]

    @property
    def broken(self) -> str | None:
        """First day that can be compared, where days before it are of another release; they are known once read."""
        last = max(self._unreadable, default=None)
        return None if last is None else min((date for date in self.own() if date > last), default=None)

    def dates(self) -> list[str]:
        """Return the dates of which any agent has evidence, in order."""
        found = set(self.own())
        if self._inbox is not None:
            with self._inbox.lock:
                for agent, shelf in self._inbox.shelves.items():
                    found |= {day.date for day in shelf.days()} - self._foreign.get(agent, set())
        return sorted(found)

    def _here(self, agent: str, date: str) -> bool:
        """Return whether a day of another agent is here, and of a release that this one can read."""
        assert self._inbox is not None
        return self._inbox.shelves[agent].hash(date) is not None and date not in self._foreign.get(agent, ())

    def absent(self, date: str) -> list[str]:
        """Return the agents whose evidence of a day is not here, sorted."""
        away = [] if date in self.own() else [self._agent]
        if self._inbox is not None:
            with self._inbox.lock:
                away += [agent for agent in self._inbox.shelves if not self._here(agent, date)]
        return sorted(away)

    def away(self) -> Mapping[str, Collection[str]]:
        """Return for each agent the dates that others have evidence of, and it has not; empty for one alone."""
        if self._inbox is None:
            return {}
        dates, own = self.dates(), set(self.own())
        found: dict[str, Collection[str]] = {self._agent: {date for date in dates if date not in own}}
        with self._inbox.lock:
            for agent in self._inbox.shelves:
                found[agent] = {date for date in dates if not self._here(agent, date)}
        return {agent: days for agent, days in sorted(found.items()) if days}

    # What is in it

    def raw(self, date: str) -> bytes | None:
        """Return the bytes of one of our own days; None for one that this release cannot read."""
        raw = self._spool.day(date)
        if raw is None:
            return None
        if current(raw):
            return raw
        self._unreadable.add(date)
        if not self._said:
            self._said = True
            logger.warning("days of evidence by another release are left out of the report, %s among them", date)
        return None

    def whole(self, date: str) -> bytes | None:
        """Return the bytes of one of our own days; None for one that nobody could read."""
        raw = self.raw(date)
        return None if raw is None or self._loaded(date, raw) is None else raw

    def _loaded(self, date: str, raw: bytes, *, values: bool = True) -> DayEvidence | None:
        """Return what one of our own days says; None where the disk has damaged it: the others count without it."""
        try:
            return load(raw, values=values)
        except WireError as exc:
            if date not in self._damaged:
                self._damaged.add(date)
                logger.error("the evidence of %s is damaged and left out of the report: %s", date, exc)  # noqa: TRY400
            return None

    def day(self, date: str, much: int = WHOLE) -> Recorded | None:
        """Return the evidence of the factory on a date, None for one of which there is none.

        Args:
            date: ISO date.
            much: How much of it, at least; see `readiness.compact`.
        """
        with self._lock, self.lock:
            shelves = {} if self._inbox is None else self._inbox.shelves
            version = tuple(shelf.hash(date) or "" for shelf in shelves.values())
            keep, kept = self._usual(date), self._read.get(date)
            if kept is not None and (kept.version != version or kept.much > keep):
                kept = None
            if kept is not None and kept.much < keep:  # it has grown old
                kept = self._read[date] = self._less(kept, keep)
            if kept is not None and kept.much <= much:
                return kept.recorded
            found = self._factory(date, version, min(keep, much)) if shelves else self._alone(date, min(keep, much))
            if found is None:
                self._read.pop(date, None)
                return None
            if kept is None:
                kept = self._read[date] = self._less(found, keep)
            return kept.recorded if kept.much <= much else self._less(found, much).recorded

    def _usual(self, date: str) -> int:
        """Return how much of a day is kept: what the latest window looks at. Earlier windows read it anew."""
        latest = self._latest
        return WHOLE if latest is None else level((latest - calendar_date.fromisoformat(date)).days)

    def _less(self, found: _Read, much: int) -> _Read:
        recorded = Recorded(self._compact.day(found.recorded.day, much), found.recorded.checksum)
        return found._replace(much=much, recorded=recorded)

    def days(self, until: calendar_date | None = None) -> Iterator[tuple[str, Recorded]]:
        """Yield days in order, each with what a window looks at that ends before a date.

        Args:
            until: The date, not included; None for all days, with what the latest window looks at.
        """
        dates = self.dates()
        with self._lock:
            for date in self._read.keys() - set(dates):
                del self._read[date]
            self._latest = calendar_date.fromisoformat(dates[-1]) if dates else None
        last = self._latest or calendar_date.min
        end = last if until is None else until - timedelta(days=1)
        for date in dates:
            age = (end - calendar_date.fromisoformat(date)).days
            day = self.day(date, level(age)) if age >= 0 else None
            if day is not None:
                yield date, day

    def _alone(self, date: str, much: int) -> _Read | None:
        raw = self.raw(date)
        day = None if raw is None else self._loaded(date, raw, values=much < FAR)
        return None if raw is None or day is None else _Read((), WHOLE, Recorded(day, checksum(raw)), {})

    def _factory(self, date: str, version: tuple[str, ...], much: int) -> _Read | None:
        """Return what all agents saw; a day of another length than the first is left out: it cannot be added.

        Its checksum is of the bytes of all parts, and of what is left out: so it is the same however much is read.
        """
        assert self._inbox is not None
        parts: dict[str, DayEvidence] = {}
        sums: dict[str, str] = {}
        tally: Tally = {}
        raw = self.raw(date)
        if raw is not None and (own := self._loaded(date, raw, values=much < FAR)) is not None:
            parts[OWN], sums[OWN] = own if much < FAR else without_values(own), checksum(raw)
        for agent, shelf in self._inbox.shelves.items():
            content = shelf.read(date) if self._here(agent, date) else None
            if content is None:
                continue
            try:
                day = open_content(content)
                raw = bytes(day.evidence)
                if not current(raw):
                    self._left(agent, date)
                    continue
                parts[agent], sums[agent] = _part(raw, much), checksum(raw)
            except WireError as exc:
                logger.warning("the evidence of %s for %s is left out: %s", agent, date, exc)
                continue
            tally |= {one.key: dict(one.buckets) for one in day.tallies}
        if not parts:
            return None
        first = next(iter(parts.values()))
        same = {a: d for a, d in parts.items() if (d.start, d.end) == (first.start, first.end)}
        whole = together.together(same, self._left_out)
        kept = {key: one for key, one in tally.items() if key.split("/", 1)[1] not in self._left_out}
        of = [[agent, sums[agent]] for agent in same]
        return _Read(version, WHOLE, Recorded(whole, checksum(encode([of, sorted(self._left_out)]))), kept)

    def _left(self, agent: str, date: str) -> None:
        """Leave out a day of another agent that another release has packed, and say so once of each agent."""
        if agent not in self._foreign:
            logger.warning(
                "days of %s that another release has packed are left out of the report, %s among them", agent, date
            )
        self._foreign.setdefault(agent, set()).add(date)

    def bounds(self, date: calendar_date, calendar: Calendar) -> Bounds:
        """Return when a production day began and ended here: as our evidence has it, else by the calendar."""
        with self._lock:
            kept = self._read.get(date.isoformat())
        if kept is not None:
            return Bounds(kept.recorded.day.start_ns, kept.recorded.day.end_ns)
        return Bounds(*calendar.bounds(date))

    def tallies(self) -> dict[tuple[str, str], dict[int, int]]:
        """Return the times from source to store by (ISO date, key) and bucket: ours, and of days read here."""
        found = {
            place: buckets
            for place, buckets in self._spool.tallies().items()
            if place[1].split("/", 1)[1] not in self._left_out
        }
        with self._lock:
            for date, kept in self._read.items():
                found |= {(date, key): buckets for key, buckets in kept.tally.items()}
        return found

    # What the others are

    def told(self) -> Mapping[str, Told]:
        """Return what each agent was when its latest day here closed; none of an agent that has never sent one."""
        found = {}
        for agent, shelf in ({} if self._inbox is None else self._inbox.shelves).items():
            with self.lock:
                days = shelf.days()
                last = days[-1] if days else None
                if last is None:
                    continue
                kept = self._told.get(agent)
                if kept is None or kept[0] != last.hash:
                    content = shelf.read(last.date)
                    kept = self._told[agent] = (last.hash, None if content is None else told(content))
            if kept[1] is not None:
                found[agent] = kept[1]
        return found

    def leave_out(self, machines: frozenset[str]) -> None:
        """Take nothing of some machines from now on."""
        with self._lock:
            if machines != self._left_out:
                self._left_out = machines
                self._read.clear()


def _part(raw: bytes, much: int) -> DayEvidence:
    """Read what is asked for of one agent's day, ready to be put together."""
    return load(raw) if much < FAR else without_values(load(raw, values=False))
