"""Q09 Semantic richness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.analyzers.connection import Connections
from agent.frame import Facts
from readiness.indicators.q09 import worths
from readiness.inventory import Machine
from readiness.plant import Meaning
from readiness.plant import Plant as Said
from readiness.view import View
from tests.readiness.indicators.support import values
from tests.readiness.plant import START, Plant, model, signal, source

if TYPE_CHECKING:
    from agent.frame import Json


FULL: dict[str, object] = {"unit": "A", "description": "주 모터 상전류", "eu_range": (0.0, 30.0), "path": None}


PRESS_HALL = (Machine("press", "press", 1.0, "hanil/main/press"),)


def richness(inventory: tuple[Machine, ...] = PRESS_HALL, about: dict[str, object] | None = None) -> float:
    plant = Plant([source("press", [signal("press", 0, **{**FULL, **(about or {})})])], inventory, days=1)
    value = values(plant)["Q09"].value
    assert value is not None
    return value


def test_everything_mapped_by_a_person_is_worth_0_8() -> None:
    assert richness() == pytest.approx(0.8)


@pytest.mark.parametrize("text", [None, "", "tag", "Tag 12", "s0", "TBD", "없음", "---", "태그"])
def test_filler_is_no_description(text: str | None) -> None:
    assert richness(about={"description": text}) == pytest.approx(0.8 * 5 / 6, abs=1e-6)


def test_the_same_description_on_two_signals_describes_neither() -> None:
    pair = [signal("press", n, **FULL) for n in (0, 1)]
    inventory = [Machine("press", "press", 1.0, "hanil/main/press")]
    found = values(Plant([source("press", pair)], inventory, days=1))["Q09"].value
    assert found == pytest.approx(0.8 * 5 / 6, abs=1e-6)


@pytest.mark.parametrize(
    ("about", "lost"),
    [({"unit": "furlong"}, 1), ({"unit": None}, 1), ({"eu_range": None}, 1), ({"role_confirmed": False}, 1)],
)
def test_what_does_not_hold_earns_nothing(about: dict[str, object], lost: int) -> None:
    assert richness(about=about) == pytest.approx(0.8 * (6 - lost) / 6, abs=1e-6)


def test_a_path_shared_by_two_machines_names_neither() -> None:
    shared = (Machine("press", "press", 1.0, "hanil/main"), Machine("lathe", "lathe", 1.0, "hanil/main"))
    assert richness(inventory=shared) == pytest.approx(0.8 * 5 / 6, abs=1e-6)


def test_units_and_ranges_are_not_asked_of_signals_that_have_none() -> None:
    assert richness(about={"role": "state", "unit": None, "eu_range": None}) == pytest.approx(0.8)


def test_a_guessed_role_excuses_no_signal_from_unit_and_range() -> None:
    bare: dict[str, object] = {"unit": None, "eu_range": None, "role_confirmed": False}
    assert richness(about={"role": "state", **bare}) == richness(about={"role": None, **bare})


def test_what_people_answered_later_counts_like_what_they_configured() -> None:
    bare = {"role": None, "role_confirmed": False, "eu_range": None}
    plant = Plant([source("press", [signal("press", 0, **{**FULL, **bare})])], PRESS_HALL, days=1)

    def worth(**said: object) -> float:
        view = View(
            days=[], tallies={}, catalog=plant.sources, calendar=plant.calendar, now_ns=plant.end, model=model(),
            plant=Said(machines=PRESS_HALL, meanings={"press/s0": Meaning(**said)}),  # type: ignore[arg-type]
        )  # fmt: skip
        return worths(view, "press")[0]

    nothing = worth()
    assert worth(origin="guess", role="state") == nothing  # a guess excuses from nothing
    assert worth(role="pv") == pytest.approx(nothing + 0.8 / 6)
    assert worth(role="pv", origin="native") == pytest.approx(nothing + 1.0 / 6)
    assert worth(limits=(0.0, 5.0)) == pytest.approx(nothing + 0.8 / 6)


def test_what_the_device_declares_itself_is_worth_more() -> None:
    plant = Plant(
        [source("press", [signal("press", 0, **FULL)], protocol="opcua")],
        [Machine("press", "press", 1.0, "a/b")],
        days=1,
    )
    mapped = values(plant)["Q09"].value
    declared: dict[str, Json] = {
        "source": "press-plc.main",
        "signals": {"s0": {"unit": "A", "range": [0, 30], "description": "current", "display_name": "I"}},
    }
    plant.items = [Facts(kind="catalog", time_ns=START, subject="press-plc", body=declared)]
    native = values(plant)["Q09"].value
    assert mapped == pytest.approx((1.0 + 5 * 0.8) / 6, abs=1e-6)
    assert native == pytest.approx((1.0 * 4 + 2 * 0.8) / 6, abs=1e-6)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"unit": "A", "range": [0, 30], "description": "motor current"}, ["description", "unit", "range"]),
        ({"unit": "A", "range": [0.0, 0.0], "description": "motor current"}, ["description", "unit"]),
        ({"range": [-3.4e38, 3.4e38]}, []),
        ({"range": [5, -5]}, []),
        ({"range": [float("nan"), 1.0]}, []),
        ({"unit": " - ", "description": "DB10.W4"}, []),
        ({"description": "I_1 "}, []),
        ({"description": "tag value"}, []),
    ],
)
def test_a_server_that_fills_in_defaults_declares_nothing(said: dict[str, Json], told: list[str]) -> None:
    connections = Connections()
    body: dict[str, Json] = {"source": "s", "signals": {"s0": {**said, "display_name": "I_1"}}}
    connections.facts(Facts(kind="catalog", time_ns=1, subject="plc", body=body))
    assert connections.native(2).get("s/s0", []) == told
