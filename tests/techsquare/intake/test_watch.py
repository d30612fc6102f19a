"""Silence, and what goes after consent was taken back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from techsquare.intake import watch
from techsquare.intake.intake import Intake
from techsquare.registry import tables as t
from techsquare.services.days import DAY_NS
from tests.techsquare.intake.made import NOW, Made, register
from tests.techsquare.intake.test_intake import agent, count, fates, questions

if TYPE_CHECKING:
    from techsquare.registry.store import Registry

MONDAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("works", "gap", "expected"),
    [
        (range(7), 0, 0), (range(7), 4, 2), (range(7), 5, 3),
        (range(5), 4, 0), (range(5), 7, 3), (range(6), 6, 3), ((1, 2, 3, 4), 6, 1),
    ],
)  # fmt: skip
def test_only_usual_days_count(works: range, gap: int, expected: int) -> None:
    days = [MONDAY - timedelta(n) for n in range(1, 60)]
    records = [day for day in days if day.weekday() in works]
    last = max(records)
    found = watch.missed(records, last + timedelta(gap))
    usual = [last + timedelta(n) for n in range(1, max(gap - 1, 1))] if gap > 1 else []
    assert found == sum(day.weekday() in works for day in usual)
    assert found == expected


def test_who_falls_silent_is_so_until_he_speaks_again(registry: Registry) -> None:
    register(registry, "hanil", "daehan")
    made, other = Made("hanil", reporter=""), Made("daehan")
    intake = Intake(registry, lambda: NOW)
    fates(intake, made.manifest(), other.manifest())
    assert watch.look(registry, NOW + 2 * DAY_NS) == {"silent": 0, "heard": 0, "withdrawn": 0}
    assert watch.look(registry, NOW + 4 * DAY_NS)["silent"] == 2
    assert watch.look(registry, NOW + 5 * DAY_NS)["silent"] == 0
    assert (agent(intake, made).silent_since, agent(intake, other).silent_since) == (NOW, NOW)
    later = Intake(registry, lambda: NOW + 5 * DAY_NS)
    made.made_at += 5 * DAY_NS
    fates(later, made.manifest())
    assert watch.look(registry, NOW + 5 * DAY_NS)["heard"] == 1
    assert (agent(intake, made).silent_since, agent(intake, other).silent_since) == (None, NOW)


def test_a_reporter_that_speaks_and_signs_no_days_is_silent_too(registry: Registry) -> None:
    register(registry, "hanil")
    made = Made("hanil")
    intake = Intake(registry, lambda: NOW)
    fates(intake, made.manifest(), *made.sign(30))  # the last one is of September
    assert watch.look(registry, NOW)["silent"] == 1
    assert agent(intake, made).silent_since == NOW


def test_what_was_taken_back_goes_after_a_week_and_not_before(registry: Registry) -> None:
    register(registry, "hanil")
    made = Made("hanil")
    intake = Intake(registry, lambda: NOW)
    fates(intake, made.manifest(), *made.sign(5))
    made.scopes, made.serial, made.since = ("levels", "indicators"), 2, 2
    fates(intake, made.manifest())
    watch.look(registry, NOW + 6 * DAY_NS)
    assert count(intake, t.DayRecord) == 5
    assert watch.look(registry, NOW + 8 * DAY_NS)["withdrawn"] == 1
    assert (count(intake, t.DayRecord), count(intake, t.MetricDay)) == (0, 0)
    assert "consent_withdrawn" in questions(intake, "done")


def test_a_slip_that_was_undone_takes_nothing_away(registry: Registry) -> None:
    register(registry, "hanil")
    made = Made("hanil")
    intake = Intake(registry, lambda: NOW)
    fates(intake, made.manifest(), *made.sign(5))
    for serial, scopes in ((2, ()), (3, made.scopes)):
        made.scopes, made.serial, made.since = scopes, serial, serial
        fates(intake, made.manifest())
    assert watch.look(registry, NOW + 8 * DAY_NS)["withdrawn"] == 0
    assert count(intake, t.DayRecord) == 5
