"""What an outage takes of the disk, in room and in wear, by kind of signal: minutes of data time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.spool import Limits, Spool
from contract.payload import Stored
from tests.support.clocks import FakeClock
from tests.support.items import birth_of
from tests.support.plant import Plant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.plant import Kind

SECONDS, SIGNALS = 300, 1000
DAY_S = 86_400


def begun(folder: Path, plant: Plant, clock: FakeClock, checkpoint_entries: int = 600) -> Spool:
    """Return a fresh spool for a plant, ready to tick."""
    spool = Spool(
        folder,
        birth=birth_of("hanil", "main", "edge-1", plant.sources),
        sources=plant.sources,
        limits=Limits(min_free_bytes=0),
        fingerprint=lambda: "box",
        checkpoint_entries=checkpoint_entries,
    )
    spool.begin(clock)
    return spool


@pytest.mark.parametrize(
    ("kind", "room", "wear_gb"), [("demo", 2.5, 1.0), ("float32", 4.5, 3.0), ("float64", 8.6, 4.0)]
)
def test_bytes_on_the_disk_and_pages_written_for_a_sample(
    tmp_path: Path, kind: Kind, room: float, wear_gb: float
) -> None:
    plant, clock = Plant(kind, hours=0.2), FakeClock()
    spool = begun(tmp_path, plant, clock)
    spool.tick()
    before = spool.stats()
    for items in plant.seconds(SECONDS):
        for item in items:
            spool.put(item)
        clock.advance(1)
        spool.tick()
    assert spool._checkpoint()
    after = spool.stats()
    assert after.rows == SECONDS * SIGNALS
    packed = spool._journal._db.execute("SELECT sum(rows) FROM entry WHERE block IS NOT NULL").fetchone()[0]
    assert packed > SECONDS * SIGNALS * 0.8
    rest = 100 / SIGNALS  # a row of the database and its places in indexes, for each second
    assert after.block_bytes / packed + rest <= room
    wear = (after.written_pages - before.written_pages) * 4096 / SECONDS * DAY_S
    assert wear <= wear_gb * 1e9
    spool.stop()


def test_a_backlog_is_read_whole_page_by_page(tmp_path: Path) -> None:
    plant, clock = Plant("demo", hours=0.1), FakeClock()
    spool = begun(tmp_path, plant, clock)
    for items in plant.seconds(120):
        for item in items:
            spool.put(item)
        clock.advance(1)
        spool.tick()
    rows = after = 0
    while page := spool.unconfirmed(after, None, 28):
        rows += len(spool.sending(page)) * SIGNALS
        after = page[-1].seq
    assert rows == 120 * SIGNALS
    spool.stop()


def test_nothing_becomes_a_block_while_all_is_confirmed_in_time(tmp_path: Path) -> None:
    plant, clock = Plant("float32", hours=0.1), FakeClock()
    spool = begun(tmp_path, plant, clock, checkpoint_entries=40)
    for items in plant.seconds(150):
        for item in items:
            spool.put(item)
        known = [(e.seq, e.crc) for e in spool.unconfirmed(0, None, 99)]
        spool.confirm(Stored(spool.id, known, "5", clock_trusted=True, worker="w"))
        clock.advance(1)
        spool.tick()
        assert not spool.stats().block_bytes
    spool.stop()
