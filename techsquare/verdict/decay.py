"""After "improved": is the gain still there? A CUSUM over the days of the treated machine minus the others.

    z_d = (y_d - level) of the treated machine - mean of (y_d - level) of the others
    C_d = max(0, C_(d-1) - sign z_d - K),  alarm when C_d > h,   K = gain / 4

A level is the mean of a machine's days in the verdict's window after the installation. K is half of the loss that
is looked for, half of the gain (Page 1954; the middle between no loss and that one). h is the quantile of the
highest C of a year that paths without any loss have: AR(1) with the memory of these days, simulated with levels
that are estimated as well, because their error goes on for the whole year. The budget is `FALSE` a year; h is set
at half of that, as memory and sd are estimates as well.

No watch can see everything: what a quarter of the gain is in sds of z, how long memory is and how many days the
levels rest on decide how long a lost half takes to be found. `found` says it of a watch before anyone relies on it.
With 60 days after the installation, half of the gain is found within 60 planned days in 80 % where the gain is at
least 2.0 sds of z (memory 0.3), 2.6 (0.5) or 3.6 (0.7); somebody who knew level, sd and memory would need 1.3, 1.7
and 2.2. In smallest provable changes that is 2.5 of them, whatever the memory: smaller gains can be proven and not
be watched this closely (`python -m tests.techsquare.verdict --part decay --part watched`; decisions 84 and 121).

A drift of the machine against the others is a decay like any other: who watches cannot tell why it is lost. The
watch ends when the baseline is frozen anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from techsquare.verdict.phases import Window, by_day, counting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from techsquare.verdict.terms import Floats, Plan, Series

FALSE = 0.05
"""False alarms a year, of stable gains, at most."""
SET_AT = 0.025
"""Share of simulated stable years that h lets alarm."""
CAUTION = 0.8
"""Standard errors (Bartlett 1946) that are added to a memory seen on z alone: one that is longer than it looks
costs many false alarms, one that is shorter costs few days."""
YEAR = 260
"""Planned days."""
WITHIN = 60
"""Planned days in which half a gain's loss should be found."""
PATHS = 4000
LEAST_WATCHED = 40
"""Days of a machine that a level needs."""
MOST_MEMORY = 0.95
STEP = 0.05
"""h is made for a memory rounded up, and a K (in sds) rounded down, to such steps: equal cells, equal h."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched for, in the metric's unit. `alarm` is h; `rho` and `sd` are those of z.

    Attributes:
        sign: +1 where more is better.
        levels: Machine -> what its days are measured from.
        slack: K.
        alarm: h.
        sd: Of z around its mean in each phase.
        rho: Its correlation with the day before.
        days: That the levels rest on.
    """

    sign: Literal[1, -1]
    levels: Mapping[str, float]
    slack: float
    alarm: float
    sd: float
    rho: float
    days: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a watch stands; `since` is the day from which C rose to its alarm without a break, about its begin."""

    state: Literal["watching", "decay", "ended"]
    on: date | None
    since: date | None
    level: float
    days: int


def levels(machines: Iterable[Series], window: Window) -> dict[str, float]:
    """Return machine -> mean of its days in a window, of those that have enough."""
    found = dict[str, float]()
    for one in machines:
        mask = counting(one, window)
        if np.count_nonzero(mask) >= LEAST_WATCHED:
            found[one.machine] = float(np.mean(one.num[mask] / one.den[mask]))
    return found


def differences(
    plan: Plan, series: Mapping[str, Series], level: Mapping[str, float], window: Window
) -> tuple[list[date], Floats]:
    """Return days and z, of the days on which all treated and at least two other machines count.

    Each machine is measured from its own level, so that one that lacks a day, or is gone, does not move z.
    """
    treated = [_days(series[name], level[name], window) for name in plan.treated if name in level]
    others = [
        _days(series[name], level[name], window) for name in plan.controls if name in level and name in series
    ]
    if len(treated) < len(plan.treated):
        return [], np.empty(0)
    days = [day for day in sorted(treated[0]) if all(day in one for one in treated)]
    days = [day for day in days if sum(day in one for one in others) > 1]
    z = [
        np.mean([one[day] for one in treated]) - np.mean([one[day] for one in others if day in one]) for day in days
    ]
    return days, np.array(z, np.float64)


def _around(plan: Plan, series: Mapping[str, Series], level: Mapping[str, float], window: Window) -> Floats:
    """Return (k, n) days of comparison machines around their mean, of the days that all of them have."""
    found = [_days(series[name], level[name], window) for name in plan.controls if name in level and name in series]
    days = sorted(set.intersection(*(set(one) for one in found))) if len(found) > 1 else []
    values = np.array([[one[day] for day in days] for one in found], np.float64).reshape(len(found), len(days))
    return np.asarray(values - values.mean(axis=0)) if days else np.empty((len(found), 0))


def _days(one: Series, level: float, window: Window) -> dict[date, float]:
    return {day: value - level for day, value in by_day(one, window).items()}


def memory_of(phases: Sequence[Floats], others: Sequence[Floats] = ()) -> tuple[Floats, Floats]:
    """Return the sd of z, and the correlation with the day before for which a watch is made.

    Machines that are alike enough to be compared are alike in memory: it is estimated from z and from the days of
    the comparison machines around their common mean. Only where z itself remembers longer by more than a standard
    error does it count more; without the others, z's own is taken, and `CAUTION` added.

    In n days a correlation looks smaller than it is, by (1 + 3 rho) / n (Marriott and Pope 1954), and the squares
    of days that follow each other by the variance of their mean; both are put back.

    Args:
        phases: (..., n) days of z, of each window.
        others: (..., k, n) days of comparison machines around the mean of them, of each window; or nothing.
    """
    days = sum(one.shape[-1] for one in phases)
    n = days / len(phases)
    square, product = _moments(phases)
    own = _correlation(square, product, n)
    free = days - len(phases) * np.minimum((1 + own) / (1 - own), n / 2)
    sd = np.sqrt(square / free)
    error = np.sqrt((1 - own**2) / days)
    if not others:
        return sd, np.minimum(own + CAUTION * error, MOST_MEMORY)
    more = _moments(others)
    shared = _correlation(square + more[0].sum(axis=-1), product + more[1].sum(axis=-1), n)
    return sd, np.maximum(shared, own - error)


def _moments(phases: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return sums of squares and of products with the day before, over the last axis, around each phase's mean."""
    parts = [phase - phase.mean(axis=-1, keepdims=True) for phase in phases]
    square = np.sum([np.sum(part**2, axis=-1) for part in parts], axis=0)
    return square, np.sum([np.sum(part[..., 1:] * part[..., :-1], axis=-1) for part in parts], axis=0)


def _correlation(square: Floats, product: Floats, n: float) -> Floats:
    raw = np.divide(product, square, out=np.zeros_like(square), where=square > 0)
    return np.clip(raw + (1 + 3 * np.maximum(raw, 0)) / n, 0.0, MOST_MEMORY)


def cell(rho: Floats, slack: Floats) -> tuple[Floats, Floats]:
    """Return the memory and the slack (in sds) for which h is made."""
    up = np.minimum(np.ceil(rho / STEP - 1e-9) * STEP, MOST_MEMORY)
    return up, np.maximum(np.floor(slack / STEP + 1e-9) * STEP, STEP)


def highest(
    rho: float, slack: float, known: int, rng: np.random.Generator, paths: int = PATHS, loss: float = 0.0
) -> tuple[Floats, Floats]:
    """Return the highest C of simulated years, and that of the first `WITHIN` days; all in sds of z.

    Args:
        rho: Memory.
        slack: K.
        known: Days that the levels are estimated from.
        rng: Seeded.
        paths: How many years.
        loss: What is lost from the first day on.
    """
    scale = np.sqrt(1 - rho**2)
    state = rng.standard_normal(paths)
    middle = np.zeros(paths)
    for _ in range(known):
        state = rho * state + scale * rng.standard_normal(paths)
        middle += state / known
    level, top = np.zeros(paths), np.zeros(paths)
    early = top
    for day in range(YEAR):
        state = rho * state + scale * rng.standard_normal(paths)
        level = np.maximum(0.0, level + middle - (state - loss) - slack)
        top = np.maximum(top, level)
        if day == WITHIN - 1:
            early = top.copy()
    return top, early


def alarm_level(rho: float, slack: float, known: int, rng: np.random.Generator) -> float:
    """Return h in sds of z, for a memory and a slack as `cell` gives them."""
    return float(np.quantile(highest(rho, slack, known, rng)[0], 1 - SET_AT))


def start(
    plan: Plan, days: Iterable[Series], before: Window, after: Window, gain: float, seed: int
) -> Watch | None:
    """Return the watch over a gain; None with too few days, or when nothing moves.

    Args:
        plan: The plan; without comparison machines there is no verdict to watch over.
        days: Series of its machines.
        before: The verdict's days before.
        after: The verdict's days after.
        gain: What was told: the absolute estimate, in the metric's unit.
        seed: Of the paths.
    """
    series = {one.machine: one for one in days}
    ends = [levels(series.values(), window) for window in (before, after)]
    phases = [differences(plan, series, end, w)[1] for end, w in zip(ends, (before, after), strict=True)]
    if min(len(one) for one in phases) < LEAST_WATCHED or gain <= 0:
        return None
    # The sums over both windows are of the same machines: one may have too few days in one of them.
    both = [{name: end[name] for name in end if name in ends[0] and name in ends[1]} for end in ends]
    beside = [_around(plan, series, end, w) for end, w in zip(both, (before, after), strict=True)]
    whole = min(one.shape[-1] for one in beside) >= LEAST_WATCHED / 2
    sd, rho = (float(x) for x in memory_of(phases, beside if whole else ()))
    if not sd > 0:
        return None
    known = len(phases[1])
    up, slack = (float(x) for x in cell(np.array(rho), np.array(gain / 4 / sd)))
    level = alarm_level(up, slack, known, np.random.default_rng(seed))
    return Watch(plan.sign, ends[1], slack * sd, level * sd, sd, rho, known)


def found(watch: Watch, gain: float, seed: int) -> float:
    """Return the share of losses of half the gain that this watch finds within `WITHIN` planned days."""
    rng = np.random.default_rng(seed)
    top = highest(watch.rho, watch.slack / watch.sd, watch.days, rng, loss=gain / 2 / watch.sd)[1]
    return float(np.mean(top > watch.alarm / watch.sd))


def look(
    watch: Watch, plan: Plan, days: Iterable[Series], since: date, until: date, refrozen: date | None = None
) -> Seen:
    """Return where a watch stands, from the day after the verdict's days on.

    Args:
        watch: As `start` gave it.
        plan: The plan.
        days: Series of its machines.
        since: First day that is watched.
        until: Last one.
        refrozen: When the baseline was frozen anew, if it was: a watch that has not alarmed before ends there, and
            a decay that it has told ends as well.
    """
    if refrozen is not None and refrozen <= until:
        return Seen("ended", refrozen, None, 0.0, 0)
    series = {one.machine: one for one in days}
    dates, z = differences(plan, series, watch.levels, Window(since, until))
    level, began = 0.0, None
    for number, (day, value) in enumerate(zip(dates, z.tolist(), strict=True), 1):
        risen = level - watch.sign * value - watch.slack
        began = None if risen <= 0 else began or day
        level = max(0.0, risen)
        if level > watch.alarm:
            return Seen("decay", day, began, level, number)
    return Seen("watching", None, None, level, len(dates))
