"""From what formulas found at machines to values with intervals, of a machine and of the plant.

The plant's value is the mean over declared machines by weight. Machines that are not assessed leave the mean and
show in `coverage`, the share of declared weight (and of planned time) that the value rests on; machines to which an
indicator does not apply leave both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from contract.codec import checksum
from contract.report import Value
from readiness.indicators.base import Buckets, Census, Missing, Shares
from readiness.sketch import edges, quantile, value
from readiness.stats import Interval, interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from contract.report import Quality, Reason
    from readiness.indicators.base import Indicator, Outcome
    from readiness.view import View

    Floats = NDArray[np.float64]

DIGITS = 6
Found = Shares | Census | Buckets


class Combiner:
    """Makes the values of one report.

    Args:
        view: What the formulas look at.
        evidence: Hash of all evidence; the seed of every resampling comes from it.
    """

    def __init__(self, view: View, evidence: str) -> None:
        self._view = view
        self._evidence = evidence
        self._planned = float(view.planned.sum())

    def machine(self, indicator: Indicator, machine: str, outcome: Outcome) -> Value:
        """Return the value of one machine."""
        roles = dict(sorted(self._view.roles(machine).items())) if indicator.roles else {}
        return self._value(indicator, {machine: (1.0, outcome)}, machine, roles)

    def plant(self, indicator: Indicator, outcomes: Mapping[str, Outcome]) -> Value:
        """Return the value of the plant."""
        weights = {m.id: (m.weight, outcomes[m.id]) for m in self._view.inventory}
        roles: Counter[str] = Counter()
        if indicator.roles:
            for machine in outcomes:
                roles.update(self._view.roles(machine))
        return self._value(indicator, weights, None, dict(sorted(roles.items())))

    def _value(
        self,
        indicator: Indicator,
        outcomes: Mapping[str, tuple[float, Outcome]],
        machine: str | None,
        roles: dict[str, int],
    ) -> Value:
        reasons: dict[Reason, float] = {}
        assessed: dict[str, tuple[float, Found]] = {}
        for name, (weight, outcome) in outcomes.items():
            if isinstance(outcome, Missing):
                reasons[outcome.reason] = reasons.get(outcome.reason, 0.0) + weight
            else:
                assessed[name] = weight, outcome
        if not assessed:
            reason: Reason = max(sorted(reasons), key=lambda r: reasons[r]) if reasons else "NA_NO_INVENTORY"
            return Value(
                metric=indicator.id, unit=indicator.unit, evidence=self._evidence, machine=machine,
                reason=reason, roles=roles,
            )  # fmt: skip
        applicable = sum(w for w, _ in outcomes.values()) - reasons.get("NOT_APPLICABLE", 0.0)
        coverage = sum(w * self._coverage(m, o) for m, (w, o) in assessed.items()) / applicable
        weights = np.array([w for w, _ in assessed.values()], np.float64)
        found = [o for _, o in assessed.values()]
        seed = int(checksum(f"{self._evidence} {indicator.id} {machine or ''}".encode()), 16)
        result = _measure(found, weights, seed)
        qualities: set[Quality] = {"census" if isinstance(o, Census) else o.quality for o in found}
        quality: Quality = "mixed" if len(qualities) > 1 else qualities.pop()
        return Value(
            metric=indicator.id,
            unit=indicator.unit,
            evidence=self._evidence,
            machine=machine,
            value=round(result.value, DIGITS),
            lo=None if isinstance(result, Census) else _down(result.lo),
            hi=None if isinstance(result, Census) else _up(result.hi),
            score=round(self._view.model.score(indicator.id, result.value), 1),
            n=result.n,
            n_eff=None if isinstance(result, Census) else round(result.n_eff, 2),
            coverage=round(min(coverage, 1.0), DIGITS),
            quality=quality,
            roles=roles,
        )

    def _coverage(self, machine: str, outcome: Found) -> float:
        if isinstance(outcome, Shares):
            return float(self._view.counting(machine).sum()) / self._planned
        if isinstance(outcome, Buckets):
            return len(outcome.days) / int((self._view.planned > 0).sum())
        return 1.0


def _down(number: float) -> float:
    return float(np.floor(number * 10**DIGITS) / 10**DIGITS)


def _up(number: float) -> float:
    return float(np.ceil(number * 10**DIGITS) / 10**DIGITS)


def _measure(
    found: Sequence[Outcome], weights: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int
) -> Interval | Census:
    """Return the weighted mean over machines; a formula returns one kind of outcome for all of them."""
    shares = [o for o in found if isinstance(o, Shares)]
    buckets = [o for o in found if isinstance(o, Buckets)]
    if shares:
        return interval(np.stack([s.num for s in shares]), np.stack([s.den for s in shares]), weights, seed)
    total = float(weights.sum())
    if buckets:
        parts = [quantile_interval(b, seed) for b in buckets]
        # The machines' own limits, averaged like their values: as wide as if all erred the same way at once.
        mean = {
            name: sum(w * getattr(p, name) for w, p in zip(weights.tolist(), parts, strict=True)) / total
            for name in ("value", "lo", "hi")
        }
        return Interval(**mean, n=min(p.n for p in parts), n_eff=min(p.n_eff for p in parts))
    values = [o for o in found if isinstance(o, Census)]
    mean_value = sum(w * o.value for w, o in zip(weights.tolist(), values, strict=True)) / total
    return Census(mean_value, values[0].n if len(values) == 1 else len(values))


def quantile_interval(found: Buckets, seed: int) -> Interval:
    """Return a quantile with its interval, by turning the question round.

    A duration belongs to the interval when the share of values up to it, whose interval comes from day blocks, may
    be the quantile's. Both limits are found by bisection over the buckets and taken to the outer edges of theirs,
    so that the width is never zero. Simulated: 90-96 % at 90 % nominal; less where one day in ten decides the
    quantile and none such was seen.
    """
    whole: Counter[int] = Counter()
    for day in found.days:
        whole.update(day)
    ladder = sorted(whole)
    counts = [[day.get(bucket, 0) for bucket in ladder] for day in found.days]
    table = np.cumsum(np.array(counts, np.float64), axis=1)
    cache: dict[int, Interval] = {}

    def up_to(index: int) -> Interval:
        if index not in cache:
            cache[index] = interval(table[:, index][None, :], table[:, -1][None, :], np.ones(1), seed)
        return cache[index]

    def first(holds: Callable[[int], bool]) -> int:
        return bisect_left(range(len(ladder) - 1), True, key=holds)

    middle = quantile(whole, found.quantile)
    at = up_to(ladder.index(middle))
    lo = ladder[first(lambda index: up_to(index).hi >= found.quantile)]
    hi = ladder[first(lambda index: up_to(index).lo > found.quantile)]
    return Interval(value(middle), edges(min(lo, middle))[0], edges(max(hi, middle))[1], at.n, at.n_eff)
