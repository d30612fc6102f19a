"""Days of machines: the world without any project, and with the projects that there are.

    share_b(d) = base_b exp(r x_b(d) + l s(d) + t d - ...)     of planned time, of each bucket b and day d

    x   AR(1) of the machine and bucket, memory 0.3 to 0.7, r 0.15 to 0.25: its own unrest
    s   AR(1) of the site, memory 0.97 a day: what meets a whole hall, and brings factories to ask for help
    l   loading of each machine, about 1 with sd 0.3: shocks meet machines unevenly
    t   its own drift, sd 1.5 % of the loss a month

A project takes a share of the expected loss away, so the day's share is multiplied by (1 - gain): the noise of a
day is the same in both worlds, and their difference is the project's effect, exactly.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from techsquare.diagnosis.terms import MachineDay
from techsquare.simulation.seeds import generator
from techsquare.simulation.terms import BUCKETS, MONTH_DAYS
from techsquare.verdict.terms import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from techsquare.simulation.terms import Plant, Setting, Tool

    Floats = NDArray[np.float64]

SITE_MEMORY, SITE_SD = 0.97, 0.08
FULL = 0.95
"""Losses never take more than this of a planned day."""
KEPT = 400
"""Factories whose days are held in memory; the others are made again when they are asked for."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Effect:
    """A share of a bucket's loss that is away from a day on, and half of which is back from another one on."""

    bucket: str
    since: int
    gain: float
    fades_on: int | None


def kept(effect: Effect, days: int) -> Floats:
    """Return what share of the bucket an effect leaves on each day."""
    found = np.ones(days)
    found[effect.since :] = 1 - effect.gain
    if effect.fades_on is not None:
        found[effect.fades_on :] = 1 - effect.gain / 2
    return found


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a factory without any project: shares (machine, bucket, day), planned seconds and coverage."""

    shares: Floats
    planned: Floats
    coverage: Floats


class World:
    """All factories' days, with and without projects.

    Args:
        setting: Of the programme.
        plants: Of the programme, by number.
    """

    def __init__(self, setting: Setting, plants: Sequence[Plant]) -> None:
        self.setting, self.plants = setting, plants
        self._days: OrderedDict[int, Days] = OrderedDict()
        self._effects: dict[tuple[int, str], list[Effect]] = {}
        self.calendar = [setting.origin + timedelta(days=at) for at in range(setting.days)]

    def days(self, number: int) -> Days:
        """Return the days of a factory as they would be without any project."""
        found = self._days.get(number)
        if found is None:
            found = self._days[number] = made(self.setting, self.plants[number])
            if len(self._days) > KEPT:
                self._days.popitem(last=False)
        self._days.move_to_end(number)
        return found

    def change(self, number: int, machine: str, effects: Iterable[Effect]) -> None:
        """Let projects change a machine from their days on."""
        self._effects.setdefault((number, machine), []).extend(effects)

    def shares(self, number: int, machine: str) -> Floats:
        """Return the shares (bucket, day) of a machine with all projects."""
        plant = self.plants[number]
        at = next(i for i, tool in enumerate(plant.tools) if tool.id == machine)
        found: Floats = self.days(number).shares[at].copy()
        for effect in self._effects.get((number, machine), ()):
            found[BUCKETS.index(effect.bucket)] *= kept(effect, found.shape[1])
        return found

    def series(self, number: int, machine: str, buckets: Iterable[str], until: int | None = None) -> Series:
        """Return a machine's days of the sum of some buckets, before a day; none where nobody measures."""
        plant = self.plants[number]
        stop = self.setting.days if until is None else max(0, min(until, self.setting.days))
        if not plant.wired:
            stop = 0
        at = next(i for i, tool in enumerate(plant.tools) if tool.id == machine)
        days = self.days(number)
        rows = [BUCKETS.index(bucket) for bucket in sorted(set(buckets))]
        planned = days.planned[at, :stop]
        return Series(
            machine=f"{plant.id}/{machine}",
            site=plant.id,
            days=self.calendar[:stop],
            num=self.shares(number, machine)[rows, :stop].sum(axis=0) * planned,
            den=planned,
            coverage=days.coverage[at, :stop],
        )

    def machine_days(self, number: int, first: int, last: int) -> Iterator[MachineDay]:
        """Yield a factory's machine-days from one day to another, both included, as its agent would tell them."""
        plant, days = self.plants[number], self.days(number)
        for at, tool in enumerate(plant.tools):
            shares = self.shares(number, tool.id)
            for day in range(first, last + 1):
                if days.planned[at, day] > 0:
                    elements = dict(zip(BUCKETS, shares[:, day].tolist(), strict=True))
                    yield _machine_day(
                        tool, self, day, elements, float(days.planned[at, day]), float(days.coverage[at, day])
                    )


def made(setting: Setting, plant: Plant) -> Days:
    """Return the days of a factory, from its own generator."""
    rng = generator(setting.seed, "days", plant.number)
    count, length = len(plant.tools), setting.days
    site = _ar(rng, SITE_MEMORY, (length,)) * SITE_SD
    months = (np.arange(length) - length / 2) / MONTH_DAYS
    weekday = (np.arange(length) + setting.origin.weekday()) % 7
    shares = np.empty((count, len(BUCKETS), length))
    planned = np.empty((count, length))
    for at, tool in enumerate(plant.tools):
        own = _ar(rng, tool.memory, (len(BUCKETS), length)) * tool.restless
        moves = own + tool.loading * site + tool.drift * months
        centre = (tool.restless**2 + (tool.loading * SITE_SD) ** 2) / 2
        shares[at] = np.array(tool.base)[:, None] * np.exp(moves - centre)
        planned[at] = np.where(weekday < tool.days_a_week, tool.hours * HOUR_S, 0.0)
    shares /= np.maximum(1.0, shares.sum(axis=1, keepdims=True) / FULL)
    holiday = rng.random(length) < 0.03
    planned[:, holiday] = 0.0
    coverage = np.clip(1 - rng.exponential(0.015, (count, length)), 0, 1)
    coverage[:, rng.random(length) < 0.01] = 0.3  # a day on which the agent was away
    return Days(shares, planned, coverage)


def badness(setting: Setting, plant: Plant) -> Floats:
    """Return how bad each month of the programme began, in sds: the loss of the thirty days before it."""
    days = made(setting, plant)
    lost = days.shares.sum(axis=1).mean(axis=0)
    first = setting.at(setting.begins)
    means = np.array(
        [lost[first + MONTH_DAYS * (m - 1) : first + MONTH_DAYS * m].mean() for m in range(setting.months)]
    )
    spread = float(np.std(lost)) or 1.0
    return np.asarray((means - float(lost.mean())) / spread)


def _ar(rng: np.random.Generator, memory: float, shape: tuple[int, ...]) -> Floats:
    """Return AR(1) along the last axis with variance 1 from its first day on."""
    noise = rng.standard_normal(shape)
    noise[..., 1:] *= np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=-1))


def _machine_day(
    tool: Tool, world: World, day: int, shares: Mapping[str, float], planned: float, coverage: float
) -> MachineDay:
    """Return a day as a record tells it: of the known part of planned time, in seconds."""
    known = planned * coverage
    good = 1 - sum(shares.values())
    ideal = known * (good + shares["scrap"])
    production = known * (good + shares["scrap"] + shares["speed"])
    return MachineDay(
        machine=tool.id,
        day=world.calendar[day],
        planned_s=planned,
        known_s=known,
        production_s=production,
        setup_s=known * shares["setup"],
        fault_s=known * shares["fault"],
        standby_s=known * shares["standby"],
        off_s=known * shares["off"],
        ideal_s=ideal,
        priced_s=production,
        good_s=known * good,
        checked_s=ideal,
        pieces=float(round(ideal / tool.cycle_s)),
    )
