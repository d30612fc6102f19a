"""The mentor's answers about the simulated factory: right, true to the simulation, and of its own 28 days."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import demo
from answers.load import load
from answers.plant import join
from demo.mentor import answers
from demo.plan import history_days
from demo.timeline import SECOND, State
from tests.demo.conftest import NOW_NS

if TYPE_CHECKING:
    from answers.load import Given
    from tests.demo.conftest import Plant

TEMPLATE = Path(demo.__file__).with_name("answers.yaml").read_text("utf-8")
WEEK_NS = 7 * 86_400 * SECOND


def filled(plant: Plant, now_ns: int = NOW_NS) -> str:
    calendar = plant.config.calendar()
    return answers(TEMPLATE, plant.machines, calendar, history_days(calendar, now_ns))


@pytest.fixture(scope="module")
def given(plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> Given:
    file = tmp_path_factory.mktemp("mentor") / "answers.yaml"
    file.write_text(filled(plant), "utf-8")
    return load(file, "ko")


def test_what_is_answered_fits_the_configuration(plant: Plant, given: Given) -> None:
    asked = [source for source in plant.config.sources() if source.mode != "burst"]
    joined = join(asked, plant.config.inventory(), plant.config.calendar(), [given])
    assert joined.plant.contradictions == ()
    assert joined.plant.of("meter-1").kind == "utility"
    assert len(joined.plant.loops) == 4
    read = {f"{s.machine}/{s.id}" for source in asked for s in source.signals}
    points = [point for system in joined.plant.systems for point in system.points.values()]
    assert {point for point in points if point is not None} <= read
    assert points.count(None) == 4, "points that the system has and nobody fills"


def test_people_count_what_the_machine_made_and_not_what_its_counter_shows(plant: Plant, given: Given) -> None:
    zone = ZoneInfo(plant.config.time.zone)
    counts = {hand.machine: hand for hand in given.answers.hand_counts}
    assert counts.keys() == {"press-1", "cnc-1", "mold-1", "conveyor-1"}, "all that are connected and make pieces"
    for name, hand in counts.items():
        ends = np.array([round(at.replace(tzinfo=zone).timestamp()) * SECOND for at in (hand.from_, hand.to)])
        machine = plant.machines[name]
        made = int(np.diff(machine.timeline.at(ends).cycle)[0])
        assert hand.total == made > 100
        counter = "part-count" if name == "conveyor-1" else "cycle-count"
        shown = int(np.diff(machine.columns([counter], ends)[0])[0])
        assert (shown == made) == (name != "conveyor-1"), "its light barrier misses some"
        assert abs(shown / made - 1) < 0.02
        if hand.good is not None:
            assert hand.reject is not None
            assert hand.good + hand.reject == hand.total


def test_entered_reasons_are_changeovers_and_some_are_forgotten(plant: Plant, given: Given) -> None:
    zone = ZoneInfo(plant.config.time.zone)
    for name in ("press-1", "cnc-1", "mold-1"):
        life = plant.machines[name].timeline
        entered = [reason for reason in given.answers.stop_reasons if reason.machine == name]
        middles = [
            round((r.from_.replace(tzinfo=zone).timestamp() + r.to.replace(tzinfo=zone).timestamp()) / 2) * SECOND
            for r in entered
        ]
        assert (life.at(np.array(middles)).state == State.SETUP).all()
        first, last = middles[0], middles[-1]
        begun = life.start_ns[life.state == State.SETUP]
        assert len(entered) < int(((begun >= first - 3600 * SECOND) & (begun <= last)).sum())


def test_the_dates_move_with_the_demo(plant: Plant) -> None:
    assert filled(plant) == filled(plant), "the same past, the same text"
    assert filled(plant) != filled(plant, NOW_NS - WEEK_NS)
    calendar = plant.config.calendar()
    day = history_days(calendar, NOW_NS - WEEK_NS)[-1]  # a Wednesday
    assert f"date: {day}" in filled(plant, NOW_NS - WEEK_NS)
    assert datetime.fromtimestamp(NOW_NS // SECOND, ZoneInfo(calendar.zone)).date() > day
