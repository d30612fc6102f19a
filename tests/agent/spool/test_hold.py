"""Entries under a clock that nobody vouches for: on the disk, held, shifted once or let go as they are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent import entry
from agent.frame import Event, FrameBlock, Item, RoundTrip, Watermark, gap_event
from agent.spool import Limits, Spool
from agent.spool.base import HOLD_NS, HeldEpoch, Stamping, Vouched
from agent.spool.holding import Holding
from contract.payload import Stored
from tests.support.clocks import FakeClock
from tests.support.items import START_NS, birth_of, frame, source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.frame import Json

A = source("a.main")
IN_1970 = 40 * 10**9
YEARS = (START_NS - IN_1970) // 1000 * 1000


class Seen:
    """Evidence that remembers the times it was fed."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def feed(self, items: Sequence[Item]) -> None:
        """Remember."""
        for item in items:
            if isinstance(item, FrameBlock):
                self.rows += item.time_ns.tolist()

    def state(self) -> bytes:
        """Return how many."""
        return b"%d" % len(self.rows)

    def take_closed(self) -> Mapping[str, bytes]:
        """Return nothing."""
        return {}


def make(folder: Path, clock: FakeClock, evidence: Seen | None = None, *, begin: bool = True, **more: Any) -> Spool:
    more = {"limits": Limits(min_free_bytes=0), **more}
    spool = Spool(
        folder, birth=birth_of("hanil", "main", "edge-1", (A,)), sources=(A,), fingerprint=lambda: "box", **more
    )
    clock.epoch = max(clock.epoch, spool.epoch)
    if begin:
        spool.begin(clock, evidence)
    return spool


def untrusted(start_ns: int = IN_1970) -> FakeClock:
    return FakeClock(start_ns, trusted=False)


def trust(clock: FakeClock, offset_ns: int = YEARS) -> None:
    """Let the clock begin a new epoch, at the right time."""
    clock._wall += offset_ns
    clock.epoch += 1
    clock.trusted = True


def second(spool: Spool, clock: FakeClock, *items: Item) -> None:
    for item in items:
        spool.put(item)
    clock.advance(1)
    spool.tick()


def sent(spool: Spool) -> list[Item]:
    """Return the items of all that would be sent, in order."""
    return [
        item for _, raw in spool.sending(spool.unconfirmed(0, None, 10**6)) for item in entry.decode(raw, {A.id: A})
    ]


def rows(items: list[Item]) -> list[int]:
    return [t for item in items if isinstance(item, FrameBlock) for t in item.time_ns.tolist()]


def test_what_is_committed_without_the_time_is_durable_and_neither_sent_nor_fed(tmp_path: Path) -> None:
    clock, evidence = untrusted(), Seen()
    spool = make(tmp_path, clock, evidence)
    for _ in range(3):
        second(spool, clock, frame(A, clock.now()))
    assert spool.unconfirmed(0, None, 9) == []
    assert spool.stats().held_entries == 3
    assert spool.stats().entries == 0
    assert [(e.epoch, e.boot_id, e.anchor_ns, e.entries) for e in spool.held_epochs()] == [
        (clock.epoch, "boot", clock.anchor_ns, 3)
    ]
    assert evidence.rows == []
    spool._journal.close()
    spool = make(tmp_path, clock)
    assert spool.held_epochs()[0].entries == 3
    assert list(spool.replay()) == []
    spool.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_vouched_for_it_is_shifted_once_in_everything_but_the_devices_own_times(
    tmp_path: Path, *, packed: bool
) -> None:
    clock, evidence = untrusted(), Seen()
    spool = make(tmp_path, clock, evidence)
    stamped = clock.now()
    block = FrameBlock(
        source=A,
        signal=np.arange(3, dtype=np.int32),
        time_ns=np.array([stamped, stamped + 1000, stamped + 2000], np.int64),
        value=[1, 2, 3],
        status=np.zeros(3, np.uint32),
        source_ns=np.array([START_NS, 0, START_NS + 1], np.int64),
        round_trips=(RoundTrip(stamped, 5),),
    )
    gap = gap_event("g", "link_down", A.id, stamped, stamped - 1000, stamped)
    second(spool, clock, block, gap, Watermark(A.id, stamped))
    epoch = clock.epoch
    if packed:
        assert spool._journal._packer.pack(10**9)
    trust(clock)
    assert spool.vouch(epoch, YEARS)
    assert not spool.vouch(epoch, YEARS), "once"
    generation = spool.generation
    second(spool, clock, frame(A, clock.now()))
    assert spool.generation == generation + 1, "who sends looks again"
    for again in (False, True):  # and after a restart
        if again:
            spool._journal.close()
            spool = make(tmp_path, clock)
        found = sent(spool)
        (shifted,) = [i for i in found if isinstance(i, FrameBlock) and i.source_ns is not None]
        assert shifted.time_ns.tolist() == (block.time_ns + YEARS).tolist()
        assert shifted.source_ns is not None
        assert shifted.source_ns.tolist() == [START_NS, 0, START_NS + 1]
        assert shifted.round_trips == (RoundTrip(stamped + YEARS, 5),)
        gaps = [i for i in found if isinstance(i, Event) and i.body.get("gap_id") == "g"]
        assert (gaps[0].time_ns, gaps[0].from_ns, gaps[0].to_ns) == tuple(
            t + YEARS for t in (stamped, stamped - 1000, stamped)
        )
        assert [i.time_ns for i in found if isinstance(i, Watermark)] == [stamped + YEARS]
        assert list(spool.held_epochs()) == []
    assert len(evidence.rows) == 3, "the untrusted span is a gap for the evidence"
    spool.stop()


def test_what_comes_late_of_a_vouched_epoch_is_shifted_likewise_and_not_fed(tmp_path: Path) -> None:
    clock, evidence = untrusted(), Seen()
    spool = make(tmp_path, clock, evidence)
    second(spool, clock, frame(A, clock.now()))
    late, epoch = clock.now(), clock.epoch
    trust(clock)
    assert spool.vouch(epoch, YEARS)
    right = clock.now() + 10**9
    block = frame(A, late)
    mixed = FrameBlock(
        source=A,
        signal=block.signal,
        time_ns=np.array([late, late, right], np.int64),
        value=[7, 8, 9],
        status=block.status,
    )
    second(spool, clock, mixed)
    second(spool, clock, frame(A, late + 5000))
    assert sorted(rows(sent(spool)))[-6:] == [late + YEARS] * 2 + [late + 5000 + YEARS] * 3 + [right]
    assert evidence.rows == [right]
    spool.stop()


def test_trust_in_the_first_second_shifts_what_was_read_before_the_first_commit(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    stamped, epoch = clock.now(), clock.epoch
    spool.put(frame(A, stamped))
    trust(clock)
    assert spool.vouch(epoch, YEARS)
    second(spool, clock)
    assert rows(sent(spool)) == [stamped + YEARS] * 3
    spool.stop()


def test_after_ten_minutes_it_is_let_go_as_it_is_and_nothing_more_is_held(tmp_path: Path) -> None:
    clock, evidence = untrusted(), Seen()
    spool = make(tmp_path, clock, evidence)
    first = clock.now()
    second(spool, clock, frame(A, first))
    clock.advance(HOLD_NS / 1e9 - 2)
    spool._ring.done(clock.monotonic())
    second(spool, clock, frame(A, clock.now()))
    assert spool.unconfirmed(0, None, 9) == []
    clock.advance(2)
    second(spool, clock, frame(A, clock.now()))
    found = rows(sent(spool))
    assert found[0] == first
    second(spool, clock, frame(A, clock.now()))
    assert len(rows(sent(spool))) == 12, "the hold is over for what comes later, too"
    assert not spool.vouch(clock.epoch, YEARS), "frozen"
    assert rows(sent(spool))[0] == first
    assert evidence.rows == []
    spool.stop()


def test_epochs_of_an_earlier_process_can_be_vouched_for_and_are_let_go_after_its_own_ten_minutes(
    tmp_path: Path,
) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    stamped, old = clock.now(), clock.epoch
    second(spool, clock, frame(A, stamped))
    spool._journal.close()
    spool = make(tmp_path, clock)
    assert clock.epoch == old + 1
    second(spool, clock, frame(A, clock.now()))
    assert [one.epoch for one in spool.held_epochs()] == [old, old + 1]
    trust(clock)
    assert spool.vouch(old, YEARS)
    second(spool, clock, frame(A, clock.now()))
    assert rows(sent(spool))[:3] == [stamped + YEARS] * 3
    assert [one.epoch for one in spool.held_epochs()] == [old + 1]
    assert not spool.vouch(old - 1, YEARS), "nobody knows of it"
    clock.advance(601)
    spool._ring.done(clock.monotonic())
    second(spool, clock)
    assert list(spool.held_epochs()) == []
    assert spool.stats().held_entries == 0
    spool.stop()


def test_the_offset_is_on_the_disk_before_anything_is_sent_and_is_not_forgotten(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    stamped, epoch = clock.now(), clock.epoch
    second(spool, clock, frame(A, stamped))
    assert spool._checkpoint()
    trust(clock)
    spool.vouch(epoch, YEARS)
    assert spool.unconfirmed(0, None, 9) == [], "not before its commit"
    second(spool, clock)
    known = spool.unconfirmed(0, None, 9)
    spool._journal.close()
    (tmp_path / "spool.db").write_bytes(b"\xa5" * 9000)  # also when only the journal is left
    spool = make(tmp_path, clock)
    assert {e.key for e in spool.unconfirmed(0, None, 9)} == {e.key for e in known}
    assert rows(sent(spool))[:3] == [stamped + YEARS] * 3
    spool.confirm(Stored(known[0].spool, [(e.seq, e.crc) for e in known], "5", clock_trusted=True, worker="w"))
    second(spool, clock)
    assert known[0] not in spool.unconfirmed(0, None, 9)
    spool.stop()


def test_an_entry_that_was_shifted_and_given_up_stands_in_its_gap_at_the_right_time(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    stamped, epoch = clock.now(), clock.epoch
    second(spool, clock, frame(A, stamped))
    trust(clock)
    spool.vouch(epoch, YEARS)
    second(spool, clock, frame(A, clock.now()))
    spool._journal._damaged.add(1)
    second(spool, clock)
    (gap,) = [i for i in sent(spool) if isinstance(i, Event) and i.body.get("cause") == "overflow"]
    assert gap.from_ns is not None
    assert gap.from_ns >= stamped + YEARS
    assert gap.to_ns is not None
    assert gap.to_ns < stamped + YEARS + 10**10
    spool.stop()


@pytest.mark.parametrize("again", [True, False])
def test_what_is_held_and_given_up_was_never_sent(tmp_path: Path, *, again: bool) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    second(spool, clock, frame(A, clock.now()))
    if again:
        spool._journal.close()
        clock = FakeClock()
        spool = make(tmp_path, clock)
    spool._journal._damaged.add(1)
    second(spool, clock)
    clock.trusted = True
    spool.vouch(clock.epoch, 0)
    second(spool, clock)
    gaps = [i for i in sent(spool) if isinstance(i, Event) and i.body.get("cause") == "overflow"]
    assert gaps[-1].body["entries"] == [[1, 1, "no"]]
    spool.stop()


def test_what_came_late_under_a_clock_as_doubtful_is_no_older_than_the_rest(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    second(spool, clock, frame(A, clock.now()))
    first, late = clock.epoch, frame(A, clock.now())
    clock.epoch += 1
    spool.doubt(clock.epoch, clock.anchor_ns)
    second(spool, clock, late)
    assert spool._checkpoint()
    both = first, clock.epoch
    trust(clock)
    assert all(spool.vouch(epoch, YEARS) for epoch in both)
    for _ in range(3):
        second(spool, clock, frame(A, clock.now()))
        assert spool._checkpoint()
    assert late.time_ns[0].item() + YEARS in rows(sent(spool)), "not given up as one of 1970"
    spool.stop()


def test_an_offset_keeps_the_digits_of_the_epoch(tmp_path: Path) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock)
    with pytest.raises(ValueError, match="digits"):
        spool.vouch(clock.epoch, 1)
    spool.stop()


def test_nothing_is_sent_as_it_is_before_that_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = untrusted()
    spool = make(tmp_path, clock, hold_ns=4 * 10**9)
    for _ in range(3):
        second(spool, clock, frame(A, clock.now()))
    append, seen = spool._journal._log.append, 0

    def stalled(raw: bytes, store: int) -> int:
        nonlocal seen
        waiting = spool._journal._db.execute("SELECT seq FROM entry WHERE state = 0").fetchall()
        assert spool.unconfirmed(0, None, 100) == [], "killed now, all of it would be held again, and shifted"
        seen = max(seen, len(waiting))
        if len(waiting) and seen < 100:
            seen = 100
            raise OSError(28, "full")
        return append(raw, store)

    monkeypatch.setattr(spool._journal._log, "append", stalled)
    while spool.stats().held_entries:
        second(spool, clock, frame(A, clock.now()))
    assert seen == 100
    assert len(spool.unconfirmed(0, None, 100)) == spool.stats().entries
    spool.stop()


def test_who_vouches_when_the_time_is_just_over_is_told_which_it_is() -> None:
    holding = Holding(10)
    holding.note([HeldEpoch(3, "boot", 0, 1)], 0)
    due: list[tuple[dict[int, Vouched], list[int]]] = []
    looking = threading.Thread(target=lambda: due.append(holding.due(10, Stamping(True, 4, "boot", 0))))

    class Slow(set[int]):
        def add(self, epoch: int) -> None:
            super().add(epoch)
            looking.start()
            looking.join(0.5)

    holding._over = Slow()
    vouched = holding.vouch(3, 1000, 4)
    looking.join()
    assert vouched
    assert due == [({3: Vouched(1000, 4)}, [])]


def test_what_was_let_go_as_it_is_has_no_age(tmp_path: Path) -> None:
    clock = untrusted()
    limits = Limits(max_age_ns=100 * 10**9, min_free_bytes=0)
    spool = make(tmp_path, clock, limits=limits, hold_ns=3 * 10**9)
    for _ in range(200):
        second(spool, clock, frame(A, clock.now()))
    late = frame(A, clock.now())
    trust(clock)
    second(spool, clock, late, frame(A, clock.now()))
    assert spool._checkpoint()  # which lets go
    second(spool, clock, frame(A, clock.now()))
    assert spool.stats().rows == 3 * 203, "nobody knows how old it is: an hour, and not fifty years"
    assert spool._checkpoint()
    clock.advance(200)
    second(spool, clock)
    assert spool.stats().rows == 3 * 200, "what is old goes behind it"
    spool.stop()


def test_an_older_word_of_a_gap_that_is_told_again_does_not_follow_the_newer_one(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)

    def give_up(seq: int) -> None:
        spool._journal._damaged.add(seq)
        second(spool, clock)

    def told() -> dict[int, int]:
        found = [item for item in sent(spool) if isinstance(item, Event) and item.body.get("stage") == "spool"]
        return {one.time_ns: one.body["rows"] for one in found if one.body.get("rows")}  # type: ignore[misc]

    for _ in range(2):
        second(spool, clock, frame(A, clock.now()))
    give_up(1)
    words = told()
    give_up(2)
    words |= told()
    assert list(words.values()) == [3, 6]
    first, newer = spool.unconfirmed(0, None, 10)
    spool.confirm(
        Stored(
            spool=spool.id, rejected=[], committed_at="5", clock_trusted=True, worker="w",
            stored=[(newer.seq, newer.crc)],
        )
    )  # fmt: skip
    second(spool, clock)
    spool._damage = "database disk image is malformed"  # and with it, which words were told
    second(spool, clock)
    second(spool, clock)
    give_up(first.seq)
    words |= told()
    assert words[max(words)] == 6
    spool.stop()


def test_a_correction_outlives_the_entry_that_told_it(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    body: dict[str, Json] = {"epoch": 7, "offset_ns": "1000", "uncertainty_ns": None}
    second(spool, clock, Event(kind="clock_correction", time_ns=clock.now(), body=body), frame(A, clock.now()))
    for _ in range(3):
        waiting = spool.sending(spool.unconfirmed(0, None, 10))
        (last,) = [one for one, raw in waiting if b"clock_correction" in raw]
        spool.confirm(
            Stored(
                spool=spool.id, rejected=[], committed_at="5", clock_trusted=True, worker="w",
                stored=[(e.seq, e.crc) for e in spool.unconfirmed(0, None, 10) if e.seq != last.seq],
            )
        )  # fmt: skip
        second(spool, clock)
        spool._journal._packer.pack(10**9)
        spool._journal._packer.short = 10**9
        assert spool._checkpoint()
        second(spool, clock)  # which gives the oldest file of blocks up
        assert last.seq not in {e.seq for e in spool.unconfirmed(0, None, 10)}
        found = [item for item in sent(spool) if isinstance(item, Event)]
        assert [item.body for item in found if item.kind == "clock_correction"] == [body]
    spool.stop()
