"""The spool, case by case: what it keeps, whom it tells, and what it does when the disk does not."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sqlite3
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent import entry
from agent.clock import SystemClock
from agent.delivery import LIVE_NS, PRESENCE_S, Delivery
from agent.errors import SpoolFailed
from agent.frame import DataType, Event, Facts, Item, Json, Source, Value, Watermark
from agent.spool import Limits, Spool, fingerprint
from agent.spool import schema as schema_of
from agent.spool.record import HEADER
from contract.payload import Rejected, Stored
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.spool.base import Stats

A, B = source("a.main"), source("b.main", 2)
ROOMY = Limits(min_free_bytes=0)


def make(folder: Path, clock: FakeClock | None = None, sources: tuple[Source, ...] = (A, B), **more: Any) -> Spool:
    more = {"limits": ROOMY, "fingerprint": lambda: "box", **more}
    spool = Spool(folder, birth=birth_of("hanil", "main", "edge-1", sources), sources=sources, **more)
    if clock is not None:
        spool.begin(clock)
    return spool


def contents(spool: Spool) -> list[Item]:
    return [item for _, items in spool._journal.replay(0) for item in items]


def gaps(spool: Spool, cause: str) -> list[Event]:
    return [i for i in contents(spool) if isinstance(i, Event) and i.body.get("cause") == cause]


def told(spool: Spool, cause: str) -> Any:
    """Return the body of the last event about a gap of this cause."""
    return gaps(spool, cause)[-1].body


def confirm(spool: Spool, *seqs: int) -> None:
    refs = [(e.seq, e.crc) for e in spool.unconfirmed(0, None, 1000) if e.seq in seqs]
    spool.confirm(Stored(spool.id, refs, "5", clock_trusted=True, worker="w"))
    spool.tick()


def fill(spool: Spool, clock: FakeClock, commits: int, start: int = 0) -> None:
    """Commit entries of about 4 kB that do not compress."""
    text = source("t.main", 40, DataType.STRING)
    for i in range(start, start + commits):
        values: list[Value] = [os.urandom(50).hex() for _ in range(40)]
        spool.put(frame(text, clock.now() + i, values))
        clock.advance(1)
        spool.tick()


def spoil(spool: Spool, seq: int) -> None:
    """Damage the journal's record that holds an entry, and forget what was read of it."""
    journal = spool._journal
    (record,) = journal._db.execute("SELECT record FROM entry WHERE seq = ?", (seq,)).fetchone()
    for file in journal._log._files:
        at = file.index(record)
        if at is not None:
            os.pwrite(file.descriptor, b"\xa5" * 8, file.offsets[at] + HEADER + 8)
    journal._contents._cache.clear()


def lose_births(folder: Path, which: str = "1 = 1") -> None:
    """Damage births in the database, and remove their files."""
    with contextlib.closing(sqlite3.connect(folder / "spool.db", isolation_level=None)) as db:
        for (digest,) in db.execute(f"SELECT hash FROM birth WHERE {which}").fetchall():
            (folder / "births" / digest).unlink(missing_ok=True)
        db.execute(f"UPDATE birth SET body = x'00' WHERE {which}")


TEXTS = (source("t.main", 40, DataType.STRING),)


class Remember:
    """Evidence that remembers what it was fed."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def feed(self, items: Sequence[Item]) -> None:
        """Remember."""
        self.items += items

    def state(self) -> bytes:
        """Return how much."""
        return b"%d" % len(self.items)

    def take_closed(self) -> Mapping[str, bytes]:
        """Return a day."""
        return {"2026-11-22": self.state()}


def test_what_is_put_is_committed_with_the_next_second_and_fed_as_it_will_be_replayed(tmp_path: Path) -> None:
    clock, evidence = FakeClock(), Remember()
    spool = make(tmp_path)
    spool.begin(clock, evidence)
    items: list[Item] = [
        frame(A, clock.now()),
        Watermark("a.main", clock.now()),
        Event(kind="link_up", time_ns=5, source="a.main", body={"big": 2**60, "pair": [1, 2], "nan": float("nan")}),
        Facts(kind="health", time_ns=5, subject="agent", body={"가": [True, None]}),
    ]
    for item in items:
        spool.put(item)
    assert spool.stats().ring_rows == 6
    spool.tick()
    replayed = contents(spool)
    assert entry.encode(evidence.items, 1) == entry.encode(replayed, 1)
    assert isinstance(evidence.items[2], Event)
    assert evidence.items[2].body == {"big": str(2**60), "pair": [1, 2], "nan": None}
    assert (spool.stats().entries, spool.stats().rows, spool.stats().ring_rows) == (1, 3, 0)


def test_its_files_are_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "spool"
    spool = make(folder, FakeClock())
    spool.put(frame(A, 1000))
    spool.tick()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = {str(p.relative_to(folder)): stat.S_IMODE(p.stat().st_mode) for p in folder.rglob("*")}
    assert names == {
        "spool.db": 0o600,
        "spool.db-wal": 0o600,
        "ballast": 0o600,
        "journal": 0o700,
        "journal/1.tsj": 0o600,
        "journal/2.tsj": 0o600,
        "blocks": 0o700,
        "births": 0o700,
        "epochs": 0o600,
        f"births/{spool.birth}": 0o600,
    }
    spool.stop()


def test_the_time_between_two_processes_is_a_gap_and_the_epoch_counts_them(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    first = spool.epoch
    spool.put(frame(A, clock.now()))
    spool.tick()
    last = clock.now()
    spool.put(frame(A, clock.now() + 5))
    spool._journal.close()
    clock.advance(3600)
    spool = make(tmp_path, clock)
    spool.tick()
    assert spool.epoch == first + 1
    (off,) = gaps(spool, "agent_off")
    assert (off.source, off.from_ns, off.to_ns) == (None, last, clock.now())


def test_a_process_that_begins_with_its_clock_behind_says_so_and_hides_nothing_that_was_read(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    spool.put(frame(A, clock.now()))
    spool.tick()
    last = clock.now()
    spool._journal.close()
    earlier = FakeClock(last - 3600 * 10**9)
    spool = make(tmp_path, earlier)
    spool.tick()
    (off,) = gaps(spool, "agent_off")
    assert (off.source, off.from_ns, off.to_ns) == (None, last, last)
    assert (off.body["clock"], off.body["started"]) == ("behind", str(earlier.now()))


def test_a_new_process_never_uses_a_clock_epoch_again(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    first = spool.epoch
    for epoch in (first + 1, first + 2):
        spool.put(Event(kind="clock_step", time_ns=clock.now(), body={"offset_ns": "5", "epoch": epoch}))
        spool.tick()
    spool._journal.close()
    spool = make(tmp_path, clock)
    assert spool.epoch == first + 3
    spool.stop()


def test_what_a_device_had_stamped_before_the_last_commit_and_not_handed_on_is_a_gap(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    begun = clock.now()
    spool.put(frame(A, begun + 5))
    spool.put(Watermark(A.id, begun + 7))
    clock.advance(1)
    spool.tick()
    last = clock.now()
    spool._journal.close()
    for _ in range(2):  # the second process is killed before it has read anything
        clock.advance(60)
        spool = make(tmp_path, clock)
        spool.tick()
        spool.put(Event(kind="agent_start", time_ns=clock.now(), body={}))
        clock.advance(5)
        spool.tick()
        spool._journal.close()
    off = gaps(make(tmp_path), "agent_off")
    ended = clock.now() - 65 * 10**9
    whole = [(last, ended - 5 * 10**9), (ended, ended + 60 * 10**9)]
    assert [(g.from_ns, g.to_ns) for g in off if not g.source] == whole
    assert sorted((g.source, g.from_ns, g.to_ns) for g in off if g.source) == [
        (A.id, begun + 7, last),
        (A.id, ended - 5 * 10**9, ended),
        (B.id, begun, last),
        (B.id, ended - 5 * 10**9, ended),
    ], "while the agent was off is told once, of the whole agent"


def test_a_source_that_is_no_longer_configured_is_told_of_once(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    clock.advance(1)
    spool.put(frame(A, clock.now()))
    spool.tick()
    for _ in range(3):
        spool._journal.close()
        clock.advance(1)
        spool = make(tmp_path, clock, (A,))
        spool.tick()
    assert len([g for g in gaps(spool, "agent_off") if g.source == B.id]) == 1


def test_a_silence_that_an_open_gap_explains_is_not_the_agent_s_as_well(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, (A,))
    spool.put(frame(A, clock.now()))
    clock.advance(1)
    start = clock.now()
    body: dict[str, Json] = {"gap_id": "out", "cause": "refused"}
    spool.put(Event(kind="gap", time_ns=start, source=A.id, from_ns=start, to_ns=None, body=body))
    clock.advance(40)
    spool.put(Event(kind="link_down", time_ns=clock.now(), source=A.id, body={}))
    spool.tick()
    last = clock.now()
    for _ in range(2):  # the second process is killed before it has reached the device
        spool._journal.close()
        clock.advance(60)
        spool = make(tmp_path, clock, (A,))
        spool.tick()
    assert [(g.from_ns, g.to_ns) for g in gaps(spool, "refused")][-1] == (start, last)
    assert not [g for g in gaps(spool, "agent_off") if g.source], "that the agent was off is told of all of it"


def test_a_gap_that_a_killed_process_left_open_ends_where_that_process_did(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    for name, to_ns in (("open", None), ("shut", None), ("shut", 9)):
        body: dict[str, Json] = {"gap_id": name, "cause": "link_down"}
        spool.put(Event(kind="gap", time_ns=clock.now(), source="a", from_ns=5, to_ns=to_ns, body=body))
        spool.tick()
    last = clock.now()
    spool._journal.close()
    clock.advance(3600)
    spool = make(tmp_path, clock)
    spool.tick()
    told = [(g.body["gap_id"], g.from_ns, g.to_ns) for g in gaps(spool, "link_down") if g.time_ns > last + 10**9]
    assert told == [("open", 5, last)]
    spool._journal.close()
    spool = make(tmp_path, clock)
    assert [(g.body["cause"], g.source) for g in spool._journal.left(0)] == [("agent_off", None)], (
        "not of the device"
    )


def test_confirmed_entries_stay_until_a_checkpoint_contains_them(tmp_path: Path) -> None:
    clock, evidence = FakeClock(), Remember()
    spool = make(tmp_path)
    spool.begin(clock, evidence)
    for i in range(3):
        spool.put(frame(A, clock.now() + i))
        clock.advance(1)
        spool.tick()
    confirm(spool, 1, 3)
    assert [e.seq for e in spool.unconfirmed(0, None, 9)] == [2]
    assert len(contents(spool)) == 3, "the analyzers would need them again"
    clock.advance(600)
    spool.tick()
    assert len(contents(spool)) == 1
    assert spool.checkpoint_state() == b"3"
    assert spool.days() == {"2026-11-22": b"3"}


def test_only_the_right_number_and_checksum_of_the_right_spool_frees(tmp_path: Path) -> None:
    spool = make(tmp_path, FakeClock())
    spool.put(frame(A, 1000))
    spool.tick()
    (known,) = spool.unconfirmed(0, None, 9)
    for name, seq, crc in (("0" * 16, 1, known.crc), (spool.id, 2, known.crc), (spool.id, 1, "0" * 16)):
        spool.confirm(Stored(name, [(seq, crc)], "5", clock_trusted=True, worker="w"))
    spool.tick()
    assert spool.stats().entries == 1
    confirm(spool, 1)
    assert spool.stats().entries == 0


def test_each_entry_is_counted_once_however_often_it_is_confirmed(tmp_path: Path) -> None:
    calls: list[tuple[int, int, bool]] = []

    def account(items: Sequence[Item], at: int, clean: bool) -> Mapping[tuple[str, str], Mapping[int, int]]:  # noqa: FBT001
        calls.append((entry.rows(items), at, clean))
        return {("2026-11-22", "latency/m"): {3: 2, 4: 1}}

    spool = make(tmp_path, FakeClock(), account=account)
    for i in range(2):
        spool.put(frame(A, 1000 + i))
        spool.tick()
    refs = [(e.seq, e.crc) for e in spool.unconfirmed(0, None, 9)]
    for _ in range(3):
        spool.confirm(Stored(spool.id, refs, "77", clock_trusted=True, worker="w"), frozenset({(spool.id, 1)}))
        spool.tick()
    assert calls == [(3, 77, True), (3, 77, False)]
    assert spool.tallies() == {("2026-11-22", "latency/m"): {3: 4, 4: 2}}
    assert spool.stats().duplicates == 4


def test_a_worker_whose_clock_is_not_trusted_says_nothing_clean(tmp_path: Path) -> None:
    clean: list[bool] = []

    def account(_: Sequence[Item], __: int, sent_once: bool) -> Mapping[tuple[str, str], Mapping[int, int]]:  # noqa: FBT001
        clean.append(sent_once)
        return {}

    spool = make(tmp_path, FakeClock(), account=account)
    spool.put(frame(A, 1000))
    spool.tick()
    (known,) = spool.unconfirmed(0, None, 9)
    spool.confirm(
        Stored(spool.id, [(1, known.crc)], "77", clock_trusted=False, worker="w"), frozenset({(spool.id, 1)})
    )
    spool.tick()
    assert clean == [False]


def test_a_bug_in_counting_does_not_keep_an_entry(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def account(*_: object) -> Mapping[tuple[str, str], Mapping[int, int]]:
        raise ZeroDivisionError

    spool = make(tmp_path, FakeClock(), account=account)
    spool.put(frame(A, 1000))
    spool.tick()
    confirm(spool, 1)
    assert spool.stats().entries == 0
    assert "bug" in caplog.text


def test_a_bug_in_an_analyzer_loses_no_data_and_no_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Remember):
        def feed(self, items: Sequence[Item]) -> None:
            if self.items:
                raise ZeroDivisionError
            super().feed(items)

    clock, evidence = FakeClock(), Broken()
    spool = make(tmp_path)
    spool.begin(clock, evidence)
    for i in range(3):
        spool.put(frame(A, clock.now() + i))
        clock.advance(601)
        spool._ring.done(clock.monotonic())
        spool.tick()
    assert spool.stats().entries == 3
    assert spool.checkpoint_state() == b"1"
    assert caplog.text.count("evidence stands still") == 1
    assert [seq for seq, _ in spool.replay()] == [2, 3]


def test_refused_rows_are_named_in_a_gap_and_their_entry_is_free(tmp_path: Path) -> None:
    spool = make(tmp_path, FakeClock())
    spool.put(frame(A, 1000))
    spool.tick()
    (known,) = spool.unconfirmed(0, None, 9)
    refused = Rejected(1, known.crc, "field type conflict", [("a.main", "1000", "1000", 2)])
    for _ in range(2):
        spool.confirm(Stored(spool.id, [], "5", clock_trusted=True, worker="w", rejected=[refused]))
        spool.tick()
    (gap,) = gaps(spool, "rejected")
    assert (gap.source, gap.from_ns, gap.to_ns, gap.body["rows"]) == ("a.main", 1000, 1000, 2)
    assert gap.body["reason"] == "field type conflict"
    assert [e.seq for e in spool.unconfirmed(0, None, 9)] == [2], "the gap itself is delivered"


def test_a_full_spool_gives_up_the_oldest_and_one_gap_grows(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, TEXTS, limits=Limits(max_bytes=200_000, min_free_bytes=0))
    fill(spool, clock, 60)
    assert len({g.body["gap_id"] for g in gaps(spool, "overflow")}) == 1
    ((first, last, sent),) = told(spool, "overflow")["entries"]
    kept = spool.unconfirmed(0, None, 1000)
    assert (first, last + 1, sent) == (1, kept[0].seq, "no")
    assert spool.stats().rows + told(spool, "overflow")["rows"] == 60 * 40
    assert spool.stats().bytes < 210_000


def test_an_entry_sent_before_it_was_given_up_shrinks_the_gap_when_it_is_confirmed(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, TEXTS, limits=Limits(max_bytes=200_000, min_free_bytes=0))
    fill(spool, clock, 3)
    first = spool.unconfirmed(0, None, 2)
    assert len(spool.sending(first)) == 2
    fill(spool, clock, 40, 3)
    before = told(spool, "overflow")
    assert before["entries"][0] == [1, 2, "yes"]
    spool.confirm(Stored(spool.id, [(1, first[0].crc)], "5", clock_trusted=True, worker="w"))
    spool.tick()
    after = told(spool, "overflow")
    assert after["gap_id"] == before["gap_id"]
    assert after["entries"][0] == [2, 2, "yes"]
    assert after["rows"] == before["rows"] - 40


def test_closed_gaps_are_told_again_when_their_entry_has_to_go_and_open_ones_are_not(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, TEXTS, limits=Limits(max_bytes=200_000, min_free_bytes=0))
    spool.put(frame(TEXTS[0], 1000, ["x"] * 40))
    spool.tick()
    (known,) = spool.unconfirmed(0, None, 9)
    refused = Rejected(1, known.crc, "no", [("t.main", "1000", "1000", 40)])
    spool.confirm(Stored(spool.id, [], "5", clock_trusted=True, worker="w", rejected=[refused]))
    for to_ns, name in ((2000, "closed"), (None, "open")):
        body = {"gap_id": name, "cause": "link_down"}
        spool.put(Event(kind="gap", time_ns=clock.now(), source="t.main", from_ns=1500, to_ns=to_ns, body=body))
    spool.tick()
    first = spool._journal.seq
    fill(spool, clock, 60)
    kept = spool.unconfirmed(0, None, 1000)
    assert kept[0].seq > first, "the entry that told of them is gone"
    there = [i.body for i in contents(spool) if isinstance(i, Event)]
    assert [b["rows"] for b in there if b.get("cause") == "rejected"] == [40]
    assert {b["gap_id"] for b in there if b.get("cause") == "link_down"} == {"closed"}
    assert told(spool, "overflow")["events"] == 1


def test_entries_of_an_earlier_process_count_as_sent(tmp_path: Path) -> None:
    clock = FakeClock()
    limits = Limits(max_bytes=200_000, min_free_bytes=0)
    spool = make(tmp_path, clock, TEXTS, limits=limits)
    fill(spool, clock, 5)
    spool.stop()
    spool = make(tmp_path, clock, TEXTS, limits=limits)
    fill(spool, clock, 40, 5)
    assert [sent for _, _, sent in told(spool, "overflow")["entries"]] == ["yes", "no"]


def test_old_entries_go_only_when_the_clock_is_trusted(tmp_path: Path) -> None:
    limits = Limits(max_age_ns=100 * 10**9, min_free_bytes=0)
    for trusted, left in ((False, 3), (True, 1)):
        clock = FakeClock(trusted=trusted)
        spool = make(tmp_path / str(trusted), clock, limits=limits)
        for i in range(2):
            spool.put(frame(A, clock.now() + i))
            clock.advance(1)
            spool.tick()
        spool._checkpoint()  # which lets go
        clock.advance(200)
        spool._ring.done(clock.monotonic())
        spool.put(frame(A, clock.now()))
        spool.tick()
        stats = spool.stats()
        assert (stats.rows, stats.held_entries) == ((3 * left, 0) if trusted else (0, left))


def test_a_nearly_full_disk_is_left_alone(tmp_path: Path) -> None:
    clock = FakeClock()
    limits = Limits(max_bytes=10**6, min_free_bytes=2**60)
    spool = make(tmp_path, clock, TEXTS, limits=limits, checkpoint_entries=1)
    fill(spool, clock, 20)
    size = spool.stats().bytes
    fill(spool, clock, 100, 20)
    assert not list((tmp_path / "blocks").iterdir())
    assert spool.stats().bytes <= size * 1.2
    assert spool.stats().rows + told(spool, "overflow")["rows"] == 120 * 40


def test_a_damaged_file_is_set_aside_and_days_and_counts_are_saved(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, account=lambda *_: {("d", "k"): {1: 1}})
    spool.begin(clock, Remember())
    old, epoch = spool.id, spool.epoch
    for i in range(200):
        spool.put(frame(A, clock.now() + i))
        clock.advance(1)
        spool.tick()
    confirm(spool, 1)
    spool.stop()
    path = tmp_path / "spool.db"
    with sqlite3.connect(path) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entry'").fetchone()[0]
    db.close()
    raw = bytearray(path.read_bytes())
    raw[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(raw)
    spool = make(tmp_path)
    assert spool.id != old
    assert spool.epoch == epoch + 1
    assert spool.days() == {"2026-11-22": b"200"}
    assert spool.tallies() == {("d", "k"): {1: 1}}
    spool.begin(clock, Remember())
    spool.put(frame(A, clock.now()))
    spool.tick()
    (loss,) = gaps(spool, "overflow")
    assert str(loss.body["reason"]).startswith("damaged: spool.db.damaged-")
    assert len(gaps(spool, "agent_off")) == 1
    assert [p.name for p in tmp_path.glob("*.damaged-*[0-9]")] == [
        str(loss.body["reason"]).removeprefix("damaged: ")
    ]


def test_what_journal_and_blocks_hold_outlives_the_database(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, TEXTS, limits=Limits(max_bytes=400_000, min_free_bytes=0))
    fill(spool, clock, 60)
    assert spool.stats().block_bytes, "both hold some"
    confirm(spool, 59)
    before = {e.key: raw for e, raw in spool.sending(spool.unconfirmed(0, None, 1000))}
    old = spool.id
    spool.stop()
    (tmp_path / "spool.db").write_bytes(b"\xa5" * 50_000)
    spool = make(tmp_path, clock, TEXTS, limits=Limits(max_bytes=400_000, min_free_bytes=0))
    assert spool.id != old
    assert {e.key: raw for e, raw in spool.sending(spool.unconfirmed(0, None, 1000))} == before
    assert list(spool.replay()) == [], "the analyzers have seen them"
    assert {digest for digest, _, named in spool.births() if named} == {spool.birth}
    spool.put(frame(TEXTS[0], clock.now(), ["x"] * 40))
    spool.tick()
    (loss,) = gaps(spool, "overflow")
    assert loss.body["rows"] == 0, "nothing is lost, and the file is named"
    assert {e.spool for e in spool.unconfirmed(0, None, 1000)} == {old, spool.id}
    spool.stop()


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database" * 1000)
    spool = make(tmp_path, FakeClock())
    spool.put(frame(A, 1000))
    spool.tick()
    assert spool.stats().rows == 3
    assert len(list(tmp_path.glob("*.damaged-*[0-9]"))) == 1


def test_damage_that_shows_while_it_runs_begins_a_fresh_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    spool = make(tmp_path)
    spool.begin(clock, Remember())
    spool.put(frame(A, clock.now()))
    spool.tick()
    generation, old = spool.generation, spool.id
    for path in (tmp_path / "spool.db", tmp_path / "spool.db-wal"):
        path.write_bytes(b"\xa5" * 200_000)
    clock.advance(601)
    spool._ring.done(clock.monotonic())
    for i in range(4):
        clock.advance(1)
        spool._journal._db.execute("PRAGMA shrink_memory")
        spool.put(frame(A, clock.now() + i))
        spool.tick()
    assert spool.generation == generation + 1
    assert spool.id != old
    assert spool.stats().ring_rows == 0
    assert entry.rows(contents(spool)) == 15, "what waited in memory, and what was in the journal"
    (loss,) = gaps(spool, "overflow")
    assert loss.body["rows"] == 0
    assert caplog.text.count("set aside") == 1


def test_an_entry_damaged_on_the_disk_is_given_up_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = make(tmp_path, FakeClock())
    for i in range(3):
        spool.put(frame(A, 1000 + i))
        spool.tick()
    spoil(spool, 2)
    assert [known.seq for known, _ in spool.sending(spool.unconfirmed(0, None, 9))] == [1, 3]
    spool.tick()
    (gap,) = gaps(spool, "overflow")
    assert (gap.body["rows"], gap.body["entries"]) == (3, [[2, 2, "no"]])
    assert [e.seq for e in spool.unconfirmed(0, None, 9)] == [1, 3, 4]
    assert "damaged on the disk" in caplog.text


def test_entries_whose_birth_is_lost_are_set_aside(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, (A,))
    spool.put(frame(A, 1000))
    spool.tick()
    spool._journal.close()
    lose_births(tmp_path)
    spool = make(tmp_path, clock, (B,))
    assert spool.unconfirmed(0, None, 9) == []
    assert [digest for digest, _, _ in spool.births()] == [spool.birth]
    spool.tick()
    (gap,) = gaps(spool, "birth_lost")
    assert (gap.source, gap.body["rows"], gap.body["entries"]) == ("a.main", 3, [[1, 1, "yes"]])


def test_entries_that_cannot_be_sent_hide_none_that_come_after_them(tmp_path: Path) -> None:
    clock = FakeClock()
    for one, entries in ((A, 3), (B, 2)):
        spool = make(tmp_path, clock, (one,))
        for moment in range(entries):
            spool.put(frame(one, 1000 + moment))
            spool.tick()
        digest = spool.birth
        last = max((e.seq for e in spool.unconfirmed(0, None, 99) if e.birth != digest), default=0)
        spool._journal.close()
    lose_births(tmp_path, f"hash != '{digest}'")
    spool = make(tmp_path, clock, (B,))  # nothing is committed yet, so nothing set aside
    spoil(spool, last + 1)
    list(spool.replay())
    assert [(e.seq, e.birth) for e in spool.unconfirmed(0, None, 1)] == [(last + 2, digest)]
    delivery = Delivery()
    delivery.connected(0)
    message = delivery.take(spool, PRESENCE_S, clock.now() + 2 * LIVE_NS)
    assert message is not None
    assert message.historical


def test_births_stay_as_long_as_an_entry_names_them(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, (A,))
    first = spool.birth
    spool.put(frame(A, 1000))
    spool.tick()
    spool.stop()
    spool = make(tmp_path, clock, (B,))
    assert {digest: named for digest, _, named in spool.births()} == {first: True, spool.birth: True}
    spool.forget_birth(first)
    assert len(spool.births()) == 2
    spool.tick()
    confirm(spool, 1)
    clock.advance(61)
    spool.tick()
    assert {digest: named for digest, _, named in spool.births()} == {first: False, spool.birth: True}
    spool.forget_birth(first)
    spool.forget_birth(spool.birth)
    assert [digest for digest, _, _ in spool.births()] == [spool.birth]


def test_on_another_box_new_data_gets_a_new_spool_id_and_old_data_keeps_its_own(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    spool.put(frame(A, 1000))
    spool.tick()
    old = spool.id
    spool._journal.close()
    spool = make(tmp_path, clock, fingerprint=lambda: "another box")
    spool.put(frame(A, 2000))
    spool.tick()
    assert [(e.spool, e.seq) for e in spool.unconfirmed(0, None, 9)] == [(old, 1), (spool.id, 2)]
    assert spool.id != old


def test_the_fingerprint_is_of_physical_cards_and_the_board(tmp_path: Path) -> None:
    net, uuid = tmp_path / "net", tmp_path / "uuid"

    def card(name: str, address: str, *, physical: bool) -> None:
        (net / name).mkdir(parents=True)
        (net / name / "address").write_text(address + "\n")
        if physical:
            (net / name / "device").mkdir()

    card("eth0", "00:11:22:33:44:55", physical=True)
    uuid.write_text("4C4C4544\n")
    first = fingerprint(net, uuid)
    card("docker0", "02:42:00:00:00:01", physical=False)
    assert fingerprint(net, uuid) == first
    uuid.unlink()
    assert fingerprint(net, uuid) != first
    card("eth1", "00:11:22:33:44:66", physical=True)
    assert len({first, fingerprint(net, uuid), fingerprint(tmp_path / "none", uuid)}) == 3


def test_what_does_not_fit_into_the_ring_is_a_gap_and_events_still_fit(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, ring_rows=10)
    for i in range(6):
        spool.put(frame(A, 1000 + i))
    spool.put(Event(kind="link_down", time_ns=5, source="a.main"))
    spool.tick()
    (gap,) = gaps(spool, "overflow")
    assert gap.body["stage"] == "ring"
    assert (gap.source, gap.from_ns, gap.to_ns, gap.body["rows"]) == ("a.main", 1003, 1005, 9)
    assert entry.rows(contents(spool)) == 9
    assert spool.stats().ring_lost_rows == 9
    assert any(isinstance(i, Event) and i.kind == "link_down" for i in contents(spool))


def test_a_disk_that_stalls_for_thirty_seconds_makes_a_gap(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    for second in range(32):
        spool.put(frame(A, 1000 + second))
        clock.advance(1)
    spool.tick()
    assert entry.rows(contents(spool)) == 31 * 3
    assert gaps(spool, "overflow")[0].body["rows"] == 3
    spool.put(frame(A, 3000))
    spool.tick()
    assert entry.rows(contents(spool)) == 32 * 3


def test_a_process_that_was_frozen_for_a_minute_takes_what_comes_next(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    spool.put(frame(A, 1000))
    spool.tick()
    clock.advance(60)
    spool.put(frame(A, 2000))
    spool.put(frame(A, 3000))
    spool.tick()
    assert entry.rows(contents(spool)) == 9
    assert not gaps(spool, "overflow")
    spool.put(frame(A, 4000))  # this time something waits
    clock.advance(60)
    spool.put(frame(A, 5000))
    spool.tick()
    assert entry.rows(contents(spool)) == 15
    assert not gaps(spool, "overflow")
    spool.stop()


def test_while_the_file_takes_nothing_items_wait_and_the_process_ends_only_when_the_ring_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock, ring_rows=10)

    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refuse)
    spool.put(frame(A, 1000))
    spool.tick()
    spool.put(frame(A, 1001))
    spool.tick()
    assert (spool.stats().ring_rows, spool.stats().entries) == (6, 0)
    spool.put(frame(A, 1002))
    spool.put(frame(A, 1003))
    clock.advance(601)
    with pytest.raises(SpoolFailed, match="look at the disk"):
        spool.put(frame(A, 1004))
    monkeypatch.undo()
    spool.tick()
    assert entry.rows(contents(spool)) == 9
    assert gaps(spool, "overflow")[0].body["rows"] == 6
    assert caplog.text.count("does not take data") == 1
    assert caplog.text.count("takes data again") == 1


def test_an_error_after_a_good_commit_commits_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    real, before = spool._journal.stats, spool.stats()
    spool.put(frame(A, 1000))

    def broken() -> Stats:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(spool._journal, "stats", broken)
    spool.tick()
    assert spool.stats() == before._replace(rows=3), "the gap of a damaged file would be taken from them"
    monkeypatch.setattr(spool._journal, "stats", real)
    spool.tick()
    assert entry.rows(contents(spool)) == 3
    assert (spool.stats().entries, spool.stats().rows, spool.stats().ring_rows) == (1, 3, 0)


def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolFailed, match="directory"):
        make(tmp_path / "file" / "spool")


def test_a_block_that_breaks_its_promises_is_named_and_the_rest_committed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = make(tmp_path, FakeClock())
    spool.put(frame(A, 1000))
    spool.put(frame(B, 1000, ["x", "\ud800"]))
    spool.tick()
    assert entry.rows(contents(spool)) == 3
    (gap,) = gaps(spool, "rejected")
    assert (gap.source, gap.body["rows"], gap.body["stage"]) == ("b.main", 2, "ring")
    assert "this is a bug" in caplog.text


def test_the_thread_commits_each_second_and_tells_who_listens(tmp_path: Path) -> None:
    spool = make(tmp_path)
    committed = threading.Event()
    spool.listen(committed.set)
    clock = SystemClock(spool.epoch, trusted=True)
    spool.start(clock)
    spool.put(frame(A, clock.now()))
    assert committed.wait(10)
    assert spool.stats().rows == 3
    spool.put(frame(A, clock.now()))
    spool.stop()
    spool = make(tmp_path)
    assert len(spool.unconfirmed(0, None, 9)) == 2
    assert list(spool.replay()) == [], "stopping makes a checkpoint"


def test_who_waits_to_end_waits_for_no_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.spool.spool.COMMIT_NS", 3600 * 10**9)
    spool = make(tmp_path)
    committed = threading.Event()
    spool.listen(committed.set)
    clock = SystemClock(spool.epoch, trusted=True)
    spool.start(clock)
    spool.put(frame(A, clock.now()))
    spool.hurry()
    assert committed.wait(10)
    (entry_,) = spool.unconfirmed(0, None, 9)
    committed.clear()
    spool.confirm(Stored(spool.id, [(entry_.seq, entry_.crc)], "5", clock_trusted=True, worker="w"))
    assert committed.wait(10)
    assert spool.stats().entries == 0
    spool.stop()


def test_tables_that_change_have_another_version() -> None:
    tables = hashlib.sha256((schema_of._TABLES + schema_of._LATER).encode()).hexdigest()[:16]
    assert (schema_of.VERSION, tables) == (3, "03e2361ddfd46b57"), "renew VERSION: else old files seem damaged"


@pytest.mark.parametrize(("version", "age"), [(schema_of.VERSION - 1, "older"), (schema_of.VERSION + 1, "newer")])
def test_a_version_of_the_file_that_is_not_ours_is_set_aside_and_not_called_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, version: int, age: str
) -> None:
    make(tmp_path, FakeClock()).stop()
    with sqlite3.connect(tmp_path / "spool.db") as db:
        db.execute(f"PRAGMA user_version={version}")
    db.close()
    spool = make(tmp_path, FakeClock())
    (aside,) = tmp_path.glob(f"*.version-{version}-*[0-9]")
    assert not list(tmp_path.glob("*.damaged-*"))
    assert f"{age} version of this program and not damaged: it is set aside as {aside}" in caplog.text
    assert "run the program that wrote it until its spool is empty" in caplog.text
    spool.tick()
    assert told(spool, "overflow")["reason"] == f"version-{version}: {aside.name}"
    spool.stop()


def test_a_file_that_cannot_be_written_when_it_begins_is_said_and_one_that_is_damaged_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    problems: list[sqlite3.Error] = [sqlite3.OperationalError("database or disk is full")]

    def fail(*_: object) -> None:
        raise problems[-1]

    spool = make(tmp_path, clock)
    fill(spool, clock, 2)
    spool._journal.close()
    spool = make(tmp_path)
    monkeypatch.setattr(spool._journal, "begin", fail)
    with pytest.raises(SpoolFailed, match="is full: make room"):
        spool.begin(clock)
    problems.append(sqlite3.DatabaseError("database disk image is malformed"))
    problems[-1].sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    spool.begin(clock)
    assert len(list(tmp_path.glob("*.damaged-*[0-9]"))) == 1
    rows = spool.stats().rows
    spool.put(frame(A, clock.now()))
    spool.tick()
    assert spool.stats().rows == rows + 3
    assert gaps(spool, "agent_off"), "also what the last process left untold"
    spool.stop()


def test_only_the_last_damaged_files_are_kept(tmp_path: Path) -> None:
    for i in range(4):
        path = tmp_path / "spool.db"
        path.write_bytes(b"x" * 5000)
        os.utime(path, ns=(i * 10**9, i * 10**9))
        make(tmp_path, FakeClock()).stop()
    names = sorted(p.name for p in tmp_path.glob("*.damaged-*[0-9]"))
    assert names == ["spool.db.damaged-2000000000", "spool.db.damaged-3000000000"]


def test_a_row_never_leaves_the_file_without_its_gap(tmp_path: Path) -> None:
    """A commit that fails half way, after the oldest entries were given up, has changed nothing."""
    clock = FakeClock()
    spool = make(tmp_path, clock, TEXTS, limits=Limits(max_bytes=200_000, min_free_bytes=0))
    fill(spool, clock, 22)
    before = [e.seq for e in spool.unconfirmed(0, None, 99)]
    stats = spool.stats()
    db = spool._journal._db
    db.execute("CREATE TRIGGER fail BEFORE UPDATE ON state BEGIN SELECT raise(ABORT, 'power cut'); END")
    fill(spool, clock, 20, 22)
    assert [e.seq for e in spool.unconfirmed(0, None, 99)] == before
    assert spool._journal.stats()[:2] == stats[:2]
    db.execute("DROP TRIGGER fail")
    spool.tick()
    lost = told(spool, "overflow")["rows"] if gaps(spool, "overflow") else 0
    assert lost + spool.stats().rows == 42 * 40
