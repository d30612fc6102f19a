"""The one answer to "may this reader read that?": as SQL for many rows, and for a single row in hand.

    view(Model, reader)          a subquery in which rows that he may not see are not, and columns that he may not
                                 see are NULL; every statement of a service stands on views, so that filters and
                                 sorting tell nothing either
    read(session, Model, ...)    its rows as dictionaries of the columns that he may see
    allowed(session, row, ...)   the columns of this row that he may see; none: it is not there for him

Both read `Privacy` declarations of the tables (`techsquare.registry.privacy`) and nothing else; a test proves them
equal over all tables, roles and rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, case, cast, false, inspect, literal, null, or_, select, true

from techsquare.registry.base import SECRET, Base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import ColumnElement, Select, Subquery, Table
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from techsquare.registry.privacy import Grant, Link, Privacy, Role, When

GRANTED = "_granted"
"""Column of a view: bit i is set where the i-th of the reader's grants holds for the row."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: a user (None: nobody has logged in) and what he is for which party at this moment."""

    user: str | None = None
    roles: frozenset[tuple[Role, str]] = frozenset()

    def parties(self, role: str) -> list[str]:
        """Return the parties for which he has a role."""
        return sorted(party for name, party in self.roles if name == role)


class Hop(NamedTuple):
    """A step along a foreign key: from `column` to the row of `table` whose primary key `to` it is."""

    column: str
    table: Table
    to: str


def declaration(model: type[Base]) -> Privacy:
    """Return what a table declares.

    Raises:
        TypeError: it declares nothing, so nobody may read it.
    """
    found = model.__dict__.get("__privacy__")
    if found is None:
        raise TypeError(f"{model.__name__} does not declare who may read it: give it a __privacy__")
    return found  # type: ignore[no-any-return]


def models() -> dict[str, type[Base]]:
    """Return all tables by name."""
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}


@cache
def model_of(table: str) -> type[Base]:
    """Return the class of a table."""
    return models()[table]


def open_columns(table: Table) -> frozenset[str]:
    """Return the columns that somebody may ever read."""
    return frozenset(c.name for c in table.columns if not c.info.get(SECRET))


def columns_of(table: Table, grant: Grant) -> frozenset[str]:
    """Return the columns that a grant opens."""
    opened = open_columns(table)
    return opened if grant.columns is None else opened & grant.columns


@cache
def steps(table: Table, path: str) -> tuple[tuple[Hop, ...], str]:
    """Return the hops of a path and the column that it ends with.

    Raises:
        ValueError: the path does not lead along foreign keys of one column each.
    """
    *through, last = path.split(".")
    hops = []
    for name in through:
        keys = [
            k for k in table.c[name].foreign_keys if k.constraint is not None and len(k.constraint.columns) == 1
        ]
        if len(keys) != 1:
            raise ValueError(f"{table.name}.{name} in {path!r} is no foreign key of one column")
        target = keys[0].column
        hops.append(Hop(name, target.table, target.name))
        table = target.table
    if last not in table.c:
        raise ValueError(f"{table.name} has no column {last!r}, at the end of {path!r}")
    return tuple(hops), last


def grants_for(model: type[Base], reader: Reader) -> list[Grant]:
    """Return the grants of a table that can hold for a reader at all."""
    held = {name for name, _ in reader.roles} | {"anyone"} | ({"self"} if reader.user else set())
    return [g for g in declaration(model).grants if g.who in held]


def _ids(grant: Grant, reader: Reader) -> list[str]:
    return [reader.user or ""] if grant.who == "self" else reader.parties(grant.who)


# As SQL


def _meets(table: Table, conditions: Iterable[When]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for when in conditions:
        column = table.c[when.column]
        tests = {"set": column.is_not(None), "unset": column.is_(None), "in": column.in_(when.words)}
        found.append(tests[when.test])
    return found


def leads(table: Table, path: str, ends: Sequence[str] | Select[tuple[str]]) -> ColumnElement[bool]:
    """Return the condition that a path from a row ends among `ends`."""
    hops, last = steps(table, path)
    if not hops:
        return table.c[last].in_(ends)
    hop = hops[0]
    rest = path.partition(".")[2]
    return table.c[hop.column].in_(select(hop.table.c[hop.to]).where(leads(hop.table, rest, ends)))


def _holds(table: Table, grant: Grant, reader: Reader) -> ColumnElement[bool]:
    conditions = _meets(table, grant.when)
    if grant.path is not None:
        ids = _ids(grant, reader)
        if grant.through is None:
            conditions.append(leads(table, grant.path, ids))
        else:
            link: Table = Base.metadata.tables[grant.through.table].alias()  # type: ignore[assignment]
            near = select(link.c[grant.through.near]).where(
                leads(link, grant.through.far, ids), *_meets(link, grant.through.when)
            )
            conditions.append(leads(table, grant.path, near))
    return and_(true(), *conditions)


def masked(model: type[Base], reader: Reader) -> Select[Any]:
    """Return the statement under `view`: of the table's rows and columns what a reader may see, and `GRANTED`."""
    table: Table = model.__table__  # type: ignore[assignment]
    grants = grants_for(model, reader)
    conditions = [_holds(table, grant, reader) for grant in grants]
    shown: list[ColumnElement[Any]] = []
    for column in table.columns:
        holders = [c for g, c in zip(grants, conditions, strict=True) if column.name in columns_of(table, g)]
        if not holders:
            shown.append(cast(null(), column.type).label(column.name))  # typed, or PostgreSQL says text
        elif len(holders) == len(grants):
            shown.append(column)
        else:
            shown.append(case((or_(*holders), column), else_=None).label(column.name))
    mask: ColumnElement[int] = literal(0)
    for i, condition in enumerate(conditions):
        mask = mask + case((condition, 1 << i), else_=0)
    return select(*shown, mask.label(GRANTED)).where(or_(false(), *conditions))


def view(model: type[Base], reader: Reader) -> Subquery:
    """Return what a reader may see of a table, as a subquery with the table's columns and `GRANTED`."""
    return masked(model, reader).subquery(model.__tablename__)


def seen(model: type[Base], reader: Reader, granted: int) -> frozenset[str]:
    """Return the columns that a row's `GRANTED` opens."""
    table: Table = model.__table__  # type: ignore[assignment]
    grants = grants_for(model, reader)
    return frozenset().union(*(columns_of(table, g) for i, g in enumerate(grants) if granted >> i & 1))


def read(
    session: Session,
    model: type[Base],
    reader: Reader,
    refine: Callable[[Select[Any], Subquery], Select[Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return rows that a reader may see, each with the columns that he may see of it.

    Args:
        session: Of either kind.
        model: The table.
        reader: Who asks.
        refine: Adds conditions, order and limit to the statement; it gets the view beside it, never the table.
    """
    sight = view(model, reader)
    statement: Select[Any] = select(sight)
    if refine is not None:
        statement = refine(statement, sight)
    found = []
    opened: dict[int, frozenset[str]] = {}
    for row in session.execute(statement).mappings():
        granted = row[GRANTED]
        if granted not in opened:
            opened[granted] = seen(model, reader, granted)
        found.append({name: row[name] for name in row if name in opened[granted]})
    return found


# Of a single row


def _end(session: Session, row: object, table: Table, path: str) -> object:
    hops, last = steps(table, path)
    for hop in hops:
        value = getattr(row, hop.column)
        row = None if value is None else session.get(model_of(hop.table.name), value)
        if row is None:
            return None
    return getattr(row, last)


def _linked(session: Session, link: Link, end: object, ids: list[str]) -> bool:
    model = model_of(link.table)
    near: InstrumentedAttribute[Any] = getattr(model, link.near)
    for row in session.scalars(select(model).where(near == end)):
        if all(when.holds(getattr(row, when.column)) for when in link.when):
            far = _end(session, row, model.__table__, link.far)  # type: ignore[arg-type]
            if far in ids:
                return True
    return False


def allowed(session: Session, row: Base, reader: Reader) -> frozenset[str]:
    """Return the columns of a row that a reader may see; none: the row is not there for him."""
    table: Table = inspect(type(row)).local_table  # type: ignore[assignment]
    found: set[str] = set()
    for grant in grants_for(type(row), reader):
        if not all(when.holds(getattr(row, when.column)) for when in grant.when):
            continue
        if grant.path is not None:
            end = _end(session, row, table, grant.path)
            ids = _ids(grant, reader)
            if grant.through is None:
                if end not in ids:
                    continue
            elif end is None or not _linked(session, grant.through, end, ids):
                continue
        found |= columns_of(table, grant)
    return frozenset(found)
