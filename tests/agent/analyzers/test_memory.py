"""What the analyzers hold of a signal: every object counted, at the end of a day and before it closes."""

from __future__ import annotations

from agent.analyzers.evidence import make
from benchmarks.analyzers import CALENDAR
from benchmarks.memory import DAY, minutes, noise
from tests.support.held import held

SIGNALS = 20


def test_a_noisy_signal_read_each_second_holds_no_more_than_its_sketches_and_a_minute_of_readings() -> None:
    (source,), said = noise()
    ledger = make([source], CALENDAR)
    for first in range(0, DAY - 7200, 7200):
        seconds = said(first, 7200)
        minutes(ledger, seconds, each=False)
    minutes(ledger, said(DAY - 7200, 7199), each=False)
    settled = ledger.state()
    found = held(*ledger._ledgers.values(), apart=(ledger,))
    # 192 buckets of values, 160 of steps and up to 128 of candidates, of two bytes each and a fifth for their pages
    assert found["Cells"] <= SIGNALS * (192 + 160 + 128) * 2 * 1.25
    assert sum(found.values()) <= SIGNALS * 3000
    again = make([source], CALENDAR, settled)
    assert sum(held(*again._ledgers.values(), apart=(again,)).values()) <= SIGNALS * 3000
    last = said(DAY - 1, 60)
    before = sum(found.values())
    for blocks in last:
        ledger.feed(blocks)
    waiting = sum(held(*ledger._ledgers.values(), apart=(ledger,)).values()) - before
    assert waiting <= SIGNALS * (60 * 8 * 1.25 + 60), "a reading waits as eight bytes a value and eight a time"
    assert waiting >= SIGNALS * 59 * 8
