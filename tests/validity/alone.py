"""Tricks that would spoil each other, each on a plant of its own of one machine or two, over two weeks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.latency import Latency
from agent.frame import Status, gap_event
from readiness.plant import Installed, Use
from tests.readiness.plant import CALENDAR, SECOND
from tests.validity import cnc, mill, oven, press
from tests.validity.chain import World
from tests.validity.cheats import DAYS, LEVEL, edited, poll
from tests.validity.press import EXECUTING, OFF
from tests.validity.shop import DAY_S, Polled, Site, works

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.frame import Item
    from tests.validity.shop import Column, Floats

HELD_S = 1800
MILLI = 1_000_000


def _site(seed: int, level: float = LEVEL, **about: int) -> Site:
    return Site(level, seed, **{"days": DAYS, "history": 0, **about})


def short(seed: int) -> World:
    """An inventory of what is connected, for which nobody stands."""
    site = _site(seed)
    return World(site, [mill.robot(site), mill.saw(site)], signed=False)


def twice(seed: int) -> World:
    """Each reading is told again a millisecond later; a tenth of the time there is none."""
    site = _site(seed, 0.1)
    part = mill.robot(site)
    old = poll(part)
    when = np.sort(np.concatenate([old.time, old.time + MILLI]))
    new = Polled(old.source, when, [np.repeat(c, 2) for c in old.columns], np.repeat(old.status, 2, 0))
    return World(site, [replace(part, streams=[new])])


def _held(state: Column, seconds: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return for each poll the one whose values are served: twice a day half an hour long those of its begin."""
    served = np.arange(len(seconds))
    for day in range(DAYS):
        for hour in (2, 7):
            from_s = day * DAY_S + hour * 3600
            at_work = np.flatnonzero((seconds >= from_s) & (state == EXECUTING))
            if len(at_work) and seconds[at_work[0]] < from_s + 3600:
                inside = (seconds >= seconds[at_work[0]]) & (seconds < seconds[at_work[0]] + HELD_S)
                served[inside] = at_work[0]
    return served


def filled(seed: int, *, blind: bool = False) -> World:
    """A gateway that has lost its link serves the last values on, with the device's times or without any."""
    site = _site(seed)
    part = press.press(site)
    old = poll(part)
    served = _held(old.columns[0], (old.time - site.start_ns) / 1e9)
    source = old.source if blind else replace(old.source, protocol="opcua")
    stated = None if blind else old.time[served] - 20 * MILLI
    new = Polled(source, old.time, [c[served] for c in old.columns], old.status, stated)
    return World(site, [replace(part, streams=[new])])


def coarse(seed: int) -> World:
    """Bursts through a converter of few steps: its steps are fast, what is measured is not."""
    site = _site(seed)
    part = mill.mill(site)
    fast = poll(part, 1)
    return World(
        site,
        [replace(part, streams=[part.streams[0], replace(fast, columns=[np.round(fast.columns[0] / 0.4) * 0.4])])],
    )


def fresh(seed: int) -> World:
    """A server that gives every value the time at which it is asked: entries come a minute late all the same."""
    site = _site(seed)
    part = oven.pump(site)
    stream = poll(part)
    delay = (np.random.default_rng(seed).lognormal(math.log(60), 0.3, len(stream.time)) * SECOND).astype(np.int64)
    edges = np.append(stream.time, stream.time[-1] + 1)
    counted, tallies = Latency(CALENDAR), dict[tuple[str, str], dict[int, int]]()
    for (_, block), late in zip(stream.blocks(edges), delay.tolist(), strict=True):
        now = int(block.time_ns[0]) + late
        told = replace(block, server_ns=np.full(len(block), now, np.int64))
        for key, counts in counted([told], now, True).items():
            into = tallies.setdefault(key, {})
            for bucket, number in counts.items():
                into[bucket] = into.get(bucket, 0) + number
    truth = {**part.truth, "A04": float(np.quantile(delay, 0.95)) / SECOND}
    return World(site, [replace(part, tallies=tallies, truth=truth)])


def busy(seed: int) -> World:
    """An agent that reads up to eight seconds late, because it was busy itself, on three mornings, and says so."""
    site = _site(seed, days=21)
    part = mill.saw(site)
    old = poll(part)
    seconds = (old.time - site.start_ns) / 1e9
    late = np.isin(seconds // DAY_S, site.production_days[2:5]) & (seconds % DAY_S < 7200) & works(seconds)
    off = np.where(late, np.random.default_rng(seed).uniform(0, 8e9, len(late)), 0).astype(np.int64)
    extra: list[Item] = [
        gap_event(f"busy {k}", "waiting", old.source.id, int(due + wait), int(due), int(due + wait))
        for k, (due, wait) in enumerate(zip(old.time[late].tolist(), off[late].tolist(), strict=True))
    ]
    return World(site, [replace(part, streams=[replace(old, time=old.time + off)])], extra=extra)


def _of_press(edit: Mapping[str, Callable[[dict[str, Column], Floats], Column]]) -> Callable[[int], World]:
    def plant(seed: int) -> World:
        site = _site(seed)
        return World(site, [edited(press.press(site), site, dict(edit))])

    return plant


def loose(seed: int) -> World:
    """Rules that cannot be broken: a state that never comes, rejects that nobody counts."""
    site = _site(seed)
    part = edited(press.press(site), site, {"state": lambda old, _: np.where(old["state"] == OFF, 2, old["state"])})
    meanings = {name: meaning for name, meaning in part.meanings.items() if meaning.role != "count_reject"}
    return World(site, [replace(part, meanings=meanings)])


def turns(seed: int) -> World:
    """Of two measured values, the two others, and the product one is unknown in turns, twenty minutes each."""
    site = _site(seed)
    part = press.press(site)
    names = [s.id for s in poll(part).source.signals]

    def unknown(status: np.ndarray[tuple[int, int], np.dtype[np.uint32]], seconds: Floats) -> Column:
        row = status.copy()
        for turn, group in enumerate((("pv-a", "pv-b"), ("pv-c", "pv-d"), ("product",))):
            for name in group:
                row[(seconds // 1200) % 3 == turn, names.index(name)] = Status.BAD_DEVICE_FAILURE
        return row

    return World(site, [edited(part, site, {}, status=unknown)])


def by_hand(seed: int) -> World:
    """A selector on automatic, and pieces that come as somebody gets round to them."""
    site, rng = _site(seed), np.random.default_rng(seed)

    def total(old: dict[str, Column], seconds: Floats) -> Column:
        work = np.cumsum((old["state"] == EXECUTING) * np.diff(seconds, prepend=seconds[0]).clip(0, 15))
        return np.searchsorted(np.cumsum(rng.exponential(100, len(work) // 8)), work)

    part = edited(press.press(site), site, {
        "total": total, "mode": lambda old, _: np.full(len(old["mode"]), 2),
        "reset": lambda old, _: np.zeros(len(old["reset"]), np.bool_),
        "product": lambda old, _: np.full(len(old["product"]), press.PRODUCTS[0], object),
    })  # fmt: skip
    return World(site, [part])


def _still(old: dict[str, Column], seconds: Floats) -> Column:
    del seconds
    return np.full(len(old["l-op"]), 50.0)


def steady(seed: int) -> World:
    """Loops that hold their values so well that these never move."""
    site = _site(seed)
    part = oven.oven(site)
    return World(site, [edited(part, site, {f"l-pv-{k}": _still for k in range(1, oven.LOOPS)}, 1)])


def few_days(seed: int) -> World:
    """Forty production days: enough for two parameters, not for three."""
    site = _site(seed, 0.05, history=42)
    return World(site, [oven.oven(site)])


def volume(seed: int) -> World:
    """In the last days four times as many pieces are made for the same energy each: more share a base load."""
    site = _site(seed, 0.1, history=56)
    part = oven.oven(site)
    old = poll(part)
    columns = dict(zip([s.id for s in old.source.signals], old.columns, strict=True))
    day = ((old.time - site.start_ns) // (DAY_S * SECOND)).astype(np.int64) + site.history
    since = np.searchsorted(day, (site.history + site.days) * 2 // 3)
    more = 3 * np.where(np.arange(len(day)) >= since, columns["total"] - columns["total"][since], 0)
    columns["total"], columns["kwh"] = columns["total"] + more, np.round(columns["kwh"] + 0.2 * more, 1)
    ends = np.flatnonzero(np.diff(day, append=day[-1] + 1))
    pieces, kwh = (np.diff(columns[name][ends], prepend=columns[name][0]) for name in ("total", "kwh"))
    hours = np.array([(columns["state"][day == d] == EXECUTING).sum() for d in day[ends].tolist()]) / 60
    worked = pieces > 0
    table = np.stack([np.ones(worked.sum()), pieces[worked], hours[worked]], axis=1)
    fitted = int(worked.sum() * 2 / 3)
    weights = np.linalg.lstsq(table[:fitted], kwh[worked][:fitted], rcond=None)[0]
    error = kwh[worked][fitted:] - table[fitted:] @ weights
    truth = {**part.truth, "E02": float(np.sqrt(np.mean(error**2)) / np.mean(kwh[worked][fitted:]))}
    new = replace(old, columns=list(columns.values()))
    return World(site, [replace(part, streams=[new, *part.streams[1:]], truth=truth)])


def quiet(seed: int) -> World:
    """A list with alarms that have never come: they need not change, dead points do."""
    site = _site(seed, 0.2)
    part = oven.pump(site)
    names = [f"al-{k}" for k in range(oven.ALARMS)]
    part = edited(part, site, {name: lambda old, _: np.zeros(len(old["state"]), np.bool_) for name in names})
    (system,) = part.systems
    points = {**system.points, **{f"al-{k}": f"pump-1/al-{k}" for k in range(oven.ALARMS)}}
    dead = (1 - part.truth["L01"]) * oven.POINTS
    truth = {**part.truth, "L01": 1 - dead / (oven.POINTS + oven.ALARMS)}
    systems: Sequence[Installed] = [replace(system, points=points)]
    return World(site, [replace(part, systems=list(systems), truth=truth)])


def automatic(seed: int) -> World:
    """At each alert the machine itself turns to manual, and back when it ends; nobody does anything."""
    site = _site(seed)
    part = edited(oven.oven(site), site, {
        "l-mode": lambda old, _: np.where(old["l-alert"], 1, 2),
        "l-reset": lambda old, _: np.zeros(len(old["l-reset"]), np.bool_),
    }, 1)  # fmt: skip
    return World(site, [part])


def _used(account_: Callable[[int], str], **about: int) -> Callable[[int], World]:
    def plant(seed: int) -> World:
        site = _site(seed)
        part = oven.pump(site)
        days = sorted({u.day for u in part.use})
        use = [Use(day=day, system="mes", account=account_(k), **about) for k, day in enumerate(days)]
        return World(site, [replace(part, use=use)])

    return plant


def repeated(seed: int) -> World:
    """Rows told twice and in another order, as a database would never show them."""
    site = _site(seed, 0.2)
    return World(site, [cnc.cnc(site)])


def frozen(from_s: int, to_s: int) -> Callable[[int], World]:
    """Return a plant whose value stands still on every day between two seconds of the shift."""
    return _of_press({
        "pv-b": lambda old, s: np.where((s % DAY_S >= from_s) & (s % DAY_S < to_s), 50.0, old["pv-b"]),
    })  # fmt: skip


PLANTS: Mapping[str, Callable[[int], World]] = {
    "short": short,
    "twice": twice,
    "filled": filled,
    "filled blind": lambda seed: filled(seed, blind=True),
    "coarse": coarse,
    "fresh": fresh,
    "busy": busy,
    "stuck": frozen(7200, 36_000),
    "often stuck": frozen(7200, 18_000),
    "steady": steady,
    "loose": loose,
    "turns": turns,
    "by hand": by_hand,
    "few days": few_days,
    "volume": volume,
    "quiet": quiet,
    "automatic": automatic,
    "bots": _used(lambda k: ("service", "supplier")[k % 2], reads=300, sessions=20),
    "one click": _used(lambda _: "operator", reads=1, sessions=1),
    "repeated": repeated,
}
