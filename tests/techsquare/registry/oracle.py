"""Who may read what, once more: declarations read by plain loops over all rows in memory.

It shares with `techsquare.registry.policy` the declarations and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.registry.tables import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.registry.policy import Reader
    from techsquare.registry.privacy import Grant, When

Row = dict[str, Any]


def contents(session: Session) -> dict[str, list[Row]]:
    """Return everything that is in the database, past any policy."""
    return {
        table.name: [dict(row) for row in session.execute(select(table)).mappings()]
        for table in Base.metadata.sorted_tables
    }


def _meets(row: Row, when: When) -> bool:
    value = row[when.column]
    return {"set": value is not None, "unset": value is None, "in": value in when.words}[when.test]


class Oracle:
    """All rows, and the answer for one of them."""

    def __init__(self, rows: dict[str, list[Row]], grants: dict[str, tuple[Grant, ...]]) -> None:
        self.rows, self.grants = rows, grants
        self.by_id = {name: {r["id"]: r for r in found if "id" in r} for name, found in rows.items()}

    def end(self, table: str, row: Row, path: str) -> Any:
        """Follow a path from a row, step by step."""
        names = path.split(".")
        for name in names[:-1]:
            (target,) = [k.column.table.name for k in Base.metadata.tables[table].c[name].foreign_keys]
            if row[name] is None:
                return None
            table, row = target, self.by_id[target][row[name]]
        return row[names[-1]]

    def holds(self, table: str, row: Row, grant: Grant, reader: Reader) -> bool:
        """Return whether a grant holds for a row and a reader."""
        if grant.who == "self":
            mine = {reader.user} if reader.user else set()
        elif grant.who == "anyone":
            mine = {"everybody"}
        else:
            mine = {party for role, party in reader.roles if role == grant.who}
        if not mine or not all(_meets(row, when) for when in grant.when):
            return False
        if grant.path is None:
            return True
        end = self.end(table, row, grant.path)
        if end is None:
            return False
        if grant.through is None:
            return end in mine
        link = grant.through
        return any(
            other[link.near] == end
            and all(_meets(other, when) for when in link.when)
            and self.end(link.table, other, link.far) in mine
            for other in self.rows[link.table]
        )

    def columns(self, table: str, row: Row, reader: Reader) -> frozenset[str]:
        """Return what a reader may see of a row."""
        everything = {c.name for c in Base.metadata.tables[table].columns if "secret" not in c.info}
        found: set[str] = set()
        for grant in self.grants[table]:
            if self.holds(table, row, grant, reader):
                found |= everything if grant.columns is None else grant.columns & everything
        return frozenset(found)
