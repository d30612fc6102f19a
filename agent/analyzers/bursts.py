"""Windows of fast reading (A02): what each signal did in them, in frequencies.

A burst source is read fast for at most ten minutes, then left alone for at least as long. So a window ends with a
pause of more than three intervals; and with the production day, and after `MOST` intervals, because its rows are
kept until it ends. Only then is each of its signals looked at (`agent.analyzers.spectrum`), if its readings came
evenly enough to be taken for evenly spaced ones: a frequency of something else would be a guess.

Polls are compared with the median of their own pauses. A reading that is missing is put in between its neighbours.

OPC UA tells what has changed, and when it was sampled: a sample that is not told was equal to the one before. Its
rows bear the times of answers, several of them at once, so that the source's times count, moved to our clock by
the median difference; a quiet spell of `QUIET` ends a window there: a few intervals without a change are nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from agent.analyzers.numbers import Column
from agent.analyzers.rows import BAD, classes
from agent.analyzers.spectrum import LEAST, tell
from agent.frame import DataType
from readiness.records import MILLI_NS, Burst

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from agent.frame import FrameBlock, Signal, Source

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Day = Callable[[int], tuple[int, int]]

PAUSE: Final = 3
"""Intervals without a reading that end a window."""
QUIET_NS: Final = 2_000_000_000
MOST: Final = 8192
"""Intervals of a window at most."""
OFF: Final = 0.25
"""Intervals by which a reading may lie beside its place on the even grid."""
BESIDE: Final = 0.05
"""Share of readings that may lie further beside, and of those that may be missing."""
FAR: Final = 16
"""Intervals beyond which nobody can say whether a pause is a whole number of them."""
LEAST_TOLD: Final = 3
"""Changes of a signal that tells them, below which its sampling interval cannot be seen."""
PER_HOUR: Final = 4
"""Windows of a signal that are kept in each hour of the day, the first ones."""
HOUR_MS: Final = 3_600_000
KEPT_NS: Final = 3 * 86_400_000_000_000
"""Where nothing but bursts is read no day ever closes: older windows are forgotten."""
BY_EXCEPTION: Final = frozenset({"opcua"})
"""Protocols whose bursts are subscriptions."""
NO_SPECTRUM: Final = frozenset({DataType.BOOL, DataType.STRING, DataType.TIMESTAMP})


class Window:
    """The rows of one source since the last pause, and what they were of the source.

    Args:
        about: (id, protocol, interval in nanoseconds) of the source.
    """

    def __init__(self, about: tuple[str, str, int]) -> None:
        self.about = about
        self.keys: list[str] = []
        self.done_ns = 0
        self._listed: tuple[Signal, ...] = ()
        self._indices = np.empty(0, np.int64)
        self.clear()

    @property
    def pause_ns(self) -> int:
        """What ends it."""
        least = QUIET_NS if self.about[1] in BY_EXCEPTION else 0
        return max(PAUSE * self.about[2], least)

    def indices(self, source: Source) -> Ints:
        """Return for each signal of the source its index into `keys`, -1 for one that has no spectrum."""
        if source.signals is not self._listed:
            names = {name: n for n, name in enumerate(self.keys)}
            self._indices = np.array(
                [
                    -1 if s.dtype in NO_SPECTRUM else names.setdefault(f"{s.machine}/{s.id}", len(names))
                    for s in source.signals
                ],
                np.int64,
            )
            self.keys, self._listed = [*names], source.signals
        return self._indices

    def clear(self) -> None:
        """Begin a new one."""
        self.begun_ns = self.last_ns = 0
        self._rows: list[tuple[Ints, Ints, Ints, Floats]] = []  # signal, time, source time, value

    def add(self, signal: Ints, time: Ints, source: Ints, value: Floats) -> None:
        """Append rows, the first of which is the earliest of the window."""
        self.begun_ns = self.begun_ns or int(time[0])
        keep = time >= self.begun_ns
        self.last_ns = max(self.last_ns, int(time.max()))
        self._rows.append((signal[keep], time[keep], source[keep], value[keep]))

    def rows(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Return all rows in the order in which they came: signal, time, source time, value."""
        if len(self._rows) > 1:
            signal, time, source, value = zip(*self._rows, strict=True)
            self._rows = [tuple(np.concatenate(c) for c in (signal, time, source, value))]  # type: ignore[list-item]
        if not self._rows:
            none = np.empty(0, np.int64)
            return none, none, none, np.empty(0)
        return self._rows[0]

    def found(self, start_ns: int) -> dict[str, Burst]:
        """Return what its signals did, by name; milliseconds count from `start_ns`."""
        signal, time, source, value = self.rows()
        by_exception = self.about[1] in BY_EXCEPTION
        found = {}
        for index in np.unique(signal[signal >= 0]).tolist():
            own = signal == index
            if by_exception:
                even = told(time[own], source[own], value[own], self.last_ns, self.about[2])
            else:
                even = polled(time[own], value[own])
            if even is None:
                continue
            samples, rate = even
            spectrum = tell(samples, rate)
            if spectrum is not None:
                found[self.keys[index]] = Burst(
                    begin_ms=(self.begun_ns - start_ns) // MILLI_NS,
                    length_ms=(self.last_ns - self.begun_ns) // MILLI_NS,
                    n=len(samples) if by_exception else int(np.isfinite(value[own]).sum()),
                    rate_hz=float(f"{rate:.6g}"),
                    f95_hz=spectrum.f95_hz,
                    flat=spectrum.flat,
                )
        return found


class Bursts:
    """All windows of an agent's burst sources.

    Args:
        day: Returns the bounds of the production day that an instant lies in.
    """

    def __init__(self, day: Day) -> None:
        self._day = day
        self._windows: dict[str, Window] = {}
        self._found: dict[int, dict[str, list[Burst]]] = {}  # start of the day -> signal -> windows

    def block(self, block: FrameBlock, closed_ns: int) -> None:
        """Take the rows of a block; `closed_ns` is the end of the last closed day."""
        if not len(block):
            return
        window = self._window(block.source)
        taken = window.indices(block.source)
        signal = taken[block.signal]
        value = np.where(classes(block.status) < BAD, Column(block).number, np.nan)
        source = np.zeros(len(block), np.int64) if block.source_ns is None else block.source_ns
        keep = block.time_ns >= max(closed_ns, window.done_ns + 1)
        signal, time, source, value = signal[keep], block.time_ns[keep], source[keep], value[keep]
        while len(time):
            cut = self._cut(window, time)
            if cut:
                part = slice(cut)
                window.add(signal[part], time[part], source[part], value[part])
            if cut == len(time):
                return
            self._finish(window)
            signal, time, source, value = signal[cut:], time[cut:], source[cut:], value[cut:]

    def _window(self, source: Source) -> Window:
        about = (source.id, source.protocol, source.interval_ns)
        window = self._windows.get(source.id)
        if window is None or window.about != about:
            done = 0
            if window is not None:  # another interval: what was read with the last one is a window of its own
                self._finish(window)
                done = window.done_ns
            window = self._windows[source.id] = Window(about)
            window.done_ns = done
        return window

    def _cut(self, window: Window, time: Ints) -> int:
        """Return how many of these rows still belong to the window."""
        begun = window.begun_ns or int(time[0])
        before = np.maximum.accumulate(np.append(window.last_ns or begun, time))[:-1]
        until = min(begun + MOST * window.about[2], self._day(begun)[1])
        over = np.flatnonzero((time - before > window.pause_ns) | (time >= until))
        return int(over[0]) if len(over) else len(time)

    def _finish(self, window: Window) -> None:
        """Look at the signals of a window that is over."""
        if not window.begun_ns:
            return
        start, _ = self._day(window.begun_ns)
        self._found = {begun: found for begun, found in self._found.items() if begun > start - KEPT_NS}
        day = self._found.setdefault(start, {})
        for name, burst in sorted(window.found(start).items()):
            known = day.setdefault(name, [])
            if sum(each.begin_ms // HOUR_MS == burst.begin_ms // HOUR_MS for each in known) < PER_HOUR:
                known.append(burst)
        window.done_ns = window.last_ns
        window.clear()

    def close(self, start_ns: int, end_ns: int) -> dict[str, list[Burst]]:
        """Return the windows that began on a day, by signal."""
        for window in self._windows.values():
            if window.begun_ns and window.begun_ns < end_ns:
                self._finish(window)
        found = self._found.get(start_ns, {})
        return {name: sorted(bursts, key=lambda b: b.begin_ms) for name, bursts in sorted(found.items()) if bursts}

    def set_back(self, limit_ns: int) -> None:
        """Forget what is later than an instant: a clock was ahead, and these times have never been."""
        self._windows = {n: w for n, w in self._windows.items() if max(w.last_ns, w.done_ns) <= limit_ns}
        self._found = {start: found for start, found in self._found.items() if start <= limit_ns}

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        self._found = {start: found for start, found in self._found.items() if start >= end_ns}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        windows = {}
        for name, window in sorted(self._windows.items()):
            signal, time, source, value = window.rows()
            windows[name] = {
                "about": window.about,
                "keys": window.keys,
                "done": window.done_ns,
                "signal": signal.tolist(),
                "time": time.tolist(),
                "source": source.tolist(),
                "value": [v if np.isfinite(v) else None for v in value.tolist()],
            }
        found = {str(start): dict(sorted(by.items())) for start, by in sorted(self._found.items()) if by}
        return {"windows": windows, "found": found}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        for name, kept in state["windows"].items():
            source, protocol, interval = kept["about"]
            window = self._windows[name] = Window((source, protocol, interval))
            window.keys, window.done_ns = list(kept["keys"]), kept["done"]
            if kept["time"]:
                signal, time, stamps = (np.array(kept[column], np.int64) for column in ("signal", "time", "source"))
                window.add(signal, time, stamps, np.array(kept["value"], np.float64))
        self._found = {
            int(start): {name: msgspec.convert(bursts, list[Burst]) for name, bursts in found.items()}
            for start, found in state["found"].items()
        }


def polled(time: Ints, value: Floats) -> tuple[Floats, float] | None:
    """Return evenly spaced samples of a poll and their rate in hertz; None when they are too few or uneven.

    Args:
        time: Of the readings, in nanoseconds.
        value: NaN where a reading has no number.
    """
    there = np.isfinite(value) & (np.diff(time, prepend=time[0] - 1) > 0)
    time, value = time[there], value[there]
    if len(time) < LEAST:
        return None
    steps = np.diff(time)
    slots = _slots(steps, float(np.median(steps)))
    if slots is None or slots.sum() - len(slots) > BESIDE * slots.sum():
        return None
    place = np.append(0, np.cumsum(slots))
    samples: Floats = np.interp(np.arange(place[-1] + 1), place, value)
    return samples, float(place[-1] / (time[-1] - time[0]) * 1e9)


def told(time: Ints, source: Ints, value: Floats, end_ns: int, interval_ns: int) -> tuple[Floats, float] | None:
    """Return evenly spaced samples of a signal that tells its changes, and their rate; None when that is not known.

    Args:
        time: When each change came, in nanoseconds.
        source: When it was sampled, by the source's clock; 0 for unknown.
        value: NaN where it became unknown.
        end_ns: When the window ended.
        interval_ns: Of the source: the server samples at least that often. How often it does is seen of a signal
            that changes all the time; one that does not is not sampled more seldom for that.
    """
    if len(time) < LEAST_TOLD or not np.isfinite(value).all() or not source.all():
        return None
    sampled = source + int(np.median(time - source))
    interval = min(float(np.quantile(np.diff(sampled[1:]), BESIDE)), float(interval_ns))
    # what it was when the window began may have been sampled long before
    sampled[0] = max(int(sampled[0]), min(int(time[0]), int(sampled[1]) - round(interval)))
    steps = np.diff(sampled)
    slots = _slots(steps, interval) if interval > 0 and (steps > 0).all() else None
    if slots is None:
        return None
    near = slots <= FAR
    interval = float(steps[near].sum() / slots[near].sum()) if near.any() else interval
    rest = max(round((end_ns - int(sampled[-1])) / interval), 0)
    samples: Floats = np.repeat(value, np.append(slots, rest + 1))
    return samples, 1e9 / interval


def _slots(steps: Ints, interval: float) -> Ints | None:
    """Return how many intervals each step has, None when too many of them are no whole number of intervals."""
    exact = steps / interval
    slots: Ints = np.maximum(np.round(exact), 1).astype(np.int64)
    beside = (np.abs(exact - slots) > OFF) & (exact < FAR)
    return None if beside.sum() > BESIDE * len(steps) else slots
