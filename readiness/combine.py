"""From what formulas found at machines to values with intervals, of a machine and of the plant.

The plant's value is the mean over declared machines by weight. Machines that are not assessed leave the mean and
show in `coverage`, the share of declared weight (and of planned time) that the value rests on; machines to which an
indicator does not apply leave both. An indicator of the plant is the same whichever machine is asked.

Machines may find different kinds of outcomes for one indicator. Those of one kind with numbers per day share one
interval over whole days, because what happens to several machines on one day is no independent news; limits of
different kinds, and of machines with limits of their own, are averaged like their values: as wide as if all erred
the same way at once. What was looked at completely has no width and narrows the rest by its weight.

The score is that of the value, less what the machines' caps took from their own scores, on average.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

import numpy as np

from contract.codec import checksum
from contract.report import Value
from readiness.indicators.base import Buckets, Census, Events, Given, Missing, Rates, Sample, Shares
from readiness.intervals import events, median, quantile_interval, rates, sample
from readiness.sketch import quantile
from readiness.sketch import value as at
from readiness.stats import Interval, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from contract.report import Quality, Reason
    from readiness.indicators.base import Event, Found, Indicator, Outcome, Shown
    from readiness.view import View

    Floats = NDArray[np.float64]

DIGITS = 6
CHEAPEST: tuple[Reason, ...] = (
    "NA_NO_SCHEDULE", "NA_NO_INVENTORY", "NA_ROLE_UNCONFIRMED",  # somebody writes it down
    "NA_METERS_DISAGREE", "NA_CLOCK", "NA_NO_BURST", "NA_UNDERSAMPLED",  # something is set differently
    "NA_SHORT_WINDOW", "NA_FEW_EVENTS", "NA_NO_VARIATION", "NA_SELF_FAULT",  # time passes
    "NA_NO_EVIDENCE", "NA_ASSUME_EXPOSED", "NA_NOT_IN_SOURCE",  # something is bought, or never known
)  # fmt: skip
"""Why an indicator is not assessed, what is mended at the least cost first: of machines with the same weight that
reason is told."""


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
        """Return the value of the plant, or of those of its machines that are given."""
        weights = {m.id: (m.weight, outcomes[m.id]) for m in self._view.inventory if m.id in outcomes}
        roles: Counter[str] = Counter()
        if indicator.roles:
            for machine in outcomes:
                roles.update(self._view.roles(machine))
        if indicator.scope == "plant":
            weights = dict(list(weights.items())[:1])
        return self._value(indicator, pooled(weights), None, dict(sorted(roles.items())))

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
            lacking: list[Reason] = [r for r in CHEAPEST if r in reasons] or list(reasons)
            reason: Reason = max(lacking, key=lambda r: reasons[r]) if lacking else "NA_NO_INVENTORY"
            return Value(
                metric=indicator.id, unit=indicator.unit, evidence=self._evidence, machine=machine,
                reason=reason, roles=roles, shown=self._beside(indicator, machine, list(outcomes.values())),
            )  # fmt: skip
        applicable = sum(w for w, _ in outcomes.values()) - reasons.get("NOT_APPLICABLE", 0.0)
        coverage = sum(w * self._coverage(indicator, m, o) for m, (w, o) in assessed.items()) / applicable
        weights = np.array([w for w, _ in assessed.values()], np.float64)
        found = [o for _, o in assessed.values()]
        seed = int(checksum(f"{self._evidence} {indicator.id} {machine or ''}".encode()), 16)
        result = measure(found, weights, seed)
        cap = float(weights @ [o.cap for o in found] / weights.sum())
        return Value(
            metric=indicator.id,
            unit=indicator.unit,
            evidence=self._evidence,
            machine=machine,
            value=round(result.value, DIGITS),
            lo=None if isinstance(result, Census) else _down(result.lo),
            hi=None if isinstance(result, Census) else _up(result.hi),
            score=round(self._score(indicator, result.value, found, weights), 1),
            n=result.n,
            n_eff=None if isinstance(result, Census) else round(result.n_eff, 2),
            coverage=round(min(coverage, 1.0), DIGITS),
            quality=_quality(found),
            roles=roles,
            cap=round(cap, 1) if cap < 100 else None,
            flags=sorted({flag for o in found for flag in o.flags}),
            shown=self._beside(indicator, machine, list(outcomes.values())),
        )

    def _beside(
        self, indicator: Indicator, machine: str | None, outcomes: Sequence[tuple[float, Outcome]]
    ) -> dict[str, Shown]:
        """Return what one outcome shows beside its value; of several machines, how many there are."""
        if not outcomes:
            return {}
        if machine is None and indicator.scope == "machine":
            return _machines([outcome for _, outcome in outcomes], share=indicator.unit == "1")
        shown = outcomes[0][1].shown
        return {name: round(x, DIGITS) if isinstance(x, float) else x for name, x in shown.items()}

    def _score(self, indicator: Indicator, value: float, found: Sequence[Found], weights: Floats) -> float:
        own = [(self._view.model.score(indicator.id, point(o)), o.cap) for o in found]
        lost = float(weights @ [max(score - cap, 0.0) for score, cap in own] / weights.sum())
        return max(self._view.model.score(indicator.id, value) - lost, 0.0)

    def _coverage(self, indicator: Indicator, machine: str, outcome: Found) -> float:
        planned = int((self._view.planned > 0).sum())
        if isinstance(outcome, Buckets):
            return len(outcome.days) / planned
        if isinstance(outcome, Sample | Census):
            return 1.0
        if indicator.scope == "machine":
            return float(self._view.counting(machine).sum()) / self._planned
        if isinstance(outcome, Given):
            return 1.0
        return min(int((outcome.den > 0).sum()) / planned, 1.0) if planned else 1.0


def pooled(outcomes: Mapping[str, tuple[float, Outcome]]) -> dict[str, tuple[float, Outcome]]:
    """Return outcomes in which machines with too few events have those of all such machines together, if enough.

    Each of them then stands for the same, by its weight; one without any event stays as it is.
    """
    few = [o.few for _, o in outcomes.values() if isinstance(o, Missing) and o.few is not None]
    events = once([event for one in few for event in one.events])
    if not few or len(events) < few[0].least:
        return dict(outcomes)
    counted = [any(there) for there in zip(*(one.counted for one in few), strict=True)]
    rows: list[Counter[int]] = [Counter() for _ in counted]
    for event in events:
        rows[event.day][event.bucket] += 1
    days = [row for row, there in zip(rows, counted, strict=True) if there]
    together = Buckets(tuple(days), few[0].quantile, flags=("POOLED",))
    return {
        name: (weight, together if isinstance(o, Missing) and o.few is not None else o)
        for name, (weight, o) in outcomes.items()
    }


def once(events: Sequence[Event]) -> list[Event]:
    """Return events without those that are a part of another one: two machines on one link lose it together."""
    kept: list[Event] = []
    for event in sorted(events):
        last = kept[-1] if kept else None
        if last is None or last.of != event.of or event.from_ns >= last.to_ns:
            kept.append(event)
        else:
            end = max(last.to_ns, event.to_ns)
            kept[-1] = (event if event.bucket > last.bucket else last)._replace(from_ns=last.from_ns, to_ns=end)
    return kept


def _machines(outcomes: Sequence[Outcome], *, share: bool) -> dict[str, Shown]:
    """Return how many machines an indicator applies to, how many are assessed and, of a yes or no, how many yes.

    Shares are by weight, so that nobody could tell 1 of 2 from 5 of 10 without them.
    """
    found = [o for o in outcomes if not isinstance(o, Missing)]
    if not found:
        return {}
    apart = sum(isinstance(o, Missing) and o.reason == "NOT_APPLICABLE" for o in outcomes)
    shown: dict[str, Shown] = {"assessed": len(found), "machines": len(outcomes) - apart}
    sure = [o.value for o in found if isinstance(o, Census)]
    if share and len(sure) == len(found) and set(sure) <= {0, 1}:
        shown["met"] = sum(value == 1 for value in sure)
    return shown


def _quality(found: Sequence[Found]) -> Quality:
    qualities: set[Quality] = {
        "census" if isinstance(o, Census) and o.quality == "measured" else o.quality for o in found
    }
    return "mixed" if len(qualities) > 1 else qualities.pop()


def _down(number: float) -> float:
    return float(np.floor(number * 10**DIGITS) / 10**DIGITS)


def _up(number: float) -> float:
    return float(np.ceil(number * 10**DIGITS) / 10**DIGITS)


def point(found: Found) -> float:
    """Return the value of one outcome, without its interval."""
    if isinstance(found, Shares | Events):
        return float(found.num.sum() / found.den.sum())
    if isinstance(found, Rates):
        return float(found.per * found.num.sum() / found.den.sum())
    if isinstance(found, Buckets):
        whole: Counter[int] = Counter()
        for day in found.days:
            whole.update(day)
        return at(quantile(whole, found.quantile))
    return median(found.values) if isinstance(found, Sample) else found.value


def measure(found: Sequence[Found], weights: Floats, seed: int) -> Interval | Census:
    """Return the mean over machines by weight, exact only if everything was looked at."""
    total = float(weights.sum())
    exact = [(w, o) for w, o in zip(weights.tolist(), found, strict=True) if isinstance(o, Census)]
    known = sum(w * o.value for w, o in exact) / total
    if len(exact) == len(found):
        return Census(known, exact[0][1].n if len(exact) == 1 else len(exact))
    parts = _parts(found, weights, seed)
    mean = {name: known + sum(w * getattr(p, name) for w, p in parts) / total for name in ("value", "lo", "hi")}
    return Interval(**mean, n=min(p.n for _, p in parts), n_eff=min(p.n_eff for _, p in parts))


def _parts(found: Sequence[Found], weights: Floats, seed: int) -> list[tuple[float, Interval]]:
    """Return intervals of what is not exact, each with the weight that it stands for."""
    parts: list[tuple[float, Interval]] = []
    rows: dict[tuple[type, float], list[int]] = {}
    for index, outcome in enumerate(found):
        weight = float(weights[index])
        if isinstance(outcome, Shares | Events | Rates):
            per = outcome.per if isinstance(outcome, Rates) else 1.0
            rows.setdefault((type(outcome), per), []).append(index)
        elif isinstance(outcome, Buckets):
            parts.append((weight, quantile_interval(outcome.days, outcome.quantile, seed)))
        elif isinstance(outcome, Sample):
            parts.append((weight, sample(outcome.values)))
        elif isinstance(outcome, Given):
            parts.append((weight, Interval(outcome.value, outcome.lo, outcome.hi, outcome.n, float(outcome.n))))
    for (kind, per), indices in rows.items():
        same = [cast("Shares | Events | Rates", found[i]) for i in indices]
        num, den = np.stack([o.num for o in same]), np.stack([o.den for o in same])
        own = weights[indices]
        if kind is Rates:
            both = rates(num, den, own, seed, per)
        else:
            both = (interval if kind is Shares else events)(num, den, own, seed)
        parts.append((float(own.sum()), both))
    return parts
