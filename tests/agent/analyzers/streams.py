"""Random streams of items, and random ways to cut them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import numpy as np

from agent.frame import (
    DataType,
    Event,
    Facts,
    FrameBlock,
    RoundTrip,
    Signal,
    Source,
    Status,
    Watermark,
    concat,
)
from readiness.schedule import Calendar

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from agent.frame import EventKind, Item, Json, Mode

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = int(datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp()) * SECOND
CALENDAR = Calendar("UTC", time(8), {d: ((time(8), time(20)),) for d in range(7)})
STATUSES = (
    Status.GOOD, Status.GOOD, Status.GOOD, Status.UNCERTAIN, Status.BAD_OUT_OF_RANGE,
    Status.BAD_NO_COMMUNICATION, Status.BAD,
)  # fmt: skip


def source(name: str, mode: Mode, interval_ns: int, signals: int, machine: str = "press-1") -> Source:
    """Return a source with signals s0, s1, ..."""
    return Source(
        id=f"{name}.main",
        device=name,
        protocol="modbus" if mode == "poll" else "opcua",
        mode=mode,
        interval_ns=interval_ns,
        signals=tuple(
            Signal(id=f"s{i}", machine=machine, name=f"s{i}", dtype=DataType.INT32) for i in range(signals)
        ),
    )


def block(of: Source, rows: Sequence[tuple[int, int, int]], trips: tuple[RoundTrip, ...] = ()) -> FrameBlock:
    """Return a block of (signal, time, status) rows."""
    return FrameBlock(
        source=of,
        signal=np.array([r[0] for r in rows], np.int32),
        time_ns=np.array([r[1] for r in rows], np.int64),
        value=[None if r[2] >> 31 else 1 for r in rows],
        status=np.array([r[2] for r in rows], np.uint32),
        round_trips=trips,
    )


def stream(rng: random.Random, sources: Sequence[Source], hours: float) -> list[tuple[int, Item]]:
    """Return (time, item) in order of time: readings with faults and pauses, keep-alives, gaps and facts."""
    items: list[tuple[int, Item]] = []
    for of in sources:
        instant, status = START + rng.randrange(MINUTE), Status.GOOD
        while instant < START + hours * 60 * MINUTE:
            if rng.random() < 0.2:
                status = rng.choice(STATUSES)
            chosen = [i for i in range(len(of.signals)) if of.mode == "poll" or rng.random() < 0.5]
            rows = [
                (i, instant + i % 2 * 1000, rng.choice(STATUSES) if rng.random() < 0.1 else status) for i in chosen
            ]
            trip = RoundTrip(instant, 5_000_000, status)
            items.append((instant, block(of, rows, (trip,) if rng.random() < 0.5 else ())))
            if rng.random() < 0.3:
                items.append((instant + 1, Watermark(of.id, instant + 1)))
            pause = rng.choice((1.0, 1.0, 1.0, 0.97, 1.15, 1.25, 2.0, rng.uniform(0.5, 40)))
            instant += int(of.interval_ns * pause)
    latest = items[-1][0] if items else START
    for number in range(rng.randrange(8)):
        first = rng.randrange(START - MINUTE, latest + 1)
        last = first + rng.randrange(600 * MINUTE)
        who = rng.choice([s.id for s in sources] + [None])
        cause = rng.choice(("agent_off", "waiting", "link_down", "overflow", "device_off"))
        body: dict[str, Json] = {"gap_id": f"g{number}", "cause": cause}
        items.append((first, Event(kind="gap", time_ns=first, source=who, from_ns=first, body=body)))
        if rng.random() < 0.7:
            closing = Event(kind="gap", time_ns=last, source=who, from_ns=first, to_ns=last, body=body)
            items.append((last, closing))
    kinds: tuple[EventKind, ...] = ("link_up", "maintenance", "agent_start")
    for kind in kinds:
        when = rng.randrange(START, latest + 1)
        until = when + 90 * MINUTE
        body = {"simulated": kind == "agent_start"}
        event = Event(kind=kind, time_ns=when, from_ns=when, to_ns=until, body=body)
        items.append((when, event))
    for of in sources:
        when = rng.randrange(START, latest + 1)
        mode = rng.choice(("None", "Sign", "SignAndEncrypt"))
        items.append((when, Facts(kind="connection", time_ns=when, subject=of.device, body={"mode": mode})))
        declared: dict[str, Json] = {"source": of.id, "signals": {"s0": {"unit": "mm", "description": ""}}}
        items.append((when, Facts(kind="catalog", time_ns=when, subject=of.device, body=declared)))
    items.sort(key=lambda pair: pair[0])
    return items


def halves(rng: random.Random, whole: FrameBlock) -> list[FrameBlock]:
    """Cut a block in two at a random row."""
    at = rng.randrange(len(whole) + 1)
    return [
        FrameBlock(
            source=whole.source,
            signal=whole.signal[part],
            time_ns=whole.time_ns[part],
            value=whole.value[part],
            status=whole.status[part],
            round_trips=whole.round_trips if part.start is None else (),
        )
        for part in (slice(None, at), slice(at, None))
    ]


def entries(rng: random.Random, items: Sequence[tuple[int, Item]], most: int) -> list[list[Item]]:
    """Cut a stream into entries as the spool does: frames of a source joined, kinds in any order."""
    found: list[list[Item]] = []
    position = 0
    while position < len(items):
        size = rng.randrange(1, most + 1)
        part = [item for _, item in items[position : position + size]]
        position += size
        frames: dict[str, list[FrameBlock]] = {}
        others: list[Item] = []
        for item in part:
            if isinstance(item, FrameBlock):
                frames.setdefault(item.source.id, []).extend(halves(rng, item))
            else:
                others.append(item)
        groups: list[list[Item]] = [[concat(blocks)] for blocks in frames.values()]
        groups.append([i for i in others if not isinstance(i, Watermark)])
        groups.append([i for i in others if isinstance(i, Watermark)])
        rng.shuffle(groups)
        found.append([item for group in groups for item in group])
    return found
