"""What is known of each signal of a source, and when (A01, Q01).

Poll: a good or uncertain reading covers the time to the next such reading if that is at most 1.2 intervals away,
otherwise exactly one interval. Uncertain and bad readings are covered by the same rule among themselves, and cut
to what is known and what is not.

Subscription: a value holds until the next one of its signal, as far as the link was alive; a reading lost with the
link ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from agent.analyzers.rows import BAD, GOOD, UNCERTAIN, Rows
from agent.analyzers.runs import Runs, Steps
from readiness.spans import EMPTY, Spans, difference, intersection

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 1.2
"""Intervals that may lie between two readings of one span: schedules jitter, a missed reading makes 2."""

Known = tuple[Spans, Spans, Spans]
"""(known, uncertain, bad) of one signal."""


class Knowledge(Protocol):
    """Both kinds, as the source's ledger sees them."""

    def grow(self, n: int) -> None:
        """Make room for n signals."""

    def take(self, rows: Rows) -> None:
        """Take rows sorted by (signal, time), later than those before of the same signal."""

    def spans(self, low_ns: int, high_ns: int, live: Spans) -> list[Known]:
        """Return per signal what was known within [low, high); `live` matters to a subscription."""

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""


class Polled:
    """Knowledge of a polled source."""

    def __init__(self, n: int, interval_ns: int) -> None:
        limit = int(LIMIT * interval_ns)
        self._runs = {name: Runs(n, limit, interval_ns) for name in ("known", "uncertain", "bad")}

    def grow(self, n: int) -> None:
        """Make room for n signals."""
        for runs in self._runs.values():
            runs.grow(n)

    def take(self, rows: Rows) -> None:
        """Take rows."""
        for name, kinds in (("known", (GOOD, UNCERTAIN)), ("uncertain", (UNCERTAIN,)), ("bad", (BAD,))):
            part = rows.of(*kinds)
            self._runs[name].extend(part.signal, part.time)

    def spans(self, low_ns: int, high_ns: int, live: Spans) -> list[Known]:
        """Return per signal what was known."""
        del live  # each reading speaks for itself
        columns = [self._runs[name].spans(low_ns, high_ns) for name in ("known", "uncertain", "bad")]
        return [
            (known, intersection(uncertain, known), difference(bad, known))
            for known, uncertain, bad in zip(*columns, strict=True)
        ]

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        for runs in self._runs.values():
            runs.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {name: runs.state() for name, runs in self._runs.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        for name, runs in self._runs.items():
            runs.restore(state[name])


class Subscribed:
    """Knowledge of a subscription."""

    def __init__(self, n: int) -> None:
        self._steps = Steps(n)

    def grow(self, n: int) -> None:
        """Make room for n signals."""
        self._steps.grow(n)

    def take(self, rows: Rows) -> None:
        """Take rows."""
        kind = rows.time * 0 if rows.kind is None else rows.kind
        self._steps.extend(rows.signal, rows.time, kind)

    def spans(self, low_ns: int, high_ns: int, live: Spans) -> list[Known]:
        """Return per signal what was known while the link was alive."""
        columns = [self._steps.spans(kinds, low_ns, high_ns) for kinds in ((GOOD, UNCERTAIN), (UNCERTAIN,), (BAD,))]
        cut: dict[Spans, Spans] = {EMPTY: EMPTY}
        for spans in {s for column in columns for s in column} - {EMPTY}:
            cut[spans] = intersection(spans, live)
        return [(cut[a], cut[b], cut[c]) for a, b, c in zip(*columns, strict=True)]

    def drop(self, end_ns: int) -> None:
        """Forget what ends at or before `end_ns`."""
        self._steps.drop(end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return self._steps.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._steps.restore(state)
