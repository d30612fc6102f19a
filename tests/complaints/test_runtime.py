"""Complaints 11 and 22 to 25: queues, buffers, reloads and clocks that other collectors lose data by."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import time
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from agent.frame import Event, FrameBlock
from agent.health import Health
from agent.supervise import Supervisor
from settings.kernelclock import DOUBLE
from tests.agent.collectors.modbus.rig import device as modbus_device
from tests.agent.collectors.modbus.rig import words
from tests.agent.test_supervise import test_a_collector_that_hangs_is_connected_anew
from tests.e2e.rig import running, until
from tests.e2e.site import Site, device, undisturbed
from tests.peers.modbus import read_log
from tests.peers.modbus import server as modbus_server
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.frame import Item

pytestmark = pytest.mark.timeout(180)


class Items(list["Item"]):
    """A sink that keeps everything."""

    def put(self, item: Item) -> None:
        self.append(item)

    def good(self) -> list[tuple[int, object]]:
        """Return (time, value) of each good row."""
        return [
            (t, v)
            for item in self
            if isinstance(item, FrameBlock)
            for t, v in zip(item.time_ns.tolist(), item.value, strict=True)
            if v is not None
        ]


def supervised(
    port: int, every: str, story: Callable[[Items, ModbusCollector, SystemClock], Iterator[bool]]
) -> tuple[Items, ModbusCollector]:
    """Run one device until the story has ended; each of its steps waits until it yields True."""
    items, clock = Items(), SystemClock(trusted=True)
    collector = ModbusCollector(modbus_device(port, {f"g/{every}": words(1)}, timeout="50ms"), Box(clock))

    async def main() -> None:
        task = asyncio.create_task(Supervisor(collector, items, Health(), clock, lambda: 0.0).run())
        async with asyncio.timeout(60):
            for done in story(items, collector, clock):
                if not done:
                    await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())
    return items, collector


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    with child_running(one.servers["press"]), child_running(one.servers["saw"]), running(one.rig):
        one.rig.wait_for_state("press", "up")
        one.rig.wait_for_state("saw", "up")
        yield one


def all_stored(site: Site) -> None:
    """Check that every value that `saw` has served is in the store once."""
    served = [request.uint16(7) for request in read_log(site.logs["saw"])]
    until(lambda: set(served) <= set(site.stored("saw", "w7_i")), 60, "not all stored", site.rig)
    assert len(set(served)) == len(served)


def test_complaint_11_a_device_slower_than_its_interval_is_read_less_often_and_nothing_queues(
    tmp_path: Path,
) -> None:
    log = tmp_path / "requests"
    plc = modbus_server(tmp_path, "--delay-ms", 30, log=log, sequence=True)
    assert plc.port is not None
    port = plc.port

    def story(items: Items, _collector: ModbusCollector, _clock: SystemClock) -> Iterator[bool]:
        plc.send(signal.SIGSTOP)  # it hangs for a while: the requests of that time must not follow later
        begun = time.monotonic()
        while time.monotonic() - begun < 1.5:
            yield False
        plc.send(signal.SIGCONT)
        while len(items.good()) < 10:
            yield False

    with child_running(plc):
        items, collector = supervised(port, "50ms", story)
    requests = read_log(log)
    values = [value for _, value in items.good()]
    assert len(set(values)) == len(values), "no answer is taken twice"
    assert len(requests) <= len(items.good()) + 12, "what was not asked in time is not asked later"
    holes = [b.time_ns - a.time_ns for a, b in itertools.pairwise(requests)]
    assert min(holes) >= 25_000_000, "one request at a time"
    assert collector.stats.requests >= len(items.good())
    down = [item for item in items if isinstance(item, Event) and item.kind == "link_down"]
    assert down, "while nothing came it was not said to be up"


@pytest.mark.parametrize("requests", [False])
def test_complaint_11_a_collector_that_says_active_and_delivers_nothing_is_connected_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, requests: bool
) -> None:
    test_a_collector_that_hangs_is_connected_anew(monkeypatch, caplog, requests=requests)


def test_complaint_22_without_internet_everything_is_read_and_kept_and_delivered_later(site: Site) -> None:
    site.rig.broker.kill()
    before = len(read_log(site.logs["saw"]))
    until(lambda: len(read_log(site.logs["saw"])) > before + 8, 30, "polling stopped with the broker", site.rig)
    site.rig.gateway.kill()
    site.rig.broker.start()
    site.rig.gateway.start()
    undisturbed(site)
    all_stored(site)


def test_complaint_23_a_corrupt_buffer_is_set_aside_and_the_agent_goes_on(site: Site) -> None:
    site.rig.broker.kill()  # so that something waits
    until(lambda: site.rig.status()["spool"]["rows"] > 5, 30, "nothing waits", site.rig)
    site.rig.agent.kill()
    spool = site.rig.folder / "agent" / "spool.db"
    for name in (spool, spool.with_name("spool.db-wal")):
        if name.exists():
            name.write_bytes(b"\xa5" * max(name.stat().st_size, 4096))
    site.rig.broker.start()
    site.rig.agent.start()
    site.rig.wait_for_state("saw", "up", 30)
    asked = read_log(site.logs["saw"])[-1].time_ns
    until(lambda: max(site.stored("saw", "w7_i").values(), default=0) > asked, 30, "nothing new stored", site.rig)
    assert [p.name for p in spool.parent.iterdir() if p.name.startswith("spool.db.")], "it is kept for looking at"
    assert "Traceback" not in site.rig.agent.output()


def test_complaint_23_after_a_kill_nothing_confirmed_is_sent_again_and_nothing_is_lost_silently(site: Site) -> None:
    until(lambda: len(site.stored("saw", "w7_i")) > 4, 30, "nothing stored", site.rig)
    site.rig.agent.restart()
    site.rig.wait_for_state("saw", "up", 30)
    until(lambda: len(site.stored("saw", "w7_i")) > 8, 30, "nothing stored", site.rig)
    for name, server in site.servers.items():
        server.stop()
        site.rig.wait_for_state(name, "down")
    until(lambda: site.stored("saw", "w7_q"), 30, "the outage is not stored", site.rig)
    gaps = [span for spans in site.gaps("agent_off").values() for span in spans]
    kept = site.stored("saw", "w7_i")
    for request in read_log(site.logs["saw"]):
        inside = any(a - 5_000_000 <= request.time_ns <= (b or 2**62) + 5_000_000 for a, b in gaps)
        assert request.uint16(7) in kept or inside, "neither stored nor in a gap"


def test_complaint_24_a_reload_restarts_only_what_changed_and_keeps_the_buffer(site: Site) -> None:
    site.rig.broker.kill()
    until(lambda: site.rig.status()["spool"]["rows"] > 5, 30, "nothing waits", site.rig)
    waiting = site.rig.status()["spool"]["rows"]
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    done = site.run("apply", site.changed, "--watch", "1s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.rig.status()["spool"]["rows"] >= waiting
    site.rig.broker.start()
    undisturbed(site)
    all_stored(site)


def test_complaint_25_a_clock_that_is_set_back_loses_nothing_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plc = modbus_server(tmp_path, sequence=True)
    assert plc.port is not None
    port, real = plc.port, time.time_ns

    def story(items: Items, _collector: ModbusCollector, clock: SystemClock) -> Iterator[bool]:
        while len(items.good()) < 5:
            yield False
        monkeypatch.setattr(time, "time_ns", lambda: real() - 3600 * 10**9)  # what NTP or a person does
        assert clock.look() is not None
        while len(items.good()) < 10:
            yield False

    with child_running(plc):
        items, _ = supervised(port, "100ms", story)
    good = items.good()
    assert [value for _, value in good] == sorted(value for _, value in good if isinstance(value, int))
    times = [t for t, _ in good]
    assert len(set(times)) == len(times)
    assert {t % 1000 for t in times} == {0, 1}, "a stamp tells the clock epoch that it belongs to"
    back = [i for i, (a, b) in enumerate(itertools.pairwise(times)) if b < a]
    assert len(back) == 1, "set back once; within an epoch times increase"
    assert not [i for i in items if isinstance(i, Event) and i.kind == "link_down"]


def test_complaint_25_a_box_that_boots_in_1970_is_put_right_to_the_millisecond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plc = modbus_server(tmp_path, sequence=True)
    assert plc.port is not None
    port, real, kernel = plc.port, time.time_ns, tmp_path / "kernel"
    began = real()
    offsets: dict[int, int] = {}
    kernel.write_text('{"synchronised": false}')
    monkeypatch.setenv(DOUBLE, str(kernel))
    monkeypatch.setattr(time, "time_ns", lambda: real() - began)

    def story(items: Items, _collector: ModbusCollector, clock: SystemClock) -> Iterator[bool]:
        assert not clock.trusted, "whatever the technician has written: nobody reads a PLC in 1970"
        while len(items.good()) < 5:
            yield False
        monkeypatch.setattr(time, "time_ns", real)  # a time service steps the clock, and says so
        kernel.write_text('{"synchronised": true}')
        change = clock.look()
        assert change is not None
        offsets.update(change.offsets)
        while len(items.good()) < 10:
            yield False

    with child_running(plc):
        items, _ = supervised(port, "100ms", story)
    good = items.good()
    assert [value for _, value in good] == sorted(value for _, value in good if isinstance(value, int))
    assert {t % 1000 for t, _ in good} == {0, 1}
    assert set(offsets) == {0}
    right = [t + offsets.get(t % 1000, 0) for t, _ in good]
    assert all(0 < b - a < 10 * 10**9 for a, b in itertools.pairwise(right)), "one line of time, corrected"
    assert began - 10**9 < right[0] < right[-1] < real() + 10**6
    assert not [i for i in items if isinstance(i, Event) and i.kind == "link_down"]
