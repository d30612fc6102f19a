"""A roadmap as numbers: indices for names, days for months and dates, won as they are.

Whoever looks for a plan (`model`, `search`), values one (`worth`) or changes one thing (`relax`) does it on this.
Rows of the input are sorted by name here, so that their order makes no difference to anything that follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from techsquare.credit import CREDITED
from techsquare.roadmap.terms import (
    PHASE_BEGINS_MONTHS,
    PHASE_ENDS_MONTHS,
    PHASES,
    QUICK_MONTHS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from techsquare.roadmap.terms import Level, Means, Measure, Place, Programme
    from techsquare.span import Span

YEAR = 365.25


def days(months: float) -> int:
    """Return months as whole days."""
    return round(months * YEAR / 12)


BEGINS = tuple(days(m) for m in PHASE_BEGINS_MONTHS)
ENDS = tuple(days(m) for m in PHASE_ENDS_MONTHS)
HORIZON = ENDS[-1]
MONTHS = PHASE_ENDS_MONTHS[-1]


def month_ends(month: int) -> int:
    """Return the first day after a month of the plan (0 is its first)."""
    return days(month + 1)


class Start(NamedTuple):
    """A way to begin a measure: in a phase, on a day, paid by a programme or (None) not."""

    measure: int
    phase: int
    programme: int | None
    day: int


class Gain(NamedTuple):
    """What a measure takes away at a place, won a year."""

    place: int
    won: float


class Need(NamedTuple):
    """A measure that has to stand before; `together`: it may be begun in the same phase."""

    measure: int
    together: bool


class Call(NamedTuple):
    """A programme in numbers; `eligible` is the share of each measure's cost, `after` days from bill to money."""

    id: str
    share: float
    cap: float
    vat: bool
    upfront: float
    after: int
    eligible: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a plan is looked for in. Sequences are by measure, place, programme or phase; money is won.

    `vat` is VAT in won; `credit` is what a place gives at most, won a year. `lacking` is what a measure needs and
    is neither standing nor on offer, `beside` what stands and excludes it, `out` are those that the owner does not
    want.
    """

    names: tuple[str, ...]
    cost: tuple[float, ...]
    vat: tuple[float, ...]
    yearly: tuple[float, ...]
    staff: tuple[float, ...]
    settle: tuple[int, ...]
    gains: tuple[tuple[Gain, ...], ...]
    needs: tuple[tuple[Need, ...], ...]
    lacking: tuple[frozenset[str], ...]
    apart: frozenset[tuple[int, int]]
    out: frozenset[int]
    beside: tuple[frozenset[str], ...]
    provable: frozenset[int]
    places: tuple[Place, ...]
    credit: tuple[float, ...]
    calls: tuple[Call, ...]
    starts: tuple[Start, ...]
    cash: tuple[float, ...]
    support: tuple[float, ...]
    days: tuple[float, ...]
    most: tuple[int, ...]
    bridge: float | None
    vat_back: int | None

    def open(self) -> tuple[int, ...]:
        """Return the measures that may be begun at all, whatever they cost."""
        return tuple(
            m for m in range(len(self.names)) if m not in self.out and not self.beside[m] and not self.lacking[m]
        )

    def payback(self, measure: int) -> float | None:
        """Return after how many months what a measure costs has come back, alone; None where it never does."""
        year = sum(min(gain.won, self.credit[gain.place]) for gain in self.gains[measure]) - self.yearly[measure]
        return 12 * self.burden(measure) / year if year > 0 else None

    def quick(self, measure: int) -> bool:
        """Return whether it is a quick win."""
        months = self.payback(measure) if measure in self.provable else None
        return months is not None and months < QUICK_MONTHS

    def burden(self, measure: int) -> float:
        """Return what a measure costs for good: VAT is part of it where nobody gives it back."""
        return self.cost[measure] + (self.vat[measure] if self.vat_back is None else 0.0)

    def granted(self, start: Start) -> float:
        """Return what the programme of a start pays at most, its cap aside."""
        if start.programme is None:
            return 0.0
        call = self.calls[start.programme]
        vat = self.vat[start.measure] if call.vat and self.vat_back is None else 0.0
        return call.share * call.eligible[start.measure] * (self.cost[start.measure] + vat)

    def used(self, start: Start) -> int:
        """Return the day from which a start is in use, nothing that it needs being late."""
        return start.day + self.settle[start.measure]

    def runs(self, start: Start, until: int) -> float:
        """Return what it costs to keep it running from its own `used` until a day."""
        return self.yearly[start.measure] * max(0, until - self.used(start)) / YEAR

    def paid_by(self, start: Start, until: int) -> float:
        """Return which share of its part a programme has paid before a day."""
        if start.programme is None:
            return 0.0
        call = self.calls[start.programme]
        first = call.upfront if start.day < until else 0.0
        return first + (1 - call.upfront if self.used(start) + call.after < until else 0.0)


def level(span: Span, at: Level) -> float:
    """Return an end or the middle of a span."""
    return span.low if at == "low" else span.high if at == "high" else (span.low + span.high) / 2


def problem(
    measures: Sequence[Measure],
    losses: Mapping[Place, Span],
    means: Means,
    programmes: Sequence[Programme],
    begins: date,
    levels: Mapping[Place, Level],
) -> Problem:
    """Return the numbers of a roadmap.

    Args:
        measures: All that could be done; ids are unique.
        losses: Won a year that are lost at a place. What is not in it has no price, and is credited nothing.
        means: Of the factory.
        programmes: That could be applied to; ids are unique.
        begins: First day of the first phase.
        levels: At which end of what is known a place's loss and gains are taken; the others at the middle.

    Raises:
        ValueError: two measures or two programmes have the same id, measures need one another in a circle, or means
            do not name three phases.
    """
    given = sorted((m for m in measures if m.id not in means.standing), key=lambda m: m.id)
    names = tuple(m.id for m in given)
    against: dict[str, frozenset[str]] = {}
    for m in measures:
        if m.id in means.standing:
            for other in m.excludes:
                against[other] = against.get(other, frozenset()) | {m.id}
    index = {name: i for i, name in enumerate(names)}
    offered = sorted(programmes, key=lambda p: p.id)
    if len(index) < len(names) or len({p.id for p in offered}) < len(offered):
        raise ValueError("two measures or two programmes have the same id")
    if not len(means.cash) == len(means.support) == len(means.staff_days) == PHASES:
        raise ValueError(f"means are those of {PHASES} phases")
    places = tuple(sorted({p for m in given for p in m.gain if p in losses}))
    rank = {place: i for i, place in enumerate(places)}
    needs = tuple(tuple(Need(index[n], n in m.together) for n in sorted(m.needs) if n in index) for m in given)
    if circle := _circle(needs):
        raise ValueError(f"these measures need one another: {', '.join(names[m] for m in circle)}")
    loss = [max(0.0, level(losses[place], levels.get(place, "middle"))) for place in places]
    gains = tuple(
        tuple(
            Gain(rank[place], loss[rank[place]] * min(1.0, max(0.0, level(share, levels.get(place, "middle")))))
            for place, share in sorted(m.gain.items())
            if place in rank
        )
        for m in given
    )
    calls = tuple(
        Call(
            p.id, p.share, p.cap, p.vat, p.upfront, days(p.after_months),
            tuple(p.eligible.get(m.kind or m.id, 0.0) for m in given),
        )
        for p in offered
    )  # fmt: skip
    dates = [((p.opens - begins).days, (p.closes - begins).days) for p in offered]
    cost = tuple(level(m.cost, "middle") for m in given)
    yearly = tuple(level(m.yearly, "middle") for m in given)
    settle = tuple(days(m.months) for m in given)
    credit = tuple(CREDITED * lost for lost in loss)
    return Problem(
        names=names,
        cost=cost,
        vat=tuple(m.vat * c for m, c in zip(given, cost, strict=True)),
        yearly=yearly,
        staff=tuple(m.staff_days for m in given),
        settle=settle,
        gains=gains,
        needs=needs,
        lacking=tuple(frozenset(n for n in m.needs if n not in index and n not in means.standing) for m in given),
        apart=frozenset(
            (min(i, index[o]), max(i, index[o])) for i, m in enumerate(given) for o in m.excludes if o in index
        ),
        out=frozenset(i for i, m in enumerate(given) if {m.id, m.kind} & means.excluded),
        beside=tuple((m.excludes & means.standing) | against.get(m.id, frozenset()) for m in given),
        provable=frozenset(i for i, m in enumerate(given) if m.provable),
        places=places,
        credit=credit,
        calls=calls,
        starts=tuple(_starts(settle, calls, dates)),
        cash=tuple(map(float, means.cash)),
        support=tuple(map(float, means.support)),
        days=tuple(means.staff_days),
        most=(means.most_measures,) * PHASES,
        bridge=means.bridge,
        vat_back=None if means.vat_back_months is None else days(means.vat_back_months),
    )  # fmt: skip


def _circle(needs: Sequence[Sequence[Need]]) -> Sequence[int]:
    """Return measures that rest on themselves, through what they need; none where all is well."""
    left = set(range(len(needs)))
    while free := {m for m in left if not any(need.measure in left for need in needs[m])}:
        left -= free
    return sorted(left)


def _starts(settle: Sequence[int], calls: Sequence[Call], dates: Sequence[tuple[int, int]]) -> list[Start]:
    """Return every way to begin a measure; what would not be in use within the three years is none."""
    found = []
    for m in range(len(settle)):
        for phase in range(PHASES):
            found.append(Start(m, phase, None, BEGINS[phase]))
            for c, (opens, closes) in enumerate(dates):
                day = max(BEGINS[phase], opens)
                if calls[c].eligible[m] > 0 and day < ENDS[phase] and day <= closes:
                    found.append(Start(m, phase, c, day))
    return [start for start in found if start.day + settle[start.measure] < HORIZON]
