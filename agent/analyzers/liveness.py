"""When the link of a source was alive (C03).

Poll: the union of what its signals' readings cover, good or bad, because a device that answers with an error is
reachable; and the watermarks that the collector sets after each successful reading.

Subscription: rows and watermarks (publish responses and keep-alives) are marks of life. Marks at most `SILENCE`
apart belong to one span; the supervisor's gaps (link down, refused, device off) say exactly where a span was
interrupted in between, and are taken out of it.

Rows and watermarks are kept apart and joined when the day closes: the order in which an entry holds them, which
depends on where the stream was cut, then changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.knowledge import LIMIT
from agent.analyzers.rows import LOST, Rows
from agent.analyzers.runs import Runs
from readiness.spans import Spans, difference, union

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.frame import Mode

SILENCE_NS = 60_000_000_000
"""Longest silence inside a live subscription: its session would have timed out."""


class Liveness:
    """Marks of life of one source."""

    def __init__(self, mode: Mode, interval_ns: int) -> None:
        self._poll = mode == "poll"
        self._limit = int(LIMIT * interval_ns) if self._poll else max(SILENCE_NS, 3 * interval_ns)
        tail = interval_ns if self._poll else 0
        self._rows = Runs(1, self._limit, tail)
        self._marks = Runs(1, self._limit, tail)
        self._latest = {"rows": 0, "marks": 0}

    def take(self, rows: Rows) -> None:
        """Take rows of the source, in any order."""
        if not self._poll and len(rows):
            alive = rows.time if rows.kind is None else rows.time[rows.kind != LOST]
            times = np.unique(alive)
            times = times[times > self._latest["rows"]]
            if len(times):
                self._latest["rows"] = int(times[-1])
                self._rows.extend(np.zeros(len(times), np.int64), times)

    def watermark(self, time_ns: int) -> None:
        """Take a watermark."""
        if time_ns > self._latest["marks"]:
            self._latest["marks"] = time_ns
            self._marks.mark(time_ns)

    def spans(self, low_ns: int, high_ns: int, answered: Iterable[Spans], down: Spans) -> Spans:
        """Return the live time within [low, high).

        Args:
            low_ns: Start.
            high_ns: End.
            answered: What the readings of a poll cover.
            down: Outages known from events.
        """
        marks = self._marks.spans(low_ns, high_ns)[0]
        if self._poll:
            return union(marks, *answered)
        joined = union(marks, self._rows.spans(low_ns, high_ns)[0]).bridged(self._limit)
        return difference(joined, down)

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        self._rows.drop(end_ns)
        self._marks.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {"rows": self._rows.state(), "marks": self._marks.state(), "latest": dict(self._latest)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._rows.restore(state["rows"])
        self._marks.restore(state["marks"])
        self._latest = dict(state["latest"])
