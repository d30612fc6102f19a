"""What the embedded store does besides the contract: retention, readers of other processes, bad files."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.stores.base import Point, StoreUnavailable, UnsupportedOperation
from gateway.stores.embedded import EmbeddedStore
from gateway.stores.settings import Keep
from tests.stores.harness import SPAN, merged
from tests.stores.writer import batch

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 86_400 * 10**9
TWO_DAYS = Keep.model_validate({"max_age": "2d"})
HOUR = 3600 * 10**9
T = 20_000 * DAY


def point(time_ns: int, series: str = "s", **fields: float | str) -> Point:
    """Return a point of the machine `m`."""
    return Point("m", (("source", series),), time_ns, fields)


def times(store: EmbeddedStore) -> Sequence[int]:
    """Return the times of all points, sorted."""
    return sorted(p.time_ns for p in store.read("m", *SPAN))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a store may be."""
    return tmp_path / "store.db"


def test_a_new_store_is_its_owners_and_what_an_operator_has_opened_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "state" / "store.db"
    old = os.umask(0o022)
    try:
        store = EmbeddedStore(path)
        store.write([point(T, x_f=1.0)])
        files = [path, Path(f"{path}-wal"), Path(f"{path}-shm")]
        assert [file.stat().st_mode & 0o777 for file in (path.parent, *files)] == [0o700, 0o600, 0o600, 0o600]
        store.close()
        path.chmod(0o640)
        EmbeddedStore(path).close()
        assert path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(old)


def test_days_are_counted_back_from_the_newest_point(path: Path) -> None:
    minutes = itertools.count()
    store = EmbeddedStore(path, now_ns=lambda: T)
    points = [point(T + i * HOUR, "ab"[i % 2], x_f=1.0) for i in range(24 * 5)]
    store.write(points)
    store.close()
    store = EmbeddedStore(path, keep=TWO_DAYS, now_ns=lambda: T + 100 * DAY + next(minutes) * 60 * 10**9)
    for _ in range(5):  # one write deletes so much and no more
        store.write([points[-1]])
    assert times(store) == [p.time_ns for p in points if p.time_ns >= points[-1].time_ns - 2 * DAY]
    store.close()


def test_a_point_from_the_future_deletes_nothing(path: Path) -> None:
    minutes = itertools.count()
    store = EmbeddedStore(path, keep=TWO_DAYS, now_ns=lambda: T + next(minutes) * 60 * 10**9)
    for time_ns in (T, T + 40_000 * DAY, T + 1):
        store.write([point(time_ns, x_f=1.0)])
    assert times(store) == [T, T + 1, T + 40_000 * DAY]
    store.close()


def test_the_oldest_goes_when_the_size_is_reached_and_the_file_stops_growing(path: Path) -> None:
    limit = 1_500_000
    store = EmbeddedStore(path, keep=Keep.model_validate({"max_size": "1.5MB"}))
    for block in range(60):
        store.write(
            [point(T + (block * 60 + i) * 10**10, str(i % 3), text_s=f"{block}-{i}" * 120) for i in range(60)]
        )
        assert store.size() <= limit
    kept = times(store)
    assert kept[-1] == T + (60 * 60 - 1) * 10**10
    assert 500 < len(kept) < 3600
    gaps = {b - a for a, b in itertools.pairwise(kept)}
    assert gaps == {10**10}  # nothing but the oldest is gone
    store.close()
    assert path.stat().st_size < limit + 200_000  # room for what one write added before the oldest went


def test_another_process_may_read_while_one_writes(path: Path) -> None:
    writer = EmbeddedStore(path)
    writer.write([point(T, a_f=1.0)])
    reader = EmbeddedStore(path, read_only=True)
    assert merged(reader.read("m", *SPAN)) == merged([point(T, a_f=1.0)])
    writer.write([point(T + 1, new_i=2), Point("n", (), T, {"x_s": "y"})])  # a field and a machine it has not met
    assert merged(reader.read("m", *SPAN)) == merged([point(T, a_f=1.0), point(T + 1, new_i=2)])
    assert reader.measurements() == ["m", "n"]
    with pytest.raises(UnsupportedOperation):
        reader.write([point(T, a_f=1.0)])
    writer.close()
    assert times(reader) == [T, T + 1]
    reader.close()


def test_reading_goes_on_while_points_are_written_and_deleted(path: Path) -> None:
    store = EmbeddedStore(path)
    points = [point(T + i, n_i=i) for i in range(5000)]
    store.write(points)
    found: list[Point] = []
    for p in store.read("m", *SPAN):
        if len(found) == 1000:
            store.write([point(T + 10_000, n_i=0)])
        found.append(p)
    assert found[:5000] == points
    store.close()


def test_killed_while_writing_it_holds_every_confirmed_write_and_no_half_one(path: Path) -> None:
    command = [sys.executable, "-m", "tests.stores.writer", str(path), "stream"]
    luck = random.Random(2)
    for _ in range(4):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
            assert child.stdout
            said = [child.stdout.readline() for _ in range(luck.randrange(1, 60))]
            child.kill()
            said += child.stdout.read().splitlines()  # what was on its way; a line is written whole
        store = EmbeddedStore(path)
        found = merged(store.read("m", *SPAN))
        there = max(key[2] // 1000 for key in found)
        assert there in {int(said[-1]), int(said[-1]) + 1}  # the last may be written and not yet confirmed
        assert found == merged(p for number in range(1, there + 1) for p in batch(number))
        store.close()
        for file in path.parent.glob("store.db*"):
            file.unlink()


def test_a_reader_of_a_file_that_is_not_there_is_told_so(path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        EmbeddedStore(path, read_only=True)
    assert not path.exists()


def test_a_file_that_is_something_else_is_left_alone(path: Path) -> None:
    path.write_bytes(b"the recipe book of press 3" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        EmbeddedStore(path)
    assert path.read_bytes() == b"the recipe book of press 3" * 100
    other = path.with_name("other.db")
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t(x)")
    db.close()
    with pytest.raises(StoreUnavailable, match="no store of this version"):
        EmbeddedStore(other)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        EmbeddedStore(tmp_path / "file" / "store.db")


def test_a_writer_that_holds_the_file_too_long_makes_it_unavailable_for_others(path: Path) -> None:
    store = EmbeddedStore(path, busy_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.write([point(T, n_i=1)])
    with pytest.raises(StoreUnavailable, match="locked"):
        store.ping()
    other.execute("ROLLBACK")
    other.close()
    store.ping()
    assert not store.write([point(T, n_i=1)])
    assert times(store) == [T]
    store.close()


def test_a_full_disk_loses_nothing_that_was_promised_and_leaves_the_store_usable(path: Path) -> None:
    store = EmbeddedStore(path)
    store.write([point(T, first_i=1)])
    store._db.execute("PRAGMA max_page_count=12")  # what SQLite then says is what it says of a full disk
    with pytest.raises(StoreUnavailable, match="full"):
        store.write([point(T + i, "another", fresh_i=1, text_s="x" * 1000) for i in range(1000)])
    assert times(store) == [T]
    store._db.execute("PRAGMA max_page_count=1000000")
    points = [point(T + i, "another", fresh_i=i) for i in range(1000)]  # series and field of the lost transaction
    assert not store.write(points)
    assert merged(store.read("m", *SPAN)) == merged([point(T, first_i=1), *points])
    store.close()


def test_every_commit_is_synced_and_so_survives_a_power_cut(path: Path) -> None:
    """SIGKILL cannot show this: the kernel keeps what was not synced. SQLite's own promise is all there is."""
    store = EmbeddedStore(path)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    store.close()


def test_a_repeated_write_adds_nothing_to_the_file(path: Path) -> None:
    store = EmbeddedStore(path)
    points = [point(T + i, x_f=i / 3) for i in range(1000)]
    store.write(points)
    size, changes = store.size(), store._db.total_changes
    for _ in range(5):
        store.write(points)
    assert (store.size(), store._db.total_changes) == (size, changes)
    store.close()
