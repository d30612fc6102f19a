"""V04 Cycle-time tracking: pieces whose own cycle time is known, not an average over many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness import quarters
from readiness.capture import pieces_of
from readiness.cycles import median_ns
from readiness.indicators.absent import absent, shortfall
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.records import QUARTER_NS
from readiness.rules import cycle_ns
from readiness.sketch import ERROR, pairs
from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.evidence import DayEvidence
    from readiness.indicators.base import Floats
    from readiness.records import Count
    from readiness.view import View

    Ints = NDArray[np.int64]

FINE = 0.05
"""An interval of at most this share of the median cycle tells one cycle from another."""
EVEN = 0.02
"""Leaps of another size than the usual one are fewer than this share, where a counter always leaps alike."""
COARSE = "INTERVAL_TOO_COARSE"


def unseen_by_us(view: View, key: str, known: Spans) -> Ints:
    """Return when a counter was known again after a hole that lies, in part at least, outside the time that counts.

    What was counted meanwhile came unseen because it was we who did not look, or in time that was not planned.
    """
    holes = Spans(known.end[:-1], known.start[1:])
    counts = view.domain_of(key).within(holes)
    return np.asarray(holes.end[counts < holes.end - holes.start])


def singles(view: View, counted: Counted, inside: Spans, each: Callable[[Ints], Floats]) -> tuple[Floats, Floats]:
    """Return per day the counts of a counter that came piece by piece, and all, within the time that counts.

    Args:
        view: Of the window.
        counted: The counter.
        inside: The time that counts.
        each: Returns for quarter hours that begin at these instants what one count is, in pieces.
    """
    single, total = np.zeros(len(view.dates)), np.zeros(len(view.dates))
    key, known = counted.name, view.spans(counted.name)
    again = unseen_by_us(view, key, known)
    for day, record, count in view.seen.counts(key):
        ours = set(((again - record.start_ns) // QUARTER_NS).tolist())
        blind = [x for index, n in pairs(count.blind).items() if index in ours for x in (index, n)]
        whole = quarters.within(record, count.counted, known, inside)
        for at, leapt in counted.off.items():  # the counter was set forward: nothing was made
            if record.start_ns <= at < record.end_ns and inside.within(Spans.between(at, at + QUARTER_NS)).sum():
                whole -= leapt / counted.each
        one_by_one = quarters.within(record, count.single, known, inside)
        single[day] += max(one_by_one, whole * _in_leaps(count, each(_starts(record, count))))
        total[day] += whole
        total[day] -= quarters.within(record, blind, known, inside)
    return single, total


def _starts(record: DayEvidence, count: Count) -> Ints:
    return record.start_ns + np.array(count.counted[0::2], np.int64) * QUARTER_NS


def _in_leaps(count: Count, each: Floats) -> float:
    """Return the share of a day's counts that are known to have come in leaps of one piece each, at least.

    A counter of strokes or pulses of which one piece takes several leaps by so many. Of s leaps that make p pieces,
    at least 2 s - p were single pieces: any other was of two or more.
    """
    pieces = float((np.array(count.counted[1::2], np.float64) * each).sum())
    if not pieces or not len(each) or float(each.max()) >= 1:
        return 0.0
    return float(np.clip(2 * count.steps / pieces - 1, 0.0, 1.0))


def leap(view: View, counted: Counted) -> float | None:
    """Return by how many pieces a counter always goes up, None where that is one, or now more and now fewer.

    It is known only of a counter that is read far more often than it leaps, or the leaps would be those of reading.
    """
    each = [count for _, _, count in view.seen.counts(counted.name)]
    steps, singles = sum(count.steps for count in each), sum(sum(count.single[1::2]) for count in each)
    rows = [(count.unit * (sum(count.counted[1::2]) - sum(count.blind[1::2])), count.steps) for count in each]
    size, piece = round(sum(amount for amount, _ in rows) / max(steps, 1)), median_ns(counted)
    if singles or size < 2 or piece is None or size * counted.each <= 1:
        return None
    # A leap adds its pieces to one bucket of paces, so leaps that are all alike leave multiples of their size.
    paces = [number for count in each for number in pairs(count.pace).values()]
    odd = sum(number for number in paces if number % size) / max(sum(paces), 1)
    if odd > EVEN or sum(abs(amount - size * number) for amount, number in rows) > EVEN * steps:
        return None
    pause = piece * counted.each * size
    return size * counted.each if quarters.interval(view, counted.name) <= FINE * (1 + ERROR) * pause else None


def evaluate(view: View, machine: str) -> Outcome:
    """Return pieces that were seen one by one, finely enough to know how long each took, of all pieces."""
    if (found := shortfall(view, machine)) is not None:
        return found
    if view.plant.of(machine).kind in {"batch", "continuous"}:
        return Missing("NOT_APPLICABLE")
    facts = production(view, machine)
    counters = [c for c in (facts.counted("total"), facts.counted("good")) if c is not None]
    roles = ("count_total", "count_good", "cycle")
    if not counters and facts.cycles is None:
        guessed = any(view.guessed(machine, role) for role in roles)
        return absent(view, machine, "NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
    cycle = cycle_ns(view, machine)
    seen_cycles = facts.cycles is not None and bool(facts.cycles.begun.any())
    # A mould with so many cavities, whose cycle is that of each piece, or a counter that is written so rarely.
    leaps = leap(view, counters[0]) if counters and not seen_cycles else None
    if cycle is None or leaps is not None:
        return Missing("NA_NO_EVIDENCE", {} if leaps is None else {"pieces_a_leap": leaps})
    counting = view.counting(machine) > 0
    domain = view.machine_domain(machine)
    slowest = FINE * (1 + ERROR) * cycle  # a twentieth exactly is enough, and the median is known within `ERROR`
    single, pieces, coarse = np.zeros(len(counting)), np.zeros(len(counting)), []
    if counters:
        key = counters[0].name
        single, pieces = singles(view, counters[0], domain, lambda at: facts.pieces_per_count(key, at))
        coarse.append(quarters.interval(view, key) > slowest)
        single = np.zeros(len(counting)) if coarse[-1] else single
    if facts.cycles is not None:
        edges = np.zeros(len(counting))
        at = facts.cycles.at
        inside = domain.within(Spans(at, at + 1)) > 0
        # In counts, as the counter's are: a cycle that makes four pieces tells of all of them how long they took.
        begun = pieces_of(view, machine, facts.cycles)
        begun = begun / facts.pieces_per_count(counters[0].name, at) if counters else begun
        np.add.at(edges, view.seen.day_of(at[inside]), begun[inside])
        coarse.append(quarters.interval(view, facts.cycles.name) > slowest)
        pieces = pieces if counters else edges
        single = single if coarse[-1] else np.maximum(single, np.minimum(edges, pieces))
    den = np.where(counting, pieces, 0.0)
    if not den.any():
        return Missing("NA_FEW_EVENTS")
    return Shares(
        np.where(counting, np.minimum(single, den), 0.0),
        den,
        flags=(COARSE,) if all(coarse) else (),
        shown={"cycle_s": round(cycle / 1e9, 3), "pieces": round(float(den.sum()))},
    )


INDICATOR = Indicator(
    id="V04",
    ko="사이클타임 추적률",
    en="Cycle-time tracking",
    unit="1",
    formula="pieces that were counted one by one, or by a cycle's beginning, read at least every 5 % of the median "
    "cycle / all pieces in planned time",
    source="readiness.md 7.3 V; decision 78",
    inputs=("counts", "tracks", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_FEW_EVENTS",
        "NA_ROLE_UNCONFIRMED",
        "NOT_APPLICABLE",
    ),
    guard="pieces that come several at a time, or over a gap that is not ours, have no cycle time of "
    "their own: an average is no tracking; a counter that always goes up by the same number may be that of a mould "
    "with so many cavities or be written so rarely, which only a cycle signal tells apart (not assessed); batch "
    "and continuous processes have batches, not pieces",
    evaluate=evaluate,
    roles=True,
    production=True,
)
