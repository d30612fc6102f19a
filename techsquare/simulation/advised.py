"""The plan that the platform would advise: what can be shown at all, told before anything is measured.

Two ways are looked at for what changes a whole plant: all of its machines at once, compared with machines of other
factories, and in two stages, where the worst half is begun with and the rest of the hall is compared with (at least
`BESIDE`; it follows after the verdict). The way with the smaller provable share of the loss is taken.

The smallest change that is shown in four of five cases is taken from pretended projects of the comparison machines'
own past, as the engine's `likely` is, but by the formula instead of drawing the rule:

    s sqrt(1 + 1 / m) (t(m - 1, 1 - alpha / 2) + z(0.80))       s: sd of the controls' changes, m machines or sites

The engine's own promise takes seconds; it is asked for a share of the plans (`Setting.promised`) and the two are
compared in the report.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from techsquare.simulation.compared import AFTER, EXTENSION, candidates_for, level_of, of
from techsquare.simulation.terms import BUCKETS
from techsquare.verdict.controls import Choice
from techsquare.verdict.phases import DAY, Window
from techsquare.verdict.plan import draft
from techsquare.verdict.promise import POWER, pretended
from techsquare.verdict.terms import ALPHAS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from techsquare.simulation.compared import Site
    from techsquare.simulation.terms import Engagement, Plant
    from techsquare.verdict.terms import Plan

BESIDE = 5
"""Machines of the hall that a first stage leaves."""
SECOND = timedelta(days=14 + AFTER + 1 + EXTENSION + 2)
"""From the first installation to that of the rest, the extension's last day included."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to measure a project: its plan, the level of its metric before, and what it could show of it.

    `provable` is in the metric's unit; None where nothing can be compared.
    """

    plan: Plan
    level: float | None
    provable: float | None

    @property
    def share(self) -> float:
        """Return the provable share of the level; without end where there is none."""
        return self.provable / self.level if self.provable is not None and self.level else float("inf")


def best(site: Site, engagement: Engagement, applied: date, least: float) -> Way:
    """Return the way in which the smallest share of the loss can be shown; the first of equals."""
    plant = site.world.plants[engagement.plant]
    ways = [
        _way(site, engagement, applied, machines, least)
        for machines in stages(plant, engagement, site.world.setting.staged)
    ]
    return min(ways, key=lambda way: way.share)


def stages(plant: Plant, engagement: Engagement, staged: bool) -> list[tuple[str, ...]]:  # noqa: FBT001 - of a setting
    """Return the machines that each way begins with: all, and the worst half where enough of the hall is left."""
    found = [engagement.machines]
    tools = [tool for tool in plant.tools if tool.id in engagement.machines]
    process = Counter(tool.process for tool in tools).most_common(1)[0][0]
    alike = [tool for tool in tools if tool.process == process]
    beside = sum(tool.process == process for tool in plant.tools) - len(alike)
    first = min(len(alike) // 2, len(alike) + beside - BESIDE)
    if staged and len(tools) > 1 and first >= 1:
        buckets = [BUCKETS.index(bucket) for bucket in sorted({bucket for _, bucket in engagement.places})]
        worst = sorted(alike, key=lambda tool: (-sum(tool.base[at] for at in buckets), tool.id))
        found.append(tuple(sorted(tool.id for tool in worst[:first])))
    return found


def _way(site: Site, engagement: Engagement, applied: date, machines: Sequence[str], least: float) -> Way:
    world, number = site.world, engagement.plant
    baseline = Window(*engagement.baseline)
    until = world.setting.at(baseline.last) + 1
    buckets = sorted({bucket for _, bucket in engagement.places})
    treated = [world.series(number, machine, buckets, until) for machine in machines]
    levels = [one for one in (level_of(one, baseline) for one in treated) if one is not None]
    level = float(np.mean(levels)) if levels and len(levels) == len(treated) else None
    choice = Choice((), "none", {})
    if level is not None and world.setting.beside:
        choice = candidates_for(site, engagement, treated, baseline, level)
    plan = draft(
        project=engagement.id,
        metric="lost:" + "+".join(buckets),
        unit="1",
        sign=-1,
        treated=[one.machine for one in treated],
        choice=choice,
        applied=applied,
        frozen=baseline.last + DAY,
        baseline=engagement.baseline,
        installed=engagement.installed,
        days_after=AFTER,
        extension_days=EXTENSION,
        least=max(1e-4, least * (level or 0.0)),
    )
    return Way(plan, level, provable(site, plan, buckets, until))


def provable(site: Site, plan: Plan, buckets: Sequence[str], until: int) -> float | None:
    """Return the smallest change that a plan shows in four of five cases, from its controls' past."""
    if plan.over == "none":
        return None
    machines = [of(site.world, name, buckets, until) for name in plan.controls]
    if plan.over == "sites":
        first = {one.site: one for one in reversed(machines)}
        machines = [one for one in machines if first[one.site] is one]
    if len(machines) < BESIDE - 1:
        return None
    changes = pretended(machines, plan)
    if not len(changes):
        return None
    m = changes.shape[1]
    spread = float(np.sqrt(changes.var(axis=1, ddof=1).mean() * (1 + 1 / m)))
    return spread * float(stdtrit(m - 1, 1 - ALPHAS[0] / 2) + ndtri(POWER))
