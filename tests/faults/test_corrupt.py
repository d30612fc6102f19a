"""Files of the spool are damaged at random: it opens, salvages the rest, and says at least what is lost.

TSQ_DAMAGES sets how many cases there are. A case is named by its number, which alone decides it.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.faults import disk
from tests.faults.books import Books, examine, gaps_of
from tests.faults.children import live
from tests.faults.plant import Life, Plant, begin_ns, contents, grow, open_spool
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.plant import Told

DAMAGES = int(os.environ.get("TSQ_DAMAGES", "80"))

pytestmark = pytest.mark.timeout(120 + DAMAGES)


def damage(path: Path, rng: random.Random) -> str:
    """Damage a file as disks, programs and people do; return how."""
    size = path.stat().st_size
    kind = rng.choice(("bit", "bits", "zeros", "noise", "cut", "gone", "empty"))
    at = rng.randrange(max(size, 1))
    if rng.random() < 0.5:  # where there is data: files are filled with zeros beforehand
        data = path.read_bytes().rstrip(b"\0")
        at = rng.randrange(max(len(data), 1))
    if kind == "gone":
        path.unlink()
    elif kind in {"cut", "empty"}:
        os.truncate(path, at if kind == "cut" else 0)
    else:
        length = min({"bit": 1, "bits": 1, "zeros": 4096, "noise": 4096}[kind], size - at)
        with path.open("r+b") as file:
            for _ in range(20 if kind == "bits" else 1):
                file.seek(at)
                old = file.read(length)
                new = bytes([old[0] ^ 1 << rng.randrange(8)]) if len(old) == 1 else bytes(length)
                file.seek(at)
                file.write(rng.randbytes(length) if kind == "noise" else new)
                at = rng.randrange(max(size - length, 1))
    return f"{kind} of {path.name}"


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-shm"))


def lived(work: Path, folder: Path, *lives: Life) -> Books:
    """Have processes live in a folder, one after the other; return what they promised."""
    said = Books()
    for number, life in enumerate(lives):
        status, told = live(partial(grow, folder, life, number), disk.Disk(folder, work / "control"))
        assert status == 0
        for one in told:
            said.add(one)
    return said


def kind_of(path: Path) -> str:
    """Return what stands for all files that are alike."""
    return path.suffix


def test_damage_of_any_file_is_survived_and_told(work: Path) -> None:
    old, folder = work / "old", work / "state"
    said = lived(
        work, old,
        Life(seed=4, seconds=50, checkpoint=15, line=(8, 50)),
        Life(seed=5, seconds=40, checkpoint=15, line=(3, 40), config="after"),
    )  # fmt: skip
    kinds = sorted({kind_of(path) for path in files(old)})
    wrong: dict[str, list[str]] = {}
    for number in range(DAMAGES):
        rng = random.Random(number)
        shutil.copytree(old, folder)
        kind = kinds[number % len(kinds)]
        done = [damage(rng.choice([p for p in files(folder) if kind_of(p) == kind]), rng)]
        if rng.random() < 0.3:
            done.append(damage(rng.choice(files(folder)), rng))
        try:
            # SQLite keeps no checksums: a bit that is flipped in a row of its own may not show
            flips = sum(20 for text in done if text.startswith("bit") and "spool.db" in text)
            # what the oldest file of blocks held nobody knows when the database is damaged as well: from when on
            # something is missing is told then, not what
            both = all(any(kind in text for text in done) for kind in ("spool.db", ".tsb"))
            unseen = flips + 50 * both
            found = examine(folder, said, damaged=True, unseen=unseen, thorough=rng.random() < 0.1)
        except Exception as exc:  # noqa: BLE001 - told with the case
            found = [f"{type(exc).__name__}: {exc}"]
        if found:
            wrong[f"{number}: {', '.join(done)}"] = found
        shutil.rmtree(folder)
    assert wrong == {}


def test_a_file_of_blocks_that_is_damaged_when_the_database_is_gone_as_well_is_a_gap(work: Path) -> None:
    folder = work / "state"
    live(
        partial(grow, folder, Life(seed=4, seconds=90, line=(0, 90), journal=12_000), 1),
        disk.Disk(folder, work / "control"),
    )
    block = max((folder / "blocks").iterdir(), key=lambda path: int(path.stem))
    os.truncate(block, 0)
    (folder / "spool.db").unlink()
    spool, _ = open_spool(folder)
    known = {kept.seq for kept in contents(spool)}
    clock = FakeClock(begin_ns(2))
    clock.epoch = spool.epoch
    spool.begin(clock)
    spool.tick()
    told = [gap for kept in contents(spool) for _, gap in gaps_of(kept) if gap.reason == "damaged: files of blocks"]
    spool.stop()
    second = begin_ns(1) + int(block.stem) * 10**9
    assert known
    assert int(block.stem) not in known
    assert [gap.from_ns < second < gap.to_ns for gap in told] == [True]


@pytest.mark.parametrize("kept", [0, 6000])
def test_a_journal_that_is_cut_when_the_database_is_gone_as_well_is_a_gap(work: Path, kept: int) -> None:
    folder = work / "state"
    said = lived(work, folder, Life(seed=4, seconds=90, line=(0, 90), journal=12_000))
    journal = sorted((folder / "journal").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    os.truncate(journal[0], kept)
    (folder / "spool.db").unlink()
    assert examine(folder, said, damaged=True) == []
    spool, _ = open_spool(folder)
    reasons = {gap.reason for kept in contents(spool) for _, gap in gaps_of(kept)}
    spool.stop()
    assert "damaged: the journal" in reasons


@pytest.mark.parametrize("become", [b"numbes", b"num\x98er", b"\x00umber"])
def test_a_column_that_has_lost_its_name_is_damage(work: Path, become: bytes) -> None:
    folder = work / "state"
    said = lived(work, folder, Life(seed=4, seconds=30))
    path = folder / "spool.db"
    data = path.read_bytes()
    assert data.count(b"number INTEGER") == 1, "of the table of clock epochs"
    path.write_bytes(data.replace(b"number INTEGER", become + b" INTEGER"))
    assert examine(folder, said, damaged=True) == []
    assert len(list(folder.glob("*.damaged-*[0-9]"))) == 1


def test_a_key_that_has_become_an_ordinary_column_is_damage(work: Path) -> None:
    folder = work / "state"
    said = lived(work, folder, Life(seed=4, seconds=30))
    path = folder / "spool.db"
    data = path.read_bytes()
    assert data.count(b"seq INTEGER PRIMARY KEY, spool") == 1
    path.write_bytes(data.replace(b"seq INTEGER PRIMARY KEY, spool", b"seq INTEGES PRIMARY KEY, spool"))
    assert examine(folder, said, damaged=True) == []
    assert len(list(folder.glob("*.damaged-*[0-9]"))) == 1


def test_a_tag_dictionary_is_known_by_its_content_and_one_that_is_gone_is_lost(
    work: Path,
) -> None:
    folder = work / "state"
    lives = (Life(seed=4, seconds=30, line=(0, 30)), Life(seed=5, seconds=30, line=(0, 30), config="after"))
    said = lived(work, folder, *lives)
    with sqlite3.connect(folder / "spool.db") as db:
        ((first, digest), _) = db.execute("SELECT id, hash FROM birth ORDER BY id").fetchall()
        db.execute("UPDATE birth SET hash = ? WHERE id = ?", ("0" * len(digest), first))
    db.close()
    assert examine(folder, said, damaged=True, config="after") == []
    with sqlite3.connect(folder / "spool.db") as db:
        assert db.execute("SELECT hash FROM birth WHERE id = ?", (first,)).fetchone() == (digest,)
        db.execute("DELETE FROM birth WHERE id = ?", (first,))
    db.close()
    spool, _ = open_spool(folder, "after")
    begun = FakeClock(begin_ns(9))
    begun.epoch = spool.epoch
    spool.begin(begun)
    spool.tick()
    causes = {gap.cause for kept in contents(spool) for _, gap in gaps_of(kept)}
    spool.stop()
    assert "birth_lost" in causes


@pytest.mark.parametrize("name", ["1.tsj", "2.tsj"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_of_the_journal_that_goes_while_the_spool_runs_costs_nothing(
    work: Path, name: str, *, replaced: bool
) -> None:
    folder = work / "state"
    books = Books()

    def run(tell: Callable[[Told], None]) -> None:
        plant = Plant(folder, Life(seed=1, seconds=0, line=(4, 999)), begin_ns(0), tell)
        path = folder / "journal" / name
        for second in range(60):
            if second == 30:
                old = path.read_bytes()
                path.unlink()
                if replaced:
                    path.write_bytes(old)
            plant.second(second)

    status, told = live(run, disk.Disk(folder, work / "control"))
    assert status == 0
    for one in told:
        books.add(one)
    assert examine(folder, books, thorough=True) == []


def test_files_that_go_while_the_spool_runs_lose_no_more_than_is_told(work: Path) -> None:
    for number in range(6):
        folder = work / f"state-{number}"
        books = Books()
        victims = random.Random(number)

        def run(tell: Callable[[Told], None], folder: Path = folder, victims: random.Random = victims) -> None:
            plant = Plant(folder, Life(seed=1, seconds=0, checkpoint=12, line=(4, 999)), begin_ns(0), tell)
            for second in range(50):
                if second == 20:
                    victims.choice(files(folder)).unlink()
                plant.second(second)
            plant.spool.stop()

        status, told = live(run, disk.Disk(folder, work / "control"))
        assert status == 0, "somebody has removed a file, and the process has ended"
        for one in told:
            books.add(one)
        found = examine(folder, books, damaged=True)
        assert found == [], (number, found)
