"""Planned days of a factory. What is due in three days is due when the factory has worked three days.

A mentor who is asked on the evening before the summer holidays cannot look at machines that stand still. Where
nobody has told the calendar, Monday to Friday is taken, and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WEEKS = 8
"""Of which a calendar is learned."""
FAR = 400
"""No due date lies farther away: a calendar without any planned day must not hold a queue up for ever."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekdays on which the factory works (0 is Monday), and days on which it does not, or does all the same."""

    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    off: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()
    assumed: bool = False

    def planned(self, day: date) -> bool:
        """Return whether the factory works on a day."""
        return day in self.extra or (day.weekday() in self.weekdays and day not in self.off)

    def after(self, day: date, count: int) -> date:
        """Return the last of so many planned days after a day; the day itself for 0.

        Where so many do not come within `FAR` days, the last of those days is returned.

        Raises:
            ValueError: a count below 0.
        """
        if count < 0:
            raise ValueError("planned days are counted forwards")
        end = day + timedelta(days=FAR)
        while count and day < end:
            day += DAY
            count -= self.planned(day)
        return day

    def between(self, first: date, last: date) -> int:
        """Return how many planned days lie after `first`, up to `last`; 0 where it is not later."""
        days = (last - first).days
        return sum(self.planned(first + timedelta(days=at)) for at in range(1, days + 1))

    def latest(self, day: date) -> date:
        """Return the last planned day up to a day; the day itself where there is none within `FAR` days."""
        found = day
        for _ in range(FAR):
            if self.planned(found):
                return found
            found -= DAY
        return day


def learned(planned: Iterable[date], today: date) -> Calendar:
    """Return the calendar of a factory from its own machine-days.

    A weekday is one on which the factory works when it did so on more than half of the last `WEEKS` ones. Nothing
    is learned of the future: holidays come from whoever tells them. With fewer than `WEEKS` weeks since the first
    of these days, `UNTOLD`.

    Args:
        planned: Days on which any machine had planned time.
        today: The day.
    """
    days = frozenset(planned)
    first = today - timedelta(weeks=WEEKS)
    if not days or min(days) > first:
        return UNTOLD
    counts = [0] * 7
    for day in days:
        counts[day.weekday()] += first < day <= today
    return Calendar(frozenset(at for at, count in enumerate(counts) if 2 * count > WEEKS))


UNTOLD = Calendar(assumed=True)
"""Of a factory that has told none."""
