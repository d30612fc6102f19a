"""What a machine does when: its states from a seed, and everything that follows from them in closed form.

A `Timeline` is a row of segments of constant state. Within a segment every quantity has a formula in the time
since its beginning (a counter steps once a cycle, a temperature approaches its target, energy grows by its
power), and at the beginning of each segment its value is known. So any moment can be asked for directly and in
bulk: 28 days of history and the servers of the live factory read the same model, and they agree.

Pure: numpy only; no clock, file or socket.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SECOND = 1_000_000_000
LEAD_S = 7_200  # the live shift begins so long before the demo, so that machines are warm
DAY_S = 86_400
SHORT_S = 30  # mean length of long stops in the live shift
WARM_UP_S = 900  # between switching a machine on and its shift
PAUSES_S = ((7_200, 600), (14_400, 3_000), (25_200, 600), (34_200, 1_800))  # after the shift's start, length
LOT_S = (9_000, 16_000)  # shortest and longest run of a lot


class State(enum.IntEnum):
    """States as the machines report them in their register or node `state`."""

    OFF = 0
    RUN = 1
    IDLE = 2
    ALARM = 3
    SETUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One span of staffed time; a machine is switched on a little before and off at its end.

    The live shift has no pauses, its stops are short and faults come often: a minute shows what a day would.
    """

    start_ns: int
    stop_ns: int
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one machine works.

    Attributes:
        cycle_s: Seconds a piece takes.
        run_s: Mean seconds between stops.
        alarm: Share of stops that are alarms; the others are short waits for parts or people.
        repair_s: Mean seconds of an alarm.
        wait_s: Mean seconds of a short wait.
        setup_s: Seconds of a changeover between lots.
        reject: Share of pieces that are rejected.
        alarms: Codes the machine can report.
    """

    cycle_s: float
    run_s: float
    alarm: float
    repair_s: float
    wait_s: float
    setup_s: float
    reject: float
    alarms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A machine at n moments: columns that tag formulas read.

    Attributes:
        time_ns: int64[n].
        segment: int64[n], index of the segment that each moment lies in.
        elapsed_s: float64[n], seconds since the segment's beginning.
        state: int64[n], members of `State`.
        cycle: int64[n], pieces finished since the timeline's origin.
        phase: float64[n], progress of the current piece, 0 up to 1; 0 when the machine is not running.
    """

    time_ns: Integers
    segment: Integers
    elapsed_s: Floats
    state: Integers
    cycle: Integers
    phase: Floats

    def running(self) -> NDArray[np.bool_]:
        """bool[n]: the machine is making pieces."""
        running: NDArray[np.bool_] = self.state == State.RUN
        return running


@dataclass(frozen=True, slots=True)
class Timeline:
    """Segments of constant state, from the origin for ever (the last one does not end).

    Attributes:
        start_ns: int64[m], strictly increasing; the first lies before anything that is asked for.
        state, alarm, lot: int64[m], what holds in each segment; `lot` counts from 0.
        cycles: int64[m], pieces finished before each segment.
        rejects: int64[k + 1], rejected pieces among the first 0..k.
        cycle_s: Seconds a piece takes.
    """

    start_ns: Integers
    state: Integers
    alarm: Integers
    lot: Integers
    cycles: Integers
    rejects: Integers
    cycle_s: float

    def at(self, time_ns: Integers) -> Moment:
        """Return the machine at the given moments (int64[n], any order)."""
        segment = np.searchsorted(self.start_ns, time_ns, side="right") - 1
        elapsed = (time_ns - self.start_ns[segment]) / SECOND
        state = self.state[segment]
        pieces, phase = np.divmod(np.where(state == State.RUN, elapsed / self.cycle_s, 0.0), 1.0)
        return Moment(time_ns, segment, elapsed, state, self.cycles[segment] + pieces.astype(np.int64), phase)

    def rejected(self, moment: Moment) -> Integers:
        """int64[n]: pieces rejected so far."""
        counts: Integers = self.rejects[np.minimum(moment.cycle, len(self.rejects) - 1)]
        return counts


class Lag:
    """A quantity with inertia: it approaches the target of the present segment with one time constant.

    Args:
        timeline: States.
        targets: By state.
        tau_s: The time constant.
        offsets: Added to the targets of the lots in turn, while the machine is on: what each lot's recipe says.
    """

    def __init__(
        self, timeline: Timeline, targets: Mapping[State, float], tau_s: float, offsets: Sequence[float] = (0.0,)
    ) -> None:
        self._tau = tau_s
        lots = np.array(offsets)[timeline.lot % len(offsets)]
        self._target = _table(targets)[timeline.state] + np.where(timeline.state == State.OFF, 0.0, lots)
        values = np.empty(len(timeline.start_ns))
        value = targets[State.OFF]
        lengths = np.diff(timeline.start_ns, append=timeline.start_ns[-1]) / SECOND
        for index, (target, length) in enumerate(zip(self._target, lengths, strict=True)):
            values[index] = value
            value = target + (value - target) * math.exp(-length / tau_s)
        self._initial = values

    def __call__(self, moment: Moment) -> Floats:
        """float64[n]: the quantity at each moment."""
        target = self._target[moment.segment]
        return target + (self._initial[moment.segment] - target) * np.exp(-moment.elapsed_s / self._tau)


class Integral:
    """A quantity that grows at a rate given by the state: energy from power."""

    def __init__(self, timeline: Timeline, rates_per_h: Mapping[State, float]) -> None:
        self._rate = _table(rates_per_h) / 3600
        lengths = np.diff(timeline.start_ns) / SECOND
        self._before = np.concatenate(([0.0], np.cumsum(self._rate[timeline.state[:-1]] * lengths)))

    def __call__(self, moment: Moment) -> Floats:
        """float64[n]: the quantity at each moment; it never falls."""
        grown: Floats = self._before[moment.segment] + self._rate[moment.state] * moment.elapsed_s
        return grown


def noise(time_ns: Integers, salt: int) -> Floats:
    """float64[n] in -1..1: the same for the same second and salt, as if drawn anew each second."""
    x = (time_ns // SECOND).astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).astype(np.float64) / 2.0**63 - 1.0


def build(habit: Habit, shifts: Sequence[Shift], seed: int) -> Timeline:
    """Draw a machine's life over the given shifts (ordered, not overlapping)."""
    life = _Life(habit, np.random.default_rng(seed))
    for shift in shifts:
        life.enter(max(shift.start_ns - WARM_UP_S * SECOND, life.rows[-1][0] + 1), State.IDLE)
        for start_ns, stop_ns in _work(shift):
            life.work(start_ns, stop_ns, SHORT_S if shift.live else DAY_S)
            life.enter(stop_ns, State.IDLE if stop_ns < shift.stop_ns else State.OFF)
    start, state, alarm, lots = (np.array(column, np.int64) for column in zip(*life.rows, strict=True))
    lengths = np.diff(start) / SECOND
    pieces = np.where(state[:-1] == State.RUN, np.floor(lengths / habit.cycle_s), 0).astype(np.int64)
    cycles = np.concatenate(([0], np.cumsum(pieces)))
    rejects = np.concatenate(([0], np.cumsum(life.rng.random(int(cycles[-1])) < habit.reject)))
    return Timeline(start, state, alarm, lots, cycles, rejects, habit.cycle_s)


class _Life:
    """The rows of a timeline while it is drawn: start, state, alarm, lot."""

    def __init__(self, habit: Habit, rng: np.random.Generator) -> None:
        self.habit = habit
        self.rng = rng
        self.rows: list[tuple[int, int, int, int]] = [(0, State.OFF, 0, 0)]
        self._lot = 0
        self._left_ns = self._lot_ns()

    def enter(self, start_ns: int, state: State, alarm: int = 0) -> None:
        """Begin a segment."""
        self.rows.append((start_ns, state, alarm, self._lot))

    def work(self, start_ns: int, stop_ns: int, longest_s: float) -> None:
        """Fill a span of work with runs, stops and changeovers; a stop's mean is at most `longest_s`."""
        habit, now = self.habit, start_ns
        while now < stop_ns:
            self.enter(now, State.RUN)
            run = self._draw(habit.run_s)
            now += run
            self._left_ns -= run
            if now >= stop_ns:
                return
            if self._left_ns <= 0:
                self.enter(now, State.SETUP)
                now += self._draw(min(habit.setup_s, longest_s))
                self._lot += 1
                self._left_ns = self._lot_ns()
            elif self.rng.random() < habit.alarm:
                self.enter(now, State.ALARM, int(self.rng.choice(habit.alarms)))
                now += self._draw(min(habit.repair_s, longest_s))
            else:
                self.enter(now, State.IDLE)
                now += self._draw(habit.wait_s)

    def _draw(self, mean_s: float) -> int:
        """Draw a length in nanoseconds, at least 2 s and skewed as stops are."""
        return int((2 + self.rng.gamma(1.5, (mean_s - 2) / 1.5)) * SECOND)

    def _lot_ns(self) -> int:
        return int(self.rng.integers(*LOT_S)) * SECOND


def _work(shift: Shift) -> list[tuple[int, int]]:
    """Cut a shift at its pauses: spans of work; a pause lasts from the end of one to the start of the next."""
    spans = []
    start = shift.start_ns
    for after, length in () if shift.live else PAUSES_S:
        pause = shift.start_ns + after * SECOND
        if pause + length * SECOND >= shift.stop_ns:
            break
        spans.append((start, pause))
        start = pause + length * SECOND
    return [*spans, (start, shift.stop_ns)]


def _table(values: Mapping[State, float]) -> Floats:
    return np.array([values[state] for state in State])
