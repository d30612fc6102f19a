"""Machine-days of all measured factories into the registry, as far as the programme has come.

Marked in every row: `simulated` 1, and a head that begins with "simulated-" and is the hash of its own numbers.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from techsquare.registry.bulk import MachineDayRow, store_rows
from techsquare.services.series import UNSIGNED
from techsquare.simulation.advice import MEASURED
from techsquare.simulation.sink import boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from techsquare.diagnosis.terms import MachineDay
    from techsquare.registry.store import Registry
    from techsquare.simulation.plants import World
    from techsquare.simulation.terms import Plant

NUMBERS = (
    "production_s", "setup_s", "standby_s", "fault_s", "off_s", "ideal_s", "priced_s", "good_s", "checked_s",
    "pieces",
)  # fmt: skip
"""Fields of `MachineDay` that are columns of `metric_day`."""
SEEN = 0.95
"""What an agent's indicators say of a machine that it measures."""


class Days:
    """What has been stored already. Days are stored after everything that changes them has been installed.

    Args:
        registry: Where to.
        world: Days as they are, with all projects so far.
        first: The first day that is stored.
        used: Whether people look at what stands there: factory -> since when, and whether they do.
    """

    def __init__(
        self, registry: Registry, world: World, first: date, used: Mapping[str, tuple[date, bool]]
    ) -> None:
        self._registry, self._world, self._next, self._used = registry, world, first, used
        self.stored = 0

    def until(self, day: date) -> None:
        """Store the days before a day."""
        if day <= self._next:
            return
        rows = list(machine_days(self._world, self._next, day - timedelta(days=1), self._used))
        self._registry.load(lambda s: store_rows(s, rows))
        self.stored += len(rows)
        self._next = day


def machine_days(
    world: World, first: date, last: date, used: Mapping[str, tuple[date, bool]]
) -> Iterator[MachineDayRow]:  # fmt: skip
    """Yield the machine-days of all measured factories from one day to another."""
    from_, to = max(0, world.setting.at(first)), min(world.setting.at(last), world.setting.days - 1)
    for plant in world.plants:
        if plant.wired:
            for day in world.machine_days(plant.number, from_, to):
                yield _row(plant, day, used.get(plant.id))


def _row(plant: Plant, day: MachineDay, used: tuple[date, bool] | None) -> MachineDayRow:
    numbers = {name: getattr(day, name) for name in NUMBERS}
    text = f"{plant.id}:{day.machine}:{day.day.isoformat()}:{numbers!r}"
    assert day.good_s is not None
    metrics = {"OEE": [day.good_s, day.known_s], "A": [numbers["production_s"], day.known_s]}
    metrics |= {name: [SEEN, 1.0] for name in MEASURED}
    if used is not None and day.day > used[0]:
        metrics["L04"] = [1.0 if used[1] else 0.0, 1.0]
    return MachineDayRow(
        factory_id=plant.id,
        machine_id=day.machine,
        day=day.day,
        source="measured",
        head=UNSIGNED + hashlib.sha256(text.encode()).hexdigest(),
        planned_s=day.planned_s,
        known_s=day.known_s,
        **numbers,
        simulated=1.0,
        formulas=boxes.FORMULAS,
        metrics=metrics,
    )
