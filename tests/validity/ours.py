"""Our own faults, put over a plant: rows that nobody read, and what the agent says of it afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agent.frame import Watermark, gap_event
from tests.validity.shop import Polled, Subscribed, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.frame import GapCause, Item
    from tests.validity.chain import World

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

EVERYTHING: tuple[GapCause, ...] = ("agent_off", "clock", "maintenance", "overflow")
"""Causes that strike all sources at once."""
ONE: tuple[GapCause, ...] = ("waiting", "rejected", "config", "birth_lost")
"""Causes that are told source by source."""


def silenced(world: World, share: float, causes: tuple[GapCause, ...], mean_s: float = 1500) -> World:
    """Return the plant as an agent saw it that was not there for a share of planned time.

    Args:
        world: The plant.
        share: Of planned time.
        causes: Of the stretches, in turns.
        mean_s: Length of a stretch.
    """
    site = world.site
    spans = np.array(runs(site.draw(share, mean_s, 300)), np.float64).reshape(-1, 2)
    begin, end = site.ns(spans[:, 0]), site.ns(spans[:, 1])
    extra: list[Item] = []
    for number, (low, high) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        cause = causes[number % len(causes)]
        names = [None] if cause in EVERYTHING else [s.id for s in world.sources]
        extra += [gap_event(f"{cause} {number} {name}", cause, name, high, low, high) for name in names]

    def outside(times: Ints) -> Bools:
        index = np.searchsorted(begin, times, side="right") - 1
        return (index < 0) | (times >= end[np.maximum(index, 0)])

    parts = []
    for part in world.parts:
        streams = [_polled(s, outside) if isinstance(s, Polled) else _told(s, outside, end) for s in part.streams]
        items = [i for i in part.items if not isinstance(i, Watermark) or bool(outside(np.array([i.time_ns]))[0])]
        parts.append(replace(part, streams=streams, items=items))
    return replace(world, parts=parts, extra=extra)


def _polled(stream: Polled, outside: object) -> Polled:
    kept = outside(stream.time)  # type: ignore[operator]
    return Polled(stream.source, stream.time[kept], [c[kept] for c in stream.columns], stream.status[kept])


def _told(stream: Subscribed, outside: object, ends: Ints) -> Subscribed:
    """A new session begins with what all signals say by then."""
    kept = outside(stream.time)  # type: ignore[operator]
    rows = list(np.flatnonzero(kept))
    times = list(stream.time[kept])
    stated = list(stream.source_ns[kept])
    for signal in range(len(stream.source.signals)):
        own = np.flatnonzero(stream.signal == signal)
        place = np.searchsorted(stream.time[own], ends, side="right") - 1
        for at, where in zip(ends.tolist(), place.tolist(), strict=True):
            if where >= 0:
                rows.append(own[where])
                times.append(at + 1000 * signal)
                stated.append(at)
    order = np.argsort(np.array(times), kind="stable")
    index = np.array(rows)[order]
    return Subscribed(
        stream.source, stream.signal[index], np.array(times)[order], [stream.value[i] for i in index.tolist()],
        stream.status[index], np.array(stated)[order],
    )  # fmt: skip
