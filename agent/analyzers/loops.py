"""Which rows belong to which control loop, and how far its sources have come.

`agent.analyzers.following` compares the two signals of one loop; here each loop gets its rows, out of blocks of
whatever source, and is told how far both sources are. That is done between entries only: within one, watermarks may
stand before the rows that they come after.

Loops are what people say (`readiness.plant.ControlLoop`), so that they begin at any time. A signal of a
subscription may stay the same for weeks: its last value is known from `Latest`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.following import PV, SILENCE_NS, SLACK_NS, SP, Follower, describe
from agent.analyzers.numbers import Column
from agent.analyzers.rows import BAD, classes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.frame import FrameBlock, Signal, Source
    from readiness.plant import ControlLoop
    from readiness.records import Loop
    from readiness.spans import Spans

    Taking = tuple[int, Follower, int]  # index of a signal, the loop that takes it, and as what

STRIDE_NS = 60_000_000_000
"""Loops are compared by whole minutes: each time costs the same, however few rows there are."""


class Loops:
    """All loops of an agent that have a band and whose signals are read."""

    def __init__(self) -> None:
        self._loops: dict[str, Follower] = {}
        self._read: set[str] = set()
        self._sources: dict[str, tuple[str, str]] = {}  # loop -> sources of set point and measured value
        self._wanted: dict[str, list[tuple[Follower, int]]] = {}  # `{machine}/{signal}` -> loops that take it
        self._times: dict[str, int] = {}
        self._mapped: dict[str, tuple[tuple[Signal, ...], list[Taking]]] = {}

    def begin(
        self,
        loops: Sequence[ControlLoop],
        sources: Sequence[Source],
        latest: Callable[[str, str], tuple[int, float] | None],
    ) -> None:
        """Go on with these loops; one that has changed begins anew.

        Args:
            loops: Those that people have declared.
            sources: Those that are configured and read all the time.
            latest: Returns up to when a source has come and the last value of one of its signals that holds until
                its next row, None where there is none.
        """
        where = {f"{s.machine}/{s.id}": source.id for source in sources for s in source.signals}
        kept, self._loops, self._sources, self._wanted, self._mapped = self._loops, {}, {}, {}, {}
        for loop in sorted(loops, key=lambda each: each.key):
            signals = (f"{loop.machine}/{loop.sp}", f"{loop.machine}/{loop.pv}")
            if loop.band is None or not all(signal in where for signal in signals) or loop.key in self._loops:
                continue
            follower = kept.get(loop.key)
            if follower is None or follower.about != describe(loop):
                follower = Follower(loop)
                for side, signal in enumerate(signals):
                    if (last := latest(where[signal], signal)) is not None:
                        follower.take(side, np.array([last[0]], np.int64), np.array([last[1]]))
            self._loops[loop.key] = follower
            self._sources[loop.key] = (where[signals[SP]], where[signals[PV]])
            for side, signal in enumerate(signals):
                self._wanted.setdefault(signal, []).append((follower, side))
        self._read = {source for pair in self._sources.values() for source in pair}
        self._times = {source: time for source, time in self._times.items() if source in self._read}

    def block(self, block: FrameBlock) -> None:
        """Take the rows of a block that belong to loops."""
        source = block.source.id
        if source not in self._read or not len(block):
            return
        self._come(source, int(block.time_ns.max()))
        column, kind = Column(block), classes(block.status)
        for index, follower, side in self._taking(block.source):
            rows = np.flatnonzero(block.signal == index)
            if len(rows):
                value = np.where(kind[rows] < BAD, column.number[rows], np.nan)
                follower.take(side, block.time_ns[rows], value)

    def _taking(self, source: Source) -> list[Taking]:
        signals, taking = self._mapped.get(source.id, ((), []))
        if signals is not source.signals:
            taking = [
                (index, follower, side)
                for index, s in enumerate(source.signals)
                for follower, side in self._wanted.get(f"{s.machine}/{s.id}", ())
            ]
            self._mapped[source.id] = (source.signals, taking)
        return taking

    def watermark(self, source: str, time_ns: int) -> None:
        """Take a watermark."""
        if source in self._read:
            self._come(source, time_ns)

    def _come(self, source: str, time_ns: int) -> None:
        self._times[source] = max(self._times.get(source, 0), time_ns)

    def settle(self) -> None:
        """Compare as far as both sources have come, or as one of them has without the other for too long."""
        for name, follower in self._loops.items():
            times = [self._times.get(source, 0) for source in self._sources[name]]
            come_ns = max(min(times) - SLACK_NS, max(times) - SILENCE_NS)
            follower.advance(come_ns // STRIDE_NS * STRIDE_NS)

    def close(self, start_ns: int, end_ns: int, known: Callable[[str], Spans]) -> dict[str, Loop]:
        """Return the records of a day, by loop.

        Args:
            start_ns: Start of the day.
            end_ns: End of the day.
            known: Returns when a signal, `{machine}/{signal}`, was known on that day.
        """
        found = {}
        for name, follower in self._loops.items():
            machine, _, sp, pv, *_ = follower.about
            record = follower.close(start_ns, end_ns, *(known(f"{machine}/{signal}") for signal in (sp, pv)))
            if record is not None:
                found[name] = record
        return found

    def set_back(self, limit_ns: int) -> None:
        """Forget what is later than an instant: a clock was ahead, and these times have never been."""
        self._times = {source: time for source, time in self._times.items() if time <= limit_ns}
        for follower in self._loops.values():
            if follower.reach_ns > limit_ns:
                follower.forget()

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        for follower in self._loops.values():
            follower.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {"loops": {name: one.state() for name, one in self._loops.items()}, "times": dict(self._times)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned, for the loops that are still what they were."""
        for name, kept in state["loops"].items():
            if name in self._loops and self._loops[name].about == kept["about"]:
                self._loops[name].restore(kept)
        self._times = {s: t for s, t in state["times"].items() if any(s in pair for pair in self._sources.values())}
