"""What was advised and told, against the best that there was: advice, matching, bad months, drift. Pure.

A true value is what an offer is worth over three years before its outcome is drawn. `popular` is whom everybody
asks: of those that could be taken the one with the most work in the market. Regret is won against the best of them.

A naive before and after compares the thirty days before the application with the thirty after the installation (and
its blackout): factories ask in bad months, and what follows is better by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.simulation.compared import level_of, of
from techsquare.verdict.phases import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from techsquare.matching.night import Night
    from techsquare.simulation.plants import World
    from techsquare.simulation.programme import Done
    from techsquare.simulation.terms import Engagement, Tool

SAMPLE = 200
"""Items a night that are looked at, at most."""
BLACKOUT, MONTH = timedelta(days=14), timedelta(days=30)
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was advised for an item, and true values: of the first line, the best, the most popular, and all."""

    word: str
    first: float | None
    best: float | None
    popular: float | None
    mean: float | None


def judge(night: Night, value: Callable[[str, str], float], weight: Mapping[str, float]) -> list[Judged]:
    """Return what was advised for some items of a night, evenly taken, against what was true.

    Args:
        night: As matched.
        value: True worth of (item, solution), won.
        weight: Supplier -> its share of all work.
    """
    columns = night.columns
    firsts = {row.item: row.solution for row in night.lists.rows() if row.slot == 1}
    every = np.arange(len(columns.solutions))
    step = max(1, -(-len(columns.items) // SAMPLE))
    found = []
    for at in range(0, len(columns.items), step):
        item = columns.items[at]
        passed = every[columns.failed(np.full(len(every), at), every) == 0]
        first = firsts.get(item.id)
        names = [columns.solutions[one].id for one in passed.tolist()]
        values = {name: value(item.id, name) for name in names}
        popular = max(
            (columns.solutions[one] for one in passed.tolist()),
            key=lambda one: (weight[one.supplier], one.id),
            default=None,
        )
        found.append(
            Judged(
                word=night.advice(item.id)[0],
                first=None if first is None else values[first],
                best=max(values.values(), default=None),
                popular=None if popular is None else values[popular.id],
                mean=float(np.mean(list(values.values()))) if values else None,
            )
        )
    return found


def advice(judged: Sequence[Judged]) -> Json:
    """Return how often advice was right: an offer that is worth something, and nothing to buy where nothing is."""
    offered = [one for one in judged if one.first is not None and one.best is not None]
    silent = [one for one in judged if one.word == "not_now" and one.best is not None]
    return {
        "looked_at": len(judged),
        "offers": len(offered),
        "offers_right": _mean((one.first or 0.0) > 0 for one in offered),
        "not_now": len(silent),
        "not_now_right": _mean((one.best or 0.0) <= 0 for one in silent),
        "not_now_lost_won_mean": _mean(max(0.0, one.best or 0.0) for one in silent),
        "popular_right": _mean((one.popular or 0.0) > 0 for one in offered),
        "regret_first_line": _mean((one.best or 0.0) - (one.first or 0.0) for one in offered),
        "regret_popular": _mean((one.best or 0.0) - (one.popular or 0.0) for one in offered),
        "regret_any": _mean((one.best or 0.0) - (one.mean or 0.0) for one in offered),
    }


def bad_months(done: Done, told: Iterable[Engagement]) -> Json:
    """Return by how much each way of comparing overstates, as a share of the loss before; below 0: understates."""
    naive, ours, own = list[float](), list[float](), list[float]()
    for one in told:
        if one.effect is None or not one.loss or one.verdict is None or one.plan is None:
            continue
        change = _before_and_after(done.world, one, done)
        if change is not None:
            naive.append((one.effect - change) / one.loss)
        if one.verdict.own is not None:
            own.append((one.effect - one.verdict.own[0]) / one.loss)
        if one.verdict.estimate is not None and one.verdict.low is not None:
            ours.append((one.effect - one.verdict.estimate) / one.loss)
    return {
        "naive_overstates": _mean(naive),
        "own_baseline_overstates": _mean(own),
        "compared_overstates": _mean(ours),
        "n": len(naive),
        "error_of_mean": None if len(ours) < 2 else round(float(np.std(ours, ddof=1) / len(ours) ** 0.5), 6),
    }


def drift(done: Done, told: Sequence[Engagement]) -> Json:
    """Return how well intervals cover where machines drift little and much, and meet shocks alike and unevenly."""
    rows: Json = {}
    told = [
        one for one in told if one.verdict is not None and one.verdict.low is not None and one.effect is not None
    ]
    sizes: dict[str, Callable[[Tool], float]] = {
        "own_drift": lambda tool: abs(tool.drift),
        "shock_loading": lambda tool: abs(tool.loading - 1),
    }
    for name, of_tool in sizes.items():
        found = {one.id: _size(done, one, of_tool) for one in told}
        middle = float(np.median(list(found.values()))) if found else 0.0
        for half in ("small", "large"):
            part = [one for one in told if (found[one.id] > middle) == (half == "large")]
            rows[f"{name}_{half}"] = {
                "n": len(part),
                "covers": _mean(_covers(one) for one in part),
                "improved_false": sum(one.word == "improved" and (one.effect or 0.0) >= 0 for one in part),
            }
    return rows


def _size(done: Done, one: Engagement, of_tool: Callable[[Tool], float]) -> float:
    """Return something of a project's machines, on average."""
    return float(np.mean([of_tool(tool) for tool in done.world.plants[one.plant].tools if tool.id in one.machines]))


def _covers(one: Engagement) -> bool:
    assert one.verdict is not None
    assert one.verdict.low is not None
    assert one.verdict.high is not None
    assert one.effect is not None
    return one.verdict.low <= one.effect <= one.verdict.high


def _before_and_after(world: World, one: Engagement, done: Done) -> float | None:
    assert one.plan is not None
    applied = done.cases[one.plant].applied
    buckets = sorted({bucket for _, bucket in one.places})
    early = Window(applied - MONTH, applied - timedelta(days=1))
    late = Window(one.installed + BLACKOUT, one.installed + BLACKOUT + MONTH)
    changes = []
    for name in one.plan.treated:
        series = of(world, name, buckets, world.setting.days)
        before, after = level_of(series, early), level_of(series, late)
        if before is None or after is None:
            return None
        changes.append(after - before)
    return float(np.mean(changes))


def _mean(values: Iterable[float]) -> float | None:
    found = [float(value) for value in values]
    return round(float(np.mean(found)), 6) if found else None
