"""What becomes of a database that cannot be used: it is set aside, and what can be read of it is kept.

What waits in it is not read here: its contents lie in journal and blocks, see `adoption`.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agent.entry import Span
from agent.spool import ring
from agent.spool.gaps import OTHER, Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.spool.base import Stats


_SAVED: tuple[tuple[str, str, Any], ...] = (
    ("state", "process, event_ns, commit_ns", tuple[int, int, int | None]),
    ("day", "day, body", tuple[str, bytes]),
    ("tally", "day, key, bucket, n", tuple[str, str, int, int]),
)
"""Table, columns, and what a sound row is."""


_UNREADABLE = sqlite3.Error, UnicodeDecodeError
"""The latter when its words quote what is no text any more."""


class Salvaged(NamedTuple):
    """What could be read of a damaged file."""

    process: int = 0
    event_ns: int = 0
    commit_ns: int | None = None
    days: Sequence[tuple[str, bytes]] = ()
    tallies: Sequence[tuple[str, str, int, int]] = ()
    oldest_ns: int | None = None  # when the first unconfirmed entry was committed
    rows: int = 0  # in unconfirmed entries, and in held ones


def set_aside(path: Path, kind: str, keep: int) -> Path:
    """Rename a file that cannot be used, by what it is and when it was written; older ones beyond `keep` go.

    Returns:
        Its new name; there is no such file if there was none before.
    """
    base = f"{path.name}.{kind}-"
    with contextlib.suppress(OSError):
        named = path.with_name(f"{base}{path.stat().st_mtime_ns}")
        for tail in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{tail}").replace(f"{named}{tail}")
        Path(f"{path}-shm").unlink(missing_ok=True)
        olds = sorted(p for p in path.parent.iterdir() if p.name.startswith(base) and p.name[-1].isdigit())
        for old in olds[:-keep]:
            for tail in ("", "-wal", "-shm"):
                Path(f"{old}{tail}").unlink(missing_ok=True)
        return named
    return path.with_name(f"{base}0")


def salvage(path: Path) -> Salvaged:
    """Read what a fresh file needs from a damaged one, as far as it can be read."""
    found: dict[str, list[Any]] = {}
    with contextlib.suppress(*_UNREADABLE), contextlib.closing(_read_only(path)) as db:
        for table, columns, row in _SAVED:
            with contextlib.suppress(*_UNREADABLE):
                rows = db.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 - from above
                found[table] = [one for one in rows if _is(one, row)]
        with contextlib.suppress(*_UNREADABLE):
            found["waiting"] = db.execute(
                "SELECT min(committed_ns), coalesce(sum(rows), 0) FROM entry WHERE state IN (0, 3)"
            ).fetchall()
    oldest_ns, count = next(iter(found.get("waiting", [])), (None, 0))
    process, event_ns, commit_ns = next(iter(found.get("state", [])), (0, 0, None))
    return Salvaged(process, event_ns, commit_ns, found.get("day", []), found.get("tally", []), oldest_ns, count)


def _is(row: Any, kind: Any) -> bool:
    """Whether a row of a damaged file is what its table holds."""
    try:
        msgspec.convert(row, kind)
    except msgspec.ValidationError:
        return False
    return True


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def lost(name: Path, kind: str, known: Stats | None, found: Salvaged, adopted: int) -> Loss:
    """Return the gap of what waited in a file that is set aside, and is not taken over."""
    loss = Loss(
        secrets.token_hex(8), "overflow", "spool", known.spool if known else "", reason=f"{kind}: {name.name}"
    )
    last = found.commit_ns or 0
    waited = None if known is None else (known.oldest_ns, known.rows + known.held_rows)
    oldest, rows = waited or (found.oldest_ns, found.rows)
    rows -= adopted
    if rows > 0:
        since = (oldest or last) - ring.AGE_NS  # what is committed was read before
        loss.add([Span(OTHER, since, max(since, last), rows)])
    elif last:
        loss.reach(last)
    return loss


def code(exc: BaseException) -> int:
    """Return the primary result code of SQLite, 0 when the error is not SQLite's."""
    code: int = getattr(exc, "sqlite_errorcode", 0)
    return code & 0xFF
