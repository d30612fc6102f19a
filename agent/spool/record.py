"""One transaction in the journal: what it committed, and what it changed, so that it can be done again.

    header  magic, generation of the file, store, number, sizes, checksum of all of it      40 bytes
    payload zstd of MessagePack, with the first payload of the file as its dictionary
    zeros   up to a multiple of 8

A record does not repeat how something was decided (what was oldest, how full the disk was, what a confirmation
counted for): it holds the statements that the decision came to. So doing it again needs no luck, and whoever
changes the deciding need not think of the journal.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import zstandard

from agent.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"tsqj"
LIMIT = 2**28
"""Bytes of a payload: more than any ring holds."""
_HEADER = struct.Struct("<4sIQQII8s")
_LEVEL = 3
HEADER = _HEADER.size


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A new entry. `epoch` is that of a clock that was not trusted, else None; `state` as in the table."""

    seq: int
    crc: bytes
    rows: int
    size: int
    state: int
    epoch: int | None = None


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One transaction.

    Attributes:
        time_ns: The moment of the commit.
        process: Number of the process.
        spool: Id of the spool that its entries belong to.
        birth: Hash of the birth that they were written under.
        total: Rows ever committed, these included: what a lost record held is the difference.
        rows: Its entries.
        contents: The canonical content of each.
        statements: What else it changed: SQL, and the parameters of each time it was done.
    """

    time_ns: int
    process: int
    spool: str
    birth: str
    total: int
    rows: list[Row]
    contents: list[bytes]
    statements: list[tuple[str, list[list[Any]]]]


class Found(NamedTuple):
    """A record that stands in a file whole."""

    offset: int
    end: int
    generation: int
    store: int
    number: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def payload(record: Record) -> bytes:
    """Return a record as it is compressed."""
    return _encoder.encode(record)


def seal(raw: bytes, *, generation: int, store: int, number: int, first: bytes | None) -> bytes:
    """Return a payload as it is written; `first` is the first payload of the file, None when this is it."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_dictionary(first), write_content_size=False)
    body = compressor.compress(raw)
    head = _HEADER.pack(MAGIC, generation, store, number, len(raw), len(body), bytes(8))
    crc = hashlib.blake2b(head + body, digest_size=8).digest()
    return head[:-8] + crc + body + bytes(-(HEADER + len(body)) % 8)


def unseal(blob: bytes, first: bytes | None) -> bytes:
    """Return the payload of a record that `look` has found whole.

    Raises:
        WireError: it is not what was written.
    """
    *_, size, length, _ = _HEADER.unpack_from(blob)
    packed = blob[HEADER : HEADER + length]
    try:
        if zstandard.frame_content_size(packed) > size:  # we write none; the library would believe it
            raise WireError("a record of the journal claims to be larger than it is")
        raw = zstandard.ZstdDecompressor(dict_data=_dictionary(first)).decompress(
            packed, max_output_size=max(size, 1)
        )
    except zstandard.ZstdError as exc:
        raise WireError(f"a record of the journal: {exc}") from exc
    if len(raw) != size:
        raise WireError("a record of the journal is cut short")
    return raw


def parse(raw: bytes) -> Record:
    """Return the record in a payload.

    Raises:
        WireError: it is none.
    """
    try:
        return _decoder.decode(raw)
    except msgspec.DecodeError as exc:
        raise WireError(f"a record of the journal: {exc}") from exc


def look(data: bytes, offset: int) -> Found | None:
    """Return what stands at this place of a file, if it is a whole record."""
    if data[offset : offset + 4] != MAGIC or len(data) - offset < HEADER:
        return None
    _, generation, store, number, size, length, crc = _HEADER.unpack_from(data, offset)
    end = offset + HEADER + length
    if size > LIMIT or end > len(data):
        return None
    view = memoryview(data)
    digest = hashlib.blake2b(view[offset : offset + HEADER - 8], digest_size=8)
    digest.update(bytes(8))
    digest.update(view[offset + HEADER : end])
    if digest.digest() != crc:
        return None
    return Found(offset, end + -end % 8, generation, store, number)


def scan(data: bytes) -> list[Found]:
    """Return the whole records of the newest generation in a file, in order; damage between them is passed over."""
    found = list(_all(data))
    newest = max((one.generation for one in found), default=0)
    out: list[Found] = []
    for one in found:
        if one.generation == newest and (not out or one.number >= out[-1].number):
            out.append(one)
    return out


def _all(data: bytes) -> Iterator[Found]:
    at = 0
    while at >= 0:
        one = look(data, at) if at % 8 == 0 else None
        if one is not None:
            yield one
            at = one.end
            if data[at : at + 4] == MAGIC:
                continue
        at = data.find(MAGIC, at if one is not None else at + 1)


def _dictionary(first: bytes | None) -> zstandard.ZstdCompressionDict | None:
    if first is None:
        return None
    return zstandard.ZstdCompressionDict(first, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
