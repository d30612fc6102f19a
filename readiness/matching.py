"""Alerts of a machine with what followed them, and windows without an alert that resemble each.

An alert is an activation that was seen happen, of an alarm on which somebody has to act or that is advice. It
starts a window of `RESPONSE_NS`; alerts within it are part of the same one, so an alarm that chatters is one alert.

An action is a button pressed, a change of mode, or of a set point that no system writes. What changes with the
alert, or after its end, is the machine's own doing: a mode or set point that changes within five seconds and the
time of two readings of the alert's begin, or so soon after its end, is left out. Buttons are pressed by people.

A matched window begins on another day, at most half an hour before or after the alert's time of day, in the same
state of the machine, with no alert active from one window before it to its end. Windows lie wholly in time that
counts. What is left out after the alert is left out of its matched windows as well, at the same distance from their
begin: with readings a minute apart that is a third of a window, in which people act as often as in the rest of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness import alarms
from readiness.interventions import actions, changes, touched
from readiness.interventions import days as counted_days
from readiness.plant import STATES
from readiness.production import production
from readiness.quarters import interval
from readiness.spans import EMPTY, Spans, intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.alarms import AlarmTrack
    from readiness.plant import State
    from readiness.view import View

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MINUTE_NS = 60_000_000_000
RESPONSE_NS = 15 * MINUTE_NS
"""Long enough for somebody who looks after several machines to finish a round and come, short enough that what
happens within it has to do with the alert; a longer answer is planned work."""
REACTION_NS = 5_000_000_000
SHIFTS_NS = tuple(minutes * MINUTE_NS for minutes in (0, -10, 10, -20, 20, -30, 30))


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Alerts of a machine.

    Attributes:
        followed: [alerts], an action came within the window.
        day: [alerts], index of the production day.
        control: [alerts, days], share of the day's matched windows with an action; nan where there is none.
        automatic: Changes left out as the machine's own.
    """

    followed: Bools
    day: Ints
    control: Floats
    automatic: int


def first_out(at: Ints) -> Ints:
    """Return the alerts that begin a window of their own."""
    kept: list[int] = []
    for instant in at.tolist():
        if not kept or instant - kept[-1] >= RESPONSE_NS:
            kept.append(instant)
    return np.array(kept, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Acts:
    """What was done at a machine.

    Attributes:
        pressed: When buttons were.
        moved: When a mode or set point changed that no alert's begin or end explains.
        deaf: Around begins and after ends of alerts, both ends included: changes in it are the machine's own.
        automatic: How many those were.
    """

    pressed: Ints
    moved: Ints
    deaf: Spans
    automatic: int

    def follow(self, begins: Ints, alert: int | None = None) -> Bools:
        """Return which windows have an action in them, the begin left out.

        Args:
            begins: Of the windows.
            alert: Begin of the alert that they are matched with: changes where it is deaf do not count in them.
        """
        ends = begins + RESPONSE_NS
        moves = _number(self.moved, begins + 1, ends)
        if alert is not None:
            inside = intersection(self.deaf, Spans.between(alert + 1, alert + RESPONSE_NS + 1))
            for low, high in inside:
                moves -= _number(self.moved, begins + (low - alert), begins + (high - 1 - alert))
        return np.asarray((moves > 0) | (_number(self.pressed, begins + 1, ends) > 0))


def _number(row: Ints, start: Ints, end: Ints) -> Ints:
    """Return how many of the instants in `row` lie in each closed interval."""
    found: Ints = np.searchsorted(row, end, side="right") - np.searchsorted(row, start, side="left")
    return found


def acted(view: View, machine: str, days: Sequence[Spans], alerts: Sequence[AlarmTrack]) -> Acts:
    """Return what people did at a machine, and what it did itself."""
    by_system = {f"{loop.machine}/{loop.sp}" for loop in view.plant.loops if loop.by_system == "yes"}
    setting = [name for name in view.signals(machine, "sp") if name not in by_system]
    moved = [*view.signals(machine, "mode"), *setting]
    tracks = [track for name in moved if (track := view.seen.track(name)) is not None]
    domain = union(EMPTY, *days)
    machine_made = np.concatenate([np.empty(0, np.int64), *(changes(track) for track in tracks)])
    machine_made = machine_made[alarms.inside(domain, machine_made)]
    within = reaction(view, machine)
    begins = np.sort(np.concatenate([np.empty(0, np.int64), *(alert.active.start for alert in alerts)]))
    ends = np.sort(np.concatenate([np.empty(0, np.int64), *(alert.active.end for alert in alerts)]))
    deaf = union(Spans(begins - within, begins + within + 1), Spans(ends, ends + within + 1))
    own = alarms.inside(deaf, machine_made)
    pressed = actions(view, machine, days, of_modes=False).at
    return Acts(np.sort(pressed), np.sort(machine_made[~own]), deaf, int(own.sum()))


def reaction(view: View, machine: str) -> int:
    """Return within what time what a machine does by itself is seen after an alert begins or ends."""
    roles = ("alarm", "mode", "sp", "state")
    return REACTION_NS + 2 * max(
        (interval(view, n) for role in roles for n in view.signals(machine, role)), default=0
    )


def state_at(states: dict[State, Spans], instants: Ints) -> Ints:
    """Return the index of the state at each instant, -1 where it is not known."""
    found = np.full(len(instants), -1, np.int64)
    for index, state in enumerate(STATES):
        found[alarms.inside(states[state], instants)] = index
    return found


def match(view: View, machine: str) -> Matched | None:
    """Return the alerts of a machine with their matched windows, None if no alarm asks for action."""
    wanted = alarms.tracks(view, machine, lambda meaning: meaning.action or meaning.advice)
    names = [view.plant.meaning(name) for name in alarms.names(view, machine)]
    if not any(meaning.action or meaning.advice for meaning in names):
        return None
    days = counted_days(view, machine)
    domain = union(EMPTY, *days)
    acts = acted(view, machine, days, wanted)
    begins = np.sort(np.concatenate([np.empty(0, np.int64), *(a.begins[a.exact] for a in wanted)]))
    begins = first_out(begins)
    states = dict(production(view, machine).states)
    back = reaction(view, machine)
    busy = union(EMPTY, *(alert.active for alert in wanted))

    def whole(start: Ints) -> Bools:
        return np.asarray(domain.within(Spans(start, start + RESPONSE_NS)) == RESPONSE_NS)

    begins = begins[whole(begins)]
    before = state_at(states, begins - back)
    begins, before = begins[before >= 0], before[before >= 0]
    day = view.seen.day_of(begins)
    starts = np.array([view.calendar.bounds(d)[0] for d in view.dates], np.int64)
    control = np.full((len(begins), len(starts)), np.nan)
    for index, (instant, state) in enumerate(zip(begins.tolist(), before.tolist(), strict=True)):
        clock = instant - int(starts[day[index]])
        tried = (starts[:, None] + clock + np.array(SHIFTS_NS)[None, :]).ravel()
        fits = whole(tried) & (state_at(states, tried - back) == state)
        fits &= ~touched(busy, tried - RESPONSE_NS, tried + RESPONSE_NS)
        table, hits = fits.reshape(len(starts), -1), (fits & acts.follow(tried, instant)).reshape(len(starts), -1)
        number = table.sum(axis=1)
        number[day[index]] = 0
        np.divide(hits.sum(axis=1), number, out=control[index], where=number > 0)
    return Matched(acts.follow(begins), day, control, acts.automatic)
