"""Rows of `metric_day` as the diagnosis takes them: machine-days, what a year has, indicators of machines.

The window ends with the latest day that anything is known of and has twelve weeks: enough for the twenty production
days of a loss of high confidence where a machine is planned two days a week, and short enough to be about now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy import func, select

from readiness.indicators import REGISTRY
from techsquare.diagnosis.days import HELD, of_latest
from techsquare.diagnosis.split import split
from techsquare.diagnosis.terms import MachineDay, Year
from techsquare.entry.provisional import WEEKS
from techsquare.registry import tables as t

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

WINDOW_DAYS = 84
WEEK = 7
LEAST_WEEKS = 4
"""Fewer say nothing of how many days a week has: three days of counting by hand are not a week of three."""
HOUR_S = 3600.0
NUMBERS = (
    "planned_s", "known_s", "production_s", "setup_s", "fault_s", "standby_s", "off_s", "ideal_s", "priced_s",
    "good_s", "checked_s", "pieces", "energy_kwh", "simulated",
)  # fmt: skip
"""Columns that are fields of a machine-day by the same name."""
Basis = Literal["days", "answers", "design value"]
Indicator = tuple[str, str, float]
"""Machine (empty: the plant), indicator, value."""


class Impossible(NamedTuple):
    """A machine-day, or lines of a form, that cannot be true and were left out."""

    machine: str
    day: date
    why: str


class Measured(NamedTuple):
    """What the rows of a factory say.

    Attributes:
        days: Measured and counted machine-days, in order of machine, day and source.
        formulas: Versions that made the measured ones, the latest last.
        left_out: Measured days of earlier formulas.
        refused: What cannot be true.
        indicators: Of machines, from the records' metrics.
    """

    days: Sequence[MachineDay]
    formulas: Sequence[str]
    left_out: int
    refused: Sequence[Impossible]
    indicators: Sequence[Indicator]


def machine_day(row: t.MetricDay) -> MachineDay:
    """Return a row as a machine-day."""
    numbers = {name: getattr(row, name) for name in NUMBERS}
    return MachineDay(
        row.machine_id, row.day, source=row.source, reasons=row.reasons or {}, formulas=row.formulas, **numbers
    )


def measured(session: Session, factory: str, today: date) -> Measured:
    """Return the machine-days of a factory's window; machines that are no longer there are not in it.

    A day that is still to come, signed by a box whose clock was wrong, would take the window away from all others.
    """
    days = t.MetricDay
    last = session.scalar(select(func.max(days.day)).where(days.factory_id == factory, days.day <= today))
    if last is None:
        return Measured((), (), 0, (), ())
    retired = select(t.Machine.id).where(t.Machine.factory_id == factory, t.Machine.retired_on.is_not(None))
    rows = session.scalars(
        select(days)
        .where(
            days.factory_id == factory, days.day > last - timedelta(days=WINDOW_DAYS), days.day <= last,
            days.machine_id.not_in(retired),
        )
        .order_by(days.machine_id, days.day, days.source)
    ).all()  # fmt: skip
    good, refused = _possible(machine_day(row) for row in rows)
    kept = of_latest([one for one in good if one.source == "measured"])
    there = {(one.machine, one.day) for one in kept.days}
    used = [row for row in rows if row.source == "measured" and (row.machine_id, row.day) in there]
    by_hand = [one for one in good if one.source == "counted"]
    both = sorted([*kept.days, *by_hand], key=lambda one: (one.machine, one.day, one.source))
    return Measured(both, kept.formulas, kept.left_out, refused, list(indicators(used)))


def _possible(days: Iterable[MachineDay]) -> tuple[list[MachineDay], list[Impossible]]:
    """Return days whose times add up, and the others: one wrong day must not cost the diagnosis."""
    good, wrong = [], []
    for one in days:
        try:
            split(one)
        except ValueError:
            wrong.append(Impossible(one.machine, one.day, "impossible_times"))
        else:
            good.append(one)
    return good, wrong


def indicators(rows: Iterable[t.MetricDay]) -> Iterator[Indicator]:
    """Yield indicators of machines from measured rows, in order: sum(num) / sum(den); of what held the latest."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    held: dict[tuple[str, str], float] = {}
    for row in sorted(rows, key=lambda row: (row.machine_id, row.day)):
        for name, (num, den) in (row.metrics or {}).items():
            if name not in REGISTRY or REGISTRY[name].scope != "machine" or den <= 0:
                continue
            at = (row.machine_id, name)
            if (row.reasons or {}).get(name) == HELD:
                held[at] = num / den
            else:
                sums[at][0] += num
                sums[at][1] += den
    for machine, name in sorted({*sums, *held}):
        num, den = sums.get((machine, name), (0.0, 0.0))
        yield machine, name, num / den if den > 0 else held[machine, name]


def year(days: Sequence[MachineDay], told: float | None, prior: float) -> tuple[Year, Basis]:
    """Return what a year has, and what says so.

    The median of whole weeks where there are four: a week in which we were away, or a holiday, moves it least. An
    answer otherwise, and where nobody has said it the form's own range. All of them times the year's weeks.

    Args:
        days: Of a window.
        told: Days a week, as the owner says.
        prior: Days a week, where nobody does.
    """
    busy = sorted({one.day for one in days if one.planned_s > 0})
    if not busy or (busy[-1] - busy[0]).days + 1 < LEAST_WEEKS * WEEK:
        return Year((told or prior) * WEEKS), "answers" if told else "design value"
    weeks = ((busy[-1] - busy[0]).days + 1) // WEEK
    counts = Counter((busy[-1] - day).days // WEEK for day in busy)
    a_week = median([counts[number] for number in range(weeks)])
    if a_week <= 0:  # days far apart are no weeks
        return Year((told or prior) * WEEKS), "answers" if told else "design value"
    return Year(a_week * WEEKS, dict(_hours(days, set(busy)))), "days"


def _hours(days: Iterable[MachineDay], busy: set[date]) -> Iterator[tuple[str, float]]:
    """Yield planned hours of each machine on a production day of the plant: one that rests on Mondays has fewer."""
    found: dict[str, dict[date, float]] = defaultdict(dict)
    for one in days:
        if one.day in busy:
            found[one.machine][one.day] = max(one.planned_s, found[one.machine].get(one.day, 0.0))
    for machine, planned in sorted(found.items()):
        yield machine, sum(planned.values()) / len(planned) / HOUR_S
