"""E01 Metered share: how much of the plant's energy is measured below the main meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.counting import by_day
from readiness.energy import main_meters, meters_of
from readiness.indicators.base import Census, Indicator, Missing, Outcome, Rates
from readiness.meters import is_estimate, month_bounds, whole_month
from readiness.production import production
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from readiness.counting import Counted
    from readiness.indicators.base import Shown
    from readiness.view import View

HISTORY_DAYS = 400
MOST = 1.02
"""More than this cannot lie below the main meter, whatever the meters' errors."""


def _below(view: View) -> tuple[list[Counted], tuple[str, ...]]:
    """Return the machines' meters that measure, and a flag if some only estimate."""
    found = [(machine.id, meter) for machine in view.inventory for meter in meters_of(view, machine.id, "machine")]
    measuring = [meter for machine, meter in found if not is_estimate(view, meter, production(view, machine))]
    return measuring, ("ESTIMATED",) * (len(measuring) < len(found))


def _unseen_from(view: View, meters: Sequence[Counted]) -> Iterator[int]:
    """Yield the last day that a meter was read on, for meters that we ourselves have not looked at since.

    They go on counting, and what they count is told when we look again; until then it is not known.
    """
    for meter in meters:
        last = max(day for day, _, _ in view.seen.counts(meter.name))
        source = view.source_of(meter.name) or ""
        if not view.by_day(source, view.domain(source))[last + 1 :].any():
            yield last


def _split(view: View) -> dict[str, Shown]:
    """Return the share of the machines' energy that belongs to one state, and to each."""
    energies = [energy for machine in view.inventory if (energy := production(view, machine.id).energy) is not None]
    total = sum(energy.total for energy in energies)
    if total <= 0:
        return {"by_state": None}
    states = {name: sum(energy.states[name] for energy in energies) / total for name in energies[0].states}
    return {"by_state": sum(states.values()), **{f"kwh_{name}": share for name, share in states.items()}}


def _by_bill(view: View) -> Outcome:
    """Return the share of the latest month with a bill of which every meter left evidence day by day."""
    whole = view.over(HISTORY_DAYS)
    meters, flags = _below(whole)
    for bill in sorted(view.plant.bills, key=lambda b: b.month, reverse=True):
        start, end = month_bounds(bill.month, view.calendar.zone)
        if bill.kwh <= 0 or not meters or not all(whole_month(whole, meter, start, end) for meter in meters):
            continue
        value = sum(meter.within(start, end) for meter in meters) / bill.kwh
        if value > MOST:
            return Missing("NA_METERS_DISAGREE")
        return Census(value, len(meters), flags=("BILL", *flags), shown={"month": bill.month, **_split(view)})
    return Missing("NA_SHORT_WINDOW" if meters else "NA_NO_EVIDENCE")


def evaluate(view: View, machine: str) -> Outcome:
    """Return the machines' energy of the main meter's, or of the bill's; the same for all machines."""
    del machine
    mains = main_meters(view)
    guessed = any(view.guessed(m.id, "energy") for m in view.inventory)
    if guessed and not any(view.signals(m.id, "energy") for m in view.inventory):
        return Missing("NA_ROLE_UNCONFIRMED")
    if not mains:
        missing = Missing("NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
        return _by_bill(view) if view.plant.bills else missing
    days = [{day for day, _, _ in view.seen.counts(meter.name)} for meter in mains]
    meters, flags = _below(view)
    first, last = max(map(min, days)), min([*map(max, days), *_unseen_from(view, meters)])
    inside = (np.arange(len(view.dates)) >= first) & (np.arange(len(view.dates)) <= last)
    if int(inside.sum()) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")
    none = np.zeros(len(view.dates))
    den = np.where(inside, np.sum([none, *(by_day(view, meter) for meter in mains)], axis=0), 0.0)
    num = np.where(inside, np.sum([none, *(by_day(view, meter) for meter in meters)], axis=0), 0.0)
    if den.sum() <= 0:
        return Missing("NA_NO_EVIDENCE")
    if num.sum() > MOST * den.sum():
        return Missing("NA_METERS_DISAGREE")
    shown: Mapping[str, Shown] = {"meters": len(meters), **_split(view)}
    flags += ("GUESSED_LEFT_OUT",) * guessed
    return Rates(num, den, flags=flags, shown=shown)


INDICATOR = Indicator(
    id="E01",
    ko="에너지 계측률",
    en="Metered share",
    unit="1",
    formula="sum of the machines' meters / main meter in kWh, all day; without a main meter, of the latest month "
    "with a bill; the share that belongs to one machine state is shown",
    source="readiness.md 7.3 E",
    inputs=("counts", "tracks", "bills", "meanings"),
    reasons=("NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_ROLE_UNCONFIRMED", "NA_METERS_DISAGREE"),
    guard="more than 1.02 is a fault of wiring or transformer ratio and not assessed; a meter that counts the same "
    "each hour whatever the machine does is an estimate and left out",
    evaluate=evaluate,
    roles=True,
    scope="plant",
)
