"""What a verdict is made of: a plan that was fixed beforehand, series of machine-days, and five words.

    estimate   change of the treated machine minus the mean change of m >= 5 comparison machines
    interval   +- t(m - 1) sd of the comparison machines' own changes, sqrt(1 + 1 / m)      (DESIGN 9)
    looks      one date of the verdict (alpha 0.04) and one extension (alpha 0.01)

A change is the ratio of sums after minus the ratio of sums before, never a mean of ratios. Product mix is not
standardised: day data hold no products. Where the mix changes, an ideal cycle per product in `num` does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Ints = NDArray[np.int64]

Word = Literal["improved", "worse", "no_change", "cannot_tell", "cause_not_shown"]
DECIDED: frozenset[Word] = frozenset({"improved", "worse", "no_change"})
"""After one of these at the verdict's date there is no extension."""
ALPHAS = (0.04, 0.01)
"""Of the verdict's date, and of the extension."""
LEAST_CONTROLS = 5
LEAST_SITES, MOST_A_SITE = 5, 2
"""Comparison machines stand on the treated machine's site, or on so many others with at most so many on each."""
LEAST_COVERAGE = 0.8
"""A day counts from this share of planned time of which anything is known; the others are counted and left out."""
LEAST_DAYS = 10
"""Days that count, before and after each, below which a machine has no change."""
PROMISE_DAYS = 40
"""Baseline days below which nothing is promised."""

Over = Literal["site", "sites", "none"]
"""Where the comparison machines stand: on the treated machine's site, on others, or there are not enough."""
Why = Literal[
    "no_controls",  # the plan has none: nothing better than "cause not shown" can be said
    "controls_lost",  # it had some, too few of them have days now
    "few_days",  # the treated machine has too few days that count
    "still",  # the comparison machines did not move at all: nothing is known of what moves by itself
    "below_least",  # improved, and by less than what the plan calls worth it
    "dropped_days",  # more than a fifth of planned days had too little coverage
    "late",  # the installation was not on the planned day
]


@dataclass(frozen=True, slots=True)
class Series:
    """A machine's days of one metric: arrays of the same length, in order of the days.

    The day's value is `num / den`; a day without planned time has `den` 0. Of machines in a plan the metric's unit
    is that of `num / den` (shares as shares, percent as percent).
    """

    machine: str
    site: str
    days: Sequence[date]
    num: Floats
    den: Floats
    coverage: Floats


@dataclass(frozen=True, slots=True)
class Use:
    """A signal that shows use, and how often it has to (planned days); without one use is not assessed."""

    system: str
    signal: str
    every_days: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is agreed and frozen before the installation begins; nothing of it may change afterwards.

    Attributes:
        project: Its id.
        metric: One, fixed beforehand.
        unit: The metric's.
        sign: +1 where more is better.
        treated: The project's machines; the mean of their changes is the project's.
        controls: Comparison machines.
        over: Where they stand. Fixed here, so that lost data cannot change the kind of comparison.
        applied: When help was asked for. The baseline begins later, because factories ask in bad months.
        frozen: When the plan was.
        baseline: First and last day.
        installed: The planned day.
        blackout_days: On both sides of the installation, left out.
        verdict_on: The days before it are looked at, with the first alpha.
        extended_to: Likewise with the second alpha, if the first look decided nothing.
        least: The change, in the metric's unit, below which it is not worth the money.
        use: What shows use.
        hash: SHA-256 over all fields but itself, as canonical JSON.
        evidence: SHA-256 over the days of the baseline as they were when it was frozen, made by whoever keeps them;
            empty where nobody does. As the hash covers it, the plan's hash names these days and no others.
    """

    project: str
    metric: str
    unit: str
    sign: Literal[1, -1]
    treated: Sequence[str]
    controls: Sequence[str]
    over: Over
    applied: date
    frozen: date
    baseline: tuple[date, date]
    installed: date
    blackout_days: int
    verdict_on: date
    extended_to: date
    least: float
    use: Use | None
    hash: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Placebo:
    """What would have been said of a day of the baseline on which nothing was installed."""

    on: date
    estimate: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said on a date, in the metric's unit; None where nothing can be computed.

    Attributes:
        word: One of five.
        look: 1 the verdict's date, 2 the extension.
        alpha: Of this look.
        estimate: Change of the treated machines minus that of the comparison machines.
        low: Lower end of its interval at 1 - alpha.
        high: Upper end.
        own: The treated machines' own change, and the ends of its interval from effective numbers of days: a
            diagnostic that cannot see what drifts with a machine. Without comparison machines it is all there is.
        controls: Comparison machines that counted.
        sites: On so many sites.
        days: (before, after) days of the treated machines that counted.
        dropped: (before, after) planned days left out, for coverage.
        placebo: Share of pretended dates with a change at least as large; None without any.
        placebos: The dates, to be shown.
        larger_than: X of "no change larger than X".
        why: What limited it.
        plan: The plan's hash.
    """

    word: Word
    look: Literal[1, 2]
    alpha: float
    estimate: float | None
    low: float | None
    high: float | None
    own: tuple[float, float, float] | None
    controls: int
    sites: int
    days: tuple[int, int]
    dropped: tuple[int, int]
    placebo: float | None
    placebos: Sequence[Placebo]
    larger_than: float | None
    why: Sequence[Why]
    plan: str


@dataclass(frozen=True, slots=True)
class Promise:
    """The smallest change that the plan can show in four of five cases, as a range, in the metric's unit.

    None instead of numbers below `PROMISE_DAYS` or with too few controls, with the reason. `by` says what it rests
    on: the baseline and a stated prior of own drift, or the controls' own past; only the past gives a `likely` one.
    `assumed` holds the numbers behind it: `power`, `sd` and `rho` of days, `own_a_month` as believed and at most
    (the prior), in sds of machines, and how many `windows` of the past.
    """

    low: float | None
    high: float | None
    likely: float | None
    days: int
    controls: int
    by: Literal["baseline", "past"] | None
    reason: Literal["short_baseline", "few_controls", "still"] | None
    assumed: Mapping[str, float]
