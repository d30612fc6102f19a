"""What a process may leave untold when it is killed, so that the next one can tell it.

Gaps of devices whose end nobody has told are closed at the latest where the process that opened them ended. Rows
that were read and not committed lie after what is committed of their source: a device stamps its rows when they
come, and hands them on when its reading is complete, so the last commit alone would be too late a moment.

What was read but not committed after the last commit lies in one gap `agent_off` without source, whatever the
configuration was then. A process that has told such a gap itself (a standstill, or that the one before it was off)
and is killed before its devices have said anything more leaves that span out of theirs: no moment is told twice. A
clock behind that commit cannot say how long the agent was off: the gap then has no
length, because what was read until the commit is known, and its body tells when this process began by that clock.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from agent.frame import Event, FrameBlock, Watermark, gap_event

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from agent.frame import Item, Json
    from agent.spool.database import Database

    Span = tuple[int, int]


OURS = frozenset({"agent_off", "config"})
"""Causes of gaps that tell how far a source has come although nothing was read of it."""
OUTAGES = frozenset({"device_off", "link_down", "refused"})
"""Likewise, but for readings that have come before the end was told."""
MOST_STILL = 1000
"""Spans of the whole agent that are remembered: the oldest are long behind every source."""
BESIDE = frozenset({"maintenance", "clock"})
"""Causes of gaps beside which readings go on: that one is open explains no silence."""


def expect(db: Database, sources: Iterable[str], now_ns: int) -> None:
    """Note sources that are read from now on; those that are known stay what they are."""
    db.write_many("INSERT OR IGNORE INTO reached VALUES (?, ?)", [(source, now_ns) for source in sources])


def forget(db: Database, sources: Container[str]) -> None:
    """Expect nothing any more of sources that are not among these."""
    known = [name for (name,) in db.execute("SELECT source FROM reached")]
    db.write_many("DELETE FROM reached WHERE source = ?", [(name,) for name in known if name not in sources])


def follow(db: Database, items: Iterable[Item], sources: Container[str]) -> None:
    """Remember which gaps these items open and close, and how far each source has come.

    Args:
        db: Within the transaction that commits the items.
        items: In their order.
        sources: Ids of the sources that are read now.
    """
    reached: dict[str, int] = {}
    for item in items:
        if isinstance(item, FrameBlock):
            if len(item):
                reached[item.source.id] = int(item.time_ns[-1])
        elif isinstance(item, Watermark):
            reached[item.source] = item.time_ns
        elif isinstance(item, Event) and item.kind == "gap" and "sources" not in item.body:
            _gap(db, item)
            _whole(db, item, sources)
            _ended(db, item, reached)
    for source, time_ns in reached.items():
        if source in sources:
            db.write("INSERT OR REPLACE INTO reached VALUES (?, ?)", source, time_ns)
        else:
            db.write("DELETE FROM reached WHERE source = ?", source)
    _passed(db)


def _passed(db: Database) -> None:
    """Forget the spans of the whole agent that every source has passed."""
    if db.execute("SELECT 1 FROM still WHERE to_ns <= (SELECT min(ns) FROM reached) LIMIT 1").fetchone():
        db.write("DELETE FROM still WHERE to_ns <= (SELECT min(ns) FROM reached)")


def _ended(db: Database, event: Event, reached: dict[str, int]) -> None:
    """Take how far a gap that has ended says that its source has come."""
    source, to_ns, cause = event.source, event.to_ns, event.body.get("cause")
    if source is None or to_ns is None:
        return
    if cause in OURS or (cause in OUTAGES and to_ns > _reached(db, source, reached)):
        reached[source] = to_ns


def _whole(db: Database, event: Event, sources: Container[str]) -> None:
    """Remember that the whole agent was off, until every source has come farther."""
    if event.source is not None or event.to_ns is None or event.body.get("cause") != "agent_off":
        return
    db.write("INSERT INTO still VALUES (?, ?)", event.from_ns, event.to_ns)
    db.write(
        "DELETE FROM still WHERE rowid NOT IN (SELECT rowid FROM still ORDER BY to_ns DESC LIMIT ?)", MOST_STILL
    )
    if "stood_still" not in event.body:  # of what is read no more, all is told until this start
        forget(db, sources)


def _without(start_ns: int, end_ns: int, spans: Iterable[Span]) -> list[Span]:
    """Return what is left of [start, end) beside these spans."""
    left, at = [], start_ns
    for a, b in sorted(spans):
        if at < min(a, end_ns):
            left.append((at, min(a, end_ns)))
        at = max(at, b)
    return [*left, (at, end_ns)] if at < end_ns else left


def _reached(db: Database, source: str, now: Mapping[str, int]) -> int:
    row = db.execute("SELECT ns FROM reached WHERE source = ?", (source,)).fetchone()
    return now.get(source, row[0] if row else 0)


def _gap(db: Database, event: Event) -> None:
    gap, cause = str(event.body.get("gap_id", "")), str(event.body.get("cause", ""))
    if event.to_ns is None:
        start = event.time_ns if event.from_ns is None else event.from_ns
        db.write("INSERT OR REPLACE INTO open_gap VALUES (?, ?, ?, ?)", gap, event.source, cause, start)
    else:
        db.write("DELETE FROM open_gap WHERE id = ?", gap)


def left(db: Database, now_ns: int, last_ns: int) -> list[Event]:
    """Return the ends of the gaps that are open, and `agent_off`: before the last commit by source, and after it.

    Args:
        db: The spool's file.
        now_ns: When the new process tells it.
        last_ns: The last process's last commit: until then it knew a gap to be open.
    """
    rows = db.execute("SELECT id, source, cause, from_ns FROM open_gap ORDER BY from_ns, id").fetchall()
    still = db.execute("SELECT from_ns, to_ns FROM still").fetchall()
    events = []
    for gap, source, cause, start in rows:
        spans = [(start, max(start, last_ns))]
        if cause in OUTAGES:  # a standstill that the process did not come to take out of it
            spans = _without(*spans[0], still) or [(start, start)]
        for n, (a, b) in enumerate(spans):
            events.append(gap_event(secrets.token_hex(8) if n else gap, cause, source, now_ns, a, b))
    known = {source for _, source, cause, _ in rows if cause not in BESIDE}
    for source, reached in db.execute("SELECT source, ns FROM reached WHERE ns < ? ORDER BY source", (last_ns,)):
        for start, end in () if source in known else _without(reached, last_ns, still):
            events.append(gap_event(secrets.token_hex(8), "agent_off", source, now_ns, start, end))
    body: dict[str, Json] = {"clock": "behind", "started": str(now_ns)} if now_ns < last_ns else {}
    off = _without(last_ns, now_ns, still) or [(last_ns, max(now_ns, last_ns))]
    events += [gap_event(secrets.token_hex(8), "agent_off", None, now_ns, a, b, **body) for a, b in off]
    return events
