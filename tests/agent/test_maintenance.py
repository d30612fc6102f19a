"""Maintenance: who, why, from when to when; it survives a restart and ends by itself."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from agent.analyzers.outages import Outages
from agent.collectors.base import Forgetful
from agent.frame import DataType, Event, Signal, Source
from agent.maintenance import Maintenance
from agent.memory import DiskMemory
from readiness.spans import Spans
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from agent.collectors.base import Memory
    from agent.frame import Item

HOUR = 3600 * 10**9


def source(device: str, group: str = "main") -> Source:
    signal = Signal(id="s", machine="m", name="s", dtype=DataType.BOOL)
    return Source(
        id=f"{device}.{group}", device=device, protocol="x", mode="poll", interval_ns=10**9, signals=(signal,)
    )


SOURCES = [source("press"), source("press", "slow"), source("saw")]


class Site:
    """Maintenance with its events in a list."""

    def __init__(self, memory: Memory | None = None, clock: FakeClock | None = None) -> None:
        self.items: list[Item] = []
        self.clock = clock or FakeClock()
        self.memory = memory or Forgetful()
        names = (f"w{n}" for n in itertools.count())
        self.work = Maintenance(self.memory, self.clock, self.items.append, SOURCES, lambda: next(names))

    def events(self, kind: str = "gap") -> list[tuple[str | None, Any, int | None, int | None]]:
        """Return (source, gap id, from, to) of each event of a kind, and forget them."""
        found = [
            (e.source, e.body["gap_id"], e.from_ns, e.to_ns)
            for e in self.items
            if isinstance(e, Event) and e.kind == kind
        ]
        self.items = [e for e in self.items if not (isinstance(e, Event) and e.kind == kind)]
        self.work._put = self.items.append
        return found


def test_each_source_of_the_device_gets_a_gap_and_an_event_under_one_name() -> None:
    site = Site()
    begin = site.clock.now()
    site.work.start("press", "kim", "oil", None)
    site.clock.advance(60)
    first = site.events()
    assert first == [("press.main", "w0-press.main", begin, None), ("press.slow", "w0-press.slow", begin, None)]
    assert site.events("maintenance") == first
    assert site.work.current()["press"] == {"since": str(begin), "until": None, "author": "kim", "reason": "oil"}
    assert site.work.stop("press", "lee") is not None
    assert [(gap, start, end) for _, gap, start, end in site.events()] == [
        ("w0-press.main", begin, begin + 60 * 10**9), ("w0-press.slow", begin, begin + 60 * 10**9),
    ]  # fmt: skip
    assert (site.work.current(), site.work.stop("press")) == ({}, None)


def test_it_ends_by_itself_when_it_should() -> None:
    site = Site()
    begin = site.clock.now()
    site.work.start("saw", "kim", "", HOUR)
    site.clock.advance(3599)
    site.work.tick()
    assert len(site.events()) == 1
    site.clock.advance(30)  # the second in which it ends is not missed: it ended then
    site.work.tick()
    assert site.events() == [("saw.main", "w0-saw.main", begin, begin + HOUR)]


def test_starting_again_goes_on_with_the_same_span() -> None:
    site = Site()
    begin = site.clock.now()
    site.work.start("saw", "kim", "", HOUR)
    site.clock.advance(600)
    site.work.start("saw", "lee", "longer", 2 * HOUR)
    assert [(gap, start) for _, gap, start, _ in site.events()] == [("w0-saw.main", begin)] * 2
    assert site.work.current()["saw"]["until"] == str(begin + 600 * 10**9 + 2 * HOUR)


@pytest.mark.parametrize("off_s", [60, 7200])
def test_it_survives_a_restart_and_ends_when_it_should_have(tmp_path: Path, off_s: int) -> None:
    memory, clock = DiskMemory(tmp_path), FakeClock()
    site = Site(memory, clock)
    begin = clock.now()
    site.work.start("saw", "kim", "oil", HOUR)
    memory.stop()
    clock.advance(off_s)
    again = Site(DiskMemory(tmp_path), clock)
    again.work.resume()
    told = again.events()
    assert told[0] == ("saw.main", "w0-saw.main", begin, None)
    assert [t[3] for t in told[1:]] == ([begin + HOUR] if off_s > 3600 else [])
    assert ("saw" in again.work.current()) is (off_s < 3600)


def set_clock(clock: FakeClock, seconds: float, *, trusted: bool = True) -> None:
    clock.step(seconds)
    clock.epoch += 1
    clock.trusted = trusted


def test_a_clock_that_is_set_neither_ends_nor_lengthens_it(tmp_path: Path) -> None:
    memory, clock = DiskMemory(tmp_path), FakeClock(trusted=False)
    site = Site(memory, clock)
    site.work.start("saw", "kim", "oil", HOUR)
    for number, step_s in enumerate((10**8, -18_000, 7200)):
        site.events()
        clock.advance(600)
        set_clock(clock, step_s)
        site.work.tick()
        begin = clock.now() - (number + 1) * 600 * 10**9
        assert site.events() == [("saw.main", "w0-saw.main", begin, None)], "it is told by the new clock"
    memory.stop()
    set_clock(clock, -5)
    again = Site(DiskMemory(tmp_path), clock)
    again.work.resume()
    clock.advance(1800 + 1)
    again.work.tick()
    begin = clock.now() - HOUR - 10**9
    assert again.events()[-1] == ("saw.main", "w0-saw.main", begin, begin + HOUR)


@pytest.mark.parametrize("trusted", [False, True])
def test_on_another_boot_its_beginning_counts_when_it_was_known(*, trusted: bool) -> None:
    memory, clock = Forgetful(), FakeClock(trusted=trusted)
    Site(memory, clock).work.start("saw", "kim", "oil", None)
    begin = clock.now()
    clock.boot_id = "another"
    set_clock(clock, 10**8)
    again = Site(memory, clock)
    again.work.resume()
    assert [start for *_, start, _ in again.events()] == [begin if trusted else clock.now()]


def test_a_new_configuration_takes_sources_in_and_out() -> None:
    site = Site()
    begin = site.clock.now()
    site.work.start("press", "kim", "", None)
    site.events()
    site.clock.advance(10)
    now = site.clock.now()
    site.work.begin([source("press"), source("press", "fast"), source("saw")])
    assert sorted(site.events(), key=str) == sorted(
        [("press.slow", "w0-press.slow", begin, now), ("press.fast", "w0-press.fast", now, None)], key=str
    )
    site.work.begin([source("saw")])
    assert {(of, end) for of, _, _, end in site.events()} == {("press.main", now), ("press.fast", now)}
    assert site.work.current() == {}
    assert site.memory.recall("press", "maintenance") is None


def test_readiness_censors_the_span_of_these_sources_alone() -> None:
    site = Site()
    begin = site.clock.now()
    site.work.start("press", "kim", "", None)
    site.clock.advance(3600)
    site.work.stop("press")
    outages = Outages()
    for item in site.items:
        assert isinstance(item, Event)
        outages.event(item)
    day = (begin - HOUR, begin + 10 * HOUR)
    censored = outages.censored(*day, day[1] + HOUR)["maintenance"]
    assert set(censored) == {"press.main", "press.slow"}
    assert censored["press.main"] == Spans.of([(begin, begin + HOUR)]).pack(day[0])


@pytest.mark.parametrize(
    "body",
    [3, [], {}, *({"id": "x", "from_ns": at, "until_ns": None} for at in ("y", -1, 10**30, float("inf")))],
)
def test_a_memory_that_makes_no_sense_is_no_maintenance(body: Any) -> None:
    site = Site()
    site.memory.remember("press", "maintenance", body)
    site.work.resume()
    assert (site.items, site.work.current()) == ([], {})
