"""From what stands in a cell to a value: a number, a hole, or something that cannot be read. Pure.

An empty cell is a hole: nothing was stored; so is an error of the spreadsheet (#N/A, #VALUE!, ####): no device has
answered that. A text where a number is declared ("Bad", "I/O Timeout") is a value
that was answered and is bad; the report says how many of them there were and shows the first.

A comma in a number parts thousands or is the decimal sign; where the file does not tell, it is not guessed.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

from agent.frame import SIGNED, DataType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


HOLE, BAD = object(), object()
"""What a cell may be beside a value."""
ERRORS = frozenset({"#n/a", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!"})
"""What a spreadsheet writes in place of a value that it does not have."""
HOLES = ERRORS | {"", "nan", "null", "none", "n/a", "na", "-", "<null>"}
_TRUE = frozenset({"1", "true", "on", "t", "yes", "1.0"})
_FALSE = frozenset({"0", "false", "off", "f", "no", "0.0"})
FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
PLAIN = frozenset({DataType.BOOL, DataType.STRING})
Decimal = Literal[".", ","]
COMMA = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*,[0-9]+")
"""What is a number by one of two ways to write it."""
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(\.[0-9]+)?")
_WITH_COMMA = re.compile(r"[+-]?(?:[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def values(dtype: DataType, cells: Sequence[Any], decimal: Decimal | None = ".") -> tuple[list[Any], bool]:
    """Return the value, `HOLE` or `BAD` of each cell of one signal, and whether all of them are values.

    Args:
        dtype: As declared.
        cells: Texts, or what a Parquet file holds.
        decimal: The decimal sign; None where it is not known what a comma means.
    """
    if decimal == "," and dtype not in PLAIN:
        cells = [_with_point(cell) for cell in cells]
    if dtype in FLOATS:
        try:
            found = list(map(float, cells))
        except (ValueError, TypeError):
            pass
        else:
            if math.isfinite(sum(found)):
                return found, True
    if cells and _as_declared(dtype, cells):
        return list(cells), True
    if decimal != "," and dtype not in PLAIN:
        cells = [_ungrouped(cell, decimal) for cell in cells]
    one = _ONE[dtype]
    mixed = [one(cell) for cell in cells]
    return mixed, not any(value is HOLE or value is BAD for value in mixed)


def _as_declared(dtype: DataType, cells: Sequence[Any]) -> bool:
    """Return whether all cells are values already, as a column of Parquet has them."""
    found = set(map(type, cells))
    if _ONE[dtype] is _integer:
        return found == {int} and min(cells) >= -SIGNED - 1 and max(cells) <= SIGNED
    return (dtype is DataType.BOOL and found == {bool}) or (
        dtype is DataType.STRING and found == {str} and not any(map(_hole, set(cells)))
    )


def _ungrouped(cell: Any, decimal: Decimal | None) -> Any:
    """Return a text without the commas between thousands; `1,234.5` can mean nothing else in any file."""
    if not isinstance(cell, str) or "," not in cell:
        return cell
    found = _THOUSANDS.fullmatch(cell.strip())
    return cell.replace(",", "") if found is not None and (decimal == "." or found[1]) else cell


def _with_point(cell: Any) -> Any:
    """Return a number with a decimal comma as one with a point; another text that has a point is no number."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if _WITH_COMMA.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    return f"?{text}" if "." in text and not _hole(text) else cell


def _hole(cell: object) -> bool:
    if not isinstance(cell, str):
        return cell is None
    text = cell.strip().lower()
    return text in HOLES or (text[:2] == "##" and not text.strip("#"))


def _float(cell: Any) -> object:
    if _hole(cell):
        return HOLE
    try:
        number = float(cell)
    except (ValueError, TypeError):
        return BAD
    if math.isnan(number):
        return HOLE
    return number if math.isfinite(number) else BAD


def _integer(cell: Any) -> object:
    if _hole(cell):
        return HOLE
    try:
        number = int(cell) if isinstance(cell, (str, int)) else None
    except ValueError:
        number = None
    if number is None:  # 12.0, as a spreadsheet writes it, or a column with holes that became floats
        real = _float(cell)
        if not isinstance(real, float):
            return real
        if not real.is_integer():
            return BAD
        number = int(real)
    return number if -SIGNED - 1 <= number <= SIGNED else BAD


def _bool(cell: Any) -> object:
    if _hole(cell):
        return HOLE
    if isinstance(cell, (bool, int, float)):
        return BAD if cell not in {0, 1} else bool(cell)
    text = str(cell).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else BAD


def _string(cell: Any) -> object:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell == "" or str(cell).lower() in ERRORS:
        return HOLE
    return str(cell)


_ONE: dict[DataType, Callable[[Any], object]] = {
    **{dtype: _integer for dtype in DataType if "int" in dtype},
    DataType.FLOAT32: _float,
    DataType.FLOAT64: _float,
    DataType.BOOL: _bool,
    DataType.STRING: _string,
    DataType.TIMESTAMP: _integer,
}
