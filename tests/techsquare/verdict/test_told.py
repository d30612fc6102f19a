"""A verdict as the product gives it, from days: the rule's arithmetic, and never more than the plan allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from techsquare.verdict.phases import windows
from techsquare.verdict.rule import WORDS, extend, reference, tell
from techsquare.verdict.terms import ALPHAS, LEAST_COVERAGE, LEAST_DAYS
from techsquare.verdict.told import verdict
from tests.techsquare.verdict.shop import FIRST, noise, plan_of, series_of

if TYPE_CHECKING:
    from techsquare.verdict.terms import Floats, Over, Plan, Series

DAYS = 30
SITES = {"site": ["home"] * 8, "sites": list("aabbccde")}


def shop(rng: np.random.Generator, plan: Plan, sites: list[str], gain: float, *, lost: float = 0.1) -> list[Series]:
    """Days of a treated machine and of others, to the end of the extension."""
    length = (plan.extended_to - FIRST).days
    values = 60 + noise(rng, 0.5, (len(sites) + 1, length))
    values[0, (plan.installed - FIRST).days :] += gain
    names = ["t", *plan.controls]
    where = ["home", *sites]
    return [
        series_of(values[i], names[i], where[i], rng=rng, lost=lost, idle=0.1) for i in range(len(names))
    ]  # fmt: skip


def sums(plan: Plan, series: list[Series], look: int) -> Floats:
    """Changes by sums over masked arrays, without the product's code."""
    before, after = windows(plan, 1 if look == 0 else 2)
    day = np.array([(one - FIRST).days for one in series[0].days])
    num, den, coverage = (np.array([getattr(one, name) for one in series]) for name in ("num", "den", "coverage"))
    counts = (den > 0) & (coverage >= LEAST_COVERAGE)
    counts &= counts[0]
    values = []
    for window in (before, after):
        inside = counts & (day >= (window.first - FIRST).days) & (day <= (window.last - FIRST).days)
        values.append((num * inside).sum(axis=1) / (den * inside).sum(axis=1))
    return np.asarray(values[1] - values[0])


@pytest.mark.parametrize("over", ["site", "sites"])
def test_a_verdict_is_the_arithmetic_that_the_simulation_proves(over: Over) -> None:
    """Some hundred projects, days lost and unplanned, told one by one and as one array."""
    plan = plan_of([f"c{i}" for i in range(8)], over, DAYS)
    rng = np.random.default_rng(1)
    runs = [shop(rng, plan, SITES[over], gain) for gain in np.repeat([0.0, 3.0, 6.0, -6.0], 40)]
    looks = []
    for look, alpha in enumerate(ALPHAS):
        changes = np.array([sums(plan, run, look) for run in runs])
        beside = reference(changes[:, 1:], SITES[over], over)
        looks.append(tell(changes[:, 0], beside, alpha, plan.least, plan.sign))
    told = extend(looks[0], looks[1], plan.least, plan.sign)
    words = set()
    for i, run in enumerate(runs):
        last = first = verdict(plan, run)
        if first.word == "cannot_tell":
            last = verdict(plan, run, first)
        words.add(last.word)
        expected = WORDS[int(told.word[i])]
        assert last.word == expected or (last.word == "cause_not_shown" and expected == "cannot_tell")
        assert (last.estimate, last.low, last.high) == pytest.approx((told.estimate[i], told.low[i], told.high[i]))
    assert {"improved", "worse", "cannot_tell", "cause_not_shown"} <= words


def test_without_comparison_machines_it_never_says_improved_or_anything_decided() -> None:
    rng = np.random.default_rng(2)
    words = list[str]()
    for run in range(150):
        plan = plan_of([], "none", DAYS) if run % 2 else plan_of(["c0", "c1", "c2", "c3"], "site", DAYS)
        series = shop(rng, plan, ["home"] * len(plan.controls), float(rng.choice([-30, 0, 0, 30])))
        first = verdict(plan, series)
        words += [first.word, verdict(plan, series, first).word]
        assert first.estimate is first.low is first.larger_than is first.placebo is None
        assert first.own is not None
    assert set(words) == {"cannot_tell", "cause_not_shown"}
    assert words.count("cause_not_shown") > 100


def test_lost_comparison_machines_take_the_claim_with_them() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    series = shop(np.random.default_rng(4), plan, ["home"] * 6, 30.0)
    assert verdict(plan, series).word == "improved"
    few = verdict(plan, series[:5])
    assert (few.word, few.controls, few.why) == ("cause_not_shown", 4, ("controls_lost",))
    gone = [replace(one, coverage=np.where(np.arange(len(one.days)) > 60, 0.0, 1.0)) for one in series[5:]]
    assert verdict(plan, series[:5] + gone).why == ("controls_lost",)


def test_a_change_is_a_ratio_of_sums() -> None:
    """Long bad days and short good ones after: the mean of ratios would rise, the ratio of sums falls."""
    plan = plan_of([f"c{i}" for i in range(5)], "site", DAYS)
    length = (plan.verdict_on - FIRST).days
    late = np.arange(length) >= (plan.installed - FIRST).days
    odd = np.arange(length) % 2 == 0
    values = np.where(late, np.where(odd, 50.0, 74.0), 60.0)
    den = np.where(late & odd, 1800.0, 200.0)
    treated = replace(series_of(values, "t"), num=values * den, den=den)
    rng = np.random.default_rng(5)
    others = [series_of(60 + noise(rng, 0.3, (length,), 0.5), f"c{i}") for i in range(5)]
    told = verdict(plan, [treated, *others])
    assert told.word == "worse"
    assert told.own is not None
    assert told.own[0] == pytest.approx((50 * 1800 + 74 * 200) / 2000 - 60, abs=0.2)


def test_days_that_do_not_count_are_counted() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    series = shop(np.random.default_rng(6), plan, ["home"] * 6, 0.0, lost=0.3)
    told = verdict(plan, series)
    before, after = windows(plan, 1)
    for i, window in enumerate((before, after)):
        inside = np.array([window.holds(day) for day in series[0].days])
        low = inside & (series[0].den > 0) & (series[0].coverage < LEAST_COVERAGE)
        whole = inside & (series[0].den > 0) & ~low
        assert (told.days[i], told.dropped[i]) == (int(whole.sum()), int(low.sum()))
    assert "dropped_days" in told.why


def test_blackout_and_a_late_installation_are_left_out() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    series = shop(np.random.default_rng(7), plan, ["home"] * 6, 0.0, lost=0.0)
    came = plan.installed + timedelta(days=5)
    told = verdict(plan, series, installed=came)
    day = np.array([(one - plan.installed).days for one in series[0].days])
    for shift, found in ((0, verdict(plan, series)), (5, told)):
        hidden = (day >= -14) & (day <= 14 + shift)
        wild = [replace(one, num=np.where(hidden, 1e6, one.num)) for one in series]
        again = verdict(plan, wild, installed=plan.installed + timedelta(days=shift))
        assert (again.estimate, again.days) == (found.estimate, found.days)
    assert "late" in told.why
    assert told.days[1] < verdict(plan, series).days[1]


def test_too_few_days_say_nothing() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    series = shop(np.random.default_rng(8), plan, ["home"] * 6, 30.0, lost=0.0)
    dark = replace(series[0], coverage=np.where(np.arange(len(series[0].days)) > 60, 0.0, 1.0))
    told = verdict(plan, [dark, *series[1:]])
    assert (told.word, told.why[-1], told.own) == ("cannot_tell", "few_days", None)


def test_comparison_machines_that_do_not_move_allow_no_claim() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    length = (plan.extended_to - FIRST).days
    still = [series_of(np.full(length, 60.0), f"c{i}") for i in range(6)]
    treated = series_of(np.where(np.arange(length) > DAYS, 80.0, 60.0), "t")
    told = verdict(plan, [treated, *still])
    assert (told.word, told.why) == ("cause_not_shown", ("still",))


def test_order_of_series_does_not_matter_and_several_treated_machines_are_one_draw() -> None:
    plan = plan_of([f"c{i}" for i in range(8)], "site", DAYS, treated=("t", "u"))
    rng = np.random.default_rng(9)
    series = shop(rng, plan, ["home"] * 8, 20.0)
    second = replace(series_of(60 + noise(rng, 0.5, (len(series[0].days),)), "u"))
    whole = [*series, second]
    told = verdict(plan, whole)
    assert told == verdict(plan, whole[::-1])
    assert told.word == "improved"
    assert told.estimate == pytest.approx(10, abs=4)
    one = verdict(plan_of([f"c{i}" for i in range(8)], "site", DAYS), series)
    assert told.high is not None
    assert told.low is not None
    assert one.high is not None
    assert one.low is not None
    assert told.high - told.low == pytest.approx(one.high - one.low, rel=0.25)


def test_an_extension_follows_only_a_look_that_decided_nothing() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    series = shop(np.random.default_rng(10), plan, ["home"] * 6, 30.0)
    first = verdict(plan, series)
    with pytest.raises(ValueError, match="decided nothing"):
        verdict(plan, series, first)
    with pytest.raises(ValueError, match="same plan"):
        verdict(plan, series, replace(first, word="cannot_tell", plan="another"))


def test_placebo_dates_are_those_with_enough_days_on_both_sides() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", DAYS)
    rng = np.random.default_rng(11)
    series = [
        series_of(60 + noise(rng, 0.5, ((plan.extended_to - FIRST).days,)), name)
        for name in ("t", *plan.controls)
    ]  # fmt: skip
    told = verdict(plan, series)
    assert [one.on for one in told.placebos] == [
        FIRST + timedelta(days=day) for day in range(LEAST_DAYS, DAYS - LEAST_DAYS + 1)
    ]
    values = np.array([one.num / one.den for one in series])
    for one in told.placebos:
        cut = (one.on - FIRST).days
        moved = values[:, cut:DAYS].mean(axis=1) - values[:, :cut].mean(axis=1)
        assert one.estimate == pytest.approx(moved[0] - moved[1:].mean())
    assert told.estimate is not None
    larger = sum(abs(one.estimate) >= abs(told.estimate) for one in told.placebos)
    assert told.placebo == larger / len(told.placebos)


def test_no_change_says_larger_than_what() -> None:
    plan = plan_of([f"c{i}" for i in range(8)], "site", DAYS, least=12.0)
    series = shop(np.random.default_rng(12), plan, ["home"] * 8, 0.0)
    told = verdict(plan, series)
    assert told.low is not None
    assert told.high is not None
    assert (told.word, told.larger_than) == ("no_change", max(-told.low, told.high))
    with pytest.raises(ValueError, match="changed after it was frozen"):
        verdict(replace(plan, least=40.0), series)
    sure = plan_of([f"c{i}" for i in range(8)], "site", DAYS, least=40.0)
    improved = verdict(sure, shop(np.random.default_rng(12), plan, ["home"] * 8, 20.0))
    assert (improved.word, improved.why) == ("improved", ("below_least",))
