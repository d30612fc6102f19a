"""Evidence levels: gates per machine, a quorum for the plant (readiness.md 7.5 a).

A machine passes a gate when its value is on the right side of the limit and the near end of its interval is within
the tolerance of it. A value on the right side with an interval that reaches too far is undetermined, and so is a
value that is not assessed: a level is an interval, undetermined gates fail at its low end and pass at its high end.
A level counts only with all levels below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.report import Levels, Machine, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.report import Reason, Value
    from readiness.inventory import Machine as Declared
    from readiness.model import Condition, Gates

PASS, FAIL, OPEN = "P", "F", "U"


def conditions(gates: Gates) -> list[Condition]:
    """Return the conditions of all levels, in order."""
    return [condition for level in gates.levels for condition in level.all]


def state(condition: Condition, found: Value | None, tolerance: float) -> tuple[str, Reason | None]:
    """Return whether a machine passes a condition, and why that is open."""
    if found is None:
        return OPEN, "NA_NO_EVIDENCE"
    if found.value is None:
        return OPEN, found.reason
    lo = found.value if found.lo is None else found.lo
    hi = found.value if found.hi is None else found.hi
    if condition.min is not None and found.value < condition.min:
        return FAIL, None
    if condition.max is not None and found.value > condition.max:
        return FAIL, None
    near = (condition.min is None or lo >= condition.min * (1 - tolerance)) and (
        condition.max is None or hi <= condition.max * (1 + tolerance)
    )
    return (PASS, None) if near else (OPEN, "NA_SHORT_WINDOW")


def reached(gates: Gates, letters: str, passing: str) -> int:
    """Return the highest level all of whose gates, and those below, are among `passing`."""
    level, position = 0, 0
    for step in gates.levels:
        part = letters[position : position + len(step.all)]
        position += len(step.all)
        if any(letter not in passing for letter in part):
            break
        level = step.level
    return level


def judge(
    gates: Gates, inventory: Sequence[Declared], values: Mapping[str, Mapping[str, Value]]
) -> tuple[Levels, list[Machine], list[Missing]]:
    """Return the plant's level, each machine's, and the evidence that is missing.

    Args:
        gates: The model's levels.
        inventory: Declared machines.
        values: Machine -> metric -> value.
    """
    asked = conditions(gates)
    machines, why = [], dict[tuple[str, "Reason"], list[str]]()
    for declared in inventory:
        letters = ""
        for condition in asked:
            letter, reason = state(condition, values[declared.id].get(condition.metric), gates.tolerance)
            letters += letter
            if reason is not None:
                why.setdefault((condition.metric, reason), []).append(declared.id)
        level = Levels(reached(gates, letters, PASS), reached(gates, letters, PASS + OPEN))
        machines.append(Machine(declared.id, declared.weight, level, letters))
    total = sum(m.weight for m in machines)

    def quorum(of: str) -> int:
        def weight(k: int) -> float:
            return sum(m.weight for m in machines if getattr(m.level, of) >= k)

        return max((s.level for s in gates.levels if total and weight(s.level) >= gates.quorum * total), default=0)

    missing = [
        Missing(metric, reason, [] if len(who) == len(machines) else who) for (metric, reason), who in why.items()
    ]
    return Levels(quorum("low"), quorum("high")), machines, missing
