"""The evidence of several agents as that of one factory.

Ids of sources and devices are chosen at each agent, so those of the others get the agent's id before them; machines
and signals belong to the factory and keep theirs. A machine that two agents declare is nobody's until people have
said whose it is: which of two press-1 a number belongs to would be a guess. Its evidence and its signals are left
out, and it stays in the inventory as what it is: not assessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from readiness.evidence import EVERYTHING, DayEvidence
from readiness.spans import union

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from readiness.catalog import Link, Tag
    from readiness.evidence import Packed, SourceDay
    from readiness.inventory import Machine

T = TypeVar("T")
SEPARATOR = ":"
"""Stands in no id."""


class OfAgent(NamedTuple):
    """A configured source of another agent, with what its signals are; see `readiness.catalog.Link`."""

    id: str
    device: str
    protocol: str
    mode: str
    interval_ns: int
    signals: Sequence[Tag]


def contested(inventories: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the machines that more than one agent declares, and the agents, sorted.

    Args:
        inventories: Agent -> ids of its machines.
    """
    agents: dict[str, list[str]] = {}
    for agent, machines in sorted(inventories.items()):
        for machine in set(machines):
            agents.setdefault(machine, []).append(agent)
    return {machine: found for machine, found in sorted(agents.items()) if len(found) > 1}


def inventory(inventories: Mapping[str, Sequence[Machine]]) -> list[Machine]:
    """Return the machines of all agents, each id once, in the order of agents and files."""
    found: dict[str, Machine] = {}
    for machines in inventories.values():
        for machine in machines:
            found.setdefault(machine.id, machine)
    return list(found.values())


def catalog(agent: str, links: Iterable[Link], left_out: Collection[str]) -> list[Link]:
    """Return sources of an agent under the names that they have in the factory's evidence.

    Args:
        agent: "" for the reporter itself, whose sources keep their ids.
        links: As configured there.
        left_out: Machines whose signals are left out.
    """
    found: list[Link] = []
    for link in links:
        signals = [tag for tag in link.signals if tag.machine not in left_out]
        if not agent and len(signals) == len(link.signals):
            found.append(link)
        elif signals:
            found.append(
                OfAgent(
                    id=_of(agent, link.id),
                    device=_of(agent, link.device),
                    protocol=link.protocol,
                    mode=link.mode,
                    interval_ns=link.interval_ns,
                    signals=signals,
                )
            )
    return found


def _of(agent: str, name: str) -> str:
    return f"{agent}{SEPARATOR}{name}" if agent else name


def together(days: Mapping[str, DayEvidence], left_out: Collection[str]) -> DayEvidence:
    """Return what several agents saw on one production day as one.

    What censors everything at one agent censors that agent's sources, and only these. Time counts as simulated
    where it was at any of them.

    Args:
        days: Agent ("" for the reporter itself) -> its evidence; all begin and end at the same moments.
        left_out: Machines of which nothing is taken.

    Raises:
        ValueError: days of different length, or none.
    """
    first = next(iter(days.values()), None)
    if first is None or {(d.start, d.end) for d in days.values()} != {(first.start, first.end)}:
        raise ValueError("evidence of days that begin or end at different moments")
    own = [_renamed(agent, _without(day, left_out)) for agent, day in sorted(days.items())]
    censored: dict[str, dict[str, Packed]] = {}
    for day in own:
        for cause, sources in day.censored.items():
            censored.setdefault(cause, {}).update(sources)
    return DayEvidence(
        version=first.version,
        day=first.day,
        zone=first.zone,
        start=first.start,
        end=first.end,
        sources=[part for day in own for part in day.sources],
        censored=censored,
        connections=_all(day.connections for day in own),
        native=_all(day.native for day in own),
        simulated=_simulated(own),
        late_events=sum(day.late_events for day in own),
        loops=_all(day.loops for day in own),
        bursts=_all(day.bursts for day in own),
        skews=_all(day.skews for day in own),
        offers=_all(day.offers for day in own),
        certificates=_all(day.certificates for day in own),
        access=_all(day.access for day in own),
        alarms=_all(day.alarms for day in own),
    )


def _all(parts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    return {name: value for part in parts for name, value in part.items()}


def _simulated(days: Sequence[DayEvidence]) -> Packed:
    return union(*(day.spans(day.simulated) for day in days)).pack(days[0].start_ns)


def _renamed(agent: str, day: DayEvidence) -> DayEvidence:
    """Return the day with the agent before the ids that it has chosen, also where it is the reporter ("").

    `EVERYTHING` becomes the sources that the agent had on this day: the others go on.
    """
    here = sorted({part.source for part in day.sources})
    censored: dict[str, dict[str, Packed]] = {}
    for cause, sources in day.censored.items():
        everywhere = sources.get(EVERYTHING)
        spans = {_of(agent, source): packed for source, packed in sources.items() if source != EVERYTHING}
        if everywhere:
            for source in here:
                both = union(day.spans(sources.get(source, [])), day.spans(everywhere))
                spans[_of(agent, source)] = both.pack(day.start_ns)
        censored[cause] = dict(sorted(spans.items()))
    return replace(
        day,
        sources=[
            replace(part, source=_of(agent, part.source), device=_of(agent, part.device)) for part in day.sources
        ],
        censored=censored,
        connections=_keys(agent, day.connections),
        native=_keys(agent, day.native),
        skews=_keys(agent, day.skews),
        offers=_keys(agent, day.offers),
        certificates=_keys(agent, day.certificates),
        access=_keys(agent, day.access),
    )  # fmt: skip


def _keys(agent: str, found: Mapping[str, T]) -> dict[str, T]:
    return {_of(agent, name): value for name, value in found.items()}


def _without(day: DayEvidence, machines: Collection[str]) -> DayEvidence:
    """Return a day without some machines, and with loops, bursts and alarms of machines that it has signals of.

    All agents may have been given the same answers, so that each of them looks for every loop.
    """
    every = {name.split("/", 1)[0] for part in day.sources for name in _names(part)} - {*machines}

    def kept(found: Mapping[str, T]) -> dict[str, T]:
        return {name: value for name, value in found.items() if name.split("/", 1)[0] in every}

    def part(of: SourceDay) -> SourceDay:
        return replace(
            of,
            signals=kept(of.signals),
            tracks=kept(of.tracks),
            counts=kept(of.counts),
            values=kept(of.values),
            ids=kept(of.ids),
        )

    return replace(
        day,
        sources=[part(of) for of in day.sources] if machines else day.sources,
        loops=kept(day.loops),
        bursts=kept(day.bursts),
        alarms=kept(day.alarms),
    )


def _names(part: SourceDay) -> Iterable[str]:
    return (*part.signals, *part.tracks, *part.counts, *part.values, *part.ids)
