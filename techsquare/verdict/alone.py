"""A machine's change beside nothing: an interval from effective numbers of days.

    d +- t(n1 + n2 - 2) sqrt(s1^2 / n1' + s2^2 / n2'),   n' = days worth that of independent ones

with residuals (num - R den) / mean(den) of each phase, as the ratio of sums has them (Cochran 1977, 6.3). It covers
57 to 95 %, for it cannot see what drifts with a machine or meets all of them: a diagnostic, never a claim.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from readiness.stats import effective
from techsquare.verdict.phases import counting, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.verdict.phases import Window
    from techsquare.verdict.terms import Series


def own_change(
    machines: Sequence[Series], before: Window, after: Window, alpha: float
) -> tuple[float, float, float]:
    """Return the mean change of machines, and the ends of its interval at 1 - alpha.

    As they stand in one line, their errors are added as if they were the same one. Each has at least two days that
    count before and after.
    """
    values, widths = [], []
    for one in machines:
        ends, variance, days = [], 0.0, 0
        for window in (before, after):
            mask = counting(one, window)
            num, den = one.num[mask], one.den[mask]
            level = ratio(num, den)
            residuals = (num - level * den) / float(np.mean(den))
            n = len(residuals)
            variance += float(np.sum(residuals**2)) / (n - 1) / effective(residuals)
            ends.append(level)
            days += n
        values.append(ends[1] - ends[0])
        widths.append(float(student.isf(alpha / 2, days - 2)) * sqrt(variance))
    value, half = float(np.mean(values)), float(np.mean(widths))
    return value, value - half, value + half
