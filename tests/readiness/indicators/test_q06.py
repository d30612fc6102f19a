"""Q06 Duplicates and order."""

from __future__ import annotations

import pytest

from readiness.indicators.base import Events
from readiness.indicators.q06 import evaluate
from tests.readiness.indicators.press import mean, press, reason
from tests.readiness.indicators.story import WITHOUT_SCHEDULE

ORDER = {"rows": 1000, "with_source_time": 1000, "repeated": 3, "disordered": 2}


def test_rows_that_come_twice_or_late_are_counted_on_production_days() -> None:
    outcome = evaluate(press(mode="subscription", order=ORDER).view(), "press")
    assert isinstance(outcome, Events)
    assert mean(outcome) == pytest.approx(0.005)
    assert outcome.den.sum() == 10 * 1000
    assert outcome.shown == {"repeated": 30, "disordered": 20}


def test_two_sources_are_added() -> None:
    story = press(mode="subscription", order=ORDER, sources={"pv": "press-plc.fast"})
    outcome = evaluate(story.view(), "press")
    assert isinstance(outcome, Events)
    assert outcome.den.sum() == 2 * 10 * 1000


def test_polls_have_no_order_of_their_own() -> None:
    assert reason(evaluate(press(order=ORDER).view(), "press")) == "NOT_APPLICABLE"


def test_what_is_withheld_is_missing() -> None:
    untimed = press(mode="subscription", order={**ORDER, "with_source_time": 0})
    assert reason(evaluate(untimed.view(), "press")) == "NA_NO_EVIDENCE"
    unplanned = press(mode="subscription", order=ORDER, calendar=WITHOUT_SCHEDULE)
    assert reason(evaluate(unplanned.view(), "press")) == "NA_NO_SCHEDULE"
