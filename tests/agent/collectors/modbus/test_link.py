"""One connection: frames in pieces, answers that fit nothing, and what a recording gets to see."""

from __future__ import annotations

import asyncio
import itertools
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.link import (
    LinkGarbled,
    LinkLost,
    LinkSilent,
    ModbusRefusal,
    ReadLink,
    nothing_owed,
    size,
)
from agent.collectors.modbus.plan import Span, Table
from tests.peers.rude import crc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WORDS = Span(Table.HOLDING, 100, 3)
Taped = list[tuple[str, str, bytes]]


class Wire(asyncio.Transport):
    """A transport whose other end is a function: each request is answered by pieces of bytes, at once."""

    def __init__(self, link: ReadLink, answer: Callable[[bytes], Sequence[bytes]]) -> None:
        super().__init__()
        self._link, self._answer = link, answer
        self.sent: list[bytes] = []
        link.connection_made(self)

    def write(self, data: Any) -> None:
        """Answer."""
        self.sent.append(bytes(data))
        for piece in self._answer(bytes(data)):
            self._link.data_received(piece)

    def close(self) -> None:
        """Nothing to close."""


def numbered(request: bytes, data: bytes, *, number: int | None = None, unit: int | None = None) -> bytes:
    """Return an answer with data bytes to a numbered request."""
    first = request[:2] if number is None else number.to_bytes(2)
    pdu = bytes([request[7], len(data)]) + data
    return first + struct.pack(">HHB", 0, len(pdu) + 1, request[6] if unit is None else unit) + pdu


def plain(request: bytes, data: bytes, *, unit: int | None = None) -> bytes:
    """Return an answer with data bytes to a request on a serial line."""
    frame = bytes([request[0] if unit is None else unit, request[1], len(data)]) + data
    return frame + crc(frame)


def ask(
    answer: Callable[[bytes], Sequence[bytes]], *, rtu: bool = False, span: Span = WORDS, tap: Taped | None = None,
    questions: int = 1, unit: int = 5,
) -> tuple[bytes | ModbusRefusal, ReadLink]:  # fmt: skip
    """Ask over a link of its own; return the last answer and the link."""

    async def story() -> tuple[bytes | ModbusRefusal, ReadLink]:
        box = Box(SystemClock(), tap=None if tap is None else lambda *frame: tap.append(frame))
        link = ReadLink(box, "plc", numbered=not rtu, owed=nothing_owed())
        Wire(link, answer)
        for _ in range(questions):
            got = await link.read("plc", unit, span, 0.05)
        return got, link

    return asyncio.run(story())


def cut(whole: bytes, places: Sequence[int]) -> list[bytes]:
    """Return pieces of bytes, cut at these places."""
    ends = sorted({place % (len(whole) + 1) for place in places} | {0, len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(ends) if a < b]


tables = st.sampled_from(list(Table))
counts = st.integers(1, 125)


@settings(max_examples=60, deadline=None)
@given(st.booleans(), tables, counts, st.randoms(use_true_random=False), st.lists(st.integers(0, 300), max_size=5))
def test_an_answer_in_any_pieces_is_the_answer(
    rtu: bool,  # noqa: FBT001 - hypothesis hands it in so
    table: Table,
    count: int,
    random: Any,
    at: list[int],
) -> None:
    span = Span(table, 7, count)
    data = random.randbytes(size(span))
    make = plain if rtu else numbered
    got, link = ask(lambda request: cut(make(request, data), at), rtu=rtu, span=span)
    assert got == data
    assert link.late == 0


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=3))
def test_no_bytes_from_the_line_are_taken_for_values_or_break_the_link(
    rtu: bool,  # noqa: FBT001
    noise: bytes,
    at: list[int],
) -> None:
    try:
        got, _ = ask(lambda _: cut(noise, at), rtu=rtu)
    except (LinkSilent, LinkGarbled, LinkLost):
        return
    body = noise[8:] if not rtu else noise
    assert got.code in body if isinstance(got, ModbusRefusal) else got in body


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
def test_on_a_serial_line_an_answer_is_found_behind_noise(noise: bytes) -> None:
    data = b"\x12\x34\x56\x78\x9a\xbc"
    got, _ = ask(lambda request: [noise + plain(request, data)], rtu=True)
    assert got == data


def test_late_answers_are_skipped_by_their_number_and_counted() -> None:
    got, link = ask(
        lambda request: [
            numbered(request, b"\0\1" * 3, number=65535)
            + numbered(request, b"\0\2" * 3)
            + numbered(request, b"\0\3" * 3)
        ],
        questions=2,
    )
    assert got == b"\0\2" * 3
    assert link.late == 4


def test_on_a_serial_line_answers_of_others_are_skipped_and_named_when_nothing_better_comes() -> None:
    good = b"\0\2" * 3
    got, link = ask(lambda r: [plain(r, b"\0\1" * 3, unit=6), plain(r, b"\0\1"), plain(r, good)], rtu=True)
    assert got == good
    assert link.late == 2
    with pytest.raises(LinkGarbled, match="unit 6 in the answer to a question to unit 5"):
        ask(lambda request: [plain(request, good, unit=6)], rtu=True)
    with pytest.raises(LinkSilent):
        ask(lambda request: [plain(request, good)[:-1] + b"\0"], rtu=True)


@pytest.mark.parametrize("unit", [0, 255])
def test_whoever_is_there_may_answer_under_its_own_unit(unit: int) -> None:
    got, _ = ask(lambda request: [numbered(request, b"\0\2" * 3, unit=1)], unit=unit)
    assert got == b"\0\2" * 3


@pytest.mark.parametrize("rtu", [False, True])
def test_an_exception_is_an_answer(*, rtu: bool) -> None:
    def refuse(request: bytes) -> list[bytes]:
        if rtu:
            frame = request[:1] + b"\x83\x0b"
            return [frame + crc(frame)]
        return [request[:2] + b"\0\0\0\3" + request[6:7] + b"\x83\x0b"]

    assert ask(refuse, rtu=rtu)[0] == ModbusRefusal(11)


@pytest.mark.parametrize("head", [b"\0\1\0\1\0\3\5\x83\2", b"\0\1\0\0\0\1\5\x83\2", b"\0\1\0\0\1\0\5\x83\2"])
def test_what_is_no_modbus_ends_the_connection(head: bytes) -> None:
    taped: Taped = []
    with pytest.raises(LinkGarbled, match="no Modbus TCP frame"):
        ask(lambda _: [head], tap=taped)
    assert taped[-1] == ("plc", "note", b"closed")


def test_a_recording_sees_every_frame_whole_and_what_was_no_frame() -> None:
    taped: Taped = []
    data = b"\0\1" * 3
    ask(lambda request: cut(numbered(request, data), [3, 9]), tap=taped)
    sent = bytes.fromhex("000100000006050300640003")
    assert taped == [
        ("plc", "note", b"connected"),
        ("plc", "sent", sent),
        ("plc", "received", numbered(sent, data)),
    ]
    taped.clear()
    ask(lambda request: [b"\xfe\xff" + plain(request, data)], rtu=True, tap=taped)
    sent = bytes.fromhex("050300640003") + crc(bytes.fromhex("050300640003"))
    assert taped[1:] == [
        ("plc", "sent", sent),
        ("plc", "received", b"\xfe\xff"),
        ("plc", "received", plain(sent, data)),
    ]
    taped.clear()
    with pytest.raises(LinkSilent):
        ask(lambda _: [b"\x05\x03"], rtu=True, tap=taped)
    assert taped[2:] == [("plc", "note", b"timeout"), ("plc", "received", b"\x05\x03")]


def test_the_question_after_an_owed_answer_wants_another_length() -> None:
    async def story() -> None:
        link = ReadLink(Box(SystemClock()), "plc", numbered=False, owed=(owed := nothing_owed()))
        silent = True
        wire = Wire(link, lambda r: [] if silent else [plain(r, bytes(2 * r[5] if r[1] > 2 else (r[5] + 7) // 8))])
        for _ in range(12):
            with pytest.raises(LinkSilent):
                await link.probe("plc", 5, Span(Table.HOLDING, 65535, 1), 0.002)
        asked = [struct.unpack_from(">HH", frame, 2) for frame in wire.sent]
        assert all(start + count <= 65536 for start, count in asked)
        assert all(len({count for _, count in asked[n : n + 8]}) == 8 for n in range(len(asked) - 8))
        silent = False
        await link.probe("plc", 5, Span(Table.COIL, 0, 1), 1)
        assert not owed[5]

    asyncio.run(story())


COILS = Span(Table.COIL, 0x312, 20)
"""To read them is a request that looks like its own answer."""


@pytest.mark.parametrize("noise", [b"", b"\xff\x00"])
def test_an_echo_that_looks_like_an_answer_is_none(noise: bytes) -> None:
    data = bytes([0xA5, 0x0F, 0x01])
    got, _ = ask(lambda q: [noise + q, plain(q, data)], rtu=True, span=COILS, questions=6)
    assert got == data
    with pytest.raises(LinkSilent):
        ask(lambda q: [noise + q], rtu=True, span=COILS)


def test_an_answer_that_looks_like_its_question_is_taken_after_the_echo() -> None:
    got, _ = ask(lambda q: [q, q], rtu=True, span=COILS)
    assert got == bytes([0x12, 0x00, 20])


def test_on_a_line_without_echo_an_answer_may_look_like_its_question() -> None:
    count = 0

    def answer(question: bytes) -> Sequence[bytes]:
        nonlocal count
        count += 1
        return [question if count > 3 else plain(question, bytes(3))]

    got, _ = ask(answer, rtu=True, span=COILS, questions=4)
    assert got == bytes([0x12, 0x00, 20])
