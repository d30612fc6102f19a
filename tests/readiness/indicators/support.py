"""What the tests of indicators share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.frame import Event
from tests.readiness.plant import DAY, HOUR, START, Plant, source

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.frame import Json, Source
    from contract.report import Value
    from tests.readiness.plant import Ints


PRESS, LATHE = source("press"), source("lathe")


def values(plant: Plant, machine: str | None = None) -> dict[str, Value]:
    assessment = plant.assess()
    report = assessment.plant() if machine is None else assessment.machine(machine)
    assert report is not None
    return {v.metric: v for v in report.values}


def failing(
    status: int, hours: float, days: range, only: str = "press-plc.main", signal_: int | None = None
) -> Callable[[Source, int, Ints], Ints]:
    """Return a status function: readings fail for the first `hours` of planned time on some days."""

    def status_of(of: Source, number: int, times: Ints) -> Ints:
        day = (times - START) // DAY
        hour = (times - START) % DAY / HOUR
        hit = np.isin(day, list(days)) & (hour < hours) & (of.id == only)
        return np.where(hit & (signal_ is None or signal_ == number), status, 0)

    return status_of


def gap(cause: str, start: int, end: int, source_: str | None = None) -> Event:
    body: dict[str, Json] = {"gap_id": f"{cause} {start}", "cause": cause}
    return Event(kind="gap", time_ns=start, source=source_, from_ns=start, to_ns=end, body=body)
