"""A block's rows, prepared once for all analyzers of its source: classed, sorted by signal, without late ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.numbers import Whole
from agent.analyzers.runs import firsts
from agent.frame import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.analyzers.numbers import Column
    from agent.frame import Value

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

GOOD, UNCERTAIN, BAD, LOST = 0, 1, 2, 3
"""Classes of a reading. BAD: the device answered, and the value is bad (a sensor, an address, a type). LOST: the
link failed, so nothing was said about the signal."""

_LOST = np.array(
    sorted(
        code >> 16
        for code in (
            Status.BAD_COMMUNICATION_ERROR, Status.BAD_TIMEOUT, Status.BAD_NO_COMMUNICATION,
            Status.BAD_NOT_CONNECTED, Status.BAD_WAITING_FOR_INITIAL_DATA, Status.BAD_CONNECTION_REJECTED,
            0x800C_0000,  # BadShutdown
            0x800D_0000,  # BadServerNotConnected
            0x800E_0000,  # BadServerHalted
            0x8025_0000,  # BadSessionIdInvalid
            0x8026_0000,  # BadSessionClosed
            0x8085_0000,  # BadRequestTimeout
            0x8086_0000,  # BadSecureChannelClosed
            0x80AD_0000,  # BadDisconnect
            0x80AE_0000,  # BadConnectionClosed
        )
    ),
    np.uint32,
)  # fmt: skip


def classes(status: NDArray[np.uint32]) -> Ints:
    """Return the class of each status code."""
    kind: Ints = np.minimum(status >> np.uint32(30), np.uint32(2)).astype(np.int64)
    bad = kind == BAD
    # A status of exactly BAD is what the supervisor stores when a collector has failed by a bug of ours.
    kind[bad & (np.isin(status >> np.uint32(16), _LOST) | (status == np.uint32(Status.BAD)))] = LOST
    return kind


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of one source, sorted by (signal, time).

    Attributes:
        signal: Index of the signal.
        time: Acquisition time, UTC nanoseconds.
        kind: Class; None when all are good.
        row: Index into the block.
        column: The block's values.
    """

    signal: Ints
    time: Ints
    kind: Ints | None
    row: Ints
    column: Column

    def __len__(self) -> int:
        return len(self.time)

    @property
    def number(self) -> Floats:
        """The values as float64, NaN where there is no number."""
        return self.column.number[self.row]

    @property
    def whole(self) -> Whole:
        """The whole numbers, exact."""
        whole = self.column.whole
        return Whole(whole.value[self.row], whole.there[self.row], whole.wide)

    @property
    def raw(self) -> Sequence[Value]:
        """The values as Python has them."""
        return self.column.raw(self.row)

    def of(self, *kinds: int) -> Rows:
        """Return the rows of some classes."""
        if self.kind is None:
            return self if GOOD in kinds else self.where(slice(0))
        return self.where(np.isin(self.kind, kinds))

    def where(self, keep: NDArray[np.bool_] | Ints | slice) -> Rows:
        """Return the rows of a mask, of indices or of a slice."""
        kind = None if self.kind is None else self.kind[keep]
        return Rows(self.signal[keep], self.time[keep], kind, self.row[keep], self.column)


def by_signal(rows: Rows) -> Rows:
    """Return the rows sorted by signal, in their order within a signal."""
    if not np.any(rows.signal[1:] < rows.signal[:-1]):
        return rows
    # Numpy sorts 16-bit integers by radix, several times faster than wider ones.
    small = int(rows.signal.max()) < 1 << 16
    return rows.where(np.argsort(rows.signal.astype(np.uint16) if small else rows.signal, kind="stable"))


def forward(rows: Rows, last: Ints) -> tuple[Rows, Ints]:
    """Drop rows that are not later than everything before of their signal, and advance `last` in place.

    Args:
        rows: Sorted by signal.
        last: int64[n], the latest time of each signal so far.

    Returns:
        The rows kept, and the times of those dropped.
    """
    dropped = rows.time[:0]
    head = np.flatnonzero(firsts(rows.signal))
    previous = np.empty_like(rows.time)
    previous[1:] = rows.time[:-1]
    previous[head] = last[rows.signal[head]]
    if np.any(rows.time <= previous):
        keep = np.empty(len(rows), np.bool_)
        for low, high in zip(head.tolist(), [*head[1:].tolist(), len(rows)], strict=True):
            reach = np.maximum.accumulate(np.append(last[rows.signal[low]], rows.time[low:high]))
            keep[low:high] = rows.time[low:high] > reach[:-1]
        dropped = rows.time[~keep]
        rows = rows.where(keep)
        head = np.flatnonzero(firsts(rows.signal))
    if len(rows):
        last[rows.signal[head]] = rows.time[np.append(head[1:], len(rows)) - 1]
    return rows, dropped
