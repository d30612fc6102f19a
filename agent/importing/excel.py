"""The rows of an Excel file (.xlsx). openpyxl is imported here and nowhere else."""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING

from agent.importing.rows import MOST_COLUMNS, Row, add
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_UNPACKED = 200_000_000
MOST_SHEETS = 30


def sheets(file: IO[bytes]) -> Iterator[tuple[str, list[Row]]]:
    """Yield name and rows of each sheet.

    Raises:
        Complaint: it is no Excel file of the newer kind, is protected by a password, or unpacks to too much.
    """
    _check_size(file)
    from openpyxl import load_workbook  # noqa: PLC0415 - costs 15 MB, and most imports are CSV

    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as exc:  # openpyxl raises whatever a broken file provokes
        raise _broken(f"{type(exc).__name__}: {exc}") from exc
    try:
        for sheet in book.worksheets[:MOST_SHEETS]:
            rows: list[Row] = []
            try:
                cells = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
                for number, found in enumerate(cells, 1):
                    add(rows, number, [_shown(value) for value in found])
            except Complaint:
                raise
            except Exception as exc:
                raise _broken(f"{sheet.title}: {type(exc).__name__}: {exc}") from exc
            yield sheet.title, rows
    finally:
        book.close()


def _check_size(file: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as exc:
        raise _broken(str(exc)) from exc
    if size > MOST_UNPACKED:
        raise Complaint(
            f"unpacks to {size / 1e6:.0f} MB, at most {MOST_UNPACKED / 1e6:.0f} are read: save it as CSV",
            f"압축을 풀면 {size / 1e6:.0f} MB입니다(최대 {MOST_UNPACKED / 1e6:.0f} MB). CSV로 저장하십시오",
        )
    file.seek(0)


def _shown(value: object) -> str:
    """Return a cell as a person sees it: 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _broken(why: str) -> Complaint:
    return Complaint(
        f"not readable as .xlsx ({why}): open it in Excel and save it as .xlsx or CSV, without a password",
        f".xlsx로 읽을 수 없습니다({why}). 엑셀에서 열어 암호 없이 .xlsx 또는 CSV로 저장하십시오",
    )
