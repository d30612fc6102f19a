"""The power goes at any moment of any write: what was promised is there. TSQ_POINTS sets how often."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults import disk, image
from tests.faults.plant import Life
from tests.faults.powerloss import COMMIT_FAILS, LONG, SHORT, SYNC_FAILS, recorded, run

if TYPE_CHECKING:
    from pathlib import Path

POINTS = int(os.environ.get("TSQ_POINTS", "150"))

pytestmark = pytest.mark.timeout(120 + POINTS)


def test_whatever_the_disk_makes_of_unsynced_writes_nothing_promised_is_missing(tmp_path: Path) -> None:
    result = run(POINTS, 7, SHORT if POINTS < 500 else LONG, keep=tmp_path / "broken")
    assert result.unlike == [], "the recorder has not seen everything"
    assert all(path.endswith("-shm") for path in result.unseen), "a file is written through memory"
    assert result.broken == 0, result
    assert result.points >= POINTS
    assert result.given_up > 0, "room was made on the way"


def test_a_sync_that_fails_has_written_nothing_and_what_it_should_have_written_is_written_again() -> None:
    result = run(POINTS // 2, 8, SYNC_FAILS)
    assert result.broken == 0, result
    assert result.failed >= len(SYNC_FAILS)


def test_what_sqlite_could_not_sync_is_not_built_upon_by_the_next_process() -> None:
    result = run(POINTS, 9, COMMIT_FAILS)
    assert result.unlike == []
    assert result.broken == 0, result
    assert result.failed >= 5


def test_a_commit_is_written_to_a_place_that_the_disk_has_already(work: Path) -> None:
    folder, trace = recorded(work, (Life(seed=1, seconds=60, journal=20_000),))
    state, commits = image.Disk(str(folder)), 0
    written = set()
    for line in trace:
        if line.what == "d":
            path, file = state._open[line.handle]
            records = [c for c in getattr(file, "pending", ()) if path.endswith(".tsj") and c.data and any(c.data)]
            if records:
                assert isinstance(file, image.File)
                assert max(c.at + len(c.data or b"") for c in records) <= len(file.durable), (
                    "its sync is a large one"
                )
                commits += 1
                written.add(path)
        state.step(line)
    assert commits > 50
    assert len(written) == 2


def test_the_same_without_syncing_breaks_promises() -> None:
    result = run(25, 7, syncs=False)
    assert result.broken > 5, "this test could not fail"


# The model of the disk itself


def record(tmp_path: Path, program: str, **faults: int) -> tuple[image.Disk, Path]:
    """Run a few lines of Python on a recorded disk; return it, and the folder as it is."""
    folder = tmp_path / "state"
    folder.mkdir()
    recorder = disk.Disk(folder, tmp_path / "control", tmp_path / "trace")
    recorder.set(**faults)
    text = f"import os\nos.chdir({str(folder)!r})\ndirectory = os.open({str(folder)!r}, os.O_RDONLY)\n{program}"
    subprocess.run([sys.executable, "-c", text], env={**os.environ, **recorder.env}, check=True)
    state = image.Disk(str(folder))
    for line in image.read_trace(tmp_path / "trace"):
        state.step(line)
    return state, folder


def images(state: image.Disk, count: int = 300) -> list[dict[str, bytes | None]]:
    return [state.image(random.Random(seed)) for seed in range(count)]


def test_what_is_synced_with_its_name_is_there_and_what_comes_later_in_any_mixture_of_sectors(
    tmp_path: Path,
) -> None:
    state, folder = record(
        tmp_path,
        "f = os.open('a', os.O_CREAT | os.O_RDWR)\n"
        "os.pwrite(f, b'1' * 2048, 0)\nos.fdatasync(f)\nos.fsync(directory)\n"
        "os.pwrite(f, b'2' * 2048, 0)\nos.pwritev(f, [b'3' * 512, b'3' * 512], 1024)",
    )
    found = [one["a"] for one in images(state)]
    assert all(data is not None and len(data) == 2048 for data in found)
    sectors = {tuple(data[i : i + 1] for i in range(0, 2048, 512)) for data in found if data}
    assert {first for first, *_ in sectors} == {b"1", b"2"}
    assert {last for *_, last in sectors} == {b"1", b"2", b"3"}
    assert (b"1", b"2", b"1", b"3") in sectors or (b"2", b"1", b"3", b"1") in sectors, (
        "neither order nor all at once"
    )
    assert state.now() == {"a": (folder / "a").read_bytes()}


def test_a_name_that_its_directory_was_not_synced_for_may_be_missing_and_a_renamed_one_the_old(
    tmp_path: Path,
) -> None:
    state, _ = record(
        tmp_path,
        "f = os.open('a', os.O_CREAT | os.O_WRONLY)\nos.write(f, b'old')\nos.fsync(f)\nos.fsync(directory)\n"
        "g = os.open('b', os.O_CREAT | os.O_WRONLY)\nos.write(g, b'new')\nos.fsync(g)\nos.rename('b', 'a')",
    )
    assert {tuple(sorted(one.items())) for one in images(state)} == {
        (("a", b"old"),),
        (("a", b"old"), ("b", b"new")),
        (("a", b"new"),),
    }


def test_what_a_failed_sync_should_have_written_is_not_written_by_the_next(tmp_path: Path) -> None:
    state, folder = record(
        tmp_path,
        "f = os.open('a', os.O_CREAT | os.O_RDWR)\nos.fsync(directory)\n"
        "os.pwrite(f, b'1' * 1024, 0)\n"
        "try:\n    os.fsync(f)\nexcept OSError:\n    pass\n"
        "os.fsync(f)\nos.pwrite(f, b'2' * 512, 512)\nos.fsync(f)",
        counted=disk.SYNC,
        fail_at=2,
        fail_count=1,
        fail_errno=errno.EIO,
        fail_mask=disk.SYNC,
    )
    found = {one["a"] for one in images(state)}
    assert found == {bytes(512) + b"2" * 512, b"1" * 512 + b"2" * 512}
    assert (folder / "a").read_bytes() == b"1" * 512 + b"2" * 512
