"""Values of one signal on one day, reading by reading, as the words of `agent.analyzers.values` say."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECOND = 1_000_000_000
MILLI = 1_000_000
MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
FOREVER = 2**62
GAMMA = 1.02 / 0.98
Row = tuple[int, float | None]
"""Time, and the value of a good reading; None for any other row."""
Piece = tuple[int, int]


@dataclass
class Found:
    """What a day has come to."""

    numbers: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    changed: Counter[int] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)
    still: list[Piece] = field(default_factory=list)
    spikes: list[Piece] = field(default_factory=list)
    out: list[dict[int, int]] = field(default_factory=list)


def bucket(length_ns: float) -> int:
    """Return the bucket of a duration, from the definition."""
    size = abs(length_ns) / MILLI
    return 0 if size <= 1 else math.ceil(math.log(size) / math.log(GAMMA) - 1e-9)


def brute(
    rows: Sequence[Row],
    day: Piece,
    interval_ns: int | None,
    ranges: Iterable[tuple[float, float] | None] = (),
    known: Sequence[Piece] = (),
) -> Found:
    """Return what a signal's rows leave on a day; `interval_ns` is None for a subscription."""
    low, high = day
    good = [i for i, (_, v) in enumerate(rows) if v is not None]
    times = [rows[i][0] for i in good]
    values = [v for _, v in rows if v is not None]
    links, covers = _links(rows, good, interval_ns)
    found = Found(numbers=[v for t, v in zip(times, values, strict=True) if low <= t < high])
    for i in range(1, len(good)):
        if links[i] and values[i] != values[i - 1] and low <= times[i] < high:
            found.steps.append(abs(values[i] - values[i - 1]))
            found.changed[(times[i] - low) // QUARTER] += 1
    _runs(
        found, (low, high), list(zip(times, values, links, covers, strict=True)), known if not interval_ns else None
    )
    first = next((v for t, v in zip(times, values, strict=True) if low <= t < high), 0.0)
    grain = 2.0 ** (-40 if first == 0 else min(-20, math.floor(math.log2(abs(first) * 1e-6))))
    _spikes(found, day, times, values, links, grain)
    for limits in ranges:
        out: Counter[int] = Counter()
        for t, v, end in zip(times, values, covers, strict=True):
            if limits is not None and not limits[0] <= v <= limits[1]:
                for a, b in _cut((t, end), day, known if not interval_ns else None):
                    for quarter in range((a - low) // QUARTER, (b - 1 - low) // QUARTER + 1):
                        begins = low + quarter * QUARTER
                        out[quarter] += min(b, begins + QUARTER) - max(a, begins)
        found.out.append({q: ns // MILLI for q, ns in sorted(out.items()) if ns >= MILLI})
    return found


def _links(rows: Sequence[Row], good: Sequence[int], interval_ns: int | None) -> tuple[list[bool], list[int]]:
    links, covers = [False] * len(good), [0] * len(good)
    for place, i in enumerate(good):
        after = good[place + 1] if place + 1 < len(good) else None
        if interval_ns:
            near = after is not None and rows[after][0] - rows[i][0] <= int(1.2 * interval_ns)
            covers[place] = rows[after][0] if near and after is not None else rows[i][0] + interval_ns
        else:
            near = after == i + 1
            covers[place] = rows[i + 1][0] if i + 1 < len(rows) else FOREVER
        if near:
            links[place + 1] = True
    return links, covers


def _cut(piece: Piece, day: Piece, known: Sequence[Piece] | None) -> list[Piece]:
    """Return the parts of a piece on a day; long ones are cut to what is known, if that is given."""
    a, b = max(piece[0], day[0]), min(piece[1], day[1])
    if a >= b:
        return []
    if known is None or b - a < MINUTE:
        return [(a, b)]
    return [(max(a, x), min(b, y)) for x, y in known if max(a, x) < min(b, y)]


def _runs(
    found: Found,
    day: Piece,
    readings: Sequence[tuple[int, float, bool, int]],
    known: Sequence[Piece] | None,
) -> None:
    low, high = day
    runs: list[list[int]] = []
    for place, (time, value, linked, cover) in enumerate(readings):
        if linked and value == readings[place - 1][1]:
            runs[-1][1] = cover
        else:
            runs.append([time, cover])
    pieces: list[Piece] = []
    for start, end in runs:
        if end - start < MINUTE:
            if low <= start < high:
                found.runs[bucket(end - start)] += 1
        elif max(start, low) < min(end, high):
            pieces.append((max(start, low), min(end, high)))
    pieces = _longest(found, day, pieces)
    found.still = sorted(pieces if known is None else _known_runs(found, day, pieces, known))


def _known_runs(found: Found, day: Piece, pieces: list[Piece], known: Sequence[Piece]) -> list[Piece]:
    """Return the parts of long runs in which the value was known; short ones are counted with the others."""
    kept = []
    for a, b in pieces:
        for x, y in known:
            part = max(a, x), min(b, y)
            whole = part == (a, b) or part[0] == day[0] or part[1] == day[1]
            if part[0] < part[1] and (whole or part[1] - part[0] >= MINUTE):
                kept.append(part)
            elif part[0] < part[1]:
                found.runs[bucket(part[1] - part[0])] += 1
    return _longest(found, day, kept)


def _longest(found: Found, day: Piece, pieces: list[Piece]) -> list[Piece]:
    pieces = sorted(pieces, key=lambda p: (p[0] != day[0] and p[1] != day[1], p[0] - p[1], p[0]))
    for a, b in pieces[64:]:
        found.runs[bucket(b - a)] += 1
    return pieces[:64]


def _spikes(
    found: Found, day: Piece, times: list[int], values: list[float], links: list[bool], grain: float
) -> None:
    changes = sorted(bucket(step / grain * MILLI) for step in found.steps)
    small = changes[max(0, math.ceil(len(changes) / 10) - 1)] if changes else 0
    noise = 0.0 if small == 0 else 6 / (0.6745 * 2**0.5) * 2 * GAMMA**small / (GAMMA + 1)
    steps = [
        bucket(abs(values[i] - values[i - 1]) / grain * MILLI) if links[i] and day[0] <= times[i - 1] else 0
        for i in range(len(times))
    ]
    inside = {i for i, time in enumerate(times) if day[0] <= time < day[1]}
    for last in range(4, len(times)):
        window = values[last - 4 : last + 1]
        if times[last - 4] < day[0] or times[last] >= day[1] or not all(links[last - 3 : last + 1]):
            continue
        median = sorted(window)[2]
        distances = [abs(v - median) for v in window]
        limit = 6 * 1.4826 * sorted(distances)[2]
        near, far = max(distances[1], distances[3]), distances[2]
        if far > limit and far > near and near <= max(limit, far / 4):
            size = bucket(far / grain * MILLI)
            spot = last - 2
            sides = [range(spot - 12, spot), range(spot + 2, spot + 14)]
            fourth = max(sorted((steps[i] + 2) // 5 if i in inside else 0 for i in side)[-4] for side in sides)
            loud = fourth == 0 or size > 5 * fourth + round(math.log(5) / math.log(GAMMA))
            if size > bucket(noise * MILLI) and loud:
                found.spikes.append((times[spot], size))
