"""What the data types of PLC programs and of people's lists are here. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.frame import DataType
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Mapping[DataType, tuple[str, ...]] = {
    DataType.BOOL: ("BOOL", "BIT", "비트", "BOOLEAN", "COIL", "DI", "DO", "불"),
    DataType.INT16: ("INT", "SINT", "INT16", "SHORT", "S16", "I16", "정수"),
    DataType.UINT16: ("UINT", "WORD", "BIT/WORD", "BYTE", "USINT", "UINT16", "USHORT", "U16", "워드", "바이트"),
    DataType.INT32: ("DINT", "INT32", "LONG", "S32", "I32"),
    DataType.UINT32: ("UDINT", "DWORD", "UINT32", "ULONG", "U32", "더블워드", "TIME"),
    DataType.INT64: ("LINT", "INT64", "S64", "I64"),
    DataType.UINT64: ("ULINT", "LWORD", "UINT64", "U64"),
    DataType.FLOAT32: ("REAL", "FLOAT", "FLOAT32", "SINGLE", "F32", "실수"),
    DataType.FLOAT64: ("LREAL", "DOUBLE", "FLOAT64", "F64", "배정도실수"),
    DataType.STRING: ("STRING", "문자열", "TEXT", "CHAR", "WSTRING"),
}
_BY_NAME = {name: dtype for dtype, names in _TYPES.items() for name in names}
BYTES = frozenset({"BYTE", "USINT", "SINT", "바이트"})
"""Types of eight bits: right only at the address of a byte."""
STRING = 32
"""Characters of a STRING that does not say, as in XG5000."""
_SIZED = re.compile(r"(STRING|문자열|CHAR)\s*[\[(]\s*(\d{1,4})\s*[\])]")
_LATER = re.compile(r"ARRAY\b|DATE|TIME_OF_DAY|TOD|DT\b|LTIME|STRUCT|.*\[\d")


def data_type(written: str, length: str = "") -> tuple[DataType, int | None]:
    """Return the type, and the length of a string.

    Args:
        written: In capitals.
        length: What a column of its own says.

    Raises:
        Complaint: no such type is read.
    """
    name, said = written.strip(), length.strip()
    if match := _SIZED.fullmatch(name):
        name, said = "STRING", match[2]
    dtype = _BY_NAME.get(name)
    if dtype is None and name.lower() in {t.value for t in DataType if t is not DataType.TIMESTAMP}:
        dtype = DataType(name.lower())
    if dtype is DataType.STRING:
        if name == "WSTRING":
            raise Complaint("a WSTRING (UTF-16) is not read", "WSTRING(UTF-16)은 읽지 않습니다")
        count = int(said) if said.isdecimal() and said.isascii() else STRING
        if not 1 <= count <= 250:
            raise Complaint(f"a text of {count} characters is too long", f"문자열이 너무 깁니다({count}자)")
        return dtype, count
    if dtype is not None:
        return dtype, None
    if _LATER.match(name):
        raise Complaint(
            f"{name}: arrays, structures and dates are not imported, write the single values by hand",
            f"{name}: 배열, 구조체, 날짜 타입은 가져오지 않습니다. 필요한 값은 직접 쓰십시오",
        )
    raise Complaint(
        f"{name}: no data type that can be read (a function block?)",
        f"{name}: 읽을 수 있는 데이터 타입이 아닙니다(펑션블록?)",
    )
