"""Hand counts and meters read, as machine-days of their own source.

A form says what somebody saw: minutes by what the machine did, pieces, rejects, the ideal cycle, a meter. Minutes
that nobody wrote down are unknown, never production. What was measured is not touched: these rows stand beside it,
and `days.chosen` takes them only where the record says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from techsquare.diagnosis.terms import MachineDay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

Kind = Literal[
    "planned_min", "production_min", "setup_min", "fault_min", "standby_min", "off_min",
    "pieces", "rejects", "ideal_cycle_s", "meter_kwh",
]  # fmt: skip
MINUTE = 60.0
TIMES: Mapping[Kind, str] = {
    "production_min": "production_s",
    "setup_min": "setup_s",
    "fault_min": "fault_s",
    "standby_min": "standby_s",
    "off_min": "off_s",
}
MOST_METER_DAYS = 31
"""A meter that was read less often than this says nothing of single days."""
Wrong = Literal["no_planned_time", "more_than_planned", "rejects_above_pieces", "meter_fell", "meter_seldom"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of a form. Of several of a machine, day and kind the latest (`at`) counts."""

    machine: str
    day: date
    kind: Kind
    value: float
    at: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Lines that cannot be true, to be asked about; they are left out."""

    machine: str
    day: date
    why: Wrong


def counted(readings: Iterable[Reading]) -> tuple[list[MachineDay], list[Refused]]:
    """Return machine-days in order of machine and day, and what could not be used."""
    latest: dict[tuple[str, date], dict[Kind, float]] = defaultdict(dict)
    for one in sorted(readings, key=lambda r: (r.machine, r.day, r.kind, r.at, r.value)):
        latest[one.machine, one.day][one.kind] = one.value
    refused: list[Refused] = []
    energy = _energy(latest, refused)
    places = sorted({*latest, *energy})
    days = [_day(machine, on, latest.get((machine, on), {}), energy, refused) for machine, on in places]
    kept = [one for one in days if one.planned_s > 0 or one.energy_kwh is not None]
    return kept, sorted(refused, key=lambda r: (r.machine, r.day, r.why))


def _day(
    machine: str,
    on: date,
    told: Mapping[Kind, float],
    energy: Mapping[tuple[str, date], float],
    refused: list[Refused],
) -> MachineDay:
    empty = MachineDay(machine, on, 0.0, 0.0, energy_kwh=energy.get((machine, on)), source="counted")
    if not set(told) - {"meter_kwh"}:
        return empty
    planned = told.get("planned_min", 0.0) * MINUTE
    times = {field: told[kind] * MINUTE for kind, field in TIMES.items() if kind in told}
    pieces, rejects, cycle = told.get("pieces"), told.get("rejects"), told.get("ideal_cycle_s")
    wrong: Wrong | None = None
    if planned <= 0:
        wrong = "no_planned_time"
    elif sum(times.values()) > planned:
        wrong = "more_than_planned"
    elif rejects is not None and rejects > (pieces or 0.0):
        wrong = "rejects_above_pieces"
    if wrong is not None:
        refused.append(Refused(machine, on, wrong))
        return empty
    priced = times.get("production_s") if pieces is not None and cycle else None
    ideal = pieces * cycle if pieces is not None and cycle and priced is not None else None
    good = (
        (pieces - rejects) * cycle
        if ideal is not None and pieces is not None and cycle and rejects is not None
        else None
    )
    return MachineDay(
        machine=machine,
        day=on,
        planned_s=planned,
        known_s=sum(times.values()),
        production_s=times.get("production_s"),
        setup_s=times.get("setup_s"),
        fault_s=times.get("fault_s"),
        standby_s=times.get("standby_s"),
        off_s=times.get("off_s"),
        ideal_s=ideal,
        priced_s=priced,
        good_s=good,
        checked_s=ideal if good is not None else None,
        pieces=pieces,
        energy_kwh=energy.get((machine, on)),
        source="counted",
    )


def _energy(
    told: Mapping[tuple[str, date], Mapping[Kind, float]], refused: list[Refused]
) -> dict[tuple[str, date], float]:
    """Return kWh of each day between two readings of a meter: their difference, in equal parts.

    The day of the earlier reading has its part, the day of the later one begins the next.
    """
    read: dict[str, list[tuple[date, float]]] = defaultdict(list)
    for (machine, on), kinds in sorted(told.items()):
        if "meter_kwh" in kinds:
            read[machine].append((on, kinds["meter_kwh"]))
    found: dict[tuple[str, date], float] = {}
    for machine, series in read.items():
        for (begin, before), (end, after) in _pairs(series):
            length = (end - begin).days
            if after < before:
                refused.append(Refused(machine, end, "meter_fell"))
            elif length > MOST_METER_DAYS:
                refused.append(Refused(machine, end, "meter_seldom"))
            else:
                for number in range(length):
                    found[machine, begin + timedelta(days=number)] = (after - before) / length
    return found


def _pairs(series: Sequence[tuple[date, float]]) -> Iterable[tuple[tuple[date, float], tuple[date, float]]]:
    return pairwise(series)
