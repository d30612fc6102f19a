"""V02 Automatic production count."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

import numpy as np
import pytest

from readiness.indicators.v02 import evaluate
from readiness.plant import About, HandCount, Meaning, Product
from readiness.schedule import Calendar
from tests.readiness.indicators.press import TOTAL, found, mean, pieces, press, reason, shift
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story

STORY = Story()
STATES, DAY, CLOCK = shift(STORY), np.arange(STORY.n) // STORY.per_day, STORY.clock()
TRUTH = int(((STATES == 1) & (DAY == 2)).sum())


def hand(total: int | None, day: int = 2, hours: tuple[float, float] = (0, 12), **more: int) -> HandCount:
    """Return a hand count of the planned time of a day."""
    begin = day * STORY.per_day
    return HandCount(
        machine="press",
        from_ns=STORY.at(begin + int(hours[0] * 60)),
        to_ns=STORY.at(begin + int(hours[1] * 60)),
        total=total,
        **more,
    )


def of(*hands: HandCount, **about: Any) -> Any:
    said = about.pop("about", {})
    return evaluate(press(about={"hand_counts": hands, **said}, **about).view(), "press")


@pytest.mark.parametrize(("share", "value"), [(1.0, 1.0), (1.019, 1.0), (0.981, 1.0), (1.021, 0.0), (0.979, 0.0)])
def test_a_counter_has_to_fit_the_hand_count_within_two_percent(share: float, value: float) -> None:
    outcome = found(of(hand(round(TRUTH / share))))
    assert mean(outcome) == value
    assert outcome.shown["total_error"] == pytest.approx(TRUTH / round(TRUTH / share) - 1, abs=1e-6)
    assert outcome.cap == 100.0


def test_nobody_has_counted_is_half_credit_and_flagged() -> None:
    outcome = found(of())
    assert (mean(outcome), outcome.flags) == (0.5, ("UNRECONCILED",))


def test_the_latest_hand_count_holds() -> None:
    wrong, right = hand(TRUTH // 2 + 40, day=1), hand(TRUTH, day=2)
    assert mean(of(right, wrong)) == 1.0
    assert mean(of(hand(TRUTH // 2 + 40, day=3), right)) == 0.0


def test_less_than_a_shift_is_no_hand_count() -> None:
    short = int(((STATES == 1) & (DAY == 2) & (CLOCK < 7.75)).sum())
    assert mean(of(hand(short, hours=(0, 7.75)))) == 0.5
    eight = int(((STATES == 1) & (DAY == 2) & (CLOCK < 8)).sum())
    assert mean(of(hand(eight, hours=(0, 8)))) == 1.0
    assert mean(of(hand(TRUTH, hours=(12, 24)))) == 0.5  # nothing is planned at night
    assert mean(of(replace(hand(TRUTH), machine="lathe"))) == 0.5


def test_good_and_rejected_pieces_make_a_total_and_are_compared_apart() -> None:
    total = pieces(STATES)
    rejected = total // 50
    window = DAY == 2
    reject = int(rejected[window][-1] - rejected[~window & (DAY < 2)][-1])
    outcome = found(of(hand(None, good=TRUTH - reject, reject=2 * reject)))
    assert outcome.shown["good_error"] == pytest.approx(0, abs=1e-6)
    assert outcome.shown["reject_error"] == pytest.approx(-0.5)
    assert mean(outcome) == 1.0  # 2 % of rejects more or less are within the total's tolerance
    assert mean(of(hand(None, good=TRUTH))) == 0.5  # without the rejects there is no total


def test_without_rejects_the_score_is_capped() -> None:
    outcome = found(of(hand(TRUTH), without=("good", "reject")))
    assert (mean(outcome), outcome.cap, outcome.flags) == (1.0, 70.0, ("REJECT_MISSING",))
    assert found(of(hand(TRUTH), without=("reject",))).cap == 100.0  # total and good tell the rejects


def test_a_counter_of_strokes_fails_until_its_factor_is_declared() -> None:
    strokes = {"counters": {"total": pieces(STATES, 4)}, "without": ("good", "reject")}
    outcome = found(of(hand(TRUTH), **strokes))
    assert mean(outcome) == 0.0
    assert "STROKES_NOT_PARTS" in outcome.flags
    assert outcome.shown["pieces_per_count"] == 0.25
    declared = {"meanings": {"total": replace(TOTAL, factor=0.25)}}
    assert mean(of(hand(TRUTH), **strokes, **declared)) == 1.0
    cavities = found(of(hand(2 * TRUTH), without=("good", "reject")))
    assert "STROKES_NOT_PARTS" in cavities.flags
    assert cavities.shown["pieces_per_count"] == 2.0


def test_a_counter_that_was_not_there_cannot_be_reconciled_and_a_gap_between_can() -> None:
    total = pieces(STATES)
    dark = (DAY == 2) & (CLOCK > 2) & (CLOCK < 10)
    gap = {"counters": {"total": np.where(dark, NOTHING, total)}, "without": ("good", "reject")}
    assert mean(of(hand(TRUTH), **gap)) == 1.0
    late = {"counters": {"total": np.where(DAY <= 2, NOTHING, total)}, "without": ("good", "reject")}
    assert mean(of(hand(TRUTH), **late)) == 0.5


def test_pieces_that_came_over_the_end_of_a_hand_count_belong_to_nobody() -> None:
    over = (DAY == 2) & (CLOCK > 11.7) & (CLOCK < 12.1)
    row = np.where(over, NOTHING, pieces(STATES))
    said = found(of(hand(TRUTH), counters={"total": row}, without=("good", "reject")))
    assert mean(said) == 0.5
    assert "UNRECONCILED" in said.flags
    # If it was we who did not look, nobody can say that nobody has counted.
    ours = of(hand(TRUTH), counters={"total": row}, without=("good", "reject"), censored=over)
    assert reason(ours) == "NA_SELF_FAULT"


def test_a_hand_count_before_the_window_holds_for_ninety_days() -> None:
    story = Story(days=42)
    truth = int(((shift(story) == 1) & (np.arange(story.n) // story.per_day == 2)).sum())
    assert mean(of(hand(truth), days=42, length=28)) == 1.0


def test_what_is_withheld_is_missing_and_zero_only_if_nobody_else_collects_it() -> None:
    bare = {"without": ("total", "good", "reject")}
    assert reason(of(**bare)) == "NA_NO_EVIDENCE"
    assert mean(of(about={"about": {"press": About(elsewhere="no")}}, **bare)) == 0.0
    guess = {"meanings": {"total": Meaning(role="count_total", origin="guess")}, "without": ("good", "reject")}
    assert reason(of(**guess)) == "NA_ROLE_UNCONFIRMED"
    assert reason(of(calendar=WITHOUT_SCHEDULE)) == "NA_NO_SCHEDULE"


def test_moulds_with_cavities_of_their_own_are_counted_by_product() -> None:
    """Two moulds on one press, with four cavities and with two: the counter counts strokes."""
    stroke = np.asarray(np.cumsum(STATES == 1))
    late = (CLOCK >= 5) & (CLOCK < 24)
    truth = int(((STATES == 1) & (DAY == 2) & ~late).sum() * 4 + ((STATES == 1) & (DAY == 2) & late).sum() * 2)
    world: dict[str, Any] = {
        "counters": {"total": stroke},
        "tracks": {"product": (late.astype(np.int64), ("A", "B"))},
        "meanings": {"product": Meaning(role="product")},
        "without": ("good", "reject"),
    }
    said = {
        label: Product(id=label, name=label, ideal_s={"press": 15.0}, per_count={"press/total": pieces_})
        for label, pieces_ in (("A", 4.0), ("B", 2.0))
    }
    assert mean(of(hand(truth), **world)) == 0.0
    outcome = found(of(hand(truth), about={"products": said}, **world))
    assert mean(outcome) == 1.0
    assert outcome.shown["total_error"] == pytest.approx(0, abs=1e-6)
    # What a product says goes before the signal's own factor, and a product that says nothing has the signal's.
    world["meanings"]["total"] = replace(TOTAL, factor=2.0)
    assert mean(of(hand(truth), about={"products": {"A": said["A"]}}, **world)) == 1.0


def test_cavities_of_the_only_product_need_no_product_signal() -> None:
    said = {"A": Product(id="A", name="A", ideal_s={}, per_count={"press/total": 3.0})}
    about = {"products": said, "about": {"press": About(single_product="yes")}}
    assert mean(of(hand(3 * TRUTH), about=about, without=("good", "reject"))) == 1.0
    unsure = {"products": said}
    assert mean(of(hand(3 * TRUTH), about=unsure, without=("good", "reject"))) == 0.0


def test_a_shift_has_breaks() -> None:
    """Two shifts a day of 8 hours each, with half an hour of break that is not planned."""
    pieces_ = {d: ((time(8), time(12)), (time(12, 30), time(20))) for d in range(5)}
    broken = Calendar("Asia/Seoul", time(8), pieces_)
    eight = int(((STATES == 1) & (DAY == 2) & (CLOCK < 8)).sum())
    assert mean(of(hand(eight, hours=(0, 8)), calendar=broken)) == 1.0  # 7.5 hours of it are planned
    late = int(((STATES == 1) & (DAY == 2) & (CLOCK >= 7)).sum())
    assert mean(of(hand(late, hours=(7, 16)), calendar=broken)) == 0.5  # only five hours of a shift by name


def test_one_piece_at_the_edge_of_a_slow_machine_is_no_error() -> None:
    slow = np.asarray(np.cumsum(STATES == 1) // 30)
    day = slow[DAY == 2]
    truth = int(day[-1] - slow[DAY == 1][-1])
    assert truth == 21
    about = {"counters": {"total": slow}, "without": ("good", "reject")}
    assert [mean(of(hand(truth + off), **about)) for off in (-2, -1, 0, 1, 2)] == [0.0, 1.0, 1.0, 1.0, 0.0]
    few = {"counters": {"total": slow // 4}, "without": ("good", "reject")}
    assert mean(of(hand(7), **few)) == 0.0  # of so few, one is no edge any more


def test_people_who_counted_nothing_contradict_a_counter_that_counts() -> None:
    assert mean(of(hand(0))) == 0.0
    quiet = np.where(DAY == 2, 0, STATES)
    said = found(of(hand(0), state=quiet))
    assert mean(said) == 0.5  # nothing was made and nothing counted: that proves no counter
    assert "UNRECONCILED" in said.flags


def test_a_gap_over_the_end_of_an_old_hand_count_is_seen_as_well() -> None:
    long = Story(days=42)
    clock, day = long.clock(), np.arange(long.n) // long.per_day
    truth = int(((shift(long) == 1) & (day == 2)).sum())
    over = (day == 2) & (clock > 11.7) & (clock < 12.1)
    row = np.where(over, NOTHING, pieces(shift(long)))
    about = {"counters": {"total": row}, "without": ("good", "reject"), "days": 42, "length": 28}
    assert mean(of(hand(truth), **about)) == 0.5
