"""From a world to a report, through the real analyzers and formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.analyzers.evidence import make
from readiness.inventory import Machine
from readiness.plant import configured as plant_of
from readiness.report import Assessment, assess
from readiness.schedule import Calendar
from tests.readiness.plant import SITE, model
from tests.validity.world import SECOND, World, observe

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from agent.frame import Item, Source
    from contract.report import Value

    Change = Callable[[list[list[Item]]], list[list[Item]]]


def calendar(world: World) -> Calendar:
    """Return the site's calendar in the product's own type."""
    plan = world.plan
    return Calendar(plan.zone, plan.day_start, plan.planned, plan.holidays)


def days(
    world: World,
    sources: Sequence[Source],
    change: Change = lambda hours: hours,
    kills: random.Random | None = None,
) -> dict[str, bytes]:
    """Return the closed days.

    Args:
        world: What happened.
        sources: The configuration at the end.
        change: Alters what the agent committed, hour by hour.
        kills: Draws hours in which the process dies since its last checkpoint and replays what it had committed.
    """
    evidence, found = make(sources, calendar(world)), dict[str, bytes]()
    state, since = evidence.state(), list[list["Item"]]()
    for hour in change(list(observe(world))):
        evidence.feed(hour)
        since.append(hour)
        if kills is not None and kills.random() < 0.1:
            evidence = make(sources, calendar(world), state)
            for again in since:
                evidence.feed(again)
        if kills is None or kills.random() < 0.2:
            found.update(evidence.take_closed())
            if kills is not None:
                state, since = evidence.state(), []
    found.update(evidence.take_closed())
    return found


def report(
    world: World,
    evidence: Mapping[str, bytes],
    sources: Sequence[Source] | None = None,
    inventory: Sequence[Machine] | None = None,
    tallies: Mapping[tuple[str, str], Mapping[int, int]] | None = None,
) -> Assessment:
    """Return what readiness says at the world's end."""
    configured = tuple(d.source for d in world.devices) if sources is None else sources
    machines = dict.fromkeys(s.machine for source in configured for s in source.signals)
    declared = [Machine(m, m) for m in machines] if inventory is None else inventory
    now = (world.start_s + world.length) * SECOND
    plant = plant_of(configured, declared)
    return assess(evidence, tallies or {}, configured, plant, calendar(world), now, model(), SITE)


def values(assessment: Assessment) -> dict[str | None, dict[str, Value]]:
    """Return machine (None for the plant) -> metric -> value."""
    plant = assessment.plant()
    found: dict[str | None, dict[str, Value]] = {None: {v.metric: v for v in plant.values}}
    for declared in plant.machines:
        one = assessment.machine(declared.id)
        assert one is not None
        found[declared.id] = {v.metric: v for v in one.values}
    return found
