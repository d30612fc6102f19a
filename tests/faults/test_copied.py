"""A disk is copied to another box, or an old image comes back: nothing is lost, nothing is freed wrongly."""

from __future__ import annotations

import random
import shutil
from functools import partial
from typing import TYPE_CHECKING

from contract.payload import Stored
from tests.faults import disk
from tests.faults.books import Books, examine, gaps_of
from tests.faults.children import live
from tests.faults.plant import BEFORE, Kept, Life, contents, grow, open_spool, reading
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agent.spool import Spool

Entries = dict[tuple[str, int], Kept]


def lived(folder: Path, work: Path, number: int, box: str = "box") -> Books:
    """Let a life go by in a process of its own, in which little is confirmed; return what it was promised."""
    books = Books()
    life = Life(seed=number, seconds=30, checkpoint=12, line=(5, 30), box=box)
    status, told = live(partial(grow, folder, life, number), disk.Disk(folder, work / "control"))
    assert status == 0
    for one in told:
        books.add(one)
    return books


def there(spool: Spool) -> Entries:
    return {(kept.spool, kept.seq): kept for kept in contents(spool)}


def gone_on(spool: Spool, clock: FakeClock, seconds: int, seed: int) -> Entries:
    """Read some seconds; return the entries that came of it."""
    before, rng = there(spool), random.Random(seed)
    for _ in range(seconds):
        for one in BEFORE:
            spool.put(reading(one, clock.now(), rng))
        clock.advance(1)
        spool.tick()
    return {key: kept for key, kept in there(spool).items() if key not in before}


def say_stored(spool: Spool, clock: FakeClock, entries: Iterable[Kept]) -> None:
    for kept in entries:
        spool.confirm(Stored(kept.spool, [(kept.seq, kept.crc)], str(clock.now()), clock_trusted=True, worker="w"))
    clock.advance(1)
    spool.tick()


def test_a_copied_disk_delivers_what_it_carries_under_the_old_id_and_its_own_under_a_new(work: Path) -> None:
    first, second = work / "first", work / "second"
    books = lived(first, work, 1)
    shutil.copytree(first, second)
    ours, theirs = open_spool(first)[0], open_spool(second, box="another box")[0]
    carried = there(ours)
    assert there(theirs) == carried, "the copy delivers what it carries"
    assert {key for key in books.entries if key not in books.confirming} <= carried.keys()
    assert theirs.id != ours.id
    clocks = [FakeClock(books.now_ns + 10**9 * later) for later in (60, 61)]
    for spool, clock in zip((ours, theirs), clocks, strict=True):
        clock.epoch = spool.epoch
        spool.begin(clock)
    new = [gone_on(spool, clock, 5, 9) for spool, clock in zip((ours, theirs), clocks, strict=True)]
    assert {kept.spool for kept in new[0].values()} == {ours.id}
    assert {kept.spool for kept in new[1].values()} == {theirs.id}
    # the store hears both; each box is told of what came from either
    for spool, clock in zip((ours, theirs), clocks, strict=True):
        say_stored(spool, clock, [*carried.values(), *new[0].values()])
    assert not there(ours).keys() & (carried.keys() | new[0].keys())
    assert new[1].keys() <= there(theirs).keys(), "a confirmation for the other box has freed ours"
    say_stored(theirs, clocks[1], new[1].values())
    assert not there(theirs).keys() & new[1].keys()
    ours.stop()
    theirs.stop()


def test_an_image_of_the_past_gives_numbers_again_and_their_checksums_tell_them_apart(work: Path) -> None:
    folder, image = work / "state", work / "image"
    lived(folder, work, 1)
    shutil.copytree(folder, image)
    past = lived(folder, work, 2)
    later, _ = open_spool(folder)
    told = there(later)  # of the life that the image knows nothing of
    later.stop()
    shutil.rmtree(folder)
    image.rename(folder)

    spool, _ = open_spool(folder)
    clock = FakeClock(past.now_ns + 3600 * 10**9)
    clock.epoch = spool.epoch
    known = there(spool)
    spool.begin(clock)
    fresh = gone_on(spool, clock, 20, 3)
    again = {key for key in fresh if key in past.entries and key not in known}
    assert again, "numbers that were used are used again: this is what has to be survived"
    assert all(fresh[key].crc != past.entries[key] for key in again)
    say_stored(spool, clock, [kept for key, kept in told.items() if key not in known])
    assert fresh.items() <= there(spool).items(), "a confirmation of what stood under that number has freed it"
    say_stored(spool, clock, fresh.values())
    assert not fresh.keys() & there(spool).keys()
    off = [gap for kept in fresh.values() for _, gap in gaps_of(kept) if gap.cause == "agent_off"]
    assert off, "the time that the image knows nothing of is a gap"
    spool.stop()


def test_an_image_of_the_database_alone_finds_what_was_packed_since(work: Path) -> None:
    folder, image = work / "state", work / "image"
    image.mkdir()
    for number, seconds in ((1, 40), (2, 120)):
        life = Life(seed=number, seconds=seconds, line=(0, 999), journal=12_000)
        status, _ = live(partial(grow, folder, life, number), disk.Disk(folder, work / "control"))
        assert status == 0
        if number == 1:
            for path in folder.glob("spool.db*"):
                shutil.copy(path, image)
    shutil.copytree(folder, work / "as it was")
    whole = open_spool(work / "as it was")[0]
    for path in folder.glob("spool.db*"):
        path.unlink()
    for path in image.iterdir():
        shutil.copy(path, folder)
    again = open_spool(folder)[0]
    assert there(again) == there(whole)
    assert again._journal.losses == []
    again.stop()
    whole.stop()


def test_a_copy_that_dies_and_opens_on_its_box_keeps_its_promises(work: Path) -> None:
    first, second = work / "first", work / "second"
    lived(first, work, 1)
    shutil.copytree(first, second)
    books = lived(second, work, 2, box="another box")
    assert examine(second, books, thorough=True, box="another box") == []
