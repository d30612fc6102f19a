"""What one count of an energy meter is worth: by its unit, however it is written, or by a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent.frame import DataType, Source
from readiness.plant import kwh_per
from tests.answers.given import given, joined, tag

if TYPE_CHECKING:
    from readiness.plant import Meaning


@pytest.mark.parametrize(
    ("unit", "worth"),
    [
        (None, 1.0), ("", 1.0), ("kWh", 1.0), ("kW.h", 1.0), ("kW·h", 1.0), ("KWH", 1.0), ("kwh", 1.0),
        ("Wh", 1e-3), ("MWH", 1e3), ("Gwh", 1e6), ("MJ", 1 / 3.6), ("Mcal", 4.184 / 3.6), ("J", 1 / 3.6e6),
        ("kW", None), ("pulse", None), ("m3", None), ("kVAh", None), ("10kWh", None), ("개", None),
    ],
)  # fmt: skip
def test_a_unit_is_energy_however_it_is_written_or_none(unit: str | None, worth: float | None) -> None:
    assert kwh_per(unit) == (None if worth is None else pytest.approx(worth))


def meter(unit: str | None, *, sure: bool = True, **answered: Any) -> Meaning:
    """Return what a meter means whose unit is configured so."""
    signal = tag("press-1", "meter", DataType.INT32, "energy", unit=unit, role_confirmed=sure)
    catalog = [
        Source(id="plc.e", device="plc", protocol="modbus", mode="poll", interval_ns=10**9, signals=(signal,))
    ]
    sets = [given(signals=[{"id": "press-1/meter", **answered}])] if answered else []
    return joined(*sets, catalog=catalog).plant.meanings["press-1/meter"]


def test_a_meter_whose_unit_is_no_energy_waits_for_its_factor() -> None:
    assert (meter("MWH").factor, meter("MWH").origin) == (1000.0, "mentor")
    assert meter("pulse").origin == "guess"
    assert meter("pulse", meter="main").origin == "guess", "whose it is says nothing of how much it is"
    assert meter("pulse", role="energy").origin == "guess", "nor does its role"
    told = meter("pulse", factor=0.01)
    assert (told.factor, told.origin) == (0.01, "mentor")
    assert meter("pulse", sure=False, factor=0.01).origin == "guess", "nobody stands for the role"
    assert meter("pulse", sure=False, role="energy", factor=0.01).origin == "mentor"
