"""What signed days say over longer times, against plain sums and against known processes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace

from contract.day import Day, DayMachine, MetricDay
from readiness.combine import measure
from readiness.daily import metric_day
from readiness.history import restlessness, series
from readiness.indicators import REGISTRY
from readiness.indicators.base import Census, Found, Shares
from tests.golden import DAY

FIRST = date(2026, 1, 1)
RNG = np.random.default_rng(7)


def days(num: np.ndarray, den: np.ndarray, weights: list[float], **about: object) -> list[Day]:
    """Return records of [machines, days]; where `den` is 0 the machine has no row."""
    found = []
    for d in range(num.shape[1]):
        there = [m for m in range(len(num)) if den[m, d] > 0]
        metric = MetricDay(
            "A01", "1", "ratio", there, [float(num[m, d]) for m in there], [float(den[m, d]) for m in there]
        )
        found.append(
            replace(
                DAY,
                date=(FIRST + timedelta(days=d)).isoformat(),
                machines=[DayMachine(f"m{m}", w, "0") for m, w in enumerate(weights)],
                metrics=[replace(metric, **about)],
            )
        )
    return found


@pytest.mark.parametrize("step", [1, 3, 7, 40])
def test_a_series_is_what_the_sums_say(step: int) -> None:
    den = RNG.integers(0, 4, (3, 30)) * 100.0
    num = den * RNG.random((3, 30))
    weights = [1.0, 2.5, 4.0]
    records = days(num, den, weights, per=10.0)
    last = FIRST + timedelta(days=29)
    plant = series(records, "A01", FIRST, last, step, None)
    own = series(records, "A01", FIRST, last, step, "m1")
    assert plant is not None
    assert own is not None
    assert len(plant.points) == len(own.points) == -(-30 // step)
    steps = [(date.fromisoformat(point.first), date.fromisoformat(point.last)) for point in plant.points]
    assert (steps[0][0], steps[-1][1]) == (FIRST, last)  # the last step may be shorter: it ends where was asked
    assert all((end - begin).days + 1 == step for begin, end in steps[:-1])
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(steps))
    for at, (whole, one) in enumerate(zip(plant.points, own.points, strict=True)):
        n, d = num[:, at * step : (at + 1) * step].sum(axis=1), den[:, at * step : (at + 1) * step].sum(axis=1)
        seen = d > 0
        assert whole.days == int((den[:, at * step : (at + 1) * step] > 0).any(axis=0).sum())
        assert whole.num is None
        if seen.any():
            w = np.array(weights)[seen]
            assert whole.value == pytest.approx(float(w @ (10 * n[seen] / d[seen]) / w.sum()), abs=1e-6)
        else:
            assert whole.value is None
        assert one.value == (None if not seen[1] else pytest.approx(10 * n[1] / d[1], abs=1e-6))
        if seen[1]:
            assert one.num == pytest.approx(n[1], abs=1e-6)
            assert one.den == pytest.approx(d[1], abs=1e-6)


def test_of_a_state_the_latest_counts_and_nothing_is_added_up() -> None:
    num = np.array([[1.0, 2.0, 5.0]])
    records = days(num, np.ones((1, 3)), [1.0], kind="state")
    found = series(records, "A01", FIRST, FIRST + timedelta(days=2), 2, "m0")
    assert found is not None
    assert [point.value for point in found.points] == [2.0, 5.0]
    assert found.points[0].num is None
    assert restlessness(records, "A01", FIRST, FIRST + timedelta(days=2), frozenset()) is None


def test_days_of_another_kind_are_not_mixed_in() -> None:
    ratio = days(np.full((1, 2), 5.0), np.full((1, 2), 10.0), [1.0])
    state = replace(ratio[1], metrics=[MetricDay("A01", "1", "state", [0], [0.9], [1.0])])
    found = series([ratio[0], state], "A01", FIRST, FIRST + timedelta(days=1), 2, None)
    assert found is not None
    assert (found.kind, found.points[0].value, found.points[0].days) == ("state", 0.9, 1)


def test_a_last_day_without_any_number_hides_no_day_before_it() -> None:
    told = days(np.full((1, 40), 5.0) + RNG.random((1, 40)), np.full((1, 40), 10.0), [1.0])
    nothing = replace(told[-1], metrics=[MetricDay("A01", "1", "state", apart={"NA_SELF_FAULT": [0]})])
    last = FIRST + timedelta(days=39)
    found = series([*told[:-1], nothing], "A01", FIRST, last, 40, "m0")
    assert found is not None
    assert (found.kind, found.points[0].days) == ("ratio", 39)
    assert restlessness([*told[:-1], nothing], "A01", FIRST, last, frozenset()) is not None


def test_what_is_added_up_is_so_on_a_day_without_anything_to_add() -> None:
    # A machine that nobody connected has no lots, and the others none on a Sunday.
    shares = Shares(np.array([8.0, 0.0]), np.array([10.0, 0.0]))
    found = metric_day(REGISTRY["T01"], ["press", "saw"], {"press": shares, "saw": Census(0.0, 0)})
    assert (found.kind, found.machines, found.num) == ("ratio", [], [])
    state = metric_day(REGISTRY["T01"], ["saw"], {"saw": Census(0.0, 0)})
    assert (state.kind, state.machines, state.num) == ("state", [0], [0.0])


def test_a_machine_that_holds_one_number_beside_others_counts_as_in_the_report() -> None:
    # Two machines with lots on each day, one that nobody connected: the report says 0 of it.
    num, den = np.array([[8.0, 10.0], [3.0, 5.0]]), np.array([[10.0, 10.0], [6.0, 10.0]])
    order, weights = ["saw", "press", "lathe"], np.array([4.0, 1.0, 2.0])
    outcomes: dict[str, Found] = {
        "saw": Census(0.0, 0),
        "press": Shares(num[0], den[0]),
        "lathe": Shares(num[1], den[1]),
    }
    report = measure([outcomes[m] for m in order], weights, 1).value
    records = [
        replace(
            DAY,
            date=(FIRST + timedelta(days=d)).isoformat(),
            machines=[DayMachine(m, w, "0") for m, w in zip(order, weights.tolist(), strict=True)],
            metrics=[
                metric_day(REGISTRY["T01"], order, {
                    m: Shares(o.num[: d + 1], o.den[: d + 1]) if isinstance(o, Shares) else o
                    for m, o in outcomes.items()
                })
            ],
        )
        for d in range(2)
    ]  # fmt: skip
    assert records[0].metrics[0].held == [0]
    last = FIRST + timedelta(days=1)
    plant = series(records, "T01", FIRST, last, 2, None)
    assert plant is not None
    assert plant.points[0].value == pytest.approx(report, abs=1e-6)
    saw = series(records, "T01", FIRST, last, 2, "saw")
    assert saw is not None
    assert (saw.points[0].value, saw.points[0].num, saw.points[0].den) == (0.0, None, None)


def test_what_only_holds_says_nothing_of_how_restless_days_are() -> None:
    values = RNG.normal(0.5, 0.1, (2, 40))
    values[1] = 0.0
    records = days(values, np.ones(values.shape), [1.0, 1.0], held=[1])
    last = FIRST + timedelta(days=39)
    found = restlessness(records, "A01", FIRST, last, frozenset())
    assert found is not None
    assert (found.machines, found.n) == (1, 40)


def test_a_number_of_the_whole_plant_is_that_of_each_machine() -> None:
    records = days(np.array([[3.0], [0.0]]), np.array([[4.0], [0.0]]), [5.0, 1.0], whole=True)
    for machine in (None, "m0", "m1"):
        found = series(records, "A01", FIRST, FIRST, 1, machine)
        assert found is not None
        assert found.points[0].value == 0.75


def test_what_no_record_knows_is_none() -> None:
    records = days(np.ones((1, 2)), np.ones((1, 2)), [1.0])
    assert series(records, "A02", FIRST, FIRST, 1, None) is None
    assert restlessness(records, "A02", FIRST, FIRST, frozenset()) is None
    assert restlessness(records, "A01", FIRST, FIRST + timedelta(days=1), frozenset()) is None


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.6])
def test_limits_hold_the_process_that_made_the_days(rho: float) -> None:
    runs, covered, means = 200, [0, 0], []
    for _ in range(runs):
        noise = RNG.normal(0, 0.02 * np.sqrt(1 - rho**2), (3, 130))
        for d in range(1, 130):
            noise[:, d] += rho * noise[:, d - 1]
        values = np.array([[0.5], [0.7], [0.9]]) + noise[:, 100 - 60 : 100]
        found = restlessness(
            days(values * 1000, np.full(values.shape, 1000.0), [1.0] * 3),
            "A01", FIRST, FIRST + timedelta(days=59), frozenset(),
        )  # fmt: skip
        assert found is not None
        assert (found.machines, found.n) == (3, 180)
        covered[0] += found.sd.lo <= 0.02 <= found.sd.hi
        covered[1] += found.rho.lo <= rho <= found.rho.hi
        means.append((found.sd.value, found.rho.value))
    assert min(covered) >= 0.84 * runs, covered
    assert np.mean(means, axis=0) == pytest.approx([0.02, rho], rel=0.06, abs=0.03)


def test_only_the_machines_that_were_asked_for_count() -> None:
    values = np.stack([RNG.normal(0.5, 0.01, 40), RNG.normal(0.5, 0.2, 40)])
    records = days(values, np.ones(values.shape), [1.0, 1.0])
    last = FIRST + timedelta(days=39)
    quiet = restlessness(records, "A01", FIRST, last, frozenset({"m0"}))
    both = restlessness(records, "A01", FIRST, last, frozenset())
    assert quiet is not None
    assert both is not None
    assert quiet.sd.value == pytest.approx(values[0].std(ddof=1), rel=1e-5)
    assert quiet.machines == 1
    assert both.sd.value > 0.1
