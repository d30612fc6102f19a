"""The journal: two files of fixed size, written from the front, one record a transaction, synced before it counts.

    journal/1.tsj   generation 7   [first][first again][record]...[record]          <- being read
    journal/2.tsj   generation 8   [first][first again][record] zeros or older ...  <- being written

Files are filled with zeros beforehand, so that a commit changes no metadata of the file system. The first record
of a file is the dictionary of all others in it, and so stands there twice. A file is written over, under a higher
generation, when nobody needs what is in it any more; whoever keeps the journal says so by `free`. When the other
file is still needed the present one grows: a commit is never refused for the place it needs while the disk has any.

Reading a file takes the whole records of its newest generation. What does not follow the last is a torn write that
nobody was promised; what is missing between two whole records is damage, and its numbers tell how much. A record
that failed to be written may be there all the same. In the same file the next attempt overwrites it; where the next
attempt went to the other file, that one begins with the same number, and the older file's from it on are void.
"""

from __future__ import annotations

import contextlib
import logging
import os
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.errors import WireError
from agent.spool import record
from agent.spool.disk import PAGE, make_folder, remove

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from agent.frame import Source
    from agent.spool.disk import Disk

logger = logging.getLogger(__name__)

FOLDER = "journal"
NAME = "{}.tsj"
FILES = 2
SMALLEST, LARGEST = 4 * 2**20, 64 * 2**20


@dataclass(slots=True)
class _File:
    path: Path
    descriptor: int
    size: int  # as it lies on the disk
    generation: int = 0
    end: int = 0  # of what counts
    first: bytes | None = None  # payload
    numbers: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    stores: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def gone(self) -> bool:
        """Whether somebody has removed it, or put another in its place; what is in it can still be read."""
        try:
            return not os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def index(self, number: int) -> int | None:
        """Return which of its records this is."""
        if not self.numbers or not self.numbers[0] <= number <= self.numbers[-1]:
            return None
        at = number - self.numbers[0]
        if at < len(self.numbers) and self.numbers[at] == number:
            return at
        with contextlib.suppress(ValueError):  # there is damage between
            return self.numbers.index(number)
        return None


def size_for(sources: Iterable[Source], most: int) -> int:
    """Return the bytes of a file that holds ten minutes of these sources, within what is sensible.

    Args:
        sources: As configured; what a value takes is a guess on the safe side.
        most: Bytes that the spool may take in all.
    """
    rate = sum(len(source.signals) * 1e9 / source.interval_ns for source in sources)
    wanted = min(max(round(rate * 600 * 6), SMALLEST), LARGEST)
    return min(wanted, most // 8) // PAGE * PAGE


class Log:
    """The journal's files, open. One thread appends; any may read.

    Args:
        folder: Of the spool.
        disk: Writes.
        size: Bytes of each file.

    Raises:
        OSError: a file cannot be opened, or made.
    """

    def __init__(self, folder: Path, disk: Disk, size: int) -> None:
        self._disk = disk
        self._size = max(size, record.HEADER)
        self._files: list[_File] = []
        self._folder = folder / FOLDER
        make_folder(self._folder)
        try:
            names = {self._folder / NAME.format(n) for n in range(1, FILES + 1)}
            for path in sorted(names | set(self._folder.glob("*.tsj"))):
                self._open(path)
            for file in self._files:
                self._read_in(file)
            self._files.sort(key=lambda file: file.generation)
            self._forget_void()
            self._settle()
        except BaseException:
            self.close()
            raise
        self.last = max((file.numbers[-1] for file in self._files if file.numbers), default=0)
        """Number of the last record."""

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            with contextlib.suppress(OSError):
                os.close(file.descriptor)
        self._files = []

    def _open(self, path: Path) -> None:
        descriptor = self._disk.prepare(path, self._size)
        self._files.append(_File(path, descriptor, os.fstat(descriptor).st_size))

    def _read_in(self, file: _File) -> None:
        data = os.pread(file.descriptor, file.size, 0)
        for found in record.scan(data):
            file.end = found.end
            if file.numbers and found.number == file.numbers[-1]:  # the first, again
                continue
            if not file.numbers:
                file.generation = found.generation
                with contextlib.suppress(WireError):  # else both copies of the first are lost, and all with them
                    file.first = record.unseal(data[found.offset : found.end], None)
            file.numbers.append(found.number)
            file.offsets.append(found.offset)
            file.stores.append(found.store)

    def _forget_void(self) -> None:
        for at, new in enumerate(self._files):
            for old in self._files[:at] if new.numbers else []:
                while old.numbers and old.numbers[-1] >= new.numbers[0]:
                    old.end = old.offsets.pop()
                    old.numbers.pop()
                    old.stores.pop()

    def _settle(self) -> None:
        """Write the last records again.

        A process whose sync has failed may have ended before it could try again. What it wrote is read from memory
        as if it were on the disk, and no later sync would say that it is not.
        """
        for file in self._files:
            if file.numbers:
                offset = file.offsets[-1]
                self._write(file, os.pread(file.descriptor, file.end - offset, offset), offset)

    # Reading

    @property
    def size(self) -> int:
        """Size of the files."""
        return sum(file.size for file in self._files)

    @property
    def half_full(self) -> bool:
        """Whether the file that is written has less than half of its place left."""
        return self._files[-1].end * 2 >= self._size

    @property
    def nearly_full(self) -> bool:
        """Whether the file that is written has less than an eighth of its place left."""
        return self._files[-1].end * 8 >= self._size * 7

    @property
    def gone(self) -> bool:
        """Whether a file that is needed will not be there after a restart."""
        return any(file.numbers and file.gone for file in self._files)

    @property
    def older(self) -> tuple[int, int] | None:
        """First and last number in the oldest file that is not written; None when no such file is needed."""
        for file in self._files[:-1]:
            if file.numbers:
                return file.numbers[0], file.numbers[-1]
        return None

    @property
    def begins_late(self) -> bool:
        """Whether records before the first have been lost: there was a file before the oldest that has any."""
        written = [file for file in self._files if file.numbers]
        return len(written) == 1 and written[0].generation > 1

    def numbers(self, after: int, store: int) -> list[int]:
        """Return the numbers of the records of a store after this one, in order."""
        return [
            number
            for file in self._files
            for number, of in zip(file.numbers, file.stores, strict=True)
            if number > after and of == store
        ]

    def foreign(self, store: int) -> list[int]:
        """Return the numbers of the records that are of another store."""
        return [
            number
            for file in self._files
            for number, of in zip(file.numbers, file.stores, strict=True)
            if of != store
        ]

    def read(self, number: int) -> record.Record:
        """Return a record.

        Raises:
            WireError: it is not there, or not as it was written.
            OSError: the disk does not give it.
        """
        for file in self._files:
            at = file.index(number)
            if at is None or file.first is None:
                continue
            offset = file.offsets[at]
            end = file.offsets[at + 1] if at + 1 < len(file.offsets) else file.end
            blob = os.pread(file.descriptor, end - offset, offset)
            found = record.look(blob, 0)
            if found is not None and found.number == number:
                return record.parse(record.unseal(blob, file.first if at else None))
        raise WireError(f"record {number} of the journal is damaged")

    # Writing

    def append(self, raw: bytes, store: int) -> int:
        """Write a payload and have it on the disk; return its number.

        Raises:
            OSError: it does not count, though it may be there; the next one takes its number and its place.
        """
        self._see_to_removed()
        file = self._files[-1]
        number = self.last + 1
        if not file.numbers:
            self._begin(raw, store, number)
            return number
        blob = record.seal(raw, generation=file.generation, store=store, number=number, first=file.first)
        spare = next((one for one in self._files[:-1] if not one.numbers), None)
        if file.end + len(blob) > self._size and spare is not None:
            self._files = [*(one for one in self._files if one is not spare), spare]  # others are reading
            self._begin(raw, store, number)
            return number
        self._write(file, blob, file.end)
        self._enter(file, number, file.end, store)
        file.end += len(blob)
        return number

    def _see_to_removed(self) -> None:
        """Write to no file that somebody has removed: at the next start nobody would find it."""
        for file in self._files:
            needed = bool(file.numbers)
            if not file.gone or (needed and file is not self._files[-1]):
                continue
            try:
                if needed:
                    self.renew()
                else:
                    self._open(file.path)
                    self._files = [self._files[-1], *(one for one in self._files[:-1] if one is not file)]
                    os.close(file.descriptor)
            except OSError as exc:  # on a full disk: until there is room it is better than nothing
                logger.warning("%s was removed while it was in use, and cannot be made again: %s", file.path, exc)
            else:
                logger.error("%s was removed while it was in use: do not touch the files of the spool", file.path)

    def _begin(self, raw: bytes, store: int, number: int) -> None:
        """Write the first record of a file."""
        file = self._files[-1]
        generation = file.generation = max(one.generation for one in self._files) + 1  # also when it fails
        blob = record.seal(raw, generation=generation, store=store, number=number, first=None)
        try:
            if file.size > self._size:
                os.ftruncate(file.descriptor, self._size)
                file.size = self._size
            self._write(file, blob + blob, 0)
        except BaseException:
            self._files = [file, *self._files[:-1]]  # the next is tried in another
            raise
        file.first, file.end = raw, 2 * len(blob)
        self._enter(file, number, 0, store)

    def _write(self, file: _File, blob: bytes, offset: int) -> None:
        self._disk.write(file.descriptor, blob, offset)
        file.size = max(file.size, offset + len(blob))
        os.fdatasync(file.descriptor)

    def _enter(self, file: _File, number: int, offset: int, store: int) -> None:
        file.offsets.append(offset)
        file.stores.append(store)
        file.numbers.append(number)
        self.last = number

    def free(self) -> None:
        """Let the oldest file that is not written be written over: nobody needs what is in it."""
        for file in self._files[:-1]:
            if not file.numbers:
                continue
            if len(self._files) > FILES:
                self._files = [one for one in self._files if one is not file]
                os.close(file.descriptor)
                remove(file.path)
            else:
                file.numbers, file.offsets, file.stores = array("q"), array("q"), array("Q")
                file.end, file.first = 0, None
            return

    def renew(self) -> None:
        """Have another file to write, because the present one does not take what is written.

        Raises:
            OSError: there is none.
        """
        taken = {file.path for file in self._files}
        paths = (self._folder / NAME.format(n) for n in range(1, len(taken) + 2))
        self._open(next(path for path in paths if path not in taken))

    def number_from(self, last: int) -> None:
        """Number what comes after `last`, which a store knows of although its record is not here."""
        self.last = max(self.last, last)


def records(log: Log, numbers: list[int]) -> Iterator[tuple[int, record.Record | None]]:
    """Yield each record, None for one that cannot be read.

    Raises:
        OSError: the disk does not give them.
    """
    for number in numbers:
        try:
            yield number, log.read(number)
        except WireError:
            yield number, None
