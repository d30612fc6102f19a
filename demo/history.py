"""28 days of the factory's past, as the agent would have collected them, fed straight into the evidence.

An hour of all sources at a time, because one pass over a tall block costs a fortieth of the same pass frame by
frame. Polled sources give all their signals at each interval; subscriptions give a signal when it has changed,
and a watermark every 20 s as their keep-alive. Machines are switched off at night and at weekends, and the
conveyor's link fails: both are outages of the link, as the supervisor would have recorded them. The raw samples
go to no store; the evidence marks the days as simulated.

Left out: round trips of single requests, which no indicator of this release reads.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.clock import SystemClock
from agent.frame import Event, Facts, FrameBlock, Quality, Status, Watermark
from demo.timeline import SECOND, State, noise
from readiness.spans import Spans, difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from agent.analyzers.base import Evidence
    from agent.frame import Item, Json, Source
    from agent.spool import Spool
    from demo.machines import Machine

    Ints = NDArray[np.int64]

HOUR = 3600 * SECOND
KEEP_ALIVE_S = 20
ATTEMPT_S = 3  # between two attempts of the supervisor to reach a silent device


def history(
    sources: Sequence[Source],
    machines: Mapping[str, Machine],
    start_ns: int,
    stop_ns: int,
    now_ns: int,
    windows: Mapping[str, tuple[int, int]] = MappingProxyType({}),
) -> Iterator[list[Item]]:
    """Yield everything that the sources would have said from start to stop, an hour at a time.

    Args:
        sources: Of the agent's configuration; each belongs to one machine.
        machines: By id.
        start_ns: A full hour.
        stop_ns: A full hour, the beginning of the current production day.
        now_ns: When the agent will start: the time since `stop_ns` is a gap of ours, not the factory's.
        windows: Of sources that are read in bursts: length, and one in each such span, in nanoseconds.
    """
    yield [
        Event(kind="agent_start", time_ns=start_ns, from_ns=start_ns, to_ns=stop_ns, body={"simulated": True}),
        *_sessions(sources, start_ns),
    ]
    pasts = [
        _Past(source, machines[source.machines()[0]], start_ns, stop_ns, windows.get(source.id))
        for source in sources
    ]
    for hour in range(start_ns, stop_ns, HOUR):
        items: list[Item] = []
        for past in pasts:
            items += past.hour(hour, min(hour + HOUR, stop_ns))
        yield items
    yield [
        Event(
            kind="gap",
            time_ns=now_ns,
            from_ns=stop_ns,
            to_ns=now_ns,
            body={"gap_id": "before-the-demo", "cause": "agent_off", "simulated": True},
        )
    ]


def replay(hours: Iterable[Sequence[Item]], evidence: Evidence, spool: Spool) -> int:
    """Feed items to the evidence and leave it as the spool's checkpoint; return the number of samples.

    Args:
        hours: Items in order of time.
        evidence: Made for the spool's sources, without state.
        spool: Fresh and not begun; it is closed afterwards.
    """
    rows = 0
    for items in hours:
        evidence.feed(items)
        rows += sum(len(item) for item in items if isinstance(item, FrameBlock))
    spool.begin(SystemClock(spool.epoch, trusted=True), evidence)
    spool.stop()
    return rows


@dataclass(slots=True)
class _Rows:
    """Columns under construction: n moments by m signals, and which of them are rows."""

    time_ns: Ints
    wanted: NDArray[np.bool_]
    columns: list[NDArray[Any]]
    status: NDArray[np.uint32]  # n by m


class _Past:
    """One source's past."""

    def __init__(
        self, source: Source, machine: Machine, start_ns: int, stop_ns: int, window: tuple[int, int] | None
    ) -> None:
        self._source = source
        self._window = window
        self._machine = machine
        self._ids = [s.id for s in source.signals]
        self._on = _reachable(machine, start_ns, stop_ns)
        self._down = difference(Spans.between(start_ns, stop_ns), self._on)
        self._last: list[tuple[Any, int] | None] = [None] * len(self._ids)
        self._salt = sum(source.id.encode())

    def hour(self, start_ns: int, stop_ns: int) -> list[Item]:
        """Return the items of one hour."""
        items: list[Item] = list(self._outages(start_ns, stop_ns))
        polled = self._source.mode != "subscription"
        rows = self._polled(start_ns, stop_ns) if polled else self._changed(start_ns, stop_ns)
        if rows is not None and rows.wanted.any():
            items.append(self._block(rows))
        step = HOUR if polled else KEEP_ALIVE_S * SECOND
        marks = np.arange(start_ns + step - SECOND, stop_ns, step)
        items += [Watermark(self._source.id, time) for time in marks[_within(marks, self._on)].tolist()]
        return items

    def _outages(self, start_ns: int, stop_ns: int) -> Iterator[Event]:
        """Yield what the supervisor says about outages that begin or end in this hour."""
        source = self._source.id
        for down, up in self._down:
            gap = {"gap_id": f"{source} {down}", "cause": "link_down"}
            if start_ns <= down < stop_ns:
                yield Event(kind="link_down", time_ns=down, source=source)
                yield Event(kind="gap", time_ns=down, source=source, from_ns=down, body=gap)
            if start_ns < up <= stop_ns:
                yield Event(kind="link_up", time_ns=up, source=source)
                yield Event(kind="gap", time_ns=up, source=source, from_ns=down, to_ns=up, body=gap)

    def _polled(self, start_ns: int, stop_ns: int) -> _Rows:
        """Every signal at every interval; while a device that is switched on is away, a failed attempt each 3 s."""
        step = self._source.interval_ns
        slots = np.arange(start_ns, stop_ns, step)
        if self._window is not None and len(self._on):
            length, per = self._window
            slots = slots[(slots - self._on.start[0]) % per < length]  # the first begins with the connection
        jitter = (np.abs(noise(slots, self._salt)) * 4_000).astype(np.int64) * 1_000  # up to 4 ms
        times = slots + 2_000_000 + jitter
        on = _within(times, self._on)
        attempt = max(1, ATTEMPT_S * SECOND // step)
        off = self._machine.timeline.at(times).state == State.OFF
        lost = ~on & ~off & (np.arange(len(times)) % attempt == 0)
        times, lost = times[on | lost], lost[on | lost]
        status = np.zeros((len(times), len(self._ids)), np.uint32)
        for j, signal in enumerate(self._ids):
            status[:, j] = self._machine.status(signal, times)
        status[lost] = Status.BAD_NO_COMMUNICATION
        return _Rows(times, np.ones(status.shape, np.bool_), self._machine.columns(self._ids, times), status)

    def _changed(self, start_ns: int, stop_ns: int) -> _Rows | None:
        """Each signal when its value or status has changed, and all of them when a session begins."""
        times = np.arange(start_ns, stop_ns, SECOND) + 300_000_000
        times = times[_within(times, self._on)]
        if not len(times):
            return None
        columns = self._machine.columns(self._ids, times)
        begun = np.append(True, np.diff(times) > 2 * SECOND)
        begun[0] = not len(self._on.clip(times[0] - SECOND, times[0] - SECOND + 1))
        wanted = np.empty((len(times), len(columns)), np.bool_)
        status = np.empty(wanted.shape, np.uint32)
        for j, (signal, column) in enumerate(zip(self._ids, columns, strict=True)):
            status[:, j] = code = self._machine.status(signal, times)
            valid = code >> 30 < Quality.BAD  # a bad value is none, so it does not change either
            wanted[1:, j] = ((column[1:] != column[:-1]) & valid[1:]) | (code[1:] != code[:-1])
            first, last = ((column[at] if valid[at] else None, code[at]) for at in (0, -1))
            wanted[0, j] = self._last[j] != first
            wanted[begun, j] = True
            self._last[j] = last
        return _Rows(times, wanted, columns, status)

    def _block(self, rows: _Rows) -> FrameBlock:
        n, m = rows.wanted.shape
        table = np.empty((n, m), object)  # numpy turns its numbers into Python's here
        for j, column in enumerate(rows.columns):
            table[:, j] = column
        table[rows.status >> 30 >= Quality.BAD] = None
        if rows.wanted.all():
            times, index = np.repeat(rows.time_ns, m), np.tile(np.arange(m, dtype=np.int32), n)
            return FrameBlock(self._source, index, times, table.ravel().tolist(), rows.status.ravel())
        moment, signal = np.nonzero(rows.wanted)
        times = rows.time_ns[moment]
        stamp = times // SECOND * SECOND
        value, status = table[rows.wanted].tolist(), rows.status[rows.wanted]
        return FrameBlock(self._source, signal.astype(np.int32), times, value, status, stamp, stamp)


def _sessions(sources: Sequence[Source], time_ns: int) -> Iterator[Facts]:
    """Yield what the collectors would have recorded of each device, true to the servers of `demo.factory`."""
    nodes = Counter[str]()
    for source in sources:
        nodes[source.device] += len(source.signals)
    for device, protocol in {s.device: s.protocol for s in sources}.items():
        opcua = protocol == "opcua"
        body: dict[str, Json] = {
            "protocol": protocol if opcua else "modbus-tcp",
            "mode": "None",
            "policy": "None",
            "peer_authenticated": False,
        }
        if opcua:
            offer: dict[str, Json] = {"mode": "None", "policy": "None", "tokens": ["Anonymous"]}
            body |= {"endpoints": [offer], "certificate": None}
            rights: dict[str, Json] = {"asked": nodes[device], "writable": 0}
            yield Facts(kind="access", time_ns=time_ns, subject=device, body=rights)
        yield Facts(kind="connection", time_ns=time_ns, subject=device, body=body)


def _reachable(machine: Machine, start_ns: int, stop_ns: int) -> Spans:
    """Return when a machine answers."""
    life = machine.timeline
    on = Spans.between(start_ns, stop_ns)
    if not machine.always_on:
        ends = np.append(life.start_ns[1:], stop_ns)
        running = life.state != State.OFF
        on = Spans.of(zip(life.start_ns[running].tolist(), ends[running].tolist(), strict=True))
    if machine.outages is not None:
        on = difference(on, Spans(machine.outages.start_ns, machine.outages.stop_ns))
    return on.clip(start_ns, stop_ns)


def _within(times: Ints, spans: Spans) -> NDArray[np.bool_]:
    """bool[n]: which moments lie in the spans."""
    if not len(spans):
        return np.zeros(len(times), np.bool_)
    place = np.searchsorted(spans.start, times, side="right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (times < spans.end[place])
    return inside
