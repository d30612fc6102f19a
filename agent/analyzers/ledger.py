"""Everything about one source between two closings of a day.

Rows behind a closed day are counted as late and not added. A row is behind when the source itself had already
passed the end of the row's day by `GRACE`: that depends on the source's own rows in their own order, never on how
sources are interleaved or blocks are cut.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agent.analyzers.asked import Requests
from agent.analyzers.counting import Counting
from agent.analyzers.jitter import Jitter
from agent.analyzers.knowledge import Polled, Subscribed
from agent.analyzers.latest import Latest
from agent.analyzers.liveness import Liveness
from agent.analyzers.numbers import Column
from agent.analyzers.order import Order
from agent.analyzers.outages import GRACE_NS as TELLING_NS
from agent.analyzers.rows import Rows, by_signal, classes, forward
from agent.analyzers.runs import grown
from agent.analyzers.serials import Serials
from agent.analyzers.signals import Closing, Portion
from agent.analyzers.tracks import Tracks
from agent.analyzers.values import Values
from readiness.evidence import Packed, SignalDay, SourceDay
from readiness.spans import Spans, union

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.knowledge import Knowledge
    from agent.analyzers.signals import Analyzer
    from agent.frame import FrameBlock, Signal, Source

    Ints = NDArray[np.int64]
    Day = Callable[[int], tuple[int, int]]

SECOND = 1_000_000_000
GRACE_NS = 600 * SECOND
"""How far a source must be past a day's end before nothing of that day is taken from it any more."""
JOINED_NS = 60 * SECOND
"""A signal that its source's blocks list only this much later than the source began was added by a new
configuration: it counts from the next production day. One that is listed and never heard of counts, as unknown."""
OUTCOMES = 4
SLICE = 1 << 16
"""Rows worked on at once: columns of this length stay in the processor's cache, six times as fast as an hour's."""


def key(signal: Signal) -> str:
    """Return the name of a signal in evidence."""
    return f"{signal.machine}/{signal.id}"


class Ranges(NamedTuple):
    """What people say of a signal's values: it goes before what the configuration says."""

    limits: tuple[float, float] | None = None
    """What is physically possible."""
    usual: tuple[float, float] | None = None
    """What is likely in normal operation."""


def analyzers(source: Source) -> dict[str, Analyzer]:
    """Return what looks at the rows of a source, by the name under which its state is kept."""
    found: dict[str, Analyzer] = {
        "order": Order(source.mode, source.interval_ns),
        "tracks": Tracks(source.mode, source.interval_ns),
        "counts": Counting(source.mode, source.interval_ns),
        "values": Values(source.mode, source.interval_ns),
        "ids": Serials(source.mode, source.interval_ns),
    }
    if source.mode == "poll":
        found["jitter"] = Jitter(source.interval_ns)
    else:
        found["latest"] = Latest()
    return found


class Ledger:
    """One source: what it is, what its rows said, and how far its data time has come.

    Args:
        source: Definition at the time; signals that appear later are appended, none is ever taken away.
        day: Returns the bounds of the production day that an instant lies in.
        ranges: By `{machine}/{signal}`.
    """

    def __init__(self, source: Source, day: Day, ranges: Mapping[str, Ranges] | None = None) -> None:
        self.id = identity(source)
        self._about = (source.id, source.device, source.protocol, source.mode, source.interval_ns)
        self._day = day
        self._keys = [key(s) for s in source.signals]
        self._mapped: tuple[tuple[Signal, ...], Ints | None] = (source.signals, None)
        n = len(self._keys)
        self._knowledge: Knowledge = Polled(n, source.interval_ns) if source.mode == "poll" else Subscribed(n)
        self._liveness = Liveness(source.mode, source.interval_ns)
        self._analyzers = analyzers(source)
        self._ranges = ranges or {}
        self._describe(source.signals)
        self._seen = np.zeros(n, np.int64)
        self._since = np.zeros(n, np.int64)  # first row of the first block whose source lists the signal
        self._listed: tuple[Signal, ...] | None = None
        self._reads: dict[int, Ints] = {}  # start of the day -> int64[4, n]
        self._requests = Requests(day)
        self._late: dict[int, int] = {}
        self._resumed: dict[int, int] = {}  # start of a day -> see `resumed`
        self._rows_ns = 0
        self._marks_ns = 0
        self.first_ns = 0

    @property
    def time_ns(self) -> int:
        """Data time of the source."""
        return max(self._rows_ns, self._marks_ns)

    @property
    def settle_ns(self) -> int:
        """How far past a day's end its data time must be before the day can close."""
        return max(GRACE_NS, 2 * self._about[4])

    def block(self, block: FrameBlock, closed_ns: int) -> None:
        """Take a block; `closed_ns` is the end of the last closed day."""
        self.rows(block, closed_ns)
        self._requests.take(block.round_trips, closed_ns)

    def rows(self, block: FrameBlock, closed_ns: int) -> None:
        """Take the rows of a block, see `block`."""
        if len(block):
            signal, kind = self._index(block), classes(block.status) if block.status.any() else None
            self.first_ns = min(self.first_ns or int(block.time_ns[0]), int(block.time_ns.min()))
            self._list(block)
            whole = Rows(signal, block.time_ns, kind, np.arange(len(block)), Column(block))
            for first in range(0, len(block), SLICE):
                self._slice(whole.where(slice(first, first + SLICE)), closed_ns)

    def _slice(self, rows: Rows, closed_ns: int) -> None:
        low, high = int(rows.time.min()), int(rows.time.max())
        if low < closed_ns or low < self._day(max(high, self._rows_ns) - GRACE_NS)[0]:
            rows = self._on_time(rows, closed_ns)
        self._rows_ns = max(self._rows_ns, high)
        self._resume(rows.time)
        if len(rows):
            self._take(rows, closed_ns)

    def watermark(self, time_ns: int) -> None:
        """Take a watermark."""
        self.first_ns = min(self.first_ns or time_ns, time_ns)
        self._marks_ns = max(self._marks_ns, time_ns)
        start, end = self._day(time_ns)
        if start + TELLING_NS <= time_ns < self._resumed.get(start, end):
            self._resumed[start] = time_ns
        self._liveness.watermark(time_ns)

    def resumed(self, start_ns: int) -> int | None:
        """Return the first data time on any day from `start_ns` on, the first `TELLING_NS` of each day left out."""
        return min((time for start, time in self._resumed.items() if start >= start_ns), default=None)

    def _resume(self, times: Ints) -> None:
        while len(times):
            low = int(times.min())
            start, end = self._day(low)
            if self._resumed.get(start, end) > low:
                told = times[(times >= start + TELLING_NS) & (times < end)]
                if len(told):
                    self._resumed[start] = min(self._resumed.get(start, end), int(told.min()))
            if int(times.max()) < end:
                return
            times = times[times >= end]

    def _list(self, block: FrameBlock) -> None:
        """Note since when the source lists its signals."""
        if block.source.signals is not self._listed:
            self._listed, mapping = self._mapped
            listed = np.arange(len(block.source.signals)) if mapping is None else mapping
            self._since[listed[self._since[listed] == 0]] = int(block.time_ns[0])

    def _index(self, block: FrameBlock) -> Ints:
        """Return the rows' signals as indices into our own list."""
        signals, mapping = self._mapped
        if block.source.signals is not signals:
            if block.source.signals != signals:
                mapping = self._map(block.source.signals)
            self._mapped = (block.source.signals, mapping)
        return block.signal.astype(np.int64) if mapping is None else mapping[block.signal]

    def _map(self, signals: Sequence[Signal]) -> Ints | None:
        known = {k: i for i, k in enumerate(self._keys)}
        wanted = [key(s) for s in signals]
        self._keys += [k for k in wanted if k not in known]
        known = {k: i for i, k in enumerate(self._keys)}
        n = len(self._keys)
        self._seen, self._since = grown(self._seen, n), grown(self._since, n)
        self._knowledge.grow(n)
        self._describe(signals)
        self._reads = {s: np.pad(v, ((0, 0), (0, n - v.shape[1]))) for s, v in self._reads.items()}
        return None if wanted == self._keys else np.array([known[k] for k in wanted], np.int64)

    def ranges(self, ranges: Mapping[str, Ranges]) -> None:
        """Take what people say of the signals' values now."""
        self._ranges = ranges
        self._describe(self._mapped[0])

    def latest(self, name: str) -> float | None:
        """Return the number that a signal of a subscription has now; None where there is none."""
        found = self._analyzers.get("latest")
        if not isinstance(found, Latest) or name not in self._keys:
            return None
        value = float(found.value[self._keys.index(name)])
        return None if np.isnan(value) else value

    def _describe(self, signals: Sequence[Signal]) -> None:
        """Tell the analyzers how the signals are defined now."""
        defined = {key(s): s for s in signals}
        for name in defined.keys() & self._ranges.keys():
            said, signal = self._ranges[name], defined[name]
            defined[name] = replace(
                signal,
                instrument_range=said.limits or signal.instrument_range,
                eu_range=said.usual or signal.eu_range,
            )
        now = [defined.get(k) for k in self._keys]
        for analyzer in self._analyzers.values():
            analyzer.grow(now)

    def _on_time(self, rows: Rows, closed_ns: int) -> Rows:
        top = np.maximum(np.maximum.accumulate(rows.time), self._rows_ns)
        reach = top - GRACE_NS
        floors: list[int] = []
        instant, last = int(reach[0]), int(reach[-1])
        while not floors or instant <= last:
            start, instant = self._day(instant)
            floors.append(start)
        starts = np.array(floors, np.int64)
        floor = np.maximum(starts[np.searchsorted(starts, reach, side="right") - 1], closed_ns)
        keep = rows.time >= floor
        self._miss(top[~keep])
        return rows.where(keep)

    def _miss(self, times: Ints) -> None:
        """Count rows that are not taken, on the days of `times`."""
        for time in times.tolist():
            start = self._day(time)[0]
            self._late[start] = self._late.get(start, 0) + 1

    def _take(self, rows: Rows, closed_ns: int) -> None:
        self._liveness.take(rows)
        rows, dropped = forward(by_signal(rows), self._seen)
        self._miss(dropped)
        if not len(rows):
            return
        self._knowledge.take(rows)
        instant, high = int(rows.time.min()), int(rows.time.max())
        while True:
            start, end = self._day(instant)
            part = rows if high < end else rows.where(rows.time < end)
            self._count(part, start)
            portion = Portion(start, end, closed_ns, self._day)
            for analyzer in self._analyzers.values():
                analyzer.take(part, portion)
            if high < end:
                return
            rows = rows.where(rows.time >= end)
            instant = int(rows.time.min())

    def _count(self, rows: Rows, start_ns: int) -> None:
        n = len(self._keys)
        cell = rows.signal if rows.kind is None else rows.signal + n * rows.kind
        counted = np.bincount(cell, minlength=OUTCOMES * n).reshape(OUTCOMES, n)
        self._reads[start_ns] = self._reads[start_ns] + counted if start_ns in self._reads else counted

    def close(self, start_ns: int, end_ns: int, down: Spans, configured: frozenset[str] | None) -> SourceDay | None:
        """Return the source's part of a day, or None if there is no trace of it.

        Args:
            start_ns: Start of the day.
            end_ns: End of the day.
            down: Outages known from events, for a subscription's liveness.
            configured: Keys of the signals that the configuration has now; None when it has dropped the source.
        """
        service_end = end_ns if configured is not None else self.time_ns
        service = Spans.of([(self.first_ns or end_ns, service_end)]).clip(start_ns, end_ns)
        if not len(service):
            return None
        subscribed = self._about[3] == "subscription"
        live = self._liveness.spans(start_ns, end_ns, (), down)
        known = self._knowledge.spans(start_ns, end_ns, live)
        if not subscribed:
            answered = {s for k, _, bad in known for s in (k, bad)}
            live = union(live, *answered)
        table: dict[Spans, int] = {}
        packed: list[Packed] = []

        def place(spans: Spans) -> int:
            if not len(spans):
                return -1
            if spans not in table:
                table[spans] = len(packed)
                packed.append(spans.pack(start_ns))
            return table[spans]

        reads = self._reads.get(start_ns, np.zeros((OUTCOMES, len(self._keys)), np.int64)).T.tolist()
        placed = self._placed(start_ns, end_ns, configured)
        signals = {k: SignalDay(*(place(s) for s in known[i]), *reads[i]) for i, k in placed.items()}
        traces = (self._reads, self._requests, self._late)
        if not (len(live) or packed or any(start_ns in trace for trace in traces)):
            return None  # nobody even tried: our own fault, not held against the factory
        return SourceDay(
            *self._about,
            service=service.pack(start_ns),
            live=live.pack(start_ns),
            spans=packed,
            signals=signals,
            requests=self._requests.of(start_ns),
            late=self._late.get(start_ns, 0),
            **self._analyzed(Closing(start_ns, end_ns, placed, known, live)),
        )

    def _placed(self, start_ns: int, end_ns: int, configured: frozenset[str] | None) -> dict[int, str]:
        """Return the signals that have a place in a day, by index."""
        joined = np.where(self._since > 0, self._since, end_ns if self._rows_ns else self.first_ns)
        counted = (joined < start_ns) | (joined <= self.first_ns + max(JOINED_NS, 2 * self._about[4]))
        return {i: k for i, k in enumerate(self._keys) if counted[i] and (configured is None or k in configured)}

    def _analyzed(self, day: Closing) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for analyzer in self._analyzers.values():
            found |= analyzer.close(day)
        if "ids" in found:  # a track says more
            found["ids"] = {name: ids for name, ids in found["ids"].items() if name not in found.get("tracks", {})}
        return found

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""
        self._knowledge.drop(end_ns)
        self._liveness.drop(end_ns)
        for analyzer in self._analyzers.values():
            analyzer.drop(end_ns)
        self._reads = {s: v for s, v in self._reads.items() if s >= end_ns}
        self._requests.drop(end_ns)
        self._late = {s: v for s, v in self._late.items() if s >= end_ns}
        self._resumed = {s: v for s, v in self._resumed.items() if s >= end_ns}

    def state(self, closed_ns: int = 0) -> dict[str, Any]:
        """Return everything as JSON, but days that end at or before `closed_ns`: they are forgotten."""
        Ledger.drop(self, closed_ns)  # a piece may end before the last closed day though it was closed after it
        return {
            "about": list(self._about),
            "keys": self._keys,
            "knowledge": self._knowledge.state(),
            "liveness": self._liveness.state(),
            "analyzers": {name: analyzer.state() for name, analyzer in self._analyzers.items()},
            "seen": self._seen.tolist(),
            "since": self._since.tolist(),
            "reads": {str(s): v.tolist() for s, v in self._reads.items()},
            "requests": self._requests.state(),
            "late": {str(s): v for s, v in self._late.items()},
            "resumed": {str(s): v for s, v in self._resumed.items()},
            "times": [self._rows_ns, self._marks_ns, self.first_ns],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned; the ledger was made from a source of the same identity."""
        signals = self._mapped[0]
        self._keys = list(state["keys"])
        self._knowledge.restore(state["knowledge"])
        self._liveness.restore(state["liveness"])
        for name, analyzer in self._analyzers.items():
            analyzer.restore(state["analyzers"][name])
        self._seen = np.array(state["seen"], np.int64)
        self._since = np.array(state["since"], np.int64)
        self._reads = {int(s): np.array(v, np.int64) for s, v in state["reads"].items()}
        self._requests.restore(state["requests"])
        self._late = {int(s): v for s, v in state["late"].items()}
        self._resumed = {int(s): v for s, v in state["resumed"].items()}
        self._rows_ns, self._marks_ns, self.first_ns = state["times"]
        self._mapped = (signals, self._map(signals))


def identity(source: Source) -> str:
    """Return what makes a source the same one: a change of any of these starts a new ledger."""
    return f"{source.id} {source.device} {source.protocol} {source.mode} {source.interval_ns}"
