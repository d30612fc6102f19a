"""C01 Machine reach."""

from __future__ import annotations

from agent.frame import Status
from readiness.inventory import Machine
from tests.readiness.indicators.support import LATHE, PRESS, failing, values
from tests.readiness.plant import Plant, signal, source


def test_reach_counts_declared_machines_by_weight_with_those_nobody_connected() -> None:
    inventory = [Machine("press", "press", 2.0), Machine("lathe", "lathe"), Machine("saw", "saw")]
    found = values(Plant([PRESS, LATHE], inventory))
    assert found["C01"].value == 0.75
    assert found["C01"].lo is None
    assert found["C01"].quality == "census"
    assert found["C01"].n == 3
    assert found["A01"].value == 1.0
    assert found["A01"].coverage == 0.75  # the saw is no sample of completeness, but it is missing


def test_a_machine_read_on_too_few_days_is_not_reached() -> None:
    dead = failing(Status.BAD_NO_COMMUNICATION, 24, range(8))
    assert values(Plant([PRESS, LATHE], status=dead), "press")["C01"].value == 0.0
    assert values(Plant([PRESS, LATHE], status=dead), "lathe")["C01"].value == 1.0


def test_a_guessed_role_never_enters_the_score() -> None:
    guessed = source("press", [signal("press", 0, role_confirmed=False)])
    found = values(Plant([guessed]))
    assert found["C01"].reason == "NA_ROLE_UNCONFIRMED"
    assert found["C01"].roles == {"guessed": 1}


def test_a_machine_that_is_not_read_is_not_reached_whatever_its_roles() -> None:
    dead = failing(Status.BAD_NO_COMMUNICATION, 24, range(28))
    for confirmed in (True, False):
        press = source("press", [signal("press", 0, role_confirmed=confirmed)])
        found = values(Plant([press, LATHE], status=dead))["C01"]
        assert (found.value, found.coverage) == (0.5, 1.0)
