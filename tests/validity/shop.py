"""Time, chance and readings of the simulated plant: columns of numpy, from second by second truth to FrameBlocks.

Truth is one array a second over the window; what an agent would have committed is cut out of it at the moments of
its polls. Nothing here knows analyzers, spans or formulas.

    Site      seconds of the window, which of them are planned, the generator of chance and the level of the faults
    Part      what one machine adds: readings, what people say of it, and the true values of its indicators
    Polled    a source that is read; Subscribed: one that tells changes
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.frame import DataType, FrameBlock, Signal, Source, Status
from tests.readiness.plant import DAY, SECOND, START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from agent.frame import Event, Facts, Watermark
    from readiness.plant import About, ControlLoop, HandCount, Installed, Meaning, Product, Use

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Column = NDArray[Any]

HISTORY, WINDOW = 56, 28
"""Days before the window, of slow sources only, and days of the window; both whole weeks."""
DAY_S, SHIFT_S, MARGIN_S = 86_400, 43_200, 600
"""Machines are switched on ten minutes before the shift of twelve hours and off ten minutes after it."""
FAILED = Status.BAD_NO_COMMUNICATION
LEVELS = (0.01, 0.03, 0.07, 0.12, 0.2, 0.33)


@dataclass
class Site:
    """One run: `level` says how much goes wrong, `seed` what happens.

    Second 0 is the start of the window; history has negative seconds. Shifts are the first half of the first five
    days of a week.
    """

    level: float
    seed: int
    days: int = WINDOW
    history: int = HISTORY
    poll_s: int = 10

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([self.seed, round(1e4 * self.level)])

    @property
    def start_ns(self) -> int:
        """Start of the window."""
        return START + self.history * DAY

    @property
    def end_ns(self) -> int:
        """End of the window."""
        return self.start_ns + self.days * DAY

    @property
    def n(self) -> int:
        """Seconds of the window."""
        return self.days * DAY_S

    @cached_property
    def second(self) -> Ints:
        """Seconds of the window."""
        return np.arange(self.n, dtype=np.int64)

    @cached_property
    def planned(self) -> Bools:
        """Return which seconds are planned."""
        return np.tile(WEEK, self.days // 7 + 1)[: self.n]

    @cached_property
    def on(self) -> Bools:
        """Return in which seconds machines are switched on."""
        return np.tile(ON, self.days // 7 + 1)[: self.n]

    @cached_property
    def production_days(self) -> list[int]:
        """Days of the window with a shift."""
        return [d for d in range(self.days) if d % 7 < 5]

    def ns(self, seconds: Floats | Ints) -> Ints:
        """Return instants, cut to microseconds."""
        return self.start_ns + (np.asarray(seconds, np.float64) * 1e6).astype(np.int64) * 1000

    def polls(self, every_s: float, jitter: float = 0.01, *, always: bool = False) -> Floats:
        """Return when a source is read, while its machine is on or always: seconds, increasing."""
        number = int(self.days * DAY_S / every_s)
        pause = every_s * (1 + self.rng.uniform(-jitter, jitter, number))
        at = 1.0 + np.cumsum(pause) - every_s
        return at if always else at[is_on(at)]

    def draw(self, share: float, mean_s: float, least_s: int = 60, within: Sequence[int] | None = None) -> Bools:
        """Return seconds of planned time in stretches of about `mean_s` that cover about `share` of it."""
        found = np.zeros(self.n, np.bool_)
        for day in self.production_days if within is None else within:
            at = day * DAY_S + int(self.rng.integers(0, 600))
            end = day * DAY_S + SHIFT_S
            quiet = mean_s * (1 - share) / max(share, 1e-9)
            at += int(self.rng.exponential(quiet)) if self.rng.random() > share else 0
            while at < end:
                stop = at + max(least_s, int(self.rng.exponential(mean_s)))
                found[at : min(stop, end)] = True
                at = stop + max(least_s, int(self.rng.exponential(quiet)))
        return found

    def pick(self, number: int, share: float) -> Bools:
        """Return which of so many things are struck: the share, rounded, at random."""
        found = np.zeros(number, np.bool_)
        found[self.rng.permutation(number)[: round(share * number)]] = True
        return found


WEEK = np.zeros(7 * DAY_S, np.bool_)
"""Which seconds of a week lie in a shift."""
for _day in range(5):
    WEEK[_day * DAY_S : _day * DAY_S + SHIFT_S] = True
ON = WEEK | np.roll(WEEK, MARGIN_S) | np.roll(WEEK, -MARGIN_S)


def works(second: Ints | Floats) -> Bools:
    """Return which instants (seconds) lie in a shift."""
    return np.asarray(WEEK[np.floor(second).astype(np.int64) % len(WEEK)])


def is_on(second: Ints | Floats) -> Bools:
    """Return at which instants machines are switched on."""
    return np.asarray(ON[np.floor(second).astype(np.int64) % len(ON)])


def at(truth: Column, seconds: Floats) -> Column:
    """Return what a truth per second was at some instants; before and after the window its ends."""
    return np.asarray(truth[np.clip(seconds.astype(np.int64), 0, len(truth) - 1)])


def runs(mask: Bools) -> list[tuple[int, int]]:
    """Return the stretches [from, to) of seconds that are true."""
    edges = np.flatnonzero(np.concatenate([mask[:1], mask[1:] != mask[:-1], mask[-1:]]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def share(part: Bools, whole: Bools) -> float:
    """Return how much of some seconds lies in others."""
    return float((part & whole).sum() / whole.sum())


def tag(machine: str, id_: str, dtype: DataType, role: str | None = None, **more: object) -> Signal:
    """Return a signal with a role for which somebody stands."""
    fields: dict[str, Any] = {"role": role, "role_confirmed": role is not None, "name": id_, **more}
    return Signal(id=id_, machine=machine, dtype=dtype, **fields)


@dataclass
class Polled:
    """A source that is read: one value of each signal at each poll, whole columns.

    Attributes:
        source: What is read.
        time: [n] instants.
        columns: By signal [n].
        status: [n, signals].
        source_ns: [n] the device's own times, of protocols that have them.
    """

    source: Source
    time: Ints
    columns: Sequence[Column]
    status: NDArray[np.uint32]
    source_ns: Ints | None = None

    def __len__(self) -> int:
        return len(self.time) * len(self.columns)

    def blocks(self, edges: Ints) -> Iterator[tuple[int, FrameBlock]]:
        """Yield (hour, block) for the hours between the edges in which anything was read."""
        k = len(self.columns)
        cuts = np.searchsorted(self.time, edges)
        for hour, (low, high) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
            if low == high:
                continue
            table = np.empty((high - low, k), object)
            for index, column in enumerate(self.columns):
                table[:, index] = column[low:high].tolist()
            status = self.status[low:high]
            if status.any():
                table[status >> 31 == 1] = None
            yield (
                hour,
                FrameBlock(
                    source=self.source,
                    signal=np.tile(np.arange(k, dtype=np.int32), high - low),
                    time_ns=np.repeat(self.time[low:high], k),
                    value=table.ravel().tolist(),
                    status=status.ravel(),
                    source_ns=None if self.source_ns is None else np.repeat(self.source_ns[low:high], k),
                ),
            )


@dataclass
class Subscribed:
    """A source that tells changes: rows in order of time, with the device's own times."""

    source: Source
    signal: NDArray[np.int32]
    time: Ints
    value: list[Any]
    status: NDArray[np.uint32]
    source_ns: Ints

    def __len__(self) -> int:
        return len(self.time)

    def blocks(self, edges: Ints) -> Iterator[tuple[int, FrameBlock]]:
        """Yield (hour, block) for the hours between the edges in which anything came."""
        cuts = np.searchsorted(self.time, edges)
        for hour, (low, high) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
            if high > low:
                yield (
                    hour,
                    FrameBlock(
                        source=self.source,
                        signal=self.signal[low:high],
                        time_ns=self.time[low:high],
                        value=self.value[low:high],
                        status=self.status[low:high],
                        source_ns=self.source_ns[low:high],
                    ),
                )


def polled(
    site: Site,
    source: Source,
    seconds: Floats,
    columns: Mapping[str, Column],
    bad: Mapping[str, Bools] | None = None,
    away: Bools | None = None,
) -> Polled:
    """Return the readings of a source.

    Args:
        site: Of the run.
        source: What is read; its signals' ids are the keys of `columns`.
        seconds: When.
        columns: Values at these instants.
        bad: By signal, seconds of the window in which the device calls its value bad.
        away: Seconds in which nobody answers: then every sixth try is told.
    """
    names = [s.id for s in source.signals]
    status = np.zeros((len(seconds), len(names)), np.uint32)
    for name, mask in (bad or {}).items():
        status[at(mask, seconds), names.index(name)] = Status.BAD_DEVICE_FAILURE
    kept = np.ones(len(seconds), np.bool_)
    if away is not None:
        gone = at(away, seconds)
        status[gone] = FAILED
        first = gone & ~np.concatenate([[False], gone[:-1]])
        kept = ~gone | first | (np.arange(len(seconds)) % 6 == 0)
    return Polled(source, site.ns(seconds[kept]), [columns[name][kept] for name in names], status[kept])


@dataclass
class Part:
    """What one machine adds to the plant."""

    machine: str
    streams: list[Polled | Subscribed] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)  # without readings in `streams`
    items: list[Event | Facts | Watermark] = field(default_factory=list)
    meanings: dict[str, Meaning] = field(default_factory=dict)
    about: About | None = None
    loops: list[ControlLoop] = field(default_factory=list)
    products: dict[str, Product] = field(default_factory=dict)
    hands: list[HandCount] = field(default_factory=list)
    systems: list[Installed] = field(default_factory=list)
    use: list[Use] = field(default_factory=list)
    tallies: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)
    truth: dict[str, float] = field(default_factory=dict)
    path: str | None = None


def source_of(
    machine: str, signals: Sequence[Signal], every_s: float, name: str = "main", protocol: str = "modbus",
    mode: str = "poll",
) -> Source:  # fmt: skip
    """Return a source of one device of a machine."""
    return Source(
        id=f"{machine}-plc.{name}", device=f"{machine}-plc", protocol=protocol, mode=mode,  # type: ignore[arg-type]
        interval_ns=round(every_s * SECOND), signals=tuple(signals),
    )  # fmt: skip


BOOL, WHOLE, REAL, TEXT = DataType.BOOL, DataType.INT32, DataType.FLOAT64, DataType.STRING
