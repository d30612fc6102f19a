"""Tables beside the answers: points of a system, use logs. CSV as people save it, from Excel in Korean too.

The rows are put into the answers as if they had been written there, so that one model, one check and one hash hold
for both, and mistakes are told with the table's own lines.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from answers.sections import refuse_persons
from settings.language import Complaint, Text
from settings.tree import Line, List, Map, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 50_000
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
        return found, [problem(1, "save it as UTF-8 or CP949", "인코딩을 UTF-8이나 CP949로 하여 저장하십시오")]
    lines = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text))
    try:
        head = [cell.strip() for cell in next(lines, [])]
        refuse_persons(head)
        places = _places(head, shape)
        if missing := [name for name in shape.needed if name not in places]:
            named = ", ".join(missing)
            return found, [
                problem(
                    1, f"the first line names the columns; missing: {named}", f"첫 줄에 열 이름이 없습니다: {named}"
                )
            ]
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(found) >= ROWS:
                return found, [problem(lines.line_num, f"more than {ROWS:,} rows", f"{ROWS:,}행을 넘습니다")]
            _take(found, cells, places, Line(lines.line_num, file, via, key))
    except Complaint as exc:
        return found, [Problem(Line(1, file, via, key), exc.text)]
    except csv.Error as exc:
        return found, [problem(max(1, lines.line_num), f"this is no CSV: {exc}", f"CSV 형식이 아닙니다({exc})")]
    return found, []


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
    """Return how the first line separates its cells: comma, semicolon or tab."""
    head = text.partition("\n")[0]

    class Found(csv.excel):
        delimiter = max(",;\t", key=head.count)

    return Found
