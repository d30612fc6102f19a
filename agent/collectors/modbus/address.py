"""How a technician writes an address of a Modbus device.

It is written in one of exactly two ways, because the third one in use, `40009`, means different registers to
different people: `holding:8` is the offset on the wire, counted from 0; `400009` is the six-digit number of many
manuals, counted from 1. Both name the same register. Pure.
"""

from __future__ import annotations

import re
from typing import Any

from agent.collectors.modbus.lsmap import is_name, meant
from agent.collectors.modbus.plan import ADDRESSES, Table
from settings.language import Complaint

_TABLES = {table.word: table for table in Table}
_LEADING = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
_OFFSET = re.compile(r"(coil|discrete|input|holding):(\d{1,5})", re.ASCII)
_SIX_DIGITS = re.compile(r"([0134])(\d{5})", re.ASCII)
_FIVE_DIGITS = re.compile(r"([0134])(\d{4})", re.ASCII)


def place(address: str) -> tuple[Table, int]:
    """Return table and wire offset of an address.

    Raises:
        Complaint: it is written in neither of the two ways, or there is no such address.
    """
    if match := _OFFSET.fullmatch(address):
        table, offset = _TABLES[match[1]], int(match[2])
    elif match := _SIX_DIGITS.fullmatch(address):
        table, offset = _LEADING[match[1]], int(match[2]) - 1
    elif match := _FIVE_DIGITS.fullmatch(address):
        word, number = _LEADING[match[1]].word, int(match[2])
        one, zero = f"{word}:{max(number - 1, 0)}", f"{word}:{number}"
        raise Complaint(
            f"{address} is ambiguous: write {one} if the manual counts from 1, {zero} if it counts from 0",
            f"뜻이 두 가지인 표기입니다({address}). 매뉴얼이 1부터 세면 {one}, 0부터 세면 {zero} 형식으로 쓰십시오",
        )
    else:
        raise Complaint(
            "write the address as holding:8, input:3, coil:0 or discrete:7 (counted from 0), or with six digits "
            "as 400009 (counted from 1)",
            "주소는 holding:8, input:3, coil:0, discrete:7(0부터 셈) 또는 400009 같은 6자리(1부터 셈)로 쓰십시오",
        )
    if not 0 <= offset < ADDRESSES:
        raise Complaint(
            f"there is no such address: offsets run from 0 to {ADDRESSES - 1}",
            f"없는 주소입니다. 주소 범위는 0~{ADDRESSES - 1}입니다",
        )
    return table, offset


def both_notations(address: str) -> str:
    """Return an address as people and as manuals write it: `holding:8 (400009)`."""
    return spelled(*place(address))


def spelled(table: Table, offset: int) -> str:
    """Return a place as people and as manuals write it."""
    digit = next(d for d, t in _LEADING.items() if t is table)
    return f"{table.word}:{offset} ({digit}{offset + 1:05d})"


def written_address(value: Any) -> str:
    """Return an address, once it is known to be one, in the letters that it is meant in.

    Raises:
        Complaint: it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # YAML reads 400009 as a number
    if not isinstance(value, str):
        raise Complaint("write an address such as holding:8 or 400009", "주소는 holding:8 또는 400009처럼 쓰십시오")
    address = meant(value)
    if not is_name(address):
        place(address)
    return address
