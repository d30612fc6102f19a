"""The machines of the simulated factory: what each of their signals shows at any moment.

`demo/agent.yaml` says how the signals are named and addressed; this says what they do. A `Machine` maps signal
ids to formulas over a `Moment`; `columns` evaluates some of them for many moments at once.

Pure: the same seed and shifts give the same values, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.frame import Status
from demo.timeline import LEAD_S, SECOND, Habit, Integral, Lag, Shift, State, build, noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from demo.timeline import Moment, Timeline

Column = Callable[["Moment"], "NDArray[Any]"]

KST = timezone(timedelta(hours=9))
POWER_KW = {  # mean power by state, also what the meter adds up
    "press-1": {State.OFF: 0.0, State.RUN: 21.0, State.IDLE: 6.0, State.ALARM: 4.5, State.SETUP: 5.0},
    "cnc-1": {State.OFF: 0.0, State.RUN: 14.0, State.IDLE: 3.2, State.ALARM: 2.8, State.SETUP: 3.5},
    "mold-1": {State.OFF: 0.0, State.RUN: 32.0, State.IDLE: 11.0, State.ALARM: 9.0, State.SETUP: 10.0},
    "conveyor-1": {State.OFF: 0.0, State.RUN: 1.5, State.IDLE: 0.3, State.ALARM: 0.2, State.SETUP: 0.3},
}
NEVER_S = 1e9
CARRIED_S = 90  # from the press to the exit of the conveyor
UNSEEN = 180  # the exit's light barrier takes one piece in so many for the one before it
ZONES = (205.0, 215.0, 222.0)  # barrel of the moulding machine in degC, rear to front
MOLD = 61.0
INJECTION, OPEN = 0.35, 0.8  # shares of a cycle: until, from
RECIPES = (  # lot by lot in turn: product, recipe, and what it adds to barrel and mould
    ("CV-210", "R210-03", 0.0, 0.0),
    ("CV-220", "R220-01", 8.0, 7.0),
    ("HS-035", "R035-07", -6.0, -6.0),
)
BASE_KW = 4.0  # lighting, compressor leaks, the office
HABITS = {
    "press-1": Habit(
        cycle_s=4.0,
        run_s=420,
        alarm=0.22,
        repair_s=260,
        wait_s=35,
        setup_s=1_500,
        reject=0.012,
        alarms=(11, 14, 23),
    ),
    "cnc-1": Habit(
        cycle_s=95.0,
        run_s=1_900,
        alarm=0.15,
        repair_s=420,
        wait_s=70,
        setup_s=1_800,
        reject=0.006,
        alarms=(701, 905),
    ),
    "mold-1": Habit(
        cycle_s=28.0,
        run_s=1_500,
        alarm=0.2,
        repair_s=380,
        wait_s=55,
        setup_s=2_700,
        reject=0.021,
        alarms=(102, 117),
    ),
    "conveyor-1": Habit(
        cycle_s=7.0, run_s=360, alarm=0.3, repair_s=45, wait_s=25, setup_s=120, reject=0.0, alarms=(3, 5)
    ),
}


@dataclass(frozen=True, slots=True)
class Faults:
    """Spans in which something is not good, ordered and disjoint: int64[n] each, and the status meanwhile."""

    start_ns: NDArray[np.int64]
    stop_ns: NDArray[np.int64]
    status: int

    def at(self, time_ns: NDArray[np.int64]) -> NDArray[np.uint32]:
        """uint32[n]: the status at each moment, 0 outside the spans."""
        place = np.searchsorted(self.start_ns, time_ns, side="right") - 1
        inside = (place >= 0) & (time_ns < self.stop_ns[place])
        return np.where(inside, np.uint32(self.status), np.uint32(0))


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: its timeline, the formula of each signal, and when its signals are not good.

    Attributes:
        id: Machine id of the configuration.
        timeline: Its states.
        signals: Formula by signal id.
        faults: By signal id.
        outages: When its link is gone; None for never.
        always_on: It answers while its state is OFF too (the meter does).
    """

    id: str
    timeline: Timeline
    signals: Mapping[str, Column]
    faults: Mapping[str, Faults] = field(default_factory=dict)
    outages: Faults | None = None
    always_on: bool = False

    def columns(self, ids: Iterable[str], time_ns: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Return one column of values for each signal id, at int64[n] moments."""
        moment = self.timeline.at(time_ns)
        return [self.signals[signal](moment) for signal in ids]

    def status(self, signal: str, time_ns: NDArray[np.int64]) -> NDArray[np.uint32]:
        """uint32[n]: status code of a signal at each moment."""
        faults = self.faults.get(signal)
        return np.zeros(len(time_ns), np.uint32) if faults is None else faults.at(time_ns)


def factory(shifts: Sequence[Shift], seed: int = 20_261_122) -> dict[str, Machine]:
    """Return the connected machines by id, living through the given shifts (ordered, not overlapping)."""
    lives = {name: build(habit, shifts, seed + n) for n, (name, habit) in enumerate(HABITS.items())}
    rng = np.random.default_rng(seed)
    links = _spans(rng, shifts, mean_between_s=1_500, shortest_s=5, longest_s=20, live_s=30)
    cable = _spans(rng, shifts, mean_between_s=110_000, shortest_s=20, longest_s=240, live_s=NEVER_S)
    reboots = _spans(rng, shifts, mean_between_s=150_000, shortest_s=60, longest_s=540, live_s=NEVER_S)
    thermocouple = _spans(rng, shifts, mean_between_s=90_000, shortest_s=60, longest_s=900, live_s=2_000)
    probe = _spans(rng, shifts, mean_between_s=40_000, shortest_s=30, longest_s=300, live_s=900)
    machines = [
        Machine(
            "press-1",
            lives["press-1"],
            _press(lives["press-1"]),
            outages=_faults(cable, Status.BAD_NO_COMMUNICATION),
        ),
        Machine("meter-1", lives["press-1"], _meter(lives), always_on=True),
        Machine(
            "cnc-1",
            lives["cnc-1"],
            _cnc(lives["cnc-1"]),
            {"spindle-temp": _faults(probe, Status.UNCERTAIN)},
            outages=_faults(reboots, Status.BAD_NO_COMMUNICATION),
        ),
        Machine(
            "mold-1",
            lives["mold-1"],
            _mold(lives["mold-1"]),
            {"barrel-temp-3": _faults(thermocouple, Status.BAD_DEVICE_FAILURE)},
        ),
        Machine(
            "conveyor-1",
            lives["conveyor-1"],
            _conveyor(lives["conveyor-1"], lives["press-1"]),
            outages=_faults(links, Status.BAD_NO_COMMUNICATION),
        ),
    ]
    return {machine.id: machine for machine in machines}


def _press(life: Timeline) -> dict[str, Column]:
    oil = Lag(life, {State.OFF: 19, State.RUN: 54, State.IDLE: 41, State.ALARM: 38, State.SETUP: 40}, 1_800)

    def current(m: Moment) -> NDArray[np.float64]:
        mean = {State.OFF: 0, State.RUN: 24, State.IDLE: 5.2, State.ALARM: 4.1, State.SETUP: 6.0}
        stroke = m.running() * 19 * np.sin(np.pi * m.phase) ** 6
        drawn = _by_state(m, mean) + stroke + (m.state != State.OFF) * 0.35 * noise(m.time_ns, 1)
        return np.asarray(np.round(drawn, 2))

    def force(m: Moment) -> NDArray[np.float64]:
        pushed = m.running() * (612 + 9 * noise(m.time_ns, 2)) * np.sin(np.pi * m.phase) ** 12
        return np.asarray(np.round(pushed, 1))

    return {
        "state": lambda m: m.state,
        "cycle-count": lambda m: m.cycle,
        "reject-count": life.rejected,
        "alarm-code": lambda m: life.alarm[m.segment],
        "stroke": lambda m: (m.running() & (m.phase >= 0.25) & (m.phase < 0.75)).astype(np.int64),
        "motor-current": current,
        "motor-current-fast": current,
        "press-force": force,
        "press-force-fast": force,
        "oil-temp": lambda m: np.round(oil(m) + 0.15 * noise(m.time_ns, 3), 1),
        "mode": lambda m: np.where(m.state == State.SETUP, 2, 1),
        "force-set": lambda m: np.full(len(m.time_ns), 620.0),
        "lot": _lots(life, "P"),
    }


def _meter(lives: Mapping[str, Timeline]) -> dict[str, Column]:
    energies = [(life, Integral(life, POWER_KW[name])) for name, life in lives.items()]

    def power(m: Moment) -> NDArray[np.float64]:
        total = BASE_KW + 0.4 * noise(m.time_ns, 10)
        for salt, (name, life) in enumerate(lives.items(), 14):
            own = life.at(m.time_ns)
            total += _by_state(own, POWER_KW[name]) * (1 + 0.06 * noise(m.time_ns, salt))
        return total

    def energy(m: Moment) -> NDArray[np.float64]:
        total = 184_220.0 + BASE_KW * (m.time_ns - int(lives["press-1"].start_ns[1])) / (3600 * SECOND)
        for life, integral in energies:
            total = total + integral(life.at(m.time_ns))
        return np.round(total, 3)

    return {
        "energy": energy,
        "power": lambda m: np.round(power(m), 2),
        "voltage": lambda m: np.round(381.5 - power(m) * 0.03 + 0.8 * noise(m.time_ns, 11), 1),
        "current": lambda m: np.round(power(m) * 1000 / (np.sqrt(3) * 380 * 0.87), 1),
        "power-factor": lambda m: np.round(0.87 + 0.03 * noise(m.time_ns, 12), 3),
        "frequency": lambda m: np.round(60 + 0.02 * noise(m.time_ns, 13), 2),
    }


def _cnc(life: Timeline) -> dict[str, Column]:
    spindle = Lag(life, {State.OFF: 19, State.RUN: 47, State.IDLE: 33, State.ALARM: 29, State.SETUP: 30}, 1_200)

    def speed(m: Moment) -> NDArray[np.float64]:
        steps = np.array([8_000.0, 8_000.0, 5_200.0, 3_600.0, 0.0])  # tools of one piece; the last is loading
        turning: NDArray[np.float64] = steps[np.minimum((m.phase * 5).astype(np.int64), 4)]
        return np.where(m.running(), turning, 0.0)

    return {
        "state": lambda m: m.state,
        "cycle-count": lambda m: m.cycle,
        "good-count": lambda m: m.cycle - life.rejected(m),
        "reject-count": life.rejected,
        "alarm-code": lambda m: life.alarm[m.segment],
        "spindle-speed": speed,
        "spindle-load": lambda m: np.round((speed(m) > 0) * (46 + 14 * noise(m.time_ns, 20)), 1),
        "spindle-temp": lambda m: np.round(spindle(m), 1),
        "tool": lambda m: np.where(m.running(), np.minimum((m.phase * 5).astype(np.int64), 3) + 1, 1),
        "feed-override": lambda m: np.where(m.state == State.SETUP, 30, 100),
        "program": _texts(life, ("O1204", "O1210", "O2051")),
        "lot": _lots(life, "C"),
    }


def _mold(life: Timeline) -> dict[str, Column]:
    def barrel(run: float) -> Lag:
        warm = {State.RUN: run, State.IDLE: run - 3, State.ALARM: run - 6, State.SETUP: run - 12}
        return Lag(life, {State.OFF: 19, **warm}, 420, [r[2] for r in RECIPES])

    def recipe(part: int, base: float = 0.0) -> Column:
        said = [r[part] if isinstance(r[part], str) else base + float(r[part]) for r in RECIPES]
        table = np.array(said, object if isinstance(said[0], str) else np.float64)
        return lambda m: table[life.lot[m.segment] % len(table)]

    zones = [barrel(run) for run in ZONES]
    mold = Lag(
        life,
        {State.OFF: 19, State.RUN: MOLD, State.IDLE: 59, State.ALARM: 57, State.SETUP: 54},
        300,
        [r[3] for r in RECIPES],
    )
    energy = Integral(life, POWER_KW["mold-1"])

    def temperature(zone: Lag, salt: int) -> Column:
        return lambda m: np.round(zone(m) + 0.25 * noise(m.time_ns // 5, salt), 1)

    return {
        "state": lambda m: m.state,
        "cycle-count": lambda m: m.cycle,
        "good-count": lambda m: m.cycle - life.rejected(m),
        "reject-count": life.rejected,
        "alarm-code": lambda m: life.alarm[m.segment],
        "cycle-time": lambda m: np.round(
            np.where(m.running(), life.cycle_s + 0.4 * noise(m.cycle * SECOND, 30), 0.0), 2
        ),
        "mold-open": lambda m: m.running() & (m.phase >= OPEN),
        "injection-pressure": lambda m: np.round(
            m.running()
            * (m.phase < INJECTION)
            * (88 + 6 * noise(m.time_ns, 31))
            * np.sin(np.pi * np.minimum(m.phase / INJECTION, 1)),
            1,
        ),
        **{f"barrel-temp-{n + 1}": temperature(zone, 32 + n) for n, zone in enumerate(zones)},
        "mold-temp": temperature(mold, 36),
        **{f"barrel-temp-{n + 1}-set": recipe(2, zone) for n, zone in enumerate(ZONES)},
        "mold-temp-set": recipe(3, MOLD),
        "lot": _lots(life, "M"),
        "order": _lots(life, "WO"),
        "product": recipe(0),
        "recipe": recipe(1),
        "energy": lambda m: np.round(27_310.0 + energy(m), 3),
    }


def _conveyor(life: Timeline, press: Timeline) -> dict[str, Column]:
    lots = _lots(press, "P")
    motor = Lag(life, {State.OFF: 19, State.RUN: 58, State.IDLE: 40, State.ALARM: 38, State.SETUP: 38}, 900)
    return {
        "state": lambda m: m.state,
        "part-count": lambda m: m.cycle - m.cycle // UNSEEN,
        "alarm-code": lambda m: life.alarm[m.segment],
        "lot": lambda m: lots(press.at(m.time_ns - CARRIED_S * SECOND)),
        "motor-current": lambda m: np.round(
            _by_state(m, {State.OFF: 0, State.RUN: 3.1, State.IDLE: 0.4, State.ALARM: 0.2, State.SETUP: 0.4})
            + m.running() * 0.25 * noise(m.time_ns, 41),
            2,
        ),
        "belt-speed": lambda m: np.round(m.running() * (18 + 0.3 * noise(m.time_ns, 40)), 2),
        "motor-temp": lambda m: np.round(motor(m), 1),
    }


def _by_state(moment: Moment, values: Mapping[State, float]) -> NDArray[np.float64]:
    table = np.array([float(values[state]) for state in State])
    column: NDArray[np.float64] = table[moment.state]
    return column


def _texts(life: Timeline, texts: Sequence[str]) -> Column:
    """Text that changes with the lot, in turn."""
    table = np.array(texts, object)
    return lambda m: table[life.lot[m.segment] % len(table)]


def _lots(life: Timeline, letter: str) -> Column:
    """Lot number: machine, day of the lot's first segment, running number."""
    starts = np.searchsorted(life.lot, np.arange(int(life.lot[-1]) + 1))
    begun = life.start_ns[np.maximum(starts, 1)] // SECOND  # the first segment lies before the first shift
    days = [datetime.fromtimestamp(int(s), KST).strftime("%y%m%d") for s in begun]
    table = np.array([f"{letter}{day}-{n + 1:03d}" for n, day in enumerate(days)], object)
    return lambda m: table[life.lot[m.segment]]


def _faults(spans: Sequence[tuple[int, int]], status: int) -> Faults:
    columns = np.array(spans, np.int64).reshape(-1, 2)
    return Faults(columns[:, 0], columns[:, 1], status)


def _spans(
    rng: np.random.Generator,
    shifts: Sequence[Shift],
    mean_between_s: float,
    shortest_s: float,
    longest_s: float,
    live_s: float,
) -> list[tuple[int, int]]:
    """Draw disjoint spans inside the shifts, on average `mean_between_s` of staffed time (live: `live_s`) apart."""

    def wait(mean_s: float) -> int:
        return int(mean_s * rng.uniform(0.3, 1.7) * SECOND)

    spans = []
    left = wait(mean_between_s)
    for shift in shifts:
        now, mean = shift.start_ns, mean_between_s
        if shift.live:
            now, mean, left = shift.start_ns + LEAD_S * SECOND, live_s, wait(live_s)
        while now + left < shift.stop_ns:
            start = now + left
            now = start + int(rng.uniform(shortest_s, longest_s) * SECOND)
            spans.append((start, min(now, shift.stop_ns)))
            left = wait(mean)
        left -= max(0, shift.stop_ns - now)
    return spans
