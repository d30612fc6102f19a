"""What a factory is offered, and that a roadmap can be made of it."""

from __future__ import annotations

import datetime as dt

import pytest

from techsquare.catalogue.load import load
from techsquare.catalogue.offer import PLANT, Factory, Machine, capabilities, offer, programmes, share
from techsquare.matching.terms import Property
from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.terms import Means
from techsquare.span import Span

CATALOGUE = load()
BY_ID = {entry.id: entry for entry in CATALOGUE.entries}
PRESS = Machine("press-1", "프레스 1호기", "press", frozenset({"xgt"}))
LATHE = Machine("lathe-1", "선반 1호기", "machining")
AIR = Machine("air-1", "컴프레서", "compressor", frozenset({"modbus-rtu"}))
LOSSES = {
    ("press-1", "setup"): Span(20e6, 40e6),
    ("press-1", "standby"): Span(8e6, 15e6),
    ("lathe-1", "fault"): Span(5e6, 30e6),
    ("air-1", "energy"): Span(25e6, 30e6),
}


def ids(factory: Factory, most: int = 30) -> set[str]:
    return {measure.id for measure in offer(CATALOGUE.entries, factory, most)}


def test_only_what_takes_away_a_loss_that_is_there_and_what_it_needs() -> None:
    found = ids(Factory([PRESS, LATHE, AIR], LOSSES))
    assert {"smed@press-1", "pm-plan@lathe-1", "air-leaks@air-1", "andon", "mes-light"} <= found
    assert not {"smed@lathe-1", "tool-life@press-1", "air-leaks@press-1", "scrap-pareto@press-1"} & found
    assert {"plc-link@press-1", "retrofit-state@lathe-1", "plant-network", "power-meters@air-1"} <= found
    assert ids(Factory([PRESS], {})) == set()


def test_data_is_taken_from_the_first_that_fits_the_machine() -> None:
    by_id = {m.id: m for m in offer(CATALOGUE.entries, Factory([PRESS, LATHE], LOSSES))}
    assert by_id["smed@press-1"].needs == {"plc-link@press-1"} == by_id["smed@press-1"].together
    assert by_id["pm-plan@lathe-1"].needs == {"retrofit-state@lathe-1"}
    assert by_id["plc-link@press-1"].data
    assert by_id["plc-link@press-1"].gain == {}
    assert by_id["retrofit-state@lathe-1"].excludes == {"plc-link@lathe-1"}


def test_what_is_measured_already_needs_nothing() -> None:
    seen = {("press-1", "V01"): 1.0, (PLANT, "C03"): 0.99}
    by_id = {m.id: m for m in offer(CATALOGUE.entries, Factory([PRESS, LATHE], LOSSES, seen))}
    assert by_id["smed@press-1"].needs == frozenset()
    assert by_id["retrofit-state@lathe-1"].needs == frozenset()
    low = Factory([PRESS], LOSSES, {("press-1", "V01"): 0.0}, frozenset({"plc-link@press-1"}))
    again = {m.id: m for m in offer(CATALOGUE.entries, low)}
    assert again["smed@press-1"].needs == {"retrofit-state@press-1"}
    soon = {m.id: m for m in offer(CATALOGUE.entries, Factory([PRESS], LOSSES, {}, low.standing))}
    assert soon["smed@press-1"].needs == {"plc-link@press-1"}


def test_a_system_for_the_plant_saves_only_what_it_can_see() -> None:
    losses = {("press-1", "standby"): Span(8e6, 8e6), ("lathe-1", "standby"): Span(9e6, 9e6)}
    blind = {m.id: m for m in offer(CATALOGUE.entries, Factory([PRESS, LATHE], losses))}
    assert set(blind["andon"].gain) == {("lathe-1", "standby")}
    assert blind["andon"].needs == {"retrofit-state@lathe-1"}
    seen = Factory([PRESS, LATHE], losses, {("press-1", "V01"): 1.0})
    assert set({m.id: m for m in offer(CATALOGUE.entries, seen)}["andon"].gain) == {("press-1", "standby")}


def test_a_gain_is_its_interval_or_what_outcomes_say() -> None:
    prior = BY_ID["smed"].gains[0]
    assert share(prior) == pytest.approx((0.3 - 1.645 * 0.12, 0.3 + 1.645 * 0.12))
    wide = prior.model_copy(update={"sd": 0.3})
    assert share(wide) == pytest.approx((0.0, 0.6))
    place = ("press-1", "setup")
    learned = Factory([PRESS], LOSSES, gains={("smed", "setup"): Span(0.05, 0.15)}, provable={place: 0.12})
    by_id = {m.id: m for m in offer(CATALOGUE.entries, learned)}
    assert by_id["smed@press-1"].gain == {place: Span(0.05, 0.15)}
    assert by_id["smed@press-1"].provable is False
    assert by_id["quick-clamps@press-1"].provable is True
    assert by_id["plc-link@press-1"].provable is None
    assert by_id["smed@press-1"].title["ko"] == "준비교체 단축(SMED) (프레스 1호기)"
    assert "IJIEM" in by_id["smed@press-1"].source


def test_so_many_and_what_they_need() -> None:
    everything, few = ids(Factory([PRESS, LATHE, AIR], LOSSES)), ids(Factory([PRESS, LATHE, AIR], LOSSES), 2)
    assert few < everything
    assert {"smed@press-1", "quick-clamps@press-1", "plc-link@press-1", "plant-network"} == few


def test_the_order_of_machines_changes_nothing() -> None:
    one = offer(CATALOGUE.entries, Factory([PRESS, LATHE, AIR], LOSSES))
    other = offer(CATALOGUE.entries, Factory([AIR, LATHE, PRESS], dict(reversed(LOSSES.items()))))
    assert one == other


def test_capabilities_are_what_matching_asks_for() -> None:
    assert capabilities(BY_ID["robot-tending"]) == {"machine-tending": {"payload-kg": Property(low=3)}}
    assert capabilities(BY_ID["andon"]) == {"andon": {}}


def test_a_roadmap_is_made_of_what_is_offered() -> None:
    factory = Factory([PRESS, LATHE, AIR], LOSSES)
    means = Means(
        cash=(6_000_000, 10_000_000, 20_000_000), staff_days=(30, 60, 60), support=(10**7, 5 * 10**7, 10**8)
    )
    measures = offer(CATALOGUE.entries, factory)
    found = roadmap(measures, LOSSES, means, programmes(CATALOGUE.programmes), dt.date(2027, 1, 4), reasons=False)
    assert found.value > 0
    assert found.proven_optimal
    chosen = {c.measure for c in found.chosen}
    for measure in measures:
        if measure.id in chosen:
            assert measure.needs <= chosen
    assert any(c.programme for c in found.chosen)
    assert any(measure.data for measure in measures if measure.id in chosen)
