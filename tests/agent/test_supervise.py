"""Supervision: what each kind of failure does to the device, its neighbours, the record and the log."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from typing import TYPE_CHECKING

import pytest

from agent.collectors.base import Stats
from agent.errors import Refused, SpoolFailed, Unreachable
from agent.frame import DataType, Event, FrameBlock, Rows, Signal, Source, Status
from agent.health import Health
from agent.supervise import Supervisor
from settings.language import Text
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.collectors.base import Read, Reading
    from agent.frame import Item

Step = int | Exception  # a good value, or what the attempt raises


class Scripted:
    """A collector that plays a script, each step one read; then it waits for ever."""

    def __init__(self, device: str, steps: Sequence[Step], clock: FakeClock, done: asyncio.Event) -> None:
        self.device = device
        self.stats = Stats()
        signal = Signal(id="s", machine="m", name="s", dtype=DataType.INT32)
        self._source = Source(
            id=f"{device}.main", device=device, protocol="replay", mode="poll", interval_ns=10**9, signals=(signal,)
        )
        self._rows = Rows(self._source)
        self._steps = list(steps)
        self._clock = clock
        self._done = done
        self.opened = self.closed = 0
        self.retried = 0
        self.refusing: list[Text] = []
        self.second_row = False  # readings take 0.2 s, with a row at their beginning and one at their end

    @property
    def sources(self) -> tuple[Source, ...]:
        return (self._source,)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        self.opened += 1
        try:
            yield self._read
        finally:
            self.closed += 1

    async def _read(self) -> Sequence[Reading]:
        await self._clock.sleep(1)
        if not self._steps:
            self._done.set()
            await asyncio.Event().wait()
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        self._rows.add(0, self._clock.now(), step)
        if self.second_row:
            self._clock.advance(0.2)
            self._rows.add(0, self._clock.now(), step)
        return [self._rows.take()]

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        self._rows.fail_all(time_ns, status)
        return [self._rows.take()]

    def refused(self) -> Sequence[Text]:
        return self.refusing

    def retry(self) -> None:
        self.retried += 1


class Items(list["Item"]):
    """A sink that keeps everything."""

    def put(self, item: Item) -> None:
        self.append(item)


def play(*steps: Step, clock: FakeClock | None = None, second_row: bool = False) -> tuple[Items, Health, Scripted]:
    """Run one scripted collector until its script has ended."""
    clock = clock or FakeClock()
    items, health = Items(), Health()

    async def main() -> Scripted:
        done = asyncio.Event()
        collector = Scripted("plc", steps, clock, done)
        collector.second_row = second_row
        task = asyncio.ensure_future(Supervisor(collector, items, health, clock, lambda: 1.0).run())
        await asyncio.wait((task, asyncio.ensure_future(done.wait())), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return collector

    collector = asyncio.run(asyncio.wait_for(main(), 10))
    return items, health, collector


def values(items: Items) -> list[object]:
    return [value for item in items if isinstance(item, FrameBlock) for value in item.value]


def gap_events(items: Items, *causes: str) -> list[Event]:
    return [i for i in items if isinstance(i, Event) and i.kind == "gap" and i.body["cause"] in causes]


def gaps(items: Items) -> list[tuple[object, bool]]:
    return [(e.body["cause"], e.to_ns is not None) for e in gap_events(items, "link_down", "refused")]


def test_an_outage_is_two_log_lines_bad_frames_and_one_closed_gap(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    items, health, collector = play(1, Unreachable("no answer"), Unreachable("no answer"), 2)
    assert values(items) == [1, None, None, 2]
    assert gaps(items) == [("link_down", False), ("link_down", True)]
    first, last = gap_events(items, "link_down")
    assert first.body["gap_id"] == last.body["gap_id"]
    good = [i for i in items if isinstance(i, FrameBlock) and i.value != [None]]
    failed = [i for i in items if isinstance(i, FrameBlock) and i.value == [None]]
    (waiting,) = gap_events(items, "waiting")
    gone, tried, back = int(good[0].time_ns[0]), [int(f.time_ns[0]) for f in failed], int(good[1].time_ns[0])
    assert (last.from_ns, last.to_ns) == (gone, back), "from the last proof of life to the first after it"
    assert (waiting.from_ns, waiting.to_ns) == (tried[-1], back), "our own waiting lies inside it"
    assert waiting.body["inside"] == last.body["gap_id"]
    assert first.body["from_until_ns"] == last.body["from_until_ns"] == str(tried[0])
    assert last.body["to_since_ns"] == str(tried[-1] - 10**9), "the last attempt that failed took a second"
    assert [r.levelname for r in caplog.records] == ["WARNING", "WARNING"]
    assert health.devices["plc"].state == "up"
    assert health.devices["plc"].outages == 1
    assert collector.opened == 3
    assert collector.closed == 3


def test_a_failed_attempt_carries_a_status_that_says_why() -> None:
    items, _, _ = play(Unreachable("x"), Refused("y"), 1)
    frames = [i for i in items if isinstance(i, FrameBlock)]
    assert [int(f.status[0]) for f in frames] == [Status.BAD_NO_COMMUNICATION, Status.BAD_CONNECTION_REJECTED, 0]


@pytest.mark.parametrize("step", [1, Unreachable("x"), Refused("x")])
def test_the_time_until_a_device_first_says_something_is_ours(step: Step) -> None:
    clock = FakeClock()
    start = clock.now()
    items, _, _ = play(step, 1, 1, clock=clock)
    (gap,) = gap_events(items, "agent_off")
    first = next(i for i in items if isinstance(i, FrameBlock))
    assert (gap.source, gap.from_ns, gap.to_ns) == ("plc.main", start, int(first.time_ns[0]))


class Waits(FakeClock):
    """Writes down how long each wait between attempts may take."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        return await super().wait(event, seconds)


@pytest.mark.parametrize(
    ("steps", "waits"),
    [
        ([Unreachable("x")] * 6, [0.5, 1, 2, 3, 3, 3]),
        ([*[Unreachable("x")] * 3, 1, Unreachable("x")], [0.5, 1, 2, 0.5]),
        ([Refused("x")] * 3, [60, 60, 60]),
        ([ZeroDivisionError("x")] * 2, [30, 30]),
        ([Refused("x"), ZeroDivisionError("x"), Unreachable("x")], [60, 30, 2]),
    ],
)
def test_what_went_wrong_decides_how_long_to_wait(steps: list[Step], waits: list[float]) -> None:
    clock = Waits()
    play(*steps, 1, clock=clock)
    assert clock.waits == waits


def test_a_refusal_waits_a_minute_and_becomes_its_own_gap() -> None:
    clock = FakeClock()
    items, _, _ = play(1, Unreachable("x"), Refused("password"), 2, clock=clock)
    assert gaps(items) == [("link_down", False), ("link_down", True), ("refused", False), ("refused", True)]
    assert clock.monotonic() >= 60e9
    edges = [(e.from_ns, e.to_ns) for e in gap_events(items, "link_down", "refused") if e.to_ns]
    assert edges[0][1] == edges[1][0], "the two gaps join without a hole"


def test_a_bug_in_a_collector_is_logged_once_and_does_not_stop_it(caplog: pytest.LogCaptureFixture) -> None:
    items, health, _ = play(ZeroDivisionError("oops"), ZeroDivisionError("oops"), 7)
    assert values(items) == [None, None, 7]
    assert health.devices["plc"].state == "up"
    assert sum("bug" in r.message for r in caplog.records) == 1


def test_a_failing_spool_stops_the_process() -> None:
    with pytest.raises(SpoolFailed):
        play(1, SpoolFailed("disk"))


def test_retry_ends_the_wait_at_once() -> None:
    class Waiting(FakeClock):
        async def wait(self, event: asyncio.Event, seconds: float) -> bool:
            assert seconds > 1
            supervisor.retry()
            await event.wait()  # no time passes: only `retry` ends it
            return True

    clock, done = Waiting(), asyncio.Event()
    collector = Scripted("plc", [Refused("login"), 1], clock, done)
    supervisor = Supervisor(collector, Items(), Health(), clock)

    async def main() -> None:
        task = asyncio.ensure_future(supervisor.run())
        await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))
    assert collector.opened == 2
    assert collector.retried == 1


def test_single_refused_signals_are_one_line_going_and_one_coming(caplog: pytest.LogCaptureFixture) -> None:
    health = Health()
    for texts in (["a: unknown node"], ["a: unknown node"], [], []):
        health.refusals("cnc", [Text(text, text) for text in texts])
    assert [r.message for r in caplog.records] == ["cnc: a: unknown node", "cnc: resolved: a: unknown node"]


class Stuck(Scripted):
    """Stands connected and says nothing more, for the first connection."""

    async def _read(self) -> Sequence[Reading]:
        if self.opened == 1 and not self._steps[1:]:
            await asyncio.Event().wait()
        return await super()._read()


@pytest.mark.parametrize("requests", [False, True])
def test_a_collector_that_hangs_is_connected_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, requests: bool
) -> None:
    monkeypatch.setattr("agent.supervise.SILENT_S", 0.05)
    monkeypatch.setattr("agent.supervise.SILENT_INTERVALS", 0)
    items = Items()

    async def main() -> None:
        clock, done = FakeClock(), asyncio.Event()
        collector = Stuck("plc", [1, 2], clock, done)
        task = asyncio.ensure_future(Supervisor(collector, items, Health(), clock).run())
        if requests:  # it asks and asks: a slow device, no hanging collector
            for n in range(10):
                collector.stats = Stats(requests=n)
                await asyncio.sleep(0.03)
            assert collector.opened == 1
        await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert collector.opened == 2

    asyncio.run(asyncio.wait_for(main(), 20))
    assert values(items) == [1, None, 2]
    assert [e.to_ns is None for e in gap_events(items, "link_down")] == [True, False]
    assert "nothing has come" in caplog.text


def test_no_stored_row_lies_inside_a_gap() -> None:
    items, _, _ = play(1, Unreachable("x"), 2, Refused("y"), 3, second_row=True)
    kept = [t for i in items if isinstance(i, FrameBlock) and None not in i.value for t in i.time_ns.tolist()]
    told = [g for g in gap_events(items, "agent_off", "link_down", "refused", "waiting") if g.to_ns is not None]
    assert len(kept) == 6
    assert len(told) == 5
    inside = [(t, g.body["cause"]) for g in told for t in kept if (g.from_ns or 0) < t < (g.to_ns or 0)]
    assert inside == []


def test_an_outage_is_device_off_only_while_there_is_evidence_of_it() -> None:
    clock, items, health, done = FakeClock(), Items(), Health(), asyncio.Event()
    collector = Scripted("plc", [1, *[Unreachable("x")] * 4, 2], clock, done)
    said = iter(
        [False, True, True, False]
    )  # the meter notices later than we do, and the device takes time to start

    async def main() -> None:
        supervisor = Supervisor(collector, items, health, clock, lambda: 1.0, off=lambda: next(said))
        task = asyncio.ensure_future(supervisor.run())
        await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))
    told = [e for e in gap_events(items, "link_down", "device_off") if e.to_ns is not None]
    assert [e.body["cause"] for e in told] == ["link_down", "device_off", "link_down"]
    assert all(a.to_ns == b.from_ns for a, b in itertools.pairwise(told)), "they join without a hole"
    assert health.devices["plc"].outages == 1
