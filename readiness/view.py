"""The evidence of a window, clipped to the time that counts and laid out for the formulas.

The time that counts for a source is planned time, while the source was in service, without what is censored; it is
cut by production day, so that every quantity is a row of numbers per day. Signals of a source that share their
spans are clipped once: a report over 28 days and 1,000 signals is a few thousand numpy calls.

A production day of the window counts for a machine if at least half of its planned time counts for at least one of
the machine's sources; what we ourselves failed to see is no sample of the factory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from readiness.catalog import key
from readiness.evidence import EVERYTHING, SignalDay
from readiness.routes import BURST, routes
from readiness.seen import Seen
from readiness.spans import EMPTY, Spans, difference, intersection, normal, union

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from contract.report import Reason
    from readiness.catalog import Link, Tag
    from readiness.evidence import DayEvidence, SourceDay
    from readiness.inventory import Machine
    from readiness.model import Model
    from readiness.plant import Plant
    from readiness.schedule import Calendar

    Floats = NDArray[np.float64]

WINDOW_DAYS = 28
NEEDED_DAYS = 10
HALF = 0.5
CONDITION = "alarm:"
"""Begins the name of the track of an alarm condition, see `DayEvidence.alarms`."""
ABSENT = SignalDay(-1, -1, -1, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Time of one signal per day of the window, in nanoseconds."""

    counts: Floats  # time that counts
    known: Floats
    uncertain: Floats
    bad: Floats


@dataclass(eq=False)
class View:
    """Everything that formulas read.

    Args:
        days: Closed production days, any order; those outside the window are passed over.
        tallies: (ISO date, key) -> bucket -> number, as `agent.analyzers.latency` counts them.
        catalog: The configured sources now, those read in bursts too.
        plant: What people say now: machines, what signals mean, products.
        calendar: The site's calendar now.
        now_ns: Data time of the report; the window ends with the last production day before it.
        model: Anchors, gates and lists.
        length: Production days in the window.
    """

    days: Sequence[DayEvidence]
    tallies: Mapping[tuple[str, str], Mapping[int, int]]
    catalog: Sequence[Link]
    plant: Plant
    calendar: Calendar
    now_ns: int
    model: Model
    length: int = WINDOW_DAYS
    dates: tuple[date, ...] = field(init=False)
    derived: dict[tuple[str, ...], object] = field(init=False, default_factory=dict, repr=False)
    """What has been computed from this view, so that formulas share it (`readiness.production`)."""

    def __post_init__(self) -> None:
        today = self.calendar.day_of(self.now_ns)
        self.dates = tuple(today - timedelta(days=back) for back in range(self.length, 0, -1))

    @property
    def inventory(self) -> Sequence[Machine]:
        """The declared machines."""
        return self.plant.machines

    def over(self, days: int) -> View:
        """Return the same evidence seen over a window of another length that ends with the same day."""
        if days == self.length:
            return self
        if ("over", str(days)) not in self.derived:
            self.derived["over", str(days)] = replace(self, length=days)
        found = self.derived["over", str(days)]
        assert isinstance(found, View)
        return found

    @cached_property
    def seen(self) -> Seen:
        """What signals and devices said on the days of the window, and before."""
        return Seen(self.days, self.calendar, self.dates)

    @cached_property
    def records(self) -> list[DayEvidence]:
        """Evidence that touches the window, in order of time."""
        start, end = self.calendar.bounds(self.dates[0])[0], self.calendar.bounds(self.dates[-1])[1]
        return sorted((d for d in self.days if d.end_ns > start and d.start_ns < end), key=lambda d: d.start_ns)

    @cached_property
    def _planned(self) -> list[Spans]:
        return [self.calendar.planned_spans(day) for day in self.dates]

    @cached_property
    def planned(self) -> Floats:
        """Planned time per day of the window."""
        return np.array([spans.length() for spans in self._planned], np.float64)

    @cached_property
    def tags(self) -> dict[str, list[tuple[Link, Tag]]]:
        """Machine -> its configured signals, for machines of the inventory; without bursts."""
        return self._tags(source for source in self.catalog if source.mode != BURST)

    @cached_property
    def fast(self) -> dict[str, list[tuple[Link, Tag]]]:
        """Likewise, the signals read in bursts: the same values again, and between two nothing is expected."""
        return self._tags(source for source in self.catalog if source.mode == BURST)

    def _tags(self, sources: Iterable[Link]) -> dict[str, list[tuple[Link, Tag]]]:
        found: dict[str, list[tuple[Link, Tag]]] = {m.id: [] for m in self.inventory}
        for source in sources:
            for tag in source.signals:
                if tag.machine in found:
                    found[tag.machine].append((source, tag))
        return found

    @cached_property
    def _domains(self) -> dict[str, tuple[Spans, NDArray[np.int64]]]:
        """Source -> the pieces of time that count, and the day of each."""
        service, censored = defaultdict(list), defaultdict(list)
        for record in self.records:
            for causes in record.censored.values():
                for source, packed in causes.items():
                    censored[source].append(record.spans(packed))
            for part in record.sources:
                service[part.source].append(record.spans(part.service))
        everywhere = union(EMPTY, *censored[EVERYTHING])
        found = {}
        for source, parts in service.items():
            inside = difference(union(*parts), union(everywhere, *censored[source]))
            pieces = [intersection(planned, inside) for planned in self._planned]
            spans = Spans(np.concatenate([p.start for p in pieces]), np.concatenate([p.end for p in pieces]))
            found[source] = spans, np.repeat(np.arange(len(pieces)), [len(p) for p in pieces])
        return found

    def _per_day(self, source: str, spans: Spans) -> Floats:
        domain, day = self._domains[source]
        row: Floats = np.bincount(day, weights=spans.within(domain), minlength=len(self.dates)).astype(np.float64)
        return row

    def domain(self, source: str) -> Spans:
        """Return the time that counts for a source: planned, in service, not censored."""
        spans = self._domains[source][0] if source in self._domains else EMPTY
        return normal(spans.start, spans.end)

    def by_day(self, source: str, spans: Spans) -> Floats:
        """Return per day how much of the time that counts for a source lies in `spans`."""
        return self._per_day(source, spans) if source in self._domains else 0 * self.planned

    def domain_of(self, name: str) -> Spans:
        """Return the time that counts for a signal: for the sources that had it, on the days when they had it."""
        days: dict[str, list[Spans]] = defaultdict(list)
        for record, part in self.parts_of.get(name, ()):
            days[part.source].append(Spans.between(record.start_ns, record.end_ns))
        return union(*(intersection(self.domain(source), union(*row)) for source, row in days.items()))

    def per_day(self, spans: Spans) -> Floats:
        """Return per day of the window how much of its planned time lies in `spans`."""
        return np.array([int(spans.within(day).sum()) for day in self._planned], np.float64)

    @cached_property
    def _machine_domains(self) -> dict[str, list[Spans]]:
        """Machine -> per day the time that counts for at least one of its sources."""
        sources: dict[str, set[str]] = defaultdict(set)
        for machine, tags in self.tags.items():
            sources[machine].update(source.id for source, _ in tags)
        for name, parts in self.parts_of.items():
            sources[name.split("/")[0]].update(part.source for _, part in parts)
        counts = {source: self.domain(source) for source in self._domains}
        return {
            machine: [intersection(day, whole) for day in self._planned]
            for machine, of in sources.items()
            for whole in [union(*(counts[s] for s in sorted(of & set(counts))))]
        }

    def machine_domain(self, machine: str) -> Spans:
        """Return the time that counts for at least one of a machine's sources."""
        return union(*self._machine_domains.get(machine, ()))

    def machine_by_day(self, machine: str, spans: Spans) -> Floats:
        """Return per day how much of the time that counts for a machine lies in `spans`."""
        days = self._machine_domains.get(machine)
        if days is None:
            return 0 * self.planned
        return np.array([int(spans.within(day).sum()) for day in days], np.float64)

    @cached_property
    def parts_of(self) -> dict[str, list[tuple[DayEvidence, SourceDay]]]:
        """Signal -> the parts of evidence that know it, in order of time."""
        found: dict[str, list[tuple[DayEvidence, SourceDay]]] = defaultdict(list)
        for record in self.records:
            for part in record.sources:
                one = record, part
                for name in part.signals.keys() | part.tracks.keys() | part.counts.keys() | part.values.keys():
                    found[name].append(one)
        return dict(found)

    @cached_property
    def _configured(self) -> dict[str, str]:
        return {key(tag): source.id for source in self.catalog if source.mode != BURST for tag in source.signals}

    def source_of(self, name: str) -> str | None:
        """Return the source that a signal (`{machine}/{signal}`) is configured in, or was last seen in."""
        if name in self._configured:
            return self._configured[name]
        return self.parts_of[name][-1][1].source if name in self.parts_of else None

    def spans(self, name: str, kind: Literal["known", "uncertain", "bad"] = "known") -> Spans:
        """Return when a signal was known (or uncertain, or bad), over the window and not only in planned time."""
        place = "spans", kind, name
        if place not in self.derived:
            parts = [
                record.spans(part.spans[index])
                for record, part in self.parts_of.get(name, ())
                if (index := getattr(part.signals.get(name, ABSENT), kind)) >= 0
            ]
            self.derived[place] = union(*parts).clip(self.seen.start_ns, self.seen.end_ns)
        return cast("Spans", self.derived[place])

    @cached_property
    def _by_role(self) -> tuple[dict[tuple[str, str], list[str]], dict[tuple[str, str], list[str]]]:
        sure: dict[tuple[str, str], list[str]] = defaultdict(list)
        guessed: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, meaning in sorted(self.plant.meanings.items()):
            if meaning.role is not None and (name in self._configured or name in self.parts_of):
                of = guessed if meaning.origin == "guess" else sure
                of[name.split("/")[0], meaning.role].append(name)
        for name in sorted(self.parts_of):  # conditions that a server reports are alarms by what they are
            machine, _, signal = name.partition("/")
            if signal.startswith(CONDITION) and self.plant.meaning(name).role is None:
                sure[machine, "alarm"].append(name)
        return sure, guessed

    def signals(self, machine: str, role: str) -> list[str]:
        """Return the signals of a machine, `{machine}/{signal}`, for whose role somebody stands."""
        return self._by_role[0].get((machine, role), [])

    def guessed(self, machine: str, role: str) -> list[str]:
        """Return the signals of a machine for whose role nobody stands yet."""
        return self._by_role[1].get((machine, role), [])

    def lack(self, machine: str, *roles: str) -> Reason | None:
        """Return why a machine has no signal of one of these roles, or None if it has one of each."""
        missing = [role for role in roles if not self.signals(machine, role)]
        if not missing:
            return None
        return "NA_ROLE_UNCONFIRMED" if all(self.guessed(machine, r) for r in missing) else "NA_NO_EVIDENCE"

    @cached_property
    def sources(self) -> dict[str, tuple[Floats, Floats]]:
        """Source -> per day the time that counts, and how much of it the link was alive."""
        live = defaultdict(list)
        for record in self.records:
            for part in record.sources:
                live[part.source].append(record.spans(part.live))
        return {
            source: (self._per_day(source, domain), self._per_day(source, union(*live[source])))
            for source, (domain, _) in self._domains.items()
        }

    @cached_property
    def series(self) -> dict[str, Series]:
        """Signal -> its time per day, for signals that the evidence knows."""
        parts: dict[str, list[tuple[DayEvidence, SourceDay]]] = defaultdict(list)
        for record in self.records:
            for part in record.sources:
                parts[part.source].append((record, part))
        found: dict[str, Series] = {}
        for source, days in parts.items():
            for name, series in self._of_source(source, days).items():
                if name in found:  # moved from one source to another within the window
                    old = found[name]
                    series = Series(  # noqa: PLW2901 - the sum replaces its second half
                        old.counts + series.counts, old.known + series.known,
                        old.uncertain + series.uncertain, old.bad + series.bad,
                    )  # fmt: skip
                found[name] = series
        return found

    def _of_source(self, source: str, days: list[tuple[DayEvidence, SourceDay]]) -> dict[str, Series]:
        sets = [[record.spans(packed) for packed in part.spans] for record, part in days]
        shares = [self._share_of_day(record) for record, _ in days]
        counts = self.sources[source][0]
        cache: dict[tuple[int, ...], Floats] = {}

        def total(indices: tuple[int, ...]) -> Floats:
            if indices not in cache:
                chosen = [sets[d][i] for d, i in enumerate(indices) if i >= 0]
                cache[indices] = self._per_day(source, union(EMPTY, *chosen))
            return cache[indices]

        found = {}
        for name in sorted({name for _, part in days for name in part.signals}):
            signal = [part.signals.get(name, ABSENT) for _, part in days]
            there = sum((w for w, s in zip(shares, signal, strict=True) if s is not ABSENT), start=0 * counts)
            found[name] = Series(
                counts=counts * np.minimum(there, 1.0),
                known=total(tuple(s.known for s in signal)),
                uncertain=total(tuple(s.uncertain for s in signal)),
                bad=total(tuple(s.bad for s in signal)),
            )
        return found

    def _share_of_day(self, record: DayEvidence) -> Floats:
        """Return which days of the window a record covers: one, unless the day's start was moved since."""
        if record.day not in self._covered:
            covered = np.clip(self._bounds, record.start_ns, record.end_ns)
            length = (covered[:, 1] - covered[:, 0]).astype(np.float64)
            self._covered[record.day] = length / (self._bounds[:, 1] - self._bounds[:, 0])
        return self._covered[record.day]

    @cached_property
    def _covered(self) -> dict[str, Floats]:
        return {}

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        return np.array([self.calendar.bounds(day) for day in self.dates], np.int64)

    @cached_property
    def _routes(self) -> dict[str, list[str]]:
        return {machine: [route.id for route in routes(self, machine)] for machine in self.tags}

    @cached_property
    def _counting(self) -> dict[str, Floats]:
        found = {}
        for machine in self.tags:
            sources = [name for name in self._routes[machine] if name in self.sources]
            best = np.max([self.sources[s][0] for s in sources] or [0 * self.planned], axis=0)
            found[machine] = np.where((self.planned > 0) & (best >= HALF * self.planned), best, 0.0)
        return found

    def counting(self, machine: str) -> Floats:
        """Return per day the longest time that counts for any source of a machine, 0 on days that do not count."""
        return self._counting[machine]

    def shortfall(self, machine: str) -> Reason | None:
        """Return why a machine's window is no basis for an indicator over days, or None if it is."""
        if not self.calendar.has_schedule():
            return "NA_NO_SCHEDULE"
        if not self.tags.get(machine) or not self.records:
            return "NA_NO_EVIDENCE"
        good = int((self.counting(machine) > 0).sum())
        if good >= NEEDED_DAYS:
            return None
        own = set(self._routes[machine])
        tried = [r.start_ns for r in self.records if any(p.source in own for p in r.sources)]
        if not tried:
            return "NA_NO_EVIDENCE"
        recorded = np.sum([self._share_of_day(r) for r in self.records if r.start_ns >= tried[0]], axis=0) > HALF
        return "NA_SELF_FAULT" if int((recorded & (self.planned > 0)).sum()) >= NEEDED_DAYS else "NA_SHORT_WINDOW"

    def roles(self, machine: str) -> Counter[str]:
        """Return how the roles of a machine's signals are known: confirmed, guessed or none."""
        found: Counter[str] = Counter()
        for _, tag in self.tags.get(machine, ()):
            meaning = self.plant.meaning(key(tag))
            found["none" if meaning.role is None else "guessed" if meaning.origin == "guess" else "confirmed"] += 1
        return found

    @cached_property
    def simulated(self) -> float:
        """Share of the window's recorded time that was simulated."""
        total = sum(r.end_ns - r.start_ns for r in self.records)
        return sum(r.spans(r.simulated).length() for r in self.records) / total if total else 0.0

    def native(self) -> dict[str, frozenset[str]]:
        """Return for each configured signal what its device declared when its source was seen last."""
        last = {part.source: record.native for record in self.records for part in record.sources}
        return {
            key(tag): frozenset(last.get(source.id, {}).get(f"{source.id}/{tag.id}", ()))
            for source in self.catalog
            for tag in source.signals
        }
