"""Closed days of evidence on the disk: smaller, the same bytes for who reads them, whatever wrote the file."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import zstandard

from agent.aas.evidence import of_spool
from agent.spool import days
from readiness.evidence import VERSION, DayEvidence, dump
from tests.agent.spool.test_spool import A, Remember, make
from tests.support.clocks import FakeClock
from tests.support.items import frame

if TYPE_CHECKING:
    from pathlib import Path

DAY = dump(
    DayEvidence(
        version=VERSION, day="2026-11-21", zone="Asia/Seoul", start="1763766000000000000",
        end="1763852400000000000",
        sources=[], censored={}, connections={}, native={f"plc.main/s{n}": ["unit"] for n in range(900)},
        simulated=[], late_events=0,
    )
)  # fmt: skip


class Closing(Remember):
    """Closes one day."""

    def take_closed(self) -> dict[str, bytes]:
        """Return the day, each time."""
        return {"2026-11-21": DAY}


def stored(tmp_path: Path) -> dict[str, bytes]:
    """Return the days as they lie in the file."""
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as db:
        return dict(db.execute("SELECT day, body FROM day"))


def change(tmp_path: Path, body: bytes) -> None:
    """Put another body into the file."""
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as db, db:
        db.execute("UPDATE day SET body = ?", (body,))


def closed(tmp_path: Path) -> None:
    """Leave a spool that has closed a day."""
    clock = FakeClock()
    spool = make(tmp_path)
    spool.begin(clock, Closing())
    spool.put(frame(A, clock.now()))
    clock.advance(700)
    spool.tick()
    spool.stop()


@pytest.mark.parametrize("body", [b"", b"3", DAY, zstandard.ZstdCompressor().compress(DAY), days.packed(DAY)])
def test_what_was_packed_comes_back(body: bytes) -> None:
    assert days.unpacked(days.packed(body)) == body


def test_a_day_is_small_on_the_disk_and_whole_for_who_reads_it(tmp_path: Path) -> None:
    closed(tmp_path)
    (body,) = stored(tmp_path).values()
    assert body == days.packed(DAY)
    assert len(body) < len(DAY) / 2
    assert make(tmp_path).days() == {"2026-11-21": DAY}


def test_an_export_reads_the_same_beside_a_running_agent(tmp_path: Path) -> None:
    closed(tmp_path)
    assert of_spool(tmp_path) == {"2026-11-21": DAY}


def test_a_day_that_was_written_plain_is_read_as_it_is(tmp_path: Path) -> None:
    closed(tmp_path)
    change(tmp_path, DAY)
    assert make(tmp_path).days() == {"2026-11-21": DAY}


@pytest.mark.parametrize("at", [2, 5, 40, 1000, -1])
def test_a_damaged_day_is_handed_on_and_never_taken_for_another(tmp_path: Path, at: int) -> None:
    closed(tmp_path)
    body = bytearray(days.packed(DAY))
    body[at] ^= 0x10
    change(tmp_path, bytes(body))
    assert make(tmp_path).days() == {"2026-11-21": bytes(body)}


def test_a_frame_that_claims_to_be_huge_is_not_unpacked() -> None:
    huge = days.MAGIC + b"\xe0" + (2**40).to_bytes(8, "little") + bytes(16)
    assert zstandard.frame_content_size(huge) == 2**40
    assert days.unpacked(huge) == huge


def test_the_oldest_of_too_many_days_go_and_their_counts_with_them(tmp_path: Path) -> None:
    spool = make(tmp_path)
    first = date(2024, 1, 1)
    dates = [(first + timedelta(days=n)).isoformat() for n in range(days.KEPT + 5)]
    with spool._using() as journal:
        for day in (dates[0], dates[5]):
            journal._db.execute("INSERT INTO tally VALUES (?, 'latency/press-1', 3, 7)", (day,))
        journal.checkpoint(b"", dict.fromkeys(dates[:-1], b"{}"))
        journal.checkpoint(b"", {"2036-01-01": b"{}"})  # a clock that was wrong once
        journal.checkpoint(b"", {dates[-1]: b"{}"})
    assert spool.dates() == [*dates[-(days.KEPT - 1) :], "2036-01-01"]
    assert (spool.day(dates[0]), spool.day(dates[-1])) == (None, b"{}")
    assert spool.tallies() == ({(dates[5], "latency/press-1"): {3: 7}} if dates[5] in spool.dates() else {})
    spool.stop()
