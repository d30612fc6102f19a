"""Blocks of a source wait for each other: rows of a tall block cost a fortieth of those of single readings.

Entries are committed each second, and a reading of twenty signals costs the analyzers as much as a block of a
thousand rows. What waits is taken before anybody asks for anything that depends on it, so it changes nothing but
the time it takes. It is at most a minute, or a few thousand rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.analyzers.ledger import Ledger
from agent.analyzers.runs import NEVER
from agent.frame import concat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.analyzers.ledger import Day, Ranges
    from agent.frame import FrameBlock, Source
    from readiness.evidence import SourceDay
    from readiness.spans import Spans

WAIT_NS = 60_000_000_000
ROWS = 4096
"""So many are worked on at once nearly as fast as any larger number."""
FEW = 100
"""Of fewer times Python finds the first and the last sooner than numpy."""


class Gathering(Ledger):
    """A ledger that takes its blocks together.

    Args:
        source: See `Ledger`.
        day: Likewise.
        ranges: Likewise.
    """

    def __init__(self, source: Source, day: Day, ranges: Mapping[str, Ranges] | None = None) -> None:
        super().__init__(source, day, ranges)
        self._waiting: list[FrameBlock] = []
        self._waiting_rows = 0
        self._before_ns = 0  # end of the last day that was closed when they came
        self._low_ns, self._high_ns = NEVER, 0

    @property
    def time_ns(self) -> int:
        """Data time of the source."""
        return max(super().time_ns, self._high_ns)

    @property
    def waiting(self) -> int:
        """Number of blocks that wait."""
        return len(self._waiting)

    def block(self, block: FrameBlock, closed_ns: int) -> None:
        """Take a block, now or with the next ones; `closed_ns` is the end of the last closed day."""
        if self._waiting and not (closed_ns == self._before_ns and _alike(block.source, self._waiting[0].source)):
            self.flush()
        self._before_ns = closed_ns
        self._waiting.append(block)
        self._waiting_rows += len(block)
        if len(block):
            if len(block) < FEW:
                times = block.time_ns.tolist()
                low, high = min(times), max(times)
            else:
                low, high = int(block.time_ns.min()), int(block.time_ns.max())
            self.first_ns = min(self.first_ns or int(block.time_ns[0]), low)
            self._low_ns, self._high_ns = min(self._low_ns, low), max(self._high_ns, high)
        if self._waiting_rows >= ROWS or self._high_ns - self._low_ns >= WAIT_NS or len(self._waiting) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Take what waits."""
        if self._waiting:
            together, self._waiting, self._waiting_rows = concat(self._waiting), [], 0
            self._low_ns, self._high_ns = NEVER, 0
            super().block(together, self._before_ns)

    def resumed(self, start_ns: int) -> int | None:
        """See `Ledger`."""
        self.flush()
        return super().resumed(start_ns)

    def ranges(self, ranges: Mapping[str, Ranges]) -> None:
        """See `Ledger`."""
        self.flush()
        super().ranges(ranges)

    def latest(self, name: str) -> float | None:
        """See `Ledger`."""
        self.flush()
        return super().latest(name)

    def close(self, start_ns: int, end_ns: int, down: Spans, configured: frozenset[str] | None) -> SourceDay | None:
        """See `Ledger`."""
        self.flush()
        return super().close(start_ns, end_ns, down, configured)

    def drop(self, end_ns: int) -> None:
        """See `Ledger`."""
        self.flush()
        super().drop(end_ns)

    def state(self) -> dict[str, Any]:
        """See `Ledger`."""
        self.flush()
        return super().state()


def _alike(one: Source, other: Source) -> bool:
    """Return whether blocks of both can be one: nearly always it is the same object."""
    return one is other or one.signals is other.signals or one.signals == other.signals
