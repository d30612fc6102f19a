"""The last value of each signal of a subscription: it holds until the next row, which may come after weeks.

Who begins to look at a signal in between (a control loop that somebody has just declared) begins from here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.rows import BAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.analyzers.rows import Rows
    from agent.analyzers.signals import Closing, Portion
    from agent.frame import Signal


class Latest:
    """An `agent.analyzers.signals.Analyzer` that leaves no record.

    Attributes:
        value: float64[n]; NaN for a signal that has no number now.
    """

    def __init__(self) -> None:
        self.value = np.zeros(0)

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Make room for the signals."""
        more = max(len(signals) - len(self.value), 0)
        self.value = np.concatenate([self.value, np.full(more, np.nan)])

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""
        del day
        number = rows.number if rows.kind is None else np.where(rows.kind < BAD, rows.number, np.nan)
        self.value[rows.signal] = number  # where a signal comes several times, the last row counts

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return nothing."""
        del day
        return {}

    def drop(self, end_ns: int) -> None:
        """Keep everything: it is the present."""

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {"value": [None if math.isnan(v) else v for v in self.value.tolist()]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self.value = np.array(state["value"], np.float64)
