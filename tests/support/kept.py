"""Folders of a spool with days or weeks in them, as an agent without a line to its store keeps them.

To encode a month takes longer than to replay it. So a part of it, a day at best, is made once by the spool's own
code, and the rest are its files under later times and numbers, each round beginning at another place of it: values
and sizes are those of the part, clock and numbers go on without a hole. Checksums of entries stay those of
the part; that of a block's columns, which is what a replay believes, is made anew.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zstandard

from agent import entry
from agent.frame import FrameBlock
from agent.spool import blocks, columns_streams
from agent.spool.births import Files
from agent.spool.blocks import Index, Packed
from agent.spool.disk import Disk
from agent.spool.packing import GROUP_BYTES, GROUP_ENTRIES
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from agent.frame import Item, Source

SECOND = 1_000_000_000
SPOOL = "00000000000000aa"
BIRTH = b"{}"
"""What nobody looks into: sources are what a replay needs of a birth."""


class Part(NamedTuple):
    """A file of blocks: its bytes, the first entry, how many there are and the seconds that they cover."""

    data: bytes
    seq: int
    entries: int
    first_s: int


def born(folder: Path, sources: Sequence[Source], body: bytes = BIRTH) -> str:
    """Write the tag dictionary of these sources; return its hash."""
    digest = codec.digest(body)
    Files(folder, Disk()).keep(digest, body, msgspec.json.encode(sources))
    return digest


def parts(
    seconds: Iterable[Sequence[Item]], birth: str, *, start_ns: int, first: int = 1, most: int = GROUP_ENTRIES
) -> Iterator[Part]:
    """Yield the files of these seconds, cut where the packer cuts.

    Args:
        seconds: The items of each.
        birth: Hash of their tag dictionary.
        start_ns: When the first one begins.
        first: Number of the first entry.
        most: Entries of a file.
    """
    group: list[tuple[Packed, bytes]] = []
    seq, total, since, reached = first - 1, 0, 0, start_ns
    for second, items in enumerate(seconds):
        reached = max(
            [reached, *(int(item.time_ns.max()) for item in items if isinstance(item, FrameBlock) and len(item))]
        )
        for packed, raw in entry.pack(entry.arrange(items), seq + 1):
            seq += 1
            if total >= GROUP_BYTES or len(group) >= most:
                yield _part(group, birth, since)
                group, total, since = [], 0, second
            crc, rows = bytes.fromhex(codec.checksum(raw)), entry.rows(packed)
            group.append((Packed(seq, crc, reached, 1, rows, len(raw), None, 0, held=False), raw))
            total += len(raw)
    if group:
        yield _part(group, birth, since)


def _part(group: Sequence[tuple[Packed, bytes]], birth: str, since: int) -> Part:
    about = [one for one, _ in group]
    data = blocks.encode(Index(SPOOL, birth, about), [(one.seq, raw) for one, raw in group])
    return Part(data, about[0].seq, len(about), since)


def moved(data: bytes, entries: int, time_ns: int) -> bytes:
    """Return a file of blocks so many entries and nanoseconds later; it holds no events and no facts."""
    header = blocks._HEADER
    _, head, *_ = header.unpack_from(data)
    index = blocks._index(data[: header.size], data[header.size : header.size + head])
    about = [
        msgspec.structs.replace(one, seq=one.seq + entries, committed_ns=one.committed_ns + time_ns)
        for one in index.entries
    ]
    later = blocks._encoder.encode(Index(index.spool, index.birth, about))
    packed = zstandard.ZstdCompressor(level=3).compress(later)
    body = _columns_moved(data[header.size + head :], len(about), entries, time_ns)
    checked = blocks._crc(packed, len(body))
    found: bytes = header.pack(blocks._MAGIC, len(packed), len(body), checked) + packed + body
    return found


def _columns_moved(blob: bytes, count: int, entries: int, time_ns: int) -> bytes:
    reader = columns_streams.Reader(blob, 2**30)
    reader.sizes(1, 2**30)
    places = {reader._next: entries}
    reader.sums(count)
    reader.raw(count)
    for many in (0, count, count, count):
        reader.texts(many, 2**30)
    blocks_of = reader.sizes(count, 2**30)
    reader.sizes(count, 2**30)
    (named,) = reader.sizes(1, 2**30)
    reader.texts(named, 2**30)
    for _ in range(3):
        reader.numbers(sum(blocks_of))
    reader.raw(sum(blocks_of))
    places[reader._next] = time_ns
    out = bytearray(blob)
    head, scale = columns_streams._HEAD, columns_streams._SCALE
    at = head.size + 8 * len(reader._plain)
    for number, packed in enumerate(reader._packed):
        if number in places:
            width, unit, offset = scale.unpack_from(out, at)
            assert (width, packed) == (0, scale.size), "a single number stands as it is"
            scale.pack_into(out, at, width, unit, offset + places[number])
        at += packed
    struct.pack_into("<8s", out, 4, columns_streams.checksum(bytes(out[head.size - 4 :])))
    return bytes(out)


def fill(folder: Path, made: Sequence[Part], sources: Sequence[Source], seconds: int) -> int:
    """Write files of blocks for so many seconds; return how many bytes they have.

    Args:
        folder: Of the spool.
        made: What `parts` yielded; the first file begins when it does.
        sources: Of them.
        seconds: A file is not cut, so it becomes some more.
    """
    born(folder, sources)
    target = folder / blocks.FOLDER
    target.mkdir(parents=True, exist_ok=True)
    second = size = turn = 0
    seq = 1
    while second < seconds:
        at = turn * len(made) * 5 // 13  # another hour of the day each day
        for part in (*made[at % len(made) :], *made[: at % len(made)]):
            data = moved(part.data, seq - part.seq, (second - part.first_s) * SECOND)
            (target / f"{seq}{blocks.SUFFIX}").write_bytes(data)
            seq, second, size = seq + part.entries, second + part.entries, size + len(data)
            if second >= seconds:
                break
        turn += 1
    return size
