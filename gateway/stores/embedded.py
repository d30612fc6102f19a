"""The store that ships inside: one SQLite file, for the demo and for small factories.

Chosen by measurement, `docs/decisions/0002-embedded-store.md`.

    series  (id, measurement, tags as JSON)
    field   (id, name)
    point   (series, time, value)         clustered by (series, time)

`value` is a msgpack map from field id to value, so that integers, floats, text and booleans come back as what
they were; field ids are shared by all series and never change. A point that is there already is merged by a
function that SQLite calls during the upsert; the same bytes again write nothing.

A write is one transaction in a write-ahead log that is synced before `write` returns. Other processes may read
(`read_only`) meanwhile. Two writers exclude each other for the length of a write.

Retention deletes a minute of the oldest data at a time, after a write and outside its transaction. The file
does not shrink, its space is used again; the log beside it takes up to 4 MB more. Age counts back from the newest
point or from now, whichever is earlier: neither a clock that jumps ahead nor a single point from the future may
delete what is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from gateway.stores.base import FieldValue, Point, Refusal, StoreUnavailable, UnsupportedOperation
from gateway.stores.rules import point_problem
from gateway.stores.settings import Keep

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    Tags = tuple[tuple[str, str], ...]

_VERSION = 1
_APPLICATION_ID = 0x74737145
_SCHEMA = f"""
CREATE TABLE series(id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL,
                    UNIQUE(measurement, tags));
CREATE TABLE field(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE point(series INTEGER NOT NULL, time INTEGER NOT NULL, value BLOB NOT NULL,
                   PRIMARY KEY(series, time)) WITHOUT ROWID;
PRAGMA application_id={_APPLICATION_ID};
PRAGMA user_version={_VERSION};
"""
_PAGE = 2_000
_LOWEST = -(2**63)
_SLICE_NS = 60 * 10**9
_SLICES = 60  # at most per write: a limit that was lowered takes effect over several writes
_AGE_CHECK_NS = 60 * 10**9
_DISK_RESERVE = 16_000_000  # bytes of free disk with which a store that was full is tried again

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[int, FieldValue]).decode


def _merge(old: bytes, new: bytes) -> bytes:
    return _pack(_unpack(old) | _unpack(new))


class EmbeddedStore:
    """Points in one SQLite file; see the module's docstring."""

    def __init__(
        self,
        path: Path,
        *,
        keep: Keep | None = None,
        read_only: bool = False,
        busy_s: float = 5.0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the file; make it, and its folder, when missing.

        Args:
            path: The file.
            keep: What to keep; everything by default.
            read_only: Take no writes, and make nothing. The file must be there.
            busy_s: Longest wait for another writer to finish.
            now_ns: The clock that `keep.max_age` counts back from.

        Raises:
            StoreUnavailable: it cannot be opened, or it is no store of this version.
        """
        self._path = path
        self._keep = keep or Keep()
        self._read_only = read_only
        self._now_ns = now_ns
        self._next_age_check = 0
        self._series: dict[tuple[str, Tags], int] = {}
        self._fields: dict[str, int] = {}
        self._names: dict[int, str] = {}
        with self._availability():
            self._db = self._open(busy_s)

    def _open(self, busy_s: float) -> sqlite3.Connection:
        if not self._read_only:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # what a factory makes is nobody else's business; SQLite gives its -wal and -shm the same mode
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as exc:
                raise StoreUnavailable(f"{self._path}: {exc}") from exc
        mode = "ro" if self._read_only else "rwc"
        db = sqlite3.connect(
            f"file:{quote(str(self._path.absolute()))}?mode={mode}",
            uri=True,
            timeout=busy_s,
            isolation_level=None,
            check_same_thread=False,  # one thread at a time, not always the one that opened it
        )
        try:
            if not self._read_only:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                db.execute("PRAGMA journal_size_limit=4194304")
                db.execute("PRAGMA secure_delete=OFF")  # Debian's default overwrites what retention deletes
                db.create_function("tsq_merge", 2, _merge, deterministic=True)
                db.execute("BEGIN IMMEDIATE")
                if db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                    for statement in _SCHEMA.split(";"):  # `executescript` would commit before it begins
                        db.execute(statement)
                db.execute("COMMIT")
            self._check_version(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check_version(self, db: sqlite3.Connection) -> None:
        found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if found != [_APPLICATION_ID, _VERSION]:
            raise StoreUnavailable(f"{self._path} is no store of this version")

    @contextlib.contextmanager
    def _availability(self) -> Iterator[None]:
        """Turn what SQLite says about the file into StoreUnavailable; its words about our own mistakes stay."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
            raise
        except sqlite3.DatabaseError as exc:
            raise StoreUnavailable(f"{self._path}: {exc}") from exc

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit durably at the end, or leave nothing behind, ids in memory included."""
        if self._read_only:
            raise UnsupportedOperation(f"{self._path} is open for reading only")
        with self._availability():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._series.clear()
                self._fields.clear()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Store points, as `Store.write` promises: the log is synced when this returns."""
        refusals = []
        good = []
        for index, point in enumerate(points):
            if problem := point_problem(point):
                refusals.append(Refusal(index, problem))
            else:
                good.append(point)
        with self._transaction():
            self._db.executemany(
                "INSERT INTO point VALUES(?, ?, ?) ON CONFLICT DO UPDATE"
                " SET value = tsq_merge(value, excluded.value) WHERE value != excluded.value",
                [(self._series_id(p), p.time_ns, self._encoded(p)) for p in good],
            )
        self._retain()
        return refusals

    def writing(self, points: Sequence[Point]) -> Generator[None, None, Sequence[Refusal]]:
        """Write in one step."""
        yield from ()
        return self.write(points)

    def _encoded(self, point: Point) -> bytes:
        ids = self._fields
        try:
            return _pack({ids[name]: value for name, value in point.fields.items()})
        except KeyError:
            for name in point.fields:
                if name not in ids:
                    ids[name] = self._id("field", {"name": name})
            return self._encoded(point)

    def _series_id(self, point: Point) -> int:
        key = (point.measurement, point.tags)
        found = self._series.get(key)
        if found is None:
            tags = json.dumps(point.tags, ensure_ascii=False)
            found = self._series[key] = self._id("series", {"measurement": point.measurement, "tags": tags})
        return found

    def _id(self, table: str, row: dict[str, str]) -> int:
        where = " AND ".join(f"{column} = ?" for column in row)
        select = f"SELECT id FROM {table} WHERE {where}"  # noqa: S608 - both names stand in this module
        found = self._db.execute(select, [*row.values()]).fetchone()
        if found is None:
            marks = ", ".join("?" for _ in row)
            insert = f"INSERT INTO {table}({', '.join(row)}) VALUES({marks}) RETURNING id"
            found = self._db.execute(insert, [*row.values()]).fetchone()
        number: int = found[0]
        return number

    def _retain(self) -> None:
        """Delete the oldest slices that the settings do not keep."""
        cutoff = None
        if self._keep.max_age is not None and self._now_ns() >= self._next_age_check:
            self._next_age_check = self._now_ns() + _AGE_CHECK_NS
            newest = self._edge("max")
            if newest is not None:
                cutoff = min(newest, self._now_ns()) - self._keep.max_age
        for _ in range(_SLICES):
            oldest = self._edge("min") if cutoff is not None or self._too_large() else None
            if oldest is None:
                return
            stop = oldest + _SLICE_NS
            if not self._too_large():
                if cutoff is None or oldest >= cutoff:
                    return
                stop = min(stop, cutoff)
            with self._transaction():
                self._db.execute("DELETE FROM point WHERE time < ? AND series IN (SELECT id FROM series)", (stop,))
        self._next_age_check = 0  # not done: go on after the next write

    def _too_large(self) -> bool:
        return self._keep.max_size is not None and self.size() > self._keep.max_size

    def _edge(self, which: str) -> int | None:
        """Return the lowest (`min`) or highest (`max`) time of all series: a look-up per series, no scan."""
        with self._availability():
            found = self._db.execute(
                f"SELECT {which}(edge) FROM (SELECT (SELECT {which}(time) FROM point WHERE series = s.id) AS edge"  # noqa: S608 - a word of ours
                " FROM series AS s)"
            ).fetchone()
        edge: int | None = found[0]
        return edge

    def size(self) -> int:
        """Return the bytes in use in the file; the file itself keeps the size that it once had."""
        with self._availability():
            pages, free, size = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        used: int = (pages - free) * size
        return used

    def read(self, measurement: str, start_ns: int, stop_ns: int) -> Iterator[Point]:
        """Yield points as `Store.read` promises; no lock is held between two points.

        What is written during the reading is seen or not.
        """
        with self._availability():
            found = self._db.execute("SELECT id, tags FROM series WHERE measurement = ?", (measurement,)).fetchall()
        every = {tuple((k, v) for k, v in json.loads(tags)): number for number, tags in found}
        for tags in sorted(every):
            after = max(start_ns - 1, _LOWEST)
            while rows := self._page(every[tags], after, min(stop_ns, -_LOWEST - 1)):
                for time_ns, value in rows:
                    yield Point(measurement, tags, time_ns, self._decoded(value))
                after = rows[-1][0]

    def _page(self, series: int, after: int, stop: int) -> list[tuple[int, bytes]]:
        with self._availability():
            return self._db.execute(
                "SELECT time, value FROM point WHERE series = ? AND time > ? AND time < ? ORDER BY time LIMIT ?",
                (series, after, stop, _PAGE),
            ).fetchall()

    def _decoded(self, value: bytes) -> dict[str, FieldValue]:
        fields = _unpack(value)
        try:
            return {self._names[number]: v for number, v in fields.items()}
        except KeyError:  # a field that a writer has added since
            with self._availability():
                self._names = dict(self._db.execute("SELECT id, name FROM field").fetchall())
            return {self._names[number]: v for number, v in fields.items()}

    def measurements(self) -> Sequence[str]:
        """Return the names of all measurements, sorted."""
        with self._availability():
            found = self._db.execute(
                "SELECT DISTINCT measurement FROM series WHERE EXISTS(SELECT 1 FROM point WHERE series = id)"
            ).fetchall()
        return sorted(name for (name,) in found)

    def ping(self) -> None:
        """Take and release the write lock, and look at the free disk."""
        with self._transaction():
            disk = os.statvfs(self._path)
        if disk.f_bavail * disk.f_frsize < _DISK_RESERVE:
            raise StoreUnavailable(f"{self._path}: the disk is full")

    def close(self) -> None:
        """Close the file; the log is folded into it."""
        self._db.close()
