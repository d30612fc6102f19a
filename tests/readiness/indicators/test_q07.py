"""Q07 Counter integrity."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

import numpy as np
import pytest

from readiness.indicators.q07 import evaluate
from readiness.plant import About, Meaning, Product
from tests.readiness.indicators.press import (
    EXECUTING,
    PART,
    STANDBY,
    TOTAL,
    found,
    mean,
    pieces,
    press,
    reason,
    shift,
)
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

STORY = Story()
STATES = shift(STORY)
CLOCK, DAY = STORY.clock(), np.arange(STORY.n) // STORY.per_day
ALONE = {"without": ("good", "reject")}
COUNT = pieces(STATES)
IDEAL = {"about": {"products": {"p": PART}, "about": {"press": About(single_product="yes")}}}


def steps_on_production_days(*rows: Any) -> int:
    """Return readings that differ from the one before."""
    weekday = DAY % 7 < 5
    return sum(int(((np.diff(row, prepend=row[0]) != 0) & weekday).sum()) for row in rows)


def test_counters_that_only_count_up_are_whole() -> None:
    outcome = found(evaluate(press(**IDEAL).view(), "press"))
    assert mean(outcome) == 1.0
    assert outcome.quality == "measured"
    assert outcome.flags == ()
    reject = COUNT // 50
    assert outcome.den.sum() == steps_on_production_days(COUNT, COUNT - reject, reject)  # type: ignore[union-attr]


def test_unexplained_steps_back_are_faults() -> None:
    row = COUNT.copy()
    for reading in (700, 5000, 10500):  # on production days, in planned time
        row[reading:] -= 3000 if reading > 700 else 100
    row -= row.min() - 7
    outcome = found(evaluate(press(counters={"total": row}, **ALONE, **IDEAL).view(), "press"))
    assert outcome.shown["unexplained_back"] == 3
    assert mean(outcome) == pytest.approx(1 - 3 / steps_on_production_days(row), abs=1e-9)


def test_a_declared_wrap_is_explained_and_an_undeclared_one_waits_for_a_word() -> None:
    row = COUNT % 1000
    declared = press(counters={"total": row}, meanings={"total": replace(TOTAL, modulus=1000)}, **ALONE, **IDEAL)
    assert mean(evaluate(declared.view(), "press")) == 1.0
    assert reason(evaluate(press(counters={"total": row}, **ALONE).view(), "press")) == "NA_ROLE_UNCONFIRMED"
    other = COUNT % 777  # ends nothing that registers or displays end at: a fault
    outcome = found(evaluate(press(counters={"total": other}, **ALONE).view(), "press"))
    assert outcome.shown["unexplained_back"] == int((np.diff(other) < 0)[(DAY % 7 < 5)[1:]].sum()) > 0


def test_a_reset_of_each_shift_waits_for_a_word_and_is_then_explained() -> None:
    row = COUNT - np.maximum.accumulate(np.where((CLOCK == 6.25) & (DAY % 7 < 5), COUNT, 0))
    assert (np.diff(row) < 0).sum() == 10
    assert reason(evaluate(press(counters={"total": row}, **ALONE).view(), "press")) == "NA_ROLE_UNCONFIRMED"
    said = replace(TOTAL, resets=(time(14, 15),))  # production days begin at eight
    known = press(counters={"total": row}, meanings={"total": said}, **ALONE, **IDEAL)
    assert mean(evaluate(known.view(), "press")) == 1.0


def test_pieces_faster_than_they_can_be_made_are_no_pieces() -> None:
    row = pieces(STATES, 10)  # one in six seconds where thirty are ideal
    fast = found(evaluate(press(counters={"total": row}, **ALONE, **IDEAL).view(), "press"))
    assert mean(fast) < 0.01
    assert evaluate(press(counters={"total": pieces(STATES, 3)}, **ALONE, **IDEAL).view(), "press").num.sum() > 0  # type: ignore[union-attr]
    assert mean(evaluate(press(counters={"total": pieces(STATES, 3)}, **ALONE, **IDEAL).view(), "press")) == 1.0


def test_without_an_ideal_cycle_only_half_of_the_definition_is_looked_at() -> None:
    outcome = found(evaluate(press(counters={"total": pieces(STATES, 10)}, **ALONE).view(), "press"))
    assert mean(outcome) == 1.0
    assert outcome.quality == "partial"
    assert outcome.flags == ("MIN_CYCLE_UNKNOWN",)


def test_pieces_that_come_while_nothing_executes_are_flagged() -> None:
    state = np.where((CLOCK >= 4) & (CLOCK < 6) & (STATES == EXECUTING), STANDBY, STATES)
    outcome = found(evaluate(press(tracks={"state": (state, (0, 1, 2, 3, 4))}, **IDEAL).view(), "press"))
    assert outcome.flags == ("COUNTED_WITHOUT_RUN",)
    assert outcome.shown["counted_without_run"] == pytest.approx(2 / 10.5, abs=0.01)


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"calendar": WITHOUT_SCHEDULE}, "NA_NO_SCHEDULE"),
        ({"without": ("total", "good", "reject")}, "NA_NO_EVIDENCE"),
        (
            {
                "without": ("good", "reject"),
                "meanings": {"total": Meaning(role="count_total", origin="guess")},
            },
            "NA_ROLE_UNCONFIRMED",
        ),
        ({"without": ("good", "reject"), "counters": {"total": np.ones(STORY.n, np.int64)}}, "NA_NO_EVIDENCE"),
    ],
)
def test_what_is_withheld_is_missing(about: dict[str, Any], why: str) -> None:
    assert reason(evaluate(press(**about).view(), "press")) == why


def test_a_product_that_has_no_ideal_cycle_here_is_none() -> None:
    elsewhere = Product(id="p", name="부품", ideal_s={"lathe": 30.0})
    story = press(about={"products": {"p": elsewhere}, "about": {"press": About(single_product="yes")}})
    assert found(evaluate(story.view(), "press")).quality == "partial"
