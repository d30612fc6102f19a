"""The plant with the tricks of readiness.md 7.3 played on it: what somebody might do for a better score.

`first` and `second` are the same plant; tricks that would spoil each other stand in different ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.frame import Event, Facts
from readiness.plant import About, Meaning, Product, Use
from tests.validity import cnc, line, mill, oven, press
from tests.validity.chain import World
from tests.validity.line import LOCK, OWN
from tests.validity.press import EXECUTING, FAULT, OFF
from tests.validity.shop import DAY_S, FAILED, Part, Polled, Site, Subscribed, works

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.frame import Watermark
    from tests.validity.shop import Column, Floats

LEVEL, DAYS = 0.001, 14
Edit = dict[str, "Callable[[dict[str, Column], Floats], Column]"]


def poll(part: Part, number: int = 0) -> Polled:
    """Return one of the polled sources of a machine."""
    found = part.streams[number]
    assert isinstance(found, Polled)
    return found


def edited(
    part: Part, site: Site, edit: Edit, number: int = 0, tags: Mapping[str, Mapping[str, Any]] | None = None,
    status: Callable[[np.ndarray[Any, Any], Floats], np.ndarray[Any, Any]] = lambda row, _: row,
) -> Part:  # fmt: skip
    """Return a machine whose columns say something else; seconds are those of the window."""
    stream = poll(part, number)
    names = [s.id for s in stream.source.signals]
    seconds = (stream.time - site.start_ns) / 1e9
    old = dict(zip(names, stream.columns, strict=True))
    columns = [edit[name](old, seconds) if name in edit else old[name] for name in names]
    signals = tuple(replace(s, **(tags or {}).get(s.id, {})) for s in stream.source.signals)
    new = Polled(replace(stream.source, signals=signals), stream.time, columns, status(stream.status, seconds))
    return replace(part, streams=[new if k == number else s for k, s in enumerate(part.streams)])


def say(part: Part, **meanings: Meaning) -> Part:
    """Return a machine of whose signals people say something else."""
    more = {f"{part.machine}/{name.replace('_', '-')}": meaning for name, meaning in meanings.items()}
    return replace(part, meanings={**part.meanings, **more})


def pressed_each_cycle(old: dict[str, Column], seconds: Floats) -> Column:
    """Somebody presses a button for each piece."""
    del seconds
    steps = np.diff(old["total"], prepend=old["total"][0]) > 0
    return np.asarray(steps & ~np.concatenate([[False], steps[:-1]]))


def in_turns(old: dict[str, Column], seconds: Floats) -> Column:
    """Two lots are worked on in turns, twenty minutes each."""
    del old
    pair, turn = (seconds // 14_400).astype(int), (seconds // 1200).astype(int) % 2
    return np.array([f"L{2 * p + t:05d}" for p, t in zip(pair.tolist(), turn.tolist(), strict=True)], object)


def often_other(old: dict[str, Column], seconds: Floats) -> Column:
    """Every second stop is said to be another one."""
    del seconds
    stands = (old["state"] != EXECUTING) & (old["state"] != OFF)
    stop = np.cumsum(np.diff(stands.astype(np.int8), prepend=0) == 1)
    return np.where(stands, np.where(stop % 2 == 0, 2, 1 + 2 * (stop // 2 % 2)), 0)


def since_morning(old: dict[str, Column], seconds: Floats) -> Column:
    """A counter that begins anew with each shift."""
    first = np.searchsorted(seconds, seconds // DAY_S * DAY_S - 5).clip(0, len(seconds) - 1)
    return np.asarray(old["total"] - old["total"][first])


def bounced(old: dict[str, Column], seconds: Floats) -> Column:
    """A bit that falls for a moment amid every second cycle."""
    del seconds
    bit = np.asarray(old["bit"])
    amid = bit & np.concatenate([[False], bit[:-1]]) & np.concatenate([bit[1:], [False]])
    return np.asarray(bit & ~amid)


def first(seed: int = 1) -> World:
    """Return the first plant."""
    site = Site(LEVEL, seed, days=DAYS)
    rng = np.random.default_rng(seed)
    hand = edited(
        press.press(site), site,
        {
            "reason": lambda old, _: np.where((old["state"] != EXECUTING) & (old["state"] != OFF), 1, 0),
            "lot": lambda old, _: np.full(len(old["lot"]), "L00001", object),
            "order": lambda old, _: np.full(len(old["order"]), "WO-0001", object),
            "mode": lambda old, _: np.full(len(old["mode"]), 2),
            "reset": pressed_each_cycle,
            "pv-b": lambda old, s: np.where((s > 7 * DAY_S) & (s % DAY_S < 25_000), 50.0, old["pv-b"]),
        },
        tags={"pv-a": {"instrument_range": (-1e5, 1e5)}},
        status=lambda row, _: np.zeros_like(row),
    )  # fmt: skip
    slow = {name: Product(id=name, name=name, ideal_s={press.MACHINE: 70.0}) for name in press.PRODUCTS}
    hand = replace(hand, products=slow)
    bouncing = edited(mill.saw(site), site, {"bit": bounced})
    others = [_mill(site, rng), _robot(site), _lathe(site), _cnc(site), _oven(site, rng), _pump(site, rng)]
    return World(site, [hand, bouncing, *others, _line(site)])


def _mill(site: Site, rng: np.random.Generator) -> Part:
    """A counter that begins anew with each shift, a grid hidden by scaling and noise, bursts while nothing runs."""
    part = edited(
        mill.mill(site), site,
        {
            "total": since_morning,
            "force": lambda old, s: np.round(old["force"]) * 0.9871 + 0.0011 * rng.integers(0, 3, len(s)),
        },
    )  # fmt: skip
    fast = poll(part, 1)
    night = Polled(fast.source, fast.time + 13 * 3600 * 10**9, fast.columns, fast.status)
    return replace(part, streams=[part.streams[0], night])


def _robot(site: Site) -> Part:
    """A link that is restarted by night."""
    return edited(
        mill.robot(Site(1e-9, site.seed, days=site.days)), site, {},
        status=lambda row, s: np.where(works(s)[:, None], np.zeros_like(row), np.uint32(FAILED)),
    )  # fmt: skip


def _lathe(site: Site) -> Part:
    """A controller that answers and holds nothing."""
    return edited(mill.lathe(site), site, {
        "pv": lambda old, _: np.zeros(len(old["pv"])), "state": lambda old, _: np.zeros(len(old["pv"]), np.int64),
    })  # fmt: skip


def _cnc(site: Site) -> Part:
    """A clock of another zone, a counter of strokes, a lamp that says "run" while the power is on."""
    part = cnc.cnc(site)
    (stream,) = part.streams
    assert isinstance(stream, Subscribed)
    value = [
        v * 2 if s == 1 else (EXECUTING if s == 0 and v not in {OFF, FAULT} else v)
        for s, v in zip(stream.signal.tolist(), stream.value, strict=True)
    ]
    items = [
        replace(i, body={"skew_ns": 9 * 3600 * 10**9 + 10**8, "rtt_ns": 4_000_000})
        if isinstance(i, Facts) and i.kind == "clock" else i
        for i in part.items
    ]  # fmt: skip
    return replace(part, streams=[replace(stream, value=value)], items=items)


def _oven(site: Site, rng: np.random.Generator) -> Part:
    """A meter that estimates, bands that always hold, a set point copied from its value, alerts nobody answers."""
    part = oven.oven(site)
    part = edited(part, site, {"kwh": lambda _, s: np.round(np.floor((s - s[0]) / 60) * 0.2, 1)})
    copied: Edit = {
        "l-sp-0": lambda old, _: np.round(np.concatenate([old["l-pv-0"][:3], old["l-pv-0"][:-3]]) / 20) * 20,
        "l-reset": lambda old, _: rng.random(len(old["l-reset"])) < 0.02,
    }
    ranges = {f"l-pv-{k}": {"eu_range": (0.0, 100.0)} for k in range(oven.LOOPS)}
    part = edited(part, site, copied, 1, ranges)
    loops = [replace(loop, band=60.0) if loop.op else loop for loop in part.loops]
    return replace(part, loops=loops)


def _pump(site: Site, rng: np.random.Generator) -> Part:
    """Alarms that are switched off while faults go on, inputs without sensors, screens that refresh themselves."""
    part = oven.pump(site)
    n = len(poll(part).time)
    edit: Edit = {f"p-{k}": lambda _old, _s: np.round(12 + rng.integers(-1, 2, n) * 0.01, 2) for k in range(20)}
    edit |= {f"al-{k}": lambda _old, _s: np.zeros(n, np.bool_) for k in range(20)}
    edit["state"] = lambda old, s: np.where(works(s) & (s % 10800 < 1800) & (s % DAY_S > 3600), FAULT, old["state"])
    use = [Use(day=u.day, system="mes", account="kiosk", reads=900, sessions=40) for u in part.use]
    return replace(edited(part, site, edit), use=use)


def _line(site: Site) -> Part:
    """Addresses for names, filler for texts, a strong endpoint offered and not used, certificates for ever."""
    part = line.line(site)
    items: list[Event | Facts | Watermark] = []
    for item in part.items:
        assert isinstance(item, Facts)
        body: dict[str, Any] = dict(item.body)
        if item.kind == "catalog":
            body["signals"] = {
                name: {**about, "display_name": "DB10.W4", "description": "DB10.W4", "browse_namespace": OWN}
                for name, about in body["signals"].items()
            }
        if item.kind == "connection":
            body |= {"mode": "None", "policy": f"{LOCK}None", "peer_authenticated": False}
            body["endpoints"] = [*body["endpoints"], {"mode": "None", "policy": f"{LOCK}None", "tokens": []}]
            body["certificate"] = {**body["certificate"], "not_after": "2056-01-01T00:00:00+00:00"}
        items.append(replace(item, body=body))
    return replace(part, items=items, about=About(retrofit="gateway"))


def second(seed: int = 1) -> World:
    """Return the second plant."""
    site = Site(LEVEL, seed, days=DAYS)
    other = Meaning(role="reason", reasons={1: "자재 대기", 2: "기타", 3: "금형 이상", 4: "유압 저하"})
    lots = edited(
        press.press(site), site,
        {
            "lot": in_turns,
            "reset": lambda old, _: np.zeros(len(old["reset"]), np.bool_),
            "reason": often_other,
        },
    )  # fmt: skip
    jogged = edited(
        mill.saw(site), site,
        {"total": lambda old, s: old["total"] + np.cumsum((old["state"] != EXECUTING) & works(s)) // 2},
    )  # fmt: skip
    ideal = {name: Product(id=name, name=name, ideal_s={press.MACHINE: 50.0}) for name in press.PRODUCTS}
    lots = replace(say(lots, reason=other), products=ideal)
    rough = Site(0.33, seed, days=DAYS)
    average = edited(
        mill.mill(rough), rough,
        {"total": lambda old, _: np.repeat(old["total"][::120], 120)[: len(old["total"])]},
    )  # fmt: skip
    more = edited(oven.oven(site), site, {"main": lambda old, _: np.round(old["kwh"] * 0.9, 1)})
    low, high = site.start_ns, site.start_ns + 7 * DAY_S * 10**9
    made_up = Event(kind="agent_start", time_ns=low, from_ns=low, to_ns=high, body={"simulated": True})
    return World(site, [lots, average, more, jogged, mill.robot(site)], extra=[made_up])
