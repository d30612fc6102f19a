"""The watch over a gain: its budget of false alarms, what it finds, and that the product runs what is simulated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from techsquare.verdict.decay import WITHIN, YEAR, Watch, alarm_level, cell, found, look, memory_of, start
from techsquare.verdict.phases import windows
from tests.techsquare.verdict.shop import FIRST, noise, plan_of, series_of
from tests.techsquare.verdict.tables import first_alarm, watch_row
from tests.techsquare.verdict.test_rule import at_least, at_most

RUNS = 500


@pytest.mark.parametrize(("rho", "days", "gain"), [(0.3, 60, 2.25), (0.5, 40, 3.25)])
def test_stable_gains_seldom_alarm_and_half_a_large_one_is_found_in_time(
    rho: float, days: int, gain: float
) -> None:
    row = watch_row(rho, days, gain, RUNS, 3)
    assert at_most(round(row.false * RUNS), RUNS, 0.05), row
    assert at_least(round(row.found * RUNS), RUNS, 0.8), row


def test_memory_and_sd_are_found_on_average() -> None:
    rng = np.random.default_rng(2)
    for rho in (0.0, 0.3, 0.7):
        days = noise(rng, rho, (4000, 50), 3.0)
        phases = [days, 7 + noise(rng, rho, (4000, 50), 3.0)]
        others = [noise(rng, rho, (4000, 6, 50), 1.0), noise(rng, rho, (4000, 6, 50), 1.0)]
        sd, seen = memory_of(phases, others)
        assert np.mean(seen) == pytest.approx(rho, abs=0.05)
        lone = memory_of(phases)[1]
        assert np.mean(lone) > np.mean(seen)
        assert np.std(seen) < 0.8 * np.std(lone)
        assert np.sqrt(np.mean(sd**2)) == pytest.approx(3, rel=0.05)


def test_what_h_is_made_for_is_never_easier_than_what_was_seen() -> None:
    rho, slack = np.meshgrid(np.linspace(0, 0.9, 19), np.linspace(0.06, 2, 40))
    up, down = cell(rho, slack)
    assert np.all(up >= rho)
    assert np.all(down <= slack + 1e-9)
    assert np.all(np.abs(up / 0.05 - np.round(up / 0.05)) < 1e-6)


def test_the_product_runs_what_is_simulated() -> None:
    plan = plan_of([f"c{i}" for i in range(6)], "site", 40)
    rng = np.random.default_rng(5)
    length = 109 + YEAR
    begin = FIRST + timedelta(days=109)
    for run in range(6):
        values = 60 + noise(rng, 0.4, (7, length))
        values[0, 69:] += 12
        if run % 2:
            values[0, 130:] -= 8
        series = [series_of(row, name) for row, name in zip(values, ("t", *plan.controls), strict=True)]
        watch = start(plan, series, *windows(plan, 1), gain=12, seed=1)
        assert watch is not None
        z = values[0] - values[1:].mean(axis=0)
        before, after = windows(plan, 1)
        phases = [z[(w.first - FIRST).days : (w.last - FIRST).days + 1] for w in (before, after)]
        around = [
            values[1:, (w.first - FIRST).days : (w.last - FIRST).days + 1] for w in (before, after)
        ]  # fmt: skip
        levelled = [part - part.mean(axis=1, keepdims=True) for part in around]
        sd, rho = memory_of(phases, [part - part.mean(axis=0) for part in levelled])
        up, slack = cell(rho, 3 / sd)
        assert (watch.sd, watch.rho, watch.slack) == pytest.approx((sd, rho, slack * sd))
        level = alarm_level(float(up), float(slack), 40, np.random.default_rng(1))
        assert watch.alarm == pytest.approx(level * sd)
        expected = first_alarm(phases[1][None], z[None, 109:], np.array([watch.slack]), np.array([watch.alarm]))[0]
        seen = look(watch, plan, series, begin, begin + timedelta(days=YEAR - 1))
        if np.isinf(expected):
            assert (seen.state, seen.days) == ("watching", YEAR)
        else:
            assert seen.state == "decay"
            assert seen.on == begin + timedelta(days=int(expected) - 1)
            assert seen.since is not None
            assert seen.since <= seen.on
        assert (seen.state == "decay") == bool(run % 2)


def test_a_comparison_machine_that_is_gone_does_not_look_like_a_loss() -> None:
    """It ran twenty points below the others: the mean of those that are left is higher."""
    plan = plan_of([f"c{i}" for i in range(5)], "site", 40)
    values = 60 + noise(np.random.default_rng(6), 0.3, (6, 400), 1.0)
    values[0, 69:] += 10
    values[5] -= 20
    series = [series_of(row, name) for row, name in zip(values, ("t", *plan.controls), strict=True)]
    watch = start(plan, series, *windows(plan, 1), gain=10, seed=0)
    assert watch is not None
    gone = replace(series[5], coverage=np.where(np.arange(400) < 150, 1.0, 0.0))
    since = FIRST + timedelta(days=109)
    assert look(watch, plan, [*series[:5], gone], since, FIRST + timedelta(days=399)).state == "watching"


def test_a_comparison_machine_of_one_window_only_counts_there_and_not_in_what_both_share() -> None:
    """c0 is gone before the verdict's days, c1 came after the baseline; memory rests on the four that stayed."""
    plan = plan_of([f"c{i}" for i in range(6)], "site", 50)
    before, after = windows(plan, 1)
    values = 60 + noise(np.random.default_rng(9), 0.4, (7, 400), 2.0)
    values[0, 79:] += 10
    coverage = np.ones((7, 400))
    ends = [slice((w.first - FIRST).days, (w.last - FIRST).days + 1) for w in (before, after)]
    coverage[1, ends[0].stop :] = 0.0
    coverage[2, : ends[0].stop] = 0.0
    series = [
        replace(series_of(row, name), coverage=known)
        for row, name, known in zip(values, ("t", *plan.controls), coverage, strict=True)
    ]
    watch = start(plan, series, before, after, gain=10, seed=0)
    assert watch is not None
    assert set(watch.levels) == {"t", *plan.controls} - {"c0"}
    assert watch.levels["c1"] == pytest.approx(values[2, ends[1]].mean())
    phases, around = [], []
    for end, there in zip(ends, ([1, 3, 4, 5, 6], [2, 3, 4, 5, 6]), strict=True):
        level = values[:, end] - values[:, end].mean(axis=1, keepdims=True)
        phases.append(level[0] - level[there].mean(axis=0))
        around.append(level[3:] - level[3:].mean(axis=0))
    sd, rho = memory_of(phases, around)
    assert (watch.sd, watch.rho, watch.days) == pytest.approx((sd, rho, 50))
    since, until = after.last + timedelta(days=1), FIRST + timedelta(days=399)
    assert look(watch, plan, series, since, until).state == "watching"
    # c0 comes back twenty points higher: it has no level, so it moves nothing.
    back = replace(series[1], coverage=np.ones(400), num=series[1].num + 20_000 * (np.arange(400) > 150))
    seen = look(watch, plan, [series[0], back, *series[2:]], since, until)
    assert seen == look(watch, plan, series, since, until)


def test_less_is_better_is_watched_upwards_and_a_new_baseline_ends_it() -> None:
    plan = plan_of([f"c{i}" for i in range(5)], "site", 40, sign=-1)
    values = 60 + noise(np.random.default_rng(7), 0.3, (6, 300), 1.0)
    values[0, 69:] -= 10
    values[0, 160:] += 6
    series = [series_of(row, name) for row, name in zip(values, ("t", *plan.controls), strict=True)]
    watch = start(plan, series, *windows(plan, 1), gain=10, seed=0)
    assert watch is not None
    since, until = FIRST + timedelta(days=109), FIRST + timedelta(days=299)
    seen = look(watch, plan, series, since, until)
    assert seen.state == "decay"
    assert seen.on is not None
    assert FIRST + timedelta(days=160) <= seen.on <= FIRST + timedelta(days=160 + WITHIN)
    assert look(watch, plan, series, since, until, refrozen=until).state == "ended"
    assert look(watch, plan, series, since, until, refrozen=until + timedelta(days=1)).state == "decay"


def test_there_is_no_watch_over_too_little() -> None:
    plan = plan_of([f"c{i}" for i in range(5)], "site", 40)
    values = 60 + noise(np.random.default_rng(8), 0.3, (6, 109))
    series = [series_of(row, name) for row, name in zip(values, ("t", *plan.controls), strict=True)]
    before, after = windows(plan, 1)
    assert start(plan, series, before, replace(after, last=after.last - timedelta(days=1)), 5, 0) is None
    assert start(plan, series, before, after, 0, 0) is None
    assert isinstance(start(plan, series, before, after, 5, 0), Watch)


def test_what_a_watch_will_find_is_said_beforehand() -> None:
    watch = Watch(1, {}, 2.5, 60.0, 4.0, 0.4, 60)
    shares = [found(watch, gain, 1) for gain in (4, 8, 12, 16)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] > 0.8
