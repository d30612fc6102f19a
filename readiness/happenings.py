"""What a window tells that somebody should look after: systems out of use, machines gone silent, what got worse.

What holds is told each time; telling it once is for the caller, by kind and subject.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from readiness.catalog import key
from readiness.indicators.l04 import used
from readiness.points import alive
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.event import Kind
    from contract.report import Trend
    from readiness.plant import Installed
    from readiness.view import View

STALE_DAYS = 3
"""Production days without any value after which a machine is told: one may be a holiday that nobody declared."""


class Happening(NamedTuple):
    """Something that holds; fields as in `contract.event`."""

    kind: Kind
    subject: str
    why: Literal["points", "use"] | None = None
    before: float | None = None
    after: float | None = None


def happenings(view: View, trend: Trend | None) -> list[Happening]:
    """Return all that holds at the end of a window.

    Args:
        view: The window.
        trend: What has changed since the window before it, where that is known.
    """
    found = [Happening("unused", one.id, why) for one in view.plant.systems if (why := _unused(view, one))]
    found += [Happening("stale", machine) for machine in _stale(view)]
    worse = [] if trend is None else [one for one in trend.changes if one.called == "worse"]
    return [*found, *(Happening("decay", one.id, None, one.before, one.after) for one in worse)]


def _unused(view: View, system: Installed) -> Literal["points", "use"] | None:
    """Return what has died of an installed system, None for nothing, or where it cannot be told."""
    if not view.calendar.has_schedule() or not view.records:
        return None
    lives = Counter("unread" if s is None else alive(view, s) for s in system.points.values())
    seen = lives.total() - lives["unread"] - lives["unseen"]
    if seen and not lives["live"] and seen > lives["unseen"]:
        return "points"
    by_day, _, spoken = used(view, system.id)
    days = [day.isoformat() for day, planned in zip(view.dates, view.planned.tolist(), strict=True) if planned]
    told = [day for day in days if day in spoken]
    return "use" if len(told) >= NEEDED_DAYS and not any(by_day[day] for day in told) else None


def _stale(view: View) -> Iterator[str]:
    """Yield the machines of which nothing was known on the last days that count for them."""
    for machine in view.inventory:
        days = np.flatnonzero(view.counting(machine.id) > 0)[-STALE_DAYS:]
        series = [view.series[name] for _, tag in view.tags[machine.id] if (name := key(tag)) in view.series]
        if len(days) == STALE_DAYS and series and not any(one.known[days].any() for one in series):
            yield machine.id
