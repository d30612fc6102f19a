"""C01 Machine reach: how much of the declared plant is read at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from readiness.view import View

READ_DAYS = 0.8


def evaluate(view: View, machine: str) -> Outcome:
    """Return 1 if a confirmed signal was read on enough production days, else 0."""
    tags = view.tags.get(machine, [])
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    assessable = [m for m, found in view.tags.items() if found and view.shortfall(m) is None]
    if not assessable:
        connected = [m for m, found in view.tags.items() if found]
        return Missing(view.shortfall(connected[0]) or "NA_NO_EVIDENCE") if connected else Census(0.0, 0)
    if not tags:
        return Census(0.0, 0)  # declared and not connected: that is the finding
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0

    def reached(names: set[str]) -> bool:
        series = [view.series[name] for name in names if name in view.series]
        read = max((int(np.sum((s.known > 0) & counting)) for s in series), default=0)
        return read >= READ_DAYS * int(counting.sum())

    confirmed = {key(tag) for _, tag in tags if tag.role_confirmed}
    if not confirmed and reached({key(tag) for _, tag in tags}):
        return Missing("NA_ROLE_UNCONFIRMED")  # it is read; whether that tells of the process, nobody has said
    return Census(float(reached(confirmed)), int(counting.sum()))


INDICATOR = Indicator(
    id="C01",
    ko="설비 연결률",
    en="Machine reach",
    unit="1",
    formula="sum(w r) / sum(w); r = 1 if at least one signal with a confirmed role was read on 80 % of "
    "production days",
    source="readiness.md 7.3 C; DESIGN 9",
    inputs=("inventory", "catalog", "known", "schedule", "censored"),
    reasons=(
        "NA_NO_INVENTORY",
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="machines that are not connected or not reached stay in the denominator, whatever their roles; one that "
    "is read without a confirmed role is not assessed",
    evaluate=evaluate,
    roles=True,
)
