"""Buckets add up exactly whatever is missing; intervals cover the truth, unknown time and all."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from techsquare.diagnosis.accounts import accounts, oee
from techsquare.diagnosis.split import BUCKETS, split
from techsquare.diagnosis.terms import MachineDay, Year
from tests.techsquare.diagnosis.made import FIRST, PLANNED, YEAR, hidden, minutes, on, truth

PARTS = st.floats(0, 1)


@st.composite
def machine_day(draw: st.DrawFn) -> MachineDay:
    """Return a day with any part of it missing."""
    planned = draw(st.floats(0, 86_400))
    cuts = sorted(draw(st.lists(PARTS, min_size=5, max_size=5)))
    rows = [round(planned * (b - a), 6) for a, b in zip([0.0, *cuts], cuts, strict=False)]
    apt = rows[0]
    priced = apt * draw(PARTS)
    ideal = priced * draw(st.floats(0, 1.3))
    checked = ideal * draw(PARTS)

    def maybe(value: float) -> float | None:
        return value if draw(st.booleans()) else None

    has_ideal, has_checked = draw(st.booleans()), draw(st.booleans())
    return MachineDay(
        "press", FIRST, round(planned, 6), sum(rows), production_s=maybe(apt), setup_s=maybe(rows[1]),
        fault_s=maybe(rows[2]), standby_s=maybe(rows[3]), off_s=maybe(rows[4]),
        ideal_s=ideal if has_ideal else None,
        priced_s=priced if has_ideal else None, good_s=checked * draw(PARTS) if has_checked else None,
        checked_s=checked if has_checked else None,
    )  # fmt: skip


@given(machine_day(), st.sampled_from([None, 1.0, 0.97]))
def test_buckets_add_up_to_planned_time_to_the_microsecond(day: MachineDay, scale: float | None) -> None:
    parts = split(day, scale)
    assert tuple(sorted(parts)) == tuple(sorted(BUCKETS))
    assert sum(parts.values()) == round(day.planned_s * 10**6)
    assert all(parts[bucket] >= 0 for bucket in BUCKETS if bucket != "speed")
    made = parts["good"] + parts["scrap"] + parts["speed"] + parts["production"]
    assert made == pytest.approx((day.production_s or 0.0) * 1e6, abs=10)
    if day.ideal_s is None or scale is None:
        assert (parts["good"], parts["scrap"], parts["speed"]) == (0, 0, 0)
    if day.checked_s is None:
        assert (parts["good"], parts["scrap"]) == (0, 0)


def test_a_day_with_more_time_than_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="more time than planned"):
        split(MachineDay("m", FIRST, 10.0, 10.0, production_s=10.1))
    with pytest.raises(ValueError, match="negative"):
        split(MachineDay("m", FIRST, 10.0, 10.0, fault_s=-1.0))


def test_three_machines_have_the_oee_of_their_sums() -> None:
    days = [
        minutes("a", 480, 432, 1.0, 410, 400),
        minutes("b", 120, 30, 2.0, 14, 12),
        minutes("c", 480, 240, 0.5, 440, 435),
    ]
    found = accounts(days, YEAR)
    each = [oee([one]) for one in found]
    assert [round(span.low, 3) for span in each if span is not None] == [0.833, 0.200, 0.453]
    together = oee(found)
    assert together is not None
    assert together.low == together.high
    assert round(together.low, 3) == 0.594
    assert oee([]) is None


def test_what_is_unknown_or_cannot_be_told_apart_lies_between_nothing_and_all_of_it() -> None:
    day = minutes("a", 480, 240, 1.0, 100, 90)
    half = replace(day, planned_s=600 * 60)
    found = oee(accounts([half], YEAR))
    assert found is not None
    assert found == pytest.approx((90 / 600, (90 + 120) / 600))
    blind = replace(day, ideal_s=None, priced_s=None, good_s=None, checked_s=None)
    assert oee(accounts([blind], YEAR)) == pytest.approx((0, 0.5))


@pytest.mark.parametrize("faster", [0.99, 1.0, 1.03, 1.04])
def test_a_little_faster_than_ideal_is_no_loss_of_speed(faster: float) -> None:
    day = minutes("a", 480, 400, 1.0, 400 * faster, 380 * faster)
    (one,) = accounts([day], YEAR)
    assert sum(one.time_us.values()) == 480 * 60 * 10**6
    assert one.time_us["speed"] == pytest.approx(max(0.0, 400 * (1 - faster)) * 60e6, abs=5)
    assert one.time_us["good"] / (one.time_us["good"] + one.time_us["scrap"]) == pytest.approx(0.95)
    assert "faster_than_ideal" not in one.flags


def test_a_wrong_ideal_cycle_tells_nothing_apart_and_says_so() -> None:
    (one,) = accounts([minutes("a", 480, 400, 1.0, 430, 425)], YEAR)
    assert one.time_us["production"] == 400 * 60 * 10**6
    assert {"scrap", "speed", "good"}.isdisjoint(one.shares)
    assert one.flags == ("faster_than_ideal", "no_split")
    assert one.ideal_hour is None


def test_the_same_days_in_any_order_give_the_same_account_whoever_stands_beside() -> None:
    rng = np.random.default_rng(4)
    days = [*truth(rng, 12), *truth(rng, 12, "oven")]
    mixed = days[:]
    Random(1).shuffle(mixed)
    assert accounts(days, YEAR, 7) == accounts(mixed, YEAR, 7)
    assert accounts(days[:12], YEAR, 7) == [one for one in accounts(days, YEAR, 7) if one.machine == "press"]
    assert accounts(days, YEAR, 8) != accounts(days, YEAR, 7)


def test_a_year_has_the_calendar_s_days_and_hours() -> None:
    days = truth(np.random.default_rng(0), 10)
    (mean,) = accounts(days, Year(250.0))
    (told,) = accounts(days, Year(250.0, {"press": 10.0}))
    assert mean.planned_hours == pytest.approx((2000.0, 2000.0))
    assert told.planned_hours == (2500.0, 2500.0)


def test_days_without_planned_time_are_no_production_days() -> None:
    days = truth(np.random.default_rng(0), 10)
    rest = MachineDay("press", on(40), 0.0, 0.0, energy_kwh=3.0)
    assert accounts([*days, rest], YEAR) == accounts(days, YEAR)
    assert accounts([rest], YEAR) == []


def test_flags_tell_what_an_account_rests_on() -> None:
    days = truth(np.random.default_rng(0), 10)
    (mixed,) = accounts([replace(d, formulas="1" if i < 3 else "2") for i, d in enumerate(days)], YEAR)
    assert mixed.flags == ("mixed_formulas",)
    (hand,) = accounts([replace(days[0], source="counted", simulated=0.5), *days[1:]], YEAR)
    assert hand.flags == ("simulated", "counted_days")
    assert hand.source == "counted"


def coverage(runs: int, seed: int, days: int, share: float) -> dict[str, float]:
    """Return how often the span of each bucket holds its long-run share, part of the time being unseen."""
    everything = truth(np.random.default_rng(99), 20_000)
    sums = {b: sum(split(d)[b] for d in everything) / (20_000 * PLANNED * 1e6) for b in BUCKETS}
    rng = np.random.default_rng(seed)
    hits = dict.fromkeys(("scrap", "speed", "setup", "fault", "standby"), 0)
    for run in range(runs):
        seen = [hidden(d, rng, share) for d in truth(rng, days)]
        (one,) = accounts(seen, YEAR, run)
        for bucket in hits:
            low, high = one.shares[bucket]  # type: ignore[index]
            hits[bucket] += low <= sums[bucket] <= high  # type: ignore[index]
    return {bucket: n / runs for bucket, n in hits.items()}


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_spans_hold_the_truth_with_everything_seen_and_with_faults_hidden(share: float) -> None:
    found = coverage(150, 1, 20, share)
    assert min(found.values()) >= 0.83, found  # 90 % less three standard errors at 150 runs
