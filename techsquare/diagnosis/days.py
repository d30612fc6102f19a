"""From signed daily records to machine-days: sums of seconds, pieces and kilowatt-hours, nothing made up.

    element    num              den
    APT ...    state, s         planned busy time, s       APT, AUST, ADET, ADOT, OFF, UNK
    E          PRI PQ, s        production with an ideal cycle, s
    QR         PRI GQ, s        PRI PQ of pieces whose quality is counted, s
    PQ         pieces           planned busy time, s
    EC         kWh              1

What stands in `held` was true of the report's window and not of this day, so it is never added up. Records that
other formulas made may mean something else by the same name: where the latest formulas have enough days they stand
alone, and otherwise all days count and say so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from techsquare.diagnosis.terms import MachineDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from contract.day import Day

NANO = 1e9
STATES = {"APT": "production_s", "AUST": "setup_s", "ADET": "fault_s", "ADOT": "standby_s", "OFF": "off_s"}
UNKNOWN = "UNK"
COLUMNS = frozenset({*STATES, UNKNOWN, "E", "QR", "PQ", "EC"})
"""Metrics of a record that a machine-day has fields for."""
NEEDED_DAYS = 10
"""Production days from which the latest formulas stand alone; the report asks for as many."""
HELD = "HELD"
"""Reason of a number that held over a window and says nothing of this day."""


@dataclass(frozen=True, slots=True)
class Window:
    """Machine-days in order of machine and day, and the formula versions that made them, the latest last."""

    days: Sequence[MachineDay]
    formulas: Sequence[str]
    left_out: int  # days of earlier formulas


def machine_days(record: Day) -> list[MachineDay]:
    """Return what a record says of each of its machines on its day; machines without planned time and energy too.

    Raises:
        ValueError: a metric names a machine that the record does not have.
    """
    found: list[dict[str, tuple[float, float]]] = [{} for _ in record.machines]
    reasons: list[dict[str, str]] = [{} for _ in record.machines]
    for metric in record.metrics:
        named = [*metric.machines, *(i for some in metric.apart.values() for i in some)]
        if any(index >= len(record.machines) for index in named):
            raise ValueError(f"{metric.metric} of {record.date} names a machine that the record does not have")
        held = set(metric.held)
        for index, num, den in zip(metric.machines, metric.num, metric.den, strict=True):
            if metric.kind == "state" or index in held:
                reasons[index][metric.metric] = HELD
            else:
                found[index][metric.metric] = (num, den)
        for reason, indices in metric.apart.items():
            for index in indices:
                reasons[index][metric.metric] = reason
    on = date.fromisoformat(record.date)
    return [
        _day(machine.id, int(machine.counted) / NANO, on, found[i], reasons[i], record)
        for i, machine in enumerate(record.machines)
    ]


def _day(
    machine: str, counted: float, on: date, found: dict[str, tuple[float, float]], reasons: dict[str, str], of: Day
) -> MachineDay:
    told = {name for name in (*STATES, UNKNOWN) if name in found}
    # Time that counts for the state's signals is part of what counts for the machine, so the shares' own divisor
    # stands where they have one.
    planned = max((found[name][1] for name in told), default=counted)
    times = {field: found[name][0] for name, field in STATES.items() if name in told}
    known = max(0.0, planned - found[UNKNOWN][0]) if UNKNOWN in told else sum(times.values())
    ideal, checked = found.get("E"), found.get("QR")
    return MachineDay(
        machine=machine,
        day=on,
        planned_s=planned,
        known_s=min(known, planned) if times else 0.0,
        production_s=times.get("production_s"),
        setup_s=times.get("setup_s"),
        fault_s=times.get("fault_s"),
        standby_s=times.get("standby_s"),
        off_s=times.get("off_s"),
        ideal_s=ideal and ideal[0],
        priced_s=ideal and ideal[1],
        good_s=checked and checked[0],
        checked_s=checked and checked[1],
        pieces=found["PQ"][0] if "PQ" in found else None,
        energy_kwh=found["EC"][0] if "EC" in found else None,
        reasons=dict(sorted(reasons.items())),
        formulas=of.formulas,
        simulated=of.simulated,
    )


def window(records: Iterable[Day]) -> Window:
    """Return the machine-days of verified records, in any order.

    A machine that two agents tell of on one day is taken from the one that knows more of it.
    """
    best: dict[tuple[str, date], tuple[tuple[float, str], MachineDay]] = {}
    for record in records:
        for one in machine_days(record):
            key, rank = (one.machine, one.day), (-one.known_s, record.agent)
            if key not in best or rank < best[key][0]:
                best[key] = rank, one
    return of_latest([one for _, (_, one) in sorted(best.items())])


def of_latest(days: Sequence[MachineDay]) -> Window:
    """Return measured days, those of the latest formulas alone where they have enough production days."""
    newest: dict[str, date] = {}
    for one in days:
        newest[one.formulas] = max(newest.get(one.formulas, date.min), one.day)
    order = sorted(newest, key=lambda name: (newest[name], name))
    if len(order) > 1:
        latest = [one for one in days if one.formulas == order[-1]]
        if len({one.day for one in latest if one.planned_s > 0}) >= NEEDED_DAYS:
            return Window(latest, order[-1:], len(days) - len(latest))
    return Window(days, order, 0)


def chosen(days: Iterable[MachineDay], tells: Callable[[MachineDay], bool]) -> dict[str, list[MachineDay]]:
    """Return one row for each machine and day, in order: measured where it tells something, counted otherwise.

    Args:
        days: Rows of any source.
        tells: Whether a row says anything of what is asked. Days of which none does are kept as measured.

    Raises:
        ValueError: two rows of one source for one machine and day.
    """
    rows: dict[tuple[str, date], dict[str, MachineDay]] = defaultdict(dict)
    for one in days:
        place = rows[one.machine, one.day]
        if one.source in place:
            raise ValueError(f"{one.machine} has two rows of {one.day} that were {one.source}")
        place[one.source] = one
    found: dict[str, list[MachineDay]] = defaultdict(list)
    for (machine, _), place in sorted(rows.items()):
        ordered = [place[source] for source in ("measured", "counted", "answered") if source in place]
        found[machine].append(next((one for one in ordered if tells(one)), ordered[0]))
    return dict(found)
