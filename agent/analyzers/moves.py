"""What a counter did between two readings of it: the columns that `agent.analyzers.counting` works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Readings that differ from the one before of their signal, sorted by (signal, time); columns of equal length.

    Attributes:
        signal: Index.
        time: UTC nanoseconds.
        value: As `agent.analyzers.counting.Counting` returns it, and `before` that of the reading before.
        before: See `value`.
        previous: Time of the reading before.
        hole: Something was not known between the two.
        waits: The whole source was silent between the two, and only the link's life tells whether it was heard.
    """

    signal: Ints
    time: Ints
    value: Ints
    before: Ints
    previous: Ints
    hole: Bools
    waits: Bools
