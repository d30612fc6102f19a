"""All tables by one mechanism: the policy's views, filtered by equality, in pages.

A page goes on after the last row's key. Where a grant of the reader hides part of a table's key, it goes on by
count: a key that somebody may not see must not stand in what he sends back. Filters and order look at the view, so
a hidden value neither filters nor sorts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import JSON, BigInteger, Boolean, Date, Double, tuple_

from techsquare.registry.policy import columns_of, grants_for, model_of, models, open_columns, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Select, Subquery, Table
    from sqlalchemy.orm import Session

    from techsquare.registry.base import Base
    from techsquare.registry.policy import Reader

MOST = 500
_WHOLE = 2**63


class QueryError(ValueError):
    """A filter or a place to go on from that cannot be understood."""


class Found(NamedTuple):
    """A page: its rows, and where the next one begins."""

    rows: list[dict[str, Any]]
    after: str | None


def names() -> list[str]:
    """Return the tables."""
    return sorted(models())


def shape(reader: Reader) -> list[dict[str, Any]]:
    """Return tables with the columns of each that a reader may see of some row."""
    found = []
    for name in names():
        model, table = model_of(name), _table(model_of(name))
        grants = grants_for(model, reader)
        opened = frozenset[str]().union(*(columns_of(table, grant) for grant in grants))
        if opened:
            found.append(
                {
                    "name": name,
                    "key": [c.name for c in table.primary_key.columns],
                    "columns": {c.name: _kind(c) for c in table.columns if c.name in opened},
                }
            )
    return found


def page(session: Session, name: str, reader: Reader, where: Sequence[str], after: str | None, limit: int) -> Found:
    """Return a page of a table.

    Raises:
        QueryError: a filter or `after` cannot be understood.
    """
    model = model_of(name)
    table = _table(model)
    keys = [c.name for c in table.primary_key.columns]
    filters = [_filter(table, text) for text in where]
    hidden = any(not set(keys) <= columns_of(table, grant) for grant in grants_for(model, reader))
    start = _started(after, "skip" if hidden else "key")

    def refine(statement: Select[Any], sight: Subquery) -> Select[Any]:
        for column, value in filters:
            statement = statement.where(sight.c[column].is_(None) if value is None else sight.c[column] == value)
        order = [sight.c[key] for key in keys]
        if hidden:
            order += [sight.c[c.name] for c in table.columns if c.name not in keys and not isinstance(c.type, JSON)]
            return statement.order_by(*order).offset(int(start or 0)).limit(limit + 1)
        if start is not None:
            if not isinstance(start, list) or len(start) != len(keys):
                raise QueryError("after")
            values = [_value(table.c[key], str(text)) for key, text in zip(keys, start, strict=True)]
            statement = statement.where(tuple_(*order) > tuple_(*values))
        return statement.order_by(*order).limit(limit + 1)

    rows = read(session, model, reader, refine)
    more = len(rows) > limit
    rows = rows[:limit]
    going: object = None
    if more:
        going = int(start or 0) + limit if hidden else [str(rows[-1][key]) for key in keys]
    return Found(rows, _text("skip" if hidden else "key", going) if more else None)


def one(session: Session, name: str, reader: Reader, key: str) -> dict[str, Any] | None:
    """Return a row by its key, its parts joined by commas; None: it is not there for this reader.

    Raises:
        QueryError: the key cannot be one of this table.
    """
    model = model_of(name)
    table = _table(model)
    columns = list(table.primary_key.columns)
    parts = key.split(",")
    if len(parts) != len(columns):
        raise QueryError("key")
    values = [_value(column, part) for column, part in zip(columns, parts, strict=True)]

    def refine(statement: Select[Any], sight: Subquery) -> Select[Any]:
        for column, value in zip(columns, values, strict=True):
            statement = statement.where(sight.c[column.name] == value)
        return statement

    rows = read(session, model, reader, refine)
    return rows[0] if rows else None


def encoded(thing: object) -> tuple[bytes, str]:
    """Return JSON, and a tag of it that is another one when a byte of it is."""
    text = json.dumps(thing, ensure_ascii=False, default=str).encode()
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def _table(model: type[Base]) -> Table:
    table: Table = model.__table__  # type: ignore[assignment]
    return table


def _kind(column: Column[Any]) -> str:
    kinds = {BigInteger: "integer", Boolean: "boolean", Date: "date", Double: "number", JSON: "json"}
    return next((word for kind, word in kinds.items() if isinstance(column.type, kind)), "text")


def _filter(table: Table, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or name not in open_columns(table) or isinstance(table.c[name].type, JSON):
        raise QueryError("where")
    return name, None if value == "null" else _value(table.c[name], value)


def _value(column: Column[Any], text: str) -> Any:
    kind = _kind(column)
    try:
        if kind == "integer":
            number = int(text)
            if not -_WHOLE <= number < _WHOLE:
                raise QueryError(column.name)
            return number
        if kind == "boolean":
            return {"true": True, "false": False}[text]
        if kind == "date":
            return date.fromisoformat(text)
        if kind == "number":
            return float(text)
        text.encode()
    except (ValueError, KeyError):
        raise QueryError(column.name) from None
    if "\x00" in text:
        raise QueryError(column.name)
    return text


def _text(kind: str, value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, value]).encode()).decode().rstrip("=")


def _started(text: str | None, kind: str) -> Any:
    if text is None:
        return None
    try:
        named, value = json.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise QueryError("after") from None
    good = isinstance(value, list) if kind == "key" else type(value) is int and 0 <= value < _WHOLE
    if named != kind or not good:
        raise QueryError("after")
    return value
