"""Random factories: every rule of a roadmap in play, and money that is always short somewhere."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from techsquare.roadmap.terms import Means, Measure, Programme
from techsquare.span import Span, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from techsquare.roadmap.terms import Place

BEGINS = dt.date(2027, 1, 4)
BUCKETS = ("scrap", "speed", "setup", "standby", "fault")


class Case(NamedTuple):
    """What `roadmap` takes."""

    measures: tuple[Measure, ...]
    losses: dict[Place, Span]
    means: Means
    programmes: tuple[Programme, ...]
    begins: dt.date = BEGINS


def _name(i: int) -> str:
    return f"m{i:02}"


def case(rng: np.random.Generator, count: int, machines: int = 3, *, exact: bool = False) -> Case:
    """Return a factory with so many measures.

    Args:
        rng: Of the caller.
        count: Measures.
        machines: Each has five places.
        exact: Losses, gains and costs are known, not spans.
    """
    places = [(f"press-{m}", bucket) for m in range(machines) for bucket in BUCKETS]

    def span(low: float, high: float) -> Span:
        ends = sorted(rng.uniform(low, high, 2))
        return exactly(round(sum(ends) / 2, 3)) if exact else Span(round(ends[0], 3), round(ends[1], 3))

    losses = {place: span(1e6, 60e6) for place in places if rng.random() < 0.85}
    crowded = [places[i] for i in rng.choice(len(places), size=4, replace=False)]
    measures = tuple(_measure(rng, i, places, crowded, span) for i in range(count))
    cash = [int(rng.integers(0, 100)) * 1_000_000 for _ in range(3)]
    means = Means(
        cash=cash,
        staff_days=[float(rng.integers(10, 80)) for _ in range(3)],
        support=[int(rng.integers(0, 60)) * 1_000_000 for _ in range(3)],
        most_measures=3 if rng.random() < 0.8 else 2,
        excluded=frozenset({_name(int(rng.integers(count)))} if rng.random() < 0.2 else ()),
        standing=frozenset({_name(int(rng.integers(count)))} if rng.random() < 0.2 else ()),
        vat_back_months=3.0 if rng.random() < 0.7 else None,
        bridge=None if rng.random() < 0.7 else int(rng.integers(0, 20)) * 1_000_000,
    )
    return Case(measures, losses, means, tuple(_programme(rng, i, count) for i in range(int(rng.integers(0, 4)))))


def _measure(
    rng: np.random.Generator,
    i: int,
    places: Sequence[Place],
    crowded: Sequence[Place],
    span: Callable[[float, float], Span],
) -> Measure:
    data = i > 0 and rng.random() < 0.2
    earlier = (
        [_name(int(n)) for n in rng.choice(i, size=min(i, int(rng.integers(0, 3))), replace=False)] if i else []
    )
    needs = frozenset(n for n in earlier if rng.random() < 0.7)
    if rng.random() < 0.03:
        needs |= {"nobody-offers-it"}
    own = crowded if rng.random() < 0.7 else places
    chosen = [own[n] for n in rng.choice(len(own), size=int(rng.integers(1, 4)), replace=False)]
    others = [_name(int(n)) for n in rng.integers(0, max(i, 1), size=1)] if i and rng.random() < 0.2 else []
    return Measure(
        id=_name(i),
        title={"ko": f"과제 {i}", "en": f"measure {i}"},
        cost=span(1e6, 50e6),
        yearly=span(0, 4e6) if rng.random() < 0.5 else exactly(0),
        gain={} if data else {place: span(0.02, 0.6) for place in chosen},
        staff_days=float(rng.integers(0, 20)),
        months=float(rng.choice([0, 0.5, 1, 2, 4, 6, 9])),
        needs=needs,
        together=frozenset(n for n in needs if rng.random() < 0.5),
        excludes=frozenset(o for o in others if o not in needs),
        data=data,
        provable=bool(rng.random() < 0.6),
    )


def _programme(rng: np.random.Generator, i: int, count: int) -> Programme:
    opens = BEGINS + dt.timedelta(days=int(rng.integers(-60, 500)))
    return Programme(
        id=f"p{i}",
        share=float(rng.choice([0.3, 0.5, 0.6])),
        cap=int(rng.integers(5, 60)) * 1_000_000,
        opens=opens,
        closes=opens + dt.timedelta(days=int(rng.integers(20, 500))),
        eligible={_name(int(n)): float(rng.choice([0.6, 1.0])) for n in rng.integers(0, count, size=count // 2)},
        vat=bool(rng.random() < 0.5),
        upfront=float(rng.choice([0.0, 0.5, 1.0])),
        after_months=float(rng.choice([1, 3, 6])),
    )
