"""Pace and meter, on times that the test hands in."""

from __future__ import annotations

import bisect
import itertools
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.budget import SLOW_MOST, Meter, Pace
from agent.config.base import Budget

SECOND = 1_000_000_000
MS = 1_000_000


def budget(rate: float = 50, busy: float = 1.0) -> Budget:
    return Budget(requests_per_second=rate, busy=busy)


def drive(pace: Pace, trips: list[int], now: int = 0) -> list[tuple[int, int]]:
    """Send a request as soon as the pace permits, for each round trip; return when each left and was answered."""
    log = []
    for trip in trips:
        while (wait := pace.wait_ns(now)) > 0:
            now += wait
        pace.answered(now, now + trip)
        log.append((now, now + trip))
        now += trip
    return log


def most_in_a_second(times: list[int]) -> int:
    return max(bisect.bisect_left(times, t + SECOND) - i for i, t in enumerate(times))


@given(
    st.floats(0.2, 300),
    st.lists(st.integers(0, 200), min_size=1, max_size=300),
    st.integers(0, 2**62),
    st.randoms(use_true_random=False),
)
def test_no_window_of_a_second_holds_more_requests_than_permitted(
    rate: float, trips: list[int], start: int, rng: object
) -> None:
    log = drive(Pace(budget(rate)), [trip * MS // 10 for trip in trips], start)
    assert most_in_a_second([sent for sent, _ in log]) <= max(1, int(rate))
    # Nor as the device sees it: it takes each at any moment before its answer.
    seen = sorted(rng.randint(sent, received) for sent, received in log)  # type: ignore[attr-defined]
    assert most_in_a_second(seen) <= max(1, int(rate))
    if rate < 1:
        pauses = [b[0] - a[0] for a, b in itertools.pairwise(log)]
        assert all(pause >= SECOND / rate for pause in pauses)


def test_a_reading_within_the_budget_is_not_spread_out() -> None:
    log = drive(Pace(budget(50, 0.8)), [5 * MS] * 40)
    assert log[-1][1] == 40 * 5 * MS


def test_over_a_minute_the_permitted_rate_is_reached() -> None:
    log = drive(Pace(budget(50, 0.9)), [2 * MS] * 3000)
    assert 3000 / (log[-1][1] / SECOND) == pytest.approx(50, rel=0.02)


@given(st.floats(0.05, 0.95), st.lists(st.integers(1, 400), min_size=20, max_size=200))
def test_over_any_span_the_share_of_time_under_way_is_kept_but_for_half_a_second_of_it_and_one_request(
    busy: float, trips: list[int]
) -> None:
    log = drive(Pace(budget(10_000, busy)), [trip * MS for trip in trips])
    for first in range(0, len(log), 7):
        under_way = 0
        for sent, received in log[first:]:
            under_way += received - sent
            span = received - log[first][0]
            assert under_way <= busy * span + busy * SECOND / 2 + max(trips) * MS + MS


def test_a_device_that_answers_slower_than_it_can_is_asked_less_often_and_recovers() -> None:
    pace = Pace(budget(100, 0.8))
    drive(pace, [5 * MS] * 200)
    assert pace.slowdown == 1.0
    log = drive(pace, [100 * MS] * 60, 10 * SECOND)
    assert pace.slowdown == pytest.approx(4, rel=0.1)  # 100 ms is four times the 25 ms that would still be normal
    late = log[-10:]
    assert 10 / ((late[-1][1] - late[0][0]) / SECOND) < 100 / 4
    drive(pace, [5 * MS] * 100, log[-1][1])
    assert pace.slowdown == 1.0


def test_the_stretch_is_bounded_and_small_jitter_is_no_reason_for_it() -> None:
    pace = Pace(budget())
    drive(pace, [200_000] * 100)
    drive(pace, [2 * MS] * 100, 60 * SECOND)  # ten times the best, but what are 2 ms
    assert pace.slowdown == 1.0
    log = drive(pace, [3 * SECOND] * 4, 120 * SECOND)
    assert pace.slowdown == SLOW_MOST
    pauses = [b[0] - a[0] for a, b in itertools.pairwise(log)]
    assert max(pauses) <= 10 * SECOND / 50 + 3 * SECOND * 10 / 0.8 + SECOND


def test_a_link_that_has_become_slower_for_good_is_normal_again_after_a_while() -> None:
    pace = Pace(budget())
    drive(pace, [5 * MS] * 100)
    now = 10 * SECOND
    slow = []
    for _ in range(1200):  # one request in two seconds
        pace.answered(now, now + 200 * MS)
        now += 2 * SECOND
        slow.append(pace.slowdown)
    assert max(slow) > 3
    assert slow[-1] == 1.0


def test_long_answers_of_a_slow_line_are_not_taken_for_an_overloaded_device() -> None:
    pace = Pace(budget())
    for n in range(400):
        now, wire = n * SECOND, (10 if n % 8 else 260) * MS
        pace.answered(now, now + wire + 8 * MS, wire)
    assert pace.slowdown == 1.0


def test_a_silent_device_is_not_asked_more_often_than_permitted_but_costs_no_busy_time() -> None:
    pace = Pace(budget(2, 0.1))
    for now in (0, 2 * SECOND):
        pace.silent(now)
    assert pace.wait_ns(2 * SECOND) == 0
    pace.silent(2 * SECOND)
    assert pace.wait_ns(2 * SECOND) == SECOND


def test_the_meter_counts_and_its_figures_are_those_of_the_last_minute() -> None:
    meter = Meter()
    assert meter.stats(5).rtt_ns is None
    assert meter.stats(5).per_second == 0
    for n in range(1200):  # ten a second for two minutes
        sent = n * SECOND // 10
        meter.answered(sent, sent + (50 if n % 20 == 7 else 10) * MS, exception=n % 100 == 0)
    meter.silent(120 * SECOND, 120 * SECOND + 500 * MS)
    stats = meter.stats(121 * SECOND, skipped=3, late=2, slowdown=1.5, learned={"max_registers": 60})
    assert (stats.requests, stats.exceptions, stats.timeouts) == (1201, 12, 1)
    assert stats.per_second == pytest.approx(10, rel=0.05)
    assert stats.busy == pytest.approx(0.12 + 0.5 / 60, rel=0.05)
    assert stats.rtt_ns == pytest.approx(12 * MS, rel=0.2)
    assert stats.rtt_p95_ns == 10 * MS, "the 95th of the last hundred"
    assert (stats.skipped, stats.late, stats.slowdown, stats.learned) == (3, 2, 1.5, {"max_registers": 60})
    later = meter.stats(300 * SECOND)
    assert (later.per_second, later.busy, later.requests) == (0, 0, 1201)


def test_a_young_meter_divides_by_its_age() -> None:
    meter = Meter()
    for n in range(20):
        meter.answered(n * SECOND // 10, n * SECOND // 10 + 50 * MS)
    stats = meter.stats(2 * SECOND)
    assert stats.per_second == pytest.approx(10)
    assert stats.busy == pytest.approx(0.5)


def test_what_is_kept_does_not_grow() -> None:
    meter, pace = Meter(), Pace(budget(100))

    def kept(it: object) -> int:
        return sum(len(v) for v in vars(it).values() if isinstance(v, list | dict | deque))

    sizes = set()
    for n in range(5000):
        meter.answered(n * 10 * MS, n * 10 * MS + MS)
        pace.answered(n * 10 * MS, n * 10 * MS + MS)
        if n >= 1000:
            sizes.add((kept(meter), kept(pace)))
    assert len(sizes) == 1
