"""Alarm conditions that a server tells of, as tracks: `{machine}/alarm:{condition}`, true while active.

    Event(kind="alarm", source, machine, body={"condition_id", "condition", "source_name", "active", ...})

as `agent.collectors.opcua.events` makes them.

A condition is called `{source name}.{condition name}`, as far as the server says either, else by its node id: names
outlive a restart of the server. Conditions of one name are one alarm, active while any of them is. Events that are
no conditions have no duration and leave no track.

A state is known from when it was told until the next word on it, but no longer than the link was alive without a
break: what went or came in between, nobody has told. After that it is unknown until it is told again. A start of
the agent and a new configuration are such a break too, however short: who begins anew tells only of what stands.
That the link is alive shows in the marks of its source, of which the first may come a little after the first alarm.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import structs

from agent.analyzers.liveness import SILENCE_NS
from agent.analyzers.timeline import Timeline
from agent.analyzers.tracks import TEXT, label
from agent.frame import DataType
from readiness.records import SEGMENTS, Condition
from readiness.spans import EMPTY, Spans, difference, union

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.frame import Event
    from readiness.evidence import SourceDay
    from readiness.records import Track

BREAKS = frozenset({"agent_start", "config_change"})
MOST = 4096
"""Conditions that are kept; of more than that, the first."""
WORDS = 2 * SEGMENTS
"""Words on one condition in a day; one that is told more often has no track on that day."""


class Told:
    """What was told of one condition.

    Attributes:
        name: Of the track.
        text: The latest message that is one, and `severity` the latest.
        severity: See `text`.
        words: (time, active), in order of time; the last one before the open days is among them.
        mute: Starts of the days on which it was told too often.
    """

    __slots__ = ("mute", "name", "severity", "text", "words")

    def __init__(self, name: str) -> None:
        self.name, self.text, self.severity = name, "", 0
        self.words: list[tuple[int, bool]] = []
        self.mute: list[int] = []

    def take(self, time: int, active: bool, low: int, high: int) -> None:  # noqa: FBT001
        """Take a word that was said within the day [low, high)."""
        insort(self.words, (time, active))
        first, last = (bisect_right(self.words, (edge - 1, True)) for edge in (low, high))
        if last - first > WORDS and low not in self.mute:
            self.mute.append(low)
        if low in self.mute:
            del self.words[first : last - 1]

    def spans(self, low: int, high: int, live: Spans, *, held: bool) -> tuple[Spans, Spans]:
        """Return when it was known to be active, and when anything was known, within [low, high).

        Args:
            low: Start of the day.
            high: End of the day.
            live: When the link was alive, on this day.
            held: What was known at the end of the day before still counts at the start of this one.
        """
        first = max(bisect_right(self.words, (low, True)) - 1, 0)
        pieces: list[tuple[int, int, bool]] = []
        for at in range(first, len(self.words)):
            time, active = self.words[at]
            if time >= high or (time < low and not held):
                continue
            begin, end = _alive(max(time, low), live, told=time >= low)
            after = self.words[at + 1][0] if at + 1 < len(self.words) else high
            pieces.append((max(begin, low), min(end, after, high), active))
        return Spans.of([p[:2] for p in pieces if p[2]]), Spans.of([p[:2] for p in pieces])


class Alarms:
    """All conditions, of all sources.

    Args:
        day: Returns the bounds of the production day that an instant lies in.
    """

    def __init__(self, day: Callable[[int], tuple[int, int]]) -> None:
        self._day = day
        self._told: dict[str, dict[str, Told]] = {}  # source -> condition id
        self._lines: dict[str, dict[str, Timeline]] = {}  # source -> name of the track
        self._held: dict[
            str, list[str]
        ] = {}  # source -> ids whose state is known at the end of the last closed day
        self._breaks: list[int] = []
        self._closed_ns = 0

    def event(self, event: Event) -> None:
        """Take an event; only those of conditions matter, and those after which what was told no longer counts."""
        if event.kind in BREAKS:
            insort(self._breaks, event.time_ns)
        condition, active = event.body.get("condition_id"), event.body.get("active")
        if event.kind != "alarm" or not event.source or not event.machine:
            return
        if not isinstance(condition, str) or not isinstance(active, bool):
            return
        of = self._told.setdefault(event.source, {})
        if condition not in of:
            if sum(map(len, self._told.values())) >= MOST:
                return
            of[condition] = Told(f"{event.machine}/alarm:{_name(event, condition)}")
        told = of[condition]
        if not told.words or event.time_ns >= told.words[-1][0]:
            message, severity = event.body.get("message"), event.body.get("severity")
            told.text = message[:TEXT] if isinstance(message, str) and message else told.text
            told.severity = severity if isinstance(severity, int) else told.severity
        told.take(event.time_ns, active, *self._day(event.time_ns))

    def close(self, low: int, high: int, parts: list[SourceDay]) -> dict[str, Condition]:
        """Put the tracks of the day [low, high) into the parts of their sources; return what their conditions say.

        Args:
            low: Start.
            high: End.
            parts: Of all sources that have left a trace on this day.
        """
        said: dict[str, Condition] = {}
        places = {part.source: place for place, part in enumerate(parts)}
        for source, of in sorted(self._told.items()):
            live = union(*(Spans.unpack(p.live, low) for p in parts if p.source == source))
            tracks = self._tracks(source, of, (low, high), live)
            if tracks:
                part = parts[places[source]]
                parts[places[source]] = structs.replace(part, tracks={**part.tracks, **tracks})
            said |= {t.name: Condition(t.text, t.severity) for _, t in sorted(of.items()) if t.name in tracks}
        self._closed_ns = high
        return said

    def _tracks(self, source: str, of: Mapping[str, Told], day: tuple[int, int], live: Spans) -> dict[str, Track]:
        low, high = day
        heard = difference(live, Spans.of((t, t + 1) for t in self._breaks))
        held = frozenset(self._held.get(source, ())) if low == self._closed_ns else frozenset()
        self._held[source] = []
        spans: dict[str, tuple[Spans, Spans]] = {}
        for condition, told in sorted(of.items()):
            active, known = told.spans(low, high, heard, held=condition in held)
            if len(known) and known.end[-1] == high:
                self._held[source].append(condition)
            before = spans.get(told.name, (EMPTY, EMPTY))
            spans[told.name] = (union(before[0], active), union(before[1], known))
        tracks = {name: self._track(source, name, day, *both) for name, both in spans.items()}
        mute = {told.name for told in of.values() if low in told.mute}
        return {name: track for name, track in tracks.items() if track is not None and name not in mute}

    def _track(self, source: str, name: str, day: tuple[int, int], active: Spans, known: Spans) -> Track | None:
        line = self._lines.setdefault(source, {}).setdefault(name, Timeline(SEGMENTS))
        pieces = [(*pair, True) for pair in active] + [(*pair, False) for pair in difference(known, active)]
        reach = day[0]
        for start, end, label_ in sorted(pieces):
            if start > reach:
                line.fall_silent(reach, *day)
            line.say(start, label_, *day)
            reach = end
        if reach < day[1]:
            line.fall_silent(reach, *day)
        return line.record(*day, day[1], known)

    def drop(self, end_ns: int) -> None:
        """Forget what was superseded before `end_ns`."""
        for of in self._told.values():
            for told in of.values():
                first = bisect_right(told.words, (end_ns, True)) - 1
                if first > 0:
                    del told.words[:first]
                told.mute = [low for low in told.mute if low >= end_ns]
        for lines in self._lines.values():
            for line in lines.values():
                line.drop(end_ns)
        self._breaks = [time for time in self._breaks if time >= end_ns]

    def set_back(self, end_ns: int) -> None:
        """Forget everything from `end_ns` on: a clock was ahead."""
        for of in self._told.values():
            for told in of.values():
                told.words = [word for word in told.words if word[0] < end_ns]
        self._breaks = [time for time in self._breaks if time < end_ns]
        if self._closed_ns > end_ns:
            self._lines, self._held, self._closed_ns = {}, {}, 0

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "told": {
                source: {c: [t.name, t.text, t.severity, t.words, t.mute] for c, t in of.items()}
                for source, of in self._told.items()
            },
            "lines": {source: {n: line.state() for n, line in of.items()} for source, of in self._lines.items()},
            "held": self._held,
            "breaks": self._breaks,
            "closed": self._closed_ns,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        for source, of in state["told"].items():
            for condition, (name, text, severity, words, mute) in of.items():
                told = self._told.setdefault(source, {})[condition] = Told(name)
                told.text, told.severity, told.mute = text, severity, list(mute)
                told.words = [(time, active) for time, active in words]
        self._lines = {
            source: {name: Timeline.restored(SEGMENTS, line) for name, line in of.items()}
            for source, of in state["lines"].items()
        }
        self._held = {source: list(held) for source, held in state["held"].items()}
        self._breaks = list(state["breaks"])
        self._closed_ns = state["closed"]


def _alive(time: int, live: Spans, *, told: bool) -> tuple[int, int]:
    """Return from when to when a state counts that was told at `time`, or held until then; empty for not at all."""
    at = int(np.searchsorted(live.start, time, side="right")) - 1
    if at >= 0 and (time < live.end[at] or (told and time == live.end[at])):
        return time, int(live.end[at])
    if told and at + 1 < len(live) and live.start[at + 1] - time <= SILENCE_NS:
        return int(live.start[at + 1]), int(live.end[at + 1])
    return time, time


def _name(event: Event, condition: str) -> str:
    names = [event.body.get(key) for key in ("source_name", "condition")]
    said = ".".join(name for name in names if isinstance(name, str) and name)
    return str(label(said or condition, DataType.STRING))[:TEXT]
