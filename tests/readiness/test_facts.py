"""Facts beside indicators, from readings through the analyzers and from outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.frame import DataType, Status
from readiness import facts
from readiness.indicators import REGISTRY
from readiness.indicators.base import Census, Given, Missing, Outcome
from readiness.inventory import Machine
from readiness.plant import About, Installed, configured
from readiness.report import assess
from tests.readiness.indicators.support import failing
from tests.readiness.plant import CALENDAR, SITE, Plant, model, signal, source

if TYPE_CHECKING:
    from readiness.view import View

MACHINES = [Machine("press", "press", 3.0), Machine("lathe", "lathe", 1.0)]
PRESS = source("press", [signal("press", k) for k in range(4)])
GUESSED = source("lathe", [signal("lathe", k, role_confirmed=False, dtype=DataType.FLOAT32) for k in range(4)])
PLANT = Plant(
    [PRESS, GUESSED], MACHINES, days=14, status=failing(Status.BAD_NO_COMMUNICATION, 24, range(14), signal_=3)
)
EVIDENCE = PLANT.evidence()


def view(**said: object) -> View:
    plant = replace(configured(PLANT.sources, MACHINES), **said)  # type: ignore[arg-type]
    return assess(EVIDENCE, {}, PLANT.sources, plant, CALENDAR, PLANT.end, model(), SITE).view


def number(name: str, machine: str, **said: object) -> float | str | None:
    found = facts.of_machine(view(**said), machine, "0" * 16)[name]
    return found.reason if found.value is None else found.value


def test_process_values_live_that_are_read_on_most_days_and_confirmed() -> None:
    assert number("live_pv", "press") == 3  # the fourth never answers
    assert number("live_pv", "lathe") == "NA_ROLE_UNCONFIRMED"


@pytest.mark.parametrize(("said", "expected"), [("yes", 1.0), ("no", 0.0), ("unknown", "NA_NO_EVIDENCE")])
def test_that_a_model_acts_is_only_what_a_person_says(said: str, expected: float | str) -> None:
    about = {"press": About(model_acts=said)}  # type: ignore[arg-type]
    assert number("model_acts", "press", about=about) == expected


def plant_fact(name: str, found: dict[str, dict[str, Outcome]], **said: object) -> float | str | None:
    def outcomes(metric: str) -> dict[str, Outcome]:
        assert metric in REGISTRY
        return found.get(metric, dict.fromkeys(("press", "lathe"), Missing("NA_NO_EVIDENCE")))

    made = facts.of_plant(view(**said), outcomes, "0" * 16)
    assert set(made) == set(facts.OF_PLANT)
    return made[name].reason if made[name].value is None else made[name].value


def test_what_machines_show_is_averaged_by_weight_over_those_that_show_it() -> None:
    rows: dict[str, dict[str, Outcome]] = {
        "U02": {
            "press": Census(9.0, 1, shown={"without_alarm": 2.0}),
            "lathe": Census(9.0, 1, shown={"without_alarm": 6.0}),
        },
        "V05": {
            "press": Given(0.9, 0.8, 1.0, 9, shown={"automatic": 0.6, "manual": 0.2}),
            "lathe": Missing("NOT_APPLICABLE"),
        },
        "R03": {
            "press": Given(0.9, 0.8, 1.0, 9, shown={"alarms": 4}),
            "lathe": Given(0.9, 0.8, 1.0, 9, shown={"alarms": 1}),
        },
    }
    assert plant_fact("hands", rows) == 3.0
    assert plant_fact("automatic_reasons", rows) == 0.75
    assert plant_fact("alarms", rows) == 5
    for name in ("hands", "automatic_reasons", "alarms"):
        assert plant_fact(name, {}) == "NA_NO_EVIDENCE"
    rows["V05"]["lathe"] = Missing("NA_SHORT_WINDOW")  # three quarters of the weight speak for no plant
    assert plant_fact("automatic_reasons", rows) == "NA_NO_EVIDENCE"
    rows["V05"]["press"] = Given(0.0, 0.0, 0.1, 9, shown={"automatic": 0.0, "manual": 0.0})
    assert plant_fact("automatic_reasons", rows) == "NA_NO_EVIDENCE"  # no reason was given at all


def test_what_people_say_of_the_plant() -> None:
    assert plant_fact("order_systems", {}) == "NA_NO_EVIDENCE"
    systems = (
        Installed(id="m", name="MES", kind="MES", points={}),
        Installed(id="h", name="H", kind="hmi", points={}),
    )
    assert plant_fact("order_systems", {}, systems=systems) == 1
    assert plant_fact("order_systems", {}, systems=systems[1:]) == 0
    assert plant_fact("onboardings", {}) == 0
    assert plant_fact("onboardings", {}, onboardings={"a": 3.0, "b": 2.0}) == 2


def test_no_state_signal_tells_nothing_of_executing() -> None:
    assert plant_fact("executing", {}) == "NA_NO_EVIDENCE"
