"""L04 Human use persistence: on how many production days anybody looked at what was installed."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.base import Events, Indicator, Missing, Outcome
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from readiness.indicators.base import Shown
    from readiness.view import View

HUMANS = frozenset({"operator", "engineer", "manager"})
"""Classes of accounts that are people of the factory. Screens on a wall, machines and suppliers are not."""
SLOPE_DAYS = 28


def used(view: View, system: str | None = None) -> tuple[Counter[str], Counter[str], set[str]]:
    """Return per day the reads and acknowledgements of people, their sessions, and the days that any log speaks of.

    Of one installed system, or of all. A log speaks of every day from its first to its last entry of any class: no
    entry between them is no use.
    """
    reads: Counter[str] = Counter()
    sessions: Counter[str] = Counter()
    logged: dict[str, list[str]] = defaultdict(list)
    live = {system.id: system.live_ns for system in view.plant.systems}
    for use in view.plant.use:
        if system not in {None, use.system}:
            continue
        since = live.get(use.system)
        if since is not None and use.day < view.calendar.day_of(since).isoformat():
            continue
        logged[use.system].append(use.day)
        if use.account in HUMANS:
            reads[use.day] += use.reads + use.acks
            sessions[use.day] += use.sessions
    spoken: set[str] = set()
    for days in logged.values():
        first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
        spoken.update((first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1))
    return reads, sessions, spoken


def _slope(view: View, reads: Mapping[str, int], spoken: set[str]) -> float | None:
    """Return how the share of used production days changes in 28 days, by least squares since the log begins."""
    days = [d for text in sorted(spoken) if view.calendar.planned_spans(d := date.fromisoformat(text)).length()]
    if len(days) < NEEDED_DAYS:
        return None
    x = np.array([d.toordinal() for d in days], np.float64) / SLOPE_DAYS
    y = np.array([reads.get(d.isoformat(), 0) > 0 for d in days], np.float64)
    return round(float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()), 6)


def evaluate(view: View, machine: str) -> Outcome:
    """Return the production days with use by people, of those that the log speaks of; the same for all machines."""
    del machine
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    if not view.plant.use:
        return Missing("NA_NO_EVIDENCE")
    reads, sessions, spoken = used(view)
    names = [day.isoformat() for day in view.dates]
    counts = np.array([name in spoken for name in names]) & (view.planned > 0)
    if int(counts.sum()) < NEEDED_DAYS:
        return Missing("NA_SHORT_WINDOW")
    num = np.where(counts, [float(reads[name] > 0) for name in names], 0.0)
    per_day = [sessions[name] for name, counted in zip(names, counts.tolist(), strict=True) if counted]
    shown: dict[str, Shown] = {"median_sessions": float(median(per_day)), "slope": _slope(view, reads, spoken)}
    others = {use.account for use in view.plant.use if use.day in names} - HUMANS
    return Events(num, counts.astype(np.float64), flags=("NOT_PEOPLE_EXCLUDED",) * bool(others), shown=shown)


INDICATOR = Indicator(
    id="L04",
    ko="활용 지속성",
    en="Human use persistence",
    unit="1",
    formula="production days with at least one read or acknowledgement by a person / production days that the "
    "systems' use logs speak of, since they went live; median sessions and slope are shown",
    source="readiness.md 7.3 L",
    inputs=("use", "systems", "schedule"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW"),
    guard="screens that refresh themselves, service accounts and the supplier's own log-ins are left out by class "
    "of account; days beyond the end of a log are unknown, not unused; the median of sessions shows one click a "
    "day",
    evaluate=evaluate,
    scope="plant",
)
