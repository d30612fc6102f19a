"""What the journal holds beyond the last checkpoint is done again; what is damaged in it is told."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent import entry
from agent.frame import DataType, Event, Value, Watermark
from agent.spool import Limits, Spool
from agent.spool.disk import Disk
from agent.spool.log import Log
from agent.spool.record import Record, payload
from contract.payload import Rejected, Stored
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = (source("a.main", 20, DataType.STRING), source("b.main", 5))
TABLES = ("spool", "birth", "epoch", "evidence", "day", "tally", "gap", "dropped", "open_gap", "reached", "still")


def make(folder: Path, clock: FakeClock | None = None, **more: Any) -> Spool:
    more = {"limits": Limits(max_bytes=190_000, min_free_bytes=0), **more}
    spool = Spool(
        folder,
        birth=birth_of("hanil", "main", "edge-1", SOURCES),
        sources=SOURCES,
        account=lambda items, at, clean: {(str(at), str(clean)): {7: entry.rows(items)}},
        fingerprint=lambda: "box",
        **more,
    )
    if clock is not None:
        spool.begin(clock)
    return spool


def second(spool: Spool, clock: FakeClock, rng: random.Random) -> None:
    """Read, be confirmed or refused now and then, and commit."""
    texts: list[Value] = [rng.randbytes(30).hex() for _ in SOURCES[0].signals]
    spool.put(frame(SOURCES[0], clock.now(), texts))
    spool.put(frame(SOURCES[1], clock.now()))
    spool.put(Watermark("a.main", clock.now()))
    if rng.random() < 0.2:
        body = {"gap_id": f"g{rng.randrange(3)}", "cause": "link_down"}
        to_ns = clock.now() if rng.random() < 0.5 else None
        spool.put(Event(kind="gap", time_ns=clock.now(), source="b.main", from_ns=5, to_ns=to_ns, body=body))
    known = spool.unconfirmed(0, None, 1000)
    picked = [e for e in known if rng.random() < 0.01]
    spool.sending(picked)
    refs = [(e.seq, e.crc) for e in picked[1:]]
    refused = [Rejected(e.seq, e.crc, "no", [("b.main", "1", "2", 1)]) for e in picked[:1]]
    spool.confirm(Stored(spool.id, refs, str(clock.now()), clock_trusted=True, worker="w", rejected=refused))
    clock.advance(1)
    spool.tick()


def tables(spool: Spool) -> dict[str, list[tuple[object, ...]]]:
    """Return all that the database knows, but for where contents lie and the number of the process."""
    db = spool._journal._db
    found = {name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES}
    columns = "seq, spool, crc, birth, committed_ns, process, rows, size, state, epoch, shift"
    found["entry"] = db.execute(f"SELECT {columns} FROM entry ORDER BY seq").fetchall()
    found["state"] = db.execute("SELECT spool, seq, event_ns, commit_ns, total FROM state").fetchall()
    return found


def everything(spool: Spool) -> dict[int, bytes]:
    return {e.seq: raw for e, raw in spool.sending(spool.unconfirmed(0, None, 10**6))}


def garble(path: Path, at: int, length: int = 8) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * length)


def places(spool: Spool) -> dict[int, tuple[Path, int]]:
    """Return number -> (file, offset) of the records that are read."""
    return {
        number: (file.path, offset)
        for file in spool._journal._log._files
        for number, offset in zip(file.numbers, file.offsets, strict=True)
    }


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_commit_all_tables_are_as_if_it_had_gone_on(tmp_path: Path, seed: int) -> None:
    rng, clock = random.Random(seed), FakeClock()
    spool = make(tmp_path, clock)
    for number in range(1, 120):
        second(spool, clock, rng)
        if rng.random() < 0.03:
            assert spool._checkpoint()
        if number % 13 == 0:
            before, contents, stats = tables(spool), everything(spool), spool.stats()
            spool._journal.close()
            spool = make(tmp_path)
            assert tables(spool) == before
            assert everything(spool) == contents
            assert spool.stats()[:3] == stats[:3]
            spool.begin(clock)
    assert tables(spool)["dropped"], "room was made on the way"
    spool.stop()


def test_a_torn_write_at_the_end_is_as_if_it_had_not_been_begun(tmp_path: Path) -> None:
    rng, clock = random.Random(1), FakeClock()
    spool = make(tmp_path, clock)
    for _ in range(5):
        second(spool, clock, rng)
    before = tables(spool)
    second(spool, clock, rng)
    path, offset = max(places(spool).items())[1]
    spool._journal.close()
    garble(path, offset + 300)
    spool = make(tmp_path, clock)
    assert spool._journal.losses == []
    found = tables(spool)
    assert found["entry"] == before["entry"]
    spool.tick()
    spool._journal.close()
    assert len(everything(make(tmp_path))) > len(before["entry"]), "it goes on over it"


def test_damage_in_the_middle_costs_what_was_there_and_the_gap_says_how_much(tmp_path: Path) -> None:
    rng, clock = random.Random(2), FakeClock()
    spool = make(tmp_path, clock)
    for _ in range(9):
        spool.put(frame(SOURCES[1], clock.now()))
        clock.advance(1)
        spool.tick()
    known = places(spool)
    lost = sorted(known)[3:5]
    waiting = everything(spool)
    spool._journal.close()
    for number in lost:
        path, offset = known[number]
        garble(path, offset + 60)
    spool = make(tmp_path, clock)
    left = everything(spool)
    assert len(left) == len(waiting) - 2
    assert left.items() <= waiting.items()
    second(spool, clock, rng)
    (gap,) = [
        item
        for _, items in spool._journal.replay(0)
        for item in items
        if isinstance(item, Event) and item.body.get("cause") == "overflow"
    ]
    assert gap.body["rows"] == 10
    assert gap.body["entries"] == [[*sorted(waiting.keys() - left.keys()), "yes"]]
    spool.stop()


@pytest.mark.parametrize("copies", [1, 2])
def test_the_first_record_of_a_file_stands_there_twice(tmp_path: Path, copies: int) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    for _ in range(6):
        spool.put(frame(SOURCES[1], clock.now()))
        clock.advance(1)
        spool.tick()
    waiting, known = everything(spool), places(spool)
    path, second_offset = known[2]
    spool._journal.close()
    for copy in range(copies):
        garble(path, copy * second_offset // 2 + 50)
    spool = make(tmp_path, clock)
    if copies == 1:
        assert everything(spool) == waiting
        return
    assert everything(spool) == {}
    spool.tick()
    causes = [i.body for _, items in spool._journal.replay(0) for i in items if isinstance(i, Event)]
    assert [b["reason"] for b in causes if b.get("cause") == "overflow"] == ["damaged: the journal's end"]


def test_a_commit_that_failed_is_made_again_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rng = FakeClock(), random.Random(3)
    spool = make(tmp_path, clock)
    second(spool, clock, rng)
    before = tables(spool)
    real, calls = os.fdatasync, [OSError(5, "Input/output error")]

    def sync(descriptor: int) -> None:
        if calls:
            raise calls.pop()
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", sync)
    spool.put(frame(SOURCES[1], clock.now()))
    spool.tick()
    assert tables(spool) == before
    spool.tick()
    assert spool.stats().rows == 30
    found = tables(spool)
    spool._journal.close()
    assert tables(make(tmp_path)) == found


def test_while_a_disk_stalls_readers_go_on_and_see_nothing_that_is_not_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    spool.put(frame(SOURCES[1], clock.now()))
    spool.tick()
    known = spool.unconfirmed(0, None, 99)
    reached, go_on = threading.Event(), threading.Event()

    def stall(_: int) -> None:
        reached.set()
        assert go_on.wait(30)

    monkeypatch.setattr(os, "fdatasync", stall)
    spool.put(frame(SOURCES[1], clock.now() + 1000))
    committing = threading.Thread(target=spool.tick)
    committing.start()
    assert reached.wait(30)
    assert spool.unconfirmed(0, None, 99) == known
    assert [e for e, _ in spool.sending(known)] == known
    spool.put(frame(SOURCES[1], clock.now() + 2000))
    assert spool.stats().ring_rows == 10
    assert spool.tallies() == {}
    go_on.set()
    committing.join()
    assert len(spool.unconfirmed(0, None, 99)) == len(known) + 1


def test_a_checkpoint_that_sqlite_gives_up_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rng = FakeClock(), random.Random(4)
    spool = make(tmp_path, clock)
    for _ in range(70):
        second(spool, clock, rng)
    before, contents = tables(spool), everything(spool)
    database = spool._journal._db

    def full() -> None:
        database.execute("ROLLBACK")  # as SQLite does it when the disk is full
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database, "commit", full)
    assert not spool._checkpoint()
    assert tables(spool) == before
    assert everything(spool) == contents
    monkeypatch.undo()
    assert spool._checkpoint()
    second(spool, clock, rng)
    found = tables(spool)
    spool._journal.close()
    assert tables(make(tmp_path)) == found


def test_files_are_written_over_again_and_again_and_nothing_in_use_is(tmp_path: Path) -> None:
    clock, rng = FakeClock(), random.Random(5)
    spool = make(tmp_path, clock, limits=Limits(max_bytes=900_000, min_free_bytes=0))
    contents: dict[int, bytes] = {}
    for number in range(400):
        spool.put(frame(SOURCES[0], clock.now(), [rng.randbytes(30).hex() for _ in range(20)]))
        clock.advance(1)
        spool.tick()
        contents |= {e.seq: raw for e, raw in spool.sending(spool.unconfirmed(spool._journal.seq - 1, None, 9))}
        if number % 200 == 150:
            spool._journal.close()
            spool = make(tmp_path, clock, limits=Limits(max_bytes=900_000, min_free_bytes=0))
    assert max(file.generation for file in spool._journal._log._files) > 3
    assert everything(spool).items() <= contents.items()
    assert len(everything(spool)) == 400
    spool.stop()


def test_a_disk_that_fails_again_and_again_has_the_journal_in_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    spool.put(frame(SOURCES[1], clock.now()))
    spool.tick()
    bad = spool._journal._log._files[-1].descriptor
    real = os.pwrite

    def broken(descriptor: int, data: bytes, offset: int) -> int:
        if descriptor == bad:
            raise OSError(5, "Input/output error")
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", broken)
    for _ in range(5):
        spool.put(frame(SOURCES[1], clock.now()))
        clock.advance(1)
        spool.tick()
    assert spool.stats().rows == 30
    spool._journal.close()
    monkeypatch.undo()
    assert make(tmp_path).stats().rows == 30


def test_a_first_record_that_failed_is_void_although_it_may_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(total: int) -> bytes:
        return payload(Record(1, 1, "s", "b", total, [], [], []))

    for number in range(2):
        folder = tmp_path / str(number)
        log = Log(folder, Disk(), 65536)
        if number:  # the names of the files the other way round
            log._files.reverse()
        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
            with pytest.raises(OSError, match="broken"):
                log.append(record(1), 7)
        assert log.append(record(2), 7) == 1
        log.close()
        log = Log(folder, Disk(), 65536)
        assert (log.read(1).total, log.last) == (2, 1)
        log.close()


def test_a_record_that_failed_does_not_count_when_the_next_went_to_another_file(tmp_path: Path) -> None:
    """A failed write may be on the disk all the same; what took its number instead is what was promised."""

    def one(text: str) -> bytes:
        return payload(Record(1, 1, "s", "b", 0, [], [], [(text, [])]))

    log = Log(tmp_path, Disk(), 65536)
    for text in ("one", "two", "failed"):
        log.append(one(text), 1)
    log.renew()
    log.last -= 1
    log.append(one("three"), 1)
    log.close()
    log = Log(tmp_path, Disk(), 65536)
    assert [log.read(number).statements[0][0] for number in log.numbers(0, 1)] == ["one", "two", "three"]
    log.close()


def test_what_cannot_be_opened_for_a_moment_is_not_given_up_and_what_is_gone_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, rng = FakeClock(), random.Random(6)
    spool = make(tmp_path, clock)
    for _ in range(60):
        second(spool, clock, rng)
    (block,) = spool._journal._db.execute("SELECT id FROM block ORDER BY id LIMIT 1").fetchone()
    waiting = [e for e in spool.unconfirmed(0, None, 999) if e.seq == block]
    spool._journal._contents._cache.clear()
    path = spool._journal._blocks.path(block)
    real = os.open

    def many(name: Any, *flags: Any) -> int:
        if name == path:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(name, *flags)

    monkeypatch.setattr(os, "open", many)
    with pytest.raises(OSError, match="Too many"):
        spool.sending(waiting)
    monkeypatch.undo()
    assert [e for e, _ in spool.sending(waiting)] == waiting
    path.unlink()
    spool._journal._contents._cache.clear()
    spool.sending(spool.unconfirmed(0, None, 999))
    spool.tick()
    assert spool.stats().dropped_rows
    left = "SELECT 1 FROM entry WHERE block = ? AND state = 0"
    assert not spool._journal._db.execute(left, (block,)).fetchone()
    assert everything(spool)
    spool.stop()
