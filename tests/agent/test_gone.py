"""A source that a change of the configuration has ended, and a clock that is set before it is back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agent.running import Running
from agent.standstill import Times
from tests.agent.test_standstill import Set
from tests.agent.test_supervise import Items, gap_events
from tests.support.items import source

S = 10**9


def test_the_gap_of_a_source_that_was_away_is_told_by_the_clock_that_holds_at_its_end() -> None:
    clock, items = Set(), Items()
    running: Any = Running.__new__(Running)
    running._clock, running._spool, running._gone = clock, items, {}
    there = [SimpleNamespace(sources=lambda: [source()])]
    running.config = SimpleNamespace(devices=[])
    since, gone = clock.now(), Times(clock).now()
    clock.advance(2)
    running._tell_gone({source().id: gone})
    clock.advance(60)
    clock.set_by(-7200)
    running.config = SimpleNamespace(devices=there)
    running._tell_gone({})
    first, last = gap_events(items, "config")
    assert (first.from_ns, first.to_ns) == (since, None)
    assert (last.from_ns, last.to_ns) == (clock.now() - 62 * S, clock.now())
