"""What has changed between two windows that share no day (readiness.md 7.6).

Compared are scores on the machines that both windows have: declared in both, and known to the evidence of both or
of neither, as a machine that was added lowers a mean without anything having become worse. A change is called when
its 90 % interval excludes 0 and it is five points or more. The interval of a difference of independent values
comes from their own intervals (MOVER: Zou and Donner 2008),

    lo = d - sqrt((b - b_lo)^2 + (a_hi - a)^2),   hi = d + sqrt((b_hi - b)^2 + (a - a_lo)^2),   d = b - a,

with a before and b after. The caller computes both windows with one set of formulas and one model, from stored
evidence; windows that were measured differently are not compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contract.report import Change
from readiness.dimensions import dimensions, limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from contract.report import Value
    from readiness.model import Model
    from readiness.report import Assessment

POINTS = 5.0
Called = Literal["better", "worse", "none"]


class NotComparableError(Exception):
    """Two windows share days, have no machine in common, or were measured differently."""


@dataclass(frozen=True, slots=True)
class Changes:
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


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a window to compare another one with.

    Attributes:
        first: Its first production day.
        last: Its last one.
        model: With which it was measured.
        panel: Scores over the machines of both windows.
        total: Scores over all of its machines.
        weights: Machine -> weight, of the declared ones.
        seen: Machines that its evidence knows.
    """

    first: date
    last: date
    model: str
    panel: Mapping[str, Ends]
    total: Mapping[str, Ends]
    weights: Mapping[str, float]
    seen: frozenset[str]


def known(assessment: Assessment) -> frozenset[str]:
    """Return the declared machines of which the window has any evidence, if only that nothing came."""
    there = {name.partition("/")[0] for name in assessment.view.series}
    return frozenset(m.id for m in assessment.view.inventory if m.id in there)


def side(assessment: Assessment, other: Mapping[str, float], seen: frozenset[str]) -> Side:
    """Return one side of a comparison.

    Args:
        assessment: Of the window.
        other: Machine -> weight, as declared in the other window.
        seen: Machines that the other window's evidence knows.
    """
    view, mine = assessment.view, known(assessment)
    panel = {m.id for m in view.inventory if m.id in other and (m.id in mine) == (m.id in seen)}
    values = assessment.whole()
    return Side(
        first=view.dates[0],
        last=view.dates[-1],
        model=view.model.hash,
        panel=_scores(view.model, values if len(panel) == len(view.inventory) else assessment.values(panel)),
        total=_scores(view.model, values),
        weights=weights(assessment),
        seen=mine,
    )


def weights(assessment: Assessment) -> dict[str, float]:
    """Return machine -> declared weight."""
    return {m.id: m.weight for m in assessment.view.inventory}


def trend(before: Assessment, after: Assessment) -> Changes:
    """Compare two windows.

    Raises:
        NotComparableError: they share days, have no machine in common, or used different models.
    """
    return compare(side(before, weights(after), known(after)), side(after, weights(before), known(before)))


def compare(before: Side, after: Side) -> Changes:
    """Compare two windows that know of each other's machines.

    Raises:
        NotComparableError: they share days, have no machine in common, or used different models.
    """
    if before.last >= after.first:
        raise NotComparableError(f"the windows share days: {after.first} to {before.last}")
    if before.model != after.model:
        raise NotComparableError(f"two models: {before.model} and {after.model}")
    had, has = before.weights, after.weights
    panel = tuple(m for m in has if m in had and (m in before.seen) == (m in after.seen))
    if not panel:
        raise NotComparableError("no machine is in both windows")
    if any(had[m] != has[m] for m in panel):
        raise NotComparableError("the weights of machines have changed: assess both windows with one inventory")
    totals = before.total, after.total
    changes = [
        change(
            name,
            before.panel[name],
            ends,
            round(totals[1][name][0] - totals[0][name][0], 1) if all(name in t for t in totals) else None,
        )
        for name, ends in after.panel.items()
        if name in before.panel
    ]
    added = tuple(m for m in has if m not in panel and (m not in had or m in after.seen))
    gone = tuple(m for m in had if m not in panel and m not in added)
    return Changes(tuple(changes), panel, added, gone)


def _scores(model: Model, values: Mapping[str, Value]) -> dict[str, Ends]:
    """Return name -> score and limits of what is assessed: indicators, then dimensions."""
    found: dict[str, Ends] = {m: limits(model, v) for m, v in values.items() if v.score is not None}
    for each in dimensions(model, values, ""):
        if each.score is not None and each.lo is not None and each.hi is not None:
            found[each.id] = each.score, each.lo, each.hi
    return found
