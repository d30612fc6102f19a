"""The arithmetic of the rule, on one project or on arrays of them: five words from changes.

With m comparison machines that nobody touched, each machine's change is one draw of what happens without a project:
its own drift, its share of a shock, the noise of its days and their memory. The treated machine's change beside the
mean of the others then has the sd of their changes times sqrt(1 + 1 / m), by t(m - 1), whatever the memory of the
days is: nothing about it has to be estimated. The price is width. An interval from effective numbers of days alone
covers 57 to 95 %, because it cannot see what drifts with a machine.

From several sites the sites are the draws: two machines of one hall share its heat wave. A mean of two machines is
calmer than the one treated machine, so what two machines of a site differ by is put back:

    se^2 = S_b^2 (1 + 1 / g) + S_w^2 mean_j(1 - 1 / n_j)      g sites with n_j <= 2 machines
    S_b^2   between the means of sites;  E = V_site + V_own mean_j(1 / n_j)
    S_w^2   within p pairs;              E = V_own

which is V_site + V_own of the treated machine and the error of the mean beside it, without bias. The first term has
g - 1 degrees of freedom, the second p, their sum what Satterthwaite (1946) says. Without pairs it is t(g - 1).

The extension's interval is what both looks leave: one misses the truth in 4 % of cases, the other in 1 %, so what
they have in common misses it in at most 5 %, and it is narrower than the second alone, which at 99 % is mostly
wider than the first. (Where they have nothing in common the second holds.)

A project on several machines is one draw, whatever their number: they stand in one line and stop together, and how
alike they move is not known. Where they do not, its interval is wider than it needs to be (decision 82).

Leading axes of arrays are projects (or simulated runs); `tests/techsquare/verdict` runs this very code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from techsquare.verdict.terms import LEAST_CONTROLS, LEAST_SITES, MOST_A_SITE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.verdict.terms import Flags, Floats, Ints, Over, Word

WORDS: tuple[Word, ...] = ("cannot_tell", "improved", "worse", "no_change")
"""By code; `cause_not_shown` is never said by this arithmetic."""
CANNOT_TELL, IMPROVED, WORSE, NO_CHANGE = range(4)


@dataclass(frozen=True, slots=True)
class Reference:
    """What happened without a project.

    Its mean, the variance of a treated machine's change beside it, and the degrees of freedom of that variance. All
    have the shape of the leading axes.
    """

    mean: Floats
    variance: Floats
    freedom: Floats


@dataclass(frozen=True, slots=True)
class Told:
    """Estimate, ends of its interval and codes of words, each in the shape of the leading axes."""

    estimate: Floats
    low: Floats
    high: Floats
    word: Ints


def enough(sites: Sequence[str], over: Over) -> bool:
    """Return whether comparison machines on these sites (one entry a machine) allow a claim."""
    if over == "site":
        return len(sites) >= LEAST_CONTROLS
    return over == "sites" and len(set(sites)) >= LEAST_SITES


def allowed(sites: Sequence[str], over: Over) -> list[int]:
    """Return which of the comparison machines count: from other sites at most two each, the first ones."""
    if over == "site":
        return list(range(len(sites)))
    return [i for i, site in enumerate(sites) if list(sites[:i]).count(site) < MOST_A_SITE]


def reference(changes: Floats, sites: Sequence[str], over: Over) -> Reference:
    """Return what comparison machines say of a machine that nobody touches.

    Args:
        changes: (..., m) changes, m >= 2.
        sites: Of each of the m machines.
        over: Whether machines or sites are the draws.
    """
    if over == "site":
        m = changes.shape[-1]
        variance = changes.var(axis=-1, ddof=1) * (1 + 1 / m)
        return Reference(changes.mean(axis=-1), variance, np.full_like(variance, m - 1))
    names = list(dict.fromkeys(sites))
    groups = [[i for i, site in enumerate(sites) if site == name] for name in names]
    means = np.stack([changes[..., group].mean(axis=-1) for group in groups], axis=-1)
    pairs = [changes[..., group].var(axis=-1, ddof=1) for group in groups if len(group) > 1]
    g = len(groups)
    between = means.var(axis=-1, ddof=1) * (1 + 1 / g)
    if not pairs:
        return Reference(means.mean(axis=-1), between, np.full_like(between, g - 1))
    within = np.mean(pairs, axis=0) * float(np.mean([1 - 1 / len(group) for group in groups]))
    variance = between + within
    spread = between**2 / (g - 1) + within**2 / len(pairs)
    freedom = np.divide(variance**2, spread, out=np.full_like(variance, g - 1), where=spread > 0)
    return Reference(means.mean(axis=-1), variance, freedom)


def half_width(beside: Reference, alpha: float) -> Floats:
    """Return half the width of the interval at 1 - alpha."""
    return np.asarray(student.isf(alpha / 2, beside.freedom) * np.sqrt(beside.variance))


def tell(treated: Floats, beside: Reference, alpha: float, least: Floats | float, sign: int) -> Told:
    """Return what one look says.

    An interval beside zero is "improved" or "worse", however small; one that holds zero and nothing as large as
    `least` is "no change larger than" its farther end.
    """
    estimate = treated - beside.mean
    half = half_width(beside, alpha)
    return _worded(estimate, estimate - half, estimate + half, least, sign)


def extend(first: Told, second: Told, least: Floats | float, sign: int) -> Told:
    """Return what is told in the end: the verdict's date where it decided, else what both looks leave."""
    low, high = np.maximum(first.low, second.low), np.minimum(first.high, second.high)
    apart = low > high
    low, high = np.where(apart, second.low, low), np.where(apart, second.high, high)
    both = _worded(np.clip(second.estimate, low, high), low, high, least, sign)
    ended: Flags = first.word != CANNOT_TELL
    return Told(
        np.where(ended, first.estimate, both.estimate),
        np.where(ended, first.low, both.low),
        np.where(ended, first.high, both.high),
        np.where(ended, first.word, both.word),
    )


def _worded(estimate: Floats, low: Floats, high: Floats, least: Floats | float, sign: int) -> Told:
    small = (low > -np.asarray(least)) & (high < least)
    better, poorer = (low > 0, high < 0) if sign > 0 else (high < 0, low > 0)
    word = np.select([better, poorer, small], [IMPROVED, WORSE, NO_CHANGE], CANNOT_TELL)
    return Told(estimate, low, high, word)
