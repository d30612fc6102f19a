"""Comparison machines of the simulated world: what the platform knows of changes, which machines serve.

What a machine is changed by, and when, is known as far as it is a project of the platform (`Site.touched`); that a
gain fades is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.verdict.controls import Candidate, Choice, choose
from techsquare.verdict.phases import Window, counting, ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from techsquare.simulation.plants import World
    from techsquare.simulation.terms import Engagement, Plant
    from techsquare.verdict.terms import Series

AFTER, EXTENSION = 60, 30
"""Days that a verdict looks at, and that an extension adds."""
OTHER_SITES = 24
"""Factories with the same process that are asked for comparison machines, where the own site has too few."""
CLOSE = 0.35
"""How far apart levels may be, as a share of the treated machines' own."""


@dataclass(slots=True)
class Site:
    """What the platform knows of changes: (factory, machine) -> project -> day of its installation there."""

    world: World
    changes: dict[tuple[int, str], dict[str, date]]
    by_process: Mapping[str, Sequence[int]]
    """Process -> measured factories with it, by number."""

    def touched(self, number: int, machine: str, first: date, last: date, but: str = "") -> bool:
        """Return whether a project (another one than `but`) changes a machine on one of some days."""
        found = self.changes.get((number, machine), {})
        return any(first <= day <= last for name, day in found.items() if name != but)

    def plan(self, engagement: Engagement, machines: Iterable[str], day: date) -> None:
        """Keep that a project will change machines on a day."""
        for machine in machines:
            self.changes.setdefault((engagement.plant, machine), {})[engagement.id] = day

    def forget(self, engagement: Engagement, machines: Iterable[str]) -> None:
        """Keep that a project will not change machines after all: they may serve others."""
        for machine in machines:
            self.changes.get((engagement.plant, machine), {}).pop(engagement.id, None)


def candidates_for(
    site: Site, engagement: Engagement, treated: Sequence[Series], baseline: Window, level: float
) -> Choice:
    """Choose comparison machines: on the own site, and only where those are too few on others as well."""
    last = engagement.installed + timedelta(days=AFTER + EXTENSION + 16)
    process, own = engagement.item.process, site.world.plants[engagement.plant]
    here = list(_candidates(site, own, engagement, baseline.first, last))
    found = choose(treated, process, here, baseline, CLOSE * level)
    if found.over == "site":
        return found
    others = site.by_process.get(process, ())
    at = int(np.searchsorted(np.array(others, np.int64), engagement.plant)) if others else 0
    near = [others[(at + step) % len(others)] for step in range(min(OTHER_SITES + 1, len(others)))]
    for number in near:
        if number != engagement.plant:
            here += _candidates(site, site.world.plants[number], engagement, baseline.first, last)
    return choose(treated, process, here, baseline, CLOSE * level)


def _candidates(site: Site, plant: Plant, engagement: Engagement, first: date, last: date) -> Iterable[Candidate]:
    buckets = sorted({bucket for _, bucket in engagement.places})
    until = site.world.setting.at(engagement.baseline[1]) + 1
    for tool in plant.tools:
        if tool.process == engagement.item.process:
            series = site.world.series(plant.number, tool.id, buckets, until)
            yield Candidate(series, tool.process, site.touched(plant.number, tool.id, first, last, engagement.id))


def changed(site: Site, one: Series, first: date, last: date) -> bool:
    """Return whether a project changes the machine of a series on one of some days."""
    factory, _, machine = one.machine.partition("/")
    return site.touched(number_of(factory), machine, first, last)


def of(world: World, name: str, buckets: Iterable[str], until: int) -> Series:
    """Return the days of a machine by its name (factory/machine), of the sum of some buckets, before a day."""
    factory, _, machine = name.partition("/")
    return world.series(number_of(factory), machine, buckets, until)


def number_of(factory: str) -> int:
    """Return the number of a factory by its id."""
    return int(factory[1:])


def level_of(one: Series, window: Window) -> float | None:
    """Return the level of a series in a window; None without a day that counts."""
    mask = counting(one, window)
    return ratio(one.num[mask], one.den[mask]) if mask.any() else None
