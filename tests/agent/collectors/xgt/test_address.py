"""Addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.xgt.address import Place, place, wire_name
from settings.language import Complaint


@pytest.mark.parametrize(
    ("written", "area", "byte"),
    [
        ("D00120", "D", 240),
        ("D0", "D", 0),
        ("M0012", "M", 24),
        ("M00120", "M", 240),  # of a word, all digits are its number
        ("P1200", "P", 2400),
        ("ZR65535", "ZR", 131070),
        ("R100", "R", 200),
        ("Z10", "Z", 20),
        ("L0005", "L", 10),
        ("T0037", "T", 74),
        ("C12", "C", 24),
        ("U08.04", "U", (8 * 32 + 4) * 2),
        ("U1F.31", "U", (31 * 32 + 31) * 2),
        ("%MW100", "M", 200),
        ("%MB201", "M", 201),
        ("%MD50", "M", 200),
        ("%ML25", "M", 200),
        ("%DW1234", "D", 2468),
        ("%DB2468", "D", 2468),
        ("%IW0.2.1", "I", 2 * 8 + 2),
        ("%QD1.0.1", "Q", 16 * 8 + 4),
        ("%UW0.9.2", "U", (9 * 32 + 2) * 2),
        (" ％ＭＷ１００ ", "M", 200),  # typed with a Korean keyboard
        ("ｄ００１２０", "D", 240),
        ("%mw100", "M", 200),
    ],
)
def test_a_word_lies_where_the_manual_says(written: str, area: str, byte: int) -> None:
    got = place(written, bit=False)
    assert (got.area, got.byte, got.bit) == (area, byte, None)


@pytest.mark.parametrize(
    ("written", "area", "bit"),
    [
        ("M0012F", "M", 12 * 16 + 15),
        ("M172C", "M", 2764),  # XGL-EFMF manual 7-3: the C-th bit of M172 is %MX2764
        ("P0003A", "P", 3 * 16 + 10),
        ("P00104", "P", 10 * 16 + 4),
        ("K12.B", "K", 12 * 16 + 11),
        ("D00100.5", "D", 1605),
        ("D00100.F", "D", 1615),
        ("U08.04.F", "U", (8 * 32 + 4) * 16 + 15),
        ("%MX1603", "M", 1603),
        ("%MW100.3", "M", 1603),
        ("%MB200.3", "M", 1603),
        ("%MD50.31", "M", 50 * 32 + 31),
        ("%IX0.0.11", "I", 11),
        ("%IX0.2.5", "I", 133),
        ("%QX1.15.63", "Q", 16 * 64 + 15 * 64 + 63),
        ("%MW24000.0", "M", 384000),
    ],
)
def test_a_bit_lies_where_the_manual_says(written: str, area: str, bit: int) -> None:
    got = place(written, bit=True)
    assert got.bit is not None
    assert (got.area, got.byte * 8 + got.bit) == (area, bit)
    assert wire_name(got) == f"%{area}X{bit}"


def test_a_timers_contact_is_no_bit_of_its_value() -> None:
    assert place("T0037", bit=True) == Place("T", 74, 0, 0, contact=37)
    assert place("%CX12", bit=True).contact == 12
    assert wire_name(place("T0037", bit=True)) == "%TX37"
    assert wire_name(place("T0037", bit=False)) == "%TB74"
    assert place("%TW37.1", bit=True).contact is None, "a bit of the current value"


@pytest.mark.parametrize(
    ("written", "bit", "says"),
    [
        ("", False, "no address of an LS PLC"),
        ("D", False, "no address of an LS PLC"),
        ("D-1", False, "no address of an LS PLC"),
        ("40001", False, "no address of an LS PLC"),
        ("MW100", False, "lacks its percent sign: write %MW100"),
        ("M0012F", False, "is a bit: write type: bool, or the word alone (M0012)"),
        ("D0012F", False, "its bit is written D0012.F"),
        ("D0012F", True, "its bit is written D0012.F"),
        ("D00120", True, "a bool needs the bit of D00120"),
        ("D00100.5", False, "is a bit: write type: bool"),
        ("%MX3", False, "is a bit: write type: bool"),
        ("%MW3", True, "a bool needs the bit of %MW3"),
        ("M1", True, "write the bit of M1 as well"),
        ("%MW100.16", True, "runs from 0 to 15"),
        ("%MX100.1", True, "no address of an LS PLC"),
        ("%MW1.2.3", True, "no address of an LS PLC"),
        ("%EW1", False, "no address of an LS PLC"),
        ("B100", False, "no address of an LS PLC"),
        ("U08.32", False, "words 0 to 31"),
        ("%IX0.16.0", True, "slots 0 to 15"),
        ("%IX0.0.64", True, "slots 0 to 15"),
        ("%IW0.0.4", False, "slots 0 to 15"),
        ("%ML9999999", False, "no such address"),
        ("D０Ｏ１", False, "no address of an LS PLC"),
        ("Ｄ１２O", False, "no address of an LS PLC"),
        ("디100", False, "U+B514"),
        ("D1\u200b00", False, "U+200B"),
    ],
)
def test_what_is_no_address_is_explained(written: str, bit: bool, says: str) -> None:  # noqa: FBT001
    with pytest.raises(Complaint) as caught:
        place(written, bit=bit)
    assert says in caught.value.text.en
    assert caught.value.text.ko != caught.value.text.en


@given(st.text(max_size=20), st.booleans())
def test_no_text_crashes_the_parser(written: str, bit: bool) -> None:  # noqa: FBT001
    try:
        got = place(written, bit=bit)
    except Complaint:
        return
    assert got.byte >= 0
    assert (got.bit is not None) == bit
    assert len(wire_name(got)) <= 16


@given(st.sampled_from("PMKFL"), st.integers(0, 99999), st.integers(0, 15))
def test_all_spellings_of_a_bit_are_the_same_place(area: str, word: int, bit: int) -> None:
    spellings = [
        f"{area}{word:04}{bit:X}", f"{area}{word}.{bit:X}", f"%{area}W{word}.{bit}", f"%{area}X{word * 16 + bit}",
    ]  # fmt: skip
    assert len({place(text, bit=True) for text in spellings}) == 1
