"""Energy of a machine and of the plant: kilowatt-hours by quarter hour, by state, and a baseline of daily use.

A ratio of energy to pieces falls when volume rises, without any saving, because there is a base load; so a model is
made instead (ISO 50006): daily kWh = a + b P + c X. It is fitted on the first two thirds of the days and tried on
the rest, in order of time: CV(RMSE) is the root of the mean squared error over the mean of what was used there.
At most one parameter for ten days of fitting; less than 40 days, or pieces that vary by less than a fifth, tell
nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from readiness.counting import by_day, count
from readiness.intervals import chi_square
from readiness.records import QUARTER_NS
from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.plant import State
    from readiness.states import States
    from readiness.view import View

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

PURE = 0.95
"""A quarter hour belongs to a state that held for this share of it."""
BLIND = 0.02
"""A day of which a larger share of the energy came unseen says nothing of this day."""
NEEDED_DAYS = 40
VARIES = 0.2
DAYS_PER_PARAMETER = 10
TRAINED = 2 / 3
Lack = Literal["days", "variation", "consumption"]


@dataclass(frozen=True, slots=True, eq=False)
class Energy:
    """What the meters of one machine said.

    Attributes:
        meters: Each meter's count, in kWh.
        total: kWh in the window.
        states: kWh of quarter hours that lay (nearly) wholly in one state.
        mixed: kWh of those whose state was known and changed.
        unknown: kWh of those whose state was not known all the time, and of what came unseen.
    """

    meters: tuple[Counted, ...]
    total: float
    states: Mapping[State, float]
    mixed: float
    unknown: float

    @property
    def split(self) -> float | None:
        """Share of the energy that belongs to one state; None without any energy."""
        return sum(self.states.values()) / self.total if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class Baseline:
    """A model of daily use: `cv` is its error on days that it was not fitted on."""

    base: float  # a: kWh a day
    per_piece: float  # b
    per_other: float | None  # c, None where X was not used
    cv: float
    trained: int
    tried: int
    restless: float  # standard deviation of daily kWh on those days, in means

    def limits(self, z: float) -> tuple[float, float]:
        """Return limits of the error of such a model, `z` standard normal deviations to both sides.

        As of a standard deviation of `tried` errors, by chi-square. Two things widen them. `cv` is divided by a
        mean that `tried` days tell only so well, which is worth some of the degrees of freedom (the delta method);
        and errors on days that a model was not fitted on hold those of its p parameters too, a share of p /
        `trained` of their squares, which may be luck.
        """
        parameters = 2 if self.per_other is None else 3
        freedom = self.tried / (1 + 2 * self.restless**2)
        low, high = (self.cv * math.sqrt(freedom / chi_square(freedom, side)) for side in (z, -z))
        return low / math.sqrt(1 + parameters / self.trained), high


def meters_of(view: View, machine: str, meter: Literal["main", "machine"]) -> tuple[Counted, ...]:
    """Return the counts of a machine's energy meters; one of which nothing else is said is the machine's own."""
    found = [
        count(view, name)
        for name in view.signals(machine, "energy")
        if (view.plant.meaning(name).meter or "machine") == meter
    ]
    return tuple(one for one in found if one is not None)


def main_meters(view: View) -> tuple[Counted, ...]:
    """Return the counts of the plant's own meters, wherever they are configured."""
    return tuple(one for machine in view.inventory for one in meters_of(view, machine.id, "main"))


def energy_of(view: View, machine: str, states: States) -> Energy | None:
    """Return the energy of a machine in the window, None without a meter of its own."""
    meters = meters_of(view, machine, "machine")
    if not meters:
        return None
    by_state: dict[State, float] = dict.fromkeys(states.spans, 0.0)
    total = mixed = 0.0
    for meter in meters:
        total += float(meter.pieces.sum())
        seen = meter.pieces - meter.blind
        quarters = Spans(meter.at, meter.at + QUARTER_NS)
        known = states.known.within(quarters) >= PURE * QUARTER_NS
        alone = np.zeros(len(seen), np.bool_)
        for state, spans in states.spans.items():
            here = spans.within(quarters) >= PURE * QUARTER_NS
            by_state[state] += float(seen[here].sum())
            alone |= here
        mixed += float(seen[known & ~alone].sum())
    return Energy(meters, total, by_state, mixed, total - mixed - sum(by_state.values()))


def daily(view: View, meters: Sequence[Counted]) -> tuple[Floats, Bools]:
    """Return kWh per day of the window over all meters, and on which days every meter was seen well enough."""
    kwh = np.zeros(len(view.dates))
    good = np.full(len(view.dates), bool(meters), np.bool_)
    for meter in meters:
        used = by_day(view, meter)
        day = view.seen.day_of(meter.at)
        inside = (day >= 0) & (day < len(view.dates))
        blind = np.bincount(day[inside], weights=meter.blind[inside], minlength=len(view.dates))
        there = np.zeros(len(view.dates), np.bool_)
        there[[index for index, _, _ in view.seen.counts(meter.name)]] = True
        good &= there & (blind <= BLIND * used)
        kwh += used
    return kwh, good


def baseline(kwh: Floats, pieces: Floats, other: Floats | None = None) -> Baseline | Lack:
    """Return a model of daily use, or what is missing for one.

    Args:
        kwh: [n] days in order of time, only those that were seen well enough.
        pieces: [n] pieces made.
        other: [n] another cause of use (degree days, hours of executing), used where days suffice for it.
    """
    n = len(kwh)
    if n < NEEDED_DAYS:
        return "days"
    mean = float(np.mean(pieces))
    low, high = np.quantile(pieces, [0.05, 0.95])
    if mean <= 0 or float(high - low) < VARIES * mean:
        return "variation"
    trained = int(n * TRAINED)
    columns = [np.ones(n), pieces]
    if other is not None and trained >= DAYS_PER_PARAMETER * 3 and np.ptp(other[:trained]) > 0:
        columns.append(other)
    table = np.stack(columns, axis=1)
    weights = cast("Floats", np.linalg.lstsq(table[:trained], kwh[:trained], rcond=None)[0])
    error = kwh[trained:] - table[trained:] @ weights
    used = float(np.mean(kwh[trained:]))
    if used <= 0:
        return "consumption"
    return Baseline(
        base=float(weights[0]),
        per_piece=float(weights[1]),
        per_other=float(weights[2]) if len(columns) > 2 else None,
        cv=float(np.sqrt(np.mean(error**2))) / used,
        trained=trained,
        tried=n - trained,
        restless=float(np.std(kwh[trained:], ddof=1)) / used,
    )
