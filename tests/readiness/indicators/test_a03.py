"""A03 Event capture: cycle bits and counters of a machine simulated second by second."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from readiness.indicators.a03 import INDICATOR
from readiness.indicators.base import Events, Missing, Rates
from readiness.plant import About, Meaning, Product
from readiness.records import Count, Track
from readiness.sketch import buckets, pairs
from tests.readiness.indicators.made import DAYS, PRODUCTION_DAYS, outcome, part, record, sparse
from tests.readiness.plant import SECOND, signal, source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.plant import Plant

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

BIT = signal("press", 0, role="cycle", dtype="bool")
TOTAL = signal("press", 1, role="count_total", dtype="uint32")
PRESS = replace(source("press", [BIT, TOTAL]), interval_ns=10 * SECOND)
LENGTH = 8640
"""Readings of a day, one each 10 s."""


@dataclass
class Day:
    """What was read on one day: the bit and the counter, each 10 s."""

    bit: Bools
    total: Ints

    @property
    def edges(self) -> Ints:
        """Readings at which the bit has become true."""
        return np.flatnonzero(self.bit[1:] & ~self.bit[:-1]) + 1


def machine(seed: int, missed: float = 0.0, bounced: float = 0.0) -> list[Day]:
    """Return days of cycles of 60 to 120 s; of some the bit is missed, at some it comes twice."""
    rng = np.random.default_rng(seed)
    found, count = [], 0
    for _ in range(DAYS):
        bit, total = np.zeros(LENGTH, np.bool_), np.zeros(LENGTH, np.int64)
        starts = np.cumsum(rng.integers(6, 13, LENGTH))
        for at in starts[starts < LENGTH - 5].tolist():
            total[at + 4] += 1
            if rng.random() >= missed:
                bit[at : at + 4] = True
                if rng.random() < bounced:
                    bit[at + 1] = False
        found.append(Day(bit, count + np.cumsum(total)))
        count = int(found[-1].total[-1])
    return found


def track(day: Day) -> Track:
    """Return the bit as segments."""
    change = np.concatenate([[0], np.flatnonzero(np.diff(day.bit)) + 1, [LENGTH]])
    flat = [n for a, b in itertools.pairwise(change) for n in (0, int(b - a) * 10_000, int(day.bit[a]))]
    dwell = Counter(buckets(np.diff(change)[1:-1] * 10 * SECOND).tolist())
    return Track([False, True], flat, False, [], len(change) - 2, [], sparse(dwell))


def count(day: Day, first: int) -> Count:
    """Return what the counter counted."""
    steps = np.diff(day.total, prepend=first)
    quarter = Counter[int]()
    for at in np.flatnonzero(steps).tolist():
        quarter[at // 90] += int(steps[at])
    return Count(1.0, sparse(quarter), [], int((steps > 0).sum()), [], [], [], 0, first, int(day.total[-1]), [])


def evidence(
    days: Sequence[Day], *, bit: bool = True, total: bool = True, interval_s: int = 10
) -> list[DayEvidence]:
    found, first = [], 0
    of = replace(PRESS, interval_ns=interval_s * SECOND)
    for number, day in enumerate(days):
        tracks = {"press/s0": track(day)} if bit else {}
        counts = {"press/s1": count(day, first)} if total else {}
        found.append(record(number, [part(of, number, tracks=tracks, counts=counts)]))
        first = int(day.total[-1])
    return found


def judged(days: Sequence[Day], about: Callable[[Plant], Plant] = lambda plant: plant) -> Rates:
    said = outcome(INDICATOR, [PRESS], evidence(days), about)
    assert isinstance(said, Rates)
    return said


def planned(days: Sequence[Day]) -> tuple[int, int]:
    """Return edges and pieces in planned time, counted reading by reading."""
    edges = sum(int((days[d].edges < 12 * 360).sum()) for d in PRODUCTION_DAYS)
    pieces = sum(int(days[d].total[12 * 360 - 1] - (days[d - 1].total[-1] if d else 0)) for d in PRODUCTION_DAYS)
    return edges, pieces


@pytest.mark.parametrize("missed", [0.0, 0.01, 0.1, 0.5])
def test_it_is_the_share_of_cycles_that_were_seen(missed: float) -> None:
    days = machine(1, missed)
    edges, pieces = planned(days)
    said = judged(days)
    assert (said.num.sum() if edges <= pieces else 2 * pieces - said.num.sum(), said.den.sum()) == (edges, pieces)
    assert said.num.sum() / said.den.sum() == pytest.approx(1 - missed, abs=0.01)
    assert (said.cap, said.flags, said.shown["edges"], said.shown["pieces"]) == (100, (), edges, pieces)
    assert np.flatnonzero(said.den).tolist() == PRODUCTION_DAYS


@pytest.mark.parametrize("bounced", [0.05, 0.3])
def test_a_bit_that_bounces_is_a_defect_and_no_hundred(bounced: float) -> None:
    days = machine(2, 0.0, bounced)
    edges, pieces = planned(days)
    assert edges > pieces
    said = judged(days)
    assert said.num.sum() / said.den.sum() == pytest.approx(2 - edges / pieces, abs=1e-9)
    assert (said.flags, said.cap) == (("BOUNCE",), 60)


def test_bounces_do_not_make_up_for_cycles_that_were_missed() -> None:
    first, second = machine(3, 0.0, 0.4), machine(3, 0.4)
    days = [
        Day(np.where(np.arange(LENGTH) % 720 < 360, a.bit, b.bit), a.total)
        for a, b in zip(first, second, strict=True)
    ]
    said = judged([Day(d.bit, a.total) for d, a in zip(days, first, strict=True)])
    assert said.num.sum() / said.den.sum() > 0.9
    assert (said.flags, said.cap) == (("BOUNCE",), 60)


def test_several_pieces_a_cycle_are_no_missed_cycles() -> None:
    days = [Day(d.bit, d.total * 4) for d in machine(4)]

    def about(plant: Plant) -> Plant:
        return replace(plant, meanings={**plant.meanings, "press/s0": Meaning(role="cycle", factor=4.0)})

    said = judged(days, about)
    assert said.num.sum() / said.den.sum() == pytest.approx(1, abs=3e-3)  # a cycle runs at the end of planned time
    assert said.flags == ()
    assert judged(days).num.sum() / judged(days).den.sum() == pytest.approx(0.25, abs=1e-3)


def test_pieces_that_came_while_nothing_was_known_are_left_out() -> None:
    days = machine(5)
    records = []
    for number, made in enumerate(evidence(days)):
        of = made.sources[0]
        counted = of.counts["press/s1"]
        more = pairs(counted.counted)
        more[40] += 500
        blind = structs.replace(counted, counted=sparse(more), blind=[40, 500])
        records.append(record(number, [part(PRESS, number, tracks=of.tracks, counts={"press/s1": blind})]))
    said, without = outcome(INDICATOR, [PRESS], records), judged(days)
    assert isinstance(said, Rates)
    assert (said.num == without.num).all()
    assert (said.den == without.den).all()


def test_a_day_on_which_the_counter_is_not_to_be_believed_is_left_out() -> None:
    days = machine(5)
    records = evidence(days)
    of = records[0].sources[0]
    fault = structs.replace(of.counts["press/s1"], back=[40_000_000, 400, 123], backs=1)
    records[0] = record(0, [part(PRESS, 0, tracks=of.tracks, counts={"press/s1": fault})])
    said = outcome(INDICATOR, [PRESS], records)
    assert isinstance(said, Rates)
    assert np.flatnonzero(said.den).tolist() == PRODUCTION_DAYS[1:]


@pytest.mark.parametrize(("interval", "share"), [(10, 1.0), (60, 0.0)])
def test_without_a_counter_only_the_lengths_of_levels_are_judged(interval: int, share: float) -> None:
    days = [Day(d.bit, d.total) for d in machine(6)]
    said = outcome(INDICATOR, [PRESS], evidence(days, total=False, interval_s=interval))
    assert isinstance(said, Events)
    assert (said.quality, said.flags) == ("partial", ("NO_COUNTER",))
    lengths = [n for d in PRODUCTION_DAYS for n in np.diff(np.flatnonzero(np.diff(days[d].bit))).tolist()]
    assert said.den.sum() == len(lengths)
    assert said.num.sum() == sum(10 * n >= 1.5 * interval for n in lengths)
    assert (said.num.sum() > 0.9 * len(lengths)) == (share > 0.5)


def test_a_number_of_cycles_remembers_those_that_nobody_saw() -> None:
    days = machine(7)
    tags = (signal("press", 0, role="cycle", dtype="uint32"), TOTAL)
    of = replace(PRESS, signals=tags)
    records, first = [], 0
    for number, day in enumerate(days):
        made = count(day, first)
        counts = {"press/s0": made, "press/s1": made}
        records.append(record(number, [part(of, number, counts=counts)]))
        first = int(day.total[-1])
    said = outcome(INDICATOR, [of], records)
    assert isinstance(said, Rates)
    assert (said.num == said.den).all()
    assert said.den.sum() == planned(days)[1]


def test_it_is_missing_when_evidence_is_withheld() -> None:
    days = machine(8)
    assert outcome(INDICATOR, [PRESS], evidence(days, bit=False)) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [PRESS], []) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [PRESS], evidence(days)[:7]) == Missing("NA_SHORT_WINDOW")
    guessed = replace(PRESS, signals=(replace(BIT, role_confirmed=False), TOTAL))
    assert outcome(INDICATOR, [guessed], evidence(days)) == Missing("NA_ROLE_UNCONFIRMED")
    without = replace(PRESS, signals=(TOTAL,))
    assert outcome(INDICATOR, [without], evidence(days)) == Missing("NA_NO_EVIDENCE")


def test_moulds_with_cavities_of_their_own_are_no_missed_cycles() -> None:
    """The counter counts pieces, four a cycle of one mould; the bit comes once a cycle."""
    days = [Day(day.bit, 4 * day.total) for day in machine(9)]

    def about(plant: Plant, pieces: float | None) -> Plant:
        own = {} if pieces is None else {"press/s0": pieces}
        said = {"A": Product(id="A", name="A", ideal_s={}, per_count=own)}
        return replace(plant, products=said, about={"press": About(single_product="yes")})

    value = [
        float(found.num.sum() / found.den.sum())
        for found in (judged(days, lambda plant, n=n: about(plant, n)) for n in (None, 4.0))  # type: ignore[misc]
    ]
    assert value == [pytest.approx(0.25, abs=0.01), pytest.approx(1.0, abs=0.01)]
