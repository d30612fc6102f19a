"""What share of a loss a project has saved: how one verified gain is carried to another factory.

    share = |estimate| / loss,   error = half / z,   z = N^-1(1 - alpha / 2)

The loss is what the treated machines lost before: the level of a share that is better when smaller (setup, faults,
standing by), one minus the level of one that is better when larger. `half` is half of the interval that was told,
so `error` is the sd of a normal distribution whose interval is as wide: with few comparison machines t is wider
than normal, and that is not lost. That the level before is itself known from days only is left out: it is a tenth
of the rest where the baseline has forty days.

None where nothing was improved, and of a metric whose loss nobody can tell: of energy for a piece nobody knows how
much of it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from techsquare.verdict.phases import counting, ratio, windows
from techsquare.verdict.terms import ALPHAS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from techsquare.verdict.terms import Plan, Series, Verdict

SHARE = "share"
"""Unit of metrics of which 1 is everything."""


@dataclass(frozen=True, slots=True)
class Gain:
    """A share of a loss, and its standard error."""

    share: float
    error: float


def gain(plan: Plan, days: Iterable[Series], verdict: Verdict, installed: date | None = None) -> Gain | None:
    """Return what share of the loss was saved, or None.

    Args:
        plan: The plan.
        days: Series of its treated machines; others are not looked at.
        verdict: What was told of it.
        installed: When it really was, if that is known.
    """
    told = (verdict.estimate, verdict.low, verdict.high)
    if verdict.word != "improved" or plan.unit != SHARE or None in told:
        return None
    estimate, low, high = (float(value) for value in told if value is not None)
    series = {one.machine: one for one in days}
    before, _ = windows(plan, verdict.look, installed)
    levels = []
    for name in plan.treated:
        one = series[name]
        mask = counting(one, before)
        levels.append(ratio(one.num[mask], one.den[mask]))
    level = float(np.mean(levels))
    loss = level if plan.sign < 0 else 1 - level
    if not loss > 0:
        return None
    # What both looks leave misses in at most the sum of their alphas.
    alpha = verdict.alpha if verdict.look == 1 else sum(ALPHAS)
    return Gain(abs(estimate) / loss, (high - low) / 2 / float(norm.isf(alpha / 2)) / loss)
