"""The only module that knows which database it is: partial uniqueness, modes, bulk loading, triggers, errors.

SQLite     WAL, foreign keys on, waits for a busy database; a writer takes its lock at once (BEGIN IMMEDIATE), so
           that nobody reads, decides and is refused then
PostgreSQL decisions SERIALIZABLE and repeated, bulk loading READ COMMITTED, reading REPEATABLE READ READ ONLY
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
from sqlalchemy import DDL, JSON, Date, Index, Text, cast, event, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Table
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.orm import Session

Mode = Literal["read", "decide", "load"]
MODES: tuple[Mode, ...] = get_args(Mode)
BUSY_MS = 10_000
_MODE = "registry_mode"
_AGAIN = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_LOST = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def only_one(table: str, *columns: str, where: str, name: str | None = None) -> Index:
    """Return the constraint that of rows meeting a condition only one has these values."""
    suffix = name or columns[0]
    return Index(
        f"one_{table}_{suffix}", *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where)
    )


def of_few(table: str, *columns: str, where: str) -> Index:
    """Return an index of the few rows that meet a condition, for what is asked all the time."""
    name = f"few_{table}_{columns[0]}"
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def prepare(engine: Engine) -> None:
    """Set an engine up: modes of connections, and what SQLite has to be told."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing of its own
        for pragma in ("foreign_keys = ON", "journal_mode = WAL", f"busy_timeout = {BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(_MODE) == "read"
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def engine_for(engine: Engine, mode: Mode) -> Engine:
    """Return the engine whose transactions are of a kind."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_MODE: mode})
    level = {"read": "REPEATABLE READ", "decide": "SERIALIZABLE", "load": "READ COMMITTED"}[mode]
    return engine.execution_options(isolation_level=level, postgresql_readonly=mode == "read")


def lost_a_race(exc: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when it is tried again."""
    code = getattr(exc.orig, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF in _LOST) or getattr(exc.orig, "sqlstate", None) in _AGAIN


def broken(exc: DBAPIError) -> str:
    """Return the constraint that a row breaks, or the columns that have to be unique; never what was in the row."""
    diagnosis = getattr(exc.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or diagnosis.column_name or diagnosis.sqlstate)
    said = str(exc.orig)
    return said.partition("failed: ")[2] or said.partition(" constraint")[0] or "constraint"


def alone(connection: Connection) -> None:
    """Wait until nobody else changes the schema; SQLite's writer is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7120642)")


def insert_new(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Insert rows that break no uniqueness, and leave the others out.

    Returns:
        Primary keys of those that were inserted.
    """
    if not rows:
        return []
    keys = [c.name for c in table.primary_key.columns]
    ending = f" ON CONFLICT DO NOTHING RETURNING {', '.join(keys)}"
    if connection.dialect.name == "postgresql":
        said = connection.exec_driver_sql(_unnested(table, columns) + ending, _arrays(table, columns, rows))
        return [tuple(row) for row in said]
    found = []
    statement = _placed(table, columns) + ending
    for row in _plain(table, columns, rows):
        found += [tuple(one) for one in connection.exec_driver_sql(statement, row)]
    return [_typed(table, keys, key) for key in found]


def insert_all(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], ending: str = ""
) -> None:
    """Insert rows; one that breaks a uniqueness refuses them all, unless the statement's ending says otherwise."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_unnested(table, columns) + ending, _arrays(table, columns, rows))
    else:
        connection.exec_driver_sql(_placed(table, columns) + ending, _plain(table, columns, rows))


def upsert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    adding: Collection[str] = (),
) -> None:
    """Insert rows, and put them in the place of those that have the same primary key.

    Args:
        connection: In a transaction.
        table: Where.
        columns: What a row holds, in this order; the primary key among it.
        rows: At most one for a primary key.
        adding: Columns of which the sum of both is kept.
    """
    keys = [c.name for c in table.primary_key.columns]
    sets = ", ".join(
        f"{c} = {table.name}.{c} + excluded.{c}" if c in adding else f"{c} = excluded.{c}"
        for c in columns
        if c not in keys
    )
    insert_all(connection, table, columns, rows, f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}")


def among(session: Session, column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column of text is one of some values: one parameter, however many they are."""
    names = sorted(set(values))
    if session.get_bind().dialect.name == "postgresql":
        found: ColumnElement[bool] = column.in_(select(func.unnest(cast(literal(names, ARRAY(Text)), ARRAY(Text)))))
        return found
    given = func.json_each(_json(names)).table_valued("value")
    inside: ColumnElement[bool] = column.in_(select(given.c.value))
    return inside


def _placed(table: Table, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


def _plain(table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows as SQLite's driver takes them: dates as text, JSON as text."""
    texts = [isinstance(table.c[c].type, JSON) for c in columns]
    dates = [isinstance(table.c[c].type, Date) for c in columns]
    if not any(texts) and not any(dates):
        return list(rows)
    return [
        tuple(
            value if value is None else _json(value) if j else value.isoformat() if d else value
            for value, j, d in zip(row, texts, dates, strict=True)
        )
        for row in rows
    ]


def _typed(table: Table, names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        table.c[n].type.python_type.fromisoformat(v) if isinstance(table.c[n].type, Date) else v
        for n, v in zip(names, values, strict=True)
    )


def _unnested(table: Table, columns: Sequence[str]) -> str:
    """Return an INSERT of whole columns: one statement and one plan, however many rows there are."""
    types = [table.c[c].type.compile() for c in columns]
    taken = ", ".join(f"v.{c}::json" if t == "JSON" else f"v.{c}" for c, t in zip(columns, types, strict=True))
    # binary (%b) where there is text: the driver would escape each quote of a record one by one
    arrays = ", ".join("%b::TEXT[]" if t in {"JSON", "TEXT"} else f"%s::{t}[]" for t in _postgres(types))
    names = ", ".join(columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {taken} FROM unnest({arrays}) AS v ({names})"  # noqa: S608


def _postgres(types: Iterable[str]) -> list[str]:
    return ["DOUBLE PRECISION" if t == "DOUBLE" else t for t in types]


def _arrays(table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    texts = [isinstance(table.c[c].type, JSON) for c in columns]
    return tuple(
        [None if v is None else _json(v) for v in column] if j else list(column)
        for column, j in zip(zip(*rows, strict=True), texts, strict=True)
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def append_only(table: str) -> dict[str, tuple[str, ...]]:
    """Return, by database, the statements after which rows of a table can be neither changed nor deleted.

    An UPDATE that only sets `factory_id` is let through: a factory that has left gets a pseudonym.
    """
    refused = f"{table} is only ever added to"
    columns = "id, at, actor, party_id, action, table_name, row_key, before, after"
    sqlite = f"BEGIN SELECT RAISE(ABORT, '{refused}'); END"
    body = f"BEGIN RAISE EXCEPTION '{refused}' USING ERRCODE = 'restrict_violation'; END"
    calls = f"EXECUTE FUNCTION {table}_refuse()"
    return {
        "sqlite": (
            f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {sqlite}",
            f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {columns} ON {table} {sqlite}",
        ),
        "postgresql": (
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table} {calls}",
            f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {columns} ON {table} {calls}",
        ),
    }


def without_append_only(table: str) -> dict[str, tuple[str, ...]]:
    """Return, by database, what takes `append_only` back before the table is dropped."""
    return {
        "sqlite": (f"DROP TRIGGER {table}_kept", f"DROP TRIGGER {table}_fixed"),
        "postgresql": (
            f"DROP TRIGGER {table}_kept ON {table}",
            f"DROP TRIGGER {table}_fixed ON {table}",
            f"DROP FUNCTION {table}_refuse()",
        ),
    }


def guard(table: Table) -> None:
    """Have `create_all` make a table append-only as well."""
    for name, statements in append_only(table.name).items():
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=name))  # type: ignore[no-untyped-call]
    for statement in without_append_only(table.name)["postgresql"][2:]:
        event.listen(table, "after_drop", DDL(statement).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
