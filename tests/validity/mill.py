"""Machines whose link, clock, bits and counters go wrong: a robot, a saw, a mill, a lathe, read every ten seconds.

robot-1   C03, A01 and X01 under lost links
saw-1     A03 and A06: a cycle bit that is too short for polls that come unevenly
mill-1    Q04, Q07, V04 and A02: a converter with few steps, a counter that goes back, pieces two at a time, bursts
lathe-1   C01: a machine that is off on whole days
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agent.frame import Event
from readiness.plant import About, Meaning
from tests.readiness.plant import SECOND
from tests.validity.press import EXECUTING, STATES, count, made, noise, shifts
from tests.validity.shop import (
    BOOL,
    DAY_S,
    MARGIN_S,
    REAL,
    WHOLE,
    Part,
    Polled,
    at,
    polled,
    runs,
    share,
    source_of,
    tag,
    works,
)

if TYPE_CHECKING:
    from tests.validity.shop import Site

WINDOW_S = 600
FEW = 5
"""Outages below which there is no quantile of them (readiness.md 7.3, X01)."""


def robot(site: Site) -> Part:
    """Return a machine whose link fails for five minutes and more."""
    part = Part("robot-1", about=About(previous="press-1"))
    away = site.draw(site.level, 600, 60)
    seconds = site.polls(site.poll_s)
    columns = {"force": noise(site, len(seconds)), "angle": noise(site, len(seconds))}
    source = source_of("robot-1", [tag("robot-1", name, REAL, "pv") for name in columns], site.poll_s)
    part.streams.append(polled(site, source, seconds, columns, away=away))
    for begin, end in runs(away):
        low, high = site.ns(np.array([begin, end])).tolist()
        body = {"gap_id": f"robot {begin}", "cause": "link_down"}
        part.items.append(Event(kind="gap", time_ns=high, source=source.id, from_ns=low, to_ns=high, body=body))
    part.truth["C03"] = part.truth["A01"] = 1 - share(away, site.planned)
    lengths = sorted(end - begin for begin, end in runs(away & site.planned))
    part.truth["X01"] = float(lengths[int(np.ceil(0.9 * len(lengths))) - 1]) if len(lengths) >= FEW else np.nan
    part.meanings = {f"robot-1/{name}": Meaning(role="pv") for name in columns}
    return part


def saw(site: Site) -> Part:
    """Return a machine with a bit for each cycle, some of them too short to be seen at each poll."""
    part = Part("saw-1")
    state, _ = shifts(site)
    done = made(site, state, 60.0, 0.2)
    brief = site.rng.random(len(done)) < site.level
    length = np.where(brief, 4.0, 25.0)
    jitter = 0.02 + site.level / 2
    seconds = site.polls(site.poll_s, jitter)
    last = np.searchsorted(done, seconds, side="right") - 1
    bit = (last >= 0) & (seconds - done[np.maximum(last, 0)] < length[np.maximum(last, 0)])
    columns = {"bit": bit, "total": count(done, seconds), "state": at(state, seconds)}
    roles = {"bit": Meaning(role="cycle"), "total": Meaning(role="count_total"), "state": STATES}
    signals = [tag("saw-1", n, BOOL if n == "bit" else WHOLE, roles[n].role) for n in columns]
    stream = polled(site, source_of("saw-1", signals, site.poll_s), seconds, columns)
    part.streams.append(stream)
    part.meanings = {f"saw-1/{name}": roles[name] for name in columns}
    seen = np.searchsorted(seconds, done + length) > np.searchsorted(seconds, done)
    inside = works(done)
    part.truth["A03"] = float(seen[inside].sum() / inside.sum())
    every = site.poll_s * SECOND
    off = np.abs(np.diff(stream.time) - every) / every
    part.truth["A06"] = float(np.quantile(off[off < 10], 0.95))
    return part


def mill(site: Site) -> Part:
    """Return a slow machine: its counter goes back, its pieces come in pairs, its values have few levels."""
    part = Part("mill-1", about=About(single_product="yes"))
    state, _ = shifts(site)
    done = made(site, state, 280.0)
    pairs = np.flatnonzero(site.pick(len(done) // 2, site.level)) * 2
    done[pairs] = done[pairs + 1]  # the first of two is told with the second
    seconds = site.polls(site.poll_s)
    total = count(done, seconds)
    steps = np.flatnonzero(np.diff(total) > 0) + 1
    struck = steps[5:][site.pick(len(steps) - 5, site.level / 10)] + 7  # a minute and more after a step
    struck = struck[struck < len(total)]
    total = total - 3 * np.searchsorted(struck, np.arange(len(total)), side="right")
    alone = np.diff(total, prepend=total[0])
    inside = at(site.planned, seconds)
    part.truth["V04"] = float((alone[inside] == 1).sum() / alone[inside & (alone > 0)].sum())
    part.truth["Q07"] = 1 - float((alone[inside] < 0).sum() / (alone[inside] != 0).sum())
    levels = 6.0 / np.sqrt(site.level)
    swing = np.sin(np.arange(len(seconds)) / 37.0) + 0.2 * site.rng.normal(size=len(seconds))
    force = np.round(swing * levels / 2) / (levels / 2) * 10
    low, high = np.quantile(force, [0.01, 0.99])
    part.truth["Q04"] = float((high - low) / (20 / levels))
    columns = {"state": at(state, seconds), "total": total, "force": force}
    roles = {"state": STATES, "total": Meaning(role="count_total"), "force": Meaning(role="pv")}
    signals = [
        replace(tag("mill-1", name, dtype, roles[name].role), name=text)
        for name, dtype, text in (("state", WHOLE, "상태"), ("total", WHOLE, "생산수량"), ("force", REAL, "절삭력"))
    ]  # fmt: skip
    part.streams.append(polled(site, source_of("mill-1", signals, site.poll_s), seconds, columns))
    part.meanings = {f"mill-1/{name}": roles[name] for name in columns}
    part.streams.append(_bursts(site, part, state == EXECUTING))
    return part


def _bursts(site: Site, part: Part, executing: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Polled:
    """Return ten minutes of fast reading a day while the machine works: a tone that normal reading may not see."""
    tone = 0.05 / (5.0 - 14.0 * site.level) * 10 / site.poll_s  # from five times fast enough to a third of it
    tone = max(tone, 0.0125)
    part.truth["A02"] = 1 / site.poll_s / (2 * tone)
    rows, times = [], []
    for day in site.production_days:
        tried = range(day * DAY_S + 3600, day * DAY_S + 40_000, 60)
        begin = next((s for s in tried if executing[s - 60 : s + WINDOW_S + 60].all()), None)
        if begin is None:
            continue
        offset = np.arange(WINDOW_S * 2) / 2.0
        rows.append(np.sin(2 * np.pi * tone * offset) + 0.01 * site.rng.normal(size=len(offset)))
        times.append(site.ns(begin + offset))
    fast = tag("mill-1", "force-fast", REAL, None, name="절삭력")
    source = source_of("mill-1", [fast], 0.5, "fast", mode="burst")
    values, when = np.concatenate(rows), np.concatenate(times)
    return Polled(source, when, [values], np.zeros((len(values), 1), np.uint32))


def lathe(site: Site) -> Part:
    """Return a machine that nobody could read on some whole days."""
    part = Part("lathe-1")
    seconds = site.polls(60)
    days = site.production_days
    gone = np.array(days)[site.pick(len(days), site.level * 1.1)]
    away = np.repeat(np.isin(np.arange(site.days), gone), DAY_S)
    away |= np.roll(away, -MARGIN_S)  # nobody switched it on in the morning
    columns = {"pv": noise(site, len(seconds)), "state": at(shifts(site)[0], seconds)}
    roles = {"pv": Meaning(role="pv"), "state": STATES}
    signals = [tag("lathe-1", n, REAL if n == "pv" else WHOLE, roles[n].role) for n in columns]
    part.streams.append(polled(site, source_of("lathe-1", signals, 60), seconds, columns, away=away))
    part.meanings = {f"lathe-1/{name}": roles[name] for name in columns}
    part.truth["C01"] = float(len(gone) <= 0.2 * len(days) + 1e-9)
    return part
