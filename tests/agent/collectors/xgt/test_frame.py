"""Frames against the manuals' examples, byte for byte, and the reader against any cut of the stream."""

from __future__ import annotations

import inspect
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.xgt import frame as frames
from agent.collectors.xgt.frame import (
    Continuous,
    Frame,
    Individual,
    Reader,
    Refusal,
    Reply,
    Station,
    Width,
    answer,
    request,
)
from agent.errors import WireError

LSIS = bytes.fromhex("4C 53 49 53 2D 58 47 54 00 00")  # XGL-EFMTB manual page 142
GLOFA = bytes.fromhex("4C 47 49 53 2D 47 4C 4F 46 41")  # XGL-EFMF manual 7-2


def from_plc(
    body: bytes,
    *,
    info: int = 0x0101,
    cpu: int = 0xA0,
    invoke: int = 1,
    company: bytes = LSIS,
    bcc: int | None = None,
) -> bytes:
    """Return a frame of a PLC, made without the code under test."""
    head = company + struct.pack("<HBBHHB", info, cpu, 0x11, invoke, len(body), 0)
    return head + bytes([sum(head) & 0xFF if bcc is None else bcc]) + body


def read(stream: bytes) -> Frame:
    reader = Reader()
    reader.feed(stream)
    found = reader.next()
    assert found is not None
    assert reader.rest == 0
    return found


# The instruction parts are printed in the manuals with each 16-bit field as a number (h0054), and page 180 shows
# that it travels with its bytes swapped (54 00). Headers are put together from the tables of XGL-EFMF 7-2.
GOLDEN = [
    pytest.param(
        Individual(Width.W, (("D", 1234),)),  # D1234 is %DW1234 when the word is asked for: XGL-EFMF 7-3, note 3
        "4C 53 49 53 2D 58 47 54 00 00 00 00 A0 33 01 00 11 00 00",
        "54 00 02 00 00 00 01 00 07 00 25 44 57 31 32 33 34",
        id="individual-word",
    ),
    pytest.param(
        Continuous("D", 2468, 2),  # ... and %DB2468 when the byte is: XGL-EFMF 7-3, note 3
        "4C 53 49 53 2D 58 47 54 00 00 00 00 A0 33 01 00 13 00 00",
        "54 00 14 00 00 00 01 00 07 00 25 44 42 32 34 36 38 02 00",
        id="continuous-bytes",
    ),
    pytest.param(
        Individual(Width.X, (("M", 2764),)),  # bit C of M172: XGL-EFMF 7-3, note 4
        "4C 53 49 53 2D 58 47 54 00 00 00 00 A0 33 01 00 11 00 00",
        "54 00 00 00 00 00 01 00 07 00 25 4D 58 32 37 36 34",
        id="individual-bit",
    ),
    pytest.param(
        Individual(Width.D, (("D", 50), ("M", 7))),  # data types of XGL-EFMF 7-3: h0300 is a double word
        "4C 53 49 53 2D 58 47 54 00 00 00 00 A0 33 01 00 15 00 00",
        "54 00 03 00 00 00 02 00 05 00 25 44 44 35 30 04 00 25 4D 44 37",
        id="two-dwords",
    ),
]


@pytest.mark.parametrize(("ask", "header", "body"), GOLDEN)
def test_a_request_is_the_manuals_byte_for_byte(ask: frames.Ask, header: str, body: str) -> None:
    head = bytes.fromhex(header)
    assert request(ask, 1, Station()) == head + bytes([sum(head) & 0xFF]) + bytes.fromhex(body)


def test_the_headers_fields_stand_where_the_manual_has_them() -> None:
    made = request(Continuous("M", 0, 16), 0xBEEF, Station("LGIS-GLOFA", cpu=0xB4, base=2, slot=3))
    assert made[:10] == GLOFA
    assert made[10:12] == b"\0\0"  # PLC info of a client
    assert (made[12], made[13]) == (0xB4, 0x33)
    assert made[14:16] == b"\xef\xbe"
    assert int.from_bytes(made[16:18], "little") == len(made) - 20
    assert made[18] == 0x23  # bits 0-3 slot, bits 4-7 base
    assert made[19] == sum(made[:19]) & 0xFF


def test_the_acknowledgement_of_a_word() -> None:
    body = bytes.fromhex("55 00 02 00 00 00 00 00 01 00 02 00 F3 A9")
    got = answer(read(from_plc(body)), Individual(Width.W, (("D", 0),)), 1)
    assert isinstance(got, Reply)
    assert got.blocks == (b"\xf3\xa9",)
    assert (got.info.state, got.info.error, got.info.cpu_type) == (1, False, "XGK-CPUH")


def test_the_acknowledgement_of_a_continuous_read() -> None:
    body = bytes.fromhex("55 00 14 00 00 00 00 00 01 00 04 00 11 22 33 44")
    got = answer(read(from_plc(body, company=GLOFA)), Continuous("D", 0, 4), 1)
    assert isinstance(got, Reply)
    assert got.blocks == (b"\x11\x22\x33\x44",)
    assert got.info.company == "LGIS-GLOFA"


def test_the_two_forms_of_a_refusal() -> None:
    one = bytes.fromhex("55 00 02 00 00 00 FF FF 21")  # XGL-EFMTB manual page 147
    two = bytes.fromhex("55 00 02 00 00 00 FF 00 04 00")  # XGL-EFMTB manual page 180
    for body, code, raw in ((one, 0x21, "ffff21"), (two, 4, "ff000400")):
        got = answer(read(from_plc(body)), Individual(Width.W, (("D", 0),)), 1)
        assert isinstance(got, Refusal)
        assert (got.code, got.raw.hex()) == (code, raw)


@pytest.mark.parametrize(
    ("info", "state", "error", "slave", "cpu", "named"),
    [
        (0x0101, 1, False, False, 0xA0, "XGK-CPUH"),
        (0x0205, 2, False, False, 0xA4, "XGI-CPUU"),
        (0x0495, 4, True, False, 0xA4, "XGI-CPUUN"),
        (0x0841, 8, False, True, 0xA8, "XGR-CPUH"),
        (0x0002, None, False, False, 0xB0, "XGB (MK) type 02h"),
        (0x013F, 1, False, False, 0x77, "77h type 3Fh"),
    ],
)
def test_plc_info(info: int, state: int | None, error: bool, slave: bool, cpu: int, named: str) -> None:  # noqa: FBT001
    got = read(from_plc(bytes(9), info=info, cpu=cpu)).info
    assert (got.state, got.error, got.slave, got.cpu_type) == (state, error, slave, named)


GOOD = bytes.fromhex("55 00 14 00 00 00 00 00 01 00 04 00 11 22 33 44")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\x59\0" + GOOD[2:], "command 0059h"),
        (GOOD[:2] + b"\x02\0" + GOOD[4:], "data type 0002h where 0014h"),
        (GOOD[:8] + b"\x02\0" + GOOD[10:], "2 blocks where 1"),
        (GOOD[:10] + b"\x02\0" + GOOD[12:], "a block of 2 bytes where 4"),
        (GOOD[:-1], "a block of 4 bytes where 4"),
        (GOOD + b"\0", "1 bytes after the last block"),
        (GOOD[:9], "no blocks where 1"),
    ],
)
def test_an_answer_to_something_else_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        answer(read(from_plc(body)), Continuous("D", 0, 4), 1)


def test_an_answer_to_another_request_is_refused() -> None:
    with pytest.raises(WireError, match="invoke id 1 where 2 was sent"):
        answer(read(from_plc(GOOD)), Continuous("D", 0, 4), 2)


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"HTTP/1.1 400", "no XGT frame: 48 54"),
        (request(Continuous("D", 0, 4), 1, Station()), "our own request came back"),
        (from_plc(bytes(9))[:13] + b"\x44" + bytes(6), "44h as the source"),
        (from_plc(bytes(9))[:16] + b"\xff\xff" + bytes(2), "a length of 65535"),
        (from_plc(bytes(9))[:16] + b"\x08\x00" + bytes(10), "a length of 8"),
    ],
)
def test_what_is_no_frame_is_named_as_soon_as_it_can_be(stream: bytes, says: str) -> None:
    reader = Reader()
    reader.feed(stream)
    with pytest.raises(WireError, match=says):
        reader.next()


def test_a_bcc_of_any_kind_is_taken() -> None:
    for bcc in (None, 0, 0x55):
        assert read(from_plc(GOOD, bcc=bcc)).body == GOOD


def told(pieces: list[bytes]) -> tuple[list[bytes], str]:
    """Return the frames that a stream in pieces gives, and the words of the error that ends it."""
    reader, found = Reader(), list[bytes]()
    try:
        for piece in pieces:
            reader.feed(piece)
            while got := reader.next():
                found.append(got.raw)
    except WireError as exc:
        return found, str(exc)[:30]
    return found, ""


BODIES = st.binary(min_size=9, max_size=40)
TAILS = st.one_of(st.just(b""), st.binary(max_size=30), st.just(LSIS + bytes(12)))


@given(st.lists(BODIES, max_size=5), TAILS, st.data())
def test_frames_do_not_depend_on_where_tcp_has_cut_them(
    bodies: list[bytes], tail: bytes, data: st.DataObject
) -> None:
    whole = b"".join(from_plc(body) for body in bodies)
    stream = whole + tail
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    got, error = told(pieces)
    assert b"".join(got).startswith(whole)
    whole_got, whole_error = told([stream])
    assert got == whole_got
    assert bool(error) == bool(whole_error)
    assert told([bytes([b]) for b in stream])[0] == got


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(stream: bytes) -> None:
    told([stream])
    told([LSIS + stream])


@given(st.binary(min_size=9, max_size=60), st.integers(0, 4), st.integers(1, 16))
def test_no_answer_crashes_the_matching_or_gives_other_sizes(body: bytes, width: int, count: int) -> None:
    for ask in (Individual(Width(width), (("D", 1),) * count), Continuous("D", 0, count)):
        try:
            got = answer(read(from_plc(body)), ask, 1)
        except WireError:
            continue
        if isinstance(got, Reply):
            assert tuple(len(block) for block in got.blocks) == ask.sizes


def test_no_write_can_be_made() -> None:
    text = inspect.getsource(frames)
    assert "0x58" not in text
    assert "0x0058" not in text
    assert "command" not in inspect.signature(request).parameters
    asks: list[frames.Ask] = [Continuous("D", 0, 4), *(Individual(width, (("D", 1),)) for width in Width)]
    for ask in asks:
        assert request(ask, 0x58, Station())[20:22] == b"\x54\0"
