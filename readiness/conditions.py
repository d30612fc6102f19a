"""Whether values meet the conditions of a ladder: evidence levels, bands and stages of other models.

A value passes when it is on the right side of the limit and the near end of its interval within the tolerance of
it. One on the right side whose interval reaches too far is undetermined, and so is one that is not assessed. What
does not apply by nature cannot fail. Of alternatives one has to pass; those that do not apply are no alternative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.report import Reason, Value
    from readiness.model import Condition, Step

PASS, FAIL, OPEN = "P", "F", "U"
NOT_APPLICABLE = "N"
Why = tuple[str, "Reason"]


def state(condition: Condition, values: Mapping[str, Value], tolerance: float) -> tuple[str, list[Why]]:
    """Return P, F or U, and what is missing why where it is open."""
    letter, why = _state(condition, values, tolerance)
    return (PASS if letter == NOT_APPLICABLE else letter), why


def _state(condition: Condition, values: Mapping[str, Value], tolerance: float) -> tuple[str, list[Why]]:
    if condition.any:
        return _alternatives([_state(part, values, tolerance) for part in condition.any])
    found = values.get(condition.name)
    if found is None:
        return OPEN, [(condition.name, "NA_NO_EVIDENCE")]
    if found.value is None:
        if found.reason == "NOT_APPLICABLE":
            return NOT_APPLICABLE, []
        return OPEN, [(condition.name, found.reason or "NA_NO_EVIDENCE")]
    letter = _judge(condition, found, found.value, tolerance)
    if letter == FAIL and set(condition.open) & set(found.flags):
        return OPEN, [(condition.name, "NA_NO_EVIDENCE")]
    return letter, [(condition.name, "NA_SHORT_WINDOW")] if letter == OPEN else []


def _alternatives(found: Sequence[tuple[str, list[Why]]]) -> tuple[str, list[Why]]:
    letters = {letter for letter, _ in found} - {NOT_APPLICABLE}
    if not letters:
        return NOT_APPLICABLE, []
    if PASS in letters:
        return PASS, []
    return (OPEN, [each for _, why in found for each in why]) if OPEN in letters else (FAIL, [])


def _judge(condition: Condition, found: Value, value: float, tolerance: float) -> str:
    lo = value if found.lo is None else found.lo
    hi = value if found.hi is None else found.hi
    if not passes(condition, value):
        return FAIL
    near = (
        (condition.min is None or lo >= condition.min * (1 - tolerance))
        and (condition.max is None or hi <= condition.max * (1 + tolerance))
        and (condition.above is None or lo > condition.above)
    )
    return PASS if near else OPEN


def passes(condition: Condition, value: float) -> bool:
    """Return whether a number is on the right side of the limit of a condition that is no list."""
    return (
        (condition.min is None or value >= condition.min)
        and (condition.max is None or value <= condition.max)
        and (condition.above is None or value > condition.above)
    )


def reached(steps: Sequence[Step], letters: str, passing: str) -> int:
    """Return the highest level all of whose conditions, and those below, are among `passing`."""
    level, position = 0, 0
    for step in steps:
        part = letters[position : position + len(step.all)]
        position += len(step.all)
        if any(letter not in passing for letter in part):
            break
        level = step.level
    return level


def conditions(steps: Sequence[Step]) -> list[Condition]:
    """Return the conditions of all levels, in order."""
    return [condition for step in steps for condition in step.all]
