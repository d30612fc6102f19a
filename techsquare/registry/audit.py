"""Who changed what: written by the session itself, in the transaction of the change.

An entry holds salted hashes of the row before and after. With its salt, which nobody reads through the API, a row
can be proved to be what it was (`proof`) without being kept; so the entry may stay when the row goes. Without it
nobody who reads an entry can try what the row may have been: a budget is three round numbers. The database refuses
to change or delete entries (`dialect.append_only`).

What is loaded in bulk is not audited row by row: for signed records and machine-days signatures and chain say more,
and a night's offers have one entry together (`in_bulk`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import event, insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from techsquare.registry.dialect import guard
from techsquare.registry.ids import new_id
from techsquare.registry.people import Audit
from techsquare.registry.policy import declaration, open_columns, steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import ColumnElement, Table

    from techsquare.registry.base import Base

guard(Audit.__table__)  # type: ignore[arg-type]
_UNSEEN = {"audit", "metric_day", "day_record"}
_PENDING = "audit_pending"


class Actor(NamedTuple):
    """Who acts: a user's id, or the name of a program of ours; and in whose name."""

    name: str
    party: str | None = None


class Audited(Session):
    """A session that writes down what is changed through it. `info["actor"]` says by whom."""


def row_hash(values: Mapping[str, Any]) -> str:
    """Return SHA-256 of a row as canonical JSON: keys in order, dates as ISO 8601."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def proof(salt: str, row: str | None) -> str | None:
    """Return what stands in an entry with this salt for a row's hash."""
    return None if row is None else hmac.new(salt.encode(), row.encode(), hashlib.sha256).hexdigest()


def entry(
    actor: Actor, action: str, table: str, key: str, factory: str | None, before: str | None, after: str | None
) -> dict[str, Any]:
    """Return an entry as it is inserted, of this moment; `before` and `after` are hashes without salt."""
    salt = secrets.token_hex(16)
    return {
        "id": new_id(), "at": new_id.now(), "actor": actor.name, "party_id": actor.party, "factory_id": factory,
        "action": action, "table_name": table, "row_key": key, "salt": salt, "before": proof(salt, before),
        "after": proof(salt, after),
    }  # fmt: skip


def in_bulk(session: Session, actor: Actor, table: str, key: str, after: str, factory: str | None = None) -> None:
    """Write one entry for rows that were put in beside the session's objects.

    Args:
        session: Of either writing kind.
        actor: Who.
        table: Where they stand.
        key: What they are, with how many.
        after: Hash of all of them, in their order.
        factory: Whose they are, if they are of one factory.
    """
    session.connection().execute(insert(Audit), [entry(actor, "insert", table, key, factory, None, after)])


@cache
def _way(table: Table, path: str) -> ColumnElement[Any]:
    """Return what a path ends at, as an expression over a row."""
    hops, last = steps(table, path)
    if not hops:
        return table.c[last]
    hop = hops[0]
    target = hop.table.alias()
    return (
        select(_way(target, path.partition(".")[2]))
        .where(target.c[hop.to] == table.c[hop.column])
        .scalar_subquery()
    )


class _State(NamedTuple):
    table: str
    key: str
    factory: str | None
    hash: str | None


def _look(session: Session, rows: Iterable[Base]) -> dict[Base, _State]:
    """Return what the database holds of rows at this moment."""
    found = {}
    for row in rows:
        table: Table = type(row).__table__  # type: ignore[assignment]
        paths = [g.path for g in declaration(type(row)).owners if g.who == "owner" and g.path]
        factory = [_way(table, paths[0]).label("_factory")] if paths else []
        shown = sorted(open_columns(table))
        names = [c.name for c in table.primary_key.columns]
        known = inspect(row).identity or tuple(getattr(row, n) for n in names)
        statement = select(*(table.c[c] for c in shown), *factory).where(
            *(table.c[n] == k for n, k in zip(names, known, strict=True))
        )
        line = session.connection().execute(statement).mappings().one_or_none()
        key = "/".join(str(k) for k in known)
        if line is None:
            found[row] = _State(table.name, key, None, None)
        else:
            found[row] = _State(
                table.name, key, line["_factory"] if factory else None, row_hash({c: line[c] for c in shown})
            )
    return found


def _seen(rows: Iterable[Any]) -> list[Any]:
    return [row for row in rows if row.__tablename__ not in _UNSEEN]


@event.listens_for(Audited, "before_flush")
def _before(session: Session, _context: UOWTransaction, _instances: object) -> None:
    changed = [row for row in session.dirty if session.is_modified(row)]
    if any(row.__tablename__ == "audit" for row in (*session.new, *changed, *session.deleted)):
        raise TypeError("audit entries are written by the session itself, and only ever added to")
    session.info[_PENDING] = _look(session, _seen((*changed, *session.deleted)))


@event.listens_for(Audited, "after_flush")
def _after(session: Session, _context: UOWTransaction) -> None:
    before: dict[Base, _State] = session.info.pop(_PENDING, {})
    new = _seen(session.new)
    if not new and not before:
        return
    actor = session.info.get("actor")
    if actor is None:
        raise TypeError("rows are changed by somebody: use Registry.decide with an actor")
    after = _look(session, [*new, *(row for row in before if row not in session.deleted)])
    entries = []
    for row in (*new, *before):
        was, now = before.get(row), after.get(row)
        action = "insert" if was is None else "delete" if now is None else "update"
        state = now or was
        assert state is not None
        entries.append(
            entry(actor, action, state.table, state.key, state.factory, was and was.hash, now and now.hash)
        )
    session.connection().execute(insert(Audit), entries)
