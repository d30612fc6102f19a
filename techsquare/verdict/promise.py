"""Before anyone buys: the smallest change that a plan can show in four of five cases.

The whole rule is drawn: changes of a treated and of m comparison machines at both looks, as noise, memory and own
drift make them, through `rule.reference` and `rule.half_width`. A change e is shown at a look when e > half - x,
with x what the treated machine did by itself beside the others; with two looks when e > min(half1 - x1, half2 -
x2). So the 80 % quantile of that minimum is the change that is shown in 80 % of cases. (A first look that ends in
"no change" is left out: it matters only to changes smaller than `least`, for which nobody pays.)

That number follows from sd, memory and own drift, which are themselves known more or less:

    baseline  `wander` weighs them by the controls' days and a stated prior of own drift; the range holds the middle
              90 % of what is left. Drift is hardly seen from 40 days, so the upper end mostly stands for the prior.
    past      where the controls' earlier days hold the whole plan once or more (before, blackout, after), every
              control is the treated machine of pretended projects in its own past. Their changes have the sd that
              the rule will meet, whatever it is made of: its limits come from chi^2(m - 1) at 80 %, however many
              windows there are, because a drift that lasts is the same in all of them. Here a single number can be
              said as well: `likely`, which is shown in 80 % of cases when what is not known of that sd is averaged
              over (the 80 % quantile of min(half - x) / s, with an s of the same machines' past drawn beside it: a
              drift that lasts was in that past).

Checked in `tests/techsquare/verdict`: in every cell of 40 days and more mean power at `low` is at most 0.85, at
`high` at least 0.75, and at `likely` within 5 points of 0.80 (decision 83). What neither holds is a change of the
world: a new product, a second shift, a shock of a kind that has never been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from techsquare.verdict.phases import DAY, Window, by_day, counting, ratio, windows
from techsquare.verdict.rule import allowed, enough, half_width, reference
from techsquare.verdict.terms import ALPHAS, LEAST_DAYS, PROMISE_DAYS, Promise
from techsquare.verdict.wander import GRID, MOST_OWN, OWN, RHOS, believe, memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from techsquare.verdict.terms import Flags, Floats, Over, Plan, Series
    from techsquare.verdict.wander import Belief

POWER = 0.8
MIDDLE = 0.90
"""Of what is believed of noise and drift, inside the range that rests on the baseline."""
MIDDLE_PAST = 0.80
"""Likewise of the sd of pretended projects."""
SITE_SHARE = 0.5
"""Of several sites, the share of a machine's own unrest that is its site's."""
MOST_WINDOWS = 4
"""Pretended projects, the latest ones; what is longer ago is another factory."""
STILL = 1e-9
"""An sd below this share of the values is rounding: the machines do not move beside each other."""
DRAWS = 4000
DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Horizon:
    """Calendar days of a plan, and the share of them that count."""

    before: int
    gap: int
    after: int
    extension: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Needs:
    """Over (rho, own): what is shown at `POWER`.

    Attributes:
        smallest: Such changes, in sds of a day.
        spread: The sd of a first look's change, likewise.
        likely: Such changes, in sds of the same machines' changes in windows of the past, drawn as well; NaN
            without.
    """

    smallest: Floats
    spread: Floats
    likely: Floats


def spreads(horizon: Horizon, rho: float, own: float) -> Floats:
    """Return the covariance (2, 2) of a machine's changes at both looks, in variances of a day.

    The days that count are taken as evenly spread; memory runs over them, drift over the calendar.
    """
    lengths = (horizon.before, horizon.gap, horizon.after, horizon.extension)
    counts = [max(1, round(horizon.share * length)) for length in lengths]
    ends = np.cumsum([0, *counts])
    use = np.r_[np.arange(ends[0], ends[1]), np.arange(ends[2], ends[4])].astype(np.float64)
    n, a, e = counts[0], counts[2], counts[3]
    weights = np.zeros((2, len(use)))
    weights[:, :n] = -1 / n
    weights[0, n : n + a] = 1 / a
    weights[1, n:] = 1 / (a + e)
    drift = weights @ (use * sum(lengths) / sum(counts) / DAYS_A_MONTH)
    return np.asarray(weights @ memory(rho, use) @ weights.T + own**2 * np.outer(drift, drift))


def needs(horizon: Horizon, sites: Sequence[str], over: Over, windows: int, draws: int, seed: int) -> Needs:
    """Return the smallest changes that can be shown.

    Args:
        horizon: Of the plan.
        sites: Of each comparison machine.
        over: Whether machines or sites are the draws. Of several sites, half of what moves a machine is taken to be
            its site's (`SITE_SHARE`).
        windows: Of the past, each as long as the plan's first look; drift is the same in all of them.
        draws: How many projects.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    normal = _machines(rng, (draws, 2 + windows), sites, over)
    apart = _one_a_site(sites) if over == "sites" else list(range(len(sites)))
    smallest, spread, likely = np.empty(GRID), np.empty(GRID), np.full(GRID, np.nan)
    for r, rho in enumerate(RHOS):
        for o, own in enumerate(OWN):
            covariance = _with_past(horizon, rho, own, windows)
            moved = normal @ np.linalg.cholesky(covariance + 1e-12 * np.eye(2 + windows)).T
            shown = []
            for look, alpha in enumerate(ALPHAS):
                beside = reference(moved[:, 1:, look], sites, over)
                shown.append(half_width(beside, alpha) - (moved[:, 0, look] - beside.mean))
            needed = np.minimum(*shown)
            smallest[r, o] = np.quantile(needed, POWER)
            spread[r, o] = np.sqrt(covariance[0, 0])
            if windows:
                past = moved[:, 1:, 2:][:, apart].var(axis=1, ddof=1).mean(axis=-1)
                likely[r, o] = np.quantile(needed / np.sqrt(past), POWER)
    return Needs(smallest, spread, likely)


def _with_past(horizon: Horizon, rho: float, own: float, windows: int) -> Floats:
    """Return the covariance of a machine's changes at both looks and in windows of its past, long before."""
    both, noise = spreads(horizon, rho, own), spreads(horizon, rho, 0.0)
    covariance = np.empty((2 + windows, 2 + windows))
    covariance[:2, :2] = both
    lasting = both - noise
    covariance[2:, :2], covariance[:2, 2:] = lasting[0], lasting[0][:, None]
    covariance[2:, 2:] = lasting[0, 0] + noise[0, 0] * np.eye(windows)
    return covariance


def _machines(rng: np.random.Generator, shape: tuple[int, int], sites: Sequence[str], over: Over) -> Floats:
    """Return standard normal numbers (draws, 1 + machines, ...), the first of a treated one elsewhere."""
    own = rng.standard_normal((shape[0], len(sites) + 1, shape[1]))
    if over != "sites":
        return own
    names = list(dict.fromkeys(sites))
    of = [0, *(1 + names.index(site) for site in sites)]
    common = rng.standard_normal((shape[0], len(names) + 1, shape[1]))[:, of]
    return np.asarray(np.sqrt(SITE_SHARE) * common + np.sqrt(1 - SITE_SHARE) * own)


def _one_a_site(sites: Sequence[str]) -> list[int]:
    return [i for i, site in enumerate(sites) if site not in sites[:i]]


def from_baseline(belief: Belief, need: Needs) -> tuple[Floats, Floats]:
    """Return the range (low, high) that belief leaves; in the metric's unit, leading axes as in `belief`."""
    cells = GRID[0] * GRID[1]
    values = (belief.sd * need.smallest).reshape(*belief.sd.shape[:-2], cells)
    order = np.argsort(values, axis=-1)
    values = np.take_along_axis(values, order, axis=-1)
    weight = np.take_along_axis(belief.weight.reshape(values.shape), order, axis=-1)
    # The middle of each cell's weight: quantiles move evenly from cell to cell.
    below = np.cumsum(weight, axis=-1) - weight / 2
    ends = []
    for share in ((1 - MIDDLE) / 2, (1 + MIDDLE) / 2):
        at = np.clip(np.sum(below < share, axis=-1), 1, cells - 1)[..., None]
        x0, x1 = np.take_along_axis(below, at - 1, -1), np.take_along_axis(below, at, -1)
        y0, y1 = np.take_along_axis(values, at - 1, -1), np.take_along_axis(values, at, -1)
        way = np.clip(np.divide(share - x0, x1 - x0, out=np.zeros_like(x0), where=x1 > x0), 0, 1)
        ends.append((y0 + way * (y1 - y0))[..., 0])
    return ends[0], ends[1]


def from_past(changes: Floats, belief: Belief, need: Needs) -> tuple[Floats, Floats, Floats]:
    """Return the range (low, high) and the likely change from pretended projects.

    Args:
        changes: (..., windows, m) changes of the controls over windows like the plan's first look.
        belief: Of the same machines; only how the second look follows from the first is taken from it.
        need: For this plan.
    """
    sd = np.sqrt(changes.var(axis=-1, ddof=1).mean(axis=-1))
    middle = belief.mean(need.smallest / need.spread) * sd
    free = changes.shape[-1] - 1
    tail = (1 - MIDDLE_PAST) / 2
    low, high = (middle * np.sqrt(free / chi2.ppf(at, free)) for at in (1 - tail, tail))
    return low, high, belief.mean(need.likely) * sd


def promise(plan: Plan, days: Iterable[Series], seed: int = 0) -> Promise:
    """Return the smallest change that the plan can show, as a range.

    Args:
        plan: The plan, or a draft of it.
        days: Series of its comparison machines, with whatever there is of their past. Days after the baseline are
            not looked at.
        seed: Of the draws.
    """
    series = {one.machine: one for one in days}
    chosen = [series[name] for name in plan.controls if name in series]
    baseline = Window(*plan.baseline)
    chosen = [one for one in chosen if int(np.count_nonzero(counting(one, baseline))) >= LEAST_DAYS]
    sites = [one.site for one in chosen]
    chosen = [chosen[i] for i in allowed(sites, plan.over)]
    sites = [one.site for one in chosen]
    if not enough(sites, plan.over):
        return Promise(None, None, None, 0, len(chosen), None, "few_controls", {})
    apart = [chosen[i] for i in _one_a_site(sites)] if plan.over == "sites" else chosen
    table = _Table.of(apart, baseline.last)
    inside = np.array([baseline.holds(day) for day in table.days])
    n = int(np.count_nonzero(inside))
    if n < PROMISE_DAYS:
        return Promise(None, None, None, n, len(chosen), None, "short_baseline", {})
    whole = table.part(slice(-max(n, _MOST_DAYS), None))
    belief = believe(whole.values, whole.known, whole.positions, whole.months)
    if float(belief.sd.min()) <= STILL * float(np.abs(whole.values).max()):
        return Promise(None, None, None, n, len(chosen), None, "still", {})
    changes = pretended(apart, plan)
    need = needs(_horizon(plan, n), sites, plan.over, len(changes), DRAWS, seed)
    if len(changes):
        low, high, likely = (float(x) for x in from_past(changes, belief, need))
    else:
        low, high, likely = *(float(x) for x in from_baseline(belief, need)), None
    grid = np.broadcast_to(np.array(RHOS)[:, None], GRID), np.broadcast_to(np.array(OWN)[None, :], GRID)
    assumed = {
        "power": POWER,
        "sd": float(belief.mean(belief.sd)),
        "rho": float(belief.mean(grid[0])),
        "own_a_month": float(belief.mean(grid[1] * belief.sd)),
        "own_a_month_at_most": float(belief.mean(MOST_OWN * belief.sd)),
        "windows": float(len(changes)),
    }
    return Promise(low, high, likely, n, len(chosen), "past" if len(changes) else "baseline", None, assumed)


def pretended(machines: Sequence[Series], plan: Plan) -> Floats:
    """Return (windows, m) changes of machines over windows like the plan's first look, none overlapping another.

    The latest ends with the baseline. A window in which a machine lacks three quarters of the days
    is not used.
    """
    before, after = windows(plan, 1)
    lengths = [(one.last - one.first).days for one in (before, after)]
    gap = after.first - before.last
    first = min(one.days[0] for one in machines)
    last, found = plan.baseline[1], list[list[float]]()
    while len(found) < MOST_WINDOWS:
        late = Window(last - (after.last - after.first), last)
        early = Window(late.first - gap - (before.last - before.first), late.first - gap)
        if early.first < first:
            break
        row = list[float]()
        for one in machines:
            masks = [counting(one, window) for window in (early, late)]
            if all(np.count_nonzero(m) >= max(LEAST_DAYS, n / 4) for m, n in zip(masks, lengths, strict=True)):
                row.append(
                    ratio(one.num[masks[1]], one.den[masks[1]]) - ratio(one.num[masks[0]], one.den[masks[0]])
                )
        if len(row) == len(machines):
            found.append(row)
        last = early.first - DAY
    return np.array(found).reshape(len(found), len(machines))


_MOST_DAYS = 180
"""Days that noise and memory are estimated from, the latest ones; more would say little more and cost cubes."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Days that at least two of the machines have, as `believe` wants them."""

    days: list[date]
    values: Floats
    known: Flags
    positions: Floats
    months: Floats

    @classmethod
    def of(cls, machines: Sequence[Series], last: date) -> _Table:
        ever = Window(min(one.days[0] for one in machines), last)
        found = [by_day(one, ever) for one in machines]
        days = [d for d in sorted(set().union(*found)) if sum(d in one for one in found) > 1]
        values = np.array([[one.get(day, 0.0) for day in days] for one in found])
        known = np.array([[day in one for day in days] for one in found])
        months = np.array([(day - days[0]).days / DAYS_A_MONTH for day in days])
        return cls(days, values, known, np.arange(len(days), dtype=np.float64), months)

    def part(self, of: slice) -> _Table:
        known = self.known[:, of]
        rows = known.sum(axis=1) >= LEAST_DAYS
        known = known[rows]
        columns = known.sum(axis=0) > 1
        values = self.values[:, of][rows][:, columns]
        days = [day for day, kept in zip(self.days[of], columns, strict=True) if kept]
        return _Table(days, values, known[:, columns], self.positions[of][columns], self.months[of][columns])


def _horizon(plan: Plan, days: int) -> Horizon:
    before, after = windows(plan, 1)
    length = (before.last - before.first).days + 1
    return Horizon(
        length,
        (after.first - before.last).days - 1,
        (after.last - after.first).days + 1,
        max(1, (plan.extended_to - plan.verdict_on).days),
        min(1.0, days / length),
    )
