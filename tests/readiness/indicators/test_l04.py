"""L04 Human use persistence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.base import Events, Missing
from readiness.indicators.l04 import INDICATOR
from readiness.plant import Installed, Use
from tests.readiness.indicators.made import PRODUCTION_DAYS, days, view
from tests.readiness.indicators.story import WITHOUT_SCHEDULE
from tests.readiness.plant import DAY, FIRST, START, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.indicators.base import Outcome

PRESS = source("press")
RECORDS = days([PRESS])


def used(day: int, account: str = "operator", reads: int = 1, acks: int = 0, sessions: int = 1) -> Use:
    name = (FIRST + timedelta(days=day)).isoformat()
    return Use(day=name, system="mes", account=account, reads=reads, acks=acks, sessions=sessions)


def measure(use: Sequence[Use], live_ns: int | None = None) -> Outcome:
    mes = Installed(id="mes", name="MES", kind="mes", points={}, live_ns=live_ns)
    return INDICATOR.evaluate(view([PRESS], RECORDS, lambda p: replace(p, use=use, systems=[mes])), "press")


def shares(use: Sequence[Use], live_ns: int | None = None) -> Events:
    found = measure(use, live_ns)
    assert isinstance(found, Events)
    return found


IDLE = [used(day, reads=0, sessions=0) for day in (0, 27)]
"""The log speaks of all 28 days."""


def test_days_with_use_of_production_days() -> None:
    hit = [0, 1, 2, 7, 8, 5, 6]  # two of them on a weekend
    found = shares([*IDLE, *(used(day) for day in hit)])
    assert found.den.sum() == len(PRODUCTION_DAYS) == 20
    assert np.flatnonzero(found.num).tolist() == [0, 1, 2, 7, 8]
    acks = shares([*IDLE, used(3, reads=0, acks=1)])
    assert np.flatnonzero(acks.num).tolist() == [3]


@pytest.mark.parametrize("account", ["kiosk", "service", "supplier", "robot"])
def test_accounts_that_are_no_people_of_the_factory_do_not_count(account: str) -> None:
    every = [used(day, account, reads=5000) for day in range(28)]
    found = shares([*every, used(1)])
    assert np.flatnonzero(found.num).tolist() == [1]
    assert found.flags == ("NOT_PEOPLE_EXCLUDED",)


def test_one_click_a_day_shows_in_the_sessions() -> None:
    found = shares([used(day, sessions=3 if day < 14 else 1) for day in range(28)])
    assert found.num.sum() == 20
    assert found.shown["median_sessions"] == 2.0


def test_the_slope_is_that_of_a_straight_line_through_the_days() -> None:
    hit = [day for day in PRODUCTION_DAYS if day < 14 or day % 3 == 0]
    found = shares([*IDLE, *(used(day) for day in hit)])
    x = np.array(PRODUCTION_DAYS) / 28
    y = np.isin(PRODUCTION_DAYS, hit).astype(float)
    assert found.shown["slope"] == pytest.approx(np.polyfit(x, y, 1)[0], abs=1e-6)
    assert found.shown["slope"] < 0  # type: ignore[operator]


def test_only_days_that_the_log_speaks_of_and_after_going_live_count() -> None:
    found = shares([used(day) for day in range(14)])  # the log ends: what came then is not known
    assert found.den.sum() == 10
    assert found.num.sum() == 10
    assert measure([used(day) for day in range(11)]) == Missing("NA_SHORT_WINDOW")
    live = shares([used(day) for day in range(28)], START + 7 * DAY)
    assert np.flatnonzero(live.den).tolist() == [day for day in PRODUCTION_DAYS if day >= 7]


def test_nobody_looking_is_zero_and_no_log_is_not_assessed() -> None:
    assert shares(IDLE).num.sum() == 0
    assert measure([]) == Missing("NA_NO_EVIDENCE")
    closed = replace(view([PRESS], RECORDS, lambda p: replace(p, use=IDLE)), calendar=WITHOUT_SCHEDULE)
    assert INDICATOR.evaluate(closed, "press") == Missing("NA_NO_SCHEDULE")


def test_it_is_the_plants_whatever_machine_is_asked() -> None:
    assert INDICATOR.scope == "plant"
