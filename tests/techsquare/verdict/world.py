"""Projects whose truth is known, thousands at once: days of a treated machine and of comparison machines.

    y = 60 + 4 a + 2 h + own t + l S(t)

a: noise of a day, AR(1) with sd 1, partly a site's where there are several; h: what the hall has in common,
likewise AR(1); own: a drift of the machine's own, points a month; S: 3 points that meet everybody at the
installation, with loadings l ~ N(1, 0.5). Applicants: the treated machine asks for help after the worst of eight
months (each of 30 days), and its baseline begins on the next day. Nothing is gained: a test adds what it wants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from techsquare.verdict.rule import Told, extend, reference, tell
from techsquare.verdict.terms import ALPHAS

if TYPE_CHECKING:
    from techsquare.verdict.terms import Floats, Over

Kind = Literal["quiet", "drift 0.5", "drift 1", "shock", "applicants"]
KINDS: tuple[Kind, ...] = ("quiet", "drift 0.5", "drift 1", "shock", "applicants")
Layout = Literal["8", "5", "sites"]
SITES: dict[Layout, tuple[str, ...]] = {
    "8": ("home",) * 8,
    "5": ("home",) * 5,
    "sites": ("a", "a", "b", "b", "c", "c", "d", "e"),
}
OWN = {"drift 0.5": 0.5, "drift 1": 1.0}
SD, HALL, BLACKOUT, SHOCK, LOADING, LEAST = 4.0, 2.0, 14, 3.0, 0.5, 2.0
MONTH, CANDIDATES = 30, 8
A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Cell:
    rho: float
    days: int
    kind: Kind
    layout: Layout = "8"

    @property
    def sites(self) -> tuple[str, ...]:
        return SITES[self.layout]

    @property
    def over(self) -> Over:
        return "sites" if self.layout == "sites" else "site"


@dataclass(frozen=True)
class Runs:
    """Simulated projects.

    Changes (runs, 1 + m) at both looks, treated machine first; days (runs, m, days) of the controls, of their past
    and the baseline; changes (runs, windows, m) of pretended projects.
    """

    cell: Cell
    changes: tuple[Floats, Floats]
    controls: Floats
    past: Floats

    def look(self, number: int, effect: Floats | float, least: float = LEAST) -> Told:
        """What the product's rule says at a look of a project that gains `effect`."""
        changes = self.changes[number]
        beside = reference(changes[:, 1:], self.cell.sites, self.cell.over)
        return tell(changes[:, 0] + effect, beside, ALPHAS[number], least, 1)

    def told(self, effect: Floats | float, least: float = LEAST) -> Told:
        """What is told in the end."""
        return extend(self.look(0, effect, least), self.look(1, effect, least), least, 1)

    def alone(self, number: int) -> Floats:
        """What the treated machine did beside the others (by itself: nothing was gained)."""
        changes = self.changes[number]
        return np.asarray(changes[:, 0] - reference(changes[:, 1:], self.cell.sites, self.cell.over).mean)


class _Noise:
    """Days of AR(1) noise with sd 1, one at a time."""

    def __init__(self, rng: np.random.Generator, rho: float, shape: tuple[int, ...]) -> None:
        self.rng, self.rho, self.state = rng, rho, rng.standard_normal(shape)

    def day(self) -> Floats:
        fresh = self.rng.standard_normal(self.state.shape)
        self.state = self.rho * self.state + np.sqrt(1 - self.rho**2) * fresh
        return self.state


def _mixed(rng: np.random.Generator, cell: Cell, runs: int, share: float) -> Floats:
    """Return standard normal numbers of machines, of which a site has a share of the variance in common."""
    own = rng.standard_normal((runs, len(cell.sites) + 1))
    if cell.over == "site":
        return own
    site, of = _site_of(cell)
    return np.asarray(np.sqrt(1 - share) * own + np.sqrt(share) * rng.standard_normal((runs, site))[:, of])


def _site_of(cell: Cell) -> tuple[int, list[int]]:
    """Return how many sites there are, and that of each machine; the treated one stands at a site of its own."""
    names = ["treated", *cell.sites] if cell.over == "sites" else list(cell.sites)
    order = list(dict.fromkeys(names))
    return len(order), [order.index(name) for name in (names if cell.over == "sites" else [names[0], *names])]


def _after_a_bad_month(rng: np.random.Generator, rho: float, runs: int) -> Floats:
    months = np.empty((MONTH, runs, CANDIDATES))
    noise = _Noise(rng, rho, (runs, CANDIDATES))
    for day in months:
        day[:] = noise.day()
    worst = months.mean(axis=0).argmin(axis=1)
    return np.asarray(months[-1, np.arange(runs), worst])


def simulate(cell: Cell, runs: int, rng: np.random.Generator, windows: int = 0) -> Runs:
    """Return simulated projects: so many days before, after and in the extension; and windows of the past."""
    n, machines = cell.days, len(cell.sites) + 1
    count, site_of = _site_of(cell)
    share = 0.3 if cell.over == "sites" else 0.0
    noise = _Noise(rng, cell.rho, (runs, machines))
    halls = _Noise(rng, cell.rho, (runs, count))
    site_noise = _Noise(rng, cell.rho, (runs, count))
    slopes = OWN.get(cell.kind, 0.0) * _mixed(rng, cell, runs, 0.5) / A_MONTH
    horizon = 2 * n + 2 * BLACKOUT
    start = horizon * windows
    controls = np.empty((start + n, runs, machines - 1))
    past = np.zeros((windows, 2, runs, machines))
    sums = np.zeros((3, runs, machines))
    level = np.zeros((runs, machines))
    for day in range(start + horizon + n):
        part, at = divmod(day, horizon) if day < start + horizon else (windows, day - start)
        if day == start and cell.kind == "applicants":
            noise.state[:, 0] = _after_a_bad_month(rng, cell.rho, runs)
        if at == n + BLACKOUT and cell.kind == "shock":
            level = level + SHOCK * (1 + LOADING * _mixed(rng, cell, runs, 0.5))
        value = SD * (np.sqrt(1 - share) * noise.day() + np.sqrt(share) * site_noise.day()[:, site_of])
        value = value + HALL * halls.day()[:, site_of] * (cell.over == "site") + slopes * day + level
        if day < start + n:
            controls[day] = value[:, 1:]
        phase = 0 if at < n else 1 if n + 2 * BLACKOUT <= at < horizon else 2 if at >= horizon else None
        if phase is None:
            continue
        if part < windows:
            past[part, phase] += value / n
            continue
        sums[phase] += value
    before = sums[0] / n
    changes = sums[1] / n - before, (sums[1] + sums[2]) / (2 * n) - before
    return Runs(cell, changes, np.moveaxis(controls, 0, -1), np.moveaxis(past[:, 1] - past[:, 0], 0, 1)[..., 1:])
