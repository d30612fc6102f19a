"""Mentors and factories that look for one, out of rows, as `mentoring.assignment` takes them.

skills      processes of the factory and of its machines, families of the open items of its roadmap
waited      days since the factory has asked for help, also after a change of mentor
related     owner groups, and who works at the factory (suppliers, their parties); of a mentor his firm
refused     mentors whom the owner has let go; one whom he has asked for since is not
regions     a mentor who names none goes everywhere
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import exists, func, select

from techsquare.mentoring.terms import Mentor, Seeker
from techsquare.registry import tables as t
from techsquare.registry.dialect import among
from techsquare.services.days import day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session


class Waiting(NamedTuple):
    """What the assignment is made of at a moment."""

    seekers: Sequence[Seeker]
    mentors: Sequence[Mentor]


def waiting(session: Session, on: date, asking: str | None = None) -> Waiting:
    """Return all factories without a mentor, and all mentors.

    Args:
        session: Any.
        on: Today.
        asking: A factory that counts as one without a mentor, although it may have one.
    """
    has = exists().where(t.Assignment.until.is_(None), t.Assignment.factory_id == t.Factory.id)
    if asking is not None:
        has = has.where(t.Assignment.factory_id != asking)
    names = session.scalars(
        select(t.Factory.id)
        .join(t.Party, t.Party.id == t.Factory.id)
        .where(t.Party.closed_at.is_(None), ~has)
        .order_by(t.Factory.id)
    ).all()
    found = _seekers(session, names, on)
    return Waiting(found, _mentors(session, {one.region for one in found}, asking))


def _seekers(session: Session, names: Sequence[str], on: date) -> list[Seeker]:
    about = session.execute(
        select(t.Factory, t.Party.owner_group, t.Party.created_at)
        .join(t.Party, t.Party.id == t.Factory.id)
        .where(among(session, t.Factory.id, names))
        .order_by(t.Factory.id)
    ).all()
    skills, related, refused = _skills(session, names), _here(session, names), _refused(session, names)
    found = []
    for row, group, created in about:
        since = row.applied_on or day_of(created)
        found.append(
            Seeker(
                factory=row.id,
                region=row.region,
                skills=frozenset(skills[row.id] | ({row.process} if row.process else set())),
                waited_days=max(0, (on - since).days),
                related=frozenset(related[row.id] | ({group} if group else set())),
                refused=frozenset(refused[row.id]),
            )
        )
    return found


def _skills(session: Session, names: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    machines = session.execute(
        select(t.Machine.factory_id, t.Machine.process).where(
            among(session, t.Machine.factory_id, names),
            t.Machine.process.is_not(None),
            t.Machine.retired_on.is_(None),
        )
    )
    items = session.execute(
        select(t.RoadmapItem.factory_id, t.Measure.family)
        .join(t.Measure, t.Measure.id == t.RoadmapItem.measure_id)
        .where(
            among(session, t.RoadmapItem.factory_id, names), t.RoadmapItem.state.in_(("open", "offered", "taken"))
        )
    )
    for factory, skill in (*machines, *items):
        found[factory].add(skill)
    return found


def _here(session: Session, names: Sequence[str]) -> dict[str, set[str]]:
    """Return, by factory, the suppliers that work there with everybody who is one with them."""
    rows = session.execute(
        select(t.Engagement.factory_id, t.Supplier.id, t.Supplier.parties, t.Party.owner_group)
        .join(t.Supplier, t.Supplier.id == t.Engagement.supplier_id)
        .join(t.Party, t.Party.id == t.Supplier.id)
        .where(among(session, t.Engagement.factory_id, names), t.Engagement.state != "ended")
    )
    found: dict[str, set[str]] = defaultdict(set)
    for factory, supplier, parties, group in rows:
        found[factory] |= {supplier, *(parties or ()), *((group,) if group else ())}
    return found


def _refused(session: Session, names: Sequence[str]) -> dict[str, set[str]]:
    rows = session.execute(
        select(t.Assignment.factory_id, t.Assignment.mentor_id, t.Assignment.ended_by)
        .where(among(session, t.Assignment.factory_id, names))
        .order_by(t.Assignment.since, t.Assignment.id)
    )
    last = {(factory, mentor): ended for factory, mentor, ended in rows}  # the latest of each pair
    found: dict[str, set[str]] = defaultdict(set)
    for (factory, mentor), ended in last.items():
        if ended == "owner":
            found[factory].add(mentor)
    return found


def _mentors(session: Session, everywhere: Iterable[str], asking: str | None) -> list[Mentor]:
    open_ = select(t.Assignment.mentor_id, func.count()).where(t.Assignment.until.is_(None))
    if asking is not None:
        open_ = open_.where(t.Assignment.factory_id != asking)
    taken = dict(session.execute(open_.group_by(t.Assignment.mentor_id)).all())
    rows = session.execute(
        select(t.Mentor, t.Party.owner_group).join(t.Party, t.Party.id == t.Mentor.id).order_by(t.Mentor.id)
    ).all()
    groups = dict(
        session.execute(
            select(t.Party.id, t.Party.owner_group).where(t.Party.id.in_([row.firm_id for row, _ in rows]))
        ).all()
    )
    return [
        Mentor(
            id=row.id,
            active=row.state == "active",
            capacity=row.capacity,
            taken=taken.get(row.id, 0),
            regions=frozenset(row.regions or everywhere),
            skills=frozenset(row.skills),
            related=frozenset(
                name for name in (row.firm_id, group, groups.get(row.firm_id or ""), *(row.related or ())) if name
            ),
        )
        for row, group in rows
    ]
