"""A press with lots, stops and measured values, read every ten seconds: what goes wrong in what it says.

Q01-Q03, Q05, Q08, V03, V05, R02, U01, U02, U04, T01-T03 and A01, each with a fault and signals of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.plant import Meaning, Product
from tests.validity.shop import (
    BOOL,
    DAY_S,
    REAL,
    SHIFT_S,
    TEXT,
    WHOLE,
    Part,
    at,
    polled,
    runs,
    share,
    source_of,
    tag,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.validity.shop import Bools, Column, Floats, Ints, Site

    States = NDArray[np.int8]

MACHINE = "press-1"
EXECUTING, SETUP, STANDBY, FAULT, OFF = range(5)
STATES = Meaning(role="state", states={0: "executing", 1: "setup", 2: "standby", 3: "fault", 4: "off"})
REASONS = ("자재 대기", "금형 이상", "센서 오류", "작업자 부재", "유압 저하")
PRODUCTS = ("브래킷 A", "브래킷 B", "커버 C")
CYCLE_S = 50.0
PV = ("pv-a", "pv-b", "pv-c", "pv-d")
LIMITS = (0.0, 100.0)


@dataclass
class Stop:
    """One stop, in seconds."""

    begin: int
    end: int
    state: int


def shifts(site: Site, run_s: float = 3000.0) -> tuple[States, list[Stop]]:
    """Return the state in each second and the stops: runs of at least ten minutes, stops of one to 25 minutes."""
    state, stops = np.full(site.n, OFF, np.int8), []
    for day in site.production_days:
        begin, end = day * DAY_S, day * DAY_S + SHIFT_S
        state[begin:end] = EXECUTING
        now = begin + 600 + int(site.rng.exponential(run_s))
        while True:
            # Nobody can say of a stop of five minutes whether it was one of five minutes.
            length = int(site.rng.integers(60, 270) if site.rng.random() < 0.2 else site.rng.integers(330, 1500))
            if now + length > end - 1800:
                break
            what = int(site.rng.choice([SETUP, STANDBY, FAULT])) if length > 300 else STANDBY
            state[now : now + length] = what
            stops.append(Stop(now, now + length, what))
            now += length + 600 + int(site.rng.exponential(run_s))
    return state, stops


def made(site: Site, state: States, cycle_s: float, spread: float = 0.1) -> Floats:
    """Return when pieces were finished: cycles go on where a stop interrupted them."""
    work = np.cumsum(state == EXECUTING, dtype=np.int32)
    pauses = cycle_s * site.rng.uniform(1 - spread, 1 + spread, int(work[-1] / cycle_s / (1 - spread)) + 2)
    ends = np.cumsum(pauses)
    done: Floats = np.searchsorted(work, ends[ends < work[-1]]) + site.rng.random(int((ends < work[-1]).sum()))
    return done


def count(pieces: Floats, seconds: Floats) -> Ints:
    """Return what a counter of these pieces shows."""
    return np.searchsorted(pieces, seconds, side="right").astype(np.int64)


def noise(site: Site, n: int, step: float = 0.01) -> Floats:
    """Return a value that drifts slowly under noise, as a converter tells it."""
    drift = 4 * np.sin(np.arange(n) / 400 + site.rng.uniform(0, 6))
    value: Floats = np.round((50 + drift + site.rng.normal(0, 1.5, n)) / step) * step
    return value


def press(site: Site) -> Part:
    """Return the press of one run."""
    part, q = Part(MACHINE), site.level
    rng, planned = site.rng, site.planned
    state, stops = shifts(site)
    executing = state == EXECUTING
    seconds = site.polls(site.poll_s)
    pieces = made(site, state, CYCLE_S)
    columns: dict[str, Column] = {"state": at(state, seconds)}

    _counters(site, part, columns, seconds, pieces)
    _reasons(site, part, columns, seconds, stops)
    bad = _refusals(site)
    bad |= _lots(site, part, columns, seconds, state, stops, pieces, bad)

    mode = site.draw(q, 600, 180) & planned
    columns["mode"] = np.where(at(mode, seconds), 1, 2)
    part.truth["U01"] = 1 - share(mode, executing)
    slots = np.flatnonzero(planned[::60]) * 60
    slots = np.sort(rng.choice(slots, round(q * len(pieces)), replace=False)) + rng.integers(
        0, 40, round(q * len(pieces))
    )
    pressed = np.zeros(site.n, np.bool_)
    for offset in range(15):
        pressed[np.minimum(slots + offset, site.n - 1)] = True
    columns["reset"] = at(pressed, seconds)
    part.truth["U02"] = 100 * (len(slots) + 2 * len(runs(mode))) / len(pieces)

    _values(site, part, columns, seconds, state, bad)
    known = {name: ~bad.get(name, np.zeros(site.n, np.bool_)) for name in columns}
    part.truth["Q01"] = part.truth["A01"] = float(np.mean([share(k, planned) for k in known.values()]))
    four = np.sum([known[name] for name in PV], axis=0)
    part.truth["R02"] = share(known["total"] & known["product"] & (four >= 3), executing)
    part.truth["V03"] = share(known["good"] & known["product"], planned)

    roles = {
        "state": STATES, "total": Meaning(role="count_total"), "good": Meaning(role="count_good"),
        "reject": Meaning(role="count_reject"), "mode": Meaning(role="mode", automatic=frozenset({2})),
        "reset": Meaning(role="intervention"),
        "reason": Meaning(role="reason", reasons={k + 1: text for k, text in enumerate(REASONS)}),
        "lot": Meaning(role="lot", pattern=r"L\d{5}"),
        **{name: Meaning(role=name) for name in ("order", "product", "recipe")},
        **{f"sp-{k}": Meaning(role="sp") for k in range(3)},
        **{name: Meaning(role="pv", critical=name == "pv-c") for name in PV},
    }  # fmt: skip
    kinds = {"reset": BOOL, "lot": TEXT, "order": TEXT, "product": TEXT, "recipe": TEXT}
    kinds |= dict.fromkeys((*PV, "sp-0", "sp-1", "sp-2"), REAL)
    ranges = {"pv-a": {"instrument_range": LIMITS}}
    signals = [tag(MACHINE, n, kinds.get(n, WHOLE), roles[n].role, **ranges.get(n, {})) for n in columns]
    source = source_of(MACHINE, signals, site.poll_s)
    part.streams.append(polled(site, source, seconds, columns, bad))
    part.meanings = {f"{MACHINE}/{name}": roles[name] for name in columns}
    part.products = {name: Product(id=name, name=name, ideal_s={MACHINE: 44.0}) for name in PRODUCTS}
    return part


def _counters(site: Site, part: Part, columns: dict[str, Column], seconds: Floats, pieces: Floats) -> None:
    """Good pieces are counted five too many in some quarter hours: good and reject do not make the total (Q08)."""
    total = count(pieces, seconds)
    quarters = np.flatnonzero(site.planned.reshape(-1, 900).all(axis=1))
    struck = quarters[site.pick(len(quarters), site.level)]
    extra = 5 * np.searchsorted(struck * 900.0 + 300, seconds, side="right")
    columns |= {"total": total, "good": total - total // 50 + extra, "reject": total // 50}
    part.truth["Q08"] = 1 - len(struck) / len(quarters)


def _reasons(site: Site, part: Part, columns: dict[str, Column], seconds: Floats, stops: list[Stop]) -> None:
    """Some stops are left without a reason (V05)."""
    reason = np.zeros(site.n, np.int8)
    long = [s for s in stops if s.end - s.begin >= 300]
    silent = site.pick(len(long), site.level)
    for stop, nothing in zip(long, silent.tolist(), strict=True):
        if not nothing:
            reason[stop.begin : stop.end] = 1 + int(site.rng.integers(len(REASONS)))
    columns["reason"] = at(reason, seconds)
    length = np.array([s.end - s.begin for s in long], np.float64)
    part.truth["V05"] = float(length[~silent].sum() / length.sum())


def _lots(
    site: Site, part: Part, columns: dict[str, Column], seconds: Floats, state: States, stops: list[Stop],
    pieces: Floats, faults: dict[str, Bools],
) -> dict[str, Bools]:  # fmt: skip
    """Lots change amid a set-up; some have an invalid id (T01), no order (T02), a critical value missing (T03)."""
    edges = np.array([0, *((s.begin + s.end) // 2 for s in stops if s.state == SETUP), site.n])
    n = len(edges) - 1
    invalid, nameless, blind, slow = (site.pick(n, site.level) for _ in range(4))
    blind &= edges[:-1] >= 7 * DAY_S  # of each value there are five good days from which one learns what is usual
    lot = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, n - 1)
    first = int(site.rng.integers(3))
    texts = {
        "lot": [f"X-{k:05d}" if invalid[k] else f"L{k:05d}" for k in range(n)],
        "order": ["" if nameless[k] else f"WO-{k:04d}" for k in range(n)],
        "product": [PRODUCTS[(k + first) % 3] for k in range(n)],
        "recipe": [f"R-{(k + first) % 3}" for k in range(n)],
    }
    for name, row in texts.items():
        columns[name] = np.array(row, object)[lot]
    for k in range(3):  # set points are spread over six minutes where somebody turns them one by one (U04)
        change = edges[1:-1] + np.where(slow[1:], 180 * k, 0)
        place = np.searchsorted(change, seconds, side="right")
        columns[f"sp-{k}"] = 10.0 * ((place + first) % 3 + 1) + k
    counted = len(edges) - 2
    part.truth["U04"] = 1 - float(slow[1:].sum()) / counted
    of_piece = np.searchsorted(edges, pieces, side="right") - 1
    part.truth["T01"] = 1 - float(invalid[of_piece].mean())
    executing = state == EXECUTING
    part.truth["T02"] = share(~np.repeat(nameless, np.diff(edges)) & ~faults["product"], executing)
    bad = np.zeros(site.n, np.bool_)
    for k in np.flatnonzero(blind).tolist():
        work = np.flatnonzero(executing[edges[k] : edges[k + 1]]) + edges[k]
        bad[work[len(work) // 3] : work[len(work) * 2 // 3]] = True
    whole = slice(1, n - 1)  # the first and the last are not known to be whole
    part.truth["T03"] = 1 - float((invalid | blind)[whole].mean())
    return {"pv-c": bad & site.planned}


def _refusals(site: Site) -> dict[str, Bools]:
    """Return when the controller calls values bad: two measured ones together, the product, the good pieces."""
    days = site.production_days
    two = site.draw(site.level, 600, 120, days[6:])
    good = np.zeros(site.n, np.bool_)
    quarters = np.flatnonzero(site.planned.reshape(-1, 900).all(axis=1))
    for quarter in quarters[site.pick(len(quarters), min(1.5 * site.level, 0.9))].tolist():
        good[quarter * 900 + 60 : quarter * 900 + 660] = True  # known again when the quarter hour ends
    return {"pv-a": two, "pv-d": two, "product": site.draw(site.level / 2, 600, 120), "good": good}


def _values(
    site: Site, part: Part, columns: dict[str, Column], seconds: Floats, state: States, bad: dict[str, Bools]
) -> None:
    """Measured values leave their range (Q02), stand still (Q03), and jump for single readings (Q05)."""
    q, rng, n = site.level, site.rng, len(seconds)
    planned, executing = site.planned, state == EXECUTING
    value = {name: noise(site, n) for name in PV}
    out = site.draw(q, 900, 300)
    value["pv-a"][at(out, seconds)] += 100.0
    days = site.production_days
    frozen = site.draw(min(2 * q, 0.45), 1500, 600, days[6:])
    for begin, end in runs(frozen):
        inside = slice(*np.searchsorted(seconds, [begin, end]))
        value["pv-b"][inside] = value["pv-b"][inside][:1]
    # So far from every change of state, the state's knowledge and its own hole that nobody can doubt the spike.
    change = np.concatenate([[0], np.flatnonzero(np.diff(state)) + 1])
    near = np.abs(
        seconds[:, None] - change[np.clip(np.searchsorted(change, seconds)[:, None] + [-1, 0], 0, len(change) - 1)]
    )
    calm = np.flatnonzero((near.min(axis=1) > 60) & works_at(planned, seconds))
    struck = calm[:: max(7, round(20 / max(q, 0.01)))]
    value["pv-d"][struck] += rng.choice([-60.0, 60.0], len(struck))
    columns |= value
    told = {name: ~bad.get(name, np.zeros(site.n, np.bool_)) for name in PV}
    part.truth["Q02"] = 1 - share(out & told["pv-a"], planned & told["pv-a"])
    time = sum(int((executing & told[name]).sum()) for name in PV)
    part.truth["Q03"] = 1 - int((frozen & executing & told["pv-b"]).sum()) / time
    seen = ~at(bad["pv-d"], seconds[struck])
    reads = sum(int((at(told[name], seconds) & at(planned, seconds)).sum()) for name in PV)
    part.truth["Q05"] = 1e4 * float(seen.sum()) / reads


def works_at(planned: Bools, seconds: Floats) -> Bools:
    """Return which instants lie well inside planned time."""
    return np.asarray(at(planned, seconds - 120) & at(planned, seconds + 120))
