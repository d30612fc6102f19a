"""What alarms did: when each became active, how long it stood, and whether it chattered.

An alarm is a bit, one code of an alarm word that shows one code at a time, or a condition of an OPC UA server. An
activation is counted when it is certain: the alarm was known to be inactive before, also when it became active
while nothing was known. Only the instant of those that were seen happen is exact.

Terms and limits are those of ISA-18.2 and EEMUA 191: chattering is three activations or more within a minute;
standing (stale) is active for more than 24 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, cast

import numpy as np

from readiness.catalog import key
from readiness.naming import bare
from readiness.records import QUARTER_NS
from readiness.spans import EMPTY, Spans, intersection, union

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from readiness.plant import Meaning
    from readiness.records import Label
    from readiness.seen import Labelled
    from readiness.view import View

    Ints = NDArray[np.int64]

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
CHATTER = 3
"""Activations within a minute that make an alarm a chattering one."""
SURE_CHATTER = 15 * (CHATTER - 1) + 1
"""Of a quarter hour whose short segments are only summed up: with so many, one of its minutes had `CHATTER`."""
STANDING_NS = 24 * HOUR_NS
BRIDGE_NS = HOUR_NS
"""An alarm that is active before and after a shorter hole of knowledge was active all the time: nothing says that
it went."""
WORKED_NS = HOUR_NS
SAME = 4
"""So many alarms with one priority between them have none."""


@dataclass(frozen=True, slots=True, eq=False)
class AlarmTrack:
    """One alarm over a window.

    Attributes:
        name: Signal, `{machine}/{signal}`.
        label: Value by which it is active.
        active: While it was known to be active.
        stood: The same with holes of knowledge of at most `BRIDGE_NS` between two such times filled.
        begins: int64[n], increasing; an activation lies at or shortly before.
        exact: bool[n], which of them were seen happen.
        hidden: (quarter hour, activations in it) of days on which short segments are only summed up.
    """

    name: str
    label: Label
    active: Spans
    stood: Spans
    begins: Ints
    exact: NDArray[np.bool_]
    hidden: tuple[tuple[int, int], ...] = ()

    def activations(self, domain: Spans) -> Ints:
        """Return the instants of all activations within a domain; hidden ones at the start of their quarter."""
        row = np.concatenate([self.begins, np.array([at for at, n in self.hidden for _ in range(n)], np.int64)])
        return np.sort(row[inside(domain, row)])

    def chatters(self, domain: Spans) -> bool:
        """Return whether it was activated `CHATTER` times within a minute."""
        row = self.begins[inside(domain, self.begins)]
        if len(row) >= CHATTER and int((row[CHATTER - 1 :] - row[: 1 - CHATTER]).min()) < MINUTE_NS:
            return True
        quarters = [Spans.between(at, at + QUARTER_NS) for at, number in self.hidden if number >= SURE_CHATTER]
        return any(domain.within(quarter).any() for quarter in quarters)

    def standing(self) -> Spans:
        """Return the times for which it was active for more than a day, holes of knowledge bridged."""
        keep = self.stood.end - self.stood.start > STANDING_NS
        return Spans(self.stood.start[keep], self.stood.end[keep])

    def stands(self, days: Sequence[Spans]) -> bool:
        """Return whether it stood for more than a day while people worked: an hour on two production days at least.

        Args:
            days: The time that counts of each production day.
        """
        each = [Spans.between(*one) for one in self.standing()]
        return any(sum(intersection(day, one).length() >= WORKED_NS for day in days) > 1 for one in each)


def inside(domain: Spans, instants: Ints) -> NDArray[np.bool_]:
    """Return which instants lie in a domain."""
    if not len(domain):
        return np.zeros(len(instants), np.bool_)
    index = np.searchsorted(domain.start, instants, side="right") - 1
    found: NDArray[np.bool_] = (index >= 0) & (instants < domain.end[np.maximum(index, 0)])
    return found


def is_active(label: Label) -> bool:
    """Return whether a value says that an alarm is active: true, a code other than 0, a text other than empty."""
    return bool(label.strip("0 ")) if isinstance(label, str) else bool(label)


def _coded(track: Labelled) -> tuple[Ints, list[Label]]:
    """Return [segments] which of its different labels a track said; true and 1 are different ones."""
    place: dict[tuple[type, Label], int] = {}
    codes = [place.setdefault((type(label), label), len(place)) for label in track.label]
    return np.array(codes, np.int64), [label for _, label in place]


def begun(track: Labelled, wanted: Callable[[Label], bool]) -> tuple[Ints, NDArray[np.bool_]]:
    """Return when a track came to say a wanted label, and which of these instants are exact.

    One that follows the same label over a hole has not begun anew; the first of all has begun at an unknown time.
    """
    codes, labels = _coded(track)
    if len(codes) < 2:
        return np.empty(0, np.int64), np.empty(0, np.bool_)
    good = np.array([wanted(label) for label in labels], np.bool_)
    new = 1 + np.flatnonzero(good[codes[1:]] & (codes[1:] != codes[:-1]))
    return track.start[new], track.end[new - 1] == track.start[new]


def names(view: View, machine: str) -> list[str]:
    """Return the alarms of a machine: signals of that role, and conditions that its server has reported."""
    reported = {
        name
        for record in view.records
        for part in record.sources
        for name in part.tracks
        if name.startswith(f"{machine}/alarm:")
    }
    return [*view.signals(machine, "alarm"), *sorted(reported - set(view.signals(machine, "alarm")))]


def tracks(view: View, machine: str, wanted: Callable[[Meaning], bool]) -> list[AlarmTrack]:
    """Return the alarms of a machine that were ever active in the window, of the meanings that are wanted."""
    if ("alarms", machine) not in view.derived:
        view.derived["alarms", machine] = [found for name in names(view, machine) for found in _of(view, name)]
    every = cast("list[AlarmTrack]", view.derived["alarms", machine])
    return [alarm for alarm in every if wanted(view.plant.meaning(alarm.name))]


def _of(view: View, name: str) -> list[AlarmTrack]:
    """Return the alarms that one signal tells: one for each value by which it is active."""
    track = view.seen.track(name)
    if track is None:
        return []
    found = []
    said = (*track.label, *(short.label for short in track.rest))
    for label in dict.fromkeys(label for label in said if is_active(label)):
        when = track.spans_of([label])
        begins, exact = begun(track, lambda other, label=label: other == label)  # type: ignore[misc]
        hidden = tuple((s.at_ns, s.begins) for s in track.rest if s.label == label and s.begins)
        stood = union(when, _between(view, track, label))
        found.append(AlarmTrack(name, label, when, stood, begins, exact, hidden))
    return found


def _between(view: View, track: Labelled, label: Label) -> Spans:
    """Return the short holes of knowledge before and after which a track said the same label.

    On days on which the track was cut a hole may hide short segments of another one.
    """
    same = np.array([said == label for said in track.label], np.bool_)
    start, end = track.end[:-1], track.start[1:]
    hole = same[:-1] & same[1:] & (end - start <= BRIDGE_NS)
    hole &= ~np.isin(view.seen.day_of(start), sorted(track.cut))
    return union(Spans(start[hole], end[hole]))


def active(alarms: Collection[AlarmTrack]) -> Spans:
    """Return when any of the alarms was active, without the time for which one merely stood for more than a day."""
    parts = []
    for alarm in alarms:
        keep = alarm.stood.end - alarm.stood.start <= STANDING_NS
        parts.append(Spans(alarm.stood.start[keep], alarm.stood.end[keep]))
    return union(EMPTY, *parts)


def informed(view: View, machine: str, names: Sequence[str]) -> tuple[float, bool]:
    """Return the share of alarms with a text that says something and a priority, and whether priorities differ."""
    tags = {key(tag): tag for _, tag in view.tags.get(machine, ())}
    conditions = {name: said for record in view.records for name, said in record.alarms.items()}
    placeholders = {bare(p) for p in view.model.semantics.placeholders}
    said: list[tuple[str, str]] = []
    for name in names:
        told = tags[name].alarm if name in tags else None
        if told is not None:
            said.append((told.text, told.priority))
        elif name in conditions:
            said.append((conditions[name].text, str(conditions[name].severity or "")))
        else:
            said.append(((tags[name].description or "") if name in tags else "", ""))
    alike = len(names) >= SAME and len({priority for _, priority in said}) == 1
    useful = [
        bare(text) not in placeholders | {"", bare(n.split("/", 1)[1])}
        for n, (text, _) in zip(names, said, strict=True)
    ]
    good = [text and bool(priority) and not alike for text, (_, priority) in zip(useful, said, strict=True)]
    return fmean(map(float, good)), not alike
