"""How likely each evidence level is, given which days the window happened to hold (readiness.md 7.6).

Whole production days are drawn anew for the whole plant, and each gate is asked of the values of the drawn days:
outcomes with numbers per day are computed again. Where too few days differ to draw from (`readiness.stats`), and
for outcomes without numbers per day, a value is drawn from its interval instead, as if normal on either side, the
same way at all machines. Only the value is compared with the limit; that intervals must be near is a rule about one
window. What is missing stays missing in all replicates, so a chance is an interval itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from contract.codec import checksum
from contract.report import Chance
from readiness.indicators.base import Events, Rates, Shares
from readiness.levels import ROUNDING
from readiness.stats import FEW, REPLICATES, Ratios, Z, draws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from contract.report import Value
    from readiness.indicators.base import Outcome
    from readiness.inventory import Machine
    from readiness.model import Condition, Gates

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

Pair = tuple["Bools", "Bools"]
"""[replicates] whether it passes when what is missing fails, and when it passes."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """Draws for one report.

    Attributes:
        gates: The levels.
        values: Machine -> metric or fact -> value.
        outcomes: Metric -> machine -> what was found.
        days: Which days of the window can be drawn.
        seed: Words from which the draws come.
    """

    gates: Gates
    values: Mapping[str, Mapping[str, Value]]
    outcomes: Mapping[str, Mapping[str, Outcome]]
    days: Bools
    seed: str

    @cached_property
    def _counts(self) -> Floats:
        return draws(int(self.days.sum()), int(checksum(self.seed.encode()), 16))

    def _normal(self, metric: str) -> Floats:
        state = np.random.RandomState(int(checksum(f"{self.seed} {metric}".encode()), 16) % 2**32)
        return np.asarray(state.standard_normal(REPLICATES))

    def chances(self, inventory: Sequence[Machine]) -> list[Chance]:
        """Return the chance of each level."""
        total = sum(m.weight for m in inventory)
        if not total or not self.days.any():
            return []
        needed = self.gates.quorum * total * (1 - ROUNDING)
        there = [(m.weight, self._machine(m.id)) for m in inventory]
        weights = np.array([w for w, _ in there])

        def share(index: int, end: int) -> float:
            passing = weights @ np.array([levels[index][end] for _, levels in there], np.float64)
            return float((passing >= needed).mean())

        return [Chance(step.level, share(k, 0), share(k, 1)) for k, step in enumerate(self.gates.levels)]

    def _machine(self, machine: str) -> list[Pair]:
        """Return per level whether a machine has it."""
        low, high = np.ones(REPLICATES, np.bool_), np.ones(REPLICATES, np.bool_)
        found: list[Pair] = []
        for step in self.gates.levels:
            for condition in step.all:
                worst, best = self._asked(condition, machine)
                low, high = low & worst, high & best
            found.append((low, high))
        return found

    def _asked(self, condition: Condition, machine: str) -> Pair:
        if condition.any:
            parts = [self._asked(part, machine) for part in condition.any if self._applies(part, machine)]
            parts = parts or [(np.ones(REPLICATES, np.bool_),) * 2]
            return np.any([p for p, _ in parts], axis=0), np.any([p for _, p in parts], axis=0)
        yes = np.ones(REPLICATES, np.bool_)
        if not self._applies(condition, machine):
            return yes, yes
        value = self.values[machine].get(condition.name)
        if value is None or value.value is None:
            return ~yes, yes
        drawn = self._drawn(condition.name, machine, value)
        holds = yes
        if condition.min is not None:
            holds = holds & (drawn >= condition.min)
        if condition.max is not None:
            holds = holds & (drawn <= condition.max)
        if condition.above is not None:
            holds = holds & (
                drawn - (value.value - (value.value if value.lo is None else value.lo)) > condition.above
            )
        named = bool(set(condition.open) & set(value.flags))
        return holds, yes if named else holds

    def _applies(self, condition: Condition, machine: str) -> bool:
        value = self.values[machine].get(condition.name)
        return bool(condition.any) or value is None or value.reason != "NOT_APPLICABLE"

    def _drawn(self, metric: str, machine: str, value: Value) -> Floats:
        found = self.outcomes.get(metric, {}).get(machine)
        if isinstance(found, Shares | Events | Rates):
            num, den = found.num[self.days], found.den[self.days]
            known = Ratios.of(num[None, :], den[None, :], np.ones(1))
            differ = known.days_with(known.num) >= FEW and known.days_with(known.den - known.num) >= FEW
            if differ and known.spread():
                top, bottom = self._counts @ num, self._counts @ den
                per = found.per if isinstance(found, Rates) else 1.0
                return np.where(bottom > 0, per * top / np.maximum(bottom, 1e-300), cast("float", value.value))
        middle = cast("float", value.value)
        if value.lo is None or value.hi is None:
            return np.full(REPLICATES, middle)
        z = self._normal(metric)
        return middle + z / Z * np.where(z < 0, middle - value.lo, value.hi - middle)
