"""Files of blocks: what nobody has confirmed for about a minute, as columns, written once and removed whole.

    blocks/<seq of the first entry>.tsb    header  magic, sizes, checksum of the index        20 bytes
                                           index   zstd of MessagePack: what each entry is
                                           blob    of `columns`, which has a checksum of its own

The index says what SQLite says of the entries, so that they are delivered although SQLite's file is lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from typing import TYPE_CHECKING

import msgspec
import zstandard

from agent.errors import WireError
from agent.spool import columns
from agent.spool.disk import make_folder, remove
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agent.spool.disk import Disk

FOLDER = "blocks"
INDEX_LIMIT = 2**24
SUFFIX = ".tsb"
_HEADER = struct.Struct("<4sII8s")
_MAGIC = b"tsqb"


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """An entry in a file of blocks; as in the table `entry`, with the last of what its stamps were shifted by.

    `held` is whether it was when it was packed; None in a file of before this was noted.
    """

    seq: int
    crc: bytes
    committed_ns: int
    process: int
    rows: int
    size: int
    epoch: int | None
    shift: int
    held: bool | None = None


class Index(msgspec.Struct, frozen=True, array_like=True):
    """What a file of blocks holds, all of one spool and one birth."""

    spool: str
    birth: str
    entries: list[Packed]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Index)


def encode(index: Index, contents: Sequence[tuple[int, bytes]]) -> bytes:
    """Return the file of these entries."""
    head = zstandard.ZstdCompressor(level=9).compress(_encoder.encode(index))
    blob = columns.encode(contents)
    return _HEADER.pack(_MAGIC, len(head), len(blob), _crc(head, len(blob))) + head + blob


class Blocks:
    """The folder of the files. Any thread may read.

    Args:
        folder: Of the spool.
        disk: Writes.

    Raises:
        OSError: there is no such folder, and none can be made.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder / FOLDER
        self._disk = disk
        make_folder(self._folder)

    def path(self, block: int) -> Path:
        """Return where a file lies."""
        return self._folder / f"{block}{SUFFIX}"

    def listed(self) -> Iterator[int]:
        """Yield the files that are here; what was not written to its end goes."""
        for path in sorted(self._folder.iterdir()):
            if path.suffix == SUFFIX and path.stem.isdecimal():
                yield int(path.stem)
            else:
                remove(path)

    def save(self, block: int, data: bytes) -> None:
        """Write a file; it is on the disk when this returns.

        Raises:
            OSError: there is none.
        """
        self._disk.save(self.path(block), data)

    def remove(self, block: int) -> None:
        """Remove a file."""
        remove(self.path(block))

    def set_aside(self, block: int) -> None:
        """Keep a damaged file under another name, for looking at, until the next start."""
        with contextlib.suppress(OSError):
            self.path(block).replace(self._folder / f"{block}.damaged")

    def index(self, block: int) -> Index:
        """Return what a file says it holds.

        Raises:
            WireError: it is damaged.
            OSError: it cannot be read.
        """
        with self.path(block).open("rb") as file:
            header = file.read(_HEADER.size)
            head, _ = _sizes(header)
            raw = file.read(head)
        return _index(header, raw)

    def read(self, block: int) -> dict[int, bytes]:
        """Return the canonical content of each entry, as it was packed.

        Raises:
            WireError: it is damaged.
            OSError: it cannot be read.
        """
        descriptor = os.open(self.path(block), os.O_RDONLY)
        try:
            data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        finally:
            os.close(descriptor)
        head, blob = _sizes(data[: _HEADER.size])
        at = _HEADER.size + head
        return dict(columns.decode(data[at : at + blob]))


def opened(data: bytes) -> tuple[Index, bytes]:
    """Return what a file holds: its index, and the blob of `columns`.

    Raises:
        WireError: it is damaged.
    """
    head, blob = _sizes(data[: _HEADER.size])
    at = _HEADER.size + head
    return _index(data[: _HEADER.size], data[_HEADER.size : at]), data[at : at + blob]


def _sizes(header: bytes) -> tuple[int, int]:
    try:
        magic, head, blob, _ = _HEADER.unpack(header)
    except struct.error as exc:
        raise WireError("a file of blocks is cut short") from exc
    if magic != _MAGIC or head > INDEX_LIMIT:
        raise WireError("no file of blocks")
    return head, blob


def _crc(head: bytes, blob: int) -> bytes:
    return hashlib.blake2b(struct.pack("<II", len(head), blob) + head, digest_size=8).digest()


def _index(header: bytes, raw: bytes) -> Index:
    _, _, blob, crc = _HEADER.unpack(header)
    if _crc(raw, blob) != crc:
        raise WireError("the index of a file of blocks is damaged")
    try:
        return _decoder.decode(codec.decompress(raw, INDEX_LIMIT))
    except (WireError, msgspec.DecodeError) as exc:
        raise WireError(f"the index of a file of blocks is damaged: {exc}") from exc
