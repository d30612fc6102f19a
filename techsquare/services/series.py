"""Machine-days as series of the verdict: which two columns a metric is, whose days, and proof of what they were.

Only measured days count: an agent has signed the daily record that each was read from, with its own key, and
`metric_day.head` names that record in the agent's chain. Neither a party nor we can make such a day afterwards.
A signed record that says it is simulated (a box that is tried out) is no evidence of a machine, and no supplier is
judged by it; a simulated programme stands in a registry of its own, where no day is signed (`simulation.sink`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sqlalchemy import or_, select, tuple_

from contract.codec import encode
from techsquare.registry import tables as t
from techsquare.services.refused import RefusedError
from techsquare.verdict.terms import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

Pair = tuple[str, str]
"""Factory and machine."""
BATCH = 400
"""Machines a statement."""
UNSIGNED = "simulated-"
"""With which heads of simulated programmes begin; a signed record's is a hash alone."""


class Metric(NamedTuple):
    """What a plan can be about: two columns of a machine-day, which way is better, how close levels have to be."""

    num: str
    den: str
    unit: str
    sign: int
    close: float


METRICS: dict[str, Metric] = {
    "availability": Metric("production_s", "planned_s", "share", 1, 0.15),
    "setup": Metric("setup_s", "planned_s", "share", -1, 0.1),
    "standby": Metric("standby_s", "planned_s", "share", -1, 0.1),
    "fault": Metric("fault_s", "planned_s", "share", -1, 0.1),
    "effectiveness": Metric("ideal_s", "priced_s", "share", 1, 0.15),
    "quality": Metric("good_s", "checked_s", "share", 1, 0.1),
    "energy": Metric("energy_kwh", "pieces", "kWh/piece", -1, 0.5),
}


class DayOf(NamedTuple):
    """A measured machine-day, of one metric."""

    day: date
    head: str
    num: float
    den: float
    coverage: float


class Frozen(NamedTuple):
    """Which days of a machine there were when a plan was frozen, as bits from the first on, and their digest."""

    days: str
    digest: str


def real() -> Any:
    """Return the condition that a machine-day is one of a machine, or of a programme in which nothing is."""
    return or_(t.MetricDay.simulated <= 0, t.MetricDay.head.startswith(UNSIGNED))


def rows(session: Session, pairs: Iterable[Pair], metric: str, since: date, until: date) -> dict[Pair, list[DayOf]]:
    """Return the measured days of machines on which a metric was assessed, both dates included, in order.

    Raises:
        RefusedError: `outdated`: no such metric.
    """
    if metric not in METRICS:
        raise RefusedError("outdated")
    about, day = METRICS[metric], t.MetricDay
    num, den = getattr(day, about.num), getattr(day, about.den)
    wanted = sorted(set(pairs))
    found: dict[Pair, list[DayOf]] = defaultdict(list)
    for first in range(0, len(wanted), BATCH):
        for factory, machine, on, head, top, bottom, planned, known in session.execute(
            select(day.factory_id, day.machine_id, day.day, day.head, num, den, day.planned_s, day.known_s)
            .where(
                tuple_(day.factory_id, day.machine_id).in_(wanted[first : first + BATCH]),
                day.source == "measured", day.day.between(since, until), num.is_not(None), den.is_not(None), real(),
            )
            .order_by(day.factory_id, day.machine_id, day.day)
        ):  # fmt: skip
            coverage = known / planned if planned > 0 else 0.0
            found[factory, machine].append(DayOf(on, head, top, bottom, coverage))
    return found


def series(name: str, site: str, days: Sequence[DayOf]) -> Series:
    """Return days as the verdict's engine wants them."""
    values = np.array([(one.num, one.den, one.coverage) for one in days], np.float64).reshape(len(days), 3)
    return Series(name, site, [one.day for one in days], values[:, 0], values[:, 1], values[:, 2])


def frozen(days: Sequence[DayOf], baseline: tuple[date, date]) -> Frozen:
    """Return which days of a baseline there are, and SHA-256 over them with the heads of their records."""
    inside = [one for one in days if baseline[0] <= one.day <= baseline[1]]
    bits = sum(1 << (one.day - baseline[0]).days for one in inside)
    text = encode([[one.day.isoformat(), one.head, one.num, one.den, one.coverage] for one in inside])
    return Frozen(f"{bits:x}", hashlib.sha256(text).hexdigest())


def held(days: Sequence[DayOf], baseline: tuple[date, date], then: Frozen) -> list[DayOf] | None:
    """Return days without those of the baseline that came after it was frozen; None where one was changed."""
    bits = int(then.days, 16)
    kept = [
        one for one in days if not baseline[0] <= one.day <= baseline[1] or bits >> (one.day - baseline[0]).days & 1
    ]
    return kept if frozen(kept, baseline) == then else None


def evidence(machines: Mapping[str, Frozen]) -> str:
    """Return SHA-256 over what was frozen of a plan's machines, by their names in it."""
    return hashlib.sha256(encode([[name, *one] for name, one in sorted(machines.items())])).hexdigest()
