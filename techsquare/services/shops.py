"""What matching asks of factories beside their plans: region, processes, protocols, consents, exclusions."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Text, and_, cast, select

from techsquare.registry import tables as t
from techsquare.registry.consents import Said, effective
from techsquare.registry.dialect import among

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.registry.factories import ConsentSource

UNKNOWN = "unknown"


class Open(NamedTuple):
    """An item of a roadmap for which offers are looked for; columns of `roadmap_item`."""

    id: str
    factory: str
    roadmap: str
    measure: str
    machine: str | None
    most_won: int | None

    @property
    def named(self) -> str:
        """The id that the item's measure has in its plan."""
        return self.measure if self.machine is None else f"{self.measure}@{self.machine}"


class Shops:
    """What matching asks of factories, by factory. One that has nothing of a kind is not in it."""

    def __init__(self, session: Session, rows: Sequence[Open], on: date) -> None:
        self._read: dict[str, frozenset[str]] = {}
        self._same: dict[frozenset[str], frozenset[str]] = {}
        self._names = {row.factory for row in rows}
        self._unknown = self._shared((UNKNOWN,))
        self.region: dict[str, str] = {}
        self._process: dict[str, str] = {}
        self.related = self._related(session)
        self._machines(session, rows)
        self.standing = self._standing(session)
        self.consents = self._consents(session, on)
        self.excluded = self._excluded(session)
        self.fit: dict[str, dict[str, Any]] = defaultdict(dict)
        check = t.FitCheck
        for factory, version, result in session.execute(
            select(check.factory_id, check.version_id, check.result).where(
                check.result.in_(("pass", "fail")), among(session, check.factory_id, self._names)
            )
        ):
            self.fit[factory][version] = result

    def process(self, row: Open) -> str:
        """Return the process of an item's machine, or of the plant."""
        at = self._process_of.get((row.factory, row.machine)) if row.machine else None
        return at or self._process.get(row.factory) or UNKNOWN

    def interfaces(self, row: Open) -> frozenset[str]:
        """Return the protocols of an item's machine; of the plant's machines where all are known."""
        return self._spoken.get((row.factory, row.machine), self._unknown)

    def _words(self, text: str) -> frozenset[str]:
        """Return a stored list of words; most rows have the same few lists."""
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = self._shared(msgspec.json.decode(text))
        return found

    def _shared(self, words: Iterable[str]) -> frozenset[str]:
        found = frozenset(words)
        return self._same.setdefault(found, found)

    def _related(self, session: Session) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        asked = (
            select(t.Factory.id, t.Factory.region, t.Factory.process, t.Party.owner_group)
            .join(t.Party, t.Party.id == t.Factory.id)
            .where(among(session, t.Factory.id, self._names))
        )
        for name, region, process, group in session.connection().execute(asked):
            self.region[name] = region
            if process:
                self._process[name] = process
            if group:
                found[name].add(group)
        asked_of = (
            select(t.Assignment.factory_id, t.Mentor.firm_id, t.Mentor.related)
            .join(t.Mentor, t.Mentor.id == t.Assignment.mentor_id)
            .where(t.Assignment.until.is_(None), among(session, t.Assignment.factory_id, self._names))
        )
        for name, firm, related in session.execute(asked_of):
            found[name] |= {one for one in (firm, *(related or ())) if one}
        return {name: self._shared(names) for name, names in found.items() if names}

    def _machines(self, session: Session, rows: Sequence[Open]) -> None:
        self._process_of: dict[tuple[str, str | None], str] = {}
        self._spoken: dict[tuple[str, str | None], frozenset[str]] = {}
        machine, item = t.Machine, t.RoadmapItem
        told = (machine.factory_id, machine.id, machine.process, cast(machine.interfaces, Text))
        named = (
            select(*told)
            .join(item, and_(item.factory_id == machine.factory_id, item.machine_id == machine.id))
            .where(among(session, item.id, (row.id for row in rows if row.machine)))
        )
        for factory, key, process, text in session.connection().execute(named):
            if process:
                self._process_of[factory, key] = process
            if text is not None:
                self._spoken[factory, key] = self._words(text)
        plants = {row.factory for row in rows if not row.machine}
        all_of = select(*told).where(machine.retired_on.is_(None), among(session, machine.factory_id, plants))
        spoken: dict[str, list[frozenset[str] | None]] = defaultdict(list)
        machines: Iterable[Any] = session.connection().execute(all_of) if plants else ()
        for factory, _, _, text in machines:
            spoken[factory].append(None if text is None else self._words(text))
        for factory, told_of in spoken.items():
            known = [words for words in told_of if words is not None]
            if len(known) == len(told_of):
                self._spoken[factory, None] = self._shared(frozenset().union(*known))

    def _standing(self, session: Session) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        row = t.RoadmapItem
        for one in session.execute(
            select(row.id, row.factory_id, row.roadmap_id, row.measure_id, row.machine_id, row.most_won).where(
                row.state == "done", among(session, row.factory_id, self._names)
            )
        ):
            found[one.factory_id].add(Open._make(one).named)
        return found

    def _consents(self, session: Session, on: date) -> dict[str, frozenset[str]]:
        row = t.Consent
        said: dict[str, dict[str, dict[ConsentSource, Said]]] = defaultdict(lambda: defaultdict(dict))
        asked = (
            select(row.factory_id, row.agent_id, row.source, cast(row.scopes, Text), row.until)
            .where(among(session, row.factory_id, self._names))
            .order_by(row.factory_id, row.since, row.serial, row.id)
        )
        for factory, agent, source, text, until in session.connection().execute(asked):
            said[factory][agent][source] = Said(self._words(text), until)
        return {
            factory: self._shared(chain.from_iterable(effective(one, on) or () for one in agents.values()))
            for factory, agents in said.items()
        }

    def _excluded(self, session: Session) -> dict[str, frozenset[str]]:
        row, version = t.Exclusion, t.SolutionVersion
        here = and_(row.until.is_(None), among(session, row.factory_id, self._names))
        found: dict[str, set[str]] = defaultdict(set)
        for factory, supplier in session.execute(
            select(row.factory_id, row.supplier_id).where(here, row.supplier_id.is_not(None))
        ):
            found[factory].add(str(supplier))
        for factory, name in session.execute(
            select(row.factory_id, version.id).join(version, version.solution_id == row.solution_id).where(here)
        ):
            found[factory].add(name)
        return {factory: frozenset(names) for factory, names in found.items()}
