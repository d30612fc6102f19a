"""The contract between the ledger of a source and what it makes of its rows, one analyzer an idea.

Signals are known by their index in the ledger's list, which only grows. Rows come in portions of one production
day, sorted by (signal, time), and of each signal strictly later than all before, whatever their class. Portions
are cut anywhere: what an analyzer says must depend on the rows alone. Several days are open at once, because a
day closes after data of the next one has come; an analyzer keeps what it counted by the start of the day.

When a day closes, its source has normally been seen `settle` (at least ten minutes) behind the day's end, but how
much later than that depends on other sources. A record that looks beyond the end of its day must be decided by
what lies within these ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.analyzers.knowledge import Known
    from agent.analyzers.rows import Rows
    from agent.frame import Signal
    from readiness.spans import Spans


@dataclass(frozen=True, slots=True)
class Portion:
    """Which production day the rows at hand belong to."""

    start_ns: int
    end_ns: int
    closed_ns: int
    """End of the last closed day: nothing can be added before it any more."""
    day: Callable[[int], tuple[int, int]]
    """Returns the bounds of the production day that an instant lies in."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A day that ends.

    Attributes:
        start_ns: Start of the day.
        end_ns: End of the day.
        keys: Of the signals that have a place in it, by index: `{machine}/{signal}`.
        known: By index, of all signals: (known, uncertain, bad), clipped to the day.
        live: When the link was alive.
    """

    start_ns: int
    end_ns: int
    keys: Mapping[int, str]
    known: Sequence[Known]
    live: Spans


class Analyzer(Protocol):
    """One of a source's analyzers. Constant state per signal, no clock, no I/O."""

    def grow(self, signals: Sequence[Signal | None]) -> None:
        """Take the signals as they are defined now: earlier ones in their places, new ones behind them.

        None: the configuration has dropped the signal; what is known of it stays.
        """

    def take(self, rows: Rows, day: Portion) -> None:
        """Take rows of one day."""

    def close(self, day: Closing) -> Mapping[str, Any]:
        """Return fields of `SourceDay` for a day. It is called once a day, before the `drop` of its end."""

    def drop(self, end_ns: int) -> None:
        """Forget days that end at or before `end_ns`."""

    def state(self) -> dict[str, Any]:
        """Return everything as JSON, in a form that does not depend on how the rows were cut."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned; `grow` follows."""
