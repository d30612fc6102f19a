"""What a watch finds of gains that the rule has verified: the same machines, first judged, then watched.

Nine machines before, after and for a year under watch; the treated one gains, half of that is lost on some day. A
gain counts where the product's rule says "improved" on the verdict's date. The product's CUSUM is made for what was
told (the estimate, not the truth, which nobody knows). Two other tests that were tried (decision 121) stand beside
it: both look for a fall of the mean of the last 10 to 60 days,

    fixed    against the level after the installation
    learned  against the mean of all days since, those under watch before the fall too

as the largest of their differences in sds of AR(1) means, their alarm level from simulated years as in the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from techsquare.verdict.decay import PATHS, SET_AT, STEP, WITHIN, YEAR, alarm_level, cell, memory_of
from techsquare.verdict.promise import POWER
from techsquare.verdict.rule import IMPROVED, half_width, reference, tell
from techsquare.verdict.terms import ALPHAS
from tests.techsquare.verdict.tables import OTHERS, first_alarm
from tests.techsquare.verdict.world import BLACKOUT

if TYPE_CHECKING:
    from techsquare.verdict.terms import Flags, Floats, Ints

MULTIPLES = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Gains, in smallest provable changes."""
LOST = (0, 60, 130)
"""Planned days under watch before half of the gain is lost."""
LAST = (10, 15, 20, 30, 40, 60)
WIDEST_SLACK = 2.0
TESTS = ("cusum", "fixed", "learned")


@dataclass(frozen=True)
class WatchedRow:
    """Of gains of one size: how many are verified, and of these how many lose half and are found within `WITHIN`.

    `smallest`: the smallest provable change (in sds of z) at the first look. `false`: of verified gains that lose
    nothing, those that alarm in the year. `found`: test -> share, for each day of `LOST`.
    """

    rho: float
    days: int
    smallest: float
    gain: float
    verified: float
    false: dict[str, float]
    found: dict[str, list[float]]


def watched_rows(rho: float, days: int, runs: int, seed: int) -> list[WatchedRow]:
    world = _World(rho, days, runs, seed)
    return [world.row(many * world.smallest) for many in MULTIPLES]


class _World:
    """Simulated machines, and what the product would know of them."""

    def __init__(self, rho: float, days: int, runs: int, seed: int) -> None:
        self.rho, self.days = rho, days
        rng = np.random.default_rng([seed, int(rho * 100), days, 121])
        state = rng.standard_normal((runs, OTHERS + 1))
        path: list[Floats] = []
        for _ in range(2 * (days + BLACKOUT) + YEAR):
            state = rho * state + np.sqrt(1 - rho**2) * rng.standard_normal(state.shape)
            path.append(state)
        machines = np.moveaxis(np.array(path), 0, -1) / np.sqrt(1 + 1 / OTHERS)
        common = machines[:, 1:].mean(axis=1)
        z, around = machines[:, 0] - common, machines[:, 1:] - common[:, None]
        ends = slice(0, days), slice(-YEAR - days, -YEAR)
        self.sd, self.memory = memory_of([z[:, one] for one in ends], [around[..., one] for one in ends])
        changes = machines[..., ends[1]].mean(axis=-1) - machines[..., ends[0]].mean(axis=-1)
        self.change = changes[:, 0]
        self.beside = reference(changes[:, 1:], ("home",) * OTHERS, "site")
        needed = half_width(self.beside, ALPHAS[0]) - (self.change - self.beside.mean)
        self.smallest = float(np.quantile(needed, POWER))
        self.after, self.under = z[:, ends[1]], z[:, -YEAR:]

    def row(self, gain: float) -> WatchedRow:
        told = tell(self.change + gain, self.beside, ALPHAS[0], gain / 2, 1)
        verified = np.asarray(told.word == IMPROVED)
        estimate = np.maximum(told.estimate, STEP)
        false: dict[str, float] = {}
        found: dict[str, list[float]] = {name: [] for name in TESTS}
        for name in TESTS:
            first = self.alarms(name, estimate, self.under)
            false[name] = float(np.mean(first[verified] <= YEAR))
            for on in LOST:
                lost = self.under.copy()
                lost[:, on:] -= gain / 2
                at = self.alarms(name, estimate, lost)
                counted = verified & (at > on)
                found[name].append(float(np.mean(at[counted] <= on + WITHIN)))
        return WatchedRow(self.rho, self.days, self.smallest, gain, float(np.mean(verified)), false, found)

    def alarms(self, name: str, estimate: Floats, under: Floats) -> Floats:
        """Return the day of each run's first alarm."""
        slack_wanted = np.minimum(estimate / 4 / self.sd, WIDEST_SLACK)
        up, slack = cell(self.memory, slack_wanted)
        if name == "cusum":
            keys = np.round(np.stack([up, slack], axis=1), 6)
            alarm = np.array([_cusum(float(a), float(b), self.days) for a, b in keys]) * self.sd
            return first_alarm(self.after, under, slack * self.sd, alarm)
        alarm = np.array([_fall(round(float(a), 6), self.days, learned=name == "learned") for a in up])
        path = _falls(self.after / self.sd[:, None], under / self.sd[:, None], up, learned=name == "learned")
        return _first(path > alarm[:, None])


@cache
def _cusum(rho: float, slack: float, days: int) -> float:
    return alarm_level(rho, slack, days, np.random.default_rng(0))


@cache
def _fall(rho: float, days: int, *, learned: bool) -> float:
    """Return the level that `SET_AT` of stable simulated years reach."""
    rng = np.random.default_rng(0)
    state = rng.standard_normal(PATHS)
    path: list[Floats] = []
    for _ in range(days + YEAR):
        state = rho * state + np.sqrt(1 - rho**2) * rng.standard_normal(PATHS)
        path.append(state)
    z = np.array(path).T
    highest = _falls(z[:, :days], z[:, days:], np.full(PATHS, rho), learned=learned).max(axis=1)
    return float(np.quantile(highest, 1 - SET_AT))


def _falls(after: Floats, under: Floats, rho: Floats, *, learned: bool) -> Floats:
    """Return (runs, days) the largest fall of the mean of the last days, in its sds."""
    n = after.shape[1]
    sums = np.cumsum(np.concatenate([np.zeros((len(after), 1)), after, under], axis=1), axis=1)
    best = np.full(under.shape, -np.inf)
    for last in LAST:
        ends: Ints = np.arange(n + last, n + under.shape[1] + 1)
        base: Ints = ends - last if learned else np.full_like(ends, n)
        fall = sums[:, base] / base - (sums[:, ends] - sums[:, ends - last]) / last
        spread = np.sqrt(_variance(rho, np.array([last])) + _variance(rho, base))
        best[:, last - 1 :] = np.maximum(best[:, last - 1 :], fall / spread)
    return best


def _variance(rho: Floats, n: Ints) -> Floats:
    """Return the variance of the mean of n days of AR(1) with sd 1."""
    r = rho[:, None]
    return np.asarray((n * (1 - r**2) - 2 * r * (1 - r**n)) / ((1 - r) * n) ** 2)


def _first(alarm: Flags) -> Floats:
    return np.where(alarm.any(axis=1), alarm.argmax(axis=1) + 1.0, np.inf)
