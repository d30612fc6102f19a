"""What was committed without the time is no evidence, but what it tells of gaps becomes known with the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.frame import Event, FrameBlock, gap_event
from agent.spool.gaps import Loss
from agent.spool.ledger import Ledger
from contract.payload import Stored, WireEvent
from tests.agent.spool.test_spool import A, Remember, make
from tests.support.clocks import FakeClock
from tests.support.items import frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.frame import Item, Json

TRUE_NS = 1_795_000_000 * 10**9
SECOND = 10**9
OFF_S = 3600


def gaps(items: list[Item]) -> dict[str, Event]:
    """Return the last word about each gap, by cause and source."""
    return {
        f"{item.body['cause']} {item.source}": item
        for item in items
        if isinstance(item, Event) and item.kind == "gap"
    }


def test_gaps_of_an_epoch_that_is_vouched_for_are_fed_in_true_time(tmp_path: Path) -> None:
    before = FakeClock(TRUE_NS)
    spool = make(tmp_path, before)
    for _ in range(3):
        spool.put(frame(A, before.now()))
        before.advance(1)
        spool.tick()
    stopped = before.now()
    spool.stop()

    dark, evidence = FakeClock(40 * SECOND, trusted=False), Remember()
    spool = make(tmp_path)
    dark.epoch = spool.epoch
    begun = dark.now()
    spool.begin(dark, evidence)
    for second in range(6):
        spool.put(frame(A, dark.now()))
        if second == 2:
            lost = dark.now()
            spool.put(gap_event("down", "link_down", A.id, lost, lost, None))
        if second == 4:
            spool.put(gap_event("down", "link_down", A.id, dark.now(), lost, dark.now()))
            spool.put(gap_event("open", "link_down", A.id, dark.now(), dark.now(), None))
        dark.advance(1)
        spool.tick()
    assert evidence.items == [], "nothing without the time"
    assert spool.stats().held_entries == 6

    offset = stopped + OFF_S * SECOND - begun // 1000 * 1000  # whole seconds
    assert spool.vouch(dark.epoch, offset)
    spool.tick()
    assert spool.stats().held_entries == 6, "not before this process knows the time itself"
    dark.trusted, dark.epoch = True, dark.epoch + 1
    dark.step(offset // SECOND)
    spool.put(frame(A, dark.now()))
    spool.tick()
    assert spool.stats().held_entries == 0

    (block,) = (item for item in evidence.items if isinstance(item, FrameBlock))
    assert block.time_ns.min() // 1000 == (begun + offset + 6 * SECOND) // 1000, "only what was read with the time"
    told = gaps(evidence.items)
    assert set(told) == {"agent_off None", "agent_off a.main", "agent_off b.main", "link_down a.main"}
    off = told["agent_off None"]
    assert off.from_ns is not None
    assert off.to_ns is not None
    assert stopped - SECOND <= off.from_ns <= stopped
    assert off.to_ns // 1000 == (begun + offset) // 1000
    words = [item for item in evidence.items if isinstance(item, Event)]
    links = {item.body["gap_id"]: item.to_ns is None for item in words if item.body["cause"] == "link_down"}
    assert links == {"down": False, "open": True}
    assert {item.time_ns % 1000 for item in words} == {dark.epoch % 1000}
    assert all(begun + offset <= item.time_ns + 1000 <= dark.now() + 1000 for item in words), (
        "told when it was told"
    )

    spool.stop()
    replayed = make(tmp_path)
    again = [item for _, items in replayed._journal.replay(0) for item in items]
    assert {item.time_ns for item in again if isinstance(item, Event)} == {item.time_ns for item in words}
    replayed.stop()


def test_gaps_of_an_epoch_that_is_let_go_as_it_is_are_not_told_again(tmp_path: Path) -> None:
    clock, evidence = FakeClock(40 * SECOND, trusted=False), Remember()
    spool = make(tmp_path)
    clock.epoch = spool.epoch
    spool.begin(clock, evidence)
    spool.put(gap_event("down", "link_down", A.id, clock.now(), clock.now(), None))
    spool.tick()
    clock.advance(601)
    spool.tick()
    assert spool.stats().held_entries == 0
    assert not spool.vouch(clock.epoch, 1000)
    clock.trusted, clock.epoch = True, clock.epoch + 1
    spool.tick()
    assert evidence.items == []


def test_what_was_read_without_the_time_says_nothing_about_latency(tmp_path: Path) -> None:
    counted: list[int] = []

    def account(
        items: Sequence[Item],
        committed_at_ns: int,
        clean: bool,  # noqa: FBT001 - as the spool calls it
    ) -> Mapping[tuple[str, str], Mapping[int, int]]:
        del committed_at_ns, clean
        counted.append(len(items))
        return {}

    clock = FakeClock(40 * SECOND, trusted=False)
    spool = make(tmp_path, account=account)
    clock.epoch = spool.epoch
    spool.begin(clock)
    spool.put(frame(A, clock.now()))
    spool.tick()
    assert spool.vouch(clock.epoch, 1000)
    clock.trusted, clock.epoch = True, clock.epoch + 1
    for _ in range(2):
        clock.advance(1)
        spool.put(frame(A, clock.now()))
        spool.tick()
    entries = spool.unconfirmed(0, None, 10)
    assert len(entries) == 3
    refs = [(one.seq, one.crc) for one in entries]
    spool.confirm(Stored(spool.id, refs, "5", clock_trusted=True, worker="w"))
    spool.tick()
    assert spool.stats().entries == 0
    assert len(counted) == 2, "but for the first"


def test_of_two_words_of_a_gap_that_go_together_the_newer_one_is_told_again(tmp_path: Path) -> None:
    spool = make(tmp_path, FakeClock())
    journal = spool._journal
    ledger = Ledger(journal._db, journal._state, journal._spools, 1, 0, 0, sent=(), read=journal.content)
    loss = Loss("new", "overflow", "spool", spool.id)
    for seq, time, rows in ((1, "2000", 6), (2, "1000", 3)):  # the older one was told again, so it comes behind
        body: dict[str, Json] = {"gap_id": "g", "cause": "overflow", "sources": {}, "rows": rows}
        ledger._carry(WireEvent(seq=seq, kind="gap", time=time, body=body, from_="1", to="2"), loss)
    assert [event.body["rows"] for event in ledger.carried()] == [6]
    spool.stop()
