"""What was vouched for is let go a little at a time, and comes out as if it had been done at once."""

from __future__ import annotations

import random
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from agent.frame import Event, FrameBlock, gap_event
from agent.spool import moving
from tests.agent.spool.test_hold import YEARS, A, Seen, make, rows, second, sent, trust, untrusted
from tests.agent.spool.test_redo import tables
from tests.support.items import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agent.frame import Item
    from agent.spool import Spool
    from tests.support.clocks import FakeClock

HELD = 12


class Words(Seen):
    """Evidence that remembers what it was told of gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[tuple[str, bool]] = []

    def feed(self, items: Sequence[Item]) -> None:
        """Remember."""
        super().feed(items)
        self.gaps += [(str(i.body["gap_id"]), i.to_ns is None) for i in items if isinstance(i, Event)]


def hold(folder: Path, evidence: Seen | None = None, **more: Any) -> tuple[Spool, FakeClock]:
    """Return a spool in which some entries are held, in which a gap begins and one begins and ends."""
    clock = untrusted()
    spool = make(folder, clock, evidence, **more)
    for number in range(HELD):
        gaps = {
            3: gap_event("down", "link_down", A.id, clock.now(), clock.now() - 1000, None),
            HELD - 3: gap_event("was", "link_down", A.id, clock.now(), clock.now() - 2000, clock.now()),
        }
        second(spool, clock, frame(A, clock.now()), *([gaps[number]] if number in gaps else []))
    return spool, clock


def vouch(spool: Spool, clock: FakeClock) -> None:
    epoch = clock.epoch
    trust(clock)
    assert spool.vouch(epoch, YEARS)


def finish(spool: Spool, clock: FakeClock) -> int:
    """Commit until nothing is held; return how many commits it took."""
    for count in range(100):
        if not spool.stats().held_entries:
            return count
        second(spool, clock, frame(A, clock.now()))
    raise AssertionError("it does not come to an end")


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def contents(spool: Spool) -> dict[int, tuple[str, bytes]]:
    return {e.seq: (e.crc, raw) for e, raw in spool.sending(spool.unconfirmed(0, None, 10**6))}


def test_in_many_commits_it_comes_to_the_very_bytes_of_one_whenever_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, clock = hold(tmp_path / "one")
    vouch(spool, clock)
    second(spool, clock)
    assert not spool.stats().held_entries, "all at once"
    expected = {seq: found for seq, found in contents(spool).items() if seq <= HELD}
    spool.stop()
    size = max(len(raw) for _, raw in expected.values())

    monkeypatch.setattr(moving, "AT_ONCE", 2 * size)
    spool, clock = hold(tmp_path / "many")
    vouch(spool, clock)
    rng, left = random.Random(3), HELD
    released: dict[int, tuple[str, bytes]] = {}
    while left:
        second(spool, clock, frame(A, clock.now()))
        now = spool.stats().held_entries
        assert 0 < left - now <= 3, "some of it, not all"
        left = now
        found = contents(spool)
        assert released.items() <= found.items(), "what is let go is never touched again"
        released = {seq: one for seq, one in found.items() if seq <= HELD}
        assert sorted(released) == list(range(1, HELD - left + 1))
        if rng.random() < 0.6:  # killed: the journal alone knows of it, or a checkpoint does
            if rng.random() < 0.5:
                assert spool._checkpoint()
            before = tables(spool)
            spool._journal.close()
            spool = make(tmp_path / "many", clock)
            known = tables(spool)
            assert {name: known[name] for name in ("entry", "epoch")} == {
                name: before[name] for name in ("entry", "epoch")
            }
            assert not spool.vouch(1, 5000), "its offset is on the disk"
    assert released == expected
    spool.stop()


def test_who_sends_is_told_of_each_part_and_the_thread_does_not_wait_for_the_next_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, clock = hold(tmp_path)
    spool._journal.close()
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    spool = make(tmp_path, clock, begin=False)
    trust(clock)
    seen: list[int] = []
    between: list[int] = []
    tick = spool.tick

    def counted(*, final: bool = False) -> None:
        if 0 < spool.stats().held_entries < HELD:
            between.append(spool.stats().held_entries)
        tick(final=final)

    monkeypatch.setattr(spool, "tick", counted)
    spool.listen(lambda: seen.append(spool.stats().held_entries))
    spool.start(clock)  # which stands still: another second never comes
    assert spool.vouch(1, YEARS)
    wait_for(lambda: not spool.stats().held_entries)
    spool.stop()
    assert set(range(HELD)) <= set(seen)
    assert len(between) <= 1, "it has not waited for the seconds"


def test_a_gap_that_is_closed_while_it_is_let_go_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = Words()
    spool, clock = hold(tmp_path, evidence)
    spool._journal.close()
    spool = make(tmp_path, clock, evidence)  # what an earlier process has left held is told again as well
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    assert spool.vouch(1, YEARS)
    vouch(spool, clock)
    second(spool, clock)
    assert spool.stats().held_entries > HELD - 3, "the entry that tells of it is held still"
    assert [word for word in evidence.gaps if word[0] in {"down", "was"}] == [("down", True), ("was", False)]
    second(spool, clock, gap_event("down", "link_down", A.id, clock.now(), clock.now() - 1000, clock.now()))
    finish(spool, clock)
    assert [word for word in evidence.gaps if word[0] == "down"] == [("down", True), ("down", False)]
    assert not spool._journal._db.execute("SELECT 1 FROM open_gap WHERE id = 'down'").fetchone()
    spool.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_without_the_database_what_is_not_let_go_yet_is_held_and_shifted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    spool, clock = hold(tmp_path / "it")
    if packed:
        assert spool._journal._packer.pack(10**9)
    vouch(spool, clock)
    for _ in range(4):
        second(spool, clock, frame(A, clock.now()))
    assert 0 < spool.stats().held_entries < HELD
    released = contents(spool)
    shutil.copytree(tmp_path / "it", tmp_path / "whole")
    finish(spool, clock)
    expected = contents(spool)
    spool.stop()
    (tmp_path / "whole" / "spool.db").write_bytes(b"\xa5" * 9000)
    spool = make(tmp_path / "whole", clock)
    assert contents(spool).items() >= released.items()
    assert not spool.vouch(1, YEARS + 1000), "it is known"
    finish(spool, clock)
    found = contents(spool)
    assert {seq: found[seq] for seq in range(1, HELD + 1)} == {seq: expected[seq] for seq in range(1, HELD + 1)}
    spool.stop()


def test_what_is_given_up_before_it_is_let_go_stands_in_its_gap_at_the_right_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    spool, clock = hold(tmp_path)
    begun = clock.now()
    vouch(spool, clock)
    second(spool, clock)
    spool._journal._damaged.add(HELD)
    second(spool, clock)
    finish(spool, clock)
    found = sent(spool)
    (gap,) = [i for i in found if isinstance(i, Event) and i.body.get("cause") == "overflow"]
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    assert begun + YEARS - 10 * 10**9 <= gap.from_ns <= gap.to_ns <= begun + YEARS
    blocks = [i for i in found if isinstance(i, FrameBlock)]
    assert blocks
    assert min(rows(found)) > YEARS
    spool.stop()
