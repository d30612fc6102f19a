"""What a process has told of the whole agent, and is killed before its devices have said anything more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.frame import gap_event
from tests.agent.spool.test_spool import A, B, gaps, make
from tests.support.clocks import FakeClock
from tests.support.items import frame

if TYPE_CHECKING:
    from pathlib import Path

    from agent.frame import Event

S = 10**9


def spans(events: list[Event], source: str | None) -> list[tuple[int | None, int | None]]:
    return [(g.from_ns, g.to_ns) for g in events if g.source == source and g.to_ns is not None]


def test_a_standstill_shortly_before_a_kill_is_told_once(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = make(tmp_path, clock)
    begun = clock.now()
    spool.put(frame(A, begun))
    spool.put(gap_event("out", "link_down", B.id, begun, begun, None))
    clock.advance(1)
    spool.tick()
    still = clock.now()
    clock.advance(20)
    woken = clock.now()
    spool.put(gap_event("still", "agent_off", None, woken, still, woken, stood_still=True))
    clock.advance(1)
    spool.tick()
    last = clock.now()
    spool._journal.close()
    clock.advance(60)
    spool = make(tmp_path, clock)
    spool.tick()
    off, down = gaps(spool, "agent_off"), gaps(spool, "link_down")
    assert spans(off, None) == [(still, woken), (last, clock.now())]
    read = int(frame(A, begun).time_ns[-1])
    assert spans(off, A.id) == [(read, still), (woken, last)]
    assert spans(down, B.id) == [(begun, still), (woken, last)]
    assert [g.body["gap_id"] == "out" for g in down] == [True, True, False]
    for one in (A, B):
        spool.put(frame(one, clock.now()))
    spool.tick()
    assert not spool._journal._db.execute("SELECT * FROM still").fetchall(), "every source is farther"
    spool.stop()


def test_what_the_agent_was_off_is_kept_in_the_time_that_is_known_later(tmp_path: Path) -> None:
    clock = FakeClock(40 * S, trusted=False)
    spool = make(tmp_path, clock)
    clock.epoch = spool.epoch
    woken = clock.now()
    spool.put(gap_event("still", "agent_off", None, woken, woken - 5 * S, woken, stood_still=True))
    clock.advance(1)
    spool.tick()
    epoch, clock.epoch, clock.trusted = clock.epoch, clock.epoch + 1, True
    clock.step(3600)
    assert spool.vouch(epoch, 3600 * S)
    clock.advance(1)
    spool.tick()
    known = spool._journal._db.execute("SELECT * FROM still").fetchall()
    assert (woken + 3595 * S, woken + 3600 * S) in known
    spool.stop()


def test_a_file_of_before_gets_the_table(tmp_path: Path) -> None:
    spool = make(tmp_path, FakeClock())
    spool._journal._db.execute("DROP TABLE still")
    spool.stop()
    name = spool.id
    spool = make(tmp_path, clock := FakeClock())
    assert spool.id == name
    clock.advance(1)
    spool.tick()
    assert gaps(spool, "agent_off")
    spool.stop()
