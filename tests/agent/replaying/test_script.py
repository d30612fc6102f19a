"""What a recording says came after each request, whatever number it carries now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agent.replaying.script import CLOSED, Mbap, Piece, Rtu, Xgt, read

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = {"recording": 1, "device": "plc", "protocol": "modbus", "config": {}}


def mbap(number: int, *pdu: int) -> bytes:
    return number.to_bytes(2) + b"\0\0" + (len(pdu) + 1).to_bytes(2) + b"\1" + bytes(pdu)


def lines(*frames: tuple[str, bytes | str], head: dict[str, Any] = HEAD) -> Iterator[str]:
    yield json.dumps(head)
    for n, (direction, data) in enumerate(frames):
        said = {"text": data} if isinstance(data, str) else {"hex": data.hex()}
        yield json.dumps({"ns": n * 1000, "dir": direction, **said})
    yield json.dumps({"end": True, "frames": len(frames), "lost": 0})


ASK = (3, 0, 16, 0, 1)


def test_each_occasion_gets_its_own_answer_and_then_the_last_one_again() -> None:
    script = read(lines(
        ("sent", mbap(1, *ASK)), ("received", mbap(1, 3, 2, 0, 7)),
        ("sent", mbap(2, *ASK)), ("received", mbap(2, 3, 2, 0, 8)),
    ))  # fmt: skip
    got = [script.answer(mbap(n, *ASK)) for n in (500, 501, 502)]
    assert got == [[Piece(1000, mbap(n, 3, 2, 0, v))] for n, v in ((500, 7), (501, 8), (502, 8))]
    assert (script.total, script.served, script.again, script.exhausted) == (2, 2, 1, True)


def test_a_stale_answer_stays_stale_by_as_much() -> None:
    script = read(lines(
        ("sent", mbap(65535, *ASK)), ("note", "timeout"), ("sent", mbap(1, *ASK)),
        ("received", mbap(65535, 3, 2, 0, 7)), ("received", mbap(1, 3, 2, 0, 8)),
    ))  # fmt: skip
    assert script.answer(mbap(65534, *ASK)) == [], "a silence stays one"
    late, right = script.answer(mbap(65535, *ASK))
    assert (late.data, right.data) == (mbap(65533, 3, 2, 0, 7), mbap(65535, 3, 2, 0, 8))


def test_a_close_by_the_device_is_played_and_our_own_after_a_timeout_is_not() -> None:
    script = read(lines(
        ("sent", mbap(1, *ASK)), ("note", "closed"), ("note", "connected"),
        ("sent", mbap(1, *ASK)), ("note", "timeout"), ("note", "closed"),
    ))  # fmt: skip
    assert [p.data for p in script.answer(mbap(9, *ASK))] == [CLOSED]
    assert script.answer(mbap(9, *ASK)) == []


def test_what_was_never_asked_is_made_of_what_was_seen_or_left_unanswered() -> None:
    script = read(lines(
        ("sent", mbap(1, 3, 0, 16, 0, 3)), ("received", mbap(1, 3, 6, 0, 7, 0, 8, 0, 9)),
        ("sent", mbap(2, 1, 0, 0, 0, 10)), ("received", mbap(2, 1, 2, 0b1001_0110, 0b10)),
        ("sent", mbap(3, 3, 0, 40, 0, 1)), ("received", mbap(3, 0x83, 2)),
    ))  # fmt: skip
    assert script.answer(mbap(77, 3, 0, 17, 0, 2)) == [Piece(0, mbap(77, 3, 4, 0, 8, 0, 9))]
    assert script.answer(mbap(78, 1, 0, 7, 0, 3)) == [Piece(0, mbap(78, 1, 1, 0b101))]
    assert script.answer(mbap(79, 3, 0, 17, 0, 3)) == []
    assert script.unknown == 3
    assert [p.data for p in script.answer(mbap(80, 3, 0, 40, 0, 1))] == [mbap(80, 0x83, 2)]


def test_rtu_and_xgt_frames_are_cut_and_numbered_as_they_are() -> None:
    rtu = bytes.fromhex("010300100001850f")
    assert Rtu().split(rtu + rtu[:3]) == (rtu, rtu[:3])
    head = b"LSIS-XGT\0\0" + bytes([0, 0, 0xA0, 0x33, 1, 0, 4, 0, 0])
    frame = head + bytes([sum(head) & 0xFF]) + b"body"
    assert Xgt().split(frame[:-1]) == (None, frame[:-1])
    assert Xgt().split(frame + b"x") == (frame, b"x")
    other = Xgt().numbered(frame, 300)
    assert (Xgt().number(other), Xgt().key(other)) == (300, Xgt().key(frame))
    assert other[19] == sum(other[:19]) & 0xFF
    assert Mbap().split(b"\0\1") == (None, b"\0\1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no recording: empty"),
        ("[1]", "line 1"),
        ("{", "line 1"),
        ('{"recording": 9, "protocol": "modbus"}', "format 9"),
        ('{"recording": 1, "protocol": "telnet"}', "telnet"),
        (json.dumps(HEAD) + '\n{"dir": "sent", "ns": 1, "hex": "zz"}', "line 2"),
        (json.dumps(HEAD) + '\n{"dir": "sent", "ns": "x", "hex": "00"}', "line 2"),
    ],
)
def test_what_is_no_recording_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(text.splitlines())


def test_an_answer_that_was_on_its_way_when_the_recording_ended_is_no_silence() -> None:
    frames = [("sent", mbap(1, *ASK)), ("received", mbap(1, 3, 2, 0, 7)), ("sent", mbap(2, *ASK))]
    script = read(lines(*frames))
    assert [script.answer(mbap(n, *ASK)) for n in (8, 9)] == [[Piece(1000, mbap(n, 3, 2, 0, 7))] for n in (8, 9)]
    assert (script.total, script.exhausted) == (1, True)
    silent = read(lines(*frames, ("note", "timeout")))
    assert [len(silent.answer(mbap(n, *ASK))) for n in (8, 9)] == [1, 0], "this one was waited for in vain"
