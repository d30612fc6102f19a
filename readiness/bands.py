"""What the plant's evidence supports at most on the scales of other models (readiness.md 7.5 d and e)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from contract.report import Band, Value
from readiness.conditions import FAIL, OPEN, PASS, conditions, reached, state
from readiness.indicators.base import Missing
from readiness.levels import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.report import Dimension, Reason
    from readiness.indicators.base import Outcome
    from readiness.inventory import Machine
    from readiness.model import Ladder, Ladders


def of_dimensions(found: Sequence[Dimension], evidence: str) -> dict[str, Value]:
    """Return the scores of dimensions as values, so that conditions can ask for them."""
    return {
        d.id: Value(metric=d.id, unit="1", evidence=evidence, value=d.score, lo=d.lo, hi=d.hi)
        if d.score is not None
        else Value(metric=d.id, unit="1", evidence=evidence, reason="NA_NO_EVIDENCE")
        for d in found
    }


def carried(value: Value, outcomes: Mapping[str, Outcome], inventory: Sequence[Machine], quorum: float) -> Value:
    """Return a value of the plant as a scale may ask for it: missing where too few machines carry it.

    The mean over the machines that were assessed says nothing of the others, so what one machine of ten does is no
    evidence of a plant. The share of weight is that of the levels.
    """
    lacking: Counter[Reason] = Counter()
    total = 0.0
    for machine in inventory:
        found = outcomes[machine.id]
        if not isinstance(found, Missing):
            total += machine.weight
        elif found.reason != "NOT_APPLICABLE":
            total += machine.weight
            lacking[found.reason] += machine.weight  # type: ignore[assignment]  # a Counter counts weights as well
    if value.value is None or total - sum(lacking.values()) >= quorum * total * (1 - ROUNDING):
        return value
    most = max(sorted(lacking), key=lambda reason: lacking[reason])
    return Value(metric=value.metric, unit=value.unit, evidence=value.evidence, reason=most)


def band(ladder: Ladder, values: Mapping[str, Value], tolerance: float) -> Band:
    """Return where the plant stands on one scale, missing evidence failing and passing."""
    found = [state(condition, values, tolerance) for condition in conditions(ladder.steps)]
    letters = "".join(letter for letter, _ in found)
    high = reached(ladder.steps, letters, PASS + OPEN)
    position, missing = 0, list[str]()
    for step in ladder.steps:
        part = found[position : position + len(step.all)]
        position += len(step.all)
        if any(letter == FAIL for letter, _ in part):
            break
        missing += [name for letter, why in part if letter == OPEN for name, _ in why]
    return Band(
        id=ladder.id,
        low=reached(ladder.steps, letters, PASS),
        high=high,
        measurable=ladder.steps[-1].level,
        of=ladder.of,
        missing=list(dict.fromkeys(missing)),
    )


def bands(ladders: Ladders, values: Mapping[str, Value]) -> list[Band]:
    """Return where the plant stands on all scales of a model."""
    return [band(ladder, values, ladders.tolerance) for ladder in ladders.scales]
