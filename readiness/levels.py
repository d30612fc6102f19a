"""Evidence levels: gates per machine, a quorum for the plant (readiness.md 7.5 a and b).

A level counts only with all levels below it. A level is an interval: undetermined gates fail at its low end and
pass at its high end. The plant has a level when machines with it make up the quorum of the declared weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.report import Bounds, Levels, Machine, Missing
from readiness.conditions import OPEN, PASS, conditions, reached, state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.report import Reason, Value
    from readiness.conditions import Why
    from readiness.inventory import Machine as Declared
    from readiness.model import Gates

CASCADE = 3
"""Levels whose progress is measured; the fourth is never automatic."""
ROUNDING = 1e-9


def judge(
    gates: Gates, inventory: Sequence[Declared], values: Mapping[str, Mapping[str, Value]]
) -> tuple[Levels, list[Machine], list[Missing]]:
    """Return the plant's level, each machine's, and the evidence that is missing.

    Args:
        gates: The model's levels.
        inventory: Declared machines.
        values: Machine -> metric or fact -> value.
    """
    machines, why = [], dict[tuple[str, "Reason"], list[str]]()
    for declared in inventory:
        letters, open_ = letters_of(gates, values[declared.id])
        for each in dict.fromkeys(open_):
            why.setdefault(each, []).append(declared.id)
        level = Levels(reached(gates.levels, letters, PASS), reached(gates.levels, letters, PASS + OPEN))
        machines.append(Machine(declared.id, declared.weight, level, letters))
    missing = [
        Missing(metric, reason, [] if len(who) == len(machines) else who) for (metric, reason), who in why.items()
    ]
    low, high = (quorum(gates, machines, [getattr(m.level, of) for m in machines]) for of in ("low", "high"))
    return Levels(low, high), machines, missing


def letters_of(gates: Gates, values: Mapping[str, Value]) -> tuple[str, list[Why]]:
    """Return one letter per condition, and what is missing for those that are open."""
    found = [state(condition, values, gates.tolerance) for condition in conditions(gates.levels)]
    return "".join(letter for letter, _ in found), [each for _, why in found for each in why]


def quorum(gates: Gates, machines: Sequence[Machine], levels: Sequence[int]) -> int:
    """Return the plant's level from those of its machines."""
    total = sum(m.weight for m in machines)

    def weight(k: int) -> float:
        return sum(m.weight for m, level in zip(machines, levels, strict=True) if level >= k)

    needed = gates.quorum * total * (1 - ROUNDING)
    return max((s.level for s in gates.levels if total and weight(s.level) >= needed), default=0)


def cascade(gates: Gates, machines: Sequence[Machine]) -> Bounds | None:
    """Return g1 + g1 g2 + g1 g2 g3; g is the share of declared weight that passes a level's own gates.

    The form of TRACC's maturity (readiness.md 3): it rises smoothly, and an upper gate counts for nothing without
    the lower ones. None without a machine.
    """
    total = sum(m.weight for m in machines)
    if not total:
        return None

    def progress(passing: str) -> float:
        found, product, position = 0.0, 1.0, 0
        for step in gates.levels[:CASCADE]:
            end = position + len(step.all)
            own = sum(m.weight for m in machines if set(m.gates[position:end]) <= set(passing))
            product *= own / total
            found += product
            position = end
        return round(found, 6)

    return Bounds(progress(PASS), progress(PASS + OPEN))
