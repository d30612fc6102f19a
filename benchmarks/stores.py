"""Candidates for the embedded store, side by side: `python -m benchmarks.stores [candidate ...]`.

One process per candidate and load, so that memory is its own. Each candidate keeps points by (series, time) with
merging fields, durable before `write` returns. Loads: `wide`, 10 sources of 100 signals polled every second,
one commit a second of data; `narrow`, 1,000 points of one or two fields a commit, as subscriptions give them.
duckdb and lmdb are not dependencies: install them to measure them.
"""

from __future__ import annotations

import importlib
import json
import random
import resource
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import zstandard

from gateway.stores.base import Point
from gateway.stores.embedded import EmbeddedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = tuple[int, int, dict[str, Any]]  # series, time in ns, fields
START = 1_700_000_000_000_000_000
SECOND = 10**9
COMMITS = 400


def _value(kind: int, clock: int, noise: random.Random) -> tuple[str, Any]:
    if kind < 6:  # an analogue value of a 32-bit float register
        return "f", struct.unpack("f", struct.pack("f", 50 + kind + noise.gauss(0, 0.5)))[0]
    if kind < 9:
        return "i", (clock // (kind * 3) + kind * 1000) if kind < 8 else noise.randrange(4)
    return "b", clock % 60 < 30


def wide() -> Iterator[list[Row]]:
    """Yield one second of ten sources of a hundred signals."""
    noise = random.Random(1)
    for second in range(COMMITS):
        rows = []
        for series in range(1, 11):
            fields = {}
            for signal in range(100):
                suffix, value = _value(signal % 10, second, noise)
                fields[f"signal-{signal}_{suffix}"] = value
            rows.append((series, START + second * SECOND + series * 1000, fields))
        yield rows


def narrow() -> Iterator[list[Row]]:
    """Yield a thousand points of one or two fields."""
    noise = random.Random(2)
    clock = START
    for commit in range(COMMITS):
        rows = []
        for _ in range(1000):
            clock += 1_000_000
            fields = {}
            for signal in noise.sample(range(100), noise.choice((1, 1, 2))):
                suffix, value = _value(signal % 10, commit, noise)
                fields[f"signal-{signal}_{suffix}"] = value
            rows.append((noise.randrange(1, 11), clock, fields))
        yield rows


class Candidate(Protocol):
    """A way to keep points in `folder`."""

    def write(self, rows: list[Row]) -> None:
        """Upsert, durably."""

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the points of a series by time."""

    def close(self) -> None:
        """Bring everything to its final place on disk."""


def _sqlite(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "store.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    return db


class SqliteJson:
    """A row per point, its fields as JSON text, merged by json_patch."""

    def __init__(self, folder: Path) -> None:
        self.db = _sqlite(folder)
        self.db.execute("CREATE TABLE p(series INT, t INT, v TEXT, PRIMARY KEY(series, t)) WITHOUT ROWID")

    def write(self, rows: list[Row]) -> None:
        """Upsert."""
        encode = msgspec.json.Encoder().encode
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "INSERT INTO p VALUES(?,?,?) ON CONFLICT DO UPDATE SET v=json_patch(v,excluded.v) WHERE v!=excluded.v",
            [(s, t, encode(f).decode()) for s, t, f in rows],
        )
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Empty the log."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield by time."""
        cursor = self.db.execute(
            "SELECT t, v FROM p WHERE series=? AND t>=? AND t<? ORDER BY t", (series, start, stop)
        )
        for t, v in cursor:
            yield t, json.loads(v)


class SqliteValues:
    """A row per value, clustered by (series, time, field)."""

    def __init__(self, folder: Path) -> None:
        self.db = _sqlite(folder)
        self.db.execute("CREATE TABLE p(series INT, t INT, f INT, v, PRIMARY KEY(series, t, f)) WITHOUT ROWID")
        self.ids: dict[str, int] = {}

    def write(self, rows: list[Row]) -> None:
        """Upsert."""
        ids = self.ids
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "INSERT INTO p VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET v=excluded.v WHERE v!=excluded.v",
            [(s, t, ids.setdefault(n, len(ids)), v) for s, t, f in rows for n, v in f.items()],
        )
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Empty the log."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield by time."""
        names = {i: n for n, i in self.ids.items()}
        now: int | None = None
        fields: dict[str, Any] = {}
        cursor = self.db.execute(
            "SELECT t, f, v FROM p WHERE series=? AND t>=? AND t<? ORDER BY t, f", (series, start, stop)
        )
        for t, f, v in cursor:
            if t != now:
                if now is not None:
                    yield now, fields
                now, fields = t, {}
            fields[names[f]] = bool(v) if names[f].endswith("_b") else v
        if now is not None:
            yield now, fields


class SqliteFieldFirst(SqliteValues):
    """A row per value, clustered by (series, field, time): a tag's history lies together."""

    def __init__(self, folder: Path) -> None:
        self.db = _sqlite(folder)
        self.db.execute("CREATE TABLE p(series INT, t INT, f INT, v, PRIMARY KEY(series, f, t)) WITHOUT ROWID")
        self.ids: dict[str, int] = {}


class SqliteBlob:
    """A row per point, its fields as a msgpack map by field id, merged by a Python function."""

    compress_from = 10**9
    without_rowid = True

    def __init__(self, folder: Path) -> None:
        self.db = _sqlite(folder)
        tail = "WITHOUT ROWID" if self.without_rowid else ""
        self.db.execute(f"CREATE TABLE p(series INT, t INT, v BLOB, PRIMARY KEY(series, t)) {tail}")
        self.db.create_function("merge", 2, self._merge, deterministic=True)
        self.ids: dict[str, int] = {}
        self.pack = msgspec.msgpack.Encoder().encode
        self.unpack = msgspec.msgpack.Decoder(dict[int, bool | int | float | str]).decode
        self.zip = zstandard.ZstdCompressor(level=1).compress
        self.unzip = zstandard.ZstdDecompressor().decompress

    def _encode(self, fields: dict[int, Any]) -> bytes:
        raw = self.pack(fields)
        return self.zip(raw) if len(raw) >= self.compress_from else raw

    def _decode(self, raw: bytes) -> dict[int, Any]:
        return self.unpack(self.unzip(raw) if raw[:4] == b"\x28\xb5\x2f\xfd" else raw)

    def _merge(self, old: bytes, new: bytes) -> bytes:
        return self._encode(self._decode(old) | self._decode(new))

    def write(self, rows: list[Row]) -> None:
        """Upsert."""
        ids = self.ids
        encoded = [(s, t, self._encode({ids.setdefault(n, len(ids)): v for n, v in f.items()})) for s, t, f in rows]
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "INSERT INTO p VALUES(?,?,?) ON CONFLICT DO UPDATE SET v=merge(v,excluded.v) WHERE v!=excluded.v",
            encoded,
        )
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Empty the log."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield by time."""
        names = {i: n for n, i in self.ids.items()}
        cursor = self.db.execute(
            "SELECT t, v FROM p WHERE series=? AND t>=? AND t<? ORDER BY t", (series, start, stop)
        )
        for t, v in cursor:
            yield t, {names[i]: x for i, x in self._decode(v).items()}


class SqliteBlobRowid(SqliteBlob):
    """The same in an ordinary table with an index."""

    without_rowid = False


class SqliteBlobZstd(SqliteBlob):
    """The same, points of 200 bytes and more compressed one by one."""

    compress_from = 200


class Duckdb:
    """A row per value with a primary key."""

    def __init__(self, folder: Path) -> None:
        duckdb: Any = importlib.import_module("duckdb")
        self.db = duckdb.connect(str(folder / "store.duckdb"))
        self.db.execute(
            "CREATE TABLE p(series BIGINT, t BIGINT, f BIGINT, i BIGINT, d DOUBLE, s VARCHAR,"
            " PRIMARY KEY(series, t, f))"
        )
        self.ids: dict[str, int] = {}

    def write(self, rows: list[Row]) -> None:
        """Upsert: one statement with lists, the fastest way without pandas or arrow."""
        ids = self.ids
        columns: list[list[Any]] = [[], [], [], [], [], []]
        for s, t, f in rows:
            for n, v in f.items():
                row = (
                    s,
                    t,
                    ids.setdefault(n, len(ids)),
                    None if isinstance(v, float | str) else int(v),
                    v if isinstance(v, float) else None,
                    v if isinstance(v, str) else None,
                )
                for column, cell in zip(columns, row, strict=True):
                    column.append(cell)
        self.db.execute("BEGIN")
        self.db.execute(
            "INSERT INTO p SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[]), unnest(?::BIGINT[]),"
            " unnest(?::BIGINT[]), unnest(?::DOUBLE[]), unnest(?::VARCHAR[])"
            " ON CONFLICT DO UPDATE SET i=excluded.i, d=excluded.d, s=excluded.s",
            columns,
        )
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Empty the log."""
        self.db.execute("CHECKPOINT")

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield by time."""
        names = {i: n for n, i in self.ids.items()}
        now: int | None = None
        fields: dict[str, Any] = {}
        found = self.db.execute(
            "SELECT t, f, i, d, s FROM p WHERE series=? AND t>=? AND t<? ORDER BY t, f", [series, start, stop]
        )
        while batch := found.fetchmany(10_000):
            for t, f, i, d, s in batch:
                if t != now:
                    if now is not None:
                        yield now, fields
                    now, fields = t, {}
                name = names[f]
                fields[name] = (
                    d if name.endswith("_f") else bool(i) if name.endswith("_b") else i if s is None else s
                )
        if now is not None:
            yield now, fields


class Lmdb(SqliteBlob):
    """A key per point, its fields as a msgpack map."""

    def __init__(self, folder: Path) -> None:
        lmdb: Any = importlib.import_module("lmdb")
        self.env = lmdb.open(str(folder), map_size=4 * 10**9)
        self.ids: dict[str, int] = {}
        self.pack = msgspec.msgpack.Encoder().encode
        self.unpack = msgspec.msgpack.Decoder(dict[int, bool | int | float | str]).decode

    def write(self, rows: list[Row]) -> None:
        """Upsert."""
        ids = self.ids
        with self.env.begin(write=True) as txn:
            for s, t, f in rows:
                key = struct.pack(">HQ", s, t)
                new = self.pack({ids.setdefault(n, len(ids)): v for n, v in f.items()})
                if not txn.put(key, new, overwrite=False):
                    old = txn.get(key)
                    if old != new:
                        txn.put(key, self._merge(old, new))

    def close(self) -> None:
        """Nothing: it has no log."""

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield by time."""
        names = {i: n for n, i in self.ids.items()}
        with self.env.begin() as txn, txn.cursor() as cursor:
            if not cursor.set_range(struct.pack(">HQ", series, start)):
                return
            last = struct.pack(">HQ", series, stop)
            for key, raw in cursor:
                if key >= last:
                    return
                yield struct.unpack(">HQ", key)[1], {names[i]: x for i, x in self._decode(raw).items()}


class Shipped:
    """The embedded store as it ships: `sqlite-blob` behind the store contract, with every check."""

    def __init__(self, folder: Path) -> None:
        self.store = EmbeddedStore(folder / "store.db")

    def write(self, rows: list[Row]) -> None:
        """Upsert; making the points is counted in."""
        points = [Point("m", (("factory", "f"), ("source", f"plc-{s}")), t, f) for s, t, f in rows]
        assert not self.store.write(points)

    def close(self) -> None:
        """Empty the log."""
        self.store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # noqa: SLF001 - the figures are of its parts

    def read(self, series: int, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield by time; the contract knows measurements, so the other series are read along."""
        for point in self.store.read("m", start, stop):
            if point.tags[1][1] == f"plc-{series}":
                yield point.time_ns, dict(point.fields)


CANDIDATES: dict[str, Callable[[Path], Candidate]] = {
    "sqlite-json": SqliteJson,
    "sqlite-values": SqliteValues,
    "sqlite-fieldfirst": SqliteFieldFirst,
    "sqlite-blob": SqliteBlob,
    "sqlite-blob-rowid": SqliteBlobRowid,
    "sqlite-blob-zstd": SqliteBlobZstd,
    "duckdb": Duckdb,
    "lmdb": Lmdb,
    "shipped": Shipped,
}


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, load: str) -> None:
    """Print one line of figures."""
    batches = list({"wide": wide, "narrow": narrow}[load]())
    values = sum(len(f) for rows in batches for _, _, f in rows)
    before = _rss_mb()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        store = CANDIDATES[name](Path(folder))
        opened = time.perf_counter() - began
        laps = []
        for rows in batches:
            began = time.perf_counter()
            store.write(rows)
            laps.append(time.perf_counter() - began)
        began = time.perf_counter()
        for rows in batches[::4]:
            store.write(rows)
        resend = (time.perf_counter() - began) / len(batches[::4])
        began = time.perf_counter()
        read = sum(len(f) for _, f in store.read(5, START, START + 10**6 * SECOND))
        reading = time.perf_counter() - began
        assert read == sum(len(f) for rows in batches for s, _, f in rows if s == 5)
        store.close()
        size = sum(p.stat().st_blocks * 512 for p in Path(folder).rglob("*") if p.is_file())
        laps.sort()
        print(
            f"{name:18} {load:7} {values / sum(laps) / 1000:7.0f} k/s  commit p50 {laps[len(laps) // 2] * 1e3:6.2f}"
            f" p99 {laps[len(laps) * 99 // 100] * 1e3:7.2f} ms  resend {resend * 1e3:6.2f} ms"
            f"  read {read / reading / 1000:6.0f} k/s  {size / values:5.1f} B/value"
            f"  +{_rss_mb() - before:5.1f} MB  open {opened * 1e3:5.1f} ms",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--one":
        measure(sys.argv[2], sys.argv[3])
    elif unknown := set(sys.argv[1:]) - CANDIDATES.keys():
        sys.exit(f"{', '.join(sorted(unknown))}: not one of {', '.join(CANDIDATES)}")
    else:
        for load in ("wide", "narrow"):
            for name in sys.argv[1:] or CANDIDATES:
                subprocess.run([sys.executable, "-m", "benchmarks.stores", "--one", name, load], check=False)
