"""C04 Self-description."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.frame import Facts
from readiness.evidence import load
from readiness.indicators import c02
from readiness.indicators.base import Census, Missing
from readiness.indicators.c04 import INDICATOR
from readiness.plant import Meaning
from tests.readiness.indicators.made import days, device, outcome
from tests.readiness.plant import START, Plant, signal, source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.frame import Json
    from readiness.plant import Plant as People

UA = "http://opcfoundation.org/UA/"
FULL = ["description", "type", "name"]
BROWSED = source("press", [signal("press", n, found="browse") for n in range(4)], protocol="opcua")


def told(*words: list[str]) -> dict[str, list[str]]:
    return {f"press-plc.main/s{n}": said for n, said in enumerate(words)}


def share(native: Mapping[str, list[str]], of: object = BROWSED) -> Census:
    said = outcome(INDICATOR, [of], days([of], native=native))  # type: ignore[list-item]
    assert isinstance(said, Census)
    return said


def test_signals_that_the_device_names_and_types_describe_themselves() -> None:
    said = share(told(FULL, FULL, FULL, FULL))
    assert (said.value, said.n, said.flags) == (1.0, 4, ())


@pytest.mark.parametrize(
    ("words", "flag"),
    [(["name"], "NOT_CONFIRMED"), (["type"], "UNREADABLE_NAMES"), (["type", "unit", "range"], "UNREADABLE_NAMES")],
)
def test_a_name_like_an_address_or_a_node_without_a_type_describes_nothing(words: list[str], flag: str) -> None:
    said = share(told(FULL, FULL, FULL, words))
    assert (said.value, said.flags) == (0.75, (flag,))


def test_a_node_of_a_companion_specification_is_typed_whatever_it_is_called() -> None:
    assert share(told(FULL, FULL, FULL, ["type", "companion"])).value == 1.0


def test_what_the_file_says_of_browsing_is_no_proof() -> None:
    said = share(told(FULL, FULL))
    assert (said.value, said.flags) == (0.5, ("NOT_CONFIRMED",))


@pytest.mark.parametrize(("found", "flag"), [("manual", "TYPED_BY_HAND"), ("import", "NOT_BROWSED")])
def test_an_address_that_was_not_browsed_does_not_count(found: str, flag: str) -> None:
    tags = [signal("press", n, found="browse" if n else found) for n in range(4)]
    said = share(told(FULL, FULL, FULL, FULL), source("press", tags, protocol="opcua"))
    assert (said.value, said.flags) == (0.75, (flag,))


def test_of_modbus_nothing_is_the_truth() -> None:
    said = share({}, source("press", [signal("press", n, found="browse") for n in range(2)]))
    assert (said.value, said.n, said.flags) == (0.0, 2, ("NOT_BROWSABLE",))


def test_signals_that_nobody_uses_are_left_out_and_shown() -> None:
    def about(plant: People) -> People:
        return replace(plant, meanings={**plant.meanings, "press/s3": Meaning(role="pv", used=False)})

    said = outcome(INDICATOR, [BROWSED], days([BROWSED], native=told(FULL, FULL, FULL)), about)
    assert isinstance(said, Census)
    assert (said.value, said.shown["unused"]) == (1.0, 1)


def test_bursts_are_the_same_values_again() -> None:
    fast = device(BROWSED, "fast", mode="burst", signals=(signal("press", 9),))
    said = outcome(INDICATOR, [BROWSED, fast], days([BROWSED, fast], native=told(FULL, FULL, FULL, FULL)))
    assert isinstance(said, Census)
    assert said.value == 1.0


def test_a_device_that_was_never_asked_is_not_judged() -> None:
    assert outcome(INDICATOR, [BROWSED], days([BROWSED])) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [BROWSED], []) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [], []) == Missing("NA_NO_EVIDENCE")
    gauge = device(source("press", protocol="modbus"), "gauge", signals=(signal("press", 7),))
    said = outcome(INDICATOR, [BROWSED, gauge], days([BROWSED, gauge]))
    assert isinstance(said, Census)
    assert (said.value, said.quality, said.shown["silent"]) == (0.0, "partial", 4)


def test_what_the_device_tells_of_its_nodes_arrives_through_the_analyzers() -> None:
    said: dict[str, Json] = {
        "s0": {"display_name": "Spindle load", "data_type": "Float"},
        "s1": {"display_name": "DB10.W4", "data_type": "Int16"},
        "s2": {"display_name": "DB10.W6", "data_type": "Int16", "browse_namespace": f"{UA}MachineTool/"},
        "s3": {"display_name": "Spindle mode", "data_type": "i=3001", "described": False},
    }
    facts = Facts(
        kind="catalog", time_ns=START, subject="press-plc", body={"source": "press-plc.main", "signals": said}
    )
    days = [load(raw) for raw in Plant([BROWSED], days=1, items=[facts]).evidence().values()]
    found = outcome(INDICATOR, [BROWSED], days)
    assert isinstance(found, Census)
    assert (found.value, found.flags) == (0.5, ("NOT_CONFIRMED", "UNREADABLE_NAMES"))


def test_the_namespaces_of_a_session_arrive_through_the_analyzers() -> None:
    body: dict[str, Json] = {"protocol": "opcua", "namespaces": [UA, f"{UA}Machinery/", 7, "x" * 500]}
    facts = Facts(kind="connection", time_ns=START, subject="press-plc", body=body)
    (day,) = [load(raw) for raw in Plant([BROWSED], days=1, items=[facts]).evidence().values()]
    assert day.connections["press-plc"].namespaces == [UA, f"{UA}Machinery/", "x" * 200]
    found = outcome(c02.INDICATOR, [BROWSED], [day])
    assert isinstance(found, Census)
    assert (found.value, found.flags) == (85, ("MODEL_UNUSED",))
