"""A damaged database while entries are held, or being let go: what journal and blocks say is enough."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from agent.errors import WireError
from agent.frame import Event
from agent.spool import moving
from agent.spool.disk import Disk
from agent.spool.epochs import Epochs
from agent.spool.log import Log
from contract.payload import Stored
from tests.agent.spool.test_hold import YEARS, A, make, rows, second, sent, trust, untrusted
from tests.agent.spool.test_moving import HELD, contents, finish, hold, vouch
from tests.support.clocks import FakeClock
from tests.support.items import frame

if TYPE_CHECKING:
    from pathlib import Path

    from agent.spool import Spool
    from agent.spool.record import Record


def damage(spool: Spool) -> None:
    """Let the next commit find the database damaged."""
    spool._damage = "database disk image is malformed"


def doubt(spool: Spool, clock: FakeClock) -> int:
    """Let an epoch begin that nobody vouches for; return its number."""
    clock.epoch += 1
    clock.trusted = False
    spool.doubt(clock.epoch, clock.anchor_ns)
    return clock.epoch


def confirmed(spool: Spool, refs: list[tuple[int, str]]) -> Stored:
    name = spool.stats().spool
    return Stored(spool=name, stored=refs, rejected=[], committed_at="5", clock_trusted=True, worker="w")


def step(clock: FakeClock) -> Event:
    return Event(kind="clock_step", time_ns=clock.now(), body={"epoch": clock.epoch, "offset_ns": "0"})


@pytest.mark.parametrize("trusted", [True, False])
def test_a_process_goes_on_when_its_database_breaks_while_entries_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    spool, clock = hold(tmp_path)
    late = frame(A, clock.now())
    vouch(spool, clock)
    second(spool, clock)
    if not trusted:
        doubt(spool, clock)
    assert 0 < spool.stats().held_entries < HELD
    damage(spool)
    second(spool, clock, frame(A, clock.now()))
    second(spool, clock, frame(A, clock.now()), late)
    assert not spool._failures, "it is committed"
    for _ in range(2 * HELD):
        second(spool, clock)
    spool._checkpoint()
    second(spool, clock, frame(A, late.time_ns[0].item() + 1000))
    found = rows(sent(spool))
    assert len(found) == 3 * (HELD + (4 if trusted else 2))
    assert min(found) > YEARS, "what comes late of that epoch is shifted as before"
    spool.stop()


def test_what_comes_late_is_shifted_although_the_journal_has_forgotten_its_epoch(tmp_path: Path) -> None:
    spool, clock = hold(tmp_path, journal_bytes=8192)
    late = frame(A, clock.now())
    vouch(spool, clock)
    for number in range(100):
        second(spool, clock, frame(A, clock.now()))
        if number % 10 == 0:
            assert spool._checkpoint()
    found = rows(sent(spool))
    damage(spool)
    (tmp_path / "epochs").unlink()
    second(spool, clock)
    assert not spool._journal._db.execute("SELECT * FROM epoch").fetchall(), "forgotten"
    second(spool, clock, late)
    added = set(rows(sent(spool))) - set(found)
    assert added == {late.time_ns[0].item() + YEARS}
    spool.stop()


@pytest.mark.parametrize("running", [True, False])
def test_what_is_held_is_held_on_without_its_database_and_shifted_by_who_vouches(
    tmp_path: Path, *, running: bool
) -> None:
    spool, clock = hold(tmp_path)
    epoch, anchor = clock.epoch, clock.anchor_ns
    if running:
        damage(spool)
        second(spool, clock)
    else:
        spool._journal.close()
        (tmp_path / "spool.db").write_bytes(b"\xa5" * 9000)
        spool = make(tmp_path, clock)
    second(spool, clock)
    held = list(spool.held_epochs())
    assert held[0][:3] == (epoch, "boot", anchor)
    assert held[0].entries >= HELD
    trust(clock)
    assert all(spool.vouch(one.epoch, YEARS) for one in held)
    finish(spool, clock)
    found = rows(sent(spool))
    assert len(found) >= 3 * HELD
    assert min(found) > YEARS
    spool.stop()


def test_what_was_let_go_as_it_is_is_corrected_although_the_database_is_lost(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock, hold_ns=3 * 10**9)
    for _ in range(6):
        second(spool, clock, frame(A, clock.now()))
    epoch, before = clock.epoch, rows(sent(spool))
    assert before
    spool._journal.close()
    (tmp_path / "spool.db").write_bytes(b"\xa5" * 9000)
    trust(clock)
    spool = make(tmp_path, clock)
    assert rows(sent(spool)) == before
    assert [one.epoch for one in spool.frozen_epochs()] == [epoch]
    corrected = Event(kind="clock_correction", time_ns=clock.now(), body={"epoch": epoch, "offset_ns": "1000"})
    second(spool, clock, corrected)
    spool._journal.close()
    (tmp_path / "spool.db").write_bytes(b"\xa5" * 9000)
    spool = make(tmp_path, clock)
    assert not spool.frozen_epochs(), "once"
    spool.stop()


def test_the_next_process_numbers_its_epochs_after_all_that_the_journal_knows(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    vouch(spool, clock)
    second(spool, clock, frame(A, clock.now()), step(clock))
    last = doubt(spool, clock)
    second(spool, clock, frame(A, clock.now()), step(clock))
    trust(clock)
    assert spool.vouch(last, YEARS)
    clock.epoch += 5  # steps of a clock that is trusted
    second(spool, clock, frame(A, clock.now()), step(clock))
    used = clock.epoch
    spool._journal.close()
    (tmp_path / "spool.db").write_bytes(b"\xa5" * 9000)
    spool = make(tmp_path, untrusted(), begin=False)
    assert spool.epoch > used
    spool.stop()


def test_rows_that_are_lost_are_counted_beside_those_that_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    for _ in range(3):
        second(spool, clock, frame(A, clock.now()))
    epoch = doubt(spool, clock)
    for _ in range(6):
        second(spool, clock, frame(A, clock.now()))
    stats = spool.stats()
    assert (stats.rows, stats.held_rows) == (9, 18)
    read = Log.read

    def torn(log: Log, number: int) -> Record:
        record = read(log, number)
        if any(row.epoch is None for row in record.rows):
            raise WireError("torn")
        return record

    with monkeypatch.context() as patched:
        patched.setattr(Log, "read", torn)
        damage(spool)
        second(spool, clock)
    second(spool, clock)
    assert spool.stats().held_rows == 18
    clock.epoch, clock.trusted = clock.epoch + 1, True
    assert spool.vouch(epoch, 1000)
    finish(spool, clock)
    second(spool, clock)
    assert not spool.stats().held_rows
    found = [item for item in sent(spool) if isinstance(item, Event) and item.body.get("cause") == "overflow"]
    assert found
    assert {gap.body["rows"] for gap in found} == {9}
    spool.stop()


@pytest.mark.parametrize("known", [True, False])
def test_an_older_image_of_the_database_learns_what_was_let_go_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    folder, image = tmp_path / "it", tmp_path / "image"
    clock = untrusted()
    spool = make(folder, clock, journal_bytes=8192)
    if not known:
        assert spool._checkpoint()
        shutil.copy(folder / "spool.db", image)
    for _ in range(HELD):
        second(spool, clock, frame(A, clock.now()))
    if known:
        assert spool._checkpoint()
        shutil.copy(folder / "spool.db", image)
    spool._journal.close()
    spool = make(folder, clock, journal_bytes=8192)
    for _ in range(300):  # the journal is written over
        second(spool, clock, frame(A, clock.now()))
        spool._journal._packer.pack(10**9)
        assert spool._checkpoint()
    used = clock.epoch
    with monkeypatch.context() as patched:
        patched.setattr(moving, "AT_ONCE", 1)
        trust(clock)
        assert all(spool.vouch(one.epoch, YEARS) for one in spool.held_epochs())
        for _ in range(4):
            second(spool, clock, frame(A, clock.now()))
    assert spool.stats().held_entries
    before = contents(spool)
    spool._journal.close()
    shutil.copy(image, folder / "spool.db")
    (folder / "spool.db-wal").unlink(missing_ok=True)
    spool = make(folder, clock, journal_bytes=8192)
    assert spool.epoch > used
    assert before.items() <= contents(spool).items()
    finish(spool, clock)
    assert not [one for one in sent(spool) if isinstance(one, Event) and one.body.get("rows")], "nothing is lost"
    found = rows(sent(spool))
    assert min(found) > YEARS
    assert len(found) >= 3 * (HELD + 304)
    spool.stop()


def test_what_came_late_and_was_shifted_at_once_is_not_shifted_again(tmp_path: Path) -> None:
    spool, clock = hold(tmp_path, journal_bytes=8192)
    late = frame(A, clock.now())
    vouch(spool, clock)
    second(spool, clock, late)
    finish(spool, clock)
    for number in range(300):
        second(spool, clock, frame(A, clock.now()))
        spool._journal._packer.pack(10**9)
        assert spool._checkpoint()
        if number == 299:  # of all that was, the journal knows the offset alone
            spool._holding.begin_again()
            second(spool, clock)
    found = set(rows(sent(spool)))
    spool._journal.close()
    (tmp_path / "spool.db").write_bytes(b"\xa5" * 9000)
    spool = make(tmp_path, clock, journal_bytes=8192)
    finish(spool, clock)
    assert found <= set(rows(sent(spool)))
    assert late.time_ns[0].item() + YEARS in found
    spool.stop()


def pass_by(spool: Spool, clock: FakeClock, seconds: int = 300) -> None:
    """Commit until the journal has been written over, and everything lies in blocks."""
    for _ in range(seconds):
        second(spool, clock, frame(A, clock.now()))
        spool._journal._packer.pack(10**9)
        assert spool._checkpoint()


def lose(folder: Path, spool: Spool, clock: FakeClock) -> Spool:
    """Start again, but without the database."""
    spool._journal.close()
    (folder / "spool.db").write_bytes(b"\xa5" * 9000)
    return make(folder, clock, journal_bytes=8192)


def test_what_was_vouched_for_comes_out_the_same_when_its_database_is_lost_long_after(tmp_path: Path) -> None:
    spool, clock = hold(tmp_path, journal_bytes=8192)
    while not spool._journal._packer.pack(10**9):
        second(spool, clock, frame(A, clock.now()))
    vouch(spool, clock)
    clock.epoch += 5  # steps of a clock that is trusted
    second(spool, clock, step(clock))
    finish(spool, clock)
    pass_by(spool, clock)
    before = contents(spool)
    used = clock.epoch
    spool = lose(tmp_path, spool, clock)
    assert spool.epoch > used
    finish(spool, clock)
    assert before.items() <= contents(spool).items()
    assert min(rows(sent(spool))) > YEARS
    pass_by(spool, clock)  # of an earlier process now, and still in blocks
    spool = lose(tmp_path, spool, clock)
    finish(spool, clock)
    assert before.items() <= contents(spool).items()
    spool.stop()


def test_what_is_held_for_long_is_shifted_by_who_vouches_although_the_database_was_lost(tmp_path: Path) -> None:
    spool, clock = hold(tmp_path, journal_bytes=8192, hold_ns=2**60)
    held = clock.epoch
    pass_by(spool, clock)
    doubt(spool, clock)
    pass_by(spool, clock)
    damage(spool)
    second(spool, clock)
    found = {one.epoch: one.entries for one in spool.held_epochs()}
    assert found[held] >= HELD + 300
    trust(clock)
    assert all(spool.vouch(epoch, YEARS) for epoch in found)
    finish(spool, clock)
    assert min(rows(sent(spool))) > YEARS
    spool.stop()


def test_what_was_let_go_as_it_is_stays_so_however_often_and_late_the_database_is_lost(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock, hold_ns=3 * 10**9, journal_bytes=8192)
    for _ in range(6):
        second(spool, clock, frame(A, clock.now()))
    epoch, before = clock.epoch, rows(sent(spool))
    trust(clock)
    for _ in range(2):
        pass_by(spool, clock)
        damage(spool)
        second(spool, clock)
    assert [one.epoch for one in spool.frozen_epochs()] == [epoch]
    spool = lose(tmp_path, spool, clock)
    assert [one.epoch for one in spool.frozen_epochs()] == [epoch]
    assert rows(sent(spool))[: len(before)] == before
    second(spool, clock, Event(kind="clock_correction", time_ns=clock.now(), body={"epoch": epoch}))
    pass_by(spool, clock)
    spool = lose(tmp_path, spool, clock)
    assert not spool.frozen_epochs(), "its correction is told"
    assert rows(sent(spool))[: len(before)] == before
    spool.stop()


def test_an_older_image_lets_go_what_was_let_go_longer_ago_than_the_journal_reaches(tmp_path: Path) -> None:
    folder, image = tmp_path / "it", tmp_path / "image"
    clock = untrusted()
    spool = make(folder, clock, journal_bytes=8192, hold_ns=5 * 10**9)
    for _ in range(3):
        second(spool, clock, frame(A, clock.now()))
    spool._journal._packer.pack(10**9)
    assert spool._checkpoint()
    shutil.copy(folder / "spool.db", image)
    epoch = clock.epoch
    for _ in range(4):
        second(spool, clock, frame(A, clock.now()))
    before = rows(sent(spool))
    assert before
    trust(clock)
    pass_by(spool, clock)
    spool._journal.close()
    shutil.copy(image, folder / "spool.db")
    (folder / "spool.db-wal").unlink(missing_ok=True)
    spool = make(folder, clock, journal_bytes=8192)
    assert [one.epoch for one in spool.frozen_epochs()] == [epoch]
    assert not spool.held_epochs()
    finish(spool, clock)
    assert set(before) <= set(rows(sent(spool)))
    spool.stop()


def test_the_file_of_epochs_is_written_when_they_change_and_empty_when_nothing_is_of_them(tmp_path: Path) -> None:
    file = tmp_path / "epochs"
    spool, clock = hold(tmp_path)

    def inode() -> int:
        return file.stat().st_ino

    first = inode()
    for _ in range(20):
        second(spool, clock, frame(A, clock.now()))
    assert inode() == first
    vouch(spool, clock)
    finish(spool, clock)
    then = inode()
    assert then != first
    for _ in range(20):
        second(spool, clock, frame(A, clock.now()))
        assert spool._checkpoint()
    while spool._journal._packer.pack(10**9):
        pass
    second(spool, clock)
    assert inode() == then
    spool.stop()
    spool = make(tmp_path, clock)
    second(spool, clock, frame(A, clock.now()))
    assert spool._checkpoint()
    second(spool, clock)
    assert Epochs(tmp_path, Disk()).found.epochs, "something in the blocks is of it"
    refs = [(entry.seq, entry.crc) for entry in spool.unconfirmed(0, None, 10**6)]
    spool.confirm(confirmed(spool, refs))
    second(spool, clock)
    assert spool._checkpoint()
    second(spool, clock)
    assert spool._checkpoint()
    second(spool, clock)
    assert not Epochs(tmp_path, Disk()).found.epochs
    spool.stop()


@pytest.mark.parametrize("wrong", ["gone", "torn", "short", "empty", "a folder"])
def test_a_file_of_epochs_that_cannot_be_used_is_missed_only_without_the_database(
    tmp_path: Path, wrong: str
) -> None:
    file = tmp_path / "epochs"
    spool, clock = hold(tmp_path)
    vouch(spool, clock)
    finish(spool, clock)
    before = contents(spool)
    spool._journal.close()
    whole, known = file.read_bytes(), Epochs(tmp_path, Disk()).found
    file.unlink()
    if wrong == "a folder":
        file.mkdir()
    elif wrong != "gone":
        file.write_bytes({"torn": whole[:-1] + b"\xff", "short": whole[:20], "empty": b""}[wrong])
    spool = make(tmp_path, clock)
    second(spool, clock, frame(A, clock.now()))
    assert not spool._failures
    assert before.items() <= contents(spool).items()
    if wrong != "a folder":
        assert Epochs(tmp_path, Disk()).found.epochs == known.epochs, "it is written again"
    spool.stop()


def test_a_disk_that_refuses_the_file_of_epochs_stops_no_commit_and_is_asked_again_at_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    def refuse(_: Disk, path: Path, __: bytes) -> None:
        nonlocal tried
        tried += path.name == "epochs"
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Disk, "save", refuse)
        spool, clock = hold(tmp_path)
        vouch(spool, clock)
        finish(spool, clock)
        for _ in range(10):
            second(spool, clock, frame(A, clock.now()))
        assert tried == 3, "begun, doubted, vouched for"
    assert min(rows(sent(spool))) > YEARS
    second(spool, clock)
    assert not (tmp_path / "epochs").exists()
    assert spool._checkpoint()
    second(spool, clock)
    assert Epochs(tmp_path, Disk()).found.epochs[0].shift == YEARS
    spool.stop()


def test_what_came_late_under_a_clock_as_doubtful_is_held_as_the_rest_of_its_epoch(tmp_path: Path) -> None:
    spool, clock = hold(tmp_path, journal_bytes=8192, hold_ns=2**60)
    late = frame(A, clock.now())
    doubt(spool, clock)
    second(spool, clock, late)
    second(spool, clock)
    pass_by(spool, clock)
    trust(clock)
    spool = lose(tmp_path, spool, clock)
    assert all(spool.vouch(one.epoch, YEARS) for one in spool.held_epochs())
    finish(spool, clock)
    found = rows(sent(spool))
    assert late.time_ns[0].item() + YEARS in found
    assert min(found) > YEARS
    spool.stop()


def test_nothing_of_an_epoch_is_shown_before_what_became_of_it_is_in_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, clock = hold(tmp_path)
    save, seen = Disk.save, 0

    def watched(disk: Disk, path: Path, data: bytes) -> None:
        nonlocal seen
        if path.name == "epochs":
            seen += 1
            assert not [one for one in rows(sent(spool)) if one % 1000 == epoch % 1000]
        save(disk, path, data)

    late, epoch = frame(A, clock.now()), clock.epoch
    monkeypatch.setattr(Disk, "save", watched)
    trust(clock)
    assert spool.vouch(epoch, YEARS)
    second(spool, clock, late)
    assert seen == 1
    assert late.time_ns[0].item() + YEARS in rows(sent(spool))
    spool.stop()


@pytest.mark.parametrize("packed", [True, False])
def test_an_older_image_shifts_what_was_vouched_for_longer_ago_than_the_journal_reaches(
    tmp_path: Path, *, packed: bool
) -> None:
    folder, image = tmp_path / "it", tmp_path / "image"
    spool, clock = hold(folder, journal_bytes=8192)
    if packed:
        assert spool._journal._packer.pack(10**9)
    assert spool._checkpoint()
    shutil.copy(folder / "spool.db", image)
    vouch(spool, clock)
    second(spool, clock, step(clock))
    finish(spool, clock)
    pass_by(spool, clock)
    before = contents(spool)
    spool._journal.close()
    shutil.copy(image, folder / "spool.db")
    (folder / "spool.db-wal").unlink(missing_ok=True)
    spool = make(folder, clock, journal_bytes=8192)
    second(spool, clock, frame(A, clock.now()))
    finish(spool, clock)
    assert before.items() <= contents(spool).items()
    assert min(rows(sent(spool))) > YEARS
    spool.stop()
