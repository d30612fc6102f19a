"""Series and plans of the product's own types, with uneven planned time and lost days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.verdict.controls import Choice
from techsquare.verdict.plan import draft
from techsquare.verdict.terms import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.verdict.terms import Floats, Over, Plan

FIRST = date(2026, 3, 2)


def plan_of(
    controls: Sequence[str],
    over: Over = "site",
    days: int = 40,
    *,
    treated: Sequence[str] = ("t",),
    sign: int = 1,
    least: float = 2.0,
    first: date = FIRST,
) -> Plan:
    """A plan of so many days before, after and in the extension, with a fortnight's blackout."""
    installed = first + timedelta(days=days + 14)
    return draft(
        project="p",
        metric="oee",
        unit="%",
        sign=1 if sign > 0 else -1,
        treated=treated,
        choice=Choice(tuple(controls), over, {}),
        applied=first - timedelta(days=1),
        frozen=installed - timedelta(days=2),
        baseline=(first, first + timedelta(days=days - 1)),
        installed=installed,
        days_after=days,
        extension_days=days,
        least=least,
    )


def series_of(
    values: Floats,
    machine: str,
    site: str = "home",
    *,
    rng: np.random.Generator | None = None,
    lost: float = 0.0,
    idle: float = 0.0,
    first: date = FIRST,
) -> Series:
    """A machine's days with these values; with a generator planned time is uneven, days are lost or unplanned."""
    n = len(values)
    den, coverage = np.full(n, 1000.0), np.ones(n)
    if rng is not None:
        den = rng.uniform(400, 1400, n)
        coverage = np.where(rng.random(n) < lost, rng.uniform(0, 0.79, n), rng.uniform(0.8, 1, n))
        den = np.where(rng.random(n) < idle, 0.0, den)
    days = [first + timedelta(days=i) for i in range(n)]
    return Series(machine, site, days, values * den, den, coverage)


def noise(rng: np.random.Generator, rho: float, shape: tuple[int, ...], sd: float = 4.0) -> Floats:
    """AR(1) noise along the last axis."""
    found = np.empty(shape)
    found[..., 0] = rng.standard_normal(shape[:-1])
    for day in range(1, shape[-1]):
        fresh = rng.standard_normal(shape[:-1])
        found[..., day] = rho * found[..., day - 1] + np.sqrt(1 - rho**2) * fresh
    return sd * found
