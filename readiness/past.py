"""Earlier windows of a plant, assessed again from the evidence that is kept, each only once.

    past = Past()
    while past.step(assessment): ...    one earlier window a call, the most recent first
    past.of(assessment)                 what they say together; None while some are still to be looked at

All windows are measured with what is configured, answered and known of formulas now, so a level or a change never
comes from another way of measuring. The line of levels has a window a week, on fixed dates (those that end on a
Sunday), so that a new day adds at most one of them; the comparison is with the window that ends where this one
begins. What a window has said is kept under a hash of all that it depends on: nothing of it lives but that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from contract.report import Standing, Trend
from readiness.hysteresis import Judged, settled
from readiness.model import FORMULAS
from readiness.trend import NotComparableError, Side, compare, known, side, weights
from readiness.view import NEEDED_DAYS, WINDOW_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from readiness.report import Assessment

STEP_DAYS = 7


@dataclass(frozen=True, slots=True)
class Told:
    """What earlier windows say together with this one."""

    standing: Standing | None
    trend: Trend | None


@dataclass(frozen=True, slots=True)
class _Task:
    """One earlier window that is wanted: for the line of levels, or to be compared with."""

    last: date
    key: str
    compared: bool


class Past:
    """What earlier windows said, by the hash of what each depends on."""

    def __init__(self) -> None:
        self._levels: dict[str, Judged | None] = {}
        self._sides: dict[str, Side | None] = {}

    def step(self, now: Assessment) -> bool:
        """Assess one earlier window that is wanted and not known; return False if there is none."""
        tasks = list(_tasks(now))
        self._levels = {t.key: self._levels[t.key] for t in tasks if t.key in self._levels}
        self._sides = {t.key: self._sides[t.key] for t in tasks if t.key in self._sides}
        for task in tasks:
            if task.compared and task.key not in self._sides:
                earlier = now.earlier(task.last, task.key)
                self._sides[task.key] = side(earlier, weights(now), known(now))
                return True
            if not task.compared and task.key not in self._levels:
                self._levels[task.key] = _judged(now.earlier(task.last, task.key))
                return True
        return False

    def of(self, now: Assessment) -> Told | None:
        """Return what all windows say together, or None while one of them is not known."""
        tasks, levels, sides = list(_tasks(now)), self._levels, self._sides
        if any(t.key not in (sides if t.compared else levels) for t in tasks):
            return None
        history = [levels[t.key] for t in tasks if not t.compared]
        before = next((sides[t.key] for t in tasks if t.compared), None)
        return Told(
            standing([one for one in (*history, _judged(now)) if one is not None]),
            None if before is None else changes(before, now),
        )


def _tasks(now: Assessment) -> Iterator[_Task]:
    """Yield the windows that are wanted: first the one to compare with, then back week by week."""
    view = now.view
    if not view.days:
        return
    oldest = date.fromisoformat(min(day.day for day in view.days))
    compared = view.dates[0] - timedelta(days=1)
    if compared >= oldest:
        # whom the present window knows is part of the comparison
        there = f"{sorted(known(now))} {sorted(weights(now).items())}"
        yield _Task(compared, now.key(compared, there), compared=True)
    last = view.dates[-1]
    last -= timedelta(days=last.toordinal() % STEP_DAYS or STEP_DAYS)
    while last - timedelta(days=WINDOW_DAYS - 1) >= oldest:
        yield _Task(last, now.key(last, FORMULAS), compared=False)
        last -= timedelta(days=STEP_DAYS)


def _judged(one: Assessment) -> Judged | None:
    """Return the level of a window; None if it has too few production days to speak of one."""
    if one.production_days < NEEDED_DAYS:
        return None
    view = one.view
    return Judged(view.dates[0], view.dates[-1], one.level, (FORMULAS, view.model.hash))


def standing(history: list[Judged]) -> Standing | None:
    """Return the level that stands after some windows, None without any."""
    found = settled(history)
    if found is None:
        return None
    return Standing(found.level, found.since.isoformat(), len({j.last for j in history}), found.waiting)


def changes(before: Side, now: Assessment) -> Trend | None:
    """Return what has changed since an earlier window: all dimensions, and indicators whose change is called."""
    after = side(now, before.weights, before.seen)
    try:
        found = compare(before, after)
    except NotComparableError:
        return None
    dimensions = {d.id for d in now.view.model.dimensions.dimensions}
    shown = [one for one in found.changes if one.id in dimensions or one.called != "none"]
    return Trend(
        before.first.isoformat(), before.last.isoformat(), len(found.panel), shown,
        list(found.added), list(found.gone),
    )  # fmt: skip
