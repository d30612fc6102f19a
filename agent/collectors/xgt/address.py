"""Device names of LS PLCs: what people write, and where it lies in the PLC's memory.

Two spellings, told apart by the percent sign:

    D00120, M0012, P1200     XGK and XGB (MK), a word by its decimal number
    M0012F, P0003A           a bit of P, M, K, F, L: decimal word, then the bit as one hexadecimal digit
    D00100.5, D00100.F       a bit of any word, hexadecimal
    T0037, C0012             current value of a timer or counter; as a bool its contact
    U08.04, U08.04.F         word 4 of the module in slot 8 (base and slot hexadecimal), and a bit of it
    %MW100, %MD50, %DB2468   XGI, XGR, XGB (IEC), and the names on the wire of all series: area, unit (X bit,
                             B byte, W word, D 32 bits, L 64 bits), decimal index in that unit
    %MX1603, %MW100.3        a bit: the same one, 100 x 16 + 3
    %IX0.2.5, %QW0.3.1       base.slot.number: 64 points a slot, 16 slots a base
    %UW0.9.2                 base.slot.word: 32 words a slot

So whether `M00120` means word 120 or bit 0 of word 12 is told by the signal's type, as in XG5000 itself. Everything
becomes an area, a byte and a bit. That %DB2468 is D1234, and that %MX2764 is bit C of M172 on the XGK as well, is
in the XGL-EFMF manual (7-3). Unsure, because no manual that we found says how they are named over FEnet: the areas
Z, ZR and N, the flat index of U, and 64 points a slot on modules with more. `probe` shows what is right.

Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from settings.language import Complaint

BIT_AREAS = frozenset({"P", "M", "K", "F", "L"})
WORD_AREAS = frozenset({"D", "N", "R", "ZR", "Z"})
COUNTED = frozenset({"T", "C"})
"""Timers and counters: the word is the current value, the bit is the contact, in memory of its own."""
AREAS = BIT_AREAS | WORD_AREAS | COUNTED | {"U", "I", "Q", "W", "A", "S"}
"""Areas that may stand after a percent sign."""

SLOTS, POINTS, MODULE_WORDS = 16, 64, 32
MOST = 1 << 24
"""Indices beyond this exist in no PLC and do not fit into a name."""

_UNITS = {"X": 0, "B": 1, "W": 2, "D": 4, "L": 8}
_MK = re.compile(r"(ZR|[A-Z])(\d{1,7})([0-9A-F])?(?:\.([0-9A-F]))?", re.ASCII)
_MODULE = re.compile(r"U([0-9A-F]{1,2})\.(\d{1,2})(?:\.([0-9A-F]))?", re.ASCII)
_IEC = re.compile(r"%(ZR|[A-Z])([XBWDL])(\d{1,8})(?:\.(\d{1,5}))?(?:\.(\d{1,5}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins.

    Attributes:
        area: Memory area.
        byte: Offset in it.
        bit: Of a bool, its bit in that byte, 0 is the least significant; None for anything else.
        unit: Bytes of the unit that the address was written in; 0 for a bit.
        contact: Of a bool in T or C: its number. Contacts lie in no byte that can be read as one.
    """

    area: str
    byte: int
    bit: int | None = None
    unit: int = 2
    contact: int | None = None


def place(address: str, *, bit: bool) -> Place:
    """Return where an address lies.

    Args:
        address: As people write it.
        bit: Whether the signal is a bool.

    Raises:
        Complaint: there is no such address, or not of this type.
    """
    text = unicodedata.normalize("NFKC", address).strip().upper()
    found = _iec(text, bit) if text.startswith("%") else _mk(text, bit)
    if found is None:
        raise _unreadable(address, text)
    if found.byte >= MOST:
        raise Complaint(f"there is no such address: {text}", f"없는 주소입니다({text})")
    return found


def _mk(text: str, bit: bool) -> Place | None:  # noqa: FBT001 - private
    if module := _MODULE.fullmatch(text):
        slot, word = int(module[1], 16), int(module[2])
        if word >= MODULE_WORDS:
            raise Complaint(
                f"a module has words 0 to {MODULE_WORDS - 1}: {text}",
                f"모듈 워드는 0~{MODULE_WORDS - 1}입니다({text})",
            )
        return _of_word("U", slot * MODULE_WORDS + word, module[3], text, bit)
    if (match := _MK.fullmatch(text)) is None:
        return None
    area, digits, dotted = match[1], match[2] + (match[3] or ""), match[4]
    if area in COUNTED and not dotted and digits.isdecimal():
        number = int(digits)
        return Place(area, number * 2, 0, 0, contact=number) if bit else Place(area, number * 2)
    if area in BIT_AREAS and bit and not dotted:
        if len(digits) < 2:
            raise Complaint(
                f"write the bit of {text} as well: word and one hexadecimal digit, {area}0012F, or {area}0012.F",
                f"{text}의 비트까지 쓰십시오. 워드 번호와 16진 한 자리({area}0012F) 또는 {area}0012.F 형식입니다",
            )
        return _of_word(area, int(digits[:-1]), digits[-1], text, bit)
    if area not in BIT_AREAS | WORD_AREAS:
        return None
    if not digits.isdecimal() and area in WORD_AREAS:
        dotted = f"{area}{digits[:-1]}.{digits[-1]}"
        raise Complaint(
            f"{text} is no address: its bit is written {dotted}",
            f"없는 주소입니다({text}). 비트는 {dotted}로 쓰십시오",
        )
    if not digits.isdecimal():
        raise Complaint(
            f"{text} is a bit: write type: bool, or the word alone ({area}{digits[:-1]})",
            f"{text}은(는) 비트 주소입니다. type: bool로 쓰거나 워드 주소({area}{digits[:-1]})만 쓰십시오",
        )
    return _of_word(area, int(digits), dotted, text, bit)


def _of_word(area: str, word: int, digit: str | None, text: str, bit: bool) -> Place:  # noqa: FBT001 - private
    _same(text, written_bit=digit is not None, bit=bit)
    if digit is None:
        return Place(area, word * 2)
    number = int(digit, 16)
    return Place(area, word * 2 + number // 8, number % 8, 0)


def _same(text: str, *, written_bit: bool, bit: bool) -> None:
    if written_bit and not bit:
        raise Complaint(
            f"{text} is a bit: write type: bool", f"{text}은(는) 비트 주소입니다. type: bool로 쓰십시오"
        )
    if bit and not written_bit:
        raise Complaint(
            f"a bool needs the bit of {text}: write {text}.0 to {text}.F, or {text}.15 after a percent sign",
            f"bool은 비트까지 써야 합니다({text}). {text}.0~{text}.F 형식으로 쓰십시오(%가 붙은 주소는 .0~.15)",
        )


def _iec(text: str, bit: bool) -> Place | None:  # noqa: FBT001 - private
    match = _IEC.fullmatch(text)
    if match is None or match[1] not in AREAS:
        return None
    area, letter = match[1], match[2]
    numbers = [int(part) for part in match.groups()[2:] if part is not None]
    size = _UNITS[letter]
    if area in {"I", "Q", "U"} and len(numbers) == 3:
        return _of_module(text, area, size, numbers, bit=bit)
    if len(numbers) == 3 or (len(numbers) == 2 and letter == "X"):
        return None
    if len(numbers) == 2 and numbers[1] >= size * 8:
        raise Complaint(
            f"a bit of {text} runs from 0 to {size * 8 - 1}", f"{text}: 비트 번호는 0~{size * 8 - 1}입니다"
        )
    _same(text, written_bit=letter == "X" or len(numbers) == 2, bit=bit)
    if letter == "X":
        contact = numbers[0] if area in COUNTED else None
        return Place(area, numbers[0] // 8, numbers[0] % 8, 0, contact)
    if len(numbers) == 2:
        return Place(area, numbers[0] * size + numbers[1] // 8, numbers[1] % 8, 0)
    return Place(area, numbers[0] * size, unit=size)


def _of_module(text: str, area: str, size: int, numbers: list[int], *, bit: bool) -> Place:
    """Return the place of base.slot.number."""
    base, slot, number = numbers
    room = MODULE_WORDS * 2 if area == "U" else POINTS // 8
    if slot >= SLOTS or base >= 128 or (number >= room * 8 if size == 0 else number * size >= room):
        raise Complaint(
            f"there is no such address: {text} is base.slot.number with slots 0 to {SLOTS - 1}",
            f"없는 주소입니다({text}). 베이스.슬롯.번호 형식이며 슬롯은 0~{SLOTS - 1}입니다",
        )
    _same(text, written_bit=size == 0, bit=bit)
    start = (base * SLOTS + slot) * room
    if size == 0:
        return Place(area, start + number // 8, number % 8, 0)
    return Place(area, start + number * size, unit=size)


def _unreadable(written: str, text: str) -> Complaint:
    """Say what an address looks like; characters that only look right are shown by their numbers."""
    odd = sorted({c for c in text if not c.isascii()})
    if odd:
        shown = ", ".join(f"U+{ord(c):04X}" for c in odd)
        return Complaint(
            f"{written} contains characters that are no part of an address ({shown}): type it again in English",
            f"주소에 쓸 수 없는 문자가 있습니다({written}: {shown}). 한/영 키를 눌러 영문으로 다시 쓰십시오",
        )
    if re.fullmatch(r"[A-Z]{1,2}[XBWDL]\d+(\.\d+)*", text):
        return Complaint(
            f"{text} lacks its percent sign: write %{text} (XGI), or D00120, M0012F (XGK, XGB)",
            f"%가 빠졌습니다({text}). XGI는 %{text}, XGK·XGB는 D00120, M0012F처럼 쓰십시오",
        )
    return Complaint(
        f"{written} is no address of an LS PLC: write D00120, M0012F, D00100.5, T0037 (XGK, XGB) or "
        "%MW100, %MX1603, %IX0.2.5 (XGI)",
        f"LS PLC 주소가 아닙니다({written}). XGK·XGB는 D00120, M0012F, D00100.5, T0037, XGI는 %MW100, %MX1603, "
        "%IX0.2.5처럼 쓰십시오",
    )


def wire_name(spot: Place) -> str:
    """Return the name under which the PLC knows a place: bits by index, everything else by its first byte."""
    if spot.contact is not None:
        return f"%{spot.area}X{spot.contact}"
    if spot.bit is not None:
        return f"%{spot.area}X{spot.byte * 8 + spot.bit}"
    return f"%{spot.area}B{spot.byte}"
