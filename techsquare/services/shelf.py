"""Which registered versions lists and fit tests look at: three places of an owner group in a family.

`fit.versions` has the rule. What follows of the rows by it is computed wherever it is asked for; it is written down
before a version is registered or withdrawn and after, which is when it could be forgotten otherwise. So a night
writes nothing, and reads a row a version.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from techsquare.fit.versions import Offered, Seen, matched
from techsquare.registry import tables as t
from techsquare.registry.dialect import among
from techsquare.registry.store import add
from techsquare.services.days import day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


def placed(session: Session, families: Iterable[str], today: date) -> Mapping[str, Sequence[str]]:
    """Return the registered versions that are matched on a day, by family."""
    names = sorted(set(families))
    there = _offered(session, among(session, t.Solution.family, names))
    before = _seen(session, among(session, t.SeenVersion.family, names))
    registered = {one.version for one in there}
    found: dict[str, list[str]] = defaultdict(list)
    for one in matched(before, there, today):
        if one.version in registered:
            found[one.family].append(one.version)
    return found


def settle(session: Session, version: t.SolutionVersion, now: int) -> None:
    """Write down who of a version's owner group has a place in its family: before and after its state changes."""
    party = session.get_one(t.Party, version.supplier_id)
    family = session.get_one(t.Solution, version.solution_id).family
    group = group_of(party)
    session.flush()
    of_group = or_(t.Party.owner_group == group, and_(t.Party.owner_group.is_(None), t.Party.id == group))
    there = _offered(session, and_(t.Solution.family == family, of_group))
    rows = session.scalars(
        select(t.SeenVersion).where(t.SeenVersion.family == family, t.SeenVersion.owner_group == group)
    ).all()
    kept = {one.version: one for one in matched([_of(row) for row in rows], there, day_of(now))}
    for row in rows:
        if row.version_id not in kept:
            session.delete(row)
    known = {row.version_id for row in rows}
    new = [one for name, one in kept.items() if name not in known]
    add(
        session,
        *(
            t.SeenVersion(version_id=one.version, owner_group=group, family=family, since=one.since)
            for one in new
        ),
    )  # fmt: skip


def group_of(party: t.Party) -> str:
    """Return the owner group of a party, which is its own where it has none."""
    return party.owner_group or party.id


def _offered(session: Session, where: ColumnElement[bool]) -> list[Offered]:
    rows = session.execute(
        select(
            t.SolutionVersion.id, t.SolutionVersion.registered_at, t.Solution.family, t.Party.owner_group,
            t.Party.id.label("party"),
        )
        .join(t.Solution, t.Solution.id == t.SolutionVersion.solution_id)
        .join(t.Party, t.Party.id == t.SolutionVersion.supplier_id)
        .where(t.SolutionVersion.state == "registered", where)
    )  # fmt: skip
    days: dict[int, date] = {}
    found = []
    for row in rows:
        at = row.registered_at or 0
        if at not in days:
            days[at] = day_of(at)
        found.append(Offered(row.owner_group or row.party, row.family, row.id, days[at]))
    return found


def _seen(session: Session, where: ColumnElement[bool]) -> list[Seen]:
    return [_of(row) for row in session.scalars(select(t.SeenVersion).where(where))]


def _of(row: t.SeenVersion) -> Seen:
    return Seen(row.version_id, row.owner_group, row.family, row.since)
