"""Electricity of machines by the year, beside the ledger of time: it is no part of planned time, and no bucket.

    year = production days x kWh of one + other days x kWh of one of those

Where no other day was read, one of them lies between nothing and a production day. The base load is `a` of
readiness' baseline (kWh = a + b pieces + c hours, E02): what is drawn on every day whatever is made. It is the part
that can be switched off, and it says nothing of how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.intervals import rates as interval_of
from techsquare.diagnosis.accounts import ONE, WEAKEST, seed_of
from techsquare.diagnosis.days import chosen
from techsquare.diagnosis.terms import Energy
from techsquare.span import Span, exactly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.report import Report
    from techsquare.diagnosis.terms import Lacking, MachineDay, Rates, Year

DAYS_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Base:
    """A machine's base load, kWh a day, as a report of that machine shows it."""

    machine: str
    kwh_day: float


def bases(reports: Iterable[Report]) -> list[Base]:
    """Return the base loads that reports of machines show, in order of machine; negative ones mean nothing."""
    found: dict[str, float] = {}
    for report in reports:
        for value in report.values:
            base = value.shown.get("base_kwh") if value.metric == "E02" and value.value is not None else None
            machine = value.machine or report.machine
            if machine is not None and isinstance(base, int | float) and base >= 0:
                found[machine] = float(base)
    return [Base(machine, base) for machine, base in sorted(found.items())]


def energies(
    days: Iterable[MachineDay], rates: Rates, year: Year, base: Iterable[Base] = (), seed: int = 0
) -> list[Energy]:
    """Return electricity of each machine with a reading, in order of machine.

    Args:
        days: Of any sources and in any order.
        rates: Of which the tariff.
        year: How many production days it has.
        base: See `bases`.
        seed: Of the resampling of days.
    """
    loads = {one.machine: one.kwh_day for one in base}
    found = chosen(days, lambda one: one.energy_kwh is not None)
    read = {machine: [d for d in rows if d.energy_kwh is not None] for machine, rows in sorted(found.items())}
    return [_energy(m, rows, rates, year, loads, seed_of(m, seed)) for m, rows in read.items() if rows]


def _energy(
    machine: str, days: Sequence[MachineDay], rates: Rates, year: Year, loads: Mapping[str, float], seed: int
) -> Energy:
    busy, rest = ([d for d in days if (d.planned_s > 0) is is_busy] for is_busy in (True, False))
    others = max(0.0, DAYS_YEAR - year.production_days)
    base = loads.get(machine)
    day = _day(busy or rest, seed)
    # A day off uses what is never switched off at least, and what a production day does at most.
    off = _day(rest, seed) if rest else Span(min(base or 0.0, day.high), day.high)
    kwh = day.times(exactly(year.production_days)).plus(off.times(exactly(others)))
    base_year = None if base is None else Span(min(base * DAYS_YEAR, kwh.high), min(base * DAYS_YEAR, kwh.high))
    tariff = rates.tariff_kwh
    lacking: tuple[Lacking, ...] = () if tariff is not None else ("tariff_kwh",)
    return Energy(
        machine=machine,
        kwh_year=kwh,
        base_year=base_year,
        won_year=None if tariff is None else kwh.times(tariff),
        base_won_year=None if tariff is None or base_year is None else base_year.times(tariff),
        lacking=lacking,
        days=len(days),
        rest=bool(rest),
        source=next(source for source in WEAKEST if any(d.source == source for d in days)),
    )


def _day(days: Sequence[MachineDay], seed: int) -> Span:
    kwh = np.array([float(d.energy_kwh or 0.0) for d in days])
    found = interval_of(kwh[None, :], np.ones((1, len(days))), ONE, seed)
    return Span(found.lo, found.hi)
