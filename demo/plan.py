"""When the demo's factory works: the history's shifts from the site's own calendar, and a shift that is live now.

Whoever starts the demo at night or on a Sunday sees a running factory: the live shift is overtime that begins
before the demo does and lasts a week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.timeline import LEAD_S, SECOND, Shift

if TYPE_CHECKING:
    from datetime import date

    from readiness.schedule import Calendar

DAYS = 28
LIVE_S = 7 * 86_400


def history_days(calendar: Calendar, now_ns: int) -> list[date]:
    """Return the production days before the current one, oldest first."""
    day, _ = calendar.bounds(calendar.day_of(now_ns))
    days = []
    for _ in range(DAYS):
        days.append(calendar.day_of(day - 1))
        day, _ = calendar.bounds(days[-1])
    return days[::-1]


def shifts(calendar: Calendar, now_ns: int) -> list[Shift]:
    """Return the shifts of the history, one a day from its first planned minute to its last, and the live one."""
    planned = [calendar.planned_spans(day) for day in history_days(calendar, now_ns)]
    past = [Shift(start_ns=int(day.start[0]), stop_ns=int(day.end[-1])) for day in planned if len(day)]
    begin = max(now_ns - LEAD_S * SECOND, past[-1].stop_ns + SECOND if past else 0)
    return [*past, Shift(start_ns=begin, stop_ns=now_ns + LIVE_S * SECOND, live=True)]
