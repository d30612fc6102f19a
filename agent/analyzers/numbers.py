"""A block's values as numpy, made once for all analyzers of its source, and only what is asked for.

`number` is float64 with NaN where there is no number (None, text); bools are 0 and 1. Whole numbers are also there
exactly: float64 ends at 2^53, and a counter of 64 bits does not.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.frame import FrameBlock, Value

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

NUMBERS = frozenset({bool, int, float})
WRAP = 2**64
LARGEST = 2**63 - 1


class Whole(NamedTuple):
    """Whole numbers, exact.

    Attributes:
        value: int64[n]; 0 where there is none. A number from 2^63 on stands as itself minus 2^64, so that
            differences of neighbours are right in the arithmetic of int64.
        there: bool[n], whether the row holds a whole number; bools are none.
        wide: Whether any number was 2^63 or larger.
    """

    value: Ints
    there: Bools
    wide: bool


class Column:
    """The values of one block, by row of the block.

    Values that stand in columns already say so: they have `number`, `raw` and mostly `whole` of their own
    (`agent.analyzers.waiting.Readings`, `agent.replaying.values.Values`), and are taken at their word.
    """

    def __init__(self, block: FrameBlock) -> None:
        self.block = block

    @cached_property
    def _types(self) -> set[type]:
        return set(map(type, self.block.value))

    @cached_property
    def number(self) -> Floats:
        """float64[n], NaN where there is no number."""
        values = self.block.value
        if (number := getattr(values, "number", None)) is not None:
            return cast("Floats", number)
        if self._types <= NUMBERS:
            return np.fromiter(values, np.float64, len(values))
        if self._types <= NUMBERS | {type(None)}:
            return np.array(values, np.float64)  # None becomes NaN, which is what it says
        if self._types <= NUMBERS | {type(None), str}:
            return np.array([None if type(v) is str else v for v in values], np.float64)
        return np.array([v if type(v) in NUMBERS else np.nan for v in values], np.float64)

    @cached_property
    def whole(self) -> Whole:
        """The whole numbers among the values."""
        values = self.block.value
        if (whole := getattr(values, "whole", None)) is not None:
            return Whole(*whole)
        if self._types == {int}:
            try:
                return Whole(np.fromiter(values, np.int64, len(values)), np.ones(len(values), np.bool_), wide=False)
            except OverflowError:
                pass
        there = np.fromiter((type(v) is int for v in values), np.bool_, len(values))
        numbers = [v if type(v) is int else 0 for v in values]
        wide = bool(numbers) and max(numbers) > LARGEST
        if wide:
            numbers = [v - WRAP if v > LARGEST else v for v in numbers]
        return Whole(np.array(numbers, np.int64), there, wide)

    def raw(self, rows: Ints) -> Sequence[Value]:
        """Return the Python values of some rows of the block."""
        values = self.block.value
        if (raw := getattr(values, "raw", None)) is not None:
            return cast("Sequence[Value]", raw(rows.tolist()))
        return [values[row] for row in rows.tolist()]
