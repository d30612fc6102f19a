"""What a gap with holes in it leaves out of a day: the holes, and not what was read between them."""

from __future__ import annotations

from agent.analyzers.outages import Outages
from agent.frame import gap_event

S = 10**9
DAY = 86_400 * S


def test_a_gap_that_lists_holes_censors_these_alone() -> None:
    outages = Outages()
    holes = [[0, 2 * S], [10 * S, 3 * S]]
    outages.event(
        gap_event("g", "waiting", "plc.main", 120 * S, 100 * S, 113 * S, reason="overrun", holes=holes)  # type: ignore[arg-type]
    )
    told = outages.censored(0, DAY, DAY)
    assert told == {"waiting": {"plc.main": [100 * S, 2 * S, 110 * S, 3 * S]}}


def test_without_holes_it_is_all_of_it() -> None:
    outages = Outages()
    outages.event(gap_event("g", "waiting", "plc.main", 120 * S, 100 * S, 113 * S, reason="overrun"))
    assert outages.censored(0, DAY, DAY) == {"waiting": {"plc.main": [100 * S, 13 * S]}}
