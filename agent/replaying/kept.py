"""What a spool's folder holds, read without opening the spool: files of blocks, and the journal behind them.

    blocks/*.tsb    what nobody has confirmed for a minute: an outage of weeks, or a box that has no store at all
    journal/*.tsj   the last minutes, confirmed or not
    births/*        the sources that entries were written under

Nothing is written and nothing locked: the agent may run, and the folder may be a copy on a medium that takes no
write. A file that the agent has removed since, because all in it was confirmed, is passed over like one that was
never written: the numbers of the entries tell that something is missing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agent.errors import ConfigError, WireError
from agent.frame import Source
from agent.spool import blocks, columns, columns_arrays, log, record
from agent.spool.births import Files
from agent.spool.columns_streams import Reader
from agent.spool.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agent.spool.blocks import Packed
    from agent.spool.columns_arrays import Arrays
    from agent.spool.record import Row


class Group(NamedTuple):
    """Entries that lie together: a file of blocks, or a record of the journal.

    Attributes:
        birth: Hash of the tag dictionary that they were written under.
        entries: What is known of each, in order.
        committed_ns: When the first was committed.
        size: Bytes that were read.
        place: For complaints.
        blob: Their columns; None for a record.
        contents: The canonical contents of a record's entries.
    """

    birth: str
    entries: Sequence[Packed | Row]
    committed_ns: int
    size: int
    place: str
    blob: bytes | None
    contents: Sequence[bytes] = ()

    def arrays(self) -> Arrays | None:
        """Return the entries as arrays; None when they are none.

        Raises:
            WireError: damaged.
        """
        if self.blob is None:
            return None
        try:
            return columns_arrays.read(Reader(self.blob, 8 * columns_arrays.CONTENTS_LIMIT))
        except (ValueError, OverflowError, IndexError, MemoryError) as exc:
            raise WireError(f"not a block of columns: {exc}") from exc

    def singly(self) -> Iterator[tuple[Packed | Row, bytes]]:
        """Yield each entry and its canonical content.

        Raises:
            WireError: damaged.
        """
        raw = self.contents if self.blob is None else [content for _, content in columns.decode(self.blob)]
        yield from zip(self.entries, raw, strict=False)


class Folder:
    """The files of a spool's folder, as they are now.

    Args:
        path: Of the folder: `storage.directory`, or a copy of it.

    Raises:
        ConfigError: there is no spool in it.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._births = Files(path, Disk())
        folder = path / blocks.FOLDER
        if not folder.is_dir() and not (path / log.FOLDER).is_dir():
            raise ConfigError(f"{path}: no spool: neither {blocks.FOLDER} nor {log.FOLDER} is in it")
        named = [one for one in os.scandir(folder) if one.name.endswith(blocks.SUFFIX)] if folder.is_dir() else []
        found = [(int(one.name[: -len(blocks.SUFFIX)]), one) for one in named if one.name.split(".")[0].isdecimal()]
        self._files = sorted((block, one.path) for block, one in found)
        self.total = sum(one.stat().st_size for _, one in found)
        """Bytes of the files of blocks."""
        self._journal = sorted((path / log.FOLDER).glob("*.tsj"))
        self.damaged: list[str] = []
        """What could not be read, as it was met."""
        self._sources: dict[str, dict[str, Source]] = {}

    def sources(self, birth: str) -> dict[str, Source]:
        """Return the sources of a tag dictionary, by id.

        Raises:
            WireError: they cannot be read.
        """
        if birth not in self._sources:
            read = self._births.read(birth)
            if read is None:
                raise WireError(f"the tag dictionary {birth} cannot be read")
            try:
                known = msgspec.json.decode(read[1], type=tuple[Source, ...])
            except (msgspec.DecodeError, UnicodeDecodeError) as exc:
                raise WireError(f"the sources of {birth} are damaged: {exc}") from exc
            self._sources[birth] = {source.id: source for source in known}
        return self._sources[birth]

    def groups(self) -> Iterator[Group]:
        """Yield what there is in the order of the entries' numbers; what is damaged is noted."""
        records = self._records()
        waiting = next(records, None)
        for block, path in self._files:
            while waiting is not None and waiting.entries[0].seq < block:
                yield waiting
                waiting = next(records, None)
            try:
                data = self._read(path)
                index, blob = blocks.opened(data)
            except FileNotFoundError:
                continue
            except (WireError, OSError) as exc:
                self.damaged.append(f"{path}: {exc}")
                continue
            if index.entries:
                yield Group(index.birth, index.entries, index.entries[0].committed_ns, len(data), path, blob)
        if waiting is not None:
            yield waiting
            yield from records

    @staticmethod
    def _read(path: str) -> bytes:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return os.read(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def _records(self) -> Iterator[Group]:
        """Yield the journal's records that hold entries; of a running agent they may be torn at their end."""
        found = []
        for path in self._journal:
            try:
                data = path.read_bytes()
            except OSError as exc:
                self.damaged.append(f"{path}: {exc}")
                continue
            first: bytes | None = None
            for at in record.scan(data):
                try:
                    raw = record.unseal(data[at.offset : at.end], first)
                    first = first or raw
                    one = record.parse(raw)
                except WireError as exc:
                    self.damaged.append(f"{path}: {exc}")
                    continue
                if one.rows:
                    found.append(Group(one.birth, one.rows, one.time_ns, 0, str(path), None, one.contents))
        yield from sorted(found, key=lambda group: group.entries[0].seq)
