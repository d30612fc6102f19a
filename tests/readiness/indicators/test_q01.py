"""Q01 Good-status share."""

from __future__ import annotations

import pytest

from agent.frame import Status
from tests.readiness.indicators.support import PRESS, failing, values
from tests.readiness.plant import Plant, source


def test_a_device_that_answers_with_errors_is_reachable_but_its_values_are_not_good() -> None:
    plant = Plant([PRESS], status=failing(Status.BAD_OUT_OF_RANGE, 1.2, range(28), signal_=0))
    found = values(plant)
    assert found["C03"].value == 1.0
    assert found["A01"].value == pytest.approx(0.95, abs=1e-3)
    assert found["Q01"].value == pytest.approx(0.95, abs=1e-3)


def test_uncertain_values_are_known_and_count_half_as_quality() -> None:
    found = values(Plant([PRESS], status=failing(Status.UNCERTAIN, 12, range(28), signal_=1)))
    assert found["A01"].value == 1.0
    assert found["Q01"].value == pytest.approx(0.75, abs=1e-3)


def test_modbus_quality_is_tagged_derived_and_that_of_opc_ua_measured() -> None:
    assert values(Plant([PRESS]))["Q01"].quality == "derived"
    opcua = source("press", protocol="opcua")
    assert values(Plant([opcua]))["Q01"].quality == "measured"
    both = Plant([PRESS, source("lathe", protocol="opcua")])
    assert values(both)["Q01"].quality == "mixed"
