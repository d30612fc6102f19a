"""What an indicator is: one entry of the registry, with a formula that looks at one machine at a time.

A formula returns what it found in a form that says how certain it can be, never a bare number:

    Shares    time per production day in which something held, of time that counts: interval by day blocks
    Census    a quantity without sampling, everything was looked at: no interval
    Buckets   a histogram per production day: quantile, interval by day blocks
    Missing   no evidence, and why: a code, never a zero

How machines make a plant, where intervals come from and what the report looks like is the same for all of them
(`readiness.combine`, `readiness.report`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from contract.report import Quality, Reason
    from readiness.view import View

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """[days] each, in nanoseconds; `num` at most `den`, both 0 on days that do not count."""

    num: Floats
    den: Floats
    quality: Quality = "measured"


@dataclass(frozen=True, slots=True)
class Census:
    """A value of everything there is; `n` things were looked at."""

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Buckets:
    """Per production day bucket -> number (`readiness.sketch`), and the quantile that is the indicator."""

    days: tuple[Mapping[int, int], ...]
    quantile: float
    quality: Quality = "measured"


@dataclass(frozen=True, slots=True)
class Missing:
    """Not assessed; an unreachable machine is `excluded` from the plant's denominator with a loss of coverage."""

    reason: Reason


Outcome = Shares | Census | Buckets | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One entry of the registry.

    Attributes:
        id: Stable code, also in topics and gates.
        ko: Name in Korean.
        en: Name in English.
        unit: UCUM code of the value; "1" for a share.
        formula: What is computed, in one line.
        source: Where definition and reasons stand.
        inputs: Evidence that it needs; names of `readiness.inputs`.
        reasons: Codes with which it may be not assessed.
        guard: What would mislead, and what is done against it.
        evaluate: Looks at one declared machine.
        roles: Whether the value depends on what people said signals mean.
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
