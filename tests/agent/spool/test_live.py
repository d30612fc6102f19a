"""What is live among what waits is found among the newest entries, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.spool import reading
from tests.agent.spool.test_spool import fill, make
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_clock_that_stands_before_everything_has_nobody_look_through_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    spool = make(tmp_path)
    spool.begin(clock)
    begun = clock.now()
    fill(spool, clock, 12)
    last = spool.stats().seq
    assert spool.last_before(0) == 0
    assert spool.last_before(begun) == 0
    assert spool.last_before(clock.now() + 1) == last
    monkeypatch.setattr(reading, "RECENT", 5)
    assert spool.last_before(begun) == last - 5
    assert spool.last_before(clock.now() + 1) == last
    spool.stop()
