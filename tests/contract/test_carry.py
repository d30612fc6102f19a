"""A file for a stick: what is read of it is what was written, however it is torn or damaged."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.carry import Container, Head, Message, Packer
from contract.errors import WireError

HEAD = Head("data", "hanil", "edge-1", "1795000000000000000", "1")
MESSAGES = [Message("tsq/1/hanil/edge-1/birth/00/1of1", b"birth"), Message("tsq/1/hanil/edge-1/data", b""),
            Message("tsq/1/hanil/edge-1/data", bytes(range(256)) * 20)]  # fmt: skip


def packed(messages: list[Message], *, end: bool = True) -> bytes:
    packer = Packer()
    pieces = [packer.head(HEAD), *(packer.message(*message) for message in messages)]
    return b"".join(pieces + [packer.end()] * end)


def unpacked(raw: bytes) -> tuple[list[Message], bool]:
    """Return the messages that can be had, and whether the file is whole."""
    found: list[Message] = []
    try:
        container = Container(io.BytesIO(raw).read)
        assert container.head == HEAD
        found.extend(container.messages())
    except WireError:
        return found, False
    assert container.complete
    return found, True


def test_what_was_packed_comes_out() -> None:
    assert unpacked(packed(MESSAGES)) == (MESSAGES, True)
    assert unpacked(packed([])) == ([], True)


@given(st.integers(0, len(packed(MESSAGES)) - 1))
def test_a_file_that_is_broken_off_gives_what_was_whole_and_says_so(at: int) -> None:
    found, whole = unpacked(packed(MESSAGES)[:at])
    assert not whole
    assert found == MESSAGES[: len(found)]


@given(st.integers(0, len(packed(MESSAGES)) - 1), st.integers(1, 255), st.sampled_from([0, 1, 40]))
def test_a_damaged_byte_spoils_what_follows_and_nothing_before(at: int, mask: int, zeros: int) -> None:
    raw = bytearray(packed(MESSAGES))
    raw[at] ^= mask
    raw[at + 1 : at + 1 + zeros] = bytes(len(raw[at + 1 : at + 1 + zeros]))
    found, whole = unpacked(bytes(raw))
    assert not whole
    assert found == MESSAGES[: len(found)]


def test_records_that_are_left_out_repeated_or_moved_are_seen() -> None:
    packer = Packer()
    head, first, second, end = packer.head(HEAD), *(packer.message(*m) for m in MESSAGES[:2]), packer.end()
    for pieces in ([head, second, end], [head, first, first, second, end], [head, second, first, end], [head, end]):
        assert not unpacked(b"".join(pieces))[1]


@pytest.mark.parametrize("raw", [b"", b"tsq-carry/2\n", b"tsq-carry/1\n", packed([])[:20] + packed([])[5:]])
def test_what_is_no_such_file_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        list(Container(io.BytesIO(raw).read).messages())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for begin in (b"", b"tsq-carry/1\n", packed([], end=False)):
        try:
            list(Container(io.BytesIO(begin + raw).read).messages())
        except WireError:
            continue
        assert (begin + raw).startswith(packed([]))


def test_a_length_that_lies_takes_no_memory() -> None:
    asked = []

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size)
            return super().read(size)

    raw = packed([], end=False) + b"M\xff\xff\xff\xff"
    with pytest.raises(WireError, match="4294967295"):
        list(Container(Endless(raw).read).messages())
    assert max(size or 0 for size in asked) < 1_100_000
