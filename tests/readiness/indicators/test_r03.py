"""R03 Alarm usefulness, and what alarms did."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from agent.frame import Alarm
from readiness.alarms import tracks
from readiness.indicators.base import Census, Given, Missing
from readiness.indicators.r03 import INDICATOR
from readiness.plant import About, Meaning
from readiness.records import Condition, Track
from readiness.spans import Spans
from tests.readiness.indicators.press import FAULT
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import BITS, presses, told, view_of, working
from tests.readiness.plant import SECOND, START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from readiness.evidence import DayEvidence

ALARM = Meaning(role="alarm")
STEP = 20
BASE = working(step_s=STEP)
PER_HOUR = 3600 // STEP
FAULTS = np.flatnonzero((BASE.tracks["state"][0][1:] == FAULT) & (BASE.tracks["state"][0][:-1] != FAULT)) + 1
TEXTS: dict[str, dict[str, object]] = {
    "a": {"alarm": Alarm("유압 온도 높음", "high")},
    "b": {"alarm": Alarm("오일 부족", "low")},
}


def story(**alarms: list[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> Story:
    """Return a story whose alarms are active for a minute from each of some readings on."""
    return told(BASE, **{name: (*presses(BASE, at, 3), ALARM) for name, at in alarms.items()})


def measure(of: Story, tags: Mapping[str, Mapping[str, object]] = TEXTS) -> Given:
    found = INDICATOR.evaluate(view_of(of, tags=tags), "press")
    assert isinstance(found, Given)
    return found


def test_alarms_that_tell_come_seldom_and_go_are_perfect() -> None:
    found = measure(story(a=FAULTS, b=FAULTS[:3]))
    assert found.value == 1.0
    assert found.lo < 1.0
    assert found.cap == 100.0
    assert (found.shown["faults"], found.shown["faults_announced"]) == (10, 10)


def test_the_rate_is_the_median_of_all_planned_hours() -> None:
    rng = np.random.default_rng(1)
    at = np.sort(rng.choice(BASE.n // 9, 2600, replace=False)) * 9  # three minutes between them: no chatter
    at = at[(at % BASE.per_day) % PER_HOUR < PER_HOUR - 4]
    found = measure(story(a=np.union1d(at, FAULTS)))
    truth = []
    row = story(a=np.union1d(at, FAULTS)).tracks["a"][0]
    begins = np.flatnonzero((row[1:] == 1) & (row[:-1] == 0)) + 1
    for day in range(14):
        if day % 7 < 5:
            for hour in range(12):
                first = day * BASE.per_day + hour * PER_HOUR
                truth.append(int(((begins >= first) & (begins < first + PER_HOUR)).sum()))
    assert found.shown["alarms_per_hour"] == pytest.approx(median(truth))
    assert found.shown["pace"] == pytest.approx(min(1, 6 / median(truth)))
    assert 6 < median(truth) < 20


def test_three_activations_in_a_minute_are_chatter_and_two_are_none() -> None:
    first = PER_HOUR * 2
    three = told(
        story(b=FAULTS), a=(np.isin(np.arange(BASE.n), [first, first + 2, first + 4]).astype(int), BITS, ALARM)
    )
    assert measure(three).shown["not_chattering"] == 1.0  # 80 s from the first to the third: 2 in each minute
    fast = replace(three, step_s=STEP)
    row = np.zeros(fast.n, np.int64)
    row[[first, first + 1, first + 2]] = [1, 2, 1]
    # Codes of an alarm word are alarms of their own: 1, 2, 1 is no chatter of 1.
    word = told(story(b=FAULTS), a=(row, (0, 1, 2), ALARM))
    assert measure(word).shown["not_chattering"] == 1.0
    assert measure(word).shown["alarms"] == 3


def test_chatter_within_a_minute_is_found() -> None:
    quick = working(step_s=10)
    at = 720 + np.array([0, 2, 4])
    row = np.zeros(quick.n, np.int64)
    row[at] = 1
    faults = np.flatnonzero((quick.tracks["state"][0][1:] == FAULT) & (quick.tracks["state"][0][:-1] != FAULT)) + 1
    of = told(quick, a=(row, BITS, ALARM), b=(*presses(quick, faults, 6), ALARM))
    assert measure(of).shown["not_chattering"] == 0.5


def test_chatter_of_which_only_sums_are_kept_is_found() -> None:
    def cut(day: int, record: DayEvidence) -> DayEvidence:
        part = record.sources[0]
        rest = [8, 1, 300_000, 31 if day == 0 else 30]
        track = Track([False, True], [], True, rest, 100, [8, 100], [])
        return structs.replace(record, sources=[structs.replace(part, tracks={**part.tracks, "press/b": track})])

    view = view_of(story(a=FAULTS, b=FAULTS), tags=TEXTS, edit=cut)
    alarm = next(a for a in tracks(view, "press", lambda _: True) if a.name == "press/b")
    assert alarm.chatters(view.machine_domain("press"))
    assert not alarm.chatters(Spans.between(START + 24 * 3600 * SECOND, START + 10 * 24 * 3600 * SECOND))
    assert len(alarm.activations(view.machine_domain("press"))) == 31 + 9 * 30


def test_an_alarm_that_stands_for_more_than_a_working_day_is_standing() -> None:
    def standing(start_h: float, length_h: float, hole_h: float = 0.0) -> float:
        row = np.zeros(BASE.n, np.int64)
        first, end = int(start_h * PER_HOUR), int((start_h + length_h) * PER_HOUR)
        row[first:end] = 1
        middle = (first + end) // 2
        row[middle : middle + int(hole_h * PER_HOUR)] = NOTHING
        value = measure(told(story(b=FAULTS), a=(row, BITS, ALARM))).shown["not_standing"]
        assert isinstance(value, float)
        return value

    assert standing(2, 25) == 0.5
    assert standing(2, 23) == 1.0
    assert standing(2, 25, 0.5) == 0.5  # nothing says that it went while nobody looked
    assert standing(2, 40, 3) == 1.0
    assert standing(4 * 24 + 11.5, 61) == 1.0  # from Friday evening over the weekend: nobody worked with it
    assert standing(4 * 24 + 10, 64) == 0.5


def test_texts_and_priorities_have_to_say_something() -> None:
    of = story(a=FAULTS, b=FAULTS[:2])
    assert measure(of, {}).shown["text_and_priority"] == 0.0
    assert measure(of, {"a": TEXTS["a"]}).shown["text_and_priority"] == 0.5
    assert measure(of, {**TEXTS, "b": {"alarm": Alarm("test", "low")}}).shown["text_and_priority"] == 0.5
    assert measure(of, {**TEXTS, "b": {"alarm": Alarm("b", "low")}}).shown["text_and_priority"] == 0.5
    many = {name: [100 + 9 * k] for k, name in enumerate("cdef")}
    alike = {name: {"alarm": Alarm(f"{name} 모터 과부하", "medium")} for name in "abcdef"}
    found = measure(story(a=FAULTS, b=FAULTS, **many), alike)
    assert found.shown["text_and_priority"] == 0.0
    assert "ONE_PRIORITY" in found.flags


def test_conditions_of_a_server_are_alarms_with_text_and_severity() -> None:
    def condition(_: int, record: DayEvidence) -> DayEvidence:
        part = record.sources[0]
        track = Track([False, True], [0, 3_600_000, 0, 0, 60_000, 1], False, [], 1, [4, 1], [])
        named = {**part.tracks, "press/alarm:Door": track}
        told_of = {"press/alarm:Door": Condition("문 열림", 700)}
        return structs.replace(record, sources=[structs.replace(part, tracks=named)], alarms=told_of)

    found = INDICATOR.evaluate(view_of(BASE, edit=condition), "press")
    assert isinstance(found, Given)
    assert found.shown["text_and_priority"] == 1.0
    assert found.shown["alarms"] == 1
    assert found.value == 0.0  # and no fault was announced: it is the only alarm and comes at other times


def test_switching_alarms_off_does_not_help() -> None:
    half = measure(story(a=FAULTS[:4], b=FAULTS[:1]))
    assert (half.value, half.cap) == (0.4, 40.0)
    assert half.lo < 0.25, "4 of 10 faults are a sample of faults"
    assert half.hi > 0.6
    assert "FAULTS_WITHOUT_ALARM" in half.flags
    none = measure(story(a=[], b=[]))
    assert (none.value, none.cap) == (0.0, 0.0)


def test_nothing_can_be_said_of_alarms_that_had_no_reason_to_come() -> None:
    quiet = np.where(BASE.tracks["state"][0] == FAULT, 1, BASE.tracks["state"][0])
    calm = replace(BASE, tracks={"state": (quiet, BASE.tracks["state"][1])})
    of = told(calm, a=(np.zeros(BASE.n, np.int64), BITS, ALARM))
    assert INDICATOR.evaluate(view_of(of), "press") == Missing("NA_FEW_EVENTS")


def test_no_alarms_are_not_assessed_unless_somebody_says_so() -> None:
    assert INDICATOR.evaluate(view_of(BASE), "press") == Missing("NA_NO_EVIDENCE")
    none = replace(BASE, about={"about": {"press": About(has_alarms="no")}})
    found = INDICATOR.evaluate(view_of(none), "press")
    assert isinstance(found, Census)
    assert found.value == 0.0
    guess = told(BASE, a=(*presses(BASE, FAULTS), Meaning(role="alarm", origin="guess")))
    assert INDICATOR.evaluate(view_of(guess), "press") == Missing("NA_ROLE_UNCONFIRMED")
    advice = told(BASE, a=(*presses(BASE, FAULTS), Meaning(role="alarm", advice=True)))
    assert INDICATOR.evaluate(view_of(advice), "press") == Missing("NA_NO_EVIDENCE")


def test_not_assessed_without_schedule_or_days() -> None:
    of = story(a=FAULTS)
    assert INDICATOR.evaluate(view_of(replace(of, calendar=WITHOUT_SCHEDULE)), "press") == Missing("NA_NO_SCHEDULE")
    assert INDICATOR.evaluate(replace(view_of(of), length=7), "press") == Missing("NA_SHORT_WINDOW")


def test_what_nobody_reads_is_no_peace() -> None:
    """A flood of alarms, of which two thirds of each day cannot be read, is still a flood."""
    often = np.arange(0, BASE.n, PER_HOUR // 15)
    flood = measure(story(a=np.union1d(often, FAULTS)))
    assert flood.shown["pace"] == pytest.approx(6 / 15, abs=0.05)
    codes, labels = story(a=np.union1d(often, FAULTS)).tracks["a"]

    def dark(hidden: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> object:
        return INDICATOR.evaluate(
            view_of(told(BASE, a=(np.where(hidden, NOTHING, codes), labels, ALARM)), tags=TEXTS), "press"
        )

    hour = np.arange(BASE.n) % BASE.per_day // PER_HOUR
    hidden = dark(hour >= 4)
    assert isinstance(hidden, Given)
    assert hidden.shown["pace"] == pytest.approx(flood.shown["pace"], abs=0.05)
    assert dark(np.arange(BASE.n) // BASE.per_day >= 8) == Missing("NA_SHORT_WINDOW")
