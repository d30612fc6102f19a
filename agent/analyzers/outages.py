"""Spans that events tell of: gaps that are not the factory's fault, outages of a link, simulated history.

An outage whose end was never told (the agent was killed meanwhile) ends where the source's link is next said to be
up, or to go down again under another id.

A gap that names rows the analyzers have seen (lost in the spool or refused by the store) censors nothing: what was
read is known, although it did not arrive. Rows lost before that are censored source by source. Nor does one that
names the signals it is about (a server's queue was too short for them): a value of these came before it and after
it, so that they are known all the time, and of their neighbours nothing is missing.

A gap is known under its `gap_id` in versions: opened, moved, closed. For a day, the version that counts is the
latest one whose event came before the day's end plus `GRACE`, or before any source gave data again after that: a
box without power since the evening tells of it in the morning. The day itself closes later than that, so the order
in which events and rows stand within an entry changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from readiness.evidence import CENSORED, EVERYTHING
from readiness.spans import EMPTY, Spans, union

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.frame import Event

GRACE_NS = 300_000_000_000
DOWN = frozenset({"device_off", "link_down", "refused"})
FOREVER = 2**62
MAINTENANCE = "maintenance"
SIMULATED = "simulated"
SEEN = frozenset({"spool", "store"})
"""Stages of a loss behind the analyzers, see `agent.spool.gaps`."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """What an event said about a gap, and when; an open one has no end."""

    time_ns: int
    cause: str
    source: str
    from_ns: int
    to_ns: int | None


class Outages:
    """All gaps that may still touch a day that is open."""

    def __init__(self) -> None:
        self._gaps: dict[str, list[Version]] = {}
        self._ups: dict[str, list[int]] = {}  # source -> times at which its link came up

    def event(self, event: Event) -> None:
        """Take an event; kinds that open or close no span are passed over."""
        body = event.body
        source = event.source or EVERYTHING
        if event.kind == "link_up":
            self._ups[source] = sorted([*self._ups.get(source, ()), event.time_ns])
            return
        if event.kind == "gap":
            name, cause = str(body.get("gap_id", event.time_ns)), str(body.get("cause", ""))
        elif event.kind == "maintenance":
            name, cause = str(body.get("gap_id", body.get("id", f"{MAINTENANCE} {source}"))), MAINTENANCE
        elif body.get(SIMULATED) is True:
            name, cause = f"{SIMULATED} {event.time_ns}", SIMULATED
        else:
            return
        if cause not in CENSORED | DOWN | {SIMULATED} or body.get("stage") in SEEN or "signals" in body:
            return
        lost = body.get("sources")
        if isinstance(lost, dict):
            for of, span in cast("dict[str, dict[str, str]]", lost).items():
                first, last = int(span["first"]), int(span["last"])
                self._add(f"{name} {of}", Version(event.time_ns, cause, of, first, last))
            return
        start = event.time_ns if event.from_ns is None else event.from_ns
        holes = body.get("holes")
        if isinstance(holes, list):  # it consists of these
            for at, length in cast("list[list[int]]", holes):
                self._add(f"{name} {at}", Version(event.time_ns, cause, source, start + at, start + at + length))
            return
        self._add(name, Version(event.time_ns, cause, source, start, event.to_ns))

    def _add(self, name: str, version: Version) -> None:
        versions = self._gaps.setdefault(name, [])
        versions.append(version)
        versions.sort(key=lambda v: v.time_ns)

    def _versions(self, told_ns: int) -> Iterator[Version]:
        for versions in self._gaps.values():
            told = [v for v in versions if v.time_ns < told_ns]
            if told:
                yield told[-1]

    def _end(self, version: Version, versions: list[Version]) -> int:
        """Return the end of a gap; of one left open, the next moment at which its link is told of again."""
        if version.to_ns is not None:
            return version.to_ns
        if version.cause not in DOWN:
            return FOREVER
        told = [t for t in self._ups.get(version.source, ()) if t > version.from_ns]
        told += [
            v.from_ns
            for v in versions
            if v.source == version.source and v.cause in DOWN and v.from_ns > version.from_ns
        ]
        return min(told, default=FOREVER)

    def _gather(
        self, causes: frozenset[str], start_ns: int, end_ns: int, told_ns: int
    ) -> dict[tuple[str, str], Spans]:
        """Return (cause, source) -> spans within [start, end), from events before `told_ns`."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        versions = list(self._versions(told_ns))
        for v in versions:
            if v.cause in causes:
                until = min(self._end(v, versions), end_ns)
                found.setdefault((v.cause, v.source), []).append((v.from_ns, until))
        clipped = {key: Spans.of(pairs).clip(start_ns, end_ns) for key, pairs in found.items()}
        return {key: spans for key, spans in clipped.items() if len(spans)}

    def censored(self, start_ns: int, end_ns: int, told_ns: int) -> dict[str, dict[str, list[int]]]:
        """Return cause -> source or "*" -> packed spans of a day."""
        found: dict[str, dict[str, list[int]]] = {}
        for (cause, source), spans in self._gather(CENSORED, start_ns, end_ns, told_ns).items():
            found.setdefault(cause, {})[source] = spans.pack(start_ns)
        return found

    def down(self, source: str, start_ns: int, end_ns: int, told_ns: int) -> Spans:
        """Return when the link of a source was known to be interrupted."""
        gathered = self._gather(DOWN, start_ns, end_ns, told_ns)
        return union(EMPTY, *(s for (_, of), s in gathered.items() if of in {source, EVERYTHING}))

    def simulated(self, start_ns: int, end_ns: int, told_ns: int) -> list[int]:
        """Return the packed spans of a day that were simulated."""
        gathered = self._gather(frozenset({SIMULATED}), start_ns, end_ns, told_ns)
        return union(EMPTY, *gathered.values()).pack(start_ns)

    def late(self, start_ns: int, end_ns: int, told_ns: int) -> int:
        """Return the number of events that came on this day, from `told_ns` on, about days before it alone."""
        return sum(
            v.to_ns is not None and v.to_ns <= start_ns and told_ns <= v.time_ns < end_ns
            for versions in self._gaps.values()
            for v in versions
        )

    def drop(self, end_ns: int) -> None:
        """Forget what cannot touch a day after `end_ns`."""
        kept = {}
        current = list(self._versions(end_ns + GRACE_NS))
        for name, versions in self._gaps.items():
            told = [v for v in versions if v.time_ns < end_ns + GRACE_NS]
            rest = versions[max(len(told) - 1, 0) :]
            if any(max(self._end(v, current), v.time_ns) >= end_ns for v in rest):
                kept[name] = rest
        self._gaps = kept
        ups = {source: [t for t in times if t >= end_ns] for source, times in self._ups.items()}
        self._ups = {source: times for source, times in ups.items() if times}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        gaps = {
            name: [[v.time_ns, v.cause, v.source, v.from_ns, v.to_ns] for v in versions]
            for name, versions in self._gaps.items()
        }
        return {"gaps": gaps, "ups": self._ups}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._ups = {source: list(times) for source, times in state["ups"].items()}
        self._gaps = {name: [Version(*v) for v in versions] for name, versions in state["gaps"].items()}
