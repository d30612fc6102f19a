"""Which column is what, and one variable per row. Pure.

The three layouts of XG5000 and lists that people keep themselves differ in titles and order only, so one recogniser
serves all: a column is known by its title, in Korean or English, whatever its width of letters. Lines above the
titles may say more (`Remark,CPU Type=XGI-CPUUN`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.importing.rows import Row

Column = Literal[
    "name", "address", "type", "comment", "unit", "scale", "offset", "kind", "scope", "hmi", "opcua", "length"
]

_TITLES: Mapping[Column, tuple[str, ...]] = {
    "address": (
        "address", "메모리할당", "device", "디바이스", "주소", "어드레스", "번지", "plc주소", "plcaddress",
        "memoryallocation", "memory", "메모리", "register", "레지스터", "allocation",
    ),
    "name": (
        "variable", "변수", "변수명", "변수이름", "name", "이름", "태그", "태그명", "tag", "tagname", "신호",
        "신호명", "signal", "signalname", "명칭", "항목", "항목명", "variablename",
    ),
    "type": (
        "datatype", "데이터타입", "자료형", "데이터형", "데이터형식", "타입", "type", "형식", "데이터유형",
    ),
    "comment": ("comment", "설명문", "설명", "description", "코멘트", "비고", "내용", "주석", "remark", "note"),
    "unit": ("unit", "단위", "units", "engunit"),
    "scale": ("scale", "배율", "factor", "스케일", "gain", "곱하기"),
    "offset": ("offset", "보정값", "오프셋", "보정"),
    "kind": ("변수종류", "variablekind", "kind"),
    "scope": ("scope", "범위"),
    "hmi": ("hmi",),
    "opcua": ("opcua", "eip/opcua", "eipopcua"),
    "length": ("length", "길이", "문자수", "size"),
}  # fmt: skip
_LAYOUTS = {
    ("kind", "scope", "name", "address", "type", "comment"): "XG5000 Ver3.1",
    ("name", "type", "address", "hmi", "comment"): "XG5000 XGB",
    ("kind", "name", "type", "address", "opcua", "hmi", "comment"): "XG5000",
}
_YES = frozenset({"1", "true", "o", "y", "yes", "사용", "v", "on", "t", "○", "●", "✓", "예"})
SEARCHED = 60
"""Rows among which the titles must stand."""
_PROPERTY = re.compile(r"\s*([^=]{1,60}?)\s*=\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of a tag list, as it was written.

    Attributes:
        line: Where it stands.
        exposed: Whether it is marked for an HMI or for OPC UA; None where no such column exists.
    """

    line: int
    name: str
    address: str
    type: str = ""
    comment: str = ""
    unit: str = ""
    scale: str = ""
    offset: str = ""
    length: str = ""
    kind: str = ""
    exposed: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What a tag list holds.

    Attributes:
        layout: Which one it was taken for.
        columns: What was taken from which title.
        ignored: Titles of columns that mean nothing to us.
        properties: Of the lines above the titles, lower case: `cpu type`, `plc name`.
        variables: In the order of the file.
    """

    layout: str
    columns: Mapping[Column, str]
    ignored: tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()


def plain(text: str) -> str:
    """Return a text as titles and words are compared: full-width letters narrow, no blanks, lower case."""
    return re.sub(r"[\s_\-()\[\]*]+", "", unicodedata.normalize("NFKC", text)).casefold()


def recognise(rows: Sequence[Row]) -> Table:
    """Return what the rows of a file mean.

    Raises:
        Complaint: no row holds the titles of a name or an address.
    """
    for position, row in enumerate(rows[:SEARCHED]):
        columns = _columns(row)
        if "address" in columns and len(columns) > 1:
            titles = {column: row.cells[index] for column, index in columns.items()}
            used = set(columns.values())
            return Table(
                layout=_layout(columns),
                columns=titles,
                ignored=tuple(cell for index, cell in enumerate(row.cells) if cell and index not in used),
                properties=_properties(rows[:position]),
                variables=tuple(_variable(each, columns) for each in rows[position + 1 :]),
            )
    raise Complaint(
        "no row with titles found: the first row names the columns, at least address and name (주소, 이름)",
        "제목 행을 찾을 수 없습니다. 첫 행에 열 이름(적어도 주소와 이름)을 쓰십시오. 예: 이름,주소,타입,단위",
    )


def _columns(row: Row) -> dict[Column, int]:
    """Return which column stands where; of two candidates, the better title wins, then the left one."""
    cells = [plain(cell) for cell in row.cells]
    found: dict[Column, int] = {}
    taken: set[int] = set()
    for column, titles in _TITLES.items():
        for title in titles:
            index = next((i for i, cell in enumerate(cells) if cell == title and i not in taken), None)
            if index is not None:
                found[column] = index
                taken.add(index)
                break
    if "kind" not in found and "scope" in found:  # "Type" is the kind of row where "DataType" is the type
        index = next((i for i, cell in enumerate(cells) if cell == "type" and i not in taken), None)
        if index is not None:
            found["kind"] = index
    if "name" not in found and "comment" in found:
        found["name"] = found["comment"]
    return found


def _layout(columns: Mapping[Column, int]) -> str:
    order = tuple(sorted((c for c in columns if c not in {"unit", "scale", "offset"}), key=lambda c: columns[c]))
    return _LAYOUTS.get(order, "list")


def _properties(rows: Sequence[Row]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        for cell in row.cells:
            if match := _PROPERTY.fullmatch(unicodedata.normalize("NFKC", cell)):
                found.setdefault(match[1].casefold(), match[2])
    return found


def _variable(row: Row, columns: Mapping[Column, int]) -> Variable:
    def cell(column: Column) -> str:
        index = columns.get(column)
        return row.cells[index] if index is not None and index < len(row.cells) else ""

    marks = [plain(cell(column)) in _YES for column in ("hmi", "opcua") if column in columns]
    return Variable(
        line=row.line,
        name=unicodedata.normalize("NFC", cell("name")),
        address=unicodedata.normalize("NFKC", cell("address")).strip(),
        type=unicodedata.normalize("NFKC", cell("type")).strip().upper(),
        comment=unicodedata.normalize("NFC", cell("comment")),
        unit=cell("unit"),
        scale=unicodedata.normalize("NFKC", cell("scale")).replace(",", "."),
        offset=unicodedata.normalize("NFKC", cell("offset")).replace(",", "."),
        length=unicodedata.normalize("NFKC", cell("length")),
        kind=plain(cell("kind")),
        exposed=any(marks) if marks else None,
    )
