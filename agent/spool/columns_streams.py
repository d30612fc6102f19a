"""The streams that a block of columns is made of: numbers, bytes and texts, each compressed by itself.

A blob is

    magic, 4 bytes | checksum of all that follows, 8 bytes | number of streams n, u32
    n x (packed length, plain length), u32 each | the streams

Each stream is a zstd frame, or stored as it is where that is not longer. They are compressed apart because a
Huffman table serves one distribution well and a mixture badly. Numbers are cut into byte planes: the low bytes are
noise, the high ones nearly constant. Little endian throughout.

Nothing in a blob is believed: the lengths are added up before anything is unpacked, and whatever is read must be
there in full.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import numpy as np
import zstandard

from agent.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAGIC = b"TSC1"
LEVEL = 3
STREAMS_LIMIT = 4_096
_HEAD = struct.Struct("<4s8sI")
_UNSIGNED = [np.dtype(f"u{width}") for width in (1, 2, 4, 8)]
_SCALE = struct.Struct("<Bqq")  # planes, unit, offset


def checksum(raw: bytes) -> bytes:
    """Return 64 bits of BLAKE2b."""
    return hashlib.blake2b(raw, digest_size=8).digest()


def zigzag(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """uint64[n]: 0, -1, 1, -2, ... as 0, 1, 2, 3, ..., so that small numbers of either sign are small."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(values: NDArray[np.unsignedinteger]) -> NDArray[np.signedinteger]:
    """Undo `zigzag`, in as many bytes as the numbers have."""
    signed = np.dtype(f"i{values.itemsize}")
    sign = (values & values.dtype.type(1)).view(signed)
    found: NDArray[np.signedinteger] = (values >> values.dtype.type(1)).view(signed) ^ -sign
    return found


class Writer:
    """Collects streams; the reader asks for them in the same order."""

    def __init__(self) -> None:
        self._packer = zstandard.ZstdCompressor(level=LEVEL)
        self._lengths: list[int] = []
        self._streams: list[bytes] = []

    def raw(self, data: bytes) -> None:
        """Add bytes."""
        packed = self._packer.compress(data) if data else b""
        if len(packed) >= len(data):
            packed = data
        self._lengths += [len(packed), len(data)]
        self._streams.append(packed)

    def planes(self, values: NDArray[np.unsignedinteger]) -> None:
        """Add unsigned numbers as one stream a byte; the reader must know how many bytes wide they are."""
        table = values.view(np.uint8).reshape(len(values), values.itemsize)
        for plane in np.ascontiguousarray(table.T):
            self.raw(plane.tobytes())

    def numbers(self, values: Sequence[int] | NDArray[np.int64]) -> None:
        """Add 64-bit integers: around their median, in units of their greatest common divisor.

        Raises:
            OverflowError: one has more than 64 bits.
        """
        column = np.asarray(values, np.int64)
        offset, unit = 0, 1
        if len(column):
            offset = int(np.partition(column, len(column) // 2)[len(column) // 2])
            column = column - offset  # wraps, and so does the reader
            unit = abs(int(np.gcd.reduce(column))) or 1
            column = column // unit
        folded = zigzag(column)
        width = (int(folded.max(initial=0)).bit_length() + 7) // 8
        self.raw(_SCALE.pack(width, unit, offset))
        table = folded.view(np.uint8).reshape(len(folded), 8)[:, :width]
        for plane in np.ascontiguousarray(table.T):
            self.raw(plane.tobytes())

    def differences(self, values: NDArray[np.int64]) -> None:
        """Add 64-bit integers of which each is near the one before; the first does not spoil their unit."""
        self.numbers(values[:1])
        self.numbers(np.diff(values))

    def texts(self, texts: Sequence[bytes]) -> None:
        """Add byte strings."""
        self.numbers([len(text) for text in texts])
        self.raw(b"".join(texts))

    def blob(self) -> bytes:
        """Return all that was added."""
        count = len(self._streams)
        body = struct.pack(f"<{2 * count}I", *self._lengths) + b"".join(self._streams)
        return _HEAD.pack(MAGIC, checksum(struct.pack("<I", count) + body), count) + body


class Reader:
    """Gives the streams of a blob back, in their order.

    Args:
        blob: What `Writer.blob` has returned, or anything else.
        limit: Bytes that all streams together may unpack to.

    Raises:
        WireError: damaged, or too large. So do all methods.
    """

    def __init__(self, blob: bytes, limit: int) -> None:
        if len(blob) < _HEAD.size:
            raise WireError("a block of columns is cut off")
        magic, check, count = _HEAD.unpack_from(blob)
        if magic != MAGIC or checksum(blob[_HEAD.size - 4 :]) != check:
            raise WireError("not a block of columns, or damaged")
        if count > STREAMS_LIMIT or len(blob) < _HEAD.size + 8 * count:
            raise WireError(f"a block of columns of {count} streams")
        lengths = struct.unpack_from(f"<{2 * count}I", blob, _HEAD.size)
        self._packed, self._plain = lengths[::2], lengths[1::2]
        if sum(self._plain) > limit or sum(self._packed) != len(blob) - _HEAD.size - 8 * count:
            raise WireError("the streams of a block of columns do not fit")
        self._blob = blob
        self._at = _HEAD.size + 8 * count
        self._next = 0
        self._unpacker = zstandard.ZstdDecompressor()

    @property
    def streams(self) -> int:
        """How many there are."""
        return len(self._plain)

    def raw(self, length: int | None = None) -> bytes:
        """Return the next stream, of so many bytes."""
        if self._next >= len(self._plain):
            raise WireError("a block of columns has too few streams")
        packed, plain = self._packed[self._next], self._plain[self._next]
        if length is not None and plain != length:
            raise WireError(f"a stream of {plain} bytes where {length} are expected")
        data = self._blob[self._at : self._at + packed]
        self._at += packed
        self._next += 1
        if packed == plain:
            return data
        try:
            if zstandard.frame_content_size(data) != plain:
                raise WireError("a stream is not as long as is said")
            found: bytes = self._unpacker.decompress(data, max_output_size=plain)
        except zstandard.ZstdError as exc:
            raise WireError(f"a stream is not zstd: {exc}") from exc
        if len(found) != plain:
            raise WireError("a stream is not as long as is said")
        return found

    def planes(self, count: int, width: int) -> NDArray[np.uint8]:
        """uint8[count, width]: unsigned numbers, lowest byte first."""
        table = np.empty((width, count), np.uint8)
        for plane in table:
            plane[:] = np.frombuffer(self.raw(count), np.uint8)
        return np.ascontiguousarray(table.T)

    def numbers(self, count: int) -> NDArray[np.int64]:
        """int64[count]."""
        width, unit, offset = _SCALE.unpack(self.raw(_SCALE.size))
        if width > 8:
            raise WireError(f"numbers of {width} bytes")
        if not width:  # all alike
            return np.full(count, np.int64(offset))
        whole = next(kind for kind in _UNSIGNED if kind.itemsize >= width)
        table = np.zeros((count, whole.itemsize), np.uint8)
        for place in range(width):
            table[:, place] = np.frombuffer(self.raw(count), np.uint8)
        found = unzigzag(table.reshape(-1).view(whole)).astype(np.int64)
        if unit != 1:
            found *= np.int64(unit)
        found += np.int64(offset)
        return found

    def sums(self, count: int) -> NDArray[np.int64]:
        """int64[count]: what `Writer.differences` has written."""
        first = self.numbers(min(count, 1))
        found = np.concatenate((first, self.numbers(max(count - 1, 0))))
        np.cumsum(found, out=found)
        return found

    def sizes(self, count: int, most: int) -> list[int]:
        """Return numbers that count something: none negative, all together at most `most`."""
        column = self.numbers(count)
        if count and (int(column.min()) < 0 or int(column.max()) > most or int(column.sum()) > most):
            raise WireError("a block of columns counts what is not there")
        found: list[int] = column.tolist()
        return found

    def texts(self, count: int, most: int) -> list[bytes]:
        """Return byte strings, of at most so many bytes together."""
        lengths = self.sizes(count, most)
        data = self.raw(sum(lengths))
        ends = np.cumsum(lengths).tolist()
        return [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]

    def end(self) -> None:
        """See that nothing is left."""
        if self._next != len(self._plain):
            raise WireError("a block of columns has too many streams")
