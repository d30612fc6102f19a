"""Counters together: which of several to believe, what follows from two of them, and when they were known."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from readiness.counting import Counted
from readiness.records import QUARTER_NS
from readiness.spans import EMPTY, Spans, difference, intersection, normal, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.view import View

    Floats = NDArray[np.float64]

APART = 0.05
"""Share of a quarter hour for which one of two quantities may be known without the other."""


def when_known(view: View, counted: Counted) -> Spans:
    """Return when a quantity was known: all signals that it comes from."""
    return reduce(intersection, map(view.spans, counted.name.split()))


def known_alike(view: View, *quantities: Counted) -> Spans:
    """Return the quarter hours in which all signals of some quantities were known at the same times, or nearly so.

    What came unseen is left out of each, so in others one of them has pieces that another lacks.
    """
    signals = [view.spans(name) for name in sorted({n for one in quantities for n in one.name.split()})]
    apart = difference(union(*signals), reduce(intersection, signals))
    rows = [np.arange(r.start_ns, r.end_ns, QUARTER_NS, dtype=np.int64) for _, r in view.seen.records]
    if not rows:
        return EMPTY
    at = np.concatenate(rows)
    at = at[apart.within(Spans(at, at + QUARTER_NS)) <= APART * QUARTER_NS]
    return normal(at, at + QUARTER_NS)


def best(found: Sequence[Counted]) -> Counted:
    """Return the counter to believe of several with the same role: the one with the fewest unexplained steps.

    They are not added: a counter of the shift and one of the machine's life count the same pieces. One that counted
    in less than half as many quarter hours as another has been dead for most of the time, however quietly.
    """
    most = max(len(c.at) for c in found)
    order = sorted(
        found,
        key=lambda c: (
            2 * len(c.at) < most,
            float((c.faults + c.suspected + c.unresolved).sum()),
            -len(c.at),
            c.name,
        ),
    )
    return _with_others(order[0], tuple(c.name for c in order[1:]))


def _with_others(counted: Counted, others: tuple[str, ...]) -> Counted:
    fields = {name: getattr(counted, name) for name in Counted.__slots__}
    return Counted(**{**fields, "others": others})


def combined(plus: Counted, other: Counted, sign: int) -> Counted:
    """Return plus + sign * other: total of good and reject, or good of total and reject."""
    at = np.union1d(plus.at, other.at)

    def row(counted: Counted, values: Floats) -> Floats:
        found = np.zeros(len(at))
        found[np.searchsorted(at, counted.at)] = values
        return found

    return Counted(
        name=f"{plus.name} {other.name}",
        at=at,
        pieces=row(plus, plus.pieces) + sign * row(other, other.pieces),
        blind=row(plus, plus.blind) + sign * row(other, other.blind),
        backs=tuple(sorted((*plus.backs, *other.backs), key=lambda b: b.at_ns)),
        steps=plus.steps + other.steps,
        faults=plus.faults + other.faults,
        suspected=plus.suspected + other.suspected,
        unresolved=plus.unresolved + other.unresolved,
        counts=plus.counts,
        fast=plus.fast,
        pace=plus.pace,
        each=plus.each,
        derived=True,
        others=(*plus.others, *other.others),
    )
