"""V03 OEE computability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from readiness.indicators.v03 import evaluate
from readiness.plant import About, Meaning, Product
from tests.readiness.indicators.press import LABELS, found, lost, mean, pieces, press, reason, shift
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

STORY = Story()
CLOCK, PLANNED, STATES = STORY.clock(), STORY.planned(), shift(STORY)
ONE = {"p": Product(id="p", name="부품", ideal_s={"press": 50.0})}
PRODUCT = Meaning(role="product")


def of(products: Any = ONE, single: Any = "yes", **about: Any) -> Any:
    told = About(single_product=single, **about.pop("told", {}))
    return evaluate(press(about={"products": products, "about": {"press": told}}, **about).view(), "press")


def share(mask: Any) -> float:
    return float((mask & PLANNED).sum() / PLANNED.sum())


def test_a_machine_of_which_all_is_known_is_computable_all_the_time() -> None:
    outcome = found(of())
    assert mean(outcome) == 1.0
    assert outcome.flags == ()
    assert outcome.shown["cycle_s"] == pytest.approx(60, rel=0.02)


def test_only_the_time_in_which_everything_is_known_at_once_counts() -> None:
    dark_state, dark_total, dark_good = CLOCK < 1, (CLOCK >= 4) & (CLOCK < 5), (CLOCK >= 4.5) & (CLOCK < 7)
    total = pieces(STATES)
    story = {
        "tracks": {"state": (lost(STATES, dark_state), LABELS)},
        "counters": {"total": lost(total, dark_total), "good": lost(total - total // 50, dark_good)},
    }
    assert mean(of(**story)) == pytest.approx(share(~(dark_state | dark_total | dark_good)), abs=1e-9)


def test_good_pieces_may_follow_from_total_and_rejects() -> None:
    dark = CLOCK < 3
    story = {"counters": {"reject": lost(pieces(STATES) // 50, dark)}, "without": ("good",)}
    assert mean(of(**story)) == pytest.approx(share(~dark), abs=1e-9)


def test_a_product_without_an_ideal_cycle_is_not_computable() -> None:
    row = np.where(CLOCK < 6, 0, 1)
    two = {"A": Product(id="A", name="가", ideal_s={"press": 50.0}), "B": Product(id="B", name="나", ideal_s={})}
    story = {"tracks": {"product": (row, ("A", "B"))}, "meanings": {"product": PRODUCT}}
    assert mean(of(two, "no", **story)) == pytest.approx(share(CLOCK < 6), abs=1e-9)


def test_that_no_schedule_or_ideal_cycle_exists_is_the_finding() -> None:
    none = of({}, told={"has_schedule": "no"})
    assert (mean(none), none.flags) == (0.0, ("NO_SCHEDULE_EXISTS",))
    assert mean(of(told={"has_schedule": "no"}, calendar=WITHOUT_SCHEDULE)) == 0.0
    assert mean(of(told={"has_schedule": "no"})) == 1.0  # both are there: what is measured holds
    assert reason(of({})) == "NA_NO_SCHEDULE"
    assert reason(of({}, told={"has_schedule": "yes"})) == "NA_NO_SCHEDULE"
    assert reason(of(calendar=WITHOUT_SCHEDULE)) == "NA_NO_SCHEDULE"


def test_an_ideal_cycle_that_cannot_be_one_is_flagged() -> None:
    slow = {"p": Product(id="p", name="부품", ideal_s={"press": 80.0})}
    outcome = found(of(slow))
    assert "FASTER_THAN_IDEAL" in outcome.flags
    assert outcome.shown["effectiveness"] == pytest.approx(80 / 60, rel=0.02)
    observed = {"p": Product(id="p", name="부품", ideal_s={"press": 60.0})}
    assert found(of(observed)).flags == ("IDEAL_IS_MEDIAN",)
    assert mean(of(slow)) == mean(of(observed)) == 1.0  # how high OEE is does not count


@pytest.mark.parametrize("without", [("state",), ("total", "good", "reject"), ("good", "reject")])
def test_what_is_withheld_is_missing_and_zero_only_if_nobody_else_collects_it(without: tuple[str, ...]) -> None:
    assert reason(of(without=without)) == "NA_NO_EVIDENCE"
    assert mean(of(without=without, told={"elsewhere": "no"})) == 0.0


def test_roles_wait_for_a_person() -> None:
    guess = {"good": Meaning(role="count_good", origin="guess")}
    assert reason(of(meanings=guess, without=("reject",), told={"elsewhere": "no"})) == "NA_ROLE_UNCONFIRMED"
    assert reason(of(single="unknown")) == "NA_NO_EVIDENCE"  # which product it makes, nobody says
