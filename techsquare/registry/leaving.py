"""What a party takes along, what goes, and what stays under a pseudonym.

    export        every row that a party (or a user) owns, with the columns that it may read, as JSON lines
    expire        rows older than their table's retention go
    withdraw      a factory takes scopes back: their rows go. A machine-day of a comparison machine that somebody
                  else's plan counts stays, under a pseudonym that nothing joins with the factory; one that the
                  factory's own plan counts stays as it is, because its supplier is judged by it
    leave         a party goes: everything that is only its own goes, what others were judged by stays, under a
                  pseudonym and with its columns of names blank
    forget        a user goes

All of it follows the declarations of the tables. Deletions are one audit entry a table. What stays must not name
anybody in its JSON: whoever writes a body into a table that `rests` keeps to ids.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, and_, cast, delete, exists, func, insert, not_, or_, select, update

from techsquare.registry.audit import Actor, entry
from techsquare.registry.base import Base
from techsquare.registry.factories import Factory, Machine
from techsquare.registry.ids import new_id
from techsquare.registry.matches import FitCheck, Round
from techsquare.registry.measured import MetricDay
from techsquare.registry.mentors import Mentor
from techsquare.registry.people import Audit, Job, Membership, Party, User
from techsquare.registry.policy import GRANTED, Reader, declaration, leads, masked, model_of, seen
from techsquare.registry.privacy import SCOPES
from techsquare.registry.projects import Contract, Engagement
from techsquare.registry.suppliers import Supplier
from techsquare.registry.verdicts import MeasurementPlan, PlanMachine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

    from techsquare.registry.privacy import Grant, Role, Scope

OWN_ROLE: dict[str, Role] = {"factory": "owner", "supplier": "supplier", "mentor": "mentor", "operator": "operator"}
_NS = 10**9
_NAMING_BODIES: tuple[tuple[type[Base], Any], ...] = (
    (Round, Round.result), (Contract, Contract.conditions), (Supplier, Supplier.parties), (Mentor, Mentor.related),
    (Job, Job.answer),
)  # fmt: skip
"""Bodies in which one party's row names others by their ids."""


def party_reader(session: Session, party: str) -> Reader:
    """Return the reader that a party is for itself."""
    return Reader(None, frozenset({(OWN_ROLE[session.get_one(Party, party).kind], party)}))


def export(session: Session, reader: Reader) -> Iterator[str]:
    """Give everything that a reader's parties (and he himself) own, a line of JSON a row, parents first.

    Args:
        session: For reading.
        reader: `party_reader` of a party, or a user.
    """
    for table in Base.metadata.sorted_tables:
        model = model_of(table.name)
        ways = [
            leads(table, grant.path, ends)
            for grant in declaration(model).owners
            if grant.path and (ends := [reader.user or ""] if grant.who == "self" else reader.parties(grant.who))
        ]
        if not ways:
            continue
        keys = list(table.primary_key.columns)
        for row in session.execute(masked(model, reader).where(or_(*ways)).order_by(*keys)).mappings():
            opened = seen(model, reader, row[GRANTED])
            content = {name: row[name] for name in table.c.keys() if name in opened}  # noqa: SIM118 - in their order
            yield json.dumps({"table": table.name, "row": content}, ensure_ascii=False, default=str)


def expire(session: Session, now: int, actor: Actor) -> dict[str, int]:
    """Delete what is older than its table keeps it; return how many rows, by table."""
    gone: dict[str, int] = {}
    for table in reversed(Base.metadata.sorted_tables):
        kept = declaration(model_of(table.name)).keep
        if kept.days is None or kept.since is None:
            continue
        column = table.c[kept.since]
        if isinstance(column.type, BigInteger):
            old = column < now - kept.days * 86_400 * _NS
        else:
            old = column < (datetime.fromtimestamp(now // _NS, UTC) - timedelta(days=kept.days)).date()
        gone[table.name] = _delete(session, table, and_(old, not_(_counted())) if kept.rests == "plans" else old)
    _tell(session, actor, gone, None)
    return {name: n for name, n in gone.items() if n}


def withdraw(session: Session, factory: str, scopes: Iterable[Scope], now: int, actor: Actor) -> dict[str, int]:
    """Delete what came under scopes that a factory takes back; return how many rows, by table.

    What a measurement plan counts stays: under a pseudonym when it is somebody else's plan.
    """
    taken = frozenset(scopes)
    if taken & {"days", "machines"}:
        _detach(session, factory, now)
    gone = _end(session, (("owner", factory),), taken)
    if "fit_missing" in taken:  # the word of a fit test came under another scope, and stays
        named = update(FitCheck).where(FitCheck.factory_id == factory, FitCheck.missing.is_not(None))
        session.execute(named.values(missing=None))
    _tell(session, actor, gone, factory)
    return {name: n for name, n in gone.items() if n}


def leave(session: Session, party: str, now: int, actor: Actor) -> str:
    """Let a party go; return the pseudonym under which stays what others were judged by."""
    found = session.get_one(Party, party)
    role, kind = OWN_ROLE[found.kind], found.kind
    people = session.scalars(select(Membership.user_id).where(Membership.party_id == party).distinct()).all()
    if kind == "factory":
        _detach(session, party, now)
    gone = _end(session, ((role, party),), frozenset(SCOPES))
    name = _pseudonym()
    for table in Base.metadata.sorted_tables:
        declared = declaration(model_of(table.name))
        ways = [leads(table, g.path, [party]) for g in declared.ending() if g.path and g.who == role]
        if ways and declared.keep.blank:
            blank = {column: value for column, value in declared.keep.blank if table.name != "audit"}
            if blank:
                session.execute(update(table).where(or_(*ways)).values(blank))
    session.execute(update(Audit).where(Audit.factory_id == party).values(factory_id=None))
    session.execute(update(Party).where(Party.id == party).values(id=name, closed_at=now))
    session.expire_all()
    _rename(session, party, name)
    for user in people:
        if not session.scalar(select(func.count()).where(Membership.user_id == user)):
            forget(session, user, now, actor)
    _tell(session, actor, gone, None, name)
    return name


def forget(session: Session, user: str, now: int, actor: Actor) -> None:
    """Let a user go: his rights and notices go, his name goes, his id stays where it stands."""
    gone = _end(session, (("self", user),), frozenset(SCOPES))
    kept = declaration(User).keep
    session.execute(update(User).where(User.id == user).values({**dict(kept.blank), "disabled_at": now}))
    _tell(session, actor, gone, None, user)


def _rename(session: Session, party: str, name: str) -> None:
    """Have the bodies of rows that stay name a party by its pseudonym; references follow by themselves."""
    for model, column in _NAMING_BODIES:
        for row in session.scalars(select(model).where(cast(column, Text).contains(f'"{party}"', autoescape=True))):
            setattr(row, column.key, _put(getattr(row, column.key), party, name))
    session.flush()


def _put(body: Any, party: str, name: str) -> Any:
    if isinstance(body, dict):
        return {_put(key, party, name): _put(value, party, name) for key, value in body.items()}
    if isinstance(body, list):
        return [_put(value, party, name) for value in body]
    return name if body == party else body


def _pseudonym() -> str:
    return f"gone-{new_id().replace('-', '')[-16:]}"  # its random end: the time would tell when who left


def _counted() -> ColumnElement[bool]:
    """Return the condition that a plan counts a machine-day."""
    return exists().where(
        PlanMachine.plan_id == MeasurementPlan.id,
        PlanMachine.factory_id == MetricDay.factory_id,
        PlanMachine.machine_id == MetricDay.machine_id,
        MeasurementPlan.withdrawn_at.is_(None),
        MetricDay.day.between(MeasurementPlan.baseline_from, MeasurementPlan.extended_to),
    )


def _needed() -> ColumnElement[bool]:
    """Return the condition that a machine stands in a plan."""
    return exists().where(PlanMachine.factory_id == Machine.factory_id, PlanMachine.machine_id == Machine.id)


def _end(session: Session, who: Sequence[tuple[str, str]], scopes: frozenset[Scope]) -> dict[str, int]:
    """Delete the rows under scopes that go with a party or a user, children first."""
    gone: dict[str, int] = {}
    for table in reversed(Base.metadata.sorted_tables):
        declared = declaration(model_of(table.name))
        if not declared.keep.scopes & scopes or declared.keep.rests == "always":
            continue
        ways = [_way(table, grant, end) for grant in declared.ending() for role, end in who if grant.who == role]
        if not ways:
            continue
        mine = or_(*ways)
        if declared.keep.rests == "plans":
            mine = and_(mine, not_(_counted() if table.name == "metric_day" else _needed()))
        gone[table.name] = _delete(session, table, mine)
    return gone


def _way(table: Table, grant: Grant, end: str) -> ColumnElement[bool]:
    assert grant.path is not None
    return leads(table, grant.path, [end])


def _delete(session: Session, table: Table, which: ColumnElement[bool]) -> int:
    """Delete rows; what refers to them, and can do without, forgets them."""
    for other in Base.metadata.sorted_tables:
        for key in other.foreign_keys:
            column = key.parent
            if key.column.table is table and column.nullable and len(key.constraint.columns) == 1:  # type: ignore[union-attr]
                chosen = select(key.column).where(which)
                session.execute(update(other).where(column.in_(chosen)).values({column.name: None}))
    done = session.execute(delete(table).where(which))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _detach(session: Session, factory: str, now: int) -> None:
    """Move the machine-days that others' plans count under a pseudonym, with their machines."""
    own = select(PlanMachine.machine_id).where(PlanMachine.factory_id == factory, PlanMachine.part == "treated")
    controls = session.scalars(
        select(PlanMachine.machine_id)
        .join(MeasurementPlan, MeasurementPlan.id == PlanMachine.plan_id)
        .join(Engagement, Engagement.id == MeasurementPlan.engagement_id)
        .where(
            PlanMachine.factory_id == factory, PlanMachine.part == "control", Engagement.factory_id != factory,
            PlanMachine.machine_id.not_in(own),
        )
        .distinct()
    ).all()  # fmt: skip
    if not controls:
        return
    twin = _pseudonym()
    connection = session.connection()
    connection.execute(insert(Party).values(id=twin, kind="factory", name="", created_at=now, closed_at=now))
    connection.execute(insert(Factory).values(id=twin, kind="factory", region="", industry="", zone="UTC"))
    for i, machine in enumerate(sorted(controls), start=1):
        name = f"m{i}"
        connection.execute(
            insert(Machine).values(
                factory_id=twin, id=name, name="", weight=1.0, limits_output="unknown", comparable=False
            )
        )
        here = (MetricDay.factory_id == factory, MetricDay.machine_id == machine)
        moved: dict[str, Any] = {"factory_id": twin, "machine_id": name}
        session.execute(
            update(MetricDay).where(*here, _counted()).values(moved).execution_options(synchronize_session=False)
        )
        session.execute(
            update(PlanMachine)
            .where(PlanMachine.factory_id == factory, PlanMachine.machine_id == machine)
            .values(moved)
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


def _tell(session: Session, actor: Actor, gone: dict[str, int], factory: str | None, name: str = "") -> None:
    """Write down what has gone, a line a table."""
    lines = [
        entry(actor, "erase", table, f"{n} rows {name}".strip(), factory, None, None)
        for table, n in sorted(gone.items())
        if n
    ]
    if name:
        lines.append(entry(actor, "erase", "party", name, factory, None, None))
    if lines:
        session.connection().execute(insert(Audit), lines)
