"""Blocks that wait for each other change nothing but the time they take."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from agent.analyzers.gathering import ROWS, WAIT_NS, Gathering
from agent.analyzers.ledger import Ledger
from readiness.spans import EMPTY
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, block, source

if TYPE_CHECKING:
    from agent.frame import FrameBlock, Source

DAY = 24 * 60 * MINUTE
OF, MORE = source("press", "poll", 20 * SECOND, 2), source("press", "poll", 20 * SECOND, 3)


def day(time_ns: int) -> tuple[int, int]:
    """Return the bounds of a day."""
    return CALENDAR.bounds(CALENDAR.day_of(time_ns))


def readings(rng: random.Random, hours: int) -> list[FrameBlock]:
    """Return readings of a source that gets a signal more, some of them late."""
    found, at = [], START
    while at < START + hours * 60 * MINUTE:
        of: Source = OF if at < START + 60 * MINUTE else MORE
        late = rng.choice((0, 0, 0, 0, 700)) * SECOND
        found.append(block(of, [(i, at - late, 0) for i in range(len(of.signals))]))
        at += rng.choice((20, 20, 20, 22, 80)) * SECOND
    return found


@pytest.mark.parametrize("seed", range(2))
def test_a_ledger_that_gathers_says_what_one_says_that_does_not(seed: int) -> None:
    rng = random.Random(seed)
    plain, gathering = Ledger(OF, day), Gathering(OF, day)
    closed = 0
    for number, one in enumerate(readings(rng, 26)):
        for ledger in (plain, gathering):
            ledger.block(one, closed)
        assert gathering.time_ns == plain.time_ns
        assert gathering.first_ns == plain.first_ns
        if number % 97 == 0:
            assert gathering.resumed(START) == plain.resumed(START)
        if rng.random() < 0.002:
            assert gathering.state() == plain.state()
        if not closed and plain.time_ns > START + DAY + 20 * MINUTE:
            bounds = (START, START + DAY)
            assert gathering.close(*bounds, EMPTY, None) == plain.close(*bounds, EMPTY, None)
            closed = START + DAY
            for ledger in (plain, gathering):
                ledger.drop(closed)
    assert closed
    assert gathering.state() == plain.state()


def test_blocks_wait_for_a_moment_of_their_source_or_a_few_thousand_rows() -> None:
    taken = set()
    for name in ("press", "saw", "oven", "line"):
        of = source(name, "poll", 20 * SECOND, 2)
        gathering, when = Gathering(of, day), []
        for second in range(0, 400, 10):
            gathering.block(block(of, [(0, START + second * SECOND, 0)]), 0)
            if not gathering.waiting:
                when.append(second)
        assert len(when) >= 400 * SECOND // WAIT_NS
        assert {b - a for a, b in pairwise(when)} == {WAIT_NS // SECOND}
        taken.add(when[0])
        at = START + 400 * SECOND
        gathering.block(block(of, [(0, at + i * 1_000_000, 0) for i in range(ROWS)]), 0)
        assert gathering.waiting == 0
    assert len(taken) >= 3, "sources take theirs at different moments"
