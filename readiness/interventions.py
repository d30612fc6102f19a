"""What operators did at a machine, as far as its signals show: buttons and changes of mode. Never who.

A button counts when it is pressed (its signal becomes true), a mode whenever it changes. What happened while
nothing was known counts once, at the time when it was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from readiness import alarms
from readiness.counting import shared
from readiness.production import production
from readiness.quantities import when_known
from readiness.records import QUARTER_NS
from readiness.spans import EMPTY, Spans, difference, intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.production import Quantity
    from readiness.seen import Labelled
    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PRIOR_NS = 2 * alarms.MINUTE_NS
"""An action that follows an alarm within this time answers it; one that does not was planned (readiness.md 7.3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Actions:
    """Actions of operators within a domain, in order of time.

    Attributes:
        at: int64[n], when.
        declared: bool[n], a person has said that it belongs to every cycle or batch (`Meaning.planned`).
        answering: bool[n], an alarm was active within the two minutes before.
        buttons: Whether any button can be read; else only changes of mode are seen, a lower bound.
        known: When any button or mode was known.
    """

    at: Ints
    declared: NDArray[np.bool_]
    answering: NDArray[np.bool_]
    buttons: bool
    known: Spans

    def during(self, spans: Spans) -> Actions:
        """Return the actions in a part of the domain."""
        there = alarms.inside(spans, self.at)
        return replace(self, at=self.at[there], declared=self.declared[there], answering=self.answering[there])


def changes(track: Labelled) -> Ints:
    """Return when a track came to say something else than before."""
    return alarms.begun(track, lambda _: True)[0]


def _short(track: Labelled) -> Ints:
    """Return when a button was pressed of which short presses are only summed up: amid their quarter hour."""
    pressed = [(s.at_ns, s.begins) for s in track.rest if alarms.is_active(s.label)]
    return np.array([at + QUARTER_NS // 2 for at, number in pressed for _ in range(number)], np.int64)


def modes(view: View, machine: str) -> tuple[Spans, Spans] | None:
    """Return when the mode of a machine was known, and when automatic; None if nobody has said what means that.

    Of several selectors none may say otherwise.
    """
    known, automatic, manual = [EMPTY], [EMPTY], [EMPTY]
    said = False
    for name in view.signals(machine, "mode"):
        track, labels = view.seen.track(name), view.plant.meaning(name).automatic
        said |= bool(labels)
        if track is not None and labels:
            known.append(track.known)
            automatic.append(track.spans_of(labels))
            manual.append(difference(track.known, automatic[-1]))
    return (union(*known), difference(union(*automatic), union(*manual))) if said else None


def cycles(view: View, machine: str, inside: Spans) -> Floats | None:
    """Return the cycles per day within some of the time that counts.

    None where neither a cycle signal nor a counter tells. A cycle signal that never began one tells nothing.
    """
    facts = production(view, machine)
    counting = view.counting(machine) > 0
    if facts.cycles is not None and facts.cycles.begun.any():
        begun = shared(facts.cycles.at, facts.cycles.begun, intersection(inside, facts.domain), facts.executing)
        day = view.seen.day_of(facts.cycles.at)
        there = (day >= 0) & (day < len(counting))
        per_day = np.bincount(day[there], weights=begun[there], minlength=len(counting))
        return np.where(counting, per_day, 0.0)
    total = facts.quantity("total") or facts.quantity("good")
    if total is None:
        return None
    kind: Quantity = "total" if facts.quantity("total") is not None else "good"
    return np.where(counting, facts.made(kind, inside) / total.each, 0.0)


def cycles_known(view: View, machine: str) -> Spans:
    """Return when what `cycles` counts was known: what people do meanwhile can be laid against it, and no more."""
    facts = production(view, machine)
    if facts.cycles is not None and facts.cycles.begun.any():
        return view.spans(facts.cycles.name)
    total = facts.quantity("total") or facts.quantity("good")
    return EMPTY if total is None else when_known(view, total)


def actions(view: View, machine: str, domains: Sequence[Spans], *, of_modes: bool = True) -> Actions:
    """Return the actions at a machine within a domain, given by day; changes of mode only if they are wanted."""
    domain = union(*domains)
    buttons, selectors = view.signals(machine, "intervention"), view.signals(machine, "mode") if of_modes else []
    rows, declared, known = [np.empty(0, np.int64)], [np.empty(0, np.bool_)], [EMPTY]
    for name in (*buttons, *selectors):
        track = view.seen.track(name)
        if track is None:
            continue
        known.append(intersection(track.known, domain))
        if name in buttons:
            row = np.concatenate([alarms.begun(track, alarms.is_active)[0], _short(track)])
        else:
            row = changes(track)
        rows.append(row[alarms.inside(domain, row)])
        declared.append(np.full(len(rows[-1]), view.plant.meaning(name).planned))
    at, planned = np.concatenate(rows), np.concatenate(declared)
    order = np.argsort(at, kind="stable")
    at, planned = at[order], planned[order]
    alarmed = alarms.active(alarms.tracks(view, machine, lambda meaning: not meaning.advice))
    answering = touched(alarmed, at - PRIOR_NS, at)
    return Actions(at, planned, answering, bool(buttons), union(*known))


def touched(spans: Spans, start: Ints, end: Ints) -> NDArray[np.bool_]:
    """Return which of the closed intervals [start, end] meet a set of spans."""
    if not len(spans):
        return np.zeros(len(start), np.bool_)
    first = np.minimum(np.searchsorted(spans.end, start, side="right"), len(spans) - 1)
    found: NDArray[np.bool_] = (spans.end[first] > start) & (spans.start[first] <= end)
    return found


def per_day(domains: Sequence[Spans], at: Ints) -> Floats:
    """Return how many instants lie in the domain of each day."""
    return np.array([alarms.inside(day, at).sum() for day in domains], np.float64)


def days(view: View, machine: str) -> list[Spans]:
    """Return per day of the window the time that counts for a machine, empty on days that do not count."""
    whole = view.machine_domain(machine)
    bounds = [view.calendar.bounds(day) for day in view.dates]
    counting = view.counting(machine) > 0
    return [
        intersection(whole, Spans.between(*bound)) if counts else EMPTY
        for bound, counts in zip(bounds, counting.tolist(), strict=True)
    ]
