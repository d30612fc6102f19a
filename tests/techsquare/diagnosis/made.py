"""Machine-days whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.diagnosis.terms import Account, MachineDay, Year
from techsquare.span import Span, exactly

if TYPE_CHECKING:
    from techsquare.diagnosis.terms import Bucket

FIRST = date(2026, 3, 2)
YEAR = Year(250.0)
PLANNED = 480 * 60.0


def on(number: int) -> date:
    return FIRST + timedelta(days=number)


def minutes(machine: str, pbt: float, apt: float, pri: float, pq: float, gq: float) -> MachineDay:
    """Return a day as ISO 22400 examples tell it, in minutes; what was not production was a fault."""
    return MachineDay(
        machine, FIRST, pbt * 60, pbt * 60, production_s=apt * 60, setup_s=0.0, fault_s=(pbt - apt) * 60,
        standby_s=0.0, off_s=0.0, ideal_s=pri * pq * 60, priced_s=apt * 60, good_s=pri * gq * 60,
        checked_s=pri * pq * 60, pieces=pq,
    )  # fmt: skip


def truth(rng: np.random.Generator, days: int, machine: str = "press") -> list[MachineDay]:
    """Return days of which everything is known: restless stops, a steady pace, some scrap."""
    found = []
    calm = 0.0
    for number in range(days):
        calm = 0.5 * calm + rng.normal()
        stops = np.clip([0.05, 0.08, 0.1] * rng.gamma(2.0, 0.5, 3) * np.exp(0.3 * calm), 0, 0.25)
        apt = PLANNED * (1 - stops.sum())
        ideal = apt * np.clip(rng.normal(0.85, 0.04), 0.5, 0.99)
        good = ideal * np.clip(rng.normal(0.96, 0.015), 0.8, 1.0)
        setup, fault, standby = (float(PLANNED * s) for s in stops)
        found.append(
            MachineDay(
                machine,
                on(number),
                PLANNED,
                PLANNED,
                production_s=float(apt),
                setup_s=setup,
                fault_s=fault,
                standby_s=standby,
                off_s=0.0,
                ideal_s=float(ideal),
                priced_s=float(apt),
                good_s=float(good),
                checked_s=float(ideal),
                pieces=float(round(ideal / 30)),
            )
        )
    return found


def hidden(day: MachineDay, rng: np.random.Generator, share: float) -> MachineDay:
    """Return a day of which part was not seen, and mostly its faults: the worst kind of not knowing."""
    fault, made = day.fault_s or 0.0, day.production_s or 0.0
    lost = min(fault, PLANNED * share * rng.uniform(0.5, 1.5))
    more = min(made, PLANNED * share - lost) if lost < PLANNED * share else 0.0
    seen = (made - more) / made if made else 0.0
    return replace(
        day, known_s=day.known_s - lost - more, fault_s=fault - lost, production_s=made - more,
        ideal_s=(day.ideal_s or 0.0) * seen, priced_s=made - more, good_s=(day.good_s or 0.0) * seen,
        checked_s=(day.checked_s or 0.0) * seen, pieces=(day.pieces or 0.0) * seen,
    )  # fmt: skip


def account(**changes: object) -> Account:
    """Return an account with 4,000 planned hours, ten of a hundred in each loss, 60 pieces an hour."""
    buckets: tuple[Bucket, ...] = ("scrap", "speed", "setup", "standby", "fault", "off")
    time: dict[Bucket, int] = {"good": 40, **dict.fromkeys(buckets, 10)}
    one = Account(
        machine="press", planned_hours=exactly(4000.0), time_us=time,
        shares={bucket: exactly(us / 100) for bucket, us in time.items()}, made_hour=exactly(60.0),
        ideal_hour=exactly(80.0), good=exactly(0.9), coverage=1.0, days=20, source="measured",
    )  # fmt: skip
    return replace(one, **changes)  # type: ignore[arg-type]


def span(low: float, high: float) -> Span:
    return Span(low, high)
