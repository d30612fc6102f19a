"""A01 Completeness against schedule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agent.frame import Status
from tests.readiness.indicators.support import PRESS, failing, values
from tests.readiness.plant import Plant


@pytest.mark.parametrize("hours", [0.36, 1.2, 3.0])
def test_the_share_of_planned_time_that_is_lost_comes_out_exactly(hours: float) -> None:
    plant = Plant([PRESS], status=failing(Status.BAD_NO_COMMUNICATION, hours, range(28)))
    found = values(plant)
    # The last good reading before the outage lies outside planned time, so nothing bridges into it.
    truth = 1 - np.ceil(hours * 60) / (12 * 60)
    assert found["A01"].value == pytest.approx(truth, abs=2e-3)
    assert found["C03"].value == pytest.approx(truth, abs=2e-3)
    assert found["Q01"].value == 1.0


def test_more_gaps_never_raise_completeness() -> None:
    found = [
        values(Plant([PRESS], status=failing(Status.BAD_NO_COMMUNICATION, hours, range(28))))["A01"].value
        for hours in (0.5, 1, 2, 4, 8)
    ]
    assert all(a is not None and b is not None and a >= b for a, b in itertools.pairwise(found))
