"""C04 Self-description."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from readiness.indicators.base import Census, Missing
from readiness.indicators.c04 import INDICATOR
from readiness.plant import Meaning
from tests.readiness.indicators.made import days, device, outcome
from tests.readiness.plant import signal, source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from readiness.plant import Plant

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
    def about(plant: Plant) -> Plant:
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
