"""How many requests a source was asked with, by day and outcome: nearly all went well.

An outcome is "ok", or the first 16 bits of the status, as hex. Requests before the end of the last closed day count
for no day any more.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.frame import RoundTrip

OK = "ok"


class Requests:
    """Counts.

    Args:
        day: Returns the bounds of the production day that an instant lies in.
    """

    __slots__ = ("_counts", "_day", "_end", "_fine", "_start")

    def __init__(self, day: Callable[[int], tuple[int, int]]) -> None:
        self._day = day
        self._counts: dict[int, dict[str, int]] = {}  # start of the day -> outcome -> number
        self._start = self._end = 0  # the day of the last request
        self._fine = 0  # requests on it that went well, not in `_counts` yet: most blocks bring one

    def __contains__(self, start_ns: int) -> bool:
        """Return whether there was any on the day that begins at an instant."""
        self._settle()
        return start_ns in self._counts

    def take(self, trips: Sequence[RoundTrip], closed_ns: int) -> None:
        """Count requests; `closed_ns` is the end of the last closed day."""
        if len(trips) == 1 and closed_ns <= self._start <= trips[0].time_ns < self._end and not trips[0].status:
            self._fine += 1
        elif trips:
            self._settle()
            self._start, self._end = self._day(trips[0].time_ns)
            self._several(trips, closed_ns)

    def _several(self, trips: Sequence[RoundTrip], closed_ns: int) -> None:
        times = [trip.time_ns for trip in trips]
        start, end = self._day(low := min(times))
        if closed_ns <= low and max(times) < end:
            said = [trip.status for trip in trips]
            number = {(start, status): said.count(status) for status in dict.fromkeys(said)}
        else:
            number = Counter((self._day(t.time_ns)[0], t.status) for t in trips if t.time_ns >= closed_ns)
        for (day, status), many in number.items():
            self._add(day, f"{status >> 16:04x}" if status >> 30 else OK, many)

    def _add(self, day: int, outcome: str, many: int) -> None:
        counts = self._counts.setdefault(day, {})
        counts[outcome] = counts.get(outcome, 0) + many

    def _settle(self) -> None:
        if self._fine:
            self._add(self._start, OK, self._fine)
            self._fine = 0

    def of(self, start_ns: int) -> dict[str, int]:
        """Return outcome -> number of the day that begins at an instant."""
        self._settle()
        return self._counts.get(start_ns, {})

    def drop(self, end_ns: int) -> None:
        """Forget days that begin before `end_ns`."""
        self._settle()
        self._counts = {start: counts for start, counts in self._counts.items() if start >= end_ns}

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        self._settle()
        return {str(start): counts for start, counts in self._counts.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._counts = {int(start): dict(counts) for start, counts in state.items()}
