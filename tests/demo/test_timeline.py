"""The machine model: closed forms against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.timeline import LEAD_S, PAUSES_S, SECOND, Habit, Integral, Lag, Shift, State, Timeline, build, noise

HABIT = Habit(cycle_s=7, run_s=300, alarm=0.3, repair_s=120, wait_s=30, setup_s=900, reject=0.05, alarms=(3, 5))
DAY = 86_400 * SECOND
START = 1_790_000_000 * SECOND
SHIFTS = [Shift(start_ns=START + n * DAY, stop_ns=START + n * DAY + DAY // 2) for n in range(5)]
WATTS = {State.OFF: 0.0, State.RUN: 3_600.0, State.IDLE: 720.0, State.ALARM: 360.0, State.SETUP: 180.0}


def life(seed: int = 7) -> Timeline:
    return build(HABIT, SHIFTS, seed)


def moments(step_s: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(START - 3_600 * SECOND, SHIFTS[-1].stop_ns + 3_600 * SECOND, round(step_s * SECOND))


def test_the_same_seed_gives_the_same_life_and_another_seed_another() -> None:
    assert np.array_equal(life().start_ns, life().start_ns)
    assert not np.array_equal(life().start_ns[:50], life(8).start_ns[:50])


def test_a_machine_is_off_outside_its_shifts_and_stands_in_the_pauses() -> None:
    timeline, times = life(), moments()
    state = timeline.at(times).state
    staffed = np.zeros(len(times), np.bool_)
    for shift in SHIFTS:
        staffed |= (times >= shift.start_ns) & (times < shift.stop_ns)
        for after, length in PAUSES_S:
            pause = shift.start_ns + after * SECOND
            assert not (state[(times >= pause) & (times < pause + length * SECOND)] == State.RUN).any()
    assert not (state[~staffed] == State.RUN).any()
    assert (state[staffed] != State.OFF).all()
    assert set(np.unique(state)) == set(State)


def test_pieces_are_counted_once_a_cycle_and_only_while_the_machine_runs() -> None:
    timeline, times = life(), moments(0.5)
    moment = timeline.at(times)
    step = np.diff(moment.cycle)
    assert step.min() == 0
    assert step.max() == 1
    assert not step[(moment.state[1:] != State.RUN) & (moment.state[:-1] != State.RUN)].any()
    ran_s = (moment.state == State.RUN).sum() / 2
    runs = int((timeline.state == State.RUN).sum())
    made = int(moment.cycle[-1])
    assert made <= ran_s / HABIT.cycle_s <= made + runs, "each run loses at most the piece it has begun"


def test_rejects_are_some_of_the_pieces_and_never_taken_back() -> None:
    timeline = life()
    moment = timeline.at(moments(10))
    rejected = timeline.rejected(moment)
    assert (np.diff(rejected) >= 0).all()
    assert (np.diff(rejected) <= np.diff(moment.cycle)).all()
    assert rejected[-1] == pytest.approx(moment.cycle[-1] * HABIT.reject, rel=0.2)


def test_an_alarm_has_a_code_and_nothing_else_has_one() -> None:
    timeline = life()
    alarm = timeline.alarm[timeline.state == State.ALARM]
    assert set(alarm.tolist()) == set(HABIT.alarms)
    assert not timeline.alarm[timeline.state != State.ALARM].any()


def test_energy_is_the_sum_of_power_over_time() -> None:
    timeline, times = life(), moments()
    energy = Integral(timeline, WATTS)(timeline.at(times))
    power = np.array([WATTS[state] for state in State])[timeline.at(times).state]
    summed = np.concatenate(([0.0], np.cumsum(power[:-1]) / 3600))
    assert np.abs(energy - energy[0] - summed).max() < len(timeline.start_ns), "at most a second's power a segment"
    assert (np.diff(energy) >= 0).all()


def test_a_temperature_follows_its_differential_equation() -> None:
    timeline, times, tau = life(), moments(0.1)[:600_000], 300.0
    targets = {State.OFF: 20.0, State.RUN: 60.0, State.IDLE: 40.0, State.ALARM: 35.0, State.SETUP: 30.0}
    moment = timeline.at(times)
    temperature = Lag(timeline, targets, tau)(moment)
    slope = (np.array([targets[state] for state in State])[moment.state] - temperature) / tau
    same = np.diff(moment.segment) == 0
    assert np.abs(np.diff(temperature) / 0.1 - slope[:-1])[same].max() < 1e-4
    assert np.abs(np.diff(temperature)).max() < 0.02, "no jump where the state changes"


@given(st.integers(1_600_000_000, 1_900_000_000), st.integers(0, 100))
def test_noise_is_the_same_for_a_second_whoever_asks(second: int, salt: int) -> None:
    inside = np.array([second * SECOND, second * SECOND + SECOND - 1])
    drawn = noise(inside, salt)
    assert drawn[0] == drawn[1]
    assert -1 <= drawn[0] <= 1
    assert drawn[0] == noise(np.array([second * SECOND + 5]), salt)[0]


def test_noise_is_spread_evenly() -> None:
    drawn = noise(moments(), 3)
    assert abs(drawn.mean()) < 0.01
    assert np.histogram(drawn, 10, (-1, 1))[0].min() > len(drawn) / 10 * 0.95


def test_the_live_shift_has_no_pause_and_no_long_stop() -> None:
    now = START + 40 * DAY
    shift = Shift(start_ns=now - LEAD_S * SECOND, stop_ns=now + 2 * DAY, live=True)
    timeline = build(HABIT, [*SHIFTS, shift], 7)
    inside = timeline.start_ns >= shift.start_ns
    stops = np.diff(timeline.start_ns[inside])[timeline.state[inside][:-1] != State.RUN] / SECOND
    assert stops.max() < 300
