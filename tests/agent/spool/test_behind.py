"""A process whose clock is behind its predecessor's: how long the agent was off is told when it is known."""

from __future__ import annotations

from agent.frame import Event, gap_event
from agent.spool.stamps import shifted

LAST = 1_763_769_600_000_000_007
STARTED = 86_400_000_000_008  # on 2 January 1970, epoch 8


def test_the_length_of_agent_off_becomes_known_with_the_clock() -> None:
    body = {"clock": "behind", "started": str(STARTED)}
    event = gap_event("g", "agent_off", None, STARTED, LAST, LAST, **body)
    off_ns = 30 * 10**9
    became = shifted(event, 8, LAST // 1000 * 1000 + off_ns - STARTED // 1000 * 1000)
    assert isinstance(became, Event)
    assert (became.from_ns, became.to_ns) == (LAST, LAST + 1 + off_ns)
    assert became.body == {"gap_id": "g", "cause": "agent_off"}


def test_another_epoch_changes_nothing_and_behind_a_clock_that_was_ahead_the_start_alone_is_moved() -> None:
    event = gap_event("g", "agent_off", None, STARTED, LAST, LAST, clock="behind", started=str(STARTED))
    for epoch, offset, started in ((9, LAST, STARTED), (8, 3_600_000_000_000, STARTED + 3_600_000_000_000)):
        became = shifted(event, epoch, offset)
        assert isinstance(became, Event)
        assert (became.from_ns, became.to_ns) == (LAST, LAST)
        assert became.body == {**event.body, "started": str(started)}
