"""Alerts of a machine with what followed them, and windows without an alert that resemble each.

An alert is an activation that was seen happen, of an alarm on which somebody has to act or that is advice. It
starts a window of `RESPONSE_NS`; alerts within it are part of the same one, so an alarm that chatters is one alert.

An action is a button pressed, a change of mode, or of a set point that no system writes. What changes with the
alert, or after its end, is the machine's own doing: a mode or set point that changes within five seconds and the
time of two readings of the alert's begin, or so soon after its end, is left out. Buttons are pressed by people.

A matched window begins on another day, at most half an hour before or after the alert's time of day, in the same
state of the machine, with no alert active from one window before it to its end. Windows lie wholly in time that
counts.
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
from readiness.spans import EMPTY, Spans, union

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


def acted(view: View, machine: str, days: Sequence[Spans], alerts: Sequence[AlarmTrack]) -> tuple[Ints, int]:
    """Return when people acted at a machine, and how many changes were the machine's own."""
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
    own = met(begins, machine_made - within, machine_made + within) | met(ends, machine_made - within, machine_made)
    pressed = actions(view, machine, days, of_modes=False).at
    return np.sort(np.concatenate([pressed, machine_made[~own]])), int(own.sum())


def reaction(view: View, machine: str) -> int:
    """Return within what time what a machine does by itself is seen after an alert begins or ends."""
    roles = ("alarm", "mode", "sp", "state")
    return REACTION_NS + 2 * max(
        (interval(view, n) for role in roles for n in view.signals(machine, role)), default=0
    )


def met(row: Ints, start: Ints, end: Ints) -> Bools:
    """Return which of the closed intervals [start, end] contain any of the instants in `row`."""
    found: Bools = np.searchsorted(row, end, side="right") > np.searchsorted(row, start, side="left")
    return found


def state_at(states: dict[State, Spans], instants: Ints) -> Ints:
    """Return the index of the state at each instant, -1 where it is not known."""
    found = np.full(len(instants), -1, np.int64)
    for index, state in enumerate(STATES):
        found[alarms.inside(states[state], instants)] = index
    return found


def followed_by(at: Ints, begins: Ints) -> Bools:
    """Return which windows have an action in them, the begin left out."""
    found: Bools = np.searchsorted(at, begins + RESPONSE_NS, side="right") > np.searchsorted(
        at, begins, side="right"
    )
    return found


def match(view: View, machine: str) -> Matched | None:
    """Return the alerts of a machine with their matched windows, None if no alarm asks for action."""
    wanted = alarms.tracks(view, machine, lambda meaning: meaning.action or meaning.advice)
    names = [view.plant.meaning(name) for name in alarms.names(view, machine)]
    if not any(meaning.action or meaning.advice for meaning in names):
        return None
    days = counted_days(view, machine)
    domain = union(EMPTY, *days)
    at, automatic = acted(view, machine, days, wanted)
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
        table, hits = fits.reshape(len(starts), -1), (fits & followed_by(at, tried)).reshape(len(starts), -1)
        number = table.sum(axis=1)
        number[day[index]] = 0
        np.divide(hits.sum(axis=1), number, out=control[index], where=number > 0)
    return Matched(followed_by(at, begins), day, control, automatic)
