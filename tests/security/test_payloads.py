"""Compressed payloads that lie: none costs more memory than the limit, nothing behind a frame is passed over."""

from __future__ import annotations

import resource
import struct

import pytest
import zstandard

from contract import codec
from contract.errors import WireError

LIMIT = codec.DATA_LIMIT
RAW = b'{"a":1}' * 100
GOOD = codec.compress(RAW)
BOMB = zstandard.ZstdCompressor(level=19).compress(bytes(200_000_000))
SKIPPABLE = struct.pack("<II", 0x184D2A50, 4) + b"abcd"
MAGIC = b"\x28\xb5\x2f\xfd"


def of_size(frame: bytes, size: int) -> bytes:
    """Return a frame whose header tells another size of its content."""
    flag, single = frame[4] >> 6, (frame[4] >> 5) & 1
    at, width = 5 + (1 - single), {0: single, 1: 2, 2: 4, 3: 8}[flag]
    assert width
    return frame[:at] + size.to_bytes(width, "little") + frame[at + width :]


def dictionary_frame() -> bytes:
    samples: list[bytes | bytearray | memoryview[int]] = [b"hello world %d" % i * 20 for i in range(200)]
    return zstandard.ZstdCompressor(dict_data=zstandard.train_dictionary(1024, samples)).compress(RAW)


LIES = {
    "empty": b"",
    "no zstd": b"PK\x03\x04" + GOOD,
    "cut off": GOOD[:-1],
    "a bomb": BOMB,
    "a bomb that tells a small size": of_size(BOMB, 1000),
    "a bomb that tells the limit": of_size(BOMB, LIMIT),
    "a smaller size than it has": of_size(GOOD, len(RAW) - 256 - 1),
    "no size": zstandard.ZstdCompressor(write_content_size=False).compress(RAW),
    "a dictionary that nobody has": dictionary_frame(),
    "a skippable frame": SKIPPABLE,
    "a skippable frame before": SKIPPABLE + GOOD,
    "a skippable frame behind": GOOD + SKIPPABLE,
    "two frames": GOOD + GOOD,
    "a bomb behind": GOOD + BOMB,
    "something behind": GOOD + b"{",
    "a window of gigabytes": MAGIC + bytes([0b10000000, 0xFF]) + (700).to_bytes(4, "little") + b"\x01\x00\x00",
    "a wrong checksum": zstandard.ZstdCompressor(write_checksum=True).compress(RAW)[:-1] + b"\x00",
}


def test_what_we_send_is_read() -> None:
    assert codec.decompress(GOOD, LIMIT) == RAW
    assert codec.decompress(codec.compress(bytes(LIMIT)), LIMIT) == bytes(LIMIT)


@pytest.mark.parametrize("lie", LIES)
def test_a_frame_that_lies_is_refused(lie: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WireError):
        codec.decompress(LIES[lie], LIMIT)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 20_000, "kB for one message"
