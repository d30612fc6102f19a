"""Which machines a project is compared with: chosen before it, from the baseline alone, the same for everybody.

A machine can be one when no project touches it from the first day of the baseline to the last of the extension,
when it runs the same process, and when it is like the treated machine: its level close by, its days about as
restless (a machine that never moves says nothing of one that does, and its calm would make the interval too
narrow).

The treated machine's own site comes first: what meets a hall meets all of its machines and goes out of the
difference. With five such machines no other site is looked at. Otherwise five other sites with at most two machines
each, the closest of each; otherwise there are none, and the plan can say "changed, cause not shown" at most.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from techsquare.verdict.phases import counting, days_of, ratio
from techsquare.verdict.terms import LEAST_CONTROLS, LEAST_DAYS, LEAST_SITES, MOST_A_SITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from techsquare.verdict.phases import Window
    from techsquare.verdict.terms import Over, Series

MOST = 20
"""Comparison machines; t(19) and sqrt(1 + 1/20) leave nothing to be gained by more."""
SHARE = 0.8
"""Of the treated machine's days of the baseline that a comparison machine has to have."""
RESTLESS = 2.0
"""Its sd of days is between 1 / `RESTLESS` and `RESTLESS` times that of the treated machine."""
SAME_SITE = 3.0
"""On the same site levels may be so many times as far apart as on others."""

Unfit = Literal["treated", "touched", "process", "coverage", "level", "restless", "not_needed"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A machine that could be compared with.

    `touched`: a project changes it between the first day of the baseline and the last of the extension.
    """

    series: Series
    process: str
    touched: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Comparison machines in the order of how close they are, where they stand, and why others are none."""

    controls: Sequence[str]
    over: Over
    unfit: Mapping[str, Unfit]


def choose(
    treated: Sequence[Series], process: str, candidates: Iterable[Candidate], baseline: Window, close: float
) -> Choice:
    """Return the comparison machines of a project.

    Args:
        treated: Its machines, on one site.
        process: Theirs.
        candidates: Any machines of any sites, in any order.
        baseline: The plan's; nothing else is looked at.
        close: How far apart levels may be, in the metric's unit.

    Raises:
        ValueError: no treated machine, or on several sites.
    """
    if len({one.site for one in treated}) != 1:
        raise ValueError("a project's machines stand on one site")
    looks = [_look(one, baseline) for one in treated]
    own = [one for one in looks if one is not None]
    names = {one.machine for one in treated}
    if len(own) < len(treated):
        return Choice((), "none", dict.fromkeys(names, "treated"))
    level, sd = float(np.mean([one.level for one in own])), float(np.mean([one.sd for one in own]))
    days = frozenset.union(*(one.days for one in own))
    home, unfit, fit = treated[0].site, dict[str, Unfit](), list[tuple[float, str, str]]()
    for one in candidates:
        machine, site = one.series.machine, one.series.site
        look = _look(one.series, baseline)
        why = _unfit(one, process, names)
        if why is None and (look is None or len(look.days & days) < SHARE * len(days)):
            why = "coverage"
        if why is None and look is not None:
            apart = abs(look.level - level)
            if apart > close * (SAME_SITE if site == home else 1):
                why = "level"
            elif not sd / RESTLESS <= look.sd <= sd * RESTLESS:
                why = "restless"
            else:
                fit.append((apart, site, machine))
        if why is not None:
            unfit[machine] = why
    fit.sort()
    chosen, over = _settle(fit, home)
    unfit |= {machine: "not_needed" for _, _, machine in fit if machine not in chosen}
    return Choice(tuple(chosen), over, unfit)


@dataclass(frozen=True, slots=True)
class _Look:
    level: float
    sd: float
    days: frozenset[object]


def _look(one: Series, baseline: Window) -> _Look | None:
    mask = counting(one, baseline)
    if np.count_nonzero(mask) < LEAST_DAYS:
        return None
    num, den = one.num[mask], one.den[mask]
    return _Look(ratio(num, den), float(np.std(num / den, ddof=1)), frozenset(days_of(one, mask)))


def _unfit(one: Candidate, process: str, treated: set[str]) -> Unfit | None:
    if one.series.machine in treated:
        return "treated"
    if one.touched:
        return "touched"
    return "process" if one.process != process else None


def _settle(fit: Sequence[tuple[float, str, str]], home: str) -> tuple[list[str], Over]:
    same = [machine for _, site, machine in fit if site == home]
    if len(same) >= LEAST_CONTROLS:
        return same[:MOST], "site"
    sites = defaultdict[str, list[str]](list)
    for _, site, machine in fit:
        if site != home and len(sites[site]) < MOST_A_SITE:
            sites[site].append(machine)
    if len(sites) < LEAST_SITES:
        return [], "none"
    kept = {machine for machines in list(sites.values())[: MOST // MOST_A_SITE] for machine in machines}
    return [machine for _, _, machine in fit if machine in kept], "sites"
