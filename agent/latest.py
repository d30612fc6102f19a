"""The last value of each signal and what came before it, for `tsq-agent watch`.

Every reading passes here on its way to the spool, so it must cost next to nothing: a frame is a few assignments to
columns that were made when the source was, whatever its length (10,000 values in 0.8 ms). Numbers of the last
readings stand in a ring of 60 per signal. What is asked for is put into words piece by piece, in another thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from agent.frame import DataType, FrameBlock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from agent.frame import Item, Source, Value

HISTORY = 60
AT_ONCE = 250  # signals that are encoded without letting anybody else work
BAD = 1 << 31
_NUMBERS = frozenset(DataType) - {DataType.STRING}


class _Columns:
    """What is known of one source, a column entry a signal."""

    def __init__(self, source: Source) -> None:
        n = len(source.signals)
        self.source = source
        self.value = np.full(n, None, object)
        self.status = np.zeros(n, np.uint32)
        self.time = np.zeros(n, np.int64)
        self._history = np.full((n, HISTORY), np.nan)
        self._count = np.zeros(n, np.int64)
        self._numeric = all(s.dtype in _NUMBERS for s in source.signals)

    def take(self, frame: FrameBlock) -> None:
        """Take a frame; of a signal that stands in it several times, the last row counts."""
        index, numbers = frame.signal, self._numbers(frame)
        self.value[index] = frame.value
        self.status[index] = frame.status
        self.time[index] = frame.time_ns
        if len(index) == len(self.time) and bool((np.diff(index) > 0).all()):  # each once, as polled
            self._history[index, self._count % HISTORY] = numbers
            self._count += 1
            return
        order = np.argsort(index, kind="stable")
        ordered = index[order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        rank = np.arange(len(ordered)) - np.repeat(first, np.diff(first, append=len(ordered)))
        self._history[ordered, (self._count[ordered] + rank) % HISTORY] = numbers[order]
        np.add.at(self._count, index, 1)

    def _numbers(self, frame: FrameBlock) -> NDArray[np.float64]:
        """Return the values as numbers, NaN for none and for text."""
        if self._numeric:
            return np.array(frame.value, np.float64)
        return np.array([np.nan if isinstance(v, str) else v for v in frame.value], np.float64)

    def rows(self, first: int, last: int, *, history: bool) -> list[dict[str, Any]]:
        """Return these signals in words, the oldest number of the history first."""
        counts = self._count[first:last].tolist()
        past = self._history[first:last].tolist() if history else []
        found = []
        for i, signal in enumerate(self.source.signals[first:last]):
            heard = counts[i] > 0
            row: dict[str, Any] = {
                "machine": signal.machine,
                "id": signal.id,
                "name": signal.name,
                "unit": signal.unit,
                "source": self.source.id,
                "value": self.value[first + i],
                "status": int(self.status[first + i]) if heard else None,
                "time": int(self.time[first + i]) if heard else None,
            }
            if history:
                at = counts[i] % HISTORY
                row["history"] = past[i][: counts[i]] if counts[i] < HISTORY else past[i][at:] + past[i][:at]
            found.append(row)
        return found


class Latest:
    """The last values of all sources. `put` belongs to the event loop; `encoded` may run in a thread.

    A thread that reads while a frame arrives sees some signals before it and some after: good enough to look at.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._columns = {source.id: _Columns(source) for source in sources}

    def put(self, item: Item) -> None:
        """Take what was read; other items are passed over."""
        if isinstance(item, FrameBlock) and len(item):
            columns = self._columns.get(item.source.id)
            if columns is not None:
                columns.take(item)

    def begin(self, sources: Sequence[Source], anew: Collection[str] = ()) -> None:
        """Go on with these sources; what is known of one that has not changed is kept.

        Args:
            sources: What is read from now on.
            anew: Devices of which nothing is known any more.
        """
        kept = {of.source: of for of in self._columns.values() if of.source.device not in anew}
        self._columns = {source.id: kept.get(source) or _Columns(source) for source in sources}

    def good(self, device: str) -> set[tuple[str, str]]:
        """Return (source, signal id) of the signals of a device that are good or uncertain now."""
        return {
            (of.source.id, signal.id)
            for of in self._columns.values()
            if of.source.device == device
            for signal, status, time in zip(of.source.signals, of.status.tolist(), of.time.tolist(), strict=True)
            if time and status < BAD
        }

    def value(self, machine: str, signal: str) -> tuple[str, Value, int] | None:
        """Return the device, the last value and its status of a signal; None when it was not read yet."""
        for of in self._columns.values():
            for n, one in enumerate(of.source.signals):
                if one.id == signal and one.machine == machine and of.time[n]:
                    return of.source.device, of.value[n], int(of.status[n])
        return None

    def pieces(self, devices: Collection[str] | None = None, *, history: bool = True) -> Iterator[bytes]:
        """Yield the signals as pieces of a JSON list, some hundred at a time.

        Args:
            devices: Only of these; None for all.
            history: With the last 60 numbers of each, null for what was none.
        """
        for columns in list(self._columns.values()):
            if devices is not None and columns.source.device not in devices:
                continue
            for first in range(0, len(columns.source.signals), AT_ONCE):
                rows = columns.rows(first, first + AT_ONCE, history=history)
                yield msgspec.json.encode(rows)[1:-1]

    def encoded(
        self, head: dict[str, Any], devices: Collection[str] | None = None, *, history: bool = True
    ) -> bytes:
        """Return `head` as JSON with the list `signals` in it."""
        begin = msgspec.json.encode(head)[:-1]
        signals = b",".join(self.pieces(devices, history=history))
        return begin + (b"," if len(begin) > 1 else b"") + b'"signals":[' + signals + b"]}"
