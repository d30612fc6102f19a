"""What share of a loss a success saves, from verified outcomes: a supplier's own, shrunk to its family's mean.

    supplier's outcomes   combined with weights 1 / se**2                           y, v
    suppliers of a family y ~ N(m, v + tau**2), one tau for all families            (Paule and Mandel 1982)
    family's mean m       the suppliers, with weights 1 / (v + tau**2), beside the catalogue's prior
    estimate              B m + (1 - B) y, B = v / (v + tau**2); its variance counts the uncertainty of m

Gains are those of improved outcomes. Where one must be large to be seen, those seen are too large; shrinking takes
most of that away, and a supplier with one lucky outcome is near its family. A family that has neither an outcome
nor a prior has no gain: nobody can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from techsquare.matching.terms import Counted

LEAST_SE = 1e-3
"""No outcome is known better than a thousandth of the loss; it keeps one from weighing as much as all others."""
DEFAULT_TAU = 0.05
"""Between suppliers of a family, while too few outcomes exist to say."""
STEPS = 60


class Gain(NamedTuple):
    """A share of the loss: mean, standard deviation, and the number of verified outcomes of the supplier itself."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True, slots=True)
class Gains:
    """The fit of all families: `own` (supplier, family) and `family` estimates, and the spread of suppliers."""

    own: Mapping[tuple[str, str], Gain]
    family: Mapping[str, Gain]
    tau: float

    def of(self, supplier: str, family: str) -> Gain | None:
        """Return the gain of a supplier's solution; its family's without an outcome; None where nobody knows."""
        found = self.own.get((supplier, family))
        return found if found is not None else self.family.get(family)


def fitted(counts: Mapping[tuple[str, str], Counted], priors: Mapping[str, tuple[float, float]]) -> Gains:
    """Fit the gains.

    Args:
        counts: (supplier, family) -> outcomes.
        priors: Family -> mean and standard deviation that the catalogue gives.
    """
    known: dict[str, dict[str, tuple[float, float, int]]] = {}
    for (supplier, family), counted in sorted(counts.items()):
        if counted.gains:
            known.setdefault(family, {})[supplier] = (*_combined(sorted(counted.gains)), len(counted.gains))
    spread = _tau_squared([[(y, v) for y, v, _ in rows.values()] for rows in known.values()])
    own: dict[tuple[str, str], Gain] = {}
    families: dict[str, Gain] = {}
    for family in sorted({*known, *priors}):
        rows = known.get(family, {})
        mean, variance = _mean(((y, v) for y, v, _ in rows.values()), spread, priors.get(family))
        families[family] = Gain(mean, sqrt(spread + variance), 0)
        for supplier, (y, v, n) in rows.items():
            shrink = v / (v + spread) if v + spread > 0 else 1.0
            var = spread * shrink + shrink * shrink * variance
            own[supplier, family] = Gain(shrink * mean + (1 - shrink) * y, sqrt(var), n)
    return Gains(own, families, sqrt(spread))


def _combined(gains: Iterable[tuple[float, float]]) -> tuple[float, float]:
    weighted = [(gain, 1 / max(se, LEAST_SE) ** 2) for gain, se in gains]
    total = sum(weight for _, weight in weighted)
    return sum(gain * weight for gain, weight in weighted) / total, 1 / total


def _mean(
    rows: Iterable[tuple[float, float]], spread: float, prior: tuple[float, float] | None
) -> tuple[float, float]:
    """Return a family's mean and its variance; it has a row or a prior."""
    weighted = [(y, 1 / (v + spread)) for y, v in rows]
    if prior is not None:
        weighted.append((prior[0], 1 / max(prior[1], LEAST_SE) ** 2))
    total = sum(weight for _, weight in weighted)
    return sum(y * weight for y, weight in weighted) / total, 1 / total


def _tau_squared(families: list[list[tuple[float, float]]]) -> float:
    """Return the variance between suppliers that makes the scaled squares as large as their degrees of freedom."""
    families = [rows for rows in families if len(rows) > 1]
    freedom = sum(len(rows) - 1 for rows in families)
    if freedom < 3:
        return DEFAULT_TAU**2

    def excess(spread: float) -> float:
        total = 0.0
        for rows in families:
            mean, _ = _mean(rows, spread, None)
            total += sum((y - mean) ** 2 / (v + spread) for y, v in rows)
        return total - freedom

    low, high = 0.0, 1.0
    if excess(low) <= 0:
        return low
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2
