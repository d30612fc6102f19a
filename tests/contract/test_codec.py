"""Limits of what is read from the wire: nothing that a stranger sends costs more than it may."""

from __future__ import annotations

import msgspec
import pytest
import zstandard

from contract import codec
from contract.errors import WireError

LIMIT = codec.DATA_LIMIT


def test_what_is_compressed_comes_back_up_to_the_limit() -> None:
    for size in (0, 1, LIMIT):
        assert codec.decompress(codec.compress(b"7" * size), LIMIT) == b"7" * size


def test_a_small_message_that_would_become_a_large_one_is_refused_by_what_it_says() -> None:
    bomb = codec.compress(bytes(LIMIT + 1))
    assert len(bomb) < 200
    with pytest.raises(WireError, match=f"compressed content of {LIMIT + 1} bytes where at most {LIMIT}"):
        codec.decompress(bomb, LIMIT)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (zstandard.ZstdCompressor(write_content_size=False).compress(b"x"), "compressed content of -1 bytes"),
        (codec.compress(b"some words")[:-2], "not zstd"),
        (b"some words", "not zstd"),
        (b"", "not zstd"),
    ],
    ids=["of unsaid size", "cut", "plain", "empty"],
)
def test_what_is_not_one_whole_frame_of_a_said_size_is_refused(raw: bytes, text: str) -> None:
    with pytest.raises(WireError, match=text):
        codec.decompress(raw, LIMIT)


def test_a_frame_that_lies_about_its_size_is_refused() -> None:
    honest = bytearray(codec.compress(bytes(200)))
    assert honest[5] == 200, "magic number, descriptor, then one byte of content size"
    honest[5] = 20
    with pytest.raises(WireError, match="not zstd"):
        codec.decompress(bytes(honest), LIMIT)


class Named(msgspec.Struct):
    name: str


def test_json_is_read_up_to_the_limit() -> None:
    empty = len(codec.encode(Named("")))
    for size, limit in ((codec.PLAIN_LIMIT, codec.PLAIN_LIMIT), (LIMIT, LIMIT)):
        largest = Named("x" * (size - empty))
        assert codec.decode(codec.encode(largest), Named, limit) == largest
        with pytest.raises(WireError, match=f"{size + 1} bytes where at most {limit} are allowed"):
            codec.decode(codec.encode(Named("x" * (size - empty + 1))), Named, limit)
    with pytest.raises(WireError, match=f"at most {codec.PLAIN_LIMIT} are allowed"):
        codec.decode(b" " * (codec.PLAIN_LIMIT + 1), Named)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"name": 5}', b'{"name": "\xff"}', b'{"name":' + b"[" * 100_000]
)
def test_what_is_not_the_payload_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError, match="not a Named"):
        codec.decode(raw, Named)
