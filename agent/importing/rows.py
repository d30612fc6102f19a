"""Cells with the line that they came from. Pure."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from settings.language import Complaint

MOST_ROWS = 50_000
MOST_COLUMNS = 200
MOST_CELL = 4_000
SEPARATORS = ",\t;|"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file (or number in the sheet), and its cells without the blanks around them."""

    line: int
    cells: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(self.cells)


def from_csv(text: str) -> list[Row]:
    """Return the rows of a CSV file that hold anything.

    Raises:
        Complaint: too many or too long rows, or a quote that never ends.
    """
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[Row] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as exc:
            raise Complaint(
                f"line {line} is no row of a CSV file ({exc}): look for a quotation mark that is not closed",
                f"{line}행을 CSV로 읽을 수 없습니다({exc}). 닫히지 않은 따옴표가 있는지 확인하십시오",
            ) from exc
        add(rows, line, cells)


def add(rows: list[Row], line: int, cells: list[str]) -> None:
    """Append a row, unless it is empty.

    Raises:
        Complaint: there are too many, or a cell is too long.
    """
    if len(cells) > MOST_COLUMNS or any(len(cell) > MOST_CELL for cell in cells):
        raise Complaint(
            f"line {line} has too many or too long cells: look for a quotation mark that is not closed",
            f"{line}행의 칸이 너무 많거나 너무 깁니다. 닫히지 않은 따옴표가 있는지 확인하십시오",
        )
    row = Row(line, tuple(cell.strip().strip("\ufeff") for cell in cells))
    if row:
        rows.append(row)
    if len(rows) > MOST_ROWS:
        raise Complaint(
            f"more than {MOST_ROWS} rows: export fewer variables",
            f"행이 {MOST_ROWS}개를 넘습니다. 변수를 나누어 내보내십시오",
        )


def _separator(text: str) -> str:
    """Return what separates the cells: what occurs most in the first lines, outside quotes."""
    head = "".join(part for i, part in enumerate(text[:20_000].split('"')) if i % 2 == 0)
    return max(SEPARATORS, key=lambda char: (head.count(char), -SEPARATORS.index(char)))
