"""The list of faults: the same seed gives the same list. Pure.

A target suffers one fault at a time, so that it is known what mends it; different targets may be down together.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOUR_S = 3600.0

FAULTS: Mapping[str, tuple[str, ...]] = {
    "agent": ("kill", "stop", "pause"),
    "broker": ("kill", "stop", "pause"),
    "worker-1": ("kill", "stop", "pause"),
    "worker-2": ("kill", "stop", "pause"),
    "database": ("kill", "stop", "pause"),
    "plc": ("kill", "pause"),
    "cnc": ("kill", "pause"),
    "line:agent": ("cut", "slow", "reset"),
    "line:worker-1": ("cut", "slow", "reset"),
    "line:worker-2": ("cut", "slow", "reset"),
    "line:database": ("cut", "slow", "reset"),
    "line:plc": ("cut", "slow", "reset"),
    "line:cnc": ("cut", "slow", "reset"),
    "net:office": ("part",),
    "net:factory": ("part",),
    "disk:agent": ("fill",),
    "disk:letters": ("fill",),
    "disk:database": ("fill",),
    "clock": ("step", "boot"),
}
"""What can happen to whom."""

WEIGHTS = {"agent": 3.0, "broker": 2.0, "clock": 2.0, "disk:agent": 0.7, "disk:letters": 0.3, "disk:database": 0.7}

LONGEST_S = {"pause": 40.0, "cut": 15.0, "slow": 12.0, "part": 15.0, "fill": 45.0, "boot": 25.0}
"""Most faults are short; these say how long the longest of each kind lasts. Others are over when they are done."""
RESTART_S = (0.0, 0.0, 0.5, 3.0, 8.0)
STEPS_S = (-5 * HOUR_S, -HOUR_S, -90.0, -3.0, 3.0, 90.0, HOUR_S, 7 * HOUR_S)


class Fault(NamedTuple):
    """One fault: at `at_s` from the start, for `seconds`; `amount` is the clock's step in s."""

    at_s: float
    target: str
    kind: str
    seconds: float
    amount: float = 0.0

    def __str__(self) -> str:
        """Return it as a line of a log."""
        step = f" by {self.amount:+.0f} s" if self.amount else ""
        return f"{self.target:14} {self.kind:6} {self.seconds:5.1f} s{step}"


def plan(
    seed: int, seconds: float, faults: int, targets: Mapping[str, Sequence[str]] = FAULTS, longest_s: float = 60.0
) -> list[Fault]:
    """Return the faults of a run, in order.

    Args:
        seed: Of the dice.
        seconds: How long it lasts; nothing begins later.
        faults: How many there are, as far as there is room for them.
        targets: What may happen to whom.
        longest_s: No fault lasts longer.
    """
    dice = random.Random(seed)
    names = sorted(targets)
    free = dict.fromkeys(names, 0.0)
    found = []
    for at in sorted(dice.uniform(0, seconds) for _ in range(faults)):
        ready = [name for name in names if free[name] <= at] or [min(names, key=lambda n: free[n])]
        target = dice.choices(ready, [WEIGHTS.get(name, 1.0) for name in ready])[0]
        fault = _one(dice, max(at, free[target]), target, dice.choice(list(targets[target])), longest_s)
        free[target] = fault.at_s + fault.seconds + 2.0  # it must be seen to work in between
        found.append(fault)
    return sorted(found)


def _one(dice: random.Random, at: float, target: str, kind: str, longest_s: float) -> Fault:
    if kind in LONGEST_S:
        seconds = min(LONGEST_S[kind], longest_s) * max(0.05, dice.random() ** 2)
    elif kind in {"kill", "stop"}:
        seconds = min(dice.choice(RESTART_S), longest_s)
    else:
        seconds = 0.0
    return Fault(round(at, 1), target, kind, round(seconds, 1), dice.choice(STEPS_S) if kind == "step" else 0.0)
