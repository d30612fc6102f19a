"""Q08 Logical consistency, and its rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from readiness import rules
from readiness.indicators.q08 import evaluate
from readiness.plant import Meaning
from tests.readiness.indicators.press import (
    EXECUTING,
    FAULT,
    LABELS,
    OFF,
    STANDBY,
    found,
    mean,
    noisy,
    pieces,
    press,
    reason,
    shift,
)
from tests.readiness.indicators.story import MAIN, WITHOUT_SCHEDULE, Story

STORY = Story()
CLOCK, DAY, PLANNED = STORY.clock(), np.arange(STORY.n) // STORY.per_day, STORY.planned()
STATES = shift(STORY)
MINUTE = 60e9
ALONE = {"without": ("good", "reject")}


def by_name(story: Story) -> dict[str, rules.Rule]:
    return {rule.name: rule for rule in rules.rules(story.view(), "press")}


def test_a_machine_that_contradicts_itself_nowhere_has_four_rules() -> None:
    state = np.where(PLANNED & (CLOCK >= 10) & (CLOCK < 11), OFF, STATES)
    outcome = found(evaluate(press(state=state).view(), "press"))
    assert mean(outcome) == 1.0
    assert outcome.shown["rules"] == 4
    assert outcome.shown["off_checked_h"] == 10 * 0.75  # three whole quarter hours behind two readings
    assert outcome.shown["exclusive_checked_h"] == 120.0


def test_executing_without_a_movement_is_broken_from_its_beginning() -> None:
    said = np.where((DAY == 2) & (CLOCK >= 6) & (CLOCK < 6.5), EXECUTING, STATES)  # stands by and says executing
    rule = by_name(press(tracks={"state": (said, LABELS)}, counters={"total": pieces(STATES)}, **ALONE))["moves"]
    assert rule.broken.length() == pytest.approx(30 * MINUTE, abs=2 * MINUTE)
    assert rule.times == 1
    assert rule.checked.length() == (said == EXECUTING).sum() * MINUTE


def test_a_pause_of_four_cycles_breaks_nothing_and_one_of_seven_does() -> None:
    for pause, times in ((4, 0), (7, 1)):
        row = np.cumsum((STATES == EXECUTING) & ~((DAY == 2) & (CLOCK >= 4) & (4 + pause / 60 - 1e-9 > CLOCK)))
        assert by_name(press(counters={"total": row}, **ALONE))["moves"].times == times


def test_power_that_moves_excuses_a_counter_that_does_not() -> None:
    said = np.where((DAY == 2) & (CLOCK >= 6) & (CLOCK < 6.5), EXECUTING, STATES)
    counters = {"total": pieces(STATES)}
    power = {"values": {"power": noisy(STORY.n, 5)}, "meanings": {"power": Meaning(role="power")}}
    moving = by_name(press(tracks={"state": (said, LABELS)}, counters=counters, **ALONE, **power))["moves"]
    assert moving.times == 0
    flat = noisy(STORY.n, 5)
    flat[(DAY == 2) & (CLOCK >= 6) & (CLOCK < 6.5)] = 3.0
    power["values"] = {"power": flat}
    both = by_name(press(tracks={"state": (said, LABELS)}, counters=counters, **ALONE, **power))["moves"]
    assert both.broken.length() == pytest.approx(30 * MINUTE, abs=2 * MINUTE)


def test_power_may_be_a_bit() -> None:
    said = np.where((DAY == 2) & (CLOCK >= 6) & (CLOCK < 6.5), EXECUTING, STATES)
    beat = np.where(STATES == EXECUTING, np.arange(STORY.n) % 2, 0)
    story = press(
        tracks={"state": (said, LABELS), "power": (beat, (False, True))},
        meanings={"power": Meaning(role="power")},
        counters={"total": pieces(STATES)},
        **ALONE,
    )
    assert by_name(story)["moves"].broken.length() == pytest.approx(30 * MINUTE, abs=3 * MINUTE)


def test_lost_pieces_are_seen_however_slowly_they_are_lost() -> None:
    total = pieces(STATES)
    reject = total // 50
    once = total - reject - np.clip(np.arange(STORY.n) - 3 * STORY.per_day - 300, 0, 5)  # five are not counted
    rule = by_name(press(counters={"total": total, "good": once, "reject": reject}))["adds_up"]
    assert (rule.times, rule.broken.length()) == (1, 15 * MINUTE)
    slowly = total - reject - total // 15  # one in each quarter hour
    drift = by_name(press(counters={"total": total, "good": slowly, "reject": reject}))["adds_up"]
    assert drift.times > 0.4 * drift.checked.length() / (15 * MINUTE)


def test_a_piece_that_is_inspected_later_breaks_nothing() -> None:
    total = pieces(STATES)
    late = np.concatenate([[0], total[:-1]])  # one reading behind
    reject = late // 50
    rule = by_name(press(counters={"total": total, "good": late - reject, "reject": reject}))["adds_up"]
    assert rule.times == 0


def test_a_counter_that_is_not_read_for_hours_breaks_nothing() -> None:
    total = pieces(STATES)
    reject = total // 50
    dark = (DAY == 2) & (CLOCK >= 4) & (CLOCK < 8)
    story = press(
        counters={"total": total, "good": total - reject, "reject": np.where(dark, -1, reject)},
        sources={"reject": "gate.main"},
    )
    rule = by_name(story)["adds_up"]
    assert rule.times == 0
    whole = by_name(press())["adds_up"]
    assert whole.checked.length() - rule.checked.length() == pytest.approx(4 * 60 * MINUTE, abs=46 * MINUTE)


def test_what_is_off_counts_nothing() -> None:
    said = np.where((DAY == 2) & (CLOCK >= 10) & (CLOCK < 11), OFF, STATES)
    rule = by_name(press(tracks={"state": (said, LABELS)}, counters={"total": pieces(STATES)}, **ALONE))["off"]
    assert rule.broken.length() == 45 * MINUTE
    assert rule.times == 3


def test_states_without_a_meaning_and_two_at_once_are_not_exclusive() -> None:
    odd = np.where((DAY == 2) & (CLOCK >= 4) & (CLOCK < 5), 5, STATES)
    rule = by_name(press(tracks={"state": (odd, (*LABELS, 17))}))["exclusive"]
    assert rule.broken.length() == 60 * MINUTE
    bits = {
        "state": ((STATES == EXECUTING).astype(np.int64), (False, True)),
        "red": (((STATES == FAULT) | ((DAY == 2) & (CLOCK >= 4) & (CLOCK < 4.5))).astype(np.int64), (False, True)),
    }
    meanings = {
        "state": Meaning(role="state", states={True: "executing", False: "standby"}),
        "red": Meaning(role="state", states={True: "fault"}),
    }
    lamps = by_name(press(tracks=bits, meanings=meanings))["exclusive"]
    assert lamps.broken.length() == 30 * MINUTE


def test_a_rule_that_could_not_be_broken_is_none() -> None:
    bit = {"state": ((STATES == EXECUTING).astype(np.int64), (False, True))}
    means = {"state": Meaning(role="state", states={True: "executing", False: "standby"})}
    assert set(by_name(press(tracks=bit, meanings=means))) == {"moves", "adds_up"}  # one bit, and never off
    still = np.zeros(STORY.n, np.int64)
    dead = press(counters={"total": still, "good": still, "reject": still})
    assert set(by_name(dead)) == {"off", "exclusive"}
    awake = np.where(STATES == OFF, STANDBY, STATES)
    assert reason(evaluate(press(state=awake, **ALONE).view(), "press")) == "NA_NO_EVIDENCE"


def test_rules_that_hold_dilute_none_that_does_not() -> None:
    said = np.where((DAY % 7 < 5) & (CLOCK >= 6) & (CLOCK < 6.5), EXECUTING, STATES)
    story = press(tracks={"state": (said, LABELS)}, counters={"total": pieces(STATES)})
    outcome = found(evaluate(story.view(), "press"))
    assert mean(outcome) == pytest.approx(1 - 0.5 / 12, abs=4e-3)


def test_nothing_is_checked_while_a_signal_is_unknown() -> None:
    dark = (CLOCK >= 4) & (CLOCK < 5)
    story = press(counters={"total": np.where(dark, -1, pieces(STATES))}, **ALONE)
    assert by_name(story)["moves"].checked.length() == ((STATES == EXECUTING) & ~dark).sum() * MINUTE
    assert MAIN == "press-plc.main"


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"calendar": WITHOUT_SCHEDULE}, "NA_NO_SCHEDULE"),
        ({"without": ("state",)}, "NA_NO_EVIDENCE"),
        ({"meanings": {"state": Meaning(role="state", origin="guess")}}, "NA_ROLE_UNCONFIRMED"),
        ({"without": ("total", "good", "reject")}, "NA_NO_EVIDENCE"),
    ],
)
def test_what_is_withheld_is_missing(about: dict[str, Any], why: str) -> None:
    assert reason(evaluate(press(**about).view(), "press")) == why


def test_the_cycle_of_a_mould_with_many_cavities_is_that_of_the_machine() -> None:
    """A stroke each twelve minutes makes 16 pieces: five cycles are an hour, not four minutes."""
    stroke = np.asarray(np.cumsum(STATES == EXECUTING) // 12)
    many = {"meanings": {"total": Meaning(role="count_total", factor=16.0)}, "counters": {"total": stroke}}
    assert by_name(press(**many, **ALONE))["moves"].times == 0
