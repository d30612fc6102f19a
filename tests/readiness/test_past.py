"""What earlier windows say, against the same windows assessed from the beginning."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from contract.codec import encode
from contract.report import Levels
from readiness.hysteresis import Judged, settled
from readiness.inventory import Machine
from readiness.past import Past
from readiness.plant import configured
from readiness.report import Assessment, assess
from readiness.trend import trend
from tests.readiness.plant import CALENDAR, DAY, FIRST, SITE, START, Plant, model
from tests.readiness.test_trend import LATHE, PRESS, fading

if TYPE_CHECKING:
    from collections.abc import Mapping

PLANT = Plant([PRESS, LATHE], days=57, status=fading)
EVIDENCE = PLANT.evidence()
ALONE = Plant([PRESS], days=28, status=fading).evidence()
WEEKS = 4  # that end on a Sunday before the last day, with all of their days kept


def known(days: int, evidence: Mapping[str, bytes] = EVIDENCE, weight: float = 1.0, *machines: str) -> Assessment:
    inventory = [Machine(m, m, weight if m == "press" else 1.0) for m in machines or ("press", "lathe")]
    plant = configured(PLANT.sources, inventory)
    return assess(evidence, {}, PLANT.sources, plant, CALENDAR, START + days * DAY, model(), SITE)


def looked(past: Past, now: Assessment) -> int:
    """Look at everything; return how many windows that took."""
    steps = 0
    while past.step(now):
        steps += 1
    return steps


@pytest.fixture(scope="module")
def past() -> Past:
    found = Past()
    assert found.of(known(56)) is None, "nobody has looked"
    assert looked(found, known(56)) == WEEKS + 1
    return found


def test_the_trend_is_that_of_two_windows_assessed_each_on_its_own(past: Past) -> None:
    now = known(56)
    told = past.of(now)
    assert told is not None
    assert told.trend is not None
    before, expected = known(28), trend(known(28), now)
    assert (told.trend.first, told.trend.last) == tuple(d.isoformat() for d in before.view.dates[::27])
    dimensions = {d.id for d in model().dimensions.dimensions}
    wanted = [c for c in expected.changes if c.id in dimensions or c.called != "none"]
    assert told.trend.panel == len(expected.panel) == 2
    assert [c.id for c in told.trend.changes] == [c.id for c in wanted]
    assert "C03" in [c.id for c in told.trend.changes]
    for one, other in zip(told.trend.changes, wanted, strict=True):
        assert (one.before, one.after, one.called) == (other.before, other.after, other.called)
        assert (one.lo, one.hi) == pytest.approx((other.lo, other.hi), abs=1.0), "intervals are drawn anew"


def test_the_level_is_that_of_all_windows_each_on_its_own(past: Past) -> None:
    now = known(56)
    told = past.of(now)
    assert told is not None
    windows = [known(56 - 7 * back) for back in range(WEEKS + 1)]
    line = [Judged(w.view.dates[0], w.view.dates[-1], w.level, ("", "")) for w in windows]
    found = settled(line)
    assert found is not None
    assert told.standing is not None
    assert (told.standing.level, told.standing.since) == (found.level, found.since.isoformat())
    assert told.standing.windows == WEEKS + 1


def test_the_report_says_it_and_looking_twice_costs_nothing(past: Past) -> None:
    now = known(56)
    assert now.plant().trend is None, "nobody looks back unless told to"
    now.past = past
    report = now.plant()
    told = past.of(now)
    assert told is not None
    assert (report.trend, report.standing) == (told.trend, told.standing)
    again = known(56)
    again.past = past
    assert looked(past, again) == 0
    assert encode(again.plant()) == encode(report)


def test_a_new_day_costs_one_window_and_a_new_week_two(past: Past) -> None:
    assert looked(past, known(57)) == 2, "the one to compare with, and the week that ended on the day before"
    assert looked(past, known(57)) == 0
    assert looked(past, known(56)) == 1, "what a new day has pushed out is forgotten"


def test_another_answer_has_everything_looked_at_again(past: Past) -> None:
    now = known(56, EVIDENCE, 2.0)
    assert past.of(now) is None
    other = Past()
    assert looked(other, now) == WEEKS + 1
    told = other.of(now)
    assert told is not None
    assert told.trend is not None, "both windows are measured with the new weights"


def test_a_day_that_was_computed_anew_is_looked_at_again() -> None:
    other = Past()
    looked(other, known(56))
    third = (FIRST + timedelta(days=30)).isoformat()
    changed = {**EVIDENCE, third: EVIDENCE[third].replace(b'"late":0', b'"late":1')}
    assert changed != EVIDENCE
    assert looked(other, known(56, changed)) == WEEKS - 1, "the windows that the day lies in or before"


def test_a_machine_that_was_connected_later_is_new_and_not_compared() -> None:
    evidence = {day: ALONE.get(day, raw) for day, raw in EVIDENCE.items()}
    other, now = Past(), known(56, evidence, 1.0, "press", "lathe", "oven")
    looked(other, now)
    told = other.of(now)
    assert told is not None
    assert told.trend is not None
    assert (told.trend.added, told.trend.gone) == (["lathe"], [])
    assert told.trend.panel == 2, "the press, and the oven that neither window knows"
    link = next(c for c in told.trend.changes if c.id == "C03")
    assert link.called == "better"


def test_without_earlier_days_there_is_nothing_to_look_at() -> None:
    now = known(28)
    other = Past()
    assert not other.step(now)
    told = other.of(now)
    assert told is not None
    assert told.trend is None
    assert told.standing is not None
    assert (told.standing.level, told.standing.windows) == (now.level, 1)
    assert told.standing.since == FIRST.isoformat()


def test_a_window_of_few_production_days_says_no_level() -> None:
    now = known(8)
    told = Past().of(now)
    assert told is not None
    assert told.standing is None
    assert isinstance(now.level, Levels)
    assert now.view.dates[-1] == date.fromisoformat("2026-11-02")
