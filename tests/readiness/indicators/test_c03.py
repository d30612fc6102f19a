"""C03 Link availability in planned time."""

from __future__ import annotations

import pytest

from agent.frame import Status
from readiness.schedule import Calendar
from tests.readiness.indicators.support import PRESS, failing, gap, values
from tests.readiness.plant import CALENDAR, Plant, planned, source

SUBSCRIBED = source("press", mode="subscription", protocol="opcua")


def test_a_subscription_is_down_from_its_last_word_to_the_return_of_the_link() -> None:
    # The supervisor notices late, and its gap says since when: from the last moment known alive.
    gaps = [gap("link_down", planned(day, 1), planned(day, 1.6), SUBSCRIBED.id) for day in range(28)]
    found = values(Plant([SUBSCRIBED], items=gaps))
    assert found["C03"].value == pytest.approx(1 - 0.6 / 12, abs=1e-6)
    assert found["A01"].value == pytest.approx(1 - 0.6 / 12, abs=1e-6)


def test_a_subscription_without_keep_alives_is_not_alive() -> None:
    found = values(Plant([SUBSCRIBED], status=failing(Status.BAD_NO_COMMUNICATION, 3, range(28))))
    assert found["C03"].value == pytest.approx(0.75, abs=2e-3)
    assert found["A01"].value == pytest.approx(0.75, abs=2e-3)


def test_a_poll_that_is_answered_with_errors_only_is_alive() -> None:
    found = values(Plant([PRESS], status=failing(Status.BAD_NODE_ID_UNKNOWN, 24, range(28))))
    assert found["C03"].value == 1.0
    assert found["A01"].value == 0.0
    assert found["Q01"].value == 0.0


def test_a_machine_with_two_links_is_worth_their_mean() -> None:
    other = source("press", protocol="opcua")
    second = type(other)(
        id="press-gauge.main",
        device="press-gauge",
        protocol="modbus",
        mode="poll",
        interval_ns=other.interval_ns,
        signals=tuple(type(s)(id=f"g{s.id}", machine=s.machine, name=s.name, dtype=s.dtype) for s in other.signals),
    )
    lost = failing(Status.BAD_TIMEOUT, 6, range(28), only="press-gauge.main")
    found = values(Plant([other, second], status=lost))
    assert found["C03"].value == pytest.approx(0.75, abs=2e-3)


def test_without_a_schedule_the_share_of_all_time_is_shown_and_not_scored() -> None:
    lost = failing(Status.BAD_TIMEOUT, 6, range(28))
    plant = Plant([PRESS], status=lost, calendar=Calendar("Asia/Seoul", CALENDAR.day_start))
    value = plant.assess().value("C03", "press")
    assert (value.value, value.score, value.reason) == (None, None, "NA_NO_SCHEDULE")
    assert value.shown["calendar_share"] == pytest.approx(0.75, abs=2e-3)
