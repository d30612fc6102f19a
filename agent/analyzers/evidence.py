"""All analyzers together: committed items in, evidence of production days out.

Each source has a ledger of its own; what is common to them (gaps, facts) is kept by time, not by order of arrival.
A day closes when every configured source is past its end by its settling time (at least ten minutes of data time),
or when any source is past it by two hours, because a source that has gone silent must not hold back the day.
Days without any trace leave no record.

    evidence = make(sources, calendar, state)      state: what `state()` returned, or None
    evidence.feed(items)                           committed items, in order
    evidence.take_closed()                         days that have closed; take them in the checkpoint of `state()`

History that is replayed and not real is announced by an Event with `body={"simulated": True}`, `from_ns`, `to_ns`
before its end (any kind but "gap" and "maintenance"; `agent_start` will do).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from agent.analyzers.alarms import Alarms
from agent.analyzers.bursts import Bursts
from agent.analyzers.connection import Connections
from agent.analyzers.gathering import Gathering
from agent.analyzers.ledger import Ledger, identity, key
from agent.analyzers.loops import Loops
from agent.analyzers.outages import GRACE_NS, Outages
from agent.frame import Event, Facts, FrameBlock, Source, Watermark
from contract.codec import compress, decompress, encode
from contract.errors import WireError
from readiness.evidence import VERSION, DayEvidence, dump
from readiness.spans import Spans, union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from agent.analyzers.ledger import Ranges
    from agent.frame import Item
    from readiness.evidence import SourceDay
    from readiness.plant import ControlLoop
    from readiness.schedule import Calendar

STATE_LIMIT = 256 * 1024 * 1024
SILENT_NS = 7_200_000_000_000
AHEAD_NS = 86_400_000_000_000
"""Data time that is so far ahead of a clock that was just set, or of an agent that has just begun, was wrong."""
TOLD_TIME = frozenset({"clock_step", "agent_start"})
HORIZON_NS = 400 * 86_400_000_000_000
"""Days further back than this are skipped: a clock has jumped, and no report reaches back so far."""


class DayLedger:
    """The evidence of open days; implements `agent.analyzers.base.Evidence`.

    Args:
        sources: What the configuration has now. Sources that only older items know are kept until their days close.
        calendar: Cuts time into production days.
        loops: See `begin`.
        ranges: See `begin`.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        calendar: Calendar,
        loops: Sequence[ControlLoop] = (),
        ranges: Mapping[str, Ranges] | None = None,
    ) -> None:
        self._calendar = calendar
        self._bounds = (0, 0)
        self._ledgers: dict[str, Ledger] = {}
        self._named: dict[str, tuple[Source, str]] = {}  # by id, and its identity: asked with every block
        self._outages = Outages()
        self._connections = Connections()
        self._bursts = Bursts(self._day)
        self._alarms = Alarms(self._day)
        self._loops = Loops()
        self._closed_ns = 0
        self._closed: dict[str, bytes] = {}
        self._declared: tuple[ControlLoop, ...] = ()
        self._ranges: dict[str, Ranges] = {}
        self.begin(sources, loops, ranges)

    def begin(
        self,
        sources: Sequence[Source],
        loops: Sequence[ControlLoop] | None = None,
        ranges: Mapping[str, Ranges] | None = None,
    ) -> None:
        """Go on with these sources, between two entries; those that are gone are kept until their days close.

        Sources read in bursts stay out of the ledgers: between two windows nothing is expected of them, and a
        silence that was agreed must not count as lost.

        Args:
            sources: All that the configuration has now.
            loops: Control loops that people have declared; one that has changed begins anew. None: as before.
            ranges: What people say of signals' values, by `{machine}/{signal}`. None: as before.
        """
        polled = [s for s in sources if s.mode != "burst"]
        self._sources = {identity(s): s for s in polled}
        self._by_id = {s.id: identity(s) for s in polled}
        self._declared = self._declared if loops is None else tuple(loops)
        self._ranges = self._ranges if ranges is None else dict(ranges)
        for ledger in self._ledgers.values():
            ledger.ranges(self._ranges)
        self._loops.begin(self._declared, polled, self._latest)

    def feed(self, items: Sequence[Item]) -> None:
        """Take the items of one or more committed entries, in order."""
        for item in items:
            if isinstance(item, FrameBlock):
                if item.source.mode == "burst":
                    self._bursts.block(item, self._closed_ns)
                    continue
                self._ledger(item.source).block(item, self._closed_ns)
                self._loops.block(item)
            elif isinstance(item, Watermark):
                if item.source in self._by_id:
                    self._ledger(self._sources[self._by_id[item.source]]).watermark(item.time_ns)
                    self._loops.watermark(item.source, item.time_ns)
            elif isinstance(item, Event):
                if item.kind in TOLD_TIME:
                    self._set_back(item.time_ns)
                self._outages.event(item)
                self._alarms.event(item)
            else:
                assert isinstance(item, Facts)
                self._connections.facts(item)
        self._loops.settle()
        self._close_days()

    def take_closed(self) -> Mapping[str, bytes]:
        """Return ISO date -> canonical evidence of the days closed since the last call."""
        closed, self._closed = self._closed, {}
        return closed

    def state(self) -> bytes:
        """Return everything it would need to go on, as canonical bytes, except for what `take_closed` returns.

        Compressed, because it is written every minute: 1,000 signals are 110 kB of very regular JSON.
        """
        self._alarms.drop(self._closed_ns)
        state = {
            "version": VERSION,
            "closed": self._closed_ns,
            "ledgers": {name: ledger.state(self._closed_ns) for name, ledger in self._ledgers.items()},
            "outages": self._outages.state(),
            "connections": self._connections.state(),
            "bursts": self._bursts.state(),
            "alarms": self._alarms.state(),
            "loops": self._loops.state(),
        }
        return compress(encode(state))

    def restore(self, raw: bytes) -> None:
        """Take what `state` returned.

        Raises:
            ValueError: no state, or of another version.
        """
        try:
            state: dict[str, Any] = msgspec.json.decode(decompress(raw, STATE_LIMIT))
        except (WireError, msgspec.DecodeError) as exc:
            raise ValueError(f"no evidence state: {exc}") from exc
        if state.get("version") != VERSION:
            raise ValueError(
                f"evidence state of version {state.get('version')}, written by another release; this one reads "
                f"{VERSION}; what was read is in the spool and the store as before"
            )
        self._closed_ns = state["closed"]
        for name, kept in state["ledgers"].items():
            source = self._sources.get(name) or _remembered(kept["about"])
            ledger = Gathering(source, self._day, self._ranges)
            ledger.restore(kept)
            self._ledgers[name] = ledger
        self._outages.restore(state["outages"])
        self._connections.restore(state["connections"])
        self._bursts.restore(state["bursts"])
        self._alarms.restore(state["alarms"])
        self._loops = Loops()
        self._loops.begin(self._declared, [*self._sources.values()], self._latest)
        self._loops.restore(state["loops"])

    def _set_back(self, now_ns: int) -> None:
        """Begin anew behind days that have never been: a trusted clock was ahead by days, and is put right.

        The day of this moment stays closed if it was; else every row would come too late until that time is there.
        """
        kept = {name: ledger for name, ledger in self._ledgers.items() if ledger.time_ns <= now_ns + AHEAD_NS}
        if len(kept) < len(self._ledgers):
            self._ledgers = kept
            self._closed_ns = min(self._closed_ns, self._day(now_ns)[1])
        self._bursts.set_back(now_ns + AHEAD_NS)
        self._alarms.set_back(now_ns + AHEAD_NS)
        self._loops.set_back(now_ns + AHEAD_NS)

    def _day(self, time_ns: int) -> tuple[int, int]:
        if not self._bounds[0] <= time_ns < self._bounds[1]:
            self._bounds = self._calendar.bounds(self._calendar.day_of(time_ns))
        return self._bounds

    def _ledger(self, source: Source) -> Ledger:
        known = self._named.get(source.id)
        if known is None or known[0] is not source:
            known = self._named[source.id] = source, identity(source)
        name = known[1]
        if name not in self._ledgers:
            self._ledgers[name] = Gathering(source, self._day, self._ranges)
        return self._ledgers[name]

    def _latest(self, source: str, signal: str) -> tuple[int, float] | None:
        """Return up to when a source has come and the number that a signal of it has now, for `Loops.begin`."""
        ledger = self._ledgers.get(self._by_id[source])
        value = None if ledger is None else ledger.latest(signal)
        return None if ledger is None or value is None else (ledger.time_ns, value)

    def _close_days(self) -> None:
        latest = max((ledger.time_ns for ledger in self._ledgers.values()), default=0)
        while True:
            starts = [max(o.first_ns, self._closed_ns) for o in self._ledgers.values() if o.first_ns]
            if not starts:
                return
            day = self._calendar.day_of(min(starts))
            start, end = self._calendar.bounds(day)
            if start < latest - HORIZON_NS:
                self._closed_ns = self._calendar.bounds(self._calendar.day_of(latest - HORIZON_NS - 1))[1]
                continue
            if not self._is_over(end, latest):
                return
            self._close(day, start, end)
            self._closed_ns = end

    def _is_over(self, end_ns: int, latest_ns: int) -> bool:
        if latest_ns >= end_ns + SILENT_NS:
            return True
        return all(
            name in self._ledgers and self._ledgers[name].time_ns >= end_ns + self._ledgers[name].settle_ns
            for name in self._sources
        )

    def _told(self, end_ns: int) -> int:
        """Return before when an event must have come to count for a day that ends at `end_ns`."""
        resumed = [t for o in self._ledgers.values() if (t := o.resumed(end_ns)) is not None]
        return max(end_ns + GRACE_NS, min(resumed, default=0) + 1)

    def _close(self, day: date, start_ns: int, end_ns: int) -> None:
        parts = []
        told_ns = self._told(end_ns)
        for name, ledger in sorted(self._ledgers.items()):
            source = self._sources.get(name)
            configured = None if source is None else frozenset(key(s) for s in source.signals)
            down = self._outages.down(ledger.id.split(" ")[0], start_ns, end_ns, told_ns)
            part = ledger.close(start_ns, end_ns, down, configured)
            if part is not None:
                parts.append(part)
        alarms = self._alarms.close(start_ns, end_ns, parts)
        evidence = DayEvidence(
            version=VERSION,
            day=day.isoformat(),
            zone=self._calendar.zone,
            start=str(start_ns),
            end=str(end_ns),
            sources=parts,
            censored=self._outages.censored(start_ns, end_ns, told_ns),
            connections=self._connections.sessions(end_ns),
            native=self._connections.native(end_ns),
            simulated=self._outages.simulated(start_ns, end_ns, told_ns),
            late_events=self._outages.late(start_ns, end_ns, self._told(start_ns)),
            skews=self._connections.skews(start_ns, end_ns),
            offers=self._connections.offers(end_ns),
            certificates=self._connections.certificates(end_ns),
            access=self._connections.access(end_ns),
            loops=self._loops.close(start_ns, end_ns, partial(_known, parts, start_ns)),
            bursts=self._bursts.close(start_ns, end_ns),
            alarms=alarms,
        )
        if parts or evidence.censored or evidence.bursts:
            self._closed[evidence.day] = dump(evidence)
        for name, ledger in list(self._ledgers.items()):
            ledger.drop(end_ns)
            if name not in self._sources and ledger.time_ns < end_ns:
                del self._ledgers[name]
        self._outages.drop(end_ns)
        self._connections.drop(end_ns)
        self._bursts.drop(end_ns)
        self._alarms.drop(end_ns)
        self._loops.drop(end_ns)


def _known(parts: Sequence[SourceDay], start_ns: int, signal: str) -> Spans:
    """Return when a signal, `{machine}/{signal}`, was known on a day."""
    places = [(part.spans, part.signals[signal].known) for part in parts if signal in part.signals]
    return union(*(Spans.unpack(spans[known], start_ns) for spans, known in places if known >= 0))


def _remembered(about: Sequence[Any]) -> Source:
    """Return the source of a ledger that the configuration has dropped; its signals come with the state."""
    source, device, protocol, mode, interval = about
    return Source(id=source, device=device, protocol=protocol, mode=mode, interval_ns=interval, signals=())


def make(
    sources: Sequence[Source],
    calendar: Calendar,
    state: bytes | None = None,
    loops: Sequence[ControlLoop] = (),
    ranges: Mapping[str, Ranges] | None = None,
) -> DayLedger:
    """Return the evidence of these sources, going on from `state` where there is one.

    Raises:
        ValueError: the state is damaged, or was written by a release with another version of evidence.
    """
    evidence = DayLedger(sources, calendar, loops, ranges)
    if state is not None:
        evidence.restore(state)
    return evidence
