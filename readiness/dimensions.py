"""Dimensions, and the index over them (readiness.md 7.4 and 7.5 c).

A dimension is the weighted mean of the scores of its assessed indicators. It is not assessed when too few are, or
when one is missing that a level rests on. Two uncertainties stand beside it and are not mixed: what sampling leaves
open (the mean of the scores at the indicators' limits, as if all erred the same way at once), and how much the
weights matter (90 % of weightings drawn evenly from all there are, Dirichlet(1)).

The index is the geometric mean, in which nothing makes up for a dimension that is near zero, as an arithmetic mean
would, and which does not jump like a minimum. A dimension that is not assessed is not imputed: bounds tell what the
index would be with it at 1 and at 100.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from contract.codec import checksum
from contract.report import Dimension, Index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.report import Value
    from readiness.model import Dimension as Asked
    from readiness.model import Dimensions, Model

FLOOR, TOP = 1.0, 100.0
BAND = (0.05, 0.95)


def limits(model: Model, found: Value) -> tuple[float, float, float]:
    """Return the score of an assessed value and those at its limits, less what caps took."""
    assert found.value is not None
    assert found.score is not None
    lost = model.score(found.metric, found.value) - found.score
    ends = [model.score(found.metric, end) - lost for end in (found.lo, found.hi) if end is not None]
    return found.score, max(min([found.score, *ends]), 0.0), min(max([found.score, *ends]), 100.0)


def dimension(model: Model, asked: Asked, values: Mapping[str, Value], evidence: str) -> Dimension:
    """Return one dimension of the values that are given."""
    rules = model.dimensions
    applicable = [m for m in asked.weights if m in values and values[m].reason != "NOT_APPLICABLE"]
    assessed = [m for m in applicable if values[m].score is not None]
    head = Dimension(
        id=asked.id,
        assessed=len(assessed),
        applicable=len(applicable),
        coverage=round(len(assessed) / len(applicable), 6) if applicable else 0.0,
        missing=[m for m in applicable if m not in assessed],
    )
    if not applicable:
        return _with(head, reason="not_applicable")
    if not assessed or len(assessed) < rules.enough * len(applicable):
        return _with(head, reason="coverage")
    needed = [[m for m in one if m in applicable] for one in asked.needs]
    if any(one and not set(one) & set(assessed) for one in needed):
        return _with(head, reason="gate")
    rows = np.array([limits(model, values[m]) for m in assessed])
    weights = np.array([asked.weights[m] for m in assessed])
    score, lo, hi = weights @ rows / weights.sum()
    # The stream of RandomState is frozen for ever; normalised exponentials are Dirichlet(1).
    state = np.random.RandomState(int(checksum(f"{evidence} {asked.id}".encode()), 16) % 2**32)
    drawn = state.standard_exponential((rules.draws, len(assessed)))
    least, most = np.quantile(drawn @ rows[:, 0] / drawn.sum(axis=1), BAND)
    numbers = {"score": score, "lo": lo, "hi": hi, "least": least, "most": most}
    return _with(head, **{name: round(float(number), 1) for name, number in numbers.items()})


def _with(head: Dimension, **more: object) -> Dimension:
    return type(head)(**{**{f: getattr(head, f) for f in head.__struct_fields__}, **more})


def dimensions(model: Model, values: Mapping[str, Value], evidence: str) -> list[Dimension]:
    """Return all dimensions; only those with an indicator among the values can apply."""
    return [dimension(model, asked, values, evidence) for asked in model.dimensions.dimensions]


def index(found: Sequence[Dimension]) -> Index | None:
    """Return the geometric mean of the assessed dimensions with its bounds; None if none applies."""
    apply_ = [d for d in found if d.reason != "not_applicable"]
    if not apply_:
        return None
    scores = [max(d.score, FLOOR) for d in apply_ if d.score is not None]
    missing = len(apply_) - len(scores)

    def mean(more: Sequence[float]) -> float:
        return round(math.exp(math.fsum(math.log(s) for s in (*scores, *more)) / len((*scores, *more))), 1)

    return Index(
        dimensions=len(scores),
        low=mean([FLOOR] * missing),
        high=mean([TOP] * missing),
        value=mean(()) if scores else None,
    )


def names(rules: Dimensions) -> dict[str, str]:
    """Return indicator -> its dimension."""
    return {metric: each.id for each in rules.dimensions for metric in each.weights}
