"""What has changed between two windows that share no day (readiness.md 7.6).

Compared are scores on the machines that both windows have, as a machine that was added lowers a mean without
anything having become worse. A change is called when its 90 % interval excludes 0 and it is five points or more.
The interval of a difference of independent values comes from their own intervals (MOVER: Zou and Donner 2008),

    lo = d - sqrt((b - b_lo)^2 + (a_hi - a)^2),   hi = d + sqrt((b_hi - b)^2 + (a - a_lo)^2),   d = b - a,

with a before and b after. The caller computes both windows with one set of formulas and one model, from stored
evidence; windows that were measured differently are not compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from readiness.dimensions import dimensions, limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.report import Value
    from readiness.model import Model
    from readiness.report import Assessment

POINTS = 5.0
Called = Literal["better", "worse", "none"]


class NotComparableError(Exception):
    """Two windows share days, have no machine in common, or were measured differently."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one score, in points; `total` is the change over all machines, new ones too."""

    id: str
    before: float
    after: float
    lo: float
    hi: float
    called: Called
    total: float | None

    @property
    def d(self) -> float:
        """After less before."""
        return round(self.after - self.before, 1)


@dataclass(frozen=True, slots=True)
class Trend:
    """Changes by indicator and dimension; the panel, and the machines that only one window has."""

    changes: tuple[Change, ...]
    panel: tuple[str, ...]
    added: tuple[str, ...]
    gone: tuple[str, ...]


Ends = tuple[float, float, float]
"""Score, and its limits."""


def change(name: str, before: Ends, after: Ends, total: float | None = None) -> Change:
    """Return the change of one score with its interval, and whether it can be called one."""
    (a, a_lo, a_hi), (b, b_lo, b_hi) = before, after
    d = b - a
    lo = d - math.hypot(b - b_lo, a_hi - a)
    hi = d + math.hypot(b_hi - b, a - a_lo)
    called: Called = "none"
    if abs(d) >= POINTS and (lo > 0 or hi < 0):
        called = "better" if d > 0 else "worse"
    return Change(name, a, b, round(lo, 1), round(hi, 1), called, total)


def trend(before: Assessment, after: Assessment) -> Trend:
    """Compare two windows.

    Raises:
        NotComparableError: they share days, have no machine in common, or used different models.
    """
    old, new = before.view, after.view
    if old.dates[-1] >= new.dates[0]:
        raise NotComparableError(f"the windows share days: {new.dates[0]} to {old.dates[-1]}")
    if old.model.hash != new.model.hash:
        raise NotComparableError(f"two models: {old.model.hash} and {new.model.hash}")
    had, has = {m.id: m for m in old.inventory}, {m.id: m for m in new.inventory}
    panel = tuple(m for m in has if m in had)
    if not panel:
        raise NotComparableError("no machine is in both windows")
    if any(had[m].weight != has[m].weight for m in panel):
        raise NotComparableError("the weights of machines have changed: assess both windows with one inventory")
    model = new.model
    rows = [_scores(model, each.values(panel)) for each in (before, after)]
    totals = [_scores(model, each.values()) for each in (before, after)]
    changes = [
        change(
            name,
            rows[0][name],
            rows[1][name],
            round(totals[1][name][0] - totals[0][name][0], 1) if all(name in t for t in totals) else None,
        )
        for name in rows[1]
        if name in rows[0]
    ]
    added, gone = tuple(m for m in has if m not in had), tuple(m for m in had if m not in has)
    return Trend(tuple(changes), panel, added, gone)


def _scores(model: Model, values: Mapping[str, Value]) -> dict[str, Ends]:
    """Return name -> score and limits of what is assessed: indicators, then dimensions."""
    found: dict[str, Ends] = {m: limits(model, v) for m, v in values.items() if v.score is not None}
    for each in dimensions(model, values, ""):
        if each.score is not None and each.lo is not None and each.hi is not None:
            found[each.id] = each.score, each.lo, each.hi
    return found
