"""U03 Closed-loop and system-set control."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from readiness.indicators.base import Census, Missing
from readiness.indicators.u03 import INDICATOR
from readiness.plant import ControlLoop, Meaning
from readiness.records import Loop
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story, holes_and
from tests.readiness.indicators.worlds import MODE, executing, told, view_of, working

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.indicators.base import Outcome

    Bools = NDArray[np.bool_]

STEP = 300
BASE = working(step_s=STEP)
EVERY = np.ones(BASE.n, np.bool_)
NONE = ~EVERY


def loop(name: str, **more: object) -> ControlLoop:
    fields: dict[str, object] = {"op": f"op-{name}", "mode": f"mode-{name}", "band": 2.0, "tau_s": 60.0, **more}
    return ControlLoop(machine="press", name=name, sp=f"sp-{name}", pv=f"pv-{name}", **fields)  # type: ignore[arg-type]


LOOPS = [loop(name) for name in "abc"]


def millis(mask: Bools, day: int) -> list[int]:
    part = mask[day * BASE.per_day : (day + 1) * BASE.per_day]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], part.astype(int), [0]])))
    return holes_and([(int(a) * STEP * 1000, int(b) * STEP * 1000) for a, b in edges.reshape(-1, 2)])


def measure(
    held: Mapping[str, Bools],
    *,
    automatic: Mapping[str, Bools] | None = None,
    known: Mapping[str, Bools] | None = None,
    loops: Sequence[ControlLoop] = LOOPS,
    band: float = 2.0,
    story: Story = BASE,
    tags: Mapping[str, Mapping[str, object]] | None = None,
    mode: Meaning = MODE,
) -> Outcome:
    """Return what comes of loops a, b and c: when each was held, in automatic, and known at all."""
    of = story
    for name in "abc":
        row = np.where((automatic or {}).get(name, EVERY), 1, 0)
        there = (np.zeros(BASE.n, np.int64), (0,), Meaning(role="op"))
        of = told(of, **{f"mode_{name}": (row, (0, 1), mode), f"op_{name}": there, f"pv_{name}": there})

    def edit(day: int, record: DayEvidence) -> DayEvidence:
        kept = {
            f"press/{name}": Loop(
                band, 60_000, millis((known or {}).get(name, EVERY), day), millis(mask, day), []
            )
            for name, mask in held.items()
        }  # fmt: skip
        return structs.replace(record, loops=kept)

    view = view_of(of, edit=edit, say=lambda p: replace(p, loops=loops), tags=tags)
    return INDICATOR.evaluate(view, "press")


def share(*args: object, **more: object) -> float:
    found = measure(*args, **more)  # type: ignore[arg-type]
    assert isinstance(found, Census)
    return found.value


def most(of: float) -> Bools:
    """Return the first readings of executing time that make this share of it, and all others."""
    work = np.flatnonzero(executing(BASE))
    mask = EVERY.copy()
    mask[work[round(of * len(work)) :]] = False
    return mask


ALL = dict.fromkeys("abc", EVERY)


@pytest.mark.parametrize(("of", "credited"), [(1.0, 1), (0.91, 1), (0.89, 0), (0.0, 0)])
def test_a_loop_is_held_for_nine_tenths_of_executing_time(of: float, credited: int) -> None:
    assert share({**ALL, "c": most(of)}) == pytest.approx((2 + credited) / 3)
    assert share(ALL, automatic={"c": most(of)}) == pytest.approx((2 + credited) / 3)


def test_both_conditions_are_needed_and_idle_time_does_not_count() -> None:
    assert share({**ALL, "c": most(0.95)}, automatic={"c": ~most(0.05)}) == 1.0
    assert share({**ALL, "c": executing(BASE)}, automatic={"c": executing(BASE)}) == 1.0


def test_time_in_which_a_loop_is_not_known_is_left_out_and_too_much_of_it_makes_it_ineligible() -> None:
    known = most(0.6)
    assert share({**ALL, "c": known & most(0.59)}, known={"c": known}) == 1.0
    assert measure(ALL, known={"c": most(0.4)}) == Missing("NA_FEW_EVENTS")


def test_fewer_than_three_eligible_loops_are_not_assessed() -> None:
    assert measure({"a": EVERY, "b": EVERY}) == Missing("NA_FEW_EVENTS")
    assert measure(ALL, loops=LOOPS[:2]) == Missing("NA_FEW_EVENTS")
    for lacking in ({"op": None}, {"mode": None}, {"band": None}):
        assert measure(ALL, loops=[*LOOPS[:2], loop("c", **lacking)]) == Missing("NA_FEW_EVENTS")
    assert measure(ALL, mode=Meaning(role="mode")) == Missing("NA_FEW_EVENTS")


def test_a_set_point_that_a_system_writes_is_enough() -> None:
    system = [*LOOPS[:2], loop("c", mode=None, op=None, by_system="yes")]
    assert share({**ALL, "c": NONE}, loops=system) == 1.0
    assert share({**ALL, "c": NONE}, loops=[*LOOPS[:2], loop("c", by_system="no")]) == pytest.approx(2 / 3)
    said = measure({**ALL, "c": NONE}, loops=system)
    assert isinstance(said, Census)
    assert said.flags == ("SYSTEM_SAID",), "reads do not show who writes"


def test_a_band_wider_than_the_mentors_earns_nothing() -> None:
    assert measure(ALL, band=50.0) == Missing("NA_FEW_EVENTS")  # recorded with a wide one
    ranges = {"pv-c": {"eu_range": (0.0, 7.0)}}  # 4 of 7: outside is hardly possible
    assert share(ALL, tags=ranges) == pytest.approx(2 / 3)
    assert share(ALL, tags={"pv-c": {"eu_range": (0.0, 100.0)}}) == 1.0


def test_not_assessed_without_loops_states_or_schedule() -> None:
    assert measure(ALL, loops=[]) == Missing("NA_NO_EVIDENCE")
    assert measure(ALL, story=replace(BASE, meanings={})) == Missing("NA_NO_EVIDENCE")
    assert measure(ALL, story=replace(BASE, calendar=WITHOUT_SCHEDULE)) == Missing("NA_NO_SCHEDULE")
    dark = replace(BASE, tracks={"state": (np.full(BASE.n, NOTHING), (0, 1))})
    assert measure(ALL, story=dark) == Missing("NA_NO_EVIDENCE")
