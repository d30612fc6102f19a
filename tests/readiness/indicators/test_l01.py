"""L01 Live data points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from agent.frame import DataType
from readiness.indicators.base import Census, Missing, Outcome
from readiness.indicators.l01 import INDICATOR
from readiness.plant import Installed, Meaning
from readiness.records import Track
from tests.readiness.indicators.press import EXECUTING, PV, TOTAL, noisy, pieces
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import BITS, presses, told, view_of, working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

BASE = working(14, 300)
DAY = np.arange(BASE.n) // BASE.per_day
WORK = BASE.tracks["state"][0] == EXECUTING
LAST = 11
"""Friday of the second week."""


def measure(story: Story, points: Mapping[str, str | None], **more: object) -> Outcome:
    system = Installed(id="mes", name="MES", kind="mes", points=points)
    view = view_of(story, say=lambda p: replace(p, systems=[system]), **more)  # type: ignore[arg-type]
    return INDICATOR.evaluate(view, "press")


def of(row: Floats, meaning: Meaning = PV, tags: Mapping[str, object] | None = None, **more: object) -> str:
    """Return what one point with this row is said to be."""
    story = replace(BASE, values={"x": row}, meanings={**BASE.meanings, "x": meaning}, **more)  # type: ignore[arg-type]
    found = measure(story, {"P1": "press/x"}, tags={"x": tags} if tags else {})
    assert isinstance(found, Census)
    assert found.value == (found.shown["live"] == 1)
    return next(word for word in ("live", "bad", "still", "noise", "unread") if found.shown[word])


def test_a_point_lives_if_it_is_good_lately_and_moves_while_executing() -> None:
    moving = noisy(BASE.n)
    assert of(moving) == "live"
    assert of(np.where(DAY >= LAST, np.nan, moving)) == "bad"  # gone since Friday morning
    assert of(np.where((DAY == LAST) & (BASE.clock() < 11.9), np.nan, moving)) == "live"
    assert of(np.where(DAY >= LAST + 1, np.nan, moving)) == "live"  # at a weekend nothing has to be there
    assert of(np.where(DAY >= 4, 7.0, moving)) == "still"  # nothing since Friday of the week before
    assert of(np.where(DAY >= 5, 7.0, moving)) == "still"  # the weekend's movement is no work
    assert of(np.where(DAY >= 8, 7.0, moving)) == "live"


def test_a_quiet_sunday_with_few_values_hides_no_other_day() -> None:
    def sunday(day: int, record: DayEvidence) -> DayEvidence:
        if day != 6:
            return record
        track = Track([50.0, 51.0], [86_280_000, 60_000, 0, 0, 60_000, 1], False, [], 1, [95, 1], [])
        source = structs.replace(record.sources[0], tracks={**record.sources[0].tracks, "press/x": track})
        return structs.replace(record, sources=[source])

    story = replace(BASE, values={"x": noisy(BASE.n)}, meanings={**BASE.meanings, "x": PV})
    found = measure(story, {"P1": "press/x"}, edit=sunday)
    assert isinstance(found, Census)
    assert found.shown["live"] == 1


def test_movement_while_idle_is_no_life() -> None:
    idle = np.where(WORK, 7.0, noisy(BASE.n))
    # Quarter hours are what is kept of values: those that touch executing time, or come before one, are left still.
    quarter = np.arange(BASE.n) // 3
    touched = np.isin(quarter, quarter[WORK]) | np.isin(quarter + 1, quarter[WORK])
    assert of(np.where(touched, 7.0, idle)) == "still"


def test_uncertain_readings_are_not_good() -> None:
    assert of(noisy(BASE.n), uncertain={"x": DAY >= LAST}) == "bad"


@pytest.mark.parametrize("role", ["alarm", "sp", "mode", "recipe", "product", "order", "reason", "intervention"])
def test_what_need_not_change_only_has_to_be_good(role: str) -> None:
    constant = np.full(BASE.n, 7.0)
    assert of(constant, Meaning(role=role)) == "live"
    assert of(constant, Meaning(role=role, origin="guess")) == "still"
    assert of(np.where(DAY >= LAST, np.nan, constant), Meaning(role=role)) == "bad"


def flicker(levels: int, where: Bools | None = None) -> Floats:
    row: Floats = np.asarray(100 + np.random.default_rng(2).integers(0, levels, BASE.n) * 0.1, np.float64)
    if where is not None:
        row[~where] = 100.0
    return row


def test_the_noise_of_an_input_without_a_sensor_is_no_life() -> None:
    assert of(flicker(2)) == "noise"
    assert of(flicker(3)) == "noise"
    assert of(flicker(5)) == "live"
    assert of(flicker(3, WORK)) == "live"  # it moves with the machine: small, but a measurement
    assert of(flicker(3), Meaning(role="count_total")) == "live"
    assert of(flicker(3), PV, {"instrument_range": (99.0, 101.0)}) == "live"  # a tenth of all it can be
    assert of(flicker(3), PV, {"instrument_range": (0.0, 1000.0)}) == "noise"


def test_tracks_and_counters_live_too() -> None:
    def one(story: Story) -> float:
        found = measure(story, {"P1": "press/x"})
        assert isinstance(found, Census)
        return found.value

    changing = told(BASE, x=(*presses(BASE, np.flatnonzero(WORK)[::5]), Meaning(role="cycle")))
    assert one(changing) == 1.0
    still = told(BASE, x=(np.zeros(BASE.n, np.int64), BITS, Meaning(role="cycle")))
    assert one(still) == 0.0
    idle = told(BASE, x=(*presses(BASE, np.flatnonzero(~WORK)[2::7]), Meaning(role="cycle")))
    between = idle.tracks["x"][0]
    edges = np.flatnonzero(np.diff(between)) + 1
    assert one(idle) == float(WORK[edges[DAY[edges] >= 5]].any())
    counting = replace(
        BASE, counters={"x": pieces(BASE.tracks["state"][0])}, meanings={**BASE.meanings, "x": TOTAL}
    )
    assert one(counting) == 1.0
    stopped = replace(counting, counters={"x": np.minimum(counting.counters["x"], 300)})
    assert one(stopped) == 0.0


def test_a_text_that_says_more_than_a_track_holds_lives() -> None:
    serials = [f"SN-{k:05d}" for k in range(BASE.n)]
    story = told(BASE, x=(np.arange(BASE.n), serials, Meaning(role="lot")))
    for dtype, live in ((DataType.STRING, 1.0), (DataType.INT32, None)):
        found = measure(replace(story, dtypes={"x": dtype}), {"P1": "press/x"})
        assert getattr(found, "value", None) == live  # of a number without a record nobody can tell


def test_every_installed_point_is_in_the_denominator() -> None:
    values = {"a": noisy(BASE.n, 1), "b": noisy(BASE.n, 2), "c": np.full(BASE.n, 3.0)}
    story = replace(BASE, values=values, meanings={**BASE.meanings, **dict.fromkeys(values, PV)})
    points = {"1": "press/a", "2": "press/b", "3": "press/c", "4": None, "5": "press/gone"}
    found = measure(story, points)
    assert isinstance(found, Census)
    assert (found.value, found.n) == (0.4, 5)
    assert found.flags == ("UNREAD_POINTS",)
    assert (found.shown["unread"], found.shown["still"], found.shown["bad"]) == (1, 1, 1)
    for dead in range(1, 4):  # a dead point never raises the value
        more = measure(story, {**points, **{f"dead{k}": None for k in range(dead)}})
        assert isinstance(more, Census)
        assert more.value < found.value
    assert INDICATOR.scope == "plant"


def test_points_that_we_missed_ourselves_are_not_judged() -> None:
    everything = np.ones(BASE.n, np.bool_)
    story = replace(BASE, values={"x": noisy(BASE.n)}, meanings={**BASE.meanings, "x": PV}, censored=everything)
    assert measure(story, {"P1": "press/x"}) == Missing("NA_SELF_FAULT")
    friday = replace(story, censored=LAST <= DAY, values={"x": np.where(DAY >= LAST, np.nan, noisy(BASE.n))})
    found = measure(friday, {"P1": "press/x"})
    assert isinstance(found, Census)
    assert found.value == 1.0  # Thursday is the last day that counts


def test_without_a_state_planned_time_stands_for_executing() -> None:
    story = replace(BASE, tracks={}, values={"x": noisy(BASE.n)}, meanings={"x": PV})
    found = measure(story, {"P1": "press/x"})
    assert isinstance(found, Census)
    assert found.value == 1.0
    assert found.flags == ("STATE_UNKNOWN",)


def test_not_assessed_without_a_list_evidence_or_schedule() -> None:
    assert measure(BASE, {}) == Missing("NA_NO_EVIDENCE")
    assert measure(replace(BASE, calendar=WITHOUT_SCHEDULE), {"1": "press/state"}) == Missing("NA_NO_SCHEDULE")
    view = replace(view_of(BASE), days=[])
    system = Installed(id="mes", name="MES", kind="mes", points={"1": "press/state"})
    empty = replace(view, plant=replace(view.plant, systems=[system]))
    assert INDICATOR.evaluate(empty, "press") == Missing("NA_NO_EVIDENCE")
