"""Tables beside the answers: points of a system, use logs. CSV as people save it, from Excel in Korean too.

The rows are put into the answers as if they had been written there, so that one model, one check and one hash hold
for both, and mistakes are told with the table's own lines.
"""

from __future__ import annotations

import csv
import io
import itertools
from typing import TYPE_CHECKING, NamedTuple

from answers.sections import refuse_persons
from settings.language import Complaint, Text
from settings.tree import Line, List, Map, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROWS = 50_000
HEAD_ROWS = 20
_ENCODING = Text("save it as UTF-8 or CP949", "인코딩을 UTF-8이나 CP949로 하여 저장하십시오")
_EXCEL = Text("is a spreadsheet: save it as CSV (UTF-8)", "엑셀 파일입니다. 'CSV UTF-8'로 저장하십시오")
SPREADSHEETS = frozenset({b"PK\x03\x04", b"\xd0\xcf\x11\xe0"})
"""How .xlsx and .xls begin."""
BYTES = 4_000_000


class Shape(NamedTuple):
    """Columns of a table: names of the answers' fields, and what else they may be called."""

    needed: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


POINTS = Shape(
    ("point",),
    {
        "point": ("point", "name", "tag", "포인트", "포인트명", "태그명", "항목"),
        "signal": ("signal", "태그", "신호", "수집태그"),
    },
)
USE = Shape(
    ("day", "system", "account"),
    {
        "day": ("day", "date", "일자", "날짜", "생산일"),
        "system": ("system", "시스템"),
        "account": ("account", "account_class", "계정종류", "계정구분"),
        "reads": ("reads", "조회", "조회수"),
        "acks": ("acks", "확인", "확인수"),
        "sessions": ("sessions", "접속", "접속수"),
    },
)
NUMBERS = frozenset({"reads", "acks", "sessions"})


def rows(raw: bytes, shape: Shape, file: str, via: int, key: str) -> tuple[List, list[Problem]]:
    """Return the rows of a table as mappings that know their lines, and what is wrong with it.

    Args:
        raw: Content of the file.
        shape: Its columns.
        file: Its name, for complaints.
        via: Line of the answers that names it, under `key`.
        key: See `via`.
    """

    def problem(line: int, en: str, ko: str) -> Problem:
        return Problem(Line(line, file, via, key), Text(en, ko))

    found = List()
    text = _decoded(raw)
    if text is None:
        spreadsheet = raw[:4] in SPREADSHEETS
        return found, [Problem(Line(1, file, via, key), _EXCEL if spreadsheet else _ENCODING)]
    lines = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text))
    try:
        places, width = _heading(lines, shape)
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[width:]):
                return found, [
                    problem(
                        lines.line_num,
                        f"{len(cells)} cells under a heading of {width}: is a comma not quoted?",
                        f"열 이름은 {width}개인데 {len(cells)}칸입니다. 따옴표 없는 쉼표가 있는지 확인하십시오",
                    )
                ]
            if len(found) >= ROWS:
                return found, [problem(lines.line_num, f"more than {ROWS:,} rows", f"{ROWS:,}행을 넘습니다")]
            _take(found, cells, places, Line(lines.line_num, file, via, key))
    except Complaint as exc:
        return found, [Problem(Line(1, file, via, key), exc.text)]
    except csv.Error as exc:
        return found, [problem(max(1, lines.line_num), f"this is no CSV: {exc}", f"CSV 형식이 아닙니다({exc})")]
    return found, []


def _heading(lines: Iterator[list[str]], shape: Shape) -> tuple[dict[str, int], int]:
    """Return where the columns are, and how many, by the first line that names them.

    Above it, exports have titles and dates.

    Raises:
        Complaint: there is none, or it names a column of persons.
    """
    for cells in itertools.islice(lines, HEAD_ROWS):
        places = _places([cell.strip() for cell in cells], shape)
        if all(name in places for name in shape.needed):
            refuse_persons(cells)
            return places, len(cells)
    named = "; ".join(", ".join(shape.columns[name]) for name in shape.needed)
    raise Complaint(
        f"no line names the columns; one name of each: {named}",
        f"열 이름 줄이 없습니다. 열마다 다음 중 하나로 쓰십시오: {named}",
    )


def _take(found: List, cells: list[str], places: Mapping[str, int], at: Line) -> None:
    item = Map()
    for name, place in places.items():
        cell = cells[place].strip() if place < len(cells) else ""
        if cell:
            plain = cell.replace(",", "")
            item[name] = (
                int(plain) if name in NUMBERS and plain.isascii() and plain.isdigit() and len(plain) < 17 else cell
            )
            item.lines[name] = at
    found.append(item)
    found.lines.append(at)


def _places(head: list[str], shape: Shape) -> dict[str, int]:
    places: dict[str, int] = {}
    for name, called in shape.columns.items():
        for index, title in enumerate(head):
            if title.casefold().replace(" ", "").replace("-", "_") in called and name not in places:
                places[name] = index
    return places


def _decoded(raw: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _dialect(text: str) -> type[csv.Dialect]:
    """Return how the first lines separate their cells: comma, semicolon or tab."""
    head = "\n".join(text.split("\n", HEAD_ROWS)[:HEAD_ROWS])

    class Found(csv.excel):
        delimiter = max(",;\t", key=head.count)

    return Found
