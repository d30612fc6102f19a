"""Slow machines with a history, read each minute or five: energy, control loops, alarms, points, people.

oven-1    E01, E02, R01, U03, L02, L03: meters, an input that fails on whole days, loops that do not follow
pump-1    A04, L01, R03, L04: alarms that stand, points that are dead, entries that come late, screens unused
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.latency import Latency
from agent.frame import Alarm
from readiness.plant import ControlLoop, Installed, Meaning, Use
from tests.readiness.plant import CALENDAR, SECOND
from tests.validity.press import EXECUTING, FAULT, STANDBY, STATES, noise, shifts
from tests.validity.shop import (
    BOOL,
    DAY_S,
    REAL,
    SHIFT_S,
    WHOLE,
    Part,
    Site,
    at,
    polled,
    source_of,
    tag,
)

if TYPE_CHECKING:
    from tests.validity.shop import Bools, Column, Floats, Ints

LOOPS, POINTS, ALARMS, MINUTE, FIVE = 6, 20, 20, 60, 300
BAND, TAU_S = 2.0, 600.0


def oven(site: Site) -> Part:
    """Return the oven of one run."""
    part, rng = Part("oven-1"), site.rng
    whole = Site(site.level, site.seed, site.days + site.history, 0)  # the same plant from its first day on
    whole.rng = rng
    state, _ = shifts(whole)
    seconds = whole.polls(MINUTE)
    minute = state.reshape(-1, MINUTE)
    work = (minute == EXECUTING).mean(axis=1)
    pace = np.repeat(rng.uniform(1.0, 3.0, whole.days), DAY_S // MINUTE)
    made = np.floor(np.cumsum(work * pace)).astype(np.int64)
    used = _energy(site, part, whole, work, np.diff(made, prepend=0))
    clock = seconds / MINUTE

    days = np.array(whole.production_days)
    struck = days[site.pick(len(days), site.level)]
    fails = np.repeat(np.isin(np.arange(whole.days), struck), DAY_S) & whole.planned
    part.truth["R01"] = float(_longest(whole.days, set(struck.tolist())))
    columns: dict[str, Column] = {
        "state": at(state, seconds),
        "total": np.interp(clock, np.arange(len(made)) + 1, made).astype(np.int64),
        **{name: np.round(np.interp(clock, np.arange(len(row)) + 1, row), 1) for name, row in used.items()},
        "pv-a": noise(site, len(seconds)),
        "pv-b": noise(site, len(seconds)),
    }
    roles = {
        "state": STATES, "total": Meaning(role="count_total"), "kwh": Meaning(role="energy", meter="machine"),
        "main": Meaning(role="energy", meter="main"), "pv-a": Meaning(role="pv"), "pv-b": Meaning(role="pv"),
    }  # fmt: skip
    signals = [tag("oven-1", n, WHOLE if n in {"state", "total"} else REAL, roles[n].role) for n in columns]
    source = source_of("oven-1", signals, MINUTE)
    part.streams.append(polled(whole, source, seconds, columns, {"pv-a": fails, "pv-b": fails}))
    part.meanings = {f"oven-1/{name}": roles[name] for name in columns}
    _loops(site, part, state[site.history * DAY_S :] == EXECUTING)
    return part


def _energy(site: Site, part: Part, whole: Site, work: Floats, pieces: Ints) -> dict[str, Floats]:
    """Return what two meters show each minute: the oven's own, and the plant's with what nobody measures apart."""
    days = work.reshape(whole.days, -1)
    swing = np.repeat(1 + site.rng.normal(0, site.level, whole.days).clip(-0.9), DAY_S // MINUTE)
    planned = whole.planned.reshape(-1, MINUTE)[:, 0]
    kwh = (0.3 * planned + 0.2 * pieces) * swing
    other = np.where(planned, kwh.sum() / planned.sum() * site.level / (1 - site.level), 0.0)
    daily, made = kwh.reshape(whole.days, -1).sum(axis=1), pieces.reshape(whole.days, -1).sum(axis=1)
    since = site.history * DAY_S // MINUTE
    part.truth["E01"] = float(kwh[since:].sum() / (kwh + other)[since:].sum())
    worked = made > 0
    table = np.stack([np.ones(worked.sum()), made[worked], days[worked].sum(axis=1) / 60], axis=1)
    fitted = int(worked.sum() * 2 / 3)
    weights = np.linalg.lstsq(table[:fitted], daily[worked][:fitted], rcond=None)[0]
    error = daily[worked][fitted:] - table[fitted:] @ weights
    part.truth["E02"] = float(np.sqrt(np.mean(error**2)) / np.mean(daily[worked][fitted:]))
    return {"kwh": np.cumsum(kwh), "main": np.cumsum(kwh + other)}


def _longest(days: int, struck: set[int]) -> int:
    """Return the days of the longest stretch with at most three bad production days in a row, day by day."""
    best = start = last = -1
    for day in range(days):
        if day % 7 >= 5 or day in struck:
            continue
        if last < 0 or sum(d % 7 < 5 for d in range(last + 1, day)) > 3:
            start = day
        last = day
        best = max(best, day + 1 - start - sum(d in struck for d in range(start, day)))
    return best


def _loops(site: Site, part: Part, executing: Bools) -> None:
    """Loop 0 gets set points (L02), the others hold or do not (U03), and alerts are answered or not (L03)."""
    rng, n = site.rng, site.n
    seconds = site.polls(MINUTE)
    columns: dict[str, Column] = {}
    roles: dict[str, Meaning] = {}
    moves = np.array([d * DAY_S + 1800 + k * 5400 for d in site.production_days for k in range(7)])
    moves = moves + site.rng.integers(0, 1500, len(moves))
    lazy = site.pick(len(moves), site.level)
    target = 100.0 + 20.0 * (np.searchsorted(moves, np.arange(n), side="right") % 2)
    delay = np.where(lazy, 3600, 240)
    value = 100.0 + 20.0 * (np.searchsorted(moves + delay, np.arange(n), side="right") % 2)
    columns |= {"sp-0": at(target, seconds), "pv-0": at(value, seconds) + 0.1 * rng.normal(size=len(seconds))}
    part.truth["L02"] = 1 - float(lazy.mean())
    lost = round((LOOPS - 1) * min(1.0, 2 * site.level))
    for k in range(1, LOOPS):
        out = site.draw(0.3 if k <= lost else 0.02, 900, 300)
        columns[f"sp-{k}"] = np.full(len(seconds), 50.0)
        columns[f"pv-{k}"] = 50 + 8.0 * at(out, seconds) + 0.1 * rng.normal(size=len(seconds))
    part.truth["U03"] = 1 - lost / (LOOPS - 1)
    columns |= {"op": 30 + rng.normal(size=len(seconds)), "mode": np.full(len(seconds), 2)}

    alerts = _alerts(site, executing)
    answer = rng.random(len(alerts)) < 0.9 - 2 * site.level
    idle = np.sort(rng.choice(np.flatnonzero(site.planned), 40, replace=False))
    pressed, alarm = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for begin in (*(alerts[answer] + 300), *idle):
        pressed[begin : begin + 90] = True
    for begin in alerts:
        alarm[begin : begin + 240] = True
    columns |= {"reset": at(pressed, seconds), "alert": at(alarm, seconds)}
    part.truth["L03"] = _lift(
        site, alerts, np.sort([*np.flatnonzero(np.diff(pressed.astype(np.int8)) == 1), *moves]), executing
    )

    roles |= {"op": Meaning(role="op"), "mode": Meaning(role="mode", automatic=frozenset({2}))}
    roles |= {"reset": Meaning(role="intervention"), "alert": Meaning(role="alarm", action=True)}
    roles |= {f"{kind}-{k}": Meaning(role=kind) for k in range(LOOPS) for kind in ("sp", "pv")}
    kinds = {"reset": BOOL, "alert": BOOL, "mode": WHOLE}
    signals = [tag("oven-1", f"l-{n}", kinds.get(n, REAL), roles[n].role) for n in columns]
    renamed = {f"l-{name}": column for name, column in columns.items()}
    part.streams.append(polled(site, source_of("oven-1", signals, MINUTE, "loops"), seconds, renamed))
    part.meanings |= {f"oven-1/l-{name}": roles[name] for name in columns}
    part.loops = [
        ControlLoop(
            machine="oven-1", name=f"zone-{k}", sp=f"l-sp-{k}", pv=f"l-pv-{k}", op="l-op" if k else None,
            mode="l-mode", band=BAND, tau_s=TAU_S,
        )
        for k in range(LOOPS)
    ]  # fmt: skip


def _alerts(site: Site, executing: Bools) -> Ints:
    """Return alerts, an hour and more apart, while the machine works."""
    found: list[int] = []
    for day in site.production_days:
        now = day * DAY_S + 1800 + int(site.rng.integers(0, 5400))  # not with the first set point of each day
        while now < day * DAY_S + SHIFT_S - 3600:
            if executing[now - 200 : now + 60].all():
                found.append(now)
                now += 7200 + int(site.rng.integers(0, 5400))
            now += 60
    return np.array(found, np.int64)


def _lift(site: Site, alerts: Ints, presses: Ints, executing: Bools) -> float:
    """Return the answered share of alerts minus that of other instants at work, near their time of day.

    Set points are moved at certain times of the day, at which alerts are frequent too.
    """

    def followed(begin: Ints) -> Bools:
        return np.asarray(np.searchsorted(presses, begin + 900) > np.searchsorted(presses, begin))

    free = np.flatnonzero(executing & site.planned)[::60]
    free = free[np.abs(free[:, None] - alerts[None, :]).min(axis=1) >= 1200]
    near = np.abs(free[None, :] % DAY_S - alerts[:, None] % DAY_S) <= 1800
    anyway = (near * followed(free)).sum(axis=1) / near.sum(axis=1)
    return float(followed(alerts).mean() - anyway.mean())


def pump(site: Site) -> Part:
    """Return a machine with alarms and points, its way to the store, and the people who look at it."""
    part, rng = Part("pump-1"), site.rng
    seconds = site.polls(FIVE, always=True)
    state, _ = shifts(site)
    dead = site.pick(POINTS, site.level)
    state[state == FAULT] = STANDBY  # no alarm of it announces a fault, and it has none
    columns: dict[str, Column] = {"state": at(state, seconds)}
    roles = {"state": STATES}
    for k in range(POINTS):
        name = f"p-{k}"
        columns[name] = np.full(len(seconds), 17.0) if dead[k] else noise(site, len(seconds))
        roles[name] = Meaning(role="pv")
    part.truth["L01"] = 1 - float(dead.mean())
    points: dict[str, str | None] = {f"{k}": f"pump-1/p-{k}" for k in range(POINTS)}
    part.systems.append(Installed(id="mes", name="MES", kind="mes", points=points))

    stands, mute = site.pick(ALARMS, site.level), site.pick(ALARMS, site.level)
    begins: list[int] = []
    signals = [tag("pump-1", "state", WHOLE, "state")]
    signals += [tag("pump-1", f"p-{k}", REAL, "pv") for k in range(POINTS)]
    for k in range(ALARMS):
        name, active = f"al-{k}", np.zeros(site.n, np.bool_)
        for day in site.production_days[::2]:
            begin = day * DAY_S + int(rng.integers(600, 40_000))
            active[begin : begin + 600] = True
            begins.append(begin)
        if stands[k]:
            active[DAY_S + 9000 : 4 * DAY_S + 9000] = True
        columns[name] = at(active, seconds)
        roles[name] = Meaning(role="alarm")
        text = "" if mute[k] else f"펌프 {k + 1} 압력 낮음"
        signals.append(tag("pump-1", name, BOOL, "alarm", alarm=Alarm(text, "high" if k % 2 else "low")))
    part.truth["R03"] = (3 - float(mute.mean()) - float(stands.mean()) + 1) / 4
    stream = polled(site, source_of("pump-1", signals, FIVE), seconds, columns)
    part.streams.append(stream)
    part.meanings = {f"pump-1/{name}": meaning for name, meaning in roles.items()}
    _latency(site, part)
    _people(site, part)
    return part


def _latency(site: Site, part: Part) -> None:
    """Entries of one reading each come to the store after a time that grows with the level (A04)."""
    seconds = site.polls(FIVE)
    signals = [tag("pump-1", "state", WHOLE, "state")]
    source = source_of("pump-1", signals, FIVE)
    one = polled(site, source, seconds, {"state": np.zeros(len(seconds), np.int64)})
    delay = (site.rng.lognormal(math.log(1 + 50 * site.level), 0.5, len(one.time)) * SECOND).astype(np.int64)
    edges, counted = np.append(one.time, one.time[-1] + 1), Latency(CALENDAR)
    for (_, block), late in zip(one.blocks(edges), delay.tolist(), strict=True):
        for key, counts in counted([block], int(block.time_ns[0]) + late, True).items():
            into = part.tallies.setdefault(key, {})
            for bucket, number in counts.items():
                into[bucket] = into.get(bucket, 0) + number
    planned = at(site.planned, seconds)
    part.truth["A04"] = float(np.quantile(delay[planned], 0.95)) / SECOND


def _people(site: Site, part: Part) -> None:
    """On some production days nobody looks at the screens; the kiosk does each day (L04)."""
    days = site.production_days
    unused = site.pick(len(days), site.level)
    for day, nobody in zip(days, unused.tolist(), strict=True):
        date = CALENDAR.day_of(int(site.ns(np.array([day * DAY_S + 60]))[0])).isoformat()
        part.use.append(Use(day=date, system="mes", account="kiosk", reads=500, sessions=1))
        if not nobody:
            part.use.append(Use(day=date, system="mes", account="operator", reads=3, sessions=2))
    part.truth["L04"] = 1 - float(unused.mean())
