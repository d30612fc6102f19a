"""What the analyzers hold of a signal: every object counted, at the end of a day and before it closes."""

from __future__ import annotations

from agent.analyzers.evidence import DayLedger, make
from agent.analyzers.gathering import COLD
from benchmarks.analyzers import CALENDAR
from benchmarks.memory import CLOSES, DAY, WAIT, average, minutes, noise
from tests.support.held import held

SIGNALS = 20
BOUND = 2000
"""Bytes a signal."""


def everything(ledger: DayLedger) -> int:
    """Return how much is held."""
    return sum(held(*ledger._ledgers.values(), apart=(ledger,)).values())


def test_a_noisy_signal_read_each_second_holds_no_more_than_two_kilobytes() -> None:
    (source,), said = noise()
    ledger = make([source], CALENDAR)
    for first in range(0, DAY - 7200, 7200):
        minutes(ledger, said(first, 7200), each=False)
    minutes(ledger, said(DAY - 7200, 7200 - 2 * WAIT), each=False)
    minutes(ledger, said(DAY - 2 * WAIT, WAIT), each=True)
    found, most = average(ledger, said(DAY - WAIT, WAIT))
    assert sum(found.values()) <= SIGNALS * 1750
    assert most - sum(found.values()) >= SIGNALS * WAIT * 8 * 0.4, "half of a wait waits on average"
    settled = ledger.state()
    assert everything(ledger) <= SIGNALS * 1300
    again = make([source], CALENDAR, settled)
    assert everything(again) <= SIGNALS * 1300
    (gathering,) = ledger._ledgers.values()
    second = DAY
    for second in range(DAY, DAY + WAIT + 1):
        ledger.feed(said(second, 1)[0])
        if not gathering.waiting:  # type: ignore[attr-defined]  # of a `Gathering`
            break
    before = everything(ledger)
    for blocks in said(second + 1, 20):
        ledger.feed(blocks)
    assert SIGNALS * 20 * 8 <= everything(ledger) - before <= SIGNALS * (20 * 8 * 1.25 + 60), "eight bytes a value"
    minutes(ledger, said(second + 21, DAY + CLOSES - WAIT - second - 21), each=True)
    assert sum(average(ledger, said(DAY + CLOSES - WAIT, WAIT))[0].values()) <= SIGNALS * BOUND


def test_an_open_ledger_keeps_no_more_buckets_than_it_says() -> None:
    (source,), said = noise()
    ledger = make([source], CALENDAR)
    for first in range(0, DAY // 4, 7200):
        minutes(ledger, said(first, 7200), each=False)
    (gathering,) = ledger._ledgers.values()
    assert all(getattr(gathering, name) is None for name in COLD)
    with gathering._open():  # type: ignore[attr-defined]  # of a `Gathering`
        # 192 buckets of values, 160 of steps and up to 128 of candidates, of two bytes and a fifth for their pages
        found = held(gathering, apart=(ledger,))
    assert 0 < found["Cells"] <= SIGNALS * (192 + 160 + 128) * 2 * 1.25
