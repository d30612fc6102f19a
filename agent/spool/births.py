"""The births that entries were written under: which there are, who they are of, and which nobody needs any more.

Each lies in the database, and once more in a file of its own (`births/<hash>`): entries that outlive the database
can be read by nobody without theirs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
import zstandard

from agent.errors import WireError
from agent.spool.disk import make_folder, remove
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from agent.frame import Source
    from agent.spool.database import Database
    from agent.spool.disk import Disk

logger = logging.getLogger(__name__)

FOLDER = "births"
LIMIT = 2**26


class _Named(msgspec.Struct, frozen=True):
    """Of a birth, whose it is."""

    factory: str
    agent: str


class Files:
    """The files of the births.

    Args:
        folder: Of the spool.
        disk: Writes.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder / FOLDER
        self._disk = disk

    def keep(self, digest: str, body: bytes, sources: bytes) -> None:
        """Have a file of this birth; without one everything works as long as the database can be read."""
        path = self._folder / digest
        try:
            if path.exists():
                return
            make_folder(self._folder)
            raw = msgspec.msgpack.encode((body, sources))
            self._disk.save(path, zstandard.ZstdCompressor(level=9).compress(raw))
        except OSError as exc:
            logger.warning("%s: no second copy of the tag dictionary: %s", path, exc)

    def read(self, digest: str) -> tuple[bytes, bytes] | None:
        """Return the body and the sources of a birth, None when they cannot be read."""
        try:
            data = (self._folder / digest).read_bytes()
            raw = codec.decompress(data, LIMIT)
            body, sources = msgspec.msgpack.decode(raw, type=tuple[bytes, bytes])
        except (OSError, WireError, ValueError):  # the last: no MessagePack, or a name that none can have
            return None
        return (body, sources) if codec.digest(body) == digest else None

    def remove(self, digest: str) -> None:
        """Remove the file of a birth."""
        remove(self._folder / digest)


def enter(db: Database, files: Files, digest: str, body: bytes, sources: Sequence[Source]) -> int:
    """Put a birth into the database, or find it there; return its key."""
    known = msgspec.json.encode(sources)
    files.keep(digest, body, known)
    db.execute(
        "INSERT INTO birth (hash, body, sources) VALUES (?, ?, ?) "
        "ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash, body = excluded.body, sources = excluded.sources",
        (digest, body, known),
    )
    return _key(db, digest)


def found(db: Database, files: Files, digest: str) -> int:
    """Return the key of a birth that entries name; when it is lost, its row says so by a body of another hash."""
    row = db.execute("SELECT id FROM birth WHERE hash = ?", (digest,)).fetchone()
    if row is None:
        body, sources = files.read(digest) or (b"", b"[]")
        db.execute("INSERT INTO birth (hash, body, sources) VALUES (?, ?, ?)", (digest, body, sources))
    return _key(db, digest)


def _key(db: Database, digest: str) -> int:
    key: int = db.execute("SELECT id FROM birth WHERE hash = ?", (digest,)).fetchone()[0]
    return key


def mended(db: Database, files: Files) -> tuple[dict[int, str], set[int]]:
    """Return the hash of each birth by its key, and the keys of those that are lost.

    One that is damaged in the database is taken from its file, or named by its content; of one whose row is gone,
    and that entries name, there is a row again.
    """
    gone = db.execute("SELECT DISTINCT birth FROM entry WHERE birth NOT IN (SELECT id FROM birth)").fetchall()
    for (key,) in gone:
        db.execute("INSERT INTO birth (id, hash, body, sources) VALUES (?, ?, x'', x'')", (key, f"lost-{key}"))
    names: dict[int, str] = {}
    lost: set[int] = set()
    for key, said, body in db.execute("SELECT id, hash, body FROM birth").fetchall():
        names[key], content = said, codec.digest(body)
        if content == said:
            continue
        for digest in (said, content):
            if (whole := files.read(digest)) is not None:
                names[key] = digest
                sql = "UPDATE OR IGNORE birth SET hash = ?, body = ?, sources = ? WHERE id = ?"
                db.execute(sql, (digest, *whole, key))
                break
        else:
            lost.add(key)
    return names, lost


def listed(db: Database, present: int, lost: Collection[str]) -> list[tuple[str, bytes, bool]]:
    """Return (hash, canonical JSON, whether it is the present one or an entry names it) of each not lost."""
    return [
        (digest, body, bool(named))
        for digest, body, named in db.execute(
            "SELECT hash, body, id = ? OR EXISTS (SELECT 1 FROM entry WHERE entry.birth = birth.id) FROM birth",
            (present,),
        )
        if digest not in lost
    ]


def owners(db: Database, lost: Collection[str]) -> dict[tuple[str, str], int]:
    """Return how many unconfirmed entries each (factory, agent) has, by the births they were written under."""
    out: dict[tuple[str, str], int] = {}
    for body, digest, n in db.execute(
        "SELECT birth.body, hash, count(*) FROM birth JOIN entry ON entry.birth = birth.id "
        "WHERE state = 0 OR state = 3 GROUP BY birth.id"
    ):
        if digest not in lost:
            named = msgspec.json.decode(body, type=_Named)
            out[named.factory, named.agent] = out.get((named.factory, named.agent), 0) + n
    return out


def forget(db: Database, files: Files, digest: str, present: int) -> None:
    """Let go of one, unless an entry names it or it is the present one."""
    row = db.execute(
        "SELECT 1 FROM birth WHERE hash = ? AND id != ? "
        "AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.birth = birth.id)",
        (digest, present),
    ).fetchone()
    if row is not None:
        db.execute("DELETE FROM birth WHERE hash = ?", (digest,))
        files.remove(digest)
