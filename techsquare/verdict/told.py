"""A verdict: what is said of a plan on one of its two dates, from the days of its machines.

Comparison machines decide which words are possible. With enough of them: improved, worse, no change larger than X,
cannot tell; at the extension also "changed, cause not shown", where the machine itself has changed and the others
do not let it be told apart. Without: "cannot tell" or "changed, cause not shown", never more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from techsquare.verdict.alone import own_change
from techsquare.verdict.phases import DAY, Window, alpha_of, compare, counting, days_of, windows
from techsquare.verdict.plan import digest
from techsquare.verdict.rule import CANNOT_TELL, WORDS, Told, allowed, enough, extend, reference, tell
from techsquare.verdict.terms import DECIDED, LEAST_DAYS, Placebo, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from typing import Literal

    from techsquare.verdict.phases import Compared
    from techsquare.verdict.terms import Plan, Series, Why, Word

MANY_DROPPED = 0.2


def verdict(
    plan: Plan, days: Iterable[Series], first: Verdict | None = None, installed: date | None = None
) -> Verdict:
    """Return what is said on one of the plan's two dates.

    Args:
        plan: The frozen plan.
        days: Series of the plan's machines, in any order; others are not looked at. A machine without one has no
            day.
        first: At the extension, what was said on the verdict's date; None on that date itself.
        installed: When it really was, if that is known.

    Raises:
        KeyError: a treated machine has no series.
        ValueError: the plan is not the one that was hashed; or the first look decided, or was about another plan.
    """
    if plan.hash != digest(plan):
        raise ValueError("the plan was changed after it was frozen: its hash is another")
    if first is not None and (first.word in DECIDED or first.plan != plan.hash or first.look != 1):
        raise ValueError("there is an extension of a first look at the same plan that decided nothing")
    series = {one.machine: one for one in days}
    look: Literal[1, 2] = 1 if first is None else 2
    before, after = windows(plan, look, installed)
    changes = compare(plan, series, before, after)
    why = _limits(plan, changes, installed)
    own = None
    if changes.treated is not None:
        own = own_change([series[name] for name in plan.treated], before, after, alpha_of(look))
    told, names = _beside(plan, series, changes, alpha_of(look))
    if told is None:
        why += _without(plan, changes, names)
        word: Word = "cause_not_shown" if own is not None and _apart(own) else "cannot_tell"
    else:
        if first is not None and first.low is not None:
            told = extend(_as_told(first), told, plan.least, plan.sign)
        word = WORDS[int(told.word)]
        if word == "cannot_tell" and look == 2 and own is not None and _apart(own):
            word = "cause_not_shown"
    estimate, low, high = (None,) * 3 if told is None else (float(x) for x in (told.estimate, told.low, told.high))
    farthest = 0.0 if low is None or high is None else max(abs(low), abs(high))
    if word == "improved" and farthest < plan.least:
        why.append("below_least")
    pretended = placebos(plan, series, names, before) if told is not None else []
    return Verdict(
        word=word,
        look=look,
        alpha=alpha_of(look),
        estimate=estimate,
        low=low,
        high=high,
        own=own,
        controls=len(names),
        sites=len({series[name].site for name in names}),
        days=changes.days,
        dropped=changes.dropped,
        placebo=None if estimate is None else _share(pretended, estimate),
        placebos=tuple(pretended),
        larger_than=farthest if word == "no_change" else None,
        why=tuple(why),
        plan=plan.hash,
    )


def placebos(plan: Plan, series: dict[str, Series], names: Sequence[str], before: Window) -> list[Placebo]:
    """Return what would be said of each day of the baseline that leaves enough days on both sides of it."""
    machines = [series[name] for name in plan.treated]
    days = sorted({day for one in machines for day in days_of(one, counting(one, before))})
    found = []
    for on in days[LEAST_DAYS : len(days) - LEAST_DAYS + 1]:
        halves = Window(before.first, on - DAY), Window(on, before.last)
        changes = compare(plan, series, *halves)
        others = [changes.others[name] for name in names if name in changes.others]
        sites = [series[name].site for name in names if name in changes.others]
        if changes.treated is not None and enough(sites, plan.over):
            beside = reference(np.array(others), sites, plan.over)
            found.append(Placebo(on, changes.treated - float(beside.mean)))
    return found


def _beside(
    plan: Plan, series: dict[str, Series], changes: Compared, alpha: float
) -> tuple[Told | None, list[str]]:
    """Return what the comparison machines let us say, and which of them counted."""
    names = list(changes.others)
    sites = [series[name].site for name in names]
    kept = allowed(sites, plan.over)
    names, sites = [names[i] for i in kept], [sites[i] for i in kept]
    if changes.treated is None or not enough(sites, plan.over):
        return None, names
    beside = reference(np.array([changes.others[name] for name in names]), sites, plan.over)
    if not float(beside.variance) > 0:
        return None, names
    return tell(np.array(changes.treated), beside, alpha, plan.least, plan.sign), names


def _as_told(first: Verdict) -> Told:
    estimate, low, high = (np.array(value, np.float64) for value in (first.estimate, first.low, first.high))
    return Told(estimate, low, high, np.array(CANNOT_TELL))


def _limits(plan: Plan, changes: Compared, installed: date | None) -> list[Why]:
    why: list[Why] = []
    if installed is not None and installed != plan.installed:
        why.append("late")
    if sum(changes.dropped) > MANY_DROPPED * (sum(changes.dropped) + sum(changes.days)):
        why.append("dropped_days")
    return why


def _without(plan: Plan, changes: Compared, names: Sequence[str]) -> list[Why]:
    if changes.treated is None:
        return ["few_days"]
    if plan.over == "none":
        return ["no_controls"]
    return ["controls_lost"] if len(names) < len(plan.controls) else ["still"]


def _apart(own: tuple[float, float, float]) -> bool:
    return own[1] > 0 or own[2] < 0


def _share(pretended: Sequence[Placebo], estimate: float) -> float | None:
    if not pretended:
        return None
    return sum(abs(one.estimate) >= abs(estimate) for one in pretended) / len(pretended)
