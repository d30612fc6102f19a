"""What waits does not grow old because a clock is set."""

from __future__ import annotations

from agent.spool.ages import Ages
from agent.spool.base import Stamping

DAY = 86400 * 10**9


def test_what_a_trusted_clock_is_set_forward_by_makes_nothing_older() -> None:
    ages = Ages()
    assert ages.now(100 * DAY, Stamping(True, 1, "b", 10 * DAY)) == 100 * DAY
    assert ages.now(101 * DAY, Stamping(True, 1, "b", 10 * DAY + 500)) == 101 * DAY, "a slew is time"
    assert ages.now(150 * DAY, Stamping(False, 2, "b", 59 * DAY)) == 0
    assert ages.now(142 * DAY, Stamping(True, 3, "b", 50 * DAY + 500)) == 102 * DAY
    assert ages.now(103 * DAY, Stamping(True, 4, "b", 10 * DAY + 500)) == 63 * DAY, "set back: younger, never older"
