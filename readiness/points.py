"""Whether an installed data point is alive: good lately, and moving while its machine works.

"Lately" is the last production day on which its source counts, not the last 24 hours by the clock: on a Monday
morning a plant that stood still over Sunday is not dead.

What a person chooses (set points, modes, products, recipes), and what should not happen at all (alarms, reasons,
interventions), need not change within a week. A measured value has to do more than flicker: an input to which no
sensor is connected shows two or three neighbouring values, whatever its machine does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from readiness.alarms import inside
from readiness.catalog import key
from readiness.production import production
from readiness.quarters import good
from readiness.records import QUARTER_NS
from readiness.sketch import edges, pairs
from readiness.spans import Spans, difference, intersection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Life = Literal["live", "bad", "still", "noise", "unseen"]
DAYS = 7
STEPS = 2.0
"""Of its own smallest steps: as far as a flickering value comes."""
RANGE = 0.01
"""A value that covers more of its range than this is no flicker."""
PURE = 0.9
QUARTERS = 4
STEADY = frozenset({"alarm", "sp", "mode", "product", "recipe", "order", "reason", "intervention"})
"""Roles that need not change within a week."""


def alive(view: View, signal: str) -> Life:
    """Return whether a signal (`{machine}/{signal}`) is alive, or why not; `unseen` if it was we who missed it."""
    source = view.source_of(signal)
    if source is None:
        return "bad"  # it is in the list and in no source: nothing is known of it
    domain = view.domain(source)
    days = np.flatnonzero(view.by_day(source, domain) > 0)
    if not len(days):
        return "unseen"
    last = int(days[-1])
    today = intersection(domain, Spans.between(*view.calendar.bounds(view.dates[last])))
    if not intersection(good(view, signal), today).length():
        return "bad"
    meaning = view.plant.meaning(signal)
    if meaning.role in STEADY and meaning.origin != "guess":
        return "live"
    start = view.calendar.bounds(view.dates[max(0, last - DAYS + 1)])[0]
    facts = production(view, signal.split("/", 1)[0])
    # Without a known state any time that counts stands for executing; the indicator says so.
    works = facts.executing if len(facts.known) else domain
    week = domain.clip(start, int(today.end[-1]))
    if not changed(view, signal, intersection(works, week)):
        return "still" if recorded(view, signal, week) else "live" if _text(view, signal) else "unseen"
    idle = intersection(difference(facts.known, facts.executing), week)
    noise = meaning.role == "pv" and flickers(view, signal, week) and indifferent(view, signal, works, idle)
    return "noise" if noise else "live"


def moves(view: View, signal: str) -> tuple[Ints, Floats]:
    """Return the quarter hours in which a signal changed, and how often (a counter: by how much)."""
    found: dict[int, float] = {}
    for record in view.records:
        for part in record.sources:
            rows = [part.tracks[signal].changed] if signal in part.tracks else []
            rows += [part.values[signal].changed] if signal in part.values and not rows else []
            rows += [part.counts[signal].counted] if signal in part.counts and not rows else []
            for row in rows:
                for quarter, number in pairs(row).items():
                    at = record.start_ns + quarter * QUARTER_NS
                    found[at] = found.get(at, 0.0) + number
    return np.array(sorted(found), np.int64), np.array([found[at] for at in sorted(found)], np.float64)


def changed(view: View, signal: str, during: Spans) -> bool:
    """Return whether a signal changed in a time; of days with quarter hours only, in one that meets it.

    A measured value may leave a track on a quiet day and none on those on which it says much.
    """
    track, at = view.seen.track(signal), moves(view, signal)[0]
    if track is not None:
        instants = track.start[1:][track.start[1:] == track.end[:-1]]
        if inside(during, instants).any():
            return True
        at = at[~np.isin(view.seen.day_of(at), sorted(track.whole - track.cut))]
    return bool(during.within(Spans(at, at + QUARTER_NS)).any())


def recorded(view: View, signal: str, during: Spans) -> bool:
    """Return whether any record of a time tells whether a signal moved."""
    return any(
        signal in kind
        for record in view.records
        if during.clip(record.start_ns, record.end_ns).length()
        for part in record.sources
        for kind in (part.tracks, part.values, part.counts)
    )


def _text(view: View, signal: str) -> bool:
    """Return whether a signal is a text: without a record it has said more different ones than a track holds."""
    tags = view.tags.get(signal.split("/", 1)[0], ())
    return any(tag.dtype == "string" for _, tag in tags if key(tag) == signal)


def flickers(view: View, signal: str, during: Spans) -> bool:
    """Return whether a measured value never moved by more than two of its smallest steps, nor over its range."""
    since = int(during.start[0])
    values = [v for _, r, v in view.seen.values(signal) if r.end_ns > since and v.n]
    track = view.seen.track(signal)
    if values:
        low, high = min(v.low for v in values), max(v.high for v in values)
        smallest = min((edges(min(s), v.grain)[1] for v in values if (s := pairs(v.steps))), default=0.0)
    elif track is not None:
        rows = zip(track.label, track.end.tolist(), strict=True)
        levels = np.array(sorted({float(x) for x, end in rows if end > since and not isinstance(x, str)}))
        if len(levels) < 2:
            return False
        low, high, smallest = float(levels[0]), float(levels[-1]), float(np.diff(levels).min())
    else:
        return False
    tags = [tag for _, tag in view.tags.get(signal.split("/", 1)[0], ()) if key(tag) == signal]
    ranges = [r for tag in tags for r in (tag.eu_range, tag.instrument_range) if r is not None]
    if any(high - low > RANGE * (most - least) for least, most in ranges[:1]):
        return False
    return high - low <= STEPS * smallest * (1 + 1e-9)


def indifferent(view: View, signal: str, works: Spans, idle: Spans) -> bool:
    """Return whether a signal changes while its machine does not execute at least half as often as while it does.

    Where a machine is never seen idle for long it cannot be told, and the small steps decide alone.
    """
    at, number = moves(view, signal)
    first, last = view.seen.start_ns, view.seen.end_ns
    edge = np.arange(first, last, QUARTER_NS, dtype=np.int64)
    row = np.zeros(len(edge))
    place = (at - first) // QUARTER_NS
    there = (place >= 0) & (place < len(edge))
    np.add.at(row, place[there], number[there])
    each = Spans(edge, edge + QUARTER_NS)
    busy, quiet = (spans.within(each) >= PURE * QUARTER_NS for spans in (works, idle))
    if int(quiet.sum()) < QUARTERS or not busy.any():
        return True
    return float(row[quiet].mean()) >= 0.5 * float(row[busy].mean())
