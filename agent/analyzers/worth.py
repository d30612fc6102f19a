"""Which signals get statistics of their values (records.Values), as far as their definition tells.

The other records hold some signals whole: a Track one with few values, a Count one that only grows. Statistics of
these would say nothing more and take most of a day's bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.frame import DataType

if TYPE_CHECKING:
    from agent.frame import Signal

NEVER_BY_ITSELF, BY_VALUES, ALWAYS = 0, 1, 2
"""Only with a range; when the values have gone both ways and a track cannot hold them; in any case."""
FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
NO_NUMBERS = frozenset({DataType.BOOL, DataType.STRING, DataType.TIMESTAMP})
ANALOG = frozenset({"pv", "sp", "op", "power"})
COUNTED = frozenset({"count_total", "count_good", "count_reject", "cycle", "energy"})
"""Roles whose record is a Count."""
NAMED = frozenset({"state", "mode", "alarm", "lot", "order", "product", "recipe", "reason", "intervention"})
"""Roles whose record is a Track."""


def worth(signal: Signal) -> int:
    """Return whether a signal gets a record, as far as its definition tells.

    A whole number without a role gets one when it has gone both ways and a track cannot hold it. A role that is
    only guessed takes nothing away.
    """
    if signal.role in ANALOG:
        return ALWAYS
    if signal.role_confirmed and (signal.role in COUNTED or signal.role in NAMED):
        return NEVER_BY_ITSELF
    return ALWAYS if signal.dtype in FLOATS else BY_VALUES
