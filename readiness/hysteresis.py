"""A level that does not flicker: it changes after two windows in a row that share no day (readiness.md 7.6).

Windows of 28 days are assessed every week and overlap, so that three reports in a row tell of nearly the same days.
A new level is taken over by the first window that begins after the one in which the level was first seen has ended,
if all windows between say the same. Its two ends change each on their own. Another formula set or model breaks the
line: what they measured is not compared, and the first window after the break stands as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.report import Levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from contract.report import Report


@dataclass(frozen=True, slots=True)
class Judged:
    """What one report said.

    Attributes:
        first: First production day of its window.
        last: Last one.
        level: The plant's level.
        line: What it was measured with; levels of different lines are not compared.
    """

    first: date
    last: date
    level: Levels
    line: tuple[str, str]


def line(report: Report) -> tuple[str, str]:
    """Return what a report was measured with: formula set and model."""
    return report.formulas, report.model


@dataclass(frozen=True, slots=True)
class Settled:
    """The level that stands, since when, and whether another one is waiting to be confirmed."""

    level: Levels
    since: date
    waiting: Levels | None


def settled(history: Iterable[Judged]) -> Settled | None:
    """Return the level that stands after some windows; None without any.

    Args:
        history: Windows in any order; of two that end on the same day the later one in the iteration counts.
    """
    windows = sorted({judged.last: judged for judged in history}.values(), key=lambda judged: judged.last)
    if not windows:
        return None
    current = [each for each in windows if each.line == windows[-1].line]
    breaks = [k for k, each in enumerate(windows) if each.line != windows[-1].line]
    if breaks:
        current = windows[breaks[-1] + 1 :]
    low, since_low = _end(current, [j.level.low for j in current])
    high, since_high = _end(current, [j.level.high for j in current])
    stands = Levels(min(low, high), high)
    latest = current[-1].level
    return Settled(stands, max(since_low, since_high), None if latest == stands else latest)


def _end(windows: Sequence[Judged], levels: Sequence[int]) -> tuple[int, date]:
    """Return the level that stands and the first day of the window with which it was first seen."""
    stands, since, begun = levels[0], windows[0].first, 0
    for k, level in enumerate(levels):
        if level != levels[begun]:
            begun = k
        if level != stands and windows[k].first > windows[begun].last:
            stands, since = level, windows[begun].first
    return stands, since
