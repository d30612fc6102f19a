"""A daily record to machine-days as `metric_day` has them. Pure.

What time elements, pieces and energy mean is the diagnosis's to say (`diagnosis.days`): its machine-day is stored
column by column. All other metrics go to `metrics` as [num, den], with `per` in the numerator, so that a value over
days and machines is sum(num) / sum(den); one whose reason is `HELD` was true of a window and is not added up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.diagnosis.days import COLUMNS
from techsquare.diagnosis.days import machine_days as read
from techsquare.registry.bulk import MachineDayRow

if TYPE_CHECKING:
    from contract.day import Day


def machine_days(day: Day, head: str) -> list[MachineDayRow]:
    """Return a row for each machine of a verified record, in the record's order.

    Args:
        day: From `checks.day`.
        head: Of the chain after it.
    """
    others: list[dict[str, list[float]]] = [{} for _ in day.machines]
    for metric in day.metrics:
        if metric.metric not in COLUMNS:
            for at, num, den in zip(metric.machines, metric.num, metric.den, strict=True):
                others[at][metric.metric] = [num * metric.per, den]
    return [
        MachineDayRow(
            day.factory, one.machine, one.day, "measured", head, planned_s=one.planned_s, known_s=one.known_s,
            production_s=one.production_s, setup_s=one.setup_s, fault_s=one.fault_s, standby_s=one.standby_s,
            off_s=one.off_s, ideal_s=one.ideal_s, priced_s=one.priced_s, good_s=one.good_s,
            checked_s=one.checked_s, pieces=one.pieces, energy_kwh=one.energy_kwh, simulated=one.simulated,
            formulas=one.formulas, metrics=metrics or None, reasons=dict(one.reasons) or None,
        )
        for one, metrics in zip(read(day), others, strict=True)
    ]  # fmt: skip
