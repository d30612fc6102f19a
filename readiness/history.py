"""What signed records say over longer times: a metric in steps of whole days, and how restless it is day by day.

Only from the records, so that whoever has them can compute the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from contract.verbs import DAY_S, Estimate, Mde, Point, Series
from readiness.combine import DIGITS
from readiness.intervals import chi_square
from readiness.stats import CONFIDENCE, Z

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from contract.day import Day, Kind, MetricDay

    Floats = NDArray[np.float64]

NEEDED = 10
"""Machine-days, beyond one a machine, without which nothing is said of how days differ."""


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of one machine on one day."""

    date: date
    machine: str
    weight: float
    num: float
    den: float
    per: float
    held: bool = False

    @property
    def value(self) -> float:
        """Of this day alone."""
        return self.per * self.num / self.den


def rows(days: Iterable[Day], metric: str) -> tuple[list[Row], MetricDay | None]:
    """Return what records say of a metric, and its latest entry (unit, kind), None if it is in no record.

    Of days on which it was another kind than in the latest record nothing is taken: they cannot be put together. A
    day on which no machine has a number has no kind either.
    """
    told = [(day, one) for day in days for one in day.metrics if one.metric == metric]
    told = [(day, one) for day, one in told if one.machines] or told
    latest = max(told, key=lambda pair: pair[0].date)[1] if told else None
    found = [
        Row(
            date.fromisoformat(day.date), day.machines[at].id, 1.0 if one.whole else day.machines[at].weight,
            num, den, one.per, at in one.held,
        )
        for day, one in told
        if latest is not None and one.kind == latest.kind
        for at, num, den in zip(one.machines, one.num, one.den, strict=True)
        if den > 0
    ]  # fmt: skip
    return found, latest


def series(
    days: Sequence[Day], metric: str, first: date, last: date, step: int, machine: str | None
) -> Series | None:
    """Return a metric in steps of `step` days from `first` on, or None if no record knows it.

    The plant's value is the mean over machines by weight, each machine over the days of the step. A state is the
    latest of a step, and so is what held for one machine beside others that add up.
    """
    inside = [day for day in days if first.isoformat() <= day.date <= last.isoformat()]
    found, latest = rows(inside, metric)
    if latest is None:
        return None
    if machine is not None and not latest.whole:
        found = [row for row in found if row.machine == machine]
    points = []
    at = first
    while at <= last:
        until = min(at + timedelta(days=step - 1), last)
        points.append(_point([row for row in found if at <= row.date <= until], at, until, latest.kind, machine))
        at = until + timedelta(days=1)
    return Series(
        metric=metric,
        unit=latest.unit,
        kind=latest.kind,
        step_s=step * DAY_S,
        points=points,
        formulas=sorted({day.formulas for day in inside}),
        machine=machine,
    )


def _point(found: list[Row], first: date, last: date, kind: Kind, machine: str | None) -> Point:
    begin, end = first.isoformat(), last.isoformat()
    if not found:
        return Point(begin, end, 0)
    by_machine: dict[str, list[Row]] = {}
    for row in found:
        by_machine.setdefault(row.machine, []).append(row)
    total = weighted = 0.0
    for own in by_machine.values():
        latest = max(own, key=lambda row: row.date)
        counted = [latest] if kind == "state" or latest.held else [row for row in own if not row.held]
        weight = counted[-1].weight
        value = counted[-1].per * math.fsum(r.num for r in counted) / math.fsum(r.den for r in counted)
        total, weighted = total + weight, weighted + weight * value
    sums = kind == "ratio" and machine is not None and not any(row.held for row in found)
    return Point(
        begin,
        end,
        len({row.date for row in found}),
        round(weighted / total, DIGITS),
        round(math.fsum(r.num for r in found), DIGITS) if sums else None,
        round(math.fsum(r.den for r in found), DIGITS) if sums else None,
    )


def restlessness(days: Sequence[Day], metric: str, first: date, last: date, machines: frozenset[str]) -> Mde | None:
    """Return how a metric's days differ from one another, pooled over machines; None when it is too little.

    With e the days of a machine around their mean, N machine-days of M machines and P pairs of days in a row:

        sd  = sqrt(sum e^2 / (N - M)); chi-squared limits with (N - M)(1 - rho^2)/(1 + rho^2) degrees of freedom
              (Bartlett 1946: what days that follow one another are worth for a variance)
        rho = sum e_t e_(t-1) / sum of the squares of the same pairs, plus (1 + 3 rho)/n for the bias of short rows
              of n days (Kendall 1954); limits by Fisher's z with (P - 3)(1 - rho^2):
              the variance of an autocorrelation is (1 - rho^2)/P (Bartlett), not its square

    Args:
        days: Verified records.
        metric: Of which.
        first: Of the days, included.
        last: Likewise.
        machines: Which ones; empty for all.
    """
    inside = [day for day in days if first.isoformat() <= day.date <= last.isoformat()]
    found, latest = rows(inside, metric)
    if latest is None or latest.kind != "ratio":
        return None
    order = {day.date: number for number, day in enumerate(sorted(inside, key=lambda day: day.date))}
    parts: list[tuple[Floats, Floats]] = []  # of each machine: days' numbers, and values around their mean
    for machine in sorted({row.machine for row in found}):
        own = sorted((row for row in found if row.machine == machine and not row.held), key=lambda row: row.date)
        if len(own) < 2 or (machines and machine not in machines):
            continue
        values = np.array([row.value for row in own], np.float64)
        parts.append((np.array([order[r.date.isoformat()] for r in own], np.float64), values - values.mean()))
    n = sum(len(e) for _, e in parts)
    pairs = [(e[:-1][np.diff(at) == 1], e[1:][np.diff(at) == 1]) for at, e in parts]
    before, after = (np.concatenate([p[i] for p in pairs] or [np.zeros(0)]) for i in (0, 1))
    free, squares = n - len(parts), math.fsum(float(e @ e) for _, e in parts)
    both = math.sqrt(float(before @ before) * float(after @ after))
    if free < NEEDED or len(before) < NEEDED or both <= 0:
        return None
    rho = float(before @ after) / both
    rho = float(np.clip(rho + (1 + 3 * rho) / (n / len(parts)), -0.99, 0.99))
    half = Z / math.sqrt((len(before) - 3) * (1 - rho**2))
    worth = max(free * (1 - rho**2) / (1 + rho**2), 2.0)
    sd, sum_ = math.sqrt(squares / free), squares * worth / free
    return Mde(
        metric=metric,
        unit=latest.unit,
        kind="ratio",
        machines=len(parts),
        n=n,
        sd=_estimate(sd, math.sqrt(sum_ / chi_square(worth, Z)), math.sqrt(sum_ / chi_square(worth, -Z))),
        rho=_estimate(rho, math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)),
        confidence=CONFIDENCE,
    )


def _estimate(value: float, lo: float, hi: float) -> Estimate:
    return Estimate(*(float(f"{number:.6g}") for number in (value, lo, hi)))
