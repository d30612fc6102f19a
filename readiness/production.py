"""What a machine did, from evidence and from what people say of it: states, pieces, cycles, stops, lots, KPIs.

    facts = production(view, machine)      computed once per view and machine, each part when it is asked for

Nothing in here is clipped to planned time unless it says so; `view.machine_domain` is the time that counts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from readiness.counting import count, shared
from readiness.cycles import cycles_of, median_ns
from readiness.energy import energy_of
from readiness.kpi import Basis, kpis
from readiness.quantities import best, combined, known_alike, when_known
from readiness.records import QUARTER_NS
from readiness.seen import names_something, text
from readiness.spans import EMPTY, Spans, intersection, union
from readiness.states import states_of
from readiness.stops import changeovers_of, lots_of, stops_of
from readiness.timemodel import times_of
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from contract.report import Reason
    from readiness.counting import Counted
    from readiness.cycles import Cycles
    from readiness.energy import Energy
    from readiness.kpi import Kpis
    from readiness.plant import State
    from readiness.records import Label
    from readiness.seen import Labelled
    from readiness.states import States
    from readiness.stops import Changeover, Lot, Stop
    from readiness.timemodel import Times
    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SECOND = 1_000_000_000
Quantity = Literal["total", "good", "reject"]


class Earned(NamedTuple):
    """Ideal time (ns) per day: of all pieces, of those whose quality is known, and of good ones."""

    total: Floats
    checked: Floats
    good: Floats


def production(view: View, machine: str) -> Production:
    """Return the production facts of a machine, the same object for each call on one view."""
    found = view.derived.setdefault(("production", machine), Production(view, machine))
    assert isinstance(found, Production)
    return found


class Production:
    """The production facts of one machine over a view's window.

    Args:
        view: The window.
        machine: Id of a declared machine.
    """

    def __init__(self, view: View, machine: str) -> None:
        self.view = view
        self.machine = machine

    @cached_property
    def domain(self) -> Spans:
        """Time that counts for the machine's state: planned, its signals in service, none of them censored.

        What counts for any of the machine's sources, where it has no state signal with evidence.
        """
        found = self._counts_for(self.all_states.names)
        return self.view.machine_domain(self.machine) if found is None else found

    @cached_property
    def short(self) -> Reason | None:
        """Why the state's time is no basis: it was told on fewer than ten production days, or None."""
        if int((self.view.per_day(self.domain) > 0).sum()) >= NEEDED_DAYS:
            return None
        tracks = [self.view.seen.track(name) for name in self.all_states.names]
        told = {day for track in tracks if track is not None for day in track.whole if self.view.planned[day] > 0}
        return "NA_SELF_FAULT" if len(told) >= NEEDED_DAYS else "NA_SHORT_WINDOW"

    @cached_property
    def counted_domain(self) -> Spans:
        """The part of `domain` that counts for the signals of pieces and product as well."""
        names = {name for c in self._counters.values() for name in c.name.split()}
        if self.product is not None:
            names.add(self.product[0])
        found = self._counts_for(names)
        return self.domain if found is None else intersection(self.domain, found)

    def _counts_for(self, names: Collection[str]) -> Spans | None:
        return reduce(intersection, (self.view.domain_of(name) for name in sorted(names))) if names else None

    @cached_property
    def all_states(self) -> States:
        """States with what is known about them: signals used, conflicts, short segments of tracks that were cut."""
        return states_of(self.view, self.machine)

    @property
    def states(self) -> Mapping[State, Spans]:
        """Exclusive spans; empty ones for a machine without a state signal."""
        return self.all_states.spans

    @property
    def known(self) -> Spans:
        """When the state was known."""
        return self.all_states.known

    @property
    def executing(self) -> Spans:
        """When the machine executed."""
        return self.all_states.spans["executing"]

    @cached_property
    def _counters(self) -> dict[Quantity, Counted]:
        found: dict[Quantity, Counted] = {}
        for kind in ("total", "good", "reject"):
            names = self.view.signals(self.machine, f"count_{kind}")
            counts = [c for name in names if (c := count(self.view, name, self.shortest_ideals(name))) is not None]
            if counts:
                found[kind] = self._in_pieces(best(counts))
        return found

    def counted(self, kind: Quantity) -> Counted | None:
        """Return what a counter of the machine itself counted, None where there is none."""
        return self._counters.get(kind)

    @cached_property
    def _quantities(self) -> dict[Quantity, Counted | None]:
        total, good, reject = (self.counted(kind) for kind in ("total", "good", "reject"))
        if total is None and good is not None and reject is not None:
            total = combined(good, reject, 1)
        elif good is None and total is not None and reject is not None:
            good = combined(total, reject, -1)
        elif reject is None and total is not None and good is not None:
            reject = combined(total, good, -1)
        return {"total": total, "good": good, "reject": reject}

    def quantity(self, kind: Quantity) -> Counted | None:
        """Return a quantity, also one that follows from the two others (`derived`)."""
        return self._quantities[kind]

    @cached_property
    def product(self) -> tuple[str, Labelled] | None:
        """The product signal and what it said."""
        for name in self.view.signals(self.machine, "product"):
            track = self.view.seen.track(name)
            if track is not None:
                return name, track
        return None

    @cached_property
    def single_product(self) -> bool:
        """Whether there is one product only: a person says so, and the machine has not shown more than one."""
        shown = set() if self.product is None else {text(x) for x in self.product[1].label if names_something(x)}
        return len(shown) <= 1 and self.view.plant.of(self.machine).single_product == "yes"

    def ideal_ns(self, label: Label) -> float | None:
        """Return the ideal time per piece (PRI) of what a product signal shows."""
        product = self.view.plant.products.get(text(label))
        seconds = None if product is None else product.ideal_s.get(self.machine)
        return None if seconds is None or seconds <= 0 else seconds * SECOND

    @cached_property
    def priced(self) -> dict[str, tuple[float, Spans]]:
        """Product -> ideal time per piece, and when this product was known to be made (planned time or not).

        Without a product signal a machine has one if somebody says that there is only one, and what it is.
        """
        products = self.view.plant.products
        if self.product is None:
            ideals = {p: ideal for p in products if (ideal := self.ideal_ns(p)) is not None}
            if not self.single_product or len(ideals) != 1:
                return {}
            whole = Spans.of([(self.view.seen.start_ns, self.view.seen.end_ns)])
            return {name: (ideal, whole) for name, ideal in ideals.items()}
        track = self.product[1]
        found = {}
        for label in sorted({text(label) for label in track.label if names_something(label)}):
            ideal = self.ideal_ns(label)
            if ideal is not None:
                found[label] = ideal, track.where(lambda said: text(said) == label)  # noqa: B023
        return found

    @cached_property
    def priced_spans(self) -> Spans:
        """When a product with an ideal cycle was known."""
        return union(*(spans for _, spans in self.priced.values()))

    def _per_count(self, name: str) -> list[tuple[float, Spans]]:
        """Return pieces per count of a counter or cycle signal that products have of their own, and when."""
        own = {label: p.per_count[name] for label, p in self.view.plant.products.items() if name in p.per_count}
        if not own:
            return []
        if self.product is None:
            products = self.view.plant.products
            if self.view.plant.of(self.machine).single_product != "yes" or len(products) != 1:
                return []
            return [
                (factor, Spans.of([(self.view.seen.start_ns, self.view.seen.end_ns)])) for factor in own.values()
            ]
        track = self.product[1]
        spans = {label: track.where(lambda said: text(said) == label) for label in own}  # noqa: B023
        return [(own[label], spans[label]) for label in sorted(own)]

    def pieces_per_count(self, name: str, at: Ints) -> Floats:
        """Return for each quarter hour that begins at `at` what one count of a signal stands for, in pieces.

        By the products made in it where these say so, weighted by executing time, and by the signal's factor.
        """
        usual = self.view.plant.meaning(name).factor
        found = np.full(len(at), usual)
        for factor, spans in self._per_count(name):
            found += shared(at, np.full(len(at), factor - usual), spans, self.executing)
        return found

    def _in_pieces(self, counted: Counted) -> Counted:
        """Return a counter in pieces of the products that it has counted."""
        if not self._per_count(counted.name):
            return counted
        scale = self.pieces_per_count(counted.name, counted.at) / counted.each
        return replace(counted, pieces=counted.pieces * scale, blind=counted.blind * scale)

    def shortest_ideals(self, name: str) -> tuple[float | None, ...]:
        """Return per day the shortest ideal time per piece (ns) of its products, None where one of them has none.

        Args:
            name: A counter. A product with pieces per count of its own is put so that the counter's own factor,
                which the pace is divided by, comes out right.
        """
        days = Spans(*np.array([self.view.calendar.bounds(day) for day in self.view.dates], np.int64).T)
        usual, products = self.view.plant.meaning(name).factor, self.view.plant.products
        table = [
            (ideal * products[label].per_count.get(name, usual) / usual, spans.within(days) > 0)
            for label, (ideal, spans) in self.priced.items()
        ]
        strange = np.zeros(len(days), np.bool_)
        if self.product is not None:
            unpriced = self.product[1].where(lambda said: names_something(said) and self.ideal_ns(said) is None)
            strange = unpriced.within(days) > 0
        return tuple(
            None if strange[day] else min((ideal for ideal, there in table if there[day]), default=None)
            for day in range(len(days))
        )

    @cached_property
    def cycles(self) -> Cycles | None:
        """Cycles by the machine's cycle signal."""
        names = self.view.signals(self.machine, "cycle")
        counted = {name: self._in_pieces(c) for name in names if (c := count(self.view, name)) is not None}
        return cycles_of(self.view, self.machine, self.executing, counted)

    @cached_property
    def cycle_ns(self) -> float | None:
        """Median time per piece by the counter's pace, or from cycle to cycle; None where neither tells it."""
        total = self.quantity("total") or self.quantity("good")
        by_counter = None if total is None else median_ns(total)
        return by_counter if by_counter is not None or self.cycles is None else self.cycles.p50_ns

    @cached_property
    def stroke_ns(self) -> float | None:
        """Median time of the machine's cycle, which several pieces may come from; None where nothing tells it.

        A piece that takes several counts has the cycle of the piece.
        """
        total = self.quantity("total") or self.quantity("good")
        piece = None if total is None else median_ns(total)
        if total is None or piece is None:
            return self.cycle_ns  # from beginning to beginning of a cycle signal
        bits = [] if self.cycles is None or not len(self.cycles.dwell) else [self.cycles.name]
        return piece * max(1.0, total.each, *(self.view.plant.meaning(name).factor for name in bits))

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """Stops of at least five minutes in the time that counts, in order."""
        return stops_of(self.view, self.machine, self.all_states, self.domain)

    @cached_property
    def _changes(self) -> tuple[str, tuple[Changeover, ...]] | None:
        return changeovers_of(self.view, self.machine)

    @property
    def changeovers(self) -> tuple[Changeover, ...] | None:
        """Changes of product, or else of recipe or order; None where nothing tells them."""
        return None if self._changes is None else self._changes[1]

    @property
    def changeover_signal(self) -> str | None:
        """The signal that `changeovers` comes from."""
        return None if self._changes is None else self._changes[0]

    @cached_property
    def lots(self) -> tuple[Lot, ...]:
        """Lots with their pieces, in order of time."""
        return lots_of(self.view, self.machine, self.quantity("total"), self.executing)

    @cached_property
    def times(self) -> Times:
        """Time elements per day."""
        return times_of(self.view, self.all_states, self.domain)

    @cached_property
    def failures(self) -> Floats:
        """How often a failure began, per day, in the time that counts.

        A fault that is still there behind a hole, or behind a break that is not planned, is the same one.
        """
        states = self.all_states
        faults = intersection(states.spans["fault"], self.domain)
        before = union(*(spans for state, spans in states.spans.items() if state != "fault"))
        other = before.within(Spans(faults.end[:-1], faults.start[1:])) > 0
        begins = faults.start[np.concatenate([np.ones(min(len(faults), 1), np.bool_), other])]
        rows = np.zeros(len(self.view.dates))
        np.add.at(rows, self.view.seen.day_of(begins), 1.0)
        day = self.view.seen.day_of(np.array([b.at_ns for b in states.brief], np.int64))
        for brief, index in zip(states.brief, day.tolist(), strict=True):
            quarter = Spans.of([(brief.at_ns, brief.at_ns + QUARTER_NS)])
            if brief.state == "fault" and 0 <= index < len(rows) and self.domain.within(quarter).sum() > 0:
                rows[index] += brief.begins
        return rows

    def _counts_of(self, counted: Counted) -> Spans:
        """Return the time that counts for pieces; of a sum or difference as far as its parts were known alike."""
        domain = self.counted_domain
        return intersection(domain, known_alike(self.view, counted)) if counted.derived else domain

    def made(self, kind: Quantity, inside: Spans) -> Floats:
        """Return per day what was counted in `inside` within the time that counts, without what came unseen."""
        counted = self.quantity(kind)
        if counted is None:
            return np.zeros(len(self.view.dates))
        along = intersection(self.executing, when_known(self.view, counted))
        part = counted.seen_within(intersection(inside, self._counts_of(counted)), along)
        day = self.view.seen.day_of(counted.at)
        good = (day >= 0) & (day < len(self.view.dates))
        row: Floats = np.bincount(day[good], weights=part[good], minlength=len(self.view.dates)).astype(np.float64)
        return row

    @cached_property
    def earned(self) -> Earned:
        """Ideal time (ns) per day.

        Of the quality nothing is known in quarter hours in which pieces or good pieces alone were read for a time.
        """
        total, checked, good = (np.zeros(len(self.view.dates)) for _ in range(3))
        whole, fine = self.quantity("total"), self.quantity("good")
        both = EMPTY if whole is None or fine is None else known_alike(self.view, whole, fine)
        for ideal, spans in self.priced.values():
            total += ideal * self.made("total", spans)
            checked += ideal * self.made("total", intersection(spans, both))
            good += ideal * self.made("good", intersection(spans, both))
        return Earned(total, checked, good)

    def basis_of(self, day: int) -> Basis:
        """Return the sums for KPIs of one day of the window, times in nanoseconds."""
        times, earned = self.times, self.earned
        return Basis(
            pbt=float(times.pbt[day]),
            apt=float(times.apt[day]),
            aust=float(times.aust[day]),
            adet=float(times.adet[day]),
            adot=float(times.adot[day]),
            unknown=float(times.unknown[day]),
            priced=float(self.priced_time[day]),
            ideal=float(earned.total[day]),
            checked=float(earned.checked[day]),
            good=float(earned.good[day]),
            failures=int(self.failures[day]),
        )

    @cached_property
    def priced_time(self) -> Floats:
        """Actual production time (ns) per day in which a product with an ideal cycle was known."""
        total = self.quantity("total")
        if total is None:
            return np.zeros(len(self.view.dates))
        seen = [self.priced_spans, self._counts_of(total), when_known(self.view, total)]
        return self.view.per_day(reduce(intersection, seen, self.executing))

    @cached_property
    def basis(self) -> Basis:
        """The sums for KPIs over the window, times in nanoseconds."""
        return sum((self.basis_of(day) for day in range(len(self.view.dates))), Basis())

    @cached_property
    def kpis(self) -> Kpis | None:
        """KPIs over the window, times in nanoseconds; None without planned busy time."""
        return kpis(self.basis)

    @cached_property
    def energy(self) -> Energy | None:
        """Energy by the machine's own meters."""
        return energy_of(self.view, self.machine, self.all_states)
