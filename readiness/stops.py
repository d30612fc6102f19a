"""Stops, why they came, changeovers, and lots.

A stop is a maximal span of planned time, at least five minutes long, in which the machine was seen not to execute.
Holes of at most a minute in what is known belong to it when the machine did not execute on either side; longer ones
end it, because it may have run. Our own outages end it as well.

Its reason is, in this order: a specific alarm that was active when it began (30 s more or less) and had not stood
for a day while the machine worked; what a signal of role `reason` began to say in it, or before a planned break
since when the machine is in the same state (what it still says from before says nothing about this stop); a reason
that a person entered within 24 hours of its end. Only the first is automatic. "Other" says nothing and is counted
apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from readiness.alarms import BRIDGE_NS, STANDING_NS, WORKED_NS
from readiness.plant import STATES
from readiness.records import QUARTER_NS
from readiness.seen import names_something, text
from readiness.spans import Spans, difference, intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.counting import Counted
    from readiness.plant import Meaning, State, StopReason
    from readiness.records import Label
    from readiness.seen import Labelled
    from readiness.states import States
    from readiness.view import View

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
SHORTEST_NS = 5 * MINUTE
HOLE_NS = MINUTE
AROUND_NS = 30 * SECOND
ENTERED_NS = 24 * 60 * MINUTE
OTHER = frozenset(
    {"", "-", "?", "other", "others", "etc", "unknown", "misc", "기타", "미상", "미분류", "알 수 없음"}
)
"""Reasons in words that say nothing."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop; `reason` is None when nothing says it, `other` tells that somebody said "other".

    Attributes:
        from_ns: Begin.
        to_ns: End.
        state: That it was in for the longest time.
        reason: What is specific: the alarm's signal id or what its value means, a reason code's text, a person's.
        automatic: No person had to enter it.
        known_ns: Time of it in which the state was known.
        other: A reason was given that says nothing.
    """

    from_ns: int
    to_ns: int
    state: State
    reason: str | None
    automatic: bool
    known_ns: int
    other: bool = False

    @property
    def length_ns(self) -> int:
        """How long it lasted."""
        return self.to_ns - self.from_ns


@dataclass(frozen=True, slots=True)
class Changeover:
    """A change from one product (or recipe, or order) to another, between two instants that are mostly the same."""

    from_ns: int
    to_ns: int
    before: Label
    after: Label


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot: from when to when its id was shown, and what was counted meanwhile (None without a counter)."""

    id: str
    from_ns: int
    to_ns: int
    pieces: float | None


def stops_of(view: View, machine: str, states: States, domain: Spans) -> tuple[Stop, ...]:
    """Return the stops of a machine in the time that counts for its state."""
    kinds = [state for state in STATES if state != "executing"]
    idle = {state: intersection(states.spans[state], domain) for state in kinds}
    quiet = difference(union(*idle.values()).bridged(HOLE_NS), union(states.spans["executing"], _perhaps(states)))
    pieces = intersection(quiet, domain)
    long = pieces.end - pieces.start >= SHORTEST_NS
    pieces = Spans(pieces.start[long], pieces.end[long])
    times = np.stack([idle[state].within(pieces) for state in kinds])
    longest, known = times.argmax(axis=0).tolist(), times.sum(axis=0).tolist()
    reasons = _Reasons(view, machine, states.spans["executing"])
    standing = [difference(states.spans[s].bridged(HOLE_NS), states.spans["executing"]) for s in kinds]
    found = []
    for index, (from_ns, to_ns) in enumerate(pieces):
        reason, automatic, other = reasons.of(from_ns, to_ns, _origin(standing, from_ns))
        found.append(Stop(from_ns, to_ns, kinds[longest[index]], reason, automatic, known[index], other))
    return tuple(found)


def _origin(standing: Sequence[Spans], from_ns: int) -> int:
    """Return since when the machine is in the state in which a stop begins: before a planned break, as a rule.

    A fault that lasts over lunch is two stops of planned time, and what was said of the first holds for the second.
    """
    for spans in standing:
        index = int(np.searchsorted(spans.start, from_ns, side="right")) - 1
        if index >= 0 and spans.end[index] > from_ns:
            return int(spans.start[index])
    return from_ns


def _perhaps(states: States) -> Spans:
    """Return when the machine may have executed for less than a minute, of days on which the track was cut."""
    quarters = {(brief.at_ns, brief.at_ns + QUARTER_NS) for brief in states.brief if brief.state == "executing"}
    return difference(Spans.of(quarters), states.placed)


class _Reasons:
    """Finds the reason of a stop of one machine."""

    def __init__(self, view: View, machine: str, executing: Spans) -> None:
        def tracks(names: Sequence[str]) -> list[tuple[str, Labelled]]:
            found = [(name, view.seen.track(name)) for name in names]
            return [(name, track) for name, track in found if track is not None]

        def tells(meaning: Meaning) -> bool:
            return meaning.specific and not meaning.advice

        self._meaning = view.plant.meaning
        self._alarms = [
            (name, track, _lately(track, executing))
            for name, track in tracks(view.signals(machine, "alarm"))
            if tells(view.plant.meaning(name))
        ]
        self._codes = tracks(view.signals(machine, "reason"))
        self._persons: Sequence[StopReason] = [r for r in view.plant.reasons if r.machine == machine]

    def of(self, from_ns: int, to_ns: int, origin_ns: int) -> tuple[str | None, bool, bool]:
        """Return reason, whether it is automatic, and whether somebody said "other"."""
        alarm = self._alarm(from_ns)
        if alarm is not None:
            return alarm, True, False
        code, said_other = self._code(from_ns, to_ns, origin_ns)
        if code is not None:
            return code, False, said_other
        person, also_other = self._person(from_ns, to_ns)
        return person, False, person is None and (said_other or also_other)

    def _alarm(self, from_ns: int) -> str | None:
        """Return the specific alarm that was active at the begin; of several, the one that came closest to it."""
        found: list[tuple[int, str]] = []
        for name, track, active in self._alarms:
            index = int(np.searchsorted(active.end, from_ns - AROUND_NS, side="right"))
            if index < len(active) and active.start[index] <= from_ns + AROUND_NS:
                words = self._meaning(name).reasons
                label = track.at(max(int(active.start[index]), from_ns - AROUND_NS))
                text = words.get(label, "") if words and label is not None else name.split("/", 1)[1]
                if text:
                    found.append((abs(int(active.start[index]) - from_ns), text))
        return min(found)[1] if found else None

    def _code(self, from_ns: int, to_ns: int, origin_ns: int) -> tuple[str | None, bool]:
        """Return the reason that a signal began to show, for the longest time, and whether it showed "other"."""
        times: dict[str, int] = {}
        for name, track in self._codes:
            words = self._meaning(name).reasons
            first = int(np.searchsorted(track.start, origin_ns - AROUND_NS))
            last = int(np.searchsorted(track.start, to_ns))
            began = False
            for index in range(first, last):
                # Behind a hole the same word as before it is nothing that anybody has seen begin.
                began |= not index or track.label[index] != track.label[index - 1]
                text = words.get(track.label[index]) if began else None
                length = min(int(track.end[index]), to_ns) - max(int(track.start[index]), from_ns)
                if text is not None and length > 0:
                    times[text] = times.get(text, 0) + length
        specific = {text: time for text, time in times.items() if not _empty(text)}
        if not specific:
            return None, bool(times)
        return max(sorted(specific), key=lambda text: specific[text]), False

    def _person(self, from_ns: int, to_ns: int) -> tuple[str | None, bool]:
        """Return what a person entered in time for most of the stop."""
        found = [
            (min(r.to_ns, to_ns) - max(r.from_ns, from_ns), r.reason)
            for r in self._persons
            if r.entered_ns <= to_ns + ENTERED_NS
        ]
        most = [(length, text) for length, text in found if 2 * length >= to_ns - from_ns]
        specific = [(length, text) for length, text in most if not _empty(text)]
        return (max(specific)[1] if specific else None), bool(most)


def _lately(track: Labelled, executing: Spans) -> Spans:
    """Return when an alarm was active, of one under which the machine worked on only the first day.

    One that merely stands would explain every stop.
    """
    parts = []
    for label in dict.fromkeys(label for label in track.label if names_something(label)):
        said = track.spans_of([label])
        whole = said.bridged(BRIDGE_NS)
        end = np.where(executing.within(whole) >= WORKED_NS, whole.start + STANDING_NS, whole.end)
        parts.append(intersection(said, Spans(whole.start, np.minimum(whole.end, end))))
    return union(*parts)


def _empty(text: str) -> bool:
    return text.strip().casefold() in OTHER


def changeovers_of(view: View, machine: str) -> tuple[str, tuple[Changeover, ...]] | None:
    """Return the signal that tells products apart, and its changes; None if no product, recipe or order is told.

    Values that name nothing ("", 0, none) are passed over: the same product before and after them is no changeover.
    """
    for role in ("product", "recipe", "order"):
        for name in view.signals(machine, role):
            track = view.seen.track(name)
            if track is None:
                continue
            said = [
                (int(s), int(e), label)
                for s, e, label in zip(track.start, track.end, track.label, strict=True)
                if names_something(label)
            ]
            return name, tuple(Changeover(a[1], b[0], a[2], b[2]) for a, b in pairwise(said) if a[2] != b[2])
    return None


def lots_of(view: View, machine: str, counted: Counted | None, executing: Spans) -> tuple[Lot, ...]:
    """Return the lots of a machine by its first lot signal that has evidence, in order of time.

    An id that was shown again later is another entry: whether it may be used again is for the reader.
    """
    for name in view.signals(machine, "lot"):
        track = view.seen.track(name)
        if track is None:
            continue
        row: list[tuple[str, int, int]] = []
        for start, end, label in zip(track.start.tolist(), track.end.tolist(), track.label, strict=True):
            if not names_something(label):
                continue
            if row and row[-1][0] == text(label):  # a hole, or nothing shown for a while: still the same lot
                row[-1] = (row[-1][0], row[-1][1], end)
            else:
                row.append((text(label), start, end))
        return tuple(
            Lot(lot, start, end, None if counted is None else counted.within(start, end, executing))
            for lot, start, end in row
        )
    return ()
