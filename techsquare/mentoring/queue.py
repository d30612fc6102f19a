"""What a mentor looks at first. The order is published, so that nobody wonders why he waits.

    1  what is overdue
    2  the kind, in the order below
    3  the due date
    4  sha256 of the day, the factory and the subject

A line is due so many planned days of the factory after it was noticed, or on the day before which it has to be done
where there is one (a verdict's date, the end of an objection), whichever comes first. A subject stands once,
however often it is told. Nothing is ever left out: a mentor with too many lines sees that he has too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from techsquare.mentoring.calendar import UNTOLD
from techsquare.mentoring.terms import Kind, Line
from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from techsquare.mentoring.calendar import Calendar
    from techsquare.mentoring.terms import Signal

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The published order: where money or a right runs out by a date first, then what stands still, then questions."""
DAYS: Mapping[Kind, int] = {
    "bankruptcy": 1,  # a deposit is asked for while somebody is still there to hand it out
    "objection": 2,
    "verdict": 5,
    "silence": 2,  # every day without a record is a day without a baseline
    "unused": 5,
    "decay": 5,
    "disagreement": 10,
    "stale": 10,
}
"""Planned days until somebody has looked at it."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much a mentor has: lines, how many of them are overdue, and due within five planned days."""

    lines: int
    overdue: int
    soon: int


def queue(signals: Iterable[Signal], calendars: Mapping[str, Calendar], today: date) -> Sequence[Line]:
    """Return the lines in the published order.

    Args:
        signals: What is open, in any order; a subject may be told several times.
        calendars: Factory -> planned days; `UNTOLD` for one that is not there.
        today: The day.
    """
    first: dict[tuple[Kind, str, str], Signal] = {}
    times: dict[tuple[Kind, str, str], int] = {}
    by: dict[tuple[Kind, str, str], date] = {}
    for one in signals:
        key = (one.kind, one.factory, one.subject)
        times[key] = times.get(key, 0) + 1
        if key not in first or one.on < first[key].on:
            first[key] = one
        if one.by is not None:
            by[key] = min(one.by, by.get(key, one.by))
    lines = []
    for key, one in first.items():
        calendar = calendars.get(one.factory, UNTOLD)
        due = calendar.after(one.on, DAYS[one.kind])
        if key in by:
            due = min(due, max(one.on, calendar.latest(by[key])))
        lines.append(Line(*key, one.on, due, today > due, times[key], calendar.assumed))
    return tuple(sorted(lines, key=lambda line: _rank(line, today)))


def load(lines: Sequence[Line], calendars: Mapping[str, Calendar], today: date) -> Load:
    """Return how much that is."""
    soon = [
        line
        for line in lines
        if not line.overdue and calendars.get(line.factory, UNTOLD).between(today, line.due) <= 5
    ]
    return Load(len(lines), sum(line.overdue for line in lines), len(soon))


def _rank(line: Line, today: date) -> tuple[bool, int, date, int, str, str]:
    tie = digest(str(today), line.factory, line.subject)
    return not line.overdue, KINDS.index(line.kind), line.due, tie, line.factory, line.subject
