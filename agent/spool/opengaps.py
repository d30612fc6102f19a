"""Gaps of devices whose end nobody has told yet: closed at the latest where the process that opened them ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.frame import Event

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from agent.frame import Item


def follow(db: sqlite3.Connection, items: Iterable[Item]) -> None:
    """Remember which gaps these items open and close; within the transaction that commits them."""
    for item in items:
        if not isinstance(item, Event) or item.kind != "gap" or "sources" in item.body:
            continue
        gap, cause = str(item.body.get("gap_id", "")), str(item.body.get("cause", ""))
        if item.to_ns is None:
            start = item.time_ns if item.from_ns is None else item.from_ns
            db.execute("INSERT OR REPLACE INTO open_gap VALUES (?, ?, ?, ?)", (gap, item.source, cause, start))
        else:
            db.execute("DELETE FROM open_gap WHERE id = ?", (gap,))


def left_open(db: sqlite3.Connection, now_ns: int, last_ns: int | None) -> list[Event]:
    """Return the ends of the gaps that are open.

    Args:
        db: The spool's file.
        now_ns: When the new process tells it.
        last_ns: The last process's last commit: until then it knew the gap to be open.
    """
    rows = db.execute("SELECT id, source, cause, from_ns FROM open_gap ORDER BY from_ns, id").fetchall()
    return [
        Event(
            kind="gap",
            time_ns=now_ns,
            source=source,
            from_ns=start,
            to_ns=max(start, now_ns if last_ns is None else last_ns),
            body={"gap_id": gap, "cause": cause},
        )
        for gap, source, cause, start in rows
    ]
