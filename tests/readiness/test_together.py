"""The evidence of several agents as that of one factory: what one says never touches what another one saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from agent.frame import Event, gap_event
from readiness import together
from readiness.evidence import EVERYTHING, DayEvidence, dump, load
from readiness.indicators import REGISTRY
from readiness.inventory import Machine
from readiness.plant import configured
from readiness.report import assess
from tests.readiness.plant import CALENDAR, SITE, Plant, model, planned, source

if TYPE_CHECKING:
    from agent.frame import Source

DAYS = 14


def named(machine: str) -> Source:
    """Return a source that has the same id at every agent."""
    of = source(machine)
    return type(of)(
        id="plc.main",
        device="plc",
        protocol=of.protocol,
        mode=of.mode,
        interval_ns=of.interval_ns,
        signals=of.signals,
    )


def off(day: int) -> Event:
    """Return that an agent did not run for two hours."""
    return gap_event(f"g{day}", "agent_off", None, planned(day, 4), planned(day, 2), planned(day, 4))


ONE = Plant((named("press-1"),), days=DAYS, items=[off(2), off(9)])
TWO = Plant((named("lathe"), source("oven")), days=DAYS)


def both(left_out: frozenset[str] = frozenset()) -> dict[str, bytes]:
    first, second = ONE.evidence(), TWO.evidence()
    return {
        day: dump(together.together({"": load(first[day]), "edge-2": load(second[day])}, left_out)) for day in first
    }


def test_each_machine_has_the_values_that_it_has_alone() -> None:
    catalog = [*together.catalog("", ONE.sources, ()), *together.catalog("edge-2", TWO.sources, ())]
    assert [link.id for link in catalog] == ["plc.main", "edge-2:plc.main", "edge-2:oven-plc.main"]
    inventory = together.inventory({"": ONE.inventory, "edge-2": TWO.inventory})
    whole = assess(both(), {}, catalog, configured(catalog, inventory), CALENDAR, ONE.end, model(), SITE)
    compared = 0
    for alone, plant in ((ONE.assess(), ONE), (TWO.assess(), TWO)):
        for machine in plant.inventory:
            for metric, indicator in REGISTRY.items():
                if indicator.scope == "machine":
                    mine, own = whole.value(metric, machine.id), alone.value(metric, machine.id)
                    assert (metric, mine.value, mine.n, mine.reason) == (metric, own.value, own.n, own.reason)
                    compared += mine.value is not None
    assert compared > 20


def test_what_stops_one_agent_censors_its_own_sources_only() -> None:
    merged = load(both()[sorted(ONE.evidence())[2]])
    alone = load(ONE.evidence()[merged.day])
    assert set(alone.censored["agent_off"]) == {EVERYTHING}
    assert merged.censored["agent_off"] == {"plc.main": alone.censored["agent_off"][EVERYTHING]}


def test_a_contested_machine_is_left_out_of_evidence_and_catalog() -> None:
    assert together.contested({"b": ["x", "y"], "a": ["y", "y", "z"]}) == {"y": ["a", "b"]}
    merged = load(both(frozenset({"lathe"}))[min(ONE.evidence())])
    names = {name.split("/")[0] for part in merged.sources for name in part.signals}
    assert names == {"press-1", "oven"}
    assert [tag.machine for link in together.catalog("", TWO.sources, {"lathe"}) for tag in link.signals] == [
        "oven"
    ] * 2
    assert together.inventory({"": [Machine("x", "one")], "b": [Machine("x", "two")]}) == [Machine("x", "one")]


def test_days_that_begin_at_different_hours_are_not_put_together() -> None:
    day: DayEvidence = load(ONE.evidence()[min(ONE.evidence())])
    with pytest.raises(ValueError, match="different moments"):
        together.together({"": day, "b": msgspec.structs.replace(day, start="0")}, ())
    with pytest.raises(ValueError, match="different moments"):
        together.together({}, ())
