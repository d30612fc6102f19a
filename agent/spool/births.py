"""The births in the spool's file: which there are, who they are of, and which nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from agent.frame import Source


class _Named(msgspec.Struct, frozen=True):
    """Of a birth, whose it is."""

    factory: str
    agent: str


def enter(db: sqlite3.Connection, digest: str, body: bytes, sources: Sequence[Source]) -> int:
    """Put a birth into the file, or find it there; return its key."""
    db.execute(
        "INSERT INTO birth (hash, body, sources) VALUES (?, ?, ?) "
        "ON CONFLICT (hash) DO UPDATE SET body = excluded.body, sources = excluded.sources",
        (digest, body, msgspec.json.encode(sources)),
    )
    key: int = db.execute("SELECT id FROM birth WHERE hash = ?", (digest,)).fetchone()[0]
    return key


def listed(db: sqlite3.Connection, present: int, lost: Collection[str]) -> list[tuple[str, bytes, bool]]:
    """Return (hash, canonical JSON, whether it is the present one or an entry names it) of each not lost."""
    return [
        (digest, body, bool(named))
        for digest, body, named in db.execute(
            "SELECT hash, body, id = ? OR EXISTS (SELECT 1 FROM entry WHERE entry.birth = birth.id) FROM birth",
            (present,),
        )
        if digest not in lost
    ]


def owners(db: sqlite3.Connection, lost: Collection[str]) -> dict[tuple[str, str], int]:
    """Return how many unconfirmed entries each (factory, agent) has, by the births they were written under."""
    found: dict[tuple[str, str], int] = {}
    for body, digest, n in db.execute(
        "SELECT birth.body, hash, count(*) FROM birth JOIN entry ON entry.birth = birth.id "
        "WHERE state = 0 GROUP BY birth.id"
    ):
        if digest not in lost:
            named = msgspec.json.decode(body, type=_Named)
            found[named.factory, named.agent] = found.get((named.factory, named.agent), 0) + n
    return found


def forget(db: sqlite3.Connection, digest: str, present: int) -> None:
    """Let go of one, unless an entry names it or it is the present one."""
    db.execute(
        "DELETE FROM birth WHERE hash = ? AND id != ? "
        "AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.birth = birth.id)",
        (digest, present),
    )
