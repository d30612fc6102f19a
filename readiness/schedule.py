"""Production days and planned time of a site.

A production day is named by the date on which it starts, at `day_start` local time, and ends where the next one
starts: 23, 24 or 25 hours later, as the zone's clock changes. A planned piece is written for the weekday on
which it starts; what runs past midnight, or past the start of the next production day, is cut there, so that
planned time is never counted twice. A piece that starts on a holiday is not planned.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from readiness.spans import Spans, union

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = 1_000_000_000
Pieces = tuple[tuple[time, time], ...]


@functools.lru_cache(maxsize=4096)
def _instant(zone: str, day: date, at: time) -> int:
    # A local time that a clock change skips is read with the offset before the change.
    return int(datetime.combine(day, at, ZoneInfo(zone)).timestamp()) * SECOND


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a site works.

    Attributes:
        zone: IANA name, for example Asia/Seoul.
        day_start: Local time at which a production day starts.
        planned: Weekday (0 is Monday) to pieces (from, to) of planned busy time in local time; `to` at or before
            `from` lies on the next date. Empty when the site has declared no schedule.
        holidays: Dates on which no planned piece starts.
        extra: Date to pieces of planned busy time of that date alone, a holiday or not.
    """

    zone: str
    day_start: time = time(0)
    planned: Mapping[int, Pieces] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    extra: Mapping[date, Pieces] = field(default_factory=dict)

    def bounds(self, day: date) -> tuple[int, int]:
        """Return start and end of a production day, UTC nanoseconds."""
        start = _instant(self.zone, day, self.day_start)
        return start, _instant(self.zone, day + timedelta(days=1), self.day_start)

    def day_of(self, time_ns: int) -> date:
        """Return the production day that an instant lies in."""
        day = datetime.fromtimestamp(time_ns // SECOND, ZoneInfo(self.zone)).date()
        while time_ns < self.bounds(day)[0]:
            day -= timedelta(days=1)
        while time_ns >= self.bounds(day)[1]:
            day += timedelta(days=1)
        return day

    def planned_spans(self, day: date) -> Spans:
        """Return the planned busy time of a production day."""
        start, end = self.bounds(day)
        pieces = []
        for offset in (-1, 0, 1):
            on = day + timedelta(days=offset)
            usual = () if on in self.holidays else self.planned.get(on.weekday(), ())
            for begin, finish in (*usual, *self.extra.get(on, ())):
                until = on if finish > begin else on + timedelta(days=1)
                pieces.append((_instant(self.zone, on, begin), _instant(self.zone, until, finish)))
        return union(*(Spans.of([p]) for p in pieces)).clip(start, end)

    def has_schedule(self) -> bool:
        """Return whether any planned time is declared."""
        return any(self.planned.values()) or any(self.extra.values())
