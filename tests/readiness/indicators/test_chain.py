"""From readings to indicators of connectivity and acquisition: one machine, read each ten seconds for three weeks.

Readings go through the real analyzers; what must come out is counted reading by reading.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Signal, Source, Status, Watermark
from readiness.evidence import load
from readiness.indicators import a01, a02, a03, a06, c01, x01
from readiness.indicators.base import Buckets, Census, Rates, Sample, Shares
from readiness.plant import Meaning
from tests.readiness.indicators.made import near, outcome
from tests.readiness.plant import CALENDAR, DAY, HOUR, MINUTE, SECOND, START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.frame import Value
    from readiness.evidence import DayEvidence
    from readiness.plant import Plant

    Ints = NDArray[np.int64]

DAYS = 21
T = 10 * SECOND
TONE_HZ = 1.3
AWAY = {day: (3 * HOUR, (10 + 5 * k) * MINUTE) for k, day in enumerate((1, 2, 3, 7, 8, 9))}
"""Day -> when its link is lost, and for how long."""


def tag(id_: str, role: str | None, dtype: DataType, name: str | None = None) -> Signal:
    return Signal(
        id=id_, machine="press", name=name or id_, dtype=dtype, role=role,  # type: ignore[arg-type]
        role_confirmed=role is not None,
    )  # fmt: skip


PRESS = Source(
    id="press-plc.main", device="press-plc", protocol="modbus", mode="poll", interval_ns=T,
    signals=(tag("bit", "cycle", DataType.BOOL), tag("total", "count_total", DataType.UINT32),
             tag("state", "state", DataType.INT16), tag("load", "pv", DataType.FLOAT64, "주축 부하")),
)  # fmt: skip
FAST = Source(
    id="press-plc.fast", device="press-plc", protocol="modbus", mode="burst", interval_ns=SECOND // 10,
    signals=(tag("load-fast", None, DataType.FLOAT64, "주축 부하"),),
)  # fmt: skip


@dataclass
class Read:
    """Readings of all days: times, whether answered, and what they said."""

    time: Ints
    good: NDArray[np.bool_]
    bit: NDArray[np.bool_]
    total: Ints

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Readings that were answered, as were those before them."""
        found = self.good.copy()
        found[1:] &= self.good[:-1]
        found[0] = False
        return found

    @property
    def planned(self) -> NDArray[np.bool_]:
        """Readings in planned time."""
        hour = (self.time - START) % DAY / HOUR
        counts: NDArray[np.bool_] = (hour < 12) & ((self.time - START) // DAY % 7 < 5)
        return counts


@functools.cache
def readings() -> Read:
    """Return cycles of 40 to 80 s; a bit is true for 14 s of each, or for 6 s, so that reading misses some."""
    rng = np.random.default_rng(5)
    grid = START + np.arange(DAYS * DAY // T) * T + SECOND
    time = (grid + rng.integers(-300_000, 300_000, len(grid)) * 1000).astype(np.int64)
    begins = START + np.cumsum(rng.integers(40, 80, DAYS * 2200)) * SECOND
    last = np.searchsorted(begins, time, side="right") - 1
    length = np.where(rng.random(len(begins)) < 0.2, 6, 14) * SECOND
    bit = (last >= 0) & (time - begins[last] < length[last])
    good = np.ones(len(time), np.bool_)
    for day, (at, long) in AWAY.items():
        good &= ~((time >= START + day * DAY + at) & (time < START + day * DAY + at + long))
    return Read(time, good, bit, np.searchsorted(begins + 20 * SECOND, time, side="right").astype(np.int64))


def blocks() -> list[FrameBlock]:
    """Return the readings in blocks of four hours, and a burst of two minutes a day."""
    read, found = readings(), []
    rng = np.random.default_rng(6)
    for part in np.array_split(np.arange(len(read.time)), DAYS * 6):
        rows: list[Value] = []
        for k in part.tolist():
            said: tuple[Value, ...] = (bool(read.bit[k]), int(read.total[k]), 1, float(rng.normal()))
            rows += said if read.good[k] else (None,) * 4
        status = np.where(np.repeat(read.good[part], 4), 0, Status.BAD_NO_COMMUNICATION).astype(np.uint32)
        index = np.tile(np.arange(4, dtype=np.int32), len(part))
        found.append(FrameBlock(PRESS, index, np.repeat(read.time[part], 4), rows, status))
    for day in range(DAYS):
        at = START + day * DAY + 2 * HOUR + np.arange(1200) * (SECOND // 10)
        wave = np.sin(2 * np.pi * TONE_HZ * np.arange(1200) / 10) + 0.01 * rng.standard_normal(1200)
        zeros = np.zeros(1200, np.int32)
        found.append(FrameBlock(FAST, zeros, at, wave.tolist(), zeros.astype(np.uint32)))
    return sorted(found, key=lambda b: int(b.time_ns[0]))


@functools.cache
def evidence() -> tuple[DayEvidence, ...]:
    """Return the closed days."""
    analyzers = make([PRESS, FAST], CALENDAR)
    days: dict[str, bytes] = {}
    for each in blocks():
        analyzers.feed([each])
        days |= analyzers.take_closed()
    analyzers.feed([Watermark(s.id, START + DAYS * DAY + HOUR) for s in (PRESS, FAST)])
    return tuple(load(raw) for _, raw in sorted({**days, **analyzers.take_closed()}.items()))


def about(plant: Plant) -> Plant:
    return replace(
        plant, meanings={**plant.meanings, "press/state": Meaning(role="state", states={1: "executing"})}
    )


def days() -> Sequence[DayEvidence]:
    found = evidence()
    assert len(found) == DAYS
    return found


def test_cycles_that_were_seen_of_the_pieces_that_were_counted() -> None:
    read = readings()
    said = outcome(a03.INDICATOR, [PRESS, FAST], days(), about)
    assert isinstance(said, Rates)
    rising = read.bit & ~np.concatenate([[True], read.bit[:-1]]) & read.seen & read.planned
    steps = np.diff(read.total, prepend=read.total[0]) * (read.seen & read.planned)
    assert said.shown["pieces"] == steps.sum()
    # So many changes are summed up by quarter hour, and one behind an outage is then among them.
    assert rising.sum() <= said.num.sum() <= rising.sum() + len(AWAY)
    assert 0.85 < said.num.sum() / said.den.sum() < 0.97


def test_outages_of_the_link() -> None:
    said = outcome(x01.INDICATOR, [PRESS, FAST], days(), about)
    assert isinstance(said, Buckets)
    lengths = sorted(long / SECOND for day, (_, long) in AWAY.items() if day % 7 < 5)
    assert said.shown["outages"] == len(lengths) == 6
    assert near(said.days, 0.9) == pytest.approx(lengths[-1], abs=2 * T / SECOND + 0.02 * lengths[-1])


def test_time_that_was_known() -> None:
    said = outcome(a01.INDICATOR, [PRESS, FAST], days(), about)
    assert isinstance(said, Shares)
    lost = sum(long for day, (_, long) in AWAY.items() if day % 7 < 5)
    assert 1 - said.num.sum() / said.den.sum() == pytest.approx(lost / (15 * 12 * HOUR), rel=0.02)
    assert said.shown["longest_gap_s"] == pytest.approx(35 * 60, abs=2 * T / SECOND)
    assert said.flags == ()


def test_how_evenly_it_was_read() -> None:
    read = readings()
    said = outcome(a06.INDICATOR, [PRESS, FAST], days(), about)
    assert isinstance(said, Buckets)
    off = np.abs(np.diff(read.time, prepend=0) - T) / T
    truth = np.sort(off[read.seen & (((read.time - START) // DAY) % 7 < 5)])
    assert near(said.days, 0.95) == pytest.approx(truth[int(np.ceil(0.95 * len(truth))) - 1], rel=0.03)


def test_an_aliased_value_is_found_out_by_its_burst() -> None:
    said = outcome(a02.INDICATOR, [PRESS, FAST], days(), about)
    assert isinstance(said, Sample)
    assert said.values == pytest.approx((0.1 / (2 * TONE_HZ),), rel=0.05)
    assert said.shown["sufficient_share"] == 0


def test_the_machine_is_reached() -> None:
    said = outcome(c01.INDICATOR, [PRESS, FAST], days(), about)
    assert isinstance(said, Census)
    assert said.value == 1.0
