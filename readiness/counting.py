"""Pieces (or kilowatt-hours) from what a counter said: by quarter hour, with each step back explained or not.

A step back is one of

    wrap        a modulus is declared, and what was counted across it fits the counter's own pace
    reset       to zero or near it, at a declared time or with the change of a signal that is declared to set it
                back (a lot), 5 minutes more or less, or unseen around one
    suspected   to zero or near it, at the same quarter hour of the day on three days or more: probably a reset that
                nobody has declared; a person decides
    fault       anything else

"Near zero" and "fits" mean: no more than the counter can have counted since it was last seen and a minute, at
twice the fastest pace of any quarter hour of the window, or four of its usual steps. What was counted across a wrap
or since a reset is added; a step back that is a fault or only suspected adds nothing. A counter that steps back and
leaps up by as much within a quarter hour, further than it ever counts in two, has read nonsense for a moment (a
zero while its controller starts): the leap is taken off again. Steps that evidence did not keep one by one (over a
hundred a day) are `unresolved`.

The median time per piece and the share of pieces that came too fast come from the sketch of paces, so both have its
relative error of 2 %.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, cast
from zoneinfo import ZoneInfo

import numpy as np

from readiness.leaps import leaps, unpaced
from readiness.records import MILLI_NS, QUARTER_NS
from readiness.sketch import edges, pairs
from readiness.spans import EMPTY, Spans, intersection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import time

    from numpy.typing import NDArray

    from readiness.plant import Meaning
    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SECOND = 1_000_000_000
NEAR_NS = 300 * SECOND
"""A reset comes this much before or after its declared time."""
HABIT = 3
"""On as many days a step back at the same quarter hour looks like a habit."""
PACE, STEPS, MARGIN_NS = 2.0, 4.0, 60 * SECOND
TOO_FAST = 0.5
"""Pieces that come in less than this share of the ideal cycle cannot have been made."""
AROUND = (0, QUARTER_NS, -QUARTER_NS)
"""Where a counter that read nonsense for a moment leapt up: in the quarter hour of its step back or beside it."""
Kind = Literal["wrap", "reset", "suspected", "fault"]


@dataclass(frozen=True, slots=True)
class Back:
    """One step back: what the counter said before and after, and the counts that were gained across it.

    `blind`: it came over a time in which nothing was known, and so did what was gained.
    """

    at_ns: int
    before: int
    after: int
    kind: Kind
    gained: int
    blind: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What one counter counted over the window. Amounts are pieces, or kilowatt-hours of an energy meter.

    Attributes:
        name: The signal, or several joined by " " where this is derived.
        at: int64[n] starts of the quarter hours in which anything was counted, increasing.
        pieces: [n] counted in each.
        blind: [n] the part of it that came over a time in which nothing was known.
        backs: Steps back.
        steps: [days] readings that differed from the one before, steps back included.
        faults: [days] steps back that are faults, and those by which the counter was set forward.
        suspected: [days] those that look like a habit.
        unresolved: [days] those of which only the number is known.
        counts: [days] pieces whose pace is known, `fast` of which came too fast; 0 where no ideal cycle is known.
        fast: See `counts`.
        pace: Per day sketch (ns) of the times per whole count.
        each: Pieces of one whole count.
        derived: It is a difference or sum of other counters.
        others: Further signals of the same role, which count the same or are not understood.
        off: Quarter hour -> pieces that were taken off, because the counter was set forward.
    """

    name: str
    at: Ints
    pieces: Floats
    blind: Floats
    backs: tuple[Back, ...]
    steps: Floats
    faults: Floats
    suspected: Floats
    unresolved: Floats
    counts: Floats
    fast: Floats
    pace: Sequence[dict[int, int]]
    each: float
    derived: bool = False
    others: tuple[str, ...] = ()
    off: Mapping[int, float] = field(default_factory=dict)

    def within(self, from_ns: int, to_ns: int, along: Spans = EMPTY) -> float:
        """Return what was counted between two instants, exact where both begin a quarter hour of the day.

        Args:
            from_ns: Begin.
            to_ns: End.
            along: The pieces of a quarter hour that lies in it only in part are shared by this time (executing).
        """
        return float(shared(self.at, self.pieces, Spans.of([(from_ns, to_ns)]), along).sum())

    def limits(self, from_ns: int, to_ns: int) -> tuple[float, float]:
        """Return the least and the most that can have been counted between two instants."""
        inside = (self.at >= from_ns) & (self.at + QUARTER_NS <= to_ns)
        touched = (self.at + QUARTER_NS > from_ns) & (self.at < to_ns)
        return float(self.pieces[inside].sum()), float(self.pieces[touched].sum())

    def seen_within(self, inside: Spans, along: Spans) -> Floats:
        """Return [n] the pieces of each quarter hour that lie in `inside`, without those that came blindly."""
        return shared(self.at, self.pieces - self.blind, inside, along)


def shared(at: Ints, amount: Floats, inside: Spans, along: Spans) -> Floats:
    """Return the part of each quarter hour's amount that lies in `inside`.

    Of a quarter hour that lies in it only in part, the amount is shared by the time of `along` (pieces are made
    while a machine executes), or by time where there is none of that.
    """
    quarters = Spans(at, at + QUARTER_NS)
    time = along.within(quarters)
    part = intersection(along, inside).within(quarters)
    plain = inside.within(quarters) / QUARTER_NS
    return amount * np.where(time > 0, part / np.maximum(time, 1), plain)


def count(view: View, name: str, ideals_ns: Sequence[float | None] = ()) -> Counted | None:
    """Return what a counter counted, or None if it left no counts.

    Args:
        view: Of the window.
        name: The signal, `{machine}/{signal}`.
        ideals_ns: [days] shortest ideal time per piece, None where none is known; empty for none at all.
    """
    records = view.seen.counts(name)
    if not records:
        return None
    meaning = view.plant.meaning(name)
    days = len(view.dates)
    pieces: dict[int, float] = defaultdict(float)
    blind: dict[int, float] = defaultdict(float)
    steps, unresolved = np.zeros(days), np.zeros(days)
    pace: list[dict[int, int]] = [{} for _ in range(days)]
    raw: list[tuple[int, int, int, int, float]] = []  # day, at, before, after, unit
    for day, record, seen in records:
        each, start = seen.unit * meaning.factor, record.start_ns
        for target, flat in ((pieces, seen.counted), (blind, seen.blind)):
            for quarter, amount in pairs(flat).items():
                target[start + quarter * QUARTER_NS] += amount * each
        rows = iter(seen.back)
        kept = [
            (day, start + ms * MILLI_NS, before, after, seen.unit)
            for ms, before, after in zip(rows, rows, rows, strict=True)
        ]
        raw += kept
        steps[day] += seen.steps + seen.backs
        unresolved[day] += seen.backs - len(kept)
        for bucket, number in pairs(seen.pace).items():
            pace[day][bucket] = pace[day].get(bucket, 0) + number
    unit = records[-1][2].unit
    seeing = {at: pieces[at] - blind.get(at, 0.0) for at in pieces}
    places = view.seen.quarters(np.array([at for _, at, *_ in raw], np.int64)).tolist()
    beside = {place + side for place in places for side in AROUND}
    clean = max((seeing[at] for at in seeing.keys() - beside), default=0.0)
    peak = (clean or max(seeing.values(), default=0.0)) / (unit * meaning.factor)
    step = sum(seeing.values()) / (unit * meaning.factor) / max(1, sum(c.steps for _, _, c in records))
    backs = _explained(view, name, meaning, raw, (peak, max(step, 1.0)))
    faults, suspected, off = np.zeros(days), np.zeros(days), dict[int, float]()
    for (day, *_), back in zip(raw, backs, strict=True):
        faults[day] += back.kind == "fault"
        suspected[day] += back.kind == "suspected"
    for (day, *_, step_unit), back, place in zip(raw, backs, places, strict=True):
        if _across(back, place, (pieces, blind), step_unit * meaning.factor, PACE * clean):
            _unpaced(pace[day], round((back.before - back.after) * step_unit), PACE * clean / meaning.factor)
            off[place] = off.get(place, 0.0) + (back.before - back.after) * step_unit * meaning.factor
    # A meter of something that runs now and then has hours like leaps.
    seeing = {at: (pieces[at] - blind.get(at, 0.0)) / meaning.factor for at in pieces if meaning.role != "energy"}
    forward, most = leaps(seeing)
    # A day whose start was moved may reach out of the window; it counts with its nearest.
    on = np.clip(view.seen.day_of(np.array(forward, np.int64)), 0, days - 1)
    for place, day in zip(forward, on.tolist(), strict=True):
        size = (unpaced(pace[day], seeing[place], most) or seeing[place]) * meaning.factor
        pieces[place] -= size
        off[place] = off.get(place, 0.0) + size
        faults[day] += 1
    counts, fast = _hurried(pace, ideals_ns, meaning.factor)
    at = sorted(pieces)
    return Counted(
        name=name,
        at=np.array(at, np.int64),
        pieces=np.array([pieces[t] for t in at], np.float64),
        blind=np.array([blind.get(t, 0.0) for t in at], np.float64),
        backs=tuple(backs),
        steps=steps,
        faults=faults,
        suspected=suspected,
        unresolved=unresolved,
        counts=counts,
        fast=fast,
        pace=pace,
        each=meaning.factor,
        off=off,
    )


def _across(
    back: Back, place: int, amounts: tuple[dict[int, float], dict[int, float]], each: float, most: float
) -> bool:
    """Add what was gained across a step back, or take the leap off that belongs to it.

    Returns whether there was a leap.

    Args:
        back: The step.
        place: Its quarter hour.
        amounts: Pieces by quarter hour, and the blind part of them.
        each: Pieces of one count.
        most: That a quarter hour can have without a leap; 0 where none is known.
    """
    pieces, blind = amounts
    lost = (back.before - back.after) * each
    leapt = next((q for side in AROUND if pieces.get(q := place + side, 0.0) > max(lost, most)), None)
    if back.kind != "wrap" and most and leapt is not None:
        pieces[leapt] -= lost
        if blind.get(leapt, 0.0) >= lost:  # the leap came over a hole
            blind[leapt] -= lost
        return True
    for amount in (pieces, blind)[: 1 + back.blind] if back.gained else ():
        amount[place] = amount.get(place, 0.0) + back.gained * each
    return False


def _unpaced(pace: dict[int, int], counts: int, most: float) -> None:
    """Take the counts of a leap out of a day's paces: they are of one pace, faster than `most` in a quarter hour.

    One that came behind a step back or over a hole has left none.
    """
    quickest = [b for b in sorted(pace) if pace[b] >= counts and edges(b)[1] * SECOND * most < QUARTER_NS]
    for bucket in quickest[:1]:
        pace[bucket] -= counts
        if not pace[bucket]:
            del pace[bucket]


def _hurried(
    pace: Sequence[dict[int, int]], ideals_ns: Sequence[float | None], factor: float
) -> tuple[Floats, Floats]:
    """Return per day the counts whose pace is known, and those that came too fast; 0 without an ideal cycle."""
    counts, fast = np.zeros(len(pace)), np.zeros(len(pace))
    for day, ideal in enumerate(ideals_ns):
        for bucket, number in pace[day].items() if ideal is not None else ():
            counts[day] += number
            # Of the bucket's slowest edge, so that rounding never accuses; a count may be several pieces.
            fast[day] += number * (edges(bucket)[1] * SECOND / factor < TOO_FAST * (ideal or 0.0))
    return counts, fast


def _explained(
    view: View,
    name: str,
    meaning: Meaning,
    raw: Sequence[tuple[int, int, int, int, float]],
    usual: tuple[float, float],
) -> list[Back]:
    """Return each step back with what it is."""
    known = view.spans(name)
    zone = ZoneInfo(view.calendar.zone)
    changes = _changes(view, name, meaning.resets_with)
    found: list[Back] = []
    open_: dict[int, set[str]] = defaultdict(set)  # quarter of the local day -> dates with an unexplained step
    near_zero: list[bool] = []
    for _, at, before, after, unit in raw:
        last = _last_seen(known, at)
        limit = max(PACE * usual[0] * (at - last + MARGIN_NS) / QUARTER_NS, STEPS * usual[1])
        modulus = None if meaning.modulus is None else round(meaning.modulus / unit)
        across = 0 if modulus is None else after + modulus - before
        near = 0 <= after <= limit
        near_zero.append(near)
        if modulus is not None and before < modulus and after >= 0 and across <= limit:
            found.append(Back(at, before, after, "wrap", across, blind=last < at))
        elif near and (
            any(_struck(reset, last - NEAR_NS, at + NEAR_NS, zone) for reset in meaning.resets)
            or bool(((changes >= last - NEAR_NS) & (changes <= at + NEAR_NS)).any())
        ):
            found.append(Back(at, before, after, "reset", after, blind=last < at))
        else:
            found.append(Back(at, before, after, "fault", 0))
            if near:
                open_[_local_quarter(at, zone)].add(_local(at, zone).date().isoformat())
    return [
        Back(back.at_ns, back.before, back.after, "suspected", 0)
        if back.kind == "fault" and near and len(open_[_local_quarter(back.at_ns, zone)]) >= HABIT
        else back
        for back, near in zip(found, near_zero, strict=True)
    ]


def _changes(view: View, name: str, other: str | None) -> Ints:
    """Return when the signal that sets a counter back said something else than before."""
    track = None if other is None else view.seen.track(f"{name.partition('/')[0]}/{other}")
    if track is None:
        return np.zeros(0, np.int64)
    begun = [
        at for at, one, last in zip(track.start[1:], track.label[1:], track.label, strict=False) if one != last
    ]
    return np.array(begun, np.int64)


def _last_seen(known: Spans, at: int) -> int:
    """Return until when the value before a reading at `at` was known."""
    index = int(np.searchsorted(known.start, at + MILLI_NS, side="right")) - 1
    if index < 0 or at - known.start[index] > MILLI_NS:
        return at  # known right up to this reading
    return int(known.end[index - 1]) if index else at


def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC).astimezone(zone)


def _local_quarter(at: int, zone: ZoneInfo) -> int:
    """Return the quarter hour of the local day that lies nearest to an instant, 0-95."""
    local = _local(at, zone)
    return round((local.hour * 60 + local.minute + local.second / 60) / 15) % 96


def _struck(reset: time, from_ns: int, to_ns: int, zone: ZoneInfo) -> bool:
    """Return whether a local time of day lies between two instants."""
    day = _local(from_ns, zone).date()
    last = _local(to_ns, zone).date()
    while day <= last:
        at = int(datetime.combine(day, reset, zone).timestamp()) * SECOND
        if from_ns <= at <= to_ns:
            return True
        day += timedelta(days=1)
    return False


def by_day(view: View, counted: Counted) -> Floats:
    """Return what was counted on each day of the window, also outside of planned time."""
    day = view.seen.day_of(counted.at)
    inside = (day >= 0) & (day < len(view.dates))
    found = np.bincount(day[inside], weights=counted.pieces[inside], minlength=len(view.dates))
    return cast("Floats", found.astype(np.float64))
