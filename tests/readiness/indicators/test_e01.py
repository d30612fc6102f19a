"""E01 Metered share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from readiness.indicators.base import Census, Missing, Outcome, Rates
from readiness.indicators.e01 import INDICATOR
from readiness.plant import Bill, Meaning
from tests.readiness.indicators.press import EXECUTING
from tests.readiness.indicators.story import NOTHING, Story
from tests.readiness.indicators.worlds import view_of, working

if TYPE_CHECKING:
    from readiness.evidence import DayEvidence
    from readiness.schedule import Calendar

MAIN = Meaning(role="energy", meter="main")
OWN = Meaning(role="energy", meter="machine")
BASE = working(step_s=300)
WORK = BASE.tracks["state"][0] == EXECUTING
RNG = np.random.default_rng(4)
PRESS_KWH = np.where(WORK, RNG.integers(8, 13, BASE.n), RNG.integers(0, 3, BASE.n))
LATHE_KWH = np.where(WORK, RNG.integers(3, 8, BASE.n), 1)
REST_KWH = RNG.integers(3, 9, BASE.n)


def world(
    main: np.ndarray[tuple[int], np.dtype[np.int64]], **own: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Story:
    counters = {"main": np.cumsum(main), **{name: np.cumsum(kwh) for name, kwh in own.items()}}
    return replace(
        BASE, counters=counters, meanings={**BASE.meanings, "main": MAIN, **dict.fromkeys(own, OWN)}
    )  # fmt: skip


TOTAL_KWH = PRESS_KWH + LATHE_KWH + REST_KWH
PLANT = world(TOTAL_KWH, press=PRESS_KWH, lathe=LATHE_KWH)


def measure(story: Story, **more: object) -> Outcome:
    return INDICATOR.evaluate(view_of(story, **more), "press")  # type: ignore[arg-type]


def rates(story: Story) -> Rates:
    found = measure(story)
    assert isinstance(found, Rates)
    return found


def test_the_machines_meters_of_the_main_meter_all_day_long() -> None:
    found = rates(PLANT)
    day = np.arange(BASE.n) // BASE.per_day
    first = np.zeros(BASE.n, np.bool_)
    first[0] = True  # what was counted before the first reading is not known
    own = np.where(first, 0, PRESS_KWH + LATHE_KWH)
    assert found.num == pytest.approx(np.bincount(day, weights=own))
    assert found.den == pytest.approx(np.bincount(day, weights=np.where(first, 0, TOTAL_KWH)))
    assert found.shown["meters"] == 2
    assert INDICATOR.scope == "plant"


def test_meters_of_several_machines_add_up() -> None:
    lathe = replace(BASE, counters={"own": np.cumsum(LATHE_KWH)}, meanings={**BASE.meanings, "own": OWN})
    found = measure(world(TOTAL_KWH, press=PRESS_KWH), others={"lathe": lathe})
    assert isinstance(found, Rates)
    assert found.num == pytest.approx(rates(PLANT).num)


def test_kwh_by_state_are_shown() -> None:
    shown = rates(world(TOTAL_KWH, press=PRESS_KWH)).shown
    state = BASE.tracks["state"][0]
    total = float(PRESS_KWH[1:].sum())
    assert shown["kwh_executing"] == pytest.approx(float(PRESS_KWH[1:][state[1:] == EXECUTING].sum()) / total)
    assert shown["by_state"] == pytest.approx(1.0)


def test_our_own_outages_change_nothing_because_meters_go_on_counting() -> None:
    off = (np.arange(BASE.n) // BASE.per_day == 3) & (BASE.clock() < 10)
    counters = {name: np.where(off, NOTHING, row) for name, row in PLANT.counters.items()}
    found = rates(replace(PLANT, counters=counters, censored=off))
    assert found.num.sum() == rates(PLANT).num.sum()
    assert found.den.sum() == rates(PLANT).den.sum()


def test_a_meter_that_we_have_not_looked_at_since_lowers_nothing() -> None:
    late = np.arange(BASE.n) // BASE.per_day >= 11
    counters = {n: np.where(late & (n != "main"), NOTHING, row) for n, row in PLANT.counters.items()}
    sources = dict.fromkeys(("state", "press", "lathe"), "press-two.main")
    story = replace(PLANT, counters=counters, sources=sources)

    def ours(day: int, record: DayEvidence) -> DayEvidence:
        whole = [0, record.end_ns - record.start_ns]
        # Their agent did not run; the one that reads the main meter did, and it reads nothing else of the machine.
        kept = [part for part in record.sources if day < 11 or part.source != "press-two.main"]
        return structs.replace(record, sources=kept, censored={"agent_off": {"press-two.main": whole}})

    found = measure(story, edit=lambda d, r: ours(d, r) if d >= 11 else r)
    before = rates(PLANT)
    assert isinstance(found, Rates)
    assert found.num.sum() / found.den.sum() == before.num[:11].sum() / before.den[:11].sum()


def test_more_below_than_in_the_main_meter_is_a_fault_of_wiring() -> None:
    own = PRESS_KWH + LATHE_KWH
    assert isinstance(measure(world(own * 100, own=own * 101)), Rates)
    assert measure(world(own * 100, own=own * 103)) == Missing("NA_METERS_DISAGREE")


def test_a_meter_that_counts_the_same_each_hour_is_an_estimate() -> None:
    found = rates(world(TOTAL_KWH, press=PRESS_KWH, fixed=np.full(BASE.n, 5)))
    assert found.num == pytest.approx(rates(world(TOTAL_KWH, press=PRESS_KWH)).num)
    assert found.flags == ("ESTIMATED",)
    # It need not be constant to the digit if the machine is known to have worked and stood.
    wobble = 50 + (np.arange(BASE.n) // 12 % 2)
    assert rates(world(TOTAL_KWH * 10, press=PRESS_KWH, fixed=wobble)).flags == ("ESTIMATED",)
    stateless = world(TOTAL_KWH * 10, press=PRESS_KWH, fixed=wobble)
    assert rates(replace(stateless, tracks={})).flags == ()
    assert rates(PLANT).flags == ()


def test_nothing_measured_below_the_main_meter_is_zero() -> None:
    assert rates(world(TOTAL_KWH)).num.sum() == 0


def bill(story: Story, kwh: float, month: str = "2026-11", calendar: Calendar | None = None) -> Outcome:
    view = view_of(
        story, say=lambda p: replace(p, bills=[Bill(month="2026-09", kwh=1.0), Bill(month=month, kwh=kwh)])
    )
    return INDICATOR.evaluate(view if calendar is None else replace(view, calendar=calendar), "press")


def test_without_a_main_meter_the_bill_of_a_whole_month_serves() -> None:
    long = working(42, 900)  # 26 October to 6 December: November is whole
    kwh = RNG.integers(1, 9, long.n)
    story = replace(long, counters={"own": np.cumsum(kwh)}, meanings={**long.meanings, "own": OWN})
    # November begins at local midnight: five days and sixteen hours after 26 October, 08:00.
    first, last = (5 * 24 + 16) * 4, (35 * 24 + 16) * 4
    used = float(kwh[first:last].sum())
    found = bill(story, 2 * used)
    assert isinstance(found, Census)
    assert found.value == pytest.approx(0.5)
    assert found.shown["month"] == "2026-11"
    assert found.flags == ("BILL",)
    assert bill(story, used / 1.03) == Missing("NA_METERS_DISAGREE")
    assert bill(story, used, "2026-10") == Missing("NA_SHORT_WINDOW")  # only six days of it
    assert bill(story, used, "2026-12") == Missing("NA_SHORT_WINDOW")


def test_not_assessed_without_main_meter_and_bill_or_with_guesses() -> None:
    own = replace(PLANT, meanings={k: m for k, m in PLANT.meanings.items() if k != "main"})
    assert measure(own) == Missing("NA_NO_EVIDENCE")
    assert measure(replace(PLANT, counters={})) == Missing("NA_NO_EVIDENCE")
    guess = {k: replace(m, origin="guess") if m.role == "energy" else m for k, m in PLANT.meanings.items()}
    assert measure(replace(PLANT, meanings=guess)) == Missing("NA_ROLE_UNCONFIRMED")
    some = {**PLANT.meanings, "lathe": replace(OWN, origin="guess")}
    assert rates(replace(PLANT, meanings=some)).flags == ("GUESSED_LEFT_OUT",)
    main = {**PLANT.meanings, "main": replace(MAIN, origin="guess")}
    assert measure(replace(PLANT, meanings=main)) == Missing("NA_ROLE_UNCONFIRMED")
    gone = np.where(np.arange(BASE.n) // BASE.per_day < 5, NOTHING, PLANT.counters["main"])
    assert measure(replace(PLANT, counters={**PLANT.counters, "main": gone})) == Missing("NA_SHORT_WINDOW")
