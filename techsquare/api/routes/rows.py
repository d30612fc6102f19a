"""Every table, as far as the reader may see it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from techsquare.api import forms as f
from techsquare.api import reading
from techsquare.api.problems import ProblemError, Where
from techsquare.api.who import Anyone, Asking  # noqa: TC001 - FastAPI reads it
from techsquare.registry import tables
from techsquare.services.refused import RefusedError

assert tables.Base.metadata.tables
router = APIRouter(prefix="/v1", tags=["rows"])
TableName = StrEnum("TableName", {name: name for name in reading.names()})  # type: ignore[misc]
Tag = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


@router.get("/tables")
def list_tables(asking: Anyone) -> list[f.TableShown]:
    """Say which tables there are for this reader, and which of their columns."""
    return [f.TableShown(**one) for one in reading.shape(asking.caller.reader)]


@router.get("/rows/{table}", response_model=f.Page)
def list_rows(
    asking: Anyone,
    table: Annotated[TableName, Path()],
    where: Annotated[list[str] | None, Query(max_length=20, description="`column=value`; all of them hold")] = None,
    after: Annotated[str | None, Query(max_length=2_000)] = None,
    limit: Annotated[int, Query(ge=1, le=reading.MOST)] = 100,
    seen: Tag = None,
) -> Response:
    """Give rows that the reader may see, in the order of their keys."""
    _may(asking)
    try:
        found = asking.read(lambda s, c: reading.page(s, table.value, c.reader, where or (), after, limit))
    except reading.QueryError as exc:
        raise ProblemError("invalid", errors=[Where(at=f"query.{exc}", why="not_understood")]) from None
    return _tagged({"rows": found.rows, "next": found.after}, seen)


@router.get("/rows/{table}/{key}", response_model=dict)
def get_row(
    asking: Anyone,
    table: Annotated[TableName, Path()],
    key: Annotated[str, Path(max_length=400, description="parts joined by commas")],
    seen: Tag = None,
) -> Response:
    """Give one row."""
    _may(asking)
    try:
        row = asking.read(lambda s, c: reading.one(s, table.value, c.reader, key))
    except reading.QueryError:
        row = None
    if row is None:
        raise RefusedError("not_there")
    return _tagged(row, seen)


def _may(asking: Asking) -> None:
    if "read" not in asking.scopes:
        raise ProblemError("scope")


def _tagged(thing: object, seen: str | None) -> Response:
    body, tag = reading.encoded(thing)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if seen == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
