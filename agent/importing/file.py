"""Reads a tag list from a file: the only module here that touches one, besides `excel`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.importing import encoding, rows, table
from settings.language import Complaint

if TYPE_CHECKING:
    from pathlib import Path

    from agent.importing.table import Table

_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Source:
    """A tag list, and how it was read.

    Attributes:
        table: What stands in it.
        form: Encoding of a text, or the sheet of an Excel file.
    """

    table: Table
    form: str


def read(path: Path, sheet: str | None = None) -> Source:
    """Read a CSV or Excel file.

    Args:
        path: The file.
        sheet: Of an Excel file; the first one with titles when absent.

    Raises:
        OSError: it cannot be read.
        Complaint: it is no tag list.
    """
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head == _ZIP:
            return _excel(path, sheet)
        if head == _OLD_EXCEL:
            raise Complaint(
                "this is an Excel file of the old kind (.xls) or has a password: save it as .xlsx or CSV",
                "옛 엑셀 형식(.xls)이거나 암호가 걸려 있습니다. .xlsx 또는 CSV로 저장하십시오",
            )
        raw = file.read(encoding.MOST_BYTES + 1)
    text, name = encoding.decode(raw)
    return Source(table.recognise(rows.from_csv(text)), name)


def _excel(path: Path, sheet: str | None) -> Source:
    from agent.importing import excel  # noqa: PLC0415 - openpyxl only where it is needed

    names: list[str] = []
    last: Complaint | None = None
    with path.open("rb") as file:
        for name, found in excel.sheets(file):
            names.append(name)
            if sheet is not None and name != sheet:
                continue
            try:
                return Source(table.recognise(found), f"Excel, {name}")
            except Complaint as exc:
                last = exc
    if sheet is not None and sheet not in names:
        known = ", ".join(names)
        raise Complaint(f"there is no sheet {sheet}: choose {known}", f"없는 시트입니다({sheet}). 시트: {known}")
    raise last or Complaint("the file has no sheets", "시트가 없습니다")
