"""Readings that come later than they should although the link stands: holes that are our own waiting.

A reading covers one interval; when the next one is more than half an interval late, the time between is a hole: a
gap `waiting` with the reason `overrun`, told at once, before the reading that ends it. A device that is always
slower than its interval has a hole at each reading: after a few of them one is told every ten seconds, and then the
gap lists several, as `[offset from its beginning, length]` in ns. Only of such a device a kill may leave the holes
of the last ten seconds untold.

Pure.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from agent.bucket import Bucket
from agent.frame import gap_event

if TYPE_CHECKING:
    from agent.frame import Event, Json, Source
    from agent.standstill import Moment, Times

TELL_S = 10.0
AT_ONCE_S = 50.0
"""After so long without a hole, the next six are told at once."""
MOST = 200
"""Holes that one gap lists."""


class Overrun:
    """The holes of one polled source.

    Args:
        source: Whose.
        times: Of the clock that stamps it.
    """

    def __init__(self, source: Source, times: Times) -> None:
        self._source = source
        self._times = times
        self._reach: int | None = None  # monotonic: explained until then
        self._holes: list[tuple[Moment, int]] = []  # end of the hole and its length
        self._bucket = Bucket(1 / TELL_S, AT_ONCE_S)

    def explained(self, until: Moment) -> None:
        """Take that all before this moment is told of otherwise: an outage, a standstill."""
        self._reach = until.monotonic if self._reach is None else max(self._reach, until.monotonic)

    def reading(self, first: Moment, last: Moment) -> None:
        """Take a reading: moments of its first and last row."""
        interval = self._source.interval_ns
        if self._reach is not None and first.monotonic - self._reach > interval // 2 and len(self._holes) < MOST:
            self._holes.append((first, first.monotonic - self._reach))
        self._reach = max(last.monotonic + interval, self._reach or 0)

    def events(self, *, now: bool = False) -> list[Event]:
        """Return what is to be told: nothing, or a gap.

        Args:
            now: Tell all of it: nothing more is read for the time being.
        """
        moment = self._times.now()
        at = moment.monotonic / 1e9
        if not self._holes or not (now or self._bucket.ready(at) <= at):
            return []
        self._bucket.spend(1)
        holes, self._holes = self._holes, []
        spans = [(self._times.stamp(end) - length // 1000 * 1000, self._times.stamp(end)) for end, length in holes]
        start, stop = min(a for a, _ in spans), max(b for _, b in spans)
        body: dict[str, Json] = {"reason": "overrun"}
        if len(spans) > 1:
            body["holes"] = [[a - start, b - a] for a, b in spans]
        return [gap_event(uuid.uuid4().hex, "waiting", self._source.id, moment.ns, start, stop, **body)]
