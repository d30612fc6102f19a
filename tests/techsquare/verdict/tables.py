"""Rows of the tables: what rule, promise and watch do in simulated worlds, by the product's own code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from techsquare.verdict.decay import WITHIN, YEAR, alarm_level, cell, memory_of
from techsquare.verdict.promise import DRAWS, Horizon, Needs, from_baseline, from_past, needs
from techsquare.verdict.rule import IMPROVED, Reference, Told, extend, tell
from techsquare.verdict.terms import ALPHAS
from techsquare.verdict.wander import believe
from tests.techsquare.verdict.world import A_MONTH, BLACKOUT, KINDS, LEAST, Cell, Layout, Runs, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from techsquare.verdict.terms import Floats

RHOS, DAYS = (0.3, 0.5, 0.7), (20, 40, 60)
LAYOUTS: tuple[Layout, ...] = ("8", "5", "sites")
CHUNK = 2000
OTHERS = 8
LONGEST = 180


def cells(layouts: tuple[Layout, ...] = LAYOUTS) -> list[Cell]:
    return [Cell(rho, days, kind, layout) for layout, rho, days, kind in product(layouts, RHOS, DAYS, KINDS)]


def chunks(cell: Cell, runs: int, seed: int, windows: int = 0) -> Iterator[Runs]:
    """Simulated projects of a cell, so many at a time, each chunk with a seed of its own."""
    name = [int(cell.rho * 10), cell.days, KINDS.index(cell.kind), LAYOUTS.index(cell.layout)]
    for number, first in enumerate(range(0, runs, CHUNK)):
        yield simulate(cell, min(CHUNK, runs - first), np.random.default_rng([seed, *name, number]), windows)


@dataclass(frozen=True)
class RuleRow:
    """Of one cell, nothing gained: how often the told interval holds 0, "improved" and "worse" are said.

    `covered_gain`: how often it holds the truth where a gain was added. `half` and `oracle`: median half-widths of
    the told interval, and of that of somebody who knows the true sd.
    """

    cell: Cell
    runs: int
    covered: int
    improved: int
    worse: int
    covered_gain: int
    half: float
    oracle: float


def oracle(runs: Runs, sds: tuple[float, float]) -> Floats:
    """Half-widths of the same schedule for somebody who knows the sd of what is compared."""
    looks: list[Told] = []
    for number, alpha in enumerate(ALPHAS):
        alone = runs.alone(number)
        beside = Reference(np.zeros_like(alone), np.full_like(alone, sds[number] ** 2), np.full_like(alone, np.inf))
        looks.append(tell(alone, beside, alpha, LEAST, 1))
    told = extend(looks[0], looks[1], LEAST, 1)
    return (told.high - told.low) / 2


def rule_row(cell: Cell, runs: int, seed: int) -> RuleRow:
    parts = list(chunks(cell, runs, seed))
    sds = tuple(float(np.std(np.concatenate([part.alone(look) for part in parts]))) for look in (0, 1))
    told = [part.told(0.0) for part in parts]
    gain = 2.5 * sds[0]
    gained = [part.told(gain) for part in parts]
    return RuleRow(
        cell,
        runs,
        sum(int(np.sum((one.low <= 0) & (one.high >= 0))) for one in told),
        sum(int(np.sum(one.word == IMPROVED)) for one in told),
        sum(int(np.sum(one.word == IMPROVED + 1)) for one in told),
        sum(int(np.sum((one.low <= gain) & (one.high >= gain))) for one in gained),
        float(np.median(np.concatenate([(one.high - one.low) / 2 for one in told]))),
        float(np.median(np.concatenate([oracle(part, (sds[0], sds[1])) for part in parts]))),
    )


@dataclass(frozen=True)
class PromiseRow:
    """Of one cell: median promises, and mean power of the full rule where each project gains its own promise."""

    cell: Cell
    runs: int
    changes: dict[str, float]
    power: dict[str, float]


@cache
def needed(days: int, layout: Layout, windows: int) -> Needs:
    where = Cell(0.5, days, "quiet", layout)
    return needs(Horizon(days, 2 * BLACKOUT, days, days), where.sites, where.over, windows, DRAWS, 0)


def promises(runs: Runs) -> dict[str, Floats]:
    """Both kinds of promise of each run, from the days of its own comparison machines."""
    where = runs.cell
    apart = [i for i, site in enumerate(where.sites) if where.over == "site" or site not in where.sites[:i]]
    found: dict[str, Floats] = {}
    windows = runs.past.shape[1]
    for by, length in (("baseline", where.days), ("past", min(LONGEST, runs.controls.shape[-1]))):
        days = runs.controls[:, apart, -length:]
        at = np.arange(length, dtype=np.float64)
        belief = believe(days, np.ones(days.shape[1:], np.bool_), at, at / A_MONTH)
        if by == "baseline":
            low, high = from_baseline(belief, needed(where.days, where.layout, 0))
        else:
            need = needed(where.days, where.layout, windows)
            low, high, found["likely"] = from_past(runs.past[..., apart], belief, need)
        found |= {f"{by} low": low, f"{by} high": high}
    return found


def promise_row(cell: Cell, runs: int, seed: int, windows: int = 1) -> PromiseRow:
    said: dict[str, list[Floats]] = {}
    shown: dict[str, list[Floats]] = {}
    for part in chunks(cell, runs, seed + 1, windows):
        for name, change in promises(part).items():
            said.setdefault(name, []).append(change)
            shown.setdefault(name, []).append(np.asarray(part.told(change).word == IMPROVED, np.float64))
    return PromiseRow(
        cell,
        runs,
        {name: float(np.median(np.concatenate(values))) for name, values in said.items()},
        {name: float(np.mean(np.concatenate(values))) for name, values in shown.items()},
    )


@dataclass(frozen=True)
class WatchRow:
    """Of stable gains and of gains of which half is lost on the first day watched; a gain is in sds of z."""

    rho: float
    days: int
    gain: float
    false: float
    found: float
    days80: float


@cache
def level(rho: float, slack: float, days: int) -> float:
    return alarm_level(rho, slack, days, np.random.default_rng(0))


def watch_row(rho: float, days: int, gain: float, runs: int, seed: int) -> WatchRow:
    """Days of nine machines before, after and under watch; sd, K and h as the product takes them."""
    rng = np.random.default_rng([seed, int(rho * 100), days, int(gain * 100)])
    state = rng.standard_normal((runs, OTHERS + 1))
    path: list[Floats] = []
    for _ in range(days + 2 * BLACKOUT + days + YEAR):
        state = rho * state + np.sqrt(1 - rho**2) * rng.standard_normal(state.shape)
        path.append(state)
    machines = np.moveaxis(np.array(path), 0, -1) / np.sqrt(1 + 1 / OTHERS)
    common = machines[:, 1:].mean(axis=1)
    z, around = machines[:, 0] - common, machines[:, 1:] - common[:, None]
    windows = slice(0, days), slice(-YEAR - days, -YEAR)
    after, watched = z[:, windows[1]], z[:, -YEAR:]
    sd, seen = memory_of([z[:, one] for one in windows], [around[..., one] for one in windows])
    up, slack = cell(seen, gain / 4 / sd)
    keys = np.round(np.stack([up, slack], axis=1), 6)
    alarm = np.array([level(float(a), float(b), days) for a, b in keys]) * sd
    false, lost = (first_alarm(after, watched - loss, slack * sd, alarm) for loss in (0.0, gain / 2))
    return WatchRow(
        rho,
        days,
        gain,
        float(np.mean(false <= YEAR)),
        float(np.mean(lost <= WITHIN)),
        float(np.quantile(lost, 0.8, method="higher")),
    )


def first_alarm(after: Floats, watched: Floats, slack: Floats, alarm: Floats) -> Floats:
    """The day of the first alarm; infinity without one."""
    up = np.zeros(len(watched))
    first = np.full(len(watched), np.inf)
    base = after.mean(axis=1)
    for day in range(watched.shape[1]):
        up = np.maximum(0.0, up + base - watched[:, day] - slack)
        first = np.where((up > alarm) & np.isinf(first), day + 1, first)
    return first
