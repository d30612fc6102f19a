"""The agent that stands still, readings that come late, and clocks that are set during a gap."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING

import pytest

from agent.errors import Unreachable
from agent.frame import Event, FrameBlock
from agent.health import Health
from agent.overrun import MOST, Overrun
from agent.standstill import Moment, Standstill, Times
from agent.supervise import Supervisor
from tests.agent.test_supervise import Items, Scripted, gap_events
from tests.support.clocks import FakeClock
from tests.support.items import source

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.frame import Item, Source

S = 10**9


class Set(FakeClock):
    """A clock that can be set: a new epoch begins."""

    digits = 0

    def now(self) -> int:
        return super().now() + self.digits

    def set_by(self, seconds: float) -> None:
        self._wall += round(seconds * S)
        self.digits += 1


def still(clock: FakeClock) -> tuple[Standstill, Items, list[tuple[Moment, Moment]]]:
    items, told = Items(), list[tuple[Moment, Moment]]()
    return Standstill(clock, items.put, lambda a, b: told.append((a, b))), items, told


def test_beats_that_follow_one_another_say_nothing_and_a_pause_is_a_gap_of_the_agent() -> None:
    clock = FakeClock()
    standstill, items, told = still(clock)
    for _ in range(5):
        assert not standstill.look()
        clock.advance(0.9)
    assert not items
    begun = clock.now()
    assert not standstill.look()
    clock.advance(20)
    assert standstill.look()
    assert not standstill.look(), "once"
    (gap,) = gap_events(items, "agent_off")
    assert (gap.source, gap.from_ns, gap.to_ns) == (None, begun, begun + 20 * S)
    assert gap.body["stood_still"] is True
    assert [(a.ns, b.ns) for a, b in told] == [(begun, begun + 20 * S)]


def test_a_standstill_ends_with_the_first_reading_that_came_after_it() -> None:
    clock = FakeClock()
    standstill, items, _ = still(clock)
    standstill.look()
    clock.advance(10)
    reading = clock.now()
    clock.advance(0.3)
    assert standstill.look(reading)
    assert gap_events(items, "agent_off")[0].to_ns == reading


def test_a_clock_that_is_set_during_a_pause_does_not_change_its_length() -> None:
    clock = Set()
    standstill, items, _ = still(clock)
    standstill.look()
    clock.advance(20)
    clock.set_by(-3600)
    standstill.look()
    (gap,) = gap_events(items, "agent_off")
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    assert gap.to_ns - gap.from_ns == 20 * S
    assert {gap.from_ns % 1000, gap.to_ns % 1000} == {1}, "both ends are told by the clock that holds now"


def test_moments_survive_a_clock_that_is_set() -> None:
    clock = Set()
    times = Times(clock)
    moment = times.of(clock.now())
    clock.advance(5)
    assert times.stamp(moment) == moment.ns
    clock.set_by(7200)
    assert times.stamp(moment) == clock.now() - 5 * S


def overrun(interval_s: float = 1.0) -> tuple[Overrun, FakeClock, Source]:
    clock, of = FakeClock(), source()
    assert of.interval_ns == interval_s * S
    return Overrun(of, Times(clock)), clock, of


def read(it: Overrun, clock: FakeClock, took_s: float = 0.0) -> None:
    times = Times(clock)
    first = times.now()
    clock.advance(took_s)
    it.reading(first, times.now())


def test_readings_in_time_leave_no_hole_and_a_late_one_leaves_one() -> None:
    it, clock, of = overrun()
    for _ in range(4):
        read(it, clock)
        clock.advance(1.4)
    assert not it.events(now=True)
    read(it, clock)
    last = clock.now()
    clock.advance(4)
    read(it, clock)
    (gap,) = it.events()
    assert (gap.source, gap.from_ns, gap.to_ns) == (of.id, last + S, last + 4 * S)
    assert (gap.body["cause"], gap.body["reason"]) == ("waiting", "overrun")
    assert "holes" not in gap.body


def test_the_holes_of_a_device_that_is_always_slow_are_listed_together() -> None:
    it, clock, _ = overrun()
    told: list[Event] = []
    begun = clock.now()
    for _ in range(100):
        read(it, clock, took_s=0.5)
        clock.advance(2.5)
        told += it.events()
    told += it.events(now=True)
    assert len(told) <= 6 + 100 * 3 // 10 + 1, "not one event a reading"
    spans = []
    for gap in told:
        assert gap.from_ns is not None
        assert gap.to_ns is not None
        holes = gap.body.get("holes", [[0, gap.to_ns - gap.from_ns]])
        assert isinstance(holes, list)
        spans += [(gap.from_ns - begun + a, n) for a, n in holes]  # type: ignore[misc, operator, str-unpack]
    assert spans == [(round((3 * n + 1.5) * S), round(1.5 * S)) for n in range(99)]


def test_what_is_told_of_otherwise_is_no_hole_and_what_is_listed_is_bounded() -> None:
    it, clock, _ = overrun()
    read(it, clock)
    clock.advance(60)
    it.explained(Times(clock).now())
    read(it, clock)
    assert not it.events(now=True)
    for _ in range(2 * MOST):
        clock.advance(3)
        read(it, clock)
    (gap,) = it.events(now=True)
    assert len(gap.body["holes"]) == MOST  # type: ignore[arg-type]


class Beating(FakeClock):
    """Beats every quarter of a second, but for 30 s after `pause_at`."""

    def __init__(self, pause_at_s: float) -> None:
        super().__init__()
        self.pause_at = round(pause_at_s * S)
        self.beat: Callable[[], object] = lambda: None

    def advance(self, seconds: float) -> None:
        while seconds > 0:
            super().advance(min(seconds, 0.25))
            seconds -= 0.25
            if self.pause_at and self.monotonic() >= self.pause_at:
                self.pause_at = 0
                super().advance(30)
                return  # what was awaited is over long ago, and is noticed first
            self.beat()


@pytest.mark.parametrize(
    ("steps", "pause_at_s"),
    [
        ([1, 1, Unreachable("it has given us up"), 2], 2.5),
        ([1, Unreachable("no answer"), Unreachable("no answer"), Unreachable("no answer"), 2], 4.6),
    ],
)
def test_while_the_agent_stands_still_no_device_is_down(steps: list[int | Exception], pause_at_s: float) -> None:
    clock, items, done = Beating(pause_at_s), Items(), asyncio.Event()
    collector = Scripted("plc", steps, clock, done)

    async def main() -> None:
        standstill = Standstill(clock, items.put, lambda a, b: supervisor.stood_still(a, b))  # noqa: PLW0108 - it is made next
        supervisor = Supervisor(collector, items, Health(), clock, lambda: 1.0, standstill=standstill)
        clock.beat = standstill.look
        standstill.look()
        task = asyncio.ensure_future(supervisor.run())
        await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))
    (off,) = [e for e in gap_events(items, "agent_off") if e.source is None]
    assert off.from_ns is not None
    assert off.to_ns is not None
    assert 29 * S <= off.to_ns - off.from_ns <= 32 * S
    ends: dict[object, Event] = {e.body["gap_id"]: e for e in gap_events(items, "link_down")}
    assert len(ends) == (1 if pause_at_s == 2.5 else 2), "an outage that stood before goes on after it"
    for outage in ends.values():
        assert outage.from_ns is not None
        assert outage.to_ns is not None
        assert outage.to_ns <= off.from_ns or outage.from_ns >= off.to_ns
    spans = sorted((e.from_ns or 0, e.to_ns or 0) for e in [*ends.values(), off])
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans)), "and nothing is left between them"


def test_a_gap_that_is_open_is_told_by_the_new_clock_and_closed_by_it() -> None:
    clock, items, done = Set(), Items(), asyncio.Event()
    collector = Scripted("plc", [1, Unreachable("x"), Unreachable("x"), 2], clock, done)

    async def main() -> None:
        supervisor = Supervisor(collector, items, Health(), clock, lambda: 1.0)
        task = asyncio.ensure_future(supervisor.run())
        while not gap_events(items, "link_down"):  # noqa: ASYNC110 - no time passes
            await asyncio.sleep(0)
        clock.set_by(-3600)
        supervisor.clock_set()
        await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))
    first, again, closed = gap_events(items, "link_down")
    assert first.body["gap_id"] == again.body["gap_id"] == closed.body["gap_id"]
    assert first.from_ns is not None
    assert again.to_ns is None
    assert again.from_ns == closed.from_ns == first.from_ns - 3600 * S + 1
    assert closed.to_ns is not None
    assert 0 < closed.to_ns - again.from_ns < 60 * S, "its length is not the clock's"


def test_a_beat_notices_that_the_clock_was_set() -> None:
    clock, told = Set(), list[int]()
    standstill = Standstill(clock, Items().put, lambda _a, _b: None, lambda: told.append(clock.digits))
    standstill.look()
    clock.advance(0.5)
    standstill.look()
    clock.set_by(7200)
    standstill.look()
    standstill.look()
    assert told == [1]


@pytest.mark.parametrize("since", [None, {"plc.main": 0}])
def test_a_standstill_before_the_first_word_of_a_device_is_told_once(since: dict[str, int] | None) -> None:
    clock, items = FakeClock(), Items()
    start, times = clock.now(), Times(clock)
    known = None if since is None else {"plc.main": Moment(start - 5 * S, times.now().monotonic - 5 * S)}
    collector = Scripted("plc", [], clock, asyncio.Event())
    supervisor = Supervisor(collector, items, Health(), clock, lambda: 1.0, known)
    clock.advance(2)
    begun = times.now()
    clock.advance(20)
    end = times.now()
    supervisor.stood_still(begun, end)
    clock.advance(1)
    supervisor._begin(times.now())
    supervisor._begin(times.now())
    told = [(gap.from_ns, gap.to_ns) for gap in gap_events(items, "agent_off" if since is None else "config")]
    assert told == [(start if since is None else start - 5 * S, begun.ns), (end.ns, clock.now())]


@pytest.mark.parametrize("changed", [False, True])
def test_the_gap_of_a_start_has_both_ends_of_the_clock_that_was_set_meanwhile(*, changed: bool) -> None:
    clock, items = Set(), Items()
    times = Times(clock)
    collector = Scripted("plc", [], clock, asyncio.Event())
    since = {"plc.main": times.now()} if changed else None
    clock.advance(2)
    supervisor = Supervisor(collector, items, Health(), clock, lambda: 1.0, since)
    supervisor.begin(times.now())
    clock.advance(3)
    clock.set_by(7200)
    supervisor._begin(times.now())
    (gap,) = gap_events(items, "config" if changed else "agent_off")
    assert (gap.from_ns, gap.to_ns) == (clock.now() - (5 if changed else 3) * S, clock.now())


def test_the_gap_of_a_start_begins_where_that_of_the_spool_ends() -> None:
    clock, items = FakeClock(), Items()
    supervisor = Supervisor(Scripted("plc", [], clock, asyncio.Event()), items, Health(), clock, lambda: 1.0)
    clock.advance(4)  # the evidence of ten minutes is played back
    supervisor.begin(Times(clock).now())
    begun = clock.now()
    clock.advance(1)
    supervisor._begin(Times(clock).now())
    (gap,) = gap_events(items, "agent_off")
    assert (gap.from_ns, gap.to_ns) == (begun, clock.now())


def test_a_few_holes_are_told_at_once_each_before_the_reading_that_ends_it() -> None:
    clock, done = FakeClock(), asyncio.Event()
    collector = Scripted("plc", [1] * 8, clock, done)

    class Slow(Items):
        def put(self, item: Item) -> None:
            super().put(item)
            if isinstance(item, FrameBlock):
                clock.advance(2.2)  # the next reading is late

    items = Slow()

    async def main() -> None:
        supervisor = Supervisor(collector, items, Health(), clock, lambda: 1.0)
        task = asyncio.ensure_future(supervisor.run())
        await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))
    read = [n for n, item in enumerate(items) if isinstance(item, FrameBlock) and not item.status[0]]
    late = [n for n, item in enumerate(items) if isinstance(item, Event) and item.body.get("cause") == "waiting"]
    assert len(late) == 7
    assert late == [n - 1 for n in read[1:]]
