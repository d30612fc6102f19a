"""What an indicator is: one entry of the registry, with a formula that looks at one machine at a time.

A formula returns what it found in a form that says how certain it can be, never a bare number:

    Shares    time (or parts) per production day in which something held, of what counts: interval by day blocks
    Events    how many of so many events per production day: Wilson over events while they are few, else day blocks
    Rates     so many per so many, without an upper end: day blocks
    Buckets   a histogram per production day: quantile, interval by day blocks
    Sample    one number of each of several things (signals, bursts): their median, interval by order statistics
    Given     the formula has an interval of its own (a regression)
    Census    a quantity without sampling, everything was looked at: no interval
    Missing   no evidence, and why: a code, never a zero

How machines make a plant, where intervals come from and what the report looks like is the same for all of them
(`readiness.combine`, `readiness.report`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from contract.report import Quality, Reason
    from readiness.view import View

    Floats = NDArray[np.float64]
    Shown = float | int | str | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """What all found things have.

    Attributes:
        quality: How it came about.
        cap: The score is at most this, whatever the value.
        flags: Guards that have struck, as codes in capitals; the report explains them.
        shown: Further numbers to be shown beside the value, by name.
    """

    quality: Quality = "measured"
    cap: float = 100.0
    flags: tuple[str, ...] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Shares(Measured):
    """[days] each; `num` at most `den`, both 0 on days that do not count."""

    num: Floats
    den: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Events(Measured):
    """[days] each, whole numbers: `num` of `den` events of a day."""

    num: Floats
    den: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rates(Measured):
    """[days] each: value is `per` * sum(num) / sum(den); it may exceed `per`."""

    num: Floats
    den: Floats
    per: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Buckets(Measured):
    """Per production day bucket -> number (`readiness.sketch`), and the quantile that is the indicator."""

    days: tuple[Mapping[int, int], ...]
    quantile: float


@dataclass(frozen=True, slots=True, eq=False)
class Sample(Measured):
    """One number of each of several things: the value is their median."""

    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Given(Measured):
    """A value with limits of its own, from `n` days."""

    value: float
    lo: float
    hi: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Census(Measured):
    """A value of everything there is; `n` things were looked at."""

    value: float
    n: int


class Event(NamedTuple):
    """One event of a thing that several machines may share (a link), with its size as a bucket."""

    of: str
    from_ns: int
    to_ns: int
    day: int
    bucket: int


@dataclass(frozen=True, slots=True, eq=False)
class Few:
    """Events that are too few at one machine: those of several machines together may be enough for the plant.

    Attributes:
        events: In any order; those of one thing that overlap are one.
        counted: Which of the days count for the machine.
        least: Events that are enough.
        quantile: The indicator.
    """

    events: Sequence[Event]
    counted: Sequence[bool]
    least: int
    quantile: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Not assessed; an unreachable machine is `excluded` from the plant's denominator with a loss of coverage.

    Attributes:
        reason: Why.
        shown: What was found all the same, too little for a value.
        few: Likewise, for the plant to add up.
    """

    reason: Reason
    shown: Mapping[str, Shown] = field(default_factory=dict, compare=False)
    few: Few | None = field(default=None, compare=False)


Found = Shares | Events | Rates | Buckets | Sample | Given | Census
Outcome = Found | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One entry of the registry.

    Attributes:
        id: Stable code, also in topics and gates.
        ko: Name in Korean.
        en: Name in English.
        unit: UCUM code of the value; "1" for a share, which is the only one that is read as a percentage.
        formula: What is computed, in one line.
        source: Where definition and reasons stand.
        inputs: Evidence that it needs; names of `readiness.inputs`.
        reasons: Codes with which it may be not assessed.
        guard: What would mislead, and what is done against it.
        evaluate: Looks at one declared machine.
        roles: Whether the value depends on what people said signals mean.
        scope: "plant" where the value is the plant's, the same whichever machine is asked.
        production: Whether it asks for what only a machine that makes something has, and does not apply to others.
    """

    id: str
    ko: str
    en: str
    unit: str
    formula: str
    source: str
    inputs: tuple[str, ...]
    reasons: tuple[Reason, ...]
    guard: str
    evaluate: Callable[[View, str], Outcome] = field(repr=False)
    roles: bool = False
    scope: Literal["machine", "plant"] = "machine"
    production: bool = False
