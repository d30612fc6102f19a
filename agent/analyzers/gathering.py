"""Blocks of a source wait for each other: rows of a tall block cost a fortieth of those of single readings.

Entries are committed each second, and a reading of twenty signals costs the analyzers as much as a block of a
thousand rows. What waits is taken before anybody asks for anything that depends on it, so it changes nothing but
the time it takes. It is at most two minutes, or a few thousand rows; sources take theirs at different
moments of it, so that together they never hold more than half. In between, what the rows have left behind is cold.
"""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from agent.analyzers.cold import frozen, thawed
from agent.analyzers.ledger import Ledger
from agent.analyzers.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.analyzers.ledger import Day, Ranges
    from agent.frame import FrameBlock, Source
    from readiness.evidence import SourceDay
    from readiness.spans import Spans

WAIT_NS: Final = 120_000_000_000
ROWS: Final = 4096
"""So many are worked on at once nearly as fast as any larger number."""
TALL: Final = 4 * ROWS
"""A portion of so many rows comes from a replay, of which the next follows at once."""
COLD: Final = ("_keys", "_knowledge", "_analyzers", "_seen", "_since", "_reads")
"""What of a ledger only rows and whoever asks look at; marks and requests come in between."""


class Gathering(Ledger):
    """A ledger that takes its blocks together.

    Args:
        source: See `Ledger`.
        day: Likewise.
        ranges: Likewise.
    """

    def __init__(self, source: Source, day: Day, ranges: Mapping[str, Ranges] | None = None) -> None:
        super().__init__(source, day, ranges)
        self._cold = b""
        self._waiting = Waiting()
        self._phase = zlib.crc32(self.id.encode()) * WAIT_NS >> 32
        self._due_ns = 0  # when what waits is taken
        self._before_ns = 0  # end of the last day that was closed when they came

    @property
    def time_ns(self) -> int:
        """Data time of the source."""
        return max(self._rows_ns, self._marks_ns, self._waiting.high_ns)

    @property
    def waiting(self) -> int:
        """Number of blocks that wait."""
        return self._waiting.blocks

    def block(self, block: FrameBlock, closed_ns: int) -> None:
        """Take a block, now or with the next ones; `closed_ns` is the end of the last closed day."""
        waiting = self._waiting
        if waiting.rows and not (closed_ns == self._before_ns and _alike(block.source, waiting.source)):
            self.flush()
        self._before_ns = closed_ns
        self._requests.take(block.round_trips, closed_ns)
        begins = not waiting.rows
        low = waiting.append(block)
        if low and begins:
            self._due_ns = low + WAIT_NS - (low - self._phase) % WAIT_NS
        if low and not 0 < self.first_ns <= low:
            self.first_ns = low
        if waiting.rows >= ROWS or waiting.high_ns >= self._due_ns:
            self.flush()

    def flush(self) -> None:
        """Take what waits."""
        if self._waiting.rows:
            with self._open():
                pass

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Take what waits, with everything at hand until the end."""
        if self._cold:
            for name, part in zip(COLD, thawed(self._cold), strict=True):
                setattr(self, name, part)
            self._cold = b""
        together = self._waiting.take()
        if together is not None:
            self.rows(together, self._before_ns)
        yield
        if together is not None and len(together) >= TALL:
            return
        self._cold = frozen([getattr(self, name) for name in COLD])
        for name in COLD:
            setattr(self, name, None)

    def resumed(self, start_ns: int) -> int | None:
        """See `Ledger`."""
        self.flush()
        return super().resumed(start_ns)

    def ranges(self, ranges: Mapping[str, Ranges]) -> None:
        """See `Ledger`."""
        with self._open():
            super().ranges(ranges)

    def latest(self, name: str) -> float | None:
        """See `Ledger`."""
        with self._open():
            return super().latest(name)

    def close(self, start_ns: int, end_ns: int, down: Spans, configured: frozenset[str] | None) -> SourceDay | None:
        """See `Ledger`."""
        with self._open():
            return super().close(start_ns, end_ns, down, configured)

    def drop(self, end_ns: int) -> None:
        """See `Ledger`."""
        with self._open():
            super().drop(end_ns)

    def state(self, closed_ns: int = 0) -> dict[str, Any]:
        """See `Ledger`."""
        with self._open():
            return super().state(closed_ns)

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Ledger`."""
        with self._open():
            super().restore(state)


def _alike(one: Source, other: Source) -> bool:
    """Return whether blocks of both can be one: nearly always it is the same object."""
    return one is other or one.signals is other.signals or one.signals == other.signals
