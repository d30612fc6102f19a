"""The blocks of one source from one file, in order of time, each within half an hour and one production day.

So short, because several files are read side by side and no source may run ahead of the others by more than a day
waits for its sources.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agent.assess.cells import BAD, COMMA, HOLE, values
from agent.assess.paces import Paces
from agent.assess.times import BACK_NS, EARLIEST, LATEST, Times, Unreadable
from agent.frame import FrameBlock, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from agent.assess.cells import Decimal
    from agent.assess.config import DataSource
    from agent.assess.table import Batch, Table
    from agent.frame import Source

    Ints = NDArray[np.int64]
    Day = Callable[[int], tuple[int, int]]

SPAN_NS = 1_800_000_000_000
EPOCH = 1000
"""Acquisition times are whole microseconds: the last digits hold the number of a clock's epoch, here 0."""
MANY_TAGS = 10_000


class First(NamedTuple):
    """The first cell of a signal that could not be read."""

    place: str
    text: str


class Seen:
    """What was found in the rows of one source, over all its files."""

    def __init__(self, source: Source) -> None:
        n = len(source.signals)
        self.read = np.zeros(n, np.int64)
        self.unreadable = np.zeros(n, np.int64)
        self.present = np.zeros(n, np.bool_)  # its column is in some file
        self.first: dict[int, First] = {}
        self.unused: Counter[str] = Counter()
        self.graded = 0  # rows whose status is listed
        self.unlisted: Counter[str] = Counter()  # other statuses
        self.paces = Paces(n, source.interval_ns)
        self.first_ns = 0
        self.last_ns = 0
        self.rows = 0


class Stream:
    """One file as one source sees it.

    Args:
        config: Of the source.
        source: Likewise, as it flows.
        table: The file.
        zone: Of times without an offset.
        day: Bounds of the production day of an instant.
        seen: Is told what was found; None for a look at the beginning.
    """

    def __init__(
        self, config: DataSource, source: Source, table: Table, zone: str, day: Day, seen: Seen | None = None
    ) -> None:
        assert config.time is not None
        self._config = config
        self._source = source
        self._table = table
        self._time = config.time
        self._times = Times(config.time.format, config.time.zone or zone)
        self._day = day
        self._seen = seen or Seen(source)
        self._top = -(2**62)
        self._columns = {signal.column: index for index, signal in enumerate(config.signals)}
        quality = config.quality
        self._quality = (
            None if quality is None
            else dict.fromkeys(quality.good, Status.GOOD) | dict.fromkeys(quality.uncertain, Status.UNCERTAIN)
            | dict.fromkeys(quality.lost, Status.BAD_NO_COMMUNICATION)
        )  # fmt: skip

    @property
    def _decimal(self) -> Decimal | None:
        """The decimal sign: as written; where commas part the columns it is no comma."""
        return self._config.decimal or ("." if self._table.delimiter == "," else None)

    def blocks(self) -> Iterator[FrameBlock]:
        """Yield the blocks.

        Raises:
            ConfigError: a row cannot be used, with file and line.
        """
        for batch in self._table.batches():
            times = self._instants(batch)
            row_status = self._status(batch)
            if self._config.tag is None:
                yield from self._wide(batch, times, row_status)
            else:
                yield from self._long(batch, times, row_status)

    def instants(self) -> Iterator[tuple[Ints, Sequence[str]]]:
        """Yield the times of each batch and, of one value a row, the names of the signals."""
        for batch in self._table.batches():
            tag = self._config.tag
            yield self._instants(batch), () if tag is None else batch.cells[tag]

    def _instants(self, batch: Batch) -> Ints:
        """Return the times of the rows, after a look at their order."""
        cells = batch.cells[self._time.column]
        if self._time.date is not None:
            cells = [f"{day} {clock}" for day, clock in zip(batch.cells[self._time.date], cells, strict=True)]
        instants = [isinstance(cell, int) and EARLIEST <= cell < LATEST for cell in cells]  # of a Parquet file
        if self._time.format == "auto" and any(instants):
            if not all(instants):
                line = batch.lines[instants.index(False)]
                raise self._table.complain(line, "this row has no time", "시각이 없는 행입니다")
            found = np.array(cells, np.int64)
        else:
            try:
                found = np.array(self._times.read([c if isinstance(c, str) else str(c) for c in cells]), np.int64)
            except Unreadable as exc:
                text = exc.complaint.text
                raise self._table.complain(batch.lines[exc.index], text.en, text.ko) from exc
        found = found // EPOCH * EPOCH
        top = np.maximum.accumulate(np.append(self._top, found))[:-1]
        if len(back := np.flatnonzero(found < top - BACK_NS)):
            raise self._table.complain(
                batch.lines[back[0]],
                "goes back in time by more than ten minutes: sort the file by time, oldest first",
                "시간이 10분 넘게 거꾸로 갑니다. 파일을 오래된 시각부터 정렬하십시오",
            )
        self._top = max(self._top, int(found.max()))
        return found

    def _status(self, batch: Batch) -> NDArray[np.uint32] | None:
        """Return the status of each row, None where all are good."""
        if self._quality is None or self._config.quality is None:
            return None
        said = [_status(cell) for cell in batch.cells[self._config.quality.column]]
        known = self._quality
        strange = [text for text in said if text not in known]
        self._seen.graded += len(said) - len(strange)
        self._seen.unlisted.update(strange)
        for text in [*self._seen.unlisted][MANY_TAGS:]:
            del self._seen.unlisted[text]
        found = np.array([known.get(text, Status.BAD_DEVICE_FAILURE) for text in said], np.uint32)
        return found if found.any() else None

    def _wide(self, batch: Batch, times: Ints, row_status: NDArray[np.uint32] | None) -> Iterator[FrameBlock]:
        """Blocks sorted by signal: the analyzers need no other order within a day."""
        parsed = []
        for title, index in self._columns.items():
            if title in batch.cells:
                self._seen.present[index] = True
                cells = batch.cells[title]
                found, whole = values(self._source.signals[index].dtype, cells, self._decimal)
                self._count(index, batch, cells, found, whole=whole)
                self._pace(index, times, found, whole=whole)
                parsed.append((index, found, whole))
        indices = np.array([index for index, _, _ in parsed], np.int32)
        clean = row_status is None and all(whole for _, _, whole in parsed)
        for low, high in self._cuts(times):
            n = high - low
            signal, time = np.repeat(indices, n), np.tile(times[low:high], len(parsed))
            column: list[Any] = [value for _, found, _ in parsed for value in found[low:high]]
            rows = None if row_status is None else np.tile(row_status[low:high], len(parsed))
            yield self._block(signal, time, column, rows, clean=clean)

    def _long(self, batch: Batch, times: Ints, row_status: NDArray[np.uint32] | None) -> Iterator[FrameBlock]:
        assert self._config.tag is not None
        assert self._config.value is not None
        known = self._columns
        tags, cells = batch.cells[self._config.tag], batch.cells[self._config.value]
        signal = np.fromiter((known.get(tag, -1) for tag in tags), np.int32, len(tags))
        if (strangers := np.flatnonzero(signal < 0)).size:
            self._seen.unused.update(str(tags[row]) for row in strangers.tolist())
            for tag in [*self._seen.unused][MANY_TAGS:]:
                del self._seen.unused[tag]
        column = np.empty(len(tags), object)
        column[:] = HOLE
        clean = not strangers.size and row_status is None
        for index in np.unique(signal[signal >= 0]).tolist():
            self._seen.present[index] = True
            at = np.flatnonzero(signal == index)
            own = [cells[row] for row in at.tolist()]
            found, whole = values(self._source.signals[index].dtype, own, self._decimal)
            self._count(index, batch, own, found, whole=whole, at=at)
            self._pace(index, times[at], found, whole=whole)
            column[at] = found
            clean = clean and whole
        for low, high in self._cuts(times):
            rows = None if row_status is None else row_status[low:high]
            yield self._block(signal[low:high], times[low:high], column[low:high].tolist(), rows, clean=clean)

    def _cuts(self, times: Ints) -> Iterator[tuple[int, int]]:
        """Yield [low, high) of rows within half an hour and one production day."""
        reach = np.maximum.accumulate(times)
        low = 0
        while low < len(times):
            start = int(reach[low])
            end = min(start // SPAN_NS * SPAN_NS + SPAN_NS, self._day(start)[1])
            high = int(np.searchsorted(reach, end))
            yield low, high
            low = high

    def _block(
        self,
        signal: NDArray[np.int32],
        time: Ints,
        column: list[Any],
        row_status: NDArray[np.uint32] | None,
        *,
        clean: bool,
    ) -> FrameBlock:
        """Return a block without holes; bad values become None."""
        status = np.zeros(len(column), np.uint32) if row_status is None else row_status.copy()
        if not clean:
            keep = np.fromiter((value is not HOLE for value in column), np.bool_, len(column))
            signal, time, status = signal[keep], time[keep], status[keep]
            column = [value for value in column if value is not HOLE]
            unreadable = np.fromiter((value is BAD for value in column), np.bool_, len(column))
            status[unreadable & (status >> 31 == 0)] = Status.BAD_TYPE_MISMATCH
            bad = (status >> 31).astype(np.bool_).tolist()
            column = [None if drop else value for value, drop in zip(column, bad, strict=True)]
        return FrameBlock(source=self._source, signal=signal, time_ns=time, value=column, status=status)

    def _count(
        self,
        index: int,
        batch: Batch,
        cells: Sequence[Any],
        found: list[Any],
        *,
        whole: bool,
        at: Ints | None = None,
    ) -> None:
        seen = self._seen
        if whole:
            seen.read[index] += len(found)
            return
        wrong = [row for row, value in enumerate(found) if value is BAD]
        if self._config.decimal is None:
            self._understood(batch, cells, wrong, at)
        seen.read[index] += sum(value is not HOLE for value in found) - len(wrong)
        seen.unreadable[index] += len(wrong)
        if wrong and index not in seen.first:
            row = wrong[0] if at is None else int(at[wrong[0]])
            seen.first[index] = First(f"{self._table.path}:{batch.lines[row]}", str(cells[wrong[0]])[:80])

    def _pace(self, index: int, times: Ints, found: list[Any], *, whole: bool) -> None:
        stored = times if whole else times[np.fromiter((v is not HOLE for v in found), np.bool_, len(found))]
        self._seen.paces.add(index, stored)

    def _understood(self, batch: Batch, cells: Sequence[Any], wrong: Sequence[int], at: Ints | None) -> None:
        """Refuse a number whose comma may mean two things."""
        for row in wrong:
            if COMMA.fullmatch(text := str(cells[row]).strip()):
                line = batch.lines[row if at is None else int(at[row])]
                raise self._table.complain(
                    line,
                    f"{text}: is the comma a decimal sign, or between thousands? Write decimal: ',' or "
                    f"decimal: '.' under sources.{self._config.id}",
                    f"쉼표가 소수점인지 천 단위 구분인지 알 수 없습니다({text}). sources.{self._config.id}에 "
                    "decimal: ','(소수점) 또는 decimal: '.'(천 단위 구분)을 쓰십시오",
                )


def _status(cell: Any) -> str:
    """Return a status as it is listed: 192 also where a column with holes became floats."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
