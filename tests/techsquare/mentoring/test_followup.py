"""Reminders over the life of a project."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from techsquare.mentoring.calendar import Calendar
from techsquare.mentoring.engagement import ANSWER_DAYS
from techsquare.mentoring.followup import ACCEPT_DAYS, INSTALL_DAYS, QUARTER, Project, Reminder, reminder

MONDAY = date(2026, 11, 23)
PLANNED = Calendar(off=frozenset({date(2026, 12, 25)}))
PROJECT = Project("agreed", MONDAY, MONDAY, MONDAY, MONDAY)


@pytest.mark.parametrize(
    ("state", "of", "days"),
    [("agreed", "sign_due", ANSWER_DAYS), ("signed", "install_due", INSTALL_DAYS),
     ("installed", "accept_due", ACCEPT_DAYS)],
)  # fmt: skip
def test_a_step_is_late_on_the_day_after_its_planned_days(state: str, of: str, days: int) -> None:
    due = PLANNED.after(MONDAY, days)
    project = replace(PROJECT, state=state)
    assert reminder(project, PLANNED, due) is None
    for later in (1, 30, 300):
        assert reminder(project, PLANNED, due + timedelta(later)) == Reminder(of, MONDAY, due)  # type: ignore[arg-type]


def test_a_date_of_the_contract_goes_before_the_usual_days() -> None:
    due = date(2026, 12, 1)
    project = replace(PROJECT, state="signed", delivery=due)
    assert reminder(project, PLANNED, due) is None
    assert reminder(project, PLANNED, due + timedelta(1)) == Reminder("install_due", MONDAY, due)


@pytest.mark.parametrize("state", ["accepted", "decided"])
def test_once_a_quarter_as_long_as_it_lasts(state: str) -> None:
    project = replace(PROJECT, state=state)
    found = [reminder(project, PLANNED, MONDAY + timedelta(days)) for days in range(6 * QUARTER)]
    days = list(dict.fromkeys(one.since for one in found if one is not None))
    assert days == [MONDAY + timedelta(n * QUARTER) for n in range(1, 6)]
    assert found[QUARTER - 1] is None
    assert all(one is not None and one.of == "care" for one in found[QUARTER:])


@pytest.mark.parametrize("state", ["ended", "asked"])
def test_what_is_over_is_not_reminded_of(state: str) -> None:
    assert reminder(replace(PROJECT, state=state), PLANNED, MONDAY + timedelta(1000)) is None
