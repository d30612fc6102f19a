"""From what stands in a cell to a value: a number, a hole, or something that cannot be read. Pure.

An empty cell is a hole: nothing was stored. A text where a number is declared ("Bad", "I/O Timeout") is a value
that was answered and is bad; the report says how many of them there were and shows the first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from agent.frame import SIGNED, DataType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


HOLE, BAD = object(), object()
"""What a cell may be beside a value."""
HOLES = frozenset({"", "nan", "null", "none", "n/a", "na", "-", "<null>"})
_TRUE = frozenset({"1", "true", "on", "t", "yes", "1.0"})
_FALSE = frozenset({"0", "false", "off", "f", "no", "0.0"})
FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})


def values(dtype: DataType, cells: Sequence[Any]) -> tuple[list[Any], bool]:
    """Return the value, `HOLE` or `BAD` of each cell of one signal, and whether all of them are values.

    Args:
        dtype: As declared.
        cells: Texts, or what a Parquet file holds.
    """
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
    one = _ONE[dtype]
    mixed = [one(cell) for cell in cells]
    return mixed, not any(value is HOLE or value is BAD for value in mixed)


def _as_declared(dtype: DataType, cells: Sequence[Any]) -> bool:
    """Return whether all cells are values already, as a column of Parquet has them."""
    found = set(map(type, cells))
    if _ONE[dtype] is _integer:
        return found == {int} and min(cells) >= -SIGNED - 1 and max(cells) <= SIGNED
    return (dtype is DataType.BOOL and found == {bool}) or (
        dtype is DataType.STRING and found == {str} and "" not in cells
    )


def _hole(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in HOLES)


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
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell == "":
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
