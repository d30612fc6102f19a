"""A batch of messages in one transaction. In `Registry.load`.

What is known of the agents is read in the same transaction: another worker may have learned a key a moment ago, and
the owner may have taken his consent back. Records go through `bulk.store_days`, which never stores one twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_

from contract.codec import checksum, decode
from contract.day import SignedDay
from contract.errors import WireError
from contract.topics import split
from techsquare.intake import checks
from techsquare.intake.agents import known
from techsquare.intake.chain import Link, misfit
from techsquare.intake.rows import machine_days
from techsquare.intake.terms import AgentKey, Fate, Held, Incoming, Outcome, Question
from techsquare.intake.tips import question
from techsquare.registry.bulk import DayKey, MachineDayRow, Record, add_machines, store_days
from techsquare.registry.dialect import insert_new
from techsquare.registry.factories import AgentEvent
from techsquare.registry.ids import new_id
from techsquare.registry.measured import DayRecord, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from contract.signing import Opened
    from contract.topics import AgentTopics

ZONE = "Asia/Seoul"
_STEP = 500  # records that a chain is walked over at once
_KEYS = 300  # keys that one statement names
_SEEN_NS = 60 * 10**9


@dataclass(slots=True)
class Filed:
    """What became of a batch.

    Attributes:
        outcomes: One for each message, in their order.
        questions: For the owners.
        touched: Agents of which something was heard.
        chains: Those whose chain may have grown: the records by which, or None where more than these may count.
    """

    outcomes: list[Outcome]
    questions: list[Question] = field(default_factory=list)
    touched: set[AgentKey] = field(default_factory=set)
    chains: dict[AgentKey, list[Link] | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Day:
    """A record on its way: which message, of whom, verified."""

    at: int
    held: Held
    signed: SignedDay
    opened: Opened

    @property
    def link(self) -> Link:
        """Its place in the chain."""
        day = self.opened.day
        return Link(day.number, self.opened.head.hash, day.prev, checks.calendar(day.date))


def file(session: Session, batch: Sequence[Incoming], now: int, *, handed: bool = False) -> Filed:
    """Store days, reports and events of a batch; manifests are not among them.

    Args:
        session: Of `Registry.load`.
        batch: Messages in the order in which they came.
        now: UTC ns.
        handed: Whoever brings a report of an agent that has never spoken of consent agrees to it by that.
    """
    filed = Filed([Outcome("wrong", "no topic of ours")] * len(batch))
    places: list[tuple[AgentTopics, list[str]] | None] = []
    for message in batch:
        try:
            places.append(split(message.topic))
        except WireError as exc:
            places.append(None)
            filed.outcomes[len(places) - 1] = Outcome("wrong", str(exc))
    agents = known(session, {(p[0].factory, p[0].agent) for p in places if p is not None}, now)
    days: list[_Day] = []
    for at, (message, place) in enumerate(zip(batch, places, strict=True)):
        if place is None:
            continue
        topics, levels = place
        held = agents.get((topics.factory, topics.agent))
        if not message.payload:
            filed.outcomes[at] = Outcome("empty")
        elif held is None:
            filed.outcomes[at] = Outcome("unknown", f"no manifest of {topics.factory}/{topics.agent} is known")
        else:
            filed.touched.add(held.of)
            try:
                filed.outcomes[at] = _one(session, filed, days, (at, message, topics, levels, held), now, handed)
            except WireError as exc:
                filed.outcomes[at] = Outcome("wrong", str(exc))
            except PermissionError as exc:
                filed.outcomes[at] = Outcome("no_consent", str(exc))
    _store(session, filed, days, now)
    return filed


def _one(
    session: Session, filed: Filed, days: list[_Day],
    what: tuple[int, Incoming, AgentTopics, list[str], Held], now: int, handed: bool,  # noqa: FBT001 - handed on
) -> Outcome:  # fmt: skip
    at, message, topics, levels, held = what
    match levels:
        case ["day", when]:
            if held.key is None:
                return Outcome("unpinned", "the owner has not confirmed its key")
            if not checks.records_allowed(held):
                return Outcome("no_consent", "the owner has not agreed to daily records (days and machines)")
            opened = checks.day(message.payload, topics, when, held.key)
            days.append(_Day(at, held, decode(message.payload, SignedDay), opened))
            return Outcome("stored")  # until its neighbours have been looked at
        case ["readiness"]:
            return _report(session, message, topics, held, now, handed)
        case ["event", kind]:
            filed.touched.add(held.of)
            return _event(session, message, topics, kind, held)
        case _:
            return Outcome("wrong", "nothing of this topic is taken in")


def _report(
    session: Session,
    message: Incoming,
    topics: AgentTopics,
    held: Held,
    now: int,
    handed: bool,  # noqa: FBT001
) -> Outcome:
    scopes = held.scopes if held.scopes is not None or handed else frozenset[str]()
    found = checks.report(message.payload, topics, scopes)
    level = None
    if found.level is not None:
        low, high = found.level.low, found.level.high
        level = f"{low}" if low == high else f"{low}-{high}"
    row = (
        new_id(), held.factory, held.agent, int(found.made_at), now, level, checksum(message.payload),
        message.payload.decode(),
    )  # fmt: skip
    names = ("id", "factory_id", "agent_id", "made_at", "received_at", "level", "hash", "body")
    new = insert_new(session.connection(), _table(Report), names, [row])
    return Outcome("stored" if new else "same")


def _event(session: Session, message: Incoming, topics: AgentTopics, kind: str, held: Held) -> Outcome:
    told = checks.event(message.payload, topics, kind, held.scopes or frozenset(), held.key)
    row = (new_id(), held.factory, held.agent, told.kind, told.at, checksum(message.payload), told.body)
    names = ("id", "factory_id", "agent_id", "kind", "at", "hash", "body")
    new = insert_new(session.connection(), _table(AgentEvent), names, [row])
    return Outcome("stored" if new else "same")


def _store(session: Session, filed: Filed, days: list[_Day], now: int) -> None:
    """Store the records that fit what is there, with their machine-days."""
    groups: dict[AgentKey, list[_Day]] = {}
    for day in days:
        groups.setdefault(day.held.of, []).append(day)
    records: list[Record] = []
    rows: dict[DayKey, list[MachineDayRow]] = {}
    at: dict[tuple[DayKey, str], list[int]] = {}
    beside = _beside(session, days)
    for of, group in sorted(groups.items()):
        held = group[0].held
        there = dict(beside.get(of, {}))
        grown: list[Link] = []
        for day in sorted(group, key=lambda d: (d.link.number, d.link.head)):
            link = day.link
            if (why := misfit(link, there)) is not None:
                kind = "record_differs" if "another record" in why else "chain_forked"
                filed.outcomes[day.at] = Outcome("other" if kind == "record_differs" else "forked", why)
                filed.questions.append(question(held, kind, link))
                continue
            there[link.number] = link
            grown.append(link)
            record = Record(
                held.factory, held.agent, link.day, link.number, held.key_id, link.head, link.prev,
                day.signed.record, day.signed.signature, now,
            )  # fmt: skip
            records.append(record)
            if record.of not in rows:
                rows[record.of] = machine_days(day.opened.day, link.head)
            at.setdefault((record.of, record.head), []).append(day.at)
        above = bool(grown) and grown[-1].number + 1 in there
        filed.chains[of] = None if above else grown
    _machines(session, days)
    told = store_days(session, records, rows)
    filed.chains |= {(factory, agent): None for factory, agent, _ in told.other}  # look at what is really there
    same, other = set(told.same), set(told.other)
    for record in records:
        fate: Fate = "other" if record.of in other else "same" if record.of in same else "stored"
        for place in at.get((record.of, record.head), ()):
            filed.outcomes[place] = Outcome(fate, "another record of this date is there" if fate == "other" else "")
    asked = {(*day.held.of, day.link.day): day for day in days}
    for key in told.other:
        filed.questions.append(question(asked[key].held, "record_differs", asked[key].link))


def _machines(session: Session, days: Iterable[_Day]) -> None:
    """Have a row for every machine of the records; its name comes with a manifest."""
    found: dict[str, dict[str, float]] = {}
    for day in days:
        found.setdefault(day.held.factory, {}).update({m.id: m.weight for m in day.opened.day.machines})
    for factory, machines in sorted(found.items()):
        add_machines(session, factory, [(i, i, weight) for i, weight in machines.items()])


def _beside(session: Session, days: Iterable[_Day]) -> dict[AgentKey, dict[int, Link]]:
    """Return what is there for the numbers of records and for those before and after them."""
    wanted = sorted(
        {
            (*day.held.of, day.held.key_id, day.link.number + step)
            for day in days
            for step in (-1, 0, 1)
            if day.link.number + step > 0
        }
    )
    of = (DayRecord.factory_id, DayRecord.agent_id, DayRecord.key, DayRecord.number)
    found: dict[AgentKey, dict[int, Link]] = {}
    for at in range(0, len(wanted), _KEYS):
        rows = session.execute(
            select(*of, DayRecord.head, DayRecord.prev, DayRecord.day).where(
                tuple_(*of).in_(wanted[at : at + _KEYS])
            )
        )
        for factory, agent, _, number, head, prev, day in rows:
            found.setdefault((factory, agent), {})[number] = Link(number, head, prev, day)
    return found


def _table(model: type[Report | AgentEvent]) -> Table:
    table: Table = model.__table__  # type: ignore[assignment]
    return table
