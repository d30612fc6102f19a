"""Installed, and used? Only a signal that the plan names can say so, and only on days on which it could be seen.

An observed day is a planned day of the factory on which the signal was read; days that our own outages took are
neither used nor unused. The plan says how often use has to show, in planned days. Missed once, it is late; after
`UNUSED_DAYS` observed days without any, or two rhythms where that is longer, it is "installed, not used".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from techsquare.verdict.terms import Use

UNUSED_DAYS = 14
"""Observed planned days without use, at least, before "not used" is said."""
RHYTHMS = 2

State = Literal["used", "late", "not_used", "not_assessed"]
Reason = Literal["no_signal", "few_days"]


@dataclass(frozen=True, slots=True)
class UseDay:
    """A day after the installation: whether it was planned, and whether use was seen (None: it could not be)."""

    day: date
    planned: bool
    used: bool | None


@dataclass(frozen=True, slots=True)
class Used:
    """What is said of use.

    Attributes:
        state: "not_assessed" is told as "use not assessed", with the reason.
        reason: Why it is not.
        last: The last day with use, None without any.
        idle: Observed planned days since then (since the installation, without any).
        observed: Observed planned days.
        censored: Planned days on which use could not be seen.
        share: Of whole rhythms of observed days those with use; None before the first is over.
    """

    state: State
    reason: Reason | None
    last: date | None
    idle: int
    observed: int
    censored: int
    share: float | None


def assess(use: Use | None, days: Sequence[UseDay]) -> Used:
    """Return what is said of use, at the end of these days.

    Use on a day that was not planned is use. Days are in order and begin after the installation.

    Raises:
        ValueError: a rhythm below one day, or days out of order.
    """
    if any(one.day >= two.day for one, two in pairwise(days)):
        raise ValueError("days of use come in order, each once")
    if use is None:
        return Used("not_assessed", "no_signal", None, 0, 0, 0, None)
    if use.every_days < 1:
        raise ValueError("a rhythm of use is at least one planned day")
    last, idle, observed, censored = None, 0, 0, 0
    rhythms, seen = list[bool](), False
    for one in days:
        if one.used:
            last, idle, seen = one.day, 0, True
        if not one.planned:
            continue
        if one.used is None:
            censored += 1
            continue
        observed += 1
        idle += not one.used
        if observed % use.every_days == 0:
            rhythms.append(seen)
            seen = False
    state, reason = _state(use, last, idle)
    return Used(state, reason, last, idle, observed, censored, sum(rhythms) / len(rhythms) if rhythms else None)


def _state(use: Use, last: date | None, idle: int) -> tuple[State, Reason | None]:
    if idle >= max(UNUSED_DAYS, RHYTHMS * use.every_days):
        return "not_used", None
    if idle >= use.every_days:
        return "late", None
    return ("used", None) if last is not None else ("not_assessed", "few_days")
