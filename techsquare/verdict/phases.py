"""Days before and after: which of them count, and the change of a machine between them.

A day counts when time was planned on it and enough of that is known. Comparison machines are looked at on the days
of the treated machine only: had it stood still for a month, its change would rest on few days and theirs on many,
and their calm would say nothing of it. A day that a comparison machine lacks besides makes the interval wider.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.verdict.terms import ALPHAS, LEAST_COVERAGE, LEAST_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from typing import Literal

    from techsquare.verdict.terms import Flags, Floats, Plan, Series

SHARE_OF_DAYS = 0.5
"""A comparison machine with fewer of the treated machine's days, before or after, is left out."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `first` to `last`, both included; empty when `last` is earlier."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Return whether a day lies in it."""
        return self.first <= day <= self.last


def windows(plan: Plan, look: Literal[1, 2], installed: date | None = None) -> tuple[Window, Window]:
    """Return the days before and after that a look compares.

    Args:
        plan: The plan.
        look: 1 or 2.
        installed: When it really was; what lies between the planned day and that one is left out as well.
    """
    came = installed or plan.installed
    blackout = timedelta(days=plan.blackout_days)
    last_before = min(plan.baseline[1], min(came, plan.installed) - blackout - DAY)
    until = plan.verdict_on if look == 1 else plan.extended_to
    return Window(plan.baseline[0], last_before), Window(max(came, plan.installed) + blackout + DAY, until - DAY)


def alpha_of(look: Literal[1, 2]) -> float:
    """Return the alpha of a look."""
    return ALPHAS[look - 1]


def planned(series: Series, window: Window) -> Flags:
    """Return the days of a window on which time was planned."""
    inside = np.zeros(len(series.days), np.bool_)
    inside[bisect_left(series.days, window.first) : bisect_right(series.days, window.last)] = True
    return inside & (series.den > 0)


def counting(series: Series, window: Window) -> Flags:
    """Return the days of a window that count."""
    known = np.isfinite(series.num) & np.isfinite(series.den) & (series.coverage >= LEAST_COVERAGE)
    return planned(series, window) & known


def dropped(series: Series, window: Window) -> int:
    """Return how many planned days of a window do not count."""
    return int(np.count_nonzero(planned(series, window) & ~counting(series, window)))


def ratio(num: Floats, den: Floats) -> float:
    """Return the ratio of sums; the sum of `den` is above 0."""
    return float(np.sum(num) / np.sum(den))


@dataclass(frozen=True, slots=True)
class Compared:
    """Changes of the machines of a plan over the days of the treated ones.

    Attributes:
        treated: The mean of the treated machines' changes; None when one of them has too few days.
        others: Machine -> change of each comparison machine that has enough of those days, in order of the plan.
        days: (before, after) days that count for any treated machine.
        dropped: (before, after) planned days of treated machines that do not.
    """

    treated: float | None
    others: dict[str, float]
    days: tuple[int, int]
    dropped: tuple[int, int]


def compare(plan: Plan, series: dict[str, Series], before: Window, after: Window) -> Compared:
    """Return the changes of treated and comparison machines between two windows."""
    treated = [series[name] for name in plan.treated]
    own = (_union(treated, before), _union(treated, after))
    lost = (_lost(treated, before), _lost(treated, after))
    days = (len(own[0]), len(own[1]))
    changes = [change(one, before, after, own, LEAST_DAYS) for one in treated]
    known = [value for value in changes if value is not None]
    if len(known) < len(treated):
        return Compared(None, {}, days, lost)
    others = dict[str, float]()
    for name in plan.controls:
        if name not in series:
            continue
        value = change(series[name], before, after, own, max(LEAST_DAYS, int(SHARE_OF_DAYS * min(days))))
        if value is not None:
            others[name] = value
    return Compared(float(np.mean(known)), others, days, lost)


def change(
    series: Series, before: Window, after: Window, days: tuple[frozenset[date], frozenset[date]], least: int
) -> float | None:
    """Return a machine's change between two windows over some of their days; None with fewer than `least` each."""
    values = []
    for window, wanted in zip((before, after), days, strict=True):
        mask = counting(series, window)
        for i in np.flatnonzero(mask).tolist():
            mask[i] = series.days[i] in wanted
        if np.count_nonzero(mask) < least:
            return None
        values.append(ratio(series.num[mask], series.den[mask]))
    return values[1] - values[0]


def by_day(series: Series, window: Window) -> dict[date, float]:
    """Return the values of the days of a window that count."""
    mask = counting(series, window)
    return dict(zip(days_of(series, mask), (series.num[mask] / series.den[mask]).tolist(), strict=True))


def days_of(series: Series, mask: Flags) -> list[date]:
    """Return the days of a mask."""
    return [series.days[i] for i in np.flatnonzero(mask).tolist()]


def _union(machines: Sequence[Series], window: Window) -> frozenset[date]:
    return frozenset(day for one in machines for day in days_of(one, counting(one, window)))


def _lost(machines: Iterable[Series], window: Window) -> int:
    return sum(dropped(one, window) for one in machines)
