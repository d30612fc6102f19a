"""Small changes that nobody wants: the filter a server is asked for, and ours where it knows none. Pure.

A deadband compares with the last value that was reported, not with the last one seen: a slow drift is not lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.frame import Value


@dataclass(slots=True)
class Deadband:
    """The deadband of one signal.

    Attributes:
        amount: In the unit of the value, or per cent of the range.
        percent: Whether per cent.
        range: What 100 % is, None where nobody has said.
        ours: The server does not filter, so we do.
    """

    amount: float
    percent: bool
    range: tuple[float, float] | None = None
    ours: bool = False
    _last: float | None = field(default=None, repr=False)

    @property
    def width(self) -> float | None:
        """The deadband in the unit of the value; None where it is a per cent of an unknown range."""
        if not self.percent:
            return self.amount
        return None if self.range is None else (self.range[1] - self.range[0]) * self.amount / 100

    def small(self, value: Value, status: int) -> bool:
        """Return whether a value need not be reported; what is reported becomes the one to compare with.

        A bad or uncertain value, and the first after it, is always reported.
        """
        if status >> 30 or not isinstance(value, int | float):
            self._last = None
            return False
        width = self.width
        if width is not None and self._last is not None and abs(value - self._last) <= width:
            return True
        self._last = float(value)
        return False

    def forget(self) -> None:
        """Report the next value, whatever it is."""
        self._last = None
