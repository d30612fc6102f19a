"""The measures that a factory could begin, out of a catalogue and what is known of it.

An entry of a machine becomes a measure of each machine that it is for and that loses something which it takes
away. An entry of the plant becomes one. Where its data is not there yet, the first entry that gives it becomes a
measure too, and is needed. A gain goes from the end of its 90 % interval at which it is least to the other one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from techsquare.credit import CREDITED
from techsquare.matching.terms import Property
from techsquare.roadmap.terms import Measure, Programme
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.catalogue.model import DataNeed, Entry, Funding, GainPrior
    from techsquare.roadmap.terms import Place

Z90 = 1.645
"""Half the width of a 90 % interval in standard deviations."""
PLANT = ""
"""Where an indicator of the plant stands in `Factory.indicators`."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as the catalogue asks for it; `interfaces` are protocols that it speaks."""

    id: str
    name: str
    process: str = ""
    interfaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Factory:
    """What is known of a factory.

    Attributes:
        machines: All of them.
        losses: Won a year by (machine, bucket); the buckets of the diagnosis, and `energy`.
        indicators: Values by (machine, indicator), and (`PLANT`, indicator); what is not assessed is not in it.
        standing: Ids of measures that are there already.
        provable: By place the smallest share of its loss that a verdict could show.
        gains: What verified outcomes say, in place of the catalogue, by (entry, bucket).
    """

    machines: Sequence[Machine]
    losses: Mapping[Place, Span]
    indicators: Mapping[tuple[str, str], float] = field(default_factory=dict)
    standing: frozenset[str] = frozenset()
    provable: Mapping[Place, float] = field(default_factory=dict)
    gains: Mapping[tuple[str, str], Span] = field(default_factory=dict)


def named(entry: Entry, machine: str | None) -> str:
    """Return the id of a measure: the entry's, and of one machine's the machine behind it."""
    return entry.id if machine is None or entry.per == "plant" else f"{entry.id}@{machine}"


def share(gain: GainPrior) -> Span:
    """Return the 90 % interval of a gain, as far as it lies within 0 and 1 with the mean in its middle."""
    half = min(Z90 * gain.sd, gain.mean, 1 - gain.mean)
    return Span(gain.mean - half, gain.mean + half)


def offer(entries: Sequence[Entry], factory: Factory, most: int = 30) -> tuple[Measure, ...]:
    """Return the measures that a factory could begin, by id.

    Args:
        entries: The catalogue, in its order.
        factory: What is known.
        most: So many measures with a gain, those that would save most alone; what they need comes with them.
    """
    shop = _Shop(entries, factory)
    wanted = [measure for entry in entries if entry.gains for measure in shop.measures(entry)]
    wanted.sort(key=lambda m: (-_worth(m, factory), m.id))
    found: dict[str, Measure] = {}
    ahead = wanted[:most]
    while ahead:
        measure = ahead.pop()
        if measure.id not in found:
            found[measure.id] = measure
            ahead += [shop.made[need] for need in sorted(measure.needs) if need in shop.made]
    return tuple(found[name] for name in sorted(found))


def programmes(funding: Sequence[Funding]) -> tuple[Programme, ...]:
    """Return programmes as a roadmap takes them."""
    return tuple(
        Programme(
            id=f.id,
            share=f.share,
            cap=f.cap,
            opens=f.opens,
            closes=f.closes,
            eligible=dict(f.eligible),
            vat=f.vat,
            upfront=f.upfront,
            after_months=f.after_months,
        )
        for f in funding
    )


def capabilities(entry: Entry) -> Mapping[str, Mapping[str, Property]]:
    """Return what a solution for an entry has to be able to do, as matching takes it."""
    return {
        c.id: {p.name: Property(p.low, p.high, frozenset(p.words)) for p in c.properties}
        for c in entry.capabilities
    }


def _worth(measure: Measure, factory: Factory) -> float:
    """Return won a year that a measure would save alone, at the middle."""
    return sum(
        min(CREDITED, sum(gain) / 2) * sum(factory.losses[place]) / 2
        for place, gain in measure.gain.items()
        if place in factory.losses
    )


class _Shop:
    """Makes measures, and those that they need; `made` holds all by id."""

    def __init__(self, entries: Sequence[Entry], factory: Factory) -> None:
        self._factory = factory
        self._by_id = {entry.id: entry for entry in entries}
        self._givers: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            for indicator in entry.gives:
                self._givers[indicator].append(entry)
        self._machines = {machine.id: machine for machine in sorted(factory.machines, key=lambda m: m.id)}
        self.made: dict[str, Measure] = {}

    def measures(self, entry: Entry) -> Sequence[Measure]:
        """Return an entry's measures that take away something that is lost."""
        places = self._places(entry)
        if entry.per == "plant":
            here = self._where_data_is(entry, places)
            return [self._make(entry, None, here)] if here else []
        return [
            self._make(entry, machine, found)
            for machine in self._machines
            if (found := {place: gain for place, gain in places.items() if place[0] == machine})
        ]

    def _places(self, entry: Entry) -> dict[Place, Span]:
        """Return what an entry would take away, wherever it fits."""
        return {
            (machine, gain.bucket): self._factory.gains.get((entry.id, gain.bucket), share(gain))
            for machine in self._machines
            if self._fits(entry, machine)
            for gain in entry.gains
            if (machine, gain.bucket) in self._factory.losses
        }

    def _where_data_is(self, entry: Entry, places: Mapping[Place, Span]) -> Mapping[Place, Span]:
        """Return the places of the machines whose data suffices; where none does, of the one that loses most.

        So a system for the whole plant is not held up by its last machine, and saves nothing that it cannot see.
        """
        losing: dict[str, float] = defaultdict(float)
        for machine, bucket in places:
            losing[machine] += sum(self._factory.losses[machine, bucket])
        ready = {machine for machine in losing if all(self._reached(need, machine) for need in entry.data)}
        chosen = ready or set(sorted(losing, key=lambda m: (-losing[m], m))[:1])
        return {place: gain for place, gain in places.items() if place[0] in chosen}

    def _fits(self, entry: Entry, machine: str) -> bool:
        about = self._machines[machine]
        return (not entry.processes or about.process in entry.processes) and (
            not entry.interfaces or bool(about.interfaces & set(entry.interfaces))
        )

    def _reached(self, need: DataNeed, machine: str) -> bool:
        values = (self._factory.indicators.get((place, need.indicator)) for place in (machine, PLANT))
        return any(value is not None and value >= need.least for value in values)

    def _make(self, entry: Entry, machine: str | None, gain: Mapping[Place, Span]) -> Measure:
        """Return a measure, once made with everything that it needs."""
        name = named(entry, machine)
        if name in self.made:
            return self.made[name]
        needs, together = self._needs(entry, machine, gain)
        about = self._machines.get(machine or "")
        behind = f" ({about.name})" if about and entry.per == "machine" else ""
        self.made[name] = Measure(
            id=name,
            title={"ko": entry.ko + behind, "en": entry.en + behind},
            cost=Span(entry.cost.low, entry.cost.high),
            yearly=Span(entry.yearly.low, entry.yearly.high),
            kind=entry.id,
            gain=gain,
            staff_days=entry.staff_days,
            months=entry.months,
            needs=frozenset(needs),
            together=frozenset(together),
            excludes=frozenset(self._others(entry, machine)),
            data=not entry.gains,
            provable=self._provable(gain),
            source=_sources(entry),
        )
        return self.made[name]

    def _others(self, entry: Entry, machine: str | None) -> Sequence[str]:
        return [named(self._by_id[other], machine) for other in entry.excludes]

    def _needs(self, entry: Entry, machine: str | None, gain: Mapping[Place, Span]) -> tuple[set[str], set[str]]:
        """Return ids of what has to stand before, and those of it that may be begun in the same phase."""
        needs: set[str] = set()
        together: set[str] = set()
        sites: list[str | None] = [machine] if machine else [*sorted({place[0] for place in gain})] or [None]
        for site in sites:
            for other in entry.needs:
                if self._seen(self._by_id[other], site):
                    continue
                needed = self._make_needed(self._by_id[other], site)
                needs.add(needed)
                if other in entry.together:
                    together.add(needed)
            for need in entry.data:
                if site is not None and self._reached(need, site):
                    continue
                needed = self._giver(need, site)
                needs.add(needed)
                if need.together:
                    together.add(needed)
        return needs, together

    def _seen(self, entry: Entry, site: str | None) -> bool:
        """Return whether data of the plant is there: what it gives is measured, and could not be without it."""
        if entry.per == "machine" or entry.gains:
            return False
        return any(
            (at, given) in self._factory.indicators for at in (site or PLANT, PLANT) for given in entry.gives
        )

    def _make_needed(self, entry: Entry, machine: str | None) -> str:
        places = {p: g for p, g in self._places(entry).items() if entry.per == "plant" or p[0] == machine}
        if entry.per == "plant":
            places = dict(self._where_data_is(entry, places))
        return self._make(entry, machine if entry.per == "machine" else None, places).id

    def _giver(self, need: DataNeed, machine: str | None) -> str:
        """Return the id of the first measure that gives an indicator at a machine; one of nothing if none does.

        One that stands will give it soon; where it is measured and still too low, the next one is asked.
        """
        measured = any((place, need.indicator) in self._factory.indicators for place in (machine or PLANT, PLANT))
        for entry in self._givers[need.indicator]:
            if entry.per == "machine" and (machine is None or not self._fits(entry, machine)):
                continue
            if not measured or named(entry, machine) not in self._factory.standing:
                return self._make_needed(entry, machine)
        return f"{need.indicator}@{machine}" if machine else need.indicator

    def _provable(self, gain: Mapping[Place, Span]) -> bool | None:
        """Return whether a verdict could show one of the gains; None where nobody has looked."""
        known = [place for place in gain if place in self._factory.provable]
        if any(sum(gain[place]) / 2 >= self._factory.provable[place] for place in known):
            return True
        return False if known and len(known) == len(gain) else None


def _sources(entry: Entry) -> str:
    return "; ".join(dict.fromkeys([entry.cost.source, *(gain.source for gain in entry.gains)]))
