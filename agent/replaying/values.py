"""The values of a tall block, as typed columns: what analyzers ask of them is there, and no object is made for it.

A block's values are a sequence of Python natives, and so are these; but whoever wants numbers takes `number` and
`whole`, and has what would have been made of the natives.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from agent.analyzers.numbers import WRAP
from agent.spool.columns_values import DIGITS, FALSE, FLOAT, INTEGER, TEXT, TRUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from agent.frame import Value

    Ints = NDArray[np.int64]

WIDE = DIGITS + 1
"""A kind beside those of `columns_values`: an integer of 2^63 or more, which stands as itself minus 2^64."""


class Values(Sequence["Value"]):
    """Values by row.

    Args:
        kinds: uint8[n], of `columns_values`, or `WIDE`.
        number: float64[n], NaN where there is no number.
        integer: int64[n], of whole numbers; of texts, which of `table`; else 0.
        table: Texts.
    """

    def __init__(
        self,
        kinds: NDArray[np.uint8],
        number: NDArray[np.float64],
        integer: Ints,
        table: list[str],
    ) -> None:
        self.kinds = kinds
        self.number = number
        """float64[n], NaN where there is no number."""
        self.integer = integer
        self.table = table

    @classmethod
    def join(cls, parts: Sequence[Values]) -> Values:
        """Return values one behind the other; all have the same table."""
        if not parts:
            return cls(np.empty(0, np.uint8), np.empty(0), np.empty(0, np.int64), [])
        return cls(
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.number for part in parts]),
            np.concatenate([part.integer for part in parts]),
            parts[0].table,
        )

    @property
    def whole(self) -> tuple[Ints, NDArray[np.bool_], bool]:
        """See `agent.analyzers.numbers.Whole`."""
        wide = self.kinds == WIDE
        there = (self.kinds == INTEGER) | wide
        return np.where(there, self.integer, 0), there, bool(wide.any())

    def raw(self, rows: Sequence[int] | slice) -> list[Value]:
        """Return the natives of some rows."""
        kinds = self.kinds[rows]
        column = np.empty(len(kinds), object)  # of None
        at = np.flatnonzero(kinds == FLOAT)
        column[at] = self.number[rows][at].astype(object)
        at = np.flatnonzero((kinds == FALSE) | (kinds == TRUE))
        column[at] = (kinds[at] == TRUE).astype(object)
        at = np.flatnonzero(kinds == INTEGER)
        column[at] = self.integer[rows][at].astype(object)
        at = np.flatnonzero(kinds == WIDE)
        column[at] = [value + WRAP if value < 0 else value for value in self.integer[rows][at].tolist()]
        at = np.flatnonzero(kinds == TEXT)
        column[at] = [self.table[place] for place in self.integer[rows][at].tolist()]
        found: list[Value] = column.tolist()
        return found

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[Value]:
        return iter(self.raw(slice(None)))

    @overload
    def __getitem__(self, at: int) -> Value: ...

    @overload
    def __getitem__(self, at: slice) -> Values: ...

    def __getitem__(self, at: int | slice) -> Value | Values:
        if isinstance(at, slice):
            return Values(self.kinds[at], self.number[at], self.integer[at], self.table)
        return self.raw([at])[0]
