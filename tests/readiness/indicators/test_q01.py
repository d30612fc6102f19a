"""Q01 Good-status share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.frame import Status
from readiness.indicators.q01 import evaluate
from tests.readiness.indicators.press import EXECUTING, LABELS, OFF, found, mean, noisy, pieces, press, shift
from tests.readiness.indicators.story import Story
from tests.readiness.indicators.support import PRESS, failing, values
from tests.readiness.plant import Plant, source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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


LONG = Story(days=28)
CLOCK, DAY = LONG.clock(), np.arange(LONG.n) // LONG.per_day


def stuck() -> Floats:
    row = noisy(LONG.n)
    row[(DAY > 20) & (CLOCK > 4) & (CLOCK < 8)] = 50.0
    return row


def test_a_device_that_always_says_good_of_what_is_stuck_is_capped() -> None:
    outcome = found(evaluate(press(days=28, length=14, values={"pv": stuck()}).view(), "press"))
    assert mean(outcome) == 1.0
    assert (outcome.cap, outcome.flags) == (80.0, ("ALWAYS_GOOD_DESPITE_FAULTS",))


def test_a_device_that_contradicts_itself_is_capped() -> None:
    state = shift(LONG)
    said = np.where((CLOCK >= 6) & (CLOCK < 6.5) & (state != OFF), EXECUTING, state)
    story = press(days=28, length=14, tracks={"state": (said, LABELS)}, counters={"total": pieces(state)})
    assert found(evaluate(story.view(), "press")).cap == 80.0


@pytest.mark.parametrize("kind", ["uncertain", "bad"])
def test_one_other_status_in_ninety_days_lifts_the_cap(kind: str) -> None:
    once = (DAY == 1) & (CLOCK == 5)
    row = stuck()
    if kind == "bad":
        row[once] = np.nan
    about: dict[str, Any] = {kind: {"pv": once}}
    outcome = found(evaluate(press(days=28, length=14, values={"pv": row}, **about).view(), "press"))
    assert (outcome.cap, outcome.flags) == (100.0, ())


def test_a_device_without_faults_may_always_say_good() -> None:
    assert found(evaluate(press(days=28, length=14).view(), "press")).cap == 100.0
    unknown = press(days=28, length=14, values={"pv": stuck()}, without=("state",))  # nobody can tell what is stuck
    assert found(evaluate(unknown.view(), "press")).cap == 100.0
